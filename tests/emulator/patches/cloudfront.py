# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudFront."""

from __future__ import annotations

import typing as t

from moto.cloudfront import models

from tests.emulator.patches import around, patch


@patch(
    restores="An origin keeps its origin access control and its S3 settings.",
    source="CloudFront API reference, Origin (OriginAccessControlId, S3OriginConfig)",
    touches="moto.cloudfront.models:Origin.__init__",
)
def origin_access() -> None:
    """Note what moto drops."""

    @around(models.Origin, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, origin: dict[str, t.Any]) -> None:
        original(self, origin)
        if "S3OriginConfig" in origin:
            self.s3_origin_config = origin["S3OriginConfig"]
        if "OriginAccessControlId" in origin:
            self.origin_access_control_id = origin["OriginAccessControlId"]

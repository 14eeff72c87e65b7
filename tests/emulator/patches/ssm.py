# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Systems Manager."""

from __future__ import annotations

import typing as t

from moto.core.utils import utcnow
from moto.ssm import models

from tests.emulator import ami
from tests.emulator.patches import around, patch


@patch(
    restores="The public parameters of Canonical, Debian and Amazon Linux name images that exist in the region.",
    source="Systems Manager User Guide, Calling AMI public parameters; wiki.debian.org/Cloud/AmazonEC2Image",
    touches="moto.ssm.models:ParameterDict._check_loading_status",
)
def public_image_parameters() -> None:
    """Load them when a name below their trees is first asked for."""
    trees = ("/aws/service/canonical", "/aws/service/debian", "/aws/service/ami-amazon-linux-latest")

    @around(models.ParameterDict, "_check_loading_status")
    def load(original: t.Callable[..., None], self: t.Any, key: str) -> None:
        # moto's own Amazon Linux parameters name images that are not offered here.
        self.latest_amis_loaded = True
        original(self, key)
        if str(key or "").startswith(trees) and not getattr(self, "public_images_loaded", False):
            self.public_images_loaded = True
            _load(self)

    def _load(parameters: t.Any) -> None:
        for name, image in ami.parameters().items():
            value = ami.identifier(parameters.region_name, image)
            dict.__setitem__(parameters, name, [_parameter(parameters, name, value)])

    def _parameter(parameters: t.Any, name: str, value: str) -> t.Any:
        return models.Parameter(
            account_id=parameters.account_id,
            name=name,
            value=value,
            parameter_type="String",
            description=None,
            allowed_pattern=None,
            keyid=None,
            last_modified_date=utcnow(),
            version=1,
            data_type="aws:ec2:image",
        )

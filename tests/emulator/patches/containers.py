# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECR and ECS."""

from __future__ import annotations

import hashlib
import typing as t

from moto.ecr import models as ecr
from moto.ecs import models as ecs

from tests.emulator.patches import around, patch


@patch(
    restores="An image's digest is the SHA-256 of its manifest, byte for byte.",
    source="OCI Distribution Specification, Pulling manifests; ECR API reference, ImageIdentifier (imageDigest)",
    touches="moto.ecr.models:Image._create_digest",
)
def image_digests() -> None:
    """Compute it; moto's is of the layers, or random."""

    def create(self: t.Any) -> None:
        self._image_digest = f"sha256:{hashlib.sha256(self.image_manifest.encode()).hexdigest()}"

    ecr.Image._create_digest = create  # type: ignore[method-assign]


@patch(
    restores="A cluster always lists its capacity providers and its default strategy, empty or not.",
    source="ECS API reference, Cluster (capacityProviders, defaultCapacityProviderStrategy)",
    touches="moto.ecs.models:Cluster.__init__",
)
def cluster_fields() -> None:
    """Make them lists."""

    @around(ecs.Cluster, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        self.capacity_providers = self.capacity_providers or []
        self.default_capacity_provider_strategy = self.default_capacity_provider_strategy or []

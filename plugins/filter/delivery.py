# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the delivery role, and of the tiers that keep what was released."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import delivery


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "ecr_repository_of": delivery.ecr_repository,
            "image_base": delivery.image_base,
            "image_version": delivery.image_version,
            "image_with_version": delivery.with_version,
            "release_component": delivery.component_of,
            "release_components": delivery.components,
            "release_list": delivery.release_list,
            "release_source": delivery.source_of,
            "release_version": delivery.wanted_version,
            "released_references": delivery.released_references,
            "service_address": delivery.service_address,
            "smoke_page": delivery.smoke_page,
            "smoke_url": delivery.smoke_url,
            "with_released_images": delivery.with_released_images,
            "with_released_versions": delivery.with_released_versions,
        }

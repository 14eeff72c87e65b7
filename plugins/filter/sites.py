# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the s3_site tier."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import sites


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "distribution_policy": sites.distribution_policy,
            "site_distribution": sites.site_distribution,
            "site_distribution_name": sites.distribution_name,
            "site_facts": sites.site_facts,
            "site_public_keys": sites.public_keys,
            "site_source": sites.site_source,
            "with_distributions": sites.with_distributions,
        }

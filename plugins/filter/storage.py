# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the storage and identity tiers."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import identity, storage


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "storage_facts": storage.storage_facts,
            "storage_lifecycle": storage.storage_lifecycle,
            "storage_policy": storage.storage_policy,
            "replication_policy": storage.replication_policy,
            "identity_clients": identity.identity_clients,
            "identity_providers": identity.identity_providers,
            "identity_role_mappings": identity.identity_role_mappings,
            "identity_policy": identity.identity_policy,
        }

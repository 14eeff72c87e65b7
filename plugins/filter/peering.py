# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the peering tier."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import peering


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "peered_subnet_types": peering.peered_subnet_types,
            "peering_facts": peering.peering_facts,
            "peering_rules": peering.peering_rules,
            "peering_side": peering.peering_side,
            "peers_of": peering.peers_of,
        }

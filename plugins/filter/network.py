# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the network tier."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.palier.aws.plugins.plugin_utils import network, network_drift


def subnet_layout(cidr: str, **options: t.Any) -> list[network.Subnet]:
    """See plugin_utils/network.py."""
    try:
        return network.subnet_layout(cidr, **options)
    except network.LayoutError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "subnet_layout": subnet_layout,
            "tier_security_groups": network.tier_security_groups,
            "vpc_stands": network_drift.vpc_stands,
            "security_groups_to_bring": network_drift.security_groups_to_bring,
            "subnets_to_bring": network_drift.subnets_to_bring,
            "nat_gateways_to_bring": network_drift.nat_gateways_to_bring,
            "private_route_tables": network.private_route_tables,
            "route_tables_to_bring": network_drift.route_tables_to_bring,
            "open_admin_ports": network.open_admin_ports,
            "who_is_let_in": network.who_is_let_in,
            "network_facts": network.network_facts,
            "groups_naming_groups": network.groups_naming_groups,
            "ids_by_name": network.ids_by_name,
        }

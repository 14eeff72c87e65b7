# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which routes through a peering connection are made, changed and removed."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.plan import Step

RouteTable = dict[str, t.Any]


def name_of(table: RouteTable) -> str:
    """Name tag of a route table, else its id."""
    tags = {tag["Key"]: tag["Value"] for tag in table.get("Tags", [])}
    return tags.get("Name") or table["RouteTableId"]


def resource_of(table: RouteTable, tables: list[RouteTable]) -> str:
    """A route table in the reader's words, with its id where another one has the same name."""
    name = name_of(table)
    same = [one for one in tables if name_of(one) == name]
    return f"route table {name}" if len(same) == 1 else f"route table {name} ({table['RouteTableId']})"


def plan_present(tables: list[RouteTable], destination: str, connection: str) -> list[Step]:
    """Steps after which every table routes a destination through a connection.

    :param tables: route tables as EC2 describes them.
    :param destination: CIDR of the peer.
    :param connection: id of the peering connection.
    """
    return [_present(table, resource_of(table, tables), destination, connection) for table in tables]


def _present(table: RouteTable, resource: str, destination: str, connection: str) -> Step:
    route = next((one for one in table.get("Routes", []) if one.get("DestinationCidrBlock") == destination), None)
    after = {destination: connection}
    if route is None:
        return Step("create", resource, f"it has no route to {destination}", None, after)
    target = route.get("VpcPeeringConnectionId") or "another target"
    if target == connection and route.get("State") != "blackhole":
        return Step("keep", resource, f"it routes {destination} through the connection")
    return Step("modify", resource, f"it routes {destination} through {target}", {destination: target}, after)


def plan_absent(tables: list[RouteTable], destination: str | None, connection: str) -> list[Step]:
    """Steps after which no table routes through a connection (to one destination, or to any)."""
    steps = []
    for table in tables:
        for route in table.get("Routes", []):
            cidr = route.get("DestinationCidrBlock")
            if cidr and route.get("VpcPeeringConnectionId") == connection and destination in (None, cidr):
                resource = resource_of(table, tables)
                steps.append(Step("delete", resource, f"the route to {cidr} is no longer wanted", {cidr: connection}))
    return steps

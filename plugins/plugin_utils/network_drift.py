# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a network does not stand as it is wanted, from what the account answered to one question for each kind.

The stock modules read what they are asked about several times, one by one: a subnet costs five calls, a route table and
a security group as many. They are asked only for what is missing or differs; whatever is not compared here counts as
different, so that they see it.
"""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils.network import Group, Subnet, name_of, own_routes


def drifted_subnets(
    wanted: list[Subnet], found: list[dict[str, t.Any]], vpc_id: str, tags: t.Mapping[str, t.Any]
) -> list[Subnet]:
    """The subnets that do not stand as they are wanted; the stock module makes five calls for each it is asked about.

    :param wanted: subnets as from L{subnet_layout}.
    :param found: what the account holds, as C(subnets) of M(amazon.aws.ec2_vpc_subnet_info).
    :param vpc_id: the VPC that they belong to.
    :param tags: what each is tagged with, beside its name and type.
    :returns: those of the wanted that are missing or differ, with all their C(tags).
    """
    standing = {subnet["cidr_block"]: subnet for subnet in found if subnet["vpc_id"] == vpc_id}
    tagged = [{**subnet, "tags": {**tags, "Name": subnet["name"], "Type": subnet["type"]}} for subnet in wanted]
    return [subnet for subnet in tagged if not _subnet_in_sync(standing.get(subnet["cidr"]), subnet)]


def _subnet_in_sync(found: dict[str, t.Any] | None, wanted: Subnet) -> bool:
    return (
        found is not None
        and found["availability_zone"] == wanted["zone"]
        and found["state"] == "available"
        and not found.get("map_public_ip_on_launch")
        and not found.get("assign_ipv6_address_on_creation")
        and not found.get("ipv6_cidr_block_association_set")
        and found["tags"] == _as_tags(wanted["tags"])
    )


def vpc_in_sync(found: list[dict[str, t.Any]], cidr: str, tags: t.Mapping[str, t.Any]) -> bool:
    """Whether the VPC stands as the network tier wants it.

    :param found: what the account holds, as C(vpcs) of M(amazon.aws.ec2_vpc_net_info).
    :param cidr: the CIDR block it is to have.
    :param tags: all tags it is to have.
    """
    return len(found) == 1 and all(
        (
            found[0]["state"] == "available",
            found[0]["cidr_block"] == cidr,
            found[0]["instance_tenancy"] == "default",
            found[0]["enable_dns_support"],
            found[0]["enable_dns_hostnames"],
            found[0]["tags"] == _as_tags(tags),
        )
    )


def _as_tags(tags: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {key: str(value) for key, value in tags.items()}


def drifted_nat_gateways(
    wanted: list[Subnet],
    found: list[dict[str, t.Any]],
    subnet_ids: t.Mapping[str, str],
    name: str,
    tags: t.Mapping[str, t.Any],
) -> list[Subnet]:
    """The subnets whose NAT gateway does not stand as it is wanted.

    :param wanted: the subnets that are to have one.
    :param found: what is pending or available, as C(result) of M(amazon.aws.ec2_vpc_nat_gateway_info).
    :param subnet_ids: ids of the subnets by their names.
    :param name: start of their names; the zone follows.
    :param tags: what each is tagged with, beside its name.
    :returns: those of the wanted with C(subnet_id) and all C(tags) of their gateway.
    """
    standing = {gateway["subnet_id"]: gateway["tags"] for gateway in found}
    tagged = [
        {**subnet, "subnet_id": subnet_ids[subnet["name"]], "tags": {**tags, "Name": f"{name}-{subnet['zone']}"}}
        for subnet in wanted
    ]
    return [subnet for subnet in tagged if standing.get(subnet["subnet_id"]) != _as_tags(subnet["tags"])]


def drifted_route_tables(
    wanted: list[dict[str, t.Any]], found: list[dict[str, t.Any]], vpc_id: str, tags: t.Mapping[str, t.Any]
) -> list[dict[str, t.Any]]:
    """The route tables that do not stand as they are wanted.

    :param wanted: dicts of C(name), C(type), C(subnets) (ids) and C(routes).
    :param found: what the account holds, as C(route_tables) of M(amazon.aws.ec2_vpc_route_table_info).
    :param vpc_id: the VPC that they belong to.
    :param tags: what each is tagged with, beside its name and type.
    :returns: those of the wanted that are missing or differ, with all their C(tags), their C(id), empty where there is
        none, and C(purge_routes), whether there are routes to remove.
    """
    standing = {name_of(table): table for table in found if table["vpc_id"] == vpc_id}
    tagged = [{**table, "tags": {**tags, "Name": table["name"], "Type": table["type"]}} for table in wanted]
    return [
        _asked(table, standing.get(table["name"]))
        for table in tagged
        if not _route_table_in_sync(standing.get(table["name"]), table)
    ]


def _asked(wanted: dict[str, t.Any], found: dict[str, t.Any] | None) -> dict[str, t.Any]:
    return {**wanted, "id": (found or {}).get("route_table_id", ""), "purge_routes": _has_other_routes(found, wanted)}


def _route_table_in_sync(found: dict[str, t.Any] | None, wanted: dict[str, t.Any]) -> bool:
    return (
        found is not None
        and _associated(found) == sorted(wanted["subnets"])
        and all(any(_same_route(there, route) for there in own_routes(found)) for route in wanted["routes"])
        and not _has_other_routes(found, wanted)
        and found["tags"] == _as_tags(wanted["tags"])
    )


def _associated(table: dict[str, t.Any]) -> list[str]:
    # A gateway's association stands with an empty name, so that it counts as a difference.
    return sorted(one.get("subnet_id") or "" for one in table.get("associations") or [] if not one.get("main"))


def _same_route(found: dict[str, t.Any], wanted: dict[str, t.Any]) -> bool:
    targets = {key: value for key, value in wanted.items() if key != "dest"}
    return (
        found.get("destination_cidr_block") == wanted["dest"]
        and found.get("state") == "active"
        and all(found.get(key) == value for key, value in targets.items())
    )


def _has_other_routes(found: dict[str, t.Any] | None, wanted: dict[str, t.Any]) -> bool:
    # The stock module warns at every run of a gateway endpoint's route, which it cannot remove, when it is told to
    # remove what is not wanted; so it is told only when there is something.
    destinations = {route.get("destination_cidr_block") for route in own_routes(found or {})} - {None}
    return bool(destinations - {route["dest"] for route in wanted["routes"]})


def drifted_security_groups(
    wanted: list[Group], found: list[dict[str, t.Any]], vpc_id: str, tags: t.Mapping[str, t.Any]
) -> list[Group]:
    """The security groups that do not stand as they are wanted.

    :param wanted: groups as from L{tier_security_groups}; C(tags) of a group override the others.
    :param found: what the account holds, as C(security_groups) of M(amazon.aws.ec2_security_group_info).
    :param vpc_id: the VPC that they belong to.
    :param tags: what each is tagged with, beside its name and key.
    :returns: those of the wanted that are missing or differ, with all their C(tags). A group with a rule that is
        written in a way that is not compared here is always among them, for the stock module to see.
    """
    standing = {group["group_name"]: group for group in found if group["vpc_id"] == vpc_id}
    ids = {name: group["group_id"] for name, group in standing.items()}
    tagged = [
        {**group, "tags": {**tags, "Name": group["name"], "Group": group["key"], **group.get("tags", {})}}
        for group in wanted
    ]
    return [group for group in tagged if not _security_group_in_sync(standing.get(group["name"]), group, ids)]


#: Protocol, first and last port, kind of source, source, description.
_Rule = tuple[str, int, int, str, str, str]
#: The ways of M(amazon.aws.ec2_security_group) to write a rule that are compared here.
_COMPARED = {"proto", "ports", "cidr_ip", "group_name", "group_desc", "rule_desc"}


def _security_group_in_sync(found: dict[str, t.Any] | None, wanted: Group, ids: t.Mapping[str, str]) -> bool:
    return (
        found is not None
        and found["description"] == wanted["description"]
        and found["tags"] == _as_tags(wanted["tags"])
        and _rules_in_sync(found["ip_permissions"], wanted["rules"], wanted["purge"], ids)
        and _rules_in_sync(found["ip_permissions_egress"], wanted["rules_egress"], wanted["purge"], ids)
    )


def _rules_in_sync(
    found: list[dict[str, t.Any]], wanted: list[dict[str, t.Any]], purge: bool, ids: t.Mapping[str, str]
) -> bool:
    if any(rule.keys() - _COMPARED for rule in wanted):
        return False
    there = {one for permission in found for one in _found_rules(permission)}
    try:
        asked = {one for rule in wanted for one in _wanted_rules(rule, ids)}
    except (ValueError, KeyError, TypeError):
        return False
    return asked == there if purge else asked <= there


def _found_rules(permission: dict[str, t.Any]) -> t.Iterator[_Rule]:
    start = (str(permission["ip_protocol"]), permission.get("from_port", -1), permission.get("to_port", -1))
    for kind, name in (
        ("ip_ranges", "cidr_ip"),
        ("user_id_group_pairs", "group_id"),
        ("ipv6_ranges", "cidr_ipv6"),
        ("prefix_list_ids", "prefix_list_id"),
    ):
        for source in permission.get(kind) or []:
            yield *start, name, source.get(name, ""), source.get("description") or ""


def _wanted_rules(rule: dict[str, t.Any], ids: t.Mapping[str, str]) -> t.Iterator[_Rule]:
    sources = [("cidr_ip", cidr) for cidr in _listed(rule.get("cidr_ip"))]
    sources += [("group_id", ids[name]) for name in _listed(rule.get("group_name"))]
    ports = _wanted_ports(rule)
    if not sources or not ports:
        raise ValueError("without a source or a port; the stock module says so")
    for kind, source in sources:
        for first, last in ports:
            yield _protocol(rule), first, last, kind, source, rule.get("rule_desc") or ""


def _wanted_ports(rule: dict[str, t.Any]) -> list[tuple[int, int]]:
    if _protocol(rule) == "-1":
        return [(-1, -1)]
    ranges = [str(port).split("-", 1) for port in _listed(rule.get("ports"))]
    return [(int(first), int((rest or [first])[0])) for first, *rest in ranges]


def _protocol(rule: dict[str, t.Any]) -> str:
    protocol = str(rule.get("proto", "tcp"))
    if protocol not in ("tcp", "udp", "all", "-1"):
        raise ValueError(protocol)
    return "-1" if protocol == "all" else protocol


def _listed(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else [] if value is None else [value]

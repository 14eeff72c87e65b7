# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a network will look like: subnets from one CIDR, the security groups of the tiers, the published facts."""

from __future__ import annotations

import ipaddress
import typing as t

#: AWS accepts VPCs from /16 to /28 and subnets down to /28 (Amazon VPC user guide, "Subnet CIDR blocks").
SMALLEST_SUBNET = 28
LARGEST_VPC = 16
#: A VPC is cut in 16 equal subnets unless the prefix is given: four types in up to four zones, so that a zone
#: or a type that is added later moves none of the others.
SLOTS_PER_TYPE = 4
BITS_FOR_SLOTS = 4

Subnet = dict[str, t.Any]
Group = dict[str, t.Any]

WORLD = "0.0.0.0/0"
#: As AWS makes it for a new group, so that it is found and not rewritten.
ALLOW_ALL_OUT = [{"proto": "all", "cidr_ip": [WORLD]}]


class LayoutError(ValueError):
    """A network that cannot be laid out. Its text names the variable, the value and what to write instead."""


def block(value: t.Any) -> ipaddress.IPv4Network:
    """A CIDR block, only in the one form that AWS takes: ``10.0.0.0/16``.

    :raises ValueError: everything else, also what Python takes (an address alone, a netmask, bits behind the prefix).
    """
    found = ipaddress.IPv4Network(str(value), strict=True)
    if str(found) != str(value):
        raise ValueError(f"{value} is not in the form of {found}")
    return found


def corrected(value: t.Any, prefix: int | None = None, otherwise: str = "10.0.0.0/16") -> str:
    """The block that was probably meant.

    :param value: what was written.
    :param prefix: prefix length to have instead of the written one.
    :param otherwise: what to show where nothing can be read from the value.
    """
    try:
        written = ipaddress.IPv4Network(str(value), strict=False)
    except ValueError:
        return otherwise
    return str(ipaddress.IPv4Network(f"{written.network_address}/{prefix or written.prefixlen}", strict=False))


def zones_of(available: list[str], wanted: int | list[str]) -> list[str]:
    """The availability zones a network spans.

    :param available: zone names of the region, sorted.
    :param wanted: how many, or which, by name (``eu-west-3a``) or by letter (``a``).
    :returns: zone names.
    :raises LayoutError: a zone that the region does not have, too many, or none.
    """
    if isinstance(wanted, (list, tuple)) and wanted:
        zones = [_zone(available, zone, "network_zones") for zone in wanted]
        for zone in zones:
            if zones.count(zone) > 1:
                raise LayoutError(f"network_zones: '{zone}' stands there twice; list each zone once")
        return zones
    count = int(wanted) if str(wanted).isdecimal() else 0  # type: ignore[arg-type]
    if count < 1:
        raise LayoutError(
            f"network_zones: '{wanted}' is neither a number of zones nor a list of them; write such as 2, or [a, b]"
        )
    if count > len(available):
        raise LayoutError(
            f"network_zones: {count} zones are wanted and the region has {', '.join(available)};"
            f" write {len(available)} or less"
        )
    return sorted(available)[:count]


def _zone(available: list[str], wanted: str, variable: str) -> str:
    for zone in available:
        if wanted in (zone, zone[-1]):
            return zone
    raise LayoutError(f"{variable}: the region has no zone '{wanted}'; write one of {', '.join(available)}")


def subnet_layout(
    cidr: str,
    zones: list[str],
    count: int | list[str] = 2,
    types: t.Sequence[str] = ("public", "private"),
    prefix: int = 0,
    given: t.Sequence[Subnet] = (),
    stack_prefix: str = "",
) -> list[Subnet]:
    """The subnets of a VPC: those given, or one of each type in each zone, cut from the VPC's CIDR.

    :param cidr: the VPC's CIDR block.
    :param zones: zone names of the region.
    :param count: number of zones to span, or their names or letters.
    :param types: kinds of subnet, the first one first in the address range.
    :param prefix: prefix length of each subnet; 0 for the VPC's plus four bits.
    :param given: subnets written one by one; each has ``cidr`` and ``type``, may have ``name`` and ``zone``.
    :param stack_prefix: start of the names that are not given.
    :returns: dicts of ``name``, ``cidr``, ``zone``, ``type``, in a stable order.
    :raises LayoutError: what does not fit, in one sentence.
    """
    spanned = zones_of(zones, count)
    network = _block_of("network_cidr", cidr)
    layout = _given_subnets(given, spanned, zones) if given else _cut_subnets(network, spanned, types, prefix)
    for subnet in layout:
        subnet["name"] = subnet["name"] or "-".join(filter(None, [stack_prefix, subnet["type"], subnet["zone"][-1]]))
    _check_names("network_subnets" if given else "network_subnet_types", [subnet["name"] for subnet in layout])
    _check_blocks(network, layout)
    return layout


def _block_of(variable: str, value: t.Any) -> ipaddress.IPv4Network:
    try:
        return block(value)
    except ValueError:
        raise LayoutError(f"{variable}: '{value}' is not a network address; write '{corrected(value)}'") from None


def _given_subnets(given: t.Sequence[Subnet], spanned: list[str], zones: list[str]) -> list[Subnet]:
    counters: dict[str, int] = {}
    layout = []
    for subnet in given:
        kind = subnet.get("type") or "private"
        position = counters.get(kind, 0)
        counters[kind] = position + 1
        zone = (
            _zone(zones, subnet["zone"], "network_subnets") if subnet.get("zone") else spanned[position % len(spanned)]
        )
        layout.append({"name": subnet.get("name"), "cidr": subnet["cidr"], "zone": zone, "type": kind})
    return layout


def _cut_subnets(
    network: ipaddress.IPv4Network, spanned: list[str], types: t.Sequence[str], prefix: int
) -> list[Subnet]:
    length = prefix or min(network.prefixlen + BITS_FOR_SLOTS, SMALLEST_SUBNET)
    _check_cut(network, len(spanned), types, length)
    slots = min(SLOTS_PER_TYPE, 2 ** (length - network.prefixlen) // len(types))
    size = 2 ** (network.max_prefixlen - length)
    first = int(network.network_address)
    return [
        {
            "name": None,
            "cidr": str(ipaddress.IPv4Network((first + (row * slots + column) * size, length))),
            "zone": zone,
            "type": kind,
        }
        for row, kind in enumerate(types)
        for column, zone in enumerate(spanned)
    ]


def _check_cut(network: ipaddress.IPv4Network, zones: int, types: t.Sequence[str], length: int) -> None:
    if not types:
        raise LayoutError("network_subnet_types: '[]' leaves no subnet; write such as [public, private]")
    if zones > SLOTS_PER_TYPE:
        raise LayoutError(
            f"network_zones: subnets are computed for at most {SLOTS_PER_TYPE} zones, not for {zones};"
            f" write {SLOTS_PER_TYPE} or less, or list network_subnets"
        )
    if not network.prefixlen <= length <= SMALLEST_SUBNET:
        raise LayoutError(
            f"network_subnet_prefix: '{length}' does not lie between the VPC's {network.prefixlen} and AWS's smallest"
            f" subnet, {SMALLEST_SUBNET}; write 0 to have it chosen"
        )
    # Every type gets the same number of blocks, so it is the types times the zones that must fit.
    available, wanted = 2 ** (length - network.prefixlen), len(types) * zones
    bits = (wanted - 1).bit_length()
    if available // len(types) >= zones:
        return
    if network.prefixlen + bits <= SMALLEST_SUBNET:
        fix = f"write network_subnet_prefix: {network.prefixlen + bits}"
    else:
        fix = f"write a larger block, /{SMALLEST_SUBNET - bits} at least"
    raise LayoutError(
        f"network_cidr: '{network}' holds {available} subnets of /{length}, too small for {wanted} ({', '.join(types)}"
        f" in {zones} zones); {fix}, or list network_subnets"
    )


def _check_names(variable: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise LayoutError(
                f"{variable}: two subnets would be named '{name}'; list network_subnets, each with a name"
            )


def _check_blocks(network: ipaddress.IPv4Network, layout: list[Subnet]) -> None:
    seen: list[tuple[str, ipaddress.IPv4Network]] = []
    for subnet in layout:
        name, found = subnet["name"], _block_of("network_subnets", subnet["cidr"])
        if not found.subnet_of(network):
            raise LayoutError(f"network_subnets: {name} '{found}' lies outside '{network}'; write a block inside it")
        if found.prefixlen > SMALLEST_SUBNET:
            raise LayoutError(
                f"network_subnets: {name} '{found}' is smaller than AWS's smallest;"
                f" write '{corrected(found, SMALLEST_SUBNET)}' or larger"
            )
        for other_name, other in seen:
            if found.overlaps(other):
                raise LayoutError(
                    f"network_subnets: {other_name} '{other}' and {name} '{found}' overlap; give one another block"
                )
        seen.append((name, found))


# -- security groups ---------------------------------------------------------------------------------------------------

#: Which tiers need which of the stack's security groups.
GROUP_USERS = {
    "load_balancer": {"load_balancer"},
    "application": {"ec2_app", "ecs_app"},
    "database": {"rds"},
    "peering": {"peering"},
}


def tier_security_groups(
    own: t.Sequence[Group],
    tiers: t.Sequence[str],
    prefix: str,
    names: dict[str, str] | None = None,
    load_balancer_ports: t.Sequence[int] = (80, 443),
    application_ports: t.Sequence[int] = (),
    database_port: int = 5432,
) -> list[Group]:
    """The security groups of a stack, each letting in only the one before it, then the customer's own.

    They are ordered so that a group that a rule names stands before that rule's group.

    :param own: the customer's groups: ``name``, ``description``, ``rules``, ``rules_egress``.
    :param tiers: the stack's tiers; a group that no tier uses is not made.
    :param prefix: start of every name.
    :param names: names that the customer gives instead, by key (``load_balancer``, ``application``, …).
    :param load_balancer_ports: TCP ports the balancer opens to the world.
    :param application_ports: TCP ports the application opens to the balancer.
    :param database_port: TCP port the database opens to the application.
    :returns: dicts of ``key``, ``name``, ``description``, ``rules``, ``rules_egress``, ``purge``.
    """
    used = [key for key, users in GROUP_USERS.items() if users & set(tiers)]
    named = {key: (names or {}).get(key) or f"{prefix}-{key.replace('_', '-')}" for key in GROUP_USERS}
    descriptions = {key: f"{prefix} {key.replace('_', ' ')}" for key in GROUP_USERS}

    def let_in(key: str, port: int) -> dict[str, t.Any]:
        return {
            "proto": "tcp",
            "ports": [str(port)],
            "group_name": [named[key]],
            "group_desc": descriptions[key],
            "rule_desc": f"From the {key.replace('_', ' ')}",
        }

    rules: dict[str, list[dict[str, t.Any]]] = {
        "load_balancer": [
            {"proto": "tcp", "ports": [str(port)], "cidr_ip": [WORLD], "rule_desc": "From the internet"}
            for port in load_balancer_ports
        ],
        "application": [let_in("load_balancer", port) for port in application_ports if "load_balancer" in used],
        "database": [let_in("application", database_port)] if "application" in used else [],
        "peering": [],
    }
    groups = [
        {
            "key": key,
            "name": named[key],
            "description": descriptions[key],
            "rules": rules[key],
            "rules_egress": [] if key in ("database", "peering") else ALLOW_ALL_OUT,
            # The peering tier sets the rules of its group, once the other side is known.
            "purge": key != "peering",
        }
        for key in used
    ]
    return groups + _in_order([_own_group(group, prefix) for group in own])


def _own_group(group: Group, prefix: str) -> Group:
    return {
        "key": group["name"],
        "name": f"{prefix}-{group['name']}",
        "description": group.get("description") or f"{prefix} {group['name']}",
        "rules": group.get("rules") or [],
        "rules_egress": ALLOW_ALL_OUT if group.get("rules_egress") is None else group["rules_egress"],
        "purge": True,
    }


def _in_order(groups: list[Group]) -> list[Group]:
    """The groups so that one that a rule names comes before the rule (cycles keep the given order)."""
    names = {group["name"] for group in groups}
    ordered: list[Group] = []
    waiting = list(groups)
    while waiting:
        done = {group["name"] for group in ordered}
        ready = [group for group in waiting if (_named(group) & names) - {group["name"]} <= done] or waiting[:1]
        ordered.extend(ready)
        waiting = [group for group in waiting if group not in ready]
    return ordered


def _named(group: Group) -> set[str]:
    """Names of the groups that a group's rules name."""
    found: set[str] = set()
    for rule in [*group["rules"], *group["rules_egress"]]:
        names = rule.get("group_name") or []
        found.update([names] if isinstance(names, str) else names)
    return found


# -- facts -------------------------------------------------------------------------------------------------------------


def network_facts(
    vpcs: list[dict[str, t.Any]],
    subnets: list[dict[str, t.Any]],
    route_tables: list[dict[str, t.Any]],
    nat_gateways: list[dict[str, t.Any]],
    security_groups: list[dict[str, t.Any]],
) -> dict[str, t.Any]:
    """What the network tier publishes, from what the account answered.

    :returns: ``vpc_id`` and ``cidr`` (empty where there is no VPC), ``subnets`` by name (``id``, ``cidr``, ``zone``,
        ``type``), ``route_tables`` by name (``id``, ``type``
        and ``internet``: ``nat``, ``internet gateway`` or nothing), ``peering_routes`` by the name of the
        route table, ``nat_gateways`` by the name of their subnet (``id``, ``state``, ``public_ip``),
        ``security_groups`` by key (ids).
    """
    vpc = vpcs[0] if vpcs else {}
    by_id = {subnet["subnet_id"]: name_of(subnet) for subnet in subnets}
    return {
        "vpc_id": vpc.get("vpc_id", ""),
        "cidr": vpc.get("cidr_block", ""),
        "subnets": {name_of(subnet): _subnet_fact(subnet) for subnet in sorted(subnets, key=name_of)},
        "route_tables": {name_of(table): _table_fact(table) for table in route_tables},
        "peering_routes": {name_of(table): _peering_routes(table) for table in route_tables},
        "nat_gateways": {
            by_id.get(gateway["subnet_id"], gateway["subnet_id"]): _nat_fact(gateway) for gateway in nat_gateways
        },
        "security_groups": {
            group["tags"].get("Group", group["group_name"]): group["group_id"] for group in security_groups
        },
    }


def name_of(resource: dict[str, t.Any]) -> str:
    """The name that a resource is tagged with, or nothing."""
    return str((resource.get("tags") or {}).get("Name", ""))


def _subnet_fact(subnet: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "id": subnet["subnet_id"],
        "cidr": subnet["cidr_block"],
        "zone": subnet["availability_zone"],
        "type": subnet["tags"].get("Type", "private"),
    }


def _table_fact(table: dict[str, t.Any]) -> dict[str, t.Any]:
    routes = own_routes(table)
    return {
        "id": table["route_table_id"],
        "type": (table.get("tags") or {}).get("Type", ""),
        "internet": next((_way_out(route) for route in routes if route.get("destination_cidr_block") == WORLD), ""),
    }


def _way_out(route: dict[str, t.Any]) -> str:
    return "nat" if route.get("nat_gateway_id") else "internet gateway" if route.get("gateway_id") else "other"


def _nat_fact(gateway: dict[str, t.Any]) -> dict[str, t.Any]:
    addresses = gateway.get("nat_gateway_addresses") or [{}]
    return {"id": gateway["nat_gateway_id"], "state": gateway["state"], "public_ip": addresses[0].get("public_ip", "")}


def _peering_routes(table: dict[str, t.Any]) -> list[dict[str, str]]:
    return [
        {"dest": route["destination_cidr_block"], "vpc_peering_connection_id": route["vpc_peering_connection_id"]}
        for route in table.get("routes") or []
        if route.get("vpc_peering_connection_id") and route.get("state") != "blackhole"
    ]


def ids_by_name(
    results: list[dict[str, t.Any]], key: str = "name", value: str = "id", stand_in: str = ""
) -> dict[str, str]:
    """Ids from a looped task's results, by a key of the loop's items.

    :param results: ``results`` of the registered loop.
    :param key: key of the item that becomes the key.
    :param value: dotted path of the id in each result.
    :param stand_in: what stands for an id that check mode could not know.
    :returns: id by item key.
    """
    return {result["item"][key]: _dig(result, value) or stand_in for result in results if "item" in result}


def _dig(value: t.Any, path: str) -> t.Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def own_routes(table: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """The routes of a table but for the one within its VPC."""
    return [route for route in table.get("routes") or [] if route.get("gateway_id") != "local"]


def private_route_tables(
    private_subnets: list[Subnet], nat_subnets: list[Subnet], facts: t.Mapping[str, t.Any]
) -> list[dict[str, t.Any]]:
    """The route table of each private subnet: out by a NAT gateway, if there is any, and to the peers as it stands.

    :param private_subnets: subnets as from L{subnet_layout}.
    :param nat_subnets: the public subnets that have a NAT gateway.
    :param facts: the published network.
    :returns: dicts of C(name), C(type), C(subnets) (ids) and C(routes), as M(amazon.aws.ec2_vpc_route_table) takes
        them.
    """
    return [
        {
            "name": subnet["name"],
            "type": subnet["type"],
            "subnets": [facts["subnets"].get(subnet["name"], {}).get("id", "subnet-00000000000000000")],
            "routes": [
                *({"dest": WORLD, "nat_gateway_id": way} for way in _ways_out(subnet, nat_subnets, facts)),
                *facts["peering_routes"].get(subnet["name"], []),
            ],
        }
        for subnet in private_subnets
    ]


def _ways_out(subnet: Subnet, nat_subnets: list[Subnet], facts: t.Mapping[str, t.Any]) -> list[str]:
    return [nat_gateway_of(subnet, nat_subnets, facts["nat_gateways"])] if nat_subnets else []


def groups_naming_groups(groups: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The security groups of which a rule names another group; AWS deletes none that is named."""
    return [
        group
        for group in groups
        if any(
            rule.get("user_id_group_pairs")
            for rule in (group.get("ip_permissions") or []) + (group.get("ip_permissions_egress") or [])
        )
    ]


def nat_gateway_of(
    subnet: Subnet,
    nat_subnets: list[Subnet],
    gateways: t.Mapping[str, t.Mapping[str, t.Any]],
    stand_in: str = "nat-00000000000000000",
) -> str:
    """The NAT gateway through which a private subnet goes out: the one of its zone, else the first.

    :param subnet: the private subnet.
    :param nat_subnets: the public subnets that have a NAT gateway.
    :param gateways: the published NAT gateways, by the name of their subnet.
    :param stand_in: what stands for a gateway that is planned only.
    """
    same_zone = [candidate for candidate in nat_subnets if candidate["zone"] == subnet["zone"]]
    home = (same_zone or nat_subnets)[0]
    return str(gateways.get(home["name"], {}).get("id", stand_in))


#: Ports that must never be open to the world (security standard controls EC2.13, EC2.14, EC2.19).
ADMIN_PORTS = {22: "SSH", 3389: "RDP", 3306: "MySQL", 5432: "PostgreSQL", 1433: "SQL Server", 6379: "Redis"}


def open_admin_ports(groups: list[dict[str, t.Any]]) -> list[str]:
    """Administration and database ports that these security groups open to the world, as ``group: port (what)``.

    :param groups: groups as ``ec2_security_group_info`` returns them.
    """
    return [
        f"{group['group_name']}: {port} ({ADMIN_PORTS[port]})"
        for group in groups
        for rule in group.get("ip_permissions") or []
        if _from_world(rule)
        for port in ADMIN_PORTS
        if _covers(rule, port)
    ]


def _from_world(rule: dict[str, t.Any]) -> bool:
    sources = [source.get("cidr_ip") for source in rule.get("ip_ranges") or []]
    sources += [source.get("cidr_ipv6") for source in rule.get("ipv6_ranges") or []]
    return bool({WORLD, "::/0"} & set(sources))


def _covers(rule: dict[str, t.Any], port: int) -> bool:
    if rule.get("ip_protocol") == "-1":
        return True
    return rule.get("ip_protocol") == "tcp" and int(rule["from_port"]) <= port <= int(rule["to_port"])


def who_is_let_in(groups: list[dict[str, t.Any]]) -> list[str]:
    """Every source that these groups let in, as ``source:port``; a source is a group's id, a CIDR or a prefix list."""
    found: set[str] = set()
    for group in groups:
        for rule in group.get("ip_permissions") or []:
            ports = _ports(rule)
            for key, name in SOURCES.items():
                found.update(f"{source[name]}:{ports}" for source in rule.get(key) or [])
    return sorted(found)


#: Where a rule keeps its sources, and the key of each.
SOURCES = {
    "user_id_group_pairs": "group_id",
    "ip_ranges": "cidr_ip",
    "ipv6_ranges": "cidr_ipv6",
    "prefix_list_ids": "prefix_list_id",
}


def _ports(rule: dict[str, t.Any]) -> str:
    if rule.get("ip_protocol") == "-1":
        return "all"
    first, last = rule.get("from_port"), rule.get("to_port")
    return str(first) if first == last else f"{first}-{last}"

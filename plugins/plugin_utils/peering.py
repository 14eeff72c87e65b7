# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is peered with whom, read from the inventory."""

from __future__ import annotations

import typing as t

HostVars = t.Mapping[str, t.Mapping[str, t.Any]]

#: Types of subnet that get a route to a peer unless the connection says otherwise.
DEFAULT_SUBNETS = ("public", "private")

#: What two peers let in from one another unless the connection says otherwise: SSH and ping.
DEFAULT_ALLOW = [{"protocol": "tcp", "port": 22}, {"protocol": "icmp"}]


def peers_of(host: str, hostvars: HostVars) -> dict[str, list[dict[str, t.Any]]]:
    """The stacks that a stack is peered with, whichever side describes it.

    :param host: inventory name of the stack.
    :param hostvars: variables of every host.
    :returns: what is let in (``allow``), by inventory name of the peer.
    """
    found: dict[str, list[dict[str, t.Any]]] = {}
    for other in hostvars:
        for connection in _get(hostvars, other, "peering_connections", []):
            allow = list(connection.get("allow") or DEFAULT_ALLOW)
            if other == host:
                found.setdefault(connection["peer"], []).extend(allow)
            elif connection["peer"] == host:
                found.setdefault(other, []).extend(allow)
    return found


def peered_subnet_types(host: str, hostvars: HostVars) -> list[str]:
    """The types of a stack's subnets that have a route to some peer, whichever side describes the connection.

    :param host: inventory name of the stack.
    :param hostvars: variables of every host.
    """
    found: set[str] = set()
    for other in hostvars:
        for connection in _get(hostvars, other, "peering_connections", []):
            if other == host:
                found.update(connection.get("subnets") or DEFAULT_SUBNETS)
            elif connection["peer"] == host:
                found.update(connection.get("peer_subnets") or DEFAULT_SUBNETS)
    return sorted(found)


def peering_rules(host: str, hostvars: HostVars, without: t.Sequence[str] = ()) -> list[dict[str, t.Any]]:
    """Everything that the peering group of a stack lets in, from all its peers.

    :param host: inventory name of the stack.
    :param hostvars: variables of every host.
    :param without: peers to leave out, since their connection is being removed.
    :returns: rules as the security group module takes them.
    """
    rules = []
    for peer, allowed in sorted(peers_of(host, hostvars).items()):
        cidr = _get(hostvars, peer, "network_cidr", "")
        if peer in without or not cidr:
            continue
        for allow in allowed:
            rule = _rule(allow, str(cidr), peer)
            if rule not in rules:
                rules.append(rule)
    return rules


def _rule(allow: t.Mapping[str, t.Any], cidr: str, peer: str) -> dict[str, t.Any]:
    source = {"cidr_ip": [cidr], "rule_desc": f"From the peer {peer}"}
    if allow.get("protocol", "tcp") == "icmp":
        return {"proto": "icmp", "icmp_type": -1, "icmp_code": -1, **source}
    return {"proto": allow.get("protocol", "tcp"), "ports": [str(allow["port"])], **source}


def _get(hostvars: HostVars, host: str, name: str, default: t.Any) -> t.Any:
    return hostvars[host].get(name, default) if host in hostvars else default


def peering_side(
    network: t.Mapping[str, t.Any], stack: t.Mapping[str, t.Any], environment: t.Mapping[str, str], account_id: str
) -> dict[str, t.Any]:
    """One side of a connection, as the tasks use it.

    :param network: the published network of that side.
    :param stack: that side's ``stack_name``, ``stack_env``, ``stack_region``, ``network_cidr``, own group names.
    :param environment: task environment by which that side's region and account are reached.
    :param account_id: number of that side's account.
    """
    prefix = f"{stack['stack_name']}-{stack['stack_env']}"
    names = stack.get("network_security_group_names") or {}
    return {
        "network": dict(network),
        "name": stack["stack_name"],
        "env": stack["stack_env"],
        "region": stack["stack_region"],
        "cidr": stack["network_cidr"],
        "environment": dict(environment),
        "account_id": account_id,
        "group": names.get("peering") or f"{prefix}-peering",
        "group_description": f"{prefix} peering",
    }


def peering_facts(found: list[dict[str, t.Any]], vpc_id: str) -> list[dict[str, t.Any]]:
    """What the tier publishes: each connection with its id, state, and the other side's VPC, region, owner and CIDR.

    :param found: connections as ``ec2_vpc_peering_info`` returns them.
    :param vpc_id: the stack's own VPC.
    """
    return [
        {
            "id": connection["vpc_peering_connection_id"],
            "status": connection["status"]["code"],
            "other": _other_side(connection, vpc_id),
        }
        for connection in found
    ]


def _other_side(connection: dict[str, t.Any], vpc_id: str) -> dict[str, t.Any]:
    requester, accepter = connection["requester_vpc_info"], connection["accepter_vpc_info"]
    other = accepter if requester["vpc_id"] == vpc_id else requester
    return {
        "vpc_id": other["vpc_id"],
        "region": other.get("region", ""),
        "account_id": other.get("owner_id", ""),
        "cidr": other.get("cidr_block", ""),
    }

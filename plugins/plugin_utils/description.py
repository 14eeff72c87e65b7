# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules that a stack's description must keep, beyond what argument specs can say.

Everything here is pure: it takes plain values and returns sentences. Each sentence names the variable, the value and
what to write instead. C(stack_validate) collects them, so that a customer sees all of them at once.
"""

from __future__ import annotations

import contextlib
import difflib
import ipaddress
import itertools
import json
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.palier.aws.plugins.module_utils.buckets_names import partition_of
from ansible_collections.palier.aws.plugins.module_utils.dns_names import full, plain
from ansible_collections.palier.aws.plugins.plugin_utils import dns, fleets, instances, monitoring, network, services

Values = t.Mapping[str, t.Any]

#: Tiers that a tier cannot do without.
NEEDS: dict[str, tuple[str, ...]] = {
    "rds": ("network",),
    "ec2_app": ("network",),
    "peering": ("network",),
    "load_balancer": ("network",),
    "ecs_app": ("network",),
}

#: Roles that are no tiers: they stand for the stack as a whole.
NO_TIERS = ("stack", "delivery", "report")

NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?\Z")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d\Z")
#: S3 bucket naming rules (Amazon S3 user guide, "General purpose bucket naming rules").
BUCKET = re.compile(r"(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+\Z)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
#: DBInstanceIdentifier (Amazon RDS API reference, CreateDBInstance).
DB_IDENTIFIER = re.compile(r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{0,62}(?<!-)\Z")
#: Longest names (IAM user guide, "IAM and AWS STS quotas"; Amazon EC2 API reference, CreateSecurityGroup).
ROLE_NAME_LIMIT = 64
BUCKET_NAME_LIMIT = 63
GROUP_NAME_LIMIT = 255
#: User data is at most 16 KiB (Amazon EC2 user guide); the rest of ours takes under half of it.
ENVIRONMENT_LIMIT = 8 * 1024

#: A login in an address: C(https://token@host) or C(https://user:password@host).
LOGIN_IN_URL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s]+@", re.IGNORECASE)
PASSWORD_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/@:\s]*:[^/@\s]+@", re.IGNORECASE)
SECRET_NAME = re.compile(r"(pass(word|wd|phrase)?|secret|token|api_?key|private_?key|credential)s?$", re.IGNORECASE)


@dataclass(frozen=True)
class Stack:
    """What the rules look at.

    :param host: inventory name.
    :param values: every variable of the stack's tiers, defaults filled in.
    :param names: every variable name that the inventory sets with a role's prefix.
    :param known: variable names of all roles, by role.
    :param peers: descriptions of the inventory's other stacks, by host (C(stack_*), C(network_cidr) and such).
    :param missing_directories: directories of the customer that do not exist, by the variable that names them.
    """

    host: str
    values: Values
    names: t.Collection[str] = ()
    known: t.Mapping[str, t.Collection[str]] = field(default_factory=dict)
    peers: t.Mapping[str, Values] = field(default_factory=dict)
    missing_directories: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def tiers(self) -> list[str]:
        return list(self.values.get("stack_tiers") or [])

    @property
    def prefix(self) -> str:
        return f"{self.values.get('stack_name')}-{self.values.get('stack_env')}"


Rule = t.Callable[[Stack], t.Iterator[str]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Register a rule."""
    RULES.append(function)
    return function


def problems(stack: Stack, malformed: bool = False) -> list[str]:
    """Every sentence that the rules have to say about a stack, in the order of the rules, each once.

    :param malformed: whether the argument specs refused some value, which a rule may stumble over then.
    """
    sentences = (sentence for check in RULES for sentence in (_tolerant(check, stack) if malformed else check(stack)))
    return list(dict.fromkeys(sentences))


def _tolerant(check: Rule, stack: Stack) -> t.Iterator[str]:
    with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
        yield from check(stack)


def nearest(word: str, words: t.Iterable[str], prefix: str = "") -> str:
    """`` Did you mean X?`` with the nearest of some words, or nothing.

    :param prefix: what all begin with, which makes none of them nearer.
    """
    ends = [one.removeprefix(prefix) for one in words]
    found = difflib.get_close_matches(word.removeprefix(prefix), ends, n=1, cutoff=0.6)
    return f" Did you mean {prefix}{found[0]}?" if found else ""


# -- names -------------------------------------------------------------------------------------------------------------


def unknown_variables(names: t.Iterable[str], known: t.Mapping[str, t.Collection[str]]) -> t.Iterator[str]:
    """Variables with a role's prefix that no role has.

    :param names: variable names that the inventory sets.
    :param known: variable names by role.
    """
    every = {name for variables in known.values() for name in variables}
    for name in sorted(set(names) - every):
        if SECRET_NAME.search(name):
            yield plain_secret(name)
            continue
        role = _role_of(name, known)
        yield f"{name}: the role {role} has no such variable.{nearest(name, known[role], f'{role}_')}"


def _role_of(name: str, known: t.Mapping[str, t.Collection[str]]) -> str:
    return max((role for role in known if name.startswith(f"{role}_")), key=len)


def plain_secret(name: str) -> str:
    """What is said of a secret in the inventory; its value is not repeated."""
    return (
        f"{name}: a secret in plain text does not belong in the inventory. RDS makes and keeps the master password in"
        " Secrets Manager by itself; other secrets are created there and named under application.secrets"
    )


#: Names under which a customer may ask for a read replica.
REPLICA = re.compile(r"rds_.*replica")


@rule
def _variables_are_known(stack: Stack) -> t.Iterator[str]:
    yield from unknown_variables([name for name in stack.names if not REPLICA.match(name)], stack.known)


@rule
def _read_replicas(stack: Stack) -> t.Iterator[str]:
    """Amazon RDS user guide, "Limitations for Secrets Manager integration with Amazon RDS"."""
    for name in sorted(filter(REPLICA.match, stack.names)):
        yield (
            f"{name}: RDS makes no read replica of a database whose master password it manages in Secrets Manager, as"
            " this collection has it do; leave it out, and write rds_multi_az: true for a standby or a larger"
            " rds_instance_class for more reads"
        )


_PLAIN = "must be lower-case letters, digits and hyphens, starting with a letter"


def _plain(value: t.Any) -> str:
    return re.sub(r"[^a-z0-9]+", "-", str(value).lower()).lstrip("-0123456789").rstrip("-") or "shop"


@rule
def _stack_names(stack: Stack) -> t.Iterator[str]:
    for variable in ("stack_name", "stack_env"):
        value = stack.values.get(variable)
        if value is not None and not NAME.match(str(value)):
            yield f"{variable}: '{value}' {_PLAIN}; write '{_plain(value)}'"
    region = stack.values.get("stack_region")
    if region is not None and not REGION.match(str(region)):
        yield f"stack_region: '{region}' is not an AWS region name; write one such as 'eu-west-3'"


@rule
def _tiers(stack: Stack) -> t.Iterator[str]:
    tiers = [role for role in stack.known if role not in NO_TIERS]
    for tier in stack.tiers:
        if tiers and tier not in tiers:
            yield f"stack_tiers: there is no tier '{tier}'.{nearest(tier, tiers)} Tiers are {', '.join(sorted(tiers))}"
        for needed in NEEDS.get(tier, ()):
            if needed not in stack.tiers:
                yield f"stack_tiers: '{tier}' needs the tier '{needed}'; add '{needed}' to the list"
    for tier in sorted({tier for tier in stack.tiers if stack.tiers.count(tier) > 1}):
        yield f"stack_tiers: '{tier}' stands there twice; list it once"


# -- network -----------------------------------------------------------------------------------------------------------


@rule
def _vpc_block(stack: Stack) -> t.Iterator[str]:
    if "network" not in stack.tiers:
        return
    value = stack.values.get("network_cidr")
    if value is None:
        return  # said by the argument spec
    try:
        block = network.block(value)
    except ValueError:
        yield f"network_cidr: '{value}' is not a network address; write '{network.corrected(value)}'"
        return
    if not network.LARGEST_VPC <= block.prefixlen <= network.SMALLEST_SUBNET:
        instead = network.corrected(value, network.LARGEST_VPC)
        yield f"network_cidr: '{value}' is outside what AWS allows, /16 to /28; write such as '{instead}'"
        return
    yield from _layout_problems(stack)


#: Zone letters to lay a network out with before the region was asked for its own.
ANY_ZONES = "abcdef"


def planned_subnets(values: Values) -> list[network.Subnet]:
    """The subnets that a description asks for, before the region was asked for the names of its zones.

    :raises network.LayoutError: what does not fit.
    """
    region = str(values.get("stack_region"))
    return network.subnet_layout(
        str(values["network_cidr"]),
        zones=[f"{region}{letter}" for letter in ANY_ZONES],
        count=values.get("network_zones", 2),
        types=values.get("network_subnet_types", ("public", "private")),
        prefix=int(values.get("network_subnet_prefix") or 0),
        given=values.get("network_subnets") or (),
    )


def _layout_problems(stack: Stack) -> t.Iterator[str]:
    try:
        subnets = planned_subnets(stack.values)
    except network.LayoutError as error:
        yield str(error)
        return
    public = [subnet for subnet in subnets if subnet["type"] == "public"]
    if stack.values.get("network_nat", "none") != "none" and not public:
        yield (
            f"network_nat: '{stack.values['network_nat']}' needs a public subnet to stand in; add 'public' to"
            " network_subnet_types or write network_nat: none"
        )
    if "rds" in stack.tiers:
        yield from _database_zones(stack, subnets)


def _database_zones(stack: Stack, subnets: list[network.Subnet]) -> t.Iterator[str]:
    kind = stack.values.get("rds_subnets", "private")
    zones = {subnet["zone"] for subnet in subnets if subnet["type"] == kind}
    if len(zones) < 2:
        yield (
            f"network_zones: a database needs {kind} subnets in two availability zones, the description has"
            f" {len(zones)}; write network_zones: 2 and list '{kind}' in network_subnet_types"
        )


@rule
def _open_groups(stack: Stack) -> t.Iterator[str]:
    if "network" not in stack.tiers:
        return
    for port in stack.values.get("network_load_balancer_ports") or []:
        if port in network.ADMIN_PORTS:
            what = network.ADMIN_PORTS[port]
            yield f"network_load_balancer_ports: {port} ({what}) must not be open to the internet; leave it out"
    for index, group in enumerate(stack.values.get("network_security_groups") or []):
        for rule_index, rule in enumerate(group.get("rules") or []):
            yield from _open_rule(f"network_security_groups[{index}].rules[{rule_index}]", rule)


def _open_rule(where: str, given: Values) -> t.Iterator[str]:
    sources = [given.get(key) for key in ("cidr_ip", "cidr_ipv6")]
    flat = [str(one) for source in sources for one in (source if isinstance(source, list) else [source])]
    if not {network.WORLD, "::/0"} & set(flat):
        return
    open_ports = [port for port in network.ADMIN_PORTS if _opens(given, port)]
    if open_ports:
        names = ", ".join(f"{port} ({network.ADMIN_PORTS[port]})" for port in open_ports)
        yield f"{where}: {names} must not be open to the internet; write the networks that you trust instead"


def _opens(given: Values, port: int) -> bool:
    if str(given.get("proto", "tcp")) in ("all", "-1"):
        return True
    ranges = [str(one).partition("-") for one in given.get("ports") or []]
    bounds = [(int(first), int(last or first)) for first, _dash, last in ranges]
    if given.get("from_port") is not None:
        bounds.append((int(given["from_port"]), int(given.get("to_port") or given["from_port"])))
    return str(given.get("proto", "tcp")) == "tcp" and any(low <= port <= high for low, high in bounds)


# -- peering -----------------------------------------------------------------------------------------------------------


@rule
def _peers(stack: Stack) -> t.Iterator[str]:
    if "peering" not in stack.tiers:
        return
    for index, connection in enumerate(stack.values.get("peering_connections") or []):
        where = f"peering_connections[{index}].peer"
        peer = connection.get("peer")
        other = stack.peers.get(peer)
        if other is None:
            yield f"{where}: no stack '{peer}' in the inventory.{nearest(str(peer), stack.peers)}"
            continue
        yield from _overlap(stack, where, peer, other)
        if "peering" not in (other.get("stack_tiers") or []):
            yield f"{where}: '{peer}' does not list the tier 'peering'; add it to its stack_tiers"
    yield from _allowed_ports(stack)
    yield from _overlapping_peers(stack)


def _allowed_ports(stack: Stack) -> t.Iterator[str]:
    for index, connection in enumerate(stack.values.get("peering_connections") or []):
        for number, allow in enumerate(connection.get("allow") or []):
            port = int(allow.get("port") or 0)
            if allow.get("protocol", "tcp") != "icmp" and not 1 <= port <= 65535:
                yield f"peering_connections[{index}].allow[{number}].port: {port} is not a port; write 1 to 65535"


def _overlapping_peers(stack: Stack) -> t.Iterator[str]:
    """A route table has one route to a block, so two peers of one stack must not share any, whoever describes them."""
    own = [connection.get("peer") for connection in stack.values.get("peering_connections") or []]
    others = [
        peer
        for peer, values in stack.peers.items()
        if any(connection.get("peer") == stack.host for connection in values.get("peering_connections") or [])
    ]
    for one, other in itertools.combinations(sorted({*own, *others} & set(stack.peers)), 2):
        mine, theirs = (stack.peers[peer].get("network_cidr") for peer in (one, other))
        if _overlaps(mine, theirs):
            yield (
                f"network_cidr: '{mine}' of {one} and '{theirs}' of {other} overlap, and {stack.host} is peered with"
                f" both; give one of them another block, such as"
                f" '{_free_block(mine, theirs, stack.values.get('network_cidr'))}'"
            )


def _overlap(stack: Stack, where: str, peer: str, other: Values) -> t.Iterator[str]:
    mine, theirs = stack.values.get("network_cidr"), other.get("network_cidr")
    if _overlaps(mine, theirs):
        yield (
            f"network_cidr: '{mine}' of {stack.host} and '{theirs}' of {peer} overlap, and overlapping networks cannot"
            f" be peered ({where}); give one of them another block, such as '{_free_block(mine, theirs)}'"
        )


def _overlaps(one: t.Any, other: t.Any) -> bool:
    try:
        return network.block(one).overlaps(network.block(other))
    except ValueError:
        return False  # said where the block itself is checked


#: The private address ranges (RFC 1918).
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def _free_block(*taken: t.Any) -> str:
    blocks = [network.block(value) for value in taken if value]
    candidates = (block for private in PRIVATE for block in ipaddress.IPv4Network(private).subnets(new_prefix=16))
    return str(next(block for block in candidates if not any(block.overlaps(other) for other in blocks)))


# -- images ------------------------------------------------------------------------------------------------------------


@rule
def _registry_source(stack: Stack) -> t.Iterator[str]:
    source = stack.values.get("registry_source")
    if "registry" not in stack.tiers or not source:
        return
    other = stack.peers.get(str(source))
    if other is None:
        yield f"registry_source: no stack '{source}' in the inventory.{nearest(str(source), stack.peers)}"
    elif "registry" not in (other.get("stack_tiers") or []):
        yield f"registry_source: '{source}' does not list the tier 'registry'; add it to its stack_tiers"


# -- database ----------------------------------------------------------------------------------------------------------


@rule
def _database(stack: Stack) -> t.Iterator[str]:
    if "rds" not in stack.tiers:
        return
    identifier = str(stack.values.get("rds_identifier"))
    if not DB_IDENTIFIER.match(identifier):
        yield (
            f"rds_identifier: '{identifier}' ({len(identifier)} characters) must be 1 to 63 letters, digits and single"
            " hyphens, starting with a letter; write a shorter or plainer one"
        )
    yield from _database_names(stack.values)
    if str(stack.values.get("rds_username")) in ("admin", "administrator", "root", "postgres", "rdsadmin", "awsuser"):
        yield (
            f"rds_username: '{stack.values['rds_username']}' is an engine's default or reserved name, which attackers"
            " try first; write another one, such as 'dbowner'"
        )
    storage, most = (
        int(stack.values.get("rds_allocated_storage", 0)),
        int(stack.values.get("rds_max_allocated_storage", 0)),
    )
    # Amazon RDS user guide, "Managing capacity automatically": the limit must be at least 10 % above the storage.
    if most and most * 10 < storage * 11:
        yield (
            f"rds_max_allocated_storage: {most} must be at least 10 % above rds_allocated_storage ({storage});"
            f" write {-(-storage * 11 // 10)} or more, or 0 for no growth"
        )


def _database_names(values: Values) -> t.Iterator[str]:
    database, user = values.get("rds_database_name"), values.get("rds_username")
    # DBName and MasterUsername (Amazon RDS API reference, CreateDBInstance).
    longest = {"mysql": 16}.get(str(values.get("rds_engine")), 63)
    if database is not None and not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]{0,62}", str(database)):
        yield (
            f"rds_database_name: '{database}' must be 1 to 63 letters, digits and underscores, starting with a letter;"
            " write a shorter or plainer one"
        )
    if user is not None and not re.fullmatch(rf"[a-zA-Z][a-zA-Z0-9_]{{0,{longest - 1}}}", str(user)):
        yield (
            f"rds_username: '{user}' must be 1 to {longest} letters, digits and underscores, starting with a letter;"
            " write such as 'dbowner'"
        )


# -- instances ---------------------------------------------------------------------------------------------------------


def _instances(stack: Stack) -> list[tuple[str, Values]]:
    if "ec2_app" not in stack.tiers:
        return []
    return [
        (f"ec2_app_instances[{index}]", instance)
        for index, instance in enumerate(stack.values.get("ec2_app_instances") or [])
    ]


def _fleets(stack: Stack) -> list[tuple[str, Values]]:
    if "ec2_app" not in stack.tiers:
        return []
    return [(f"ec2_app_fleets[{index}]", one) for index, one in enumerate(stack.values.get("ec2_app_fleets") or [])]


def _machines(stack: Stack) -> list[tuple[str, Values]]:
    """Instances and fleets, which have much in common."""
    return _instances(stack) + _fleets(stack)


@rule
def _instance_names(stack: Stack) -> t.Iterator[str]:
    names = [instance.get("name") for _where, instance in _machines(stack)]
    for where, instance in _machines(stack):
        name = instance.get("name")
        if name is not None and not NAME.match(str(name)):
            yield f"{where}.name: '{name}' {_PLAIN}; write '{_plain(name)}'"
        if names.count(name) > 1:
            yield f"{where}.name: '{name}' is used twice; give each instance a name of its own"
        for other in instance.get("ssh_from_instances") or []:
            if other not in names:
                yield f"{where}.ssh_from_instances: there is no instance '{other}'.{nearest(other, map(str, names))}"


@rule
def _instance_ports(stack: Stack) -> t.Iterator[str]:
    for where, instance in _instances(stack):
        for port in instance.get("ports") or []:
            if port in network.ADMIN_PORTS:
                instead = f"write {where}.ssh_from with the addresses you trust" if port == 22 else "leave it out"
                yield f"{where}.ports: {port} ({network.ADMIN_PORTS[port]}) must not be open to the internet; {instead}"
            elif not 1 <= int(port) <= 65535:
                yield f"{where}.ports: {port} is not a TCP port; write 1 to 65535"
        for cidr in instance.get("ssh_from") or []:
            yield from _trusted_address(f"{where}.ssh_from", cidr)


def _trusted_address(where: str, cidr: str) -> t.Iterator[str]:
    try:
        block = network.block(cidr)
    except ValueError:
        instead = network.corrected(cidr, otherwise="203.0.113.7/32")
        yield f"{where}: '{cidr}' is not an IPv4 network address; write such as '{instead}'"
        return
    if block.prefixlen == 0:
        yield (
            f"{where}: '{cidr}' opens SSH to the whole internet; write the addresses you trust, such as"
            " '203.0.113.7/32', or leave it empty and use Systems Manager"
        )


@rule
def _instance_subnets(stack: Stack) -> t.Iterator[str]:
    if "network" not in stack.tiers:
        return
    try:
        subnets = planned_subnets(stack.values)
    except (ValueError, KeyError):
        return  # said by the network's own rule
    kinds = {subnet["type"] for subnet in subnets}
    for where, instance in _machines(stack):
        wanted = str(instance.get("subnets") or "public")
        if wanted not in kinds:
            yield f"{where}.subnets: '{wanted}' is no type of subnet here; the network has {', '.join(sorted(kinds))}"
        elif wanted != "public" and stack.values.get("network_nat", "none") == "none":
            yield (
                f"{where}.subnets: an instance in a {wanted} subnet installs its packages through a NAT gateway, and"
                " there is none; write network_nat: single"
            )


@rule
def _application_secrets(stack: Stack) -> t.Iterator[str]:
    for where, instance in _machines(stack):
        application = instance.get("application") or {}
        if LOGIN_IN_URL.search(str(application.get("repository"))):
            yield (
                f"{where}.application.repository: an address with a login in it is a secret in plain text and would"
                " stand in user data; write the address alone, of a repository that can be read without one"
            )
        environment = application.get("environment") or {}
        for key, value in environment.items():
            if SECRET_NAME.search(str(key)) or PASSWORD_IN_URL.search(str(value)):
                # The value is not repeated: it may be a real secret.
                yield (
                    f"{where}.application.environment.{key}: a secret in plain text does not belong in the inventory"
                    " and would stand in user data; create it in Secrets Manager and write"
                    f" application.secrets: {{{key}: NAME}}"
                )
        size = sum(len(f"{key}={value}\n".encode()) for key, value in environment.items())
        if size > ENVIRONMENT_LIMIT:
            yield (
                f"{where}.application.environment: {size} bytes do not fit into user data (at most"
                f" {ENVIRONMENT_LIMIT}); move large values to SSM parameters and name them under application.secrets"
            )


@rule
def _group_names(stack: Stack) -> t.Iterator[str]:
    """The groups of the network and of the instances stand in one VPC, where AWS wants every name once."""
    if "network" not in stack.tiers:
        return
    names = stack.values.get("network_security_group_names") or {}
    for key in sorted(set(names) - set(network.GROUP_USERS)):
        yield (
            f"network_security_group_names.{key}: no tier has such a group.{nearest(key, network.GROUP_USERS)}"
            f" Write one of {', '.join(network.GROUP_USERS)}"
        )
    taken = {group["name"] for group in network.tier_security_groups((), stack.tiers, stack.prefix, names)}
    for index, group in enumerate(stack.values.get("network_security_groups") or []):
        yield from _group_name(stack, f"network_security_groups[{index}].name", group["name"], taken)
        taken.add(f"{stack.prefix}-{group['name']}")
    for where, instance in _instances(stack):
        yield from _group_name(stack, f"{where}.name", instance["name"], taken)


def _group_name(stack: Stack, where: str, name: str, taken: set[str]) -> t.Iterator[str]:
    full = f"{stack.prefix}-{name}"
    if full in taken:
        yield f"{where}: '{name}' would name a second security group '{full}' in the VPC; write another name"
    if len(full) > GROUP_NAME_LIMIT:
        yield (
            f"{where}: the security group's name would have {len(full)} characters, EC2 allows {GROUP_NAME_LIMIT};"
            f" shorten it by {len(full) - GROUP_NAME_LIMIT}"
        )


@rule
def _flow_log_role_name(stack: Stack) -> t.Iterator[str]:
    name = f"{stack.prefix}-flow-logs"
    if "network" in stack.tiers and stack.values.get("network_flow_logs", True) and len(name) > ROLE_NAME_LIMIT:
        yield (
            f"stack_name: the role's name '{name}' would have {len(name)} characters, IAM allows {ROLE_NAME_LIMIT};"
            f" shorten stack_name or stack_env by {len(name) - ROLE_NAME_LIMIT}"
        )


@rule
def _role_names(stack: Stack) -> t.Iterator[str]:
    for where, instance in _machines(stack):
        name = f"{stack.prefix}-{instance.get('name')}"
        if len(name) > ROLE_NAME_LIMIT:
            yield (
                f"{where}.name: the role's name '{name}' would have {len(name)} characters, IAM allows"
                f" {ROLE_NAME_LIMIT}; shorten stack_name, stack_env or the instance's name by"
                f" {len(name) - ROLE_NAME_LIMIT}"
            )


# -- sites -------------------------------------------------------------------------------------------------------------


#: What stands behind a bucket's name: a hyphen and the account's twelve digits.
_ACCOUNT = "-123456789012"


def _log_bucket(stack: Stack) -> t.Iterator[str]:
    excess = len(f"{stack.prefix}-site-logs{_ACCOUNT}") - BUCKET_NAME_LIMIT
    if excess > 0:
        yield (
            f"stack_name: the name of the bucket of the sites' access logs, '{stack.prefix}-site-logs-<account id>',"
            f" would have {excess + BUCKET_NAME_LIMIT} characters, S3 allows {BUCKET_NAME_LIMIT}; shorten stack_name or"
            f" stack_env by {excess}"
        )


@rule
def _sites(stack: Stack) -> t.Iterator[str]:
    if "s3_site" not in stack.tiers:
        return
    sites = stack.values.get("s3_site_sites") or []
    names = [site.get("name") for site in sites]
    if sites:
        yield from _log_bucket(stack)
    for index, site in enumerate(sites):
        where = f"s3_site_sites[{index}]"
        name, bucket = site.get("name"), site.get("bucket")
        if name is not None and not NAME.match(str(name)):
            yield f"{where}.name: '{name}' {_PLAIN}; write '{_plain(name)}'"
        if names.count(name) > 1:
            yield f"{where}.name: '{name}' is used twice; give each site a name of its own"
        if bucket and not BUCKET.match(str(bucket)):
            yield (
                f"{where}.bucket: '{bucket}' is no bucket name; 3 to 63 lower-case letters, digits, hyphens and dots,"
                f" such as '{stack.prefix}-{site.get('name')}'"
            )
        if not bucket and len(f"{stack.prefix}-{name}{_ACCOUNT}") > BUCKET_NAME_LIMIT:
            yield (
                f"{where}.name: the bucket's name would be over 63 characters; write {where}.bucket with a shorter one"
            )
    for where, path in sorted(stack.missing_directories.items()):
        yield (
            f"{where}: there is no directory '{path}'; write the path of the built site, relative to the inventory or"
            " to where the run is started"
        )


#: A host name in lower-case letters (RFC 1123), of which CloudFront takes one with a wildcard in front (CloudFront
#: Developer Guide, "Requirements for using alternate domain names").
_ALIAS = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")
#: What origin access controls and functions of CloudFront may be called (CloudFront API reference, FunctionSummary).
_DISTRIBUTION = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
#: Statuses for which CloudFront answers with a page of one's own (CloudFront Developer Guide, "HTTP status codes").
ERROR_CODES = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)


def _cdn_sites(stack: Stack) -> t.Iterator[tuple[str, Values]]:
    """The sites behind CloudFront, each with its place in the inventory."""
    sites = stack.values.get("s3_site_sites") or [] if "s3_site" in stack.tiers else []
    return ((f"s3_site_sites[{index}]", site) for index, site in enumerate(sites) if site.get("hosting") == "cdn")


@rule
def _cdn_names(stack: Stack) -> t.Iterator[str]:
    owners: dict[str, str] = {}
    for where, site in _cdn_sites(stack):
        name = str(site.get("distribution") or f"{stack.prefix}-{site.get('name')}")
        if not _DISTRIBUTION.match(name):
            yield (
                f"{where}.distribution: '{name}' names the distribution and what belongs to it; write a name of at most"
                " 64 letters, digits, hyphens and underscores"
            )
        for number, alias in enumerate(map(str, site.get("aliases") or [])):
            if not _ALIAS.match(alias):
                yield f"{where}.aliases[{number}]: '{alias}' is no host name; write one such as 'www.example.com'"
            elif alias in owners:
                yield f"{where}.aliases[{number}]: '{alias}' is the name of {owners[alias]}; a name leads to one site"
            owners.setdefault(alias, where)
        yield from _cdn_certificate(where, site)


def _cdn_certificate(where: str, site: Values) -> t.Iterator[str]:
    name, arn = site.get("certificate"), str(site.get("certificate_arn") or "")
    if site.get("aliases") and not name and not arn:
        yield (
            f"{where}.aliases: CloudFront serves '{site['aliases'][0]}' with a certificate for it only; write"
            f" {where}.certificate, the name of one in dns_certificates with region us-east-1, or certificate_arn"
        )
    if name and arn:
        yield f"{where}.certificate: '{name}' and certificate_arn exclude each other; write one of them"
    if arn and not re.match(r"arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/", arn):
        yield (
            f"{where}.certificate_arn: '{arn}' is no certificate of us-east-1, and CloudFront takes no other; write"
            " 'arn:aws:acm:us-east-1:...'"
        )


@rule
def _cdn_paths(stack: Stack) -> t.Iterator[str]:
    for where, site in _cdn_sites(stack):
        patterns = [("protected_paths", path) for path in site.get("protected_paths") or []]
        patterns += [("api_paths", path) for path in site.get("api_paths") or [] if site.get("api_origin")]
        for option, path in patterns:
            if not str(path).startswith("/"):
                yield f"{where}.{option}: '{path}' does not begin with a slash; write '/{path}'"
        for option, path in patterns:
            if option == "protected_paths" and ("api_paths", path) in patterns:
                yield f"{where}.protected_paths: '{path}' goes to the API, which protects its own paths; leave it out"
        yield from _cdn_keys(where, site)
        yield from _cdn_error_pages(where, site)


def _cdn_keys(where: str, site: Values) -> t.Iterator[str]:
    keys = site.get("public_keys") or []
    if site.get("protected_paths") and not keys:
        yield (
            f"{where}.public_keys: without a key nobody can open '{site['protected_paths'][0]}'; write the public key"
            " with which your application's signatures are checked"
        )
    names = [key.get("name") for key in keys]
    for number, key in enumerate(keys):
        # A key's text is not repeated: it may be the private one.
        own = f"{where}.public_keys[{number}]"
        pem = str(key.get("pem") or "").strip()
        if "PRIVATE KEY" in pem:
            yield f"{own}.pem: a private key has no place in the inventory; write the public one (openssl pkey -pubout)"
        elif bool(pem) is bool(key.get("path")):
            yield f"{own}: '{key.get('name')}' needs the public key, either as text in pem or as a file in path"
        elif pem and not pem.startswith("-----BEGIN PUBLIC KEY-----"):
            yield f"{own}.pem: is no public key; write the PEM text that begins with -----BEGIN PUBLIC KEY-----"
        if names.count(key.get("name")) > 1:
            yield f"{own}.name: '{key.get('name')}' is used twice; give each key a name of its own"


def _cdn_error_pages(where: str, site: Values) -> t.Iterator[str]:
    for number, page in enumerate(site.get("error_pages") or []):
        own, path, code = f"{where}.error_pages[{number}]", str(page.get("page")), page.get("code")
        if not path.startswith("/"):
            yield f"{own}.page: '{path}' is no path of the site; write '/{path}'"
        if code not in ERROR_CODES:
            yield f"{own}.code: CloudFront has no page for {code}; write one of {', '.join(map(str, ERROR_CODES))}"


@rule
def _cdn_api(stack: Stack) -> t.Iterator[str]:
    for where, site in _cdn_sites(stack):
        if not site.get("api_origin"):
            continue
        if "load_balancer" not in stack.tiers:
            yield (
                f"{where}.api_origin: 'load_balancer' is a tier that stack_tiers does not list; add 'load_balancer', or"
                " leave api_origin out"
            )
        domain = str(site.get("api_domain") or "")
        if domain and not _ALIAS.match(domain):
            yield f"{where}.api_domain: '{domain}' is no host name; write one such as 'api.example.com'"
        if stack.values.get("load_balancer_https", True) and not domain and not site.get("aliases"):
            yield (
                f"{where}.api_domain: CloudFront would ask the load balancer over HTTPS under a name for which it has"
                " no certificate; write the host name of the API, such as 'api.example.com', or give the site aliases"
            )


# -- names of the domain -----------------------------------------------------------------------------------------------

#: Names on one certificate unless AWS raised the quota, and characters of its main one (ACM user guide, "Quotas"; ACM
#: API reference, RequestCertificate).
CERTIFICATE_DOMAINS, CERTIFICATE_MAIN_NAME = 10, 64
#: Longest TTL, largest weight, values of a record set and characters of a TXT value (Route 53 API reference,
#: ResourceRecordSet; Route 53 developer guide, "Quotas" and "TXT record type").
TTL_LIMIT, WEIGHT_LIMIT, VALUES_LIMIT, TEXT_LIMIT = 2147483647, 255, 400, 4000


@rule
def _dns_zone(stack: Stack) -> t.Iterator[str]:
    if "dns" not in stack.tiers:
        return
    zone = stack.values.get("dns_zone")
    if zone is None:
        return  # said by the argument spec
    if not dns.is_domain(zone) or "." not in plain(zone) or plain(zone) != zone:
        yield (
            f"dns_zone: '{zone}' is not a domain in lower-case letters without a dot at its end; write such as"
            " 'shop.example'"
        )
    for index, issuer in enumerate(stack.values.get("dns_caa_issuers") or []):
        if not dns.is_domain(issuer):
            yield f"dns_caa_issuers[{index}]: '{issuer}' is not a domain; write such as 'amazon.com'"
    report = str(stack.values.get("dns_caa_report") or "")
    if report and not report.startswith(("mailto:", "https://", "http://")):
        yield f"dns_caa_report: '{report}' is not an address; write such as 'mailto:security@{zone}'"


@rule
def _dns_certificates(stack: Stack) -> t.Iterator[str]:
    if "dns" not in stack.tiers:
        return
    certificates = stack.values.get("dns_certificates") or []
    names = [certificate.get("name") for certificate in certificates]
    seen: dict[tuple[t.Any, ...], t.Any] = {}
    for index, certificate in enumerate(certificates):
        where, domains = f"dns_certificates[{index}]", [str(one) for one in certificate.get("domains") or []]
        if names.count(certificate.get("name")) > 1:
            yield f"{where}.name: '{certificate['name']}' is used twice; give each certificate a name of its own"
        region = certificate.get("region") or stack.values.get("stack_region")
        if not REGION.match(str(region)):
            yield f"{where}.region: '{region}' is not an AWS region name; write one such as 'us-east-1'"
        yield from _certificate_domains(stack, f"{where}.domains", domains)
        key = (tuple(sorted(map(plain, domains))), region, certificate.get("key_algorithm"))
        if key in seen:
            yield f"{where}: has the names and the region of '{seen[key]}'; remove one of the two"
        seen.setdefault(key, certificate.get("name"))


def _certificate_domains(stack: Stack, where: str, domains: list[str]) -> t.Iterator[str]:
    zone = str(stack.values.get("dns_zone"))
    if not domains:
        yield f"{where}: is empty; write the names of the certificate, such as ['{zone}']"
    if len(domains) > CERTIFICATE_DOMAINS:
        yield (
            f"{where}: {len(domains)} names are more than the {CERTIFICATE_DOMAINS} of one certificate; write two"
            " certificates, or a wildcard for names of one level"
        )
    if domains and len(domains[0]) > CERTIFICATE_MAIN_NAME:
        yield (
            f"{where}[0]: '{domains[0]}' has {len(domains[0])} characters, the first name may have"
            f" {CERTIFICATE_MAIN_NAME}; put a shorter one first"
        )
    for index, domain in enumerate(domains):
        if not dns.is_domain(domain, wildcard=True):
            yield (
                f"{where}[{index}]: '{domain}' is no name that a certificate can have; a '*' may stand for the whole"
                f" first part only, such as '*.{zone}'"
            )
        elif dns.outside([domain], zone):
            yield (
                f"{where}[{index}]: '{domain}' is not within the zone '{zone}', so it would never be validated; write a"
                f" name such as '{domain.split('.')[0]}.{zone}', or remove it"
            )


@rule
def _dns_site_certificates(stack: Stack) -> t.Iterator[str]:
    if "s3_site" not in stack.tiers:
        return
    certificates = {
        one.get("name"): one.get("region") or stack.values.get("stack_region")
        for one in (stack.values.get("dns_certificates") or [] if "dns" in stack.tiers else [])
    }
    for index, site in enumerate(stack.values.get("s3_site_sites") or []):
        name, where = site.get("certificate"), f"s3_site_sites[{index}].certificate"
        if site.get("hosting") != "cdn" or not name:
            continue
        if "dns" not in stack.tiers:
            yield f"{where}: '{name}' would be a certificate of the tier 'dns'; add 'dns' to stack_tiers"
        elif name not in certificates:
            yield f"{where}: dns_certificates has no '{name}'.{nearest(str(name), map(str, certificates))}"
        elif certificates[name] != dns.CLOUDFRONT_REGION:
            yield (
                f"{where}: '{name}' is in {certificates[name]}, CloudFront takes certificates of"
                f" {dns.CLOUDFRONT_REGION} only; write region: {dns.CLOUDFRONT_REGION} in its dns_certificates"
            )


def _records(stack: Stack) -> t.Iterator[tuple[str, Values, str]]:
    """Where each record stands, the record, and its full name."""
    if "dns" not in stack.tiers:
        return
    zone = str(stack.values.get("dns_zone"))
    for index, record in enumerate(stack.values.get("dns_records") or []):
        yield f"dns_records[{index}]", record, full(str(record.get("name", "")), zone)


@rule
def _dns_records(stack: Stack) -> t.Iterator[str]:
    zone = str(stack.values.get("dns_zone"))
    for where, record, name in _records(stack):
        if not dns.is_domain(name, wildcard=True):
            yield f"{where}.name: '{record['name']}' is no name; write such as 'www', or '@' for {zone} itself"
        elif name.startswith("_palier-"):
            yield f"{where}.name: names that start with '_palier-' say whose the records are; write another one"
        if record.get("alias"):
            yield from _dns_alias(stack, where, record)
        else:
            yield from _dns_plain(stack, where, record, name)
        yield from _dns_numbers(where, record)
        check = record.get("health_check") or {}
        if check and not str(check.get("path", "/")).startswith("/"):
            yield f"{where}.health_check.path: '{check['path']}' must start with '/'; write '/{check['path']}'"


def _dns_alias(stack: Stack, where: str, record: Values) -> t.Iterator[str]:
    alias, site = str(record["alias"]), dns.site_of(record)
    if record.get("values"):
        yield f"{where}: has both an alias and values; remove one of the two"
    if record.get("type") not in (None, "", "A", "AAAA"):
        yield f"{where}.type: an alias is an A or AAAA record, not {record['type']}; leave type out for both"
    if alias == "load_balancer":
        if "load_balancer" not in stack.tiers:
            yield f"{where}.alias: the stack has no tier 'load_balancer'; add it to stack_tiers"
        return
    if not alias.startswith("site:"):
        yield f"{where}.alias: '{alias}' is neither 'load_balancer' nor 'site:NAME'.{nearest(alias, ['load_balancer'])}"
        return
    if "s3_site" not in stack.tiers:
        yield f"{where}.alias: the stack has no tier 's3_site'; add it to stack_tiers"
        return
    sites = {str(one.get("name")): one for one in stack.values.get("s3_site_sites") or []}
    if site not in sites:
        yield f"{where}.alias: s3_site_sites has no site '{site}'.{nearest(site, sites)}"
    elif sites[site].get("hosting") != "cdn":
        yield f"{where}.alias: the site '{site}' has no CDN to point at; write hosting: cdn in its s3_site_sites"


def _dns_plain(stack: Stack, where: str, record: Values, name: str) -> t.Iterator[str]:
    kind, values = str(record.get("type") or ""), [str(one) for one in record.get("values") or []]
    zone = str(stack.values.get("dns_zone"))
    if not kind:
        yield f"{where}: has neither an alias nor a type; write such as type: A with values, or alias: load_balancer"
        return
    if not values:
        yield f"{where}.values: is empty; write what the {kind} record says"
    if name == plain(zone):
        yield from _dns_apex(stack, where, kind, zone)
    if kind == "CNAME" and len(values) > 1:
        yield f"{where}.values: a CNAME record has one value, not {len(values)}; keep one"
    if len(values) > VALUES_LIMIT:
        yield f"{where}.values: {len(values)} values are more than the {VALUES_LIMIT} of a record; leave some out"
    for index, value in enumerate(values):
        problem = dns.value_problem(kind, value)
        if problem:
            yield f"{where}.values[{index}]: '{value}' {problem}"
        if kind == "TXT" and len(value) > TEXT_LIMIT:
            yield f"{where}.values[{index}]: {len(value)} characters, a TXT value has at most {TEXT_LIMIT}; shorten it"


def _dns_apex(stack: Stack, where: str, kind: str, zone: str) -> t.Iterator[str]:
    if kind in ("CNAME", "NS"):
        instead = "alias: load_balancer or alias: site:NAME" if kind == "CNAME" else "them at the registrar"
        yield f"{where}.type: the zone's own name {zone} cannot have a {kind} record of yours; write {instead}"
    issuers = stack.values.get("dns_caa_issuers") and stack.values.get("dns_zone_managed", True)
    if kind == "CAA" and issuers:
        yield f"{where}: who may issue certificates for {zone} is said in dns_caa_issuers; write it there"


def _dns_numbers(where: str, record: Values) -> t.Iterator[str]:
    bounds = {
        f"{where}.ttl": (record.get("ttl", 300), 0, TTL_LIMIT),
        f"{where}.weight": (record.get("weight"), 0, WEIGHT_LIMIT),
        f"{where}.health_check.port": ((record.get("health_check") or {}).get("port"), 1, 65535),
        f"{where}.health_check.failure_threshold": ((record.get("health_check") or {}).get("failure_threshold"), 1, 10),
    }
    for variable, (value, least, most) in bounds.items():
        if value is not None and not least <= int(value) <= most:
            yield f"{variable}: {value} is out of range; write {least} to {most}"


@rule
def _dns_neighbours(stack: Stack) -> t.Iterator[str]:
    """What stands under one name, in this stack."""
    prefix = stack.prefix
    seen: dict[tuple[str, str, str], str] = {}
    types: dict[str, dict[str, str]] = {}
    for where, record, name in _records(stack):
        identifier = dns.set_identifier(record, prefix)
        if record.get("failover") and record.get("weight") is not None:
            yield f"{where}: has both failover and weight; a record has one of the two"
        for kind in dns.record_types(record):
            other = next((key for key in seen if key[:2] == (name, kind) and not (key[2] and identifier)), None)
            other = (name, kind, identifier) if (name, kind, identifier) in seen else other
            if other:
                yield (
                    f"{where}: {name} has an {kind} record in {seen[other]} already; write all values there, or give"
                    " both a weight or failover and a set_identifier of its own"
                )
                break
            seen[name, kind, identifier] = where
            types.setdefault(name, {}).setdefault(kind, where)
    for name, kinds in types.items():
        if "CNAME" in kinds and len(kinds) > 1:
            others = ", ".join(sorted(f"{kind} in {place}" for kind, place in kinds.items() if kind != "CNAME"))
            yield f"{kinds['CNAME']}: {name} has a CNAME record, beside which nothing may stand ({others}); keep one"


@rule
def _dns_failover(stack: Stack) -> t.Iterator[str]:
    for where, record, name in _records(stack):
        kinds, place = set(dns.record_types(record)), record.get("failover")
        others = [other for other in _same_name(stack, name) if other[1] & kinds and other[0] != where]
        if not place:
            for host, _kinds, other_place, weighted in others:
                if host in stack.peers and not (weighted and record.get("weight") is not None):
                    said = f" as {other_place}" if other_place else ""
                    yield f"{where}: {host} has {name}{said} too; keep one, or write failover or weight in both stacks"
            continue
        partner = {"primary": "secondary", "secondary": "primary"}[place]
        if not any(one[2] == partner for one in others):
            yield (
                f"{where}.failover: '{place}' of {name} has no {partner} in this inventory; describe it in the other"
                f" stack, with dns_zone: {stack.values.get('dns_zone')}, or leave failover out"
            )
        for host in [one[0] for one in others if one[2] == place]:
            yield f"{where}.failover: {host} is the {place} of {name} as well; write {partner} in one of the two"
        if place == "primary" and not record.get("health_check") and not _evaluated(record):
            yield (
                f"{where}.health_check: a primary without a health check is never failed over from; write one, such as"
                " health_check: {path: /health}"
            )


def _evaluated(record: Values) -> bool:
    return record.get("alias") == "load_balancer" and bool(record.get("evaluate_target_health", True))


def _same_name(stack: Stack, name: str) -> t.Iterator[tuple[str, set[str], str, bool]]:
    """Every record of a name: the peer or the place, its types, its failover, and whether it has a weight."""
    for where, record, own in _records(stack):
        if own == name:
            yield where, set(dns.record_types(record)), str(record.get("failover") or ""), False
    zone = plain(str(stack.values.get("dns_zone")))
    for host, values in stack.peers.items():
        if plain(str(values.get("dns_zone") or "")) != zone or "dns" not in (values.get("stack_tiers") or []):
            continue
        for record in values.get("dns_records") or []:
            if full(str(record.get("name", "")), zone) == name:
                weighted = record.get("weight") is not None
                yield host, set(dns.record_types(record)), str(record.get("failover") or ""), weighted


# -- storage -----------------------------------------------------------------------------------------------------------

#: Days before which S3 moves nothing to these classes (Amazon S3 user guide, "Transitioning objects using Amazon S3
#: Lifecycle", constraints), in the order in which an object may go down.
FIRST_DAY = {
    "STANDARD_IA": 30,
    "INTELLIGENT_TIERING": 0,
    "ONEZONE_IA": 30,
    "GLACIER_IR": 0,
    "GLACIER": 0,
    "DEEP_ARCHIVE": 0,
}
#: Days for which an object must have been in an infrequent-access class before it goes on (same source).
DAYS_IN_IA = 30


def _buckets(stack: Stack) -> list[tuple[str, Values]]:
    if "storage" not in stack.tiers:
        return []
    items = stack.values.get("storage_buckets") or []
    return [(f"storage_buckets[{index}]", item) for index, item in enumerate(items)]


@rule
def _bucket_names(stack: Stack) -> t.Iterator[str]:
    names = [item.get("name") for _where, item in _buckets(stack)]
    for where, item in _buckets(stack):
        name = item.get("name")
        if not NAME.match(str(name)):
            yield f"{where}.name: '{name}' {_PLAIN}; write '{_plain(name)}'"
        if names.count(name) > 1:
            yield f"{where}.name: '{name}' is used twice; give each bucket a name of its own"
        yield from _bucket_name(f"{where}.bucket", f"{where}.name", f"{stack.prefix}-{name}", item.get("bucket"))
        replication = item.get("replication") or {}
        if replication.get("region"):
            copied = f"{item.get('bucket') or stack.prefix + '-' + str(name) + _ACCOUNT}-replica"
            yield from _bucket_name(
                f"{where}.replication.bucket", f"{where}.name", copied, replication.get("bucket"), ""
            )


def _bucket_name(where: str, otherwise: str, made: str, given: t.Any, end: str = _ACCOUNT) -> t.Iterator[str]:
    """Whether a bucket's name, or the one that is made where none is given, is one that S3 takes."""
    if given and not BUCKET.match(str(given)):
        yield (
            f"{where}: '{given}' is no bucket name; 3 to 63 lower-case letters, digits, hyphens and dots, such as"
            f" '{made}'"
        )
    excess = len(f"{made}{end}") - BUCKET_NAME_LIMIT
    if not given and excess > 0:
        yield f"{otherwise}: the bucket's name would be over 63 characters; write {where} with a shorter one"


@rule
def _bucket_settings(stack: Stack) -> t.Iterator[str]:
    for where, item in _buckets(stack):
        if item.get("kms_key_id") and item.get("encryption") != "aws:kms":
            yield f"{where}.kms_key_id: a key is used with the encryption 'aws:kms' only; write encryption: aws:kms"
        for kind, current in (("", True), ("noncurrent_", False)):
            days = int(item.get(f"{kind}expiration_days") or 0)
            yield from _transitions(where, f"{kind}transitions", item, days, current)
        for number, cors in enumerate(item.get("cors") or []):
            methods = cors.get("allowed_methods") or []
            yield from _choices(
                f"{where}.cors[{number}].allowed_methods", methods, ("GET", "PUT", "POST", "DELETE", "HEAD")
            )


def _choices(where: str, given: t.Iterable[t.Any], known: t.Sequence[str]) -> t.Iterator[str]:
    for value in given:
        if value not in known:
            yield f"{where}: '{value}' is not one of {', '.join(known)}.{nearest(str(value), known)}"


def _transitions(where: str, option: str, item: Values, expiration: int, current: bool) -> t.Iterator[str]:
    moves = sorted(item.get(option) or [], key=lambda move: int(move["days"]))
    order = list(FIRST_DAY)
    for move in moves:
        days, kind = int(move["days"]), move["storage_class"]
        if days < FIRST_DAY[kind] and current:
            yield (
                f"{where}.{option}: S3 moves nothing to {kind} before day {FIRST_DAY[kind]}; write days:"
                f" {FIRST_DAY[kind]}"
            )
    for one, other in itertools.pairwise(moves):
        first, second = one["storage_class"], other["storage_class"]
        if order.index(second) <= order.index(first):
            yield f"{where}.{option}: S3 moves nothing from {first} to {second}; name cheaper classes for later days"
        elif first.endswith("_IA") and int(other["days"]) - int(one["days"]) < DAYS_IN_IA:
            day = int(one["days"]) + DAYS_IN_IA
            yield f"{where}.{option}: an object stays in {first} for 30 days at least; write days: {day} for {second}"
    if moves and expiration and expiration <= int(moves[-1]["days"]):
        kind = option.replace("transitions", "expiration_days")
        yield (
            f"{where}.{kind}: {expiration} is not after the move on day {moves[-1]['days']}; write a larger number,"
            " or 0"
            " for never"
        )


@rule
def _replication(stack: Stack) -> t.Iterator[str]:
    region = str(stack.values.get("stack_region"))
    for where, item in _buckets(stack):
        replication = item.get("replication") or {}
        elsewhere = replication.get("region")
        where = f"{where}.replication"
        if not elsewhere:
            if any(replication.get(key) for key in ("bucket", "prefix", "storage_class", "kms_key_id")):
                yield f"{where}.region: is missing; write the region of the copy, such as '{_other_region(region)}'"
            continue
        if not REGION.match(str(elsewhere)):
            yield (
                f"{where}.region: '{elsewhere}' is not an AWS region name; write one such as '{_other_region(region)}'"
            )
        elif elsewhere == region:
            yield (
                f"{where}.region: '{elsewhere}' is the bucket's own region; write another one, such as"
                f" '{_other_region(region)}'"
            )
        elif partition_of(elsewhere) != partition_of(region):
            yield (
                f"{where}.region: S3 does not copy from {region} to {elsewhere}, another part of AWS; write such as"
                f" '{_other_region(region)}'"
            )
        if not item.get("versioning", True):
            yield f"{where}: S3 copies only buckets that keep versions; write versioning: true"
        if item.get("encryption") == "aws:kms" and not replication.get("kms_key_id"):
            yield (
                f"{where}.kms_key_id: objects that a KMS key encrypts are copied only with a key in {elsewhere};"
                " write the"
                " ARN of one"
            )


def _other_region(region: str) -> str:
    return "eu-west-3" if region != "eu-west-3" else "eu-central-1"


@rule
def _storage_names(stack: Stack) -> t.Iterator[str]:
    if "storage" not in stack.tiers:
        return
    items = {str(item.get("name")): item for _where, item in _buckets(stack)}
    log = str(stack.values.get("storage_log_bucket") or "")
    if log and log not in items:
        yield f"storage_log_bucket: there is no bucket '{log}' in storage_buckets.{nearest(log, items)}"
    elif log and items[log].get("encryption") == "aws:kms":
        # Amazon S3 user guide, "Enabling Amazon S3 server access logging": SSE-KMS is not supported for the target.
        yield (
            f"storage_log_bucket: S3 writes no access logs to a bucket with the encryption 'aws:kms'; give '{log}'"
            " AES256"
        )
    if int(stack.values.get("storage_log_retention_days", 90)) < 1:
        yield "storage_log_retention_days: must be 1 or more; write such as 90"
    known = [*items, *(f"{name}-replica" for name in items), "access-logs"]
    for name in stack.values.get("storage_destroy_data") or []:
        if name not in known:
            yield f"storage_destroy_data: there is no bucket '{name}' in storage_buckets.{nearest(str(name), known)}"
    role = str(stack.values.get("storage_replication_role_name") or f"{stack.prefix}-replication")
    if "{{" not in role and len(role) > ROLE_NAME_LIMIT:
        yield _too_long("storage_replication_role_name", role, ROLE_NAME_LIMIT)


def _too_long(variable: str, value: str, most: int) -> str:
    return f"{variable}: '{value}' has {len(value)} characters, AWS allows {most}; write a shorter one"


# -- pipelines ---------------------------------------------------------------------------------------------------------

#: Characters of a managed policy without white space: IAM user guide, "IAM and AWS STS quotas".
MANAGED_POLICY_LIMIT = 6144
REPOSITORY = re.compile(r"[\w.-]+(/[\w.-]+)+$")


@rule
def _pipelines(stack: Stack) -> t.Iterator[str]:
    if "pipelines" not in stack.tiers:
        return
    roles, users = (stack.values.get(f"pipelines_{kind}") or [] for kind in ("roles", "users"))
    for variable, entries in (("pipelines_roles", roles), ("pipelines_users", users)):
        for index, entry in enumerate(entries):
            yield from _pipeline_identity(stack, f"{variable}[{index}]", entry)
    for index, entry in enumerate(roles):
        yield from _pipeline_trust(f"pipelines_roles[{index}]", entry)
    names = [entry.get("name") for entry in [*roles, *users]]
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        yield f"pipelines_roles: '{name}' is used twice; give each role and user a name of its own"
    url = str(stack.values.get("pipelines_gitlab_url") or "https://")
    if not url.startswith("https://"):
        yield f"pipelines_gitlab_url: '{url}' must begin with https://, since IAM takes no other"


def _pipeline_identity(stack: Stack, where: str, entry: Values) -> t.Iterator[str]:
    name = f"{stack.prefix}-{entry.get('name')}"
    if len(name) > ROLE_NAME_LIMIT:
        yield _too_long(f"{where}.name", name, ROLE_NAME_LIMIT)
    size = len("".join(json.dumps(entry.get("policy") or {}).split()))
    if size > MANAGED_POLICY_LIMIT:
        yield (
            f"{where}.policy: has {size} characters, and IAM takes {MANAGED_POLICY_LIMIT}; put a part of it into a"
            f" policy of its own and name that in {where}.policies"
        )


def _pipeline_trust(where: str, entry: Values) -> t.Iterator[str]:
    repository, gitlab = str(entry.get("repository")), entry.get("provider") == "gitlab"
    if not REPOSITORY.match(repository):
        yield f"{where}.repository: '{repository}' is no repository; write such as 'acme/shop', without an address"
    if not any(entry.get(kind) for kind in ("branches", "tags", "environments")):
        yield f"{where}.branches: nothing may take on the role; name branches, tags or environments, such as [main]"
    if gitlab and entry.get("environments"):
        yield f"{where}.environments: IAM does not see GitLab's environments; name branches or tags"
    yield from _range(f"{where}.max_session", entry.get("max_session"), 3600, 43200)


# -- sign-in -----------------------------------------------------------------------------------------------------------

#: Ranges (Amazon Cognito user pools API reference, PasswordPolicyType and CreateUserPoolClient).
IDENTITY_RANGES = {
    "identity_password_minimum_length": (6, 99),
    "identity_password_temporary_days": (0, 365),
}
TOKEN_RANGES = {"access_token_minutes": (5, 1440), "id_token_minutes": (5, 1440), "refresh_token_days": (1, 3650)}
IDENTITY_CHOICES = {
    "identity_sign_in_with": ("email", "phone_number"),
    "identity_aliases": ("email", "phone_number", "preferred_username"),
    "identity_verified_attributes": ("email", "phone_number"),
    "identity_account_recovery": ("verified_email", "verified_phone_number", "admin_only"),
}
#: Names of pools and clients (same source: PoolName, ClientName), and a prefix domain (CreateUserPoolDomain).
POOL_NAME = re.compile(r"[\w\s+=,.@-]{1,128}\Z")
DOMAIN_PREFIX = re.compile(r"(?!.*(aws|amazon|cognito))[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")


def _range(where: str, value: t.Any, low: float, high: float) -> t.Iterator[str]:
    if value is not None and not low <= float(value) <= high:
        yield f"{where}: {value} is out of range; write {low:g} to {high:g}"


@rule
def _user_pool(stack: Stack) -> t.Iterator[str]:
    if "identity" not in stack.tiers:
        return
    values = stack.values
    for name, known in IDENTITY_CHOICES.items():
        yield from _choices(name, values.get(name) or [], known)
    for name, (low, high) in IDENTITY_RANGES.items():
        yield from _range(name, values.get(name), low, high)
    if values.get("identity_sign_in_with") and values.get("identity_aliases"):
        yield (
            "identity_aliases: are for users with a name of their own; write identity_sign_in_with: [] or leave"
            " them out"
        )
    recovery = values.get("identity_account_recovery") or []
    if "admin_only" in recovery and len(recovery) > 1:
        yield "identity_account_recovery: 'admin_only' excludes the other ways; write it alone or leave it out"
    yield from _pool_domain(values)
    yield from _pool_names(stack, values)


def _pool_names(stack: Stack, values: Values) -> t.Iterator[str]:
    for index, attribute in enumerate(values.get("identity_attributes") or []):
        name = str(attribute.get("name"))
        if len(name) > 20:
            yield _too_long(f"identity_attributes[{index}].name", name, 20)
    for name in ("identity_user_pool_name", "identity_pool_name"):
        given = str(values.get(name) or "users")
        if "{{" not in given and not POOL_NAME.match(given):
            yield f"{name}: '{given}' must be 1 to 128 letters, digits, spaces and any of +=,.@-; write a plainer one"
    role = str(values.get("identity_role_name") or f"{stack.prefix}-signed-in")
    if "{{" not in role and len(role) > ROLE_NAME_LIMIT:
        yield _too_long("identity_role_name", role, ROLE_NAME_LIMIT)


def _pool_domain(values: Values) -> t.Iterator[str]:
    domain, certificate = str(values.get("identity_domain") or ""), values.get("identity_domain_certificate_arn")
    if certificate and not domain:
        yield "identity_domain_certificate_arn: there is no identity_domain; write the domain that it is for"
    elif certificate and ":us-east-1:" not in str(certificate):
        yield (
            f"identity_domain_certificate_arn: '{certificate}' is not in us-east-1, where Cognito looks; write one"
            " that is"
        )
    elif domain and not certificate and not DOMAIN_PREFIX.match(domain):
        yield (
            f"identity_domain: '{domain}' must be 1 to 63 lower-case letters, digits and hyphens, without 'aws',"
            " 'amazon' or"
            " 'cognito'; write a plainer one, or the certificate of a domain of your own"
        )


@rule
def _app_clients(stack: Stack) -> t.Iterator[str]:
    if "identity" not in stack.tiers:
        return
    clients = stack.values.get("identity_clients") or []
    names = [str(client.get("name")) for client in clients]
    for index, client in enumerate(clients):
        where, name = f"identity_clients[{index}]", str(client.get("name"))
        if not POOL_NAME.match(name):
            yield (
                f"{where}.name: '{name}' must be 1 to 128 letters, digits, spaces and any of +=,.@-; write a plainer"
                " one"
            )
        if names.count(name) > 1:
            yield f"{where}.name: '{name}' is used twice; give each client a name of its own"
        for option, (low, high) in TOKEN_RANGES.items():
            yield from _range(f"{where}.{option}", client.get(option), low, high)
        yield from _oauth(where, client)
    for index, mapping in enumerate(stack.values.get("identity_role_mappings") or []):
        if str(mapping.get("client")) not in names:
            hint = nearest(str(mapping.get("client")), names)
            yield f"identity_role_mappings[{index}].client: there is no client '{mapping.get('client')}'.{hint}"
    groups = [group.get("name") for group in stack.values.get("identity_groups") or []]
    for name in sorted({str(name) for name in groups if groups.count(name) > 1}):
        yield f"identity_groups: '{name}' is used twice; give each group a name of its own"


def _oauth(where: str, client: Values) -> t.Iterator[str]:
    flows = client.get("oauth_flows") or []
    yield from _choices(f"{where}.oauth_flows", flows, ("code", "implicit", "client_credentials"))
    for option in ("callback_urls", "logout_urls"):
        for url in client.get(option) or []:
            # Amazon Cognito developer guide, "App client settings terms": HTTPS but on localhost, and no fragment.
            if re.match(r"http://(?!localhost(:\d+)?(/|\Z))", str(url)) or "#" in str(url) or ":" not in str(url):
                yield f"{where}.{option}: '{url}' must be an HTTPS address (HTTP on localhost only) without '#'"
    if set(flows) & {"code", "implicit"} and not client.get("callback_urls"):
        yield f"{where}.callback_urls: the flow '{flows[0]}' sends users back somewhere; write the address"
    if flows and not client.get("oauth_scopes"):
        yield f"{where}.oauth_scopes: OAuth flows need scopes; write such as [openid]"
    if "client_credentials" in flows and (len(flows) > 1 or not client.get("confidential")):
        yield f"{where}.oauth_flows: 'client_credentials' is for a client of its own with confidential: true"


@rule
def _user_files(stack: Stack) -> t.Iterator[str]:
    name = str(stack.values.get("identity_files_bucket") or "")
    if "identity" not in stack.tiers or not name:
        return
    names = [str(item.get("name")) for _where, item in _buckets(stack)]
    if "storage" not in stack.tiers:
        yield (
            "identity_files_bucket: is a bucket of the tier 'storage', which the stack does not have; add it to"
            " stack_tiers"
        )
    elif name not in names:
        yield f"identity_files_bucket: there is no bucket '{name}' in storage_buckets.{nearest(name, names)}"
    prefix = str(stack.values.get("identity_files_prefix") or "")
    if prefix.startswith("/") or (prefix and not prefix.endswith("/")) or set(prefix) & set("*?$"):
        yield f"identity_files_prefix: '{prefix}' must not start with '/', must end with it; write such as 'users/'"


# -- monitoring --------------------------------------------------------------------------------------------------------

#: Days for which CloudWatch Logs keeps events (API reference, PutRetentionPolicy).
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+\Z")
LOG_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}\Z")
#: Names of topics (Amazon SNS API reference, CreateTopic) and dashboards (CloudWatch API reference, PutDashboard).
TOPIC_NAME, DASHBOARD_NAME = re.compile(r"[\w-]{1,256}\Z"), re.compile(r"[\w-]{1,255}\Z")
ALARM_NAME_LIMIT = 255


@rule
def _told(stack: Stack) -> t.Iterator[str]:
    if "monitoring" not in stack.tiers:
        return
    for address in stack.values.get("monitoring_emails") or []:
        if not MAIL.match(str(address)):
            yield f"monitoring_emails: '{address}' is no mail address; write such as 'duty@example.com'"
    for number, url in enumerate(stack.values.get("monitoring_webhooks") or []):
        # The address is not repeated: its path may be a secret.
        if not str(url).startswith("https://"):
            yield f"monitoring_webhooks[{number}]: is no HTTPS address; write one that begins with 'https://'"
        elif LOGIN_IN_URL.search(str(url)):
            yield (
                f"monitoring_webhooks[{number}]: an address with a login in it is a secret in plain text; write one"
                " without"
            )
    for name, pattern, words in (
        ("monitoring_topic_name", TOPIC_NAME, "1 to 256"),
        ("monitoring_dashboard_name", DASHBOARD_NAME, "1 to 255"),
    ):
        given = str(stack.values.get(name) or "x")
        if "{{" not in given and not pattern.match(given):
            yield f"{name}: '{given}' must be {words} letters, digits, hyphens and underscores; write a plainer one"


@rule
def _thresholds(stack: Stack) -> t.Iterator[str]:
    if "monitoring" not in stack.tiers:
        return
    for name in ("cpu_percent", "memory_percent", "database_connections_percent"):
        yield from _range(f"monitoring_{name}", stack.values.get(f"monitoring_{name}"), 1, 100)
    free, most = stack.values.get("monitoring_database_free_gib"), stack.values.get("rds_allocated_storage")
    if free is not None and "rds" in stack.tiers and not 0 < float(free) < float(most or 20):
        yield (
            f"monitoring_database_free_gib: {free:g} must be above 0 and below rds_allocated_storage ({most}); write"
            " such as 2"
        )
    # CloudWatch API reference, PutMetricAlarm: all periods together at most a day where one is under an hour.
    yield from _range("monitoring_alarm_periods", stack.values.get("monitoring_alarm_periods"), 1, 288)
    yield from _connections(stack)


def _connections(stack: Stack) -> t.Iterator[str]:
    given = stack.values.get("monitoring_database_max_connections")
    if "rds" not in stack.tiers or given or (stack.values.get("rds_parameters") or {}).get("max_connections"):
        return
    kind, engine = str(stack.values.get("rds_instance_class")), str(stack.values.get("rds_engine"))
    if monitoring.max_connections(kind, engine) is None:
        yield (
            f"monitoring_database_max_connections: how many connections '{kind}' takes is not known here; write the"
            " number"
            " that the database answers to SHOW max_connections"
        )


@rule
def _log_groups(stack: Stack) -> t.Iterator[str]:
    if "monitoring" not in stack.tiers:
        return
    groups = stack.values.get("monitoring_log_groups") or []
    names = [group.get("name") for group in groups]
    for index, group in enumerate(groups):
        where, name, days = f"monitoring_log_groups[{index}]", str(group.get("name")), group.get("retention_days", 90)
        if not LOG_GROUP.match(name):
            yield f"{where}.name: '{name}' must be 1 to 512 letters, digits and any of . - _ / #; write a plainer one"
        if names.count(group.get("name")) > 1:
            yield f"{where}.name: '{name}' is used twice; list it once"
        if int(days) not in RETENTION_DAYS:
            instead = next((one for one in RETENTION_DAYS if one >= int(days)), RETENTION_DAYS[-1])
            yield f"{where}.retention_days: CloudWatch Logs does not keep events for {days} days; write {instead}"


@rule
def _own_alarms(stack: Stack) -> t.Iterator[str]:
    if "monitoring" not in stack.tiers:
        return
    alarms = stack.values.get("monitoring_alarms") or []
    names = [alarm.get("name") for alarm in alarms]
    for index, alarm in enumerate(alarms):
        where, name, period = f"monitoring_alarms[{index}]", str(alarm.get("name")), int(alarm.get("period") or 300)
        if names.count(alarm.get("name")) > 1:
            yield f"{where}.name: '{name}' is used twice; give each alarm a name of its own"
        if len(f"{stack.prefix}-{name}") > ALARM_NAME_LIMIT:
            yield _too_long(f"{where}.name", f"{stack.prefix}-{name}", ALARM_NAME_LIMIT)
        if period not in (10, 20, 30) and (period < 60 or period % 60):
            yield f"{where}.period: {period} is no period; write 10, 20, 30 or a multiple of 60"


# -- load balancer -----------------------------------------------------------------------------------------------------

#: Names of load balancers and target groups (ELB API reference, CreateLoadBalancer and CreateTargetGroup).
BALANCER_NAME_LIMIT = 32
BALANCER_NAME = re.compile(r"(?!internal-)(?!-)[A-Za-z0-9-]+(?<!-)\Z")


def _balancer_name(where: str, name: str) -> t.Iterator[str]:
    if len(name) > BALANCER_NAME_LIMIT:
        yield (
            f"{where}: '{name}' has {len(name)} characters, AWS allows {BALANCER_NAME_LIMIT}; write {where} with a name"
            f" such as '{name[:BALANCER_NAME_LIMIT].rstrip('-')}'"
        )
    elif not BALANCER_NAME.match(name):
        plain = re.sub(r"[^A-Za-z0-9]+", "-", name.removeprefix("internal-")).strip("-") or "shop"
        yield (
            f"{where}: '{name}' must be letters, digits and hyphens, without a hyphen at either end or 'internal-' at"
            f" the start; write '{plain}'"
        )


@rule
def _load_balancer(stack: Stack) -> t.Iterator[str]:
    if "load_balancer" not in stack.tiers:
        return
    values = stack.values
    name = str(values.get("load_balancer_name") or f"{stack.prefix}-alb")
    yield from _balancer_name("load_balancer_name", name)
    yield from _certificate(stack)
    timeout = int(values.get("load_balancer_idle_timeout") or 60)
    if not 1 <= timeout <= 4000:
        yield f"load_balancer_idle_timeout: {timeout} lies outside what AWS allows, 1 to 4000 seconds; write such as 60"
    try:
        subnets = planned_subnets(values)
    except (ValueError, KeyError):
        return  # said by the network's own rule
    kind = str(values.get("load_balancer_subnets", "public"))
    zones = {subnet["zone"] for subnet in subnets if subnet["type"] == kind}
    if "network" in stack.tiers and len(zones) < 2:
        yield (
            f"network_zones: a load balancer needs {kind} subnets in two availability zones, the description has"
            f" {len(zones)}; write network_zones: 2 and list '{kind}' in network_subnet_types"
        )


def _certificate(stack: Stack) -> t.Iterator[str]:
    values = stack.values
    if not values.get("load_balancer_https", True):
        if 443 in (values.get("network_load_balancer_ports") or []):
            yield (
                "network_load_balancer_ports: 443 is open to the internet, and nothing listens there with"
                " load_balancer_https: false; write network_load_balancer_ports: [80]"
            )
        return
    name, arn = values.get("load_balancer_certificate"), values.get("load_balancer_certificate_arn")
    certificates = {str(one.get("name")): one for one in values.get("dns_certificates") or []}
    if not name and not arn:
        known = f", such as '{next(iter(certificates))}'" if certificates else ""
        yield (
            f"load_balancer_certificate: HTTPS needs a certificate; write the name of one in dns_certificates{known},"
            " or load_balancer_certificate_arn with one that exists, or load_balancer_https: false for HTTP alone"
        )
    elif name and not arn and name not in certificates:
        yield (
            f"load_balancer_certificate: there is no certificate '{name}' in dns_certificates."
            f"{nearest(str(name), certificates)}"
        )
    elif name and not arn and certificates[name].get("region") not in (None, "", values.get("stack_region")):
        yield (
            f"load_balancer_certificate: '{name}' is of the region {certificates[name]['region']}, a load balancer"
            f" takes one of its own; add a certificate without region to dns_certificates"
        )


# -- fleets ------------------------------------------------------------------------------------------------------------


@rule
def _applications(stack: Stack) -> t.Iterator[str]:
    """What an application's runtime asks of the machine."""
    for where, machine in _machines(stack):
        application = machine.get("application") or {}
        if application.get("runtime") != "node":
            continue
        image = str(machine.get("image") if machine.get("image") in instances.IMAGES else machine.get("image_like"))
        if image.startswith("amazon-linux"):
            yield f"{where}.image: the runtime node is there for Debian and Ubuntu; write such as 'ubuntu-22.04'"
        if application.get("port") == application.get("container_port"):
            yield (
                f"{where}.application.container_port: nginx listens on {application['port']} already, in front of the"
                f" application; write another one, such as {int(application['port']) + 1}"
            )


@rule
def _fleet_sizes(stack: Stack) -> t.Iterator[str]:
    for where, fleet in _fleets(stack):
        low, high, desired = int(fleet["min"]), int(fleet["max"]), fleet.get("desired")
        if not 0 <= low <= high or high < 1:
            yield f"{where}.min: min {low} and max {high} are no limits; write 0 <= min <= max"
        elif desired is not None and not low <= int(desired) <= high:
            yield f"{where}.desired: {desired} lies outside {low} to {high}; write {min(max(int(desired), low), high)}"
        scaling = fleet.get("scaling") or {}
        if scaling and not 0 < float(scaling["cpu_low"]) < float(scaling["cpu_high"]) < 100:
            yield (
                f"{where}.scaling: cpu_low {scaling['cpu_low']} and cpu_high {scaling['cpu_high']} must lie between 0"
                " and 100, the low one first; write such as cpu_low: 20, cpu_high: 80"
            )
        yield from _refresh_limits(where, fleet)
        if fleet.get("log_retention_days") not in (None, *RETENTION_DAYS):
            yield f"{where}.log_retention_days: CloudWatch Logs does not accept {fleet['log_retention_days']}; write 90"


def _refresh_limits(where: str, fleet: Values) -> t.Iterator[str]:
    """Auto Scaling API reference, RefreshPreferences."""
    least, most = int(fleet["min_healthy_percent"]), int(fleet["max_healthy_percent"])
    if not 0 <= least <= 100:
        yield f"{where}.min_healthy_percent: {least} lies outside 0 to 100; write 100 for no loss of capacity"
    elif not 100 <= most <= 200 or most - least > 100:
        yield (
            f"{where}.max_healthy_percent: {most} must be 100 to 200 and at most 100 above min_healthy_percent"
            f" ({least}); write {min(200, least + 100) if least + 100 < most else 110}"
        )


@rule
def _fleet_requests(stack: Stack) -> t.Iterator[str]:
    for where, fleet in _fleets(stack):
        balancer = fleet.get("load_balancer")
        if not balancer:
            continue
        if "load_balancer" not in stack.tiers:
            yield f"{where}.load_balancer: the stack has no load balancer; add 'load_balancer' to stack_tiers"
        if not fleets.port(fleet):
            yield f"{where}.application: its rules at the load balancer lead to no application; describe one"
        yield from _conditions(f"{where}.load_balancer", balancer)
        group = str(balancer.get("target_group") or fleets.full_name(fleet, stack.prefix))
        yield from _balancer_name(f"{where}.load_balancer.target_group", group)


@rule
def _fleet_belongings(stack: Stack) -> t.Iterator[str]:
    buckets = [str(name["name"]) for _where, name in _buckets(stack)]
    for where, fleet in _fleets(stack):
        for name in fleet.get("buckets") or []:
            if name not in buckets:
                yield f"{where}.buckets: there is no bucket '{name}' in storage_buckets.{nearest(str(name), buckets)}"
        kinds = fleets.log_files(fleet)
        for kind in sorted(set(fleet.get("log_groups") or {}) - set(kinds)):
            yield f"{where}.log_groups.{kind}: there are no such logs; write {' or '.join(kinds) or 'none'}"


# -- services ----------------------------------------------------------------------------------------------------------


def _services(stack: Stack) -> list[tuple[str, Values]]:
    if "ecs_app" not in stack.tiers:
        return []
    given = stack.values.get("ecs_app_services") or []
    return [(f"ecs_app_services[{index}]", service) for index, service in enumerate(given)]


def _runs(stack: Stack, service: Values) -> bool:
    """Whether a service is to run, and does not sleep in a standby."""
    return not stack.values.get("ecs_app_asleep") and services.desired(service) > 0


@rule
def _service_names(stack: Stack) -> t.Iterator[str]:
    names = [service.get("name") for _where, service in _services(stack)]
    for where, service in _services(stack):
        name = service.get("name")
        if name is not None and not NAME.match(str(name)):
            yield f"{where}.name: '{name}' {_PLAIN}; write '{_plain(name)}'"
        if names.count(name) > 1:
            yield f"{where}.name: '{name}' is used twice; give each service a name of its own"
        role = f"{stack.prefix}-{name}"
        if len(role) > ROLE_NAME_LIMIT:
            yield (
                f"{where}.name: the role's name '{role}' would have {len(role)} characters, IAM allows"
                f" {ROLE_NAME_LIMIT}; shorten stack_name, stack_env or the service's name by"
                f" {len(role) - ROLE_NAME_LIMIT}"
            )
        if "load_balancer" in stack.tiers and services.behind(service):
            group = services.target_group(service, stack.prefix)
            yield from _balancer_name(f"{where}.load_balancer.target_group", group)


@rule
def _service_sizes(stack: Stack) -> t.Iterator[str]:
    for where, service in _services(stack):
        cpu, memory = int(service.get("cpu") or 256), int(service.get("memory") or 512)
        if memory not in services.FARGATE_MEMORY.get(cpu, ()):
            size, amount = services.nearest_size(cpu, memory)
            yield (
                f"{where}.cpu: Fargate has no size of {cpu} CPU units with {memory} MiB; write cpu: {size} and memory:"
                f" {amount}, the nearest that it has"
            )
        disk = int(service.get("ephemeral_storage") or 0)
        if disk and not 21 <= disk <= 200:
            yield f"{where}.ephemeral_storage: {disk} lies outside what Fargate has, 21 to 200 GiB; write 0 for 20 GiB"


@rule
def _service_images(stack: Stack) -> t.Iterator[str]:
    repositories = [str(one.get("name")) for one in stack.values.get("registry_repositories") or []]
    for where, service in _services(stack):
        image = service.get("image")
        if not isinstance(image, t.Mapping):
            continue
        name = str(image.get("repository"))
        if "registry" not in stack.tiers or name not in repositories:
            yield (
                f"{where}.image.repository: there is no repository '{name}' in registry_repositories."
                f"{nearest(name, repositories)} Add it, or write the image's full address as text"
            )
        if not image.get("tag") and not image.get("digest"):
            yield f"{where}.image: neither tag nor digest is given; write such as tag: v1.0.0"


@rule
def _service_counts(stack: Stack) -> t.Iterator[str]:
    for where, service in _services(stack):
        scaling, count = service.get("scaling") or {}, service.get("desired_count")
        if count is not None and int(count) < 0:
            yield f"{where}.desired_count: {count} is no number of tasks; write 0 for a service that sleeps"
        if not scaling:
            continue
        low, high = int(scaling.get("min") or 0), int(scaling.get("max") or 0)
        if not 1 <= low <= high:
            yield f"{where}.scaling: min {low} and max {high} are no limits; write 1 <= min <= max"
        elif count and not low <= int(count) <= high:
            yield (
                f"{where}.desired_count: {count} lies outside the limits of its scaling, {low} to {high}; write"
                f" {min(max(int(count), low), high)}, or leave it out"
            )
        if not any(scaling.get(metric) for metric in ("cpu", "memory", "requests")):
            yield f"{where}.scaling: nothing says when to scale; write cpu: 60, or memory or requests"
        if scaling.get("requests") and not services.behind(service):
            yield f"{where}.scaling.requests: the service gets no requests of the load balancer; write cpu instead"


@rule
def _service_routes(stack: Stack) -> t.Iterator[str]:
    for where, service in _services(stack):
        balancer, port = service.get("load_balancer"), int(service.get("port") or 0)
        if not 0 <= port <= 65535:
            yield f"{where}.port: {port} is not a TCP port; write 1 to 65535, or 0 for none"
        if balancer and not port:
            yield f"{where}.port: its rules at the load balancer lead to no port; write the one that it listens on"
        if balancer and "load_balancer" not in stack.tiers and _runs(stack, service):
            yield f"{where}.load_balancer: the stack has no load balancer; add 'load_balancer' to stack_tiers"
        if port and not balancer and "load_balancer" in stack.tiers and _runs(stack, service):
            yield (
                f"{where}.port: no rule of the load balancer reaches port {port}; write {where}.load_balancer with"
                " paths or hosts, or leave the port out"
            )
        if balancer:
            yield from _conditions(f"{where}.load_balancer", balancer)
    yield from _rule_conflicts(stack)


def _conditions(where: str, balancer: Values) -> t.Iterator[str]:
    paths, hosts = balancer.get("paths") or [], balancer.get("hosts") or []
    priority = int(balancer.get("priority") or 0)
    if not 0 <= priority <= services.LAST_PRIORITY:
        yield (
            f"{where}.priority: {priority} lies outside what AWS allows, 1 to {services.LAST_PRIORITY}; write 0 to have"
            " it computed"
        )
    # Without a priority of its own every path gets a rule of its own.
    count = len(hosts) + (len(paths) if priority else min(len(paths), 1))
    if count > VALUES_A_RULE:
        yield f"{where}: a rule takes {VALUES_A_RULE} hosts and paths, here are {count}; use patterns such as '/api/*'"
    for path in paths:
        if not str(path).startswith(("/", "*")):
            yield f"{where}.paths: '{path}' matches no path, which all start with a slash; write '/{path}'"
    health = balancer.get("health_check") or {}
    if int(health.get("timeout") or 5) >= int(health.get("interval") or 30):
        yield f"{where}.health_check.timeout: must be less than the interval; write timeout: 5 and interval: 30"


#: Condition values of one rule (Application Load Balancer user guide, Quotas).
VALUES_A_RULE = 5


def _rule_conflicts(stack: Stack) -> t.Iterator[str]:
    """Two services that ask for the same, and rules that others take everything from."""
    routed = [(where, service) for where, service in _services(stack) if services.behind(service)]
    rules = [
        (where, str(service.get("name")), one)
        for where, service in routed
        for one in services.rules_of(service["load_balancer"])
    ]
    numbered = services.with_rule_priorities([one for _where, _name, one in rules])
    placed = [(where, name, one) for (where, name, _rule), one in zip(rules, numbered, strict=True)]
    for (_first, name, one), (where, other_name, other) in itertools.combinations(placed, 2):
        if name == other_name:
            continue
        if _same(one, other):
            what = ", ".join([*one["hosts"], *(one["paths"] or ["every path"])])
            yield f"{where}.load_balancer: '{what}' is asked for by {name} and by {other_name}; give each its own"
        elif one["priority"] == other["priority"]:
            yield f"{where}.load_balancer.priority: {one['priority']} is that of {name} as well; give each its own"
        elif one["priority"] < other["priority"] and _covers(one, other):
            yield _shadowed(where, other, name)
        elif other["priority"] < one["priority"] and _covers(other, one):
            yield _shadowed(_first, one, other_name)


def _shadowed(where: str, shadowed: Values, by: str) -> str:
    what = ", ".join([*shadowed["hosts"], *(shadowed["paths"] or ["every path"])])
    return (
        f"{where}.load_balancer.paths: '{what}' is never reached, a rule of {by} with a smaller priority takes all of"
        " it; leave the priorities out, and the most specific path comes first"
    )


def _same(one: Values, other: Values) -> bool:
    return bool(set(one["paths"] or ["/*"]) & set(other["paths"] or ["/*"])) and (
        set(one["hosts"]) == set(other["hosts"]) or bool(set(one["hosts"]) & set(other["hosts"]))
    )


def _covers(one: Values, other: Values) -> bool:
    """Whether every request of the other rule is one of the first."""
    hosts = not one["hosts"] or (other["hosts"] and set(other["hosts"]) <= set(one["hosts"]))
    wide = one["paths"] or ["/*"]
    paths = all(any(_path_covers(first, second) for first in wide) for second in other["paths"] or ["/*"])
    return bool(hosts) and paths


def _path_covers(wide: str, narrow: str) -> bool:
    if wide == narrow or wide in ("*", "/*"):
        return True
    return wide.endswith("*") and not set("*?") & set(wide[:-1]) and narrow.startswith(wide[:-1])


@rule
def _service_network(stack: Stack) -> t.Iterator[str]:
    kind = str(stack.values.get("ecs_app_subnets", "private"))
    try:
        kinds = {subnet["type"] for subnet in planned_subnets(stack.values)}
    except (ValueError, KeyError):
        return  # said by the network's own rule
    described = _services(stack)
    if described and kind not in kinds:
        yield f"ecs_app_subnets: '{kind}' is no type of subnet here; the network has {', '.join(sorted(kinds))}"
        return
    running = any(_runs(stack, service) for _where, service in described)
    if running and kind != "public" and stack.values.get("network_nat", "none") == "none":
        yield (
            f"network_nat: tasks in {kind} subnets pull their images through a NAT gateway, and there is none; write"
            " network_nat: single"
        )


@rule
def _service_settings(stack: Stack) -> t.Iterator[str]:
    days = int(stack.values.get("ecs_app_log_retention_days") or 90)
    if "ecs_app" in stack.tiers and days not in RETENTION_DAYS:
        instead = min(RETENTION_DAYS, key=lambda allowed: (abs(allowed - days), -allowed))
        yield f"ecs_app_log_retention_days: CloudWatch Logs does not accept {days}; write {instead}"
    for where, service in _services(stack):
        if service.get("database") and "rds" not in stack.tiers and _runs(stack, service):
            yield f"{where}.database: the stack has no database; add 'rds' to stack_tiers, or write database: false"
        named = [(f"{where}.environment", service)]
        named += [(f"{where}.before[{n}].environment", one) for n, one in enumerate(service.get("before") or [])]
        for place, holder in named:
            for key, value in (holder.get("environment") or {}).items():
                if SECRET_NAME.search(str(key)) or PASSWORD_IN_URL.search(str(value)):
                    # The value is not repeated: it may be a real secret.
                    yield (
                        f"{place}.{key}: a secret in plain text does not belong in the inventory and would stand in"
                        f" the task definition; create it in Secrets Manager and write {where}.secrets: {{{key}: NAME}}"
                    )
        for key in sorted(set(service.get("environment") or {}) & set(service.get("secrets") or {})):
            yield f"{where}.secrets.{key}: stands in environment as well; ECS takes each name once, leave one out"
        stop = int(service.get("stop_timeout") or 30)
        if not 2 <= stop <= 120:
            yield f"{where}.stop_timeout: {stop} lies outside what Fargate allows, 2 to 120 seconds; write such as 30"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules that a stack's description must keep, beyond what argument specs can say.

Everything here is pure: it takes plain values and returns sentences. Each sentence names the variable, the value and
what to write instead. C(stack_validate) collects them, so that a customer sees all of them at once.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.palier.aws.plugins.plugin_utils import network

Values = t.Mapping[str, t.Any]

#: Tiers that a tier cannot do without.
NEEDS: dict[str, tuple[str, ...]] = {
    "rds": ("network",),
    "ec2_app": ("network",),
    "peering": ("network",),
    "load_balancer": ("network",),
    "ecs_app": ("network",),
}

NAME = re.compile(r"^[a-z]([a-z0-9-]*[a-z0-9])?$")
REGION = re.compile(r"^[a-z]{2}(-[a-z]+)+-\d$")
#: S3 bucket naming rules (Amazon S3 user guide, "General purpose bucket naming rules").
BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
#: DBInstanceIdentifier (Amazon RDS API reference, CreateDBInstance).
DB_IDENTIFIER = re.compile(r"^[a-zA-Z](?!.*--)[a-zA-Z0-9-]{0,62}(?<!-)$")
#: Longest names (IAM user guide, "IAM and AWS STS quotas"; Amazon EC2 API reference, CreateSecurityGroup).
ROLE_NAME_LIMIT = 64
GROUP_NAME_LIMIT = 255
#: User data is at most 16 KiB (Amazon EC2 user guide); the rest of ours takes under half of it.
ENVIRONMENT_LIMIT = 8 * 1024

#: Ports that must never be open to the world (security standard controls EC2.13, EC2.14, EC2.19).
ADMIN_PORTS = {22: "SSH", 3389: "RDP", 3306: "MySQL", 5432: "PostgreSQL", 1433: "SQL Server", 6379: "Redis"}

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


def problems(stack: Stack) -> list[str]:
    """Every sentence that the rules have to say about a stack, in the order of the rules, each once."""
    return list(dict.fromkeys(sentence for check in RULES for sentence in check(stack)))


def nearest(word: str, words: t.Iterable[str]) -> str:
    """`` Did you mean X?`` with the nearest of some words, or nothing."""
    found = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f" Did you mean {found[0]}?" if found else ""


# -- names -------------------------------------------------------------------------------------------------------------


def unknown_variables(names: t.Iterable[str], known: t.Mapping[str, t.Collection[str]]) -> t.Iterator[str]:
    """Variables with a role's prefix that no role has.

    :param names: variable names that the inventory sets.
    :param known: variable names by role.
    """
    every = {name for variables in known.values() for name in variables}
    for name in sorted(set(names) - every):
        if SECRET_NAME.search(name):
            yield _plain_secret(name)
            continue
        role = _role_of(name, known)
        yield f"{name}: the role {role} has no such variable.{nearest(name, known[role])}"


def _role_of(name: str, known: t.Mapping[str, t.Collection[str]]) -> str:
    return max((role for role in known if name.startswith(f"{role}_")), key=len)


def _plain_secret(name: str) -> str:
    return (
        f"{name}: a secret in plain text does not belong in the inventory. RDS makes and keeps the master password in"
        " Secrets Manager by itself; other secrets are created there and named under application.secrets"
    )


@rule
def _variables_are_known(stack: Stack) -> t.Iterator[str]:
    yield from unknown_variables(stack.names, stack.known)


@rule
def _stack_names(stack: Stack) -> t.Iterator[str]:
    for variable in ("stack_name", "stack_env"):
        value = str(stack.values.get(variable))
        if not NAME.match(value):
            instead = re.sub(r"[^a-z0-9-]+", "-", value.lower()).strip("-0123456789") or "shop"
            yield (
                f"{variable}: '{value}' must be lower-case letters, digits and hyphens, starting with a letter;"
                f" write '{instead}'"
            )
    region = str(stack.values.get("stack_region"))
    if not REGION.match(region):
        yield f"stack_region: '{region}' is not an AWS region name; write one such as 'eu-west-3'"


@rule
def _tiers(stack: Stack) -> t.Iterator[str]:
    tiers = [role for role in stack.known if role not in ("stack", "delivery")]
    for tier in stack.tiers:
        if tiers and tier not in tiers:
            yield f"stack_tiers: there is no tier '{tier}'.{nearest(tier, tiers)} Tiers are {', '.join(sorted(tiers))}"
        for needed in NEEDS.get(tier, ()):
            if needed not in stack.tiers:
                yield f"stack_tiers: '{tier}' needs the tier '{needed}'; add '{needed}' to the list"
    for tier in sorted({tier for tier in stack.tiers if stack.tiers.count(tier) > 1}):
        yield f"stack_tiers: '{tier}' stands there twice; list it once"


# -- network -----------------------------------------------------------------------------------------------------------


def _block(value: t.Any) -> t.Any:
    return ipaddress.ip_network(str(value), strict=True)


@rule
def _vpc_block(stack: Stack) -> t.Iterator[str]:
    if "network" not in stack.tiers:
        return
    value = stack.values.get("network_cidr")
    try:
        block = _block(value)
    except ValueError:
        yield f"network_cidr: '{value}' is not a network address; write '{_corrected(value)}'"
        return
    if not network.LARGEST_VPC <= block.prefixlen <= network.SMALLEST_SUBNET:
        yield f"network_cidr: '{value}' is outside what AWS allows, /16 to /28; write such as '{_corrected(value, 16)}'"
        return
    yield from _layout_problems(stack)


def _corrected(value: t.Any, prefix: int | None = None) -> str:
    try:
        block = ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return "10.0.0.0/16"
    address = block.network_address
    return str(ipaddress.ip_network(f"{address}/{prefix or block.prefixlen}", strict=False))


#: Zone letters to lay a network out with before the region was asked for its own.
ANY_ZONES = "abcdef"


def planned_subnets(values: Values) -> list[network.Subnet]:
    """The subnets that a description asks for, before the region was asked for the names of its zones.

    :raises ValueError: what does not fit.
    """
    region = str(values.get("stack_region"))
    return network.subnet_layout(
        str(values["network_cidr"]),
        zones=[f"{region}{letter}" for letter in ANY_ZONES],
        count=values.get("network_zones", 2),
        types=values.get("network_subnet_types") or ("public", "private"),
        prefix=int(values.get("network_subnet_prefix") or 0),
        given=values.get("network_subnets") or (),
    )


def _layout_problems(stack: Stack) -> t.Iterator[str]:
    try:
        subnets = planned_subnets(stack.values)
    except ValueError as error:
        variable = "network_subnets" if stack.values.get("network_subnets") else "network_cidr"
        yield f"{variable}: {error}"
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


def _overlap(stack: Stack, where: str, peer: str, other: Values) -> t.Iterator[str]:
    mine, theirs = stack.values.get("network_cidr"), other.get("network_cidr")
    try:
        overlaps = _block(mine).overlaps(_block(theirs))
    except ValueError:
        return  # said where the block itself is checked
    if overlaps:
        yield (
            f"network_cidr: '{mine}' of {stack.host} and '{theirs}' of {peer} overlap, and overlapping networks cannot"
            f" be peered ({where}); give one of them another block, such as '{_free_block(mine, theirs)}'"
        )


def _free_block(*taken: t.Any) -> str:
    blocks = [_block(value) for value in taken]
    candidates = ipaddress.ip_network("10.0.0.0/8").subnets(new_prefix=16)
    return str(next(block for block in candidates if not any(block.overlaps(other) for other in blocks)))


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


# -- instances ---------------------------------------------------------------------------------------------------------


def _instances(stack: Stack) -> list[tuple[str, Values]]:
    if "ec2_app" not in stack.tiers:
        return []
    return [
        (f"ec2_app_instances[{index}]", instance)
        for index, instance in enumerate(stack.values.get("ec2_app_instances") or [])
    ]


@rule
def _instance_names(stack: Stack) -> t.Iterator[str]:
    names = [instance.get("name") for _where, instance in _instances(stack)]
    for where, instance in _instances(stack):
        name = str(instance.get("name"))
        if not NAME.match(name):
            yield f"{where}.name: '{name}' must be lower-case letters, digits and hyphens, starting with a letter"
        if names.count(name) > 1:
            yield f"{where}.name: '{name}' is used twice; give each instance a name of its own"
        for other in instance.get("ssh_from_instances") or []:
            if other not in names:
                yield f"{where}.ssh_from_instances: there is no instance '{other}'.{nearest(other, map(str, names))}"


@rule
def _instance_ports(stack: Stack) -> t.Iterator[str]:
    for where, instance in _instances(stack):
        for port in instance.get("ports") or []:
            if port in ADMIN_PORTS:
                instead = f"write {where}.ssh_from with the addresses you trust" if port == 22 else "leave it out"
                yield f"{where}.ports: {port} ({ADMIN_PORTS[port]}) must not be open to the internet; {instead}"
            elif not 1 <= int(port) <= 65535:
                yield f"{where}.ports: {port} is not a TCP port; write 1 to 65535"
        for cidr in instance.get("ssh_from") or []:
            yield from _trusted_address(f"{where}.ssh_from", cidr)


def _trusted_address(where: str, cidr: str) -> t.Iterator[str]:
    try:
        block = _block(cidr)
    except ValueError:
        yield f"{where}: '{cidr}' is not a network address; write such as '203.0.113.7/32'"
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
    for where, instance in _instances(stack):
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
    for where, instance in _instances(stack):
        environment = (instance.get("application") or {}).get("environment") or {}
        for key in environment:
            if SECRET_NAME.search(str(key)):
                # The value is not repeated: it may be a real secret.
                yield (
                    f"{where}.application.environment.{key}: a secret in plain text does not belong in the inventory"
                    " and would stand in user data; create it in Secrets Manager and write"
                    f" application.secrets: {{{key}: NAME}}"
                )
        size = sum(len(f"{key}={value}\n") for key, value in environment.items())
        if size > ENVIRONMENT_LIMIT:
            yield (
                f"{where}.application.environment: {size} bytes do not fit into user data (at most"
                f" {ENVIRONMENT_LIMIT}); move large values to SSM parameters and name them under application.secrets"
            )


@rule
def _role_names(stack: Stack) -> t.Iterator[str]:
    for where, instance in _instances(stack):
        name = f"{stack.prefix}-{instance.get('name')}"
        if len(name) > ROLE_NAME_LIMIT:
            yield (
                f"{where}.name: the role's name '{name}' would have {len(name)} characters, IAM allows"
                f" {ROLE_NAME_LIMIT}; shorten stack_name, stack_env or the instance's name by"
                f" {len(name) - ROLE_NAME_LIMIT}"
            )


# -- sites -------------------------------------------------------------------------------------------------------------


@rule
def _sites(stack: Stack) -> t.Iterator[str]:
    if "s3_site" not in stack.tiers:
        return
    for index, site in enumerate(stack.values.get("s3_site_sites") or []):
        where = f"s3_site_sites[{index}]"
        bucket = site.get("bucket")
        if bucket and not BUCKET.match(str(bucket)):
            yield (
                f"{where}.bucket: '{bucket}' is no bucket name; 3 to 63 lower-case letters, digits, hyphens and dots,"
                f" such as '{stack.prefix}-{site.get('name')}'"
            )
        if not bucket and len(f"{stack.prefix}-{site.get('name')}") > 63 - len("-123456789012"):
            yield (
                f"{where}.name: the bucket's name would be over 63 characters; write {where}.bucket with a shorter one"
            )
    for where, path in sorted(stack.missing_directories.items()):
        yield (
            f"{where}: there is no directory '{path}'; write the path of the built site, relative to the inventory or"
            " to where the run is started"
        )

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which of the secure defaults a description has opened.

All of it is pure. The defaults are closed, so that what is said here is what the customer wrote. Where a variable has
the closed value, or its tier is not in the stack, nothing is said.
"""

from __future__ import annotations

import typing as t

Values = t.Mapping[str, t.Any]


class Opened(t.NamedTuple):
    """A default that was opened.

    :param setting: the variable, with its place in lists.
    :param value: what was written.
    :param means: what follows from it.
    """

    setting: str
    value: str
    means: str


#: One value of a variable is open: its name, that value, and what follows.
SWITCHES: tuple[tuple[str, t.Any, str], ...] = (
    ("network_flow_logs", False, "the network's traffic is not recorded"),
    ("rds_deletion_protection", False, "AWS deletes the database when asked"),
    ("rds_auto_minor_version_upgrade", False, "the database gets no security fixes by itself"),
    ("rds_final_snapshot", False, "a destroyed database leaves no last snapshot"),
    ("rds_subnets", "public", "the database stands in public subnets"),
    ("load_balancer_https", False, "visitors reach the load balancer over plain HTTP only"),
    ("load_balancer_deletion_protection", False, "AWS deletes the load balancer when asked"),
    ("load_balancer_access_logs", False, "requests to the load balancer are not logged"),
    ("ecs_app_container_insights", "disabled", "there are no metrics of tasks and containers"),
    ("ecs_app_subnets", "public", "tasks stand in public subnets"),
    ("identity_mfa", "off", "users cannot have a second factor"),
    ("identity_deletion_protection", False, "AWS deletes the user pool when asked"),
    ("identity_password_require_uppercase", False, "passwords need no upper-case letter"),
    ("identity_password_require_lowercase", False, "passwords need no lower-case letter"),
    ("identity_password_require_numbers", False, "passwords need no digit"),
)

#: The same for what stands in lists of dictionaries: list, key, open value, what follows.
ITEM_SWITCHES: tuple[tuple[str, str, t.Any, str], ...] = (
    ("storage_buckets", "versioning", False, "what is overwritten or deleted is gone"),
    ("storage_buckets", "access_logs", False, "who reads and writes the bucket is not logged"),
    ("s3_site_sites", "hosting", "website", "the bucket is public, and served over plain HTTP"),
    ("s3_site_sites", "access_logs", False, "requests to the site are not logged"),
    ("s3_site_sites", "frame_options", "none", "any site may show the pages in a frame"),
    ("s3_site_sites", "hsts_seconds", 0, "browsers may ask over plain HTTP again"),
    ("registry_repositories", "image_tag_mutability", "mutable", "a tag can be moved to another image"),
    ("registry_repositories", "scan_on_push", False, "images are not scanned for known vulnerabilities"),
    ("ecs_app_services", "read_only", False, "the root file system can be written to"),
    ("ecs_app_services", "execute_command", True, "ECS Exec may open a shell in the tasks"),
)

#: Ports that a load balancer has open by default.
WEB_PORTS = (80, 443)
WORLD = ("0.0.0.0/0", "::/0")
#: Least days of backups and least characters of a password that count as closed.
BACKUP_DAYS, PASSWORD_LENGTH = 7, 8
#: Parts of the names of security policies that take TLS before 1.2 (Application Load Balancer guide, SSL negotiation).
OLD_TLS = ("2015-05", "2016-08", "TLS-1-0", "TLS-1-1", "TLS13-1-0", "TLS13-1-1")
#: Parameters of the database that demand TLS, by whose refusal plain connections are let in.
TLS_PARAMETERS = ("rds.force_ssl", "require_secure_transport")

Rule = t.Callable[[Values], t.Iterator[Opened]]


def opened(values: Values) -> list[dict[str, str]]:
    """Every default that was opened, in the order of the rules.

    :param values: every variable of the stack and its tiers, defaults filled in.
    :returns: C(setting), C(value) and C(means) of each.
    """
    tiers = values.get("stack_tiers") or []
    found = [one for rule in RULES for one in rule(values)]
    return [one._asdict() for one in found if any(one.setting.startswith(f"{tier}_") for tier in tiers)]


def _switches(values: Values) -> t.Iterator[Opened]:
    for name, bad, means in SWITCHES:
        if name in values and _same(values[name], bad):
            yield Opened(name, _text(bad), means)


def _item_switches(values: Values) -> t.Iterator[Opened]:
    for name, key, bad, means in ITEM_SWITCHES:
        for where, item in _items(values, name):
            if key in item and _same(item[key], bad) and _counts(name, key, item):
                yield Opened(f"{where}.{key}", _text(bad), means)


def _counts(name: str, key: str, item: Values) -> bool:
    """Whether the setting has an effect: most of a site's are a distribution's."""
    return name != "s3_site_sites" or key == "hosting" or item.get("hosting") == "cdn"


def _database(values: Values) -> t.Iterator[Opened]:
    if "rds" not in (values.get("stack_tiers") or []):
        return
    if values.get("stack_env") == "prod" and not values.get("rds_multi_az", True):
        yield Opened("rds_multi_az", "false", "production's database has no standby in a second zone")
    days = int(values.get("rds_backup_retention_days", BACKUP_DAYS))
    if days < BACKUP_DAYS:
        yield Opened("rds_backup_retention_days", str(days), f"backups are kept for less than {BACKUP_DAYS} days")
    if "rds_log_exports" in values and not values["rds_log_exports"]:
        yield Opened("rds_log_exports", "[]", "the database's logs are not kept")
    for name, value in (values.get("rds_parameters") or {}).items():
        if name in TLS_PARAMETERS and str(value).lower() in ("0", "off", "false"):
            yield Opened(f"rds_parameters.{name}", str(value), "the database takes connections without TLS")


def _balancer(values: Values) -> t.Iterator[Opened]:
    policy = str(values.get("load_balancer_tls_policy", ""))
    if values.get("load_balancer_https") and any(part in policy for part in OLD_TLS):
        yield Opened("load_balancer_tls_policy", policy, "visitors may come with TLS older than 1.2")
    other = [port for port in values.get("network_load_balancer_ports") or [] if int(port) not in WEB_PORTS]
    if other and "load_balancer" in (values.get("stack_tiers") or []):
        yield Opened("network_load_balancer_ports", _text(other), "the load balancer is open to the internet there too")


def _instances(values: Values) -> t.Iterator[Opened]:
    for where, item in _items(values, "ec2_app_instances"):
        if item.get("ports"):
            yield Opened(f"{where}.ports", _text(item["ports"]), "open to the internet")
        if item.get("ssh_from"):
            everyone = any(cidr in WORLD for cidr in item["ssh_from"])
            means = "SSH is open to the internet" if everyone else "SSH is open to these networks"
            yield Opened(f"{where}.ssh_from", _text(item["ssh_from"]), means)


def _groups(values: Values) -> t.Iterator[Opened]:
    for where, group in _items(values, "network_security_groups"):
        for index, rule in enumerate(group.get("rules") or []):
            sources = [rule.get(key) for key in ("cidr_ip", "cidr_ipv6")]
            flat = [str(one) for source in sources for one in (source if isinstance(source, list) else [source])]
            if any(cidr in WORLD for cidr in flat):
                ports = rule.get("ports") or rule.get("from_port") or "all ports"
                yield Opened(f"{where}.rules[{index}]", _text(ports), "open to the internet")


def _buckets(values: Values) -> t.Iterator[Opened]:
    for where, bucket in _items(values, "storage_buckets"):
        for index, statement in enumerate(bucket.get("policy_statements") or []):
            principal = statement.get("Principal")
            everyone = principal in ("*", {"AWS": "*"}) and statement.get("Effect") == "Allow"
            if everyone and not statement.get("Condition"):
                yield Opened(f"{where}.policy_statements[{index}]", "Principal *", "everyone may do what it allows")


def _passwords(values: Values) -> t.Iterator[Opened]:
    length = int(values.get("identity_password_minimum_length", PASSWORD_LENGTH))
    if length < PASSWORD_LENGTH:
        means = f"passwords may be shorter than {PASSWORD_LENGTH} characters"
        yield Opened("identity_password_minimum_length", str(length), means)


def _alarms(values: Values) -> t.Iterator[Opened]:
    if "monitoring" not in (values.get("stack_tiers") or []):
        return
    if not values.get("monitoring_emails") and not values.get("monitoring_webhooks"):
        yield Opened("monitoring_emails", "[]", "alarms reach nobody, and there are no webhooks either")


RULES: tuple[Rule, ...] = (
    _switches,
    _item_switches,
    _database,
    _balancer,
    _instances,
    _groups,
    _buckets,
    _passwords,
    _alarms,
)


def _items(values: Values, name: str) -> t.Iterator[tuple[str, Values]]:
    """The dictionaries of a list, each with its place: its name where it has one."""
    for index, item in enumerate(values.get(name) or []):
        yield f"{name}[{item.get('name', index)}]", item


def _same(value: t.Any, bad: t.Any) -> bool:
    """Whether a value is the open one; a number is no truth value here."""
    return isinstance(value, bool) is isinstance(bad, bool) and bool(value == bad)


def _text(value: t.Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a stack's description to the certificates, record sets and health checks that it asks for."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.palier.aws.plugins.module_utils.dns_names import full, plain, within

Values = t.Mapping[str, t.Any]
Record = dict[str, t.Any]

#: Hosted zones of every CloudFront distribution, by partition (Route 53 API reference, AliasTarget; Amazon Web Services
#: in China, Route 53).
CLOUDFRONT_ZONES = {"aws": "Z2FDTNDATAQYW2", "aws-cn": "Z3RFFRIM2A3IF5"}
#: Where CloudFront's certificates are (CloudFront developer guide, "Requirements for using SSL/TLS certificates").
CLOUDFRONT_REGION = "us-east-1"
#: What a plan names in the place of what does not exist yet.
STANDIN_ZONE = "Z0000000000000000000"
STANDIN_ARN = "arn:{partition}:acm:{region}:{account}:certificate/00000000-0000-0000-0000-000000000000"
#: Seconds that a record is kept by resolvers, where the description does not say.
TTL = 300

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")


# -- names -------------------------------------------------------------------------------------------------------------


def is_domain(name: str, wildcard: bool = False) -> bool:
    """Whether something is a domain name of at most 253 characters.

    :param name: in any spelling.
    :param wildcard: whether its first label may be a C(*).
    """
    labels = plain(name).split(".")
    if wildcard and labels[0] == "*":
        labels = labels[1:]
    return len(plain(name)) <= 253 and bool(labels) and all(_LABEL.match(label) for label in labels)


def record_name(record: Values, zone: str) -> str:
    """The full name of a record of the description."""
    return full(str(record.get("name", "")), zone)


def record_types(record: Values) -> list[str]:
    """The types of a record of the description: an alias stands for IPv4 and IPv6, unless it names one."""
    if record.get("type"):
        return [str(record["type"])]
    return ["A", "AAAA"] if record.get("alias") else []


def set_identifier(record: Values, prefix: str) -> str:
    """Its name among record sets of the same name and type; empty where there is one."""
    several = record.get("failover") or record.get("weight") is not None
    return str(record.get("set_identifier") or (prefix if several else ""))


def site_of(record: Values) -> str:
    """The site whose distribution a record is an alias of, or nothing."""
    kind, _colon, site = str(record.get("alias") or "").partition(":")
    return site if kind == "site" else ""


# -- records -----------------------------------------------------------------------------------------------------------


def _target(record: Values, targets: Values) -> tuple[str, str]:
    """Hosted zone and name of what a record is an alias of."""
    site = site_of(record)
    if site:
        facts = (targets.get("sites") or {}).get(site) or {}
        zone = CLOUDFRONT_ZONES.get(str(targets.get("partition")), CLOUDFRONT_ZONES["aws"])
        name, standin = facts.get("distribution_domain"), "planned.cloudfront.net"
        missing = f"the distribution of the site {site}"
    else:
        facts = targets.get("load_balancer") or {}
        zone, name = facts.get("zone_id") or STANDIN_ZONE, facts.get("dns_name")
        standin, missing = "planned.elb.amazonaws.com", "the load balancer"
    if not name and not targets.get("planning"):
        raise ValueError(f"dns_records: {record.get('name')} is an alias of {missing}, which does not exist; deploy it")
    return zone, str(name or standin)


def _alias(record: Values, targets: Values) -> Record:
    zone, name = _target(record, targets)
    if site_of(record):
        # Route 53 takes no EvaluateTargetHealth for a distribution (API reference, AliasTarget).
        return {"zone_id": zone, "dns_name": name, "evaluate_target_health": False}
    # With this prefix the balancer answers over IPv6 too, where it has that (ELB user guide, "DNS name").
    return {
        "zone_id": zone,
        "dns_name": f"dualstack.{name}",
        "evaluate_target_health": bool(record.get("evaluate_target_health", True)),
    }


def dns_record_sets(
    records: t.Iterable[Values], zone: str, prefix: str, targets: Values, health_checks: t.Mapping[str, str]
) -> list[Record]:
    """The record sets that a description asks for, as C(route53_records) wants them.

    :param records: C(dns_records), defaults filled in.
    :param zone: name of the zone.
    :param prefix: beginning of the stack's names.
    :param targets: what aliases point at: C(load_balancer), C(sites), C(partition), and C(planning) in check mode.
    :param health_checks: ids of health checks by name.
    :raises ValueError: what an alias points at does not exist.
    """
    sets = []
    for record in records:
        alias = _alias(record, targets) if record.get("alias") else None
        for kind in record_types(record):
            sets.append(
                {
                    "name": record_name(record, zone),
                    "type": kind,
                    **({"alias": alias} if alias else {"ttl": record["ttl"], "values": list(record["values"])}),
                    "set_identifier": set_identifier(record, prefix),
                    "failover": record.get("failover") or "",
                    **({} if record.get("weight") is None else {"weight": record["weight"]}),
                    "health_check_id": health_checks.get(health_check_name(record, zone, prefix), "")
                    if record.get("health_check")
                    else "",
                    "takeover": bool(record.get("takeover")),
                }
            )
    return sets


def health_check_name(record: Values, zone: str, prefix: str) -> str:
    """Name of a record's health check."""
    kind = record.get("type") or "alias"
    return f"{prefix} {record_name(record, zone)} {kind} {set_identifier(record, prefix)}".strip()


def dns_health_checks(records: t.Iterable[Values], zone: str, prefix: str, targets: Values) -> list[Record]:
    """The health checks that a description asks for, as C(route53_health_checks) wants them.

    The stack's own endpoint is asked, never the name that moves with the failover.

    :param records: C(dns_records), defaults filled in.
    :param zone: name of the zone.
    :param prefix: beginning of the stack's names.
    :param targets: see L{dns_record_sets}.
    """
    return [
        {
            **record["health_check"],
            **_endpoint(record, zone, targets),
            "name": health_check_name(record, zone, prefix),
        }
        for record in records
        if record.get("health_check")
    ]


def _endpoint(record: Values, zone: str, targets: Values) -> Record:
    check = record["health_check"]
    if check.get("fqdn") or check.get("ip_address"):
        return {}
    if record.get("alias"):
        return {"fqdn": _target(record, targets)[1]}
    if record.get("type") in ("A", "AAAA"):
        return {"ip_address": str(record["values"][0]), "fqdn": record_name(record, zone)}
    return {"fqdn": plain(str(record["values"][0]))}


# -- certificates ------------------------------------------------------------------------------------------------------


def dns_certificates(certificates: t.Iterable[Values], region: str) -> list[Record]:
    """The certificates of a description, each with its region.

    :param certificates: C(dns_certificates), defaults filled in.
    :param region: the stack's region.
    """
    return [{**one, "region": str(one.get("region") or region)} for one in certificates]


def dns_base_records(
    certificates: t.Iterable[Values], issuers: t.Iterable[str], report: str, managed: bool
) -> list[Record]:
    """The records that certificates need: those that validate them, each once, and those that say who may issue.

    :param certificates: what C(acm_certificate_request) returns, with C(validation_records) or C(kept_records).
    :param issuers: the authorities that may issue; none for no CAA record.
    :param report: where an authority reports a request that it refused; empty for nowhere.
    :param managed: whether the zone is ours; who may issue is the owner's to say.
    """
    listed = [one.get("validation_records") or one.get("kept_records") or [] for one in certificates]
    found = {record["name"]: record["value"] for records in listed for record in records}
    records: list[Record] = [
        {"name": name, "type": "CNAME", "ttl": TTL, "values": [value], "shared": True}
        for name, value in sorted(found.items())
    ]
    caa = [f'0 issue "{issuer}"' for issuer in issuers] + ([f'0 iodef "{report}"'] if report else [])
    if managed and caa:
        records.append({"name": "@", "type": "CAA", "ttl": TTL, "values": caa})
    return records


def dns_facts(
    zone: Values, certificates: t.Iterable[Values], partition: str, account: str, planning: bool
) -> dict[str, t.Any]:
    """What the tier publishes.

    :param zone: as C(route53_hosted_zone) returns it.
    :param certificates: results of a loop of C(acm_certificate_request) over C(dns_certificates), regions filled in.
    :param partition: the account's partition.
    :param account: its number.
    :param planning: name stand-ins for what does not exist yet.
    """
    found = {}
    for one in certificates:
        described, region = one["certificate"], one["item"]["region"]
        standin = STANDIN_ARN.format(partition=partition, region=region, account=account) if planning else ""
        found[one["item"]["name"]] = {
            "arn": described["arn"] or standin,
            "region": region,
            "status": described["status"],
            "expires_in_days": described["expires_in_days"],
        }
    return {
        "zone": zone["name"],
        "zone_id": zone["zone_id"] or (STANDIN_ZONE if planning else ""),
        "name_servers": list(zone["name_servers"]),
        "certificates": found,
    }


# -- values ------------------------------------------------------------------------------------------------------------

#: What the values of some types look like.
_FORMS = {
    "CAA": (re.compile(r'(0|128) (issue|issuewild|iodef) "[^"]*"\Z'), '0 issue "amazon.com"'),
    "MX": (re.compile(r"\d{1,5} \S+\Z"), "10 mail.example.com"),
    "SRV": (re.compile(r"\d{1,5} \d{1,5} \d{1,5} \S+\Z"), "1 10 5269 xmpp.example.com"),
}


def value_problem(kind: str, value: str) -> str:
    """Why a value is none of its type, and what one looks like; or nothing."""
    if kind in ("A", "AAAA"):
        version = 4 if kind == "A" else 6
        try:
            right = ipaddress.ip_address(value).version == version
        except ValueError:
            right = False
        return "" if right else f"is no IPv{version} address; write such as '{_ADDRESSES[kind]}'"
    if kind == "CNAME" and not is_domain(value):
        return "is no domain name; write such as 'shop.example.com'"
    if kind in _FORMS and not _FORMS[kind][0].match(value):
        return f"is no value of type {kind}; write such as '{_FORMS[kind][1]}'"
    return ""


_ADDRESSES = {"A": "203.0.113.7", "AAAA": "2001:db8::7"}


def outside(names: t.Iterable[str], zone: str) -> list[str]:
    """Those of a certificate's names that cannot be validated in a zone."""
    return [name for name in names if not within(plain(name).removeprefix("*."), zone)]

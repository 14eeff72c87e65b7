# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Route 53: change batches as a whole, what may stand beside what, and references."""

from __future__ import annotations

import copy
import typing as t
from collections import Counter

from moto.route53 import models
from moto.route53.exceptions import NoSuchHealthCheck, Route53ClientError

from tests.emulator.patches import around, before, patch

_API = "Route 53 API reference"
#: The zone of all distributions, and the domain in which their names are.
_CLOUDFRONT = ("Z2FDTNDATAQYW2", "cloudfront.net.")
_Key = tuple[str, str, str]


def _refuse(message: str, code: str = "InvalidChangeBatch") -> t.NoReturn:
    raise Route53ClientError(code, message)


def _escaped(name: str) -> str:
    """A name as Route 53 gives it back."""
    name = name.lower().replace("*", "\\052")
    return name if name.endswith(".") else f"{name}."


@patch(
    restores="A batch is carried out whole or not at all, in its order; a removal must repeat all that is there.",
    source=f"{_API}, ChangeResourceRecordSets; Developer guide, DNS domain name format",
    touches="moto.route53.models:Route53Backend.change_resource_record_sets",
)
def atomic_batches() -> None:
    """Work on a copy, and keep it only if nothing is refused."""

    def change(self: t.Any, zoneid: str, change_list: list[dict[str, t.Any]]) -> None:
        zone = self.get_hosted_zone(zoneid)
        records = {_key(record): record for record in zone.rrsets}
        for one in change_list:
            wanted = _record(one["ResourceRecordSet"], zone)
            _apply(records, one["Action"], wanted, zone)
        _check_neighbours(records, zone)
        for record in records.values():
            if record.health_check_id and record.health_check_id not in self.health_checks:
                raise NoSuchHealthCheck(record.health_check_id)
        zone.rrsets = list(records.values())

    models.Route53Backend.change_resource_record_sets = change  # type: ignore[method-assign]


def _key(record: t.Any) -> _Key:
    return record.name, record.type, record.set_identifier or ""


def _record(given: dict[str, t.Any], zone: t.Any) -> t.Any:
    given = copy.deepcopy(given)
    given["Name"] = _escaped(given["Name"])
    given["ResourceRecords"] = [one["Value"] for one in given.get("ResourceRecords") or []]
    if given.get("AliasTarget"):
        given["AliasTarget"]["DNSName"] = _escaped(given["AliasTarget"]["DNSName"])
    if given["Name"] != zone.name and not given["Name"].endswith(f".{zone.name}"):
        _refuse(f"RRSet with DNS name {given['Name']} is not permitted in zone {zone.name}")
    return models.RecordSet(given)


def _apply(records: dict[_Key, t.Any], action: str, wanted: t.Any, zone: t.Any) -> None:
    key, there = _key(wanted), records.get(_key(wanted))
    described = f"[name='{wanted.name}', type='{wanted.type}'" + (
        f", set-identifier='{wanted.set_identifier}']" if wanted.set_identifier else "]"
    )
    if action == "DELETE":
        if there is None:
            _refuse(f"Tried to delete resource record set {described} but it was not found")
        if _values(there) != _values(wanted):
            _refuse(
                f"Tried to delete resource record set {described} but the values provided do not match the current"
                " values"
            )
        if wanted.name == zone.name and wanted.type in ("NS", "SOA"):
            _refuse(f"A HostedZone must contain at least one NS record and one SOA record: {described}")
        del records[key]
        return
    if action == "CREATE" and there is not None:
        _refuse(f"Tried to create resource record set {described} but it already exists")
    _check_values(wanted, described)
    records[key] = wanted


def _values(record: t.Any) -> tuple[t.Any, ...]:
    return (
        str(record.ttl) if record.ttl is not None else None,
        sorted(record.records or []),
        record.alias_target or None,
        record.weight,
        record.failover,
        record.health_check_id,
    )


def _check_values(wanted: t.Any, described: str) -> None:
    if bool(wanted.alias_target) == bool(wanted.records):
        _refuse(
            f"Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]] in {described}", "InvalidInput"
        )
    if wanted.records and wanted.ttl is None:
        _refuse(f"Missing field 'TTL' in {described}", "InvalidInput")
    if len(set(wanted.records or [])) != len(wanted.records or []):
        _refuse(f"Duplicate Resource Record in {described}")
    if wanted.type == "CNAME" and len(wanted.records) > 1:
        _refuse(f"{described} contains multiple values; a CNAME has one")
    for value in wanted.records or []:
        if wanted.type == "TXT" and not (value.startswith('"') and value.endswith('"')):
            _refuse(
                f"Invalid Resource Record: INVALID_CHARACTER_STRING: '{value}' should be enclosed in quotation marks"
            )
    policies = [one for one in (wanted.failover, wanted.weight, wanted.region) if one is not None]
    if bool(policies) != bool(wanted.set_identifier):
        _refuse(f"SetIdentifier and a routing policy belong together in {described}", "InvalidInput")


@patch(
    restores="An alias names something in its target's zone; a distribution's health is not evaluated.",
    source=f"{_API}, AliasTarget (DNSName, HostedZoneId, EvaluateTargetHealth)",
    touches="moto.route53.models:Route53Backend.change_resource_record_sets",
)
def alias_targets() -> None:
    """Check those that point at distributions and into the account's own zones."""

    @before(models.Route53Backend, "change_resource_record_sets")
    def check(self: t.Any, zoneid: str, change_list: list[dict[str, t.Any]]) -> None:
        for one in change_list:
            target = one["ResourceRecordSet"].get("AliasTarget")
            if not target or one["Action"] == "DELETE":
                continue
            _check_alias(self, target, one["ResourceRecordSet"])


def _check_alias(backend: t.Any, target: dict[str, t.Any], record: dict[str, t.Any]) -> None:
    zone, name = target["HostedZoneId"], _escaped(target["DNSName"])
    domain = _CLOUDFRONT[1] if zone == _CLOUDFRONT[0] else getattr(backend.zones.get(zone), "name", "")
    if domain and name != domain and not name.endswith(f".{domain}"):
        _refuse(
            f"Tried to create an alias that targets {name}, type {record['Type']} in zone {zone}, but the alias target"
            " name does not lie within the target zone"
        )
    if zone == _CLOUDFRONT[0] and str(target.get("EvaluateTargetHealth")).lower() == "true":
        _refuse(f"EvaluateTargetHealth cannot be true for the alias target {name}")


def _check_neighbours(records: dict[_Key, t.Any], zone: t.Any) -> None:
    """What may not stand beside each other, after all of a batch."""
    by_name: dict[str, list[t.Any]] = {}
    for record in records.values():
        by_name.setdefault(record.name, []).append(record)
    for name, some in by_name.items():
        types = {record.type for record in some}
        if "CNAME" in types and name == zone.name:
            _refuse(f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone.name}")
        if "CNAME" in types and len(types) > 1:
            _refuse(
                f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the"
                f" same DNS name in zone {zone.name}"
            )
        for kind in types:
            _check_set(name, kind, [record for record in some if record.type == kind])


def _check_set(name: str, kind: str, some: list[t.Any]) -> None:
    if len({bool(record.set_identifier) for record in some}) > 1:
        _refuse(
            f"RRSet with DNS name {name}, type {kind} cannot be created as a non-simple set exists with the same name"
        )
    policies = {(record.failover is not None, record.weight is not None) for record in some}
    if len(policies) > 1:
        _refuse(f"RRSet with DNS name {name}, type {kind} mixes routing policies")
    for place, count in Counter(record.failover for record in some if record.failover).items():
        if count > 1:
            _refuse(f"RRSet with DNS name {name}, type {kind} has {count} failover records {place}")


@patch(
    restores="A reference makes a zone or health check once; a health check's ports, SNI and version are AWS's.",
    source=f"{_API}, CreateHostedZone and CreateHealthCheck (CallerReference), HealthCheckConfig, UpdateHealthCheck",
    touches=(
        "moto.route53.models:Route53Backend.create_hosted_zone",
        "moto.route53.models:Route53Backend.create_health_check",
        "moto.route53.models:Route53Backend.update_health_check",
    ),
)
def references_and_defaults() -> None:
    """Refuse a reference that was used, and fill in what moto leaves at one value."""

    @before(models.Route53Backend, "create_hosted_zone")
    def zone(self: t.Any, name: str, private_zone: bool, caller_reference: str | None = None, **_: t.Any) -> None:
        if any(one.caller_reference == caller_reference for one in self.zones.values() if caller_reference):
            _refuse(
                "A hosted zone has already been created with the specified caller reference.", "HostedZoneAlreadyExists"
            )

    @around(models.Route53Backend, "create_health_check")
    def check(original: t.Callable[..., t.Any], self: t.Any, caller_reference: str, health_check_args: t.Any) -> t.Any:
        same = [one for one in self.health_checks.values() if one.caller_reference == caller_reference]
        if same:
            return same[0]
        secure = str(health_check_args.get("type")).startswith("HTTPS")
        filled = {
            **health_check_args,
            "port": health_check_args.get("port") or (443 if secure else None),
            "enable_sni": secure if health_check_args.get("enable_sni") is None else health_check_args["enable_sni"],
        }
        return original(self, caller_reference, filled)

    @around(models.Route53Backend, "update_health_check")
    def update(original: t.Callable[..., t.Any], self: t.Any, health_check_id: str, health_check_args: t.Any) -> t.Any:
        # moto takes a list that was not given for one that was emptied.
        given = {name: value for name, value in health_check_args.items() if value != []}
        changed = original(self, health_check_id, given)
        changed.health_check_version += 1
        return changed


@patch(
    restores="The tags of a zone or health check go with it.",
    source=f"{_API}, DeleteHostedZone, DeleteHealthCheck and ListTagsForResource",
    touches=(
        "moto.route53.models:Route53Backend.delete_health_check",
        "moto.route53.models:Route53Backend.list_tags_for_resources",
    ),
)
def tags_of_what_exists() -> None:
    """Refuse to tell or change what is not there."""

    @around(models.Route53Backend, "delete_health_check")
    def delete(original: t.Callable[..., None], self: t.Any, health_check_id: str) -> None:
        if health_check_id not in self.health_checks:
            raise NoSuchHealthCheck(health_check_id)
        original(self, health_check_id)
        self.resource_tags.pop(health_check_id, None)

    @before(models.Route53Backend, "list_tags_for_resources")
    def tags(self: t.Any, resource_type: str, resource_ids: list[str]) -> None:
        if len(resource_ids) > 10:
            _refuse("ResourceIds may hold at most 10 ids", "InvalidInput")
        for identifier in resource_ids:
            if resource_type == "healthcheck" and identifier not in self.health_checks:
                raise NoSuchHealthCheck(identifier)

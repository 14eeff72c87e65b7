# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Record sets of a zone: what they are, whose they are, and which changes make them what is wanted.

Nothing outside the zone remembers which records are ours. Each owner keeps one TXT record in the zone itself, its
claim: a short digest for each of its record sets. The claim changes in the same batch as the records, and a batch is
carried out whole or not at all, so that records and claim cannot disagree. Digests, because anybody can ask for a TXT
record, and a zone need not list its names to anybody.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from ansible_collections.palier.aws.plugins.module_utils.dns_names import full, plain, within
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = dict[str, t.Any]
Key = tuple[str, str, str]

#: How a claim's values begin.
CLAIM = "palier.aws/1"
CLAIM_PREFIX = "_palier-"
#: Hexadecimal digits of a digest (64 bits), and digests in one string of at most 255 characters (RFC 1035, 3.3).
DIGITS, DIGESTS_A_VALUE = 16, 14
CLAIM_TTL = 300
#: Longest label of a name, longest string of a TXT value (RFC 1035, 2.3.4 and 3.3).
LABEL, STRING = 63, 255
#: What one request may hold; a value that replaces another counts twice, as its removal and its creation (Route 53
#: developer guide, "Quotas", ChangeResourceRecordSets).
ELEMENTS, CHARACTERS = 1000, 32000
#: Types whose values end in a host name.
_HOSTS = ("CNAME", "NS", "MX", "SRV", "PTR")
_COMPARED = (
    "Name",
    "Type",
    "TTL",
    "ResourceRecords",
    "AliasTarget",
    "SetIdentifier",
    "Failover",
    "Weight",
    "HealthCheckId",
)


class RecordsError(Exception):
    """What stands in the way, one sentence each."""

    def __init__(self, sentences: t.Iterable[str]) -> None:
        self.sentences = list(sentences)
        super().__init__("\n".join(self.sentences))


@dataclass(frozen=True)
class Alias:
    """What an alias record points at.

    :param zone_id: hosted zone of the target.
    :param dns_name: name of the target.
    :param evaluate: whether the target's health counts.
    """

    zone_id: str
    dns_name: str
    evaluate: bool = False


@dataclass(frozen=True)
class RecordSet:
    """One record set.

    :param name: full name, in our own spelling.
    :param type: C(A), C(TXT), …
    :param ttl: seconds; C(None) for an alias.
    :param values: its values in Route 53's form, sorted.
    :param alias: its target, where it is an alias.
    :param set_identifier: its name among those of the same name and type; empty where there is only one.
    :param failover: C(PRIMARY), C(SECONDARY) or empty.
    :param weight: its share, or C(None).
    :param health_check_id: its health check, or empty.
    :param other: what else Route 53 says of it (routing by region, for example), as JSON text.
    :param raw: Route 53's own description, which its removal repeats.
    """

    name: str
    type: str
    ttl: int | None = None
    values: tuple[str, ...] = ()
    alias: Alias | None = None
    set_identifier: str = ""
    failover: str = ""
    weight: int | None = None
    health_check_id: str = ""
    other: str = ""
    raw: Document | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> Key:
        return self.name, self.type, self.set_identifier

    @property
    def digest(self) -> str:
        """What stands for it in a claim."""
        return hashlib.sha256("|".join(self.key).encode()).hexdigest()[:DIGITS]

    def __str__(self) -> str:
        return f"{self.type} record {self.name}" + (f" ({self.set_identifier})" if self.set_identifier else "")

    def to_aws(self) -> Document:
        """In Route 53's form."""
        if self.raw is not None:
            return self.raw
        document: Document = {"Name": f"{self.name}.", "Type": self.type}
        if self.alias:
            document["AliasTarget"] = {
                "HostedZoneId": self.alias.zone_id,
                "DNSName": f"{self.alias.dns_name}.",
                "EvaluateTargetHealth": self.alias.evaluate,
            }
        else:
            document["TTL"] = self.ttl
            document["ResourceRecords"] = [{"Value": value} for value in self.values]
        optional = {
            "SetIdentifier": self.set_identifier,
            "Failover": self.failover,
            "HealthCheckId": self.health_check_id,
        }
        document.update({name: value for name, value in optional.items() if value})
        return document if self.weight is None else {**document, "Weight": self.weight}

    def shown(self) -> Document:
        """For a diff."""
        document: Document = {"alias": self.alias.dns_name} if self.alias else {"ttl": self.ttl}
        if self.values:
            document["values"] = list(self.values)
        if self.alias and self.alias.evaluate:
            document["evaluate_target_health"] = True
        for name in ("failover", "weight", "health_check_id", "other"):
            if getattr(self, name) not in ("", None):
                document[name] = getattr(self, name)
        return document


@dataclass(frozen=True)
class Wanted:
    """A record set as it should be.

    :param record: the record set.
    :param shared: several owners may want it, all the same (the validation record of a domain).
    :param takeover: it may replace one that nobody claims.
    """

    record: RecordSet
    shared: bool = False
    takeover: bool = False


def from_aws(document: Document) -> RecordSet:
    """A record set as Route 53 lists it."""
    kind = document["Type"]
    target = document.get("AliasTarget")
    other = {key: value for key, value in sorted(document.items()) if key not in _COMPARED}
    return RecordSet(
        name=plain(document["Name"]),
        type=kind,
        ttl=document.get("TTL"),
        values=tuple(sorted(value(kind, one["Value"]) for one in document.get("ResourceRecords") or [])),
        alias=Alias(target["HostedZoneId"], plain(target["DNSName"]), target["EvaluateTargetHealth"])
        if target
        else None,
        set_identifier=document.get("SetIdentifier") or "",
        failover=document.get("Failover") or "",
        weight=document.get("Weight"),
        health_check_id=document.get("HealthCheckId") or "",
        other=json.dumps(other, sort_keys=True, default=str) if other else "",
        raw=document,
    )


def from_options(options: Document, zone: str) -> Wanted:
    """A record set as the module's options have it."""
    kind, target = options["type"], options.get("alias")
    alias = (
        Alias(target["zone_id"], plain(target["dns_name"]), bool(target.get("evaluate_target_health")))
        if target
        else None
    )
    return Wanted(
        RecordSet(
            name=full(options["name"], zone),
            type=kind,
            ttl=None if target else options.get("ttl") or CLAIM_TTL,
            values=() if target else tuple(sorted({value(kind, one) for one in options.get("values") or []})),
            alias=alias,
            set_identifier=options.get("set_identifier") or "",
            failover=(options.get("failover") or "").upper(),
            weight=options.get("weight"),
            health_check_id=options.get("health_check_id") or "",
        ),
        shared=bool(options.get("shared")),
        takeover=bool(options.get("takeover")),
    )


def value(kind: str, text: str) -> str:
    """One value in the form in which two spellings of the same are equal."""
    text = text.strip()
    if kind in ("TXT", "SPF"):
        return text if text.startswith('"') else quoted(text)
    if kind == "AAAA":
        try:
            return str(ipaddress.IPv6Address(text))
        except ValueError:
            return text
    if kind in _HOSTS:
        *front, host = text.split()
        return " ".join([*front, f"{host.rstrip('.').lower()}." if host != "." else host])
    return text


def quoted(text: str) -> str:
    """A TXT value as Route 53 wants it: strings of at most 255 characters in quotation marks."""
    pieces = [text[start : start + STRING] for start in range(0, len(text), STRING)] or [""]
    return " ".join('"' + re.sub(r'(["\\])', r"\\\1", piece) + '"' for piece in pieces)


# -- whose a record is -------------------------------------------------------------------------------------------------


def claim_name(owner: str, zone: str) -> str:
    """The name of an owner's claim. A long one is cut, with a digest for what is cut off."""
    label = CLAIM_PREFIX + re.sub(r"[^a-z0-9-]+", "-", owner.lower())
    if len(label) > LABEL:
        label = f"{label[: LABEL - 9]}-{hashlib.sha256(owner.encode()).hexdigest()[:8]}"
    return f"{label}.{plain(zone)}"


def claim_record(owner: str, zone: str, digests: t.Iterable[str]) -> RecordSet:
    """The record that says what an owner has."""
    ordered = sorted(digests)
    rows = [ordered[start : start + DIGESTS_A_VALUE] for start in range(0, len(ordered), DIGESTS_A_VALUE)]
    values = tuple(sorted(quoted(" ".join([CLAIM, *row])) for row in rows))
    return RecordSet(claim_name(owner, zone), "TXT", CLAIM_TTL, values)


def claimed(record: RecordSet) -> frozenset[str]:
    """The digests in a claim; none if the record is no claim."""
    if record.type != "TXT" or not record.name.startswith(CLAIM_PREFIX):
        return frozenset()
    words = [one.strip('"').split() for one in record.values]
    return frozenset(digest for row in words if row[:1] == [CLAIM] for digest in row[1:])


def claims(current: t.Iterable[RecordSet]) -> dict[str, frozenset[str]]:
    """The digests of every claim in a zone, by the claim's name."""
    return {record.name: digests for record in current if (digests := claimed(record))}


def others_of(every: t.Mapping[str, t.Collection[str]], own: t.Collection[str]) -> dict[str, list[str]]:
    """By digest the names of the claims that hold it, own ones left out."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(every) - set(own)):
        for digest in every[name]:
            found[digest].append(name)
    return found


def left(current: t.Iterable[RecordSet], zone: str, owners: t.Iterable[str] = ()) -> list[RecordSet]:
    """What a zone holds beyond its own NS and SOA records and what these owners alone have.

    :param current: the zone's records.
    :param zone: name of the zone.
    :param owners: owners whose records are about to go.
    """
    current = list(current)
    own = {claim_name(owner, zone) for owner in owners}
    every = claims(current)
    gone = {digest for name in own for digest in every.get(name, ())}
    others = others_of(every, own)
    return [
        record
        for record in current
        if not (record.name == plain(zone) and record.type in ("NS", "SOA"))
        and record.name not in own
        and (record.digest not in gone or record.digest in others)
    ]


# -- planning ----------------------------------------------------------------------------------------------------------


@dataclass
class Plan:
    """What will be done.

    :param steps: the decisions.
    :param removals: record sets to take away.
    :param creations: record sets to make; one that changes is in both.
    :param relied_on: claims of others because of which a record stays.
    """

    steps: list[Step] = field(default_factory=list)
    removals: list[RecordSet] = field(default_factory=list)
    creations: list[RecordSet] = field(default_factory=list)
    relied_on: list[RecordSet] = field(default_factory=list)
    claim_before: RecordSet | None = None
    claim_after: RecordSet | None = None


def plan(
    current: t.Iterable[RecordSet],
    wanted: t.Sequence[Wanted],
    *,
    owner: str,
    zone: str,
    create: bool = True,
    purge: bool = False,
    protected: t.Collection[str] = (),
) -> Plan:
    """What makes an owner's records what they should be, without touching anybody else's.

    :param current: every record of the zone.
    :param wanted: what the owner should have.
    :param owner: name of the owner.
    :param zone: name of the zone.
    :param create: make and change what is wanted; without it nothing is made.
    :param purge: take away what the owner has and does not want any more.
    :param protected: names of records that somebody outside needs: they stay, and are nobody's then.
    :raises RecordsError: what is in the way.
    """
    planning = _Planning(current, wanted, owner, zone, {plain(name) for name in protected})
    if purge:
        planning.purge()
    if create:
        planning.create()
    if planning.sentences:
        raise RecordsError(planning.sentences)
    planning.claim(forget=purge)
    return planning.plan


class _Planning:
    """One run of L{plan}."""

    def __init__(
        self, current: t.Iterable[RecordSet], wanted: t.Sequence[Wanted], owner: str, zone: str, protected: set[str]
    ) -> None:
        self.current = {record.key: record for record in current}
        self.wanted = {one.record.key: one for one in wanted}
        self.owner, self.zone, self.protected = owner, zone, protected
        every = claims(self.current.values())
        self.own = claim_name(owner, zone)
        self.mine = set(every.get(self.own, ()))
        self.others = others_of(every, [self.own])
        self.claims_now = set(self.mine)
        self.kept: set[str] = set()
        self.sentences: list[str] = []
        self.plan = Plan()

    def purge(self) -> None:
        for key, record in self.current.items():
            if record.digest not in self.mine or key in self.wanted or record.name == self.own:
                continue
            holders = self.others.get(record.digest)
            if holders:
                self.plan.relied_on.append(self.current[(holders[0], "TXT", "")])
                self._step("keep", record, f"{holders[0]} claims it as well")
            elif record.name in self.protected:
                self._step("keep", record, "a certificate that is not this stack's needs it")
            else:
                self.plan.removals.append(record)
                self._step("delete", record, "it is not wanted any more", record)

    def create(self) -> None:
        for key, one in self.wanted.items():
            record, there = one.record, self.current.get(key)
            if not within(record.name, self.zone):
                self.sentences.append(f"{record} is not within the zone {self.zone}; leave it out")
            elif there is None:
                self._make(one)
            elif there == record:
                self._found(one)
            else:
                self._change(one, there)

    def claim(self, forget: bool) -> None:
        """Say in the claim what is the owner's now."""
        wanted = {one.record.digest for one in self.wanted.values()}
        digests = self.claims_now & wanted if forget else self.claims_now
        before = self.current.get((self.own, "TXT", ""))
        after = claim_record(self.owner, self.zone, digests) if digests else None
        self.plan.claim_before, self.plan.claim_after = before, after
        if before == after:
            return
        verb = "create" if before is None else "modify" if after else "delete"
        reason = f"it says which records are {self.owner}'s"
        shown = [None if record is None else {"values": list(record.values)} for record in (before, after)]
        self.plan.steps.append(Step(verb, f"TXT record {self.own}", reason, *shown))

    def _step(
        self, verb: str, record: RecordSet, reason: str, before: RecordSet | None = None, after: RecordSet | None = None
    ) -> None:
        shown = [None if one is None else one.shown() for one in (before, after)]
        self.plan.steps.append(Step(verb, str(record), reason, *shown))

    def _make(self, one: Wanted) -> None:
        record = one.record
        clash = self._clash(record)
        if clash:
            self.sentences.append(clash)
            return
        self.plan.creations.append(record)
        self.claims_now.add(record.digest)
        self._step("create", record, "it does not exist", None, record)

    def _found(self, one: Wanted) -> None:
        record, holders = one.record, self.others.get(one.record.digest)
        if record.digest in self.mine:
            self._step("keep", record, "it is as wanted")
        elif holders and not one.shared:
            self.sentences.append(
                f"{record} belongs to {holders[0]}; leave it out of one of the two, or give each a set identifier"
            )
        elif holders or one.takeover:
            self.claims_now.add(record.digest)
            self._step("keep", record, "it is as wanted, and from now on this owner's as well")
        else:
            self._step("keep", record, "it is as wanted, and not ours: it stays when the stack goes")

    def _change(self, one: Wanted, there: RecordSet) -> None:
        record, holders = one.record, self.others.get(one.record.digest)
        if holders:
            self.sentences.append(
                f"{record} is {_values(there)}, as {holders[0]} wants it, and not {_values(record)}; agree on one"
            )
        elif record.digest not in self.mine and not one.takeover:
            self.sentences.append(
                f"{record} is {_values(there)} already, and nothing says that it is this stack's; remove it, leave it"
                f" out, or write takeover: true to have it replaced by {_values(record)}"
            )
        else:
            self.plan.removals.append(there)
            self.plan.creations.append(record)
            self.claims_now.add(record.digest)
            self._step("modify", record, "it differs", there, record)

    def _clash(self, record: RecordSet) -> str:
        """What of the zone would stand beside a new record and must not, or nothing."""
        going = {one.key for one in self.plan.removals}
        for other in self.current.values():
            if other.name != record.name or other.key in going:
                continue
            alone = "CNAME" in (record.type, other.type) and record.type != other.type
            mixed = record.type == other.type and bool(record.set_identifier) != bool(other.set_identifier)
            if alone or mixed:
                return (
                    f"{record} cannot stand beside the {other} that is in the zone and not this stack's; remove that,"
                    " or leave this out"
                )
        return ""


def _values(record: RecordSet) -> str:
    return f"alias of {record.alias.dns_name}" if record.alias else ", ".join(record.values)


# -- batches -----------------------------------------------------------------------------------------------------------


def batches(decided: Plan) -> list[list[Document]]:
    """The change batches that carry a plan out; one, unless it is too large for Route 53.

    The claims that were relied on are removed and made again, as they were: so the batch fails as a whole where
    another run has changed them meanwhile, and the plan is made anew.
    """
    groups = _groups(decided)
    claim = _replace(decided.claim_before, decided.claim_after)
    relied_on = {record.key: record for record in decided.relied_on}
    guard = [change for record in relied_on.values() for change in _replace(record, record, always=True)]
    whole = [*guard, *(change for group in groups for change in group), *claim]
    elements, characters = _size(whole)
    if elements <= ELEMENTS and characters <= CHARACTERS:
        return [whole] if whole else []
    # Whatever is made is claimed before, and what is gone is given up after.
    union = claimed(decided.claim_before) if decided.claim_before else frozenset()
    union |= claimed(decided.claim_after) if decided.claim_after else frozenset()
    wide = _wide_claim(decided, union)
    first = [*guard, *_replace(decided.claim_before, wide)]
    return [batch for batch in [first, *_packed(groups), _replace(wide, decided.claim_after)] if batch]


def _wide_claim(decided: Plan, union: frozenset[str]) -> RecordSet:
    named = decided.claim_after or decided.claim_before
    assert named is not None
    label, _dot, zone = named.name.partition(".")
    return claim_record(label.removeprefix(CLAIM_PREFIX), zone, union)


def _replace(before: RecordSet | None, after: RecordSet | None, always: bool = False) -> list[Document]:
    if before == after and not always:
        return []
    removal = [] if before is None else [{"Action": "DELETE", "ResourceRecordSet": before.to_aws()}]
    return [*removal, *([] if after is None else [{"Action": "CREATE", "ResourceRecordSet": after.to_aws()}])]


def _groups(decided: Plan) -> list[list[Document]]:
    """The changes of each name together, removals first: a CNAME must go before an A record can take its name."""
    groups: dict[str, list[Document]] = defaultdict(list)
    for action, records in (("DELETE", decided.removals), ("CREATE", decided.creations)):
        for record in records:
            groups[record.name].append({"Action": action, "ResourceRecordSet": record.to_aws()})
    return [groups[name] for name in sorted(groups)]


def _packed(groups: t.Iterable[list[Document]]) -> list[list[Document]]:
    packed: list[list[Document]] = [[]]
    for group in groups:
        elements, characters = _size([*packed[-1], *group])
        if packed[-1] and (elements > ELEMENTS or characters > CHARACTERS):
            packed.append([])
        packed[-1].extend(group)
    return packed


def _size(changes: t.Iterable[Document]) -> tuple[int, int]:
    """Elements and characters of values of a batch."""
    values = [change["ResourceRecordSet"].get("ResourceRecords") or [{"Value": ""}] for change in changes]
    return sum(map(len, values)), sum(len(one["Value"]) for some in values for one in some)

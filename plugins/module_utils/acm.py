# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates of AWS Certificate Manager: which one is meant, and what makes it what is wanted."""

from __future__ import annotations

import datetime
import hashlib
import typing as t
from dataclasses import dataclass, field

from ansible_collections.palier.aws.plugins.module_utils.dns_names import plain, within
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = dict[str, t.Any]

#: Every kind of key. Without this filter ListCertificates leaves out all but RSA_1024 and RSA_2048 (ACM API reference).
KEY_TYPES = [
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
]
#: Those that a public certificate can be requested with (ACM user guide, "Key algorithms").
REQUESTED_KEYS = ["RSA_2048", "EC_prime256v1", "EC_secp384r1"]
#: Names on one certificate unless AWS raised the quota (ACM user guide, "Quotas").
DOMAINS = 10
#: A certificate in one of these never becomes valid (again): another one has to be requested.
DEAD = ("FAILED", "VALIDATION_TIMED_OUT", "EXPIRED", "REVOKED", "INACTIVE")
_RANK = {"ISSUED": 0, "PENDING_VALIDATION": 1}


@dataclass(frozen=True)
class Certificate:
    """A certificate.

    :param arn: its ARN.
    :param domains: its names, sorted.
    :param status: ACM's word.
    :param key_algorithm: in the form of C(RSA_2048).
    :param created: when it was requested, ISO 8601.
    :param not_after: when it expires, or C{None}.
    :param in_use_by: ARNs of what uses it.
    :param failure: why it failed.
    :param records: validation records by name; a domain whose record ACM has not made yet is in none.
    :param complete: whether every domain has its validation record.
    :param tags: its tags.
    """

    arn: str
    domains: tuple[str, ...]
    status: str
    key_algorithm: str
    created: str = ""
    not_after: datetime.datetime | None = None
    in_use_by: tuple[str, ...] = ()
    failure: str = ""
    records: t.Mapping[str, str] = field(default_factory=dict)
    complete: bool = True
    tags: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def dead(self) -> bool:
        return self.status in DEAD


def from_aws(described: Document, tags: t.Mapping[str, str]) -> Certificate:
    """A certificate as ACM describes it."""
    options = described.get("DomainValidationOptions") or []
    records = [option["ResourceRecord"] for option in options if option.get("ResourceRecord")]
    return Certificate(
        arn=described["CertificateArn"],
        domains=tuple(sorted({plain(name) for name in described.get("SubjectAlternativeNames") or []}))
        or (plain(described["DomainName"]),),
        status=described["Status"],
        key_algorithm=key_algorithm(described.get("KeyAlgorithm", "")),
        created=str(described.get("CreatedAt", "")),
        not_after=described.get("NotAfter"),
        in_use_by=tuple(described.get("InUseBy") or ()),
        failure=described.get("FailureReason", ""),
        records={plain(record["Name"]): record["Value"] for record in records},
        complete=bool(options) and len(records) == len(options),
        tags=dict(tags),
    )


def key_algorithm(text: str) -> str:
    """ACM writes C(RSA-2048) in some answers and C(RSA_2048) in others."""
    return text.replace("-", "_")


def carries(tags: t.Mapping[str, str], wanted: t.Mapping[str, str]) -> bool:
    """Whether all of some tags are among others; never, where none are given."""
    return bool(wanted) and all(tags.get(key) == value for key, value in wanted.items())


def best(certificates: t.Iterable[Certificate]) -> Certificate | None:
    """The one to use: an issued one before one that waits, and the newest of those."""
    newest_first = sorted(certificates, key=lambda one: (one.created, one.arn), reverse=True)
    return min(newest_first, key=lambda one: _RANK.get(one.status, len(_RANK)), default=None)


def matching(certificates: t.Iterable[Certificate], domains: t.Iterable[str], algorithm: str) -> list[Certificate]:
    """Those for exactly these names and with such a key."""
    wanted = tuple(sorted({plain(name) for name in domains}))
    return [one for one in certificates if one.domains == wanted and one.key_algorithm == algorithm]


def idempotency_token(
    domains: t.Iterable[str], algorithm: str, tags: t.Mapping[str, str], dead: t.Iterable[str]
) -> str:
    """The same for the same request, so that a repeated call makes no second certificate; at most 32 characters.

    ACM keeps a token for an hour and then answers with the first request's certificate, so that one that replaces a
    failed one needs another token.
    """
    text = repr((sorted(map(plain, domains)), algorithm, sorted(tags.items()), sorted(dead)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def standin_records(domains: t.Iterable[str]) -> dict[str, str]:
    """Validation records of a certificate that a plan would request: their names are ACM's to choose.

    A wildcard and the name that it stands below share one.
    """
    target = f"_{'0' * 32}.acm-validations.aws."
    return {f"_{'0' * 32}.{plain(name).removeprefix('*.')}": target for name in sorted(domains)}


def days_left(certificate: Certificate, now: datetime.datetime) -> int:
    """Whole days until it expires; -1 where that is not known or past."""
    if certificate.not_after is None:
        return -1
    return max((certificate.not_after - now).days, -1)


# -- planning ----------------------------------------------------------------------------------------------------------


def plan_present(
    found: t.Sequence[Certificate],
    domains: t.Sequence[str],
    algorithm: str,
    tags: t.Mapping[str, str] | None,
    purge_tags: bool,
) -> tuple[list[Step], Certificate | None, list[Certificate]]:
    """What makes a certificate what it should be.

    :param found: those with the identifying tags.
    :param domains: its names, the first one its main name.
    :param algorithm: kind of its key.
    :param tags: tags that it should have; C{None} leaves them alone.
    :param purge_tags: take off other tags.
    :returns: the steps, the certificate to use (C{None} where one has to be requested), and those that failed and go.
    """
    candidates = matching(found, domains, algorithm)
    alive = best(one for one in candidates if not one.dead)
    dead = [one for one in candidates if one.dead and not one.in_use_by and one.status in DEAD[:2]]
    resource = f"certificate {plain(domains[0])}"
    steps = [
        Step("delete", f"certificate {one.arn}", f"its status is {one.status}", {"status": one.status}) for one in dead
    ]
    if alive is None:
        states = sorted({" ".join(filter(None, [one.status, one.failure])) for one in candidates})
        reason = f"the last one is {', '.join(states)}" if states else "it does not exist"
        after = {"domains": [plain(name) for name in domains], "key_algorithm": algorithm, "tags": dict(tags or {})}
        return [Step("create", resource, reason, None, after), *steps], None, dead
    return [_tagged(resource, alive, tags, purge_tags), *steps], alive, dead


def _tagged(resource: str, alive: Certificate, tags: t.Mapping[str, str] | None, purge: bool) -> Step:
    after = dict(alive.tags) if tags is None else dict(tags) if purge else {**alive.tags, **tags}
    if after == dict(alive.tags):
        return Step("keep", resource, f"it is as wanted ({alive.status})")
    return Step("tag", resource, "tags differ", {"tags": dict(alive.tags)}, {"tags": after})


@dataclass
class Removal:
    """What a removal does.

    :param steps: the decisions.
    :param delete: certificates to delete.
    :param kept: certificates of ours that stay.
    :param used: those of them that stay because something uses them.
    """

    steps: list[Step] = field(default_factory=list)
    delete: list[Certificate] = field(default_factory=list)
    kept: list[Certificate] = field(default_factory=list)
    used: list[Certificate] = field(default_factory=list)


def plan_absent(found: t.Iterable[Certificate], keep: t.Collection[str], delete_used: bool) -> Removal:
    """What removes certificates.

    :param found: those with the identifying tags.
    :param keep: ARNs of those that stay.
    :param delete_used: plan the removal of those in use as well (in check mode, where their users would be gone).
    """
    removal = Removal()
    for one in sorted(found, key=lambda certificate: certificate.arn):
        resource = f"certificate {one.domains[0]} ({one.arn})"
        if one.arn in keep:
            removal.kept.append(one)
            removal.steps.append(Step("keep", resource, "it is wanted"))
        elif one.in_use_by and not delete_used:
            removal.kept.append(one)
            removal.used.append(one)
            removal.steps.append(Step("keep", resource, f"it is used by {', '.join(one.in_use_by)}"))
        else:
            removal.delete.append(one)
            removal.steps.append(Step("delete", resource, "it is not wanted", {"domains": list(one.domains)}))
    return removal


def may_share_records(domains: t.Iterable[str], zone: str) -> bool:
    """Whether one of a certificate's names is validated in a zone."""
    return any(within(name.removeprefix("*."), zone) for name in map(plain, domains))

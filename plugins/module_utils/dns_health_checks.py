# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Health checks of Route 53: whose they are, and what makes them what is wanted.

A health check is created without tags or name, so it is known by the reference with which it was created: a digest of
its owner and name, and something that no other has.
"""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field

from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = dict[str, t.Any]

#: What UpdateHealthCheck cannot change (Route 53 API reference).
FIXED = ("Type", "RequestInterval", "MeasureLatency")
PORTS = {"HTTP": 80, "HTTPS": 443}


def mark(owner: str, name: str) -> str:
    """How the references of a health check begin."""
    return f"{owner_mark(owner)}{hashlib.sha256(name.encode()).hexdigest()[:12]}-"


def owner_mark(owner: str) -> str:
    """How the references of all of an owner's health checks begin."""
    return f"palier-{hashlib.sha256(owner.encode()).hexdigest()[:12]}-"


def reference(owner: str, name: str, unique: str) -> str:
    """The caller reference of a new health check; 1 to 64 characters."""
    return f"{mark(owner, name)}{unique}"[:64]


def config(options: Document) -> Document:
    """A health check's settings in Route 53's form.

    :param options: an item of the module's option C(checks).
    """
    kind = options["type"]
    search = options.get("search_string") or ""
    settings: Document = {
        "Type": f"{kind}_STR_MATCH" if search else kind,
        "Port": options.get("port") or PORTS.get(kind),
        "RequestInterval": options.get("interval") or 30,
        "FailureThreshold": options.get("failure_threshold") or 3,
        "MeasureLatency": bool(options.get("measure_latency")),
        "Inverted": bool(options.get("inverted")),
        "Disabled": bool(options.get("disabled")),
        "EnableSNI": kind == "HTTPS",
    }
    given = {
        "IPAddress": options.get("ip_address"),
        "FullyQualifiedDomainName": options.get("fqdn"),
        "ResourcePath": (options.get("path") or "/") if kind != "TCP" else None,
        "SearchString": search or None,
    }
    return {**settings, **{key: value for key, value in given.items() if value}}


def differences(current: Document, wanted: Document) -> Document:
    """Those of the wanted settings that differ."""
    return {key: value for key, value in wanted.items() if current.get(key) != value}


@dataclass
class Plan:
    """What will be done.

    :param steps: the decisions.
    :param create: settings by name of the health checks to make.
    :param update: id, version and changed settings of those to change.
    :param delete: ids of those to delete.
    :param ids: ids by name of those that stay or are changed.
    :param tags: tags to set, by id.
    """

    steps: list[Step] = field(default_factory=list)
    create: dict[str, Document] = field(default_factory=dict)
    update: list[Document] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)


def fitting(checks: t.Iterable[Document], owner: str, name: str, wanted: Document) -> Document | None:
    """The owner's health check of a name that can become what is wanted: one with the same fixed settings."""
    for check in sorted(checks, key=lambda one: str(one["Id"])):
        if check["CallerReference"].startswith(mark(owner, name)) and not any(
            key in differences(check["HealthCheckConfig"], wanted) for key in FIXED
        ):
            return check
    return None


def plan_present(
    checks: t.Sequence[Document],
    tags_now: t.Mapping[str, t.Mapping[str, str]],
    wanted: t.Mapping[str, Document],
    owner: str,
    tags: t.Mapping[str, str],
    purge_tags: bool = True,
) -> Plan:
    """Make and change what is wanted; what has to be replaced stays until nothing points at it (L{plan_pruned}).

    :param checks: every health check of the account.
    :param tags_now: tags by id.
    :param wanted: settings by name.
    :param owner: whose they are.
    :param tags: the tags of each; its name is added as C(Name).
    :param purge_tags: take off other tags.
    """
    plan = Plan()
    for name, settings in wanted.items():
        resource = f"health check {name}"
        there = fitting(checks, owner, name, settings)
        if there is None:
            replaced = any(check["CallerReference"].startswith(mark(owner, name)) for check in checks)
            reason = "what differs cannot be changed" if replaced else "it does not exist"
            plan.create[name] = settings
            plan.steps.append(Step("create", resource, reason, None, settings))
            continue
        plan.ids[name] = there["Id"]
        _compare(plan, resource, there, settings)
        now = tags_now.get(there["Id"], {})
        _tag(plan, resource, there["Id"], now, {**({} if purge_tags else now), **tags, "Name": name})
    return plan


def _compare(plan: Plan, resource: str, there: Document, settings: Document) -> None:
    changed = differences(there["HealthCheckConfig"], settings)
    if not changed:
        plan.steps.append(Step("keep", resource, "it is as wanted"))
        return
    before = {key: there["HealthCheckConfig"].get(key) for key in changed}
    plan.update.append(
        {"HealthCheckId": there["Id"], "HealthCheckVersion": there.get("HealthCheckVersion", 1), **changed}
    )
    plan.steps.append(Step("modify", resource, f"{', '.join(sorted(changed))} differs", before, changed))


def _tag(plan: Plan, resource: str, identifier: str, now: t.Mapping[str, str], tags: dict[str, str]) -> None:
    if dict(now) != tags:
        plan.tags[identifier] = tags
        plan.steps.append(Step("tag", resource, "tags differ", {"tags": dict(now)}, {"tags": tags}))


def plan_pruned(checks: t.Sequence[Document], wanted: t.Mapping[str, Document], owner: str) -> Plan:
    """Delete the owner's health checks that are not wanted, or were replaced."""
    plan = Plan()
    kept = {there["Id"]: name for name, settings in wanted.items() if (there := fitting(checks, owner, name, settings))}
    for check in checks:
        if not check["CallerReference"].startswith(owner_mark(owner)):
            continue
        if check["Id"] in kept:
            plan.ids[kept[check["Id"]]] = check["Id"]
            continue
        plan.delete.append(check["Id"])
        plan.steps.append(
            Step("delete", f"health check {check['Id']}", "nothing needs it any more", check["HealthCheckConfig"])
        )
    return plan

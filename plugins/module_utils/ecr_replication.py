# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A registry's replication rules and backfills: what differs, and which backfill is due. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.palier.aws.plugins.module_utils.plan import Step

RULES = "ecr replication rules"
#: Limits of PutReplicationConfiguration (Amazon ECR API reference, ReplicationConfiguration and ReplicationRule).
MOST_RULES, MOST_PREFIXES, MOST_DESTINATIONS = 25, 100, 100
_RUNNING = frozenset({"PREPARING", "IN_PROGRESS", "STOPPING"})
_GOOD = _RUNNING | {"COMPLETE"}


class ReplicationError(ValueError):
    """Rules that ECR would refuse; the message names the option and what to write instead."""


@dataclass(frozen=True, order=True)
class Destination:
    """A registry that images are copied to: an account's, in a region."""

    region: str
    registry_id: str

    def request(self) -> dict[str, str]:
        """As ECR takes it."""
        return {"region": self.region, "registryId": self.registry_id}

    def __str__(self) -> str:
        return f"{self.region} of {self.registry_id}"


@dataclass(frozen=True, order=True)
class Rule:
    """What is copied where.

    :param destinations: registries, sorted.
    :param prefixes: starts of repository names, sorted; none for all repositories.
    :param deletions: whether removals are copied as well.
    """

    destinations: tuple[Destination, ...]
    prefixes: tuple[str, ...] = ()
    deletions: bool = False

    def request(self) -> dict[str, t.Any]:
        """As ECR takes it."""
        request: dict[str, t.Any] = {"destinations": [destination.request() for destination in self.destinations]}
        if self.prefixes:
            filters = [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in self.prefixes]
            request["repositoryFilters"] = filters
        # Older botocore does not know the field, so it is sent only where it says something.
        if self.deletions:
            request["deleteReplication"] = {"enabled": True}
        return request

    def values(self) -> dict[str, t.Any]:
        """As the module returns it."""
        return {
            "destinations": [{"region": one.region, "registry_id": one.registry_id} for one in self.destinations],
            "repository_prefixes": list(self.prefixes),
            "replicate_deletions": self.deletions,
        }


def from_aws(registry: t.Mapping[str, t.Any]) -> list[Rule]:
    """The rules that DescribeRegistry returns."""
    rules = (registry.get("replicationConfiguration") or {}).get("rules") or []
    return [
        Rule(
            tuple(sorted(Destination(one["region"], one["registryId"]) for one in rule["destinations"])),
            tuple(sorted(entry["filter"] for entry in rule.get("repositoryFilters") or [])),
            bool((rule.get("deleteReplication") or {}).get("enabled")),
        )
        for rule in rules
    ]


def from_options(rules: t.Sequence[t.Mapping[str, t.Any]], own: Destination) -> list[Rule]:
    """The rules that the user wrote.

    :param rules: the module's option.
    :param own: the registry that they are for.
    :raises ReplicationError: when ECR would refuse them.
    """
    if len(rules) > MOST_RULES:
        raise ReplicationError(f"rules has {len(rules)} entries; ECR takes at most {MOST_RULES}")
    return [_from_option(rule, own, number) for number, rule in enumerate(rules)]


def _from_option(rule: t.Mapping[str, t.Any], own: Destination, number: int) -> Rule:
    where = f"rules[{number}]"
    given = [
        Destination(one["region"], one.get("registry_id") or own.registry_id) for one in rule["destinations"] or []
    ]
    given += [Destination(region, own.registry_id) for region in rule.get("destination_regions") or []]
    prefixes = rule.get("repository_prefixes") or []
    if not given or len(given) > MOST_DESTINATIONS:
        raise ReplicationError(f"{where}.destinations has {len(given)} entries; write 1 to {MOST_DESTINATIONS}")
    if own in given:
        raise ReplicationError(
            f"{where}.destinations names the registry itself, {own}; write another region or account"
        )
    if len(prefixes) > MOST_PREFIXES:
        raise ReplicationError(
            f"{where}.repository_prefixes has {len(prefixes)} entries; ECR takes at most {MOST_PREFIXES}"
        )
    for prefix in prefixes:
        if not 2 <= len(prefix) <= 256:
            raise ReplicationError(
                f"{where}.repository_prefixes: {prefix!r} has {len(prefix)} characters; write 2 to 256"
            )
    return Rule(tuple(sorted(set(given))), tuple(sorted(set(prefixes))), bool(rule.get("replicate_deletions")))


def merge(current: t.Sequence[Rule], given: t.Sequence[Rule]) -> list[Rule]:
    """The given rules among those of others: a rule is known by its prefixes.

    :param current: what the registry has.
    :param given: rules that replace those with the same prefixes.
    """
    return [*without(current, [rule.prefixes for rule in given]), *given]


def without(current: t.Sequence[Rule], prefixes: t.Collection[tuple[str, ...]]) -> list[Rule]:
    """The rules of others: those that have none of these sets of prefixes."""
    return [rule for rule in current if rule.prefixes not in prefixes]


def plan_rules(current: t.Sequence[Rule], wanted: t.Sequence[Rule]) -> Step:
    """Whether the rules must be written; ECR takes them all at once, in any order."""
    if sorted(current) == sorted(wanted):
        return Step("keep", RULES, "they are as wanted")
    before = [rule.values() for rule in sorted(current)]
    after = [rule.values() for rule in sorted(wanted)]
    verb = "modify" if current and wanted else "create" if wanted else "delete"
    return Step(verb, RULES, "they differ", {"rules": before}, {"rules": after})


def plan_backfills(
    rules: t.Sequence[Rule], backfills: t.Sequence[t.Mapping[str, t.Any]], rules_change: bool
) -> list[tuple[Destination, Step]]:
    """For each destination whether a backfill is started.

    :param rules: the wanted rules.
    :param backfills: all that ECR remembers (it forgets them 90 days after their end).
    :param rules_change: the rules are written in this run, so that an earlier backfill may have left something out.
    """
    steps = []
    for destination in sorted({one for rule in rules for one in rule.destinations}):
        resource = f"ecr replication backfill to {destination}"
        states = [one["status"] for one in backfills if one.get("destination") == destination.request()]
        running = next((state for state in states if state in _RUNNING), None)
        if running:
            step = Step("keep", resource, f"one is {running.lower().replace('_', ' ')}")
        elif not rules_change and any(state in _GOOD for state in states):
            step = Step("keep", resource, "one is complete")
        else:
            reason = "the rules change" if rules_change and states else "none is complete"
            step = Step("create", resource, reason, None, {"status": "started"})
        steps.append((destination, step))
    return steps

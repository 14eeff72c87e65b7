#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.snapshot_prune."""

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_prune
short_description: Removes the restore points that a retention policy does not keep
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Lists the restore points in a region that carry the given tags, decides for each by the policy whether it stays,
    says why, and removes the others. Check mode shows the same plan.
  - A rule such as O(keep_daily) keeps the newest of each of the last so many days that have one. What any rule keeps
    stays. The newest complete restore point always stays, and as many as O(keep_minimum) asks for.
  - Removes whole restore points only, never one that is incomplete, pending, or used by a machine image, and nothing
    that belongs to no restore point or that AWS Backup or Data Lifecycle Manager made. Each of these is named with its
    reason.
  - Refuses when there is no restore point at all, or when all would go. Then region, tags or the clock is wrong.
  - Can be interrupted anywhere. A removal that had begun is finished by the next run.
options:
  tags:
    description:
      - Tags that the snapshots must have, those of the stack. Nothing else is looked at.
    type: dict
    required: true
    aliases: [filter_tags]
  services:
    description:
      - Which services to prune.
    type: list
    elements: str
    choices: [ebs, rds, rds_cluster]
    default: [ebs, rds, rds_cluster]
  keep_last:
    description:
      - Keeps the newest so many; here and below V(0) is off and V(-1) has no end. At least one rule must be on.
    type: int
    default: 0
  keep_hourly:
    description:
      - Keeps the newest of each of the last so many hours that have one.
    type: int
    default: 0
  keep_daily:
    description:
      - The same by day.
    type: int
    default: 0
  keep_weekly:
    description:
      - The same by ISO week, which begins on Monday.
    type: int
    default: 0
  keep_monthly:
    description:
      - The same by month.
    type: int
    default: 0
  keep_yearly:
    description:
      - The same by year.
    type: int
    default: 0
  keep_within:
    description:
      - Keeps all that are at most this much older than the newest, for example V(7d) or V(36h).
      - Counted from the newest, so that nothing more goes when backups have stopped.
    type: str
  keep_minimum:
    description:
      - Never leaves fewer than this many complete ones of a source, at least 1.
    type: int
    default: 1
  timezone:
    description:
      - Where a day ends, by its IANA name.
    type: str
    default: UTC
  group_by:
    description:
      - Applies the policy to each C(name) of a source or to each C(source) id. By V(name), the restore points of an
        instance that was replaced under the same name age out.
    type: str
    choices: [name, source]
    default: name
  remove_broken:
    description:
      - Also removes restore points that cannot be restored from, because a snapshot lacks or ended in error, once a
        newer one of the same source is complete.
    type: bool
    default: false
  allow_empty:
    description:
      - Whether finding no restore point is fine, as in a region that nothing was copied to yet.
    type: bool
    default: false
  concurrency:
    description:
      - How many removals run at once. AWS's throttling slows them down by itself.
    type: int
    default: 10
seealso:
  - module: palier.aws.snapshot_info
  - module: palier.aws.snapshot_copy
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep a week of days, a month of weeks and a year of months
  palier.aws.snapshot_prune:
    region: eu-west-3
    tags:
      Stack: shop
      Environment: prod
    keep_daily: 7
    keep_weekly: 4
    keep_monthly: 12
    keep_minimum: 3
    timezone: Europe/Paris

- name: Keep fewer of the copies in the other region, where there may be none yet
  palier.aws.snapshot_prune:
    region: eu-central-1
    tags:
      Stack: shop
      Environment: prod
    keep_within: 3d
    allow_empty: true
"""

RETURN = r"""
plan:
  description: What stays and what goes, with every reason; in check mode what would go.
  returned: always
  type: list
  elements: dict
  sample:
    - action: keep
      resource: ebs restore point shop-prod-web-20240615t031500z
      reason: daily 1, weekly 1, monthly 1
    - action: delete
      resource: ebs restore point shop-prod-web-20240601t031500z
      reason: no rule of the policy keeps it
removed:
  description: Names of the restore points that were removed; none in check mode.
  returned: always
  type: list
  elements: str
  sample: [shop-prod-web-20240601t031500z]
kept:
  description: Names of the restore points that stay.
  returned: always
  type: list
  elements: str
  sample: [shop-prod-web-20240615t031500z]
failures:
  description: One message for each restore point that could not be removed. The others were.
  returned: always
  type: list
  elements: str
  sample: []
"""

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import snapshots_api as api
from ansible_collections.palier.aws.plugins.module_utils import snapshots_run as shared
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome
from ansible_collections.palier.aws.plugins.module_utils.retention import Policy, parse_duration
from ansible_collections.palier.aws.plugins.module_utils.snapshots import EBS, REMOVAL, RestorePoint, Snapshot, group
from ansible_collections.palier.aws.plugins.module_utils.snapshots_errors import IN_USE, code_of, explain
from ansible_collections.palier.aws.plugins.module_utils.snapshots_plan import (
    Verdict,
    check_removal,
    judge,
    judge_loose,
    stale_marks,
)

RULES = ("last", "hourly", "daily", "weekly", "monthly", "yearly")


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, decide, remove."""
    clients, tags, policy = api.Clients(module), shared.tag_filter(module), _policy(module.params)
    points, loose = group(api.list_snapshots(clients, module.params["services"], tags))
    verdicts = _judge(clients, points, policy, module.params)
    where = f"{clients.region} with {', '.join(f'{key}={value}' for key, value in sorted(tags.items()))}"
    check_removal(verdicts, allow_empty=module.params["allow_empty"], where=where)
    removal = Removal(verdicts)
    if not module.check_mode:
        removal = _remove(clients, removal, module.params["concurrency"])
    return {
        **outcome([*_mark_steps(verdicts), *(v.step for v in removal.verdicts), *judge_loose(loose)]),
        "removed": [point.name for point in removal.removed],
        "kept": [verdict.point.name for verdict in removal.verdicts if verdict.keep],
        "failures": removal.failures,
    }


@dataclass(frozen=True)
class Removal:
    """What came of the verdicts."""

    verdicts: list[Verdict]
    removed: list[RestorePoint] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def _policy(params: dict[str, t.Any]) -> Policy:
    return Policy(
        **{rule: params[f"keep_{rule}"] for rule in RULES},
        within=parse_duration(params["keep_within"]) if params["keep_within"] else None,
        minimum=params["keep_minimum"],
        timezone=params["timezone"],
    )


def _judge(clients: api.Clients, points: list[RestorePoint], policy: Policy, params: dict[str, t.Any]) -> list[Verdict]:
    options = {"group_by": params["group_by"], "remove_broken": params["remove_broken"]}
    verdicts = judge(points, policy, shared.now(), images={}, **options)
    if all(verdict.keep or verdict.point.service != EBS for verdict in verdicts):
        return verdicts  # most runs: no need to list the machine images
    return judge(points, policy, shared.now(), images=api.image_of_snapshot(clients("ec2")), **options)


def _mark_steps(verdicts: list[Verdict]) -> list[Step]:
    return [
        Step("untag", f"ebs snapshot {snapshot.id}", "the removal that had begun is off: it stays")
        for snapshot in stale_marks(verdicts)
    ]


def _remove(clients: api.Clients, removal: Removal, concurrency: int) -> Removal:
    doomed = [verdict for verdict in removal.verdicts if not verdict.keep]
    stale = stale_marks(removal.verdicts)
    if stale:
        api.untag(clients("ec2"), [snapshot.id for snapshot in stale], [REMOVAL])
    _mark(clients, doomed)
    results = api.side_by_side(lambda verdict: _remove_set(clients, verdict.point), doomed, concurrency)
    return _settle(clients, removal, results)


def _mark(clients: api.Clients, doomed: list[Verdict]) -> None:
    # Sets of one need no mark: they are there, or they are gone. Of others, an interruption could leave a part, which
    # without the mark would look like a set that lost a snapshot, and stay for ever.
    ids = [
        snapshot.id
        for verdict in doomed
        if len(verdict.point.snapshots) > 1
        for snapshot in verdict.point.snapshots
        if REMOVAL not in snapshot.tags
    ]
    if ids:
        api.tag(clients("ec2"), ids, {REMOVAL: shared.now().strftime("%Y-%m-%dT%H:%M:%SZ")})


@dataclass(frozen=True)
class Refused:
    """A set of which a snapshot could not be removed, and whether the others are still there."""

    snapshot: Snapshot
    error: AnsibleAWSError
    whole: bool


def _remove_set(clients: api.Clients, point: RestorePoint) -> Refused | None:
    # One after the other, so that a refusal of the first leaves the set whole.
    for number, snapshot in enumerate(point.snapshots):
        try:
            api.delete(clients, snapshot)
        except AnsibleAWSError as error:
            return Refused(snapshot, error, whole=number == 0)
    return None


def _settle(clients: api.Clients, removal: Removal, results: list[tuple[Verdict, Refused | None, t.Any]]) -> Removal:
    refused = {verdict.point.key: refusal for verdict, refusal, _error in results if refusal}
    spared = [v for v in removal.verdicts if v.point.key in refused and _used(refused[v.point.key])]
    marked = [s.id for v in spared for s in v.point.snapshots if len(v.point.snapshots) > 1]
    if marked:
        api.untag(clients("ec2"), marked, [REMOVAL])
    return Removal(
        [_spared(v) if v in spared else v for v in removal.verdicts],
        [verdict.point for verdict, refusal, _error in results if not refusal],
        [
            explain(refusal.error, f"delete {refusal.snapshot.service} snapshot {refusal.snapshot.id}")
            for key, refusal in refused.items()
            if key not in {v.point.key for v in spared}
        ],
    )


def _used(refusal: Refused) -> bool:
    # An image made since the listing, or one in the recycle bin, which no listing shows.
    return refusal.whole and code_of(refusal.error) in IN_USE


def _spared(verdict: Verdict) -> Verdict:
    return replace(verdict, keep=True, reasons=("a machine image uses it, as AWS says",))


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            **shared.TAGS_FILTER,
            **{f"keep_{rule}": {"type": "int", "default": 0} for rule in RULES},
            "keep_within": {"type": "str"},
            "keep_minimum": {"type": "int", "default": 1},
            "timezone": {"type": "str", "default": "UTC"},
            "group_by": {"type": "str", "choices": ["name", "source"], "default": "name"},
            "remove_broken": {"type": "bool", "default": False},
            "allow_empty": {"type": "bool", "default": False},
            "concurrency": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    shared.run(module, run)


if __name__ == "__main__":
    main()

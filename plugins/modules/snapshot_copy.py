#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.snapshot_copy."""

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_copy
short_description: Copies restore points to another region or account
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Copies the EBS and RDS snapshots of a stack's restore points to O(region), which is the destination, and encrypts
    them there with a key of the destination.
  - Copies what is not there yet, and nothing twice. Each copy carries the tags of its source and what it is a copy of,
    so an interrupted run is continued by the next one, from the account alone.
  - AWS carries out 20 copies at once for an account and destination region, EBS and RDS each. What has no room is
    queued. With O(wait) the module starts it when there is room, without it the next run does.
  - A copy that ended in error is removed and started again.
options:
  source_region:
    description:
      - Where the restore points lie.
    type: str
    required: true
  tags:
    description:
      - Tags that the snapshots must have, those of the stack.
    type: dict
    required: true
    aliases: [filter_tags]
  services:
    description:
      - Which services to copy.
    type: list
    elements: str
    choices: [ebs, rds, rds_cluster]
    default: [ebs, rds, rds_cluster]
  select:
    description:
      - V(newest) copies the newest complete restore point of each source, V(all) every complete one.
      - With V(all), a destination that keeps less than the source copies again what was pruned there.
    type: str
    choices: [newest, all]
    default: newest
  restore_points:
    description:
      - Only restore points of these names, instead of O(select).
    type: list
    elements: str
    default: []
  kms_key_id:
    description:
      - KMS key of the destination, by id, ARN, alias or alias ARN.
      - Needed for encrypted RDS snapshots that leave their region, and for all encrypted ones that leave their account.
        EBS copies within an account take the destination's default key when it is not given.
    type: str
  destination_role_arn:
    description:
      - Role in another account that copies. Each snapshot is shared with that account while it is copied, and the
        share is taken back by the run that finds the copy complete.
      - The role needs the EC2 and RDS actions that copy and describe, and the use of the source's key.
    type: str
  completion_minutes:
    description:
      - Asks for time-based EBS copies, complete within this many minutes. A multiple of 15, up to 2880. AWS charges for
        it by the GiB.
    type: int
  option_group_name:
    description:
      - Option group of the destination for RDS copies, where the database has one that is not the default.
    type: str
  max_in_flight:
    description:
      - How many copies of each service may be under way at once, others of the account included. 20 is AWS's limit.
    type: int
    default: 20
  allow_empty:
    description:
      - Whether finding no restore point to copy is fine, as in a stack that was never saved.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until all copies are complete, and to start queued ones when there is room. Copies to another
        region take minutes to hours.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 3600
  concurrency:
    description:
      - How many requests run at once.
    type: int
    default: 5
seealso:
  - module: palier.aws.snapshot_info
  - module: palier.aws.snapshot_prune
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Start to copy the newest restore points to the recovery region
  palier.aws.snapshot_copy:
    source_region: eu-west-3
    region: eu-central-1
    kms_key_id: alias/shop-prod-backups
    tags:
      Stack: shop
      Environment: prod
  register: copied

- name: Go on until all are started and complete
  palier.aws.snapshot_copy:
    source_region: eu-west-3
    region: eu-central-1
    kms_key_id: alias/shop-prod-backups
    tags:
      Stack: shop
      Environment: prod
  register: copied
  until: copied.queued == 0 and copied.under_way == 0
  retries: 60
  delay: 60

- name: Copy to the backup account
  palier.aws.snapshot_copy:
    source_region: eu-west-3
    region: eu-west-3
    destination_role_arn: arn:aws:iam::123456789012:role/backup-copies
    kms_key_id: arn:aws:kms:eu-west-3:123456789012:key/0123abcd-0123-0123-0123-0123456789ab
    tags:
      Stack: shop
      Environment: prod
"""

RETURN = r"""
plan:
  description: What is copied, queued or left, each with its reason; in check mode what would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - action: copy
      resource: ebs snapshot snap-0123456789abcdef0 of shop-prod-web-20240615t031500z
      reason: eu-central-1 has no copy of it
copies:
  description: The copies that were started; none in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Id or identifier of the copy.
      type: str
      sample: snap-0fedcba9876543210
    of:
      description: What it is a copy of.
      type: str
      sample: snap-0123456789abcdef0
    restore_point:
      description: Name of the restore point.
      type: str
      sample: shop-prod-web-20240615t031500z
    service:
      description: V(ebs), V(rds) or V(rds_cluster).
      type: str
      sample: ebs
    region:
      description: Where the copy lies.
      type: str
      sample: eu-central-1
queued:
  description: How many snapshots have to wait for room.
  returned: always
  type: int
  sample: 0
under_way:
  description: How many of the wanted copies are not complete yet.
  returned: always
  type: int
  sample: 2
failures:
  description: One message for each snapshot that could not be copied. The others were.
  returned: always
  type: list
  elements: str
  sample: []
"""

import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import snapshots_api as api
from ansible_collections.palier.aws.plugins.module_utils import snapshots_run as shared
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome
from ansible_collections.palier.aws.plugins.module_utils.snapshots import (
    COMPLETE,
    COPY_OF,
    EBS,
    ERROR,
    PENDING,
    SHARED,
    RestorePoint,
    Snapshot,
    SnapshotsError,
    copy_tags,
    group,
)
from ansible_collections.palier.aws.plugins.module_utils.snapshots_errors import explain
from ansible_collections.palier.aws.plugins.module_utils.snapshots_plan import (
    COPIES_AT_ONCE,
    Copy,
    CopyPlan,
    Way,
    copies_by_source,
    key_flaw,
    obstacle,
    plan_copies,
    select,
)

#: Time-based copies are asked for in quarters of an hour, up to two days (EBS user guide).
QUARTER = 15
LONGEST = 2880


@dataclass(frozen=True)
class Job:
    """Where copies come from and go to, and how."""

    source: api.Clients
    target: api.Clients
    account: str | None
    way: Way
    params: dict[str, t.Any]

    @property
    def place(self) -> str:
        """The destination in the reader's words."""
        return f"{self.target.region} of account {self.account}" if self.account else self.target.region


@dataclass
class Progress:
    """What has come of a plan so far."""

    waiting: list[Copy]
    under_way: list[Snapshot]
    started: list[tuple[Copy, Snapshot]] = field(default_factory=list)
    complete: list[Snapshot] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, decide, copy."""
    check_options(module.params, module.region or "")
    tags = shared.tag_filter(module)
    job = _job(module)
    points = _points(job, tags)
    there = api.list_snapshots(job.target, job.params["services"], tags)
    plan, blocked = _plan(job, points, there)
    progress = Progress(list(plan.copies), _under_way(points, there), failures=blocked)
    unshare = _to_unshare(job, points, there)
    if not module.check_mode:
        _carry_out(job, tags, progress)
        _unshare(job, [*unshare, *progress.complete], progress)
    return _result(job, plan, progress, unshare, module.check_mode)


def check_options(params: dict[str, t.Any], region: str) -> None:
    """Refuse options that do not go together.

    :param params: the module's.
    :param region: the destination.
    :raises SnapshotsError: naming the option.
    """
    if params["source_region"] == region and not params["destination_role_arn"]:
        raise SnapshotsError(
            f"source_region and region are both {region}: give another region, or destination_role_arn to copy to "
            "another account"
        )
    minutes = params["completion_minutes"]
    if minutes is not None and (minutes % QUARTER or not QUARTER <= minutes <= LONGEST):
        raise SnapshotsError(
            f"completion_minutes is {minutes}: write a multiple of {QUARTER} from {QUARTER} to {LONGEST}"
        )
    if not 1 <= params["max_in_flight"] <= COPIES_AT_ONCE:
        raise SnapshotsError(f"max_in_flight is {params['max_in_flight']}: write 1 to {COPIES_AT_ONCE}, AWS's limit")


def _job(module: AnsibleAWSModule) -> Job:
    params = module.params
    source, target, account = api.Clients(module, params["source_region"]), api.Clients(module), None
    if params["destination_role_arn"]:
        target = api.assume(source, module, params["destination_role_arn"], target.region)
        account = api.account_id(target)
    way = Way(abroad=source.region != target.region, shared=account is not None, key=params["kms_key_id"])
    return Job(source, target, account, way, params)


def _points(job: Job, tags: dict[str, str]) -> list[RestorePoint]:
    points, _loose = group(api.list_snapshots(job.source, job.params["services"], tags))
    if not points and not job.params["allow_empty"]:
        raise SnapshotsError(f"no restore point in {job.source.region}: see source_region and tags, or make one first")
    return select(points, job.params["select"], job.params["restore_points"])


# Deciding


def _plan(job: Job, points: list[RestorePoint], there: list[Snapshot]) -> tuple[CopyPlan, list[str]]:
    plan = plan_copies(points, there, {}, target=job.place, patient=True)
    if plan.copies and not job.params["wait"]:
        plan = plan_copies(points, there, _room(job, points), target=job.place, patient=False)
    wanted = [*plan.copies, *plan.queued]
    way = _look_at_keys(job, wanted) if wanted else job.way
    obstacles = {copy.snapshot.ref: obstacle(copy, way) for copy in wanted}
    blocked = [message for message in obstacles.values() if message]

    def free(copies: list[Copy]) -> list[Copy]:
        return [copy for copy in copies if not obstacles[copy.snapshot.ref]]

    refused = [
        Step("skip", copy.step.resource, "something is in the way, see failures")
        for copy in wanted
        if obstacles[copy.snapshot.ref]
    ]
    return CopyPlan(free(plan.copies), free(plan.queued), [*refused, *plan.quiet]), blocked


def _room(job: Job, points: list[RestorePoint]) -> dict[str, int]:
    services = {point.service for point in points}
    return {
        service: max(0, job.params["max_in_flight"] - api.copies_under_way(job.target, service))
        for service in job.params["services"]
        if service in services
    }


def _look_at_keys(job: Job, copies: list[Copy]) -> Way:
    flaw = ""
    if job.params["kms_key_id"]:
        facts = api.describe_key_if_allowed(job.target("kms"), job.params["kms_key_id"])
        flaw = key_flaw(facts, job.target.region) if facts is not None else ""
    keys = {copy.snapshot.kms_key for copy in copies if copy.snapshot.kms_key} if job.account else set()
    default = {key for key in keys if _is_default(job, key)}
    return Way(job.way.abroad, job.way.shared, job.way.key, flaw, frozenset(default))


def _is_default(job: Job, key: str) -> bool:
    facts = api.describe_key_if_allowed(job.source("kms"), key)
    return facts is not None and facts.get("KeyManager") == "AWS"


# Copying


def _carry_out(job: Job, tags: dict[str, str], progress: Progress) -> None:
    deadline = shared.seconds() + job.params["wait_timeout"]
    _start(job, progress)
    if not job.params["wait"]:
        return
    while progress.waiting and shared.seconds() < deadline:
        shared.pause()
        _start(job, progress)
    _wait(job, tags, progress, deadline)


def _start(job: Job, progress: Progress) -> None:
    batch = _that_fit(job, progress.waiting)
    for copy, made, error in api.side_by_side(lambda copy: _copy(job, copy), batch, job.params["concurrency"]):
        if isinstance(error, api.NoRoomError):
            continue
        progress.waiting.remove(copy)
        if made:
            progress.started.append((copy, made))
        else:
            progress.failures.append(str(error))


def _that_fit(job: Job, waiting: list[Copy]) -> list[Copy]:
    if not job.params["wait"]:
        return list(waiting)  # the plan has counted the room
    room, fit = _room(job, [copy.point for copy in waiting]), []
    for copy in waiting:
        room[copy.snapshot.service] -= 1
        if room[copy.snapshot.service] >= 0:
            fit.append(copy)
    return fit


def _copy(job: Job, copy: Copy) -> Snapshot:
    snapshot, tags = copy.snapshot, copy_tags(copy.snapshot)
    if copy.failed:
        api.delete(job.target, copy.failed)
    if job.account:
        api.share(job.source, snapshot, job.account)
    act = api.copy_ebs if snapshot.service == EBS else api.copy_rds

    def call() -> Snapshot:
        return act(job.target, snapshot, tags, _call_options(job, copy))

    def find() -> Snapshot | None:
        made = api.list_snapshots(job.target, [snapshot.service], {COPY_OF: snapshot.ref})
        return next((s for s in made if s.state != ERROR), None)

    return api.make_once(api.Attempt(call, find, f"copy {copy.step.resource} to {job.place}"))


def _call_options(job: Job, copy: Copy) -> dict[str, t.Any]:
    options = {"KmsKeyId": job.params["kms_key_id"]}
    if copy.snapshot.service == EBS:
        options["CompletionDurationMinutes"] = job.params["completion_minutes"]
        options["Description"] = f"{copy.point.name}: copy of {copy.snapshot.id} from {copy.snapshot.region}"[:255]
    else:
        options["OptionGroupName"] = job.params["option_group_name"]
    return {name: value for name, value in options.items() if value is not None}


def _wait(job: Job, tags: dict[str, str], progress: Progress, deadline: float) -> None:
    mine = {s.ref: s for s in [*progress.under_way, *(copy.snapshot for copy, _made in progress.started)]}
    while mine:
        there = copies_by_source(api.list_snapshots(job.target, job.params["services"], tags))
        found = {ref: there[ref] for ref in mine if ref in there}
        progress.failures += [_failed(copy) for copy in found.values() if copy.state == ERROR]
        progress.complete += [mine[ref] for ref, copy in found.items() if copy.state == COMPLETE]
        mine = {ref: s for ref, s in mine.items() if ref not in found or found[ref].state == PENDING}
        if mine and shared.seconds() >= deadline:
            timeout = job.params["wait_timeout"]
            progress.failures.append(
                f"copies of {', '.join(sorted(mine))} are not complete after wait_timeout, {timeout} s: they go on by "
                "themselves in AWS, and the next run goes on from there"
            )
            return
        if mine:
            shared.pause()


def _failed(copy: Snapshot) -> str:
    error = AnsibleAWSError(message=copy.message or "AWS gives no reason")
    return explain(
        error, f"copy {copy.tags[COPY_OF]}: {copy.service} snapshot {copy.id} in {copy.region} ended in error"
    )


# Shares


def _to_unshare(job: Job, points: list[RestorePoint], there: list[Snapshot]) -> list[Snapshot]:
    done = {ref for ref, copy in copies_by_source(there).items() if copy.state == COMPLETE}
    return [s for p in points for s in p.snapshots if s.ref in done and s.tags.get(SHARED) == (job.account or "")]


def _unshare(job: Job, snapshots: list[Snapshot], progress: Progress) -> None:
    if not job.account:
        return
    for snapshot, _none, error in api.side_by_side(
        lambda s: api.unshare(job.source, s, t.cast(str, job.account)), snapshots, job.params["concurrency"]
    ):
        if error:
            progress.failures.append(explain(error, f"stop sharing {snapshot.service} snapshot {snapshot.id}"))


def _result(
    job: Job,
    plan: CopyPlan,
    progress: Progress,
    unshare: list[Snapshot],
    check_mode: bool,
) -> dict[str, t.Any]:
    started = {copy.snapshot.ref for copy, _made in progress.started}
    late = [] if check_mode else [copy for copy in progress.waiting if copy.snapshot.ref not in started]
    steps = [step for step in plan.steps if step not in [copy.step for copy in late]]
    steps += [Step("skip", copy.step.resource, f"queued: {job.place} has no room for it, run again") for copy in late]
    steps += [Step("unshare", f"{s.service} snapshot {s.id}", "its copy is complete") for s in unshare]
    return {
        **outcome(steps),
        "copies": [_describe(copy, made) for copy, made in progress.started],
        "queued": len(plan.queued) + len(late),
        "under_way": len(progress.under_way) + len(progress.started) - len(progress.complete),
        "failures": progress.failures,
    }


def _describe(copy: Copy, made: Snapshot) -> dict[str, t.Any]:
    return {
        "id": made.id,
        "of": copy.snapshot.ref,
        "restore_point": copy.point.name,
        "service": made.service,
        "region": made.region,
    }


def _under_way(points: list[RestorePoint], there: list[Snapshot]) -> list[Snapshot]:
    pending = {ref for ref, copy in copies_by_source(there).items() if copy.state == PENDING}
    return [s for point in points for s in point.members.values() if s.ref in pending]


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "source_region": {"type": "str", "required": True},
            **shared.TAGS_FILTER,
            "select": {"type": "str", "choices": ["newest", "all"], "default": "newest"},
            "restore_points": {"type": "list", "elements": "str", "default": []},
            "kms_key_id": {"type": "str", "no_log": False},
            "destination_role_arn": {"type": "str"},
            "completion_minutes": {"type": "int"},
            "option_group_name": {"type": "str"},
            "max_in_flight": {"type": "int", "default": COPIES_AT_ONCE},
            "allow_empty": {"type": "bool", "default": False},
            "concurrency": {"type": "int", "default": 5},
            **shared.WAIT,
        },
        supports_check_mode=True,
    )
    shared.run(module, run)


if __name__ == "__main__":
    main()

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the snapshot modules decide: make one or not, copy which, remove which, and why. Pure: no AWS."""

from __future__ import annotations

import typing as t
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .plan import Step
from .retention import Point, Policy, decide, format_duration
from .snapshots import (
    COMPLETE,
    COPY_OF,
    EBS,
    ERROR,
    PENDING,
    RDS_CLUSTER,
    REMOVAL,
    RestorePoint,
    Snapshot,
    SnapshotsError,
    age,
)

#: Copies that AWS carries out at once for one account and destination region (EBS and RDS user guides).
COPIES_AT_ONCE = 20


# Making one


@dataclass(frozen=True)
class Wanted:
    """The restore point that a module was asked for.

    :param source: id of the instance, database or cluster.
    :param members: volume ids that it has to hold; empty for a database.
    :param max_age: a younger restore point will do; ``None`` asks for a new one in any case.
    :param name: of the restore point.
    :param named: whether the caller chose the name: then one of this name will do, however old.
    """

    source: str
    service: str
    members: frozenset[str]
    max_age: timedelta | None
    name: str
    named: bool = False

    @property
    def label(self) -> str:
        """How a plan names it."""
        return f"{self.service} restore point {self.name}"


def plan_creation(points: t.Iterable[RestorePoint], wanted: Wanted, now: datetime) -> tuple[Step, RestorePoint | None]:
    """Decide whether a restore point has to be made.

    :param points: those of the same source, the newest first.
    :returns: the step, and the restore point that will do instead.
    :raises SnapshotsError: when one of the chosen name exists and cannot be used.
    """
    points = list(points)
    found = _named(points, wanted) or _young(points, wanted, now)
    if found:
        point, reason = found
        return Step("keep", point.label, reason), point
    reason = _why_new(points, wanted, now)
    return Step("create", wanted.label, reason, after={"source": wanted.source, "of": sorted(wanted.members)}), None


def _named(points: list[RestorePoint], wanted: Wanted) -> tuple[RestorePoint, str] | None:
    for point in points:
        if wanted.named and point.name == wanted.name:
            if not point.usable:
                raise SnapshotsError(
                    f"restore_point {wanted.name!r} exists but cannot be restored from: {point.flaw()}. "
                    "Give another restore_point, or none"
                )
            return point, "one of this name exists"
    return None


def _young(points: list[RestorePoint], wanted: Wanted, now: datetime) -> tuple[RestorePoint, str] | None:
    if wanted.named or wanted.max_age is None:
        return None
    for point in points:
        if point.usable and not _lacks(point, wanted) and age(point, now) < wanted.max_age:
            old = f"is {format_duration(age(point, now))} old, younger than {format_duration(wanted.max_age)}"
            return point, old if point.state == COMPLETE else f"{old}, and still pending"
    return None


def _lacks(point: RestorePoint, wanted: Wanted) -> set[str]:
    return set(wanted.members - set(point.members))


def _why_new(points: list[RestorePoint], wanted: Wanted, now: datetime) -> str:
    if wanted.named:
        return "there is none of this name"
    if wanted.max_age is None:
        return "no max_age is given"
    if not points:
        return f"{wanted.source} has none"
    newest = points[0]
    if not newest.usable:
        return f"the newest, {newest.name}, cannot be restored from: {newest.flaw()}"
    lacking = _lacks(newest, wanted)
    if lacking:
        return f"the newest, {newest.name}, lacks {', '.join(sorted(lacking))}"
    return (
        f"the newest, {newest.name}, is {format_duration(age(newest, now))} old, "
        f"not younger than {format_duration(wanted.max_age)}"
    )


# Copying


@dataclass(frozen=True)
class Copy:
    """One snapshot that lacks in the destination.

    :param point: its restore point.
    :param snapshot: the source.
    :param failed: a copy that ended in error and goes first.
    :param step: how the plan names it.
    """

    point: RestorePoint
    snapshot: Snapshot
    failed: Snapshot | None
    step: Step


@dataclass(frozen=True)
class CopyPlan:
    """What to copy, and what is said about the rest.

    :param copies: in the order in which they start.
    :param queued: those that have no room now; started later.
    :param quiet: steps about what is there already or cannot be copied.
    """

    copies: list[Copy] = field(default_factory=list)
    queued: list[Copy] = field(default_factory=list)
    quiet: list[Step] = field(default_factory=list)

    @property
    def steps(self) -> list[Step]:
        """Everything, what happens first."""
        return [*(s for copy in self.copies for s in _copy_steps(copy)), *(c.step for c in self.queued), *self.quiet]


def _copy_steps(copy: Copy) -> list[Step]:
    if not copy.failed:
        return [copy.step]
    why = f"this copy ended in error ({copy.failed.message or 'AWS gives no reason'})"
    return [Step("delete", f"{copy.failed.service} snapshot {copy.failed.id}", why), copy.step]


def select(points: t.Iterable[RestorePoint], which: str, names: t.Collection[str] = ()) -> list[RestorePoint]:
    """The restore points that are to be copied.

    :param points: the newest first.
    :param which: ``newest`` for the newest complete one of each source, or ``all``.
    :param names: if any, only these.
    :raises SnapshotsError: when a name is not there.
    """
    points = list(points)
    if names:
        return _by_name(points, names)
    if which == "all":
        return points
    newest: dict[tuple[str, str], RestorePoint] = {}
    for point in points:
        if point.state == COMPLETE:
            newest.setdefault((point.service, point.source), point)
    return list(newest.values()) + [point for point in points if point.state == PENDING]


def _by_name(points: list[RestorePoint], names: t.Collection[str]) -> list[RestorePoint]:
    missing = sorted(set(names) - {point.name for point in points})
    if missing:
        raise SnapshotsError(
            f"restore_points names {', '.join(missing)}, which is not there: see palier.aws.snapshot_info"
        )
    return [point for point in points if point.name in names]


def plan_copies(
    points: t.Iterable[RestorePoint],
    there: t.Iterable[Snapshot],
    room: dict[str, int],
    *,
    target: str,
    patient: bool,
) -> CopyPlan:
    """Decide what to copy.

    :param points: those that shall be in the destination.
    :param there: snapshots that are in the destination.
    :param room: copies that may start now, by service; of no account to one who waits.
    :param target: the destination in the reader's words.
    :param patient: whether the caller waits for room, so that nothing is left queued.
    """
    copies_of = copies_by_source(there)
    left = Counter(room)
    plan = CopyPlan()
    for point in points:
        if point.state != COMPLETE:
            plan.quiet.append(Step("skip", point.label, f"only complete ones are copied: {point.flaw()}"))
            continue
        for snapshot in point.members.values():
            _plan_copy(plan, point, snapshot, copies_of.get(snapshot.ref), left, target, patient)
    return plan


def copies_by_source(there: t.Iterable[Snapshot]) -> dict[str, Snapshot]:
    """The best copy of each source: a complete one, else one on its way, else one that failed.

    :param there: snapshots of the destination.
    """
    rank = {ERROR: 0, PENDING: 1, COMPLETE: 2}
    best: dict[str, Snapshot] = {}
    for snapshot in sorted(there, key=lambda s: rank[s.state]):
        if snapshot.is_copy:
            best[snapshot.tags[COPY_OF]] = snapshot
    return best


def _plan_copy(
    plan: CopyPlan,
    point: RestorePoint,
    snapshot: Snapshot,
    copied: Snapshot | None,
    left: Counter[str],
    target: str,
    patient: bool,
) -> None:
    label = f"{snapshot.service} snapshot {snapshot.id} of {point.name}"
    if copied and copied.state != ERROR:
        done = "is copied" if copied.state == COMPLETE else "is being copied"
        plan.quiet.append(Step("keep", label, f"{done} to {target} as {copied.id}"))
    elif patient or left[snapshot.service] > 0:
        left[snapshot.service] -= 1
        step = Step("copy", label, f"{target} has no copy of it", after={"to": target, "of": snapshot.ref})
        plan.copies.append(Copy(point, snapshot, copied, step))
    else:
        step = Step("skip", label, f"queued: {target} has no room for another {snapshot.service} copy, run again")
        plan.queued.append(Copy(point, snapshot, copied, step))


@dataclass(frozen=True)
class Way:
    """How copies travel.

    :param abroad: to another region.
    :param shared: to another account.
    :param key: KMS key of the destination that encrypts them, or C{None}.
    :param key_flaw: why that key cannot be used, or empty.
    :param default_keys: keys of the sources that AWS manages, and so never lets another account use.
    """

    abroad: bool
    shared: bool
    key: str | None = None
    key_flaw: str = ""
    default_keys: frozenset[str] = frozenset()


def obstacle(copy: Copy, way: Way) -> str:
    """Why AWS would refuse a copy, or begin it and fail, and the way out; empty when nothing is in the way.

    :param copy: the copy.
    :param way: how it travels.
    """
    snapshot = copy.snapshot
    name = f"{snapshot.service} snapshot {snapshot.id}"
    if way.key_flaw:
        return f"{name} cannot be copied: kms_key_id {way.key} {way.key_flaw}"
    if way.shared and snapshot.kms_key in way.default_keys:
        return (
            f"{name} is encrypted with the account's default key {snapshot.kms_key}, and AWS shares no snapshot of a "
            "default key: encrypt the source with a key of your own, or copy within the account with kms_key_id "
            "first and share that copy"
        )
    if snapshot.encrypted and not way.key and (way.shared or (way.abroad and snapshot.service != EBS)):
        where = "account" if way.shared else "region"
        return f"{name} is encrypted, and keys stay in their {where}: give kms_key_id, a key of the destination"
    if way.key and not snapshot.encrypted and snapshot.service == RDS_CLUSTER:
        return (
            f"{name} is not encrypted and AWS cannot encrypt a cluster snapshot while copying it: leave kms_key_id "
            "out, or restore it into an encrypted cluster and snapshot that"
        )
    return ""


def key_flaw(facts: dict[str, t.Any], region: str) -> str:
    """Why a destination's key cannot encrypt copies, and the way out; empty when it can.

    :param facts: KeyMetadata of DescribeKey, empty when there is no such key.
    :param region: the destination.
    """
    if not facts:
        return f"does not exist in {region}: give a key of that region and account, by id, ARN or alias"
    state = facts.get("KeyState", "Enabled")
    if state != "Enabled":
        return f"is in state {state}: enable it or give another one"
    if facts.get("KeyUsage", "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
        return f"is for {facts['KeyUsage']}: give a symmetric key for encryption"
    return ""


# Removing


@dataclass(frozen=True)
class Verdict:
    """What happens to a restore point.

    :param point: the restore point.
    :param keep: whether it stays.
    :param reasons: why.
    """

    point: RestorePoint
    keep: bool
    reasons: tuple[str, ...]

    @property
    def step(self) -> Step:
        """The verdict as a plan shows it."""
        before = None if self.keep else {"time": self.point.time.isoformat(), "snapshots": _ids(self.point)}
        return Step("keep" if self.keep else "delete", self.point.label, ", ".join(self.reasons), before=before)


def judge(
    points: t.Iterable[RestorePoint],
    policy: Policy,
    now: datetime,
    *,
    images: dict[str, str],
    group_by: str = "name",
    remove_broken: bool = False,
) -> list[Verdict]:
    """Decide for each restore point whether it stays.

    :param points: all that carry the stack's tags, the newest first.
    :param images: machine image of each snapshot that one uses.
    :param group_by: apply the policy to each source's C{name}, or to each C{source} id.
    :param remove_broken: also remove what cannot be restored from, once a newer one can.
    """
    points = list(points)
    groups: dict[tuple[str, str], list[RestorePoint]] = defaultdict(list)
    for point in points:
        groups[(point.service, point.of if group_by == "name" else point.source)].append(point)
    verdicts: dict[str, Verdict] = {}
    for members in groups.values():
        for verdict in _judge_group(members, policy, now, remove_broken):
            verdicts[verdict.point.key] = _spare(verdict, images)
    return [verdicts[point.key] for point in points]


def _judge_group(points: list[RestorePoint], policy: Policy, now: datetime, remove_broken: bool) -> list[Verdict]:
    whole = {point.key: point for point in points if point.state == COMPLETE}
    verdicts = [
        Verdict(whole[d.point.id], d.keep, d.reasons)
        for d in decide((Point(key, point.time) for key, point in whole.items()), policy, now)
    ]
    newest = max((point.time for point in whole.values()), default=None)
    broken = [point for point in points if point.state != COMPLETE]
    return verdicts + [_judge_broken(point, newest, remove_broken) for point in broken]


def _judge_broken(point: RestorePoint, newest: datetime | None, remove_broken: bool) -> Verdict:
    if all(REMOVAL in snapshot.tags for snapshot in point.snapshots):
        return Verdict(point, False, ("its removal had begun",))
    if point.state == PENDING:
        return Verdict(point, True, ("still pending",))
    superseded = newest is not None and newest > point.time
    if remove_broken and superseded:
        return Verdict(point, False, (f"cannot be restored from: {point.flaw()}; a newer one can",))
    return Verdict(point, True, (f"not a complete set: {point.flaw()}",))


def _spare(verdict: Verdict, images: dict[str, str]) -> Verdict:
    used = sorted({images[s.id] for s in verdict.point.snapshots if s.id in images})
    if verdict.keep or not used:
        return verdict
    return Verdict(verdict.point, True, (f"machine image {', '.join(used)} uses it",))


def judge_loose(snapshots: t.Iterable[Snapshot]) -> list[Step]:
    """What the plan says about snapshots that belong to no restore point: they stay.

    :param snapshots: those that carry the stack's tags.
    """
    return [Step("keep", f"{s.service} snapshot {s.id}", _why_loose(s)) for s in snapshots]


def _why_loose(snapshot: Snapshot) -> str:
    if snapshot.maker:
        return f"{snapshot.maker} made it and removes it by its own rules"
    return "belongs to no restore point"


def stale_marks(verdicts: t.Iterable[Verdict]) -> list[Snapshot]:
    """Snapshots that stay although a removal of them had begun, because the policy was changed in between.

    :param verdicts: of all restore points.
    """
    return [s for v in verdicts if v.keep and v.point.state == COMPLETE for s in v.point.snapshots if REMOVAL in s.tags]


def check_removal(verdicts: list[Verdict], *, allow_empty: bool, where: str) -> None:
    """Refuse to act on a listing that looks wrong.

    :param allow_empty: whether no restore point at all is to be expected.
    :param where: region and tags, in the reader's words.
    :raises SnapshotsError: when there is none, or all would go.
    """
    if not verdicts and not allow_empty:
        raise SnapshotsError(
            f"no restore point in {where}: either region or tags is wrong, or nothing was saved yet. "
            "Nothing was removed; set allow_empty to true where that is to be expected"
        )
    usable = [v for v in verdicts if v.point.usable]
    if verdicts and any(not v.keep for v in verdicts) and not any(v.keep for v in usable):
        raise SnapshotsError(
            f"everything that can be restored from in {where} would go, so the listing looks wrong. "
            "Nothing was removed; look at palier.aws.snapshot_info, and remove by hand what is to go"
        )


def _ids(point: RestorePoint) -> list[str]:
    return [snapshot.id for snapshot in point.snapshots]


# Choosing an instance's volumes


@dataclass(frozen=True)
class Volumes:
    """Which volumes of an instance are saved.

    :param devices: device name of each volume id that is.
    :param specification: the same for CreateSnapshots, which takes what to leave out.
    """

    devices: dict[str, str]
    specification: dict[str, t.Any]


def choose_volumes(
    instance: dict[str, t.Any], only: t.Collection[str] | None, without: t.Collection[str], boot: bool
) -> Volumes:
    """The volumes of an instance that are saved.

    :param instance: as DescribeInstances gives it.
    :param only: these volume ids, ``None`` for all.
    :param without: not these.
    :param boot: whether the boot volume is saved.
    :raises SnapshotsError: when one is not attached, or none is left.
    """
    attached = {m["Ebs"]["VolumeId"]: m["DeviceName"] for m in instance["BlockDeviceMappings"] if m.get("Ebs")}
    unknown = sorted({*(only or ()), *without} - set(attached))
    if unknown:
        raise SnapshotsError(f"{', '.join(unknown)} is not attached to {instance['InstanceId']}")
    root = instance.get("RootDeviceName")
    chosen = {
        volume: device
        for volume, device in attached.items()
        if (only is None or volume in only) and volume not in without and (boot or device != root)
    }
    if not chosen:
        raise SnapshotsError(f"no EBS volume of {instance['InstanceId']} is left to save")
    return Volumes(chosen, _specification(instance["InstanceId"], attached, chosen, root))


def _specification(
    instance_id: str, attached: dict[str, str], chosen: dict[str, str], root: str | None
) -> dict[str, t.Any]:
    left_out = [volume for volume in attached if volume not in chosen]
    data = sorted(volume for volume in left_out if attached[volume] != root)
    specification: dict[str, t.Any] = {"InstanceId": instance_id}
    if len(data) < len(left_out):
        specification["ExcludeBootVolume"] = True
    if data:
        specification["ExcludeDataVolumeIds"] = data
    return specification

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a restore goes on from whatever state the account is in. Pure: no AWS.

A restore takes minutes to hours and may be interrupted anywhere, so nothing is remembered: each run reads what is
there and names the next steps. Steps that have to wait for earlier ones are in the plan as C{skip}.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .plan import Step
from .snapshots import RestorePoint, SnapshotsError, without_aws

#: On what was restored: from what.
RESTORED_FROM = "RestoredFrom"
#: On a restored volume: for which instance and device it was made.
RESTORED_FOR = "RestoredFor"
#: On an instance that was stopped for a restore: it is started again.
START_AGAIN = "RestoreStartsAgain"
#: On what a restore took the place of: what took its place.
REPLACED_BY = "ReplacedByRestoreOf"

LATEST = "latest"

#: States of a database in which it takes a change.
_SETTLED = frozenset({"available", "storage-optimization", "stopped"})

Raw = dict[str, t.Any]


@dataclass(frozen=True)
class NextSteps:
    """Where a restore stands.

    :param steps: what happens, what waits and what is done.
    :param acts: names of the acts of this run, in order.
    :param done: whether nothing is left to do or to wait for.
    """

    steps: list[Step] = field(default_factory=list)
    acts: list[t.Any] = field(default_factory=list)
    done: bool = False


# Databases


@dataclass(frozen=True)
class Restore:
    """The wanted restore of a database.

    :param live: identifier that the applications use.
    :param new: identifier under which it is restored first.
    :param kept: identifier that the old one gets; empty when it is restored beside.
    :param ref: from what: a snapshot's identifier or ARN, or a time.
    """

    live: str
    new: str
    kept: str
    ref: str

    @property
    def swaps(self) -> bool:
        """Whether the restored one takes the live one's name."""
        return bool(self.kept)


def plan_database(wanted: Restore, found: dict[str, Raw]) -> NextSteps:
    """The next steps of the restore of a database.

    :param wanted: the restore.
    :param found: the databases of the three names that exist, as DescribeDBInstances gives them.
    :raises SnapshotsError: when a name is taken by something else.
    """
    live, new, kept = (found.get(name) for name in (wanted.live, wanted.new, wanted.kept))
    if live and wanted.swaps and _restored_from(live) == wanted.ref:
        return _settled(wanted.live, live, f"is restored from {wanted.ref}")
    if new is None:
        return _create_database(wanted, live)
    if _restored_from(new) != wanted.ref:
        raise SnapshotsError(
            f"{wanted.new} exists and was not restored from {wanted.ref}: give another new_identifier, or remove it"
        )
    if not wanted.swaps or not _is_settled(new):
        waits = [] if not wanted.swaps else _swap_steps(wanted, live, kept)
        return _settled(wanted.new, new, f"is restored from {wanted.ref}", [_later(s, wanted.new) for s in waits])
    return _swap_database(wanted, live, kept)


def _restored_from(database: Raw) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in database.get("TagList", [])}
    return tags.get(RESTORED_FROM, "")


def _is_settled(database: Raw) -> bool:
    return database["DBInstanceStatus"] in _SETTLED


def _settled(name: str, database: Raw, reason: str, later: list[Step] | None = None) -> NextSteps:
    state = database["DBInstanceStatus"]
    ready = _is_settled(database)
    step = Step("keep", f"database {name}", reason if ready else f"{reason}, and is {state}")
    return NextSteps([step, *(later or [])], [], done=ready and not later)


def _create_database(wanted: Restore, live: Raw | None) -> NextSteps:
    create = Step("create", f"database {wanted.new}", f"restored from {wanted.ref}", after={"from": wanted.ref})
    later = _swap_steps(wanted, live, None) if wanted.swaps else []
    return NextSteps([create, *(_later(step, wanted.new) for step in later)], ["create"])


def _swap_steps(wanted: Restore, live: Raw | None, kept: Raw | None) -> list[Step]:
    steps = []
    if live:
        if kept:
            raise SnapshotsError(
                f"{wanted.kept} exists: give another kept_identifier for the database that is replaced"
            )
        steps.append(_rename(wanted.live, wanted.kept, "kept until it is removed by name"))
    steps.append(_rename(wanted.new, wanted.live, "the restored one takes its place"))
    return steps


def _rename(old: str, new: str, reason: str) -> Step:
    return Step("rename", f"database {old} to {new}", reason, before={"identifier": old}, after={"identifier": new})


def _later(step: Step, until: str) -> Step:
    return Step("skip", f"{step.resource}", f"{step.verb} when {until} is available: {step.reason}")


def _swap_database(wanted: Restore, live: Raw | None, kept: Raw | None) -> NextSteps:
    steps = _swap_steps(wanted, live, kept)
    if live and not _is_settled(live):
        waits = f"waits: {wanted.live} is {live['DBInstanceStatus']}"
        return NextSteps([Step("skip", step.resource, waits) for step in steps])
    if live:
        return NextSteps([steps[0], _later(steps[1], wanted.kept)], [(wanted.live, wanted.kept)])
    if kept and kept["DBInstanceStatus"] == "renaming":
        return NextSteps([_later(step, wanted.kept) for step in steps])
    return NextSteps(steps, [(wanted.new, wanted.live)])


def kept_name(live: str, ref: str, attempt: str = "") -> str:
    """Identifier of the database that a restore replaces: the live one's, and what replaced it.

    :param live: identifier of the live one.
    :param ref: from what it is restored.
    :param attempt: tells a repeated restore from the first.
    :raises SnapshotsError: when the name would say nothing.
    """
    if ref == LATEST:
        raise SnapshotsError("restore_time is latest, which names no moment: give kept_identifier too")
    suffix = _stamp(ref) or ref.rpartition(":")[2]
    name = "-".join(part for part in (live, "before", suffix, attempt) if part)
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:63].strip("-")


def _stamp(ref: str) -> str:
    try:
        return datetime.fromisoformat(ref).astimezone(UTC).strftime("%Y%m%dt%H%M%S")
    except ValueError:
        found = re.search(r"(\d{8}t\d{6})z?$", ref.lower())
        return found.group(1) if found else ""


def parse_moment(text: str, latest: datetime | None) -> datetime | None:
    """A moment to restore to, ``None`` for the latest.

    :param text: C{latest} or an ISO 8601 time with an offset.
    :param latest: the latest that AWS can restore to, where known.
    :raises SnapshotsError: when it is no such moment.
    """
    if text == LATEST:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SnapshotsError(f"restore_time {text!r} is no time: write latest or 2024-06-15T03:15:00Z") from error
    if moment.tzinfo is None:
        raise SnapshotsError(f"restore_time {text!r} has no time zone: write {text}Z for UTC")
    if latest and moment > latest:
        raise SnapshotsError(
            f"restore_time {text} is later than {latest.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}, the latest that AWS can "
            "restore to: write that or latest"
        )
    return moment


def settings_of(live: Raw | None) -> Raw:
    """What a restored database takes over from the one it replaces; a snapshot does not hold these.

    :param live: as DescribeDBInstances gives it.
    """
    if not live:
        return {}
    groups = live.get("DBParameterGroups") or [{}]
    settings = {
        "DBInstanceClass": live.get("DBInstanceClass"),
        "DBSubnetGroupName": (live.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "VpcSecurityGroupIds": [g["VpcSecurityGroupId"] for g in live.get("VpcSecurityGroups", [])] or None,
        "DBParameterGroupName": groups[0].get("DBParameterGroupName"),
        "MultiAZ": live.get("MultiAZ"),
        "StorageType": live.get("StorageType"),
        "DeletionProtection": live.get("DeletionProtection"),
        "EnableIAMDatabaseAuthentication": live.get("IAMDatabaseAuthenticationEnabled"),
        "EnableCloudwatchLogsExports": live.get("EnabledCloudwatchLogsExports") or None,
        "AutoMinorVersionUpgrade": live.get("AutoMinorVersionUpgrade"),
        "CopyTagsToSnapshot": live.get("CopyTagsToSnapshot"),
        # The password of a snapshot is the one of its time; a managed one is made anew, which the secret tells.
        "ManageMasterUserPassword": True if live.get("MasterUserSecret") else None,
    }
    return {key: value for key, value in settings.items() if value is not None}


def database_tags(live: Raw | None, tags: dict[str, str], ref: str) -> dict[str, str]:
    """Tags of a restored database: those of the one it replaces, the stack's, and from what it was restored.

    :param tags: the stack's.
    """
    own = {tag["Key"]: tag["Value"] for tag in (live or {}).get("TagList", [])}
    return {**without_aws(own), **without_aws(tags), RESTORED_FROM: ref}


# Volumes


@dataclass(frozen=True)
class Slot:
    """One device of the instance, and the volume that it is to get.

    :param device: device name.
    :param snapshot: id of the snapshot.
    :param current: volume that is attached there now, or empty.
    :param current_state: C{attached}, C{attaching}, C{detaching}, or empty.
    :param restored: volume that was made of the snapshot for this instance, or empty.
    :param restored_state: C{creating}, C{available}, C{in-use}, or empty.
    """

    device: str
    snapshot: str
    current: str
    current_state: str
    restored: str
    restored_state: str

    @property
    def in_place(self) -> bool:
        """Whether the device holds the restored volume."""
        return bool(self.restored) and self.current == self.restored and self.current_state == "attached"


def slots(point: RestorePoint, instance: Raw, volumes: list[Raw]) -> list[Slot]:
    """The devices that a restore point fills.

    :param point: a complete one.
    :param instance: as DescribeInstances gives it.
    :param volumes: those restored for this instance, as DescribeVolumes gives them.
    :raises SnapshotsError: when the restore point does not say where a volume was attached.
    """
    attached = {m["DeviceName"]: m["Ebs"] for m in instance["BlockDeviceMappings"] if m.get("Ebs")}
    found = []
    for member, snapshot in point.members.items():
        device = point.devices.get(member, "")
        if not device:
            raise SnapshotsError(f"restore point {point.name} does not say where {member} was attached")
        current = attached.get(device, {})
        restored = _restored_volume(volumes, snapshot.id)
        found.append(
            Slot(
                device,
                snapshot.id,
                current.get("VolumeId", ""),
                current.get("Status", "attached") if current else "",
                restored.get("VolumeId", ""),
                restored.get("State", ""),
            )
        )
    return sorted(found, key=lambda slot: slot.device)


def _restored_volume(volumes: list[Raw], snapshot: str) -> Raw:
    mine = [
        v for v in volumes if v.get("SnapshotId") == snapshot and v["State"] not in ("deleting", "deleted", "error")
    ]
    return min(mine, key=lambda volume: volume["VolumeId"], default={})


def plan_volumes(found: list[Slot], state: str, *, swaps: bool, starts_again: bool) -> NextSteps:
    """The next steps of the restore of an instance's volumes.

    :param found: the devices.
    :param state: of the instance.
    :param swaps: whether the restored volumes are attached in place of the present ones.
    :param starts_again: whether the instance was stopped for the restore.
    """
    lacking = [slot for slot in found if not slot.restored]
    if lacking:
        return _create_volumes(found, lacking, swaps)
    ready = all(slot.restored_state in ("available", "in-use") for slot in found)
    kept = [Step("keep", f"volume {s.restored}", f"is restored from {s.snapshot} for {s.device}") for s in found]
    if not swaps or not ready:
        return NextSteps(kept, done=ready)
    if all(slot.in_place for slot in found):
        if starts_again:
            return NextSteps([*kept, Step("start", "instance", "it ran before the restore")], ["start"])
        return NextSteps(kept, done=state in ("running", "stopped"))
    return _swap_volumes(found, state)


def _create_volumes(found: list[Slot], lacking: list[Slot], swaps: bool) -> NextSteps:
    steps = [
        Step("create", f"volume of {s.snapshot}", f"for {s.device}", after={"of": s.snapshot, "for": s.device})
        for s in lacking
    ]
    if swaps:
        text = "then the instance is stopped, its volumes are replaced, and it is started again"
        steps.append(Step("skip", "instance", text))
    return NextSteps(steps, [("create", slot) for slot in found if slot in lacking])


def _swap_volumes(found: list[Slot], state: str) -> NextSteps:
    todo = [slot for slot in found if not slot.in_place]
    if state in ("running", "pending"):
        return NextSteps([Step("stop", "instance", "its volumes are replaced")], ["stop"] if state == "running" else [])
    if state != "stopped":
        return NextSteps([Step("skip", "instance", f"waits: it is {state}")])
    steps: list[Step] = []
    acts: list[t.Any] = []
    for slot in todo:
        step, act = _swap_slot(slot)
        steps.append(step)
        acts += [act] if act else []
    return NextSteps(steps, acts)


def _swap_slot(slot: Slot) -> tuple[Step, t.Any]:
    if slot.current_state in ("detaching", "attaching"):
        return Step("skip", f"volume {slot.current}", f"waits: it is {slot.current_state}"), None
    if slot.current:
        reason = f"{slot.restored} takes its place; it is kept until it is removed by name"
        return Step("detach", f"volume {slot.current}", reason, before={"device": slot.device}), ("detach", slot)
    reason = f"restored from {slot.snapshot}"
    return Step("attach", f"volume {slot.restored}", reason, after={"device": slot.device}), ("attach", slot)

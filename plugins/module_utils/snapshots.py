# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Restore points: what EBS and RDS list, read as the sets that a restore needs. Pure: no AWS.

A restore point is everything that was saved of one source (an instance's volumes, a database, a cluster) at one moment.
The account itself says which snapshots belong together and whether all are there, by tags on each of them:

==========================  ==========================================================================
``RestorePoint``            name of the set, ``<source's name>-<UTC time>``
``RestorePointOf``          the source's name, what retention goes by when an instance is replaced
``RestorePointSource``      the source's id: instance, database or cluster
``RestorePointSize``        number of snapshots in the set, so that a missing one shows
``RestorePointTime``        when the content is from; a copy keeps it, while AWS dates the copy anew
``RestorePointDevices``     ``device=volume`` of each volume, where a restore puts them
``RestorePointRemoval``     a removal of the set has begun: what is left of it may go too
``RestorePointCopyOf``      on a copy: the snapshot that it is a copy of
``RestorePointVolume``      on a copy: the volume that the original was taken of
``RestorePointSharedWith``  the account that it is shared with while that account copies it
==========================  ==========================================================================
"""

from __future__ import annotations

import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .retention import format_duration

POINT = "RestorePoint"
OF = "RestorePointOf"
SOURCE = "RestorePointSource"
SIZE = "RestorePointSize"
TIME = "RestorePointTime"
DEVICES = "RestorePointDevices"
REMOVAL = "RestorePointRemoval"
COPY_OF = "RestorePointCopyOf"
COPY_VOLUME = "RestorePointVolume"
SHARED = "RestorePointSharedWith"

EBS = "ebs"
RDS = "rds"
RDS_CLUSTER = "rds_cluster"
SERVICES = (EBS, RDS, RDS_CLUSTER)

PENDING, COMPLETE, INCOMPLETE, ERROR = "pending", "complete", "incomplete", "error"

#: AWS allows 50 tags on a resource and 256 characters in a value.
MAX_TAGS = 50
MAX_TAG_VALUE = 256
#: RDS allows 255 characters in a snapshot's identifier, and 63 in a cluster snapshot's.
MAX_IDENTIFIER = {RDS: 255, RDS_CLUSTER: 63}

_STAMP = "%Y%m%dt%H%M%Sz"
_EBS_STATES = {"pending": PENDING, "completed": COMPLETE, "recovering": PENDING}
_RDS_STATES = {"available": COMPLETE, "creating": PENDING, "copying": PENDING, "pending": PENDING, "modifying": PENDING}


class SnapshotsError(ValueError):
    """Something that the caller has to change; the message says what."""


@dataclass(frozen=True)
class Snapshot:
    """One snapshot, whichever service keeps it.

    :param id: snapshot id, or the identifier of a database snapshot.
    :param ref: by what a copy names it: the id for EBS, the ARN for RDS.
    :param service: ``ebs``, ``rds`` or ``rds_cluster``.
    :param region: where it lies.
    :param state: ``pending``, ``complete`` or ``error``.
    :param started: when AWS began it.
    :param volume: EBS volume id, empty on a copy (AWS gives copies an arbitrary one).
    :param size_gib: size of what it was taken of, in GiB.
    :param maker: the AWS service that made and manages it, or empty.
    :param message: what AWS says about its state.
    """

    id: str
    ref: str
    service: str
    region: str
    state: str
    started: datetime
    volume: str
    size_gib: int
    encrypted: bool
    kms_key: str
    maker: str
    message: str
    tags: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def time(self) -> datetime:
        """When the content is from: never later than AWS began the snapshot, whatever the tag says."""
        return min(_parse_time(self.tags.get(TIME)) or self.started, self.started)

    @property
    def member(self) -> str:
        """What it is a snapshot of within its set; two of the same are twins, of which a restore needs one."""
        return self.tags.get(COPY_VOLUME) or self.volume or self.id

    @property
    def is_copy(self) -> bool:
        """Whether it was copied from another one."""
        return COPY_OF in self.tags


@dataclass(frozen=True)
class RestorePoint:
    """A set of snapshots that belong together.

    :param name: name of the set.
    :param of: name of the source.
    :param source: id of the source.
    :param service: ``ebs``, ``rds`` or ``rds_cluster``.
    :param size: how many snapshots make it complete.
    :param snapshots: those that are there, the oldest first.
    """

    name: str
    of: str
    source: str
    service: str
    size: int
    snapshots: tuple[Snapshot, ...]

    @property
    def key(self) -> str:
        """Unique in a region: two instances of one name may have a point of one name."""
        return f"{self.service}:{self.name}:{self.source}"

    @property
    def time(self) -> datetime:
        """When the content is from."""
        return min(snapshot.time for snapshot in self.snapshots)

    @property
    def members(self) -> dict[str, Snapshot]:
        """The best snapshot of each volume: of twins the complete one, then the oldest."""
        rank = {COMPLETE: 0, PENDING: 1, ERROR: 2}
        best: dict[str, Snapshot] = {}
        for snapshot in sorted(self.snapshots, key=lambda s: (rank[s.state], s.started, s.id)):
            best.setdefault(snapshot.member, snapshot)
        return best

    @property
    def state(self) -> str:
        """``complete`` when a restore can use it; else ``pending``, ``incomplete`` or ``error``."""
        states = {snapshot.state for snapshot in self.members.values()}
        if ERROR in states:
            return ERROR
        if len(self.members) < self.size:
            return INCOMPLETE
        return PENDING if PENDING in states else COMPLETE

    @property
    def usable(self) -> bool:
        """Whether it is complete or on its way there."""
        return self.state in (COMPLETE, PENDING)

    @property
    def tier(self) -> str:
        """The tier that its source belongs to."""
        return self.snapshots[0].tags.get("Tier", "")

    @property
    def devices(self) -> dict[str, str]:
        """Device name of each volume id, as the source had them."""
        return parse_devices(self.snapshots[0].tags)

    @property
    def label(self) -> str:
        """How a plan names it."""
        return f"{self.service} restore point {self.name}"

    def flaw(self) -> str:
        """Why it is not complete, in the reader's words."""
        broken = [s for s in self.members.values() if s.state == ERROR]
        if broken:
            return "; ".join(f"{s.id} ended in error ({s.message or 'AWS gives no reason'})" for s in broken)
        if len(self.members) < self.size:
            return f"{len(self.members)} of {self.size} snapshots are there"
        return "still pending" if self.state == PENDING else ""


def from_ebs(raw: dict[str, t.Any], region: str) -> Snapshot:
    """Read one entry of DescribeSnapshots, CreateSnapshots or CopySnapshot.

    :param raw: the entry.
    :param region: where it was listed.
    """
    tags = _tags(raw.get("Tags"))
    return Snapshot(
        id=raw["SnapshotId"],
        ref=raw["SnapshotId"],
        service=EBS,
        region=region,
        state=_EBS_STATES.get(raw.get("State", "pending"), ERROR),
        started=raw["StartTime"],
        volume="" if COPY_OF in tags else raw.get("VolumeId", ""),
        size_gib=raw.get("VolumeSize", 0),
        encrypted=bool(raw.get("Encrypted")),
        kms_key=raw.get("KmsKeyId") or "",
        maker=_ebs_maker(raw, tags),
        message=raw.get("StateMessage") or "",
        tags=tags,
    )


def _ebs_maker(raw: dict[str, t.Any], tags: dict[str, str]) -> str:
    if "aws:backup:source-resource" in tags or "AWS Backup service" in raw.get("Description", ""):
        return "AWS Backup"
    if "aws:dlm:lifecycle-policy-id" in tags:
        return "Data Lifecycle Manager"
    return ""


def from_rds(raw: dict[str, t.Any], region: str) -> Snapshot:
    """Read one entry of DescribeDBSnapshots.

    :param raw: the entry.
    :param region: where it was listed.
    """
    return _database_snapshot(raw, region, RDS, "DBSnapshot", bool(raw.get("Encrypted")))


def from_rds_cluster(raw: dict[str, t.Any], region: str) -> Snapshot:
    """Read one entry of DescribeDBClusterSnapshots.

    :param raw: the entry.
    :param region: where it was listed.
    """
    return _database_snapshot(raw, region, RDS_CLUSTER, "DBClusterSnapshot", bool(raw.get("StorageEncrypted")))


def _database_snapshot(raw: dict[str, t.Any], region: str, service: str, kind: str, encrypted: bool) -> Snapshot:
    identifier = raw[f"{kind}Identifier"]
    return Snapshot(
        id=identifier,
        ref=raw[f"{kind}Arn"],
        service=service,
        region=region,
        state=_RDS_STATES.get(raw["Status"], ERROR),
        # A snapshot that is still being made has no time yet: it is as young as can be.
        started=raw.get("SnapshotCreateTime") or datetime.now(UTC),
        volume="",
        size_gib=int(raw.get("AllocatedStorage") or 0),
        encrypted=encrypted,
        kms_key=raw.get("KmsKeyId") or "",
        maker="AWS Backup" if raw.get("SnapshotType") == "awsbackup" or identifier.startswith("awsbackup:") else "",
        message="" if raw["Status"] in _RDS_STATES else f"status {raw['Status']}",
        tags=_tags(raw.get("TagList")),
    )


def group(snapshots: t.Iterable[Snapshot]) -> tuple[list[RestorePoint], list[Snapshot]]:
    """Put snapshots together that belong together.

    :param snapshots: any order, of one region.
    :returns: the restore points, the newest first, and the snapshots that belong to none.
    """
    sets: dict[tuple[str, str, str], list[Snapshot]] = defaultdict(list)
    loose = []
    for snapshot in snapshots:
        if _is_member(snapshot):
            sets[(snapshot.service, snapshot.tags[POINT], snapshot.tags[SOURCE])].append(snapshot)
        else:
            loose.append(snapshot)
    points = [_point(key, members) for key, members in sets.items()]
    return sorted(points, key=lambda point: (point.time, point.key), reverse=True), loose


def _is_member(snapshot: Snapshot) -> bool:
    tags = snapshot.tags
    # What AWS Backup makes carries the tags of its source, and may so carry ours: it is still AWS Backup's.
    return not snapshot.maker and POINT in tags and SOURCE in tags and tags.get(SIZE, "").isdigit()


def _point(key: tuple[str, str, str], members: list[Snapshot]) -> RestorePoint:
    service, name, source = key
    members = sorted(members, key=lambda s: (s.started, s.id))
    tags = members[0].tags
    size = max(int(s.tags[SIZE]) for s in members)
    return RestorePoint(name, tags.get(OF, source), source, service, size, tuple(members))


def point_name(of: str, at: datetime) -> str:
    """Name of a restore point, which is also a valid identifier of a database snapshot.

    :param of: name of the source.
    :param at: when it is made.
    """
    stem = re.sub(r"[^a-z0-9]+", "-", of.lower()).strip("-")
    if not stem or not stem[0].isalpha():
        stem = f"p-{stem}".rstrip("-")
    return f"{stem}-{at.astimezone(UTC).strftime(_STAMP)}"


def check_identifier(name: str, service: str) -> None:
    """Refuse a name that RDS would refuse.

    :param name: of the restore point.
    :param service: ``rds`` or ``rds_cluster``.
    :raises SnapshotsError: naming the rule that it breaks.
    """
    limit = MAX_IDENTIFIER[service]
    if len(name) > limit:
        raise SnapshotsError(f"{name!r} has {len(name)} characters, RDS takes {limit}: give a shorter name")
    if not re.fullmatch(r"[a-z](-?[a-z0-9])*", name):
        raise SnapshotsError(
            f"{name!r} cannot name a database snapshot: write lower-case letters, digits and single hyphens, "
            "a letter first"
        )


def point_tags(
    tags: dict[str, str], *, name: str, of: str, source: str, size: int, at: datetime, devices: dict[str, str]
) -> dict[str, str]:
    """The tags of each snapshot of a new restore point.

    :param tags: the stack's tags.
    :param devices: device name of each volume id.
    :raises SnapshotsError: when they are more than AWS takes.
    """
    ours = {
        POINT: name,
        OF: of,
        SOURCE: source,
        SIZE: str(size),
        TIME: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **_device_tags(devices),
    }
    return _checked({"Name": name, **without_aws(tags), **ours})


def copy_tags(snapshot: Snapshot) -> dict[str, str]:
    """The tags of a copy: those of its source and where it came from, without those that AWS keeps for itself.

    :param snapshot: the source.
    """
    ours = {COPY_OF: snapshot.ref, TIME: snapshot.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    if snapshot.volume:
        ours[COPY_VOLUME] = snapshot.volume
    kept = {key: value for key, value in without_aws(snapshot.tags).items() if key not in (REMOVAL, SHARED)}
    return _checked({**kept, **ours})


def without_aws(tags: dict[str, str]) -> dict[str, str]:
    """Tags without those that only AWS may set.

    :param tags: any.
    """
    return {key: str(value) for key, value in tags.items() if not key.lower().startswith("aws:")}


def _checked(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > MAX_TAGS:
        raise SnapshotsError(f"a snapshot would carry {len(tags)} tags, AWS takes {MAX_TAGS}: give fewer in tags")
    return tags


def _device_tags(devices: dict[str, str]) -> dict[str, str]:
    # 256 characters hold about eight volumes; an instance may have more than a hundred.
    values = [""]
    for volume, device in sorted(devices.items(), key=lambda item: item[1]):
        entry = f"{device}={volume}"
        if values[-1] and len(values[-1]) + 1 + len(entry) > MAX_TAG_VALUE:
            values.append("")
        values[-1] = f"{values[-1]} {entry}".strip()
    return {f"{DEVICES}{n or ''}": value for n, value in enumerate(values) if value}


def parse_devices(tags: dict[str, str]) -> dict[str, str]:
    """Device name of each volume id, read back from a snapshot's tags.

    :param tags: of a snapshot.
    """
    entries = " ".join(value for key, value in sorted(tags.items()) if re.fullmatch(rf"{DEVICES}\d*", key)).split()
    return {volume: device for device, _, volume in (entry.partition("=") for entry in entries)}


def matches(tags: dict[str, str], wanted: dict[str, str]) -> bool:
    """Whether a resource carries all of some tags.

    :param tags: of the resource.
    :param wanted: keys and values that it must have.
    """
    return all(tags.get(key) == value for key, value in wanted.items())


def age(point: RestorePoint, now: datetime) -> timedelta:
    """How old the content is, never less than nothing.

    :param point: the restore point.
    :param now: the time to compare with.
    """
    return max(now - point.time, timedelta(0))


def describe(point: RestorePoint, now: datetime) -> dict[str, t.Any]:
    """A restore point as the modules return it.

    :param point: the restore point.
    :param now: the time to count the age from.
    """
    snapshots = point.snapshots
    return {
        "name": point.name,
        "of": point.of,
        "source": point.source,
        "service": point.service,
        "tier": point.tier,
        "region": snapshots[0].region,
        "time": point.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "age_seconds": int(age(point, now).total_seconds()),
        "age": format_duration(age(point, now)),
        "state": point.state,
        "complete": point.state == COMPLETE,
        "flaw": point.flaw(),
        "size": point.size,
        "size_gib": sum(snapshot.size_gib for snapshot in point.members.values()),
        "encrypted": all(snapshot.encrypted for snapshot in snapshots),
        "copy": all(snapshot.is_copy for snapshot in snapshots),
        "snapshots": [_snapshot_facts(point, snapshot) for snapshot in snapshots],
    }


def _snapshot_facts(point: RestorePoint, snapshot: Snapshot) -> dict[str, t.Any]:
    return {
        "id": snapshot.id,
        "ref": snapshot.ref,
        "state": snapshot.state,
        "volume": snapshot.member if snapshot.service == EBS else "",
        "device": point.devices.get(snapshot.member, ""),
        "size_gib": snapshot.size_gib,
        "encrypted": snapshot.encrypted,
        "kms_key": snapshot.kms_key,
        "copy_of": snapshot.tags.get(COPY_OF, ""),
        "tags": dict(snapshot.tags),
    }


def _tags(raw: list[dict[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in raw or []}


def _parse_time(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None

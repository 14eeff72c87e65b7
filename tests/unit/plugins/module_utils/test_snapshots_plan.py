# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What pruning may never do, for any account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ansible_collections.palier.aws.plugins.module_utils import snapshots as s
from ansible_collections.palier.aws.plugins.module_utils.retention import Policy
from ansible_collections.palier.aws.plugins.module_utils.snapshots_plan import (
    Copy,
    Way,
    judge,
    key_flaw,
    obstacle,
    plan_copies,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


@st.composite
def accounts(draw) -> list[s.RestorePoint]:
    """Restore points of two sources, some of them broken, pending or half removed."""
    found = []
    for number in range(draw(st.integers(0, 8))):
        source, size = draw(st.sampled_from(["i-1", "i-2"])), draw(st.integers(1, 3))
        begun = {s.REMOVAL: "x"} if draw(st.booleans()) else {}
        tags = {s.POINT: f"p{number}", s.OF: source, s.SOURCE: source, s.SIZE: str(size), **begun}
        for member in range(draw(st.integers(1, size))):
            raw = {
                "SnapshotId": f"snap-{number}-{member}",
                "State": draw(st.sampled_from(["completed", "completed", "completed", "pending", "error"])),
                "StartTime": NOW - timedelta(hours=draw(st.integers(0, 500))),
                "VolumeId": f"vol-{source}-{member}",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
            found.append(s.from_ebs(raw, "eu-west-3"))
    return s.group(found)[0]


@given(accounts(), st.integers(1, 3), st.integers(1, 3), st.booleans(), st.data())
def test_promises_of_pruning(points, last, minimum, remove_broken, data):
    ids = [snapshot.id for point in points for snapshot in point.snapshots]
    images = dict.fromkeys(data.draw(st.sets(st.sampled_from(ids))) if ids else (), "ami-1")
    policy = Policy(last=last, minimum=minimum)
    verdicts = judge(points, policy, NOW, images=images, remove_broken=remove_broken)
    assert [verdict.point for verdict in verdicts] == points
    assert all(verdict.reasons for verdict in verdicts)
    for verdict in verdicts:
        if not verdict.keep:
            assert not any(snapshot.id in images for snapshot in verdict.point.snapshots)
            begun = all(s.REMOVAL in snapshot.tags for snapshot in verdict.point.snapshots)
            assert verdict.point.state == s.COMPLETE or begun or remove_broken
            assert verdict.point.state != s.PENDING or begun
    for source in ("i-1", "i-2"):
        whole = [v for v in verdicts if v.point.source == source and v.point.state == s.COMPLETE]
        assert sum(v.keep for v in whole) >= min(minimum, len(whole))
        if whole:
            assert max(whole, key=lambda v: (v.point.time, v.point.key)).keep
    stays = [verdict.point for verdict in verdicts if verdict.keep]
    again = judge(stays, policy, NOW, images=images, remove_broken=remove_broken)
    assert all(verdict.keep for verdict in again), "after the removals nothing more goes"


@given(accounts(), st.integers(0, 5), st.sets(st.integers(0, 7)))
def test_promises_of_copying(points, room, copied):
    there = []
    for point in points:
        for snapshot in point.snapshots:
            if int(snapshot.id.split("-")[1]) in copied:
                tags = [{"Key": k, "Value": v} for k, v in s.copy_tags(snapshot).items()]
                raw = {"SnapshotId": f"copy-{snapshot.id}", "State": "completed", "StartTime": NOW, "Tags": tags}
                there.append(s.from_ebs(raw, "eu-central-1"))
    plan = plan_copies(points, there, {s.EBS: room}, target="eu-central-1", patient=False)
    started = [copy.snapshot.id for copy in plan.copies]
    queued = [copy.snapshot.id for copy in plan.queued]
    lacking = [
        snapshot.id
        for point in points
        if point.state == s.COMPLETE
        for snapshot in point.members.values()
        if f"copy-{snapshot.id}" not in {copy.id for copy in there}
    ]
    assert len(started) <= room
    assert sorted(started + queued) == sorted(lacking), "what lacks is started or queued, once"
    assert not queued or len(started) == room


def cluster_copy(encrypted: bool) -> Copy:
    raw = {"DBClusterSnapshotIdentifier": "c", "DBClusterSnapshotArn": "arn:c", "Status": "available"}
    snapshot = s.from_rds_cluster({**raw, "StorageEncrypted": encrypted}, "eu-west-3")
    return Copy(None, snapshot, None, None)  # type: ignore[arg-type]


def test_aws_encrypts_no_cluster_snapshot_while_copying():
    way = Way(abroad=True, shared=False, key="alias/mine")
    assert "leave kms_key_id out" in obstacle(cluster_copy(encrypted=False), way)
    assert obstacle(cluster_copy(encrypted=True), way) == ""
    assert "give kms_key_id" in obstacle(cluster_copy(encrypted=True), Way(abroad=True, shared=False))
    assert obstacle(cluster_copy(encrypted=True), Way(abroad=False, shared=False)) == ""


def test_a_key_for_signing_cannot_encrypt():
    assert "is for SIGN_VERIFY" in key_flaw({"KeyState": "Enabled", "KeyUsage": "SIGN_VERIFY"}, "eu-west-3")
    assert key_flaw({"KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT"}, "eu-west-3") == ""

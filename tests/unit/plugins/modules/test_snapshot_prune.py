# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# ruff: noqa: F811 (the fixture is imported)
"""Pruning: what goes, what stays and why, and what happens when it is interrupted."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.modules import ec2_instance_snapshot, rds_snapshot, snapshot_prune

from tests.unit.module_runner import run_module
from tests.unit.plugins.snapshot_cloud import Cloud, cloud, lost_answer, refusal  # noqa: F401

STACK = {"Stack": "shop", "Environment": "prod"}
DAY = 24 * 3600


def prune(check: bool = False, **options):
    return run_module(snapshot_prune, {"tags": STACK, **options}, check)


def save(instance: str, tags=STACK) -> None:
    assert run_module(ec2_instance_snapshot, {"instance_id": instance, "tags": tags})["changed"]


def days(cloud: Cloud, instance: str, count: int) -> None:
    """One restore point a day, the last of them a day ago."""
    for _ in range(count):
        save(instance)
        cloud.sleep(DAY)


def points(cloud: Cloud) -> list[str]:
    """Names of the restore points of EBS."""
    return sorted({tag["Value"] for raw in cloud.ebs for tag in raw["Tags"] if tag["Key"] == "RestorePoint"})


def reasons(result) -> dict[str, str]:
    return {step["resource"].split()[-1]: step["reason"] for step in result["plan"]}


def test_the_policy_says_what_goes(cloud):
    days(cloud, cloud.add_instance(), 5)
    names = points(cloud)
    result = prune(keep_daily=2, keep_minimum=3)
    assert result["changed"]
    assert points(cloud) == names[-3:]
    assert result["removed"] == names[:2][::-1]
    assert result["kept"] == names[2:][::-1]
    assert reasons(result) == {
        names[4]: "daily 1",
        names[3]: "daily 2",
        names[2]: "never fewer than 3",
        names[1]: "no rule of the policy keeps it",
        names[0]: "no rule of the policy keeps it",
    }
    again = prune(keep_daily=2, keep_minimum=3)
    assert not again["changed"]
    assert again["removed"] == []


def test_check_mode_shows_the_same_plan_and_writes_nothing(cloud):
    days(cloud, cloud.add_instance(), 4)
    cloud.heal()
    planned = prune(check=True, keep_last=1)
    assert cloud.writes == []
    done = prune(keep_last=1)
    assert (planned["plan"], planned["diff"], planned["changed"]) == (done["plan"], done["diff"], True)
    assert planned["removed"] == []
    assert len(done["diff"]["before"]) == 3


def test_databases_and_clusters(cloud):
    cloud.add_database()
    cloud.clusters["shop-prod-aurora"] = {"DBClusterIdentifier": "shop-prod-aurora"}
    for _ in range(3):
        run_module(rds_snapshot, {"db_instance_identifier": "shop-prod-db", "tags": STACK})
        run_module(rds_snapshot, {"db_cluster_identifier": "shop-prod-aurora", "tags": STACK})
        cloud.sleep(DAY)
    cloud.heal()
    assert len(prune(keep_last=1)["removed"]) == 4
    assert len(cloud.rds) == 2
    assert "CreateTags" not in cloud.count(), "a set of one needs no mark"
    assert "DescribeImages" not in cloud.count(), "machine images hold no database snapshots"


def test_other_stacks_and_other_snapshots_are_left_alone(cloud):
    mine, other = cloud.add_instance(), cloud.add_instance(name="other")
    save(other, tags={"Stack": "other"})
    days(cloud, mine, 3)
    cloud.ebs.append(
        {**cloud.ebs[-1], "SnapshotId": "snap-loose", "Tags": [{"Key": k, "Value": v} for k, v in STACK.items()]}
    )
    result = prune(keep_last=1)
    assert reasons(result)["snap-loose"] == "belongs to no restore point"
    assert sum(raw["SnapshotId"] == "snap-loose" for raw in cloud.ebs) == 1
    assert len(points(cloud)) == 2


def test_each_source_has_its_own_policy(cloud):
    first, second = cloud.add_instance(name="a"), cloud.add_instance(name="b")
    for _ in range(2):
        days(cloud, first, 1)
        days(cloud, second, 1)
    prune(keep_last=1)
    assert [name[0] for name in points(cloud)] == ["a", "b"]


def test_a_replaced_instance_ages_out_by_its_name(cloud):
    days(cloud, cloud.add_instance(), 2)
    days(cloud, cloud.add_instance(), 2)
    assert len(prune(check=True, keep_last=1, group_by="source")["kept"]) == 2
    assert len(prune(keep_last=1)["kept"]) == 1


# What stays whatever the policy says


def test_what_a_machine_image_uses_stays(cloud):
    days(cloud, cloud.add_instance(), 3)
    names = points(cloud)
    used = {
        "ImageId": "ami-1",
        "disabled": True,
        "BlockDeviceMappings": [{"Ebs": {"SnapshotId": cloud.ebs[1]["SnapshotId"]}}],
    }
    cloud.images = [*({"ImageId": f"ami-x{n}", "BlockDeviceMappings": []} for n in range(4)), used]
    result = prune(keep_last=1)
    assert reasons(result)[names[0]] == "machine image ami-1 uses it"
    assert points(cloud) == [names[0], names[2]]
    assert len(cloud.ebs) == 4, "the set stays whole"


def test_what_an_unseen_machine_image_uses_stays_whole(cloud):
    days(cloud, cloud.add_instance(), 3)
    names = points(cloud)
    first = cloud.ebs[0]["SnapshotId"]
    cloud.fail_when(lambda op, p: op == "DeleteSnapshot" and p["SnapshotId"] == first, refusal("InvalidSnapshot.InUse"))
    result = prune(keep_last=1)
    assert not result.get("failed")
    assert reasons(result)[names[0]] == "a machine image uses it, as AWS says"
    assert len(cloud.ebs) == 4
    assert not [t for raw in cloud.ebs for t in raw["Tags"] if t["Key"] == "RestorePointRemoval"]
    assert names[0] in result["kept"]


@pytest.mark.parametrize("maker", ["aws:backup:source-resource", "aws:dlm:lifecycle-policy-id"])
def test_what_an_aws_service_made_stays(cloud, maker):
    days(cloud, cloud.add_instance(), 3)
    for raw in cloud.ebs[:2]:
        raw["Tags"].append({"Key": maker, "Value": "x"})
    result = prune(keep_last=1)
    made_by = {"aws:backup:source-resource": "AWS Backup", "aws:dlm:lifecycle-policy-id": "Data Lifecycle Manager"}
    assert reasons(result)[cloud.ebs[0]["SnapshotId"]] == f"{made_by[maker]} made it and removes it by its own rules"
    assert len(cloud.ebs) == 4


def test_an_incomplete_set_stays_unless_asked_for(cloud):
    days(cloud, cloud.add_instance(), 3)
    names = points(cloud)
    del cloud.ebs[0]
    assert reasons(prune(keep_last=1))[names[0]] == "not a complete set: 1 of 2 snapshots are there"
    assert points(cloud) == [names[0], names[2]]
    result = prune(keep_last=1, remove_broken=True)
    assert reasons(result)[names[0]] == "cannot be restored from: 1 of 2 snapshots are there; a newer one can"
    assert points(cloud) == [names[2]]


def test_the_newest_stays_even_if_broken(cloud):
    days(cloud, cloud.add_instance(), 2)
    cloud.ebs[-1]["State"] = "error"
    result = prune(keep_last=1, remove_broken=True)
    assert result["removed"] == []


def test_a_pending_one_stays_and_counts_for_nothing(cloud):
    instance = cloud.add_instance()
    days(cloud, instance, 1)
    cloud.pending_seconds = 10**6
    save(instance)
    result = prune(keep_last=1)
    assert sorted(reasons(result).values()) == ["last 1", "still pending"]


# Listings that look wrong


def test_an_empty_listing_is_refused(cloud):
    result = prune(keep_last=1)
    assert result["failed"]
    assert "no restore point in eu-west-3 with Environment=prod, Stack=shop" in result["msg"]
    assert not prune(keep_last=1, allow_empty=True)["changed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "the policy keeps nothing"),
        ({"keep_minimum": 5}, "the policy keeps nothing"),
        ({"keep_last": 1, "keep_minimum": 0}, "the newest is never removed"),
        ({"keep_daily": -2}, "keep daily is -2"),
        ({"keep_within": "a week"}, "is not a length of time"),
        ({"keep_last": 1, "timezone": "Paris"}, "IANA name"),
        ({"keep_last": 1, "tags": {}}, "tags is empty"),
    ],
)
def test_what_is_refused(cloud, options, message):
    days(cloud, cloud.add_instance(), 2)
    cloud.heal()
    result = prune(**options)
    assert result["failed"]
    assert message in result["msg"]
    assert cloud.writes == []


def test_removing_all_that_can_be_restored_from_is_refused(cloud):
    days(cloud, cloud.add_instance(), 1)
    cloud.ebs[0]["Tags"].append({"Key": "RestorePointRemoval", "Value": "x"})
    del cloud.ebs[1]
    cloud.heal()
    assert "would go, so the listing looks wrong" in prune(keep_last=1)["msg"]
    assert cloud.writes == []


# Failures and interruptions


def test_one_that_cannot_go_does_not_keep_the_others_back(cloud):
    days(cloud, cloud.add_instance(), 4)
    names = points(cloud)
    stuck = cloud.ebs[0]["SnapshotId"]
    cloud.fail_when(
        lambda op, p: op == "DeleteSnapshot" and p["SnapshotId"] == stuck,
        refusal("OperationNotPermitted", "The snapshot is locked"),
    )
    result = prune(keep_last=1)
    assert result["failed"]
    assert f"delete ebs snapshot {stuck}" in result["msg"]
    assert "a snapshot lock protects it" in result["msg"]
    assert sorted(result["removed"]) == names[1:3]
    assert points(cloud) == [names[0], names[3]]


def test_what_is_gone_already_is_fine(cloud):
    days(cloud, cloud.add_instance(), 2)
    cloud.fail("DeleteSnapshot", refusal("InvalidSnapshot.NotFound"), after=True, times=-1)
    assert prune(keep_last=1)["removed"]
    assert len(cloud.ebs) == 2


def test_throttling_is_waited_out(cloud):
    days(cloud, cloud.add_instance(), 4)
    cloud.fail("DeleteSnapshot", refusal("RequestLimitExceeded"), times=5)
    assert len(prune(keep_last=1)["removed"]) == 3


def test_throttling_that_lasts_is_explained(cloud):
    days(cloud, cloud.add_instance(), 2)
    cloud.fail("DeleteSnapshot", refusal("RequestLimitExceeded"), times=-1)
    result = prune(keep_last=1)
    assert "lower concurrency" in result["msg"]
    cloud.heal()
    assert not prune(keep_last=1).get("failed")
    assert len(cloud.ebs) == 2


def test_a_removal_that_had_begun_is_finished(cloud):
    days(cloud, cloud.add_instance(volumes=3), 2)
    names = points(cloud)
    second = cloud.ebs[1]["SnapshotId"]
    cloud.fail_when(
        lambda op, p: op == "DeleteSnapshot" and p["SnapshotId"] == second, refusal("UnauthorizedOperation")
    )
    assert prune(keep_last=1)["failed"]
    assert len(cloud.ebs) == 5
    cloud.heal()
    result = prune(keep_last=1)
    assert reasons(result)[names[0]] == "its removal had begun"
    assert points(cloud) == [names[1]]


def test_a_removal_that_is_off_is_unmarked(cloud):
    days(cloud, cloud.add_instance(), 2)
    cloud.fail("DeleteSnapshot", refusal("UnauthorizedOperation"), times=-1)
    assert prune(keep_last=1)["failed"]
    cloud.heal()
    result = prune(keep_last=2)
    assert [step["action"] for step in result["plan"]] == ["untag", "untag", "keep", "keep"]
    assert not prune(keep_last=2)["changed"]
    del cloud.ebs[0]
    assert prune(keep_last=2)["removed"] == [], "a set that lost a snapshot for another reason stays"


@pytest.mark.parametrize(
    ("error", "after"),
    [
        (lost_answer(), False),
        (lost_answer(), True),
        (refusal("InternalError"), True),
        (refusal("RequestLimitExceeded"), False),
        (refusal("UnauthorizedOperation"), False),
    ],
)
def test_each_call_failing_once_in_turn(cloud, error, after):
    """Whatever call fails, a second run ends where an uninterrupted one ends."""
    cloud.add_database()
    days(cloud, cloud.add_instance(), 4)
    for _ in range(3):
        run_module(rds_snapshot, {"db_instance_identifier": "shop-prod-db", "tags": STACK})
        cloud.sleep(DAY)
    before = [dict(raw) for raw in cloud.ebs], [dict(raw) for raw in cloud.rds]
    cloud.heal()
    prune(keep_last=1, concurrency=1)
    total, end = len(cloud.calls), (points(cloud), len(cloud.ebs), len(cloud.rds))
    assert end[1:] == (2, 1)
    for number in range(total):
        cloud.ebs, cloud.rds = [dict(raw) for raw in before[0]], [dict(raw) for raw in before[1]]
        cloud.heal()
        cloud.fail(number, error, after=after)
        prune(keep_last=1, concurrency=1)
        cloud.heal()
        assert not prune(keep_last=1, concurrency=1).get("failed"), number
        assert (points(cloud), len(cloud.ebs), len(cloud.rds)) == end, number


def test_calls_do_not_grow_with_what_stays(cloud):
    days(cloud, cloud.add_instance(), 30)
    cloud.page = 1000
    cloud.heal()
    prune(keep_last=29)
    assert cloud.count() == {
        "DescribeSnapshots": 1,
        "DescribeDBSnapshots": 1,
        "DescribeDBClusterSnapshots": 1,
        "DescribeImages": 1,
        "CreateTags": 1,
        "DeleteSnapshot": 2,
    }

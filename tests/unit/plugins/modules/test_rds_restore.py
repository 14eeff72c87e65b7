# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# ruff: noqa: F811 (the fixture is imported)
"""Restores of databases: beside or swapped in, from any state, never destructive."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ansible_collections.palier.aws.plugins.modules import rds_restore, rds_snapshot

from tests.unit.module_runner import run_module
from tests.unit.plugins.snapshot_cloud import Cloud, cloud, lost_answer, refusal  # noqa: F401

STACK = {"Stack": "shop", "Environment": "prod"}
SNAPSHOT = "shop-prod-db-20240615t120000z"
KEPT = "shop-prod-db-before-20240615t120000"


def restore(check: bool = False, **options):
    source = {} if "restore_time" in options else {"snapshot": SNAPSHOT}
    return run_module(rds_restore, {"db_instance_identifier": "shop-prod-db", **source, **options}, check)


@pytest.fixture(autouse=True)
def saved(cloud: Cloud) -> None:
    """A database and its snapshot."""
    cloud.databases[cloud.add_database()].update(
        DBInstanceClass="db.m5.large",
        DBSubnetGroup={"DBSubnetGroupName": "shop-prod-db-subnets"},
        VpcSecurityGroups=[{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
        DBParameterGroups=[{"DBParameterGroupName": "shop-prod-db-postgres17"}],
        MultiAZ=True,
        DeletionProtection=True,
        MasterUserSecret={"SecretArn": "arn:aws:secretsmanager:x"},
        TagList=[{"Key": "Tier", "Value": "rds"}, {"Key": "aws:secret", "Value": "x"}],
        LatestRestorableTime=cloud.now - timedelta(minutes=5),
    )
    run_module(rds_snapshot, {"db_instance_identifier": "shop-prod-db", "tags": STACK, "wait": True})
    cloud.heal()


def actions(result) -> list[str]:
    return [step["action"] for step in result["plan"]]


def test_beside_the_present_one(cloud):
    first = restore(tags=STACK)
    assert (actions(first), first["done"], first["restored_identifier"]) == (["create"], False, "shop-prod-db-restored")
    assert cloud.databases["shop-prod-db-restored"]["asked"] == {
        "DBSnapshotIdentifier": SNAPSHOT,
        "DBInstanceIdentifier": "shop-prod-db-restored",
        "DBInstanceClass": "db.m5.large",
        "DBSubnetGroupName": "shop-prod-db-subnets",
        "VpcSecurityGroupIds": ["sg-1"],
        "DBParameterGroupName": "shop-prod-db-postgres17",
        "MultiAZ": True,
        "DeletionProtection": True,
        "ManageMasterUserPassword": True,
        "PubliclyAccessible": False,
        "Tags": [
            {"Key": "Tier", "Value": "rds"},
            {"Key": "Stack", "Value": "shop"},
            {"Key": "Environment", "Value": "prod"},
            {"Key": "RestoredFrom", "Value": SNAPSHOT},
        ],
    }
    second = restore(tags=STACK)
    assert (second["changed"], second["done"]) == (False, False)
    cloud.sleep(100)
    assert restore(tags=STACK)["done"]
    assert set(cloud.databases) == {"shop-prod-db", "shop-prod-db-restored"}


def test_check_mode_shows_the_same_plan_and_writes_nothing(cloud):
    planned = restore(check=True, swap=True)
    assert cloud.writes == []
    done = restore(swap=True)
    assert (planned["plan"], planned["diff"], planned["changed"]) == (done["plan"], done["diff"], True)
    assert [step["resource"] for step in planned["plan"]] == [
        "database shop-prod-db-restored",
        f"database shop-prod-db to {KEPT}",
        "database shop-prod-db-restored to shop-prod-db",
    ]


def test_swapped_in_the_old_one_is_kept(cloud):
    result = restore(swap=True, wait=True)
    assert result["done"]
    assert actions(result) == ["create", "rename", "rename", "keep"]
    assert set(cloud.databases) == {"shop-prod-db", KEPT}
    assert "asked" in cloud.databases["shop-prod-db"]
    assert "asked" not in cloud.databases[KEPT]
    assert (result["restored_identifier"], result["kept_identifier"]) == ("shop-prod-db", KEPT)
    again = restore(swap=True)
    assert (again["changed"], again["done"]) == (False, True)


def test_a_further_attempt_is_another_restore(cloud):
    restore(swap=True, wait=True)
    result = restore(swap=True, wait=True, attempt="2")
    assert result["changed"]
    assert set(cloud.databases) == {"shop-prod-db", KEPT, f"{KEPT}-2"}
    assert not restore(swap=True, attempt="2")["changed"]


def test_step_by_step_without_wait(cloud):
    for _ in range(20):
        result = restore(swap=True)
        if result["done"]:
            break
        cloud.sleep(30)
    assert result["done"]
    assert set(cloud.databases) == {"shop-prod-db", KEPT}


def test_a_lost_database_comes_back(cloud):
    cloud.databases.clear()
    result = restore(swap=True, wait=True, db_subnet_group_name="net", vpc_security_group_ids=["sg-2"])
    assert set(cloud.databases) == {"shop-prod-db"}
    assert cloud.databases["shop-prod-db"]["asked"]["DBSubnetGroupName"] == "net"
    assert actions(result) == ["create", "rename", "keep"]


def test_to_a_point_in_time(cloud):
    moment = (cloud.now - timedelta(minutes=30)).isoformat()
    restore(restore_time=moment, swap=True, wait=True)
    asked = cloud.databases["shop-prod-db"]["asked"]
    assert asked["RestoreTime"].isoformat() == moment
    assert set(cloud.databases) == {"shop-prod-db", "shop-prod-db-before-20240615t113100"}
    assert not restore(restore_time=moment, swap=True)["changed"]


def test_to_the_latest(cloud):
    assert "give kept_identifier too" in restore(restore_time="latest", swap=True)["msg"]
    restore(restore_time="latest", swap=True, kept_identifier="old-1", wait=True)
    assert not restore(restore_time="latest", swap=True, kept_identifier="old-1")["changed"]
    restore(restore_time="latest", swap=True, kept_identifier="old-2", wait=True)
    assert set(cloud.databases) == {"shop-prod-db", "old-1", "old-2"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"restore_time": "yesterday"}, "is no time"),
        ({"restore_time": "2024-06-15T03:15:00"}, "write 2024-06-15T03:15:00Z"),
        ({"restore_time": "2024-06-15T13:00:00Z"}, "the latest that AWS can restore to"),
        ({"snapshot": "nope"}, "DBSnapshotNotFound"),
        ({"new_identifier": "taken"}, "was not restored from"),
        ({"snapshot": "x", "restore_time": "latest"}, "mutually exclusive"),
    ],
)
def test_what_is_refused(cloud, options, message):
    cloud.add_database("taken")
    result = restore(**options)
    assert result["failed"]
    assert message in result["msg"]
    assert set(cloud.databases) == {"shop-prod-db", "taken"}


def test_a_time_needs_the_present_database(cloud):
    cloud.databases.clear()
    assert "give snapshot instead" in restore(restore_time="latest")["msg"]


def test_a_kept_name_that_is_taken_is_refused_before_anything_happens(cloud):
    cloud.add_database("old")
    restore(wait=True)
    cloud.heal()
    assert "give another kept_identifier" in restore(swap=True, kept_identifier="old")["msg"]
    assert cloud.writes == []


def test_a_busy_database_is_waited_for(cloud):
    restore(wait=True)
    cloud.databases["shop-prod-db"]["DBInstanceStatus"] = "backing-up"
    result = restore(swap=True)
    assert not result["done"]
    assert not result["changed"]
    assert "waits: shop-prod-db is backing-up" in result["plan"][0]["reason"]


def test_a_name_is_taken_over_only_when_it_is_free(cloud):
    restore(wait=True)
    cloud.databases[KEPT] = {**cloud.databases.pop("shop-prod-db"), "DBInstanceStatus": "renaming"}
    cloud.databases[KEPT]["ready"] = cloud.now + timedelta(seconds=60)
    result = restore(swap=True)
    assert (result["changed"], result["done"]) == (False, False)
    cloud.sleep(100)
    assert restore(swap=True, wait=True)["done"]
    assert set(cloud.databases) == {"shop-prod-db", KEPT}


def test_the_timeout_says_how_to_go_on(cloud):
    cloud.pending_seconds = 10**6
    assert "it goes on from there" in restore(wait=True, wait_timeout=60)["msg"]


@pytest.mark.parametrize(
    ("code", "way_out"), [("KMSKeyNotAccessibleFault", "the KMS key cannot be used"), ("AccessDenied", "policy")]
)
def test_what_lasts_is_explained(cloud, code, way_out):
    cloud.fail("RestoreDBInstanceFromDBSnapshot", refusal(code), times=-1)
    result = restore()
    assert f"restore shop-prod-db-restored from {SNAPSHOT}" in result["msg"]
    assert way_out in result["msg"]


@pytest.mark.parametrize(
    ("error", "after"),
    [(lost_answer(), False), (lost_answer(), True), (refusal("Throttling"), False), (refusal("AccessDenied"), False)],
)
def test_each_call_failing_once_in_turn(cloud, error, after):
    """Whatever call fails, a second run ends with the restored one in place and the old one kept."""
    before = {name: dict(raw) for name, raw in cloud.databases.items()}
    restore(swap=True, wait=True)
    total = len(cloud.calls)
    for number in range(total):
        cloud.databases = {name: dict(raw) for name, raw in before.items()}
        cloud.heal()
        cloud.fail(number, error, after=after)
        restore(swap=True, wait=True)
        cloud.heal()
        assert restore(swap=True, wait=True)["done"], number
        assert set(cloud.databases) == {"shop-prod-db", KEPT}, number
        assert "asked" in cloud.databases["shop-prod-db"], number
        assert "asked" not in cloud.databases[KEPT], number

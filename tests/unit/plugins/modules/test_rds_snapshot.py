# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# ruff: noqa: F811 (the fixture is imported)
"""Restore points of databases: made once, and not again within the age."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.modules import rds_snapshot

from tests.unit.module_runner import run_module
from tests.unit.plugins.snapshot_cloud import PARIS, Cloud, cloud, lost_answer, refusal, unreachable  # noqa: F401

STACK = {"Stack": "shop", "Environment": "prod", "Tier": "rds"}


def save(check: bool = False, **more):
    target = {} if "db_cluster_identifier" in more else {"db_instance_identifier": "shop-prod-db"}
    return run_module(rds_snapshot, {"tags": STACK, **target, **more}, check)


@pytest.fixture(autouse=True)
def database(cloud: Cloud) -> str:
    """A database and a cluster."""
    cloud.clusters["shop-prod-aurora"] = {"DBClusterIdentifier": "shop-prod-aurora", "KmsKeyId": "key", "region": PARIS}
    return cloud.add_database()


def test_a_manual_snapshot_with_the_stacks_tags(cloud):
    result = save()
    assert result["changed"]
    assert [raw["DBSnapshotIdentifier"] for raw in cloud.rds] == ["shop-prod-db-20240615t120000z"]
    assert {tag["Key"]: tag["Value"] for tag in cloud.rds[0]["TagList"]} == {
        **STACK,
        "Name": "shop-prod-db-20240615t120000z",
        "RestorePoint": "shop-prod-db-20240615t120000z",
        "RestorePointOf": "shop-prod-db",
        "RestorePointSource": "shop-prod-db",
        "RestorePointSize": "1",
        "RestorePointTime": "2024-06-15T12:00:00Z",
    }
    assert (result["restore_point"]["service"], result["restore_point"]["state"]) == ("rds", "pending")


def test_a_cluster(cloud):
    result = save(db_cluster_identifier="Shop-Prod-Aurora", wait=True)
    assert result["restore_point"]["service"] == "rds_cluster"
    assert result["restore_point"]["complete"]
    assert result["restore_point"]["encrypted"]
    assert cloud.rds[0]["DBClusterSnapshotIdentifier"] == "shop-prod-aurora-20240615t120000z"
    assert not save(db_cluster_identifier="shop-prod-aurora", max_age="1h")["changed"]


def test_check_mode_shows_the_same_plan_and_writes_nothing(cloud):
    planned = save(check=True)
    assert cloud.writes == []
    done = save()
    assert (planned["plan"], planned["diff"], planned["changed"]) == (done["plan"], done["diff"], True)


def test_none_is_made_while_a_younger_one_exists(cloud):
    save(max_age="1d")
    cloud.sleep(23 * 3600)
    again = save(max_age="1d")
    assert not again["changed"]
    assert again["plan"][0]["reason"] == "is 23h old, younger than 1d"
    cloud.sleep(3600)
    assert save(max_age="1d")["plan"][0]["reason"].endswith("is 1d old, not younger than 1d")
    assert len(cloud.rds) == 2


def test_a_failed_one_does_not_count(cloud):
    save(max_age="1d")
    cloud.rds[0]["Status"] = "failed"
    cloud.sleep(1)
    again = save(max_age="1d")
    assert again["changed"]
    assert "ended in error (status failed)" in again["plan"][0]["reason"]


def test_other_snapshots_of_the_database_do_not_count(cloud):
    save(max_age="1d")
    cloud.rds[0]["TagList"] = []
    cloud.sleep(1)
    assert save(max_age="1d")["changed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"db_instance_identifier": "nope"}, "db_instance_identifier nope: no such database in eu-west-3"),
        ({"db_cluster_identifier": "nope"}, "db_cluster_identifier nope: no such database"),
        ({"restore_point": "Before_v2"}, "cannot name a database snapshot"),
        ({"restore_point": "a--b"}, "single hyphens"),
        ({"restore_point": "a" * 256}, "RDS takes 255"),
        ({"db_cluster_identifier": "shop-prod-aurora", "restore_point": "a" * 64}, "RDS takes 63"),
        ({"max_age": "1d", "restore_point": "a"}, "mutually exclusive"),
    ],
)
def test_what_is_refused(cloud, options, message):
    result = save(**options)
    assert result["failed"]
    assert message in result["msg"]
    assert cloud.writes == []


def test_a_member_of_a_cluster_is_refused(cloud):
    cloud.databases["shop-prod-db"]["DBClusterIdentifier"] = "shop-prod-aurora"
    assert "give db_cluster_identifier instead" in save()["msg"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [lost_answer(), unreachable(), refusal("InternalFailure")])
@pytest.mark.parametrize("target", [{}, {"db_cluster_identifier": "shop-prod-aurora"}])
def test_a_lost_answer_makes_no_second_one(cloud, error, after, target):
    cloud.fail("CreateDBClusterSnapshot" if target else "CreateDBSnapshot", error, after=after)
    assert save(**target)["restore_point"]["size"] == 1
    assert len(cloud.rds) == 1


def test_a_lost_answer_about_what_does_not_show_yet_makes_no_second_one(cloud, monkeypatch):
    looks, listing = [], cloud.aws_describe_db_snapshots

    def late(params, place):
        looks.append(params)
        return {"DBSnapshots": []} if len(looks) <= 2 else listing(params, place)

    monkeypatch.setattr(cloud, "aws_describe_db_snapshots", late)
    cloud.fail("CreateDBSnapshot", lost_answer(), after=True)
    assert save()["restore_point"]["size"] == 1
    assert cloud.count()["CreateDBSnapshot"] == 2, "the second is refused: it exists"
    assert len(cloud.rds) == 1


def test_the_identifier_being_taken_by_something_else_is_an_error(cloud):
    save()
    cloud.rds[0]["TagList"] = []
    result = save()
    assert result["failed"]
    assert "already exists" in result["msg"]


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        ("SnapshotQuotaExceeded", "100 unless raised"),
        ("InvalidDBInstanceState", "not in state available"),
        ("KMSKeyNotAccessibleFault", "kms:DescribeKey"),
        ("AccessDenied", "policy"),
        ("Throttling", "run it again"),
    ],
)
def test_what_lasts_is_explained(cloud, code, way_out):
    cloud.fail("CreateDBSnapshot", refusal(code), times=-1)
    result = save()
    assert result["failed"]
    assert way_out in result["msg"]
    assert "shop-prod-db-20240615t120000z" in result["msg"]


def test_the_real_quota_and_state(cloud):
    cloud.quota["rds"] = 0
    assert "SnapshotQuotaExceeded" in save()["msg"]
    cloud.databases["shop-prod-db"]["DBInstanceStatus"] = "modifying"
    assert "InvalidDBInstanceState" in save()["msg"]


@pytest.mark.parametrize(
    ("error", "after"),
    [(lost_answer(), False), (lost_answer(), True), (refusal("Throttling"), False), (refusal("AccessDenied"), False)],
)
def test_each_call_failing_once_in_turn(cloud, error, after):
    save(max_age="24h", wait=True)
    total, cloud.rds = len(cloud.calls), []
    for number in range(total):
        cloud.heal()
        cloud.fail(number, error, after=after)
        save(max_age="24h", wait=True)
        cloud.heal()
        assert save(max_age="24h", wait=True)["restore_point"]["complete"], number
        assert len(cloud.rds) == 1, number
        cloud.rds = []

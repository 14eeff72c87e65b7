# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# ruff: noqa: F811 (the fixture is imported)
"""What the account says about its restore points."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.modules import ec2_instance_snapshot, rds_snapshot, snapshot_info

from tests.unit.module_runner import run_module
from tests.unit.plugins.snapshot_cloud import FRANKFURT, PARIS, Cloud, cloud, refusal  # noqa: F401

STACK = {"Stack": "shop", "Environment": "prod"}


def info(**more):
    return run_module(snapshot_info, {"tags": STACK, **more})


def save_instance(cloud: Cloud, tags=STACK, **more) -> str:
    instance = cloud.add_instance(**more)
    run_module(ec2_instance_snapshot, {"instance_id": instance, "tags": tags, "region": more.get("region", PARIS)})
    return instance


def save_database(cloud: Cloud) -> None:
    run_module(rds_snapshot, {"db_instance_identifier": cloud.add_database(), "tags": {**STACK, "Tier": "rds"}})


def test_nothing_yet(cloud):
    assert info() == {**info(), "restore_points": [], "newest": [], "loose": [], "changed": False}


def test_points_of_both_services_the_newest_first(cloud):
    save_instance(cloud)
    cloud.sleep(3600)
    save_database(cloud)
    cloud.sleep(3600)
    points = info()["restore_points"]
    assert [(p["service"], p["of"], p["age"], p["state"]) for p in points] == [
        ("rds", "shop-prod-db", "1h", "complete"),
        ("ebs", "shop-prod-web", "2h", "complete"),
    ]
    assert points[1]["size_gib"] == 16
    assert points[1]["encrypted"] is False
    assert points[1]["region"] == PARIS
    assert points[0]["tier"] == "rds"


def test_other_stacks_are_left_out(cloud):
    save_instance(cloud, tags={**STACK, "Environment": "dev"})
    save_database(cloud)
    assert [p["service"] for p in info()["restore_points"]] == ["rds"]
    assert [p["service"] for p in info(tags={"Stack": "shop"})["restore_points"]] == ["rds", "ebs"]
    assert info(tags={"Stack": "other"})["restore_points"] == []


def test_services_and_source(cloud):
    save_instance(cloud)
    save_database(cloud)
    assert [p["service"] for p in info(services=["rds"])["restore_points"]] == ["rds"]
    cloud.heal()
    info(services=["ebs"])
    assert set(cloud.count()) == {"DescribeSnapshots"}
    assert [p["service"] for p in info(source="shop-prod-web")["restore_points"]] == ["ebs"]


def test_more_than_a_page(cloud):
    for _ in range(4):
        save_instance(cloud)
        cloud.sleep(60)
    cloud.heal()
    assert len(info()["restore_points"]) == 4
    assert cloud.count()["DescribeSnapshots"] == 3


def test_regions(cloud):
    save_instance(cloud)
    save_instance(cloud, region=FRANKFURT)
    assert [p["region"] for p in info()["restore_points"]] == [PARIS]
    assert {p["region"] for p in info(regions=[PARIS, FRANKFURT])["newest"] or []} == set()
    cloud.sleep(100)
    assert {p["region"] for p in info(regions=[PARIS, FRANKFURT])["newest"]} == {PARIS, FRANKFURT}


def test_what_lacks_shows(cloud):
    save_instance(cloud)
    cloud.sleep(100)
    del cloud.ebs[0]
    point = info()["restore_points"][0]
    assert (point["state"], point["complete"], point["flaw"]) == ("incomplete", False, "1 of 2 snapshots are there")
    assert info()["newest"] == []


def test_what_failed_shows(cloud):
    save_instance(cloud)
    cloud.ebs[1]["doomed"] = "Given key ID is not accessible"
    cloud.sleep(100)
    point = info()["restore_points"][0]
    assert point["state"] == "error"
    assert point["flaw"] == f"{cloud.ebs[1]['SnapshotId']} ended in error (Given key ID is not accessible)"


def test_twins_are_one_member(cloud):
    save_instance(cloud)
    cloud.ebs.append({**cloud.ebs[0], "SnapshotId": "snap-twin"})
    cloud.sleep(100)
    point = info()["restore_points"][0]
    assert (point["complete"], point["size_gib"], len(point["snapshots"])) == (True, 16, 3)
    cloud.ebs[0]["State"] = "error"
    assert info()["restore_points"][0]["complete"], "the twin stands in"


def test_stale(cloud):
    save_instance(cloud)
    cloud.sleep(3600)
    assert info(max_age="1h")["stale"] == []
    cloud.sleep(1)
    assert [p["of"] for p in info(max_age="1h")["stale"]] == ["shop-prod-web"]
    assert "stale" not in info()


def test_a_wrong_clock_makes_no_negative_age(cloud):
    save_instance(cloud)
    cloud.sleep(-600)
    assert info()["restore_points"][0]["age"] == "0s"


def test_a_tag_cannot_make_a_point_younger(cloud):
    save_instance(cloud)
    for raw in cloud.ebs:
        raw["Tags"] = [
            t if t["Key"] != "RestorePointTime" else {**t, "Value": "2030-01-01T00:00:00Z"} for t in raw["Tags"]
        ]
    cloud.sleep(3600)
    assert info()["restore_points"][0]["age"] == "1h"


@pytest.mark.parametrize(
    "mark",
    [
        {"Tags": [{"Key": "aws:backup:source-resource", "Value": "x"}]},
        {"Description": "This snapshot is created by the AWS Backup service."},
    ],
)
def test_what_aws_backup_made_is_no_point_of_ours(cloud, mark):
    save_instance(cloud)
    for raw in cloud.ebs:
        raw["Tags"] = [*raw["Tags"], *mark.get("Tags", [])]
        raw["Description"] = mark.get("Description", "")
    result = info()
    assert result["restore_points"] == []
    assert [s["maker"] for s in result["loose"]] == ["AWS Backup", "AWS Backup"]


def test_no_tags_would_mean_the_whole_account(cloud):
    assert "tags is empty" in info(tags={})["msg"]
    assert cloud.calls == []


def test_an_error_is_one_message(cloud):
    cloud.fail("DescribeSnapshots", refusal("UnauthorizedOperation", "You are not authorized"), times=-1)
    result = info()
    assert result["failed"]
    assert "list EBS snapshots" in result["msg"]
    assert "You are not authorized" in result["msg"]

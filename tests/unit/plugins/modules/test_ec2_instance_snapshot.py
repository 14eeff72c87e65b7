# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# ruff: noqa: F811 (the fixture is imported)
"""Restore points of instances: made once, whole, and not again within the age."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.modules import ec2_instance_snapshot

from tests.unit.module_runner import run_module
from tests.unit.plugins.snapshot_cloud import FRANKFURT, Cloud, cloud, lost_answer, refusal, unreachable  # noqa: F401

STACK = {"Stack": "shop", "Environment": "prod", "Tier": "ec2_app"}


def save(cloud: Cloud, instance: str, check: bool = False, **more):
    return run_module(ec2_instance_snapshot, {"instance_id": instance, "tags": STACK, **more}, check)


def volumes(cloud: Cloud) -> list[str]:
    return sorted(raw["VolumeId"] for raw in cloud.ebs)


def test_all_volumes_become_one_restore_point(cloud):
    instance = cloud.add_instance(volumes=3)
    result = save(cloud, instance)
    point = result["restore_point"]
    assert result["changed"]
    assert result["plan"] == [
        {
            "action": "create",
            "resource": "ebs restore point shop-prod-web-20240615t120000z",
            "reason": "no max_age is given",
        }
    ]
    assert (point["size"], point["state"], point["tier"], point["source"]) == (3, "pending", "ec2_app", instance)
    assert [s["device"] for s in point["snapshots"]] == ["/dev/xvda", "/dev/sdf", "/dev/sdg"]
    assert {tag["Key"]: tag["Value"] for tag in cloud.ebs[0]["Tags"]} == {
        **STACK,
        "Name": "shop-prod-web-20240615t120000z",
        "RestorePoint": "shop-prod-web-20240615t120000z",
        "RestorePointOf": "shop-prod-web",
        "RestorePointSource": instance,
        "RestorePointSize": "3",
        "RestorePointTime": "2024-06-15T12:00:00Z",
        "RestorePointDevices": " ".join(
            f"{m['DeviceName']}={m['Ebs']['VolumeId']}"
            for m in sorted(cloud.instances[instance]["BlockDeviceMappings"], key=lambda m: m["DeviceName"])
        ),
    }


def test_check_mode_shows_the_same_plan_and_writes_nothing(cloud):
    instance = cloud.add_instance()
    planned = save(cloud, instance, check=True)
    assert cloud.writes == []
    done = save(cloud, instance)
    assert planned["plan"] == done["plan"]
    assert planned["diff"] == done["diff"]
    assert planned["changed"] is done["changed"] is True
    assert planned["restore_point"] is None


def test_none_is_made_while_a_younger_one_exists(cloud):
    instance = cloud.add_instance()
    save(cloud, instance, max_age="24h")
    cloud.sleep(3600)
    again = save(cloud, instance, max_age="24h")
    assert not again["changed"]
    assert again["plan"][0]["reason"] == "is 1h old, younger than 1d"
    assert len(cloud.ebs) == 2
    cloud.sleep(23 * 3600)
    assert save(cloud, instance, max_age="24h")["changed"]
    assert len(cloud.ebs) == 4


def test_one_that_is_still_pending_counts(cloud):
    instance = cloud.add_instance()
    save(cloud, instance, max_age="24h")
    again = save(cloud, instance, max_age="24h")
    assert not again["changed"]
    assert "still pending" in again["plan"][0]["reason"]


def test_one_that_ended_in_error_does_not_count(cloud):
    instance = cloud.add_instance()
    save(cloud, instance, max_age="24h")
    cloud.ebs[0]["doomed"] = "out of luck"
    cloud.sleep(100)
    again = save(cloud, instance, max_age="24h")
    assert again["changed"]
    assert f"{cloud.ebs[0]['SnapshotId']} ended in error (out of luck)" in again["plan"][0]["reason"]


def test_one_that_lost_a_snapshot_does_not_count(cloud):
    instance = cloud.add_instance()
    save(cloud, instance, max_age="24h")
    del cloud.ebs[0]
    cloud.sleep(100)
    assert "1 of 2 snapshots are there" in save(cloud, instance, max_age="24h")["plan"][0]["reason"]


def test_a_volume_attached_since_asks_for_a_new_one(cloud):
    instance = cloud.add_instance()
    save(cloud, instance, max_age="24h")
    cloud.instances[instance]["BlockDeviceMappings"].append({"DeviceName": "/dev/sdz", "Ebs": {"VolumeId": "vol-new"}})
    again = save(cloud, instance, max_age="24h")
    assert again["changed"]
    assert again["plan"][0]["reason"].endswith("lacks vol-new")


def test_another_instance_of_the_same_name_is_saved_too(cloud):
    first, second = cloud.add_instance(), cloud.add_instance()
    save(cloud, first, max_age="24h")
    assert save(cloud, second, max_age="24h")["changed"]
    assert save(cloud, second, max_age="24h")["restore_point"]["source"] == second


@pytest.mark.parametrize(
    ("options", "saved"),
    [
        ({"boot_volume": False}, [1, 2]),
        ({"exclude_volume_ids": [1]}, [0, 2]),
        ({"exclude_volume_ids": [0]}, [1, 2]),
        ({"volume_ids": [2]}, [2]),
        ({"volume_ids": [0, 1], "boot_volume": False}, [1]),
    ],
)
def test_chosen_volumes(cloud, options, saved):
    instance = cloud.add_instance(volumes=3)
    ids = [m["Ebs"]["VolumeId"] for m in cloud.instances[instance]["BlockDeviceMappings"]]
    options = {k: [ids[n] for n in v] if isinstance(v, list) else v for k, v in options.items()}
    point = save(cloud, instance, **options)["restore_point"]
    assert volumes(cloud) == sorted(ids[n] for n in saved)
    assert point["size"] == len(saved)


def test_many_volumes_keep_their_devices(cloud):
    instance = cloud.add_instance(volumes=20)
    point = save(cloud, instance)["restore_point"]
    assert all(s["device"] for s in point["snapshots"])
    assert len(point["snapshots"]) == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"volume_ids": ["vol-x"]}, "vol-x is not attached"),
        ({"volume_ids": []}, "no EBS volume"),
        ({"max_age": "soon"}, "'soon' is not a length of time"),
        ({"instance_id": "i-0"}, "no such instance in eu-west-3"),
        ({"tags": {f"k{n}": "v" for n in range(50)}}, "tags, AWS takes 50"),
    ],
)
def test_what_is_refused(cloud, options, message):
    result = run_module(ec2_instance_snapshot, {"instance_id": cloud.add_instance(), "tags": STACK, **options})
    assert result["failed"]
    assert message in result["msg"]
    assert cloud.writes == []


def test_aws_tags_are_left_out(cloud):
    save(cloud, cloud.add_instance(), tags={**STACK, "aws:cloudformation:stack-name": "x"})
    assert not [tag for tag in cloud.ebs[0]["Tags"] if tag["Key"].startswith("aws:")]


def test_a_chosen_name_is_made_once(cloud):
    instance = cloud.add_instance()
    assert save(cloud, instance, restore_point="before-v2")["changed"]
    cloud.sleep(10**7)
    again = save(cloud, instance, restore_point="before-v2")
    assert not again["changed"]
    assert again["restore_point"]["name"] == "before-v2"


def test_a_chosen_name_that_is_broken_is_refused(cloud):
    instance = cloud.add_instance()
    save(cloud, instance, restore_point="before-v2")
    del cloud.ebs[0]
    assert "Give another restore_point" in save(cloud, instance, restore_point="before-v2")["msg"]


def test_waiting_ends_when_it_is_complete(cloud):
    result = save(cloud, cloud.add_instance(), wait=True)
    assert result["restore_point"]["state"] == "complete"


def test_waiting_ends_when_it_fails(cloud):
    instance = cloud.add_instance()
    save(cloud, instance, max_age="1h")
    cloud.ebs[0]["doomed"] = "out of luck"
    result = save(cloud, instance, max_age="1h", wait=True)
    assert result["failed"]
    assert f"{cloud.ebs[0]['SnapshotId']} ended in error (out of luck)" in result["msg"]


def test_waiting_ends_at_the_timeout(cloud):
    cloud.pending_seconds = 10**6
    result = save(cloud, cloud.add_instance(), wait=True, wait_timeout=30)
    assert "is pending after wait_timeout, 30 s" in result["msg"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [lost_answer(), unreachable(), refusal("InternalError"), refusal("Unavailable")])
def test_a_lost_answer_makes_no_second_set(cloud, error, after):
    instance = cloud.add_instance()
    cloud.fail("CreateSnapshots", error, after=after)
    result = save(cloud, instance)
    assert not result.get("failed")
    assert result["restore_point"]["size"] == 2
    assert len(cloud.ebs) == 2
    assert cloud.count()["CreateSnapshots"] == (1 if after else 2)


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "SnapshotCreationPerVolumeRateExceeded"])
def test_throttling_is_waited_out(cloud, code):
    instance = cloud.add_instance()
    cloud.fail("CreateSnapshots", refusal(code), times=3)
    assert save(cloud, instance)["changed"]
    assert len(cloud.ebs) == 2
    assert max(cloud.clock.slept) >= 15


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        ("RequestLimitExceeded", "run it again"),
        ("SnapshotCreationPerVolumeRateExceeded", "15 seconds between two snapshots"),
        ("ConcurrentSnapshotLimitExceeded", "5, or 1 on st1 and sc1"),
        ("SnapshotLimitExceeded", "palier.aws.snapshot_prune"),
        ("UnauthorizedOperation", "policy"),
    ],
)
def test_what_lasts_is_explained(cloud, code, way_out):
    instance = cloud.add_instance()
    cloud.fail("CreateSnapshots", refusal(code), times=-1)
    result = save(cloud, instance)
    assert result["failed"]
    assert code in result["msg"]
    assert way_out in result["msg"]
    assert "shop-prod-web-20240615t120000z" in result["msg"]
    assert instance in result["msg"]
    assert cloud.ebs == []


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
    """Whatever call fails, a second run ends with one whole set, and never with two."""
    instance = cloud.add_instance()
    save(cloud, instance, max_age="24h", wait=True)
    total, cloud.ebs = len(cloud.calls), []
    for number in range(total):
        cloud.heal()
        cloud.fail(number, error, after=after)
        save(cloud, instance, max_age="24h", wait=True)
        cloud.heal()
        again = save(cloud, instance, max_age="24h", wait=True)
        assert again["restore_point"]["complete"], number
        assert len(cloud.ebs) == 2, number
        cloud.ebs = []


def test_the_region_is_where_it_happens(cloud):
    instance = cloud.add_instance(region=FRANKFURT)
    assert save(cloud, instance, region=FRANKFURT)["restore_point"]["region"] == FRANKFURT

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# ruff: noqa: F811 (the fixture is imported)
"""Restores of an instance's volumes: made once, swapped in, the old ones kept."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.palier.aws.plugins.modules import ec2_instance_snapshot, ec2_volume_restore

from tests.unit.module_runner import run_module
from tests.unit.plugins.snapshot_cloud import Cloud, cloud, lost_answer, refusal  # noqa: F401

STACK = {"Stack": "shop", "Environment": "prod"}
POINT = "shop-prod-web-20240615t120000z"


@pytest.fixture
def instance(cloud: Cloud) -> str:
    """An instance that was saved."""
    instance = cloud.add_instance()
    run_module(ec2_instance_snapshot, {"instance_id": instance, "tags": STACK, "wait": True})
    cloud.heal()
    return instance


def restore(instance: str, check: bool = False, **options):
    return run_module(
        ec2_volume_restore, {"instance_id": instance, "restore_point": POINT, "tags": STACK, **options}, check
    )


def attached(cloud: Cloud, instance: str) -> dict[str, str]:
    return {m["DeviceName"]: m["Ebs"]["VolumeId"] for m in cloud.instances[instance]["BlockDeviceMappings"]}


def actions(result) -> list[str]:
    return [step["action"] for step in result["plan"]]


def test_made_beside(cloud, instance):
    before = attached(cloud, instance)
    first = restore(instance)
    assert actions(first) == ["create", "create"]
    second = restore(instance)
    assert (second["changed"], second["done"], len(second["volumes"])) == (False, True, 2)
    assert attached(cloud, instance) == before
    asked = cloud.volumes[0]["asked"]
    assert (asked["Encrypted"], asked["VolumeType"], asked["Iops"]) == (True, "gp3", 4000)
    assert asked["AvailabilityZone"] == "eu-west-3a"


def test_check_mode_shows_the_same_plan_and_writes_nothing(cloud, instance):
    planned = restore(instance, check=True, swap=True)
    assert cloud.writes == []
    done = restore(instance, swap=True)
    assert (planned["plan"], planned["diff"]) == (done["plan"], done["diff"])


def test_swapped_in_the_old_ones_are_kept(cloud, instance):
    before = attached(cloud, instance)
    result = restore(instance, swap=True, wait=True)
    assert result["done"]
    assert actions(result)[:7] == ["create", "create", "stop", "detach", "detach", "attach", "attach"]
    assert attached(cloud, instance) == result["volumes"]
    assert set(before) == set(result["volumes"])
    assert cloud.instances[instance]["State"]["Name"] == "running"
    assert not [tag for tag in cloud.instances[instance]["Tags"] if tag["Key"] == "RestoreStartsAgain"]
    for volume in before.values():
        assert cloud.others[volume]["Tags"] == [{"Key": "ReplacedByRestoreOf", "Value": POINT}]
    again = restore(instance, swap=True)
    assert (again["changed"], again["done"]) == (False, True)


def test_an_instance_that_stood_still_is_not_started(cloud, instance):
    cloud.instances[instance]["State"] = {"Name": "stopped"}
    assert restore(instance, swap=True, wait=True)["done"]
    assert cloud.instances[instance]["State"]["Name"] == "stopped"


def test_a_further_attempt_is_another_restore(cloud, instance):
    first = restore(instance, swap=True, wait=True)["volumes"]
    second = restore(instance, swap=True, wait=True, attempt="2")["volumes"]
    assert set(first.values()).isdisjoint(second.values())
    assert attached(cloud, instance) == second


def test_a_lost_device_is_filled(cloud, instance):
    cloud.instances[instance]["BlockDeviceMappings"].pop()
    result = restore(instance, swap=True, wait=True)
    assert len(attached(cloud, instance)) == 2
    assert actions(result).count("detach") == 1


def test_another_key(cloud, instance):
    restore(instance, kms_key_id="alias/other")
    assert {volume["asked"]["KmsKeyId"] for volume in cloud.volumes} == {"alias/other"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"restore_point": "nope"}, "none of this name in eu-west-3"),
        ({"instance_id": "i-0"}, "no such instance"),
    ],
)
def test_what_is_refused(cloud, instance, options, message):
    assert message in restore(instance, **options)["msg"]
    assert cloud.writes == []


def test_an_incomplete_point_is_refused(cloud, instance):
    del cloud.ebs[0]
    assert "cannot be restored from: 1 of 2 snapshots are there" in restore(instance)["msg"]


def test_a_point_that_does_not_name_its_devices_is_refused(cloud, instance):
    for raw in cloud.ebs:
        raw["Tags"] = [tag for tag in raw["Tags"] if tag["Key"] != "RestorePointDevices"]
    assert "does not say where" in restore(instance)["msg"]


def test_the_timeout_says_how_to_go_on(cloud, instance):
    restore(instance)
    cloud.volumes[0]["State"] = "creating"
    assert "it goes on from there" in restore(instance, wait=True, wait_timeout=60)["msg"]


@pytest.mark.parametrize(
    ("error", "after"),
    [
        (lost_answer(), False),
        (lost_answer(), True),
        (refusal("RequestLimitExceeded"), False),
        (refusal("UnauthorizedOperation"), False),
    ],
)
def test_each_call_failing_once_in_turn(cloud, instance, error, after):
    """Whatever call fails, a second run ends with each volume made once and in place, and the instance up."""
    before = copy.deepcopy(cloud.instances)
    restore(instance, swap=True, wait=True)
    total = len(cloud.calls)
    for number in range(total):
        cloud.instances, cloud.volumes = copy.deepcopy(before), []
        cloud.heal()
        cloud.fail(number, error, after=after)
        restore(instance, swap=True, wait=True)
        cloud.heal()
        assert restore(instance, swap=True, wait=True)["done"], number
        assert len(cloud.volumes) == 2, number
        assert set(attached(cloud, instance).values()) == {v["VolumeId"] for v in cloud.volumes}, number
        assert cloud.instances[instance]["State"]["Name"] == "running", number

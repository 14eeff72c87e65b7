# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks backup and restore on the emulator, in two regions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.emulator import Emulator
from tests.emulator.fixtures import emulator, emulator_process  # noqa: F401

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = str(Path(sys.executable).with_name("ansible-playbook"))
PARIS, FRANKFURT = "eu-west-3", "eu-central-1"
TAGS = {"Stack": "shop", "Environment": "prod", "ManagedBy": "palier.aws"}
STACK = f"""
stacks:
  hosts:
    shop_prod:
      ansible_connection: local
      ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
      stack_name: shop
      stack_env: prod
      stack_region: {PARIS}
      stack_tiers: [network, rds, ec2_app, backups]
      network_cidr: 10.0.0.0/16
      rds_engine: postgres
      ec2_app_instances: [{{name: web}}]
      backups_keep: {{daily: 2}}
      backups_copy_region: {FRANKFURT}
      backups_timeout: 60
"""

pytestmark = pytest.mark.slow


def listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class World:
    """A stack that stands on the emulator, and the playbooks run on it."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:  # noqa: F811
        self.emulator = emulator
        self.inventory = directory / "hosts.yml"
        self.inventory.write_text(STACK)
        self.ec2, self.rds = emulator.client("ec2", PARIS), emulator.client("rds", PARIS)
        image = self.ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])["Images"][0][
            "ImageId"
        ]
        tags = listed({**TAGS, "Tier": "ec2_app", "Name": "shop-prod-web"})
        self.instance = self.ec2.run_instances(
            ImageId=image,
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.micro",
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )["Instances"][0]["InstanceId"]
        volume = self.ec2.create_volume(Size=1, AvailabilityZone=self._instance()["Placement"]["AvailabilityZone"])
        self.ec2.attach_volume(VolumeId=volume["VolumeId"], InstanceId=self.instance, Device="/dev/sdf")
        self.rds.create_db_instance(
            DBInstanceIdentifier="shop-prod-db",
            Engine="postgres",
            DBInstanceClass="db.t4g.micro",
            AllocatedStorage=20,
            MasterUsername="dbowner",
            MasterUserPassword="testing-password",
            Tags=listed({**TAGS, "Tier": "rds"}),
        )
        emulator.clear_requests()

    def _instance(self) -> dict[str, t.Any]:
        found = self.ec2.describe_instances(InstanceIds=[self.instance])
        instance: dict[str, t.Any] = found["Reservations"][0]["Instances"][0]
        return instance

    def play(self, name: str, *options: str, ok: bool = True, **variables: t.Any) -> str:
        """Run a playbook; its output."""
        command = [PROGRAM, "-i", str(self.inventory), "--limit", "shop_prod", f"palier.aws.{name}"]
        done = subprocess.run(
            [*command, *options, "-e", json.dumps({"stack_poll_interval": 1, **variables})],
            cwd=ROOT,
            env={**os.environ, **self.emulator.env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) is ok, done.stdout[-6000:] + done.stderr[-3000:]
        return done.stdout

    def writes(self) -> list[str]:
        """What was written since the last look, without the stack's lock."""
        found = [entry["operation"] for entry in self.emulator.requests(writes=True) if entry["service"] != "ssm"]
        self.emulator.clear_requests()
        return sorted(found)

    def snapshots(self, region: str = PARIS) -> list[dict[str, t.Any]]:
        """The stack's EBS snapshots."""
        filters = [{"Name": "tag:Stack", "Values": ["shop"]}]
        return self.emulator.client("ec2", region).describe_snapshots(Filters=filters)["Snapshots"]

    def database_snapshots(self, region: str = PARIS) -> list[dict[str, t.Any]]:
        """The database's snapshots."""
        return self.emulator.client("rds", region).describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]

    def move_on(self, days: int) -> None:
        """Time moves on: all that was saved becomes older."""
        for region in (PARIS, FRANKFURT):
            for raw in self.snapshots(region):
                self.emulator.client("ec2", region).create_tags(
                    Resources=[raw["SnapshotId"]], Tags=_older(raw["Tags"], days)
                )
            for raw in self.database_snapshots(region):
                self.emulator.client("rds", region).add_tags_to_resource(
                    ResourceName=raw["DBSnapshotArn"], Tags=_older(raw["TagList"], days)
                )
        self.emulator.clear_requests()

    def devices(self) -> dict[str, str]:
        """What is attached where."""
        return {m["DeviceName"]: m["Ebs"]["VolumeId"] for m in self._instance()["BlockDeviceMappings"]}

    def databases(self) -> set[str]:
        """The databases that stand."""
        return {raw["DBInstanceIdentifier"] for raw in self.rds.describe_db_instances()["DBInstances"]}


def _older(tags: list[dict[str, str]], days: int) -> list[dict[str, str]]:
    time = next(datetime.fromisoformat(tag["Value"]) for tag in tags if tag["Key"] == "RestorePointTime")
    return [{"Key": "RestorePointTime", "Value": f"{time.astimezone(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"}]


@pytest.fixture
def world(emulator: Emulator, tmp_path: Path) -> World:  # noqa: F811
    """A stack that stands."""
    return World(emulator, tmp_path)


def test_backup_again_later_and_pruned(world: World) -> None:
    world.play("backup", "--check", "--diff")
    assert world.writes() == [], "a plan writes nothing"

    world.play("backup")
    assert world.writes() == ["CopyDBSnapshot", "CopySnapshot", "CopySnapshot", "CreateDBSnapshot", "CreateSnapshots"]
    assert (len(world.snapshots()), len(world.database_snapshots())) == (2, 1)
    assert (len(world.snapshots(FRANKFURT)), len(world.database_snapshots(FRANKFURT))) == (2, 1)

    again = world.play("backup")
    assert world.writes() == [], "within the age nothing is new"
    assert "changed=0" in again

    for _day in range(2):
        world.move_on(days=1)
        world.play("backup")
        world.writes()
    assert (len(world.snapshots()), len(world.database_snapshots())) == (4, 2), "two days are kept"
    assert (len(world.snapshots(FRANKFURT)), len(world.database_snapshots(FRANKFURT))) == (4, 2)

    world.move_on(days=1)
    output = world.play("backup")
    assert world.writes().count("DeleteSnapshot") == 4
    assert "no rule of the policy keeps it" in output
    assert "daily 1" in output


def test_verify_fails_when_the_newest_is_too_old(world: World) -> None:
    world.play("backup")
    playbook = world.inventory.parent / "verify.yml"
    playbook.write_text(
        "- hosts: stacks\n  gather_facts: false\n  tasks:\n"
        "    - ansible.builtin.include_role: {name: palier.aws.backups, tasks_from: verify}\n"
    )

    def verify() -> tuple[int, str]:
        done = subprocess.run(
            [PROGRAM, "-i", str(world.inventory), str(playbook)],
            cwd=ROOT,
            env={**os.environ, **world.emulator.env},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    code, output = verify()
    assert code == 0, output
    world.move_on(days=2)
    code, output = verify()
    assert code != 0
    assert "shop-prod-db was last saved before 2d" in " ".join(output.split())


def test_restore_the_database_the_old_one_is_kept(world: World) -> None:
    world.play("backup")
    world.play("restore", "--check", backups_restore_tier="rds", backups_restore_swap=True)
    assert world.databases() == {"shop-prod-db"}

    world.play("restore", backups_restore_tier="rds")
    assert world.databases() == {"shop-prod-db", "shop-prod-db-restored"}

    world.play("restore", backups_restore_tier="rds", backups_restore_swap=True)
    names = world.databases()
    assert len(names) == 2
    assert "shop-prod-db" in names
    assert any(name.startswith("shop-prod-db-before-") for name in names)
    world.writes()
    assert "changed=0" in world.play("restore", backups_restore_tier="rds", backups_restore_swap=True)
    assert world.databases() == names


def test_restore_the_volumes_the_old_ones_are_kept(world: World) -> None:
    before = world.devices()
    world.play("backup")
    world.play("restore", backups_restore_tier="ec2_app", backups_restore_instance="web", backups_restore_swap=True)
    after = world.devices()
    assert set(after) == set(before)
    assert set(after.values()).isdisjoint(before.values())
    standing = {volume["VolumeId"] for volume in world.ec2.describe_volumes()["Volumes"]}
    assert set(before.values()) <= standing
    assert world._instance()["State"]["Name"] == "running"


def test_restore_says_what_there_is(world: World) -> None:
    output = world.play("restore", ok=False, backups_restore_tier="ec2_app", backups_restore_instance="nope")
    assert "(the stack has web)" in " ".join(output.split())

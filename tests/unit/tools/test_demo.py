# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The demonstration: what it shows of a run's output, and when it stops."""

from __future__ import annotations

import io
import json
import typing as t
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tools import account, demo

OUTPUT = """\
TASK [palier.aws.network : Create the VPC] [CHECK MODE] *****
changed: [shop_prod]
still waiting: [shop_prod] Create (30 s)
TASK [palier.aws.network : Create the subnets] ***
TASK [Lock the stack] ***
FAILED - RETRYING: [shop_prod]: Lock (2 retries left).
TASK [palier.aws.rds : Verify | The database answers] ***
PLAY RECAP ***
shop_prod                  : ok=9    changed=2    unreachable=0    failed=0    skipped=1    rescued=0    ignored=0

Changed ****
shop_prod
  network
    Create the VPC

shop_prod: 1 changed
"""


class TestOutput:
    def test_follow_keeps_all_and_shows_little(self, capsys: pytest.CaptureFixture[str]) -> None:
        log = io.StringIO()
        lines = demo.follow(OUTPUT.splitlines(keepends=True), log)
        assert log.getvalue() == OUTPUT
        assert lines == OUTPUT.splitlines()
        assert capsys.readouterr().out.splitlines() == [
            "  … network",
            "    still waiting: [shop_prod] Create (30 s)",
            "    FAILED - RETRYING: [shop_prod]: Lock (2 retries left).",
            "  … rds",
        ]

    def test_verified(self) -> None:
        lines = [
            "TASK [palier.aws.network : Verify | Look at the network] ***",
            "ok: [shop_prod]",
            "TASK [palier.aws.network : Verify | Check that it stands] ***",
            "ok: [shop_prod]",
            "ok: [shop_dev] => (item=a)",
            "ok: [shop_dev] => (item=b)",
            "TASK [palier.aws.rds : Facts | Read the database] ***",
            "ok: [shop_prod]",
            "TASK [palier.aws.rds : Verify | Check that it answers] ***",
            "fatal: [shop_prod]: FAILED!",
            "    msg: no answer",
            "TASK [palier.aws.rds : Verify | Say what was not asked] ***",
            "ok: [shop_prod] =>",
            "    msg: It was not",
            "        asked.",
            "ok: [shop_dev] =>",
            "    msg: It was not",
            "        asked.",
        ]
        found = demo.verified(lines)
        assert found.checks == {("network", "Check that it stands"): ["shop_prod", "shop_dev"]}
        assert found.notes == ["It was not asked."]

    def test_summary(self) -> None:
        assert demo.summary_of(OUTPUT.splitlines()) == [
            "shop_prod",
            "  network",
            "    Create the VPC",
            "shop_prod: 1 changed",
        ]
        assert demo.summary_of(["nothing"]) == []

    def test_recap(self) -> None:
        assert demo.recap(OUTPUT.splitlines()) == {"shop_prod": {"ok": 9, "changed": 2, "failed": 0}}

    @pytest.mark.parametrize(
        ("task", "tier"),
        [("palier.aws.rds : Create", "rds"), ("Lock the stack", None), ("acme.base.users : Create", None)],
    )
    def test_tier(self, task: str, tier: str | None) -> None:
        assert demo.tier_of(task) == tier

    def test_changes_ignore_order_and_time(self, tmp_path: Path) -> None:
        first, second = ({"tier": "rds", "task": name, "item": None} for name in "ab")
        for name, order in (("plan", [first, second]), ("apply", [second, first])):
            document = {"stacks": {"shop_prod": {"changes": order, "seconds": {"rds": len(name)}}}}
            (tmp_path / name).write_text(json.dumps(document))
        assert demo.changes(tmp_path / "plan") == demo.changes(tmp_path / "apply")


class TestDemo:
    @pytest.fixture
    def run(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> t.Callable[..., None]:
        """Runs all chapters on given changes of the plan and the deployment, and a given second recap."""
        monkeypatch.setattr(demo, "CACHE", tmp_path)

        def run(planned: list[str], done: list[str], again: int = 0) -> None:
            found = {"plan": planned, "deploy": done}

            def play(self: demo.Demo, step: str, playbook: str, *arguments: str) -> list[str]:
                changes = [{"tier": "rds", "task": task, "item": None} for task in found.get(step, [])]
                document = {"stacks": {"shop_prod": {"changes": changes}}}
                (tmp_path / f"{step}.json").write_text(json.dumps(document))
                return [f"shop_prod : ok=1 changed={again} unreachable=0 failed=0"]

            monkeypatch.setattr(demo.Demo, "play", play)
            demo.Demo({}).run()

        return run

    def test_passes(self, run: t.Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
        run(["a", "b"], ["b", "a"])
        assert "It made the 2 changes that the plan had named, and no other." in capsys.readouterr().out

    def test_a_plan_that_was_wrong(self, run: t.Callable[..., None]) -> None:
        with pytest.raises(demo.DemoError, match="the plan named 1 changes, the deployment made 2"):
            run(["a"], ["a", "b"])

    def test_a_second_run_that_changes(self, run: t.Callable[..., None]) -> None:
        with pytest.raises(demo.DemoError, match="a second deployment changed something"):
            run(["a"], ["a"], again=1)


class TestAccount:
    def test_regions(self, tmp_path: Path) -> None:
        (tmp_path / "group_vars").mkdir()
        (tmp_path / "group_vars" / "a.yml").write_text("stack_region: us-east-1\n")
        (tmp_path / "b.yml").write_text("stack_region: eu-west-3\n")
        (tmp_path / "c.yml").write_text("- a list\n")
        assert account.regions(tmp_path) == ["eu-west-3", "us-east-1"]

    @mock_aws
    def test_report(self) -> None:
        tags = [
            {"Key": "ManagedBy", "Value": "palier.aws"},
            {"Key": "Stack", "Value": "shop"},
            {"Key": "Environment", "Value": "prod"},
        ]
        ec2 = boto3.client("ec2", region_name="eu-west-3")
        named = [*tags, {"Key": "Name", "Value": "shop-prod-vpc"}]
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": named}])[
            "Vpc"
        ]["VpcId"]
        ec2.create_subnet(
            VpcId=vpc, CidrBlock="10.0.0.0/24", TagSpecifications=[{"ResourceType": "subnet", "Tags": tags}]
        )
        s3 = boto3.client("s3", region_name="eu-west-3")
        for name in ("shop-prod-logs", "shop-prod-site"):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        website = {"IndexDocument": {"Suffix": "index.html"}}
        s3.put_bucket_website(Bucket="shop-prod-site", WebsiteConfiguration=website)

        def client(service: str, region: str) -> t.Any:
            return boto3.client(service, region_name=region)

        assert account.report(client, ["eu-west-3"]) == [
            "eu-west-3 (tagged resources: shop-prod 4)",
            "  VPC shop-prod-vpc 10.0.0.0/16: 1 subnets, 1 zones, 0 NAT gateways",
            "  bucket shop-prod-logs",
            "  site http://shop-prod-site.s3-website-eu-west-3.amazonaws.com",
        ]

    def test_lines(self) -> None:
        instance = {
            "InstanceId": "i-1",
            "InstanceType": "t3.micro",
            "State": {"Name": "running"},
            "PrivateIpAddress": "10.0.1.5",
        }
        assert account.instance_line(instance) == "instance i-1 (t3.micro, running, private 10.0.1.5)"
        assert account.instance_line({**instance, "PublicIpAddress": "203.0.113.9"}).endswith("public 203.0.113.9)")
        database = {
            "DBInstanceIdentifier": "shop-prod",
            "Engine": "mysql",
            "EngineVersion": "8.4.3",
            "DBInstanceClass": "db.t4g.micro",
            "DBInstanceStatus": "creating",
        }
        assert account.database_line(database).endswith("creating): no endpoint yet")
        peering = {
            "VpcPeeringConnectionId": "pcx-1",
            "RequesterVpcInfo": {"CidrBlock": "10.0.0.0/16", "VpcId": "vpc-1"},
            "AccepterVpcInfo": {"VpcId": "vpc-2"},
            "Status": {"Code": "active"},
        }
        assert account.peering_line(peering) == "peering pcx-1: 10.0.0.0/16 <-> vpc-2 (active)"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An Auto Scaling group from nothing to nothing, in check mode and for real."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import autoscaling_group
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

OUT = {"name": "web-out", "steps": [{"lower": 0, "upper": 10, "adjustment": 1}, {"lower": 10, "adjustment": 2}]}
HOOK = {"name": "drain", "transition": "terminating", "heartbeat_timeout": 180}
Document = dict[str, t.Any]


class Cloud:
    """An account with a network and a launch template, and what a module sees of it."""

    def __init__(self) -> None:
        self.ec2 = boto3.client("ec2", region_name="eu-west-3")
        self.client = boto3.client("autoscaling", region_name="eu-west-3")
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        # One of moto's own.
        data = {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"}
        made = self.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
        self.wanted: Document = {
            "name": "web",
            "launch_template_id": made["LaunchTemplate"]["LaunchTemplateId"],
            "launch_template_version": "1",
            "max_size": 4,
            "subnets": [subnet],
            "default_instance_warmup": 0,
            "lifecycle_hooks": [HOOK],
            "scaling_policies": [OUT],
            "tags": {"Stack": "shop"},
        }

    def run(self, check: bool = False, **changes: t.Any) -> tuple[Document, list[str]]:
        """The module's result, and its writes."""
        with recorded_calls() as calls:
            result = run_module(autoscaling_group, {**self.wanted, **changes}, check=check)
        return result, writes(calls)

    @property
    def group(self) -> Document:
        """As AWS describes it."""
        (found,) = self.client.describe_auto_scaling_groups()["AutoScalingGroups"]
        return t.cast(Document, found)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Cloud]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    # What is mended in the tests' emulator is not here: an answer without the policy's ARN, hooks and warmup left out.
    monkeypatch.setattr(autoscaling_group.api, "put_policy", put_policy)
    monkeypatch.setattr(autoscaling_group.api, "describe_group", describe_group)
    with mock_aws():
        yield Cloud()


def put_policy(client: t.Any, name: str, policy: str, **request: t.Any) -> str:
    client.put_scaling_policy(AutoScalingGroupName=name, PolicyName=policy, **request)
    return f"arn:aws:autoscaling:::{policy}"


def describe_group(client: t.Any, name: str) -> Document | None:
    found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return {**found[0], "DefaultInstanceWarmup": 0} if found else None


def test_a_plan_writes_nothing_and_knows_the_policies(cloud: Cloud) -> None:
    result, written = cloud.run(check=True, subnets=["subnet-0"], launch_template_id="lt-0")
    assert (result["changed"], written) == (True, [])
    assert result["group"]["policies"]["web-out"].endswith("policyName/web-out")
    assert [step["resource"] for step in result["plan"]] == [
        "auto scaling group web",
        "tag Stack",
        "lifecycle hook drain",
        "scaling policy web-out",
        "metrics of the group",
    ]


def test_tags_and_hooks_come_with_the_group(cloud: Cloud) -> None:
    result, written = cloud.run()
    assert written == ["CreateAutoScalingGroup", "PutScalingPolicy", "EnableMetricsCollection"]
    assert result["group"]["policies"] == {"web-out": "arn:aws:autoscaling:::web-out"}
    assert (cloud.group["DesiredCapacity"], cloud.group["MinSize"], cloud.group["MaxSize"]) == (1, 1, 4)
    assert [(one["Key"], one["PropagateAtLaunch"]) for one in cloud.group["Tags"]] == [("Stack", False)]


def test_a_second_run_changes_nothing_whatever_scaling_did(cloud: Cloud) -> None:
    cloud.run()
    cloud.run()  # moto leaves the hooks of a new group out
    cloud.client.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    result, written = cloud.run(desired_capacity=1)
    assert (result["changed"], written) == (False, [])
    assert cloud.group["DesiredCapacity"] == 3


def test_a_change_of_limits_hooks_and_policies(cloud: Cloud) -> None:
    cloud.run()
    cloud.run()
    changed = {"max_size": 6, "lifecycle_hooks": [{**HOOK, "heartbeat_timeout": 300}], "scaling_policies": []}
    planned, written = cloud.run(check=True, **changed)
    assert written == []
    result, written = cloud.run(**changed)
    assert result["plan"] == planned["plan"]
    assert written == ["UpdateAutoScalingGroup", "PutLifecycleHook", "DeletePolicy"]
    assert cloud.group["MaxSize"] == 6
    assert cloud.run(**changed)[0]["changed"] is False


def test_a_new_version_is_left_to_the_refresh(cloud: Cloud) -> None:
    cloud.run()
    cloud.run()
    assert cloud.run(launch_template_version="2")[0]["changed"] is False


def test_it_goes_with_its_instances_twice(cloud: Cloud) -> None:
    cloud.run()
    planned, written = cloud.run(check=True, state="absent")
    assert (planned["changed"], planned["exists"], written) == (True, False, [])
    gone, _ = cloud.run(state="absent")
    assert (gone["changed"], gone["exists"]) == (True, True)
    again, written = cloud.run(state="absent")
    assert (again["changed"], again["exists"], written) == (False, False, [])
    states = [
        one["State"]["Name"] for page in cloud.ec2.describe_instances()["Reservations"] for one in page["Instances"]
    ]
    assert set(states) == {"terminated"}


def test_one_that_is_being_deleted_is_waited_for(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    deleting = {"AutoScalingGroupName": "web", "Status": "Delete in progress"}
    monkeypatch.setattr(autoscaling_group.api, "describe_group", lambda _client, _name: deleting)
    gone, written = cloud.run(state="absent")
    assert (gone["changed"], gone["exists"], written) == (False, True, [])
    refused, _ = cloud.run()
    assert refused["msg"] == "The auto scaling group web is being deleted; run again when it is gone."

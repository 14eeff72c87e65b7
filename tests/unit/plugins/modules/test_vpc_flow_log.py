# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module vpc_flow_log as a whole, against moto."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import vpc_flow_log
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

STAND_IN = "vpc-00000000000000000"


def client(service: str) -> t.Any:
    return boto3.client(service, "eu-west-3", aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def ec2() -> t.Iterator[t.Any]:
    with mock_aws():
        yield client("ec2")


@pytest.fixture
def options(ec2: t.Any) -> dict[str, t.Any]:
    """What is needed for a flow log that exists: a VPC, a log group and a role."""
    client("logs").create_log_group(logGroupName="/shop/flow")
    role = client("iam").create_role(RoleName="flow", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    return {
        "resource_id": ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"],
        "log_group_name": "/shop/flow",
        "iam_role_arn": role,
        "tags": {"Stack": "shop"},
    }


def flow_log(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(vpc_flow_log, {"name": "shop-flow", **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def test_created_once_with_its_tags(ec2: t.Any, options: dict) -> None:
    result = flow_log(**options)
    assert result["flow_log"]["flow_log_id"].startswith("fl-")
    assert not flow_log(**options)["changed"]
    (found,) = ec2.describe_flow_logs()["FlowLogs"]
    assert {tag["Key"]: tag["Value"] for tag in found["Tags"]} == {"Name": "shop-flow", "Stack": "shop"}


def test_check_mode_writes_nothing_and_says_the_same(options: dict) -> None:
    with recorded_calls() as calls:
        planned = flow_log(check=True, **options)
    done = flow_log(**options)
    assert writes(calls) == []
    assert [planned[key] for key in ("changed", "plan", "diff")] == [done[key] for key in ("changed", "plan", "diff")]


@pytest.mark.usefixtures("ec2")
def test_check_mode_plans_a_creation_for_a_vpc_that_does_not_exist() -> None:
    result = flow_log(check=True, resource_id=STAND_IN, log_group_name="/shop", iam_role_arn="arn:aws:iam::1:role/x")
    assert [step["action"] for step in result["plan"]] == ["create"]
    assert result["flow_log"]["flow_log_id"] is None


def test_a_difference_replaces(ec2: t.Any, options: dict) -> None:
    first = flow_log(**options)["flow_log"]["flow_log_id"]
    result = flow_log(**options, traffic_type="REJECT")
    assert [step["action"] for step in result["plan"]] == ["create", "delete"]
    assert result["flow_log"]["flow_log_id"] != first
    (found,) = ec2.describe_flow_logs()["FlowLogs"]
    assert (found["FlowLogId"], found["TrafficType"]) == (result["flow_log"]["flow_log_id"], "REJECT")


def test_tags_change_in_place(ec2: t.Any, options: dict) -> None:
    first = flow_log(**options)["flow_log"]["flow_log_id"]
    result = flow_log(**{**options, "tags": {"Stack": "other"}})
    assert [step["action"] for step in result["plan"]] == ["tag"]
    (found,) = ec2.describe_flow_logs()["FlowLogs"]
    assert found["FlowLogId"] == first
    assert {"Key": "Stack", "Value": "other"} in found["Tags"]


def test_to_a_bucket(ec2: t.Any, options: dict) -> None:
    client("s3").create_bucket(Bucket="shop-prod-logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    bucket = {
        "resource_id": options["resource_id"],
        "destination_type": "s3",
        "log_destination": "arn:aws:s3:::shop-prod-logs",
        "max_aggregation_interval": 60,
    }
    assert flow_log(**bucket)["changed"]
    assert not flow_log(**bucket)["changed"]


def test_absent_twice_even_without_the_resource(ec2: t.Any, options: dict) -> None:
    flow_log(**options)
    client("logs").create_log_group(logGroupName="/other")
    other = flow_log(**{**options, "name": "other", "log_group_name": "/other"})
    for expected in (True, False):
        assert flow_log(check=True, state="absent")["changed"] is expected
        assert flow_log(state="absent")["changed"] is expected
    (found,) = ec2.describe_flow_logs()["FlowLogs"]
    assert found["FlowLogId"] == other["flow_log"]["flow_log_id"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "resource_id"),
        ({"resource_id": "vpc-1"}, "log_group_name, log_destination"),
        ({"resource_id": "vpc-1", "destination_type": "s3", "log_group_name": "x"}, "log_destination"),
        ({"resource_id": "vpc-1", "log_group_name": "x"}, "iam_role_arn is missing"),
        ({"resource_id": "i-1", "log_group_name": "x", "iam_role_arn": "y"}, "resource_id is 'i-1'"),
    ],
)
@pytest.mark.usefixtures("ec2")
def test_unusable_options(options: dict, message: str) -> None:
    result = run_module(vpc_flow_log, {"name": "shop-flow", **options})
    assert result["failed"]
    assert message in result["msg"]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module stack_resources_info as a whole, against moto."""

from __future__ import annotations

import json
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import stack_resources_info
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

TAGS = {"Stack": "shop", "Environment": "prod", "Tier": "network"}


def client(service: str, region: str = "eu-west-3") -> t.Any:
    return boto3.client(service, region, aws_access_key_id="testing", aws_secret_access_key="testing")


def vpc(region: str = "eu-west-3", **tags: str) -> str:
    listed = [{"Key": key, "Value": value} for key, value in {**TAGS, **tags}.items()]
    specification = [{"ResourceType": "vpc", "Tags": listed}]
    made = client("ec2", region).create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification)
    return made["Vpc"]["VpcId"]


@pytest.fixture
def account() -> t.Iterator[None]:
    with mock_aws():
        yield


def resources(**options: t.Any) -> list[dict[str, str]]:
    with recorded_calls() as calls:
        result = run_module(stack_resources_info, {"stack_name": "shop", "stack_env": "prod", **options})
    assert not result.get("failed"), result["msg"]
    assert not result["changed"]
    assert writes(calls) == []
    return result["resources"]


@pytest.mark.usefixtures("account")
def test_an_empty_account() -> None:
    assert resources(iam_path="/shop/prod/") == []


@pytest.mark.usefixtures("account")
def test_only_what_carries_both_tags() -> None:
    own, there = vpc(), vpc("us-east-1")
    vpc(Environment="dev")
    vpc(Stack="other")
    vpc("eu-west-1")
    found = resources()
    assert {one["name"] for one in found} == {own, there}
    assert {(one["type"], one["tier"]) for one in found} == {("ec2:vpc", "network")}
    assert [one["arn"] for one in found] == sorted(one["arn"] for one in found)


@pytest.mark.usefixtures("account")
def test_in_the_global_region_each_once() -> None:
    own = vpc("us-east-1")
    assert [one["name"] for one in resources(region="us-east-1")] == [own]


@pytest.mark.usefixtures("account")
def test_what_iam_has_below_the_path() -> None:
    iam = client("iam")
    for path in ("/shop/prod/ec2_app/", "/shop/production/ec2_app/", "/"):
        name = path.strip("/").replace("/", "-") or "root"
        iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName=name, Path=path)
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
        iam.create_policy(PolicyName=name, Path=path, PolicyDocument=json.dumps(document))
    vpc()
    found = resources(iam_path="/shop/prod/", tags=False)
    assert [(one["type"], one["name"], one["tier"]) for one in found] == [
        ("iam:instance-profile", "shop-prod-ec2_app", "ec2_app"),
        ("iam:policy", "shop-prod-ec2_app", "ec2_app"),
        ("iam:role", "shop-prod-ec2_app", "ec2_app"),
    ]
    assert len(resources(iam_path="/shop/prod/")) == 4


def test_a_refusal_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    error = stack_resources_info.run_module.__globals__["AnsibleAWSError"](message="Failed to list: AccessDenied")

    def refuse(*_arguments: t.Any) -> t.NoReturn:
        raise error

    monkeypatch.setattr(stack_resources_info, "get_resources", refuse)
    result = run_module(stack_resources_info, {"stack_name": "shop", "stack_env": "prod"})
    assert result["failed"]
    assert "AccessDenied" in result["msg"]

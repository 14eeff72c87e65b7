# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A user of the account may do what the policies say; its root user everything."""

from __future__ import annotations

import json
import typing as t

import boto3
import pytest
from botocore.config import Config

from tests.emulator import Emulator, actions
from tests.emulator.authorization import allowed
from tests.emulator.helpers import REGION, Network, refusal

ANY = {"aws:RequestedRegion": REGION}


class User:
    """An IAM user of the account, with one policy."""

    def __init__(self, emulator: Emulator, *statements: dict[str, t.Any], name: str = "deployer") -> None:
        self.emulator = emulator
        iam = emulator.client("iam")
        iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.credentials = (key["AccessKeyId"], key["SecretAccessKey"])

    def client(self, service: str, region: str = REGION) -> t.Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.emulator.endpoint,
            aws_access_key_id=self.credentials[0],
            aws_secret_access_key=self.credentials[1],
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )


def allow(*names: str, resource: t.Any = "*", **condition: t.Any) -> dict[str, t.Any]:
    """A statement."""
    return {"Effect": "Allow", "Action": list(names), "Resource": resource, **condition}


def test_a_user_may_do_what_the_policy_names_and_nothing_else(emulator: Emulator) -> None:
    user = User(emulator, allow("ec2:CreateVpc", "s3:ListAllMyBuckets"))
    assert user.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert user.client("s3").list_buckets()["Buckets"] == []
    assert refusal(user.client("ec2").describe_vpcs) == "UnauthorizedOperation"
    assert refusal(user.client("s3").create_bucket, Bucket="mine") == "AccessDenied"
    assert refusal(user.client("ssm").describe_parameters) == "AccessDeniedException"
    assert user.client("sts").get_caller_identity()["Arn"].endswith("user/deployer")


def test_who_may_read_the_newest_version_may_not_read_the_others(emulator: Emulator) -> None:
    bucket = {"Bucket": "mine"}
    root = emulator.client("s3", "us-east-1")
    root.create_bucket(**bucket)
    root.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Enabled"})
    first = {**bucket, "Key": "page", "VersionId": root.put_object(**bucket, Key="page", Body=b"1")["VersionId"]}
    some = User(emulator, allow("s3:GetObject", "s3:PutObject")).client("s3", "us-east-1")
    assert some.get_object(**bucket, Key="page")["Body"].read() == b"1"
    assert refusal(some.get_object, **first) == "AccessDenied"
    assert refusal(some.copy_object, **bucket, Key="page", CopySource=first) == "AccessDenied"


def test_the_root_user_may_do_everything(emulator: Emulator) -> None:
    User(emulator, allow("ec2:CreateVpc"))
    assert emulator.client("ec2").describe_vpcs()["Vpcs"]


def test_what_an_operation_needs_beside_its_own_action_is_asked_for(emulator: Emulator) -> None:
    user = User(emulator, allow("logs:CreateLogGroup"))
    create = user.client("logs").create_log_group
    assert refusal(create, logGroupName="one", tags={"a": "b"}) == "AccessDeniedException"


def test_a_role_is_passed_to_the_service_that_trusts_it(emulator: Emulator) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    for path in ("/shop/", "/other/"):
        role = {"Path": path, "RoleName": path.strip("/"), "AssumeRolePolicyDocument": document}
        emulator.client("iam").create_role(**role)
    passing = allow("iam:PassRole", resource="arn:aws:iam::*:role/shop/*")
    passing["Condition"] = {"StringEquals": {"iam:PassedToService": ["ecs-tasks.amazonaws.com"]}}
    user = User(emulator, allow("ecs:RegisterTaskDefinition", "ecs:TagResource"), passing)

    def register(role: str) -> t.Callable[..., t.Any]:
        arn = f"arn:aws:iam::123456789012:role/{role}/{role}"
        container = {"name": "app", "image": "app", "memory": 128}
        return lambda: user.client("ecs").register_task_definition(
            family="app", taskRoleArn=arn, containerDefinitions=[container]
        )

    assert register("shop")()
    assert refusal(register("other")) == "AccessDeniedException"


def test_a_fleet_passes_the_role_of_its_launch_template(emulator: Emulator) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = emulator.client("iam")
    iam.create_role(Path="/shop/", RoleName="web", AssumeRolePolicyDocument=document)
    profile = iam.create_instance_profile(Path="/shop/", InstanceProfileName="web")["InstanceProfile"]["Arn"]
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    network = Network(emulator)
    data = {"ImageId": network.image(), "InstanceType": "t3.micro", "IamInstanceProfile": {"Arn": profile}}
    network.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    group: dict[str, t.Any] = {"AutoScalingGroupName": "web"}
    template = {"LaunchTemplateName": "web", "Version": "1"}
    new = {**group, "MinSize": 0, "MaxSize": 1, "VPCZoneIdentifier": network.subnets[0], "LaunchTemplate": template}
    desired = {"LaunchTemplate": template}
    scaling = allow("autoscaling:*", "ec2:RunInstances", "ec2:CreateTags", "iam:CreateServiceLinkedRole")

    without = User(emulator, scaling).client("autoscaling")
    assert refusal(without.create_auto_scaling_group, **new) == "AccessDenied"
    emulator.client("autoscaling", REGION).create_auto_scaling_group(**new)
    assert refusal(without.start_instance_refresh, **group, DesiredConfiguration=desired) == "AccessDenied"
    assert refusal(without.update_auto_scaling_group, **group, LaunchTemplate=template) == "AccessDenied"
    assert without.update_auto_scaling_group(**group, MaxSize=2)

    passing = allow("iam:PassRole", resource="arn:aws:iam::*:role/shop/*")
    user = User(emulator, scaling, passing, name="fleet").client("autoscaling")
    assert user.update_auto_scaling_group(**group, LaunchTemplate=template)


@pytest.mark.parametrize(
    ("statements", "question", "expected"),
    [
        ([], ("ec2:CreateVpc", "*", ANY), False),
        ([allow("ec2:*")], ("ec2:CreateVpc", "*", ANY), True),
        ([allow("EC2:createvpc")], ("ec2:CreateVpc", "*", ANY), True),
        ([allow("s3:PutObject", resource="arn:aws:s3:::a-*")], ("s3:PutObject", "arn:aws:s3:::a-b/c", ANY), True),
        ([allow("s3:PutObject", resource="arn:aws:s3:::a-*")], ("s3:PutObject", "arn:aws:s3:::b/c", ANY), False),
        ([allow("ec2:*"), {**allow("ec2:CreateVpc"), "Effect": "Deny"}], ("ec2:CreateVpc", "*", ANY), False),
        (
            [allow("ec2:*", Condition={"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}})],
            ("ec2:CreateVpc", "*", {"aws:RequestedRegion": "eu-west-2"}),
            False,
        ),
    ],
)
def test_decisions(statements: list[t.Any], question: t.Any, expected: bool) -> None:
    assert allowed([{"Statement": statements}], question) is expected


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("ec2", "DescribeVpcs", ["ec2:DescribeVpcs"]),
        ("elbv2", "DescribeRules", ["elasticloadbalancing:DescribeRules"]),
        ("s3", "ListObjectsV2", ["s3:ListBucket"]),
        ("s3", "CopyObject", ["s3:PutObject", "s3:GetObject"]),
        ("sts", "GetCallerIdentity", []),
        (
            "cloudfront",
            "CreateDistributionWithTags",
            ["cloudfront:CreateDistribution", "cloudfront:TagResource"],
        ),
    ],
)
def test_actions(service: str, operation: str, expected: list[str]) -> None:
    assert actions.needed(service, operation) == expected

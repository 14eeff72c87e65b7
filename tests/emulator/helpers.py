# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the emulator's tests share."""

from __future__ import annotations

import json
import typing as t

import pytest
from botocore.exceptions import ClientError

from tests.emulator.client import Emulator

TAGS = [{"Key": "Stack", "Value": "shop"}]
REGION = "eu-west-3"

Function = t.TypeVar("Function", bound=t.Callable[..., t.Any])


def mends(*names: str) -> t.Callable[[Function], Function]:
    """Name the patches without which the decorated test fails. test_patches.py checks that none is forgotten.

    To see one fail: C{EMULATOR_WITHOUT=<name> pytest -k <test>}.
    """
    assert names
    return lambda function: function


def refusal(call: t.Callable[..., t.Any], **arguments: t.Any) -> str:
    """The error code with which AWS refuses a call; the test fails if it does not."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return t.cast(str, caught.value.response["Error"]["Code"])


def tagged(kind: str) -> list[dict[str, t.Any]]:
    """EC2's way to tag at creation."""
    return [{"ResourceType": kind, "Tags": TAGS}]


class Network:
    """A VPC with two subnets in two zones."""

    def __init__(self, emulator: Emulator, cidr: str = "10.0", region: str = REGION) -> None:
        self.ec2 = emulator.client("ec2", region)
        self.vpc: str = self.ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16")["Vpc"]["VpcId"]
        self.subnets: list[str] = [
            self.ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"{cidr}.{index}.0/24", AvailabilityZone=f"{region}{zone}"
            )["Subnet"]["SubnetId"]
            for index, zone in enumerate("ab")
        ]

    def group(self, name: str) -> str:
        """A new security group's id."""
        made = self.ec2.create_security_group(VpcId=self.vpc, GroupName=name, Description=name)
        return t.cast(str, made["GroupId"])

    def image(self, pattern: str = "ubuntu/images/*24.04-amd64*") -> str:
        """The id of the newest image with such a name."""
        images = self.ec2.describe_images(Filters=[{"Name": "name", "Values": [pattern]}])["Images"]
        return t.cast(str, max(images, key=lambda image: image["CreationDate"])["ImageId"])

    def launch(self, **arguments: t.Any) -> str:
        """A new instance's id."""
        settings = {"ImageId": self.image(), "InstanceType": "t3.micro", "SubnetId": self.subnets[0], **arguments}
        settings = {name: value for name, value in settings.items() if value is not None}
        run = self.ec2.run_instances(MinCount=1, MaxCount=1, **settings)
        return t.cast(str, run["Instances"][0]["InstanceId"])

    def gateway(self) -> str:
        """An attached internet gateway's id."""
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        return t.cast(str, gateway)


def trust(service: str) -> str:
    """A role's trust policy."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

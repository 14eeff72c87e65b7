# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module vpc_gateway_endpoint as a whole, against moto."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import vpc_gateway_endpoint
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

SERVICE = "com.amazonaws.eu-west-3.s3"


@pytest.fixture
def ec2() -> t.Iterator[t.Any]:
    with mock_aws():
        yield boto3.client("ec2", "eu-west-3", aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def options(ec2: t.Any) -> dict[str, t.Any]:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return {"vpc_id": vpc, "service": SERVICE, "route_table_ids": [new_table(ec2, vpc)]}


def new_table(ec2: t.Any, vpc: str) -> str:
    return ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]


def endpoint(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(vpc_gateway_endpoint, options, check)
    assert not result.get("failed"), result["msg"]
    return result


def actions(result: dict[str, t.Any]) -> list[str]:
    return [step["action"] for step in result["plan"]]


def standing(ec2: t.Any) -> dict[str, t.Any]:
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    return found


def tags(found: dict[str, t.Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found["Tags"]}


def test_created_once(ec2: t.Any, options: dict[str, t.Any]) -> None:
    first = endpoint(**options, tags={"Name": "s3"})
    assert (first["changed"], actions(first)) == (True, ["create"])
    again = endpoint(**options, tags={"Name": "s3"})
    assert (again["changed"], actions(again)) == (False, ["keep"])
    found = standing(ec2)
    assert (found["VpcEndpointType"], found["RouteTableIds"]) == ("Gateway", options["route_table_ids"])
    assert tags(found) == {"Name": "s3"}


def test_without_tags(ec2: t.Any, options: dict[str, t.Any]) -> None:
    assert endpoint(**options)["changed"]
    assert not endpoint(**options)["changed"]
    assert tags(standing(ec2)) == {}


def test_it_follows_its_tables_and_tags(ec2: t.Any, options: dict[str, t.Any]) -> None:
    endpoint(**options, tags={"Name": "s3", "Old": "1"})
    first = standing(ec2)["VpcEndpointId"]
    new = [new_table(ec2, options["vpc_id"]), new_table(ec2, options["vpc_id"])]
    changed = {**options, "route_table_ids": new, "tags": {"Name": "other"}}
    with recorded_calls() as calls:
        planned = endpoint(check=True, **changed)
    assert writes(calls) == []
    done = endpoint(**changed)
    assert [planned[key] for key in ("changed", "plan", "diff")] == [done[key] for key in ("changed", "plan", "diff")]
    assert actions(done) == ["modify", "tag"]
    assert actions(endpoint(**changed)) == ["keep"]
    found = standing(ec2)
    assert (found["VpcEndpointId"], sorted(found["RouteTableIds"])) == (first, sorted(new))
    assert tags(found) == {"Name": "other"}


def test_check_mode_on_an_empty_account(ec2: t.Any) -> None:
    with recorded_calls() as calls:
        result = endpoint(check=True, vpc_id="vpc-00000000000000000", service=SERVICE, route_table_ids=[])
    assert (result["changed"], actions(result), writes(calls)) == (True, ["create"], [])


def test_another_vpcs_endpoint_is_not_taken(ec2: t.Any, options: dict[str, t.Any]) -> None:
    endpoint(**options)
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    result = endpoint(**{**options, "vpc_id": other, "route_table_ids": [new_table(ec2, other)]})
    assert actions(result) == ["create"]
    assert len(ec2.describe_vpc_endpoints()["VpcEndpoints"]) == 2


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["a"], ["a", "b"], {"AddRouteTableIds": ["b"]}),
        (["a", "b"], ["b"], {"RemoveRouteTableIds": ["a"]}),
        (["a"], ["b"], {"AddRouteTableIds": ["b"], "RemoveRouteTableIds": ["a"]}),
    ],
)
def test_aws_takes_no_empty_list(before: list[str], after: list[str], expected: dict[str, list[str]]) -> None:
    step = vpc_gateway_endpoint.Step("modify", "x", "y", {"route_table_ids": before}, {"route_table_ids": after})
    assert vpc_gateway_endpoint.table_changes(step) == expected

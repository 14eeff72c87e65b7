# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls about gateway endpoints: what they ask and what they send."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import gateway_endpoints_api as subject
from botocore.stub import Stubber

SERVICE = "com.amazonaws.eu-west-3.s3"
FILTERS = [
    {"Name": "vpc-id", "Values": ["vpc-1"]},
    {"Name": "service-name", "Values": [SERVICE]},
    {"Name": "vpc-endpoint-type", "Values": ["Gateway"]},
]


@pytest.fixture
def stub() -> t.Iterator[Stubber]:
    client = boto3.client("ec2", "eu-west-3", aws_access_key_id="testing", aws_secret_access_key="testing")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_every_page_of_the_vpcs_gateway_endpoints(stub: Stubber) -> None:
    first = {"VpcEndpoints": [{"VpcEndpointId": "vpce-1"}], "NextToken": "more"}
    stub.add_response("describe_vpc_endpoints", first, {"Filters": FILTERS})
    second = {"VpcEndpoints": [{"VpcEndpointId": "vpce-2"}]}
    stub.add_response("describe_vpc_endpoints", second, {"Filters": FILTERS, "NextToken": "more"})
    found = subject.describe_endpoints(stub.client, "vpc-1", SERVICE)
    assert [endpoint["VpcEndpointId"] for endpoint in found] == ["vpce-1", "vpce-2"]


@pytest.mark.parametrize(
    ("tags", "sent"),
    [
        ({}, []),
        ({"Name": "s3"}, [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": "s3"}]}]),
    ],
)
def test_create_with_its_tags(stub: Stubber, tags: dict[str, str], sent: list[t.Any]) -> None:
    expected = {
        "VpcEndpointType": "Gateway",
        "VpcId": "vpc-1",
        "ServiceName": SERVICE,
        "RouteTableIds": ["rtb-1"],
        "TagSpecifications": sent,
    }
    stub.add_response("create_vpc_endpoint", {}, expected)
    subject.create_endpoint(stub.client, "vpc-1", SERVICE, ["rtb-1"], tags)


def test_a_table_that_ec2_does_not_see_yet_is_waited_for(stub: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    stub.add_client_error("create_vpc_endpoint", "InvalidRouteTableId.NotFound")
    stub.add_response("create_vpc_endpoint", {})
    subject.create_endpoint(stub.client, "vpc-1", SERVICE, ["rtb-1"], {})
    assert len(waits) == 1


def test_change(stub: Stubber) -> None:
    changes = {"AddRouteTableIds": ["rtb-2"], "RemoveRouteTableIds": ["rtb-1"]}
    stub.add_response("modify_vpc_endpoint", {"Return": True}, {"VpcEndpointId": "vpce-1", **changes})
    stub.add_response("create_tags", {}, {"Resources": ["vpce-1"], "Tags": [{"Key": "a", "Value": "1"}]})
    stub.add_response("delete_tags", {}, {"Resources": ["vpce-1"], "Tags": [{"Key": "b"}]})
    subject.modify_endpoint(stub.client, "vpce-1", changes)
    subject.create_tags(stub.client, "vpce-1", {"a": "1"})
    subject.delete_tags(stub.client, "vpce-1", ["b"])


def test_a_refusal_says_what_was_tried(stub: Stubber) -> None:
    stub.add_client_error("create_vpc_endpoint", "UnauthorizedOperation")
    with pytest.raises(AnsibleAWSError, match="Failed to create the gateway endpoint"):
        subject.create_endpoint(stub.client, "vpc-1", SERVICE, ["rtb-1"], {})

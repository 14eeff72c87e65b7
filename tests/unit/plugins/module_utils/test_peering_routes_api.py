# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls about routes: what they ask, and which refusals of AWS are no error."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import peering_routes_api as subject
from botocore.stub import Stubber

ROUTE = {"RouteTableId": "rtb-1", "DestinationCidrBlock": "10.1.0.0/16"}
THROUGH = {**ROUTE, "VpcPeeringConnectionId": "pcx-1"}


@pytest.fixture
def stub() -> t.Iterator[Stubber]:
    client = boto3.client("ec2", "eu-west-3", aws_access_key_id="testing", aws_secret_access_key="testing")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_every_page_of_the_tables(stub: Stubber) -> None:
    filters = [{"Name": "vpc-id", "Values": ["vpc-1"]}]
    stub.add_response(
        "describe_route_tables", {"RouteTables": [{"RouteTableId": "rtb-1"}], "NextToken": "more"}, {"Filters": filters}
    )
    stub.add_response(
        "describe_route_tables", {"RouteTables": [{"RouteTableId": "rtb-2"}]}, {"Filters": filters, "NextToken": "more"}
    )
    found = subject.describe_route_tables(stub.client, filters)
    assert [table["RouteTableId"] for table in found] == ["rtb-1", "rtb-2"]


def test_create_and_replace(stub: Stubber) -> None:
    stub.add_response("create_route", {"Return": True}, THROUGH)
    stub.add_response("replace_route", {}, THROUGH)
    subject.create_route(stub.client, "rtb-1", "10.1.0.0/16", "pcx-1")
    subject.replace_route(stub.client, "rtb-1", "10.1.0.0/16", "pcx-1")


def test_a_connection_that_ec2_does_not_see_yet_is_waited_for(stub: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    stub.add_client_error("create_route", "InvalidVpcPeeringConnectionID.NotFound", expected_params=THROUGH)
    stub.add_response("create_route", {"Return": True}, THROUGH)
    subject.create_route(stub.client, "rtb-1", "10.1.0.0/16", "pcx-1")
    assert len(waits) == 1


@pytest.mark.parametrize("code", ["InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"])
def test_a_route_that_is_gone_is_deleted(stub: Stubber, code: str) -> None:
    stub.add_client_error("delete_route", code, expected_params=ROUTE)
    subject.delete_route(stub.client, "rtb-1", "10.1.0.0/16")


@pytest.mark.parametrize(
    ("operation", "function", "arguments", "what"),
    [
        ("create_route", subject.create_route, ("rtb-1", "10.1.0.0/16", "pcx-1"), "create a route"),
        ("replace_route", subject.replace_route, ("rtb-1", "10.1.0.0/16", "pcx-1"), "replace a route"),
        ("delete_route", subject.delete_route, ("rtb-1", "10.1.0.0/16"), "delete a route"),
        ("describe_route_tables", subject.describe_route_tables, ([],), "describe route tables"),
    ],
)
def test_a_refusal_says_what_was_tried(
    stub: Stubber, operation: str, function: t.Any, arguments: tuple[t.Any, ...], what: str
) -> None:
    stub.add_client_error(operation, "UnauthorizedOperation")
    with pytest.raises(AnsibleAWSError, match=f"Failed to {what}"):
        function(stub.client, *arguments)

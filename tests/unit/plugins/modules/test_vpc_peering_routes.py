# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module vpc_peering_routes as a whole, against moto."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import vpc_peering_routes
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

PEER = "10.1.0.0/16"


@pytest.fixture
def ec2() -> t.Iterator[t.Any]:
    with mock_aws():
        yield boto3.client("ec2", "eu-west-3", aws_access_key_id="testing", aws_secret_access_key="testing")


class Network(t.NamedTuple):
    """A VPC with two tables of the stack, which have one name, and a connection to a second VPC."""

    vpc: str
    tables: list[str]
    connection: str


@pytest.fixture
def network(ec2: t.Any) -> Network:
    vpc, peer = (ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"] for block in ("10.0.0.0/16", PEER))
    tags = [{"Key": "Name", "Value": "private"}, {"Key": "Stack", "Value": "shop"}]
    specification = [{"ResourceType": "route-table", "Tags": tags}]
    tables = [
        ec2.create_route_table(VpcId=vpc, TagSpecifications=specification)["RouteTable"]["RouteTableId"]
        for _number in range(2)
    ]
    connection = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=peer)["VpcPeeringConnection"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=connection["VpcPeeringConnectionId"])
    return Network(vpc, tables, connection["VpcPeeringConnectionId"])


def routes(network: Network, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    filled = {
        "filters": {"tag:Stack": "shop"},
        "destination_cidr_block": PEER,
        "vpc_peering_connection_id": network.connection,
        **options,
    }
    result = run_module(vpc_peering_routes, {key: value for key, value in filled.items() if value is not None}, check)
    assert not result.get("failed"), result["msg"]
    return result


def actions(result: dict[str, t.Any]) -> list[str]:
    return [step["action"] for step in result["plan"]]


def standing(ec2: t.Any) -> dict[str, dict[str, str]]:
    """Connection by destination, by table, of every table of the account that has one."""
    found = {
        table["RouteTableId"]: {
            route["DestinationCidrBlock"]: route["VpcPeeringConnectionId"]
            for route in table["Routes"]
            if "VpcPeeringConnectionId" in route
        }
        for table in ec2.describe_route_tables()["RouteTables"]
    }
    return {table: routes for table, routes in found.items() if routes}


def test_every_table_that_matches_and_no_other(ec2: t.Any, network: Network) -> None:
    with recorded_calls() as calls:
        planned = routes(network, check=True)
    assert writes(calls) == []
    done = routes(network)
    assert [planned[key] for key in ("changed", "plan", "diff")] == [done[key] for key in ("changed", "plan", "diff")]
    # The two tables have one name: both get their route all the same.
    assert standing(ec2) == {table: {PEER: network.connection} for table in network.tables}
    again = routes(network)
    assert (again["changed"], actions(again)) == (False, ["keep", "keep"])


def test_a_table_that_came_later(ec2: t.Any, network: Network) -> None:
    ec2.create_route(
        RouteTableId=network.tables[0], DestinationCidrBlock=PEER, VpcPeeringConnectionId=network.connection
    )
    assert sorted(actions(routes(network))) == ["create", "keep"]
    assert set(standing(ec2)) == set(network.tables)


def test_another_target_is_replaced(ec2: t.Any, network: Network) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    ec2.create_route(RouteTableId=network.tables[0], DestinationCidrBlock=PEER, GatewayId=gateway)
    assert sorted(actions(routes(network))) == ["create", "modify"]
    assert standing(ec2)[network.tables[0]] == {PEER: network.connection}


def test_absent_twice_for_one_destination_or_any(ec2: t.Any, network: Network) -> None:
    routes(network)
    routes(network, destination_cidr_block="10.9.0.0/16")
    one = {"state": "absent", "filters": {"vpc-id": network.vpc}}
    assert actions(routes(network, **one)) == ["delete", "delete"]
    assert standing(ec2) == {table: {"10.9.0.0/16": network.connection} for table in network.tables}
    assert routes(network, check=True, destination_cidr_block=None, **one)["changed"]
    assert actions(routes(network, destination_cidr_block=None, **one)) == ["delete", "delete"]
    assert standing(ec2) == {}
    for check in (True, False):
        again = routes(network, check=check, destination_cidr_block=None, **one)
        assert (again["changed"], again["plan"]) == (False, [])


def test_check_mode_plans_for_tables_that_do_not_exist(ec2: t.Any, network: Network) -> None:
    result = routes(
        network, check=True, filters={"tag:Stack": "new"}, vpc_peering_connection_id="pcx-00000000000000000"
    )
    assert (result["changed"], actions(result)) == (True, ["create"])


def test_no_table_is_an_error_that_says_what_to_do(ec2: t.Any, network: Network) -> None:
    options = {"filters": {"tag:Stack": "new"}, "destination_cidr_block": PEER, "vpc_peering_connection_id": "pcx-1"}
    result = run_module(vpc_peering_routes, options)
    assert result["failed"]
    assert result["msg"] == ("filters: no route table matches {'tag:Stack': 'new'}; deploy that stack's network first")
    assert not run_module(vpc_peering_routes, {**options, "state": "absent"})["changed"]


def test_a_destination_is_needed_to_add_a_route(ec2: t.Any) -> None:
    result = run_module(vpc_peering_routes, {"filters": {}, "vpc_peering_connection_id": "pcx-1"})
    assert result["failed"]
    assert "destination_cidr_block" in result["msg"]

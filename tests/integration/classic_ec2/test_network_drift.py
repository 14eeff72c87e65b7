# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What somebody changed by hand in a network is planned, and put right by the next run, which leaves the rest alone.

The stock modules are asked only for what was seen to differ, so each kind of difference is made here once.
"""

from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.integration.runner import Run, Runner
from tests.integration.view import View, tags

pytestmark = pytest.mark.slow

NETWORK = ("--limit", "classic_prod", "--tags", "network")
#: What the operations answer, by the keys of their answers.
READ = {
    "describe_vpcs": "Vpcs",
    "describe_subnets": "Subnets",
    "describe_route_tables": "RouteTables",
    "describe_security_groups": "SecurityGroups",
    "describe_nat_gateways": "NatGateways",
    "describe_internet_gateways": "InternetGateways",
}
#: The tasks that have something to do, and for what.
EXPECTED = [
    ("Create the VPC", None),
    ("Create the internet gateway", None),
    ("Create the route table of the public subnets", "classic-prod-public"),
    ("Create the security groups", "classic-prod-application"),
    ("Create the security groups", "classic-prod-database"),
    ("Create the subnets", "classic-prod-private-a 10.0.3.0/24 in us-east-1a"),
    ("Create the subnets", "classic-prod-public-b 10.0.2.0/24 in us-east-1b"),
    ("Empty the VPC's default security group", "default"),
    ("Ready | Create the route table of each private subnet", "classic-prod-private-a"),
    ("Ready | Create the route table of each private subnet", "classic-prod-private-b"),
    ("Start the NAT gateways", "us-east-1a"),
]


@pytest.fixture(scope="module")
def view(account: Emulator) -> View:
    """The account's region."""
    return View(account, "us-east-1")


def network(view: View) -> dict[str, t.Any]:
    """All there is of the network, without what names an association and without an order."""
    found = {key: getattr(view.ec2, operation)()[key] for operation, key in READ.items()}
    for table in found["RouteTables"]:
        for association in table["Associations"]:
            association.pop("RouteTableAssociationId")
    vpc = view.vpc("classic-prod-vpc")["VpcId"]
    attributes = [
        view.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)
        for name in ("enableDnsSupport", "enableDnsHostnames")
    ]
    for answer in attributes:
        answer.pop("ResponseMetadata")
    return t.cast("dict[str, t.Any]", in_order({**found, "attributes": attributes}))


def in_order(value: t.Any) -> t.Any:
    """The same with all lists sorted."""
    if isinstance(value, dict):
        return {key: in_order(one) for key, one in value.items()}
    return sorted(map(in_order, value), key=repr) if isinstance(value, list) else value


@pytest.fixture(scope="module")
def before(runner: Runner, view: View) -> dict[str, t.Any]:
    """The network as it was deployed."""
    runner.play("deploy", *NETWORK)
    return network(view)


@pytest.fixture(scope="module")
def meddled(view: View, before: dict[str, t.Any]) -> dict[str, t.Any]:
    """The network after somebody's visit to the console."""
    ec2, ids = view.ec2, {tags(one)["Name"]: one for kind in READ.values() for one in before[kind] if tags(one)}
    vpc = ids["classic-prod-vpc"]["VpcId"]
    subnets = {tags(one)["Name"]: one["SubnetId"] for one in before["Subnets"] if tags(one)}
    tables = {tags(one)["Name"]: one["RouteTableId"] for one in before["RouteTables"] if tags(one)}
    groups = {one["GroupName"]: one["GroupId"] for one in before["SecurityGroups"] if one["VpcId"] == vpc}
    (internet,) = (one["InternetGatewayId"] for one in before["InternetGateways"] if tags(one))
    (nat,) = (one["NatGatewayId"] for one in before["NatGateways"])

    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
    ec2.modify_subnet_attribute(SubnetId=subnets["classic-prod-public-b"], MapPublicIpOnLaunch={"Value": True})
    somebodys = [internet, nat, subnets["classic-prod-private-a"], groups["classic-prod-database"]]
    ec2.create_tags(Resources=somebodys, Tags=[{"Key": "Owner", "Value": "somebody"}])
    ec2.create_route(
        RouteTableId=tables["classic-prod-public"], DestinationCidrBlock="192.168.0.0/16", GatewayId=internet
    )
    ec2.delete_route(RouteTableId=tables["classic-prod-private-a"], DestinationCidrBlock="0.0.0.0/0")
    associated = view.route_table(subnets["classic-prod-private-b"])["Associations"]
    ec2.disassociate_route_table(AssociationId=associated[0]["RouteTableAssociationId"])
    for name in ("classic-prod-application", "default"):
        ec2.authorize_security_group_ingress(
            GroupId=groups[name], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        )
    return network(view)


@pytest.fixture(scope="module")
def planned(runner: Runner, meddled: dict[str, t.Any]) -> Run:
    """The plan after it."""
    return runner.play("deploy", "--check", "--diff", *NETWORK)


@pytest.fixture(scope="module")
def mended(runner: Runner, planned: Run) -> Run:
    """The deployment after the plan."""
    return runner.play("deploy", *NETWORK)


def test_the_plan_names_what_differs_and_writes_nothing(planned: Run) -> None:
    found = [(task.rpartition(" : ")[2], item) for _stack, _tier, task, item in planned.changes]
    assert sorted(found, key=repr) == sorted(EXPECTED, key=repr)
    assert planned.writes == []


def test_the_next_run_does_what_was_planned(planned: Run, mended: Run) -> None:
    assert mended.changes == planned.changes


def test_the_network_is_as_it_was(before: dict[str, t.Any], meddled: dict[str, t.Any], mended: Run, view: View) -> None:
    assert meddled != before
    assert network(view) == before


def test_and_stays_so(runner: Runner, mended: Run) -> None:
    assert runner.play("deploy", *NETWORK).changed_nothing

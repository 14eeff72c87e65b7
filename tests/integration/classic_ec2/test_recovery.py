# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A system that was described wrongly, half built, damaged behind its back, changed, and half destroyed.

The tests follow one another on one account, in the order in which they stand.
"""

from __future__ import annotations

import json
import re
import typing as t

import pytest

from tests.emulator import Emulator
from tests.integration import holdings
from tests.integration.runner import LOCKING, Inventory, Run, Runner
from tests.integration.view import View, tags

pytestmark = pytest.mark.slow

PROD, AI = "classic_prod", "classic_ai"
TAKEOVER = {"stack_lock_takeover": True}
#: Only the instances of one stack, which is quick.
INSTANCES_ONLY = ("--limit", PROD, "--tags", "ec2_app")
DESTROY_PROD = ("--limit", PROD, "-e", "destroy_confirm=classic")

#: AWS keeps what is not named; the emulator forgets it, so all is named.
OPEN_METADATA: dict[str, t.Any] = {
    "HttpTokens": "optional",
    "HttpPutResponseHopLimit": 1,
    "HttpEndpoint": "enabled",
    "HttpProtocolIpv6": "disabled",
    "InstanceMetadataTags": "disabled",
}


@pytest.fixture(scope="module")
def empty(account: Emulator) -> dict[str, list[str]]:
    """What the empty account holds."""
    return holdings.in_region(account, "us-east-1") | holdings.everywhere(account)


@pytest.fixture(scope="module")
def view(account: Emulator) -> View:
    """The account."""
    return View(account, "us-east-1")


@pytest.fixture(scope="module", autouse=True)
def in_order(empty: dict[str, list[str]]) -> None:
    """The account is looked at before anything is done in it."""


# --- described wrongly ---


def test_a_wrong_description_of_one_stack_stops_all_before_the_first_write(
    changed_runner: Runner, inventory: Inventory
) -> None:
    right = inventory.read(AI)
    inventory.change(AI, network_cidr="10.0.128.0/20", network_subnets=[])
    try:
        run = changed_runner.play("deploy", ok=False)
    finally:
        inventory.change(AI, **right)
    # The stack that describes the peering says what is wrong with it; the other one is right by itself.
    assert run.failed == {PROD: 1, AI: 0}
    assert run.writes == []
    assert "network_cidr: '10.0.0.0/16' of classic_prod and '10.0.128.0/20' of classic_ai overlap" in run.text
    assert "such as '10.1.0.0/16'" in run.text
    assert "palier.aws.network" not in run.output


def test_a_peer_that_does_not_stand_is_missed_before_the_first_write(changed_runner: Runner) -> None:
    run = changed_runner.play("deploy", "--limit", PROD, ok=False)
    assert run.writes == []
    assert f"the stack {AI} has no VPC in us-east-1, and --limit leaves it out" in run.text
    assert f"--limit {PROD},{AI}" in run.text


# --- half built ---


@pytest.fixture(scope="module")
def interrupted(changed_runner: Runner) -> list[list[str]]:
    """Three deployments, each killed further on."""
    return [
        changed_runner.kill("deploy", after=4),
        changed_runner.kill("deploy", after=30, variables=TAKEOVER),
        changed_runner.kill("deploy", after=50, variables=TAKEOVER),
    ]


@pytest.fixture(scope="module")
def locked_out(changed_runner: Runner, interrupted: list[list[str]]) -> Run:
    """A deployment that finds the lock of the killed one."""
    return changed_runner.play("deploy", ok=False)


@pytest.fixture(scope="module")
def converged(changed_runner: Runner, locked_out: Run) -> Run:
    """The deployment that goes on from there."""
    return changed_runner.play("deploy", variables=TAKEOVER)


def test_a_killed_run_leaves_its_lock_and_the_message_names_the_holder(locked_out: Run) -> None:
    assert locked_out.failed[PROD] == 1
    assert set(locked_out.writes) <= set(LOCKING)
    assert "/classic/prod/lock" in locked_out.text
    assert re.search(r"run run-[0-9a-f]+ by \S+ has been at work on this stack since \d{4}-", locked_out.text)
    assert "stack_lock_takeover=true" in locked_out.text


def test_a_deployment_goes_on_where_killed_ones_stopped(changed_runner: Runner, converged: Run) -> None:
    assert converged.failed == {PROD: 0, AI: 0}
    again = changed_runner.play("deploy")
    assert again.changed_nothing, (again.changes, again.writes)


def test_nothing_was_made_twice(view: View, converged: Run) -> None:
    """What a killed run had created is found again, not created anew."""
    assert sorted(view.instances()) == ["classic-ai-lab", "classic-prod-test", "classic-prod-web"]
    found = holdings.in_region(view.emulator, "us-east-1")
    counts = {kind: len(found[kind]) for kind in ("NatGateways", "Addresses", "FlowLogs", "VpcEndpoints", "Volumes")}
    assert counts == {"NatGateways": 1, "Addresses": 2, "FlowLogs": 2, "VpcEndpoints": 2, "Volumes": 3}
    vpcs = view.ec2.describe_vpcs(Filters=[{"Name": "tag:Stack", "Values": ["classic"]}])["Vpcs"]
    assert len(vpcs) == 2


# --- damaged behind its back ---


@pytest.fixture(scope="module")
def damaged(view: View, converged: Run) -> list[str]:
    """Everything that somebody broke by hand; the ids of the instances from before."""
    ec2 = view.ec2
    before = [one["InstanceId"] for one in view.instances().values()]
    web = view.instances()["classic-prod-web"]
    private = view.instances()["classic-prod-test"]["SubnetId"]
    table = view.route_table(private)

    nat_gateway = view.way_out(private)
    (association,) = [one for one in table["Associations"] if one["SubnetId"] == private]
    ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    ec2.delete_nat_gateway(NatGatewayId=nat_gateway)
    ec2.terminate_instances(InstanceIds=[web["InstanceId"]])
    everyone = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    for name in ("classic-prod-web", "classic-prod-database"):
        ec2.authorize_security_group_ingress(GroupId=_group(view, name), IpPermissions=[everyone])
    (group,) = [one for one in view.groups() if one["GroupName"] == "classic-prod-test"]
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    test = view.instances()["classic-prod-test"]
    groups = [_group(view, name) for name in ("classic-prod-test", "classic-prod-application")]
    ec2.modify_instance_attribute(InstanceId=test["InstanceId"], Groups=groups)
    ec2.modify_instance_metadata_options(InstanceId=test["InstanceId"], **OPEN_METADATA)
    (flow_log,) = ec2.describe_flow_logs(Filters=[{"Name": "tag:Environment", "Values": ["prod"]}])["FlowLogs"]
    ec2.delete_flow_logs(FlowLogIds=[flow_log["FlowLogId"]])
    public = view.route_table(web["SubnetId"])["RouteTableId"]
    ec2.delete_route(RouteTableId=public, DestinationCidrBlock="10.1.0.0/16")
    view.client("ssm").delete_parameter(Name="/classic/prod/rds")
    view.s3.delete_bucket_policy(Bucket=_site(view))
    view.s3.delete_object(Bucket=_site(view), Key="style.css")
    view.s3.put_object(Bucket=_site(view), Key="index.html", Body=b"defaced", ContentType="text/html")
    view.s3.put_public_access_block(
        Bucket=f"classic-prod-site-logs-{view.account_id}",
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False
        ),
    )
    view.rds.modify_db_instance(
        DBInstanceIdentifier="classic-prod-db", DeletionProtection=False, BackupRetentionPeriod=1, ApplyImmediately=True
    )
    view.iam.detach_role_policy(
        RoleName="classic-prod-web", PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    )
    view.client("logs").delete_log_group(logGroupName="/aws/rds/instance/classic-prod-db/error")
    return before


@pytest.fixture(scope="module")
def plan_of_repair(changed_runner: Runner, damaged: list[str]) -> Run:
    """What a deployment would mend."""
    return changed_runner.play("deploy", "--check", "--diff")


@pytest.fixture(scope="module")
def repaired(changed_runner: Runner, plan_of_repair: Run) -> Run:
    """The deployment after the damage."""
    return changed_runner.play("deploy")


def test_a_deployment_mends_what_its_plan_says(plan_of_repair: Run, repaired: Run) -> None:
    assert plan_of_repair.writes == []
    assert repaired.failed == {PROD: 0, AI: 0}
    assert repaired.changes == plan_of_repair.changes


def test_after_it_nothing_is_left_to_mend(changed_runner: Runner, repaired: Run) -> None:
    again = changed_runner.play("deploy")
    assert again.changed_nothing, (again.changes, again.writes)


def test_the_network_is_mended(view: View, repaired: Run, damaged: list[str]) -> None:
    instances = view.instances()
    assert view.kind(instances["classic-prod-test"]["SubnetId"]) == "private"
    (gateway,) = view.ec2.describe_nat_gateways(Filters=[{"Name": "state", "Values": ["available"]}])["NatGateways"]
    private = [one for one in view.subnets(view.vpc("classic-prod-vpc")) if view.kind(one["SubnetId"]) == "private"]
    assert {view.way_out(one["SubnetId"]) for one in private} == {gateway["NatGatewayId"]}
    assert len(private) == 2
    assert len(view.ec2.describe_flow_logs()["FlowLogs"]) == 2
    routes = view.route_table(instances["classic-prod-web"]["SubnetId"])["Routes"]
    assert "10.1.0.0/16" in {one.get("DestinationCidrBlock") for one in routes}
    assert len(view.ec2.describe_addresses()["Addresses"]) == 2, "no address is left over, each costs money"


def test_the_rules_are_mended(view: View, repaired: Run) -> None:
    assert ("tcp", 22, 22, "0.0.0.0/0") not in view.lets_in(one["GroupId"] for one in view.groups())
    assert ("tcp", 22, 22, "classic-prod-web") in view.lets_in([_group(view, "classic-prod-test")])


def test_the_instance_that_stood_is_mended(view: View, repaired: Run) -> None:
    test = view.instances()["classic-prod-test"]
    assert {group["GroupName"] for group in test["SecurityGroups"]} == {"classic-prod-test"}
    assert test["MetadataOptions"]["HttpTokens"] == "required"


def test_the_instance_is_launched_anew_with_its_old_address(view: View, repaired: Run, damaged: list[str]) -> None:
    web = view.instances()["classic-prod-web"]
    assert web["InstanceId"] not in damaged
    (address,) = [one for one in view.ec2.describe_addresses()["Addresses"] if tags(one)["Tier"] == "ec2_app"]
    assert (address["InstanceId"], address["PublicIp"]) == (web["InstanceId"], web["PublicIpAddress"])
    attached = view.iam.list_attached_role_policies(RoleName="classic-prod-web")["AttachedPolicies"]
    assert "AmazonSSMManagedInstanceCore" in {one["PolicyName"] for one in attached}


def test_the_database_and_the_site_are_mended(view: View, repaired: Run) -> None:
    database = view.database("classic-prod-db")
    assert (database["DeletionProtection"], database["BackupRetentionPeriod"]) == (True, 7)
    assert json.loads(view.client("ssm").get_parameter(Name="/classic/prod/rds")["Parameter"]["Value"])["port"] == 3306
    logs = view.client("logs").describe_log_groups(logGroupNamePrefix="/aws/rds/")["logGroups"]
    assert [one["retentionInDays"] for one in logs] == [90, 90]
    assert "PublicReadOfTheSite" in view.s3.get_bucket_policy(Bucket=_site(view))["Policy"]
    objects = view.s3.list_objects_v2(Bucket=_site(view))["Contents"]
    assert sorted(one["Key"] for one in objects) == ["error.html", "index.html", "style.css"]
    assert b"defaced" not in view.s3.get_object(Bucket=_site(view), Key="index.html")["Body"].read()
    block = view.s3.get_public_access_block(Bucket=f"classic-prod-site-logs-{view.account_id}")
    assert all(block["PublicAccessBlockConfiguration"].values())


# --- changed ---


class Update(t.NamedTuple):
    """A new version of the application: its plan, its run, the run after, and the instance before."""

    plan: Run
    run: Run
    again: Run
    before: dict[str, t.Any]


def _update(runner: Runner, inventory: Inventory, view: View, version: str, update: str) -> Update:
    instances = inventory.read(PROD)["ec2_app_instances"]
    instances[0]["update"] = update
    instances[0]["application"]["version"] = version
    inventory.change(PROD, ec2_app_instances=instances)
    before = view.instances()["classic-prod-web"]
    return Update(
        runner.play("deploy", *INSTANCES_ONLY, "--check", "--diff"),
        runner.play("deploy", *INSTANCES_ONLY),
        runner.play("deploy", *INSTANCES_ONLY),
        before,
    )


@pytest.fixture(scope="module")
def in_place(changed_runner: Runner, inventory: Inventory, view: View, repaired: Run) -> Update:
    """A new version for the running instance."""
    return _update(changed_runner, inventory, view, "v2.0.0", "in_place")


@pytest.fixture(scope="module")
def replaced(changed_runner: Runner, inventory: Inventory, view: View, in_place: Update) -> Update:
    """A new version by a new instance."""
    return _update(changed_runner, inventory, view, "v3.0.0", "replace")


def test_a_version_in_place_is_recorded_only_after_the_command(in_place: Update, view: View) -> None:
    assert in_place.plan.writes == []
    assert in_place.run.changes == in_place.plan.changes
    written = [entry["operation"] for entry in in_place.run.requests if entry["write"] and entry["service"] != "s3"]
    assert [one for one in written if one in ("SendCommand", "CreateTags")] == ["SendCommand", "CreateTags"]
    assert in_place.again.changed_nothing, (in_place.again.changes, in_place.again.writes)
    web = view.instances()["classic-prod-web"]
    assert tags(web)["UserDataDigest"] != tags(in_place.before)["UserDataDigest"]
    assert web["InstanceId"] == in_place.before["InstanceId"]


def test_the_command_in_place_carries_the_new_version(in_place: Update, view: View) -> None:
    (command,) = view.client("ssm").list_commands()["Commands"]
    assert command["InstanceIds"] == [in_place.before["InstanceId"]]
    (script,) = command["Parameters"]["commands"]
    assert "APP_VERSION=v2.0.0" in script
    assert script.rstrip().endswith("/usr/local/sbin/app-deploy")


def test_a_version_by_replacement_launches_a_new_instance_of_that_name(replaced: Update, view: View) -> None:
    assert replaced.plan.writes == []
    assert replaced.run.changes == replaced.plan.changes
    assert {"ec2:TerminateInstances", "ec2:RunInstances"} <= set(replaced.run.writes)
    assert "ssm:SendCommand" not in replaced.run.writes
    assert replaced.again.changed_nothing, (replaced.again.changes, replaced.again.writes)
    web = view.instances()["classic-prod-web"]
    assert web["InstanceId"] != replaced.before["InstanceId"]
    assert web["PublicIpAddress"] == replaced.before["PublicIpAddress"], "the fixed address moves along"
    assert "APP_VERSION=v3.0.0" in view.user_data(web["InstanceId"])
    assert len(holdings.in_region(view.emulator, "us-east-1")["Volumes"]) == 3


# --- half destroyed ---


@pytest.fixture(scope="module")
def half_destroyed(changed_runner: Runner, view: View, replaced: Update) -> None:
    """Saved, then parts removed by hand, then a destruction that was killed."""
    changed_runner.play("backup", "--limit", PROD)
    (peering,) = view.peerings()
    view.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    view.ec2.terminate_instances(InstanceIds=[view.instances()["classic-prod-test"]["InstanceId"]])
    (gateway,) = view.ec2.describe_nat_gateways(Filters=[{"Name": "state", "Values": ["available"]}])["NatGateways"]
    view.ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
    view.client("logs").delete_log_group(logGroupName="/aws/vpc/classic-prod-vpc/flow-logs")
    changed_runner.kill("destroy", *DESTROY_PROD, after=12, variables=TAKEOVER)


def test_destroy_goes_on_from_there_and_keeps_what_was_saved(
    changed_runner: Runner, view: View, half_destroyed: None
) -> None:
    run = changed_runner.play("destroy", *DESTROY_PROD, variables=TAKEOVER)
    kept = {arn.rpartition(":")[2] for arn in holdings.tagged(view.emulator, "us-east-1", Environment="prod")}
    assert len([name for name in kept if name.startswith("snapshot/snap-")]) == 2
    assert len([name for name in kept if name.startswith("classic-prod-db-final-")]) == 1
    assert len([name for name in kept if name.startswith("classic-prod-db-2")]) == 1
    assert len(kept) == 4
    assert "kept on purpose" in run.text
    assert all(name in run.text for name in kept)


def test_what_was_saved_goes_when_it_is_asked_for(
    changed_runner: Runner, view: View, half_destroyed: None, empty: dict[str, list[str]]
) -> None:
    """With booleans that are booleans, as AWX hands them over."""
    asked = {"rds_final_snapshot": False, "backups_delete_restore_points": True}
    changed_runner.play("destroy", *DESTROY_PROD, variables=asked)
    left = holdings.tagged(view.emulator, "us-east-1", Environment="prod")
    assert [arn.rpartition(":")[2].rpartition("-")[0] for arn in left] == ["classic-prod-db-final"]
    again = changed_runner.play("destroy", *DESTROY_PROD, variables=asked)
    assert again.changed_nothing, (again.changes, again.writes)

    changed_runner.play("destroy", "--limit", AI, "-e", "destroy_confirm=classic", variables=TAKEOVER)
    view.rds.delete_db_snapshot(DBSnapshotIdentifier=left[0].rpartition(":")[2])
    assert holdings.in_region(view.emulator, "us-east-1") | holdings.everywhere(view.emulator) == empty


def _group(view: View, name: str) -> str:
    (found,) = [group["GroupId"] for group in view.groups() if group["GroupName"] == name]
    return str(found)


def _site(view: View) -> str:
    return f"classic-prod-site-{view.account_id}"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A system's life on an account that was empty: planned, deployed, run again, saved, verified, destroyed twice.

The tests follow one another on one account, in the order in which they stand.
"""

from __future__ import annotations

import pytest

from tests.emulator import Emulator
from tests.integration import holdings, permissions
from tests.integration.classic_ec2.conftest import INVENTORY
from tests.integration.cycle import Holdings, difference
from tests.integration.runner import LOCKING, ROOT, Run, Runner

pytestmark = pytest.mark.slow

PROD, AI = "classic_prod", "classic_ai"
REGION = "us-east-1"
#: There are no machines behind the emulator's account.
NO_MACHINES = {"ec2_app_verify_http": False}
#: The words that destroy.yml asks for.
CONFIRMED = ("-e", "destroy_confirm=classic")


@pytest.fixture(scope="module")
def runner(account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Runs the playbooks as a user who may do what docs/iam says."""
    keys = permissions.user(account, INVENTORY)
    return Runner(account, tmp_path_factory.mktemp("runs"), ROOT / "inventories" / INVENTORY, keys)


@pytest.fixture(scope="module")
def empty(account: Emulator, runner: Runner) -> Holdings:
    """What an empty account holds: AWS's default networks."""
    return holdings.everything(account, REGION)


@pytest.fixture(scope="module")
def planned(runner: Runner, empty: Holdings) -> Run:
    """The plan on the empty account."""
    return runner.play("deploy", "--check", "--diff")


@pytest.fixture(scope="module")
def deployed(runner: Runner, planned: Run) -> Run:
    """The deployment after the plan."""
    return runner.play("deploy")


def test_the_plan_of_an_empty_account_writes_nothing(planned: Run, account: Emulator, empty: Holdings) -> None:
    assert planned.failed == {PROD: 0, AI: 0}
    assert planned.writes == []
    assert holdings.everything(account, REGION) == empty


def test_the_plan_names_each_tier_of_each_stack(planned: Run) -> None:
    tiers = {(stack, tier) for stack, tier, _task, _item in planned.changes}
    assert tiers == {
        *((PROD, tier) for tier in ("network", "rds", "s3_site", "ec2_app", "peering")),
        *((AI, tier) for tier in ("network", "ec2_app")),
    }
    assert "palier.aws.network : Create the VPC" in planned.output


def test_the_deployment_makes_the_changes_of_the_plan_and_no_other(planned: Run, deployed: Run) -> None:
    assert deployed.failed == {PROD: 0, AI: 0}
    assert difference(planned.changes, deployed.changes) == []
    # One entry for each item of a loop is one change, so no task can hide behind another of its name.
    assert len(deployed.changes) == len(planned.changes)


def test_no_request_of_the_deployment_is_refused(deployed: Run) -> None:
    """A call that AWS refuses is a bug that was caught too late, but for questions after what is not there yet.

    The stock module of security groups is let off: it creates a group that a rule names, to learn that it is there.
    """
    missing = ("NotFound", "NoSuch", "404")
    refused = {
        f"{entry['service']}:{entry['operation']} {entry['status']} {entry['error']}"
        for entry in deployed.requests
        if entry["status"] >= 400 and not any(word in f"{entry['error']} {entry['status']}" for word in missing)
    }
    assert refused <= {"ec2:CreateSecurityGroup 400 InvalidGroup.Duplicate"}


def test_a_second_deployment_changes_nothing(runner: Runner, deployed: Run) -> None:
    again = runner.play("deploy")
    assert again.changed == {PROD: 0, AI: 0}
    assert again.changes == []
    assert again.writes == sorted(LOCKING * 2), "only the two stacks' locks, taken and given back"


def test_a_plan_after_it_is_empty(runner: Runner, deployed: Run) -> None:
    plan = runner.play("deploy", "--check", "--diff")
    assert (plan.changed, plan.changes, plan.writes) == ({PROD: 0, AI: 0}, [], [])
    assert "nothing to change" in plan.output


@pytest.mark.parametrize("tier", ["network", "rds", "s3_site", "ec2_app", "peering", "backups"])
def test_each_tier_runs_alone(runner: Runner, deployed: Run, tier: str) -> None:
    run = runner.play("deploy", "--limit", PROD, "--tags", tier)
    assert run.changed_nothing, (run.changes, run.writes)
    assert f"palier.aws.{tier} : " in run.output or tier == "backups", "there is nothing to set up for backups"


def test_verify_fails_before_the_first_backup(runner: Runner, deployed: Run) -> None:
    run = runner.play("verify", "--tags", "backups", ok=False, variables=NO_MACHINES)
    assert "has no complete restore point" in run.text
    assert run.writes == []


def test_c8_backup_on_demand_then_verify(runner: Runner, deployed: Run) -> None:
    saved = runner.play("backup")
    assert {"ec2:CreateSnapshots", "rds:CreateDBSnapshot"} <= set(saved.writes)
    verified = runner.play("verify", variables=NO_MACHINES)
    assert verified.changed_nothing
    assert verified.writes == []


def test_parliament_finds_nothing_in_the_policies_that_it_wrote(account: Emulator, deployed: Run) -> None:
    assert permissions.findings(account) == {}


def test_a_deployment_after_the_backup_changes_nothing(runner: Runner, deployed: Run) -> None:
    plan = runner.play("deploy", "--check")
    assert plan.changed_nothing, (plan.changes, plan.writes)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(CONFIRMED, id="no limit"),
        pytest.param(("--limit", PROD), id="no confirmation"),
        pytest.param(("--limit", PROD, "-e", "destroy_confirm=shop"), id="another name"),
    ],
)
def test_destroy_refuses_what_was_not_named_twice(runner: Runner, deployed: Run, options: tuple[str, ...]) -> None:
    run = runner.play("destroy", *options, ok=False)
    assert "--limit classic_" in run.text
    assert "-e destroy_confirm=classic" in run.text
    assert run.writes == []


def test_the_plan_of_a_destruction_writes_nothing(runner: Runner, deployed: Run) -> None:
    run = runner.play("destroy", "--check", "--limit", PROD, *CONFIRMED)
    assert run.writes == []
    assert (PROD, "network", "Delete the VPC", None) in run.changes


def test_destroy_removes_one_stack_and_leaves_the_other(runner: Runner, deployed: Run, account: Emulator) -> None:
    """With strings for booleans, as the command line makes them."""
    before = holdings.tagged(account, REGION, Environment="ai")
    run = runner.play(
        "destroy",
        *("--limit", PROD, *CONFIRMED, "-e", "rds_final_snapshot=false", "-e", "backups_delete_restore_points=true"),
    )
    assert run.changed[PROD] > 0
    assert "Nothing is left of classic-prod." in run.text
    assert holdings.tagged(account, REGION, Environment="prod") == []
    kept = holdings.tagged(account, REGION, Environment="ai")
    assert [arn for arn in before if "peering" not in arn] == kept


def test_the_other_stack_has_nothing_left_of_the_destroyed_one(account: Emulator) -> None:
    ec2 = account.client("ec2", REGION)
    routes = [route for table in ec2.describe_route_tables()["RouteTables"] for route in table["Routes"]]
    assert [route for route in routes if "VpcPeeringConnectionId" in route] == []
    rules = ec2.describe_security_group_rules()["SecurityGroupRules"]
    assert [rule for rule in rules if rule.get("CidrIpv4") == "10.0.0.0/16"] == []


def test_destroy_removes_the_other_stack(runner: Runner, deployed: Run, account: Emulator, empty: Holdings) -> None:
    runner.play("destroy", "--limit", AI, *CONFIRMED)
    assert holdings.everything(account, REGION) == empty


@pytest.mark.parametrize("stack", [PROD, AI])
def test_a_second_destroy_changes_nothing(
    runner: Runner, deployed: Run, account: Emulator, empty: Holdings, stack: str
) -> None:
    run = runner.play("destroy", "--limit", stack, *CONFIRMED)
    assert run.changed_nothing, (run.changes, run.writes)
    assert holdings.everything(account, REGION) == empty


def test_the_policy_of_docs_iam_allows_what_the_runs_asked_for_and_nothing_else(runner: Runner, deployed: Run) -> None:
    permissions.judge(INVENTORY, "classic", runner.asked)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A system's life on an account that was empty, as tests: planned, deployed, run again, verified, destroyed twice.

A system's module sets C(SYSTEM) and has a class of L{Deployment}, its own tests of what then stands, and a class of
L{Destruction}, in this order: they follow one another on one account. The fixtures stand in C(conftest.py).
"""

from __future__ import annotations

import typing as t

from tests.emulator import Emulator
from tests.integration import holdings, permissions
from tests.integration.runner import LOCKING, Change, Run, Runner

Holdings = dict[str, dict[str, list[str]]]
#: What destroy.yml keeps unless it is told so.
GONE_FOR_GOOD = {"rds_final_snapshot": False, "backups_delete_restore_points": True}


class Stack(t.NamedTuple):
    """A stack of the inventory: its host, environment and region, and the tiers that its plan must speak of."""

    host: str
    env: str
    region: str
    tiers: frozenset[str]


class System(t.NamedTuple):
    """One of the example inventories.

    :param inventory: its name.
    :param name: C(stack_name) of its stacks.
    :param stacks: they, in the order in which they are destroyed.
    :param switches: variables that leave out what only a data plane or the DNS answers.
    :param saves: whether the system has backups, without which it does not verify.
    :param forgets: variables by which its destruction also empties buckets that hold data.
    """

    inventory: str
    name: str
    stacks: tuple[Stack, ...]
    switches: dict[str, t.Any] = {}
    saves: bool = False
    forgets: dict[str, t.Any] = {}

    @property
    def regions(self) -> list[str]:
        """Where the stacks are."""
        return sorted({stack.region for stack in self.stacks})


class Deployment:
    """Tests of plan and deployment."""

    def test_the_plan_of_an_empty_account_writes_nothing(
        self, system: System, planned: Run, account: Emulator, empty: Holdings
    ) -> None:
        assert planned.failed == {stack.host: 0 for stack in system.stacks}
        assert planned.writes == []
        assert holdings.everything(account, *system.regions) == empty

    def test_the_plan_names_each_tier_of_each_stack(self, system: System, planned: Run) -> None:
        tiers = {(stack, tier) for stack, tier, _task, _item in planned.changes}
        assert tiers == {(stack.host, tier) for stack in system.stacks for tier in stack.tiers}

    def test_the_deployment_makes_the_changes_of_the_plan_and_no_other(
        self, system: System, planned: Run, deployed: Run
    ) -> None:
        assert deployed.failed == {stack.host: 0 for stack in system.stacks}
        assert difference(planned.changes, deployed.changes) == []
        # One entry for each item of a loop is one change, so no task can hide behind another of its name.
        assert len(deployed.changes) == len(planned.changes)

    def test_no_request_of_the_deployment_is_refused(self, deployed: Run) -> None:
        """But for questions after what is not there yet.

        The stock module of security groups is let off: it creates a group that a rule names, to learn that it is there.
        """
        missing = ("NotFound", "NoSuch", "404")
        refused = {
            f"{entry['service']}:{entry['operation']} {entry['status']} {entry['error']}"
            for entry in deployed.requests
            if entry["status"] >= 400 and not any(word in f"{entry['error']} {entry['status']}" for word in missing)
        }
        # ECS has no error of its own for a task definition that is not there.
        missing_too = "ecs:DescribeTaskDefinition 400 ClientException"
        assert refused <= {"ec2:CreateSecurityGroup 400 InvalidGroup.Duplicate", missing_too}

    def test_a_second_deployment_changes_nothing(self, system: System, runner: Runner, deployed: Run) -> None:
        again = runner.play("deploy", variables=system.switches)
        assert (again.changed, again.changes) == ({stack.host: 0 for stack in system.stacks}, [])
        assert again.writes == sorted(LOCKING * len(system.stacks)), "only the stacks' locks, taken and given back"

    def test_a_plan_after_it_is_empty(self, system: System, runner: Runner, deployed: Run) -> None:
        plan = runner.play("deploy", "--check", "--diff", variables=system.switches)
        assert (plan.changes, plan.writes) == ([], [])

    def test_it_verifies(self, system: System, runner: Runner, deployed: Run) -> None:
        if system.saves:
            runner.play("backup")
        run = runner.play("verify", variables=system.switches)
        assert (run.changes, run.writes) == ([], [])

    def test_parliament_finds_nothing_in_the_policies_that_it_wrote(self, account: Emulator, deployed: Run) -> None:
        assert permissions.findings(account) == {}


class Destruction:
    """Tests of the end."""

    def test_destroy_removes_stack_by_stack(
        self, system: System, runner: Runner, deployed: Run, account: Emulator, empty: Holdings
    ) -> None:
        for stack in system.stacks:
            named = ("--limit", stack.host, "-e", f"destroy_confirm={system.name}")
            planned = runner.play("destroy", "--check", *named, variables={**GONE_FOR_GOOD, **system.forgets})
            assert planned.writes == []
            run = runner.play("destroy", *named, variables={**GONE_FOR_GOOD, **system.forgets})
            assert f"Nothing is left of {system.name}-{stack.env}." in run.text
            assert holdings.tagged(account, stack.region, Stack=system.name, Environment=stack.env) == []
            assert difference(planned.changes, run.changes) == []
        assert holdings.everything(account, *system.regions) == empty

    def test_a_second_destroy_changes_nothing(
        self, system: System, runner: Runner, deployed: Run, account: Emulator, empty: Holdings
    ) -> None:
        for stack in system.stacks:
            run = runner.play("destroy", "--limit", stack.host, "-e", f"destroy_confirm={system.name}")
            assert run.changed_nothing, (run.changes, run.writes)
        assert holdings.everything(account, *system.regions) == empty

    def test_the_policy_of_docs_iam_allows_what_the_runs_asked_for_and_nothing_else(
        self, system: System, runner: Runner, deployed: Run
    ) -> None:
        permissions.judge(system.inventory, system.name, runner.asked)


def difference(planned: list[Change], done: list[Change]) -> list[tuple[str, t.Any]]:
    """What only one of two runs did."""
    return [("planned only", change) for change in planned if change not in done] + [
        ("done only", change) for change in done if change not in planned
    ]


#: There are no containers, edge locations or name servers behind the emulator's account.
NO_DATA_PLANE = {
    "dns_verify_delegation": False,
    "ecs_app_verify_targets": False,
    "load_balancer_verify_http": False,
    "s3_site_verify_http": False,
}

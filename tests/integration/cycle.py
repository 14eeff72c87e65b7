# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A system's life on an account that was empty, as tests: planned, deployed, run again, verified, destroyed twice.

The tests follow one another on one account, in the order in which they stand. A system's own module subclasses
L{Cycle} and says which inventory it is.
"""

from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.integration import holdings
from tests.integration.runner import LOCKING, ROOT, Change, Run, Runner

Holdings = dict[str, dict[str, list[str]]]
#: What destroy.yml keeps unless it is told so.
GONE_FOR_GOOD = {"rds_final_snapshot": False, "backups_delete_restore_points": True}


class Stack(t.NamedTuple):
    """A stack of the inventory: its host, environment and region, and what its plan must speak of."""

    host: str
    env: str
    region: str
    tiers: frozenset[str]


class Cycle:
    """Tests of one inventory.

    :cvar inventory: its name.
    :cvar system: C(stack_name) of its stacks.
    :cvar stacks: they, in the order in which they are destroyed.
    :cvar switches: variables that leave out what only a data plane answers.
    :cvar saves: whether the system has backups, without which it does not verify.
    """

    inventory: t.ClassVar[str]
    system: t.ClassVar[str]
    stacks: t.ClassVar[tuple[Stack, ...]]
    switches: t.ClassVar[dict[str, t.Any]] = {}
    saves: t.ClassVar[bool] = False

    @pytest.fixture(scope="class")
    def account(self) -> t.Iterator[Emulator]:
        """An account that is empty at first and keeps what the tests do."""
        with Emulator() as emulator:
            yield emulator

    @pytest.fixture(scope="class")
    def runner(self, account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Runner:
        """Runs the playbooks for the inventory as it stands in the repository."""
        return Runner(account, tmp_path_factory.mktemp("runs"), ROOT / "inventories" / self.inventory)

    @pytest.fixture(scope="class")
    def empty(self, account: Emulator) -> Holdings:
        """What the account held before."""
        return self.everything(account)

    @pytest.fixture(scope="class")
    def planned(self, runner: Runner, empty: Holdings) -> Run:
        """The plan on the empty account."""
        return runner.play("deploy", "--check", "--diff")

    @pytest.fixture(scope="class")
    def deployed(self, runner: Runner, planned: Run) -> Run:
        """The deployment after the plan."""
        return runner.play("deploy")

    def everything(self, account: Emulator) -> Holdings:
        """What the account holds."""
        return holdings.everything(account, *sorted({stack.region for stack in self.stacks}))

    def test_the_plan_of_an_empty_account_writes_nothing(
        self, planned: Run, account: Emulator, empty: Holdings
    ) -> None:
        assert planned.failed == {stack.host: 0 for stack in self.stacks}
        assert planned.writes == []
        assert self.everything(account) == empty

    def test_the_plan_names_each_tier_of_each_stack(self, planned: Run) -> None:
        tiers = {(stack, tier) for stack, tier, _task, _item in planned.changes}
        assert tiers == {(stack.host, tier) for stack in self.stacks for tier in stack.tiers}

    def test_the_deployment_makes_the_changes_of_the_plan_and_no_other(self, planned: Run, deployed: Run) -> None:
        assert deployed.failed == {stack.host: 0 for stack in self.stacks}
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
        assert refused <= {"ec2:CreateSecurityGroup 400 InvalidGroup.Duplicate"}

    def test_a_second_deployment_changes_nothing(self, runner: Runner, deployed: Run) -> None:
        again = runner.play("deploy")
        assert (again.changed, again.changes) == ({stack.host: 0 for stack in self.stacks}, [])
        assert again.writes == sorted(LOCKING * len(self.stacks)), "only the stacks' locks, taken and given back"

    def test_a_plan_after_it_is_empty(self, runner: Runner, deployed: Run) -> None:
        plan = runner.play("deploy", "--check", "--diff")
        assert (plan.changes, plan.writes) == ([], [])

    def test_it_verifies(self, runner: Runner, deployed: Run) -> None:
        if self.saves:
            runner.play("backup")
        run = runner.play("verify", variables=self.switches)
        assert (run.changes, run.writes) == ([], [])

    def test_destroy_removes_stack_by_stack(
        self, runner: Runner, deployed: Run, account: Emulator, empty: Holdings
    ) -> None:
        for stack in self.stacks:
            planned = runner.play("destroy", "--check", *self._named(stack), variables=GONE_FOR_GOOD)
            assert planned.writes == []
            run = runner.play("destroy", *self._named(stack), variables=GONE_FOR_GOOD)
            assert f"Nothing is left of {self.system}-{stack.env}." in run.text
            assert holdings.tagged(account, stack.region, Stack=self.system, Environment=stack.env) == []
            assert difference(planned.changes, run.changes) == []
        assert self.everything(account) == empty

    def test_a_second_destroy_changes_nothing(
        self, runner: Runner, deployed: Run, account: Emulator, empty: Holdings
    ) -> None:
        for stack in self.stacks:
            run = runner.play("destroy", *self._named(stack))
            assert run.changed_nothing, (run.changes, run.writes)
        assert self.everything(account) == empty

    def _named(self, stack: Stack) -> tuple[str, ...]:
        return ("--limit", stack.host, "-e", f"destroy_confirm={self.system}")


def difference(planned: list[Change], done: list[Change]) -> list[tuple[str, t.Any]]:
    """What only one of two runs did."""
    return [("planned only", change) for change in planned if change not in done] + [
        ("done only", change) for change in done if change not in planned
    ]

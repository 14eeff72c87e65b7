# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One emulator a module, on which a module's tests share what they have deployed. See L{tests.integration.cycle}."""

from __future__ import annotations

import typing as t

import pytest

# Before the first import of it.
pytest.register_assert_rewrite("tests.integration.cycle")

from tests.emulator import Emulator  # noqa: E402
from tests.integration import holdings, permissions  # noqa: E402
from tests.integration.cycle import Holdings, System  # noqa: E402
from tests.integration.runner import ROOT, Run, Runner  # noqa: E402


@pytest.fixture(scope="module")
def system(request: pytest.FixtureRequest) -> System:
    """What the module tests."""
    found: System = request.module.SYSTEM
    return found


@pytest.fixture(scope="module")
def account() -> t.Iterator[Emulator]:
    """An account that is empty at the module's start and keeps what its tests do."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def deployer(system: System, account: Emulator) -> dict[str, str]:
    """A user of the account who may do what docs/iam says for the system, as environment variables."""
    return permissions.user(account, system.inventory)


@pytest.fixture(scope="module")
def runner(
    system: System, account: Emulator, deployer: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Runner:
    """Runs the playbooks for the inventory as it stands in the repository, as that user."""
    return Runner(account, tmp_path_factory.mktemp("runs"), ROOT / "inventories" / system.inventory, deployer)


@pytest.fixture(scope="module")
def empty(system: System, account: Emulator, deployer: dict[str, str]) -> Holdings:
    """What the account held before."""
    return holdings.everything(account, *system.regions)


@pytest.fixture(scope="module")
def planned(system: System, runner: Runner, empty: Holdings) -> Run:
    """The plan on the empty account."""
    return runner.play("deploy", "--check", "--diff", variables=system.switches)


@pytest.fixture(scope="module")
def deployed(system: System, runner: Runner, planned: Run) -> Run:
    """The deployment after the plan."""
    return runner.play("deploy", variables=system.switches)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tests of releases share."""

from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.integration.cycle import Holdings, System
from tests.integration.release.site import Site
from tests.integration.runner import ROOT, Runner


@pytest.fixture(scope="module")
def runner(system: System, account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Deploys and destroys the stack of the inventory beside this file, as the account's root user."""
    inventory = ROOT / "tests/integration/release" / system.inventory.removeprefix("release_")
    return Runner(account, tmp_path_factory.mktemp("runs"), inventory)


@pytest.fixture(scope="module")
def releaser(
    runner: Runner, deployer: dict[str, str], empty: Holdings, tmp_path_factory: pytest.TempPathFactory
) -> Runner:
    """Releases to it as a user who may do what docs/iam says for that, and may not deploy."""
    return Runner(runner.emulator, tmp_path_factory.mktemp("releases"), runner.inventory, deployer)


@pytest.fixture(scope="module")
def site() -> t.Iterator[Site]:
    """A server that stands for the application."""
    made = Site()
    yield made
    made.close()

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""pytest fixtures: one emulator for each pytest process (so one for each xdist worker), empty at each test's start.

Make them known in a conftest.py: C{pytest_plugins = ["tests.emulator.fixtures"]} in the topmost one, or
C{from tests.emulator.fixtures import emulator, emulator_process}.
"""

from __future__ import annotations

import typing as t

import pytest

from tests.emulator.client import Emulator


@pytest.fixture(scope="session")
def emulator_process() -> t.Iterator[Emulator]:
    """The process's emulator, with whatever the tests before have left in it."""
    with Emulator() as running:
        yield running


@pytest.fixture
def emulator(emulator_process: Emulator) -> Emulator:
    """The process's emulator, emptied, with nothing recorded."""
    emulator_process.reset()
    emulator_process.clear_requests()
    return emulator_process

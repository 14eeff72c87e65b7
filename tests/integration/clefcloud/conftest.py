# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A report on clefcloud as it was deployed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator import Emulator
from tests.integration.cycle import System
from tests.integration.runner import ROOT, Run, Runner


@pytest.fixture(scope="module")
def reader(system: System, account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Runs the report as one who may read everything: it reads more than a deployment."""
    return Runner(account, tmp_path_factory.mktemp("runs"), ROOT / "inventories" / system.inventory)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reports are written."""
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def reported(deployed: Run, reader: Runner, directory: Path) -> Run:
    """The report."""
    return reader.play("report", variables={"report_path": str(directory)})

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory of the first system, as it stands and as a copy to be changed."""

from __future__ import annotations

import pytest

from tests.emulator import Emulator
from tests.integration.runner import ROOT, Inventory, Runner

INVENTORY = "classic_ec2"


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    """A copy of the inventory that the module's tests may change."""
    copy = Inventory(INVENTORY, tmp_path_factory.mktemp("inventories"))
    # Relative paths in an inventory are relative to it.
    copy.change("classic_prod", s3_site_source=str(ROOT / "examples" / INVENTORY / "site"))
    return copy


@pytest.fixture(scope="module")
def runner(account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Runs the playbooks for the inventory as it stands in the repository."""
    return Runner(account, tmp_path_factory.mktemp("runs"), ROOT / "inventories" / INVENTORY)


@pytest.fixture(scope="module")
def changed_runner(account: Emulator, tmp_path_factory: pytest.TempPathFactory, inventory: Inventory) -> Runner:
    """Runs the playbooks for the copy of the inventory."""
    return Runner(account, tmp_path_factory.mktemp("runs"), inventory.path)

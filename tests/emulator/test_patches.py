# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from tests.emulator import patches

PATCHES = {patch.name: patch for patch in patches.all_patches()}
TESTS = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
#: What these patches add, moto lacks altogether.
ADDED = re.compile(
    r"describe_db_engine_versions|delete_launch_template_versions|disable_metrics_collection|describe_instance_information"
    r"|list_command_invocations|list_service_specific_credentials|Snapshot\.state|DBInstance\.status_infos"
    r"|add_client_id_to_open_id_connect_provider"
    r"|Vault\.number_of_recovery_points|BackupResponse\.(create|list|get|delete)_backup_selections?"
)


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_says_what_it_restores_and_has_a_test(name: str) -> None:
    patch = PATCHES[name]
    assert patch.restores.endswith(".")
    assert patch.source
    assert patch.apply.__doc__
    assert any(f'"{name}"' in call for call in re.findall(r"@mends\(([^)]*)\)", TESTS)), f"no test mends {name}"


@pytest.mark.parametrize("name", PATCHES)
def test_what_a_patch_touches_exists_in_moto(name: str) -> None:
    for touched in PATCHES[name].touches:
        module, _, path = touched.partition(":")
        found = importlib.import_module(module)
        if ADDED.search(path):
            continue
        for part in path.split("."):
            found = getattr(found, part)


def test_unknown_names() -> None:
    assert patches.unknown(["rds.storage", "rds.nothing"]) == ["rds.nothing"]


def test_around_and_before() -> None:
    class Thing:
        def double(self, number: int) -> int:
            return 2 * number

    @patches.around(Thing, "double")
    def plus_one(original: object, self: object, number: int) -> int:
        return original(self, number) + 1  # type: ignore[operator]

    @patches.before(Thing, "double")
    def refuse(self: object, number: int) -> None:
        if number < 0:
            raise ValueError(number)

    assert Thing().double(3) == 7
    with pytest.raises(ValueError, match="-1"):
        Thing().double(-1)

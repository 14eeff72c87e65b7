# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stock AWS modules see the same account through either connection, and nobody's credentials but their task's."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest

from tests.emulator import Emulator
from tests.integration.warm import runs
from tests.integration.warm.test_results import both

ROLE = "arn:aws:iam::210987654321:role/other"


@pytest.fixture(scope="module")
def account() -> t.Iterator[dict[str, str]]:
    """Variables that lead to a local AWS, and credentials of another account of it."""
    with Emulator() as emulator:
        found = emulator.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="other")["Credentials"]
        other = {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "session_token": found["SessionToken"],
        }
        yield {
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "other": json.dumps({"other": other}),
        }


@pytest.mark.slow
def test_stock_modules_give_the_same_results(account: dict[str, str], tmp_path: Path) -> None:
    other = ("-e", account.pop("other"))
    created = runs.run(runs.HERE / "aws.yml", "palier.aws.warm", tmp_path / "created", *other, **account)
    assert created.code == 0, created.output
    _one, warm, found = both("aws.yml", tmp_path, *other, **account)
    assert found == []
    assert warm.result("vpc")["changed"] is False
    accounts = [
        warm.result(task)["account"]
        for task in ("identity", "other account", "other account by arguments", "own account again")
    ]
    assert accounts == ["123456789012", "210987654321", "210987654321", "123456789012"]
    assert "hunter2" not in warm.output


@pytest.mark.slow
def test_the_tiers_modules_give_the_same_results(account: dict[str, str], tmp_path: Path) -> None:
    given = {name: value for name, value in account.items() if name != "other"}
    created = runs.run(runs.HERE / "tiers.yml", "palier.aws.warm", tmp_path / "created", **given)
    assert created.code == 0, created.output
    _one, _warm, found = both("tiers.yml", tmp_path, **given)
    assert found == []


def test_no_stock_module_of_the_tiers_is_left_out() -> None:
    """A tier that begins to use another module has it compared as well."""
    stock = re.compile(r"^\s+((?:amazon|community)\.aws\.[a-z0-9_]+):", re.MULTILINE)
    used = {
        name
        for where in ("roles", "playbooks")
        for path in (runs.ROOT / where).rglob("*.yml")
        for name in stock.findall(path.read_text(encoding="utf-8"))
    }
    compared = {
        name
        for play in ("aws.yml", "tiers.yml")
        for name in stock.findall((runs.HERE / play).read_text(encoding="utf-8"))
    }
    assert used - compared == set()

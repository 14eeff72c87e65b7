# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module cloudfront_function as a whole, against the emulator."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.modules import cloudfront_function

from tests.emulator import Emulator
from tests.emulator.fixtures import emulator, emulator_process
from tests.unit.module_runner import recorded_calls, run_module, writes

__all__ = ["emulator", "emulator_process"]

OPTIONS: dict[str, t.Any] = {"name": "shop", "code": "one"}
CHANGE: dict[str, t.Any] = {"code": "two"}


@pytest.fixture
def cloud(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> t.Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    return emulator.client("cloudfront")


def run(check: bool = False, **changes: t.Any) -> dict[str, t.Any]:
    result = run_module(cloudfront_function, {**OPTIONS, **changes}, check)
    assert not result.get("failed"), result["msg"]
    return result


def actions(result: dict[str, t.Any]) -> list[str]:
    return [step["action"] for step in result["plan"]]


def test_created_once_and_changed_in_place(cloud: t.Any) -> None:
    first = run()
    assert actions(first) == ["create"]
    assert all(first["function"].values())
    assert actions(run()) == ["keep"]
    second = run(**CHANGE)
    assert actions(second) == ["modify"]
    assert second["function"] == first["function"]
    assert actions(run(**CHANGE)) == ["keep"]


def test_check_mode_writes_nothing_and_says_the_same(cloud: t.Any) -> None:
    for changes in ({}, CHANGE, {"state": "absent"}):
        with recorded_calls() as calls:
            planned = run(check=True, **changes)
        done = run(**changes)
        assert writes(calls) == []
        assert planned["changed"]
        assert [planned[key] for key in ("changed", "plan", "diff")] == [
            done[key] for key in ("changed", "plan", "diff")
        ]


def test_absent_twice(cloud: t.Any) -> None:
    run()
    assert actions(run(state="absent")) == ["delete"]
    assert actions(run(state="absent")) == ["skip"]


def test_a_change_that_was_never_published_is_published(cloud: t.Any) -> None:
    run()
    draft = cloud.describe_function(Name="shop")
    cloud.update_function(
        Name="shop",
        FunctionConfig=draft["FunctionSummary"]["FunctionConfig"],
        FunctionCode=b"two",
        IfMatch=draft["ETag"],
    )
    assert actions(run(code="two")) == ["modify"]
    assert cloud.get_function(Name="shop", Stage="LIVE")["FunctionCode"].read() == b"two"
    assert actions(run(code="two")) == ["keep"]

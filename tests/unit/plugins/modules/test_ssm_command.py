# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module ssm_command as a whole. moto knows no managed instances, so that look-up is answered here."""

from __future__ import annotations

import typing as t
from unittest import mock

import pytest
from ansible_collections.palier.aws.plugins.module_utils import ssm_command_api
from ansible_collections.palier.aws.plugins.modules import ssm_command
from moto import mock_aws
from moto.ssm import models

from tests.unit.module_runner import recorded_calls, run_module

IDS = ["i-0123456789abcdef0", "i-0123456789abcdef1"]


@pytest.fixture
def answer() -> t.Iterator[dict[str, t.Any]]:
    """What every instance answers; a test changes it."""
    answer = {"Status": "Success", "StatusDetails": "Success", "ResponseCode": 0, "StandardOutputContent": "one\ntwo\n"}
    original = models.Command.invocation_response

    def respond(self: t.Any, instance_id: str, plugin: str) -> dict[str, t.Any]:
        return {**original(self, instance_id, plugin), **answer}

    online = [{"InstanceId": one, "PingStatus": "Online"} for one in IDS]
    with (
        mock_aws(),
        mock.patch.object(models.Command, "invocation_response", respond),
        mock.patch.object(ssm_command_api, "describe_instances", return_value=online),
    ):
        yield answer


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    given = {"instance_ids": IDS, **options}
    if "command_id" not in given:
        given.setdefault("commands", ["set -e", "true"])
    return run_module(ssm_command, given, check)


@pytest.mark.usefixtures("answer")
def test_runs_and_returns_the_end_of_the_output() -> None:
    result = run(comment="Release", output_lines=1)
    assert (result["changed"], result["finished"]) == (True, True)
    assert [(one["instance_id"], one["status"], one["stdout"]) for one in result["results"]] == [
        (IDS[0], "Success", "two"),
        (IDS[1], "Success", "two"),
    ]
    assert result["plan"][0] == {
        "action": "run",
        "resource": f"script on instance {IDS[0]}",
        "reason": "Release",
    }


def test_check_mode_calls_nothing_and_has_the_same_plan(answer: dict) -> None:
    with recorded_calls() as calls:
        planned = run(check=True)
    done = run()
    assert calls == []
    assert (planned["changed"], planned["command_id"], planned["results"]) == (True, None, [])
    assert (planned["plan"], planned["diff"]) == (done["plan"], done["diff"])


@pytest.mark.parametrize(("said", "changed"), [("DEPLOYED v2\n", True), ("up to date\n", False)])
def test_changed_by_the_marker(answer: dict, said: str, changed: bool) -> None:
    answer["StandardOutputContent"] = said
    assert run(changed_marker="DEPLOYED")["changed"] is changed


def test_a_failed_script_fails_with_its_output(answer: dict) -> None:
    answer.update(Status="Failed", StatusDetails="Failed", ResponseCode=2, StandardErrorContent="no such branch\n")
    result = run()
    assert result["failed"]
    assert f"The command failed on {IDS[0]}: Failed, exit code 2: no such branch" in result["msg"]
    assert result["results"][1]["response_code"] == 2
    assert result["command_id"]


def test_sent_now_looked_at_later(answer: dict) -> None:
    answer["Status"] = "InProgress"
    sent = run(wait=False)
    assert (sent["changed"], sent["finished"]) == (True, False)
    with recorded_calls() as calls:
        later = run(wait=False, command_id=sent["command_id"])
    assert (later["changed"], later["finished"]) == (False, False)
    assert calls == ["GetCommandInvocation"] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"commands": ["true"], "command_id": "c"}, "mutually exclusive"),
        ({"commands": []}, "commands and command_id are empty"),
        ({"instance_ids": []}, "instance_ids has 0 instances"),
    ],
)
@pytest.mark.usefixtures("answer")
def test_unusable_options(options: dict, message: str) -> None:
    result = run(**options)
    assert result["failed"]
    assert message in result["msg"]

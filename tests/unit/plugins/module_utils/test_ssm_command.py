# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run Command: requests, and what answers mean."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import ssm_command as pure

PARAMS = {
    "instance_ids": ["i-1"],
    "commands": ["set -e", "true"],
    "working_directory": None,
    "timeout_seconds": 600,
    "execution_timeout": 3600,
    "comment": None,
    "output_s3_bucket": None,
    "output_s3_prefix": None,
}


def result(instance_id: str = "i-1", status: str = "Success", **other: t.Any) -> pure.Result:
    return {**pure.read_invocation(instance_id, {"Status": status}), **other}


def test_the_shortest_request() -> None:
    assert pure.send_request(PARAMS) == {
        "DocumentName": "AWS-RunShellScript",
        "InstanceIds": ["i-1"],
        "Parameters": {"commands": ["set -e", "true"], "executionTimeout": ["3600"]},
        "TimeoutSeconds": 600,
    }


def test_the_longest_request() -> None:
    named = {"working_directory": "/opt", "comment": "why", "output_s3_bucket": "b", "output_s3_prefix": "p"}
    request = pure.send_request({**PARAMS, **named})
    assert request["Parameters"]["workingDirectory"] == ["/opt"]
    assert (request["Comment"], request["OutputS3BucketName"], request["OutputS3KeyPrefix"]) == ("why", "b", "p")


@pytest.mark.parametrize("count", [0, 51])
def test_too_few_and_too_many_instances(count: int) -> None:
    with pytest.raises(AnsibleAWSError, match=f"instance_ids has {count} instances"):
        pure.check_params({"instance_ids": ["i"] * count, "commands": ["true"], "command_id": None})


def test_only_online_is_online() -> None:
    found = [
        {"InstanceId": "i-1", "PingStatus": "Online"},
        {"InstanceId": "i-2", "PingStatus": "ConnectionLost"},
    ]
    assert pure.offline(["i-1", "i-2", "i-3"], found) == ["i-2", "i-3"]


def test_an_invocation_that_aws_does_not_know_yet_is_pending() -> None:
    assert pure.unfinished([pure.read_invocation("i-1", None)]) == ["i-1"]


@pytest.mark.parametrize(
    ("status", "open_"),
    [("Pending", True), ("Delayed", True), ("Success", False), ("TimedOut", False), ("Failed", False)],
)
def test_unfinished(status: str, open_: bool) -> None:
    assert bool(pure.unfinished([result(status=status)])) is open_


@pytest.mark.parametrize(
    ("text", "lines", "expected"), [("a\nb\nc\n", 2, "b\nc"), ("a", 5, "a"), ("", 5, ""), ("a\nb", 0, "")]
)
def test_tail(text: str, lines: int, expected: str) -> None:
    assert pure.tail(text, lines) == expected


@pytest.mark.parametrize(
    ("found", "marker", "sent", "verb"),
    [
        (result(), None, True, "run"),
        (result(), None, False, "keep"),
        (result(stdout="x DEPLOYED y"), "DEPLOYED", True, "run"),
        (result(stdout="x DEPLOYED y"), "DEPLOYED", False, "run"),
        (result(stdout="nothing to do"), "DEPLOYED", True, "keep"),
        (result(stderr="DEPLOYED"), "DEPLOYED", True, "keep"),
        (result(status="InProgress"), "DEPLOYED", True, "run"),
        (result(status="InProgress"), "DEPLOYED", False, "keep"),
        (result(stdout="x" * pure.OUTPUT_LIMIT), "DEPLOYED", True, "run"),
    ],
)
def test_what_counts_as_a_change(found: pure.Result, marker: str | None, sent: bool, verb: str) -> None:
    steps = pure.plan_run(["i-1"], ["true"], None)
    assert [step.verb for step in pure.after_run(steps, [found], marker, sent)] == [verb]


def test_a_change_on_one_instance_is_that_instances() -> None:
    steps = pure.plan_run(["i-1", "i-2"], ["true"], "why")
    after = pure.after_run(steps, [result("i-1"), result("i-2", stdout="DEPLOYED")], "DEPLOYED", True)
    assert [(step.verb, step.resource) for step in after] == [
        ("keep", "script on instance i-1"),
        ("run", "script on instance i-2"),
    ]


def test_no_failure() -> None:
    assert pure.failure_message([result(), result("i-2", "InProgress")], 5) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            result(status="Failed", status_details="Failed", response_code=3, stderr="a\nb\nboom\n", stdout="x"),
            "The command failed on i-1: Failed, exit code 3: b\nboom",
        ),
        (
            result(status="Failed", response_code=1, stdout="said"),
            "The command failed on i-1: Failed, exit code 1: said",
        ),
        (
            result(status="TimedOut", status_details="DeliveryTimedOut"),
            f"The command failed on i-1: {pure.DETAILS['DeliveryTimedOut']}, exit code -1: no output",
        ),
        (
            result(status="TimedOut", status_details="Execution Timed Out"),
            f"The command failed on i-1: {pure.DETAILS['ExecutionTimedOut']}, exit code -1: no output",
        ),
    ],
)
def test_failures_show_the_end_of_the_output(found: pure.Result, expected: str) -> None:
    assert pure.failure_message([found], 2) == expected


def test_every_failed_instance_is_named() -> None:
    message = pure.failure_message([result("i-1", "Failed"), result("i-2"), result("i-3", "Cancelled")], 5)
    assert message is not None
    assert [line.split(":")[0] for line in message.splitlines()] == [
        "The command failed on i-1",
        "The command failed on i-3",
    ]

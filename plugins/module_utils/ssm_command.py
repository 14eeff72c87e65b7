# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run Command: what is sent to instances, and what their answers mean."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Result = dict[str, t.Any]

#: Statuses of an invocation that is still on its way. Source: Systems Manager API Reference, CommandInvocation.
UNFINISHED = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
#: Characters of output that GetCommandInvocation returns at most. Same source.
OUTPUT_LIMIT = 24000
#: Instances that one SendCommand takes by their ids at most. Same source.
MAX_INSTANCES = 50
#: What two of AWS's status details mean for the user.
DETAILS = {
    "DeliveryTimedOut": "the instance did not take it in time (option timeout_seconds)",
    "ExecutionTimedOut": "it ran longer than allowed (option execution_timeout)",
}
#: Seconds beyond the time that AWS itself gives a command, for the status to arrive.
GRACE = 60


def check_params(params: dict[str, t.Any]) -> None:
    """Refuse what SendCommand would refuse, and a script without a line, which it would run.

    :raises AnsibleAWSError: when there are no or too many instances, or nothing to run or to look at.
    """
    if not params["commands"] and not params["command_id"]:
        raise AnsibleAWSError(
            message="commands and command_id are empty: give the script's lines, or a command to look at"
        )
    instance_ids = params["instance_ids"]
    if not 1 <= len(instance_ids) <= MAX_INSTANCES:
        raise AnsibleAWSError(
            message=f"instance_ids has {len(instance_ids)} instances: give 1 to {MAX_INSTANCES}, or loop over batches"
        )


def plan_run(instance_ids: list[str], commands: list[str] | None, comment: str | None) -> list[Step]:
    """One step for each instance.

    :param comment: what the script is for.
    """
    return [
        Step("run", f"script on instance {one}", comment or "was asked for", None, {"commands": commands})
        for one in instance_ids
    ]


def send_request(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The arguments of SendCommand.

    :param params: the module's parameters.
    """
    script = {
        "commands": params["commands"],
        "executionTimeout": [str(params["execution_timeout"])],
        "workingDirectory": [params["working_directory"]] if params["working_directory"] else None,
    }
    request = {
        "DocumentName": "AWS-RunShellScript",
        "InstanceIds": params["instance_ids"],
        "Parameters": {key: value for key, value in script.items() if value is not None},
        "TimeoutSeconds": params["timeout_seconds"],
        "Comment": params["comment"],
        "OutputS3BucketName": params["output_s3_bucket"],
        "OutputS3KeyPrefix": params["output_s3_prefix"],
    }
    return {key: value for key, value in request.items() if value is not None}


def offline(instance_ids: list[str], found: list[dict[str, t.Any]]) -> list[str]:
    """The instances that cannot take a command now.

    :param found: what DescribeInstanceInformation says.
    """
    online = {one["InstanceId"] for one in found if one.get("PingStatus") == "Online"}
    return [one for one in instance_ids if one not in online]


def offline_message(waiting: list[str], seconds: int) -> str:
    """The error for instances that did not come online."""
    return (
        f"Systems Manager does not reach {', '.join(waiting)} (waited {seconds} s, option online_timeout). "
        "An instance needs the agent, an instance profile with AmazonSSMManagedInstanceCore, and a way to the "
        "Systems Manager endpoints"
    )


def unfinished(results: list[Result]) -> list[str]:
    """The instances on which the command has not ended."""
    return [one["instance_id"] for one in results if one["status"] in UNFINISHED]


def read_invocation(instance_id: str, answer: dict[str, t.Any] | None) -> Result:
    """An invocation as this collection keeps it, with the whole output.

    :param answer: what GetCommandInvocation says; ``None`` while it does not know the invocation yet.
    """
    answer = answer or {"Status": "Pending"}
    return {
        "instance_id": instance_id,
        "status": answer["Status"],
        "status_details": answer.get("StatusDetails") or answer["Status"],
        "response_code": answer.get("ResponseCode", -1),
        "stdout": answer.get("StandardOutputContent", ""),
        "stderr": answer.get("StandardErrorContent", ""),
        "stdout_url": answer.get("StandardOutputUrl", ""),
    }


def with_tails(results: list[Result], lines: int) -> list[Result]:
    """The results with the last lines of the output only."""
    return [{**one, "stdout": tail(one["stdout"], lines), "stderr": tail(one["stderr"], lines)} for one in results]


def tail(text: str, lines: int) -> str:
    """The last lines of a text."""
    return "\n".join(text.splitlines()[-lines:]) if lines > 0 else ""


def made_change(result: Result, marker: str) -> bool:
    """Whether the script changed the instance.

    :param marker: what the script prints when it changed something.
    """
    # AWS cuts the output's end off, and with it perhaps the marker: rather one change too many than one too few.
    return marker in result["stdout"] or len(result["stdout"]) >= OUTPUT_LIMIT


def after_run(steps: list[Step], results: list[Result], marker: str | None, sent: bool) -> list[Step]:
    """The plan as it turned out, in which a script that changed nothing is no change.

    :param sent: whether this run sent the command; looking at one is a change only by its marker.
    """
    return [
        step if _counts(result, marker, sent) else Step("keep", step.resource, "the script changed nothing")
        for step, result in zip(steps, results, strict=True)
    ]


def _counts(result: Result, marker: str | None, sent: bool) -> bool:
    if result["status"] in UNFINISHED or marker is None:
        return sent
    return made_change(result, marker)


def failure_message(results: list[Result], lines: int) -> str | None:
    """What went wrong on which instance, or ``None`` when nothing did.

    :param lines: lines of output to show of each instance.
    """
    failed = [one for one in results if one["status"] != "Success" and one["status"] not in UNFINISHED]
    return "\n".join(_one_failure(one, lines) for one in failed) or None


def _one_failure(result: Result, lines: int) -> str:
    said = tail(result["stderr"].strip() or result["stdout"].strip(), lines) or "no output"
    details = DETAILS.get(result["status_details"].replace(" ", ""), result["status_details"])
    return f"The command failed on {result['instance_id']}: {details}, exit code {result['response_code']}: {said}"


def late_message(command_id: str, waiting: list[str], seconds: int) -> str:
    """The error for a command whose end AWS never reported."""
    return (
        f"The command {command_id} has not ended on {', '.join(waiting)} after {seconds} s. It may still run: look "
        "again with the option command_id"
    )

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Systems Manager calls about Run Command, one function each, and the waits on them."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils import ssm_command as pure
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

CommandErrors = error_handler("InvocationDoesNotExist")
# An instance that never registered may be refused instead of being left out of the answer.
InstanceErrors = error_handler("InvalidInstanceId")

#: Seconds between two looks at first; each later pause is a half longer, up to the second value.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0

Clock = tuple[t.Callable[[], float], t.Callable[[float], None]]


@InstanceErrors.list_error_handler("look up the managed instances", [])
@AWSRetry.jittered_backoff(catch_extra_error_codes=["ThrottlingException"])
def describe_instances(client: t.Any, instance_ids: list[str]) -> list[dict[str, t.Any]]:
    by_id = [{"Key": "InstanceIds", "Values": instance_ids}]
    pages = client.get_paginator("describe_instance_information").paginate(Filters=by_id)
    return [one for page in pages for one in page["InstanceInformationList"]]


# SendCommand knows an instance some moments later than DescribeInstanceInformation.
@CommandErrors.common_error_handler("send the command")
@AWSRetry.jittered_backoff(retries=6, delay=2, catch_extra_error_codes=["ThrottlingException", "InvalidInstanceId"])
def send_command(client: t.Any, request: dict[str, t.Any]) -> str:
    return client.send_command(**request)["Command"]["CommandId"]


@CommandErrors.list_error_handler("get the command's result")
@AWSRetry.jittered_backoff(catch_extra_error_codes=["ThrottlingException"])
def _get_invocation(client: t.Any, command_id: str, instance_id: str) -> t.Any:
    return client.get_command_invocation(CommandId=command_id, InstanceId=instance_id)


def look(client: t.Any, command_id: str, instance_ids: list[str]) -> list[pure.Result]:
    """How far the command is on these instances."""
    return [pure.read_invocation(one, _get_invocation(client, command_id, one)) for one in instance_ids]


def pauses(seconds: float, clock: Clock) -> t.Iterator[None]:
    """Yield at once, then after growing pauses, for the last time when the seconds are over."""
    now, sleep = clock
    deadline, pause = now() + seconds, FIRST_PAUSE
    yield
    while (left := deadline - now()) > 0:
        sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)
        yield


def wait_online(client: t.Any, instance_ids: list[str], seconds: int, clock: Clock | None = None) -> None:
    """Wait until Systems Manager reaches all instances.

    :param seconds: how long, 0 looks once.
    :param clock: tells the time and sleeps; for tests.
    :raises AnsibleAWSError: when some are not reached in time.
    """
    waiting = instance_ids
    for _ in pauses(seconds, clock or (time.monotonic, time.sleep)):
        waiting = pure.offline(waiting, describe_instances(client, waiting))
        if not waiting:
            return
    raise AnsibleAWSError(message=pure.offline_message(waiting, seconds))


def wait_finished(
    client: t.Any, command_id: str, instance_ids: list[str], seconds: int, clock: Clock | None = None
) -> list[pure.Result]:
    """Wait until the command has ended on all instances, well or not.

    :param seconds: how long.
    :param clock: tells the time and sleeps; for tests.
    :returns: a result for each instance, in their order.
    :raises AnsibleAWSError: when it has not ended in time.
    """
    results: dict[str, pure.Result] = {}
    waiting = instance_ids
    for _ in pauses(seconds, clock or (time.monotonic, time.sleep)):
        results.update({one["instance_id"]: one for one in look(client, command_id, waiting)})
        waiting = pure.unfinished([results[one] for one in instance_ids])
        if not waiting:
            return [results[one] for one in instance_ids]
    raise AnsibleAWSError(message=pure.late_message(command_id, waiting, seconds))

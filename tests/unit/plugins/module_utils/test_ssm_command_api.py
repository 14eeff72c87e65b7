# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The waits of Run Command, on a clock of their own."""

from __future__ import annotations

import typing as t
from unittest import mock

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import ssm_command_api as api
from botocore.exceptions import ClientError


class FakeClock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.naps: list[float] = []

    def pair(self) -> api.Clock:
        return (lambda: sum(self.naps)), self.naps.append


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def client(online: t.Any = None, **calls: t.Any) -> mock.Mock:
    ssm = mock.Mock(**{f"{name}.side_effect": answers for name, answers in calls.items()})
    answers = [[{"InstanceInformationList": page}] for page in online or []]
    ssm.get_paginator.return_value.paginate.side_effect = answers
    return ssm


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "SomeCall")


ONE = {"InstanceId": "i-1", "PingStatus": "Online"}
TWO = {"InstanceId": "i-2", "PingStatus": "Online"}


def test_online_at_once_sleeps_not(clock: FakeClock) -> None:
    api.wait_online(client([[ONE, TWO]]), ["i-1", "i-2"], 300, clock.pair())
    assert clock.naps == []


def test_only_those_that_are_missing_are_asked_for_again(clock: FakeClock) -> None:
    ssm = client([[ONE], [], [TWO]])
    api.wait_online(ssm, ["i-1", "i-2"], 300, clock.pair())
    asked = [call.kwargs["Filters"][0]["Values"] for call in ssm.get_paginator().paginate.call_args_list]
    assert asked == [["i-1", "i-2"], ["i-2"], ["i-2"]]
    assert clock.naps == [1.0, 1.5]


@pytest.mark.parametrize("seconds", [0, 7, 300])
def test_never_online_ends_with_the_time(clock: FakeClock, seconds: int) -> None:
    with pytest.raises(AnsibleAWSError, match=rf"does not reach i-1 \(waited {seconds} s, option online_timeout\)"):
        api.wait_online(client([[]] * 100), ["i-1"], seconds, clock.pair())
    assert sum(clock.naps) == seconds
    assert all(nap <= api.LONGEST_PAUSE for nap in clock.naps)


def test_an_instance_that_never_registered_is_offline(clock: FakeClock) -> None:
    ssm = client()
    ssm.get_paginator.return_value.paginate.side_effect = refusal("InvalidInstanceId")
    with pytest.raises(AnsibleAWSError, match="does not reach i-1"):
        api.wait_online(ssm, ["i-1"], 0, clock.pair())


def test_a_command_is_sent_again_while_the_instance_is_new() -> None:
    answers = [refusal("InvalidInstanceId"), {"Command": {"CommandId": "c-1"}}]
    with mock.patch("time.sleep"):
        assert api.send_command(client(send_command=answers), {}) == "c-1"


def test_waits_for_each_instance_and_keeps_their_order(clock: FakeClock) -> None:
    answers = {
        "i-1": iter([refusal("InvocationDoesNotExist"), {"Status": "InProgress"}, {"Status": "Failed"}]),
        "i-2": iter([{"Status": "Success"}]),
    }

    def get(CommandId: str, InstanceId: str) -> dict[str, t.Any]:  # noqa: N803
        answer = next(answers[InstanceId])
        if isinstance(answer, Exception):
            raise answer
        return answer

    ssm = mock.Mock(get_command_invocation=get)
    results = api.wait_finished(ssm, "c-1", ["i-1", "i-2"], 60, clock.pair())
    assert [(one["instance_id"], one["status"]) for one in results] == [("i-1", "Failed"), ("i-2", "Success")]
    assert len(clock.naps) == 2


def test_a_command_without_an_end_ends_with_the_time(clock: FakeClock) -> None:
    ssm = mock.Mock(get_command_invocation=lambda **_: {"Status": "InProgress"})
    with pytest.raises(AnsibleAWSError, match=r"c-1 has not ended on i-1 after 60 s.*option command_id"):
        api.wait_finished(ssm, "c-1", ["i-1"], 60, clock.pair())
    assert sum(clock.naps) == 60

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module against an in-process AWS."""

from __future__ import annotations

import datetime
import json

import boto3
import moto
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.modules import stack_lock
from botocore.exceptions import ClientError

REGION = "eu-west-3"
NAME = "/shop/prod/lock"


@pytest.fixture
def ssm(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with moto.mock_aws():
        yield boto3.client("ssm", region_name=REGION)


@pytest.fixture
def later(monkeypatch):
    """Moves the clock of AWS."""

    def move(seconds):
        when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
        monkeypatch.setattr(stack_lock, "clock_of", lambda _answer: when)

    return move


def task(check_mode=False, **arguments):
    arguments = {"region": REGION, "name": NAME, "run_id": "run-1", **arguments, "_ansible_check_mode": check_mode}
    with patch_module_args(arguments):
        module = stack_lock.AnsibleAWSModule(argument_spec=stack_lock.ARGUMENTS, supports_check_mode=True)
        result = stack_lock.run(module)
    return {**result, "warnings": module._warnings}


def stored(ssm):
    found = ssm.describe_parameters()["Parameters"]
    return [json.loads(ssm.get_parameter(Name=item["Name"])["Parameter"]["Value"])["run_id"] for item in found]


def test_life_of_a_lock(ssm):
    taken = task(holder="ana", tags={"Stack": "shop"})
    assert taken["acquired"]
    assert taken["lock"]["holder"] == "ana"
    assert taken["lock"]["started"] < taken["lock"]["expires"]
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"]
    assert tags == [{"Key": "Stack", "Value": "shop"}]
    assert task()["acquired"]
    assert stored(ssm) == ["run-1"]
    for _time in range(2):
        assert task(state="released")["lock"] == {}
        assert stored(ssm) == []


def test_never_a_change(ssm):
    results = [task(), task(), task(check_mode=True), task(state="released"), task(state="released")]
    assert [result["changed"] for result in results] == [False] * 5


def test_check_mode_only_reads(ssm):
    assert task(check_mode=True)["acquired"]
    assert stored(ssm) == []
    task()
    assert task(check_mode=True, state="released")["lock"]["run_id"] == "run-1"
    other = task(check_mode=True, run_id="run-2")
    assert not other["acquired"]
    assert other["lock"]["run_id"] == "run-1"
    assert "run-1" in other["warnings"][0]
    assert stored(ssm) == ["run-1"]


def test_another_run_is_refused_with_what_to_do(ssm):
    task(holder="ana")
    with pytest.raises(AnsibleAWSError, match=r"run run-1 by ana has been at work .* force: true"):
        task(run_id="run-2")
    left = task(run_id="run-2", state="released")
    assert left["lock"]["run_id"] == "run-1"
    assert "stays" in left["warnings"][0]
    assert stored(ssm) == ["run-1"]


def test_force_removes_it(ssm):
    task()
    assert task(run_id="by-hand", state="released", force=True)["taken_over"]["run_id"] == "run-1"
    assert stored(ssm) == []


def test_a_lock_that_ran_out_is_taken_over_after_the_grace(ssm, later):
    task(ttl=100)
    later(130)
    with pytest.raises(AnsibleAWSError, match="run-1"):
        task(run_id="run-2")
    later(170)
    taken = task(run_id="run-2", tags={"Stack": "shop"})
    assert taken["taken_over"]["run_id"] == "run-1"
    assert "had run out" in taken["warnings"][0]
    assert stored(ssm) == ["run-2"]
    with pytest.raises(AnsibleAWSError, match="no parameter's name"):
        task(name="/aws/x")


def test_waiting_for_the_other_run(ssm, monkeypatch):
    task()
    monkeypatch.setattr("time.sleep", lambda _seconds: ssm.delete_parameter(Name=NAME))
    assert task(run_id="run-2", wait_timeout=60)["acquired"]


def test_clock_is_that_of_aws():
    headers = {"date": "Sat, 21 Nov 2026 03:31:15 GMT"}
    told = stack_lock.clock_of({"ResponseMetadata": {"HTTPHeaders": headers}})
    assert told == datetime.datetime(2026, 11, 21, 3, 31, 15, tzinfo=datetime.UTC)
    assert stack_lock.clock_of({"ResponseMetadata": {}}).tzinfo is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "a b"}, "name 'a b'"),
        ({"name": "/ssm/x"}, "/ssm/x"),
        ({"ttl": 0}, "ttl 0"),
        ({"run_id": ""}, "run_id"),
    ],
)
def test_refusals(ssm, arguments, said):
    with pytest.raises(AnsibleAWSError, match=said):
        task(**arguments)


def test_throttling_is_waited_out(ssm, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    refusals = ["ThrottlingException", "TooManyUpdates"]
    original = stack_lock.AnsibleAWSModule.client

    def client(self, service, **kwargs):
        made = original(self, service, **kwargs)
        put = made.put_parameter

        def put_parameter(**parameters):
            if refusals:
                raise ClientError({"Error": {"Code": refusals.pop(), "Message": "later"}}, "PutParameter")
            return put(**parameters)

        made.put_parameter = put_parameter
        return made

    monkeypatch.setattr(stack_lock.AnsibleAWSModule, "client", client)
    assert task()["acquired"]
    assert refusals == []

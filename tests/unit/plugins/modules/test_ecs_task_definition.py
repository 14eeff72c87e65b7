# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import time
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import (
    ecs_failed_tasks_info,
    ecs_task_definition,
    ecs_task_definition_info,
)
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

LOG = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/app", "awslogs-stream-prefix": "app"}}


@pytest.fixture
def ecs() -> t.Iterator[t.Any]:
    with mock_aws():
        client = boto3.client("ecs", "eu-west-3")
        for number in (1, 2, 3):
            container = {"name": "app", "image": f"app:v{number}", "memory": 512, "logConfiguration": LOG}
            client.register_task_definition(family="app", containerDefinitions=[container])
        yield client


def active(ecs: t.Any) -> list[str]:
    arns = ecs.list_task_definitions(familyPrefix="app", status="ACTIVE")["taskDefinitionArns"]
    return [arn.rpartition("/")[2] for arn in arns]


def test_newer_revisions_go(ecs: t.Any) -> None:
    back = {"family": "app", "state": "rolled_back", "revision": 1}
    with recorded_calls() as calls:
        planned = run_module(ecs_task_definition, back, check=True)
    assert (planned["changed"], writes(calls), len(active(ecs))) == (True, [], 3)
    assert run_module(ecs_task_definition, back)["changed"]
    assert active(ecs) == ["app:1"]
    again = run_module(ecs_task_definition, back)
    assert (again["changed"], again["task_definition"]["revision"]) == (False, 1)


def test_a_revision_that_is_gone_is_not_gone_back_to(ecs: t.Any) -> None:
    result = run_module(ecs_task_definition, {"family": "app", "state": "rolled_back", "revision": 9})
    assert "revision 9 of app is not active" in result["msg"]


def test_the_images_of_a_revision(ecs: t.Any) -> None:
    found = run_module(ecs_task_definition_info, {"task_definition": "app:2"})["task_definition"]
    assert (found["family"], found["revision"], found["images"]) == ("app", 2, {"app": "app:v2"})
    assert run_module(ecs_task_definition_info, {"task_definition": "none"})["task_definition"] == {}


def test_failed_tasks_with_the_end_of_their_logs(ecs: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = ecs.describe_task_definition(taskDefinition="app:3")["taskDefinition"]["taskDefinitionArn"]
    ended = {"taskDefinitionArn": arn, "group": "service:app", "stopCode": "EssentialContainerExited"}
    tasks = [
        {**ended, "taskArn": "t/old", "stoppedAt": "1", "containers": [{"name": "app", "exitCode": 1}]},
        {**ended, "taskArn": "t/new", "stoppedAt": "2", "containers": [{"name": "app", "exitCode": 3}]},
        {**ended, "taskArn": "t/asked", "stopCode": "UserInitiated", "containers": [{"name": "app", "exitCode": 0}]},
        {**ended, "taskArn": "t/other", "taskDefinitionArn": "other:1", "containers": [{"name": "app", "exitCode": 1}]},
    ]
    monkeypatch.setattr(ecs_failed_tasks_info.api, "list_tasks", lambda *_a, **_k: [one["taskArn"] for one in tasks])
    monkeypatch.setattr(ecs_failed_tasks_info.api, "describe_tasks", lambda *_a: tasks)
    logs = boto3.client("logs", "eu-west-3")
    logs.create_log_group(logGroupName="/ecs/app")
    logs.create_log_stream(logGroupName="/ecs/app", logStreamName="app/app/new")
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": f"line {number}"} for number in range(30)]
    logs.put_log_events(logGroupName="/ecs/app", logStreamName="app/app/new", logEvents=events)
    found = run_module(ecs_failed_tasks_info, {"cluster": "c", "task_definition": arn, "lines": 2})
    assert [(one["id"], one["exit_code"]) for one in found["tasks"]] == [("new", 3), ("old", 1)]
    assert found["tasks"][0]["lines"] == ["line 28", "line 29"]
    assert found["tasks"][1]["lines"] == []
    assert found["lines"][0].startswith("app of task new ended with exit code 3")
    assert "  (it wrote nothing)" in found["lines"]

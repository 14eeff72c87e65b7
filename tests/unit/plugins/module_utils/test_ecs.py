# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a service is told, and when two task definitions are the same."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import ecs as subject


@pytest.mark.parametrize(
    ("current", "wanted", "low", "high", "told"),
    [
        (None, 2, None, None, 2),
        (5, 2, None, None, 2),
        (None, 2, 2, 6, 2),
        (5, 2, 2, 6, 5),
        (1, 2, 2, 6, 2),
        (9, 2, 2, 6, 6),
        (5, 0, 2, 6, 0),
        (0, 2, 2, 6, 2),
    ],
)
def test_the_count(current: int | None, wanted: int, low: int | None, high: int | None, told: int) -> None:
    assert subject.desired_count(current, wanted, low, high) == told


def test_what_aws_fills_in_does_not_count() -> None:
    asked = {
        "cpu": "256",
        "containerDefinitions": [
            {"name": "a", "portMappings": [{"containerPort": 80}], "environment": [{"name": "B"}, {"name": "A"}]}
        ],
        "volumes": [{"name": "tmp"}],
        "runtimePlatform": {"cpuArchitecture": "X86_64"},
    }
    given = {
        "cpu": "256",
        "containerDefinitions": [
            {
                "name": "a",
                "cpu": 0,
                "essential": True,
                "mountPoints": [],
                "volumesFrom": [],
                "systemControls": [],
                "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
                "environment": [{"name": "A"}, {"name": "B"}],
            }
        ],
        "volumes": [{"name": "tmp", "host": {}}],
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "revision": 3,
    }
    assert subject.comparable(asked) == subject.comparable(given)
    assert subject.comparable({**asked, "cpu": "512"}) != subject.comparable(given)


@pytest.mark.parametrize(
    ("changes", "stable"),
    [
        ({}, True),
        ({"runningCount": 1}, False),
        ({"status": "DRAINING"}, False),
        ({"deployments": [{"rolloutState": "IN_PROGRESS"}]}, False),
        ({"deployments": [{"rolloutState": "COMPLETED"}, {"rolloutState": "COMPLETED"}]}, False),
    ],
)
def test_stable(changes: dict[str, t.Any], stable: bool) -> None:
    service = {"status": "ACTIVE", "desiredCount": 2, "runningCount": 2, "deployments": [{"rolloutState": "COMPLETED"}]}
    assert subject.is_stable({**service, **changes}) == stable


# -- releases that failed ----------------------------------------------------------------------------------------------


def test_the_revisions_that_go_back() -> None:
    active = ["a:app:1", "a:app:10", "a:app:9"]
    (step,), gone = subject.plan_rollback("app", active, 9)
    assert (step.verb, gone) == ("deregister", ["a:app:10"])
    (step,), gone = subject.plan_rollback("app", active, 10)
    assert (step.verb, gone) == ("keep", [])
    with pytest.raises(ValueError, match="revision 2 of app is not active"):
        subject.plan_rollback("app", active, 2)


@pytest.mark.parametrize(
    ("task", "failed"),
    [
        ({"stopCode": "EssentialContainerExited", "containers": [{"exitCode": 1}]}, True),
        ({"stopCode": "EssentialContainerExited", "containers": [{"exitCode": 0}]}, False),
        ({"stopCode": "EssentialContainerExited", "group": "service:app", "containers": [{"exitCode": 0}]}, True),
        ({"stopCode": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: x", "containers": [{}]}, True),
        ({"stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Task failed ELB health checks in x"}, True),
        ({"stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Scaling activity initiated by x"}, False),
        ({"stopCode": "UserInitiated", "containers": [{"exitCode": 143}]}, False),
    ],
)
def test_which_tasks_failed(task: dict[str, t.Any], failed: bool) -> None:
    assert bool(subject.failures(task)) is failed


def test_a_failure_in_words() -> None:
    reason = "CannotPullContainerError: not found"
    task = {"taskArn": "t/1", "stopCode": "TaskFailedToStart", "stoppedReason": reason}
    (failure,) = subject.failures({**task, "containers": [{"name": "app", "reason": reason}]})
    assert subject.failure_lines({**failure, "lines": []}) == [
        f"app of task 1 failed: {reason}",
        "  (it wrote nothing)",
    ]


def test_only_awslogs_can_be_read() -> None:
    options = {"awslogs-group": "g", "awslogs-stream-prefix": "p"}
    containers = [
        {"name": "a", "logConfiguration": {"logDriver": "awslogs", "options": options}},
        {"name": "b", "logConfiguration": {"logDriver": "awsfirelens"}},
        {"name": "c"},
    ]
    assert subject.log_streams({"containerDefinitions": containers}) == {"a": ("g", "p")}

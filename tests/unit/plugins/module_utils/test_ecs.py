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

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Alarms and dashboard of a stack, from what it is made of."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import monitoring as subject
from hypothesis import given
from hypothesis import strategies as st

THRESHOLDS = {"cpu": 80, "memory": 85, "disk_free_gib": 2, "connections": 80, "periods": 2}
BALANCER = "app/shop-prod-alb/0123456789abcdef"
STACK: dict[str, t.Any] = {
    "prefix": "shop-prod",
    "load_balancer": BALANCER,
    "target_groups": [{"name": "shop-prod-api", "full_name": "targetgroup/shop-prod-api/1"}],
    "database": {"identifier": "shop-prod-db", "max_connections": 191},
    "cluster": "shop-prod-cluster",
    "services": ["shop-prod-api"],
    "instances": {"web": "i-0a1b2c3d4e5f60718"},
    "groups": ["shop-prod-fleet"],
}


@pytest.mark.parametrize(
    ("instance_class", "memory"),
    [
        ("db.t3.micro", 1),
        ("db.t4g.small", 2),
        ("db.t3.2xlarge", 32),
        ("db.m6g.large", 8),
        ("db.m7g.medium", 4),
        ("db.m5.xlarge", 16),
        ("db.m5.24xlarge", 384),
        ("db.r6i.2xlarge", 64),
        ("db.x2g.large", 32),
        ("db.serverless", None),
        ("db.m5.micro", None),
        ("db.y9.large", None),
        ("t3.micro", None),
    ],
)
def test_class_memory(instance_class: str, memory: float | None) -> None:
    assert subject.class_memory(instance_class) == memory


@pytest.mark.parametrize(
    ("instance_class", "engine", "about"),
    [
        ("db.t3.micro", "postgres", 81),
        ("db.t3.small", "postgres", 190),
        ("db.t3.large", "postgres", 840),
        ("db.t3.micro", "mysql", 62),
    ],
)
def test_connections_are_near_what_databases_report(instance_class: str, engine: str, about: int) -> None:
    found = subject.max_connections(instance_class, engine)
    assert found is not None
    assert abs(found - about) <= about * 0.03


def test_connections_have_a_limit_by_engine() -> None:
    assert subject.max_connections("db.r5.24xlarge", "postgres") == 5000
    assert subject.max_connections("db.r5.24xlarge", "mysql") == 16000
    assert subject.max_connections("db.t3.micro", "oracle-ee") is None


def alarms(stack: dict[str, t.Any], **thresholds: t.Any) -> dict[str, dict[str, t.Any]]:
    return {one["name"]: one for one in subject.stack_alarms(stack, {**THRESHOLDS, **thresholds})}


def test_the_alarms_of_everything() -> None:
    found = alarms(STACK)
    assert sorted(found) == [
        "shop-prod-api-cpu",
        "shop-prod-api-memory",
        "shop-prod-api-unhealthy-targets",
        "shop-prod-database-connections",
        "shop-prod-database-cpu",
        "shop-prod-database-storage",
        "shop-prod-fleet-cpu",
        "shop-prod-fleet-memory",
        "shop-prod-web-cpu",
    ]
    storage = found["shop-prod-database-storage"]
    assert (storage["comparison"], storage["threshold"]) == ("LessThanThreshold", 2 * 1024**3)
    assert found["shop-prod-database-connections"]["threshold"] == 152
    memory = found["shop-prod-fleet-memory"]
    assert (memory["namespace"], memory["metric"], memory["threshold"]) == ("CWAgent", "mem_used_percent", 85)
    targets = found["shop-prod-api-unhealthy-targets"]
    assert targets["dimensions"] == {"LoadBalancer": BALANCER, "TargetGroup": "targetgroup/shop-prod-api/1"}
    assert (targets["statistic"], targets["threshold"]) == ("Maximum", 0)


@pytest.mark.parametrize("part", ["load_balancer", "target_groups", "database", "services", "instances", "groups"])
def test_what_a_stack_does_not_have_is_not_watched(part: str) -> None:
    left = {key: value for key, value in STACK.items() if key != part}
    assert set(alarms(left)) <= set(alarms(STACK))
    body = json.dumps(subject.stack_dashboard(left, "eu-west-3", []))
    assert "null" not in body


def test_an_empty_stack() -> None:
    assert alarms({"prefix": "shop-prod"}) == {}
    assert subject.stack_dashboard({"prefix": "shop-prod"}, "eu-west-3", []) == {"widgets": []}


def test_a_database_of_unknown_size_has_no_alarm_of_connections() -> None:
    assert "shop-prod-database-connections" not in alarms({**STACK, "database": {"identifier": "db"}})


def test_an_alarm_of_one_s_own_takes_the_place_of_ours() -> None:
    own = {"name": "fleet-cpu", "namespace": "A", "metric": "b", "threshold": 50.0, "periods": 5, "description": None}
    found = {one["name"]: one for one in subject.stack_alarms(STACK, THRESHOLDS, [own])}
    assert (found["shop-prod-fleet-cpu"]["threshold"], found["shop-prod-fleet-cpu"]["periods"]) == (50, 5)
    assert found["shop-prod-fleet-cpu"]["description"] == ""
    assert len(found) == len(alarms(STACK))


PARTS = st.fixed_dictionaries(
    {"prefix": st.just("shop-prod")},
    optional={key: st.just(value) for key, value in STACK.items() if key != "prefix"},
)


@given(PARTS, st.lists(st.sampled_from(["arn:a", "arn:b"]), unique=True), st.lists(st.just("/logs"), max_size=1))
def test_widgets_fill_the_grid_without_overlapping(stack: t.Any, arns: list[str], groups: list[str]) -> None:
    widgets = subject.stack_dashboard(stack, "eu-west-3", arns, groups)["widgets"]
    cells = [
        (x, y)
        for one in widgets
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]
    assert len(cells) == len(set(cells))
    assert all(x < subject.GRID for x, _y in cells)


@given(PARTS)
def test_names_of_alarms_are_unique_and_carry_the_prefix(stack: t.Any) -> None:
    names = [one["name"] for one in subject.stack_alarms(stack, THRESHOLDS)]
    assert len(names) == len(set(names))
    assert all(name.startswith("shop-prod-") for name in names)


def test_stand_ins_for_what_a_plan_has_not_created() -> None:
    arn = "arn:aws:elasticloadbalancing:eu-west-3:123456789012:targetgroup/a/0123456789abcdef"
    there = [{"target_group_name": "a", "target_group_arn": arn}]
    assert subject.target_groups_of(there, ["a", "b"]) == [
        {"name": "a", "full_name": "targetgroup/a/0123456789abcdef"},
        {"name": "b", "full_name": "targetgroup/b/0000000000000000"},
    ]
    machines = [{"name": "web"}, {"name": "new"}]
    assert subject.instances_of(machines, {"web": {"id": "i-1"}}) == {"web": "i-1", "new": "i-00000000000000000"}

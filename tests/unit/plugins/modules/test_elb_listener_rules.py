# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Listeners, target groups and rules, from nothing to nothing, in check mode and for real."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import (
    elb_listener,
    elb_listener_rules,
    elb_load_balancer_info,
    elb_target_group,
)
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

RULES = [{"priority": 10, "paths": ["/api/*"]}, {"priority": 20, "hosts": ["a.example.com"]}]
ROUTES = {"load_balancer": "shop", "port": 80, "target_group": "web", "rules": RULES, "tags": {"Stack": "shop"}}


@pytest.fixture
def vpc(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        ec2 = boto3.client("ec2", region_name="eu-west-3")
        made = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=made, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-west-3{zone}")["Subnet"]
            for n, zone in enumerate("ab")
        ]
        boto3.client("elbv2", region_name="eu-west-3").create_load_balancer(
            Name="shop", Subnets=[subnet["SubnetId"] for subnet in subnets]
        )
        yield made


def planned_then_done(module: t.Any, options: dict[str, t.Any]) -> dict[str, t.Any]:
    with recorded_calls() as calls:
        planned = run_module(module, options, check=True)
    assert writes(calls) == []
    done = run_module(module, options)
    assert "failed" not in done, done.get("msg")
    assert (planned["changed"], planned["plan"]) == (done["changed"], done["plan"])
    with recorded_calls() as calls:
        assert not run_module(module, options)["changed"]
    assert writes(calls) == []
    return done


def group(vpc: str, **changes: t.Any) -> dict[str, t.Any]:
    return {"name": "web", "vpc_id": vpc, "port": 80, "tags": {"Stack": "shop"}, **changes}


def test_nothing_is_there_yet(vpc):
    for module, options in (
        (elb_listener, {"load_balancer": "none", "port": 80}),
        (elb_target_group, {"name": "web", "vpc_id": "vpc-00000000000000000", "port": 80}),
        (elb_listener_rules, {**ROUTES, "load_balancer": "none"}),
    ):
        assert run_module(module, options, check=True)["changed"]
    assert "no load balancer 'none'" in run_module(elb_listener, {"load_balancer": "none", "port": 80})["msg"]
    assert "no listener at 80" in run_module(elb_listener_rules, ROUTES)["msg"]
    assert run_module(elb_load_balancer_info, {"name": "none"})["load_balancer"] == {}


def test_from_nothing_to_nothing(vpc):
    assert planned_then_done(elb_listener, {"load_balancer": "shop", "port": 80})["listener_arn"]
    assert planned_then_done(elb_target_group, group(vpc))["target_group"]["full_name"].startswith("targetgroup/web/")
    assert [step["action"] for step in planned_then_done(elb_listener_rules, ROUTES)["plan"]] == ["create", "create"]
    moved = [{**RULES[0], "priority": 30}, {"priority": 20, "paths": ["/new"]}]
    steps = planned_then_done(elb_listener_rules, {**ROUTES, "rules": moved})["plan"]
    assert [step["action"] for step in steps] == ["delete", "modify", "create"]
    found = run_module(elb_load_balancer_info, {"name": "shop", "target_groups": ["web", "none"]})
    priorities = [rule["priority"] for rule in found["listeners"][0]["rules"]]
    assert sorted(priorities) == ["20", "30", "default"]
    assert found["target_health"] == {"web": [], "none": []}
    assert planned_then_done(elb_listener_rules, {**ROUTES, "rules": []})["changed"]
    assert planned_then_done(elb_target_group, {"name": "web", "state": "absent"})["changed"]
    assert planned_then_done(elb_listener, {"load_balancer": "shop", "port": 80, "state": "absent"})["changed"]


def test_rules_of_others_are_left_alone(vpc):
    run_module(elb_listener, {"load_balancer": "shop", "port": 80})
    run_module(elb_target_group, group(vpc))
    run_module(elb_target_group, group(vpc, name="other"))
    run_module(elb_listener_rules, {**ROUTES, "target_group": "other", "rules": [{"priority": 5, "paths": ["/o"]}]})
    planned_then_done(elb_listener_rules, ROUTES)
    planned_then_done(elb_listener_rules, {**ROUTES, "rules": []})
    (listener,) = run_module(elb_load_balancer_info, {"name": "shop"})["listeners"]
    assert [rule["priority"] for rule in listener["rules"]] == ["5", "default"]


def test_a_listener_changes(vpc):
    options = {"load_balancer": "shop", "port": 80, "tags": {"Stack": "shop"}}
    planned_then_done(elb_listener, options)
    done = planned_then_done(elb_listener, {**options, "default_action": {"redirect_to_https": True}})
    assert [step["reason"] for step in done["plan"]] == ["default action differs"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"health_check": {"path": "/health"}}, "HealthCheckPath differs"),
        ({"health_check": {"matcher": "200-399"}}, "Matcher differs"),
        ({"stickiness_seconds": 60}, "stickiness.enabled and stickiness.lb cookie.duration seconds differ"),
        ({"deregistration_delay": 5}, "deregistration delay.timeout seconds differs"),
        ({"tags": {"Stack": "other"}}, "its tags differ"),
    ],
)
def test_a_target_group_changes(vpc, changes, reason):
    planned_then_done(elb_target_group, group(vpc))
    assert [step["reason"] for step in planned_then_done(elb_target_group, group(vpc, **changes))["plan"]] == [reason]


def test_a_target_groups_port_cannot_change(vpc):
    run_module(elb_target_group, group(vpc))
    assert "give the target group another name" in run_module(elb_target_group, group(vpc, port=81))["msg"]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Health checks are made, changed, replaced and deleted as planned."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.modules import route53_health_checks

from tests.unit.module_runner import recorded_calls, run_module, writes
from tests.unit.plugins.dns_cloud import cloud, route53

__all__ = ["cloud", "route53"]

API = {"name": "api", "fqdn": "api.shop.example", "path": "/health"}


def run(*checks: dict[str, t.Any], check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    given = {"owner": "shop-prod", "checks": list(checks), "tags": {"Stack": "shop"}, **options}
    return run_module(route53_health_checks, given, check)


def held(route53: t.Any) -> dict[str, dict[str, t.Any]]:
    return {one["Id"]: one["HealthCheckConfig"] for one in route53.list_health_checks()["HealthChecks"]}


def test_made_changed_replaced_and_pruned(route53: t.Any) -> None:
    with recorded_calls() as calls:
        planned = run(API, check=True)
    assert writes(calls) == []
    made = run(API)
    assert planned["plan"] == made["plan"]
    assert planned["health_checks"] == {"api": ""}
    identifier = made["health_checks"]["api"]
    assert held(route53)[identifier]["ResourcePath"] == "/health"
    assert not run(API)["changed"]
    assert run({**API, "failure_threshold": 5})["health_checks"]["api"] == identifier
    assert held(route53)[identifier]["FailureThreshold"] == 5
    replaced = run({**API, "interval": 10})["health_checks"]["api"]
    assert replaced != identifier
    assert set(held(route53)) == {identifier, replaced}
    assert run({**API, "interval": 10}, state="pruned", check=True)["changed"]
    assert run({**API, "interval": 10}, state="pruned")["health_checks"] == {"api": replaced}
    assert set(held(route53)) == {replaced}
    assert run(state="pruned")["changed"]
    assert not run(state="pruned")["changed"]
    assert held(route53) == {}


def test_others_health_checks_stay(route53: t.Any) -> None:
    run(API, owner="other")
    run(API)
    run(state="pruned")
    assert len(held(route53)) == 1


def test_tags(route53: t.Any) -> None:
    identifier = run(API)["health_checks"]["api"]
    answer = route53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=identifier)
    assert {tag["Key"]: tag["Value"] for tag in answer["ResourceTagSet"]["Tags"]} == {"Stack": "shop", "Name": "api"}
    route53.change_tags_for_resource(ResourceType="healthcheck", ResourceId=identifier, RemoveTagKeys=["Stack"])
    assert [step["action"] for step in run(API)["plan"]] == ["keep", "tag"]
    assert not run(API)["changed"]

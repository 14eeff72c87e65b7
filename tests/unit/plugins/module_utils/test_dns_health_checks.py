# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Health checks are known by their references, and replaced where Route 53 cannot change them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import dns_health_checks as subject

WANTED = subject.config({"type": "HTTPS", "fqdn": "shop.example", "interval": 30})


def check(number: int, owner: str = "a", name: str = "api", **settings: t.Any) -> dict[str, t.Any]:
    return {
        "Id": f"h{number}",
        "CallerReference": subject.reference(owner, name, f"{number}"),
        "HealthCheckConfig": {**WANTED, **settings},
    }


def present(*checks: dict[str, t.Any], tags: dict[str, str] | None = None) -> subject.Plan:
    now = {"h1": {"Name": "api", **(tags or {})}}
    return subject.plan_present(checks, now, {"api": WANTED}, "a", {})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"type": "HTTP"}, {"Type": "HTTP", "Port": 80, "ResourcePath": "/", "EnableSNI": False}),
        ({"type": "HTTPS", "search_string": "ok"}, {"Type": "HTTPS_STR_MATCH", "Port": 443, "EnableSNI": True}),
        ({"type": "TCP", "port": 22, "ip_address": "203.0.113.7"}, {"Port": 22, "IPAddress": "203.0.113.7"}),
    ],
)
def test_settings(options: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    settings = subject.config(options)
    assert expected.items() <= settings.items()
    assert ("ResourcePath" in settings) is (options["type"] != "TCP")


def test_made_changed_kept() -> None:
    assert list(present().create) == ["api"]
    assert present(check(2, "b"), check(3, name="www")).steps[0].reason == "it does not exist"
    assert [step.verb for step in present(check(1)).steps] == ["keep"]
    changed = present(check(1, FailureThreshold=5))
    assert changed.update == [{"HealthCheckId": "h1", "HealthCheckVersion": 1, "FailureThreshold": 3}]
    assert changed.ids == {"api": "h1"}
    assert present(check(1), tags={"x": "y"}).tags == {"h1": {"Name": "api"}}


def test_what_cannot_be_changed_is_replaced_and_then_pruned() -> None:
    old, new = check(1, RequestInterval=10), check(2)
    plan = present(old)
    assert (list(plan.create), plan.steps[0].reason) == (["api"], "what differs cannot be changed")
    pruned = subject.plan_pruned([old, new, check(3, "b")], {"api": WANTED}, "a")
    assert (pruned.delete, pruned.ids) == (["h1"], {"api": "h2"})
    assert subject.plan_pruned([old, new, check(3, "b")], {}, "a").delete == ["h1", "h2"]


def test_references_fit() -> None:
    assert len(subject.reference("a" * 99, "b" * 99, "c" * 32)) <= 64
    assert subject.mark("a", "x") != subject.mark("b", "x")

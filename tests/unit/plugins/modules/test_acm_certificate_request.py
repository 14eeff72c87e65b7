# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A certificate is requested once, found again by its names, and never deleted while something uses it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.modules import acm_certificate_request
from moto.acm.models import acm_backends

from tests.emulator.patches import acm as mended
from tests.unit.module_runner import recorded_calls, run_module, writes
from tests.unit.plugins.dns_cloud import REGION, acm, cloud, route53

__all__ = ["acm", "cloud", "route53"]

DOMAINS = ["shop.example", "*.shop.example", "api.shop.example"]
TAGS = {"Stack": "shop", "Tier": "dns"}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acm_certificate_request, "PAUSE", 0.0)


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    given = {"domains": DOMAINS, "tags": TAGS, **options}
    return run_module(acm_certificate_request, given, check)


def held() -> dict[str, t.Any]:
    return acm_backends["123456789012"][REGION]._certificates


def test_requested_as_planned_and_once(acm: t.Any) -> None:
    with recorded_calls() as calls:
        planned = run(check=True)
    assert writes(calls) == []
    made = run()
    assert (planned["plan"], planned["diff"]) == (made["plan"], made["diff"])
    assert planned["certificate"]["arn"] == ""
    assert len(planned["certificate"]["validation_records"]) == len(made["certificate"]["validation_records"]) == 2
    assert made["certificate"]["status"] == "PENDING_VALIDATION"
    again = run(domains=list(reversed(DOMAINS)))
    assert (again["changed"], again["certificate"]["arn"]) == (False, made["certificate"]["arn"])
    assert len(held()) == 1


def test_regions_and_keys_are_apart(acm: t.Any) -> None:
    first = run(key_algorithm="EC_prime256v1")
    assert run(key_algorithm="EC_prime256v1")["changed"] is False
    assert run()["certificate"]["arn"] != first["certificate"]["arn"]
    assert ":us-east-1:" in run(region="us-east-1")["certificate"]["arn"]


def test_a_certificate_without_our_tags_is_not_ours(acm: t.Any) -> None:
    acm.request_certificate(DomainName="shop.example", SubjectAlternativeNames=DOMAINS)
    assert run(check=True)["changed"]
    run()
    assert len(held()) == 2
    assert run(tags={**TAGS, "Owner": "me"}, match_tags=TAGS)["plan"][0]["action"] == "tag"
    assert run(tags=TAGS)["plan"][0]["action"] == "tag"
    assert not run(tags=TAGS)["changed"]


@pytest.mark.parametrize("status", ["FAILED", "VALIDATION_TIMED_OUT"])
def test_one_that_failed_is_requested_again(acm: t.Any, status: str) -> None:
    first = run()["certificate"]["arn"]
    held()[first].status = status
    second = run()
    assert [step["action"] for step in second["plan"]] == ["create", "delete"]
    assert status in second["plan"][0]["reason"]
    assert list(held()) == [second["certificate"]["arn"]] != [first]
    assert not run()["changed"]


def test_records_that_never_come(acm: t.Any) -> None:
    assert "has not made the validation records" in run(records_timeout=0)["msg"]
    # The request was made: the next run goes on with it.
    assert not run()["changed"]


def test_absent(acm: t.Any) -> None:
    arn = run()["certificate"]["arn"]
    foreign = acm.request_certificate(DomainName="*.shop.example")["CertificateArn"]
    acm.describe_certificate(CertificateArn=foreign)
    gone: dict[str, t.Any] = {"state": "absent", "domains": [], "zone": "shop.example"}
    kept = run(keep=[arn], **gone)
    assert (kept["changed"], len(kept["kept_records"]), len(kept["foreign_record_names"])) == (False, 2, 1)
    assert run(check=True, **gone)["changed"]
    assert run(**gone)["changed"]
    assert list(held()) == [foreign]
    assert not run(**gone)["changed"]


def test_one_in_use_stays(acm: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = run()["certificate"]["arn"]
    monkeypatch.setattr(mended, "_users", lambda bundle: ["arn:aws:elasticloadbalancing:x:1:loadbalancer/app/lb/1"])
    refused = run(state="absent")
    assert (refused["failed"], refused["in_use"]) == (True, True)
    assert "loadbalancer/app/lb/1" in refused["msg"]
    skipped = run(state="absent", in_use="skip")
    assert not skipped["changed"]
    assert len(skipped["kept_records"]) == 2
    # A plan of the whole removal: by then its user is gone.
    assert run(state="absent", check=True)["changed"]
    assert list(held()) == [arn]


def test_what_is_needed_is_said(cloud: None) -> None:
    assert run(domains=[])["msg"].startswith("domains: is empty")
    assert run(tags={})["msg"].startswith("match_tags: is empty")

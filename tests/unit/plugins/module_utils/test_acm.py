# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which certificate is meant, and what happens to the others."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import acm as subject
from ansible_collections.palier.aws.plugins.module_utils.acm import Certificate

DOMAINS = ("*.shop.example", "shop.example")
NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


def certificate(arn: str = "one", **more: t.Any) -> Certificate:
    values: dict[str, t.Any] = {"domains": DOMAINS, "status": "ISSUED", "key_algorithm": "RSA_2048", **more}
    return Certificate(arn=arn, **values)


def described(**more: t.Any) -> dict[str, t.Any]:
    return {
        "CertificateArn": "one",
        "DomainName": "Shop.example",
        "SubjectAlternativeNames": ["Shop.example", "*.shop.example"],
        "Status": "PENDING_VALIDATION",
        "KeyAlgorithm": "RSA-2048",
        **more,
    }


def test_from_aws() -> None:
    record = {"Name": "_x.shop.example.", "Type": "CNAME", "Value": "_y.acm-validations.aws."}
    names = ["shop.example", "*.shop.example"]
    whole = [{"DomainName": name, "ResourceRecord": record} for name in names]
    found = subject.from_aws(described(DomainValidationOptions=whole), {})
    assert (found.domains, found.key_algorithm, found.complete) == (DOMAINS, "RSA_2048", True)
    assert found.records == {"_x.shop.example": "_y.acm-validations.aws."}
    assert not subject.from_aws(described(DomainValidationOptions=[whole[0], {"DomainName": "b"}]), {}).complete
    assert not subject.from_aws(described(), {}).complete


def plan(*found: Certificate, tags: t.Any = None, purge: bool = True) -> tuple[list[str], str, list[str]]:
    steps, there, dead = subject.plan_present(found, ["shop.example", "*.shop.example"], "RSA_2048", tags, purge)
    return [step.verb for step in steps], there.arn if there else "", [one.arn for one in dead]


@pytest.mark.parametrize(
    ("found", "verbs", "used", "dead"),
    [
        ([], ["create"], "", []),
        ([certificate()], ["keep"], "one", []),
        ([certificate(domains=("shop.example",))], ["create"], "", []),
        ([certificate(key_algorithm="EC_prime256v1")], ["create"], "", []),
        (
            [certificate("b", status="PENDING_VALIDATION", created="9"), certificate("a", created="1")],
            ["keep"],
            "a",
            [],
        ),
        ([certificate("a", created="1"), certificate("b", created="2")], ["keep"], "b", []),
        ([certificate(status="FAILED", failure="CAA_ERROR")], ["create", "delete"], "", ["one"]),
        ([certificate("a"), certificate("b", status="FAILED")], ["keep", "delete"], "a", ["b"]),
        ([certificate(status="EXPIRED", in_use_by=("lb",))], ["create"], "", []),
    ],
)
def test_plan(found: list[Certificate], verbs: list[str], used: str, dead: list[str]) -> None:
    assert plan(*found) == (verbs, used, dead)


def test_the_reason_names_the_failure() -> None:
    failed = certificate(status="FAILED", failure="CAA_ERROR")
    steps, _there, _dead = subject.plan_present([failed], DOMAINS, "RSA_2048", {}, True)
    assert steps[0].reason == "the last one is FAILED CAA_ERROR"


def test_tags() -> None:
    tagged = certificate(tags={"a": "1", "b": "2"})
    assert plan(tagged, tags={"a": "1"})[0] == ["tag"]
    assert plan(tagged, tags={"a": "1"}, purge=False)[0] == ["keep"]
    assert plan(tagged, tags=None)[0] == ["keep"]
    assert subject.carries({"a": "1", "b": "2"}, {"a": "1"})
    assert not subject.carries({"a": "1"}, {"a": "2"})
    assert not subject.carries({"a": "1"}, {})


def test_tokens() -> None:
    base = subject.idempotency_token(["a", "b"], "RSA_2048", {"x": "1"}, [])
    assert base == subject.idempotency_token(["B", "a"], "RSA_2048", {"x": "1"}, [])
    others = [
        subject.idempotency_token(["a"], "RSA_2048", {"x": "1"}, []),
        subject.idempotency_token(["a", "b"], "EC_prime256v1", {"x": "1"}, []),
        subject.idempotency_token(["a", "b"], "RSA_2048", {"x": "2"}, []),
        subject.idempotency_token(["a", "b"], "RSA_2048", {"x": "1"}, ["failed"]),
    ]
    assert len({base, *others}) == 5
    assert len(base) == 32


def test_removal() -> None:
    found = [certificate("a"), certificate("b", in_use_by=("lb",)), certificate("c")]
    removal = subject.plan_absent(found, ["c"], delete_used=False)
    assert [one.arn for one in removal.delete] == ["a"]
    assert ([one.arn for one in removal.kept], [one.arn for one in removal.used]) == (["b", "c"], ["b"])
    assert [one.arn for one in subject.plan_absent(found, [], delete_used=True).delete] == ["a", "b", "c"]


def test_the_rest() -> None:
    assert list(subject.standin_records(["shop.example", "*.shop.example", "api.shop.example"])) == [
        f"_{'0' * 32}.shop.example",
        f"_{'0' * 32}.api.shop.example",
    ]
    assert subject.days_left(certificate(), NOW) == -1
    assert subject.days_left(certificate(not_after=NOW + datetime.timedelta(days=31, hours=5)), NOW) == 31
    assert subject.days_left(certificate(not_after=NOW - datetime.timedelta(days=31)), NOW) == -1
    assert subject.may_share_records(["*.shop.example"], "shop.example")
    assert not subject.may_share_records(["workshop.example"], "shop.example")

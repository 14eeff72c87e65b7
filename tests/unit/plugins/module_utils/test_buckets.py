# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan for a bucket."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import buckets
from hypothesis import given
from hypothesis import strategies as st

CLOSED = dict.fromkeys(
    ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"], True
)
OPEN = {**CLOSED, "block_public_policy": False, "restrict_public_buckets": False}
PUBLIC = (
    '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]}'
)


def params(**named: t.Any) -> dict[str, t.Any]:
    base: dict[str, t.Any] = {
        "name": "b",
        "region": "eu-west-3",
        "object_ownership": "BucketOwnerEnforced",
        "public_access_block": CLOSED,
        "tls_only": True,
        "policy": None,
        "encryption": None,
        "purge_tags": True,
    }
    return {**base, **dict.fromkeys(buckets.OPTIONAL), **named}


def after(wanted: dict[str, t.Any]) -> dict[str, t.Any]:
    """What AWS has once the plan for a new bucket was carried out."""
    return buckets.plan_present(wanted, None)[0].after


def written(steps: list) -> list[str]:
    return [name for step in steps for name in step.after]


def test_only_the_decided_settings_are_read() -> None:
    assert buckets.managed_settings(params()) == list(buckets.ALWAYS)
    assert buckets.managed_settings(params(versioning=False, tags={}))[-2:] == ["versioning", "tags"]


def test_a_new_bucket_is_one_step_with_every_setting() -> None:
    (step,) = buckets.plan_present(params(versioning=True, tags={"Stack": "shop"}), None)
    assert (step.verb, step.resource, step.before) == ("create", "s3 bucket b", None)
    assert list(step.after) == ["object_ownership", "public_access_block", "policy", "encryption", "versioning", "tags"]


def test_a_new_bucket_needs_no_write_for_what_is_wanted_off() -> None:
    off = params(versioning=False, tags={}, website={}, logging={}, lifecycle_rules=[], cors_rules=[], tls_only=False)
    assert set(after(off)) == {"object_ownership", "public_access_block", "encryption"}


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "versioning": st.booleans(),
        "tags": st.dictionaries(st.sampled_from("abc"), st.text(max_size=3), max_size=3),
        "tls_only": st.booleans(),
        "policy": st.sampled_from([PUBLIC, "{}"]),
        "public_access_block": st.sampled_from([CLOSED, OPEN]),
        "website": st.sampled_from([{}, {"index_document": "index.html"}]),
        "cors_rules": st.sampled_from([[], [{"allowed_origins": ["*"], "allowed_methods": ["GET"]}]]),
        "lifecycle_rules": st.sampled_from([[], [{"id": "x", "expiration_days": 3}]]),
    },
)


@given(OPTIONS)
def test_what_was_just_done_needs_nothing(named: dict[str, t.Any]) -> None:
    wanted = params(**named)
    assert [step.verb for step in buckets.plan_present(wanted, after(wanted))] == ["keep"]


@given(OPTIONS, OPTIONS)
def test_a_plan_leads_to_the_wanted_state(first: dict[str, t.Any], second: dict[str, t.Any]) -> None:
    current = after(params(**first))
    wanted = params(**second)
    for step in buckets.plan_present(wanted, current):
        current = {**current, **(step.after or {})}
    assert [step.verb for step in buckets.plan_present(wanted, current)] == ["keep"]


@pytest.mark.parametrize(
    ("before", "wanted", "order"),
    [
        pytest.param(
            params(), params(public_access_block=OPEN, policy=PUBLIC), ["public_access_block", "policy"], id="opens"
        ),
        pytest.param(
            params(public_access_block=OPEN, policy=PUBLIC),
            params(policy="{}"),
            ["policy", "public_access_block"],
            id="closes",
        ),
    ],
)
def test_the_block_and_the_policy_are_written_in_the_order_that_s3_accepts(
    before: dict, wanted: dict, order: list[str]
) -> None:
    assert written(buckets.plan_present(wanted, after(before))) == order


def test_a_new_public_bucket_is_opened_before_its_policy() -> None:
    names = list(after(params(public_access_block=OPEN, policy=PUBLIC)))
    assert names.index("public_access_block") < names.index("policy")


@pytest.mark.parametrize(
    ("has", "wants", "purge", "expected"),
    [
        ({"a": "1"}, {"b": "2"}, True, {"b": "2"}),
        ({"a": "1"}, {"b": "2"}, False, {"a": "1", "b": "2"}),
        ({"aws:cloudformation:stack-name": "x", "a": "1"}, {}, True, {"aws:cloudformation:stack-name": "x"}),
        ({"a": "1"}, {}, True, None),
        ({"a": "1"}, {"a": 1}, True, {"a": "1"}),
    ],
)
def test_tags(has: dict, wants: dict, purge: bool, expected: dict | None) -> None:
    assert buckets.wanted_settings(params(tags=wants, purge_tags=purge), {"tags": has})["tags"] == expected


@pytest.mark.parametrize(
    ("name", "before", "value", "expected"),
    [
        ("versioning", False, True, "versioning: off, wanted on"),
        ("object_ownership", None, "ObjectWriter", "object_ownership: not set, wanted ObjectWriter"),
        ("website", {"IndexDocument": {}}, None, "website: some, wanted none"),
        ("tags", None, {"a": "1"}, "tags: none, wanted some"),
        ("tags", {"a": "2"}, {"a": "1"}, "tags: differs"),
    ],
)
def test_reasons(name: str, before: t.Any, value: t.Any, expected: str) -> None:
    assert buckets.reason(name, before, value) == expected


@pytest.mark.parametrize(
    ("exists", "example", "force", "verbs"),
    [
        (False, None, False, ["skip"]),
        (False, None, True, ["skip"]),
        (True, None, False, ["delete"]),
        (True, None, True, ["delete"]),
        (True, "index.html", True, ["delete", "delete"]),
    ],
)
def test_absent(exists: bool, example: str | None, force: bool, verbs: list[str]) -> None:
    assert [step.verb for step in buckets.plan_absent("b", exists, example, force)] == verbs


def test_content_is_not_deleted_by_accident() -> None:
    with pytest.raises(AnsibleAWSError, match=r"b is not empty \(it has index.html\) and force is false"):
        buckets.plan_absent("b", True, "index.html", False)


def test_a_bucket_in_another_region_is_refused() -> None:
    buckets.check_region("b", "eu-west-3", "eu-west-3")
    buckets.check_region("b", "eu-west-3", "")
    buckets.check_region("b", "eu-west-3", None)
    with pytest.raises(AnsibleAWSError, match="stands in us-east-1, but region is eu-west-3"):
        buckets.check_region("b", "eu-west-3", "us-east-1")


def test_facts_speak_the_options_words() -> None:
    facts = buckets.settings_facts({"encryption": {"BucketKeyEnabled": True}, "website": None, "versioning": None})
    assert facts == {
        "encryption": {"sse": None, "kms_key_id": None, "bucket_key": True},
        "website": {},
        "versioning": False,
    }

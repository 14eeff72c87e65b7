# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done with a customer managed policy."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import iam_policies
from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from hypothesis import given
from hypothesis import strategies as st

READ: dict[str, t.Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}],
}
SAME: dict[str, t.Any] = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": ["*"]},
}
WRITE: dict[str, t.Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}],
}


def versions(*ids: str, default: str) -> list[dict[str, t.Any]]:
    return [{"VersionId": one, "IsDefaultVersion": one == default} for one in ids]


def said(steps: list[Step]) -> list[tuple[str, str]]:
    return [(step.verb, step.resource) for step in steps]


def plan(policy: dict[str, t.Any], tags: dict[str, str] | None = None, **more: t.Any) -> list[Step]:
    params = {"policy": policy, "tags": tags, "purge_tags": more.pop("purge_tags", True)}
    current = more.pop("current", {"document": READ, "tags": {"Stack": "shop"}})
    return iam_policies.plan("web", params, current, more.pop("versions", ()))


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:iam::123456789012:policy/web", ("123456789012", "/", "web")),
        ("arn:aws-cn:iam::123456789012:policy/shop/prod/shop-web", ("123456789012", "/shop/prod/", "shop-web")),
        ("arn:aws-us-gov:iam::123456789012:policy/a/w+=,.@-_", ("123456789012", "/a/", "w+=,.@-_")),
    ],
)
def test_an_arn_says_account_path_and_name(arn: str, expected: tuple[str, str, str]) -> None:
    assert iam_policies.identity(arn) == expected


@pytest.mark.parametrize(
    "arn",
    [
        "web",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::123456789012:role/web",
        "arn:aws:iam::123456789012:policy/web/",
        "arn:aws:iam::123456789012:policy//",
        "arn:aws:iam::123456789012:policy/two words",
        "arn:aws:iam::123456789012:policy/" + "w" * 129,
    ],
)
def test_what_is_no_arn_of_a_customers_policy_is_refused(arn: str) -> None:
    with pytest.raises(iam_policies.PolicyError, match="write arn:aws:iam::<account, 12 digits>:policy/<path>/<name>"):
        iam_policies.identity(arn)


def test_a_new_one_is_made_with_its_tags() -> None:
    (step,) = plan(READ, {"Port": t.cast("str", 80)}, current=None)
    assert (step.verb, step.before, step.after) == ("create", None, {"document": READ, "tags": {"Port": "80"}})


def test_the_same_meaning_in_another_order_is_kept() -> None:
    assert said(plan(SAME)) == [("keep", "iam policy web")]


def test_another_document_becomes_a_version_and_tags_follow() -> None:
    steps = plan(WRITE, {"Stack": "store"}, versions=versions("v1", default="v1"))
    assert said(steps) == [("modify", "iam policy web"), ("tag", "iam policy web")]
    assert (steps[0].before, steps[0].after) == ({"document": READ}, {"document": WRITE})


def test_tags_that_are_not_given_stay() -> None:
    assert said(plan(READ, {"Tier": "web"}, purge_tags=False)) == [("tag", "iam policy web")]
    assert plan(READ, {"Tier": "web"}, purge_tags=False)[0].after == {"tags": {"Stack": "shop", "Tier": "web"}}
    assert plan(READ, {"Tier": "web"})[0].after == {"tags": {"Tier": "web"}}


def test_the_oldest_version_makes_room_by_number_not_by_text() -> None:
    full = versions("v12", "v11", "v10", "v9", "v8", default="v8")
    assert said(plan(WRITE, versions=full)) == [("delete", "iam policy web version v9"), ("modify", "iam policy web")]


@given(st.sets(st.integers(1, 30), min_size=1, max_size=5), st.data())
def test_there_is_room_for_one_more_and_the_default_stays(numbers: set[int], data: st.DataObject) -> None:
    default = data.draw(st.sampled_from(sorted(numbers)))
    standing = versions(*(f"v{one}" for one in numbers), default=f"v{default}")
    gone = {int(one[1:]) for one in iam_policies.outdated(standing)}
    left = numbers - gone
    assert len(left) == min(len(numbers), 4)
    assert default in left
    assert all(one == default or one > max(gone, default=0) for one in left)


def test_a_removal_detaches_then_deletes_versions_then_the_policy() -> None:
    steps = iam_policies.plan_removal(
        "web", {"document": READ, "tags": {}}, [("role", "web"), ("user", "ann")], versions("v2", "v1", default="v2")
    )
    assert said(steps) == [
        ("detach", "iam role web"),
        ("detach", "iam user ann"),
        ("delete", "iam policy web version v1"),
        ("delete", "iam policy web"),
    ]


def test_nothing_is_removed_where_nothing_stands() -> None:
    assert said(iam_policies.plan_removal("web", None, [], [])) == [("skip", "iam policy web")]

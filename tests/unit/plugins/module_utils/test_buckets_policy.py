# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the user's policy and the TLS statement become one policy."""

from __future__ import annotations

import json

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.buckets_policy import (
    TLS_SID,
    compose_policy,
    parse_policy,
    same_policy,
    statements,
    tls_statement,
)
from hypothesis import given
from hypothesis import strategies as st

ARN = "arn:aws:s3:::shop"
READ = {
    "Sid": "Read",
    "Effect": "Allow",
    "Principal": {"Service": "cloudfront.amazonaws.com"},
    "Action": "s3:GetObject",
    "Resource": f"{ARN}/*",
}
TLS = tls_statement(ARN)


def policy(*wanted: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(wanted)}


@pytest.mark.parametrize(
    ("given_policy", "current", "tls_only", "expected"),
    [
        pytest.param(None, None, True, policy(TLS), id="nothing there, closed by default"),
        pytest.param(None, None, False, None, id="nothing there, nothing wanted"),
        pytest.param(None, policy(READ), True, policy(READ, TLS), id="not named: AWS's is kept"),
        pytest.param(None, policy(READ, TLS), False, policy(READ), id="switched off: only ours goes"),
        pytest.param(None, policy(TLS), False, None, id="switched off: no statement left, no policy"),
        pytest.param({}, policy(READ), True, policy(TLS), id="an empty policy is a wanted one"),
        pytest.param({}, policy(READ, TLS), False, None, id="an empty policy removes"),
        pytest.param(policy(READ), policy(TLS), True, policy(READ, TLS), id="composed"),
        pytest.param({"Statement": READ}, None, False, policy(READ), id="a single statement without a list"),
        pytest.param(policy(TLS), None, True, policy(TLS), id="the user wrote it out"),
        pytest.param(policy(TLS), None, False, policy(TLS), id="the user's whole policy is the user's"),
    ],
)
def test_compose(given_policy: dict | None, current: dict | None, tls_only: bool, expected: dict | None) -> None:
    assert compose_policy(given_policy, current, tls_only, ARN) == expected


def test_an_equal_statement_under_another_sid_is_not_doubled() -> None:
    own = {**TLS, "Sid": "OnlyTls", "Resource": [f"{ARN}/*", ARN], "Principal": {"AWS": "*"}}
    assert compose_policy(policy(own), None, True, ARN) == policy(own)


def test_an_outdated_statement_of_ours_is_replaced() -> None:
    outdated = {**TLS, "Resource": f"{ARN}/*"}
    assert compose_policy(None, policy(outdated), True, ARN) == policy(TLS)


def test_a_statement_of_the_users_own_under_our_sid_is_refused() -> None:
    with pytest.raises(AnsibleAWSError, match=TLS_SID):
        compose_policy(policy({**READ, "Sid": TLS_SID}), None, True, ARN)


@pytest.mark.parametrize("text", ["[1]", "3", "{nonsense"])
def test_a_policy_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(AnsibleAWSError, match="give a dictionary"):
        parse_policy(text)


def test_parse() -> None:
    assert parse_policy(None) is None
    assert parse_policy("{}") == {}
    assert parse_policy(json.dumps(policy(READ))) == policy(READ)


SIDS = st.lists(st.sampled_from(["A", "B", "C", "D"]), unique=True, max_size=4)


@given(sids=SIDS, data=st.data())
def test_order_and_shape_of_lists_do_not_count(sids: list[str], data: st.DataObject) -> None:
    one = [{**READ, "Sid": sid} for sid in sids]
    shuffled = [{**READ, "Sid": sid, "Action": ["s3:GetObject"]} for sid in data.draw(st.permutations(sids))]
    assert same_policy(policy(*one), policy(*shuffled))


@given(sids=SIDS, tls_only=st.booleans())
def test_composing_twice_is_composing_once(sids: list[str], tls_only: bool) -> None:
    own = policy(*[{**READ, "Sid": sid} for sid in sids])
    once = compose_policy(own, None, tls_only, ARN)
    assert same_policy(compose_policy(None, once, tls_only, ARN), once)
    assert (TLS in statements(once or {})) == tls_only


def test_different_policies_differ() -> None:
    assert not same_policy(policy(READ), policy({**READ, "Effect": "Deny"}))
    assert not same_policy(policy(READ), None)
    assert same_policy({}, None)

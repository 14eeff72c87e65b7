# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What those who have signed in may do."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import identity as subject

from tests.emulator import policy

BUCKET = {"bucket": "shop-parts", "region": "eu-west-3", "kms_key_id": ""}
POOL = {"provider_name": "cognito-idp.eu-west-3.amazonaws.com/p", "clients": {"web": "1", "server": "2"}}
ANN, BOB = "eu-west-3:ann", "eu-west-3:bob"


def allowed(document: dict[str, t.Any], action: str, resource: str, **context: str) -> bool:
    """Whether Ann may, by the evaluation of the emulator, with her id in place of the variable."""
    document = json.loads(json.dumps(document).replace(subject.OWN_ID, ANN))
    asks = policy.Principal("arn:aws:iam::123456789012:role/signed-in", "123456789012")
    document["Statement"] = [{**one, "Principal": "*"} for one in document["Statement"]]
    return policy.evaluate(document, policy.Request(action, resource, asks, context)) == policy.ALLOW


@pytest.mark.parametrize(
    ("action", "key", "expected"),
    [
        ("s3:GetObject", f"users/{ANN}/score.pdf", True),
        ("s3:PutObject", f"users/{ANN}/deep/score.pdf", True),
        ("s3:DeleteObject", f"users/{ANN}/score.pdf", True),
        ("s3:GetObject", f"users/{BOB}/score.pdf", False),
        ("s3:PutObject", f"users/{ANN}x/score.pdf", False),
        ("s3:GetObject", "score.pdf", False),
        ("s3:PutObjectAcl", f"users/{ANN}/score.pdf", False),
    ],
)
def test_a_user_reaches_their_own_files_alone(action: str, key: str, expected: bool) -> None:
    document = subject.identity_policy(BUCKET, "users/", [])
    assert allowed(document, action, f"arn:aws:s3:::shop-parts/{key}") is expected


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [(f"users/{ANN}/", True), (f"users/{ANN}/deep", True), (f"users/{BOB}/", False), ("", False)],
)
def test_a_user_lists_their_own_files_alone(prefix: str, expected: bool) -> None:
    document = subject.identity_policy(BUCKET, "users/", [])
    assert allowed(document, "s3:ListBucket", "arn:aws:s3:::shop-parts", **{"s3:prefix": prefix}) is expected


def test_readers_do_not_write() -> None:
    document = subject.identity_policy({**BUCKET, "kms_key_id": "arn:aws:kms:k"}, "users/", [], write=False)
    actions = [action for statement in document["Statement"] for action in statement["Action"]]
    assert actions == ["s3:ListBucket", "s3:GetObject", "kms:Decrypt"]


def test_nothing_to_do_is_no_policy() -> None:
    assert subject.identity_policy({}, "users/", []) == {}
    assert subject.identity_policy({}, "users/", [{"Sid": "Own"}])["Statement"] == [{"Sid": "Own"}]


def test_providers_and_mappings_name_the_clients() -> None:
    assert subject.identity_providers(POOL) == [
        {"provider_name": POOL["provider_name"], "client_id": "1"},
        {"provider_name": POOL["provider_name"], "client_id": "2"},
    ]
    assert subject.identity_role_mappings([{"client": "server", "type": "token"}], POOL) == [
        {"type": "token", "provider": "cognito-idp.eu-west-3.amazonaws.com/p:2"}
    ]
    assert subject.identity_providers({}) == []


def test_clients() -> None:
    (client,) = subject.identity_clients([{"name": "server", "confidential": True}])
    assert client == {
        "name": "server",
        "generate_secret": True,
        "prevent_user_existence_errors": True,
        "enable_token_revocation": True,
    }

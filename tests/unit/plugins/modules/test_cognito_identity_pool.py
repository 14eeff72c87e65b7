# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Identity pools against moto, mended where it has no call."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import cognito_identity_pool
from moto import mock_aws

from tests.emulator.patches import cognito as mended
from tests.unit.module_runner import recorded_calls, run_module, writes

PROVIDER = "cognito-idp.eu-west-3.amazonaws.com/eu-west-3_AbCdEf123"
ROLE = "arn:aws:iam::123456789012:role/shop-signed-in"
POOL: dict[str, t.Any] = {
    "name": "shop-prod-identities",
    "user_pools": [{"provider_name": PROVIDER, "client_id": "web"}],
    "tags": {"Stack": "shop"},
}
MAPPINGS = [
    {"provider": f"{PROVIDER}:web", "ambiguous_role": "authenticated_role"},
    {
        "provider": f"{PROVIDER}:admin",
        "type": "rules",
        "rules": [{"claim": "custom:plan", "match": "starts_with", "value": "gold", "role_arn": ROLE}],
    },
]


@pytest.fixture(scope="module", autouse=True)
def mend() -> None:
    for patch in (mended.identity_tags, mended.identity_roles, mended.update_identities):
        patch()


@pytest.fixture
def identities(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("cognito-identity", region_name="eu-west-3")


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(cognito_identity_pool, {**POOL, **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def described(identities: t.Any, result: dict[str, t.Any]) -> dict[str, t.Any]:
    identifier = result["identity_pool"]["id"]
    return t.cast("dict[str, t.Any]", identities.describe_identity_pool(IdentityPoolId=identifier))


def test_a_pool_is_made_as_planned_and_once(identities: t.Any) -> None:
    with recorded_calls() as calls:
        planned = run(check=True)
    assert (writes(calls), planned["identity_pool"]["id"]) == ([], "")
    done = run()
    assert (planned["plan"], planned["diff"]) == (done["plan"], done["diff"])
    assert not run()["changed"]
    pool = described(identities, done)
    assert pool["AllowUnauthenticatedIdentities"] is False
    assert pool["CognitoIdentityProviders"] == [
        {"ProviderName": PROVIDER, "ClientId": "web", "ServerSideTokenCheck": True}
    ]
    assert pool["IdentityPoolTags"] == {"Stack": "shop"}


def test_roles_and_mappings_are_set_and_kept(identities: t.Any) -> None:
    done = run()
    roles = {"authenticated_role_arn": ROLE, "role_mappings": MAPPINGS}
    planned = run(check=True, **roles)
    assert planned["plan"] == run(**roles)["plan"]
    assert not run(**roles)["changed"]
    # a task that names neither leaves both
    assert not run()["changed"]
    found = identities.get_identity_pool_roles(IdentityPoolId=done["identity_pool"]["id"])
    assert found["Roles"] == {"authenticated": ROLE}
    assert found["RoleMappings"][f"{PROVIDER}:web"] == {"Type": "Token", "AmbiguousRoleResolution": "AuthenticatedRole"}
    (rule,) = found["RoleMappings"][f"{PROVIDER}:admin"]["RulesConfiguration"]["Rules"]
    assert (rule["MatchType"], rule["RoleARN"]) == ("StartsWith", ROLE)
    assert run(role_mappings=[])["changed"]
    assert "RoleMappings" not in identities.get_identity_pool_roles(IdentityPoolId=done["identity_pool"]["id"])
    assert run(authenticated_role_arn=ROLE)["identity_pool"]["roles"] == {"authenticated": ROLE}


def test_an_update_keeps_what_the_task_does_not_name(identities: t.Any) -> None:
    done = run(allow_classic_flow=True)
    identities.update_identity_pool(
        IdentityPoolId=done["identity_pool"]["id"],
        IdentityPoolName=POOL["name"],
        AllowUnauthenticatedIdentities=False,
        AllowClassicFlow=True,
        SupportedLoginProviders={"graph.facebook.com": "12345"},
        IdentityPoolTags={"Stack": "shop"},
    )
    changed = run(user_pools=[{"provider_name": PROVIDER, "client_id": "phone"}], tags={"Stack": "shop", "Tier": "x"})
    assert [step["action"] for step in changed["plan"]] == ["modify", "tag"]
    pool = described(identities, done)
    assert pool["SupportedLoginProviders"] == {"graph.facebook.com": "12345"}
    assert pool["AllowClassicFlow"] is True
    assert pool["CognitoIdentityProviders"][0]["ClientId"] == "phone"
    assert pool["IdentityPoolTags"] == {"Stack": "shop", "Tier": "x"}


def test_absent_twice(identities: t.Any) -> None:
    run()
    planned = run(check=True, state="absent")
    assert planned["plan"] == run(state="absent")["plan"]
    assert identities.list_identity_pools(MaxResults=60)["IdentityPools"] == []
    assert not run(state="absent")["changed"]


def test_two_pools_of_one_name_need_an_id(identities: t.Any) -> None:
    first = run()["identity_pool"]["id"]
    identities.create_identity_pool(IdentityPoolName=POOL["name"], AllowUnauthenticatedIdentities=True)
    result = run_module(cognito_identity_pool, POOL)
    assert "There are 2 identity pools named" in result["msg"]
    assert not run(id=first)["changed"]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""User pools against moto, mended where it forgets what AWS keeps."""

from __future__ import annotations

import json
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import cognito_user_pool
from moto import mock_aws

from tests.emulator.patches import cognito as mended
from tests.unit.module_runner import recorded_calls, run_module, writes

POOL: dict[str, t.Any] = {
    "name": "shop-prod-users",
    "username_attributes": ["email"],
    "username_case_sensitive": False,
    "auto_verified_attributes": ["email"],
    "password_policy": {
        "minimum_length": 8,
        "require_uppercase": True,
        "require_lowercase": True,
        "require_numbers": True,
        "require_symbols": False,
    },
    "mfa": "optional",
    "mfa_totp": True,
    "account_recovery": ["verified_email"],
    "deletion_protection": True,
    "schema": [{"name": "plan", "type": "String", "mutable": True}],
    "clients": [
        {"name": "web", "auth_flows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"], "refresh_token_days": 7},
        {"name": "server", "generate_secret": True},
    ],
    "groups": [{"name": "editors", "description": "May write", "precedence": 5}],
    "domain": "shop-prod",
    "tags": {"Stack": "shop"},
}


@pytest.fixture(scope="module", autouse=True)
def mend() -> None:
    for patch in (mended.update_pool, mended.protected_pools, mended.update_client, mended.pool_tags):
        patch()


@pytest.fixture
def cognito(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("cognito-idp", region_name="eu-west-3")


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    given = {name: value for name, value in {**POOL, **options}.items() if value is not None}
    result = run_module(cognito_user_pool, given, check)
    assert not result.get("failed"), result["msg"]
    return result


def refused(**options: t.Any) -> str:
    result = run_module(cognito_user_pool, {**POOL, **options})
    assert result.get("failed")
    return t.cast(str, result["msg"])


def described(cognito: t.Any) -> dict[str, t.Any]:
    (pool,) = cognito.list_user_pools(MaxResults=60)["UserPools"]
    return t.cast("dict[str, t.Any]", cognito.describe_user_pool(UserPoolId=pool["Id"])["UserPool"])


def client_of(cognito: t.Any, result: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    pool = result["user_pool"]
    found = cognito.describe_user_pool_client(UserPoolId=pool["id"], ClientId=pool["clients"][name])
    return t.cast("dict[str, t.Any]", found["UserPoolClient"])


def test_a_pool_is_made_as_planned_and_once(cognito: t.Any) -> None:
    with recorded_calls() as calls:
        planned = run(check=True)
    assert writes(calls) == []
    assert planned["user_pool"]["id"] == ""
    done = run()
    assert (planned["plan"], planned["diff"], planned["changed"]) == (done["plan"], done["diff"], True)
    again = run()
    assert (again["changed"], again["plan"][0]["action"]) == (False, "keep")
    assert again["user_pool"] == done["user_pool"]
    pool = described(cognito)
    assert pool["Policies"]["PasswordPolicy"]["RequireSymbols"] is False
    assert (pool["DeletionProtection"], pool["UserPoolTags"], pool["Domain"]) == (
        "ACTIVE",
        {"Stack": "shop"},
        "shop-prod",
    )
    mfa = cognito.get_user_pool_mfa_config(UserPoolId=pool["Id"])
    assert (mfa["MfaConfiguration"], mfa["SoftwareTokenMfaConfiguration"]) == ("OPTIONAL", {"Enabled": True})


def test_no_secret_of_a_client_is_returned(cognito: t.Any) -> None:
    done = run()
    secret = client_of(cognito, done, "server")["ClientSecret"]
    assert "ClientSecret" not in client_of(cognito, done, "web")
    for result in (done, run(), run(check=True, clients=[{"name": "server", "refresh_token_days": 3}])):
        assert secret not in json.dumps(result)


def test_an_update_keeps_what_the_task_does_not_name(cognito: t.Any) -> None:
    done = run()
    pool = done["user_pool"]["id"]
    before = described(cognito)
    request = cognito_user_pool.pools.update_request(before, {}, cognito_user_pool_members(cognito))
    cognito.update_user_pool(UserPoolId=pool, **{**request, "SmsAuthenticationMessage": "By hand: {####}"})
    cognito.update_user_pool_client(
        UserPoolId=pool, ClientId=done["user_pool"]["clients"]["web"], ClientName="web", ReadAttributes=["email"]
    )
    only = {"name": POOL["name"], "username_attributes": None, "schema": None, "tags": None, "groups": None}
    changed = run(**{**only, "password_policy": {"minimum_length": 12}, "deletion_protection": None})
    # what was taken off the client by hand is there again, what was put on it stays
    assert [step["action"] for step in changed["plan"]] == ["modify", "keep", "modify"]
    pool_now, web = described(cognito), client_of(cognito, done, "web")
    assert pool_now["SmsAuthenticationMessage"] == "By hand: {####}"
    assert pool_now["Policies"]["PasswordPolicy"] == {**before["Policies"]["PasswordPolicy"], "MinimumLength": 12}
    assert pool_now["DeletionProtection"] == "ACTIVE"
    assert pool_now["UserPoolTags"] == {"Stack": "shop"}
    assert (web["ReadAttributes"], web["RefreshTokenValidity"]) == (["email"], 7)
    assert cognito.get_user_pool_mfa_config(UserPoolId=pool)["SoftwareTokenMfaConfiguration"] == {"Enabled": True}


def cognito_user_pool_members(cognito: t.Any) -> t.Collection[str]:
    return cognito.meta.service_model.operation_model("UpdateUserPool").input_shape.members  # type: ignore[no-any-return]


def test_what_cannot_be_changed_is_one_error_before_any_change(cognito: t.Any) -> None:
    run()
    with recorded_calls() as calls:
        said = refused(
            username_attributes=["phone_number"],
            username_case_sensitive=True,
            schema=[{"name": "plan", "type": "Number"}],
            password_policy={"minimum_length": 20},
        )
    assert writes(calls) == []
    assert "username_attributes: ['phone_number'], the pool has ['email']" in said
    assert "username_case_sensitive: true, the pool has false" in said
    assert "type of 'custom:plan' is Number, the pool has String" in said


def test_a_client_gets_no_secret_later(cognito: t.Any) -> None:
    run()
    assert "generate_secret of 'web' is true, the client has none" in refused(
        clients=[{"name": "web", "generate_secret": True}]
    )


def test_groups_clients_attributes_domain_and_tags_converge(cognito: t.Any) -> None:
    run()
    changes = {
        "groups": [{"name": "editors", "description": "May write a lot"}, {"name": "readers"}],
        "clients": [POOL["clients"][0]],
        "schema": [*POOL["schema"], {"name": "seats", "type": "Number", "mutable": True}],
        "domain": "shop-new",
        "tags": {"Stack": "shop", "Tier": "identity"},
        "purge_clients": True,
    }
    planned = run(check=True, **changes)
    done = run(**changes)
    assert planned["plan"] == done["plan"]
    assert not run(**changes)["changed"]
    pool = described(cognito)
    groups = {group["GroupName"]: group for group in cognito.list_groups(UserPoolId=pool["Id"])["Groups"]}
    assert groups["editors"]["Precedence"] == 5
    assert set(groups) == {"editors", "readers"}
    assert list(done["user_pool"]["clients"]) == ["web"]
    assert pool["Domain"] == "shop-new"
    assert pool["UserPoolTags"]["Tier"] == "identity"
    assert "custom:seats" in [one["Name"] for one in pool["SchemaAttributes"]]
    assert run(groups=[], purge_groups=True, domain="", clients=None, tags=None)["changed"]
    assert cognito.list_groups(UserPoolId=pool["Id"])["Groups"] == []
    assert "Domain" not in described(cognito)


def test_a_half_built_pool_is_finished(cognito: t.Any) -> None:
    cognito.create_user_pool(
        PoolName=POOL["name"], UsernameAttributes=["email"], UsernameConfiguration={"CaseSensitive": False}
    )
    assert run()["changed"]
    assert not run()["changed"]


def test_two_pools_of_one_name_need_an_id(cognito: t.Any) -> None:
    first = run()["user_pool"]["id"]
    cognito.create_user_pool(PoolName=POOL["name"])
    assert "There are 2 user pools named shop-prod-users" in refused()
    assert not run(id=first)["changed"]


def test_a_protected_pool_goes_only_by_force_and_twice_is_fine(cognito: t.Any) -> None:
    run()
    assert "is protected against deletion and force is false" in refused(state="absent")
    planned = run(check=True, state="absent", force=True)
    done = run(state="absent", force=True)
    assert planned["plan"] == done["plan"]
    assert [step["action"] for step in done["plan"]] == ["modify", "delete", "delete"]
    assert cognito.list_user_pools(MaxResults=60)["UserPools"] == []
    assert not run(state="absent")["changed"]

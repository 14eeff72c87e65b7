# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cognito: what an update resets, what protects a pool, who can sign in, and what identities may be."""

from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, mends, refusal

ROLE = "arn:aws:iam::123456789012:role/shop-signed-in"


@pytest.fixture
def idp(emulator: Emulator) -> t.Any:
    return emulator.client("cognito-idp", REGION)


@pytest.fixture
def identities(emulator: Emulator) -> t.Any:
    return emulator.client("cognito-identity", REGION)


def new_pool(idp: t.Any, **settings: t.Any) -> str:
    return t.cast(str, idp.create_user_pool(PoolName="users", **settings)["UserPool"]["Id"])


def new_identities(identities: t.Any, **settings: t.Any) -> str:
    made = identities.create_identity_pool(IdentityPoolName="ids", AllowUnauthenticatedIdentities=False, **settings)
    return t.cast(str, made["IdentityPoolId"])


@mends("cognito.update_pool")
def test_an_update_resets_what_it_is_not_given_but_keeps_what_is_for_good(idp: t.Any) -> None:
    pool = new_pool(
        idp,
        UsernameAttributes=["email"],
        UsernameConfiguration={"CaseSensitive": False},
        AutoVerifiedAttributes=["email"],
        UserPoolTags={"Stack": "shop"},
    )
    idp.set_user_pool_mfa_config(
        UserPoolId=pool, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="OPTIONAL"
    )
    idp.update_user_pool(UserPoolId=pool, PoolName="people", DeletionProtection="ACTIVE")
    found = idp.describe_user_pool(UserPoolId=pool)["UserPool"]
    assert (found["Name"], found["DeletionProtection"], found["MfaConfiguration"]) == ("people", "ACTIVE", "OFF")
    assert (found["UsernameAttributes"], found["UsernameConfiguration"]) == (["email"], {"CaseSensitive": False})
    assert found["UserPoolTags"] == {"Stack": "shop"}
    assert "AutoVerifiedAttributes" not in found


@mends("cognito.protected_pools")
def test_a_protected_pool_or_one_with_a_domain_stays(idp: t.Any) -> None:
    pool = new_pool(idp, DeletionProtection="ACTIVE")
    assert refusal(idp.delete_user_pool, UserPoolId=pool) == "InvalidParameterException"
    idp.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
    idp.create_user_pool_domain(Domain="shop", UserPoolId=pool)
    assert refusal(idp.delete_user_pool, UserPoolId=pool) == "InvalidParameterException"
    idp.delete_user_pool_domain(Domain="shop", UserPoolId=pool)
    idp.delete_user_pool(UserPoolId=pool)
    assert idp.list_user_pools(MaxResults=10)["UserPools"] == []


@mends("cognito.update_client")
def test_an_update_of_a_client_resets_what_it_is_not_given(idp: t.Any) -> None:
    pool = new_pool(idp)
    made = idp.create_user_pool_client(
        UserPoolId=pool, ClientName="web", ReadAttributes=["email"], RefreshTokenValidity=3
    )["UserPoolClient"]
    changed = idp.update_user_pool_client(UserPoolId=pool, ClientId=made["ClientId"], WriteAttributes=["name"])
    client = changed["UserPoolClient"]
    assert (client["ClientName"], client["WriteAttributes"]) == ("web", ["name"])
    assert client["RefreshTokenValidity"] == 30
    assert "ReadAttributes" not in client


@mends("cognito.auth_flows")
def test_a_client_signs_in_by_the_flows_that_it_allows(idp: t.Any) -> None:
    pool = new_pool(idp)
    idp.admin_create_user(UserPoolId=pool, Username="ann")
    idp.admin_set_user_password(UserPoolId=pool, Username="ann", Password="Correct-horse-1", Permanent=True)
    parameters = {"USERNAME": "ann", "PASSWORD": "Correct-horse-1"}
    for flows, allowed in ((["ALLOW_USER_SRP_AUTH"], False), (["ALLOW_USER_PASSWORD_AUTH"], True)):
        made = idp.create_user_pool_client(UserPoolId=pool, ClientName="web", ExplicitAuthFlows=flows)
        request = {
            "ClientId": made["UserPoolClient"]["ClientId"],
            "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": parameters,
        }
        if allowed:
            assert "AccessToken" in idp.initiate_auth(**request)["AuthenticationResult"]
        else:
            assert refusal(idp.initiate_auth, **request) == "InvalidParameterException"


@mends("cognito.pool_tags")
def test_user_pools_are_tagged(idp: t.Any) -> None:
    arn = idp.describe_user_pool(UserPoolId=new_pool(idp, UserPoolTags={"a": "1"}))["UserPool"]["Arn"]
    idp.tag_resource(ResourceArn=arn, Tags={"b": "2"})
    idp.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert idp.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"b": "2"}


@mends("cognito.identity_tags")
def test_identity_pools_are_tagged(identities: t.Any) -> None:
    pool = new_identities(identities, IdentityPoolTags={"a": "1"})
    arn = f"arn:aws:cognito-identity:{REGION}:123456789012:identitypool/{pool}"
    identities.tag_resource(ResourceArn=arn, Tags={"b": "2"})
    identities.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert identities.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"b": "2"}
    assert identities.describe_identity_pool(IdentityPoolId=pool)["IdentityPoolTags"] == {"b": "2"}


@mends("cognito.identity_roles")
def test_identities_have_roles(identities: t.Any) -> None:
    pool = new_identities(identities)
    mapping = {"cognito-idp:web": {"Type": "Token", "AmbiguousRoleResolution": "Deny"}}
    identities.set_identity_pool_roles(IdentityPoolId=pool, Roles={"authenticated": ROLE}, RoleMappings=mapping)
    found = identities.get_identity_pool_roles(IdentityPoolId=pool)
    assert (found["Roles"], found["RoleMappings"]) == ({"authenticated": ROLE}, mapping)
    identities.set_identity_pool_roles(IdentityPoolId=pool, Roles={"authenticated": ROLE})
    assert "RoleMappings" not in identities.get_identity_pool_roles(IdentityPoolId=pool)
    gone = f"{REGION}:00000000-0000-0000-0000-000000000000"
    assert refusal(identities.get_identity_pool_roles, IdentityPoolId=gone) == "ResourceNotFoundException"


@mends("cognito.update_identities")
def test_an_update_of_identities_replaces_everything(identities: t.Any) -> None:
    pool = new_identities(identities, SupportedLoginProviders={"graph.facebook.com": "1"}, AllowClassicFlow=True)
    assert identities.describe_identity_pool(IdentityPoolId=pool)["AllowClassicFlow"] is True
    identities.update_identity_pool(
        IdentityPoolId=pool, IdentityPoolName="people", AllowUnauthenticatedIdentities=False, AllowClassicFlow=False
    )
    found = identities.describe_identity_pool(IdentityPoolId=pool)
    assert (found["IdentityPoolName"], found["AllowClassicFlow"]) == ("people", False)
    assert not found["SupportedLoginProviders"]

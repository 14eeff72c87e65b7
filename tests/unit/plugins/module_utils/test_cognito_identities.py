# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to an identity pool, without AWS."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import cognito_identities as subject

ROLES = {"Roles": {"authenticated": "arn:a", "unauthenticated": "arn:u"}, "RoleMappings": {"p": {"Type": "Token"}}}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, None),
        ({"authenticated_role_arn": "arn:b"}, {**ROLES, "Roles": {**ROLES["Roles"], "authenticated": "arn:b"}}),
        ({"unauthenticated_role_arn": ""}, {**ROLES, "Roles": {"authenticated": "arn:a"}}),
        ({"role_mappings": []}, {**ROLES, "RoleMappings": {}}),
    ],
)
def test_roles_that_are_not_named_stay(params: dict[str, t.Any], expected: t.Any) -> None:
    assert subject.wanted_roles(params, ROLES) == expected


@pytest.mark.parametrize(
    ("name", "one", "other", "expected"),
    [
        ("AllowUnauthenticatedIdentities", False, None, True),
        ("AllowUnauthenticatedIdentities", False, True, False),
        (
            "CognitoIdentityProviders",
            [{"ProviderName": "a", "ClientId": "1"}, {"ProviderName": "a", "ClientId": "2"}],
            [
                {"ProviderName": "a", "ClientId": "2", "ServerSideTokenCheck": False},
                {"ProviderName": "a", "ClientId": "1"},
            ],
            True,
        ),
        ("CognitoIdentityProviders", [{"ProviderName": "a", "ClientId": "1"}], [], False),
    ],
)
def test_canonical(name: str, one: t.Any, other: t.Any, expected: bool) -> None:
    assert (subject.canonical(name, one) == subject.canonical(name, other)) is expected

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to a user pool, without AWS."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import cognito_pools as subject
from hypothesis import given
from hypothesis import strategies as st

ACCEPTED = ("Policies", "DeletionProtection", "LambdaConfig", "AdminCreateUserConfig", "VerificationMessageTemplate")
POLICY = {"MinimumLength": 8, "RequireSymbols": True, "TemporaryPasswordValidityDays": 7}
DESCRIBED: dict[str, t.Any] = {
    "Id": "eu-west-3_1",
    "Name": "users",
    "Arn": "arn:aws:cognito-idp:eu-west-3:123456789012:userpool/eu-west-3_1",
    "Policies": {"PasswordPolicy": POLICY, "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}},
    "LambdaConfig": {"PreSignUp": "arn:aws:lambda:eu-west-3:123456789012:function:check"},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 7},
    "EstimatedNumberOfUsers": 4,
}


def steps(params: dict[str, t.Any], pool: subject.Pool | None) -> list[str]:
    changes = subject.plan_present({"name": "users", **params}, pool, ACCEPTED)
    return [f"{change.step.verb} {change.operation}" for change in changes]


def test_an_update_sends_all_that_the_pool_has_and_the_call_knows() -> None:
    wanted = subject.wanted_settings({"password_policy": {"minimum_length": 12, "require_symbols": None}}, DESCRIBED)
    request = subject.update_request(DESCRIBED, wanted, ACCEPTED)
    assert request["PoolName"] == "users"
    assert request["LambdaConfig"] == DESCRIBED["LambdaConfig"]
    assert request["Policies"] == {
        "PasswordPolicy": {**POLICY, "MinimumLength": 12},
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]},
    }
    # Cognito refuses both names of one setting
    assert request["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": False}
    assert "EstimatedNumberOfUsers" not in request


def test_a_new_message_takes_the_older_fields_away() -> None:
    described = {**DESCRIBED, "EmailVerificationMessage": "old {####}"}
    accepted = (*ACCEPTED, "EmailVerificationMessage")
    assert subject.update_request(described, {"DeletionProtection": "ACTIVE"}, accepted)["EmailVerificationMessage"]
    changes = subject.wanted_settings({"verification_message": {"message": "new {####}"}}, described)
    assert "EmailVerificationMessage" not in subject.update_request(described, changes, accepted)


@pytest.mark.parametrize(
    ("params", "mfa", "expected"),
    [
        ({}, {}, ["keep "]),
        ({"mfa": "off"}, {"MfaConfiguration": "OFF"}, ["keep "]),
        ({"mfa": "optional", "mfa_totp": True}, {"MfaConfiguration": "OFF"}, ["modify set_user_pool_mfa_config"]),
        (
            {"mfa": "optional", "mfa_totp": True},
            {"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": True}},
            ["keep "],
        ),
        ({"deletion_protection": True}, {"MfaConfiguration": "OFF"}, ["modify update_user_pool"]),
        # UpdateUserPool would forget the kinds of MFA
        (
            {"deletion_protection": True},
            {"MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": {"Enabled": True}},
            ["modify update_user_pool", "keep set_user_pool_mfa_config"],
        ),
    ],
)
def test_mfa(params: dict[str, t.Any], mfa: dict[str, t.Any], expected: list[str]) -> None:
    assert steps(params, subject.Pool(DESCRIBED, mfa)) == expected


def test_other_kinds_of_mfa_are_kept() -> None:
    sms = {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}}
    wanted = subject.wanted_mfa(
        {"mfa": "on", "mfa_totp": True}, {"MfaConfiguration": "OFF", "SmsMfaConfiguration": sms}
    )
    assert wanted == {
        "MfaConfiguration": "ON",
        "SmsMfaConfiguration": sms,
        "SoftwareTokenMfaConfiguration": {"Enabled": True},
    }


def test_a_pool_of_one_s_own_mail_says_who_sends_it() -> None:
    arn = "arn:aws:ses:eu-west-3:123456789012:identity/example.com"
    wanted = subject.wanted_settings({"email": {"source_arn": arn, "from_address": None}}, {})
    assert wanted["EmailConfiguration"] == {"SourceArn": arn, "EmailSendingAccount": "DEVELOPER"}
    wanted = subject.wanted_settings({"email": {"reply_to": "a@example.com"}}, {})
    assert wanted["EmailConfiguration"]["EmailSendingAccount"] == "COGNITO_DEFAULT"


@pytest.mark.parametrize(
    ("name", "one", "other", "expected"),
    [
        ("CallbackURLs", ["a", "b"], ["b", "a"], True),
        ("CallbackURLs", None, [], True),
        ("CallbackURLs", ["a"], [], False),
        ("EnableTokenRevocation", True, False, False),
        ("EnableTokenRevocation", None, False, True),
        ("AutoVerifiedAttributes", ["email"], ["email", "phone_number"], False),
        ("AccountRecoverySetting", subject.recovery(["verified_email"]), subject.recovery(["admin_only"]), False),
        (
            "AccountRecoverySetting",
            {"RecoveryMechanisms": [{"Priority": 2, "Name": "b"}, {"Priority": 1, "Name": "a"}]},
            subject.recovery(["a", "b"]),
            True,
        ),
        ("UserPoolTier", "LITE", "ESSENTIALS", False),
    ],
)
def test_same(name: str, one: t.Any, other: t.Any, expected: bool) -> None:
    assert subject.same(name, one, other) is expected


@given(st.lists(st.sampled_from(["email", "name", "profile"]), unique=True))
def test_lists_of_names_have_no_order(names: list[str]) -> None:
    assert subject.same("ReadAttributes", names, list(reversed(names)))


def test_a_required_attribute_cannot_be_added() -> None:
    with pytest.raises(subject.PoolError, match="'email' is required, the pool does not have it"):
        subject.check_immutable({"name": "users", "schema": [{"name": "email", "required": True}]}, DESCRIBED)


@pytest.mark.parametrize(
    ("name", "expected"), [("email", "email"), ("plan", "custom:plan"), ("custom:plan", "custom:plan")]
)
def test_attribute_names(name: str, expected: str) -> None:
    assert subject.attribute_name({"name": name}) == expected


def test_an_attribute_for_aws() -> None:
    attribute = {"name": "custom:plan", "type": "String", "max_length": 20, "min_length": None, "required": None}
    assert subject.schema_attribute(attribute) == {
        "Name": "plan",
        "AttributeDataType": "String",
        "StringAttributeConstraints": {"MaxLength": "20"},
    }


def test_validity_is_sent_with_its_unit_and_the_other_units_stay() -> None:
    current = {"TokenValidityUnits": {"RefreshToken": "days", "AccessToken": "hours"}}
    wanted = subject.client_settings({"name": "web", "access_token_minutes": 30}, current)
    assert wanted == {
        "AccessTokenValidity": 30,
        "TokenValidityUnits": {"RefreshToken": "days", "AccessToken": "minutes"},
    }


def test_facts_of_nothing() -> None:
    assert subject.facts("users", None, "eu-west-3", "amazonaws.com") == {
        "id": "",
        "arn": "",
        "name": "users",
        "domain": "",
        "provider_name": "",
        "clients": {},
        "groups": [],
    }

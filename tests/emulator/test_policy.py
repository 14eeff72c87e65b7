# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest

from tests.emulator.policy import ALLOW, ANONYMOUS, DENY, NEUTRAL, Principal, Request, evaluate, is_public

OWNER = Principal("arn:aws:iam::111111111111:user/owner", "111111111111")
SERVICE = Principal(service="cloudfront.amazonaws.com")
OBJECT = "arn:aws:s3:::site/index.html"


def statement(effect: str = "Allow", **parts: t.Any) -> dict[str, t.Any]:
    return {"Effect": effect, "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*", **parts}


def ask(
    statements: t.Any, principal: Principal | None = ANONYMOUS, context: dict[str, str] | None = None, **parts: str
) -> str:
    request = Request(parts.get("action", "s3:GetObject"), parts.get("resource", OBJECT), principal, context or {})
    return evaluate({"Version": "2012-10-17", "Statement": statements}, request)


def test_a_statement_alone_or_in_a_list() -> None:
    assert ask(statement()) == ALLOW
    assert ask([statement()]) == ALLOW
    assert ask([]) == NEUTRAL


def test_deny_wins() -> None:
    assert ask([statement("Deny"), statement()]) == DENY
    assert ask([statement(), statement("Deny")]) == DENY


@pytest.mark.parametrize(
    ("action", "fits"),
    [
        ("s3:GetObject", True),
        ("s3:Get*", True),
        ("S3:getobject", True),
        ("s3:Get?bject", True),
        ("*", True),
        (["s3:PutObject", "s3:GetObject"], True),
        ("s3:PutObject", False),
        ("s3:GetObjectAcl", False),
    ],
)
def test_actions(action: t.Any, fits: bool) -> None:
    assert ask(statement(Action=action)) == (ALLOW if fits else NEUTRAL)


def test_not_action_and_not_resource() -> None:
    without_action = {key: value for key, value in statement().items() if key != "Action"}
    assert ask({**without_action, "NotAction": "s3:PutObject"}) == ALLOW
    assert ask({**without_action, "NotAction": "s3:Get*"}) == NEUTRAL
    without_resource = {key: value for key, value in statement().items() if key != "Resource"}
    assert ask({**without_resource, "NotResource": "arn:aws:s3:::other/*"}) == ALLOW


@pytest.mark.parametrize(
    ("resource", "fits"),
    [
        ("arn:aws:s3:::site/*", True),
        ("arn:aws:s3:::site/index.htm?", True),
        (["arn:aws:s3:::site", "arn:aws:s3:::site/*"], True),
        ("arn:aws:s3:::site", False),
        ("arn:aws:s3:::sit.e/*", False),
    ],
)
def test_resources(resource: t.Any, fits: bool) -> None:
    assert ask(statement(Resource=resource)) == (ALLOW if fits else NEUTRAL)


@pytest.mark.parametrize(
    ("named", "principal", "fits"),
    [
        ("*", ANONYMOUS, True),
        ({"AWS": "*"}, ANONYMOUS, True),
        ({"AWS": ["*"]}, OWNER, True),
        ({"AWS": "111111111111"}, OWNER, True),
        ({"AWS": "arn:aws:iam::111111111111:root"}, OWNER, True),
        ({"AWS": "arn:aws:iam::111111111111:user/owner"}, OWNER, True),
        ({"AWS": "arn:aws:iam::222222222222:root"}, OWNER, False),
        ({"AWS": "arn:aws:iam::111111111111:root"}, ANONYMOUS, False),
        ({"Service": "cloudfront.amazonaws.com"}, SERVICE, True),
        ({"Service": "cloudfront.amazonaws.com"}, ANONYMOUS, False),
        ({"Service": "logging.s3.amazonaws.com"}, SERVICE, False),
    ],
)
def test_principals(named: t.Any, principal: Principal, fits: bool) -> None:
    assert ask(statement(Principal=named), principal) == (ALLOW if fits else NEUTRAL)


def test_an_identity_policy_has_no_principal() -> None:
    assert ask({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, principal=None) == ALLOW


PLAIN = {"aws:securetransport": "false"}
TLS = {"aws:securetransport": "true"}


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, PLAIN, True),
        ({"Bool": {"aws:SecureTransport": False}}, PLAIN, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, TLS, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {}, False),
        ({"BoolIfExists": {"aws:SecureTransport": "false"}}, {}, True),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, {"s3:tlsversion": "1.3"}, False),
        ({"NumericLessThan": {"s3:TlsVersion": 1.2}}, {"s3:tlsversion": "1.1"}, True),
        ({"StringEquals": {"AWS:SourceArn": "arn:x"}}, {"aws:sourcearn": "arn:x"}, True),
        ({"StringEquals": {"aws:SourceAccount": ["1", "2"]}}, {"aws:sourceaccount": "2"}, True),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, {}, False),
        ({"StringNotEquals": {"aws:SourceAccount": "1"}}, {}, True),
        ({"StringNotEquals": {"aws:SourceAccount": "1"}}, {"aws:sourceaccount": "1"}, False),
        ({"StringNotEquals": {"aws:SourceAccount": ["1", "2"]}}, {"aws:sourceaccount": "2"}, False),
        ({"StringLike": {"aws:UserAgent": "*curl*"}}, {"aws:useragent": "a curl b"}, True),
        ({"StringEqualsIgnoreCase": {"aws:UserAgent": "CURL"}}, {"aws:useragent": "curl"}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}, {"aws:sourcearn": "arn:aws:s3:::b"}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws:sourceip": "10.1.2.3"}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws:sourceip": "10.1.2.3"}, False),
        ({"Null": {"aws:SourceVpce": "true"}}, {}, True),
        ({"Null": {"aws:SourceVpce": "false"}}, {}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}, {}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}, {}, False),
        ({"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceAccount": "1"}}, TLS, False),
    ],
)
def test_conditions(condition: dict[str, t.Any], context: dict[str, str], holds: bool) -> None:
    assert ask(statement(Condition=condition), context=context) == (ALLOW if holds else NEUTRAL)


def test_an_operator_that_does_not_exist_is_no_silent_pass() -> None:
    with pytest.raises(ValueError, match="StringMatches"):
        ask(statement(Condition={"StringMatches": {"aws:SourceAccount": "1"}}), context={"aws:sourceaccount": "1"})


@pytest.mark.parametrize(
    ("parts", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": "111111111111"}}, False),
        ({"Principal": {"Service": "cloudfront.amazonaws.com"}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}, False),
        ({"Condition": {"StringLike": {"aws:SourceArn": "arn:*"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "1"}}}, True),
    ],
)
def test_public(parts: dict[str, t.Any], public: bool) -> None:
    assert is_public({"Statement": [{**statement(), **parts}]}) is public

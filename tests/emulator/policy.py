# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Evaluating one resource or identity policy, as IAM's evaluation logic describes it. Pure: no moto, no request."""

from __future__ import annotations

import ipaddress
import json
import re
import typing as t
from dataclasses import dataclass, field
from functools import lru_cache

ALLOW, DENY, NEUTRAL = "allow", "deny", "neutral"

Document = dict[str, t.Any]


@dataclass(frozen=True)
class Principal:
    """Who asks. Without an ARN and a service: everyone, that is an anonymous request."""

    arn: str | None = None
    account: str | None = None
    service: str | None = None


ANONYMOUS = Principal()


@dataclass(frozen=True)
class Request:
    """What is asked.

    :param action: such as C{s3:GetObject}.
    :param resource: an ARN.
    :param principal: who asks; None skips the check, as for identity policies.
    :param context: condition keys in lower case with their values.
    """

    action: str
    resource: str
    principal: Principal | None = None
    context: dict[str, str] = field(default_factory=dict)


def evaluate(document: str | bytes | Document, request: Request) -> str:
    """The policy's answer: C{deny}, C{allow}, or C{neutral} when it says nothing about the request."""
    answer = NEUTRAL
    for statement in statements(document):
        if not applies(statement, request):
            continue
        if statement.get("Effect") == "Deny":
            return DENY
        answer = ALLOW
    return answer


def statements(document: str | bytes | Document) -> list[Document]:
    """The statements of a policy, which AWS lets one write as a list or as a single object."""
    parsed: Document = json.loads(document) if isinstance(document, (str, bytes)) else document
    return t.cast(list[Document], _listed(parsed.get("Statement")))


def applies(statement: Document, request: Request) -> bool:
    """Whether principal, action, resource and all conditions of a statement fit the request."""
    return (
        _action_fits(statement, request.action)
        and _resource_fits(statement, request.resource)
        and _principal_fits(statement, request.principal)
        and conditions_hold(statement.get("Condition") or {}, request.context)
    )


def conditions_hold(conditions: Document, context: dict[str, str]) -> bool:
    """Whether every condition holds.

    :param conditions: operator to key to value or values.
    :param context: keys in lower case to values. A key that is not there matches no operator but the negated ones,
        C{Null} and those that end in C{IfExists}.
    """
    return all(
        _holds(operator, context.get(key.lower()), [str(value) for value in _listed(values)])
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def is_public(document: str | bytes | Document) -> bool:
    """Whether S3's block-public-access settings take a bucket policy for a public one.

    A statement that allows everyone is public unless a condition ties it to fixed accounts, sources or networks.
    """
    return any(
        statement.get("Effect") == "Allow"
        and "NotPrincipal" not in statement
        and _names_everyone(statement.get("Principal"))
        and not _is_tied(statement.get("Condition") or {})
        for statement in statements(document)
    )


#: Condition keys which, with fixed values, make a statement non-public (S3 User Guide, The meaning of "public").
_TYING_KEYS = frozenset(
    (
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    )
)


def _is_tied(conditions: Document) -> bool:
    return any(
        key.lower() in _TYING_KEYS and not any("*" in str(value) for value in _listed(values))
        for operator, keys in conditions.items()
        if "Not" not in operator and not operator.endswith("IfExists")
        for key, values in keys.items()
    )


def _names_everyone(principal: t.Any) -> bool:
    return principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS")))


def _listed(value: t.Any) -> list[t.Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _action_fits(statement: Document, action: str) -> bool:
    if "NotAction" in statement:
        return not _any_like(statement["NotAction"], action, fold=True)
    return _any_like(statement.get("Action"), action, fold=True)


def _resource_fits(statement: Document, resource: str) -> bool:
    if "NotResource" in statement:
        return not _any_like(statement["NotResource"], resource)
    return _any_like(statement.get("Resource", "*"), resource)


def _principal_fits(statement: Document, principal: Principal | None) -> bool:
    if principal is None:
        return True
    if "NotPrincipal" in statement:
        return not _is_named(statement["NotPrincipal"], principal)
    return _is_named(statement.get("Principal"), principal)


def _is_named(names: t.Any, principal: Principal) -> bool:
    if _names_everyone(names):
        return True
    if not isinstance(names, dict):
        return False
    if principal.service is not None:
        return principal.service in _listed(names.get("Service"))
    own = {principal.arn, principal.account, f"arn:aws:iam::{principal.account}:root"}
    return principal.account is not None and any(name in own for name in _listed(names.get("AWS")))


def _any_like(patterns: t.Any, value: str, fold: bool = False) -> bool:
    return any(like(pattern.lower(), value.lower()) if fold else like(pattern, value) for pattern in _listed(patterns))


def like(pattern: str, value: str) -> bool:
    """IAM's pattern matching: C{*} for any text, C{?} for one character."""
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _holds(operator: str, actual: str | None, wanted: list[str]) -> bool:
    # With one value in the context, "any" and "all" ask the same, but for a missing key.
    quantifier, _, plain = operator.rpartition(":")
    if plain == "Null":
        return any((value.lower() == "true") is (actual is None) for value in wanted)
    if actual is None:
        return plain.endswith("IfExists") or "Not" in plain or quantifier == "ForAllValues"
    name = plain.removesuffix("IfExists")
    if "Not" in name:
        positive = name.replace("Not", "", 1)
        return not any(_compare(positive, actual, value) for value in wanted)
    return any(_compare(name, actual, value) for value in wanted)


def _compare(operator: str, actual: str, wanted: str) -> bool:
    comparison = _COMPARISONS.get(operator)
    if comparison is None:
        raise ValueError(f"policy condition operator {operator!r} is unknown")
    return comparison(actual, wanted)


def _in_network(actual: str, wanted: str) -> bool:
    return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)


_COMPARISONS: dict[str, t.Callable[[str, str], bool]] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.lower() == wanted.lower(),
    "StringLike": lambda actual, wanted: like(wanted, actual),
    "ArnEquals": lambda actual, wanted: like(wanted, actual),
    "ArnLike": lambda actual, wanted: like(wanted, actual),
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "BinaryEquals": lambda actual, wanted: actual == wanted,
    "IpAddress": _in_network,
    "NumericEquals": lambda actual, wanted: float(actual) == float(wanted),
    "NumericLessThan": lambda actual, wanted: float(actual) < float(wanted),
    "NumericLessThanEquals": lambda actual, wanted: float(actual) <= float(wanted),
    "NumericGreaterThan": lambda actual, wanted: float(actual) > float(wanted),
    "NumericGreaterThanEquals": lambda actual, wanted: float(actual) >= float(wanted),
    # ISO 8601 in UTC sorts as text.
    "DateEquals": lambda actual, wanted: actual == wanted,
    "DateLessThan": lambda actual, wanted: actual < wanted,
    "DateLessThanEquals": lambda actual, wanted: actual <= wanted,
    "DateGreaterThan": lambda actual, wanted: actual > wanted,
    "DateGreaterThanEquals": lambda actual, wanted: actual >= wanted,
}

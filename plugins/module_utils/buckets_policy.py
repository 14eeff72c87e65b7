# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A bucket's policy: what the user gave, plus the statement that refuses plain HTTP."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies

Policy = dict[str, t.Any]

#: By this Sid the statement is found again, to replace or remove it.
TLS_SID = "DenyInsecureTransport"


def parse_policy(text: str | None) -> Policy | None:
    """The option ``policy`` as a dictionary.

    :param text: JSON text, or ``None`` when the option was not given.
    :returns: the document (empty for "no policy of its own"), or ``None`` when the option was not given.
    :raises AnsibleAWSError: when the text is not a JSON object.
    """
    if text is None:
        return None
    try:
        policy = json.loads(text or "{}")
    except ValueError as error:
        raise AnsibleAWSError(
            message=f"policy is not valid JSON ({error}): give a dictionary or a JSON object"
        ) from error
    if not isinstance(policy, dict):
        raise AnsibleAWSError(message=f"policy is a {type(policy).__name__}: give a dictionary or a JSON object")
    return policy


def tls_statement(arn: str) -> dict[str, t.Any]:
    """The statement that refuses every request that does not come over TLS.

    :param arn: the bucket's ARN.
    """
    return {
        "Sid": TLS_SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def compose_policy(given: Policy | None, current: Policy | None, tls_only: bool, arn: str) -> Policy | None:
    """The policy that the bucket shall have.

    :param given: the policy that the user wrote, or ``None`` to keep what AWS has.
    :param current: the policy that AWS has, or ``None``.
    :param tls_only: whether requests over plain HTTP are refused.
    :param arn: the bucket's ARN.
    :returns: the document, or ``None`` for no policy.
    :raises AnsibleAWSError: when a statement of the user's own carries the reserved Sid.
    """
    base = (current if given is None else given) or {}
    others = statements(base) if given is not None else [one for one in statements(base) if one.get("Sid") != TLS_SID]
    tls = tls_statement(arn)
    wanted = others if not tls_only or any(_refuses_http(one, tls) for one in others) else [*others, tls]
    if len([one for one in wanted if one.get("Sid") == TLS_SID]) > 1:
        raise AnsibleAWSError(
            message=f"policy has a statement with the Sid {TLS_SID}, which tls_only uses: give it another Sid"
        )
    if not wanted:
        return None
    return {**base, "Version": base.get("Version", "2012-10-17"), "Statement": wanted}


def same_policy(one: Policy | None, other: Policy | None) -> bool:
    """Whether two policies mean the same, whatever the order and the shape of their lists."""
    if not one or not other:
        return bool(one) == bool(other)
    return not compare_policies(one, other)


def statements(policy: Policy) -> list[dict[str, t.Any]]:
    """A policy's statements (AWS allows a single one without a list)."""
    found = policy.get("Statement") or []
    return [found] if isinstance(found, dict) else list(found)


def _refuses_http(statement: dict[str, t.Any], tls: dict[str, t.Any]) -> bool:
    return not compare_policies({"Statement": [{**statement, "Sid": TLS_SID}]}, {"Statement": [tls]})

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done with an identity provider."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import oidc

ARN = "arn:aws:iam::123456789012:oidc-provider/gitlab.com"


def test_names() -> None:
    assert oidc.host("https://gitlab.com/") == "gitlab.com"
    assert oidc.arn("aws", "123456789012", "https://gitlab.com") == ARN


@pytest.mark.parametrize(
    ("owner", "tags", "trusting", "verb"),
    [
        ({}, {}, [], "delete"),
        ({"ManagedBy": "palier.aws"}, {"ManagedBy": "palier.aws", "more": "x"}, [], "delete"),
        ({"ManagedBy": "palier.aws"}, {"ManagedBy": "terraform"}, [], "skip"),
        ({}, {}, ["release"], "skip"),
    ],
)
def test_removal(owner: dict[str, str], tags: dict[str, str], trusting: list[str], verb: str) -> None:
    current = {"audiences": ["a"], "tags": tags}
    assert [step.verb for step in oidc.plan_removal("https://gitlab.com", owner, current, trusting)] == [verb]
    assert [step.verb for step in oidc.plan_removal("https://gitlab.com", owner, None, trusting)] == ["skip"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"Statement": [{"Principal": {"Federated": ARN}}]}, True),
        ({"Statement": {"Principal": {"Federated": [ARN, "other"]}}}, True),
        ({"Statement": [{"Principal": {"Service": "ec2.amazonaws.com"}}]}, False),
        ({"Statement": [{"Principal": "*"}]}, False),
        ({}, False),
    ],
)
def test_trust(document: dict[str, t.Any], expected: bool) -> None:
    assert oidc.trusts(document, ARN) is expected

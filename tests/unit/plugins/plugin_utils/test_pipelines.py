# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may take on the roles of pipelines."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import pipelines

GITLAB = "https://gitlab.example.com"
ROLE: dict[str, t.Any] = {"repository": "acme/shop", "branches": [], "tags": [], "environments": []}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ({"provider": "github", "branches": ["main"]}, ["repo:acme/shop:ref:refs/heads/main"]),
        (
            {"provider": "github", "tags": ["v*"], "environments": ["prod"]},
            ["repo:acme/shop:environment:prod", "repo:acme/shop:ref:refs/tags/v*"],
        ),
        ({"provider": "gitlab", "branches": ["main"]}, ["project_path:acme/shop:ref_type:branch:ref:main"]),
        ({"provider": "gitlab", "tags": ["v*"]}, ["project_path:acme/shop:ref_type:tag:ref:v*"]),
        ({"provider": "github"}, []),
    ],
)
def test_subjects(role: dict[str, t.Any], expected: list[str]) -> None:
    assert pipelines.pipeline_subjects({**ROLE, **role}) == expected


def test_a_trust_names_the_provider_its_audience_and_the_subjects() -> None:
    role = {**ROLE, "provider": "gitlab", "branches": ["main"]}
    (statement,) = pipelines.pipeline_trust(role, f"{GITLAB}/", "aws", "123456789012")["Statement"]
    assert statement["Principal"] == {"Federated": "arn:aws:iam::123456789012:oidc-provider/gitlab.example.com"}
    assert statement["Condition"] == {
        "StringEquals": {"gitlab.example.com:aud": GITLAB},
        "StringLike": {"gitlab.example.com:sub": ["project_path:acme/shop:ref_type:branch:ref:main"]},
    }


def test_each_provider_is_needed_once() -> None:
    roles = [{"provider": "gitlab"}, {"provider": "github"}, {"provider": "gitlab"}]
    assert pipelines.pipeline_providers(roles, GITLAB) == [
        {"url": "https://token.actions.githubusercontent.com", "audiences": ["sts.amazonaws.com"]},
        {"url": GITLAB, "audiences": [GITLAB]},
    ]
    assert pipelines.pipeline_providers([], GITLAB) == []

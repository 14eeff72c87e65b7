# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may take on the roles of CI/CD pipelines: the trust in a provider's tokens. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils import oidc

Record = dict[str, t.Any]

#: Where GitHub's tokens come from, and the audience that its action for AWS asks for.
GITHUB_URL = "https://token.actions.githubusercontent.com"
GITHUB_AUDIENCE = "sts.amazonaws.com"


def pipeline_providers(roles: list[Record], gitlab_url: str) -> list[Record]:
    """The identity providers that roles need, each once: C{url} and C{audiences}.

    :param roles: entries of C{pipelines_roles}.
    :param gitlab_url: the GitLab that is meant, which is its tokens' audience as well.
    """
    names = sorted({role["provider"] for role in roles})
    return [{"url": _url(name, gitlab_url), "audiences": [_audience(name, gitlab_url)]} for name in names]


def pipeline_trust(role: Record, gitlab_url: str, partition: str, account: str) -> Record:
    """The trust policy of a role: the tokens of one repository, and of it only the named branches, tags, environments.

    :param role: an entry of C{pipelines_roles}.
    :param gitlab_url: the GitLab that is meant.
    :param partition: such as C{aws}.
    :param account: the account's id.
    """
    url = _url(role["provider"], gitlab_url)
    issuer = oidc.host(url)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "PipelinesOfTheRepository",
                "Effect": "Allow",
                "Principal": {"Federated": oidc.arn(partition, account, url)},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{issuer}:aud": _audience(role["provider"], gitlab_url)},
                    "StringLike": {f"{issuer}:sub": pipeline_subjects(role)},
                },
            }
        ],
    }


def pipeline_subjects(role: Record) -> list[str]:
    """What a token's C{sub} claim may be.

    :param role: an entry of C{pipelines_roles}.
    """
    make = _github_subjects if role["provider"] == "github" else _gitlab_subjects
    return sorted(make(role))


def _github_subjects(role: Record) -> t.Iterator[str]:
    """As GitHub's documentation of OpenID Connect has them; a job with an environment shows nothing else of itself."""
    repository = f"repo:{role['repository']}"
    yield from (f"{repository}:ref:refs/heads/{one}" for one in role["branches"])
    yield from (f"{repository}:ref:refs/tags/{one}" for one in role["tags"])
    yield from (f"{repository}:environment:{one}" for one in role["environments"])


def _gitlab_subjects(role: Record) -> t.Iterator[str]:
    """As GitLab's documentation of ID tokens has them: an environment shows in other claims, which IAM does not see."""
    project = f"project_path:{role['repository']}"
    yield from (f"{project}:ref_type:branch:ref:{one}" for one in role["branches"])
    yield from (f"{project}:ref_type:tag:ref:{one}" for one in role["tags"])


def _url(provider: str, gitlab_url: str) -> str:
    return GITHUB_URL if provider == "github" else gitlab_url.rstrip("/")


def _audience(provider: str, gitlab_url: str) -> str:
    return GITHUB_AUDIENCE if provider == "github" else gitlab_url.rstrip("/")

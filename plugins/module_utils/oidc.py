# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Identity providers for web identities (OpenID Connect): what is to be done with one, without asking AWS."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Provider = dict[str, t.Any]


def host(url: str) -> str:
    """The provider's URL as IAM keeps it: without scheme and without a slash at the end.

    :param url: for example C{https://gitlab.com/}.
    """
    return url.removeprefix("https://").rstrip("/")


def arn(partition: str, account: str, url: str) -> str:
    """The ARN of a provider, which follows from its URL: an account has one for each.

    :param partition: such as C{aws}.
    :param account: the account's id.
    :param url: the provider's URL.
    """
    return f"arn:{partition}:iam::{account}:oidc-provider/{host(url)}"


def plan(url: str, audiences: list[str], tags: dict[str, str], current: Provider | None) -> list[Step]:
    """What makes the provider take these audiences.

    An account has one provider for each URL, so audiences and tags of others stay: only what is missing is added.

    :param url: the provider's URL.
    :param audiences: what the tokens' C{aud} may be.
    :param tags: the tags of a new one.
    :param current: C{audiences} and C{tags} of the one that stands, or None.
    """
    resource = f"iam oidc provider {host(url)}"
    if current is None:
        return [Step("create", resource, "does not exist", None, {"audiences": sorted(audiences), "tags": tags})]
    missing = sorted(set(audiences) - set(current["audiences"]))
    if not missing:
        return [Step("keep", resource, "takes these audiences")]
    before, after = sorted(current["audiences"]), sorted({*current["audiences"], *missing})
    return [Step("modify", resource, "audiences are missing", {"audiences": before}, {"audiences": after})]


def plan_removal(url: str, owner: dict[str, str], current: Provider | None, trusting: t.Collection[str]) -> list[Step]:
    """What is done with a provider that a stack needs no longer.

    :param url: the provider's URL.
    :param owner: tags that it must have to be removed; an empty dict removes any.
    :param current: the one that stands, or None.
    :param trusting: names of roles that trust it still.
    """
    resource = f"iam oidc provider {host(url)}"
    if current is None:
        return [Step("skip", resource, "does not exist")]
    if any(current["tags"].get(key) != value for key, value in owner.items()):
        return [Step("skip", resource, "was made by somebody else")]
    if trusting:
        return [Step("skip", resource, f"is trusted by {', '.join(sorted(trusting))}")]
    return [Step("delete", resource, "state is absent", {"audiences": sorted(current["audiences"])})]


def trusts(document: dict[str, t.Any], provider_arn: str) -> bool:
    """Whether a role's trust policy names the provider.

    :param document: the trust policy.
    :param provider_arn: the provider's ARN.
    """
    statements = document.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        named = principal.get("Federated", []) if isinstance(principal, dict) else []
        if provider_arn in (named if isinstance(named, list) else [named]):
            return True
    return False

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IAM's calls on identity providers: one function each, an error handler over a retry."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

Errors = error_handler("NoSuchEntity", "NoSuchEntityException")
retry = AWSRetry.jittered_backoff(delay=1)


@Errors.list_error_handler("get the identity provider")
@retry
def get_provider(client: t.Any, arn: str) -> dict[str, t.Any] | None:
    """A provider's audiences and tags; C{None} when it does not exist."""
    found = client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    tags = {one["Key"]: one["Value"] for one in found.get("Tags") or []}
    return {"audiences": found.get("ClientIDList") or [], "tags": tags}


@Errors.common_error_handler("create the identity provider")
@retry
def create_provider(client: t.Any, url: str, audiences: list[str], tags: dict[str, str]) -> str:
    """Create a provider. IAM finds the thumbprint of its certificate by itself."""
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    made = client.create_open_id_connect_provider(Url=url, ClientIDList=audiences, Tags=pairs)
    return t.cast(str, made["OpenIDConnectProviderArn"])


@Errors.common_error_handler("add an audience to the identity provider")
@retry
def add_audience(client: t.Any, arn: str, audience: str) -> t.Any:
    """Add an audience; one that it has is fine."""
    return client.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=audience)


@Errors.deletion_error_handler("delete the identity provider")
@retry
def delete_provider(client: t.Any, arn: str) -> t.Any:
    """Delete a provider; one that is gone is fine."""
    return client.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)


@Errors.common_error_handler("list the roles")
@retry
def roles(client: t.Any) -> list[dict[str, t.Any]]:
    """All roles with their trust policies."""
    pages = client.get_paginator("list_roles").paginate()
    return [role for page in pages for role in page["Roles"]]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IAM's calls on customer managed policies: one function each, an error handler over a retry."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler
from ansible_collections.palier.aws.plugins.module_utils.cloudwatch import tag_dict, tag_list

Errors = error_handler("NoSuchEntity", "NoSuchEntityException")
retry = AWSRetry.jittered_backoff(delay=1)


@Errors.list_error_handler("get the policy")
@retry
def get_policy(client: t.Any, arn: str) -> dict[str, t.Any] | None:
    """A policy's description, tags and default version; C{None} when it does not exist."""
    found = client.get_policy(PolicyArn=arn)["Policy"]
    return {
        "description": found.get("Description") or "",
        "tags": tag_dict(found.get("Tags") or []),
        "version": found["DefaultVersionId"],
    }


@Errors.common_error_handler("get the policy's document")
@retry
def get_document(client: t.Any, arn: str, version: str) -> dict[str, t.Any]:
    """The document of one version."""
    found = client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return t.cast("dict[str, t.Any]", found)


@Errors.list_error_handler("list the policy's versions", [])
@retry
def list_versions(client: t.Any, arn: str) -> list[dict[str, t.Any]]:
    """All versions, without their documents."""
    pages = client.get_paginator("list_policy_versions").paginate(PolicyArn=arn)
    return [version for page in pages for version in page["Versions"]]


@Errors.list_error_handler("list what the policy is attached to", [])
@retry
def list_holders(client: t.Any, arn: str) -> list[tuple[str, str]]:
    """Kind and name of what it is attached to; not of those whose boundary it is."""
    paginator = client.get_paginator("list_entities_for_policy")
    pages = paginator.paginate(PolicyArn=arn, PolicyUsageFilter="PermissionsPolicy")
    kinds = {"group": "Group", "role": "Role", "user": "User"}
    return [
        (kind, one[f"{title}Name"])
        for page in pages
        for kind, title in kinds.items()
        for one in page[f"Policy{title}s"]
    ]


@Errors.common_error_handler("create the policy")
@retry
def create_policy(client: t.Any, given: dict[str, t.Any], document: dict[str, t.Any], tags: dict[str, str]) -> t.Any:
    """Create a policy of this name, path and description."""
    return client.create_policy(**given, PolicyDocument=json.dumps(document), Tags=tag_list(tags))


@Errors.common_error_handler("wait for the policy")
def wait_for_policy(client: t.Any, arn: str) -> None:
    """Wait until every part of IAM has seen a new policy: what attaches it comes next."""
    client.get_waiter("policy_exists").wait(PolicyArn=arn)


@Errors.common_error_handler("create a version of the policy")
@retry
def create_version(client: t.Any, arn: str, document: dict[str, t.Any]) -> t.Any:
    """Create a version that is the default from then on."""
    return client.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)


@Errors.deletion_error_handler("delete a version of the policy")
@retry
def delete_version(client: t.Any, arn: str, version: str) -> t.Any:
    """Delete a version; one that is gone is fine."""
    return client.delete_policy_version(PolicyArn=arn, VersionId=version)


@Errors.common_error_handler("tag the policy")
@retry
def tag(client: t.Any, arn: str, tags: dict[str, str]) -> t.Any:
    """Set tags."""
    return client.tag_policy(PolicyArn=arn, Tags=tag_list(tags))


@Errors.common_error_handler("remove tags of the policy")
@retry
def untag(client: t.Any, arn: str, keys: list[str]) -> t.Any:
    """Remove tags."""
    return client.untag_policy(PolicyArn=arn, TagKeys=keys)


@Errors.deletion_error_handler("detach the policy")
@retry
def detach(client: t.Any, arn: str, kind: str, holder: str) -> t.Any:
    """Detach it from a C{role}, C{user} or C{group}; that it is not attached is fine."""
    named = {f"{kind.title()}Name": holder}
    return getattr(client, f"detach_{kind}_policy")(PolicyArn=arn, **named)


@Errors.deletion_error_handler("delete the policy")
@retry
def delete_policy(client: t.Any, arn: str) -> t.Any:
    """Delete a policy; one that is gone is fine."""
    return client.delete_policy(PolicyArn=arn)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls that list the resources of a stack."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

Errors = error_handler()


@Errors.common_error_handler("list the resources that carry the stack's tags")
@AWSRetry.jittered_backoff()
def get_resources(client: t.Any, tags: dict[str, str]) -> list[dict[str, t.Any]]:
    """Tag mappings of every resource of the region that carries all of these tags."""
    filters = [{"Key": key, "Values": [value]} for key, value in tags.items()]
    pages = client.get_paginator("get_resources").paginate(TagFilters=filters)
    return [mapping for page in pages for mapping in page["ResourceTagMappingList"]]


@Errors.common_error_handler("list IAM roles")
@AWSRetry.jittered_backoff()
def list_roles(client: t.Any, path: str) -> list[str]:
    """ARNs of the roles below a path."""
    pages = client.get_paginator("list_roles").paginate(PathPrefix=path)
    return [role["Arn"] for page in pages for role in page["Roles"]]


@Errors.common_error_handler("list IAM instance profiles")
@AWSRetry.jittered_backoff()
def list_instance_profiles(client: t.Any, path: str) -> list[str]:
    """ARNs of the instance profiles below a path."""
    pages = client.get_paginator("list_instance_profiles").paginate(PathPrefix=path)
    return [profile["Arn"] for page in pages for profile in page["InstanceProfiles"]]


@Errors.common_error_handler("list IAM policies")
@AWSRetry.jittered_backoff()
def list_policies(client: t.Any, path: str) -> list[str]:
    """ARNs of the account's own policies below a path."""
    pages = client.get_paginator("list_policies").paginate(PathPrefix=path, Scope="Local")
    return [policy["Arn"] for page in pages for policy in page["Policies"]]


@Errors.common_error_handler("list IAM users")
@AWSRetry.jittered_backoff()
def list_users(client: t.Any, path: str) -> list[str]:
    """ARNs of the users below a path."""
    pages = client.get_paginator("list_users").paginate(PathPrefix=path)
    return [user["Arn"] for page in pages for user in page["Users"]]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls to Cognito's user pools and identity pools: one function each, an error handler over a retry over one line.

Cognito calls are throttled by account (C{TooManyRequestsException}) and refuse to meet another change of the same pool
(C{ConcurrentModificationException}); both pass by themselves.
"""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler
from ansible_collections.palier.aws.plugins.module_utils.cognito_pools import Pool

Document = dict[str, t.Any]
Errors = error_handler("ResourceNotFoundException")

#: Most entries of one answer (Cognito API references, ListUserPools and ListIdentityPools, MaxResults).
PAGE = 60
retry = AWSRetry.jittered_backoff(
    delay=1, catch_extra_error_codes=["TooManyRequestsException", "ConcurrentModificationException"]
)
# A role that was just created is not known everywhere yet; Cognito then says that it is not valid.
role_retry = AWSRetry.jittered_backoff(
    retries=6,
    delay=1,
    max_delay=8,
    catch_extra_error_codes=[
        "TooManyRequestsException",
        "ConcurrentModificationException",
        "InvalidParameterException",
    ],
)


# ---- user pools


@Errors.common_error_handler("list the user pools")
@retry
def list_user_pools(client: t.Any) -> list[Document]:
    """Every user pool of the region, with its id and name."""
    pages = client.get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": PAGE})
    return [pool for page in pages for pool in page["UserPools"]]


@Errors.list_error_handler("describe the user pool")
@retry
def describe_user_pool(client: t.Any, pool_id: str) -> Document | None:
    """A user pool; C{None} when it does not exist."""
    return client.describe_user_pool(UserPoolId=pool_id)["UserPool"]


@Errors.common_error_handler("read the MFA configuration of the user pool")
@retry
def get_user_pool_mfa_config(client: t.Any, pool_id: str) -> Document:
    """How a user pool asks for a second factor."""
    return client.get_user_pool_mfa_config(UserPoolId=pool_id)


@Errors.common_error_handler("list the clients of the user pool")
@retry
def list_user_pool_clients(client: t.Any, pool_id: str) -> list[Document]:
    """The app clients of a user pool, with id and name."""
    pages = client.get_paginator("list_user_pool_clients").paginate(
        UserPoolId=pool_id, PaginationConfig={"PageSize": PAGE}
    )
    return [one for page in pages for one in page["UserPoolClients"]]


@Errors.common_error_handler("describe the client of the user pool")
@retry
def describe_user_pool_client(client: t.Any, pool_id: str, client_id: str) -> Document:
    """An app client. Whether it has a secret is told, the secret itself goes no further than here."""
    described = client.describe_user_pool_client(UserPoolId=pool_id, ClientId=client_id)["UserPoolClient"]
    secret = described.pop("ClientSecret", None)
    return {**described, "HasSecret": secret is not None}


@Errors.common_error_handler("list the groups of the user pool")
@retry
def list_groups(client: t.Any, pool_id: str) -> list[Document]:
    """The groups of a user pool."""
    pages = client.get_paginator("list_groups").paginate(UserPoolId=pool_id, PaginationConfig={"PageSize": PAGE})
    return [group for page in pages for group in page["Groups"]]


def read_pool(client: t.Any, pool_id: str) -> Pool | None:
    """A user pool with all that hangs on it; C{None} when it does not exist."""
    described = describe_user_pool(client, pool_id)
    if described is None:
        return None
    clients = {
        one["ClientName"]: describe_user_pool_client(client, pool_id, one["ClientId"])
        for one in list_user_pool_clients(client, pool_id)
    }
    groups = {group["GroupName"]: group for group in list_groups(client, pool_id)}
    return Pool(described, get_user_pool_mfa_config(client, pool_id), clients, groups)


@Errors.common_error_handler("create the user pool")
@retry
def create_user_pool(client: t.Any, **request: t.Any) -> Document:
    """Create a user pool."""
    return client.create_user_pool(**request)["UserPool"]


@Errors.common_error_handler("update the user pool")
@retry
def update_user_pool(client: t.Any, **request: t.Any) -> t.Any:
    """Replace a user pool's settings."""
    return client.update_user_pool(**request)


@Errors.deletion_error_handler("delete the user pool")
@retry
def delete_user_pool(client: t.Any, **request: t.Any) -> t.Any:
    """Delete a user pool with its users; one that is gone is fine."""
    return client.delete_user_pool(**request)


@Errors.common_error_handler("set the MFA configuration of the user pool")
@retry
def set_user_pool_mfa_config(client: t.Any, **request: t.Any) -> t.Any:
    """Replace how a user pool asks for a second factor."""
    return client.set_user_pool_mfa_config(**request)


@Errors.common_error_handler("add attributes to the user pool")
@retry
def add_custom_attributes(client: t.Any, **request: t.Any) -> t.Any:
    """Add attributes to a user pool's schema."""
    return client.add_custom_attributes(**request)


@Errors.common_error_handler("create the domain of the user pool")
@retry
def create_user_pool_domain(client: t.Any, **request: t.Any) -> t.Any:
    """Give a user pool a domain."""
    return client.create_user_pool_domain(**request)


@Errors.deletion_error_handler("delete the domain of the user pool")
@retry
def delete_user_pool_domain(client: t.Any, **request: t.Any) -> t.Any:
    """Take a user pool's domain away; one that is gone is fine."""
    return client.delete_user_pool_domain(**request)


@Errors.common_error_handler("create the group of the user pool")
@role_retry
def create_group(client: t.Any, **request: t.Any) -> t.Any:
    """Create a group."""
    return client.create_group(**request)


@Errors.common_error_handler("update the group of the user pool")
@role_retry
def update_group(client: t.Any, **request: t.Any) -> t.Any:
    """Replace a group's settings."""
    return client.update_group(**request)


@Errors.deletion_error_handler("delete the group of the user pool")
@retry
def delete_group(client: t.Any, **request: t.Any) -> t.Any:
    """Delete a group, not its users."""
    return client.delete_group(**request)


@Errors.common_error_handler("create the client of the user pool")
@retry
def create_user_pool_client(client: t.Any, **request: t.Any) -> None:
    """Create an app client; its secret, if any, goes no further."""
    client.create_user_pool_client(**request)


@Errors.common_error_handler("update the client of the user pool")
@retry
def update_user_pool_client(client: t.Any, **request: t.Any) -> None:
    """Replace an app client's settings."""
    client.update_user_pool_client(**request)


@Errors.deletion_error_handler("delete the client of the user pool")
@retry
def delete_user_pool_client(client: t.Any, **request: t.Any) -> t.Any:
    """Delete an app client."""
    return client.delete_user_pool_client(**request)


@Errors.common_error_handler("tag the user pool")
@retry
def tag_resource(client: t.Any, arn: str, tags: dict[str, str]) -> t.Any:
    """Set tags of a user pool or an identity pool."""
    return client.tag_resource(ResourceArn=arn, Tags=tags)


@Errors.common_error_handler("take tags off the user pool")
@retry
def untag_resource(client: t.Any, arn: str, keys: list[str]) -> t.Any:
    """Take tags off a user pool or an identity pool."""
    return client.untag_resource(ResourceArn=arn, TagKeys=keys)


def set_tags(client: t.Any, arn: str, before: dict[str, str], after: dict[str, str]) -> None:
    """Bring the tags of a pool from one set to another."""
    gone = sorted(before.keys() - after.keys())
    if gone:
        untag_resource(client, arn, gone)
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    if changed:
        tag_resource(client, arn, changed)


# ---- identity pools


@Errors.common_error_handler("list the identity pools")
@retry
def list_identity_pools(client: t.Any) -> list[Document]:
    """Every identity pool of the region, with its id and name."""
    pages = client.get_paginator("list_identity_pools").paginate(PaginationConfig={"PageSize": PAGE})
    return [pool for page in pages for pool in page["IdentityPools"]]


@Errors.list_error_handler("describe the identity pool")
@retry
def describe_identity_pool(client: t.Any, pool_id: str) -> Document | None:
    """An identity pool; C{None} when it does not exist."""
    return client.describe_identity_pool(IdentityPoolId=pool_id)


@Errors.list_error_handler("read the roles of the identity pool", {})
@retry
def get_identity_pool_roles(client: t.Any, pool_id: str) -> Document:
    """Which roles the identities of a pool take on."""
    return client.get_identity_pool_roles(IdentityPoolId=pool_id)


@Errors.common_error_handler("create the identity pool")
@retry
def create_identity_pool(client: t.Any, **request: t.Any) -> Document:
    """Create an identity pool."""
    return client.create_identity_pool(**request)


@Errors.common_error_handler("update the identity pool")
@retry
def update_identity_pool(client: t.Any, **request: t.Any) -> t.Any:
    """Replace an identity pool's settings."""
    return client.update_identity_pool(**request)


@Errors.common_error_handler("set the roles of the identity pool")
@role_retry
def set_identity_pool_roles(client: t.Any, **request: t.Any) -> t.Any:
    """Replace the roles of an identity pool."""
    return client.set_identity_pool_roles(**request)


@Errors.deletion_error_handler("delete the identity pool")
@retry
def delete_identity_pool(client: t.Any, **request: t.Any) -> t.Any:
    """Delete an identity pool; one that is gone is fine."""
    return client.delete_identity_pool(**request)

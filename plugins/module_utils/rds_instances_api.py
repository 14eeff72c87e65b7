# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of the C{rds_instance} module, one function each."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

InstanceErrors = error_handler("DBInstanceNotFound", "DBInstanceNotFoundFault")
KeyErrors = error_handler("NotFoundException", "AccessDeniedException")


@InstanceErrors.list_error_handler("describe DB instance", [])
@AWSRetry.jittered_backoff()
def describe_db_instance(client: t.Any, identifier: str) -> list[dict[str, t.Any]]:
    """The instance's record in a list, or an empty list."""
    return client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]


@InstanceErrors.common_error_handler("create DB instance")
@AWSRetry.jittered_backoff()
def create_db_instance(client: t.Any, **parameters: t.Any) -> dict[str, t.Any]:
    """Start to create an instance; returns its record."""
    return client.create_db_instance(**parameters)["DBInstance"]


@InstanceErrors.common_error_handler("create DB instance read replica")
@AWSRetry.jittered_backoff()
def create_db_instance_read_replica(client: t.Any, **parameters: t.Any) -> dict[str, t.Any]:
    """Start to create a read replica; returns its record."""
    return client.create_db_instance_read_replica(**parameters)["DBInstance"]


@InstanceErrors.common_error_handler("modify DB instance")
@AWSRetry.jittered_backoff()
def modify_db_instance(client: t.Any, **parameters: t.Any) -> dict[str, t.Any]:
    """Ask for changes; returns the instance's record."""
    return client.modify_db_instance(**parameters)["DBInstance"]


@InstanceErrors.common_error_handler("promote read replica")
@AWSRetry.jittered_backoff()
def promote_read_replica(client: t.Any, **parameters: t.Any) -> dict[str, t.Any]:
    """Make a read replica an instance of its own; returns its record."""
    return client.promote_read_replica(**parameters)["DBInstance"]


@InstanceErrors.common_error_handler("reboot DB instance")
@AWSRetry.jittered_backoff()
def reboot_db_instance(client: t.Any, identifier: str) -> dict[str, t.Any]:
    """Restart the instance; returns its record."""
    return client.reboot_db_instance(DBInstanceIdentifier=identifier)["DBInstance"]


@InstanceErrors.deletion_error_handler("delete DB instance")
@AWSRetry.jittered_backoff()
def delete_db_instance(client: t.Any, **parameters: t.Any) -> dict[str, t.Any] | bool:
    """Start to delete the instance; ``False`` when there is none."""
    return client.delete_db_instance(**parameters)["DBInstance"]


@InstanceErrors.common_error_handler("tag DB instance")
@AWSRetry.jittered_backoff()
def add_tags(client: t.Any, arn: str, tags: list[dict[str, str]]) -> None:
    """Set tags."""
    client.add_tags_to_resource(ResourceName=arn, Tags=tags)


@InstanceErrors.common_error_handler("untag DB instance")
@AWSRetry.jittered_backoff()
def remove_tags(client: t.Any, arn: str, keys: list[str]) -> None:
    """Remove tags."""
    client.remove_tags_from_resource(ResourceName=arn, TagKeys=keys)


@KeyErrors.list_error_handler("resolve KMS alias", None)
@AWSRetry.jittered_backoff()
def key_arn(client: t.Any, alias: str) -> str | None:
    """The ARN of the key behind an alias; ``None`` when it is not there or may not be read."""
    return client.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]


@InstanceErrors.common_error_handler("read the secret of the master password")
@AWSRetry.jittered_backoff()
def secret_string(client: t.Any, secret_id: str) -> str:
    """The text of a secret."""
    return client.get_secret_value(SecretId=secret_id)["SecretString"]

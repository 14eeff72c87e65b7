# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of the restore modules: one function each."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from .aws import error_handler
from .restore import RESTORED_FOR
from .snapshots_api import tag_list

Raw = dict[str, t.Any]

Errors = error_handler("InvalidVolume.NotFound")
_retry = AWSRetry.jittered_backoff(retries=8, delay=2, max_delay=30)


@Errors.common_error_handler("restore a database from a snapshot")
@_retry
def restore_from_snapshot(rds: t.Any, snapshot: str, identifier: str, tags: dict[str, str], settings: Raw) -> None:
    """Begin to restore; AWS refuses a second one of the same identifier."""
    rds.restore_db_instance_from_db_snapshot(
        DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=identifier, Tags=tag_list(tags), **settings
    )


@Errors.common_error_handler("restore a database to a point in time")
@_retry
def restore_to_time(rds: t.Any, source: str, identifier: str, tags: dict[str, str], settings: Raw) -> None:
    """Begin to restore; AWS refuses a second one of the same identifier."""
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=source, TargetDBInstanceIdentifier=identifier, Tags=tag_list(tags), **settings
    )


@Errors.common_error_handler("rename a database")
@_retry
def rename_database(rds: t.Any, old: str, new: str) -> None:
    """Begin to rename."""
    rds.modify_db_instance(DBInstanceIdentifier=old, NewDBInstanceIdentifier=new, ApplyImmediately=True)


@Errors.common_error_handler("list the restored volumes")
@_retry
def restored_volumes(ec2: t.Any, instance: str) -> list[Raw]:
    """The volumes that were restored for an instance."""
    pages = ec2.get_paginator("describe_volumes").paginate(
        Filters=[{"Name": f"tag:{RESTORED_FOR}", "Values": [instance]}]
    )
    return pages.build_full_result()["Volumes"]


@Errors.list_error_handler("describe the present volumes", [])
@_retry
def describe_volumes(ec2: t.Any, ids: list[str]) -> list[Raw]:
    """Volumes by id."""
    return ec2.describe_volumes(VolumeIds=ids)["Volumes"] if ids else []


@Errors.common_error_handler("create a volume")
@_retry
def create_volume(ec2: t.Any, snapshot: str, zone: str, tags: dict[str, str], options: Raw) -> None:
    """Make a volume of a snapshot; with the same tags a second call makes no second one."""
    # AWS makes one volume for a token, whatever becomes of the answers.
    token = hashlib.sha256(repr(sorted(tags.items())).encode()).hexdigest()[:64]
    ec2.create_volume(
        SnapshotId=snapshot,
        AvailabilityZone=zone,
        ClientToken=token,
        TagSpecifications=[{"ResourceType": "volume", "Tags": tag_list(tags)}],
        **options,
    )


@Errors.common_error_handler("stop the instance")
@_retry
def stop_instance(ec2: t.Any, instance: str) -> None:
    """Begin to stop; again is fine."""
    ec2.stop_instances(InstanceIds=[instance])


@Errors.common_error_handler("start the instance")
@_retry
def start_instance(ec2: t.Any, instance: str) -> None:
    """Begin to start; again is fine."""
    ec2.start_instances(InstanceIds=[instance])


@Errors.common_error_handler("detach a volume")
@_retry
def detach_volume(ec2: t.Any, volume: str, instance: str) -> None:
    """Begin to detach."""
    ec2.detach_volume(VolumeId=volume, InstanceId=instance)


@Errors.common_error_handler("attach a volume")
@_retry
def attach_volume(ec2: t.Any, volume: str, instance: str, device: str) -> None:
    """Begin to attach."""
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=device)

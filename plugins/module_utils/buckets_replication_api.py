# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The S3 calls about replication, one function each."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

Document = dict[str, t.Any]

Errors = error_handler("NoSuchBucket", "ReplicationConfigurationNotFoundError", "404")
read_retry = AWSRetry.jittered_backoff(delay=1, catch_extra_error_codes=["OperationAborted", "SlowDown"])
# S3 goes on saying for some seconds that a new bucket is not there or has no versioning (InvalidRequest). A request
# that is refused for good costs these tries too, so they are few: at most 1 + 2 + 4 + 8 seconds.
write_retry = AWSRetry.jittered_backoff(
    retries=5, delay=1, max_delay=8, catch_extra_error_codes=["InvalidRequest", "NoSuchBucket", "OperationAborted"]
)


@Errors.list_error_handler("get the replication of the bucket")
@read_retry
def get_replication(client: t.Any, bucket: str) -> Document | None:
    """A bucket's replication; C{None} when it has none, or does not exist."""
    return client.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]


@Errors.common_error_handler("set the replication of the bucket")
@write_retry
def put_replication(client: t.Any, bucket: str, configuration: Document) -> t.Any:
    """Replace a bucket's replication."""
    return client.put_bucket_replication(Bucket=bucket, ReplicationConfiguration=configuration)


@Errors.deletion_error_handler("delete the replication of the bucket")
@read_retry
def delete_replication(client: t.Any, bucket: str) -> t.Any:
    """Take a bucket's replication away; none is fine."""
    return client.delete_bucket_replication(Bucket=bucket)

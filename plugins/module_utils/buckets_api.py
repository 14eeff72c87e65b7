# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The S3 calls about a bucket and its settings, one function each.

A write right after CreateBucket may meet a part of S3 that does not know the bucket yet (``NoSuchBucket``), and S3
refuses a second change while a first is under way (``OperationAborted``): both pass by themselves, so both are retried.
"""

from __future__ import annotations

import json
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError, is_ansible_aws_error_code
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler
from ansible_collections.palier.aws.plugins.module_utils.buckets import bucket_label, opens, taken_message
from ansible_collections.palier.aws.plugins.module_utils.buckets_shapes import PUBLIC_ACCESS
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

BucketErrors = error_handler(
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchCORSConfiguration",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "NoSuchWebsiteConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
)

read_retry = AWSRetry.jittered_backoff(delay=1, catch_extra_error_codes=["OperationAborted", "SlowDown"])
write_retry = AWSRetry.jittered_backoff(
    delay=1, catch_extra_error_codes=["NoSuchBucket", "OperationAborted", "SlowDown"]
)
# S3 goes on refusing for some seconds after a public access block was opened or a principal was created. A policy that
# is refused for good costs these tries too, so they are few: at most 1 + 2 + 4 + 8 + 8 seconds.
policy_retry = AWSRetry.jittered_backoff(
    retries=6, delay=1, max_delay=8, catch_extra_error_codes=["AccessDenied", "MalformedPolicy", "OperationAborted"]
)


def region_of(client: t.Any) -> str:
    """The region that the client works in; S3's own default is us-east-1."""
    region = client.meta.region_name
    return "us-east-1" if region in (None, "aws-global") else str(region)


# ---- the bucket itself


@BucketErrors.list_error_handler("look up the bucket")
@read_retry
def head_bucket(client: t.Any, bucket: str) -> t.Any:
    return client.head_bucket(Bucket=bucket)


def find_bucket(client: t.Any, bucket: str) -> str | None:
    """The region of a bucket (``""`` where S3 does not say), or ``None`` when there is no such bucket.

    :raises AnsibleAWSError: when the bucket is somebody else's.
    """
    try:
        answer = head_bucket(client, bucket)
    except is_ansible_aws_error_code(["403", "AccessDenied"]) as error:
        raise AnsibleAWSError(message=taken_message(bucket), exception=error.exception) from error
    if answer is None:
        return None
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return answer.get("BucketRegion") or headers.get("x-amz-bucket-region") or ""


@BucketErrors.common_error_handler("create the bucket")
@AWSRetry.jittered_backoff(delay=2, catch_extra_error_codes=["OperationAborted", "SlowDown"])
def _create_bucket(client: t.Any, **request: t.Any) -> t.Any:
    return client.create_bucket(**request)


@BucketErrors.common_error_handler("wait until the bucket exists")
def wait_for_bucket(client: t.Any, bucket: str) -> None:
    client.get_waiter("bucket_exists").wait(Bucket=bucket, WaiterConfig={"Delay": 2, "MaxAttempts": 30})


@BucketErrors.common_error_handler("wait until the bucket is gone")
def wait_for_no_bucket(client: t.Any, bucket: str) -> None:
    client.get_waiter("bucket_not_exists").wait(Bucket=bucket, WaiterConfig={"Delay": 2, "MaxAttempts": 30})


def create_bucket(client: t.Any, bucket: str) -> None:
    """Create a bucket in the client's region; one that this account has by now is fine.

    :raises AnsibleAWSError: when another account has the name.
    """
    region = region_of(client)
    # S3 refuses us-east-1 as a location constraint, and every other region without one.
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        _create_bucket(client, Bucket=bucket, **where)
    except is_ansible_aws_error_code("BucketAlreadyOwnedByYou"):
        pass
    except is_ansible_aws_error_code("BucketAlreadyExists") as error:
        raise AnsibleAWSError(message=taken_message(bucket), exception=error.exception) from error
    wait_for_bucket(client, bucket)


@BucketErrors.deletion_error_handler("delete the bucket")
@read_retry
def _delete_bucket(client: t.Any, bucket: str) -> t.Any:
    return client.delete_bucket(Bucket=bucket)


# ---- reading settings


@BucketErrors.list_error_handler("get the bucket's versioning", False)
@read_retry
def get_versioning(client: t.Any, bucket: str) -> bool:
    return client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"


@BucketErrors.list_error_handler("get the bucket's encryption")
@read_retry
def get_encryption(client: t.Any, bucket: str) -> t.Any:
    return client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]


@BucketErrors.list_error_handler("get the bucket's public access block")
@read_retry
def get_public_access_block(client: t.Any, bucket: str) -> dict[str, bool]:
    found = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    return {ours: found.get(theirs, False) for ours, theirs in PUBLIC_ACCESS.items()}


@BucketErrors.list_error_handler("get the bucket's object ownership")
@read_retry
def get_object_ownership(client: t.Any, bucket: str) -> str:
    return client.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"][0]["ObjectOwnership"]


@BucketErrors.list_error_handler("get the bucket's policy")
@read_retry
def get_policy(client: t.Any, bucket: str) -> t.Any:
    return json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])


@BucketErrors.list_error_handler("get the bucket's website configuration")
@read_retry
def get_website(client: t.Any, bucket: str) -> t.Any:
    answer = client.get_bucket_website(Bucket=bucket)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


@BucketErrors.list_error_handler("get the bucket's access logging")
@read_retry
def get_logging(client: t.Any, bucket: str) -> t.Any:
    return client.get_bucket_logging(Bucket=bucket).get("LoggingEnabled")


@BucketErrors.list_error_handler("get the bucket's lifecycle rules")
@read_retry
def get_lifecycle(client: t.Any, bucket: str) -> t.Any:
    return client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules")


@BucketErrors.list_error_handler("get the bucket's CORS rules")
@read_retry
def get_cors(client: t.Any, bucket: str) -> t.Any:
    return client.get_bucket_cors(Bucket=bucket).get("CORSRules")


@BucketErrors.list_error_handler("get the bucket's tags")
@read_retry
def get_tags(client: t.Any, bucket: str) -> t.Any:
    return boto3_tag_list_to_ansible_dict(client.get_bucket_tagging(Bucket=bucket)["TagSet"])


# ---- writing settings


@BucketErrors.common_error_handler("set the bucket's versioning")
@write_retry
def put_versioning(client: t.Any, bucket: str, enabled: bool) -> t.Any:
    status = "Enabled" if enabled else "Suspended"
    return client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


@BucketErrors.common_error_handler("set the bucket's encryption")
@write_retry
def put_encryption(client: t.Any, bucket: str, rule: t.Any) -> t.Any:
    return client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


@BucketErrors.common_error_handler("set the bucket's public access block")
@write_retry
def put_public_access_block(client: t.Any, bucket: str, block: dict[str, bool]) -> t.Any:
    wanted = {theirs: block[ours] for ours, theirs in PUBLIC_ACCESS.items()}
    return client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=wanted)


@BucketErrors.common_error_handler("set the bucket's object ownership")
@write_retry
def put_object_ownership(client: t.Any, bucket: str, ownership: str) -> t.Any:
    controls = {"Rules": [{"ObjectOwnership": ownership}]}
    return client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)


@BucketErrors.common_error_handler("set the bucket's policy")
@write_retry
def _put_policy(client: t.Any, bucket: str, policy: t.Any) -> t.Any:
    return client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


@BucketErrors.common_error_handler("set the bucket's policy")
@policy_retry
def _put_policy_patiently(client: t.Any, bucket: str, policy: t.Any) -> t.Any:
    return client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


@BucketErrors.deletion_error_handler("remove the bucket's policy")
@write_retry
def _delete_policy(client: t.Any, bucket: str) -> t.Any:
    return client.delete_bucket_policy(Bucket=bucket)


def put_policy(client: t.Any, bucket: str, policy: t.Any, opened: bool = False) -> t.Any:
    """Set or remove the policy.

    :param opened: whether the public access block was opened just before.
    """
    if policy is None:
        return _delete_policy(client, bucket)
    try:
        return _put_policy(client, bucket, policy)
    except is_ansible_aws_error_code(["AccessDenied", "MalformedPolicy"]) as error:
        if opened or "principal" in str(error).lower():
            return _put_policy_patiently(client, bucket, policy)
        raise


@BucketErrors.common_error_handler("set the bucket's website configuration")
@write_retry
def _put_website(client: t.Any, bucket: str, website: t.Any) -> t.Any:
    return client.put_bucket_website(Bucket=bucket, WebsiteConfiguration=website)


@BucketErrors.deletion_error_handler("remove the bucket's website configuration")
@read_retry
def _delete_website(client: t.Any, bucket: str) -> t.Any:
    return client.delete_bucket_website(Bucket=bucket)


@BucketErrors.common_error_handler("set the bucket's access logging")
@write_retry
def put_logging(client: t.Any, bucket: str, logging: t.Any) -> t.Any:
    status = {"LoggingEnabled": logging} if logging else {}
    return client.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=status)


@BucketErrors.common_error_handler("set the bucket's lifecycle rules")
@write_retry
def _put_lifecycle(client: t.Any, bucket: str, rules: t.Any) -> t.Any:
    return client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


@BucketErrors.deletion_error_handler("remove the bucket's lifecycle rules")
@read_retry
def _delete_lifecycle(client: t.Any, bucket: str) -> t.Any:
    return client.delete_bucket_lifecycle(Bucket=bucket)


@BucketErrors.common_error_handler("set the bucket's CORS rules")
@write_retry
def _put_cors(client: t.Any, bucket: str, rules: t.Any) -> t.Any:
    return client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})


@BucketErrors.deletion_error_handler("remove the bucket's CORS rules")
@read_retry
def _delete_cors(client: t.Any, bucket: str) -> t.Any:
    return client.delete_bucket_cors(Bucket=bucket)


@BucketErrors.common_error_handler("set the bucket's tags")
@write_retry
def _put_tags(client: t.Any, bucket: str, tags: dict[str, str]) -> t.Any:
    return client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": ansible_dict_to_boto3_tag_list(tags)})


@BucketErrors.deletion_error_handler("remove the bucket's tags")
@read_retry
def _delete_tags(client: t.Any, bucket: str) -> t.Any:
    return client.delete_bucket_tagging(Bucket=bucket)


def _or_delete(put: t.Callable[..., t.Any], delete: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """A writer that removes the setting when its value is ``None``."""
    return lambda client, bucket, value: delete(client, bucket) if value is None else put(client, bucket, value)


READERS: dict[str, t.Callable[..., t.Any]] = {
    "cors_rules": get_cors,
    "encryption": get_encryption,
    "lifecycle_rules": get_lifecycle,
    "logging": get_logging,
    "object_ownership": get_object_ownership,
    "policy": get_policy,
    "public_access_block": get_public_access_block,
    "tags": get_tags,
    "versioning": get_versioning,
    "website": get_website,
}

WRITERS: dict[str, t.Callable[..., t.Any]] = {
    "cors_rules": _or_delete(_put_cors, _delete_cors),
    "encryption": put_encryption,
    "lifecycle_rules": _or_delete(_put_lifecycle, _delete_lifecycle),
    "logging": put_logging,
    "object_ownership": put_object_ownership,
    "policy": put_policy,
    "public_access_block": put_public_access_block,
    "tags": _or_delete(_put_tags, _delete_tags),
    "versioning": put_versioning,
    "website": _or_delete(_put_website, _delete_website),
}


def read_settings(client: t.Any, bucket: str, names: list[str]) -> dict[str, t.Any]:
    """The named settings, read side by side: each is a call of its own, and S3 has no call for several."""
    with ThreadPoolExecutor(max_workers=min(len(names), 8)) as pool:
        return dict(zip(names, pool.map(lambda name: READERS[name](client, bucket), names), strict=True))


def carry_out(client: t.Any, bucket: str, steps: list[Step], current: dict[str, t.Any] | None) -> None:
    """Carry out the steps of a plan of state present, in their order.

    :param current: the settings from which the plan was made, or ``None`` for a new bucket.
    """
    writes = [step for step in steps if step.changes and step.resource == bucket_label(bucket)]
    changes = {name: value for step in writes for name, value in step.after.items()}
    if any(step.verb == "create" for step in writes):
        create_bucket(client, bucket)
    for name, value in changes.items():
        extra = {"opened": opens(changes, current)} if name == "policy" else {}
        WRITERS[name](client, bucket, value, **extra)


# ---- the content


@BucketErrors.list_error_handler("list the bucket's content", {})
@read_retry
def _first_version(client: t.Any, bucket: str) -> t.Any:
    return client.list_object_versions(Bucket=bucket, MaxKeys=1)


def first_key(client: t.Any, bucket: str) -> str | None:
    """The key of one object version or delete marker of the bucket, or ``None`` when it has neither."""
    page = _first_version(client, bucket)
    found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return found[0]["Key"] if found else None


def _version_pages(client: t.Any, bucket: str) -> t.Iterator[list[dict[str, str]]]:
    """Batches of at most 1,000 versions and delete markers, which is also what one DeleteObjects takes."""
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        yield [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]


@read_retry
def _delete_objects(client: t.Any, bucket: str, objects: list[dict[str, str]]) -> list[dict[str, str]]:
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    return answer.get("Errors", [])


@BucketErrors.deletion_error_handler("abort the bucket's multipart uploads")
def _abort_uploads(client: t.Any, bucket: str) -> None:
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


@BucketErrors.deletion_error_handler("empty the bucket")
def empty_bucket(client: t.Any, bucket: str) -> None:
    """Delete every object version, delete marker and unfinished upload.

    :raises AnsibleAWSError: when S3 refuses some, for example under an object lock.
    """
    for objects in _version_pages(client, bucket):
        refused = _delete_objects(client, bucket, objects) if objects else []
        if refused:
            raise AnsibleAWSError(
                message=f"S3 refused to delete {len(refused)} objects of {bucket}, the first is "
                f"{refused[0].get('Key')}: {refused[0].get('Code')} {refused[0].get('Message', '')}"
            )
    _abort_uploads(client, bucket)


def delete_bucket(client: t.Any, bucket: str, force: bool, tries: int = 5) -> None:
    """Delete the bucket, with force also what is in it.

    :param tries: how often to empty it again when something was written in between (access logs still arrive).
    """
    for attempt in range(tries):
        if force:
            empty_bucket(client, bucket)
        try:
            _delete_bucket(client, bucket)
        except is_ansible_aws_error_code("BucketNotEmpty"):
            if not force or attempt + 1 == tries:
                raise
        else:
            break
    wait_for_no_bucket(client, bucket)

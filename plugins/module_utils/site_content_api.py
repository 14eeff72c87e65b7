# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The S3 calls about the content of a site, one function each."""

from __future__ import annotations

import base64
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler
from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from ansible_collections.palier.aws.plugins.module_utils.site_content import LocalFile, Remote, RemoteObject
from ansible_collections.palier.aws.plugins.module_utils.site_content_files import digest_file
from ansible_collections.palier.aws.plugins.module_utils.site_content_types import is_page

ContentErrors = error_handler("NoSuchBucket", "NoSuchKey", "404")

retry = AWSRetry.jittered_backoff(delay=1, catch_extra_error_codes=["SlowDown", "OperationAborted"])

#: Bytes from which a file is uploaded in parts; one PutObject takes 5 GiB at most.
MULTIPART_FROM = 64 << 20
#: Keys that one DeleteObjects takes.
DELETE_BATCH = 1000


@ContentErrors.list_error_handler("list the bucket's objects")
@retry
def _list_objects(client: t.Any, bucket: str, prefix: str) -> t.Any:
    return client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix).build_full_result()


def find_objects(client: t.Any, bucket: str, prefix: str) -> Remote | None:
    """The objects below a prefix, by path below it; ``None`` when there is no such bucket."""
    answer = _list_objects(client, bucket, prefix)
    if answer is None:
        return None
    return {
        one["Key"].removeprefix(prefix): RemoteObject(one["Size"], one["ETag"].strip('"'))
        for one in answer.get("Contents", [])
    }


@ContentErrors.list_error_handler("look at an object", {})
@retry
def head_object(client: t.Any, bucket: str, key: str) -> dict[str, str | None]:
    """How an object is served, and the hash with which this collection uploaded it."""
    answer = client.head_object(Bucket=bucket, Key=key)
    return {
        "content_type": answer.get("ContentType"),
        "cache_control": answer.get("CacheControl"),
        "sha256": answer.get("Metadata", {}).get("sha256"),
    }


@ContentErrors.common_error_handler("upload a file")
@retry
def _put_object(client: t.Any, path: str, md5: str, request: dict[str, t.Any]) -> None:
    digest = base64.b64encode(bytes.fromhex(md5)).decode()
    with open(path, "rb") as body:
        client.put_object(Body=body, ContentMD5=digest, **request)


@ContentErrors.common_error_handler("upload a file in parts")
def _upload_in_parts(client: t.Any, path: str, request: dict[str, t.Any]) -> None:
    from boto3.exceptions import S3UploadFailedError

    where = {"Bucket": request["Bucket"], "Key": request["Key"]}
    extra = {key: value for key, value in request.items() if key not in where}
    try:
        client.upload_file(path, ExtraArgs=extra, **where)
    except S3UploadFailedError as error:
        raise AnsibleAWSError(message=f"Failed to upload {path}", exception=error) from error


def upload(client: t.Any, bucket: str, key: str, path: str, file: LocalFile) -> None:
    """Upload a file with its headers and, to find it unchanged later, its hash.

    :param key: the object's whole key.
    :param path: the file on this machine.
    """
    digests = digest_file(path)
    request = {
        "Bucket": bucket,
        "Key": key,
        "ContentType": file.content_type,
        "CacheControl": file.cache_control,
        "Metadata": {"sha256": digests.sha256},
    }
    if file.size < MULTIPART_FROM:
        _put_object(client, path, digests.md5, request)
    else:
        _upload_in_parts(client, path, request)


@ContentErrors.common_error_handler("delete objects")
@retry
def _delete_objects(client: t.Any, bucket: str, keys: list[str]) -> t.Any:
    return client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})


def delete(client: t.Any, bucket: str, keys: list[str]) -> None:
    """Delete objects; in a versioned bucket they get a delete marker.

    :raises AnsibleAWSError: when S3 refuses to delete some.
    """
    for start in range(0, len(keys), DELETE_BATCH):
        refused = _delete_objects(client, bucket, keys[start : start + DELETE_BATCH]).get("Errors", [])
        if refused:
            raise AnsibleAWSError(
                message=f"S3 refused to delete {len(refused)} objects of {bucket}, the first is "
                f"{refused[0].get('Key')}: {refused[0].get('Code')} {refused[0].get('Message', '')}"
            )


Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


def side_by_side(do: t.Callable[[Item], Result], items: t.Sequence[Item], concurrency: int) -> list[Result]:
    """Do something for each item, some at a time, and return the results in the items' order.

    After an error nothing new is begun, and the error is raised.
    """
    pool = ThreadPoolExecutor(max_workers=concurrency)
    try:
        return list(pool.map(do, items))
    finally:
        pool.shutdown(cancel_futures=True)


def carry_out(
    client: t.Any,
    bucket: str,
    prefix: str,
    steps: list[Step],
    files: dict[str, tuple[str, LocalFile]],
    concurrency: int,
) -> None:
    """Carry out a plan: all assets are there before the first page is, and nothing goes before the last page is.

    :param prefix: the normal prefix.
    :param files: the path on this machine and the description of each file, by path in the site.
    :param concurrency: uploads at a time.
    """
    uploads = [step.after["path"] for step in steps if step.verb == "upload"]
    for pages in (False, True):
        keys = [key for key in uploads if is_page(key) is pages]
        side_by_side(lambda key: upload(client, bucket, prefix + key, *files[key]), keys, concurrency)
    delete(client, bucket, [prefix + step.before["path"] for step in steps if step.verb == "delete"])

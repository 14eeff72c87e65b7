# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The S3 calls about the builds of a site, one function each."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils import site_content_api as content
from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from ansible_collections.palier.aws.plugins.module_utils.site_build import State, Version, newest_first
from ansible_collections.palier.aws.plugins.module_utils.site_content_types import is_page


@content.ContentErrors.list_error_handler("list the versions of the bucket's objects")
@content.retry
def _list_versions(client: t.Any, bucket: str) -> t.Any:
    return client.get_paginator("list_object_versions").paginate(Bucket=bucket).build_full_result()


def find_versions(client: t.Any, bucket: str) -> dict[str, list[Version]] | None:
    """The versions of each object, the newest first; ``None`` when there is no such bucket."""
    answer = _list_versions(client, bucket)
    if answer is None:
        return None
    found: dict[str, list[Version]] = {}
    for kind in ("Versions", "DeleteMarkers"):
        for one in answer.get(kind) or []:
            etag = one["ETag"].strip('"') if kind == "Versions" else None
            version = Version(one["LastModified"], one["VersionId"], etag, bool(one.get("IsLatest")))
            found.setdefault(one["Key"], []).append(version)
    return {key: newest_first(versions) for key, versions in found.items()}


@content.ContentErrors.common_error_handler("read the headers of a version")
@content.retry
def _head_version(client: t.Any, source: dict[str, str]) -> t.Any:
    return client.head_object(**source)


@content.ContentErrors.common_error_handler("restore a version")
@content.retry
def _copy_version(client: t.Any, source: dict[str, str]) -> None:
    client.copy_object(Bucket=source["Bucket"], Key=source["Key"], CopySource=source)


@content.ContentErrors.common_error_handler("restore a version in parts")
def _copy_in_parts(client: t.Any, source: dict[str, str], headers: dict[str, t.Any]) -> None:
    from boto3.s3.transfer import TransferConfig

    # The parts are those of the upload, so that the ETag, which is made from them, stays what it was.
    config = TransferConfig(multipart_threshold=1)
    client.copy(source, source["Bucket"], source["Key"], ExtraArgs=headers, Config=config)


def restore(client: t.Any, bucket: str, key: str, version: Version) -> None:
    """Make a copy of an older version the one that is served, with its headers."""
    source = {"Bucket": bucket, "Key": key, "VersionId": version.id}
    if "-" not in str(version.etag):
        _copy_version(client, source)
        return
    head = _head_version(client, source)
    _copy_in_parts(client, source, {name: head[name] for name in ("ContentType", "CacheControl", "Metadata")})


def carry_out(client: t.Any, bucket: str, steps: list[Step], wanted: State, concurrency: int) -> None:
    """Carry out a plan: all assets are there before the first page is, and nothing goes before the last page is.

    :param wanted: the build.
    :param concurrency: requests at a time.
    """
    restored = [step.after["path"] for step in steps if step.verb == "restore"]
    for pages in (False, True):
        keys = [key for key in restored if is_page(key) is pages]
        content.side_by_side(lambda key: restore(client, bucket, key, wanted[key]), keys, concurrency)
    content.delete(client, bucket, [step.before["path"] for step in steps if step.verb == "delete"])

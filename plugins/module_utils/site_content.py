# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to a bucket so that it has the content of a local directory."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from ansible_collections.palier.aws.plugins.module_utils.site_content_types import is_hashed, is_page, matches


@dataclass(frozen=True)
class LocalFile:
    """A file of the site.

    :param size: bytes.
    :param content_type: the Content-Type with which it shall be served.
    :param cache_control: the Cache-Control with which it shall be served.
    :param md5: hash, known where it is needed to decide.
    :param sha256: hash, likewise.
    """

    size: int
    content_type: str
    cache_control: str
    md5: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class RemoteObject:
    """An object in the bucket.

    :param size: bytes.
    :param etag: the ETag without quotes. It is the MD5 unless the object came in parts or is encrypted with a KMS key.
    :param head: what HeadObject says of it (``content_type``, ``cache_control``, ``sha256``), if it was asked.
    """

    size: int
    etag: str
    head: t.Mapping[str, str | None] | None = None


Local = dict[str, LocalFile]
Remote = dict[str, RemoteObject]


def normal_prefix(prefix: str) -> str:
    """The prefix with a slash at its end and none before it, so that ``site`` never covers ``site-old``."""
    stripped = prefix.strip("/")
    return f"{stripped}/" if stripped else ""


def digests_needed(local: Local, remote: Remote) -> list[str]:
    """The files whose content must be read to decide: of another size, it is another content."""
    return [key for key, file in local.items() if key in remote and remote[key].size == file.size]


def heads_needed(local: Local, remote: Remote, compare: str) -> list[str]:
    """The objects of which HeadObject must be asked to decide.

    :param local: the site, with the hashes of L{digests_needed}.
    :param compare: ``content`` asks only where the ETag cannot tell, ``metadata`` asks for every object that may stay.
    """
    same_size = digests_needed(local, remote)
    return [key for key in same_size if compare == "metadata" or local[key].md5 != remote[key].etag]


def object_label(bucket: str, key: str) -> str:
    """An object in the reader's words."""
    return f"s3 object {bucket}/{key}"


def plan_sync(
    bucket: str, prefix: str, local: Local, remote: Remote, compare: str, delete: bool, excludes: list[str]
) -> list[Step]:
    """What makes the bucket's content that of the site.

    :param prefix: the normal prefix, before every key.
    :param local: the site by path, with the hashes that are needed to decide.
    :param remote: the objects by path below the prefix, with the heads that are needed to decide.
    :param delete: whether objects that the site no longer has are removed.
    :param excludes: patterns of paths that are neither uploaded nor removed.
    :returns: uploads of assets, then of pages, then removals; a page so never names what is not there yet or no more.
    """
    reasons = {key: upload_reason(file, remote.get(key), compare) for key, file in local.items()}
    wanted = sorted((key for key in local if reasons[key]), key=lambda key: (is_page(key), key))
    gone = sorted(key for key in remote if key not in local and not matches(key, excludes)) if delete else []
    steps = [
        Step(
            "upload",
            object_label(bucket, prefix + key),
            reasons[key],
            _values(key, remote.get(key)),
            _after(key, local),
        )
        for key in wanted
    ]
    steps += [
        Step("delete", object_label(bucket, prefix + key), "is not in the site", _values(key, remote[key]))
        for key in gone
    ]
    return steps or [Step("keep", f"content of s3 bucket {bucket}/{prefix}", "is as wanted")]


def upload_reason(file: LocalFile, found: RemoteObject | None, compare: str) -> str:
    """Why a file is uploaded, or ``""`` when it need not be."""
    if found is None:
        return "is new"
    if file.size != found.size or not _same_content(file, found):
        return "content differs"
    head = found.head or {}
    if compare == "metadata" and head.get("content_type") != file.content_type:
        return f"Content-Type: {head.get('content_type')}, wanted {file.content_type}"
    if compare == "metadata" and head.get("cache_control") != file.cache_control:
        return f"Cache-Control: {head.get('cache_control')}, wanted {file.cache_control}"
    return ""


def _same_content(file: LocalFile, found: RemoteObject) -> bool:
    if file.md5 is not None and file.md5 == found.etag:
        return True
    return file.sha256 is not None and (found.head or {}).get("sha256") == file.sha256


def _values(key: str, found: RemoteObject | None) -> dict[str, t.Any] | None:
    return {"path": key, "size": found.size, **(found.head or {})} if found else None


def _after(key: str, local: Local) -> dict[str, t.Any]:
    file = local[key]
    return {"path": key, "size": file.size, "content_type": file.content_type, "cache_control": file.cache_control}


def summary(steps: list[Step], local: Local) -> dict[str, t.Any]:
    """What the module returns besides the plan.

    :returns: ``uploaded``, ``deleted``, ``unchanged`` (paths in the site), ``changed_paths`` and ``bytes``.
    """
    uploaded = [step.after["path"] for step in steps if step.verb == "upload"]
    deleted = [step.before["path"] for step in steps if step.verb == "delete"]
    return {
        "uploaded": uploaded,
        "deleted": deleted,
        "unchanged": sorted(set(local) - set(uploaded)),
        "changed_paths": changed_paths(uploaded, deleted),
        "bytes": sum(local[key].size for key in uploaded),
    }


def changed_paths(written: t.Iterable[str], gone: t.Iterable[str] = ()) -> list[str]:
    """The URL paths that a CDN must fetch anew; an index page is reached by its directory as well.

    A file with a hash in its name never gets other content. Gone from the site it may stay in the caches, where pages
    that visitors opened before still find it.

    :param written: files that were uploaded.
    :param gone: files that were removed.
    """
    paths = set()
    for key in [*written, *(key for key in gone if not is_hashed(key))]:
        path = "/" + quote(key)
        paths.add(path)
        if path.endswith("/index.html"):
            paths.add(path.removesuffix("index.html"))
    return sorted(paths)


def content_digests(steps: list[Step], local: Local, remote: Remote) -> tuple[str, str]:
    """Digests of what the bucket holds before and after a plan is carried out, to tell later whether it is the same.

    A file that stays has its own MD5 in both, whatever its ETag is, so that the digest after one run is the digest
    before the next.

    :param local: the site with the hash of every file.
    :param remote: the objects below the prefix, before.
    """
    uploaded = {step.after["path"] for step in steps if step.verb == "upload"}
    deleted = {step.before["path"] for step in steps if step.verb == "delete"}
    before = {key: _hash(key, local, found) for key, found in remote.items()}
    after = {key: value for key, value in before.items() if key not in deleted}
    return content_digest(before), content_digest({**after, **{key: str(local[key].md5) for key in uploaded}})


def _hash(key: str, local: Local, found: RemoteObject) -> str:
    """The hash of what the bucket has: that of the file where it has the same."""
    same = key in local and local[key].size == found.size and _same_content(local[key], found)
    return str(local[key].md5) if same else found.etag


def content_digest(hashes: t.Mapping[str, str]) -> str:
    """The digest of a content.

    :param hashes: the hash of each file, by path.
    """
    lines = "".join(f"{key}\0{hashes[key]}\n" for key in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()

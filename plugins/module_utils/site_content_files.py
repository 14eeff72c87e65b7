# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a site on this machine: which there are, and what is in them."""

from __future__ import annotations

import hashlib
import os
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.site_content_types import matches


class Digests(t.NamedTuple):
    """Hashes of a file, hexadecimal."""

    md5: str
    sha256: str


def list_site(source: str, excludes: list[str]) -> tuple[dict[str, str], list[str]]:
    """The files below a directory.

    Symbolic links to files inside the directory are read. Links that lead out of it are left out, so that a build
    cannot publish what is not part of it, and so are links to directories, which may go in circles.

    :param source: the directory.
    :param excludes: patterns of paths that do not belong to the site.
    :returns: file names by path in the site (with slashes, sorted), and the links that were left out.
    :raises AnsibleAWSError: when the directory is missing or has no file.
    """
    if not os.path.isdir(source):
        raise AnsibleAWSError(
            message=f"source is {source}, which is no directory: build the site first, or name its directory"
        )
    root = os.path.realpath(source)
    found = {key: path for key, path in _walk(root) if not matches(key, excludes)}
    left_out = sorted(key for key, path in found.items() if _leads_out(path, root))
    files = {key: found[key] for key in sorted(found) if key not in left_out}
    if not files:
        raise AnsibleAWSError(
            message=f"source is {source}, in which there is no file: an empty site is not published, build it first"
        )
    return files, left_out


def _walk(root: str) -> t.Iterator[tuple[str, str]]:
    for folder, folders, names in os.walk(root):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in [*names, *links]:
            path = os.path.join(folder, name)
            yield os.path.relpath(path, root).replace(os.sep, "/"), path


def _leads_out(path: str, root: str) -> bool:
    real = os.path.realpath(path)
    return not os.path.isfile(real) or os.path.commonpath([root, real]) != root


def digest_file(path: str) -> Digests:
    """Read a file once and return its hashes. MD5 is what S3 shows as ETag; it protects nothing here.

    :raises AnsibleAWSError: when the file cannot be read.
    """
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                md5.update(block)
                sha256.update(block)
    except OSError as error:
        raise AnsibleAWSError(message=f"Failed to read a file of the site: {error}") from error
    return Digests(md5.hexdigest(), sha256.hexdigest())

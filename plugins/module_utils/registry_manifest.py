# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a manifest refers to: the blobs that must be there before it, and the images of an index. Pure."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.palier.aws.plugins.module_utils.ecr import INDEX_TYPES, SCHEMA_1_TYPES

IMAGE_TYPES = frozenset(
    {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        # withdrawn before OCI 1.1, but signers pushed it: without config and layers, with "blobs"
        "application/vnd.oci.artifact.manifest.v1+json",
    }
)
#: The Accept header of every manifest request: a registry may convert a manifest for a client that does not list its
#: type, which would change the digest.
ACCEPT = ", ".join(sorted(INDEX_TYPES | IMAGE_TYPES))
#: Registries refuse larger ones (4 MiB, distribution and ECR), so nothing larger is worth reading.
MAX_BYTES = 4 * 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class ManifestError(ValueError):
    """A manifest that cannot be copied; the message says why and what to do."""


@dataclass(frozen=True)
class Blob:
    """A blob that a manifest refers to.

    :param digest: ``sha256:`` and 64 hexadecimal digits.
    :param size: bytes.
    """

    digest: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """A manifest, byte for byte, and what it needs.

    :param digest: SHA-256 of C{raw}.
    :param media_type: as it must be announced when it is pushed.
    :param raw: the bytes as they were served.
    :param blobs: config and layers, each once; layers that live outside registries are left out.
    :param children: digests of an index's images.
    """

    digest: str
    media_type: str
    raw: bytes
    blobs: tuple[Blob, ...]
    children: tuple[str, ...]


def parse(raw: bytes, content_type: str, digest: str) -> Manifest:
    """Read a manifest and check that it is the one that was asked for.

    :param raw: its bytes.
    :param content_type: the answer's Content-Type.
    :param digest: what it must hash to.
    :raises ManifestError: when it is another one, broken, or of a kind that cannot be copied with its digest.
    """
    found = digest_of(raw)
    if found != digest:
        raise ManifestError(f"the source served other bytes than {digest}: they hash to {found}")
    document = _document(raw, digest)
    media_type = str(document.get("mediaType") or content_type.partition(";")[0].strip())
    _check_kind(document, media_type, digest)
    try:
        blobs, children = _references(document, digest)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(f"the manifest {digest} has an entry without digest and size") from error
    return Manifest(digest, media_type, raw, blobs, children)


def _references(document: dict[str, t.Any], digest: str) -> tuple[tuple[Blob, ...], tuple[str, ...]]:
    if "manifests" in document:
        return (), tuple(dict.fromkeys(_blob(entry, digest).digest for entry in document["manifests"] or []))
    entries = [document["config"]] if document.get("config") else []
    entries += (document.get("layers") or []) + (document.get("blobs") or [])
    blobs = {blob.digest: blob for entry in entries if not entry.get("urls") for blob in [_blob(entry, digest)]}
    return tuple(blobs.values()), ()


def digest_of(raw: bytes) -> str:
    """The digest of bytes, as registries write it."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def _document(raw: bytes, digest: str) -> dict[str, t.Any]:
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise ManifestError(f"the manifest {digest} is not JSON") from error
    if not isinstance(document, dict):
        raise ManifestError(f"the manifest {digest} is not a JSON object")
    return document


def _check_kind(document: dict[str, t.Any], media_type: str, digest: str) -> None:
    if document.get("schemaVersion") == 1 or media_type in SCHEMA_1_TYPES:
        raise ManifestError(
            f"the manifest {digest} is schema 1, which cannot be copied with its digest: push the image again with a "
            "current client, or leave it out with tags_exclude"
        )
    if media_type not in INDEX_TYPES | IMAGE_TYPES:
        raise ManifestError(f"the manifest {digest} is of an unknown type, {media_type!r}")


def _blob(entry: t.Any, digest: str) -> Blob:
    blob = Blob(str(entry["digest"]), int(entry["size"]))
    # The digest ends up in URLs: nothing but a digest may get there. ECR knows SHA-256 only.
    if not _DIGEST.fullmatch(blob.digest) or blob.size < 0:
        raise ManifestError(f"the manifest {digest} has an entry that ECR cannot hold: {blob.digest!r}")
    return blob

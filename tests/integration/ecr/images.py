# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Images made by hand and pushed with the standard library: nothing of what is tested takes part."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import random
import tarfile
import typing as t
from urllib.parse import urljoin, urlsplit

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
EMPTY = b"{}"


def digest_of(data: bytes) -> str:
    """A digest as registries write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Maker:
    """Makes images and pushes them to one registry."""

    def __init__(self, url: str, seed: int = 0, headers: dict[str, str] | None = None) -> None:
        """:param url: the registry. :param seed: equal seeds give equal bytes. :param headers: on each request."""
        parts = urlsplit(url)
        self.url = url
        self._headers = headers or {}
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._random = random.Random(seed)
        self._manifests: dict[str, dict[str, t.Any]] = {}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def layer(self, size: int) -> bytes:
        """A gzipped tar with one file of so many random bytes; no bytes at all for a size of 0."""
        if not size:
            return b""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            entry = tarfile.TarInfo("data")
            entry.size = size
            archive.addfile(entry, io.BytesIO(self._random.randbytes(size)))
        return gzip.compress(buffer.getvalue(), 1, mtime=0)

    def image(
        self,
        repository: str,
        tag: str | None,
        layers: t.Sequence[bytes],
        *,
        media_type: str = OCI_MANIFEST,
        indent: int | None = None,
        label: str = "",
        **extra: t.Any,
    ) -> str:
        """Push an image; the digest comes back.

        :param indent: spaces of indentation, for a manifest that is not in the usual compact form.
        :param label: makes two images with the same layers differ.
        :param extra: further fields of the manifest, such as C{subject} and C{artifactType}.
        """
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Labels": {"name": label}}}).encode()
        document = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": self._descriptor(repository, config, OCI_CONFIG),
            "layers": [self._descriptor(repository, layer, OCI_LAYER) for layer in layers],
            **extra,
        }
        return self.manifest(repository, tag, document, indent)

    def index(self, repository: str, tag: str | None, children: t.Sequence[str], **extra: t.Any) -> str:
        """Push an index over images that are in the repository."""
        entries = [
            {**self._manifests[child], "platform": {"os": "linux", "architecture": arch}}
            for child, arch in zip(children, ["amd64", "arm64", "ppc64le"], strict=False)
        ]
        return self.manifest(
            repository, tag, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries, **extra}
        )

    def artifact(self, repository: str, tag: str | None, subject: str, content: bytes, kind: str) -> str:
        """Push an OCI artifact: something that speaks about another image."""
        return self.image(
            repository,
            tag,
            [content],
            label=kind,
            artifactType=kind,
            subject=self._manifests[subject],
        )

    def manifest(self, repository: str, tag: str | None, document: dict[str, t.Any], indent: int | None = None) -> str:
        """Push a manifest under a tag, or under its digest."""
        raw = json.dumps(document, indent=indent).encode()
        digest = digest_of(raw)
        self._manifests[digest] = {"mediaType": document["mediaType"], "digest": digest, "size": len(raw)}
        headers = {"Content-Type": document["mediaType"]}
        status, _headers, answer = self.request("PUT", f"/v2/{repository}/manifests/{tag or digest}", raw, headers)
        assert status == 201, (status, answer)
        return digest

    def blob(self, repository: str, data: bytes) -> str:
        """Push a blob."""
        digest = digest_of(data)
        if self.request("HEAD", f"/v2/{repository}/blobs/{digest}")[0] == 200:
            return digest
        status, headers, answer = self.request("POST", f"/v2/{repository}/blobs/uploads/")
        assert status == 202, (status, answer)
        location = urljoin(self.url, headers["location"])
        location += ("&" if "?" in location else "?") + f"digest={digest}"
        path = location[len("://".join(urlsplit(location)[:2])) :]
        status, _headers, answer = self.request("PUT", path, data, {"Content-Type": "application/octet-stream"})
        assert status == 201, (status, answer)
        return digest

    def _descriptor(self, repository: str, data: bytes, media_type: str) -> dict[str, t.Any]:
        return {"mediaType": media_type, "digest": self.blob(repository, data), "size": len(data)}

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request to the registry: status, headers in lower case, body."""
        self._connection.request(method, path, body, {**self._headers, **(headers or {})})
        answer = self._connection.getresponse()
        data = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data

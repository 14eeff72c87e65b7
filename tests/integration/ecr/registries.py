# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A real registry (Debian's docker-registry) on loopback, with its storage in a directory that tests may look into."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "docker-registry"
MISSING = f"{PROGRAM} is not installed: apt-get install {PROGRAM} skopeo"

CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: {quiet}}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http: {{addr: "127.0.0.1:{port}"}}
validation: {{disabled: true}}
"""


def installed() -> bool:
    """Whether the registry can be started here."""
    return shutil.which(PROGRAM) is not None


def free_port() -> int:
    """A port on loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PlainRegistry:
    """One registry; use it in a ``with`` statement."""

    def __init__(self, root: Path, log: bool = False) -> None:
        """:param root: directory for its configuration and storage. :param log: write each request down."""
        self.root = root
        self._log = log
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.host = f"127.0.0.1:{self.port}"

    def __enter__(self) -> PlainRegistry:
        self.root.mkdir(parents=True, exist_ok=True)
        config = self.root / "config.yml"
        quiet = str(not self._log).lower()
        config.write_text(CONFIG.format(root=self.root / "data", port=self.port, quiet=quiet), encoding="utf-8")
        with (self.root / "log").open("wb") as log, (self.root / "requests").open("wb") as requests:
            self._process = subprocess.Popen([PROGRAM, "serve", str(config)], stdout=requests, stderr=log)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def _wait(self) -> None:
        for _attempt in range(200):
            try:
                with urllib.request.urlopen(f"{self.url}/v2/", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                if self._process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError(f"{PROGRAM} did not start: {(self.root / 'log').read_text(encoding='utf-8')}")

    def logged(self) -> int:
        """How many requests to its API it wrote down."""
        return (self.root / "requests").read_bytes().count(b" /v2/")

    @property
    def store(self) -> Store:
        """What stands on its disk."""
        return Store(self.root / "data" / "docker" / "registry" / "v2")


@dataclass(frozen=True)
class Store:
    """A registry's files: what it holds, whatever it answers."""

    root: Path

    def repositories(self) -> list[str]:
        """Names of all repositories that ever got a manifest or an upload."""
        base = self.root / "repositories"
        return sorted(str(path.parent.relative_to(base)) for path in base.glob("**/_layers"))

    def tags(self, repository: str) -> dict[str, str]:
        """Digests by tag."""
        folder = self._manifests(repository) / "tags"
        return {path.name: (path / "current" / "link").read_text() for path in sorted(folder.glob("*"))}

    def digests(self, repository: str) -> list[str]:
        """Digests of all manifests, tagged or not."""
        folder = self._manifests(repository) / "revisions" / "sha256"
        return sorted(f"sha256:{path.parent.name}" for path in folder.glob("*/link"))

    def blobs(self, repository: str) -> set[str]:
        """Digests of the blobs that the repository may serve."""
        folder = self.root / "repositories" / repository / "_layers" / "sha256"
        return {f"sha256:{path.parent.name}" for path in folder.glob("*/link")}

    def data(self, digest: str) -> bytes:
        """A blob's or manifest's bytes."""
        return self.path(digest).read_bytes()

    def path(self, digest: str) -> Path:
        """Where a blob or manifest lies."""
        name = digest.removeprefix("sha256:")
        return self.root / "blobs" / "sha256" / name[:2] / name / "data"

    def remove_tag(self, repository: str, tag: str) -> None:
        """Forget a tag, and the manifest with its last tag, as ECR does."""
        digest = self.tags(repository)[tag]
        shutil.rmtree(self._manifests(repository) / "tags" / tag)
        if digest not in self.tags(repository).values():
            self.remove_digest(repository, digest)

    def remove_digest(self, repository: str, digest: str) -> None:
        """Forget a manifest and every tag of it."""
        for tag, there in self.tags(repository).items():
            if there == digest:
                shutil.rmtree(self._manifests(repository) / "tags" / tag)
        shutil.rmtree(self._manifests(repository) / "revisions" / "sha256" / digest.removeprefix("sha256:"))

    def references(self, digest: str) -> tuple[set[str], set[str]]:
        """Children and blobs that a manifest names."""
        document = json.loads(self.data(digest))
        children = {entry["digest"] for entry in document.get("manifests", [])}
        entries = [document["config"]] if document.get("config") else []
        return children, {entry["digest"] for entry in entries + document.get("layers", [])}

    def incomplete(self, repository: str) -> list[str]:
        """Tags that point at an image of which anything is missing: always empty, unless something is badly wrong."""
        return [tag for tag, digest in self.tags(repository).items() if not self._whole(repository, digest)]

    def _whole(self, repository: str, digest: str) -> bool:
        if digest not in self.digests(repository):
            return False
        children, blobs = self.references(digest)
        there = self.blobs(repository)
        return blobs <= there and all(self._whole(repository, child) for child in children)

    def _manifests(self, repository: str) -> Path:
        return self.root / "repositories" / repository / "_manifests"

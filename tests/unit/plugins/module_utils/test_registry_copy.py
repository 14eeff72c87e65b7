# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copying between two registries in memory: what is promised of order and completeness, whatever fails."""

from __future__ import annotations

import json
import threading
import typing as t
from dataclasses import dataclass, field

import pytest
from ansible_collections.palier.aws.plugins.module_utils import registry_copy
from ansible_collections.palier.aws.plugins.module_utils.ecr import Pair, Work
from ansible_collections.palier.aws.plugins.module_utils.registry_client import RegistryError
from ansible_collections.palier.aws.plugins.module_utils.registry_copy import Copier, PutRate
from ansible_collections.palier.aws.plugins.module_utils.registry_manifest import Manifest, digest_of, parse
from hypothesis import given, settings
from hypothesis import strategies as st

OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Answer:
    """A blob that is being read."""

    def __init__(self, data: bytes) -> None:
        self._left = data
        self.closed = False

    def read(self, size: int) -> bytes:
        piece, self._left = self._left[:size], self._left[size:]
        return piece

    def close(self) -> None:
        self._left = b""
        self.closed = True

    def release_conn(self) -> None:
        pass


@dataclass
class Memory:
    """A registry that refuses what a real one refuses, and fails where it is told to."""

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    log: list[tuple[str, ...]] = field(default_factory=list)
    bad: t.Callable[[tuple[str, ...]], bool] = lambda _call: False
    mounts: bool = True
    lock: t.Any = field(default_factory=threading.RLock)

    def note(self, *call: str) -> None:
        with self.lock:
            self.log.append(call)
        if self.bad(call):
            raise RegistryError(f"{call} failed", 403)

    def manifest(self, repository: str, digest: str) -> Manifest:
        self.note("manifest", repository, digest)
        return self.manifests[repository, digest]

    def open_blob(self, repository: str, digest: str) -> Answer:
        self.note("read", repository, digest)
        return Answer(self.blobs[repository, digest])

    def blob_size(self, repository: str, digest: str) -> int | None:
        self.note("head", repository, digest)
        data = self.blobs.get((repository, digest))
        return None if data is None else len(data)

    def start_upload(self, repository: str, digest: str, mount_from: str | None = None) -> str | None:
        self.note("start", repository, digest)
        with self.lock:
            if mount_from and self.mounts:
                self.blobs[repository, digest] = self.blobs[mount_from, digest]
                return None
        return f"{repository}|{digest}"

    def finish_upload(self, location: str, size: int, body: t.Iterable[bytes]) -> None:
        repository, digest = location.split("|")
        self.note("send", repository, digest)
        data = b"".join(body)
        assert (digest_of(data), len(data)) == (digest, size)
        self.blobs[repository, digest] = data

    def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        self.note("put", repository, reference)
        # As distribution does: nothing may be missing below a manifest.
        assert all((repository, blob.digest) in self.blobs for blob in manifest.blobs)
        assert all((repository, child) in self.manifests for child in manifest.children)
        with self.lock:
            self.manifests[repository, manifest.digest] = manifest
            if not reference.startswith("sha256:"):
                self.tags[repository, reference] = manifest.digest

    def add(self, repository: str, layers: t.Iterable[bytes], children: t.Iterable[str] = ()) -> str:
        layers, children = list(layers), list(children)
        document: dict[str, t.Any] = {"schemaVersion": 2, "mediaType": INDEX if children else OCI}
        if children:
            document["manifests"] = [{"digest": child, "size": 1} for child in children]
        else:
            document["layers"] = [{"digest": digest_of(layer), "size": len(layer)} for layer in layers]
        raw = json.dumps(document).encode()
        digest = digest_of(raw)
        self.manifests[repository, digest] = parse(raw, "", digest)
        for layer in layers:
            self.blobs[repository, digest_of(layer)] = layer
        return digest


def work(repository: str, digest: str, *tags: str, **more) -> Work:
    return Work(
        Pair(repository, repository), digest, tags, more.pop("replaces", frozenset()), more.pop("present", False)
    )


def copy(source: Memory, destination: Memory, images: list[Work], workers: int = 3, **options):
    copier = Copier(source, destination, put_rate=1e6, sleep=lambda _seconds: None, **options)  # type: ignore[arg-type]
    return copier, copier.run(images, workers)


def test_each_blob_is_sent_once_and_mounted_elsewhere():
    source, destination = Memory(), Memory()
    images = [work(name, source.add(name, [b"shared", name.encode()]), "v1") for name in ("a", "b", "c")]
    copier, failures = copy(source, destination, images, fresh={"a", "b", "c"})
    assert failures == []
    assert (copier.totals.blobs, copier.totals.mounted, copier.totals.bytes) == (4, 2, len(b"shared") + 3)
    assert sum(call[0] == "head" for call in destination.log) == 0
    assert len(destination.tags) == 3


def test_where_mounts_are_refused_the_rest_is_sent_without_waiting():
    source, destination = Memory(), Memory(mounts=False)
    images = [work(name, source.add(name, [b"shared"]), "v1") for name in ("a", "b", "c", "d")]
    copier, failures = copy(source, destination, images, workers=1)
    assert failures == []
    assert (copier.totals.blobs, copier.totals.mounted) == (4, 0)


def test_a_failed_upload_fails_its_own_repository_only():
    source = Memory()
    destination = Memory(bad=lambda call: call[:2] == ("send", "a"))
    images = [work(name, source.add(name, [b"shared"]), "v1") for name in ("a", "b", "c")]
    _copier, failures = copy(source, destination, images)
    assert [failure.work.pair.source for failure in failures] == ["a"]
    assert set(destination.tags) == {("b", "v1"), ("c", "v1")}


def test_what_is_present_is_only_named():
    source, destination = Memory(), Memory()
    digest = source.add("a", [b"layer"])
    destination.add("a", [b"layer"])
    copier, failures = copy(source, destination, [work("a", digest, "v1", "v2", present=True)])
    assert failures == []
    assert [call[0] for call in destination.log] == ["put", "put"]
    assert copier.totals.tags == 2


def test_a_replaced_tag_is_let_go_when_the_image_is_whole():
    source, destination = Memory(), Memory()
    digest = source.add("a", [b"layer"])
    released = []

    def release(repository: str, tag: str) -> None:
        assert (repository, digest) in destination.manifests
        released.append((repository, tag))

    _copier, failures = copy(
        source, destination, [work("a", digest, "v1", replaces=frozenset({"v1"}))], release_tag=release
    )
    assert failures == []
    assert released == [("a", "v1")]


def test_slices_know_what_earlier_ones_brought(monkeypatch):
    monkeypatch.setattr(registry_copy, "SLICE", 2)
    source, destination = Memory(), Memory()
    images = [work("a", source.add("a", [b"shared", bytes([n])]), f"v{n}") for n in range(5)]
    images += [work("b", source.add("b", [b"shared"]), "v1")]
    asked = []
    copier, failures = copy(source, destination, images, prefetch=lambda some: asked.append(len(some)) or {})
    assert failures == []
    assert asked == [2, 2, 2]
    assert copier.totals.mounted == 1
    assert copier.totals.blobs == 6


def test_the_source_is_asked_while_the_upload_is_being_opened():
    read = threading.Event()

    class Waiting(Memory):
        def start_upload(self, repository: str, digest: str, mount_from: str | None = None) -> str | None:
            assert read.wait(10), "the source was not asked before the destination had answered"
            return super().start_upload(repository, digest, mount_from)

    source, destination = Memory(bad=lambda call: call[0] == "read" and read.set()), Waiting()
    _copier, failures = copy(source, destination, [work("a", source.add("a", [b"one"]), "v1")])
    assert failures == []


def test_what_was_read_for_an_upload_that_is_refused_is_let_go():
    answers: list[Answer] = []

    class Kept(Memory):
        def open_blob(self, repository: str, digest: str) -> Answer:
            answers.append(super().open_blob(repository, digest))
            return answers[-1]

    source, destination = Kept(), Memory(bad=lambda call: call[0] == "start")
    _copier, failures = copy(source, destination, [work("a", source.add("a", [b"one", b"two"]), "v1")])
    assert "failed" in str(failures[0].error)
    assert all(answer.closed for answer in answers)


def test_a_mount_reads_nothing():
    source, destination = Memory(), Memory()
    images = [work(name, source.add(name, [b"one"]), "v1") for name in ("a", "b")]
    assert copy(source, destination, images)[1] == []
    assert [call[0] for call in source.log].count("read") == 1


LAYERS = [b"one", b"two", b"three", b"", b"x" * 300_000]


@settings(max_examples=60)
@given(st.data(), st.integers(1, 5), st.booleans())
def test_whatever_fails_no_tag_points_at_something_incomplete(data, workers, mounts):
    source, destination = Memory(), Memory(mounts=mounts)
    images = []
    for repository in ("a", "b"):
        made = []
        for number in range(data.draw(st.integers(1, 3))):
            layers = data.draw(st.lists(st.sampled_from(LAYERS), max_size=3))
            made.append(source.add(repository, [*layers, repository.encode() + bytes([number])]))
            images.append(work(repository, made[-1], f"v{number}"))
        if data.draw(st.booleans()):
            images.append(work(repository, source.add(repository, [], made), "multi"))
    calls = [(kind, repository) for kind in ("start", "send", "put", "head") for repository in ("a", "b")]
    bad = set(data.draw(st.lists(st.sampled_from(calls), max_size=2)))
    late = data.draw(st.integers(0, 4))
    seen: dict[tuple[str, ...], int] = {}

    def fails(call: tuple[str, ...]) -> bool:
        seen[call[:2]] = seen.get(call[:2], 0) + 1
        return call[:2] in bad and seen[call[:2]] > late

    destination.bad = fails
    _copier, failures = copy(source, destination, images, workers)
    # Memory.put_manifest itself refuses what is incomplete.
    failed = {(item.work.pair.source, item.work.tags[0]) for item in failures}
    assert set(destination.tags) == {(item.pair.source, item.tags[0]) for item in images} - failed
    assert all(source.manifests[name, digest].raw for (name, _tag), digest in destination.tags.items())

    destination.bad, before = (lambda _call: False), dict(destination.blobs)
    destination.log.clear()
    _copier, failures = copy(source, destination, images, workers)
    assert failures == []
    sent = {call[1:] for call in destination.log if call[0] == "send"}
    assert not sent & before.keys()


@given(st.floats(0.2, 50), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_never_more_than_the_rate_in_any_window(rate, gaps):
    now, starts = [0.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    limit = PutRate(rate, clock=lambda: now[0], sleep=sleep)
    for gap in gaps:
        limit.wait()
        starts.append(now[0])
        now[0] += gap / rate
    burst = max(1, int(rate))
    for earlier, later in zip(starts, starts[burst:], strict=False):
        assert later - earlier >= burst / rate - 1e-6


@pytest.mark.parametrize("size", [0, 1, 5, registry_copy.CHUNK, registry_copy.CHUNK * 2 + 1])
def test_the_last_piece_waits_for_the_hash(size):
    data = bytes(size)
    blob = registry_copy.Blob(digest_of(data), size)
    assert b"".join(registry_copy._checked(Answer(data), blob, "a")) == data
    sent = []
    with pytest.raises(registry_copy.BlobError, match="was not published"):
        sent.extend(registry_copy._checked(Answer(data), registry_copy.Blob(digest_of(b"other"), size), "a"))
    assert sum(map(len, sent)) < max(size, 1)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copy images from one registry to another: byte for byte, each blob once, a tag last.

What hangs on what is a L{TaskGraph}: a manifest needs its blobs and, for an index, its children; the same blob in a
second repository comes after the first one, to be mounted there instead of sent. Blobs are streamed from one
connection into the other and hashed on the way. The last piece is held back until the hash is right, so damaged bytes
are never published, whatever the destination checks.
"""

from __future__ import annotations

import collections
import functools
import hashlib
import threading
import time
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.palier.aws.plugins.module_utils.ecr import Pair, Work
from ansible_collections.palier.aws.plugins.module_utils.registry_client import (
    RETRIED,
    TRIES,
    Registry,
    RegistryError,
    pause,
)
from ansible_collections.palier.aws.plugins.module_utils.registry_graph import DependencyError, Key, TaskGraph
from ansible_collections.palier.aws.plugins.module_utils.registry_manifest import Blob, Manifest

try:
    from urllib3.exceptions import HTTPError
except ImportError:  # botocore depends on it, and AnsibleAWSModule has said so before anything here runs
    HTTPError = OSError  # type: ignore[misc, assignment]

#: Bytes held for each transfer are twice this. Larger pieces were not faster when measured (benchmarks/ecr).
CHUNK = 128 * 1024
#: Blobs from this size on (bytes) start before all others, so that none of them is still on its way when all else is
#: done. The others go image by image, so that manifests, of which ECR takes few a second, are spread over the run.
_LARGE = 16 * 1024 * 1024
#: Images whose tasks are held in memory at once.
SLICE = 200
#: Times that a blob whose bytes do not match is read again before the source counts as damaged.
_DAMAGED_TRIES = 3
#: A lost upload, refused as a whole: what was sent of it is gone and the next try starts a new one.
_LOST_UPLOAD = frozenset({400, 401, 404, 416})


class BlobError(Exception):
    """A blob whose bytes are not what its digest says."""


class _SourceLostError(Exception):
    """Reading the source broke off: no fault of the upload that it feeds."""


class _UploadLostError(Exception):
    """An upload did not arrive whole; the blob must be sent again from its first byte."""


class PutRate:
    """Keeps calls under so many in any second; ECR counts PutImage that way (10 a second by default)."""

    def __init__(
        self,
        rate: float,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        """:param rate: calls a second. :param clock: seconds. :param sleep: waits so many seconds."""
        self._burst = max(1, int(rate))
        self._window = self._burst / rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._starts: collections.deque[float] = collections.deque(maxlen=self._burst)

    def wait(self) -> None:
        """Return when the next call may be made."""
        with self._lock:
            now = self._clock()
            start = now
            if len(self._starts) == self._burst:
                start = max(now, self._starts[0] + self._window)
            self._starts.append(start)
        if start > now:
            self._sleep(start - now)


@dataclass
class Totals:
    """What a copy did."""

    images: int = 0
    tags: int = 0
    manifests: int = 0
    blobs: int = 0
    bytes: int = 0
    mounted: int = 0
    present: int = 0


@dataclass
class Failure:
    """An image that was not copied.

    :param work: the image.
    :param error: why.
    """

    work: Work
    error: Exception


@dataclass
class _Blobs:
    """What is known of one digest in the destination: the repository that brings it first, those that have it, and
    the tasks that wait for the first."""

    first: str
    arrived: set[str] = field(default_factory=set)
    waiting: list[Key] = field(default_factory=list)


class Copier:
    """Copies a list of images; one object for one sync."""

    def __init__(
        self,
        source: Registry,
        destination: Registry,
        *,
        fresh: t.Container[str] = frozenset(),
        present: t.Callable[[str], t.Container[str]] = lambda _repository: (),
        release_tag: t.Callable[[str, str], None] | None = None,
        prefetch: t.Callable[[t.Sequence[Work]], dict[tuple[Pair, str], Manifest]] = lambda _images: {},
        put_rate: float = 10.0,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        """
        :param source: where images come from.
        :param destination: where they go.
        :param fresh: destination repositories that were just created: nothing needs to be asked of them.
        :param present: digests of images that a destination repository has, whole.
        :param release_tag: takes an immutable tag off its image in the destination.
        :param prefetch: reads the manifests of some images all at once; what it leaves out is read one by one.
        :param put_rate: manifests published a second.
        :param sleep: waits so many seconds.
        """
        self.totals = Totals()
        self._source = source
        self._destination = destination
        self._fresh = fresh
        self._present = present
        self._release_tag = release_tag
        self._prefetch = prefetch
        self._manifests: dict[tuple[Pair, str], Manifest] = {}
        self._rate = PutRate(put_rate, sleep=sleep)
        self._sleep = sleep
        self._graph = TaskGraph()
        self._lock = threading.Lock()
        self._blobs: dict[str, _Blobs] = {}
        self._mounts = True
        self._openers: ThreadPoolExecutor  # as long as L{run} takes

    def run(self, images: t.Sequence[Work], workers: int) -> list[Failure]:
        """Copy the images; one that fails does not keep the others from being copied.

        :param images: what to copy.
        :param workers: connections used at once.
        :returns: the images that failed.
        """
        slices = (images[start : start + SLICE] for start in range(0, len(images), SLICE))
        with ThreadPoolExecutor(workers) as self._openers:
            return [failure for some in slices for failure in self._run_slice(some, workers)]

    def _run_slice(self, images: t.Sequence[Work], workers: int) -> list[Failure]:
        self._graph = TaskGraph()
        self._blobs = {digest: known for digest, known in self._blobs.items() if known.arrived}
        self._manifests = self._prefetch(images)
        tasks = [(work, self._add_image(work, -number)) for number, work in enumerate(images)]
        errors = self._graph.run(workers)
        failures = []
        for work, keys in tasks:
            error = next((errors[key] for key in keys if key in errors), None)
            if error is None:
                self.totals.images += 1
                self.totals.tags += len(work.tags)
            else:
                failures.append(Failure(work, error.cause if isinstance(error, DependencyError) else error))
        return failures

    def missing_blobs(self, pair: Pair, digest: str) -> bool:
        """Whether the destination lacks any content of an image that it lists (an index's images included)."""
        manifest = self._source.manifest(pair.source, digest)
        if any(self.missing_blobs(pair, child) for child in manifest.children):
            return True
        sizes = ((blob, self._destination.blob_size(pair.destination, blob.digest)) for blob in manifest.blobs)
        return any(size != blob.size for blob, size in sizes)

    def _add_image(self, work: Work, weight: int) -> list[Key]:
        """Add the task that reads an image's manifest; the tasks that publish it follow from that."""
        references = work.tags or (work.digest,)
        keys: list[Key] = [("put", work.pair.destination, reference) for reference in references]
        self._graph.add(
            ("read", work.pair, work.digest, references),
            lambda: self._read(work, references, weight),
            provides=keys,
            # Manifests first: only they tell which blobs there are, and the largest should start early.
            weight=1 << 62,
        )
        return keys

    def _read(self, work: Work, references: tuple[str, ...], weight: int) -> None:
        pair = work.pair
        manifest = self._manifests.get((pair, work.digest)) or self._source.manifest(pair.source, work.digest)
        needs: list[Key] = [] if work.present else self._add_contents(pair, manifest, weight)
        for reference in references:
            self._graph.add(
                ("put", pair.destination, reference),
                functools.partial(self._put, pair, manifest, reference, reference in work.replaces),
                needs=needs,
                weight=1 << 61,
            )

    def _add_contents(self, pair: Pair, manifest: Manifest, weight: int) -> list[Key]:
        there = self._present(pair.destination)
        added = (self._add_blob(pair, blob, weight) for blob in manifest.blobs)
        needs: list[Key] = [key for key in added if key]
        for child in manifest.children:
            if child in there:
                continue
            needs += self._add_image(Work(pair, child, (), frozenset(), False), weight)
        return needs

    def _add_blob(self, pair: Pair, blob: Blob, weight: int) -> Key | None:
        """Add the task that brings a blob; C{None} where an earlier slice has brought it."""
        key: Key = ("blob", pair.destination, blob.digest)
        with self._lock:
            known = self._blobs.setdefault(blob.digest, _Blobs(pair.destination))
            if pair.destination in known.arrived:
                return None
            after: list[Key] = []
            if known.first != pair.destination and not known.arrived and self._mounts:
                known.waiting.append(key)
                after.append(("blob", known.first, blob.digest))
            weight = blob.size if blob.size >= _LARGE else weight
            self._graph.add(key, lambda: self._blob(pair, blob, known), after=after, weight=weight)
        return key

    def _blob(self, pair: Pair, blob: Blob, known: _Blobs) -> None:
        if pair.destination not in self._fresh:
            size = self._destination.blob_size(pair.destination, blob.digest)
            if size == blob.size:
                self._count(present=1)
                with self._lock:
                    known.arrived.add(pair.destination)
                return
        with self._lock:
            mount_from = next(iter(known.arrived), None) if self._mounts else None
        if self._transfer(pair, blob, mount_from):
            self._count(blobs=1, bytes=blob.size)
        else:
            self._count(mounted=1)
        with self._lock:
            known.arrived.add(pair.destination)

    def _transfer(self, pair: Pair, blob: Blob, mount_from: str | None) -> bool:
        """Bring a blob into a repository. False when it was mounted rather than sent."""
        damaged = 0
        retry_after = None
        for attempt in range(1, TRIES + 1):
            # Neither waits for the other, which saves a round trip; where a mount is hoped for, nothing is read yet.
            opened = None if mount_from else self._open(pair, blob)
            try:
                location = self._destination.start_upload(pair.destination, blob.digest, mount_from)
            except BaseException:
                _discard(opened)
                raise
            if location is None:
                _discard(opened)
                return False
            self._mount_refused(mount_from)
            mount_from = None
            try:
                self._stream(pair, blob, location, opened or self._open(pair, blob))
            except BlobError:
                damaged += 1
                if damaged == _DAMAGED_TRIES:
                    raise
            except (_SourceLostError, _UploadLostError) as error:
                if attempt == TRIES:
                    raise RegistryError(f"{pair.destination}: blob {blob.digest}: {error}") from error
                retry_after = getattr(error.__cause__, "retry_after", None)
            else:
                return True
            self._sleep(pause(attempt, retry_after))
        raise AssertionError("unreachable")

    def _open(self, pair: Pair, blob: Blob) -> Future[t.Any]:
        """Ask the source for a blob without waiting for its answer."""
        return self._openers.submit(self._source.open_blob, pair.source, blob.digest)

    def _stream(self, pair: Pair, blob: Blob, location: str, opened: Future[t.Any]) -> None:
        answer = opened.result()
        try:
            self._destination.finish_upload(location, blob.size, _checked(answer, blob, pair.source))
        except (HTTPError, OSError) as error:
            answer.close()
            raise _UploadLostError(str(error)) from error
        except RegistryError as error:
            answer.close()
            if error.status not in RETRIED | _LOST_UPLOAD:
                raise
            raise _UploadLostError(str(error)) from error
        except (_SourceLostError, BlobError):
            answer.close()
            raise
        finally:
            answer.release_conn()

    def _mount_refused(self, mount_from: str | None) -> None:
        """Stop hoping for mounts (ECR's BLOB_MOUNTING is off unless asked for) and free those that wait for one."""
        if mount_from is None or not self._mounts:
            return
        with self._lock:
            self._mounts = False
            waiting = [key for known in self._blobs.values() for key in known.waiting]
        for key in waiting:
            self._graph.release(key)

    def _put(self, pair: Pair, manifest: Manifest, reference: str, replaces: bool) -> None:
        if replaces and self._release_tag:
            # First whole under its digest: between losing the old image and getting the new one lies one request.
            self._rate.wait()
            self._destination.put_manifest(pair.destination, manifest.digest, manifest)
            self._release_tag(pair.destination, reference)
        self._rate.wait()
        self._destination.put_manifest(pair.destination, reference, manifest)
        self._count(manifests=1)

    def _count(self, **numbers: int) -> None:
        with self._lock:
            for name, number in numbers.items():
                setattr(self.totals, name, getattr(self.totals, name) + number)


def _discard(opened: Future[t.Any] | None) -> None:
    """Close an answer that nobody will read, as soon as it is there."""

    def close(done: Future[t.Any]) -> None:
        if done.exception() is None:
            done.result().close()
            done.result().release_conn()

    if opened is not None and not opened.cancel():
        opened.add_done_callback(close)


def _checked(answer: t.Any, blob: Blob, repository: str) -> t.Iterator[bytes]:
    """A blob's bytes, the last of them only when all of them hash to its digest."""
    sha = hashlib.sha256()
    held = b""
    count = 0
    while piece := _read(answer):
        sha.update(piece)
        count += len(piece)
        if count > blob.size:
            break
        if held:
            yield held
        held = piece
    if count < blob.size:
        raise _SourceLostError(f"the source sent {count} of {blob.size} bytes")
    if f"sha256:{sha.hexdigest()}" != blob.digest or count != blob.size:
        raise BlobError(
            f"{repository}: the source served other bytes than blob {blob.digest}; it was not published. "
            "Push the image again there"
        )
    if held:
        yield held


def _read(answer: t.Any) -> bytes:
    try:
        return answer.read(CHUNK)
    except (HTTPError, OSError) as error:
        raise _SourceLostError(str(error)) from error

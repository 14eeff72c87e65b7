# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything that goes wrong on the way: each request in turn, bytes, tokens, the run itself."""

from __future__ import annotations

import contextlib
import itertools
import threading

import pytest
from ansible_collections.palier.aws.plugins.module_utils.ecr import Pair, Work
from ansible_collections.palier.aws.plugins.module_utils.registry_client import (
    TRIES,
    Pools,
    Registry,
    RegistryError,
    Token,
    TokenSource,
)
from ansible_collections.palier.aws.plugins.module_utils.registry_copy import BlobError, Copier

from .conftest import finish
from .proxies import ANSWER, CORRUPT, CUT_ANSWER, CUT_REQUEST, DROP_ANSWER, Fault
from .test_sync import assert_same

names = (f"faults/number-{number}" for number in itertools.count())


def tokens(*secrets: str) -> TokenSource:
    """A token source that hands out these one after the other."""
    left = iter(secrets or itertools.repeat("secret"))
    return TokenSource(lambda: Token(next(left), 1e12))


class Scene:
    """Two repositories of the source on their way to new ones, and a copier that does not really wait."""

    sources = ("faults/one", "faults/two")

    def __init__(self, world, workers=4) -> None:
        self.world = world
        self.workers = workers
        self.slept: list[float] = []
        self.repositories = [next(names), next(names)]
        self.pairs = [Pair(*both) for both in zip(self.sources, self.repositories, strict=True)]
        if self.sources[0] not in world.source.store.repositories():
            self.fill(world.maker)
        self.work = [
            Work(pair, digest, (tag,), frozenset(), False)
            for pair in self.pairs
            for tag, digest in self.expected(pair.source).items()
        ]

    def fill(self, maker) -> None:
        shared = maker.layer(60_000)
        for repository in self.sources:
            maker.image(repository, "v1", [shared, maker.layer(3_000)])
            children = [maker.image(repository, None, [maker.layer(500)], label=str(n)) for n in range(2)]
            maker.index(repository, "multi", children)

    def expected(self, source: str) -> dict[str, str]:
        return self.world.source.store.tags(source)

    def failed(self, failures) -> set[str]:
        """Destination repositories with failures."""
        return {failure.work.pair.destination for failure in failures}

    def copier(self, source_tokens=None, destination_tokens=None, **options) -> Copier:
        pools = Pools(8)
        self.stack.callback(pools.close)
        source = Registry(self.world.source_front.url, source_tokens or tokens(), pools, self.slept.append)
        destination = Registry(
            self.world.destination_front.url, destination_tokens or tokens(), pools, self.slept.append
        )
        return Copier(source, destination, put_rate=1000.0, sleep=self.slept.append, **options)

    def run(self, *given, **options):
        with contextlib.ExitStack() as self.stack:
            copier = self.copier(*given, **options)
            return copier, copier.run(self.work, self.workers)

    def assert_whole(self) -> None:
        for pair in self.pairs:
            self.assert_arrived(pair)

    def assert_arrived(self, pair: Pair) -> None:
        store = self.world.destination.store
        assert store.tags(pair.destination) == self.expected(pair.source)
        assert store.incomplete(pair.destination) == []

    def assert_nothing_half(self) -> None:
        for repository in self.repositories:
            assert self.world.destination.store.incomplete(repository) == []


@pytest.fixture
def scene(world):
    return Scene(world)


def count_requests(world) -> tuple[int, int]:
    """How many requests a run without faults takes on each side."""
    scene = Scene(world)
    assert scene.run()[1] == []
    return len(world.source_front.requests), len(world.destination_front.requests)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "side"),
    [
        (Fault(ANSWER, 429, {"Retry-After": "3"}), "source"),
        (Fault(ANSWER, 429, {"Retry-After": "3"}), "destination"),
        (Fault(ANSWER, 500), "source"),
        (Fault(ANSWER, 500), "destination"),
        (Fault(CUT_ANSWER, after=50), "source"),
        (Fault(CUT_REQUEST, after=50), "destination"),
        (Fault(DROP_ANSWER), "destination"),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else value,
)
def test_each_request_fails_once_in_turn_and_the_copy_is_whole(world, fault, side):
    total = count_requests(world)[side == "destination"]
    assert total > 10
    for number in range(total):
        scene = Scene(world, workers=1)
        front = world.source_front if side == "source" else world.destination_front
        front.reset(lambda request, number=number: fault if request.number == number else None)
        _copier, failures = scene.run()
        front.reset()
        assert failures == [], (number, failures)
        scene.assert_whole()
        if fault.status == 429:
            assert max(scene.slept) >= 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_stays_fails_clearly_and_publishes_nothing_half(scene, status):
    blob = f"/v2/{scene.sources[0]}/blobs/sha256"
    scene.world.source_front.reset(lambda r: Fault(ANSWER, status) if r.path.startswith(blob) else None)
    _copier, failures = scene.run()
    assert scene.failed(failures) == {scene.repositories[0]}
    assert all(isinstance(failure.error, RegistryError) for failure in failures)
    assert all(f": {status}" in str(failure.error) and "/blobs/" in str(failure.error) for failure in failures)
    scene.assert_nothing_half()
    # The second repository waited for the first one's layer, and brought it itself.
    scene.assert_arrived(scene.pairs[1])


def test_requests_are_given_up_after_a_known_number_of_tries(scene):
    scene.world.source_front.reset(lambda _request: Fault(ANSWER, 500))
    _copier, failures = scene.run()
    assert len(failures) == len(scene.work)
    tries: dict[str, int] = {}
    for request in scene.world.source_front.requests:
        tries[request.path] = tries.get(request.path, 0) + 1
    assert set(tries.values()) == {TRIES}


def test_an_upload_that_the_destination_refuses_fails_only_its_own_repository(scene):
    uploads = f"/v2/{scene.repositories[0]}/blobs/uploads/"
    denied = Fault(ANSWER, 403, body=b'{"errors": [{"code": "DENIED", "message": "not yours"}]}')
    scene.world.destination_front.reset(lambda r: denied if r.path.startswith(uploads) else None)
    _copier, failures = scene.run()
    assert scene.failed(failures) == {scene.repositories[0]}
    assert "403 DENIED not yours" in str(failures[0].error)
    scene.assert_arrived(scene.pairs[1])


def test_a_connection_cut_in_the_middle_of_a_blob_starts_it_again(scene):
    cut = []

    def order(request):
        if request.method == "GET" and "/blobs/" in request.path and request.path not in cut:
            cut.append(request.path)
            return Fault(CUT_ANSWER, after=1000)
        return None

    scene.world.source_front.reset(order)
    _copier, failures = scene.run()
    assert failures == []
    assert len(cut) >= 4
    scene.assert_whole()


class TestDamage:
    """Bytes that are not what their digest says."""

    def test_on_the_way_is_read_again(self, scene):
        damaged = []

        def order(request):
            if request.method == "GET" and request.path not in damaged:
                damaged.append(request.path)
                return Fault(CORRUPT)
            return None

        scene.world.source_front.reset(order)
        _copier, failures = scene.run()
        assert failures == []
        scene.assert_whole()

    def test_in_the_source_is_never_published(self, scene):
        blob = f"/v2/{scene.sources[0]}/blobs/sha256"
        scene.world.source_front.reset(lambda r: Fault(CORRUPT) if r.path.startswith(blob) else None)
        _copier, failures = scene.run()
        assert scene.failed(failures) == {scene.repositories[0]}
        assert all(isinstance(failure.error, BlobError) for failure in failures)
        assert f"{scene.sources[0]}: the source served other bytes" in str(failures[0].error)
        store = scene.world.destination.store
        assert store.tags(scene.repositories[0]) == {}
        # What is there came from the second repository, by a mount.
        there = store.blobs(scene.repositories[0]) if scene.repositories[0] in store.repositories() else set()
        assert there <= store.blobs(scene.repositories[1])
        scene.assert_arrived(scene.pairs[1])

    def test_is_not_even_sent_whole(self, scene):
        blob = f"/v2/{scene.sources[0]}/blobs/sha256"
        scene.world.source_front.reset(lambda r: Fault(CORRUPT) if r.path.startswith(blob) else None)
        arrived = []
        pass_on = scene.world.destination_front._pass_on

        def spy(handler, body, fault):
            if handler.command == "PUT" and handler.path.startswith(f"/v2/{scene.repositories[0]}/blobs"):
                arrived.append(len(body) == int(handler.headers["Content-Length"]))
            pass_on(handler, body, fault)

        scene.world.destination_front._pass_on = spy
        try:
            scene.run()
        finally:
            scene.world.destination_front._pass_on = pass_on
        assert not any(arrived)

    def test_of_a_manifest_is_never_published(self, scene):
        path = f"/v2/{scene.sources[0]}/manifests/"
        scene.world.source_front.reset(lambda r: Fault(CORRUPT) if r.path.startswith(path) else None)
        _copier, failures = scene.run()
        assert "the source served other bytes than sha256:" in str(failures[0].error)
        assert scene.world.destination.store.tags(scene.repositories[0]) == {}


class TestTokens:
    """The registry takes a token only for so long."""

    @staticmethod
    def door(limit):
        """Refuses each token after so many requests."""
        uses: dict[str, int] = {}
        lock = threading.Lock()

        def order(request):
            secret = request.headers.get("Authorization", "")
            with lock:
                uses[secret] = uses.get(secret, 0) + 1
                return Fault(ANSWER, 401) if uses[secret] > limit else None

        return order, uses

    @pytest.mark.parametrize("workers", [1, 4])
    def test_that_ends_half_way_is_renewed(self, scene, workers):
        scene.workers = workers
        for front in (scene.world.source_front, scene.world.destination_front):
            front.reset(self.door(7)[0])
        fresh = (f"secret-{number}" for number in itertools.count())
        _copier, failures = scene.run(tokens(*itertools.islice(fresh, 99)), tokens(*itertools.islice(fresh, 99)))
        assert failures == []
        scene.assert_whole()

    def test_that_stays_refused_fails_after_one_fresh_one(self, scene):
        scene.world.source_front.reset(lambda _request: Fault(ANSWER, 401))
        _copier, failures = scene.run(tokens(*"abcdefghijklmnop"))
        assert len(failures) == len(scene.work)
        assert "401" in str(failures[0].error)

    def test_about_to_end_is_not_used(self):
        made = iter([Token("old", 1000.0), Token("new", 90_000.0)])
        now = [0.0]
        source = TokenSource(lambda: next(made), lambda: now[0])
        assert source.get() == "old"
        now[0] = 699.0
        assert source.get() == "old"
        now[0] = 701.0
        assert source.get() == "new"


class TestRedirects:
    """Layers are served from storage elsewhere, which must not see the registry's token."""

    def test_go_without_the_authorization(self, scene):
        """The source's front redirects to the destination's front, which passes on to the source."""
        elsewhere = scene.world.source
        seen = []

        def order(request):
            if request.method == "GET" and "/blobs/" in request.path:
                return Fault(ANSWER, 307, {"Location": f"{storage.url}{request.path}?signature=x"})
            assert request.headers.get("Authorization") == "Basic secret"
            return None

        def note(request):
            seen.append(request.headers.get("Authorization"))

        from .proxies import Front

        with Front(elsewhere.url) as storage:
            storage.order = note
            scene.world.source_front.reset(order)
            _copier, failures = scene.run()
        assert failures == []
        assert len(seen) > 4
        assert set(seen) == {None}
        scene.assert_whole()

    @pytest.mark.parametrize("where", ["http://registry.example.com/v2/x", "ftp://127.0.0.1/x", "http://10.0.0.1/"])
    def test_into_the_clear_are_refused(self, scene, where):
        answer = Fault(ANSWER, 307, {"Location": where})
        scene.world.source_front.reset(lambda r: answer if "/blobs/" in r.path else None)
        _copier, failures = scene.run()
        assert "is not encrypted" in str(failures[0].error)

    def test_that_never_end_are_given_up(self, scene):
        scene.world.source_front.reset(
            lambda r: Fault(ANSWER, 307, {"Location": r.path}) if "/blobs/" in r.path else None
        )
        _copier, failures = scene.run()
        assert ": 307" in str(failures[0].error)


class TestMounts:
    """Layers that another repository of the destination has."""

    def test_are_taken_over(self, scene):
        copier, _failures = scene.run()
        # The layer and the children's and images' configurations are the same in both.
        assert copier.totals.mounted >= 1
        scene.assert_whole()

    def test_that_are_refused_send_the_bytes_and_are_not_tried_again(self, scene):
        mounts = []

        def refuse(request):
            # ECR without BLOB_MOUNTING opens an upload, as if nothing had been asked.
            if "mount=" in request.path:
                mounts.append(request.path)

        front = scene.world.destination_front
        front.reset(refuse)
        handle = front._pass_on

        def without_query(handler, body, fault):
            if "mount=" in handler.path:
                handler.path = handler.path.partition("?")[0]
            handle(handler, body, fault)

        front._pass_on = without_query
        try:
            copier, failures = Scene.run(scene)
        finally:
            front._pass_on = handle
        assert failures == []
        assert copier.totals.mounted == 0
        assert 1 <= len(mounts) <= scene.workers
        scene.assert_whole()


def test_an_immutable_tag_whose_first_answer_was_lost_counts_as_set(scene):
    """ECR refuses to set an immutable tag again, even to the same image."""
    puts = []

    def order(request):
        if request.method == "PUT" and request.path.endswith("/manifests/v1"):
            puts.append(request.path)
            if puts.count(request.path) == 1:
                return Fault(DROP_ANSWER)
            return Fault(ANSWER, 400, body=b'{"errors": [{"code": "TAG_INVALID", "message": "tag is immutable"}]}')
        return None

    scene.world.destination_front.reset(order)
    _copier, failures = scene.run()
    assert failures == []
    scene.assert_whole()


def test_an_immutable_tag_that_appeared_meanwhile_fails_with_its_name(scene):
    refused = Fault(ANSWER, 400, body=b'{"errors": [{"code": "TAG_INVALID", "message": "tag is immutable"}]}')
    scene.world.destination_front.reset(
        lambda r: refused if r.method == "PUT" and r.path.endswith(f"{scene.repositories[0]}/manifests/v1") else None
    )
    _copier, failures = scene.run()
    [failure] = failures
    assert failure.work.tags == ("v1",)
    assert "400 TAG_INVALID tag is immutable" in str(failure.error)


def test_a_registry_that_stores_another_digest_is_not_believed(scene):
    answer = Fault(ANSWER, 201, {"Docker-Content-Digest": "sha256:" + "0" * 64})
    scene.world.destination_front.reset(
        lambda r: answer if r.method == "PUT" and r.path.endswith("/manifests/v1") else None
    )
    _copier, failures = scene.run()
    assert any("was stored as sha256:000" in str(failure.error) for failure in failures)


class TestKilled:
    """The run ends at any request, and starts again."""

    @pytest.mark.slow
    def test_what_is_complete_is_not_sent_again(self, world):
        repository = next(names)
        layers = [world.maker.layer(40_000) for _number in range(6)]
        for number, layer in enumerate(layers):
            world.maker.image(repository, f"v{number}", [layer], label=str(number))
        world.sync({"source": repository, "destination": repository + "-dry"})
        total = len(world.destination_front.requests)
        for stop in range(2, total, 7):
            self.kill_at(world, repository, f"{repository}-at-{stop}", stop)

    def kill_at(self, world, repository, name, stop):
        process = []
        reached = threading.Event()

        def order(request):
            if request.number >= stop:
                reached.set()
                process[0].kill()
                return Fault(CUT_REQUEST, after=0)
            return None

        world.destination_front.reset(order)
        pair = {"source": repository, "destination": name}
        process.append(world.start(pair, workers=2))
        process[0].communicate(timeout=60)
        assert reached.is_set()
        store = world.destination.store
        assert store.incomplete(name) == []
        before = store.blobs(name) if name in store.repositories() else set()

        world.destination_front.reset()
        finish(world.start(pair))
        sent = {
            request.path.rpartition("digest=")[2].replace("%3A", ":")
            for request in world.destination_front.requests
            if request.method == "PUT" and "digest=" in request.path
        }
        assert not sent & before
        assert store.tags(name) == world.source.store.tags(repository)
        assert not world.sync(pair)["changed"]


def test_the_module_renews_ecrs_token(world):
    repository = next(names)
    for number in range(4):
        world.maker.image(repository, f"v{number}", [world.maker.layer(100)], label=str(number))
    for front in (world.source_front, world.destination_front):
        front.reset(TestTokens.door(8)[0])
    assert world.sync(repository, workers=2)["changed"]
    assert_same(world, repository)
    assert world.plane.count("GetAuthorizationToken") > 2


def test_the_module_names_what_failed_and_keeps_what_was_done(world):
    repository = next(names)
    for number in range(3):
        world.maker.image(repository, f"v{number}", [world.maker.layer(100)], label=str(number))
    denied = Fault(ANSWER, 403, body=b'{"errors": [{"code": "DENIED", "message": "no"}]}')
    world.destination_front.reset(lambda r: denied if r.path.endswith("/manifests/v1") else None)
    result = world.sync(repository)
    assert f"Failed to copy {repository}:v1: PUT" in result["msg"]
    assert sorted(world.destination.store.tags(repository)) == ["v0", "v2"]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The scenarios that need an engine: which are run, what is said of those that are not, and that they end."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests import emulator as emulators
from tools import boot_images, docker_engine, molecule
from tools import real as subject

NEW = subject.Case("boot", "new", "that it boots")
OLD = subject.Case("boot", "old", "that it boots")
LIVE = subject.Case("live", "all", "that it serves")
KNOWN = [NEW, OLD, LIVE]


class TestChoice:
    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ([], KNOWN),
            (["boot"], [NEW, OLD]),
            (["boot:old"], [OLD]),
            (["live", "boot:new"], [LIVE, NEW]),
            (["boot", "boot:old"], [NEW, OLD]),
        ],
    )
    def test_by_name(self, wanted: list[str], expected: list[subject.Case]) -> None:
        assert subject.choose(KNOWN, wanted) == expected

    def test_a_name_that_is_none(self) -> None:
        with pytest.raises(ValueError, match=r"no such scenario: boot:newer; there are: boot:new, boot:old, live:all"):
            subject.choose(KNOWN, ["boot:newer"])

    def test_every_machine_is_a_variant(self) -> None:
        variants = [case.variant for case in subject.cases() if case.scenario == "boot"]
        assert variants == list(boot_images.MACHINES)

    def test_each_scenario_has_its_surroundings(self) -> None:
        assert {case.scenario for case in subject.cases()} == set(subject.SURROUNDINGS)

    def test_the_first_variant_of_each(self) -> None:
        assert subject.first(KNOWN) == [NEW, LIVE]


class TestBuildingAhead:
    """A matrix builds the images of its later machines while the earlier ones boot."""

    def test_each_machine_once_but_the_first(self) -> None:
        def case(scenario: str, machine: str) -> subject.Case:
            return subject.Case(scenario, machine, "that it boots")

        chosen = [case("boot", "debian-13"), case("boot", "ubuntu-22.04"), LIVE, case("fleet", "debian-13")]
        assert subject.later(chosen) == ["ubuntu-22.04"]
        assert subject.later([LIVE]) == []

    def test_one_machine_needs_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(boot_images, "prepare_host", lambda _: pytest.fail("prepared"))
        with subject.building_ahead([]):
            pass

    def test_the_builder_ends_with_the_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        started = []
        real = subprocess.Popen

        def popen(command: list[str], **more: t.Any) -> subprocess.Popen[str]:
            started.append((command, real(["sleep", "600"], **more)))
            return started[0][1]

        def leave_early() -> t.NoReturn:
            with subject.building_ahead(["debian-12", "ubuntu-24.04"]):
                assert started[0][1].poll() is None
                raise KeyboardInterrupt

        monkeypatch.setattr(boot_images, "prepare_host", lambda _: None)
        monkeypatch.setattr(subject.subprocess, "Popen", popen)
        with pytest.raises(KeyboardInterrupt):
            leave_early()
        command, process = started[0]
        assert command[-4:] == ["-m", "tools.boot_images", "debian-12", "ubuntu-24.04"]
        assert process.returncode


class FakeEmulator:
    """Stands in for the local AWS."""

    env: t.ClassVar = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    endpoint = "http://127.0.0.1:1"

    def __enter__(self) -> FakeEmulator:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., None]:
    """Surroundings that work, or fail as asked for; molecule that ends as asked for."""

    def build(error: Exception | None = None, code: int = 0, lines: t.Sequence[str] = ()) -> None:
        @contextlib.contextmanager
        def surroundings(*_: object) -> t.Iterator[dict[str, str]]:
            if error:
                raise error
            yield {}

        monkeypatch.setattr(emulators, "Emulator", FakeEmulator)
        monkeypatch.setattr(subject, "SURROUNDINGS", {"boot": surroundings})
        monkeypatch.setattr(subject, "run_molecule", lambda *_: (code, list(lines)))

    return build


CONVERGED = ["INFO     [boot > converge] Executing\n", "machine  : ok=9    changed=2    unreachable=0\n"]


def test_a_run_that_passes(around: t.Callable[..., None]) -> None:
    around(lines=CONVERGED)
    state, line = subject.run_case(NEW, verbose=False)
    assert state == subject.PASSED
    assert line.startswith("ok: boot:new (")
    assert line.endswith("converge 2")


@pytest.mark.parametrize(("code", "lines"), [(1, CONVERGED), (0, [])])
def test_a_run_that_fails(around: t.Callable[..., None], code: int, lines: list[str]) -> None:
    around(code=code, lines=lines)
    assert subject.run_case(NEW, verbose=False)[0] == subject.FAILED


@pytest.mark.parametrize("error", [boot_images.UnreachableError("no way"), docker_engine.NoEngineError("no way")])
def test_a_run_that_cannot_be(around: t.Callable[..., None], error: Exception) -> None:
    around(error=error)
    assert subject.run_case(OLD, verbose=False) == (
        subject.SKIPPED,
        "skipped: boot:old: no way. Not proven: that it boots.",
    )


def test_an_image_that_must_be_there_and_cannot_be_made_is_a_failure(around: t.Callable[..., None]) -> None:
    around(error=boot_images.ImageError("trixie cannot be bootstrapped"))
    assert subject.run_case(NEW, verbose=False) == (subject.FAILED, "FAIL: boot:new: trixie cannot be bootstrapped")


def test_without_an_engine_one_line_says_what_is_not_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def engine() -> t.Iterator[None]:
        raise docker_engine.NoEngineError("nothing here")
        yield

    monkeypatch.setattr(docker_engine, "engine", engine)
    assert [line for _state, line in subject.run_all(KNOWN, False)] == [
        "skipped: boot: nothing here. Not proven: that it boots.",
        "skipped: live: nothing here. Not proven: that it serves.",
    ]


@pytest.mark.parametrize(("state", "code"), [(subject.PASSED, 0), (subject.SKIPPED, 0), (subject.FAILED, 1)])
def test_the_exit_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str, code: int) -> None:
    monkeypatch.setattr(molecule, "CACHE", tmp_path)
    monkeypatch.setattr(subject, "run_all", lambda *_: [(subject.PASSED, ""), (state, "")])
    assert subject.main([]) == code


def test_a_run_that_is_left_early_ends_with_all_that_it_started() -> None:
    program = "import subprocess, time; subprocess.Popen(['sleep', '600']); print('up', flush=True); time.sleep(600)"
    process = subprocess.Popen(
        [sys.executable, "-c", program], text=True, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    subject.end(process)
    # The end of the pipe, which the child of the child holds as well.
    assert process.stdout.read() == ""
    assert process.returncode
    process.stdout.close()


def test_plain_molecule_leaves_them_out_and_says_so() -> None:
    assert "boot" not in molecule.scenarios()
    assert any(
        line.startswith("skipped: boot: ") and "Not proven: that the user data" in line for line in molecule.left_out()
    )

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run that was killed has left goes; what a living run has, and what is nobody's, stays."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from tools import remains as subject
from tools.collection import ROOT

#: A run that starts a process in a session of its own, which starts another without the mark, and makes a directory.
RUN = """
import os, subprocess, sys, tempfile, time
from tools import remains
with remains.marked() as mark:
    code = "import subprocess as s, time; "
    code += "print(s.Popen(['sleep', '600'], env={}, stdout=s.DEVNULL).pid, flush=True); time.sleep(600)"
    one = subprocess.Popen([sys.executable, '-c', code], start_new_session=True, stdout=subprocess.PIPE, text=True)
    print(mark, one.pid, int(one.stdout.readline()), tempfile.mkdtemp(), flush=True)
    time.sleep(600)
"""


class Run(t.NamedTuple):
    """A run, its mark, its processes and its directory."""

    leader: subprocess.Popen[str]
    mark: str
    processes: list[int]
    directory: Path

    def kill(self) -> None:
        """As nothing can be done about."""
        self.leader.kill()
        self.leader.wait()
        if self.leader.stdout:
            self.leader.stdout.close()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[[], Run]]:
    """Starts runs whose temporary files stand in C{tmp_path}; other runs on this machine are no test's business."""
    runs: list[Run] = []
    read = subject.environment_mark

    def environment_mark(number: int) -> str:
        found = read(number)
        return found if found in [run.mark for run in runs] else ""

    monkeypatch.setattr(subject, "environment_mark", environment_mark)

    def one() -> Run:
        kept = {key: value for key, value in os.environ.items() if key != subject.VARIABLE}
        leader = subprocess.Popen(
            [sys.executable, "-c", RUN],
            cwd=ROOT,
            env={**kept, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert leader.stdout
        mark, first, second, directory = leader.stdout.readline().split()
        runs.append(Run(leader, mark, [int(first), int(second)], Path(directory).parent))
        return runs[-1]

    yield one
    for run in runs:
        run.kill()
        for number in run.processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)


def test_a_killed_run_is_swept_and_a_living_one_is_not(start: t.Callable[[], Run], tmp_path: Path) -> None:
    killed, living = start(), start()
    others = tmp_path / "palier-of-somebody"
    others.mkdir()
    killed.kill()
    assert [bool(subject.process(number)) for number in killed.processes] == [True, True]
    swept = subject.sweep(tmp_path)
    assert [subject.process(number) for number in killed.processes] == [None, None]
    assert all(subject.process(number) for number in living.processes)
    assert sorted(tmp_path.iterdir()) == sorted([others, living.directory])
    assert f"directory {killed.directory}" in swept
    assert {f"process {number}" for number in killed.processes} <= {one.partition(" (")[0] for one in swept}
    assert subject.sweep(tmp_path) == []


def test_whoever_sweeps_is_spared_though_a_killed_run_has_started_it(
    start: t.Callable[[], Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start()
    run.kill()
    read = subject.environment_mark
    own = {os.getpid(), os.getppid()}
    monkeypatch.setattr(subject, "environment_mark", lambda number: run.mark if number in own else read(number))
    first, ours = subject.left_processes(subject.processes())
    assert [one.number for one in first] == run.processes[:1]
    assert sorted(one.number for one in ours) == sorted(run.processes)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_what_is_mounted_there_is_unmounted_first(start: t.Callable[[], Run], tmp_path: Path) -> None:
    run = start()
    source, place = tmp_path / "kept", run.directory / "a place"
    source.mkdir()
    place.mkdir()
    (source / "file").touch()
    if subprocess.run(["mount", "--bind", str(source), str(place)], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let root mount")
    run.kill()
    swept = subject.sweep(tmp_path)
    assert f"mount {place}" in swept
    assert not run.directory.exists()
    assert (source / "file").exists()


def test_a_run_ends_without_remains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subject.marked() as mark:
        made = Path(tempfile.mkdtemp())
        assert made.parent.name.startswith(f"palier-run-{mark}-")
        assert (os.environ["TMPDIR"], os.environ[subject.VARIABLE]) == (str(made.parent), mark)
        assert subject.mark() == mark
        assert not subject.left(made.parent.name)
    assert list(tmp_path.iterdir()) == []
    assert subject.VARIABLE not in os.environ


def dead_mark() -> str:
    """The mark of a process that was there and has gone."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        found = subject.process(process.pid)
    assert found
    return f"{found.number}-{found.started}"


def test_a_number_that_another_process_has_now_is_not_the_one_that_was() -> None:
    own = subject.process(os.getpid())
    assert own
    assert not subject.is_dead(f"{own.number}-{own.started}")
    assert subject.is_dead(f"{own.number}-{int(own.started) - 1}")
    assert subject.is_dead(dead_mark())


def test_where_nobody_can_say_nothing_is_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = dead_mark()
    monkeypatch.setattr(subject, "PROC", tmp_path)
    assert not subject.is_dead(mark)
    assert (subject.processes(), subject.mounts_below(tmp_path)) == ([], [])


def test_in_an_engine_only_what_carries_a_dead_mark_goes() -> None:
    dead = dead_mark()
    own = subject.process(os.getpid())
    assert own
    alive = f"{own.number}-{own.started}"
    listed = {
        "ps": f"c1 palier-boot-{dead}-abc \nc2 palier-boot-{alive}-abc \nc3  palier-live-{dead}-4566:4566\n"
        f"c4  palier-live-{alive}-4566:4566\nc5  \nc6 palier-boot-abc \nc7 other-{dead}-abc \n",
        "network": f"n1 palier-boot-{dead}-abc \nn2  \n",
        "volume": "v1  \n",
    }
    removed: list[tuple[str, ...]] = []
    found = subject.empty_engine(
        lambda *command: listed[command[1]], lambda *command: bool(removed.append(command[1:])) or True
    )
    assert found == ["container c1", "container c3", "network n1"]
    assert removed == [
        ("rm", "--force", "--volumes", "c1"),
        ("rm", "--force", "--volumes", "c3"),
        ("network", "rm", "n1"),
    ]


def test_an_engine_that_a_living_run_may_use_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = dead_mark()
    own = subject.process(os.getpid())
    assert own
    every = [
        subject.Process(own.number, own.started, 1, "pytest"),
        subject.Process(10, "1", 1, "dockerd"),
        subject.Process(11, "1", 10, "containerd"),
        subject.Process(12, "1", 1, "molecule"),
        subject.Process(13, "1", 1, "molecule"),
    ]
    marks = {10: dead, 11: dead, 12: dead, 13: f"{own.number}-{own.started}"}
    monkeypatch.setattr(subject, "environment_mark", lambda number: marks.get(number, ""))
    first, ours = subject.left_processes(every)
    assert ([one.number for one in first], [one.number for one in ours]) == ([12], [12])
    del marks[13]
    first, ours = subject.left_processes(every)
    assert ([one.number for one in first], [one.number for one in ours]) == ([10, 12], [10, 11, 12])


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("palier-boot-12-345-abc", "12-345"),
        ("palier-live-12-345-4566:4566", "12-345"),
        ("palier-boot-abcdef", ""),
        ("palier-boot-12-345", ""),
        ("x-palier-boot-12-345-abc", ""),
    ],
)
def test_the_mark_in_a_name(name: str, mark: str) -> None:
    assert subject.mark_in(name) == mark


def test_waiting_ends_with_the_processes() -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        found = subject.process(process.pid)
        assert found
        began = time.monotonic()
        subject.end([found], signal.SIGKILL, 60)
        assert time.monotonic() - began < 60
        # A number that is another's by now gets no signal.
        subject.end([found._replace(number=os.getpid())], signal.SIGKILL, 0)

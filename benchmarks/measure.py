# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the benchmarks share: the cost of a command, medians, and the environment that leads to a local AWS."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

from tests.emulator import Emulator

ROOT = Path(__file__).resolve().parents[1]
#: Orphans become this process's children, so that the warm interpreter's CPU time can be read when it ends.
_PR_SET_CHILD_SUBREAPER = 36
#: Seconds between two looks at the memory of a run.
_LOOK = 0.5


class Cost(t.NamedTuple):
    """What a run cost: seconds, seconds, and MiB at the most (0 where it was not asked for)."""

    wall: float
    cpu: float
    memory: float = 0.0


def adopt_orphans() -> None:
    """Have the CPU time of what a run leaves behind counted. Call it once, at the start."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def environment(emulator: Emulator, region: str = "us-east-1", **extra: str) -> dict[str, str]:
    """The variables for a command on this emulator, without those of the caller that would steer it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
    return {
        **kept,
        **emulator.env,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible" / "collections"),
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        **extra,
    }


def run(
    command: list[str],
    variables: dict[str, str],
    *,
    spare: t.Collection[int | None] = (),
    directory: Path = ROOT,
    memory: bool = False,
) -> Cost:
    """Run a command to its end, and measure it with all that it started.

    :param spare: process ids of this process's children that are no part of it.
    :param memory: whether to look at the memory as well, which costs some CPU time of this process's own.
    :raises SystemExit: when the command fails.
    """
    start, used = time.monotonic(), cpu(spare)
    process = subprocess.Popen(
        command,
        env=variables,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watch = _Watch(spare) if memory else None
    output, _ = process.communicate()
    wall = time.monotonic() - start
    peak = watch.end() if watch else 0.0
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{output[-6000:]}")
    return Cost(wall, cpu(spare) - used, peak)


def median(costs: t.Sequence[Cost]) -> Cost:
    """The median of each figure by itself."""
    return Cost(*(statistics.median(figures) for figures in zip(*costs, strict=True)))


def in_turn(ways: t.Mapping[str, t.Callable[[], Cost]], runs: int, title: str = "") -> dict[str, Cost]:
    """Medians of so many runs of each way, taken in turn: whatever else the machine does meets all of them."""
    taken: dict[str, list[Cost]] = {way: [] for way in ways}
    for _turn in range(runs):
        for way, measure in ways.items():
            cost = measure()
            taken[way].append(cost)
            print(f"{title} {way}: {cost.wall:.1f} s, CPU {cost.cpu:.1f} s", file=sys.stderr, flush=True)
    return {way: median(costs) for way, costs in taken.items()}


def cpu(spare: t.Collection[int | None] = ()) -> float:
    """CPU seconds of everything that was started and has ended; waits for what is about to.

    :param spare: process ids of children that go on.
    """
    _bury(spare)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _children(process: int | str) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return found


def _bury(spare: t.Collection[int | None]) -> None:
    # What a run left behind is ours by now; its time counts when it is waited for.
    for child in _children("self"):
        if child not in spare:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


class _Watch:
    """Looks at the memory of a run, and of what it has left behind, until it is told to end."""

    def __init__(self, spare: t.Collection[int | None]) -> None:
        self._spare, self._peak = spare, 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> float:
        self._over.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._over.wait(_LOOK):
            started = [child for child in _children("self") if child not in self._spare]
            family = [one for child in started for one in _family(child)]
            self._peak = max(self._peak, sum(map(_proportional, family)))


def _family(process: int) -> list[int]:
    return [process, *(one for child in _children(process) for one in _family(child))]


def _proportional(process: int) -> float:
    """MiB of a process; what it shares with others counts for its part of it."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0

#!/usr/bin/env python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compares the warm connection with the local one: C{python benchmarks/warm/bench.py}.

Each playbook runs with both connections in turn, in one session, so that whatever else the machine does meets both.
The figures are medians; the ratios are what to look at. CPU is that of ansible-playbook and of all that it started,
the warm interpreter included, without the emulator's.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import stack

from tests.emulator import Emulator

#: Orphans become this process's children, so that the warm interpreter's CPU time can be read when it ends.
PR_SET_CHILD_SUBREAPER = 36
CONNECTIONS = {
    "local": "ansible.builtin.local",
    "local, pipelining": "ansible.builtin.local",
    "warm": "palier.aws.warm",
}


class Cost(t.NamedTuple):
    """What a run cost, in seconds."""

    wall: float
    cpu: float


def bury(spare: int | None) -> None:
    """Wait for every child but one, so that its time counts."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    for child in map(int, children):
        if child != spare:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


def cpu() -> float:
    """CPU seconds of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(playbook: Path, way: str, environment: dict[str, str], spare: int | None) -> Cost:
    """Run a playbook in one of the ways, and measure it.

    :param spare: the emulator's process id.
    :raises SystemExit: when the playbook fails.
    """
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "stack,", str(playbook)]
    command += ["-e", f"ansible_connection={CONNECTIONS[way]}"]
    command += ["-e", '{"ansible_python_interpreter": "{{ ansible_playbook_python }}"}']
    extra = {"ANSIBLE_PIPELINING": "1"} if way == "local, pipelining" else {}
    start, used = time.monotonic(), cpu()
    done = subprocess.run(
        command,
        check=False,
        env={**environment, **extra},
        cwd=playbook.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    wall = time.monotonic() - start
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    bury(spare)
    return Cost(wall, cpu() - used)


def measure(
    playbook: Path, runs: int, environment: dict[str, str], ways: list[str], spare: int | None
) -> dict[str, Cost]:
    """Medians of so many runs of a playbook in each way, taken in turn."""
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    for _turn in range(runs):
        for way in ways:
            costs[way].append(run(playbook, way, environment, spare))
            print(f"{playbook.stem}, {way}: {costs[way][-1].wall:.1f} s", file=sys.stderr, flush=True)
    return {
        way: Cost(statistics.median(cost.wall for cost in taken), statistics.median(cost.cpu for cost in taken))
        for way, taken in costs.items()
    }


def report(title: str, costs: dict[str, Cost]) -> None:
    """Print one playbook's lines of the table."""
    base = next(iter(costs.values()))
    for way, cost in costs.items():
        wall, used = base.wall / cost.wall, base.cpu / cost.cpu
        print(f"| {title} | {way} | {cost.wall:.1f} s | {cost.cpu:.1f} s | {wall:.1f} | {used:.1f} |", flush=True)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each playbook in each way (default: 5)")
    parser.add_argument(
        "--stacks", type=int, default=5, help="platforms of 16 tasks in the stack playbook (default: 5)"
    )
    parser.add_argument("--pings", type=int, default=80, help="tasks in the two other playbooks (default: 80)")
    arguments = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
    with Emulator() as emulator, tempfile.TemporaryDirectory() as directory:
        environment = {
            **kept,
            **emulator.env,
            "AWS_REGION": "us-east-1",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible" / "collections"),
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
        }
        plays = {
            f"{16 * arguments.stacks} AWS tasks, nothing to change": stack.stacks(arguments.stacks),
            f"{arguments.pings} ping": stack.pings(arguments.pings),
            f"{arguments.pings} debug": stack.messages(arguments.pings),
        }
        print("| playbook | connection | wall | CPU | faster | less CPU |\n|---|---|---|---|---|---|")
        for number, (title, text) in enumerate(plays.items()):
            playbook = Path(directory, f"play{number}.yml")
            playbook.write_text(text, encoding="utf-8")
            if "AWS" in title:
                run(playbook, "warm", environment, emulator.pid)
            ways = ["local", "warm"] if "debug" in title else list(CONNECTIONS)
            report(title, measure(playbook, arguments.runs, environment, ways, emulator.pid))


if __name__ == "__main__":
    main()

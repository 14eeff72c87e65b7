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
import functools
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import stack

from benchmarks import measure
from benchmarks.measure import Cost
from tests.emulator import Emulator

CONNECTIONS = {
    "local": "ansible.builtin.local",
    "local, pipelining": "ansible.builtin.local",
    "warm": "palier.aws.warm",
}


def run(playbook: Path, way: str, environment: dict[str, str], spare: int | None) -> Cost:
    """Run a playbook in one of the ways, and measure it.

    :param spare: the emulator's process id.
    """
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "stack,", str(playbook)]
    command += ["-e", f"ansible_connection={CONNECTIONS[way]}"]
    command += ["-e", '{"ansible_python_interpreter": "{{ ansible_playbook_python }}"}']
    extra = {"ANSIBLE_PIPELINING": "1"} if way == "local, pipelining" else {}
    return measure.run(command, {**environment, **extra}, spare=[spare], directory=playbook.parent)


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
    measure.adopt_orphans()
    with Emulator() as emulator, tempfile.TemporaryDirectory() as directory:
        environment = measure.environment(emulator)
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
            runs = {way: functools.partial(run, playbook, way, environment, emulator.pid) for way in ways}
            report(title, measure.in_turn(runs, arguments.runs, title))


if __name__ == "__main__":
    main()

#!/usr/bin/env python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A first deployment against its critical path, and against the same tiers one after the other.

    python -m benchmarks.deployment.run [--systems jeancloud classic_ec2] [--runs 1]

Databases, gateways and the rest take AWS's time (tests/emulator/provisioning.py), at AWS's own pace. While a task
waits, the clock is put forward by the interval between two looks, so a run of twelve minutes takes one; AWS's seconds
are then what Ansible took itself, plus what was waited.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import typing as t
from pathlib import Path

from benchmarks import measure
from benchmarks.deployment.critical import NEEDS, critical_path, one_after_the_other
from tests.emulator import Emulator
from tests.emulator.provisioning import SECONDS
from tests.integration.cycle import NO_DATA_PLANE
from tests.integration.runner import ROOT
from tests.integration.waits.passing import PassingRunner

STACKS = {"jeancloud": "jeancloud_france", "classic_ec2": "classic_prod"}
PLAYBOOKS = {"deploy.yml": "deploy", "one after the other": "../benchmarks/deployment/sequential"}


class Figures(t.NamedTuple):
    """AWS's seconds of a run; what of them was waited, and what Ansible took itself; and its CPU seconds."""

    total: float
    waited: float
    own: float
    cpu: float


def deploy(system: str, playbook: str) -> Figures:
    """Deploy a stack on an empty account."""
    with Emulator(provisioning=1.0) as emulator, tempfile.TemporaryDirectory() as directory:
        runner = PassingRunner(emulator, Path(directory), ROOT / "inventories" / system)
        begun, wall, cpu = emulator.now(), time.monotonic(), measure.cpu([emulator.pid])
        options = ("--limit", STACKS[system], "--skip-tags", "peering")
        runner.play(playbook, *options, variables=NO_DATA_PLANE)
        total, wall = emulator.now() - begun, time.monotonic() - wall
        return Figures(total, total - wall + runner.pauses, wall - runner.pauses, measure.cpu([emulator.pid]) - cpu)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=STACKS, default=list(STACKS), help="which inventories")
    parser.add_argument("--runs", type=int, default=1, help="runs of each (default: 1, since each takes a minute)")
    options = parser.parse_args()
    measure.adopt_orphans()
    print("| stack | way | AWS's seconds | waited | Ansible's own | CPU | critical path = 1 |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for system in options.systems:
        length, parts = critical_path(NEEDS[system], SECONDS)
        taken: dict[str, list[Figures]] = {way: [] for way in PLAYBOOKS}
        for _turn in range(options.runs):
            for way, playbook in PLAYBOOKS.items():
                taken[way].append(deploy(system, playbook))
        summed = one_after_the_other(NEEDS[system], SECONDS)
        print(f"| {STACKS[system]} | critical path: {', '.join(parts)} | {length:.0f} | {length:.0f} | | | 1.00 |")
        print(
            f"| {STACKS[system]} | sum of all | {summed:.0f} | {summed:.0f} | | | {summed / length:.2f} |", flush=True
        )
        for way, runs in taken.items():
            total, waited, own, cpu = (statistics.median(figures) for figures in zip(*runs, strict=True))
            row = f"| {STACKS[system]} | {way} | {total:.0f} | {waited:.0f} | {own:.0f} | {cpu:.0f} |"
            print(f"{row} {total / length:.2f} |", flush=True)


if __name__ == "__main__":
    main()

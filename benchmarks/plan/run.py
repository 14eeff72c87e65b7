#!/usr/bin/env python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan on an empty account: C{python -m benchmarks.plan.run [--systems jeancloud_france] [--runs 5]}."""

from __future__ import annotations

import argparse

from benchmarks import measure
from benchmarks.converge.run import SYSTEMS, deploy
from tests.emulator import Emulator


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="which stacks")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: 5)")
    options = parser.parse_args()
    measure.adopt_orphans()
    print("| stack | wall | CPU | API calls | writes |\n|---|---|---|---|---|", flush=True)
    with Emulator() as emulator:
        for stack in options.systems:
            costs = []
            for _turn in range(options.runs):
                emulator.reset()
                emulator.clear_requests()
                command = [*deploy(stack, "palier.aws.warm"), "--check"]
                variables = measure.environment(emulator, SYSTEMS[stack][1])
                costs.append(measure.run(command, variables, spare=[emulator.pid]))
            cost, asked, written = measure.median(costs), len(emulator.requests()), len(emulator.requests(writes=True))
            print(f"| {stack} | {cost.wall:.1f} s | {cost.cpu:.1f} s | {asked} | {written} |", flush=True)


if __name__ == "__main__":
    main()

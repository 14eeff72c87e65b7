#!/usr/bin/env python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many stacks in one run: what a converge that changes nothing costs, and how that grows.

    python -m benchmarks.stacks.run [--stacks 1 4 16 64] [--runs 3]

Each stack is a network without NAT gateway and an image repository, in a region of four in turn. CPU and memory (the
peak, what processes share counted once) are those of everything but the emulator.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import Cost
from tests.emulator import Emulator

REGIONS = ("eu-west-1", "eu-west-3", "eu-central-1", "us-east-1")


def inventory(count: int) -> str:
    """So many stacks that differ in their name and addresses."""
    hosts = {
        f"many_{number}": {
            "stack_env": f"e{number}",
            "stack_region": REGIONS[number % len(REGIONS)],
            "network_cidr": f"10.{number}.0.0/16",
        }
        for number in range(count)
    }
    variables = {
        "ansible_connection": "palier.aws.warm",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "stack_name": "many",
        "stack_tiers": ["network", "registry"],
        "registry_repositories": [{"name": "app"}],
    }
    # JSON is YAML.
    return json.dumps({"stacks": {"hosts": hosts, "vars": variables}})


def converge(count: int, forks: int, emulator: Emulator, directory: Path) -> Cost:
    """Converge so many stacks once."""
    hosts = directory / f"{count}.yml"
    hosts.write_text(inventory(count), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(hosts), "--forks", str(forks)]
    command += ["playbooks/deploy.yml"]
    return measure.run(command, measure.environment(emulator), spare=[emulator.pid], memory=True)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stacks", nargs="+", type=int, default=[1, 4, 16, 64], help="how many (default: 1 4 16 64)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--forks", type=int, default=10, help="forks of ansible-playbook (default: 10, as ansible.cfg)")
    options = parser.parse_args()
    measure.adopt_orphans()
    print("| stacks | wall | CPU | CPU for each | memory | API calls |\n|---|---|---|---|---|---|", flush=True)
    for count in options.stacks:
        with Emulator() as emulator, tempfile.TemporaryDirectory() as directory:
            converge(count, options.forks, emulator, Path(directory))
            costs = []
            for _turn in range(options.runs):
                emulator.clear_requests()
                costs.append(converge(count, options.forks, emulator, Path(directory)))
            cost, calls = measure.median(costs), len(emulator.requests())
            each = cost.cpu / count
            print(
                f"| {count} | {cost.wall:.1f} s | {cost.cpu:.1f} s | {each:.1f} s | {cost.memory:.0f} MiB | {calls} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

#!/usr/bin/env python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A converge that changes nothing, of the example systems, in several ways, in turn.

    python -m benchmarks.converge.run [--systems jeancloud_france classic_prod] [--runs 5] [--delays 0 80]

The ways: this collection with the warm connection, the same with the local one, with and without the callback preload,
a plain playbook of stock modules, without that callback, that makes (most of) the same resources of jeancloud_france,
and plain boto3 making the very calls of the first one. With C(--delays 80) each call takes 80 ms longer, as from an
office to a region. CPU is that of everything but the emulator.
"""

from __future__ import annotations

import argparse
import functools
import json
import pickle
import sys
import tempfile
import typing as t
from pathlib import Path

from benchmarks import measure
from benchmarks.converge import capture, replay
from benchmarks.measure import ROOT, Cost
from benchmarks.snapshots.slow import SlowDoor
from tests.emulator import Emulator
from tests.integration.cycle import NO_DATA_PLANE

HERE = Path(__file__).resolve().parent
ANSIBLE = str(Path(sys.executable).parent / "ansible-playbook")
#: The inventory of each system, and the region of its stack.
SYSTEMS = {
    "jeancloud_france": ("jeancloud", "eu-west-3"),
    "classic_prod": ("classic_ec2", "us-east-1"),
    "classic_ai": ("classic_ec2", "us-east-1"),
    "clefcloud_prod": ("clefcloud", "eu-west-3"),
    "fargate_prod": ("fargate_web", "eu-west-3"),
    "node_prod": ("node_ecs", "eu-west-1"),
}
WAYS = ("palier, warm", "palier, local", "palier, local, no preload", "stock modules", "boto3 replay")
#: The callbacks of ansible.cfg but the one that makes runs faster.
NO_PRELOAD = {"ANSIBLE_CALLBACKS_ENABLED": "palier.aws.plan,palier.aws.heartbeat"}
INTERPRETER = json.dumps({"ansible_python_interpreter": "{{ ansible_playbook_python }}"})


def deploy(stack: str, connection: str) -> list[str]:
    """The command that converges a stack."""
    command = [ANSIBLE, "-i", str(ROOT / "inventories" / SYSTEMS[stack][0]), "playbooks/deploy.yml", "--limit", stack]
    switches = {**NO_DATA_PLANE, "ec2_app_verify_targets": False}
    switches |= {"ansible_connection": connection, "stack_poll_interval": 0.2}
    # The other end of a peering stands in another stack.
    return [*command, "--skip-tags", "peering", "-e", json.dumps(switches)]


def stock() -> list[str]:
    """The command that converges the plain playbook."""
    return [ANSIBLE, "-i", "stack,", "-c", "local", "-e", INTERPRETER, str(HERE / "stock.yml")]


class System:
    """A deployed stack, and the same of stock modules in an account of its own.

    :param stack: a key of L{SYSTEMS}.
    :param delay: milliseconds that each call takes longer.
    """

    def __init__(self, stack: str, emulator: Emulator, plain: Emulator, directory: Path) -> None:
        self.stack, self.emulator, self.plain = stack, emulator, plain
        self.region = SYSTEMS[stack][1]
        self.spare = (emulator.pid, plain.pid)
        self._run(deploy(stack, "palier.aws.warm"), emulator, 0)
        hooked, self.recording = capture.hook(directory)
        self._run(deploy(stack, "palier.aws.warm"), emulator, 0, **hooked)
        if stack == "jeancloud_france":
            self._run(stock(), plain, 0)

    def ways(self, names: t.Sequence[str], delay: int) -> dict[str, t.Callable[[], Cost]]:
        """What to measure, by its name."""
        boto3 = [sys.executable, str(HERE / "replay.py"), str(self.recording)]
        warm, local = (deploy(self.stack, name) for name in ("palier.aws.warm", "ansible.builtin.local"))
        commands: dict[str, tuple[list[str], Emulator, dict[str, str]]] = {
            "palier, warm": (warm, self.emulator, {}),
            "palier, local": (local, self.emulator, {}),
            "palier, local, no preload": (local, self.emulator, NO_PRELOAD),
            "stock modules": (stock(), self.plain, NO_PRELOAD),
            "boto3 replay": (boto3, self.emulator, {}),
        }
        if self.stack != "jeancloud_france":
            del commands["stock modules"]
        return {
            name: functools.partial(self._run, command, emulator, delay, **extra)
            for name, (command, emulator, extra) in commands.items()
            if name in names
        }

    def calls(self) -> tuple[int, int]:
        """How many calls a converge makes, and how many of them differ from all before."""
        made = [pickle.dumps(call) for call in replay.calls(self.recording)]
        return len(made), len(set(made))

    def _run(self, command: list[str], emulator: Emulator, delay: int, **extra: str) -> Cost:
        variables = measure.environment(emulator, self.region, **extra)
        if not delay:
            return measure.run(command, variables, spare=self.spare)
        with SlowDoor(emulator.endpoint, delay / 1000) as door:
            return measure.run(command, {**variables, "AWS_ENDPOINT_URL": door.endpoint}, spare=self.spare)


def report(stack: str, delay: int, calls: tuple[int, int], costs: dict[str, Cost]) -> None:
    """Print the lines of the table, with ratios to the first way."""
    base = costs[WAYS[0]]
    for way, cost in costs.items():
        print(
            f"| {stack} | {delay} ms | {calls[0]} ({calls[1]} distinct) | {way} | {cost.wall:.1f} s | {cost.cpu:.1f} s "
            f"| {cost.wall / base.wall:.2f} | {cost.cpu / base.cpu:.2f} |",
            flush=True,
        )


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="which stacks")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="which ways")
    parser.add_argument("--runs", type=int, default=5, help="runs of each way (default: 5)")
    parser.add_argument("--delays", nargs="+", type=int, default=[0, 80], help="milliseconds (default: 0 80)")
    options = parser.parse_args()
    measure.adopt_orphans()
    print("| stack | latency | calls of palier | way | wall | CPU | wall: palier, warm = 1 | CPU |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for stack in options.systems:
        with Emulator() as emulator, Emulator() as plain, tempfile.TemporaryDirectory() as directory:
            system = System(stack, emulator, plain, Path(directory))
            for delay in options.delays:
                costs = measure.in_turn(system.ways(options.ways, delay), options.runs, f"{stack}, {delay} ms,")
                report(stack, delay, system.calls(), costs)


if __name__ == "__main__":
    main()

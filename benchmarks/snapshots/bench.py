#!/usr/bin/env python3
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copy 40 and prune 500 snapshots: our modules beside the stock ones in a loop.

Both playbooks run against the local AWS behind a door that adds 80 ms to each call. Three rounds are measured of each:
the first removes nine tenths of the snapshots, the second finds nothing to do, the third is a day later: one more
snapshot of each volume. Every call is counted where it arrives.

    .venv/bin/python -m benchmarks.snapshots.bench [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import typing as t
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.snapshots.slow import SlowDoor
from tests.emulator import Emulator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SOURCE, TARGET = "eu-west-3", "eu-central-1"
DELAY = 0.080
DAY = timedelta(days=1)


class Account:
    """The local AWS, with volumes that are saved once a day.

    :param emulator: running.
    :param volumes: how many.
    """

    def __init__(self, emulator: Emulator, volumes: int) -> None:
        self.emulator = emulator
        self.ec2 = emulator.client("ec2", SOURCE, max_pool_connections=8)
        self.now = datetime.now(UTC)
        self.saved = 0
        make = self.ec2.create_volume
        self.volumes = [make(Size=8, AvailabilityZone=f"{SOURCE}a")["VolumeId"] for _ in range(volumes)]

    def save(self, days_ago: float) -> None:
        """Save every volume."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda volume: self._save(volume, self.now - days_ago * DAY), self.volumes))

    def _save(self, volume: str, at: datetime) -> None:
        tags = {
            "Stack": "bench",
            "RestorePoint": f"{volume}-{at:%Y%m%dt%H%M%Sz}",
            "RestorePointOf": volume,
            "RestorePointSource": volume,
            "RestorePointSize": "1",
            "RestorePointTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        }
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.ec2.create_snapshot(VolumeId=volume, TagSpecifications=[{"ResourceType": "snapshot", "Tags": listed}])

    def listing(self, region: str) -> list[dict[str, t.Any]]:
        """The snapshots of the volumes."""
        ec2 = self.emulator.client("ec2", region)
        return ec2.describe_snapshots(Filters=[{"Name": "tag:Stack", "Values": ["bench"]}])["Snapshots"]

    def newest(self, count: int) -> list[str]:
        """Names of the newest restore points of so many volumes."""
        names = sorted(tag["Value"] for s in self.listing(SOURCE) for tag in s["Tags"] if tag["Key"] == "RestorePoint")
        return [max(n for n in names if n.startswith(f"{volume}-")) for volume in self.volumes[:count]]


def play(emulator: Emulator, door: SlowDoor, name: str, variables: dict[str, t.Any]) -> dict[str, t.Any]:
    """Run a playbook; its wall time and calls."""
    environment = {
        **os.environ,
        **emulator.env,
        "AWS_ENDPOINT_URL": door.endpoint,
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.default",
    }
    emulator.clear_requests()
    command = ["ansible-playbook", "-i", "localhost,", "-c", "local", str(HERE / f"{name}.yml")]
    start = time.monotonic()
    done = subprocess.run(
        [*command, "-e", json.dumps(variables)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - start
    if done.returncode:
        raise SystemExit(f"{name}.yml failed:\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}")
    calls = Counter(entry["operation"] for entry in emulator.requests())
    return {"seconds": seconds, "calls": calls.total(), "by_call": dict(calls.most_common())}


def rounds(name: str, volumes: int, points: int, copies: int) -> list[dict[str, t.Any]]:
    """The three rounds of one way, in an account of its own."""
    with Emulator() as emulator, SlowDoor(emulator.endpoint, DELAY) as door:
        account = Account(emulator, volumes)
        for day in range(points, 0, -1):
            account.save(day)
        keep = max(1, points // 10)
        results = []
        for step in ("first", "nothing to do", "a day later"):
            if step == "a day later":
                account.save(0)
            before = len(account.listing(SOURCE)), len(account.listing(TARGET))
            result = play(emulator, door, name, {"bench_copies": account.newest(copies), "bench_keep": keep})
            after = len(account.listing(SOURCE)), len(account.listing(TARGET))
            assert after[0] == volumes * keep, after
            results.append({"round": step, "removed": before[0] - after[0], "copied": after[1] - before[1], **result})
        return results


def report(ours: list[dict[str, t.Any]], stock: list[dict[str, t.Any]]) -> None:
    """Print both beside each other."""
    print(f"\n{'round':<14} {'':<6} {'removed':>8} {'copied':>7} {'calls':>6} {'seconds':>8}")
    for mine, theirs in zip(ours, stock, strict=True):
        for who, row in (("ours", mine), ("stock", theirs)):
            numbers = f"{row['removed']:>8} {row['copied']:>7} {row['calls']:>6} {row['seconds']:>8.1f}"
            print(f"{row['round']:<14} {who:<6} {numbers}")
        calls, seconds = theirs["calls"] / mine["calls"], theirs["seconds"] / mine["seconds"]
        print(f"{'':<14} {'ratio':<6} {'':>8} {'':>7} {calls:>6.1f} {seconds:>8.1f}")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="60 snapshots of 6 volumes and 5 copies")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args()
    volumes, points, copies = (6, 10, 5) if options.quick else (50, 10, 40)
    ours = rounds("ours", volumes, points, copies)
    stock = rounds("stock", volumes, points, copies)
    report(ours, stock)
    if options.json:
        options.json.write_text(json.dumps({"ours": ours, "stock": stock}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

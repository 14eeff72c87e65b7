# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copy 20 images of 4 repositories (about 500 MB in 64 distinct layers) from one registry to another, four ways.

    .venv/bin/python -m benchmarks.ecr.run [--rounds 3] [--delays 0 80] [--ways module xargs sync copy] [--scale 1.0]
        [--put-rate 10]

Side by side in one run: this collection's ecr_image_sync, ``skopeo sync``, ``skopeo copy`` one by one, and
``xargs -P8 skopeo copy``; on loopback and with milliseconds added to each round trip; a first copy into an empty
registry, then the same again with nothing to do. Registries are Debian's docker-registry on loopback; the module's
calls to ECR's control plane go to a stand-in, through a delay of their own. Medians over the rounds are printed as a
Markdown table, everything as JSON with ``--json FILE``.

CPU and memory are the client's: user and system time of all its processes, and its largest process. Requests are what
both registries' access logs say, plus the module's calls to ECR.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.integration.ecr.control import ControlPlane, Region
from tests.integration.ecr.images import Maker
from tests.integration.ecr.registries import MISSING, PlainRegistry, installed

ROOT = Path(__file__).parents[2]
MB = 1024 * 1024
REPOSITORIES = ["app0", "app1", "app2", "app3"]
WAYS = ["module", "sync", "copy", "xargs"]
NAMES = {
    "module": "ecr_image_sync",
    "sync": "skopeo sync",
    "copy": "skopeo copy, one by one",
    "xargs": "xargs -P8 skopeo copy",
}


@dataclass
class Measure:
    """One run of one way."""

    way: str
    delay: int
    phase: str
    wall: float
    cpu: float
    megabytes: float
    requests: int


@dataclass
class Place:
    """Where a way copies from and to, as the client sees it."""

    source: str
    destination: str
    endpoint: str
    folder: Path
    images: list[tuple[str, str]]
    put_rate: float


def make_images(maker: Maker, scale: float) -> list[tuple[str, str]]:
    """Push the image set: (repository, tag) of all images.

    Three bases that many share (130 MB), 18 images of three layers of their own, one index over two platforms, and one
    small image.
    """

    def layer(megabytes: float) -> bytes:
        return maker.layer(int(megabytes * scale * MB))

    bases = [layer(60), layer(40), layer(30)]
    images = []
    for number in range(18):
        repository = REPOSITORIES[number % 4]
        own = [layer(12), layer(5), layer(0.5)]
        maker.image(repository, f"v{number}", [bases[number % 3], *own], label=str(number))
        images.append((repository, f"v{number}"))
    children = [maker.image("app0", None, [layer(14), layer(5), layer(0.2)], label=str(n)) for n in range(2)]
    maker.index("app0", "multi", children)
    maker.image("app1", "small", [layer(0.5)])
    return [*images, ("app0", "multi"), ("app1", "small")]


@contextlib.contextmanager
def delayed(port: int, milliseconds: int) -> t.Iterator[int]:
    """A port behind which another one is so many milliseconds of round trip away."""
    if not milliseconds:
        yield port
        return
    command = [sys.executable, "-m", "benchmarks.ecr.delay", str(port), str(milliseconds / 2000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def module_command(place: Place) -> tuple[list[str], str, dict[str, str]]:
    """The module as Ansible starts it on the target: its arguments on standard input."""
    arguments = {
        "source": {"region": "eu-west-3"},
        "destination": {"region": "eu-central-1"},
        "repositories": REPOSITORIES,
        "put_rate": place.put_rate,
        "endpoint_url": place.endpoint,
        "access_key": "testing",
        "secret_key": "testing",
    }
    command = [sys.executable, str(ROOT / "plugins" / "modules" / "ecr_image_sync.py")]
    environment = {"PYTHONPATH": str(ROOT / ".ansible" / "collections"), "NO_PROXY": "127.0.0.1"}
    return command, json.dumps({"ANSIBLE_MODULE_ARGS": arguments}), environment


def skopeo_sync_command(place: Place) -> tuple[list[str], str, dict[str, str]]:
    """All repositories by one ``skopeo sync``."""
    listed = "".join(f"    {name}: []\n" for name in REPOSITORIES)
    file = place.folder / "sync.yml"
    file.write_text(f"{place.source}:\n  tls-verify: false\n  images:\n{listed}", encoding="utf-8")
    flags = ["--all", "--src", "yaml", "--dest", "docker", "--dest-tls-verify=false"]
    return ["skopeo", "sync", *flags, str(file), place.destination], "", {}


def skopeo_copy_command(place: Place, parallel: int) -> tuple[list[str], str, dict[str, str]]:
    """One ``skopeo copy`` for each image, so many at a time."""
    lines = "".join(
        f"docker://{place.source}/{name}:{tag} docker://{place.destination}/{name}:{tag}\n"
        for name, tag in place.images
    )
    copy = "skopeo copy --quiet --all --src-tls-verify=false --dest-tls-verify=false"
    return ["sh", "-c", f"xargs -P{parallel} -L1 {copy}"], lines, {}


COMMANDS: dict[str, t.Callable[[Place], tuple[list[str], str, dict[str, str]]]] = {
    "module": module_command,
    "sync": skopeo_sync_command,
    "copy": lambda place: skopeo_copy_command(place, 1),
    "xargs": lambda place: skopeo_copy_command(place, 8),
}


def measure(way: str, place: Place) -> tuple[float, float, float]:
    """Run a way once: wall seconds, CPU seconds, megabytes of its largest process."""
    command, text, extra = COMMANDS[way](place)
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("AWS_")}, **extra}
    script = [sys.executable, "-c", RUNNER, *command]
    done = subprocess.run(script, input=text, capture_output=True, text=True, env=environment, check=False)
    # The runner's last line is the measurement; what stands before it is the client's own output.
    *output, last = done.stdout.splitlines() or [""]
    numbers = json.loads(last)
    if numbers["status"]:
        raise RuntimeError(f"{way} failed: {done.stderr[-2000:]} {''.join(output)[-2000:]}")
    return numbers["wall"], numbers["cpu"], numbers["megabytes"]


# In a process of its own, since the usage of children is counted over a process's whole life.
RUNNER = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.call(sys.argv[1:])
wall = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
print()
print(json.dumps({"status": status, "wall": wall, "cpu": cpu, "megabytes": used.ru_maxrss / 1024}))
"""


def run_way(
    way: str, delay: int, source: PlainRegistry, images: list[tuple[str, str]], put_rate: float
) -> list[Measure]:
    """One round of one way: a first copy, then nothing to do."""
    found = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="palier-bench-")))
        target = stack.enter_context(PlainRegistry(folder / "destination", log=True))
        source_port = stack.enter_context(delayed(source.port, delay))
        target_port = stack.enter_context(delayed(target.port, delay))
        regions = {
            "eu-west-3": Region(source.store, f"http://127.0.0.1:{source_port}"),
            "eu-central-1": Region(target.store, f"http://127.0.0.1:{target_port}"),
        }
        plane = stack.enter_context(ControlPlane(regions))
        plane_port = stack.enter_context(delayed(int(plane.url.rpartition(":")[2]), delay))
        hosts = f"127.0.0.1:{source_port}", f"127.0.0.1:{target_port}"
        place = Place(*hosts, f"http://127.0.0.1:{plane_port}", folder, images, put_rate)
        for phase in ("first copy", "nothing to do"):
            before = source.logged() + target.logged() + len(plane.calls)
            wall, cpu, megabytes = measure(way, place)
            time.sleep(0.2)  # the last lines of the access logs
            requests = source.logged() + target.logged() + len(plane.calls) - before
            found.append(Measure(way, delay, phase, wall, cpu, megabytes, requests))
        for name, tag in images:
            assert target.store.tags(name)[tag] == source.store.tags(name)[tag], (way, name, tag)
            assert target.store.incomplete(name) == []
    return found


def medians(measures: list[Measure]) -> list[Measure]:
    """The median of each number over the rounds."""
    groups: dict[tuple[int, str, str], list[Measure]] = {}
    for one in measures:
        groups.setdefault((one.delay, one.phase, one.way), []).append(one)
    return [
        Measure(
            way,
            delay,
            phase,
            *(statistics.median(getattr(one, name) for one in group) for name in ("wall", "cpu", "megabytes")),
            requests=int(statistics.median(one.requests for one in group)),
        )
        for (delay, phase, way), group in sorted(groups.items())
    ]


def table(measures: list[Measure]) -> str:
    """The medians as Markdown, fastest first."""
    lines = ["| added to a round trip | job | way | wall | client CPU | requests | memory |", "|" + "---|" * 7]
    for one in sorted(medians(measures), key=lambda one: (one.delay, one.phase, one.wall)):
        cells = [
            f"{one.delay} ms",
            one.phase,
            NAMES[one.way],
            f"{one.wall:.1f} s",
            f"{one.cpu:.2f} s",
            str(one.requests),
            f"{one.megabytes:.0f} MB",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is measured")
    parser.add_argument("--delays", type=int, nargs="+", default=[0, 80], help="milliseconds added to a round trip")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--scale", type=float, default=1.0, help="size of the layers; 1.0 is about 500 MB")
    parser.add_argument(
        "--put-rate", type=float, default=10.0, help="the module's manifests a second; 10 is ECR's quota"
    )
    parser.add_argument("--json", type=Path, help="where to write every measurement")
    options = parser.parse_args()
    if not installed():
        raise SystemExit(MISSING)
    measures: list[Measure] = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="palier-bench-"))
        with PlainRegistry(Path(folder) / "source", log=True) as source:
            maker = Maker(source.url)
            images = make_images(maker, options.scale)
            maker.close()
            for number in range(options.rounds):
                for delay in options.delays:
                    for way in options.ways:
                        found = run_way(way, delay, source, images, options.put_rate)
                        measures += found
                        for one in found:
                            print(f"round {number + 1}: {asdict(one)}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in measures], indent=1), encoding="utf-8")
    print(table(measures))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make test-real``: the molecule scenarios that boot machines and run containers, which takes a Docker engine.

A scenario is one of these if it has a file C{real.yml}: what it C{proves}, and which C{variants} of it there are. The
first one is the one that a quick run takes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from tools import boot, boot_images, docker_engine, molecule
from tools.collection import BIN, ROOT, load_yaml

#: What each scenario needs around it.
SURROUNDINGS = {"boot": boot.surroundings, "boot_fleet": boot.fleet_surroundings}
#: What tells a run that was left out from one that passed and one that failed.
PASSED, SKIPPED, FAILED = "ok", "skipped", "FAIL"
#: Seconds that molecule gets to end when it is asked to.
PATIENCE = 20


class Case(t.NamedTuple):
    """A variant of a scenario."""

    scenario: str
    variant: str
    proves: str

    @property
    def name(self) -> str:
        """As it is written on the command line."""
        return f"{self.scenario}:{self.variant}"


def cases(root: Path = ROOT) -> list[Case]:
    """Every variant of every scenario of this kind."""
    found = []
    for path in sorted((root / "molecule").glob("*/real.yml")):
        description = load_yaml(path)
        found += [Case(path.parent.name, one, description["proves"]) for one in description["variants"]]
    return found


def choose(known: list[Case], wanted: t.Sequence[str]) -> list[Case]:
    """The variants that were asked for.

    :param known: all of them.
    :param wanted: scenarios, or variants as C{scenario:variant}; all if empty.
    :raises ValueError: if there is none of such a name.
    """
    chosen: list[Case] = []
    for name in wanted or [case.scenario for case in known]:
        matching = [case for case in known if name in (case.scenario, case.name)]
        if not matching:
            raise ValueError(f"no such scenario: {name}; there are: {', '.join(case.name for case in known)}")
        chosen += [case for case in matching if case not in chosen]
    return chosen


@contextlib.contextmanager
def molecule_process(name: str, variables: dict[str, str]) -> t.Iterator[subprocess.Popen[str]]:
    """A run of molecule, ended with all that it started when this is left early."""
    process = subprocess.Popen(
        [str(BIN / "molecule"), "test", "-s", name],
        cwd=ROOT,
        env=molecule.command_environment(name, variables),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=1,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a process that leads a session, and the others in it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)


def run_molecule(case: Case, variables: dict[str, str], verbose: bool) -> tuple[int, list[str]]:
    """Run a scenario.

    :param variables: what it finds in its environment.
    :param verbose: show all of its output, not only which step it is at.
    :returns: molecule's exit code and output.
    """
    with (
        (molecule.CACHE / f"{case.scenario}-{case.variant}.log").open("w") as log,
        molecule_process(case.scenario, variables) as process,
    ):
        lines = molecule.follow(case.name, process.stdout or (), log, verbose)
        process.wait()
    return process.returncode, lines


def run_case(case: Case, verbose: bool) -> tuple[str, str]:
    """Run a variant on a local AWS of its own.

    :returns: how it ended, and the line that says so.
    """
    from tests.emulator import Emulator

    started = time.monotonic()
    try:
        with (
            Emulator() as emulator,
            SURROUNDINGS[case.scenario](case.variant, emulator.endpoint, print) as variables,
        ):
            prepared = time.monotonic() - started
            code, lines = run_molecule(case, {**emulator.env, **variables}, verbose)
    except (boot_images.UnreachableError, docker_engine.NoEngineError) as error:
        return SKIPPED, docker_engine.skipped(case.name, error, case.proves)
    except boot_images.ImageError as error:
        return FAILED, f"{FAILED}: {case.name}: {error}"
    counts = molecule.changed_by_step(lines)
    problems = [f"molecule ended with {code}"] if code else molecule.judge(counts)
    if problems and not verbose:
        print("".join(lines[-molecule.LAST :]), flush=True)
    state = FAILED if problems else PASSED
    seconds = f"{time.monotonic() - started:.0f} s, of these {prepared:.0f} s for images"
    return state, "; ".join([f"{state}: {case.name} ({seconds}): {molecule.describe(counts)}", *problems])


def run_all(chosen: list[Case], verbose: bool) -> list[tuple[str, str]]:
    """Run variants, one after the other, or say of each what was not proven.

    :returns: see L{run_case}.
    """
    try:
        with docker_engine.engine(), building_ahead(later(chosen)):
            return [run_case(case, verbose) for case in chosen]
    except docker_engine.NoEngineError as error:
        return [(SKIPPED, docker_engine.skipped(case.scenario, error, case.proves)) for case in first(chosen)]


def later(chosen: list[Case]) -> list[str]:
    """The machines that are booted after the first one, in this order."""
    machines = dict.fromkeys(case.variant for case in chosen if case.variant in boot_images.MACHINES)
    return list(machines)[1:]


@contextlib.contextmanager
def building_ahead(machines: list[str]) -> t.Iterator[None]:
    """Build the images of machines while others boot, which waits more than it works.

    What goes wrong with it shows when it is their turn: then they are built again.

    :param machines: their names.
    :raises NoEngineError: if images cannot be built here.
    """
    if not machines:
        yield
        return
    boot_images.prepare_host(print)
    nothing: dict[str, t.Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    command = ["nice", "-n", "19", sys.executable, "-m", "tools.boot_images", *machines]
    process = subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **nothing)
    try:
        yield
    finally:
        end(process)


def first(chosen: list[Case]) -> list[Case]:
    """The first variant of each scenario."""
    return list({case.scenario: case for case in reversed(chosen)}.values())[::-1]


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run scenarios.

    :param arguments: names, see L{choose}.
    :returns: 1 if one failed; one that could not run says so and is no failure.
    """
    known = cases()
    parser = argparse.ArgumentParser(prog="python -m tools.real", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"one of {', '.join(case.name for case in known)}, or a scenario")
    parser.add_argument("--verbose", action="store_true", help="show all of molecule's output")
    options = parser.parse_args(arguments)
    try:
        chosen = choose(known, options.name)
    except ValueError as error:
        parser.error(str(error))
    molecule.CACHE.mkdir(parents=True, exist_ok=True)
    results = run_all(chosen, options.verbose)
    print("\n".join(["", *(line for _state, line in results)]))
    return int(any(state == FAILED for state, _line in results))


if __name__ == "__main__":
    sys.exit(main())

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make molecule``: run scenarios against one emulator, and compare what their steps changed.

Molecule itself only asks whether a second converge changed nothing. Here the plan must also be as long as what converge
then does, a plan of a converged tier must be empty, and so must a second destroy.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
import typing as t
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.collection import ALIVE, BIN, ROOT, environment, load_yaml

#: Where the logs are written, and what molecule remembers of a run.
CACHE = ROOT / ".cache" / "molecule"
#: How much of a failed scenario's output is shown.
LAST = 600
#: Where molecule says which step comes next; colours are off.
STEP = re.compile(r"^INFO\s+\[(?P<scenario>[\w-]+) > (?P<step>\w+)\] Executing")
#: A host's line in the recap of an ansible-playbook run.
RECAP = re.compile(r"^\S+\s+: ok=\d+\s+changed=(?P<changed>\d+)\s")


def scenarios(root: Path = ROOT) -> list[str]:
    """Every scenario's name, in alphabetical order; not of those that `make test-real` runs."""
    found = [path.parent for path in (root / "molecule").glob("*/molecule.yml")]
    return sorted(path.name for path in found if not (path / "real.yml").is_file())


def left_out(root: Path = ROOT) -> list[str]:
    """One line for each scenario that a local AWS alone cannot run, with what is not proven without it."""
    return [
        f"skipped: {path.parent.name}: it takes a Docker engine; make test-real runs it."
        f" Not proven: {load_yaml(path)['proves']}."
        for path in sorted((root / "molecule").glob("*/real.yml"))
    ]


def changed_by_step(lines: t.Iterable[str]) -> dict[str, list[int]]:
    """How many tasks each run of each step changed, from molecule's output.

    :param lines: the output of one scenario.
    :returns: by step, one number for each time that the step ran.
    """
    counts: dict[str, list[int]] = defaultdict(list)
    step = ""
    for line in lines:
        started = STEP.match(line)
        recap = RECAP.match(line)
        if started:
            step = started["step"]
            counts[step].append(0)
        elif recap and step:
            counts[step][-1] += int(recap["changed"])
    return dict(counts)


def judge(counts: dict[str, list[int]]) -> list[str]:
    """What is wrong with the numbers of one scenario.

    :param counts: see L{changed_by_step}.
    :returns: one sentence each; empty if all is well.
    """
    problems = []
    check, converge = counts.get("check", []), counts.get("converge", [])
    if check and converge and check[0] != converge[0]:
        problems.append(f"the plan named {check[0]} changes, converge made {converge[0]}")
    if len(check) > 1 and check[1]:
        problems.append(f"the plan of the converged tier still names {check[1]} changes")
    destroy = counts.get("destroy", [])
    if len(destroy) > 1 and destroy[1]:
        problems.append(f"a second destroy still changed {destroy[1]} tasks")
    if not converge:
        problems.append("converge did not run")
    return problems


def describe(counts: dict[str, list[int]]) -> str:
    """The numbers on one line."""
    return ", ".join(f"{step} {'/'.join(map(str, numbers))}" for step, numbers in counts.items())


def command_environment(name: str, variables: dict[str, str]) -> dict[str, str]:
    """What molecule runs in.

    :param name: the scenario.
    :param variables: the emulator's environment.
    """
    # What molecule remembers of an earlier run, it remembers of an emulator that is gone.
    memory = CACHE / name
    shutil.rmtree(memory, ignore_errors=True)
    return environment(
        **variables,
        ANSIBLE_NOCOLOR="1",
        PY_COLORS="0",
        MOLECULE_EPHEMERAL_DIRECTORY=str(memory),
        MOLECULE_GLOB="molecule/*/molecule.yml",
    )


def follow(name: str, lines: t.Iterable[str], log: t.TextIO, verbose: bool) -> list[str]:
    """Keep a scenario's output in its log; show all of it, or only the step that it is at and signs of life.

    :param name: the scenario.
    :param lines: the output as it comes.
    :param log: gets all of it.
    :param verbose: show all of it.
    :returns: all of it.
    """
    kept = []
    for line in lines:
        log.write(line)
        kept.append(line)
        started = STEP.match(line)
        if verbose:
            print(line, end="", flush=True)
        elif started:
            print(f"  {name}: {started['step']}", flush=True)
        elif line.startswith(ALIVE):
            print(f"  {name}: {line.strip()}", flush=True)
    return kept


def run_scenario(name: str, variables: dict[str, str], verbose: bool) -> tuple[int, list[str]]:
    """Run one scenario.

    :param name: the scenario.
    :param variables: the emulator's environment.
    :param verbose: show molecule's output as it comes.
    :returns: molecule's exit code and its output.
    """
    with (
        (CACHE / f"{name}.log").open("w") as log,
        subprocess.Popen(
            [str(BIN / "molecule"), "test", "-s", name],
            cwd=ROOT,
            env=command_environment(name, variables),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=1,
        ) as process,
    ):
        lines = follow(name, process.stdout or (), log, verbose)
    return process.returncode, lines


def judge_scenario(name: str, variables: dict[str, str], verbose: bool) -> tuple[bool, list[str]]:
    """Run one scenario and judge it.

    :returns: whether it passed, and the lines that say so.
    """
    started = time.monotonic()
    code, lines = run_scenario(name, variables, verbose)
    counts = changed_by_step(lines)
    problems = [f"molecule ended with {code}"] if code else judge(counts)
    if problems and not verbose:
        print("".join(lines[-LAST:]), flush=True)
    state = "FAIL" if problems else "ok  "
    verdict = f"{state}  {name} ({time.monotonic() - started:.0f} s): {describe(counts)}"
    return not problems, [verdict, *[f"      {problem}; all of its output: {CACHE / name}.log" for problem in problems]]


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run scenarios.

    :param arguments: names of scenarios, default all.
    :returns: 1 if one failed, else 0.
    """
    known = scenarios()
    parser = argparse.ArgumentParser(prog="python -m tools.molecule", description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"one of: {', '.join(known)} (default: all)")
    parser.add_argument("--jobs", type=int, default=1, help="how many scenarios run side by side (default: 1)")
    options = parser.parse_args(arguments)
    chosen = options.scenario or known
    unknown = [name for name in chosen if name not in known]
    if unknown:
        parser.error(f"no such scenario: {', '.join(unknown)}; there are: {', '.join(known)}")

    from tests.emulator import Emulator

    CACHE.mkdir(parents=True, exist_ok=True)
    # One emulator for all of them: each scenario's stacks have a name of their own.
    with Emulator() as emulator, ThreadPoolExecutor(max_workers=options.jobs) as pool:
        verdicts = list(pool.map(lambda name: judge_scenario(name, emulator.env, len(chosen) == 1), chosen))
    passed = sum(good for good, _lines in verdicts)
    print("\nChanged tasks by step, one number for each run of the step:")
    print("\n".join(line for _good, lines in verdicts for line in lines))
    if not options.scenario:
        print("\n".join(left_out()))
    print(f"molecule: {passed} of {len(chosen)} scenarios passed")
    return int(passed < len(chosen))


if __name__ == "__main__":
    sys.exit(main())

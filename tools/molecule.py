# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make molecule``: run scenarios one after the other against one emulator, and compare what their steps changed.

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
from pathlib import Path

from tools.collection import BIN, ROOT, environment

#: Where molecule says which step comes next; colours are off.
STEP = re.compile(r"^INFO\s+\[(?P<scenario>[\w-]+) > (?P<step>\w+)\] Executing")
#: A host's line in the recap of an ansible-playbook run.
RECAP = re.compile(r"^\S+\s+: ok=\d+\s+changed=(?P<changed>\d+)\s")


def scenarios(root: Path = ROOT) -> list[str]:
    """Every scenario's name, in alphabetical order."""
    return sorted(path.parent.name for path in (root / "molecule").glob("*/molecule.yml"))


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


def run_scenario(name: str, variables: dict[str, str]) -> tuple[int, list[str]]:
    """Run one scenario, showing its output as it comes.

    :param name: the scenario.
    :param variables: the emulator's environment.
    :returns: molecule's exit code and its output.
    """
    command = [str(BIN / "molecule"), "test", "-s", name]
    # What molecule remembers of an earlier run, it remembers of an emulator that is gone.
    memory = ROOT / ".cache" / "molecule" / name
    shutil.rmtree(memory, ignore_errors=True)
    variables = environment(
        **variables,
        ANSIBLE_NOCOLOR="1",
        PY_COLORS="0",
        MOLECULE_EPHEMERAL_DIRECTORY=str(memory),
        MOLECULE_GLOB="molecule/*/molecule.yml",
    )
    lines = []
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=1
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, lines


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run scenarios.

    :param arguments: names of scenarios, default all.
    :returns: 1 if one failed, else 0.
    """
    known = scenarios()
    parser = argparse.ArgumentParser(prog="python -m tools.molecule", description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"one of: {', '.join(known)} (default: all)")
    chosen = parser.parse_args(arguments).scenario or known
    unknown = [name for name in chosen if name not in known]
    if unknown:
        parser.error(f"no such scenario: {', '.join(unknown)}; there are: {', '.join(known)}")

    from tests.emulator import Emulator

    summary = []
    failed = 0
    with Emulator() as emulator:
        for name in chosen:
            started = time.monotonic()
            code, lines = run_scenario(name, emulator.env)
            counts = changed_by_step(lines)
            problems = ([f"molecule ended with {code}"] if code else []) + ([] if code else judge(counts))
            failed += bool(problems)
            state = "FAIL" if problems else "ok  "
            summary.append(f"{state}  {name} ({time.monotonic() - started:.0f} s): {describe(counts)}")
            summary += [f"      {problem}" for problem in problems]
            emulator.reset()
    print("\nChanged tasks by step, one number for each run of the step:")
    print("\n".join(summary))
    print(f"molecule: {len(chosen) - failed} of {len(chosen)} scenarios passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

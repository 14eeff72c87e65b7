# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make lint``: run every check, two at a time, and say of each how it went."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tools.collection import BIN, COLLECTION, ROOT, environment

#: What is run, by the name under which it is reported. Long ones first, so that the short ones fill the gaps.
CHECKS: dict[str, list[str]] = {
    "ansible-lint": ["ansible-lint", "-q"],
    "antsibull-docs": ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "."],
    "yamllint": ["yamllint", "--strict", "."],
    "mypy": ["mypy", "--no-error-summary", "-p", f"ansible_collections.{COLLECTION}.plugins"],
    "mypy tools": ["mypy", "--no-error-summary", "tools"],
    "antsibull-changelog": ["antsibull-changelog", "lint"],
    "ruff check": ["ruff", "check", "--quiet", "."],
    "ruff format": ["ruff", "format", "--quiet", "--check", "--diff", "."],
    "argument specs": ["python", "-m", "tools.argument_specs"],
    "generated files": ["python", "-m", "tools.generate", "--check"],
}


@dataclass(frozen=True)
class Result:
    """How one check went.

    :param name: the check.
    :param passed: whether it found nothing.
    :param seconds: how long it took.
    :param output: what it printed.
    """

    name: str
    passed: bool
    seconds: float
    output: str


def run_check(name: str, command: t.Sequence[str]) -> Result:
    """Run one check from the repository's root with the tools of this environment."""
    started = time.monotonic()
    # antsibull-docs copies what git lists. Without the ceiling it takes amazon.aws below .venv, which git ignores, for
    # a part of this repository, and copies nothing of it.
    variables = environment(GIT_CEILING_DIRECTORIES=str(ROOT))
    line = [str(BIN / command[0]), *command[1:]]
    done = subprocess.run(line, cwd=ROOT, env=variables, text=True, capture_output=True, check=False)
    output = (done.stdout + done.stderr).strip()
    return Result(name, done.returncode == 0, time.monotonic() - started, output)


def report(result: Result) -> str:
    """One line for a check that passed, the whole output for one that did not."""
    line = f"{'ok  ' if result.passed else 'FAIL'}  {result.name} ({result.seconds:.1f} s)"
    return line if result.passed else f"{line}\n{result.output}\n"


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run the checks.

    :param arguments: names of the checks to run, default all.
    :returns: 1 if a check failed, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.lint", description=__doc__)
    parser.add_argument("check", nargs="*", help=f"one of: {', '.join(CHECKS)} (default: all)")
    chosen = parser.parse_args(arguments).check or list(CHECKS)
    unknown = [name for name in chosen if name not in CHECKS]
    if unknown:
        parser.error(f"no such check: {', '.join(unknown)}; there are: {', '.join(CHECKS)}")
    failed = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        for ended in as_completed([pool.submit(run_check, name, CHECKS[name]) for name in chosen]):
            print(report(ended.result()), flush=True)
            failed += not ended.result().passed
    print(f"lint: {len(chosen) - failed} of {len(chosen)} checks passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

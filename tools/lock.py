# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make lock``: resolve requirements-dev.txt afresh and write every package's version into constraints.txt."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from tools.collection import ROOT

HEADER = "# Every package of the tool chain, pinned. Written by `make lock` from requirements-dev.txt; do not edit.\n"


def direct(requirements: str) -> str:
    """The requirements without their reference to the constraints that are to be renewed."""
    return "".join(line for line in requirements.splitlines(keepends=True) if not line.startswith("-c "))


def constraints(report: dict[str, t.Any]) -> str:
    """The constraints file's text from pip's installation report."""
    pins = {f"{item['metadata']['name']}=={item['metadata']['version']}" for item in report["install"]}
    return HEADER + "".join(f"{pin}\n" for pin in sorted(pins, key=str.lower))


def main() -> int:
    """Write constraints.txt.

    :returns: pip's exit code.
    """
    with tempfile.TemporaryDirectory() as directory:
        wanted = Path(directory, "requirements.txt")
        report = Path(directory, "report.json")
        wanted.write_text(direct((ROOT / "requirements-dev.txt").read_text()))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        done = subprocess.run([*pip, "--report", str(report), "-r", str(wanted)], check=False)
        if done.returncode == 0:
            (ROOT / "constraints.txt").write_text(constraints(json.loads(report.read_text())))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write every generated file, or with ``--check`` say which of them are stale."""

from __future__ import annotations

import argparse
import sys
import typing as t
from pathlib import Path

from tools import reference, role_docs, runtime
from tools.collection import ROOT


def wanted(root: Path = ROOT) -> dict[Path, str]:
    """Text of every generated file, by path."""
    return {**role_docs.pages(root), **reference.pages(root), **runtime.pages(root)}


def stale(files: dict[Path, str]) -> list[Path]:
    """The files that do not say what they should."""
    return [path for path, text in files.items() if not path.is_file() or path.read_text() != text]


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Write or check.

    :param arguments: the command line, default ``sys.argv``.
    :returns: 1 if ``--check`` finds a stale file, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file is stale")
    check = parser.parse_args(arguments).check
    files = wanted()
    changed = stale(files)
    for path in changed:
        print(f"{path.relative_to(ROOT)}: " + ("stale, run `make docs`" if check else "written"))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())

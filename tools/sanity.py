# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make sanity``: ansible-test's sanity tests, on a copy that stands where ansible-test wants a collection."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

import ansible_collections.amazon

from tools.collection import BIN, COLLECTION, ROOT, environment

#: Tests of shell and PowerShell: their programs are not on PyPI, and there is nothing of that kind in the collection.
LEFT_OUT = ("pslint", "shellcheck")


def checkout(collections: Path) -> Path:
    """Copy what git would commit into a collections path, beside the collections that this one depends on.

    :param collections: an empty directory.
    :returns: the copy, a git repository of its own since ansible-test asks git for the files.
    """
    target = collections.joinpath("ansible_collections", *COLLECTION.split("."))
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    installed = Path(ansible_collections.amazon.__path__[0]).parent
    for namespace in ("amazon", "community"):
        (collections / "ansible_collections" / namespace).symlink_to(installed / namespace)
    subprocess.run(["git", "init", "--quiet"], cwd=target, check=True)
    subprocess.run(["git", "add", "--all"], cwd=target, check=True)
    return target


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run the sanity tests.

    :param arguments: further arguments of ``ansible-test sanity``, such as ``--test validate-modules``.
    :returns: its exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.sanity", description=__doc__)
    _, rest = parser.parse_known_args(arguments)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    skipped = [word for name in LEFT_OUT for word in ("--skip-test", name)]
    command = [str(BIN / "ansible-test"), "sanity", "--python", python, "--color", "no", *skipped, *rest]
    with tempfile.TemporaryDirectory(prefix="sanity-") as directory:
        variables = {name: value for name, value in environment().items() if not name.startswith("ANSIBLE_")}
        return subprocess.run(command, cwd=checkout(Path(directory)), env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

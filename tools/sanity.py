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

from tools.collection import BIN, COLLECTION, ROOT, environment, load_yaml

#: The home that ansible-test gets: it keeps environments and downloads below it.
HOME = ROOT / ".cache" / "sanity"
#: Where ansible-core 2.19 looks for the script that installs pip before it downloads one from a server of its own.
BOOTSTRAP = HOME / ".ansible" / "test" / "cache" / "get_pip_24_2.py"
#: That script, by what Python has with it. The two options are those of the original that pip does not know.
BOOTSTRAP_TEXT = """\
import subprocess, sys
words = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "ensurepip"])
subprocess.check_call([sys.executable, "-m", "pip", "install", *words])
"""
#: Tests of shell and PowerShell: their programs are not on PyPI, and there is nothing of that kind in the collection.
LEFT_OUT = ("pslint", "shellcheck")


def checkout(collections: Path) -> Path:
    """Copy what is shipped, and what sanity tests may overlook, into a collections path beside this one's dependencies.

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
    ignored = {*load_yaml(ROOT / "galaxy.yml")["build_ignore"]} - {"tests"}
    for name in filter(None, listed.stdout.decode().split("\0")):
        top, _slash, rest = name.partition("/")
        if top not in ignored and (top != "tests" or rest.startswith("sanity/")) and (ROOT / name).is_file():
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
    rest = parser.parse_known_args(arguments)[1]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    skipped = [word for name in LEFT_OUT for word in ("--skip-test", name)]
    command = [str(BIN / "ansible-test"), "sanity", "--python", python, "--color", "no", *skipped, *rest]
    BOOTSTRAP.parent.mkdir(parents=True, exist_ok=True)
    BOOTSTRAP.write_text(BOOTSTRAP_TEXT)
    with tempfile.TemporaryDirectory(prefix="sanity-") as directory:
        variables = {name: value for name, value in environment().items() if not name.startswith("ANSIBLE_")}
        variables["HOME"] = str(HOME)
        return subprocess.run(command, cwd=checkout(Path(directory)), env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prove that the built tarball is whole: install it as a user does, and read every module and role from there.

The dependencies are the ones that PyPI's ``ansible`` brought, so that nothing asks Galaxy.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import typing as t
from pathlib import Path

from tools.collection import BIN, COLLECTION, ROOT, environment, load_modules, load_roles, load_yaml

#: What must never be in the tarball: the development tree.
UNWANTED = ("tests", "tools", ".venv", ".ansible", ".git", "Makefile", "pyproject.toml", "molecule", "benchmarks")


def tarball(root: Path = ROOT) -> Path:
    """Where `make tarball` puts the collection."""
    meta = load_yaml(root / "galaxy.yml")
    return root / "build" / f"{meta['namespace']}-{meta['name']}-{meta['version']}.tar.gz"


def run(command: t.Sequence[str], collections: Path) -> subprocess.CompletedProcess[str]:
    """Run an Ansible command that finds this collection in a directory, and nowhere else.

    :param command: its name and arguments.
    :param collections: the collections path.
    """
    # The repository's ansible.cfg would point at the sources, and the user's own at anything.
    config = collections / "ansible.cfg"
    config.write_text(f"[defaults]\nhome = {collections / 'home'}\ncollections_path = {collections}\n")
    variables = {name: value for name, value in environment().items() if not name.startswith("ANSIBLE_")}
    variables["ANSIBLE_CONFIG"] = str(config)
    line = [str(BIN / command[0]), *command[1:]]
    return subprocess.run(line, cwd=collections, env=variables, text=True, capture_output=True, check=False)


def documentation_problems(collections: Path) -> list[str]:
    """Modules, roles and callbacks of the installed collection that ansible-doc cannot read."""
    callbacks = [path.stem for path in (ROOT / "plugins" / "callback").glob("[!_]*.py")]
    wanted = {"module": list(load_modules()), "role": list(load_roles()), "callback": callbacks}
    problems = []
    for kind, names in wanted.items():
        full = [f"{COLLECTION}.{name}" for name in names]
        done = run(["ansible-doc", "--json", "-t", kind, *full], collections)
        if done.returncode:
            problems.append(f"ansible-doc -t {kind}: {done.stderr.strip()}")
        problems += [f"ansible-doc -t {kind} does not know {name}" for name in full if f'"{name}"' not in done.stdout]
    return problems


def problems(collections: Path) -> list[str]:
    """Install the tarball and say what is wrong with it.

    :param collections: an empty directory.
    """
    # --no-deps: the dependencies are there already, and Galaxy may not be.
    command = ["ansible-galaxy", "collection", "install", "--no-deps", "-p", str(collections), str(tarball())]
    installed = run(command, collections)
    if installed.returncode:
        return [f"ansible-galaxy collection install: {installed.stdout}{installed.stderr}"]
    target = collections / "ansible_collections" / Path(*COLLECTION.split("."))
    found = [f"{name} is in the tarball" for name in UNWANTED if (target / name).exists()]
    books = sorted((target / "playbooks").glob("*.yml"))
    found += [] if books else ["no playbook is in the tarball"]
    for book in books:
        name = f"{COLLECTION}.{book.stem}"
        done = run(["ansible-playbook", "--syntax-check", "-i", "localhost,", name], collections)
        found += [f"ansible-playbook {name}: {done.stderr.strip()}"] if done.returncode else []
    return found + documentation_problems(collections)


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Check the tarball in build/.

    :param arguments: the command line, default ``sys.argv``.
    :returns: 1 if something is wrong, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.installed", description=__doc__)
    parser.add_argument("directory", type=Path, help="an empty directory to install into")
    found = problems(parser.parse_args(arguments).directory)
    print("\n".join(found) or f"{tarball().name} installs, and ansible-doc reads all of it")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

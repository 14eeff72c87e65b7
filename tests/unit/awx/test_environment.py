# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The execution environment: what ansible-builder finds that the collection needs, and what it makes to be built."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import typing as t
from pathlib import Path

import ansible_collections.amazon
import pytest
import yaml

from tools.collection import BIN, COLLECTION, ROOT, environment, load_yaml

DEFINITION = load_yaml(ROOT / "execution-environment.yml")
GALAXY = load_yaml(ROOT / "galaxy.yml")


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment."""
    line = [str(BIN / command[0]), *command[1:]]
    return subprocess.run(line, cwd=cwd, env=environment(), text=True, capture_output=True)


def pins(path: str) -> dict[str, str]:
    """The versions that a requirements file pins."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / path).read_text(), re.MULTILINE))


def test_ansible_builder_finds_what_the_collection_needs(tmp_path: Path) -> None:
    collections = tmp_path / "ansible_collections"
    for name in ("meta", "requirements.txt", "galaxy.yml"):
        target = collections / "palier" / "aws" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    done = run("ansible-builder", "introspect", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = yaml.safe_load(done.stdout)
    wanted = (ROOT / "requirements.txt").read_text().splitlines()
    assert found == {
        "python": [f"{line}  # from collection {COLLECTION}" for line in wanted if not line.startswith("#")],
        "system": [],
    }


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ansible-builder makes, for podman or docker to build."""
    directory = tmp_path_factory.mktemp("environment")
    shutil.copy(ROOT / "execution-environment.yml", directory)
    [file] = DEFINITION["additional_build_files"]
    tarball = directory / file["src"]
    tarball.parent.mkdir()
    with tarfile.open(tarball, "w:gz"):
        pass
    done = run("ansible-builder", "create", "--output-filename", "Containerfile", cwd=directory)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / "context"


def test_ansible_builder_takes_the_definition(context: Path) -> None:
    text = (context / "Containerfile").read_text()
    assert 'ARG PYCMD="/usr/bin/python3.11"' in text
    assert "ENV ANSIBLE_CALLBACKS_ENABLED=palier.aws.plan,palier.aws.heartbeat,palier.aws.preload" in text


def test_the_collection_itself_is_among_what_is_installed(context: Path) -> None:
    wanted: list[dict[str, t.Any]] = load_yaml(context / "_build" / "requirements.yml")["collections"]
    [own] = [one["name"] for one in wanted if one.get("type") == "file"]
    # Relative to the directory in which ansible-galaxy runs, where the files of _build are.
    assert (context / "_build" / own).is_file()
    assert Path(own).name == f"{GALAXY['namespace']}-{GALAXY['name']}-{GALAXY['version']}.tar.gz"


def test_everything_is_pinned_to_what_the_tests_run_with() -> None:
    dependencies = DEFINITION["dependencies"]
    tested = {**pins("constraints.txt"), **pins("requirements-dev.txt")}
    packages = [dependencies[name]["package_pip"] for name in ("ansible_core", "ansible_runner")]
    for requirement in [*packages, *dependencies["python"]]:
        name, version = requirement.split("==")
        assert tested[name] == version
    installed = Path(ansible_collections.amazon.__path__[0]).parent
    for collection in dependencies["galaxy"]["collections"]:
        if collection.get("type") != "file":
            manifest = load_yaml(installed.joinpath(*collection["name"].split("."), "MANIFEST.json"))
            assert collection["version"] == manifest["collection_info"]["version"]
    assert re.search(r"@sha256:[0-9a-f]{64}$", DEFINITION["images"]["base_image"]["name"])

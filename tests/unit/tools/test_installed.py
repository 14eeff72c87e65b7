# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tarball's proof: what it finds wrong with an installed collection."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest

from tools import installed as subject


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, subprocess.CompletedProcess[str]]:
    """What the commands answer, by name; each also sees an installed tree with one playbook."""
    answers = {name: subprocess.CompletedProcess([], 0, "", "") for name in ("ansible-galaxy", "ansible-playbook")}
    answers["ansible-doc"] = subprocess.CompletedProcess([], 0, '"palier.aws.x" "palier.aws.y"', "")

    def run(command: t.Sequence[str], collections: Path) -> subprocess.CompletedProcess[str]:
        books = collections / "ansible_collections" / "palier" / "aws" / "playbooks"
        books.mkdir(parents=True, exist_ok=True)
        (books / "deploy.yml").touch()
        return answers[command[0]]

    monkeypatch.setattr(subject, "run", run)
    monkeypatch.setattr(subject, "load_modules", lambda: {"x": {}})
    monkeypatch.setattr(subject, "load_roles", lambda: {"y": {}})
    monkeypatch.setattr(subject, "ROOT", Path("/nonexistent"))
    monkeypatch.setattr(subject, "tarball", lambda: Path("palier-aws-1.tar.gz"))
    return answers


def test_all_is_well(answers: t.Any, tmp_path: Path) -> None:
    assert subject.main([str(tmp_path)]) == 0


def test_it_does_not_install(answers: t.Any, tmp_path: Path) -> None:
    answers["ansible-galaxy"] = subprocess.CompletedProcess([], 1, "", "no such file")
    assert subject.problems(tmp_path) == ["ansible-galaxy collection install: no such file"]


def test_a_module_is_missing(answers: t.Any, tmp_path: Path) -> None:
    answers["ansible-doc"] = subprocess.CompletedProcess([], 0, '"palier.aws.y"', "")
    assert subject.problems(tmp_path) == ["ansible-doc -t module does not know palier.aws.x"]


def test_a_playbook_is_broken(answers: t.Any, tmp_path: Path) -> None:
    answers["ansible-playbook"] = subprocess.CompletedProcess([], 4, "", "no such role\n")
    assert subject.problems(tmp_path) == ["ansible-playbook palier.aws.deploy: no such role"]


def test_the_development_tree_is_in_it(answers: t.Any, tmp_path: Path) -> None:
    (tmp_path / "ansible_collections" / "palier" / "aws" / "tests").mkdir(parents=True)
    assert subject.problems(tmp_path) == ["tests is in the tarball"]


def test_tarball_is_named_by_galaxy_yml(tmp_path: Path) -> None:
    (tmp_path / "galaxy.yml").write_text("{namespace: a, name: b, version: 1.2.3}\n")
    assert subject.tarball(tmp_path) == tmp_path / "build" / "a-b-1.2.3.tar.gz"

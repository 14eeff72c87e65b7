# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The images of booted machines: when they are built anew, and what is in them."""

from __future__ import annotations

import fcntl
import re
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.plugin_utils.instances import IMAGES
from tools import boot_images as subject

ALL = {**subject.MACHINES, **subject.STAND_INS}
PYTHON = subject.STAND_INS["python"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the Python image's files, which may be changed."""
    directory = tmp_path / "python"
    directory.mkdir()
    (directory / "start").write_text("true\n")
    monkeypatch.setattr(subject, "FILES", tmp_path)
    return directory


class TestDigest:
    def test_the_same_recipe_is_the_same_image(self, files: Path) -> None:
        assert subject.tag(PYTHON) == subject.tag(replace(PYTHON))

    @pytest.mark.parametrize(
        "changes",
        [
            {"include": "python3"},
            {"suite": "forky"},
            {"variant": "minbase"},
            {"commands": ()},
            {"changes": ()},
            {"requirements": "flask==3.1.2\n"},
            {"components": "main,contrib"},
            {"keyring": ("package", "path")},
            {"setup": ("true",)},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_a_changed_recipe_is_another(self, files: Path, changes: dict) -> None:
        assert subject.digest(replace(PYTHON, **changes)) != subject.digest(PYTHON)

    def test_a_changed_file_is_another(self, files: Path) -> None:
        before = subject.digest(PYTHON)
        (files / "start").write_text("false\n")
        assert subject.digest(PYTHON) != before

    def test_a_file_that_becomes_a_program_is_another(self, files: Path) -> None:
        before = subject.digest(PYTHON)
        (files / "start").chmod(0o755)
        assert subject.digest(PYTHON) != before

    def test_a_file_elsewhere_is_not(self, files: Path) -> None:
        before = subject.digest(PYTHON)
        (files.parent / "nginx").mkdir()
        (files.parent / "nginx" / "start").write_text("")
        assert subject.digest(PYTHON) == before


def test_only_earlier_images_of_the_same_name_are_removed() -> None:
    kept = [subject.tag(PYTHON), "palier-boot-python:000000000000", "palier-boot-nginx:000000000000", "python:3"]
    assert subject.outdated(PYTHON, kept) == ["palier-boot-python:000000000000"]


def test_an_image_that_is_there_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "quietly", lambda *_: True)
    monkeypatch.setattr(subject, "build", lambda *_: pytest.fail("built"))
    assert subject.ensure(PYTHON, pytest.fail) == subject.tag(PYTHON)


def test_one_that_another_process_has_built_meanwhile_is_not_built_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = iter([False, True])
    said: list[str] = []
    monkeypatch.setattr(subject, "LOCKS", tmp_path)
    monkeypatch.setattr(subject, "is_there", lambda _: next(answers))
    monkeypatch.setattr(subject, "output", lambda *_: "")
    monkeypatch.setattr(subject, "build", lambda *_: pytest.fail("built"))
    assert subject.ensure(PYTHON, said.append) == subject.tag(PYTHON)
    assert said == [f"Building {subject.tag(PYTHON)}"]


def test_an_image_is_built_by_one_process_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subject, "LOCKS", tmp_path)
    with (tmp_path / "image-1").open("w") as other:
        with subject.alone("image:1"), subject.alone("image:2"), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_is_built_ahead_goes_on_after_one_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built: list[str] = []

    def ensure(recipe: subject.Recipe, _say: object) -> str:
        if recipe.suite == "noble":
            raise subject.UnreachableError("noble cannot be bootstrapped")
        built.append(recipe.name)
        return recipe.name

    monkeypatch.setattr(subject.signal, "signal", lambda *_: None)
    monkeypatch.setattr(subject, "ensure", ensure)
    assert subject.main(["ubuntu-24.04", "debian-12"]) == 1
    assert built == ["debian-12"]
    assert capsys.readouterr().err == "noble cannot be bootstrapped\n"
    assert subject.main(["debian-12"]) == 0


@pytest.mark.parametrize("name", subject.MACHINES)
def test_a_machine_is_as_a_cloud_image_is(name: str) -> None:
    recipe = subject.MACHINES[name]
    included = set(recipe.include.split(","))
    assert {"cloud-init", "systemd-sysv", "openssh-server", "sudo"} <= included
    # What the user data brings must come from the user data.
    assert not included & {*IMAGES[name]["container_packages"], "git", "python3-boto3", "unattended-upgrades"}
    assert f"name: {IMAGES[name]['user']}" in " ".join(recipe.commands)


def test_machines_are_those_that_the_role_knows_and_apt_makes() -> None:
    assert set(subject.MACHINES) == set(IMAGES) - {"amazon-linux-2023"}


@pytest.mark.parametrize("name", ALL)
def test_no_archive_is_named(name: str) -> None:
    recipe = ALL[name]
    keyring = Path("keyring") if recipe.keyring else None
    command = subject.bootstrap(recipe, Path("overlay"), keyring, Path("image.tar"))
    assert command[-2:] == [recipe.suite, "image.tar"]
    assert not re.search(r"https?://", " ".join(command))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "I: start\nErr:1 https://a.example noble\n  Could not resolve\nE: apt failed\n",
            "Err:1 https://a.example noble Could not resolve",
        ),
        ("I: start\nE: apt failed\nE: mmdebstrap failed\n", "E: apt failed"),
        ("gone\n", "gone"),
    ],
)
def test_the_first_complaint_is_the_reason(text: str, expected: str) -> None:
    assert subject.reason(text) == expected

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The warm connection gives every result that the local one gives, field by field."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest

from tests.integration.warm import runs

WARM = "palier.aws.warm"
OTHER_PYTHON = next((path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(path).exists()), "python3")


def both(playbook: str, base: Path, *options: str, **extra: str) -> tuple[runs.Run, runs.Run, list[str]]:
    """Run a playbook with both connections, and list the differences."""
    one = runs.run(runs.HERE / playbook, "local", base / "local", *options, **extra)
    other = runs.run(runs.HERE / playbook, WARM, base / "warm", *options, **extra)
    replace = {str(base / "local"): "SCRATCH", str(base / "warm"): "SCRATCH"}
    found = [] if one.outcomes() == other.outcomes() else ["not the same tasks"]
    for first, second in zip(one.results, other.results, strict=False):
        pair = (runs.comparable(line["result"], replace) for line in (first, second))
        found += [f"{first['task']}: {line}" for line in runs.differences(*pair)]
    return one, other, found


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> tuple[runs.Run, runs.Run, list[str]]:
    """The playbook of everything, both ways."""
    return both("same.yml", tmp_path_factory.mktemp("same"), "-e", f"other_python={OTHER_PYTHON}")


@pytest.mark.slow
def test_every_result_is_the_same_field_by_field(same: tuple[runs.Run, runs.Run, list[str]]) -> None:
    one, other, found = same
    assert (one.code, other.code) == (0, 0), other.output
    assert len(one.results) > 75
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "field", "wanted"),
    [
        ("killed", "rc", 137),
        ("killed", "module_stderr", "Killed\n"),
        ("terminated", "rc", 143),
        ("exit code above a byte", "rc", 3),
        ("files left behind", "stdout", "by a threadlate"),
        ("sleeper lives on", "rc", 0),
        ("own session", "leader", True),
    ],
)
def test_the_comparison_is_of_what_it_claims(
    same: tuple[runs.Run, runs.Run, list[str]], task: str, field: str, wanted: t.Any
) -> None:
    assert same[1].result(task)[field] == wanted


@pytest.mark.slow
def test_secrets_are_masked(same: tuple[runs.Run, runs.Run, list[str]]) -> None:
    assert "hunter2" not in same[1].output + str(same[1].results)


def test_support_code_beside_the_playbook_wins(tmp_path: Path) -> None:
    _one, other, found = both("override/play.yml", tmp_path, ANSIBLE_LIBRARY=str(runs.HERE / "override" / "library"))
    assert found == []
    assert other.result("overridden")["camel"] == "the playbook's own"


def test_verbosity_only_adds_the_reasons(tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    play.write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - ansible.builtin.ping:\n"
        "    - ansible.builtin.ping:\n      environment: {HOME: /tmp}\n"
    )
    output = runs.run(play, WARM, tmp_path / "warm", "-vvvv").output
    assert "ESTABLISH LOCAL CONNECTION FOR USER" in output
    assert output.count("EXEC /bin/sh -c") == 2
    assert output.count("WARM not used: the task's environment asks for an interpreter of its own") == 1


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_forks_and_strategies(tmp_path: Path, strategy: str) -> None:
    hosts = ",".join(f"host{number}" for number in range(6)) + ","
    play = tmp_path / "play.yml"
    play.write_text(
        f"- hosts: all\n  gather_facts: false\n  strategy: {strategy}\n  tasks:\n"
        "    - ansible.builtin.command: echo {{ inventory_hostname }} {{ item }}\n"
        "      loop: [1, 2, 3]\n"
        "      environment: {WHO: '{{ inventory_hostname }}'}\n"
        "    - look:\n      environment: {WHO: '{{ inventory_hostname }}'}\n"
    )
    options = ("-i", hosts, "-f", "4", "-e", f"ansible_python_interpreter={sys.executable}")
    done = runs.run(play, WARM, tmp_path / "warm", *options)
    assert done.code == 0, done.output
    looks = [line for line in done.results if line["task"] == "look"]
    assert sorted(line["result"]["environment"]["WHO"] for line in looks) == [f"host{number}" for number in range(6)]
    assert all(line["host"] == line["result"]["environment"]["WHO"] for line in looks)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The runner of molecule scenarios: what it reads out of molecule's output, and what it does not let pass."""

from __future__ import annotations

import io
import typing as t
from pathlib import Path

import pytest

from tests import emulator as emulators
from tools import molecule as subject


def output(*steps: tuple[str, int]) -> list[str]:
    """Molecule's output of some steps, each with the tasks that it changed on one of two hosts."""
    lines = ["INFO     [rds > discovery] scenario test matrix: create, check\n"]
    for step, changed in steps:
        lines += [
            f"INFO     [rds > {step}] Executing\n",
            "changed: [a]\n",
            "PLAY RECAP ***\n",
            f"a                          : ok=9    changed={changed}    unreachable=0    failed=0\n",
            "b                          : ok=9    changed=0    unreachable=0    failed=0\n",
            f"INFO     [rds > {step}] Executed: Successful\n",
        ]
    return lines


GOOD = [("check", 5), ("converge", 5), ("idempotence", 0), ("check", 0), ("destroy", 7), ("destroy", 0)]


class TestNumbers:
    def test_by_step(self) -> None:
        assert subject.changed_by_step(output(*GOOD)) == {
            "check": [5, 0],
            "converge": [5],
            "idempotence": [0],
            "destroy": [7, 0],
        }

    def test_adds_up_the_hosts(self) -> None:
        lines = output(("converge", 2))
        lines[-2] = lines[-2].replace("changed=0", "changed=3")
        assert subject.changed_by_step(lines) == {"converge": [5]}

    def test_describe(self) -> None:
        assert subject.describe({"check": [5, 0], "converge": [5]}) == "check 5/0, converge 5"


class TestJudge:
    def test_all_is_well(self) -> None:
        assert subject.judge(subject.changed_by_step(output(*GOOD))) == []

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"check": [4, 0]}, "the plan named 4 changes, converge made 5"),
            ({"check": [5, 1]}, "the plan of the converged tier still names 1 changes"),
            ({"destroy": [7, 2]}, "a second destroy still changed 2 tasks"),
            ({"converge": []}, "converge did not run"),
        ],
    )
    def test_says_what_is_wrong(self, change: dict[str, list[int]], says: str) -> None:
        assert subject.judge({**subject.changed_by_step(output(*GOOD)), **change}) == [says]


class FakeEmulator:
    """Stands in for the emulator."""

    env: t.ClassVar = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}

    def __enter__(self) -> FakeEmulator:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


class TestFollow:
    @pytest.mark.parametrize(("verbose", "shown"), [(True, output(("check", 1))), (False, ["  rds: check\n"])])
    def test_shows(self, verbose: bool, shown: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        lines, log = output(("check", 1)), io.StringIO()
        assert subject.follow("rds", lines, log, verbose) == lines
        assert log.getvalue() == "".join(lines)
        assert capsys.readouterr().out == "".join(shown)

    def test_a_sign_of_life(self, capsys: pytest.CaptureFixture[str]) -> None:
        subject.follow("rds", ["still waiting: [a] Wait (30 s)\n"], io.StringIO(), verbose=False)
        assert capsys.readouterr().out == "  rds: still waiting: [a] Wait (30 s)\n"


def test_molecule_starts_without_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subject, "CACHE", tmp_path)
    (tmp_path / "rds").mkdir()
    variables = subject.command_environment("rds", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert not (tmp_path / "rds").exists()
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["MOLECULE_EPHEMERAL_DIRECTORY"] == str(tmp_path / "rds")


class TestMain:
    @pytest.fixture
    def results(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, tuple[int, list[str]]]:
        results = {"network": (0, output(*GOOD)), "rds": (0, output(*GOOD))}
        monkeypatch.setattr(emulators, "Emulator", FakeEmulator)
        monkeypatch.setattr(subject, "CACHE", tmp_path / "cache")
        monkeypatch.setattr(subject, "scenarios", lambda: sorted(results))
        monkeypatch.setattr(subject, "run_scenario", lambda name, variables, verbose: results[name])
        return results

    def test_all(self, results: t.Any, capsys: pytest.CaptureFixture[str]) -> None:
        assert subject.main(["--jobs", "2"]) == 0
        assert "molecule: 2 of 2 scenarios passed" in capsys.readouterr().out

    def test_goes_on_after_a_failure(self, results: t.Any, capsys: pytest.CaptureFixture[str]) -> None:
        results["network"] = (2, output(("check", 1)))
        assert subject.main([]) == 1
        text = capsys.readouterr().out
        assert "FAIL  network" in text
        assert "molecule ended with 2" in text
        assert "ok    rds" in text

    def test_numbers_alone_can_fail(self, results: t.Any, capsys: pytest.CaptureFixture[str]) -> None:
        results["rds"] = (0, output(("check", 1), ("converge", 2)))
        assert subject.main(["rds"]) == 1
        assert "the plan named 1 changes, converge made 2" in capsys.readouterr().out

    def test_a_wrong_name(self, results: t.Any, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            subject.main(["rdss"])
        assert "there are: network, rds" in capsys.readouterr().err


def test_scenarios(tmp_path: Path) -> None:
    for name in ("rds", "shared"):
        (tmp_path / "molecule" / name).mkdir(parents=True)
    (tmp_path / "molecule" / "rds" / "molecule.yml").touch()
    assert subject.scenarios(tmp_path) == ["rds"]

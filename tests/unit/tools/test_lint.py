# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The runners of lint and lock: what they report, and when they fail."""

from __future__ import annotations

import typing as t

import pytest

from tools import lint, lock


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> None:
    good = ["python", "-c", "print('quiet')"]
    bad = ["python", "-c", "import sys; print('found'); sys.exit('this')"]
    monkeypatch.setattr(lint, "CHECKS", {"good": good, "bad": bad})


@pytest.mark.usefixtures("checks")
class TestLint:
    def test_all(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert lint.main([]) == 1
        output = capsys.readouterr().out
        assert "quiet" not in output
        assert "FAIL  bad" in output
        assert "found\nthis" in output
        assert output.endswith("lint: 1 of 2 checks passed\n")

    def test_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert lint.main(["good"]) == 0
        assert capsys.readouterr().out.startswith("ok    good")

    def test_a_wrong_name(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            lint.main(["godo"])
        assert "no such check: godo; there are: good, bad" in capsys.readouterr().err


def test_every_check_is_a_tool_of_this_environment() -> None:
    missing = [command[0] for command in lint.CHECKS.values() if not (lint.BIN / command[0]).exists()]
    assert missing == []


class TestLock:
    def test_resolves_without_the_old_pins(self) -> None:
        assert lock.direct("# why\n-c constraints.txt\nruff==1.0\n") == "# why\nruff==1.0\n"

    def test_sorts_as_people_do(self) -> None:
        report: dict[str, t.Any] = {
            "install": [{"metadata": {"name": name, "version": "1"}} for name in ("werkzeug", "Flask", "ansible")]
        }
        assert lock.constraints(report).splitlines()[1:] == ["ansible==1", "Flask==1", "werkzeug==1"]

    def test_every_tool_is_pinned(self) -> None:
        pins = {line.split("==")[0].lower() for line in (lock.ROOT / "constraints.txt").read_text().splitlines()}
        direct = lock.direct((lock.ROOT / "requirements-dev.txt").read_text()).splitlines()
        names = [line.split("==")[0].split("[")[0].lower() for line in direct if line and not line.startswith("#")]
        assert [name for name in names if name not in pins] == []

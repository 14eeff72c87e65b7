# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests that are counted while a command runs."""

from __future__ import annotations

import io
import json
import typing as t

import pytest

from tools import load as subject


def opener(*answers: bytes | Exception) -> t.Callable[..., t.Any]:
    """Answers one after the other."""
    left = iter(answers)

    def urlopen(_url: str, timeout: float) -> t.Any:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)

    return urlopen


def test_answers_and_failures_are_counted() -> None:
    count = subject.Count()
    urlopen = opener(b'{"version": "1"}', b'{"version": "2"}', b'{"version": "2"}', b"no JSON", OSError("refused"))
    for _ in range(5):
        subject.ask("http://127.0.0.1/", count, urlopen)
    summary = count.summary(0)
    assert (summary["requests"], summary["failed"]) == (5, 2)
    assert summary["versions"] == {"1": 1, "2": 2}
    assert "refused" in summary["failures"]


@pytest.mark.parametrize(("command", "code"), [("true", 0), ("false", 1)])
def test_the_commands_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, code: int
) -> None:
    monkeypatch.setattr(subject, "ask", lambda _url, count: count.answers.update(["1"]))
    monkeypatch.setattr(subject.time, "sleep", lambda _seconds: None)
    assert subject.main(["http://127.0.0.1/", "--", command]) == code
    assert json.loads(capsys.readouterr().out)["exit"] == code


def test_a_failed_request_fails_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "ask", lambda _url, count: count.failures.update(["refused"]))
    monkeypatch.setattr(subject.time, "sleep", lambda _seconds: None)
    assert subject.main(["http://127.0.0.1/", "--", "true"]) == 1

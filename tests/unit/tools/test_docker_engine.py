# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine for machines and containers: when one is started, when it is not, and what is left of it."""

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest

from tools import docker_engine as subject

ROUTES = json.dumps([{"dst": "default", "dev": "eth0"}])


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., list[str]]:
    """A machine as asked for, and what was done on it."""

    def build(
        *, running: bool = False, root: bool = True, programs: bool = True, apt: bool = True, left: str = ""
    ) -> list[str]:
        done: list[str] = []
        there = {"docker", "dockerd"} if programs else set()
        state: dict[str, t.Any] = {"running": running, "left": [left] if left else []}

        @contextlib.contextmanager
        def own_engine() -> t.Iterator[None]:
            done.append("started")
            yield
            done.append("stopped")

        def run(command: list[str], **_more: object) -> t.Any:
            done.append(" ".join(command[:1] + command[4:]))
            return type("Done", (), {"returncode": 0, "stderr": ""})

        monkeypatch.setattr(subject, "answers", lambda: state["running"])
        monkeypatch.setattr(subject.os, "geteuid", lambda: 0 if root else 1000)
        monkeypatch.setattr(subject.shutil, "which", lambda name: name in there or (name == "apt-get" and apt) or None)
        monkeypatch.setattr(subject, "own_engine", own_engine)
        monkeypatch.setattr(subject, "output", lambda *command: "Candidate: 26.1\n" if "docker.io" in command else "")
        monkeypatch.setattr(subject.subprocess, "run", run)
        monkeypatch.setattr(subject.signal, "signal", lambda *_: None)
        monkeypatch.setattr(subject.remains, "sweep", lambda: state["left"])
        monkeypatch.setattr(subject.remains, "unmount", lambda _place: done.append("unmounted") or ["mount"])
        monkeypatch.setattr(subject.remains, "empty_engine", lambda *_: ["container"] if state["left"] else [])
        monkeypatch.setattr(subject, "tidy_network", lambda: done.append("tidied"))
        return done

    return build


def use() -> None:
    with subject.engine(say=lambda _line: None):
        pass


def test_one_that_runs_is_used_and_left(machine: t.Callable[..., list[str]]) -> None:
    done = machine(running=True, root=False)
    use()
    assert done == []


def test_one_is_started_and_stopped(machine: t.Callable[..., list[str]]) -> None:
    done = machine()
    use()
    assert done == ["started", "stopped"]


def test_what_a_killed_run_has_left_goes_first(machine: t.Callable[..., list[str]]) -> None:
    said: list[str] = []
    done = machine(left="process 1 (dockerd)")
    with subject.engine(said.append):
        done.append("used")
    assert done == ["unmounted", "tidied", "started", "used", "stopped"]
    assert said == ["Removed what a run that was killed had left: process 1 (dockerd), mount, container"]


@pytest.mark.parametrize("how", [{"left": "process 1 (molecule)"}, {"left": "process 1 (dockerd)", "running": True}])
def test_the_network_of_an_engine_is_tidied_where_there_is_none(
    machine: t.Callable[..., list[str]], how: dict[str, t.Any]
) -> None:
    done = machine(**how)
    use()
    assert not {"unmounted", "tidied"} & set(done)


def test_one_is_installed_where_there_is_none(machine: t.Callable[..., list[str]]) -> None:
    done = machine(programs=False)
    use()
    assert done == ["apt-get update", "apt-get install --no-install-recommends docker.io", "started", "stopped"]


@pytest.mark.parametrize(
    ("how", "why"),
    [({"root": False}, "only root can start one"), ({"programs": False, "apt": False}, "there is no apt-get")],
)
def test_where_there_can_be_none_it_says_why(
    machine: t.Callable[..., list[str]], how: dict[str, bool], why: str
) -> None:
    done = machine(**how)
    with pytest.raises(subject.NoEngineError, match=why):
        use()
    assert done == []


def test_a_skip_is_one_line() -> None:
    line = subject.skipped("molecule/boot", subject.NoEngineError("no apt-get"), "that the user data boots")
    assert line == "skipped: molecule/boot: no apt-get. Not proven: that the user data boots."


def test_a_command_without_an_engine_is_not_run(
    machine: t.Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    done = machine(root=False)
    assert subject.main(["true"]) == 69
    assert done == []
    assert "only root" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("routes", "size", "expected"),
    [(ROUTES, 1400, 1400), (ROUTES, 9001, 1500), ("[]", 1400, 1500), ("", 1400, 1500)],
)
def test_packets_are_as_small_as_the_link_out_wants(routes: str, size: int, expected: int) -> None:
    assert subject.mtu(routes, json.dumps([{"ifname": "eth0", "mtu": size}])) == expected


def test_others_rules_are_kept() -> None:
    saved = (
        "*filter\n:FORWARD DROP [0:0]\n:DOCKER - [0:0]\n-A FORWARD -j DOCKER-USER\n-A FORWARD -i docker0 -j ACCEPT\n"
        "-A FORWARD -i wg0 -j ACCEPT\nCOMMIT\n"
    )
    assert subject.kept_rules(saved) == "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -i wg0 -j ACCEPT\nCOMMIT\n"


def test_the_last_line_that_says_something() -> None:
    assert subject.last_line("a\nb\n\n") == "b"
    assert subject.last_line("") == "it does not say why"

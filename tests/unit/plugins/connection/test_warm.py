# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The worker's side of the warm connection: which commands it takes, and what it does when there is no interpreter."""

from __future__ import annotations

import os
import shlex
import socket
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.plugins.shell.sh import ShellModule
from ansible_collections.palier.aws.plugins.plugin_utils import warm, warm_wire
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


def ansible_command(environment: dict[str, str], interpreter: str = "/venv/bin/python") -> str:
    """A module's command line as ansible-core builds it."""
    shell = ShellModule()
    prefix = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    command = shell.build_module_command(prefix, "#!" + interpreter, "").strip()
    return "/bin/sh -c " + shlex.quote(shell.append_command(command, "sleep 0"))


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_modules_command_is_recognised_with_its_variables(environment: dict[str, str]) -> None:
    parsed = warm.parse_command(ansible_command(environment))
    assert parsed == warm.Command("/bin/sh", "/venv/bin/python", environment)


@given(st.text(max_size=60))
def test_nothing_else_is_recognised(text: str) -> None:
    parsed = warm.parse_command(text)
    assert parsed is None or warm.build_command(parsed) == text


@pytest.mark.parametrize(
    "command",
    [
        "",
        "echo",
        "/bin/sh -c 'echo && sleep 0 && echo'",
        "/bin/sh -c '/venv/bin/python -c pass && sleep 0'",
        "/bin/sh -c '/venv/bin/python /tmp/AnsiballZ_ping.py && sleep 0'",
        "/bin/sh -c '/venv/bin/python'",
        "/bin/sh -c '/venv/bin/python && sleep 1'",
        "/bin/sh -c 'cd /tmp; /venv/bin/python && sleep 0'",
        "/bin/sh -c 'not.a-name=1 /venv/bin/python && sleep 0'",
        "/bin/sh -c 'A=1 A=2 /venv/bin/python && sleep 0'",
        "/bin/sh -c 'A=$HOME /venv/bin/python && sleep 0'",
        "/bin/sh -c '/venv with space/bin/python && sleep 0'",
        "sudo -H -S -n -u root /bin/sh -c 'echo BECOME-SUCCESS-x ; /venv/bin/python'",
        "/bin/sh -c '/venv/bin/python && sleep 0",
    ],
)
def test_other_commands_are_left_alone(command: str) -> None:
    assert warm.parse_command(command) is None or warm.parse_command(command).interpreter == ""  # type: ignore[union-attr]


def test_which_paths_are_one_interpreter(tmp_path: Path) -> None:
    for directory in ("one", "other"):
        (tmp_path / directory).mkdir()
        for name in ("python", "python3"):
            (tmp_path / directory / name).symlink_to(sys.executable)
    one, other = tmp_path / "one", tmp_path / "other"
    assert warm.same_interpreter(str(one / "python"), str(one / "python3"))
    assert warm.same_interpreter("/nowhere/python", "/nowhere/python")
    assert not warm.same_interpreter(str(one / "python"), str(other / "python"))
    assert not warm.same_interpreter(str(one / "python"), str(one / "python2"))


ENVIRONMENTS = st.dictionaries(
    st.binary(min_size=1, max_size=9).filter(lambda name: b"\0" not in name and b"=" not in name),
    st.binary(max_size=2000).filter(lambda value: b"\0" not in value),
    max_size=40,
)


@given(ENVIRONMENTS)
def test_an_environment_survives_the_wire(environment: dict[bytes, bytes]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        descriptors = [0, 1, 2, 0]
        body = warm_wire.pack_request(environment)
        sent = socket.send_fds(ours, [body], descriptors)
        ours.sendall(body[sent:])
        received, copies = warm_wire.receive_request(theirs)
        for descriptor in copies:
            os.close(descriptor)
    assert warm_wire.unpack_environment(received) == environment
    assert len(copies) == 4


@pytest.mark.parametrize(
    "part", [b"", b"\0\0", warm_wire.pack_request({b"a": b"b"})[:-1], warm_wire.pack_request({b"a": b"b"})]
)
def test_half_a_request_is_no_request(part: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(part)
        ours.close()
        with pytest.raises(EOFError):
            warm_wire.receive_request(theirs)


@given(ENVIRONMENTS)
def test_only_what_steers_a_start_reaches_the_interpreter(environment: dict[bytes, bytes]) -> None:
    secret = {b"AWS_SECRET_ACCESS_KEY": b"x", b"AWS_SESSION_TOKEN": b"y"}
    kept = warm_wire.start_environment(
        {**environment, **secret, b"HOME": b"/home", b"PYTHONPATH": b"/p", b"LC_ALL": b"C"}
    )
    assert not kept.keys() & secret.keys()
    assert kept[b"HOME"] == b"/home"
    assert {b"PYTHONPATH", b"LC_ALL"} <= kept.keys()


class Interpreter:
    """Stands for the interpreter: answers a request as told."""

    def __init__(self, answer: t.Callable[[socket.socket, list[int]], None]) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.child = os.fork()
        if not self.child:
            try:
                self.ours.close()
                answer(self.theirs, warm_wire.receive_request(self.theirs)[1])
            finally:
                os._exit(0)
        self.theirs.close()


def run_task(
    answer: t.Callable[[socket.socket, list[int]], None], payload: bytes = b""
) -> tuple[bool, int, bytes, bytes]:
    """One task against a stand-in of the interpreter."""
    interpreter = Interpreter(answer)
    try:
        with warm.Task(interpreter.ours) as task:
            return task.start({"A": "b"}, None), *task.communicate(payload)
    finally:
        os.waitpid(interpreter.child, 0)


def test_payload_and_output_larger_than_a_pipe() -> None:
    def echo(connection: socket.socket, descriptors: list[int]) -> None:
        connection.sendall(warm_wire.STARTED)
        with (
            open(descriptors[1], "rb") as payload,
            open(descriptors[2], "wb") as out,
            open(descriptors[3], "wb") as err,
        ):
            data = payload.read()
            err.write(data[::-1])
            out.write(data)
        connection.sendall(warm_wire.STATUS.pack(3))

    payload = bytes(range(256)) * 4096
    assert run_task(echo, payload) == (True, 3, payload, payload[::-1])


def test_a_module_that_does_not_read_its_payload() -> None:
    def deaf(connection: socket.socket, descriptors: list[int]) -> None:
        connection.sendall(warm_wire.STARTED_COLD)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(warm_wire.STATUS.pack(-9))

    assert run_task(deaf, b"x" * (1 << 20)) == (False, -9, b"", b"")


def test_a_lost_keeper_is_a_killed_shell() -> None:
    def vanish(connection: socket.socket, _descriptors: list[int]) -> None:
        connection.sendall(warm_wire.STARTED)

    assert run_task(vanish) == (True, -9, b"", b"")


def test_an_interpreter_that_hangs_up_first_has_started_nothing() -> None:
    with pytest.raises(warm.UnavailableError):
        run_task(lambda _connection, _descriptors: None)


def test_an_interpreter_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "PATIENCE", 0.01)
    ours, theirs = socket.socketpair()
    with theirs, warm.Task(ours) as task, pytest.raises(warm.UnavailableError):
        task.start({}, None)


def test_a_task_whose_time_is_up_says_so() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        with pytest.raises(TimeoutError), warm.Task(ours):
            raise TimeoutError
        assert theirs.recv(9) == warm_wire.DETACH
        assert theirs.recv(9) == b""


def test_an_interpreter_that_cannot_start_is_unavailable(tmp_path: Path) -> None:
    run = warm.Run(str(tmp_path / "private"), os.getpid(), str(tmp_path / "no-python"), ("/bin/sh", "/bin/sh"), "", ())
    with pytest.raises(warm.UnavailableError):
        warm.connect(run, None)

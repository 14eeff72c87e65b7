# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The worker's side of the warm interpreter: find it or start it, and hand it a module."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import selectors
import shlex
import socket
import stat
import subprocess
import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import warm_wire as wire

#: Of a worker's requests that wait for the interpreter to accept them, the kernel keeps this many.
BACKLOG = 512
#: The interpreter's program, beside this file.
PROGRAM = os.path.join(os.path.dirname(__file__), "warm_interpreter.py")
#: Seconds to wait for an answer to a request. Giving up is safe at any time: the payload is sent after the answer.
PATIENCE = 60
#: Bytes moved at once through a pipe.
CHUNK = 1 << 16


class UnavailableError(Exception):
    """There is no warm interpreter to be had; the module has not been started."""


class Command(t.NamedTuple):
    """A command line that only starts a Python interpreter on its standard input.

    :param shell: the inner shell.
    :param interpreter: the interpreter's path.
    :param environment: the task's own variables.
    """

    shell: str
    interpreter: str
    environment: dict[str, str]


def parse_command(command: str) -> Command | None:
    """Recognise the command that Ansible makes of a module that it sends through a pipe.

    :param command: what the connection was asked to run.
    :returns: its parts, or ``None`` when it is anything else. The parts put together again are the command, character
        by character, so nothing is lost on the way.
    """
    try:
        shell, _option, inner = shlex.split(command)
        words = shlex.split(inner)
    except ValueError:
        return None
    variables = [word for word in words[:-4] if re.match(r"[A-Za-z_][A-Za-z0-9_]*=", word)]
    parsed = Command(shell, words[-4] if len(words) > 3 else "", dict(word.split("=", 1) for word in variables))
    return parsed if len(parsed.environment) == len(variables) and build_command(parsed) == command else None


def build_command(command: Command) -> str:
    """The command line that a L{Command} was parsed from."""
    words = [f"{name}={shlex.quote(value)}" for name, value in command.environment.items()]
    inner = " ".join([*words, command.interpreter, "&&", "sleep", "0"])
    return f"{command.shell} -c {shlex.quote(inner)}"


def same_interpreter(one: str, other: str) -> bool:
    """Whether two paths are names of one interpreter in one environment, such as C(bin/python) and C(bin/python3).

    Another environment's link to the same file is another interpreter: it finds other libraries.
    """
    if one == other:
        return True
    try:
        return os.path.dirname(one) == os.path.dirname(other) and os.path.samefile(one, other)
    except OSError:
        return False


class Run(t.NamedTuple):
    """What is the same for every task of one ansible-playbook process.

    :param directory: where the socket is, or will be.
    :param process: the process id of ansible-playbook, with whose end the interpreter ends.
    :param interpreter: the interpreter's path.
    :param shell: the executables of the outer and the inner shell.
    :param ansible: directory of the C(ansible) package.
    :param collections: the directories in which this run looks for collections.
    """

    directory: str
    process: int
    interpreter: str
    shell: tuple[str, str]
    ansible: str
    collections: tuple[str, ...]


def connect(run: Run, directory: str | None) -> socket.socket:
    """Reach the run's warm interpreter; the first to ask starts it.

    :param directory: the working directory to start it in, or ``None`` for the current one.
    :raises UnavailableError: when there is none and none can be started.
    """
    try:
        os.makedirs(run.directory, mode=0o700, exist_ok=True)
        return _dial(run.directory) or _start_and_dial(run, directory)
    except OSError as error:
        raise UnavailableError(str(error)) from error


def _dial(directory: str) -> socket.socket | None:
    handle = _open_private(directory)
    connection = socket.socket(socket.AF_UNIX)
    try:
        # Through the descriptor, since a socket's path may not be longer than 107 bytes.
        connection.connect(f"/proc/self/fd/{handle}/socket")
        if wire.peer_uid(connection) != os.geteuid():
            raise UnavailableError("the socket belongs to another user")
    except FileNotFoundError:
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    finally:
        os.close(handle)
    return connection


def _open_private(directory: str) -> int:
    handle = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    status = os.fstat(handle)
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        os.close(handle)
        raise UnavailableError(f"{directory} is not private to the user")
    return handle


def _start_and_dial(run: Run, directory: str | None) -> socket.socket:
    with open(os.path.join(run.directory, "lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = _dial(run.directory)
        if connection is None:
            _start(run, directory)
            connection = _dial(run.directory)
    if connection is None:
        raise UnavailableError("the socket vanished")
    return connection


def _start(run: Run, directory: str | None) -> None:
    """Start the interpreter on a socket that already listens, so that nobody has to wait for it to be there."""
    process = os.pidfd_open(run.process)
    handle = _open_private(run.directory)
    settings, write_settings = os.pipe()
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            new, name = f"/proc/self/fd/{handle}/new", f"/proc/self/fd/{handle}/socket"
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new)
            listener.bind(new)
            os.chmod(new, 0o600)
            listener.listen(BACKLOG)
            _spawn(run, directory, [listener.fileno(), process, settings])
            with os.fdopen(os.dup(write_settings), "w", encoding="utf-8") as stream:
                json.dump(_settings(run), stream)
            os.rename(new, name)
    finally:
        for descriptor in (process, handle, settings, write_settings):
            os.close(descriptor)


def _spawn(run: Run, directory: str | None, descriptors: list[int]) -> None:
    # Not waited for: it outlives this worker, and is init's child (or the container's first process's) from then on.
    subprocess.Popen(  # pylint: disable=consider-using-with
        [run.interpreter, PROGRAM, *map(str, descriptors)],
        cwd=directory,
        env=wire.start_environment(os.environb),
        pass_fds=descriptors,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _settings(run: Run) -> dict[str, t.Any]:
    return wire.Settings(
        interpreter=run.interpreter,
        ansible=run.ansible,
        collections=list(run.collections),
        shell=list(run.shell),
        directory=run.directory,
        environment=wire.text(wire.start_environment(os.environb)),
        shell_environment=wire.text(wire.shell_input(os.environb)),
    )._asdict()


class Task:
    """One module's run in the warm interpreter.

    :param connection: a connection to the interpreter; closed at the end.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pipes: dict[str, int] = {}

    def __enter__(self) -> Task:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_details: t.Any) -> None:
        with contextlib.suppress(OSError):
            if kind is not None:
                # A task's time is up: as with a process of its own, the module is left to itself, and not ended.
                self._connection.sendall(wire.DETACH)
        self._connection.close()
        for name in list(self._pipes):
            self._close(name)

    def start(self, environment: dict[str, str], directory: str | None) -> bool:
        """Hand over what the module's process starts with.

        :returns: whether it is a child of the warm interpreter; if not it is an interpreter of its own, since the
            task's environment changes how one starts.

        :param environment: the task's own variables, on top of this process's environment.
        :param directory: working directory, or ``None`` for the current one.
        :raises UnavailableError: when the module's process does not exist.
        """
        self._open("in", "out", "err")
        own = {wire.TASK_PREFIX + name: value for name, value in wire.octets(environment).items()}
        body = wire.pack_request({**os.environb, **own})
        self._connection.settimeout(PATIENCE)
        here = os.open(directory or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            ends = [here, *(self._pipes[name] for name in ("in<", "out>", "err>"))]
            sent = socket.send_fds(self._connection, [body], ends)
            self._connection.sendall(body[sent:])
            answer = self._connection.recv(1)
            if not answer:
                raise UnavailableError("the interpreter hung up")
        except OSError as error:
            raise UnavailableError(str(error)) from error
        finally:
            os.close(here)
        self._connection.settimeout(None)
        for name in ("in<", "out>", "err>"):
            self._close(name)
        return answer == wire.STARTED

    def communicate(self, payload: bytes) -> tuple[int, bytes, bytes]:
        """Send the payload, collect what the module writes, and wait for its end.

        :returns: exit code (or minus the signal's number), output, errors. The code is that of a killed shell, -9,
            when the process that watches over the module is gone.
        """
        output = self._exchange(memoryview(payload))
        status = b""
        while len(status) < wire.STATUS.size:
            with contextlib.suppress(ConnectionError):
                if more := self._connection.recv(wire.STATUS.size - len(status)):
                    status += more
                    continue
            return -9, output["out<"], output["err<"]
        return wire.STATUS.unpack(status)[0], output["out<"], output["err<"]

    def _exchange(self, payload: memoryview) -> dict[str, bytes]:
        output: dict[str, list[bytes]] = {"out<": [], "err<": []}
        os.set_blocking(self._pipes["in>"], False)
        with selectors.PollSelector() as selector:
            selector.register(self._pipes["in>"], selectors.EVENT_WRITE, "in>")
            for name in output:
                selector.register(self._pipes[name], selectors.EVENT_READ, name)
            while selector.get_map():
                for key, _events in selector.select():
                    if key.data == "in>":
                        payload = self._feed(payload)
                        done = not payload
                    else:
                        output[key.data].append(os.read(key.fd, CHUNK))
                        done = not output[key.data][-1]
                    if done:
                        selector.unregister(key.fd)
                        self._close(key.data)
        return {name: b"".join(parts) for name, parts in output.items()}

    def _feed(self, payload: memoryview) -> memoryview:
        try:
            return payload[os.write(self._pipes["in>"], payload[:CHUNK]) :]
        except BlockingIOError:
            return payload
        except BrokenPipeError:
            return payload[:0]

    def _open(self, *names: str) -> None:
        for name in names:
            self._pipes[name + "<"], self._pipes[name + ">"] = os.pipe()

    def _close(self, name: str) -> None:
        descriptor = self._pipes.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the Ansible worker and the warm interpreter say to each other.

Small on purpose: every worker compiles it anew, since Ansible keeps no bytecode of a collection's Python.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import typing as t

#: What the keeper sends once the module's process exists; before it, the worker may still choose another way.
STARTED = b"+"
#: The same, for a module that got an interpreter of its own, since the task's environment asks for one.
STARTED_COLD = b"*"
#: What the worker sends before it hangs up on a module that it leaves running (a task that timed out).
DETACH = b"-"
#: How the module ended: exit code, or minus the number of the signal that ended it.
STATUS = struct.Struct("!i")
#: Length of a request, before the request itself.
LENGTH = struct.Struct("!I")
#: Size of SO_PEERCRED's answer: pid, uid, gid.
CREDENTIALS = struct.Struct("3i")
#: A task's own variables are set after the shell's, so they are marked: no environment holds such a name.
TASK_PREFIX = b"\x01"
#: Variables that steer an interpreter's start. A task that changes one of them gets an interpreter of its own.
START_VARIABLE = re.compile(rb"PYTHON|LD_|LC_|LANG|MALLOC_|GLIBC_|OPENSSL_|HOME$")
#: Variables that a POSIX shell sets for the command that it runs.
SHELL_VARIABLES = (b"PWD", b"OLDPWD", b"SHLVL", b"_")


class Settings(t.NamedTuple):
    """What the connection plugin tells the interpreter when it starts it.

    :param interpreter: the interpreter's path as tasks name it.
    :param ansible: directory of the controller's C(ansible) package.
    :param collections: directories that hold an C(ansible_collections) directory, the preferred one first.
    :param shell: the executables of the outer and the inner shell.
    :param directory: directory of the socket, removed when the run ends.
    :param environment: the environment that the interpreter was started with.
    :param shell_environment: the shell's own variables as the worker has them.
    """

    interpreter: str
    ansible: str
    collections: list[str]
    shell: list[str]
    directory: str
    environment: dict[str, str]
    shell_environment: dict[str, str]


def start_environment(environment: t.Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The part of an environment that steers an interpreter's start."""
    return {name: value for name, value in environment.items() if START_VARIABLE.match(name)}


def shell_input(environment: t.Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The part of an environment on which depends what a shell makes of it."""
    return {name: environment[name] for name in SHELL_VARIABLES if name in environment}


def pack_request(environment: t.Mapping[bytes, bytes]) -> bytes:
    """A request's bytes: its length, then C(name=value) pairs separated by NUL."""
    body = b"\0".join(name + b"=" + value for name, value in environment.items())
    return LENGTH.pack(len(body)) + body


def unpack_environment(body: bytes) -> dict[bytes, bytes]:
    """The environment out of a request's body."""
    pairs = (pair.partition(b"=") for pair in body.split(b"\0") if pair)
    return {name: value for name, _equals, value in pairs}


def receive_request(connection: socket.socket) -> tuple[bytes, list[int]]:
    """Read one request.

    :returns: the request's body, and the descriptors that came with it: working directory, input, output, errors.
    :raises EOFError: when the other side hangs up before the request is complete.
    """
    data, descriptors, _flags, _address = socket.recv_fds(connection, 65536, 4)
    while len(data) < LENGTH.size or len(data) < LENGTH.size + LENGTH.unpack_from(data)[0]:
        more = connection.recv(65536)
        if not more:
            raise EOFError("the request ended early")
        data += more
    if len(descriptors) != 4:
        raise EOFError("the request lacks descriptors")
    return data[LENGTH.size :], descriptors


def peer_uid(connection: socket.socket) -> int:
    """The user on the other side of a local socket."""
    answer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return CREDENTIALS.unpack(answer)[1]


def text(variables: t.Mapping[bytes, bytes]) -> dict[str, str]:
    """Environment variables as text."""
    return {os.fsdecode(name): os.fsdecode(value) for name, value in variables.items()}


def octets(variables: t.Mapping[str, str]) -> dict[bytes, bytes]:
    """Environment variables as the system has them."""
    return {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}

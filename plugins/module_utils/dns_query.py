# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""As much of the DNS protocol (RFC 1035) as it takes to ask which name servers a domain is delegated to."""

from __future__ import annotations

import secrets
import socket
import struct
import typing as t
from pathlib import Path

from ansible_collections.palier.aws.plugins.module_utils.dns_names import plain

NS = 2
IN = 1
NO_ERROR, NO_SUCH_NAME = 0, 3
#: Longest answer over UDP without extensions (RFC 1035, 4.2.1); a delegation fits.
LONGEST = 512
#: Pointers that are followed within one name; more would be a loop.
JUMPS = 64

RESOLV_CONF = Path("/etc/resolv.conf")


class AnswerError(ValueError):
    """What came back is no answer to the question."""


def question(name: str, number: int) -> bytes:
    """A question for the NS records of a name, to a server that asks on for us.

    :param number: the number by which the answer is known.
    """
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in plain(name).split("."))
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", NS, IN)


def answer(message: bytes, number: int) -> tuple[int, list[str]]:
    """The code and the name servers in an answer.

    :param number: the number of the question.
    :raises AnswerError: it is no answer to that question.
    """
    try:
        return _answer(message, number)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise AnswerError(f"the answer is malformed: {error}") from error


def _answer(message: bytes, number: int) -> tuple[int, list[str]]:
    got, flags, questions, answers, _authorities, _others = struct.unpack_from("!6H", message)
    if got != number or not flags & 0x8000:
        raise AnswerError("the answer is to another question")
    place = 12
    for _ in range(questions):
        place = _name(message, place)[1] + 4
    found = []
    for _ in range(answers):
        place = _name(message, place)[1]
        kind, _class, _ttl, length = struct.unpack_from("!2HIH", message, place)
        place += 10
        if kind == NS:
            found.append(plain(_name(message, place)[0]))
        place += length
    return flags & 0xF, sorted(found)


def _name(message: bytes, place: int) -> tuple[str, int]:
    """The name at a place, and where the message goes on behind it."""
    labels: list[str] = []
    end = 0
    for _ in range(JUMPS):
        length = message[place]
        if length >= 0xC0:
            end = end or place + 2
            place = struct.unpack_from("!H", message, place)[0] & 0x3FFF
        elif length == 0:
            return ".".join(labels), end or place + 1
        else:
            labels.append(message[place + 1 : place + 1 + length].decode("ascii"))
            place += 1 + length
    raise AnswerError("a name in the answer has no end")


def resolvers(text: str) -> list[str]:
    """The addresses of the resolvers in C(/etc/resolv.conf)."""
    words = [line.split() for line in text.splitlines()]
    return [row[1] for row in words if len(row) > 1 and row[0] == "nameserver"]


def ask(name: str, servers: t.Iterable[str], timeout: float) -> tuple[int, list[str]] | None:
    """What the first resolver that answers says, or C{None} when none does.

    :param servers: addresses of resolvers, with C(#port) where it is not 53.
    :param timeout: seconds to wait for each.
    """
    for server in servers:
        host, _hash, port = server.partition("#")
        try:
            code, found = _ask_one(name, host, int(port or 53), timeout)
        except (OSError, AnswerError):
            continue
        if code in (NO_ERROR, NO_SUCH_NAME):
            return code, found
    return None


def _ask_one(name: str, host: str, port: int, timeout: float) -> tuple[int, list[str]]:
    number = secrets.randbelow(1 << 16)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        channel.settimeout(timeout)
        channel.connect((host, port))
        channel.send(question(name, number))
        return answer(channel.recv(LONGEST), number)


def judge(asked: tuple[int, list[str]] | None, expected: t.Collection[str]) -> str:
    """C(delegated), C(missing), C(differs), or C(unknown) where no resolver answered.

    :param asked: what L{ask} returned.
    :param expected: the zone's own name servers.
    """
    if asked is None or not expected:
        return "unknown"
    found = set(asked[1])
    if not found:
        return "missing"
    return "delegated" if found == set(map(plain, expected)) else "differs"

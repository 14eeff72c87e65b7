# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asking the DNS: a server on this machine answers, or nobody does."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import dns_query as subject
from ansible_collections.palier.aws.plugins.modules import route53_delegation_info
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.module_runner import run_module

SERVERS = ["ns-1.example.com", "ns-2.example.com"]


def labels(name: str) -> bytes:
    return b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))


def reply(question: bytes, servers: t.Sequence[str] = SERVERS, code: int = 0) -> bytes:
    """An answer with compressed names, as servers give it."""
    number = question[:2]
    header = number + struct.pack("!5H", 0x8180 | code, 1, len(servers), 0, 0)
    records = b""
    for server in servers:
        first, _dot, rest = server.partition(".")
        # The first record's tail is written out, those of the others point at it.
        place = len(header) + len(question[12:]) + 12 + 1 + len(first)
        data = labels(first) + (labels(rest) + b"\0" if not records else struct.pack("!H", 0xC000 | place))
        records += struct.pack("!HHHIH", 0xC00C, subject.NS, subject.IN, 60, len(data)) + data
    return header + question[12:] + records


@pytest.fixture
def resolver() -> t.Iterator[t.Callable[..., str]]:
    """Starts a server on a free port of this machine that answers once; returns its address."""
    channels = []

    def start(*servers: str, code: int = 0, answer: bytes | None = None) -> str:
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        channel.bind(("127.0.0.1", 0))
        channel.settimeout(10)
        channels.append(channel)

        def serve() -> None:
            question, client = channel.recvfrom(512)
            channel.sendto(reply(question, servers, code) if answer is None else answer, client)

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1#{channel.getsockname()[1]}"

    yield start
    for channel in channels:
        channel.close()


def test_an_answer_with_compressed_names() -> None:
    question = subject.question("Shop.example.", 7)
    assert subject.answer(reply(question), 7) == (0, SERVERS)
    with pytest.raises(subject.AnswerError, match="another question"):
        subject.answer(reply(question), 8)
    with pytest.raises(subject.AnswerError, match="another question"):
        subject.answer(question, 7)


def test_a_name_that_points_at_itself() -> None:
    header = struct.pack("!6H", 7, 0x8180, 1, 0, 0, 0)
    with pytest.raises(subject.AnswerError, match="no end"):
        subject.answer(header + b"\xc0\x0c" + b"\0\2\0\1", 7)


@given(st.binary(max_size=80))
def test_no_answer_breaks_it(noise: bytes) -> None:
    with contextlib.suppress(subject.AnswerError):
        subject.answer(struct.pack("!2H", 7, 0x8180) + noise, 7)


def test_resolvers() -> None:
    assert subject.resolvers("# x\nsearch a\nnameserver 203.0.113.7\nnameserver\nnameserver ::1\n") == [
        "203.0.113.7",
        "::1",
    ]


def test_asking(resolver: t.Callable[..., str]) -> None:
    assert subject.ask("shop.example", [resolver(*SERVERS)], 5) == (0, SERVERS)
    assert subject.ask("shop.example", [resolver(code=3)], 5) == (3, [])
    # A resolver that fails or talks nonsense is passed over.
    assert subject.ask("shop.example", [resolver(code=2), resolver(answer=b"x"), resolver(*SERVERS)], 5) == (0, SERVERS)
    assert subject.ask("shop.example", [], 5) is None


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (None, "unknown"),
        ((0, SERVERS), "delegated"),
        ((0, []), "missing"),
        ((3, []), "missing"),
        ((0, ["ns.registrar.example"]), "differs"),
        ((0, SERVERS[:1]), "differs"),
    ],
)
def test_judging(asked: t.Any, status: str) -> None:
    assert subject.judge(asked, [f"{SERVERS[1].upper()}.", SERVERS[0]]) == status
    assert subject.judge(asked, []) == "unknown"


def info(*resolvers: str) -> dict[str, t.Any]:
    options = {"zone": "shop.example", "name_servers": SERVERS, "resolvers": list(resolvers), "timeout": 5}
    return run_module(route53_delegation_info, options)


@pytest.mark.parametrize(("found", "now"), [([], "it names none"), (["ns.other.example"], "it names ns.other.example")])
def test_the_module_says_what_to_enter(
    resolver: t.Callable[..., str], monkeypatch: pytest.MonkeyPatch, found: list[str], now: str
) -> None:
    monkeypatch.setattr("tests.unit.module_runner.CREDENTIALS", {})
    assert info(resolver(*found))["message"] == (
        f"The domain shop.example is not delegated to its hosted zone ({now}). Enter these name servers at the"
        f" registrar"
        " of the domain (or as NS records in the zone above): ns-1.example.com, ns-2.example.com"
    )


def test_the_module_has_nothing_to_say(resolver: t.Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.module_runner.CREDENTIALS", {})
    assert (info(resolver(*SERVERS))["status"], info()["status"], info()["message"]) == ("delegated", "unknown", "")

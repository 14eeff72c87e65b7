# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A proxy that stands for DNS and the way to AWS: whatever name a client asks for, the answer is on this machine.

It knows C{CONNECT name:443} and C{GET http://name/}; nothing leaves the machine through it.
"""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


class RefusedError(Exception):
    """A request that the proxy does not pass on."""


def route(head: bytes) -> tuple[int, bytes]:
    """Where a request goes.

    :param head: its first lines, up to the empty one.
    :returns: the port that the client wanted, and what is to be sent there first.
    :raises RefusedError: it is neither C{CONNECT} nor a request for an absolute HTTP address.
    """
    line, _, rest = head.partition(b"\r\n")
    try:
        method, target, version = line.decode("latin-1").split(" ")
    except ValueError:
        raise RefusedError(f"no HTTP request: {line[:80]!r}") from None
    if method == "CONNECT":
        return int(target.rpartition(":")[2]), b""
    parts = urlsplit(target)
    if parts.scheme != "http":
        raise RefusedError(f"no absolute HTTP address: {target[:80]}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # One request a connection: the next one may be for another name.
    headers = [one for one in rest.split(b"\r\n") if not one.lower().startswith((b"connection:", b"proxy-"))]
    start = f"{method} {path} {version}\r\nConnection: close\r\n".encode("latin-1")
    return parts.port or 80, start + b"\r\n".join(headers)


async def serve(port: int, ports: dict[int, int]) -> asyncio.Server:
    """Start the proxy on loopback.

    :param port: where it listens.
    :param ports: by the port that a client wants, the one on loopback that it gets.
    """

    async def handle(reader: Reader, writer: Writer) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await _pass_on(reader, writer, ports)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    return await asyncio.start_server(handle, "127.0.0.1", port)


async def _pass_on(reader: Reader, writer: Writer, ports: dict[int, int]) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    try:
        wanted, first = route(head)
        there = ports[wanted]
    except (RefusedError, KeyError, ValueError) as problem:
        writer.write(f"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nX-Reason: {problem}\r\n\r\n".encode("latin-1"))
        await writer.drain()
        return
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", there)
    if first:
        far_writer.write(first)
    else:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await asyncio.gather(_carry(reader, far_writer), _carry(far_reader, writer), return_exceptions=True)
    far_writer.close()


async def _carry(reader: Reader, writer: Writer) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof() if writer.can_write_eof() else writer.close()

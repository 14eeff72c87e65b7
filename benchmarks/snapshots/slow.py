# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A door on loopback that keeps each answer back for a while, as the way to AWS does."""

from __future__ import annotations

import asyncio
import threading
import typing as t
from urllib.parse import urlsplit


class SlowDoor:
    """Forwards connections to a server and delays the first bytes of each answer; a context manager.

    :param endpoint: URL of the server.
    :param delay: seconds.
    """

    def __init__(self, endpoint: str, delay: float) -> None:
        parts = urlsplit(endpoint)
        self._server = (t.cast(str, parts.hostname), t.cast(int, parts.port))
        self._delay = delay
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.endpoint = ""

    def __enter__(self) -> SlowDoor:
        self._thread.start()
        listener = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self.endpoint = f"http://127.0.0.1:{listener.result().sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._server)
        asked = asyncio.Event()
        await asyncio.gather(self._ask(reader, there_writer, asked), self._answer(there_reader, writer, asked))

    @staticmethod
    async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event) -> None:
        while data := await reader.read(65536):
            asked.set()
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event) -> None:
        while data := await reader.read(65536):
            if asked.is_set():  # the first bytes since the last request
                asked.clear()
                await asyncio.sleep(self._delay)
            writer.write(data)
            await writer.drain()
        writer.close()

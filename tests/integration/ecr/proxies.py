# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What stands between a client and a registry: something that goes wrong, and something that takes time."""

from __future__ import annotations

import collections
import http.client
import http.server
import selectors
import socket
import threading
import time
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

#: What happens to a request; anything else lets it pass.
ANSWER, CUT_REQUEST, CUT_ANSWER, CORRUPT, DROP_ANSWER = "answer", "cut request", "cut answer", "corrupt", "drop answer"


@dataclass
class Fault:
    """One thing that goes wrong.

    :param kind: see the constants above.
    :param status: of the answer that the registry never gave.
    :param headers: of that answer.
    :param body: of that answer.
    :param after: bytes of the body that still pass before a cut.
    """

    kind: str
    status: int = 0
    headers: t.Mapping[str, str] = ()  # type: ignore[assignment]
    body: bytes = b""
    after: int = 100


@dataclass(frozen=True)
class Request:
    """A request as it came in, with its place in the order from 0."""

    number: int
    method: str
    path: str
    headers: t.Mapping[str, str]


class Front:
    """A reverse proxy in front of a registry that follows orders; use it in a ``with`` statement.

    Set C{order} to a function that looks at a request and says what goes wrong with it.
    """

    def __init__(self, target: str, host: str | None = None) -> None:
        """:param target: URL of the registry. :param host: Host header of all requests; the client's by default."""
        parts = urlsplit(target)
        self._host = host
        #: Changes the body of an answer: takes the request's headers and the body.
        self.rewrite: t.Callable[[t.Mapping[str, str], bytes], bytes] = lambda _headers, body: body
        self._target = (parts.hostname or "", parts.port or 80)
        self.order: t.Callable[[Request], Fault | None] = lambda _request: None
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    def reset(self, order: t.Callable[[Request], Fault | None] = lambda _request: None) -> None:
        """Forget what came in, and follow another order."""
        self.requests, self.order = [], order

    def __enter__(self) -> Front:
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_arguments: t.Any) -> None:
                pass

            def handle_any(self) -> None:
                front.handle(self)

        for method in ("GET", "PUT", "POST", "HEAD"):
            setattr(Handler, f"do_{method}", Handler.handle_any)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_arguments: t.Any) -> None:
                pass  # clients hang up on purpose here

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def handle(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """Pass a request on, or do to it what the order says."""
        with self._lock:
            request = Request(len(self.requests), handler.command, handler.path, dict(handler.headers.items()))
            self.requests.append(request)
        fault = self.order(request)
        if fault and fault.kind == CUT_REQUEST:
            handler.rfile.read(min(fault.after, int(handler.headers.get("Content-Length", 0))))
            self._hang_up(handler)
            return
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if fault and fault.kind == ANSWER:
            self._answer(handler, fault.status, dict(fault.headers or {}), fault.body)
            return
        self._pass_on(handler, body, fault)

    def _pass_on(self, handler: t.Any, body: bytes, fault: Fault | None) -> None:
        connection = http.client.HTTPConnection(*self._target, timeout=60)
        try:
            headers = {k: v for k, v in handler.headers.items() if k.lower() not in ("connection", "content-length")}
            if self._host:
                headers["Host"] = self._host
            if body or handler.command in ("PUT", "POST"):
                headers["Content-Length"] = str(len(body))
            connection.request(handler.command, handler.path, body or None, headers)
            answer = connection.getresponse()
            data = self.rewrite(handler.headers, answer.read())
            if fault and fault.kind == DROP_ANSWER:
                self._hang_up(handler)
                return
            if fault and fault.kind == CORRUPT and data:
                data = bytes([data[0] ^ 1]) + data[1:]
            cut = fault.after if fault and fault.kind == CUT_ANSWER else None
            self._answer(handler, answer.status, dict(answer.getheaders()), data, cut)
        finally:
            connection.close()

    def _answer(
        self, handler: t.Any, status: int, headers: dict[str, str], data: bytes, cut: int | None = None
    ) -> None:
        length = headers.pop("Content-Length", None) if handler.command == "HEAD" else None
        handler.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", length or str(len(data)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data if cut is None else data[:cut])
        if cut is not None:
            self._hang_up(handler)

    @staticmethod
    def _hang_up(handler: t.Any) -> None:
        handler.close_connection = True
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)


class Delay:
    """Passes TCP connections on, each way so much later, without a limit to the bandwidth.

    One thread and one selector for all connections, in a process of its own where what it carries is measured. A new
    connection costs one round trip before the first byte, as it does on a real network.
    """

    PIECE = 512 * 1024
    #: Bytes on their way in one direction of one connection: more than any window that the tests fill.
    LIMIT = 64 * 1024 * 1024

    def __init__(self, target_port: int, one_way: float) -> None:
        """:param target_port: on loopback. :param one_way: seconds."""
        self._target = target_port
        self._one_way = one_way
        self._selector = selectors.DefaultSelector()
        self._lines: dict[socket.socket, _Line] = {}
        self._waiting: collections.deque[tuple[float, socket.socket]] = collections.deque()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._stopped = False
        self.port = self._listener.getsockname()[1]
        self.connections = 0

    def serve(self) -> None:
        """Carry bytes until L{stop}."""
        while not self._stopped:
            for key, events in self._selector.select(self._next()):
                sock = t.cast(socket.socket, key.fileobj)
                if sock is self._listener:
                    self._accept()
                elif events & selectors.EVENT_READ:
                    self._read(sock)
            self._connect_due()
            for line in list(self._lines.values()):
                self._write(line)
        for line in list(self._lines.values()):
            line.source.close()
        self._listener.close()
        self._selector.close()

    def stop(self) -> None:
        """End L{serve} soon."""
        self._stopped = True

    def _next(self) -> float:
        times = [line.pieces[0][0] for line in self._lines.values() if line.pieces]
        times += [self._waiting[0][0]] if self._waiting else []
        blocked = any(line.blocked for line in self._lines.values())
        if not times:
            return 0.2
        return max(0.0, min(times) - time.monotonic()) if not blocked else 0.001

    def _accept(self) -> None:
        sock, _address = self._listener.accept()
        self.connections += 1
        self._waiting.append((time.monotonic() + 2 * self._one_way, sock))

    def _connect_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            near = self._waiting.popleft()[1]
            far = socket.create_connection(("127.0.0.1", self._target))
            for source, sink in ((near, far), (far, near)):
                source.setblocking(False)
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._lines[source] = _Line(source, sink)
                self._selector.register(source, selectors.EVENT_READ)

    def _read(self, sock: socket.socket) -> None:
        line = self._lines.get(sock)
        if line is None:
            return
        try:
            data = sock.recv(self.PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        line.pieces.append((time.monotonic() + self._one_way, memoryview(data)))
        line.held += len(data)
        if not data or line.held > self.LIMIT:
            self._selector.unregister(sock)
            line.paused = bool(data)

    def _write(self, line: _Line) -> None:
        line.blocked = False
        while line.pieces and line.pieces[0][0] <= time.monotonic():
            due, data = line.pieces[0]
            try:
                if not data:
                    line.sink.shutdown(socket.SHUT_WR)
                sent = line.sink.send(data) if data else 0
            except BlockingIOError:
                line.blocked = True
                return
            except OSError:
                sent = len(data)
            line.held -= sent
            if sent < len(data):
                line.pieces[0] = (due, data[sent:])
                continue
            line.pieces.popleft()
            if not data:
                self._end(line)
                return
        if line.paused and line.held <= self.LIMIT:
            line.paused = False
            self._selector.register(line.source, selectors.EVENT_READ)

    def _end(self, line: _Line) -> None:
        """Close both sockets once both directions have ended."""
        line.ended = True
        other = self._lines.get(line.sink)
        if other is None or other.ended:
            for sock in (line.source, line.sink):
                self._lines.pop(sock, None)
                if sock.fileno() >= 0 and sock.fileno() in self._selector.get_map():
                    self._selector.unregister(sock)
                sock.close()


class _Line:
    """One direction of a connection."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.pieces: collections.deque[tuple[float, memoryview]] = collections.deque()
        self.held = 0
        self.paused = False
        self.blocked = False
        self.ended = False

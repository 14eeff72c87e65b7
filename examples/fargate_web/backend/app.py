# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The back end: ``GET /api/users``, ``POST /api/users`` with ``{"name": "Ada"}``, ``GET /api/health``; port 8000."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from database import connection

Answer = tuple[int, dict[str, t.Any]]


def health() -> Answer:
    """Whether this process serves; the database has checks of its own."""
    return 200, {"status": "ok", "version": os.environ.get("APP_VERSION", "dev"), "host": socket.gethostname()}


def users() -> Answer:
    """All users."""
    with connection() as database:
        rows = database.run("SELECT id, name FROM users ORDER BY id")
    return 200, {"users": [{"id": number, "name": name} for number, name in rows]}


def add_user(name: str) -> Answer:
    """Keep a user.

    :param name: must not be empty.
    """
    if not name.strip():
        return 400, {"error": "name is empty"}
    with connection() as database:
        rows = database.run("INSERT INTO users (name) VALUES (:name) ON CONFLICT DO NOTHING RETURNING id", name=name)
    return (201, {"id": rows[0][0], "name": name}) if rows else (409, {"error": f"{name} is there already"})


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a question."""
        path = self.path.partition("?")[0]
        found = {"/api/health": health, "/api/users": users}.get(path)
        self.answer(found or (lambda: (404, {"error": "no such page"})))

    def do_POST(self) -> None:
        """Take something in."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/api/users":
            self.answer(lambda: (404, {"error": "no such page"}))
            return
        try:
            name = str(json.loads(body)["name"])
        except (ValueError, KeyError, TypeError):
            name = ""
        self.answer(lambda: add_user(name))

    def answer(self, make: t.Callable[[], Answer]) -> None:
        """Send what a function makes; what goes wrong is said in the log only."""
        try:
            status, document = make()
        except Exception as error:
            self.log_error("%s: %s", type(error).__name__, error)
            status, document = 503, {"error": "the database does not answer"}
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Ends only after the requests that it has begun."""

    daemon_threads = False
    request_queue_size = 128


def main() -> None:
    """Serve until SIGTERM, which ECS sends to a task that is to stop."""
    server = Server(("0.0.0.0", 8000), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()

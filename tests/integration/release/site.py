# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What answers instead of the application, since nothing runs behind the emulator's account."""

from __future__ import annotations

import http.server
import threading
import typing as t


class Site:
    """A web server on the loopback interface that answers with the status that it has at the time.

    :param status: the first one.
    """

    def __init__(self, status: int = 200) -> None:
        self.status = status
        site = self

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(site.status)
                self.end_headers()

            def log_message(self, *_args: t.Any) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plain HTTP that comes through the proxy: refused, so that nothing leaves the machine."""

from __future__ import annotations

import http
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Target:
    """Where a plain request goes."""

    service: str
    host: str
    region: str | None = None


@dataclass(frozen=True)
class Answer:
    """A plain HTTP answer."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it."""
        return f"{self.status} {http.HTTPStatus(self.status).phrase}"


def target(environ: dict[str, t.Any]) -> Target | None:
    """Where a request goes that is no AWS API call, or None for one that is."""
    asked = urlsplit(environ.get("REQUEST_URI", ""))
    if asked.scheme and asked.netloc and asked.port != int(environ["SERVER_PORT"]):
        return Target("proxy", asked.netloc)
    return None


def answer(target: Target, environ: dict[str, t.Any]) -> Answer:
    """Refuse it."""
    return Answer(502, b"the emulator answers for AWS only\n", [("Content-Type", "text/plain")])

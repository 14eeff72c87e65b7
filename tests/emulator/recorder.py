# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writing down every AWS request that reaches the emulator."""

from __future__ import annotations

import io
import json
import re
import threading
import time
import typing as t
from pathlib import Path

from tests.emulator import operations

#: The code in an error answer: XML of the query and REST protocols, or JSON.
_CODE = re.compile(rb'<Code>([^<]+)</Code>|"(?:__type|code|Code)"\s*:\s*"([^"]+)"')
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/")
#: Form bodies of AWS's query protocol are small; more than this is none.
_FORM_LIMIT = 10 * 1024 * 1024


class Recorder:
    """Keeps the requests in memory and, if asked, as JSON lines in a file.

    :param log: the file, or None.
    """

    def __init__(self, log: Path | None = None) -> None:
        self._entries: list[dict[str, t.Any]] = []
        self._lock = threading.Lock()
        self._stream: t.TextIO | None = log.open("a", encoding="utf-8") if log else None

    def entries(self) -> list[dict[str, t.Any]]:
        """What was recorded, oldest first."""
        with self._lock:
            return list(self._entries)

    def clear(self) -> dict[str, t.Any]:
        """Forget what is in memory (the file keeps it)."""
        with self._lock:
            self._entries.clear()
        return {"status": "ok"}

    def note(self, entry: dict[str, t.Any]) -> None:
        """Keep one entry."""
        with self._lock:
            self._entries.append(entry)
            if self._stream:
                self._stream.write(json.dumps(entry) + "\n")
                self._stream.flush()

    def note_plain(self, target: t.Any, method: str, status: int) -> None:
        """Record a request that is no AWS call: of a website endpoint, or of a host that was refused."""
        self.note(
            {
                "time": round(time.time(), 3),
                "service": target.service,
                "operation": method,
                "region": target.region,
                "account": None,
                "access_key": None,
                "status": status,
                "error": None,
                "write": False,
                "host": target.host,
            }
        )

    def watch(self, application: t.Any) -> t.Callable[..., t.Iterable[bytes]]:
        """The same WSGI application, recorded.

        :param application: answers with a list of byte strings.
        """

        def watched(environ: dict[str, t.Any], start_response: t.Callable[..., t.Any]) -> t.Iterable[bytes]:
            entry = describe(environ)
            environ["palier.call"] = entry
            answered: dict[str, t.Any] = {}

            def note_status(status: str, headers: list[tuple[str, str]], *exc_info: t.Any) -> t.Any:
                answered.update(status=int(status[:3]), headers=headers)
                return start_response(status, headers, *exc_info)

            body = application(environ, note_status)
            if entry is not None:
                status = answered["status"]
                error = _error_code(answered["headers"], body) if status >= 400 else None
                self.note({**entry, "status": status, "error": error})
            return body

        return watched


def describe(environ: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """What a request asks for, without its outcome; None for moto's own control paths.

    :param environ: the WSGI environment. The body stays readable.
    """
    path = environ.get("PATH_INFO", "/")
    if path.startswith("/moto-api") or path == "/favicon.ico":
        return None
    access_key, region, signing_name = _credential(environ)
    service, operation = operations.resolve(
        signing_name=signing_name,
        method=environ["REQUEST_METHOD"],
        path=path,
        query=environ.get("QUERY_STRING", ""),
        target=environ.get("HTTP_X_AMZ_TARGET"),
        form=_form(environ),
        host=environ.get("HTTP_HOST", ""),
        copies="HTTP_X_AMZ_COPY_SOURCE" in environ,
    )
    return {
        "time": round(time.time(), 3),
        "service": service,
        "operation": operation,
        "region": region,
        "account": _account(access_key),
        "access_key": access_key,
        "write": operations.is_write(service, operation),
    }


def _credential(environ: dict[str, t.Any]) -> tuple[str | None, str | None, str | None]:
    header = environ.get("HTTP_AUTHORIZATION", "")
    match = _CREDENTIAL.search(header)
    if match is None:
        # A presigned URL carries the same thing in its query string.
        scope = re.search(r"X-Amz-Credential=([^&]+)", environ.get("QUERY_STRING", ""))
        parts = re.split(r"/|%2F", scope[1]) if scope else []
        return (parts[0], parts[2], parts[3]) if len(parts) > 3 else (None, None, None)
    return match[1], match[2], match[3]


def _account(access_key: str | None) -> str | None:
    if access_key is None:
        return None
    from moto.iam.models import get_account_id_from

    return get_account_id_from(access_key)


def _form(environ: dict[str, t.Any]) -> str:
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return ""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not 0 < length <= _FORM_LIMIT:
        return ""
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return t.cast(str, body.decode("utf-8", "replace"))


def _error_code(headers: list[tuple[str, str]], body: t.Iterable[bytes]) -> str | None:
    for name, value in headers:
        if name.lower() in ("x-amzn-errortype", "x-amzn-query-error"):
            return re.split("[:;]", value)[0]
    match = _CODE.search(b"".join(body)[:4096])
    if match is None:
        return None
    return (match[1] or match[2]).decode("utf-8", "replace").rpartition("#")[2]

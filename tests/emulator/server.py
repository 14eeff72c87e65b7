# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The WSGI application: control paths, website endpoints, and moto behind the recorder."""

from __future__ import annotations

import io
import json
import sys
import threading
import traceback
import typing as t
from pathlib import Path
from urllib.parse import parse_qs

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer
from werkzeug.serving import make_server as make_wsgi_server

from tests.emulator import authorization, website
from tests.emulator.provisioning import clock
from tests.emulator.recorder import Recorder

Environ = dict[str, t.Any]
StartResponse = t.Callable[..., t.Any]

CONTROL = "/_palier/"


class QuietHandler(MotoRequestHandler):
    """moto's request handler without a line on standard error for each request: the recorder keeps them."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class Application:
    """Sends each request to the part that answers it.

    :param recorder: where AWS requests are written down.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.aws = recorder.watch(_Guard(DomainDispatcherApplication(create_backend_app)))

    def __call__(self, environ: Environ, start_response: StartResponse) -> t.Iterable[bytes]:
        target = website.target(environ)
        if target is not None:
            return self._answer_plain(target, environ, start_response)
        if environ.get("PATH_INFO", "").startswith(CONTROL):
            return self._control(environ, start_response)
        return self.aws(environ, start_response)

    def _answer_plain(
        self, target: website.Target, environ: Environ, start_response: StartResponse
    ) -> t.Iterable[bytes]:
        answer = website.answer(target, environ)
        self.recorder.note_plain(target, environ["REQUEST_METHOD"], answer.status)
        start_response(answer.status_line, answer.headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body]

    def _control(self, environ: Environ, start_response: StartResponse) -> t.Iterable[bytes]:
        call = (environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(CONTROL).strip("/"))
        actions: dict[tuple[str, str], t.Callable[[], dict[str, t.Any]]] = {
            ("GET", "health"): lambda: {"status": "ok"},
            ("GET", "requests"): lambda: {"requests": self.recorder.entries()},
            ("DELETE", "requests"): self.recorder.clear,
            ("POST", "reset"): reset,
            ("GET", "provisioning"): lambda: {"now": clock.now(), "started": clock.entries()},
            ("POST", "forward"): lambda: forward(environ.get("QUERY_STRING", "")),
        }
        action = actions.get(call)
        status = "200 OK" if action else "404 Not Found"
        body = json.dumps(action() if action else {"error": f"no {call[0]} {CONTROL}{call[1]}"}).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


class _Guard:
    """Lets one request at a time into moto, whose backends are plain dictionaries that know of no threads.

    Turns an exception inside it into an answer that an AWS client understands, and prints it.
    """

    def __init__(self, application: t.Any) -> None:
        self.application = application
        self.turn = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> t.Iterable[bytes]:
        try:
            if environ.get("CONTENT_LENGTH"):  # a client that sends its body slowly must not keep the others waiting
                environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            with self.turn:
                clock.settle()
                if environ.get("palier.call"):
                    authorization.check(environ["palier.call"], environ)
                return list(self.application(environ, start_response))
        except authorization.DeniedError as denied:
            return _answer_error(environ, start_response, denied.code, "403 Forbidden", str(denied))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            missing = isinstance(error, NotImplementedError)
            code, status = ("NotImplemented", "501 Not Implemented") if missing else ("InternalFailure", "500 Error")
            return _answer_error(environ, start_response, code, status, f"emulator: {type(error).__name__}: {error}")


def _answer_error(
    environ: Environ, start_response: StartResponse, code: str, status: str, message: str
) -> t.Iterable[bytes]:
    body, content_type = _error_body(environ, code, message)
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))], sys.exc_info())
    return [body]


def _error_body(environ: Environ, code: str, message: str) -> tuple[bytes, str]:
    if environ.get("HTTP_X_AMZ_TARGET") or "json" in environ.get("CONTENT_TYPE", ""):
        return json.dumps({"__type": code, "message": message}).encode(), "application/json"
    text = message.replace("&", "&amp;").replace("<", "&lt;")
    error = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
    if "form-urlencoded" in environ.get("CONTENT_TYPE", ""):
        error = f"<ErrorResponse><Errors>{error}</Errors>{error}</ErrorResponse>"
    return error.encode(), "application/xml"


def reset() -> dict[str, t.Any]:
    """Empty every account and region."""
    moto_api_backend.reset()
    clock.clear()
    return {"status": "ok"}


def forward(query: str) -> dict[str, t.Any]:
    """Put the clock of what takes time forward, by C{seconds} of the query string, or 0."""
    clock.forward(float(parse_qs(query).get("seconds", ["0"])[0]))
    return {"now": clock.now()}


def make_server(host: str, port: int, log: Path | None = None) -> BaseWSGIServer:
    """A server that is bound but does not answer yet.

    :param host: the address to bind.
    :param port: the port, 0 for a free one.
    :param log: file for one JSON line per request, or None.
    """
    application = Application(Recorder(log))
    return make_wsgi_server(host, port, application, threaded=True, request_handler=QuietHandler)

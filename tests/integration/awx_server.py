# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""As much of AWX's REST API as the awx.awx modules ask for: lists, objects, surveys, associations, approvals.

It keeps what it is sent and knows no rules but these: a name exists once, and what is referred to exists. So it shows
in what order things are created and what a second run sends, not what a real AWX would refuse.
"""

from __future__ import annotations

import json
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

Record = dict[str, t.Any]
PREFIX = "/api/v2/"
#: Fields that hold the id of another object, and where that one is found.
REFERENCES = {
    "organization": ("organizations",),
    "execution_environment": ("execution_environments",),
    "default_environment": ("execution_environments",),
    "inventory": ("inventories",),
    "project": ("projects",),
    "source_project": ("projects",),
    "workflow_job_template": ("workflow_job_templates",),
    "unified_job_template": ("job_templates", "workflow_job_templates"),
}
UNIFIED = ("job_templates", "workflow_job_templates", "projects", "inventory_sources")


class AwxServer:
    """A running server; a context manager.

    :ivar objects: what there is, by endpoint and id.
    :ivar writes: the requests that were no C{GET}: method, path, body.
    :ivar first: those of a first run, for whoever keeps them.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, Record]] = {}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], Record] = {}
        self.writes: list[tuple[str, str, Record]] = []
        self.first: list[tuple[str, str, Record]] = []
        self.last_id = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self) -> AwxServer:
        self.thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def named(self, endpoint: str) -> dict[str, Record]:
        """What there is at an endpoint, by name."""
        return {one.get("identifier") or one["name"]: one for one in self.objects.get(endpoint, {}).values()}

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """The class that answers requests."""
        awx = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}") if length else {}
                path = urlsplit(self.path)
                status, content = awx.respond(self.command, path.path, dict(parse_qsl(path.query)), body)
                data = json.dumps(content).encode() if status != 204 else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *arguments: t.Any) -> None:
                pass

        return Handler

    def respond(self, method: str, path: str, query: dict[str, str], body: Record) -> tuple[int, t.Any]:
        """Answer a request: its status and content."""
        if method != "GET":
            self.writes.append((method, path, body))
        parts = path.removeprefix(PREFIX).strip("/").split("/")
        if len(parts) == 1:
            return self.create(parts[0], body) if method == "POST" else (200, self.listed(parts[0], query))
        endpoint, number = parts[0], int(parts[1])
        if len(parts) == 3:
            return self.related(method, endpoint, number, parts[2], body)
        if number not in self.objects.get(endpoint, {}):
            return 404, {"detail": "Not found."}
        if method == "DELETE":
            del self.objects[endpoint][number]
            return 204, None
        if method == "PATCH":
            self.objects[endpoint][number] |= body
        return 200, self.objects[endpoint][number]

    def listed(self, endpoint: str, query: dict[str, str]) -> Record:
        """A page with what fits all filters."""
        endpoints = UNIFIED if endpoint == "unified_job_templates" else (endpoint,)
        found = [one for name in endpoints for one in self.objects.get(name, {}).values()]
        found = [one for one in found if all(str(one.get(key)) == value for key, value in query.items())]
        return {"count": len(found), "next": None, "previous": None, "results": found}

    def create(self, endpoint: str, body: Record) -> tuple[int, Record]:
        """A new object, or what is wrong with it."""
        key = "identifier" if "identifier" in body else "name"
        scope = ("workflow_job_template", "unified_job_template", "node")
        same = [one for one in self.objects.get(endpoint, {}).values() if one[key] == body[key]]
        if any(all(one.get(name) == body.get(name) for name in scope) for one in same):
            return 400, {"__all__": [f"{key} {body[key]} is taken"]}
        for name, places in REFERENCES.items():
            if body.get(name) and not any(body[name] in self.objects.get(place, {}) for place in places):
                return 400, {"__all__": [f"{name} {body[name]} does not exist"]}
        self.last_id += 1
        url = f"{PREFIX}{endpoint}/{self.last_id}/"
        related = {"survey_spec": f"{url}survey_spec/"} if endpoint.endswith("job_templates") else {}
        extra = {"scm_revision": "", "summary_fields": {}} if endpoint == "projects" else {}
        new = {**extra, **body, "id": self.last_id, "url": url, "type": endpoint.rstrip("s"), "related": related}
        self.objects.setdefault(endpoint, {})[self.last_id] = new
        return 201, new

    def related(self, method: str, endpoint: str, number: int, name: str, body: Record) -> tuple[int, t.Any]:
        """What hangs on an object: its survey, its approval, or others that it is linked with."""
        if name == "survey_spec":
            if method == "POST":
                self.surveys[endpoint, number] = body
            return 200, self.surveys.get((endpoint, number), {})
        if name == "create_approval_template":
            status, approval = self.create("workflow_approval_templates", {**body, "node": number})
            self.objects[endpoint][number]["related"]["unified_job_template"] = approval["url"]
            return status, approval
        links = self.links.setdefault((endpoint, number, name), [])
        if method == "POST":
            links.remove(body["id"]) if body.get("disassociate") else links.append(body["id"])
            return 204, None
        return 200, {"count": len(links), "next": None, "results": [{"id": one} for one in links]}

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECR's control plane for plain registries: one server, any number of regions, each backed by a registry's files.

It answers the calls that the image sync makes, with ECR's shapes, limits and error codes. Which region is meant stands
in the request's signature, as on AWS. Tests may read C{calls}, and change a region's settings between runs.
"""

from __future__ import annotations

import base64
import http.server
import json
import re
import threading
import time
import typing as t
from dataclasses import dataclass, field

from .registries import Store

ACCOUNT = "123456789012"
_REGION = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/")


class ControlError(Exception):
    """An answer with an ECR error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Region:
    """One region's registry.

    :param store: the registry's files.
    :param endpoint: where clients reach it.
    """

    store: Store
    endpoint: str
    repositories: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    lifecycles: dict[str, str] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    pushed: dict[tuple[str, str], float] = field(default_factory=dict)
    tells_subjects: bool = True
    passwords: list[str] = field(default_factory=list)
    page_size: int = 1000
    token_seconds: float = 12 * 3600


class ControlPlane:
    """The server; use it in a ``with`` statement."""

    def __init__(self, regions: dict[str, Region]) -> None:
        """:param regions: by name."""
        self.regions = regions
        self.calls: list[tuple[str, str]] = []
        self.fail: t.Callable[[str, str], tuple[str, str] | None] = lambda _region, _action: None
        self._lock = threading.Lock()

    def __enter__(self) -> ControlPlane:
        plane = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_arguments: t.Any) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                region = _REGION.search(self.headers["Authorization"])
                action = self.headers["X-Amz-Target"].rpartition(".")[2]
                status, answer = plane.answer(region[1] if region else "", action, json.loads(body))
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, action: str) -> int:
        """How often an action was called."""
        return sum(name == action for _region, name in self.calls)

    def answer(self, region: str, action: str, request: dict[str, t.Any]) -> tuple[int, dict[str, t.Any]]:
        """Status and body of the answer to a call."""
        with self._lock:
            self.calls.append((region, action))
            try:
                failure = self.fail(region, action)
                if failure:
                    raise ControlError(*failure)
                method = getattr(self, f"_{action}", None)
                if method is None:
                    raise ControlError("UnknownOperationException", action)
                return 200, method(self.regions[region], request)
            except ControlError as error:
                return 400, {"__type": error.code, "message": str(error)}

    # ---- calls

    def _GetAuthorizationToken(self, region: Region, _request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        password = f"password-{len(region.passwords)}"
        region.passwords.append(password)
        token = base64.b64encode(f"AWS:{password}".encode()).decode()
        expires = time.time() + region.token_seconds
        data = {"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": region.endpoint}
        return {"authorizationData": [data]}

    def _CreateRepository(self, region: Region, request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        name = request["repositoryName"]
        if self._find(region, name):
            raise ControlError("RepositoryAlreadyExistsException", f"The repository with name '{name}' already exists")
        keys = (
            "imageTagMutability",
            "imageTagMutabilityExclusionFilters",
            "imageScanningConfiguration",
            "encryptionConfiguration",
        )
        region.repositories[name] = {key: request[key] for key in keys if key in request}
        region.tags[name] = {tag["Key"]: tag["Value"] for tag in request.get("tags", [])}
        return {"repository": self._describe(region, name)}

    def _DescribeRepositories(self, region: Region, request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        known = sorted({*region.repositories, *region.store.repositories()})
        names = request.get("repositoryNames", known)
        for name in names:
            self._check(region, name)
        return {"repositories": [self._describe(region, name) for name in names]}

    def _DescribeImages(self, region: Region, request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        name = request["repositoryName"]
        self._check(region, name)
        images = [self._image(region, name, digest) for digest in region.store.digests(name)]
        size = min(request.get("maxResults", 100), region.page_size)
        start = int(request.get("nextToken", 0))
        answer: dict[str, t.Any] = {"imageDetails": images[start : start + size]}
        if start + size < len(images):
            answer["nextToken"] = str(start + size)
        return answer

    def _BatchGetImage(self, region: Region, request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        name, ids = request["repositoryName"], request["imageIds"]
        self._check(region, name)
        if len(ids) > 100:
            raise ControlError("InvalidParameterException", "at most 100 image ids")
        answer: dict[str, t.Any] = {"images": [], "failures": []}
        for wanted in ids:
            if wanted["imageDigest"] not in region.store.digests(name):
                answer["failures"].append({"imageId": wanted, "failureCode": "ImageNotFound"})
                continue
            text = region.store.data(wanted["imageDigest"]).decode()
            kind = json.loads(text).get("mediaType", "")
            answer["images"].append({"imageId": wanted, "imageManifest": text, "imageManifestMediaType": kind})
        return answer

    def _ListImageReferrers(self, region: Region, request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        name, subject = request["repositoryName"], request["subjectId"]["imageDigest"]
        self._check(region, name)
        images = [self._image(region, name, digest) for digest in region.store.digests(name)]
        found = [
            {"digest": i["imageDigest"], "mediaType": i["imageManifestMediaType"], "size": i["imageSizeInBytes"]}
            for i in images
            if json.loads(region.store.data(i["imageDigest"])).get("subject", {}).get("digest") == subject
        ]
        return {"referrers": found}

    def _GetLifecyclePolicy(self, region: Region, request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        name = request["repositoryName"]
        self._check(region, name)
        if name not in region.lifecycles:
            raise ControlError("LifecyclePolicyNotFoundException", "Lifecycle policy does not exist")
        return {"repositoryName": name, "lifecyclePolicyText": region.lifecycles[name]}

    def _PutLifecyclePolicy(self, region: Region, request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        self._check(region, request["repositoryName"])
        region.lifecycles[request["repositoryName"]] = request["lifecyclePolicyText"]
        return {"repositoryName": request["repositoryName"]}

    def _ListTagsForResource(self, region: Region, request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        name = request["resourceArn"].partition(":repository/")[2]
        return {"tags": [{"Key": key, "Value": value} for key, value in region.tags.get(name, {}).items()]}

    def _BatchDeleteImage(self, region: Region, request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        name, ids = request["repositoryName"], request["imageIds"]
        self._check(region, name)
        if len(ids) > 100:
            raise ControlError("InvalidParameterException", "at most 100 image ids")
        answer: dict[str, t.Any] = {"imageIds": [], "failures": []}
        for wanted in ids:
            code = self._delete(region.store, name, wanted)
            if code:
                answer["failures"].append({"imageId": wanted, "failureCode": code, "failureReason": code})
            else:
                answer["imageIds"].append(wanted)
        return answer

    def _GetRepositoryPolicy(self, region: Region, request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        self._check(region, request["repositoryName"])
        raise ControlError("RepositoryPolicyNotFoundException", "Repository policy does not exist")

    def _DescribeRegistry(self, _region: Region, _request: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: N802
        return {"registryId": ACCOUNT, "replicationConfiguration": {"rules": []}}

    # ---- helpers

    def _delete(self, store: Store, name: str, wanted: dict[str, str]) -> str | None:
        tags = store.tags(name)
        digest = wanted.get("imageDigest") or tags.get(wanted["imageTag"])
        if digest not in store.digests(name):
            return "ImageNotFound"
        last = "imageTag" not in wanted or list(tags.values()).count(digest) == 1
        if last and any(digest in store.references(other)[0] for other in store.digests(name)):
            return "ImageReferencedByManifestList"
        if "imageTag" in wanted:
            store.remove_tag(name, wanted["imageTag"])
        else:
            store.remove_digest(name, digest)
        return None

    def _find(self, region: Region, name: str) -> bool:
        return name in region.repositories or name in region.store.repositories()

    def _check(self, region: Region, name: str) -> None:
        if not self._find(region, name):
            raise ControlError("RepositoryNotFoundException", f"The repository with name '{name}' does not exist")

    def _describe(self, region: Region, name: str) -> dict[str, t.Any]:
        where = next(key for key, value in self.regions.items() if value is region)
        settings = {
            "imageTagMutability": "MUTABLE",
            "imageScanningConfiguration": {"scanOnPush": False},
            "encryptionConfiguration": {"encryptionType": "AES256"},
            **region.repositories.get(name, {}),
        }
        return {
            "repositoryArn": f"arn:aws:ecr:{where}:{ACCOUNT}:repository/{name}",
            "registryId": ACCOUNT,
            "repositoryName": name,
            "repositoryUri": f"{ACCOUNT}.dkr.ecr.{where}.amazonaws.com/{name}",
            **settings,
        }

    def _image(self, region: Region, name: str, digest: str) -> dict[str, t.Any]:
        document = json.loads(region.store.data(digest))
        image = {
            "registryId": ACCOUNT,
            "repositoryName": name,
            "imageDigest": digest,
            "imageTags": [tag for tag, there in region.store.tags(name).items() if there == digest],
            "imageSizeInBytes": sum(layer["size"] for layer in document.get("layers", [])),
            "imagePushedAt": region.pushed.setdefault((name, digest), time.time()),
            "imageManifestMediaType": document.get("mediaType", ""),
        }
        if region.tells_subjects:
            image["imageStatus"] = "ACTIVE"
        if "subject" in document and region.tells_subjects:
            image["subjectManifestDigest"] = document["subject"]["digest"]
        if not image["imageTags"]:
            del image["imageTags"]
        return image

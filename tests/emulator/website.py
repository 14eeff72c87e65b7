# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""S3's website endpoints, and the refusal of every other host that plain HTTP asks for through the proxy.

An endpoint is reached as C{http://<bucket>.s3-website-<region>.amazonaws.com/} with HTTP_PROXY pointing here, or with
such a Host header. It speaks HTTP only, so a policy that denies requests without TLS closes it, as it does on AWS.
"""

from __future__ import annotations

import contextlib
import html
import http
import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import xmltodict  # type: ignore[import-untyped]

from tests.emulator import policy

#: Regions whose endpoint is written with a hyphen; all others have a dot (AWS General Reference, S3 website endpoints).
_HYPHENED = frozenset(
    (
        "us-east-1",
        "us-west-1",
        "us-west-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-northeast-1",
        "eu-west-1",
        "sa-east-1",
        "us-gov-west-1",
    )
)
_HOST = re.compile(
    r"(?P<bucket>[a-z0-9][a-z0-9.-]+)\.s3-website(?P<separator>[-.])(?P<region>[a-z]{2}(-[a-z]+)+-\d)\.amazonaws\.com"
)


@dataclass(frozen=True)
class Target:
    """Where a plain request goes.

    :param service: C{s3-website}, or C{proxy} for a host that is refused.
    """

    service: str
    host: str
    bucket: str = ""
    region: str | None = None


@dataclass(frozen=True)
class Answer:
    """A plain HTTP answer."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it."""
        return f"{self.status} {http.HTTPStatus(self.status).phrase}"


class _FailedError(Exception):
    """An error of the endpoint; it may still be answered by a routing rule or the error document."""

    def __init__(self, status: int, code: str, message: str, **details: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


def target(environ: dict[str, t.Any]) -> Target | None:
    """Where a request goes that is no AWS API call, or None for one that is."""
    asked = urlsplit(environ.get("REQUEST_URI", ""))
    proxied = environ["REQUEST_METHOD"] == "CONNECT" or bool(asked.scheme and asked.netloc)
    host = environ.get("HTTP_HOST", "").lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    site = _HOST.fullmatch(name)
    if site and (site["separator"] == "-") is (site["region"] in _HYPHENED):
        return Target("s3-website", host, site["bucket"], site["region"])
    own = name in ("127.0.0.1", "localhost") and host.endswith(f":{environ['SERVER_PORT']}")
    return Target("proxy", host) if (proxied and not own) or site else None


def answer(target: Target, environ: dict[str, t.Any]) -> Answer:
    """The endpoint's answer, or the refusal of a host that the emulator does not stand for."""
    if target.service == "proxy":
        text = f"{target.host} is no S3 website endpoint, and the emulator lets nothing leave the machine\n"
        return _with_length(Answer(502, text.encode(), [("Content-Type", "text/plain; charset=utf-8")]))
    key = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")[1:]
    return _with_length(_Site(target, environ).answer(key))


def _with_length(answer: Answer) -> Answer:
    return Answer(answer.status, answer.body, [*answer.headers, ("Content-Length", str(len(answer.body)))])


class _Site:
    """One request to one endpoint."""

    def __init__(self, target: Target, environ: dict[str, t.Any]) -> None:
        self.target = target
        self.environ = environ
        self.configuration: dict[str, t.Any] = {}
        self.bucket: t.Any = None

    def answer(self, key: str) -> Answer:
        try:
            self.bucket = self._find_bucket()
            self.configuration = self._find_configuration()
            return self._redirect_all(key) or self._route(key, None) or self._serve(key)
        except _FailedError as failure:
            return self._fail(key, failure)

    def _find_bucket(self) -> t.Any:
        from moto.s3.models import s3_backends

        if self.environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            raise _FailedError(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        name = self.target.bucket
        partition, account = s3_backends.bucket_accounts.get(name, ("", ""))
        bucket = s3_backends[account][partition].buckets.get(name) if account else None
        if bucket is None:
            raise _FailedError(404, "NoSuchBucket", "The specified bucket does not exist", BucketName=name)
        if bucket.region_name != self.target.region:
            text = "The specified bucket exists in another region. Please direct requests to the specified endpoint."
            raise _FailedError(400, "IncorrectEndpoint", text, Endpoint=host_name(name, bucket.region_name))
        return bucket

    def _find_configuration(self) -> dict[str, t.Any]:
        document = self.bucket.website_configuration
        if not document:
            text = "The specified bucket does not have a website configuration"
            raise _FailedError(404, "NoSuchWebsiteConfiguration", text, BucketName=self.target.bucket)
        return xmltodict.parse(document, force_list=("RoutingRule",))["WebsiteConfiguration"] or {}

    def _redirect_all(self, key: str) -> Answer | None:
        to = self.configuration.get("RedirectAllRequestsTo")
        if not to:
            return None
        return self._redirect(301, f"{to.get('Protocol') or 'http'}://{to['HostName']}/{quote(key)}{self._query()}")

    def _route(self, key: str, error: int | None) -> Answer | None:
        """What the first fitting routing rule says.

        :param error: the status that was about to be answered, or None before anything was looked up.
        """
        for rule in (self.configuration.get("RoutingRules") or {}).get("RoutingRule") or []:
            condition = rule.get("Condition") or {}
            code = condition.get("HttpErrorCodeReturnedEquals")
            prefix = condition.get("KeyPrefixEquals") or ""
            if (int(code) if code else None) == error and key.startswith(prefix):
                return self._follow(rule["Redirect"], key, prefix)
        return None

    def _follow(self, redirect: dict[str, t.Any], key: str, prefix: str) -> Answer:
        if redirect.get("ReplaceKeyWith") is not None:
            key = redirect["ReplaceKeyWith"]
        elif "ReplaceKeyPrefixWith" in redirect:
            key = (redirect["ReplaceKeyPrefixWith"] or "") + key[len(prefix) :]
        host = redirect.get("HostName") or self.target.host
        location = f"{redirect.get('Protocol') or 'http'}://{host}/{quote(key)}{self._query()}"
        return self._redirect(int(redirect.get("HttpRedirectCode") or 301), location)

    def _serve(self, key: str) -> Answer:
        index = (self.configuration.get("IndexDocument") or {}).get("Suffix", "index.html")
        name = key + index if key == "" or key.endswith("/") else key
        found = self.bucket.keys.get(name)
        if _is_gone(found):
            if not key.endswith("/") and not _is_gone(self.bucket.keys.get(f"{key}/{index}")):
                return self._redirect(302, f"/{quote(key)}/")
            raise _FailedError(404, "NoSuchKey", "The specified key does not exist.", Key=name)
        self._check_readable(found)
        if found.website_redirect_location:
            return self._redirect(301, found.website_redirect_location)
        return Answer(200, found.value, _headers(found))

    def _check_readable(self, found: t.Any) -> None:
        from tests.emulator.patches import s3

        resource = f"arn:{self.bucket.partition}:s3:::{self.bucket.name}/{found.name}"
        said = s3.permission(self.bucket, "s3:GetObject", resource, policy.ANONYMOUS, self._context())
        by_acl = found.acl is not None and found.acl.public_read and not s3.ignores_acls(self.bucket)
        # Anonymous requests cannot use a KMS key.
        encrypted = (found.encryption or "").startswith("aws:kms")
        if said == policy.DENY or (said == policy.NEUTRAL and not by_acl) or encrypted:
            raise _FailedError(403, "AccessDenied", "Access Denied")

    def _context(self) -> dict[str, str]:
        context = {"aws:securetransport": "false", "aws:sourceip": self.environ.get("REMOTE_ADDR", "127.0.0.1")}
        for variable, key in (("HTTP_USER_AGENT", "aws:useragent"), ("HTTP_REFERER", "aws:referer")):
            if variable in self.environ:
                context[key] = self.environ[variable]
        return context

    def _fail(self, key: str, failure: _FailedError) -> Answer:
        routed = self._route(key, failure.status)
        if routed is not None:
            return routed
        name = (self.configuration.get("ErrorDocument") or {}).get("Key")
        document: t.Any = self.bucket.keys.get(name) if name else None
        if not _is_gone(document):
            with contextlib.suppress(_FailedError):
                self._check_readable(document)
                return Answer(failure.status, document.value, _headers(document))
        headers = [("Content-Type", "text/html; charset=utf-8"), *_error_headers(failure)]
        return Answer(failure.status, _page(failure), headers)

    def _redirect(self, status: int, location: str) -> Answer:
        return Answer(status, b"", [("Location", location)])

    def _query(self) -> str:
        query = self.environ.get("QUERY_STRING")
        return f"?{query}" if query else ""


def host_name(bucket: str, region: str) -> str:
    """The website endpoint of a bucket."""
    return f"{bucket}.s3-website{'-' if region in _HYPHENED else '.'}{region}.amazonaws.com"


def _is_gone(found: t.Any) -> bool:
    from moto.s3.models import FakeDeleteMarker

    return found is None or isinstance(found, FakeDeleteMarker)


def _headers(found: t.Any) -> list[tuple[str, str]]:
    metadata = found.metadata
    headers = [
        ("Content-Type", metadata.get("Content-Type", "binary/octet-stream")),
        ("ETag", found.etag),
        ("Last-Modified", found.last_modified_RFC1123),
        ("Server", "AmazonS3"),
    ]
    for name in ("Cache-Control", "Content-Encoding", "Content-Language", "Content-Disposition", "Expires"):
        if name in metadata:
            headers.append((name, metadata[name]))
    return headers


def _error_headers(failure: _FailedError) -> list[tuple[str, str]]:
    details = [(f"x-amz-error-detail-{name}", value) for name, value in failure.details.items()]
    return [("x-amz-error-code", failure.code), ("x-amz-error-message", failure.message), *details]


def _page(failure: _FailedError) -> bytes:
    title = f"{failure.status} {http.HTTPStatus(failure.status).phrase}"
    lines = [("Code", failure.code), ("Message", failure.message), *failure.details.items()]
    items = "".join(f"<li>{name}: {html.escape(value)}</li>\n" for name, value in lines)
    body = f"<h1>{title}</h1>\n<ul>\n{items}</ul>"
    return f"<html>\n<head><title>{title}</title></head>\n<body>\n{body}\n</body>\n</html>\n".encode()

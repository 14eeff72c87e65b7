# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One container registry, spoken to by its HTTP API (distribution's V2): requests that survive what networks do.

Threads share one L{Registry}. Every request is counted, authorized, sent again after throttling, a server's error or
a lost connection, and given a fresh token when the old one has run out. Bytes are streamed by the caller.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import random
import ssl
import threading
import time
import typing as t
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from ansible_collections.palier.aws.plugins.module_utils.registry_manifest import (
    ACCEPT,
    MAX_BYTES,
    Manifest,
    ManifestError,
    parse,
)

try:
    import urllib3
    from urllib3.exceptions import HTTPError
except ImportError:  # botocore depends on it, and AnsibleAWSModule has said so before anything here runs
    pass

#: Answers after which the same request may well succeed: throttled, or the server's own trouble.
RETRIED = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
#: Tries of one request. With the pauses below the last comes after about a minute of trouble.
TRIES = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 20.0
#: A token this close to its end (seconds) is renewed rather than used: an upload that starts now must still finish.
_TOKEN_MARGIN = 300


class RegistryError(Exception):
    """A request that did not succeed, and will not if it is sent again.

    :param message: what was asked and what came back.
    :param status: the HTTP status, or 0 where there was none.
    :param code: the registry's own error code, or empty.
    :param retry_after: the answer's Retry-After header, if it had one.
    """

    def __init__(self, message: str, status: int = 0, code: str = "", retry_after: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True)
class Token:
    """What goes behind ``Basic``, and when it ends.

    :param secret: base64 of user and password.
    :param expires: seconds since the epoch.
    """

    secret: str
    expires: float


class TokenSource:
    """Hands out a token and fetches a new one when it is about to end or was refused."""

    def __init__(self, fetch: t.Callable[[], Token], clock: t.Callable[[], float] = time.time) -> None:
        """:param fetch: gets a token from the registry's control plane. :param clock: seconds since the epoch."""
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None

    def get(self) -> str:
        """A token that is good for some minutes at least."""
        with self._lock:
            if self._token is None or self._token.expires - self._clock() < _TOKEN_MARGIN:
                self._token = self._fetch()
            return self._token.secret

    def refused(self, secret: str) -> None:
        """Forget this token, unless another thread has replaced it already."""
        with self._lock:
            if self._token is not None and self._token.secret == secret:
                self._token = None


class Pools:
    """Connection pools under one TLS context: a context for each connection costs 20 ms and a megabyte."""

    def __init__(self, size: int, verify: bool | str = True, timeout: float = 60.0) -> None:
        """:param size: connections kept for each host. :param verify: false, true or a CA bundle. :param timeout: s."""
        self._settings: dict[str, t.Any] = {
            "maxsize": size,
            "timeout": urllib3.Timeout(connect=10.0, read=timeout),
            "retries": False,
        }
        self._verify = verify
        self._lock = threading.Lock()
        self._pools: dict[str, t.Any] = {}
        self._context: ssl.SSLContext | None = None

    def for_url(self, url: str) -> t.Any:
        """The pool manager through which this URL is reached, by the usual proxy variables."""
        parts = urlsplit(url)
        proxy = "" if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme, "")
        with self._lock:
            if parts.scheme == "https" and self._context is None:
                self._context = _tls_context(self._verify)
                self._pools.clear()
            if proxy not in self._pools:
                self._pools[proxy] = self._make(proxy)
            return self._pools[proxy]

    def _make(self, proxy: str) -> t.Any:
        settings = {**self._settings, "ssl_context": self._context} if self._context else self._settings
        return urllib3.ProxyManager(proxy, **settings) if proxy else urllib3.PoolManager(**settings)

    def close(self) -> None:
        """Close every idle connection."""
        for pool in self._pools.values():
            pool.clear()


def _tls_context(verify: bool | str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def check_url(url: str) -> str:
    """Refuse to speak in the clear to anything but this machine.

    :param url: of a registry, or where one redirects to.
    :returns: the URL.
    :raises RegistryError: when it is neither https nor on loopback.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return url
    raise RegistryError(f"{parts.scheme}://{parts.netloc} is not encrypted: a registry must be reached by https")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Registry:
    """A registry that many threads use at once."""

    def __init__(
        self,
        url: str,
        tokens: TokenSource | None,
        pools: Pools,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        """:param url: its address. :param tokens: where its token comes from, if it wants one. :param sleep: waits."""
        self.url = check_url(url).rstrip("/")
        self.requests = 0
        self._tokens = tokens
        self._pools = pools
        self._sleep = sleep
        self._lock = threading.Lock()

    def manifest(self, repository: str, digest: str) -> Manifest:
        """Read and check a manifest.

        :raises ManifestError: when it is not what the digest says, or cannot be copied.
        """
        # Bytes that do not hash to the digest were damaged on the way, or stand damaged in the registry.
        for last in (False, False, True):
            answer = self.request("GET", f"{repository}/manifests/{digest}", (200,), {"Accept": ACCEPT})
            if len(answer.data) > MAX_BYTES:
                raise ManifestError(f"the manifest {digest} has {len(answer.data)} bytes, more than {MAX_BYTES}")
            try:
                return parse(answer.data, answer.headers.get("Content-Type", ""), digest)
            except ManifestError as error:
                if last or "hash to" not in str(error):
                    raise ManifestError(f"{repository}: {error}") from error
        raise AssertionError("unreachable")

    def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Publish a manifest under a tag, or under its digest.

        :raises RegistryError: when the registry refuses it, or stores it as something else.
        """
        headers = {"Content-Type": manifest.media_type}
        try:
            answer = self.request("PUT", f"{repository}/manifests/{reference}", (201,), headers, body=manifest.raw)
        except RegistryError:
            # A first try may have been stored although its answer was lost; an immutable tag then refuses the second.
            with contextlib.suppress(RegistryError):
                if self.manifest_digest(repository, reference) == manifest.digest:
                    return
            raise
        stored = answer.headers.get("Docker-Content-Digest", manifest.digest)
        if stored != manifest.digest:
            raise RegistryError(f"{repository}:{reference} was stored as {stored} instead of {manifest.digest}")

    def manifest_digest(self, repository: str, reference: str) -> str | None:
        """The digest that a tag has, or C{None} when there is no such tag."""
        answer = self.request("HEAD", f"{repository}/manifests/{reference}", (200, 404), {"Accept": ACCEPT})
        return answer.headers.get("Docker-Content-Digest") if answer.status == 200 else None

    def blob_size(self, repository: str, digest: str) -> int | None:
        """Size of a blob in bytes, or C{None} when the repository does not have it."""
        answer = self.request("HEAD", f"{repository}/blobs/{digest}", (200, 404))
        return int(answer.headers.get("Content-Length", 0)) if answer.status == 200 else None

    def start_upload(self, repository: str, digest: str, mount_from: str | None = None) -> str | None:
        """Open an upload, or take over the blob from another repository of this registry.

        :param mount_from: a repository that has the blob.
        :returns: where to send the bytes to; C{None} when nothing needs to be sent.
        """
        query = "?" + urlencode({"mount": digest, "from": mount_from}) if mount_from else ""
        answer = self.request("POST", f"{repository}/blobs/uploads/{query}", (201, 202), {"Content-Length": "0"})
        if answer.status == 201:
            return None
        location = check_url(urljoin(self.url + "/", answer.headers["Location"]))
        return location + ("&" if "?" in location else "?") + urlencode({"digest": digest})

    def open_blob(self, repository: str, digest: str) -> t.Any:
        """A blob's answer, its body not read yet; the caller drains or closes it."""
        return self.request("GET", f"{repository}/blobs/{digest}", (200,), stream=True)

    def finish_upload(self, location: str, size: int, body: t.Iterable[bytes]) -> None:
        """Send a blob's bytes; not sent again by itself, since the source must be read again too.

        :raises RegistryError: with the registry's answer; network errors come through as urllib3 raises them.
        """
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        answer, secret = self._send("PUT", location, headers, body if size else b"", stream=False)
        if answer.status == 401 and self._tokens:
            self._tokens.refused(secret)
        if answer.status != 201:
            raise _error("PUT", location, answer)

    def request(
        self,
        method: str,
        path: str,
        expected: tuple[int, ...],
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        stream: bool = False,
    ) -> t.Any:
        """Send a request until it is answered as expected.

        :param method: HTTP method.
        :param path: below ``/v2/``; may carry a query.
        :param expected: statuses that are an answer.
        :param headers: on top of the authorization.
        :param body: sent again with each try.
        :param stream: leave the body unread.
        :raises RegistryError: on any other answer, and when the tries are used up.
        """
        url = f"{self.url}/v2/{path}"
        renewed = False
        for attempt in range(1, TRIES + 1):
            try:
                answer, secret = self._follow(method, url, headers or {}, body, stream)
            except (HTTPError, OSError) as error:
                if attempt == TRIES or _untrusted(error):
                    raise RegistryError(f"{method} {_public(url)}: {error}") from error
                self._sleep(pause(attempt))
                continue
            if answer.status in expected:
                return answer
            if answer.status == 401 and self._tokens and not renewed:
                renewed = True
                self._tokens.refused(secret)
            elif answer.status in RETRIED and attempt < TRIES:
                self._sleep(pause(attempt, answer.headers.get("Retry-After")))
            else:
                raise _error(method, url, answer)
            answer.drain_conn()
        raise RegistryError(f"{method} {_public(url)}: not authorized, with a fresh token too")

    def _follow(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, stream: bool
    ) -> tuple[t.Any, str]:
        answer, secret = self._send(method, url, headers, body, stream)
        for _redirect in range(_MAX_REDIRECTS):
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not location or method not in ("GET", "HEAD"):
                break
            answer.drain_conn()
            url = check_url(urljoin(url, location))
            answer, _unused = self._send(method, url, headers, body, stream)
        return answer, secret

    def _send(self, method: str, url: str, headers: dict[str, str], body: t.Any, stream: bool) -> tuple[t.Any, str]:
        secret = ""
        # A layer is served by a redirect to storage that signs its URLs: the registry's token is none of its business.
        if self._tokens and _origin(url) == _origin(self.url):
            secret = self._tokens.get()
            headers = {**headers, "Authorization": f"Basic {secret}"}
        with self._lock:
            self.requests += 1
        pool = self._pools.for_url(url)
        answer = pool.request(
            method, url, headers=headers, body=body, preload_content=not stream, decode_content=False, redirect=False
        )
        return answer, secret


def pause(attempt: int, retry_after: str | None = None) -> float:
    """Seconds to wait before the next try: doubling, with full jitter, at least what the server asks for.

    :param attempt: how many tries there were, from 1.
    :param retry_after: the server's header, if it sent one; a date counts as none.
    """
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
    asked = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
    return max(min(asked, 60.0), random.uniform(longest / 4, longest))


def _untrusted(error: Exception) -> bool:
    """Whether the server's certificate does not verify, which another try does not change."""
    return isinstance(error.args[0] if error.args else None, ssl.SSLCertVerificationError)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _public(url: str) -> str:
    # Queries carry upload states and signatures.
    return url.split("?", 1)[0]


def _error(method: str, url: str, answer: t.Any) -> RegistryError:
    code = message = ""
    try:
        first = json.loads(answer.data)["errors"][0]
        code, message = str(first.get("code", "")), str(first.get("message", ""))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        pass
    text = " ".join(filter(None, [code, message])) or (answer.reason or "")
    return RegistryError(
        f"{method} {_public(url)}: {answer.status} {text}".rstrip(),
        answer.status,
        code,
        answer.headers.get("Retry-After"),
    )

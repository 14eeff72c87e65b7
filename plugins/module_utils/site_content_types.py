# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a file of a site is served: its Content-Type and its Cache-Control, from its name alone."""

from __future__ import annotations

import mimetypes
import re
import typing as t
from fnmatch import fnmatchcase

#: Types that Python's own table lacks, or names otherwise than browsers want them (WHATWG MIME Sniffing, RFC 9239).
TYPES = {
    ".avif": "image/avif",
    ".cjs": "text/javascript",
    ".css": "text/css",
    ".csv": "text/csv",
    ".eot": "application/vnd.ms-fontobject",
    ".gz": "application/gzip",
    ".htm": "text/html",
    ".html": "text/html",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".mp4": "video/mp4",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".zip": "application/zip",
}

#: A table without the machine's own mime.types, so that every machine uploads the same.
_PYTHON_TYPES = mimetypes.MimeTypes()

#: Browsers ask again for pages, so that a release is seen at once.
PAGE_CACHE = "public, max-age=0, must-revalidate"
#: A name with a hash of the content never gets other content; a year is the longest that browsers honour.
HASHED_CACHE = "public, max-age=31536000, immutable"
#: Everything else keeps its name over releases.
OTHER_CACHE = "public, max-age=3600"

_HASH = re.compile(r"[.-](?P<hash>[0-9a-f]{8,64}|[A-Za-z0-9_-]{8})\.[^/]+$")


def content_type(key: str) -> str:
    """The Content-Type of a file, with its charset where it is text.

    :param key: the file's path in the site, with slashes.
    """
    name = key.rsplit("/", 1)[-1]
    extension = f".{name.rsplit('.', 1)[1].lower()}" if "." in name else ""
    kind = TYPES.get(extension) or _PYTHON_TYPES.types_map[True].get(extension) or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def is_page(key: str) -> bool:
    """Whether the file is an HTML page, which names the other files and so comes last."""
    return content_type(key).startswith("text/html")


def is_hashed(key: str) -> bool:
    """Whether a build tool put a hash of the content into the file's name.

    A date or a word of eight letters is no hash: a hexadecimal one has digits and letters, one of the 64-letter kind
    has digits, small and capital letters. A hash that is missed is only cached for a shorter time.
    """
    found = _HASH.search(key)
    if found is None or is_page(key):
        return False
    text = found["hash"]
    kinds = [any(test(letter) for letter in text) for test in (str.isdigit, str.islower, str.isupper)]
    return kinds[0] and (all(kinds) or (kinds[1] and set(text) <= set("0123456789abcdef")))


def cache_control(key: str, rules: t.Iterable[dict[str, str]]) -> str:
    """The Cache-Control of a file.

    :param key: the file's path in the site.
    :param rules: the user's rules (``pattern``, ``cache_control``); the first that matches wins over the defaults.
    """
    for rule in rules:
        if matches(key, [rule["pattern"]]):
            return rule["cache_control"]
    if is_page(key):
        return PAGE_CACHE
    return HASHED_CACHE if is_hashed(key) else OTHER_CACHE


def matches(key: str, patterns: t.Iterable[str]) -> bool:
    """Whether a path, or its last part, is matched by one of these shell patterns (``*`` also matches slashes)."""
    name = key.rsplit("/", 1)[-1]
    return any(fnmatchcase(key, pattern) or fnmatchcase(name, pattern) for pattern in patterns)

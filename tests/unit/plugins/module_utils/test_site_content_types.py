# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How files of a site are served."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.module_utils import site_content_types as types


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("docs/INDEX.HTM", "text/html; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.mjs", "text/javascript; charset=utf-8"),
        ("app.css", "text/css; charset=utf-8"),
        ("robots.txt", "text/plain; charset=utf-8"),
        ("app.js.map", "application/json"),
        ("data.json", "application/json"),
        ("app.wasm", "application/wasm"),
        ("site.webmanifest", "application/manifest+json"),
        ("font.woff2", "font/woff2"),
        ("a.avif", "image/avif"),
        ("a.webp", "image/webp"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("favicon.ico", "image/vnd.microsoft.icon"),
        ("bundle.js.gz", "application/gzip"),
        ("LICENSE", "application/octet-stream"),
        ("v1.2/LICENSE", "application/octet-stream"),
        ("a.unknown-thing", "application/octet-stream"),
    ],
)
def test_content_type(key: str, expected: str) -> None:
    assert types.content_type(key) == expected


@pytest.mark.parametrize(
    "key",
    ["app.3f2a91bc.js", "app-3f2a91bc4d5e6f70.css", "assets/index-BfK3x9aQ.js", "a.0123456789abcdef01234567.woff2"],
)
def test_hashed(key: str) -> None:
    assert types.is_hashed(key)
    assert types.cache_control(key, []) == types.HASHED_CACHE


@pytest.mark.parametrize(
    "key",
    [
        "index.html",
        "page-3f2a91bc.html",
        "report-20240101.pdf",
        "my-document.pdf",
        "a-deadbeef.js",
        "assets-3f2a91bc/app.js",
        "jquery-3.7.1.js",
        "app.js",
    ],
)
def test_not_hashed(key: str) -> None:
    assert not types.is_hashed(key)


def test_pages_are_asked_for_again() -> None:
    assert types.cache_control("a/index.html", []) == types.PAGE_CACHE
    assert types.cache_control("robots.txt", []) == types.OTHER_CACHE


def test_the_first_rule_that_matches_wins() -> None:
    rules = [{"pattern": "img/*", "cache_control": "one"}, {"pattern": "*.png", "cache_control": "two"}]
    assert types.cache_control("img/deep/a.png", rules) == "one"
    assert types.cache_control("b/a.png", rules) == "two"
    assert types.cache_control("b/a.css", rules) == types.OTHER_CACHE


@pytest.mark.parametrize(
    ("key", "pattern", "expected"),
    [
        (".git/config", ".git/*", True),
        ("a/.DS_Store", ".DS_Store", True),
        ("a/b.map", "*.map", True),
        ("a/b.js", "*.map", False),
        ("A.MAP", "*.map", False),
    ],
)
def test_matches(key: str, pattern: str, expected: bool) -> None:
    assert types.matches(key, [pattern]) is expected

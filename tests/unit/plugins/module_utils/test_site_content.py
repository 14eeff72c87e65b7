# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan for the content of a site."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.module_utils import site_content as site
from ansible_collections.palier.aws.plugins.module_utils.site_content import LocalFile, RemoteObject
from ansible_collections.palier.aws.plugins.module_utils.site_content_types import is_page
from hypothesis import given
from hypothesis import strategies as st


def file(content: str, md5: str | None = None) -> LocalFile:
    return LocalFile(len(content), "t", "c", md5 or content, f"s{content}")


def stored(content: str, **head: str | None) -> RemoteObject:
    return RemoteObject(len(content), content, head or None)


@pytest.mark.parametrize(
    ("local", "remote", "compare", "reason"),
    [
        (file("a"), None, "content", "is new"),
        (file("a"), stored("a"), "content", ""),
        (file("a"), stored("b"), "content", "content differs"),
        (file("aa", md5="x"), RemoteObject(1, "x"), "content", "content differs"),
        pytest.param(
            file("a"), RemoteObject(1, "5-2", {"sha256": "sa"}), "content", "", id="parts or KMS: SHA-256 decides"
        ),
        pytest.param(file("a"), RemoteObject(1, "5-2", {"sha256": None}), "content", "content differs", id="unknown"),
        pytest.param(file("a"), stored("a", content_type="x"), "content", "", id="headers do not count"),
        pytest.param(
            file("a"),
            stored("a", content_type="x", cache_control="c"),
            "metadata",
            "Content-Type: x, wanted t",
            id="type",
        ),
        pytest.param(
            file("a"),
            stored("a", content_type="t", cache_control=None),
            "metadata",
            "Cache-Control: None, wanted c",
            id="cache",
        ),
        pytest.param(file("a"), stored("a", content_type="t", cache_control="c"), "metadata", "", id="headers equal"),
    ],
)
def test_upload_reason(local: LocalFile, remote: RemoteObject | None, compare: str, reason: str) -> None:
    assert site.upload_reason(local, remote, compare) == reason


LOCAL = {"same": file("a"), "kms": file("b", md5="m"), "longer": file("ccc"), "new": file("d")}
REMOTE = {"same": stored("a"), "kms": stored("b"), "longer": stored("c"), "gone": stored("e")}


def test_only_what_can_decide_is_read_and_asked() -> None:
    assert site.digests_needed(LOCAL, REMOTE) == ["same", "kms"]
    assert site.heads_needed(LOCAL, REMOTE, "content") == ["kms"]
    assert site.heads_needed(LOCAL, REMOTE, "metadata") == ["same", "kms"]


KEYS = st.sampled_from(["index.html", "a/index.html", "app.js", "app.css", "x.png", ".env", "old.html"])
SITES = st.dictionaries(KEYS, st.sampled_from(["a", "bb", "cc"]), max_size=7)


def steps_for(local: dict[str, str], remote: dict[str, str], delete: bool) -> list:
    files = {key: file(content) for key, content in local.items()}
    objects = {key: stored(content) for key, content in remote.items()}
    return site.plan_sync("b", "v2/", files, objects, "content", delete, [".env"])


@given(local=SITES, remote=SITES, delete=st.booleans())
def test_a_plan_makes_the_bucket_the_site(local: dict, remote: dict, delete: bool) -> None:
    after = dict(remote)
    for step in steps_for(local, remote, delete):
        if step.verb == "upload":
            after[step.after["path"]] = local[step.after["path"]]
        elif step.verb == "delete":
            del after[step.before["path"]]
    kept = {key: content for key, content in remote.items() if not delete or key == ".env"}
    assert after == {**kept, **local}
    assert [step.verb for step in steps_for(local, after, delete)] == ["keep"]


@given(local=SITES, remote=SITES)
def test_assets_come_before_pages_and_removals_last(local: dict, remote: dict) -> None:
    phases = {"keep": 0, "delete": 2}
    order = [
        phases.get(step.verb, int(is_page((step.after or {}).get("path", ""))))
        for step in steps_for(local, remote, True)
    ]
    assert order == sorted(order)


def test_labels_carry_the_whole_key() -> None:
    (step,) = steps_for({"app.js": "a"}, {}, False)
    assert step.resource == "s3 object b/v2/app.js"


@pytest.mark.parametrize(
    ("prefix", "expected"), [("", ""), ("/", ""), ("site", "site/"), ("/site/", "site/"), ("a/b", "a/b/")]
)
def test_prefix(prefix: str, expected: str) -> None:
    assert site.normal_prefix(prefix) == expected


def test_changed_paths() -> None:
    assert site.changed_paths(["index.html", "docs/index.html", "my file é.css", "oldindex.html"]) == [
        "/",
        "/docs/",
        "/docs/index.html",
        "/index.html",
        "/my%20file%20%C3%A9.css",
        "/oldindex.html",
    ]


def test_a_file_with_a_hash_that_went_may_stay_in_the_caches() -> None:
    assert site.changed_paths(["app-3f2a91bc.js"], ["app-1a2b3c4d.js", "old.html"]) == ["/app-3f2a91bc.js", "/old.html"]


def test_summary() -> None:
    files = {"a.js": file("a"), "b.js": file("bb"), "c.js": file("ccc")}
    steps = site.plan_sync("b", "", files, {"a.js": stored("a"), "x.js": stored("x")}, "content", True, [])
    assert site.summary(steps, files) == {
        "uploaded": ["b.js", "c.js"],
        "deleted": ["x.js"],
        "unchanged": ["a.js"],
        "changed_paths": ["/b.js", "/c.js", "/x.js"],
        "bytes": 5,
    }


def digests(local: dict[str, LocalFile], remote: dict[str, RemoteObject], delete: bool = True) -> tuple[str, str]:
    steps = site.plan_sync("b", "", local, remote, "content", delete, [])
    return site.content_digests(steps, local, remote)


def test_the_digest_after_a_run_is_the_one_before_the_next() -> None:
    parts = {"big": RemoteObject(1, "5-2", {"sha256": "sx"})}
    local = {"a.js": file("a"), "big": file("x")}
    _, first = digests(local, {"gone": stored("e")})
    before, after = digests(local, {"a.js": stored("a"), **parts})
    assert first == before == after


def test_the_digest_tells_what_changed() -> None:
    remote = {"a.js": stored("a"), "gone": stored("e")}
    local = {"a.js": file("a")}
    kept_before, kept_after = digests(local, remote, delete=False)
    before, after = digests(local, remote)
    other, changed = digests({"a.js": file("b")}, remote)
    assert kept_before == kept_after == before == other
    assert len({before, after, changed}) == 3
    assert digests({"b.js": file("a")}, {})[1] != after

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The builds that a bucket remembers, and the way back to one."""

from __future__ import annotations

import datetime

from ansible_collections.palier.aws.plugins.module_utils import site_build as subject
from ansible_collections.palier.aws.plugins.module_utils.site_build import Version
from ansible_collections.palier.aws.plugins.module_utils.site_content import content_digest
from hypothesis import given
from hypothesis import strategies as st

START = datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc)  # noqa: UP017 (as in the modules)
#: The contents of a site after each second, by path.
HISTORY = st.lists(
    st.dictionaries(st.sampled_from(["index.html", "a.js", "b.js"]), st.sampled_from("123"), max_size=3), max_size=6
)


def remembered(history: list[dict[str, str]]) -> dict[str, list[Version]]:
    """The versions that a bucket has after these states, one a second."""
    found: dict[str, list[Version]] = {}
    now: dict[str, str] = {}
    for second, state in enumerate(history):
        moment = START + datetime.timedelta(seconds=second)
        for key in {*now, *state}:
            if now.get(key) != state.get(key):
                found.setdefault(key, []).append(Version(moment, f"{key}{second}", state.get(key)))
        now = state
    return {key: subject.newest_first(versions) for key, versions in found.items()}


def contents(state: subject.State | None) -> dict[str, str] | None:
    return None if state is None else {key: str(one.etag) for key, one in state.items()}


@given(history=HISTORY)
def test_every_build_that_was_there_is_found_and_brought_back(history: list[dict[str, str]]) -> None:
    versions = remembered(history)
    now = next(subject.states(versions))
    assert contents(now) == (history[-1] if history else {})
    for build in history:
        wanted = subject.find_build(versions, content_digest(build))
        assert wanted is not None
        assert contents(wanted) == build
        assert subject.after(now, wanted, delete=True) == wanted
        steps = subject.plan_build("b", now, wanted, delete=True)
        made = contents(now) or {}
        for step in steps:
            if step.verb == "restore":
                made[step.after["path"]] = str(wanted[step.after["path"]].etag)
            elif step.verb == "delete":
                del made[step.before["path"]]
        assert made == build
        assert any(step.changes for step in steps) is (contents(now) != build)


def test_what_the_bucket_never_held_or_has_forgotten_is_not_found() -> None:
    versions = remembered([{"a.js": "1"}, {"a.js": "2"}])
    assert subject.find_build(versions, content_digest({"a.js": "3"})) is None
    forgotten = {"a.js": versions["a.js"][:1]}
    assert subject.find_build(forgotten, content_digest({"a.js": "1"})) is None
    assert subject.find_build({}, content_digest({"a.js": "1"})) is None


def test_assets_come_first_then_pages_then_removals() -> None:
    versions = remembered([{"index.html": "1", "z.js": "1"}, {"index.html": "2", "b.js": "2"}])
    now = next(subject.states(versions))
    wanted = subject.find_build(versions, content_digest({"index.html": "1", "z.js": "1"}))
    assert wanted is not None
    steps = subject.plan_build("b", now, wanted, delete=True)
    assert [(step.verb, step.resource) for step in steps] == [
        ("restore", "s3 object b/z.js"),
        ("restore", "s3 object b/index.html"),
        ("delete", "s3 object b/b.js"),
    ]
    kept = subject.plan_build("b", now, wanted, delete=False)
    assert [step.verb for step in kept] == ["restore", "restore"]
    assert set(subject.after(now, wanted, delete=False)) == {"z.js", "index.html", "b.js"}


def test_within_a_second_the_served_version_is_the_last() -> None:
    marker, put = Version(START, "m", None), Version(START, "p", "1", latest=True)
    assert subject.newest_first([marker, put]) == [put, marker]
    older = Version(START - datetime.timedelta(seconds=1), "o", "1")
    assert subject.newest_first([older, marker, put]) == [put, marker, older]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which paths of the caches are emptied."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from ansible_collections.palier.aws.plugins.module_utils import cloudfront_invalidation as subject
from ansible_collections.palier.aws.plugins.module_utils.cloudfront import CONTENT_TAG
from hypothesis import given
from hypothesis import strategies as st

PATHS = st.lists(st.from_regex(r"(/[ab]{1,2}){1,4}(/|\.js)?", fullmatch=True), max_size=60)


@pytest.mark.parametrize(
    ("paths", "most", "expected"),
    [
        ([], 15, []),
        (["/b", "/a", "/a"], 15, ["/a", "/b"]),
        (["a"], 15, ["/a"]),
        (["/a/1", "/a/2", "/b/1"], 2, ["/a/*", "/b/1"]),
        (["/1", "/2", "/3"], 2, ["/*"]),
        (["/", "/index.html", *[f"/assets/{n}.js" for n in range(40)]], 15, ["/", "/assets/*", "/index.html"]),
        ([f"/{n}/x" for n in range(40)], 15, ["/*"]),
        (["/a/b/1", "/a/b/2", "/a/c"], 1, ["/a/*"]),
        (["/a/*", "/a/1"], 15, ["/a/*"]),
    ],
)
def test_condensed(paths: list[str], most: int, expected: list[str]) -> None:
    assert subject.condensed(paths, most) == expected


@given(paths=PATHS, most=st.integers(1, 20))
def test_nothing_is_forgotten_and_there_are_not_too_many(paths: list[str], most: int) -> None:
    made = subject.condensed(paths, most)
    assert len(made) <= most
    assert all(any(fnmatchcase(path, pattern) for pattern in made) for path in paths)
    if len(set(paths)) <= most:
        assert made == sorted(set(paths))


A, B, C = "a" * 64, "b" * 64, "c" * 64


@pytest.mark.parametrize(
    ("done", "paths", "before", "content", "verb", "emptied"),
    [
        # what the tag says, what changed in this run, the digests before and after it
        (A, [], A, A, "keep", []),
        (A, ["/x"], A, B, "invalidate", ["/x"]),
        (B, ["/x"], A, B, "keep", []),  # the distribution was made in this run, or this run was repeated
        (A, [], B, B, "invalidate", ["/*"]),  # the run before broke off
        (A, ["/x"], B, C, "invalidate", ["/*"]),
        (None, ["/x"], A, B, "invalidate", ["/*"]),  # nobody has kept count so far
        (A, ["/x"], A, A, "invalidate", ["/x"]),  # other headers
        (A, [], A, B, "note", []),  # only files went that may stay in the caches
        (A, ["/x"], None, None, "invalidate", ["/x"]),
        (A, [], None, None, "keep", []),
    ],
)
def test_plan(
    done: str | None, paths: list[str], before: str | None, content: str | None, verb: str, emptied: list[str]
) -> None:
    tags = {CONTENT_TAG: done} if done else {}
    (step,) = subject.plan_invalidation("caches", tags, paths, before, content)
    assert step.verb == verb
    assert (step.after or {}).get("paths", []) == emptied


def test_no_distribution() -> None:
    assert subject.plan_invalidation("caches", None, ["/x"], A, B)[0].verb == "skip"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which paths of a distribution's caches are emptied.

CloudFront bills invalidations by the path: the first 1,000 of a month are free, each further one costs 0.005 $, and a
path with a wildcard counts as one (CloudFront Developer Guide, "Pay for file invalidation"; CloudFront pricing page).
At most 15 wildcard paths may be in progress at a time (same guide, "Concurrent invalidation request maximum").
"""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.cloudfront import CONTENT_TAG
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

#: As many paths as may be in progress at a time when all are wildcards.
MOST_PATHS = 15
EVERYTHING = "/*"


def condensed(paths: t.Iterable[str], most: int = MOST_PATHS) -> list[str]:
    """The paths, or wildcards by directory where there would be more than C(most) of them.

    The deepest directories are taken together first, the fullest of them before the others, so that little is emptied
    besides what was asked for.

    :param paths: paths as a URL has them.
    :param most: how many may be left, at least 1.

    >>> condensed(["/a/1", "/a/2", "/b/1"], most=2)
    ['/a/*', '/b/1']
    """
    found = _uncovered({path if path.startswith("/") else f"/{path}" for path in paths})
    while len(found) > most:
        inside: dict[str, set[str]] = {}
        for path in found:
            inside.setdefault(_folder(path), set()).add(path)
        folder = max(inside, key=lambda one: (one.count("/"), len(inside[one]), one))
        found = _uncovered(found | {f"{folder}*"})
    return sorted(found)


def _folder(path: str) -> str:
    """The directory in which a path stands; a directory's wildcard stands in the directory above."""
    return path.removesuffix("/*").rpartition("/")[0] + "/"


def _uncovered(paths: set[str]) -> set[str]:
    """The paths without those that a wildcard among them covers."""
    prefixes = {path: path[:-1] for path in paths if path.endswith("*")}
    return {
        path
        for path in paths
        if not any(path.startswith(prefix) and path != wildcard for wildcard, prefix in prefixes.items())
    }


def plan_invalidation(
    label: str,
    tags: dict[str, str] | None,
    paths: list[str],
    before: str | None,
    content: str | None,
    most: int = MOST_PATHS,
) -> list[Step]:
    """Whether caches are emptied, and of what.

    :param label: the distribution in the reader's words.
    :param tags: its tags, or ``None`` when there is no distribution.
    :param paths: what changed in this run.
    :param before: digest of the content before this run's change, or ``None``.
    :param content: digest of the content now, or ``None`` when nobody keeps count; then the paths alone decide.
    :param most: how many paths are named one by one.
    """
    if tags is None:
        return [Step("skip", label, "does not exist, so it has nothing in its caches")]
    done = tags.get(CONTENT_TAG)
    if content is None:
        return [_step(label, condensed(paths, most), "changed")] if paths else [Step("keep", label, "nothing changed")]
    # The same content under other headers: only this run knows of that.
    relabelled = bool(paths) and before == content
    if done == content and not relabelled:
        return [Step("keep", label, "nothing changed since its caches were last emptied")]
    if done and done == before:
        # Without a path, only files went that may stay in the caches.
        return [_step(label, condensed(paths, most), "changed")] if paths else [_note(label, done, content)]
    return [_step(label, [EVERYTHING], "what changed since its caches were last emptied is not known")]


def _step(label: str, paths: list[str], reason: str) -> Step:
    return Step("invalidate", label, f"{', '.join(paths)}: {reason}", None, {"paths": paths})


def _note(label: str, done: str, content: str) -> Step:
    reason = "what went may stay in them"
    return Step("note", label, reason, {"content": done}, {"content": content, "paths": []})

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The builds that the versions of a site's bucket remember, and the way back to one of them. Pure.

A build is named by a digest of its paths and contents. Its bucket keeps replaced and deleted files as older versions,
so every state that the bucket had can be told from their times, and the one with the digest is the build.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from ansible_collections.palier.aws.plugins.module_utils.site_content import content_digest, object_label
from ansible_collections.palier.aws.plugins.module_utils.site_content_types import is_page


@dataclass(frozen=True)
class Version:
    """A version of an object.

    :param moment: when it was written; S3 says it to the second.
    :param id: its version id, C(null) for one from before the bucket had versions.
    :param etag: its ETag without quotes, or ``None`` for a delete marker.
    :param latest: whether it is the one that is served.
    """

    moment: datetime.datetime
    id: str
    etag: str | None
    latest: bool = False


Versions = t.Mapping[str, t.Sequence[Version]]
State = dict[str, Version]


def newest_first(versions: t.Iterable[Version]) -> list[Version]:
    """The versions of one object, in the order in which they were written, the last one first.

    Within a second, the one that is served is the last one, and S3 lists the others in their order.
    """
    return sorted(sorted(versions, key=lambda one: not one.latest), key=lambda one: one.moment, reverse=True)


def states(versions: Versions) -> t.Iterator[State]:
    """What the bucket held, now and before each of its changes, the newest first.

    :param versions: by key, the newest first.
    """
    left = {key: list(found) for key, found in versions.items()}
    touched: dict[datetime.datetime, set[str]] = {}
    for key, found in versions.items():
        for one in found:
            touched.setdefault(one.moment, set()).add(key)
    state = {key: found[0] for key, found in left.items() if found and found[0].etag is not None}
    yield dict(state)
    for moment in sorted(touched, reverse=True):
        for key in touched[moment]:
            left[key] = [one for one in left[key] if one.moment != moment]
            state.pop(key, None)
            if left[key] and left[key][0].etag is not None:
                state[key] = left[key][0]
        yield dict(state)


def build_of(state: State) -> str:
    """The digest by which a state is named."""
    return content_digest({key: str(one.etag) for key, one in state.items()})


def find_build(versions: Versions, build: str) -> State | None:
    """The newest state with this digest; ``None`` where the bucket remembers none."""
    return next((state for state in states(versions) if build_of(state) == build), None)


def plan_build(bucket: str, now: State, wanted: State, delete: bool) -> list[Step]:
    """What brings a build back: assets, then pages, then removals, as with a new one.

    :param now: what the bucket holds.
    :param wanted: what it held.
    :param delete: whether what the build did not have is removed.
    """
    differing = [key for key, one in wanted.items() if key not in now or now[key].etag != one.etag]
    gone = sorted(set(now) - set(wanted)) if delete else []
    steps = [
        Step(
            "restore",
            object_label(bucket, key),
            "content differs" if key in now else "is of this build",
            {"path": key, "version": now[key].id} if key in now else None,
            {"path": key, "version": wanted[key].id},
        )
        for key in sorted(differing, key=lambda key: (is_page(key), key))
    ]
    steps += [
        Step("delete", object_label(bucket, key), "is not of this build", {"path": key, "version": now[key].id})
        for key in gone
    ]
    return steps or [Step("keep", f"content of s3 bucket {bucket}", "is as wanted")]


def after(now: State, wanted: State, delete: bool) -> State:
    """What the bucket holds when a plan has been carried out."""
    return dict(wanted) if delete else {**now, **wanted}

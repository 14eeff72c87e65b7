# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the snapshot modules share around their decisions: options, waiting, and an end that tells what failed."""

from __future__ import annotations

import time
import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from . import snapshots_api as api
from .aws import run_module
from .retention import PolicyError, parse_duration
from .snapshots import COMPLETE, SERVICES, RestorePoint, Snapshot, SnapshotsError, group

#: Seconds between two looks at snapshots that are being made: a snapshot takes minutes.
LOOK_EVERY = 10.0

TAGS_FILTER = {
    "tags": {"type": "dict", "required": True, "aliases": ["filter_tags"]},
    "services": {"type": "list", "elements": "str", "choices": list(SERVICES), "default": list(SERVICES)},
}
WAIT = {
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 3600},
}


def run(module: AnsibleAWSModule, body: t.Callable[[AnsibleAWSModule], dict[str, t.Any]]) -> None:
    """Run a module's body, with what it refuses and what failed as clear errors.

    :param module: the module.
    :param body: takes the module, returns what C{exit_json} gets. A C{failures} list that is not empty makes the
        module fail, with everything else that the body returned, so that what was done is seen.
    """

    def guarded(module: AnsibleAWSModule) -> dict[str, t.Any]:
        try:
            result = body(module)
        except (SnapshotsError, PolicyError) as error:
            module.fail_json(msg=str(error))
        if result.get("failures"):
            module.fail_json(msg=" | ".join(result["failures"]), **result)
        return result

    run_module(module, guarded)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def seconds() -> float:
    """Seconds on a clock that only goes forward."""
    return time.monotonic()


def pause() -> None:
    """Let time pass between two looks at snapshots that are being made."""
    time.sleep(LOOK_EVERY)


def tag_filter(module: AnsibleAWSModule) -> dict[str, str]:
    """The tags that tell a stack's snapshots from all others.

    :raises SnapshotsError: when there is none, which would mean the whole account.
    """
    tags = {str(key): str(value) for key, value in module.params["tags"].items()}
    if not tags:
        raise SnapshotsError(
            "tags is empty, which would mean every snapshot of the account: give Stack and Environment"
        )
    return tags


def max_age(module: AnsibleAWSModule) -> timedelta | None:
    """The option C{max_age} as a length of time, ``None`` when it is not given."""
    text = module.params["max_age"]
    return parse_duration(text) if text else None


def points_with(clients: api.Clients, services: t.Iterable[str], tags: dict[str, str]) -> list[RestorePoint]:
    """The restore points in a region that carry some tags, the newest first."""
    return group(api.list_snapshots(clients, services, tags))[0]


def wait_for(look: t.Callable[[], RestorePoint | None], timeout: int, what: str) -> RestorePoint:
    """Look at a restore point until it is complete.

    :param look: fetches it.
    :param timeout: seconds.
    :param what: its name.
    :raises AnsibleAWSError: when it ends in error or the time is up.
    """
    deadline = seconds() + timeout
    while True:
        point = look()
        if point and point.state == COMPLETE:
            return point
        if point and not point.usable:
            raise AnsibleAWSError(message=f"restore point {what} cannot be restored from: {point.flaw()}. Make another")
        if seconds() >= deadline:
            state = f"is {point.state}" if point else "does not show"
            raise AnsibleAWSError(
                message=f"restore point {what} {state} after wait_timeout, {timeout} s: it goes on by itself in AWS"
            )
        pause()


def find_point(points: t.Iterable[RestorePoint], name: str) -> RestorePoint | None:
    """The restore point of a name, or nothing."""
    return next((point for point in points if point.name == name), None)


def whole(snapshots: t.Iterable[Snapshot]) -> RestorePoint:
    """The one restore point that some snapshots, just made, belong to."""
    return group(snapshots)[0][0]

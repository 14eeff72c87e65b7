# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is recorded of the releases of a component, such as a service or a site. Pure.

The record of a component is one JSON document; its older versions are its history. It says of the last release what it
was and how it ended, and beside that which version is the last good one, and which one was good before.
"""

from __future__ import annotations

import json
import typing as t

Record = dict[str, t.Any]
Document = t.Mapping[str, t.Any]

STARTED, SUCCEEDED, FAILED = "started", "succeeded", "failed"
#: Most characters of a parameter of the standard tier (Systems Manager API reference, PutParameter, Value).
LONGEST = 4096
#: What is kept of each version: its name, what exactly it is, which revision ran it, and since when it was good.
VERSION_KEYS = ("version", "reference", "revision", "at")


def parse(text: str | None) -> Record:
    """The record in a parameter's text; empty where there is none, or where it is no record."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("result") else {}


def text_of(record: Document) -> str:
    """A record as a parameter's text, its reason cut where it would not fit."""
    reason = str(record.get("reason") or "")
    text = _dump({**record, "reason": reason})
    while len(text) > LONGEST and reason:
        # A character may take six in JSON.
        reason = reason[: max(len(reason) - max((len(text) - LONGEST) // 6, 1), 0)]
        text = _dump({**record, "reason": reason})
    return text


def _dump(record: Document) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def of_version(found: Document | None) -> Record:
    """What is kept of a version, and nothing else."""
    return {key: str((found or {}).get(key) or "") for key in VERSION_KEYS}


def started(last: Document, release: Document, running: Document) -> Record:
    """The record of a release that begins.

    :param last: the record before, empty for the first release.
    :param release: ``component``, ``kind``, ``version``, ``reference``, ``by``, ``source`` and ``at``.
    :param running: the version that runs now, of which nothing may be recorded yet; empty where nothing runs.
    """
    good = dict(last.get("good") or {})
    if running.get("reference") and (not good or (good.get("first") and not unfinished(last))):
        # Not released but deployed: what the inventory says, to which a release can go back.
        good = {**of_version(running), "first": True}
    elif running.get("revision") and running.get("reference") == good.get("reference"):
        good["revision"] = str(running["revision"])
    kept = {
        key: str(release.get(key) or "") for key in ("component", "kind", "version", "reference", "by", "source", "at")
    }
    previous = dict(last.get("previous") or {})
    return {**kept, "result": STARTED, "reason": "", "revision": "", "good": good, "previous": previous}


def ended(record: Document, result: str, at: str, reason: str = "", rolled_back: bool = False, **made: str) -> Record:
    """The record of a release that has ended.

    :param record: that of its start.
    :param result: C(succeeded) or C(failed).
    :param at: when, ISO 8601, UTC.
    :param reason: why it failed.
    :param rolled_back: whether the last good version runs again after a failure.
    :param made: ``reference`` and ``revision``, where they were not known at its start.
    """
    known = {key: value for key, value in made.items() if value}
    after = {**record, **known, "result": result, "reason": reason, "ended": at, "rolled_back": rolled_back}
    if result != SUCCEEDED:
        return after
    good, before = of_version({**after, "at": at}), dict(record.get("good") or {})
    if before and before.get("reference") != good["reference"]:
        after["previous"] = of_version(before)
    return {**after, "good": good}


def unfinished(record: Document) -> bool:
    """Whether the last release left another version than the last good one: cut off, or failed and not taken back."""
    return record.get("result") == STARTED or (record.get("result") == FAILED and not record.get("rolled_back"))


def kept(record: Document) -> Record:
    """The released version that a deployment keeps; empty where the inventory's own is still the good one."""
    good = record.get("good") or {}
    return {} if not good or good.get("first") else of_version(good)


def back(record: Document) -> Record:
    """Where ``previous`` leads: to the good version where the last release left another, else to the one before it."""
    found = record.get("good" if unfinished(record) else "previous") or {}
    return of_version(found) if found else {}


def shown(record: Document) -> Record:
    """A record as it is returned, with what follows from it."""
    return {**record, "unfinished": unfinished(record), "kept": kept(record), "back": back(record)}

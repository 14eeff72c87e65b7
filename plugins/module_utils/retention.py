# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which of a list of points in time are kept, which go, and why. Pure: no AWS, no clock of its own.

A rule such as ``daily`` looks at the points from the newest to the oldest and keeps the newest of each of the last
so many days I{that have one}: a week without backups does not use up seven days of a policy. A point is kept when any
rule keeps it, and every rule that does is named in the decision.

Three things hold whatever the policy says:

- the newest point is kept, and so many of the newest as the policy's minimum asks for;
- a point that claims to be from the future is kept and counts for nothing (a clock was wrong: its age is not known);
- asking again after the removals removes nothing more.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: A rule with this number keeps one point of every period, without an end.
UNLIMITED = -1

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION = re.compile(r"(?:\d+[smhdw])+")
_PART = re.compile(r"(\d+)([smhdw])")


class PolicyError(ValueError):
    """A policy, duration or point that cannot be worked with; the message says what to write instead."""


@dataclass(frozen=True)
class Point:
    """Something that was made at one moment.

    :param id: unique among the points that are decided together.
    :param time: when its content is from, with a time zone.
    """

    id: str
    time: datetime


@dataclass(frozen=True)
class Policy:
    """How many points to keep; a rule of 0 is off, ``-1`` has no end.

    :param last: the newest so many.
    :param hourly: the newest of each of so many hours; C{daily}, C{weekly} (ISO weeks), C{monthly}, C{yearly} alike.
    :param within: everything that is not older than this.
    :param minimum: never fewer than this many are left, at least 1.
    :param timezone: IANA name of the zone whose midnight ends a day.
    """

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    within: timedelta | None = None
    minimum: int = 1
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        for name in ("last", *_PERIODS):
            if getattr(self, name) < UNLIMITED:
                raise PolicyError(f"keep {name} is {getattr(self, name)}: write a number from 0, or -1 for no end")
        if self.minimum < 1:
            raise PolicyError(f"the minimum is {self.minimum}: write 1 or more, the newest is never removed")
        if self.within is not None and self.within <= timedelta(0):
            raise PolicyError("keep within must be longer than nothing, for example 7d")
        if not self.says_something:
            raise PolicyError(
                "the policy keeps nothing: set at least one of last, hourly, daily, weekly, monthly, yearly, within"
            )
        zone(self.timezone)

    @property
    def says_something(self) -> bool:
        """Whether any rule is on; the minimum alone is a safety net, not a policy."""
        return self.within is not None or any(getattr(self, name) for name in ("last", *_PERIODS))


@dataclass(frozen=True)
class Decision:
    """What happens to a point.

    :param point: the point.
    :param keep: whether it stays.
    :param reasons: every rule that keeps it, or the one reason why it goes; never empty.
    """

    point: Point
    keep: bool
    reasons: tuple[str, ...]


# A key that two points share when they lie in the same period. The hour carries its offset: on the night when the
# clocks go back, 02:30 before and 02:30 after are two hours.
_PERIODS: dict[str, t.Callable[[datetime], tuple[t.Any, ...]]] = {
    "hourly": lambda at: (at.year, at.month, at.day, at.hour, at.utcoffset()),
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: tuple(at.isocalendar())[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}


def zone(name: str) -> tzinfo:
    """The time zone of an IANA name.

    :param name: for example ``Europe/Paris``.
    :raises PolicyError: when there is no such zone.
    """
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PolicyError(f"time zone {name!r} is not known here: write an IANA name such as Europe/Paris") from error


def parse_duration(text: str) -> timedelta:
    """A length of time such as ``24h``, ``7d`` or ``1d12h``.

    :param text: numbers each followed by C{s}, C{m} (minutes), C{h}, C{d} or C{w}.
    :raises PolicyError: when it is anything else.
    """
    text = str(text).strip().lower()
    if not _DURATION.fullmatch(text):
        raise PolicyError(f"{text!r} is not a length of time: write for example 90m, 24h, 7d, 2w or 1d12h")
    try:
        return sum((int(number) * _UNITS[unit] for number, unit in _PART.findall(text)), timedelta(0))
    except OverflowError as error:
        raise PolicyError(f"{text!r} is longer than can be counted: write for example 3650d") from error


def decide(points: t.Iterable[Point], policy: Policy, now: datetime) -> list[Decision]:
    """Decide for each point whether it stays.

    :param points: any order; their ids are unique.
    :param policy: the rules.
    :param now: the time to decide for, with a time zone.
    :returns: one decision a point, the newest first.
    :raises PolicyError: when a time has no zone or an id stands twice.
    """
    ordered = _newest_first(points, now)
    ahead = [point for point in ordered if point.time > now]
    past = [point for point in ordered if point.time <= now]
    reasons = _reasons(past, policy)
    _top_up(past, reasons, policy.minimum)
    return [_ahead(point) for point in ahead] + [_decision(point, reasons[point.id]) for point in past]


def _newest_first(points: t.Iterable[Point], now: datetime) -> list[Point]:
    points = list(points)
    for at in (now, *(point.time for point in points)):
        if at.tzinfo is None:
            raise PolicyError(f"the time {at.isoformat()} has no time zone")
    if len({point.id for point in points}) != len(points):
        raise PolicyError("two points have the same id")
    # The id breaks ties, so equal times give the same answer on every run, whatever order the listing had.
    return sorted(points, key=lambda point: (point.time, point.id), reverse=True)


def _reasons(past: list[Point], policy: Policy) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {point.id: [] for point in past}
    for number, point in enumerate(_first(past, policy.last), start=1):
        reasons[point.id].append(f"last {number}")
    local = zone(policy.timezone)
    for name, key in _PERIODS.items():
        for number, point in enumerate(_newest_of_each(past, key, getattr(policy, name), local), start=1):
            reasons[point.id].append(f"{name} {number}")
    for point in _within(past, policy.within):
        reasons[point.id].append(f"within {format_duration(t.cast(timedelta, policy.within))}")
    return reasons


def _first(past: list[Point], count: int) -> list[Point]:
    return past if count == UNLIMITED else past[:count]


def _newest_of_each(
    past: list[Point], key: t.Callable[[datetime], tuple[t.Any, ...]], count: int, local: tzinfo
) -> list[Point]:
    newest: dict[tuple[t.Any, ...], Point] = {}
    for point in past:
        newest.setdefault(key(point.time.astimezone(local)), point)
    return _first(list(newest.values()), count)


def _within(past: list[Point], within: timedelta | None) -> list[Point]:
    if within is None or not past:
        return []
    # Counted from the newest point: when backups have stopped for a month, "within 7d" must not empty the account.
    newest = past[0].time
    return [point for point in past if newest - point.time <= within]


def _top_up(past: list[Point], reasons: dict[str, list[str]], minimum: int) -> None:
    if past and not reasons[past[0].id]:
        reasons[past[0].id].append("newest")
    missing = minimum - sum(1 for point in past if reasons[point.id])
    for point in [point for point in past if not reasons[point.id]][: max(missing, 0)]:
        reasons[point.id].append(f"never fewer than {minimum}")


def _ahead(point: Point) -> Decision:
    return Decision(point, True, ("its time is in the future, so a clock was wrong and its age is not known",))


def _decision(point: Point, reasons: list[str]) -> Decision:
    return Decision(point, bool(reasons), tuple(reasons) or ("no rule of the policy keeps it",))


def format_duration(duration: timedelta) -> str:
    """A length of time as a reader writes it, to the second: ``1d12h``.

    :param duration: not negative.
    """
    seconds = int(duration.total_seconds())
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Retention: rules by table, promises by property."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.palier.aws.plugins.module_utils.retention import (
    Point,
    Policy,
    PolicyError,
    decide,
    format_duration,
    parse_duration,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2024, 6, 15, 12, 30, tzinfo=UTC)


def at(text: str) -> Point:
    """A point whose id is its time; ``2024-06-15T10:00`` is UTC unless an offset follows."""
    time = datetime.fromisoformat(text)
    return Point(text, time if time.tzinfo else time.replace(tzinfo=UTC))


def kept(points, policy, now=NOW):
    return [decision.point.id for decision in decide(points, policy, now) if decision.keep]


def every(step: timedelta, count: int, newest: datetime = NOW) -> list[Point]:
    return [Point(f"p{i:03}", newest - i * step) for i in range(count)]


# Rules


def test_nothing_in_nothing_out():
    assert decide([], Policy(last=3), NOW) == []


def test_last_keeps_the_newest():
    assert kept(every(timedelta(hours=1), 5), Policy(last=2)) == ["p000", "p001"]


@pytest.mark.parametrize(
    ("rule", "step"),
    [
        ("hourly", timedelta(hours=1)),
        ("daily", timedelta(days=1)),
        ("weekly", timedelta(weeks=1)),
        ("monthly", timedelta(days=31)),
        ("yearly", timedelta(days=366)),
    ],
)
def test_a_period_keeps_one_of_each_of_the_newest(rule, step):
    points = [*every(step, 6), Point("older", NOW - 6 * step), Point("same", NOW - timedelta(seconds=1))]
    policy = Policy(**{rule: 3})
    assert kept(points, policy) == ["p000", "p001", "p002"]


def test_empty_periods_do_not_use_up_the_rule():
    points = [at("2024-06-15T03:00"), at("2024-06-01T03:00"), at("2024-05-01T03:00"), at("2024-04-01T03:00")]
    assert kept(points, Policy(daily=3)) == [p.id for p in points[:3]]


def test_the_newest_of_a_day_stands_for_it():
    assert kept([at("2024-06-14T03:00"), at("2024-06-14T23:00")], Policy(daily=1)) == ["2024-06-14T23:00"]


def test_a_week_is_an_iso_week():
    sunday, monday = at("2024-06-09T23:00"), at("2024-06-10T01:00")
    assert kept([sunday, monday], Policy(weekly=2)) == [monday.id, sunday.id]


def test_the_last_days_of_december_belong_to_the_next_years_first_week():
    assert kept([at("2024-12-31T01:00"), at("2025-01-01T01:00")], Policy(weekly=2), at("2025-02-01T00:00").time) == [
        "2025-01-01T01:00"
    ]


def test_within_is_counted_from_the_newest():
    points = [at("2024-03-02T00:00"), at("2024-02-28T00:00"), at("2024-01-01T00:00")]
    assert kept(points, Policy(within=timedelta(days=7))) == [p.id for p in points[:2]]


def test_minus_one_has_no_end():
    points = every(timedelta(days=1), 40)
    assert len(kept(points, Policy(daily=-1))) == 40


def test_every_rule_that_keeps_a_point_is_named():
    decisions = decide(every(timedelta(days=1), 3), Policy(last=1, daily=2, within=timedelta(hours=36)), NOW)
    assert [d.reasons for d in decisions] == [
        ("last 1", "daily 1", "within 1d12h"),
        ("daily 2", "within 1d12h"),
        ("no rule of the policy keeps it",),
    ]


def test_the_minimum_tops_up_with_the_newest():
    decisions = decide(every(timedelta(days=1), 5), Policy(last=1, minimum=3), NOW)
    assert [d.keep for d in decisions] == [True, True, True, False, False]
    assert decisions[1].reasons == ("never fewer than 3",)


# Clocks


def test_the_zone_says_when_a_day_ends():
    points = [at("2024-06-14T21:30"), at("2024-06-14T22:30")]
    assert kept(points, Policy(daily=2)) == ["2024-06-14T22:30"]
    assert kept(points, Policy(daily=2, timezone="Europe/Paris")) == ["2024-06-14T22:30", "2024-06-14T21:30"]


def test_the_hour_that_comes_twice_is_two_hours():
    summer, winter = at("2024-10-27T00:30"), at("2024-10-27T01:30")  # both 02:30 in Paris
    now = at("2024-10-28T00:00").time
    assert kept([summer, winter], Policy(hourly=2, timezone="Europe/Paris"), now) == [winter.id, summer.id]


def test_a_day_of_23_hours_is_one_day():
    first, last = at("2024-03-30T23:30"), at("2024-03-31T21:30")  # Paris: 00:30 and 23:30 of 31 March
    assert kept([first, last], Policy(daily=2, timezone="Europe/Paris")) == [last.id]


def test_the_same_moment_in_two_zones_is_the_same_moment():
    points = [at("2024-06-14T10:00+02:00"), at("2024-06-14T08:00+00:00")]
    assert len(kept(points, Policy(last=1))) == 1


def test_equal_times_do_not_depend_on_the_listing():
    points = [Point(name, NOW) for name in "abc"]
    assert kept(points, Policy(last=1)) == kept(points[::-1], Policy(last=1)) == ["c"]


def test_a_point_from_the_future_is_kept_and_counts_for_nothing():
    ahead, past = Point("ahead", NOW + timedelta(seconds=1)), every(timedelta(days=1), 2)
    decisions = decide([ahead, *past], Policy(last=1), NOW)
    assert [(d.point.id, d.keep) for d in decisions] == [("ahead", True), ("p000", True), ("p001", False)]
    assert "future" in decisions[0].reasons[0]


@pytest.mark.parametrize(("points", "now"), [([Point("a", datetime(2024, 1, 1))], NOW), ([], datetime(2024, 1, 1))])
def test_a_time_without_a_zone_is_refused(points, now):
    with pytest.raises(PolicyError, match="no time zone"):
        decide(points, Policy(last=1), now)


def test_two_points_of_one_id_are_refused():
    with pytest.raises(PolicyError, match="same id"):
        decide([Point("a", NOW), Point("a", NOW)], Policy(last=1), NOW)


# Policies and durations


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({}, "keeps nothing"),
        ({"minimum": 3}, "keeps nothing"),
        ({"last": 1, "minimum": 0}, "minimum is 0"),
        ({"daily": -2}, "keep daily is -2"),
        ({"within": timedelta(0)}, "longer than nothing"),
        ({"last": 1, "timezone": "Europe/Pariss"}, "Europe/Pariss"),
        ({"last": 1, "timezone": "../etc/passwd"}, "IANA name"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(policy, message):
    with pytest.raises(PolicyError, match=message):
        Policy(**policy)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        (" 1D12h ", timedelta(hours=36)),
        ("0s", timedelta(0)),
    ],
)
def test_durations(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "24", "h", "1.5h", "-1h", "1 h", "3y", "1h x", "9" * 12 + "w"])
def test_what_is_not_a_duration(text):
    with pytest.raises(PolicyError):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=5000)))
def test_a_written_duration_reads_back(duration):
    whole = timedelta(seconds=int(duration.total_seconds()))
    assert parse_duration(format_duration(whole)) == whole


# Promises

ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
COUNTS = st.integers(min_value=-1, max_value=6)
TIMES = st.datetimes(min_value=datetime(2023, 1, 1), max_value=datetime(2024, 7, 1), timezones=st.just(UTC))


@st.composite
def policies(draw):
    rules = {name: draw(COUNTS) for name in ("last", "hourly", "daily", "weekly", "monthly", "yearly")}
    within = draw(st.none() | st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=400)))
    if within is None and not any(rules.values()):
        rules["last"] = 1
    return Policy(**rules, within=within, minimum=draw(st.integers(1, 8)), timezone=draw(ZONES))


@st.composite
def listings(draw):
    # Few distinct times, so that equal ones are common.
    times = draw(st.lists(TIMES, min_size=1, max_size=8))
    picks = draw(st.lists(st.sampled_from(times), max_size=30))
    return [Point(f"snap-{i:02}", time) for i, time in enumerate(picks)]


@settings(max_examples=150, deadline=None)
@given(listings(), policies())
def test_promises(points, policy):
    decisions = decide(points, policy, NOW)
    assert sorted(d.point.id for d in decisions) == sorted(p.id for p in points), "one decision a point"
    assert all(d.reasons for d in decisions), "each with a reason"

    stays = [d.point for d in decisions if d.keep]
    past = [p for p in points if p.time <= NOW]
    assert all(p in stays for p in points if p.time > NOW), "the future is never removed"
    if past:
        newest = max(past, key=lambda p: (p.time, p.id))
        assert newest in stays, "nor the newest"
    assert len([p for p in stays if p.time <= NOW]) >= min(policy.minimum, len(past)), "nor below the minimum"

    assert decide(points[::-1], policy, NOW) == decisions, "the order of the listing does not matter"
    assert decide(points, policy, NOW) == decisions, "nor how often it is asked"
    assert all(d.keep for d in decide(stays, policy, NOW)), "after the removals nothing more goes"


@settings(max_examples=75, deadline=None)
@given(listings(), policies(), st.timedeltas(timedelta(0), timedelta(days=30)))
def test_time_alone_removes_nothing_that_was_kept_from_the_past(points, policy, later):
    past = [p for p in points if p.time <= NOW]
    stays = [d.point for d in decide(past, policy, NOW) if d.keep]
    assert all(d.keep for d in decide(stays, policy, NOW + later))


@settings(max_examples=75, deadline=None)
@given(listings(), policies(), st.data())
def test_interrupted_removals_end_where_an_uninterrupted_run_ends(points, policy, data):
    decisions = decide(points, policy, NOW)
    stays = {d.point.id for d in decisions if d.keep}
    goes = [d.point for d in decisions if not d.keep]
    already = data.draw(st.sets(st.sampled_from(goes))) if goes else set()
    again = decide([p for p in points if p not in already], policy, NOW)
    assert {d.point.id for d in again if d.keep} == stays

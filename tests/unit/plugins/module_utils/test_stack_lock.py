# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lock's protocol, with many runs interleaved call by call over a parameter as Systems Manager keeps it."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.palier.aws.plugins.module_utils import stack_lock as locks
from hypothesis import example, given, settings
from hypothesis import strategies as st

TTL = 100
OVER = TTL + locks.GRACE_SECONDS


def lock(run_id, started="2026-01-01T00:00:00Z"):
    return locks.Lock(run_id, f"{run_id}@host", started, TTL)


class Parameter:
    """A parameter with versions, creation on condition, and a clock that the test moves."""

    def __init__(self, held=None, age=0.0):
        self.clock = 0.0
        self.tick = 0
        self.versions = []  # (text, time written, which writing); empty: there is no parameter
        self.writes = 0
        if held is not None:
            self.versions.append((held.text(), -age, 0))

    def perform(self, ask):
        if isinstance(ask, locks.Get):
            return self.get(ask.version)
        self.writes += 1
        if isinstance(ask, locks.Delete):
            self.versions = []
            return None
        if isinstance(ask, locks.Create) and self.versions:
            return False
        self.tick += 1
        self.versions.append((ask.lock.text(), self.clock, self.tick))
        return True if isinstance(ask, locks.Create) else len(self.versions)

    def get(self, version=None):
        version = len(self.versions) if version is None else version
        if not 1 <= version <= len(self.versions):
            return None
        text, written, tick = self.versions[version - 1]
        return locks.Found(locks.parse(text), version, self.clock - written, tick)

    @property
    def run_id(self):
        found = self.get()
        return found and found.lock.run_id


def acquire(parameter, run_id="me"):
    return locks.drive(locks.acquire(lock(run_id, f"now {run_id}")), parameter.perform)


def release(parameter, run_id="me", force=False):
    return locks.drive(locks.release(run_id, force), parameter.perform)


@pytest.mark.parametrize(
    ("held", "age", "mine", "former"),
    [
        (None, 0, True, None),
        (lock("other"), 0, False, None),
        (lock("other"), TTL, False, None),
        (lock("other"), OVER - 1, False, None),
        (lock("other"), OVER, True, "other"),
        (lock("me"), 0, True, None),
        (lock("me"), OVER, True, None),
    ],
)
def test_one_run(held, age, mine, former):
    parameter = Parameter(held, age)
    outcome = acquire(parameter)
    assert outcome.mine is mine
    assert (outcome.former and outcome.former.run_id) == former
    assert parameter.run_id == ("me" if mine else "other")
    assert parameter.writes == (1 if mine else 0)


def test_taking_it_again_renews_and_keeps_the_start():
    parameter = Parameter(lock("me", "long ago"), TTL - 1)
    acquire(parameter)
    found = parameter.get()
    assert found.lock.started == "long ago"
    assert found.age == 0


@pytest.mark.parametrize(
    ("held", "age", "force", "left"),
    [
        (None, 0, False, None),
        (lock("me"), 0, False, None),
        (lock("me"), OVER, False, None),
        (lock("other"), 0, False, "other"),
        (lock("other"), OVER, False, "other"),
        (lock("other"), 0, True, None),
    ],
)
def test_release(held, age, force, left):
    parameter = Parameter(held, age)
    outcome = release(parameter, force=force)
    assert parameter.run_id == left
    assert (outcome.lock and outcome.lock.run_id) == left
    assert not release(parameter, force=force).mine


def test_a_text_that_is_no_lock_is_left_to_people():
    for text in ("", "[]", "{}", '{"run_id": "x"}', "not json"):
        parameter = Parameter()
        parameter.versions = [(text, -10 * OVER, 0)]
        assert not acquire(parameter).mine
        assert parameter.writes == 0
        release(parameter, force=True)
        assert parameter.versions == []


def test_own_request_sent_twice_after_a_lost_answer():
    parameter = Parameter(lock("other"), OVER)

    def twice(ask):
        if isinstance(ask, locks.Overwrite):
            parameter.perform(ask)
        return parameter.perform(ask)

    assert locks.drive(locks.acquire(lock("me")), twice).mine


def test_a_lock_that_comes_and_goes_has_an_end():
    def contrary(ask):
        return None if isinstance(ask, locks.Get) else False

    with pytest.raises(locks.NoEndError):
        locks.drive(locks.acquire(lock("me")), contrary)


def until_first_write(parameter, protocol):
    """Drive a protocol up to, and without, its first write; returns that."""
    answer = None
    while isinstance(ask := protocol.send(answer), locks.Get):
        answer = parameter.perform(ask)
    return ask


def finish(parameter, protocol, answer):
    """Drive a protocol on from an answer to its end; returns how it ended."""
    while True:
        try:
            ask = protocol.send(answer)
        except StopIteration as end:
            return end.value
        answer = parameter.perform(ask)


def test_late_comer_puts_the_winners_lock_back():
    parameter = Parameter(lock("dead"), OVER)
    late = locks.acquire(lock("late"))
    write = until_first_write(parameter, late)
    assert acquire(parameter, "winner").mine
    outcome = finish(parameter, late, parameter.perform(write))
    assert not outcome.mine
    assert outcome.lock.run_id == "winner"
    assert parameter.run_id == "winner"


def test_a_lock_made_anew_is_not_taken_for_the_one_that_had_run_out():
    """Deleted and created in between, the parameter counts its versions from one again."""
    parameter = Parameter(lock("dead"), OVER)
    late = locks.acquire(lock("late"))
    write = until_first_write(parameter, late)
    release(parameter, "dead", force=True)
    assert acquire(parameter, "winner").mine
    answer = parameter.perform(write)
    assert answer == 2
    assert not finish(parameter, late, answer).mine
    assert parameter.run_id == "winner"


def test_a_lock_written_anew_with_the_same_text_is_another_one():
    """Its owner can come back just then, and renew what somebody had already taken over and given back."""
    parameter = Parameter(lock("dead"), OVER)
    late = locks.acquire(lock("late"))
    write = until_first_write(parameter, late)
    release(parameter, "dead", force=True)
    assert parameter.perform(locks.Create(lock("dead")))
    assert not finish(parameter, late, parameter.perform(write)).mine
    assert parameter.run_id == "dead"


def test_an_owner_that_comes_late_does_not_delete_the_next_ones_lock():
    parameter = Parameter(lock("dead"), OVER)
    late = locks.release("dead")
    write = until_first_write(parameter, late)
    assert acquire(parameter, "winner").mine
    outcome = finish(parameter, late, parameter.perform(write))
    assert outcome.lock.run_id == "winner"
    assert parameter.run_id == "winner"


class Run:
    """A run that takes the lock, works for a while, gives it back and ends."""

    def __init__(self, name, parameter, dead=False):
        self.parameter = parameter
        self.name = name
        self.holds = False
        self.took = False
        self.ended = False
        self.answer = None
        self.protocol = locks.release(name) if dead else locks.acquire(lock(name, f"now {name}"))
        self.releasing = dead

    def step(self):
        if self.ended:
            return
        if self.holds:
            self.holds, self.releasing = False, True
            self.protocol, self.answer = locks.release(self.name), None
        try:
            self.answer = self.parameter.perform(self.protocol.send(self.answer))
        except StopIteration as end:
            self.holds = self.took = end.value.mine and not self.releasing
            self.ended = not self.holds


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(["none", "dead", "dead but releasing"]),
    st.integers(2, 4),
    st.lists(st.integers(0, 4), max_size=60),
)
@example("dead", 2, [0, 1, 0, 1, 0, 1, 0, 1])
def test_never_two_at_once(start, count, schedule):
    parameter = Parameter(None if start == "none" else lock("dead"), OVER)
    runs = [Run(f"run{number}", parameter) for number in range(count)]
    if start == "dead but releasing":
        runs.append(Run("dead", parameter, dead=True))
    for number in schedule:
        runs[number % len(runs)].step()
        assert sum(run.holds for run in runs) <= 1


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.lists(st.integers(0, 3), max_size=40))
def test_somebody_gets_it(dead, schedule):
    """Without anyone giving it back, exactly one of several runs has the lock in the end."""
    parameter = Parameter(lock("dead") if dead else None, OVER)
    runs = [Run(f"run{number}", parameter) for number in range(4)]
    for number in [*schedule, *(list(range(4)) * 20)]:
        if not runs[number].holds:
            runs[number].step()
    winners = [run.name for run in runs if run.took]
    assert len(winners) == 1


def test_until():
    now = datetime.datetime(2026, 1, 1, 12, 0, 0)
    assert locks.until(40, lock("me"), now) == "2026-01-01T12:01:00Z"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The protocol of a stack's lock over a versioned parameter, without the calls.

A Systems Manager parameter can be created only if it is not there (one winner), and each overwriting answers with the
version it became. Versions of one parameter never repeat until it is deleted, so taking over a lock that ran out works
like a compare-and-swap after the fact. Who wrote the version right after the one that had run out has the lock. All
others learn from their own version number that they came later, put the winner's text back and leave.

L{acquire} and L{release} are generators: they yield what to ask for and are sent the answer, so that tests can
interleave many runs call by call.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import typing as t
from dataclasses import dataclass

#: Seconds after its time for which a lock cannot be taken over yet. Its owner deletes it only before that time, so the
#: two can meet only when one request takes longer than this. botocore's read timeout is 60 s.
GRACE_SECONDS = 60

#: How often a run starts over when the lock vanishes under its hands, before it says that there is no end to it.
ATTEMPTS = 10


@dataclass(frozen=True)
class Lock:
    """What a lock says about its owner.

    :param run_id: the run that has it.
    :param holder: who runs it, for people.
    :param started: when the run took it, ISO 8601, for people.
    :param ttl: seconds for which it holds since it was last written.
    """

    run_id: str
    holder: str
    started: str
    ttl: int

    def text(self) -> str:
        """The lock as it is stored."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def parse(text: str) -> Lock:
    """Read a stored lock. A text that is none reads as somebody else's lock that never runs out."""
    try:
        content = json.loads(text)
        return Lock(str(content["run_id"]), str(content["holder"]), str(content["started"]), int(content["ttl"]))
    except (ValueError, TypeError, KeyError):
        return Lock("", "unknown (the parameter does not hold a lock)", "unknown", 0)


@dataclass(frozen=True)
class Found:
    """A stored lock.

    :param version: the parameter's version.
    :param age: seconds since it was written, by the clock of AWS.
    :param written: when that was, as AWS tells it; with the text, it tells this writing from any other.
    """

    lock: Lock
    version: int
    age: float
    written: t.Any = None

    def same_writing(self, other: Found) -> bool:
        """Whether two answers tell of one and the same writing, which a version number alone does not say."""
        return (self.lock, self.version, self.written) == (other.lock, other.version, other.written)

    @property
    def readable(self) -> bool:
        """Whether it was written by this protocol."""
        return bool(self.lock.run_id)

    @property
    def expired(self) -> bool:
        """Whether its time is over for its owner."""
        return self.readable and self.age >= self.lock.ttl

    @property
    def free_to_take(self) -> bool:
        """Whether others may take it over."""
        return self.readable and self.age >= self.lock.ttl + GRACE_SECONDS


@dataclass(frozen=True)
class Get:
    """Read the lock, or one version of it. Answer: L{Found} or ``None``."""

    version: int | None = None


@dataclass(frozen=True)
class Create:
    """Write the lock if there is none. Answer: whether there was none."""

    lock: Lock


@dataclass(frozen=True)
class Overwrite:
    """Write the lock whatever is there. Answer: the version it became."""

    lock: Lock


@dataclass(frozen=True)
class Delete:
    """Delete the lock. No answer."""


Ask = Get | Create | Overwrite | Delete


@dataclass(frozen=True)
class Outcome:
    """How it ended.

    :param mine: whether the run has the lock (when it was asked for).
    :param lock: the lock that is there now, or ``None``.
    :param former: the lock that had run out and was taken over, or the one that was removed.
    :param age: seconds since L{lock} was written.
    """

    mine: bool
    lock: Lock | None
    former: Lock | None = None
    age: float = 0


Protocol = t.Generator[Ask, t.Any, Outcome]


class NoEndError(Exception):
    """The lock kept coming and going."""


def acquire(me: Lock) -> Protocol:
    """Take the lock, or learn who has it. A run that has it already renews it.

    :param me: the lock to write.
    """
    for _attempt in range(ATTEMPTS):
        found: Found | None = yield Get()
        if found is None:
            if (yield Create(me)):
                return Outcome(True, me)
            continue
        own = found.lock.run_id == me.run_id
        if not own and not found.free_to_take:
            return Outcome(False, found.lock, age=found.age)
        wanted = dataclasses.replace(me, started=found.lock.started) if own else me
        outcome = yield from _swap(found, wanted)
        if outcome is not None:
            return outcome
    raise NoEndError


def _swap(found: Found, wanted: Lock) -> t.Generator[Ask, t.Any, Outcome | None]:
    """Write over a lock that was found; ``None`` when it has to be looked at anew."""
    former = None if found.lock.run_id == wanted.run_id else found.lock
    version: int = yield Overwrite(wanted)
    if version == 1:
        # It was deleted in between, so this was a creation, of which there is one only.
        return Outcome(True, wanted, former)
    # With the version right after: was it still that lock? (It could have been deleted and made anew in between.)
    # With a later one: somebody else came first, and wrote the one right after.
    first = version == found.version + 1
    other: Found | None = yield Get(found.version if first else found.version + 1)
    if other is None:
        return None
    if first and other.same_writing(found):
        return Outcome(True, wanted, former)
    if not first and other.lock.run_id == wanted.run_id:
        return Outcome(True, wanted, former)  # our own request, sent twice after a lost answer
    yield Overwrite(other.lock)
    return Outcome(False, other.lock)


def release(run_id: str, force: bool = False) -> Protocol:
    """Give the lock back, or learn that somebody else has it. Without a lock, nothing happens.

    :param run_id: the run that gives it back.
    :param force: remove it whoever has it.
    """
    found: Found | None = yield Get()
    if found is None:
        return Outcome(False, None)
    if force:
        yield Delete()
        return Outcome(False, None, found.lock)
    if found.lock.run_id != run_id:
        return Outcome(False, found.lock, age=found.age)
    if found.expired:
        # Somebody may be taking it over right now. Once it is renewed nobody is, and it can be deleted.
        renewed = yield from acquire(found.lock)
        if not renewed.mine:
            return renewed
    yield Delete()
    return Outcome(False, None, found.lock)


def drive(protocol: Protocol, perform: t.Callable[[Ask], t.Any]) -> Outcome:
    """Carry a protocol out.

    :param perform: does what is asked for and returns the answer.
    :raises NoEndError: when the lock kept coming and going.
    """
    answer: t.Any = None
    while True:
        try:
            ask = protocol.send(answer)
        except StopIteration as end:
            return end.value
        answer = perform(ask)


def until(age: float, lock: Lock, now: datetime.datetime) -> str:
    """When a lock's time is over, ISO 8601.

    :param age: seconds since it was written.
    :param now: the present time.
    """
    return (now + datetime.timedelta(seconds=lock.ttl - age)).strftime("%Y-%m-%dT%H:%M:%SZ")

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long things take: the clock by which the emulator's slow resources come up.

Off by default, when everything is there at once. Switched on with a factor, the seconds that one of AWS's seconds
takes here: C{1} is AWS's own pace, C{0.01} a hundred times as fast. The clock can also be put forward, so that a test
waits for nothing.
"""

from __future__ import annotations

import heapq
import itertools
import time
import typing as t

#: AWS's seconds for each kind. AWS promises none of them; these are what its users see as a rule.
SECONDS = {
    "database": 600.0,
    "database modification": 120.0,
    "database deletion": 300.0,
    "database snapshot": 180.0,
    "database snapshot copy": 300.0,
    "nat gateway": 120.0,
    "nat gateway deletion": 60.0,
    "load balancer": 150.0,
    "distribution": 300.0,
    "certificate": 60.0,
    "instance": 40.0,
    "instance termination": 40.0,
    "service": 90.0,
    "service deletion": 60.0,
    "task": 20.0,
    "snapshot": 120.0,
    "snapshot copy": 300.0,
}


class Clock:
    """AWS's time since the start, and what is due at which time.

    :param factor: seconds that one of AWS's takes; 0 has everything happen at once.
    """

    def __init__(self, factor: float = 0.0) -> None:
        self._numbers = itertools.count()
        self.start(factor)

    def start(self, factor: float) -> None:
        """Begin anew, with this factor and nothing under way.

        :raises ValueError: when the factor is negative.
        """
        if factor < 0:
            raise ValueError(f"{factor}: the factor is 0, or the seconds that one of AWS's takes")
        self.factor = factor
        self.clear()

    def clear(self) -> None:
        """Forget what is under way, and begin at 0."""
        self._begun, self._skipped = time.monotonic(), 0.0
        self._due: list[tuple[float, int, t.Callable[[], None]]] = []
        self._started: list[dict[str, t.Any]] = []

    @property
    def runs(self) -> bool:
        """Whether anything takes time."""
        return self.factor > 0

    def now(self) -> float:
        """AWS's seconds since the start."""
        return (time.monotonic() - self._begun) / self.factor + self._skipped if self.runs else 0.0

    def forward(self, seconds: float) -> None:
        """Put the clock forward by so many of AWS's seconds."""
        self._skipped += seconds

    def later(self, kind: str, name: str, action: t.Callable[[], None]) -> None:
        """Do this when the thing has taken its time.

        :param kind: a key of L{SECONDS}.
        :param name: which one, for the list of what was started.
        :param action: called between two requests, at once when nothing takes time.
        """
        if not self.runs:
            action()
            return
        now = self.now()
        self._started.append({"kind": kind, "name": name, "start": now, "end": now + SECONDS[kind]})
        heapq.heappush(self._due, (now + SECONDS[kind], next(self._numbers), action))

    def settle(self) -> None:
        """Do what is due."""
        while self._due and self._due[0][0] <= self.now():
            heapq.heappop(self._due)[2]()

    def entries(self) -> list[dict[str, t.Any]]:
        """What was started: dicts with C{kind}, C{name}, C{start} and C{end}, both in AWS's seconds."""
        return list(self._started)


clock = Clock()

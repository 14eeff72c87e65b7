# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run tasks that need one another on a few threads; more tasks may be added while they run.

A task names what it I{needs} (it fails with them) and what it comes I{after} (it runs whatever became of them). That
difference is what keeps one bad upload from failing the other repositories that hoped to take the blob over from it.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import typing as t

Key = t.Hashable


class DependencyError(Exception):
    """A task that was not run since one that it needs failed; the first such error stands in ``cause``."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _Task:
    def __init__(self) -> None:
        self.work: t.Callable[[], None] | None = None
        self.weight = 0
        self.provides: tuple[Key, ...] = ()
        self.waits = 0
        self.soft: set[Key] = set()
        self.needed_by: list[Key] = []
        self.followed_by: list[Key] = []
        self.error: Exception | None = None
        self.done = False


class TaskGraph:
    """Tasks by key; each runs once."""

    def __init__(self) -> None:
        self._tasks: dict[Key, _Task] = {}
        self._ready: list[tuple[int, int, Key]] = []
        self._order = itertools.count()
        self._running = 0
        self._changed = threading.Condition(threading.RLock())
        self._stopped: BaseException | None = None

    def add(
        self,
        key: Key,
        work: t.Callable[[], None],
        *,
        needs: t.Iterable[Key] = (),
        after: t.Iterable[Key] = (),
        provides: t.Iterable[Key] = (),
        weight: int = 0,
    ) -> bool:
        """Add a task; nothing happens when there is one of that key already.

        :param key: its name.
        :param work: what it does; an exception fails it.
        :param needs: keys that must succeed first; they may be added later by a task that provides them.
        :param after: keys that must have ended first, well or not.
        :param provides: keys that this task will add; they fail if it fails.
        :param weight: among tasks that are ready, the heaviest runs first.
        :returns: whether it is new.
        """
        with self._changed:
            task = self._tasks.setdefault(key, _Task())
            if task.work is not None or task.done:
                return False
            task.work, task.weight, task.provides = work, weight, tuple(provides)
            for other in dict.fromkeys(needs):
                self._wait_for(key, task, other, soft=False)
            for other in dict.fromkeys(after):
                self._wait_for(key, task, other, soft=True)
            self._offer(key, task)
            return True

    def release(self, key: Key) -> None:
        """Let a task stop waiting for those that it only comes after."""
        with self._changed:
            task = self._tasks[key]
            if task.work is not None and not task.done and task.soft:
                task.waits -= len(task.soft)
                task.soft.clear()
                self._offer(key, task)

    def run(self, workers: int) -> dict[Key, Exception]:
        """Run everything to its end.

        :param workers: threads.
        :returns: the error of each task that failed, by key.
        """
        threads = [threading.Thread(target=self._serve, daemon=True) for _worker in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._stopped is not None:
            raise self._stopped
        stuck = [key for key, task in self._tasks.items() if not task.done]
        if stuck:
            raise RuntimeError(f"nothing provides what these wait for: {stuck}")
        return {key: task.error for key, task in self._tasks.items() if task.error is not None}

    def _wait_for(self, key: Key, task: _Task, other: Key, soft: bool) -> None:
        there = self._tasks.setdefault(other, _Task())
        if not there.done:
            task.waits += 1
            (there.followed_by if soft else there.needed_by).append(key)
            if soft:
                task.soft.add(other)
        elif there.error is not None and not soft:
            self._end(key, DependencyError(_root(there.error)))

    def _offer(self, key: Key, task: _Task) -> None:
        if task.work is not None and task.waits == 0 and not task.done:
            heapq.heappush(self._ready, (-task.weight, next(self._order), key))
            self._changed.notify()

    def _serve(self) -> None:
        while (key := self._take()) is not None:
            error = None
            work = t.cast(t.Callable[[], None], self._tasks[key].work)
            try:
                work()
            except Exception as caught:
                error = caught
            except BaseException as caught:
                self._stop(caught)
                return
            with self._changed:
                self._running -= 1
                self._end(key, error)
                self._changed.notify_all()

    def _take(self) -> Key | None:
        with self._changed:
            while not self._ready and self._running and self._stopped is None:
                self._changed.wait()
            if not self._ready or self._stopped is not None:
                return None
            self._running += 1
            return heapq.heappop(self._ready)[2]

    def _stop(self, error: BaseException) -> None:
        with self._changed:
            self._stopped = error
            self._changed.notify_all()

    def _end(self, key: Key, error: Exception | None) -> None:
        """Mark a task as ended and tell those that wait for it. A failure spreads along C{needs} and C{provides}."""
        task = self._tasks.setdefault(key, _Task())
        if task.done:
            return
        task.done, task.error, task.work = True, error, None
        for other in task.needed_by:
            self._count_down(other, DependencyError(_root(error)) if error else None)
        for other in task.followed_by:
            waiting = self._tasks[other]
            if key in waiting.soft:
                waiting.soft.discard(key)
                self._count_down(other, None)
        for other in task.provides if error else ():
            self._end(other, DependencyError(_root(t.cast(Exception, error))))

    def _count_down(self, key: Key, error: Exception | None) -> None:
        if error is not None:
            self._end(key, error)
            return
        task = self._tasks[key]
        task.waits -= 1
        self._offer(key, task)


def _root(error: Exception) -> Exception:
    return error.cause if isinstance(error, DependencyError) else error

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Callback: a sign of life while a task takes long."""

from __future__ import annotations

DOCUMENTATION = r"""
name: heartbeat
type: aggregate
short_description: Say which tasks are still running, and for how long
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Ansible prints nothing while a task runs. A database or a NAT gateway takes minutes, in which a terminal or a CI job
    cannot tell waiting from hanging.
  - Prints one line for each host whose task has been silent for O(interval), and again after each further O(interval).
options:
  interval:
    description: Seconds of silence after which a running task is named. V(0) switches the heartbeat off.
    type: float
    default: 30
    env:
      - name: PALIER_HEARTBEAT_INTERVAL
    ini:
      - section: callback_heartbeat
        key: interval
requirements:
  - Enabled in ansible.cfg, C(callbacks_enabled = palier.aws.heartbeat), or by E(ANSIBLE_CALLBACKS_ENABLED).
"""

import sys
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible import constants as C
from ansible.plugins.callback import CallbackBase


@dataclass
class Running:
    """A task that runs on a host.

    :param host: the host's name.
    :param task: the task's name.
    :param since: when it started, on the monotonic clock.
    :param heard: when something was last heard of it.
    """

    host: str
    task: str
    since: float
    heard: float


def duration(seconds: float) -> str:
    """Seconds in words: ``45 s``, ``2 min 30 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def line(running: Running, now: float) -> str:
    """What is said of a task that still runs."""
    return f"still waiting: [{running.host}] {running.task} ({duration(now - running.since)})"


def silent(running: t.Iterable[Running], now: float, interval: float) -> list[Running]:
    """The tasks of which nothing was heard for the interval.

    :param running: every running task.
    :param now: the monotonic clock.
    :param interval: seconds.
    """
    return [one for one in running if now - one.heard >= interval]


class CallbackModule(CallbackBase):
    """Watches the running tasks from a thread of the main process.

    Ansible forks a worker for each task. A thread beside forks is safe as long as no fork happens while the thread
    holds a lock that the child takes too. This thread takes two kinds: Display's lock, which Ansible itself holds
    around each fork for this very reason, and the one inside its own Event, which no child touches.
    """

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "palier.aws.heartbeat"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: t.Any, **options: t.Any) -> None:
        super().__init__(*arguments, **options)
        self.running: dict[tuple[str, str], Running] = {}
        self.ended = threading.Event()
        self.thread: threading.Thread | None = None

    def v2_playbook_on_start(self, playbook: t.Any) -> None:  # noqa: ARG002
        interval = self.get_option("interval")
        if interval > 0 and self.thread is None:
            self.ended.clear()
            self.thread = threading.Thread(target=self.watch, args=(interval,), name="heartbeat", daemon=True)
            self.thread.start()

    def watch(self, interval: float) -> None:
        """Body of the thread: look about ten times an interval, until the run ends."""
        while not self.ended.wait(min(interval / 10, 1.0)):
            self.beat(time.monotonic(), interval)

    def beat(self, now: float, interval: float) -> None:
        """Name every task that has been silent for the interval."""
        late = silent(list(self.running.values()), now, interval)
        for running in late:
            running.heard = now
            self._display.display(line(running, now), color=C.COLOR_VERBOSE)
        if late:
            # Into a pipe, Display writes without flushing: the line would be seen only when it no longer matters.
            sys.stdout.flush()

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        now = time.monotonic()
        self.running[host.get_name(), task._uuid] = Running(host.get_name(), task.get_name(), now, now)

    def heard(self, result: t.Any) -> None:
        """Something was printed of a task that goes on: a retry, or an item of its loop."""
        running = self.running.get(self.key(result))
        if running is not None:
            running.heard = time.monotonic()

    def done(self, result: t.Any) -> None:
        """A task ended on a host."""
        self.running.pop(self.key(result), None)

    @staticmethod
    def key(result: t.Any) -> tuple[str, str]:
        """By what a result finds its running task. Up to ansible-core 2.18 the fields have a leading underscore."""
        host = result.host if hasattr(result, "host") else result._host
        task = result.task if hasattr(result, "task") else result._task
        return host.get_name(), task._uuid

    # Ansible looks for overridden methods by name, and only these take exactly one result.
    def v2_runner_retry(self, result: t.Any) -> None:
        self.heard(result)

    def v2_runner_on_async_poll(self, result: t.Any) -> None:
        self.heard(result)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        self.heard(result)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        self.heard(result)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self.done(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:  # noqa: ARG002
        self.done(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self.done(result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self.done(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:  # noqa: ARG002
        self.ended.set()
        if self.thread is not None:
            self.thread.join()
            self.thread = None

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The heartbeat: when a running task is named, without waiting for it on a real clock."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.callback import heartbeat as subject


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A clock that stands still until a test moves it."""
    clock = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(subject.time, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def callback() -> subject.CallbackModule:
    plugin = subject.CallbackModule()
    plugin.lines = []
    plugin._display = types.SimpleNamespace(display=lambda text, color=None: plugin.lines.append(text))
    return plugin


def start(callback: subject.CallbackModule, name: str, host: str = "shop_prod") -> t.Any:
    """Starts a task and returns what its results look like."""
    task = types.SimpleNamespace(_uuid=name, get_name=lambda: name)
    where = types.SimpleNamespace(get_name=lambda: host)
    callback.v2_runner_on_start(where, task)
    return types.SimpleNamespace(host=where, task=task)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3725, "62 min 5 s")]
)
def test_duration(seconds: float, expected: str) -> None:
    assert subject.duration(seconds) == expected


class TestBeat:
    def test_names_each_silent_task_once_an_interval(self, callback: t.Any, clock: t.Any) -> None:
        start(callback, "Wait for the database")
        start(callback, "Wait for the database", host="shop_dev")
        for clock.now in (129.0, 130.0, 131.0, 159.0, 160.0):
            callback.beat(clock.now, 30)
        assert callback.lines == [
            "still waiting: [shop_prod] Wait for the database (30 s)",
            "still waiting: [shop_dev] Wait for the database (30 s)",
            "still waiting: [shop_prod] Wait for the database (1 min 0 s)",
            "still waiting: [shop_dev] Wait for the database (1 min 0 s)",
        ]

    @pytest.mark.parametrize("end", ["on_ok", "on_failed", "on_skipped", "on_unreachable"])
    def test_is_quiet_once_a_task_ended(self, callback: t.Any, clock: t.Any, end: str) -> None:
        result = start(callback, "Wait")
        getattr(callback, f"v2_runner_{end}")(result)
        callback.beat(500.0, 30)
        assert callback.lines == []

    @pytest.mark.parametrize("sign", ["v2_runner_retry", "v2_runner_on_async_poll", "v2_runner_item_on_ok"])
    def test_a_sign_of_life_counts(self, callback: t.Any, clock: t.Any, sign: str) -> None:
        result = start(callback, "Wait")
        clock.now = 125.0
        getattr(callback, sign)(result)
        callback.beat(140.0, 30)
        assert callback.lines == []
        callback.beat(155.0, 30)
        assert callback.lines == ["still waiting: [shop_prod] Wait (55 s)"]

    def test_a_result_of_an_unknown_task_is_no_error(self, callback: t.Any, clock: t.Any) -> None:
        result = start(callback, "Wait")
        callback.done(result)
        callback.done(result)
        callback.heard(result)


class TestThread:
    def test_starts_and_ends_with_the_run(self, callback: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(callback, "get_option", {"interval": 30.0}.__getitem__)
        callback.v2_playbook_on_start(None)
        thread = callback.thread
        assert thread.is_alive()
        assert thread.daemon
        callback.v2_playbook_on_stats(None)
        assert not thread.is_alive()

    def test_zero_switches_it_off(self, callback: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(callback, "get_option", {"interval": 0.0}.__getitem__)
        callback.v2_playbook_on_start(None)
        assert callback.thread is None
        callback.v2_playbook_on_stats(None)

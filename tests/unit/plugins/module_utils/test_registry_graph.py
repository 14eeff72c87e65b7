# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tasks run after what they need, once, and fail with it and only with it."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.palier.aws.plugins.module_utils.registry_graph import DependencyError, TaskGraph
from hypothesis import given, settings
from hypothesis import strategies as st


class Log:
    """Tasks that write down when they ran."""

    def __init__(self) -> None:
        self.graph = TaskGraph()
        self.ran: list[str] = []

    def add(self, key: str, error: str = "", then=None, **how) -> bool:
        def work() -> None:
            self.ran.append(key)
            if then:
                then()
            if error:
                raise ValueError(error)

        return self.graph.add(key, work, **how)


def test_needs_run_first_and_the_heaviest_of_the_ready():
    log = Log()
    log.add("last", needs=["light", "heavy"])
    log.add("light", weight=1)
    log.add("heavy", weight=9)
    assert log.graph.run(1) == {}
    assert log.ran == ["heavy", "light", "last"]


def test_a_failure_spreads_along_needs_only():
    log = Log()
    log.add("bad", error="broken")
    log.add("needs", needs=["bad"])
    log.add("needs that", needs=["needs"])
    log.add("comes after", after=["bad"])
    errors = log.graph.run(2)
    assert sorted(log.ran) == ["bad", "comes after"]
    assert sorted(errors) == ["bad", "needs", "needs that"]
    assert isinstance(errors["needs that"], DependencyError)
    assert str(errors["needs that"].cause) == "broken"


def test_a_task_may_be_added_for_one_that_waits_for_it():
    log = Log()
    log.add("parent", needs=["child"])
    log.add("reader", then=lambda: log.add("child"), provides=["child"])
    assert log.graph.run(2) == {}
    assert log.ran == ["reader", "child", "parent"]


def test_what_a_failed_task_would_have_added_fails():
    log = Log()
    log.add("parent", needs=["child"])
    log.add("reader", error="unreadable", provides=["child"])
    errors = log.graph.run(2)
    assert log.ran == ["reader"]
    assert sorted(errors) == ["child", "parent", "reader"]
    assert not log.add("child")


def test_each_key_runs_once():
    log = Log()
    assert log.add("one")
    assert not log.add("one")
    log.graph.run(4)
    assert log.ran == ["one"]


def test_a_need_that_failed_before_fails_at_once():
    log = Log()
    log.add("bad", error="broken", then=None)
    log.add("adder", then=lambda: log.add("late", needs=["bad"]), after=["bad"])
    errors = log.graph.run(1)
    assert "late" in errors
    assert log.ran == ["bad", "adder"]


def test_released_tasks_run_without_what_they_came_after():
    log = Log()
    done = threading.Event()
    log.graph.add("slow", lambda: done.wait(10) or pytest.fail("never released"))
    log.add("waits", after=["slow"], then=done.set)
    log.add("releases", then=lambda: log.graph.release("waits"))
    assert log.graph.run(2) == {}
    assert log.ran == ["releases", "waits"]


def test_a_need_that_nobody_provides_is_an_error():
    log = Log()
    log.add("waits", needs=["nobody"])
    with pytest.raises(RuntimeError, match="nobody"):
        log.graph.run(2)


def test_an_interruption_ends_the_run():
    log = Log()

    def interrupt() -> None:
        raise KeyboardInterrupt

    log.graph.add("interrupted", interrupt)
    with pytest.raises(KeyboardInterrupt):
        log.graph.run(2)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 12), st.integers(1, 6))
def test_any_graph_ends_with_every_task_run_or_failed_for_a_reason(data, size, workers):
    log, needs, bad = Log(), {}, set()
    for number in range(size):
        earlier = st.lists(st.sampled_from(range(number)), unique=True) if number else st.just([])
        needs[str(number)] = [str(other) for other in data.draw(earlier)]
        if data.draw(st.booleans()):
            bad.add(str(number))
    for key, others in needs.items():
        log.add(key, error="bad" if key in bad else "", needs=others)
    errors = log.graph.run(workers)
    fails = {}
    for key, others in needs.items():
        fails[key] = key in bad or any(fails[other] for other in others)
    assert {key for key, failed in fails.items() if failed} == set(errors)
    assert sorted(log.ran) == sorted(key for key, others in needs.items() if not any(fails[o] for o in others))
    position = {key: place for place, key in enumerate(log.ran)}
    assert all(position[other] < position[key] for key in log.ran for other in needs[key])

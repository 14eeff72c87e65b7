# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a list of steps comes to: changed, plan, diff."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils.plan import QUIET_VERBS, Step, outcome
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("steps", "before", "after"),
    [
        ([], {}, {}),
        ([Step("create", "a", "new", None, {"x": 1})], {}, {"a": {"x": 1}}),
        ([Step("delete", "a", "gone", {"x": 1})], {"a": {"x": 1}}, {}),
        ([Step("modify", "a", "other", 1, 2)], {"a": 1}, {"a": 2}),
        (
            [Step("modify", "a", "x", {"x": 1}, {"x": 2}), Step("tag", "a", "y", {"y": 1}, {"y": 2})],
            {"a": {"x": 1, "y": 1}},
            {"a": {"x": 2, "y": 2}},
        ),
        ([Step("keep", "a", "as it is", {"x": 1}, {"x": 1}), Step("delete", "b", "gone", [1])], {"b": [1]}, {}),
        ([Step("modify", "a", "emptied", [1], [])], {"a": [1]}, {"a": []}),
    ],
)
def test_diff(steps: list[Step], before: t.Any, after: t.Any) -> None:
    assert outcome(steps)["diff"] == {"before": before, "after": after}


@given(st.lists(st.sampled_from(["create", "modify", "delete", "keep", "skip"])))
def test_changed_is_whether_a_step_writes_and_every_step_is_told(verbs: list[str]) -> None:
    result = outcome(Step(verb, f"thing {number}", "so") for number, verb in enumerate(verbs))
    assert result["changed"] is bool(set(verbs) - QUIET_VERBS)
    assert result["plan"] == [
        {"action": verb, "resource": f"thing {number}", "reason": "so"} for number, verb in enumerate(verbs)
    ]


def test_values_stand_in_the_diff_and_not_in_the_plan() -> None:
    assert set(outcome([Step("create", "a", "new", None, {"secret": 1})])["plan"][0]) == {
        "action",
        "resource",
        "reason",
    }


def test_the_steps_values_are_not_changed() -> None:
    first, second = {"x": 1}, {"y": 2}
    outcome([Step("modify", "a", "x", first, first), Step("tag", "a", "y", second, second)])
    assert (first, second) == ({"x": 1}, {"y": 2})

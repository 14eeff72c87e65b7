# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the plan callback tells later plays of a run."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

from ansible_collections.palier.aws.plugins.callback.plan import CallbackModule, Change, Stack


def told(stacks: dict[str, Stack]) -> dict[str, t.Any]:
    """The variables that hosts get at the start of a play."""
    facts: dict[str, t.Any] = {}
    manager = SimpleNamespace(set_nonpersistent_facts=facts.__setitem__)
    callback = CallbackModule()
    callback.stacks = stacks
    callback.v2_playbook_on_play_start(SimpleNamespace(get_variable_manager=lambda: manager))
    return facts


def test_a_play_is_told_what_changed_before_it() -> None:
    step = {"action": "create", "resource": "vpc", "reason": "there is none"}
    stacks = {"shop_prod": Stack([Change("network", "Create the VPC", None, (step,))]), "shop_dev": Stack()}
    assert told(stacks) == {
        "shop_prod": {
            "plan_changes": [{"tier": "network", "task": "Create the VPC", "item": None, "steps": [step]}],
        },
        "shop_dev": {"plan_changes": []},
    }


def test_a_stack_of_which_nothing_was_heard_is_told_nothing() -> None:
    assert told({}) == {}

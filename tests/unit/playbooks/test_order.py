# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order of the tiers holds for several stacks in one run."""

from __future__ import annotations

import typing as t

import pytest

from tools.collection import ROOT, load_yaml

PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml")) + sorted((ROOT / "playbooks" / "tasks").glob("*.yml"))
INCLUDES = {"ansible.builtin.include_role", "ansible.builtin.include_tasks"}


def looped_includes(tasks: t.Any) -> list[str]:
    """The names of the includes that have a loop, blocks and plays seen through."""
    found = []
    for task in tasks or []:
        if INCLUDES & set(task) and {"loop", "with_items"} & set(task):
            found.append(task["name"])
        for part in ("tasks", "pre_tasks", "post_tasks", "block", "rescue", "always"):
            found += looped_includes(task.get(part))
    return found


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_no_tier_is_included_in_a_loop(path: t.Any) -> None:
    """Ansible merges what several hosts' loops include, in the order in which it sees the first of each.

    So a host whose list is longer than another's gets its own rest last, whatever its order.
    """
    assert looped_includes(load_yaml(path)) == []


def test_a_looped_include_is_seen() -> None:
    task = {"name": "one", "ansible.builtin.include_role": {"name": "x"}, "loop": "{{ tiers }}"}
    assert looped_includes([{"hosts": "all", "tasks": [{"block": [task]}]}]) == ["one"]


def test_every_tier_is_removed_and_the_network_last() -> None:
    roles = [task["ansible.builtin.include_role"]["name"] for task in load_yaml(PLAYBOOKS[-1])]
    tiers = {path.parent.parent.name for path in (ROOT / "roles").glob("*/tasks/absent.yml")}
    assert {name.removeprefix("palier.aws.") for name in roles} == tiers
    assert roles[-1] == "palier.aws.network"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Callback: at the end of a run, what it changed or would change, by stack and tier."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan
type: aggregate
short_description: Print what a run changed, or would change, by stack and tier
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Under C(--check), prints the plan of each stack (inventory host); in a real run, what was changed.
  - Names each task that reported a change below the tier (role) it belongs to, with the loop items that changed and the
    steps and reasons that modules of this collection return as C(plan).
  - At the start of each play, each stack that earlier plays of the run worked on gets the variable C(plan_changes), the
    list of what they changed, or would change, so far; its entries are those of C(changes) below. The playbook C(drift)
    fails when it is not empty.
  - Can write the same as JSON, so that the plan of a check run can be kept and compared with what the real run did.
  - Never prints an item or a result of a task with C(no_log).
options:
  plan_file:
    description:
      - Path of a JSON file to write, with C(check_mode) and C(stacks). For each stack it holds C(changes), a list of
        dictionaries with C(tier), C(task), C(item) and C(steps); the numbers C(ok), C(failed) and C(unreachable); and
        C(seconds), how long the tasks of each tier took.
      - A check run and the real run that follows it have the same C(tier), C(task) and C(item) in their C(changes). The
        C(steps) can differ, since a plan cannot count what hangs on something that is not there yet.
    type: path
    env:
      - name: PALIER_PLAN_FILE
    ini:
      - section: callback_plan
        key: plan_file
requirements:
  - Enabled in ansible.cfg, C(callbacks_enabled = palier.aws.plan), or by E(ANSIBLE_CALLBACKS_ENABLED).
"""

import json
import os
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible_collections.palier.aws.plugins.module_utils.plan import QUIET_VERBS

#: Roles of this collection are tiers, named by the role alone.
PREFIX = "palier.aws."
#: Tier of a task that stands in no role.
NO_TIER = "-"
#: A label longer than this is cut, so that an item that is a large dictionary stays on one line.
LABEL_LENGTH = 80


@dataclass(frozen=True)
class Change:
    """One task, or one item of its loop, that changed something.

    :param tier: short name of the task's role, or C{-}.
    :param task: the task's name.
    :param item: label of the loop's item, or ``None`` without a loop or where C{no_log} hides it.
    :param steps: the module's own steps (``action``, ``resource``, ``reason``), empty for a stock module.
    """

    tier: str
    task: str
    item: str | None = None
    steps: tuple[dict[str, t.Any], ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        """The change as the JSON file holds it."""
        return {"tier": self.tier, "task": self.task, "item": self.item, "steps": list(self.steps)}


@dataclass
class Stack:
    """What a run did on one host.

    :param changes: in the order in which they were reported.
    :param seconds: how long the tasks of each tier took.
    """

    changes: list[Change] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def censored(result: t.Mapping[str, t.Any]) -> bool:
    """Whether C{no_log} hides this result."""
    return bool(result.get("_ansible_no_log") or "censored" in result)


def label(result: t.Mapping[str, t.Any]) -> str | None:
    """What to call a loop's item: its label, its name, or itself on one line.

    :param result: the item's result.
    :returns: ``None`` if C{no_log} hides it.
    """
    if censored(result):
        return None
    value = result.get("_ansible_item_label")
    if value is None:
        value = result.get(str(result.get("ansible_loop_var", "item")))
    if isinstance(value, dict):
        value = next((value[key] for key in ("name", "key") if isinstance(value.get(key), str)), value)
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= LABEL_LENGTH else f"{text[: LABEL_LENGTH - 1]}…"


def steps(result: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], ...]:
    """The steps that a module of this collection returned, without those that change nothing."""
    plan = result.get("plan")
    if censored(result) or not isinstance(plan, list):
        return ()
    return tuple(
        {key: step.get(key) for key in ("action", "resource", "reason")}
        for step in plan
        if isinstance(step, dict) and "action" in step and step["action"] not in QUIET_VERBS
    )


def changes(tier: str, task: str, result: t.Mapping[str, t.Any]) -> list[Change]:
    """The changes that one task's result reports.

    :param tier: see L{Change}.
    :param task: the task's name.
    :param result: the result as callbacks get it; of a loop, only the items that changed count.
    """
    items = result.get("results")
    if isinstance(items, list) and any(isinstance(item, dict) and "changed" in item for item in items):
        changed = [item for item in items if isinstance(item, dict) and item.get("changed")]
        return [Change(tier, task, label(item), steps(item)) for item in changed]
    return [Change(tier, task, None, steps(result))] if result.get("changed") else []


def tier_name(role: str | None) -> str:
    """A role's name without this collection's, or C{-} for no role."""
    return role.removeprefix(PREFIX) if role else NO_TIER


def step_lines(change: Change) -> list[str]:
    """The change's steps, one line each."""
    return [f"{step['action']} {step['resource']} ({step['reason']})" for step in change.steps]


def stack_lines(stack: Stack) -> list[str]:
    """A stack's changes as indented text: tiers, tasks, items and steps, each tier once."""
    lines: list[str] = []
    tiers = list(dict.fromkeys(change.tier for change in stack.changes))
    for tier in tiers:
        lines.append(f"  {tier}")
        task = None
        for change in (change for change in stack.changes if change.tier == tier):
            if change.task != task:
                lines.append(f"    {change.task}")
                task = change.task
            lines += [f"      - {change.item}"] if change.item is not None else []
            lines += [f"        {line}" for line in step_lines(change)]
    return lines


def summary(name: str, stack: Stack, failed: int, check_mode: bool) -> str:
    """The last line of a stack."""
    count = len(stack.changes)
    if check_mode:
        text = f"{count} to change" if count else "nothing to change"
    else:
        text = f"{count} changed" if count else "nothing changed"
    return f"{name}: {text}" + (f", {failed} failed" if failed else "")


def document(stacks: dict[str, Stack], numbers: dict[str, dict[str, int]], check_mode: bool) -> dict[str, t.Any]:
    """What the JSON file holds.

    :param stacks: the run's stacks by host name.
    :param numbers: ``ok``, ``failed`` and ``unreachable`` by host name.
    :param check_mode: whether nothing was really changed.
    """
    return {
        "check_mode": check_mode,
        "stacks": {
            name: {
                "changes": [change.as_dict() for change in stack.changes],
                "seconds": {tier: round(seconds, 3) for tier, seconds in sorted(stack.seconds.items())},
                **numbers[name],
            }
            for name, stack in sorted(stacks.items())
        },
    }


def write_document(path: str, content: dict[str, t.Any]) -> None:
    """Write the JSON file whole or not at all: a reader never finds half a plan.

    :param path: where to.
    :param content: see L{document}.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    part.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(target)


def of(result: t.Any, name: str) -> t.Any:
    """``task``, ``host``, ``result`` or ``task_fields`` of a task result.

    Up to ansible-core 2.18 they have a leading underscore.
    """
    return getattr(result, name) if hasattr(result, name) else getattr(result, f"_{name}")


class CallbackModule(CallbackBase):
    """Collects the changes of a run and shows them at its end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "palier.aws.plan"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: t.Any, **options: t.Any) -> None:
        super().__init__(*arguments, **options)
        self.stacks: dict[str, Stack] = {}
        self.started: dict[tuple[str, str], float] = {}

    @property
    def check_mode(self) -> bool:
        """Whether the whole run is a check run."""
        return bool(context.CLIARGS.get("check"))

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        variables = play.get_variable_manager()
        for name, stack in self.stacks.items():
            so_far = [change.as_dict() for change in stack.changes]
            variables.set_nonpersistent_facts(name, {"plan_changes": so_far})

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        self.started[host.get_name(), task._uuid] = time.monotonic()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self.collect(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:  # noqa: ARG002
        # Items of a loop that changed before one failed are changes.
        self.collect(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self.collect(result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self.collect(result)

    def collect(self, result: t.Any) -> None:
        """Add one finished task to its stack."""
        task = of(result, "task")
        host = of(result, "host").get_name()
        fields = of(result, "task_fields")
        tier = tier_name(task._role.get_name() if task._role else None)
        stack = self.stacks.setdefault(host, Stack())
        started = self.started.pop((host, task._uuid), None)
        if started is not None:
            stack.seconds[tier] = stack.seconds.get(tier, 0.0) + time.monotonic() - started
        if fields.get("check_mode") and not self.check_mode:
            return  # a task that only looks, in a run that changes
        name = str(fields.get("name") or task.name or task.action)
        stack.changes += changes(tier, name, of(result, "result"))

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        numbers = {}
        for name in sorted(self.stacks):
            count = stats.summarize(name)
            numbers[name] = {"ok": count["ok"], "failed": count["failures"], "unreachable": count["unreachable"]}
        self.show(numbers)
        path = self.get_option("plan_file")
        if path:
            write_document(path, document(self.stacks, numbers, self.check_mode))
            self._display.display(f"\n{'Plan' if self.check_mode else 'Changes'} written to {path}")

    def show(self, numbers: dict[str, dict[str, int]]) -> None:
        """Print every stack's changes and its last line."""
        self._display.banner("Plan" if self.check_mode else "Changed")
        for name, stack in sorted(self.stacks.items()):
            if stack.changes:
                self._display.display("\n".join([name, *stack_lines(stack)]), color=C.COLOR_CHANGED)
        for name, stack in sorted(self.stacks.items()):
            failed = numbers[name]["failed"] + numbers[name]["unreachable"]
            colour = C.COLOR_ERROR if failed else C.COLOR_CHANGED if stack.changes else C.COLOR_OK
            self._display.display(summary(name, stack, failed, self.check_mode), color=colour)

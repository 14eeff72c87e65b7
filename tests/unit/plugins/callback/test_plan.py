# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan callback: what it says of a result, and what it must never say."""

from __future__ import annotations

import json
import types
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.callback import plan as subject


def result(role: str | None, name: str, data: dict[str, t.Any], host: str = "shop_prod", **fields: t.Any) -> t.Any:
    """A task result as ansible-core 2.19 hands it to callbacks."""
    owner = types.SimpleNamespace(get_name=lambda: role) if role else None
    task = types.SimpleNamespace(_uuid=name, _role=owner, name=name, action="debug")
    return types.SimpleNamespace(
        task=task,
        host=types.SimpleNamespace(get_name=lambda: host),
        result=data,
        task_fields={"name": name, **fields},
    )


def older(new: t.Any) -> t.Any:
    """The same result as ansible-core 2.17 and 2.18 hand it over."""
    return types.SimpleNamespace(_task=new.task, _host=new.host, _result=new.result, _task_fields=new.task_fields)


class Stats:
    """What the end of a run says of each host."""

    def __init__(self, **failures: int) -> None:
        self.failures = failures

    def summarize(self, name: str) -> dict[str, int]:
        return {"ok": 3, "failures": self.failures.get(name, 0), "unreachable": 0, "changed": 1}


class Screen:
    """Keeps what would be displayed."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def display(self, text: str, color: str | None = None) -> None:
        self.lines += text.splitlines()

    def banner(self, text: str) -> None:
        self.lines.append(f"== {text}")


@pytest.fixture
def callback(monkeypatch: pytest.MonkeyPatch) -> subject.CallbackModule:
    monkeypatch.setattr(subject.context, "CLIARGS", {"check": False})
    plugin = subject.CallbackModule()
    plugin._display = Screen()
    options: dict[str, t.Any] = {"plan_file": None}
    monkeypatch.setattr(plugin, "get_option", options.__getitem__)
    plugin.options = options
    return plugin


class TestLabel:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            ({"item": "web"}, "web"),
            ({"item": 3}, "3"),
            ({"item": {"name": "web", "secret": "hunter2"}}, "web"),
            ({"item": {"key": "a", "value": 1}}, "a"),
            ({"item": {"b": 1, "a": 2}}, '{"a": 2, "b": 1}'),
            ({"item": "x" * 100}, "x" * 79 + "…"),
            ({"item": {"name": "web"}, "_ansible_item_label": "the web"}, "the web"),
            ({"ansible_loop_var": "zone", "zone": "a", "item": "outer"}, "a"),
            ({"item": "hunter2", "_ansible_no_log": True}, None),
            ({"censored": "hidden", "item": "hunter2"}, None),
        ],
    )
    def test_names_the_item(self, data: dict[str, t.Any], expected: str | None) -> None:
        assert subject.label(data) == expected


class TestSteps:
    def test_keeps_what_changes(self) -> None:
        plan = [
            {"action": "create", "resource": "a", "reason": "missing", "extra": 1},
            {"action": "keep", "resource": "b", "reason": "equal"},
            {"action": "skip", "resource": "c", "reason": "excluded"},
        ]
        assert subject.steps({"plan": plan}) == ({"action": "create", "resource": "a", "reason": "missing"},)

    @pytest.mark.parametrize("plan", [None, "text", {"a": 1}, ["text"], [{"no": "action"}]])
    def test_another_module_may_mean_something_else_by_plan(self, plan: t.Any) -> None:
        assert subject.steps({"plan": plan}) == ()

    def test_no_log_hides_them(self) -> None:
        plan = [{"action": "create", "resource": "hunter2", "reason": "missing"}]
        assert subject.steps({"plan": plan, "_ansible_no_log": True}) == ()


class TestChanges:
    def test_a_task_that_changed(self) -> None:
        assert subject.changes("rds", "Create", {"changed": True}) == [subject.Change("rds", "Create")]

    def test_a_task_that_did_not(self) -> None:
        assert subject.changes("rds", "Create", {"changed": False}) == []

    def test_of_a_loop_only_the_items_that_changed(self) -> None:
        data = {"changed": True, "results": [{"changed": True, "item": "a"}, {"changed": False, "item": "b"}]}
        assert subject.changes("rds", "Create", data) == [subject.Change("rds", "Create", "a")]

    def test_results_of_a_module_that_is_no_loop(self) -> None:
        data = {"changed": True, "results": ["installed this", "installed that"]}
        assert subject.changes("rds", "Install", data) == [subject.Change("rds", "Install")]

    def test_items_that_changed_before_one_failed(self) -> None:
        data = {"failed": True, "results": [{"changed": True, "item": "a"}, {"failed": True, "item": "b"}]}
        assert [change.item for change in subject.changes("rds", "Create", data)] == ["a"]


class TestCallback:
    def test_prints_by_stack_and_tier(self, callback: subject.CallbackModule) -> None:
        plan = [{"action": "create", "resource": "flow log", "reason": "none is there"}]
        callback.v2_runner_on_ok(result("palier.aws.network", "Create the VPC", {"changed": True}))
        callback.v2_runner_on_ok(result("palier.aws.network", "Read", {"changed": False}))
        callback.v2_runner_on_ok(result("palier.aws.network", "Log flows", {"changed": True, "plan": plan}))
        items = [{"changed": True, "item": "web"}, {"changed": True, "item": "jobs"}]
        callback.v2_runner_on_ok(result("palier.aws.ec2_app", "Start", {"changed": True, "results": items}))
        callback.v2_runner_on_ok(result(None, "Say", {"changed": False}, host="shop_dev"))
        callback.v2_playbook_on_stats(Stats())
        assert callback._display.lines == [
            "== Changed",
            "shop_prod",
            "  network",
            "    Create the VPC",
            "    Log flows",
            "        create flow log (none is there)",
            "  ec2_app",
            "    Start",
            "      - web",
            "      - jobs",
            "shop_dev: nothing changed",
            "shop_prod: 4 changed",
        ]

    def test_speaks_of_a_plan_in_check_mode(
        self, callback: subject.CallbackModule, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subject.context, "CLIARGS", {"check": True})
        callback.v2_runner_on_ok(result("palier.aws.rds", "Create", {"changed": True}, check_mode=True))
        callback.v2_runner_on_ok(result("palier.aws.rds", "Read", {"changed": False}, host="shop_dev"))
        callback.v2_playbook_on_stats(Stats())
        assert callback._display.lines[0] == "== Plan"
        assert callback._display.lines[-2:] == ["shop_dev: nothing to change", "shop_prod: 1 to change"]

    def test_a_task_that_only_looks_changes_nothing(self, callback: subject.CallbackModule) -> None:
        callback.v2_runner_on_ok(result("palier.aws.rds", "Compare", {"changed": True}, check_mode=True))
        assert callback.stacks["shop_prod"].changes == []

    def test_says_what_failed(self, callback: subject.CallbackModule) -> None:
        callback.v2_runner_on_failed(result(None, "Create", {"failed": True}))
        callback.v2_playbook_on_stats(Stats(shop_prod=1))
        assert callback._display.lines[-1] == "shop_prod: nothing changed, 1 failed"

    def test_reads_results_of_older_ansible(self, callback: subject.CallbackModule) -> None:
        callback.v2_runner_on_ok(older(result("palier.aws.rds", "Create", {"changed": True})))
        assert callback.stacks["shop_prod"].changes == [subject.Change("rds", "Create")]

    def test_a_foreign_role_keeps_its_name(self, callback: subject.CallbackModule) -> None:
        callback.v2_runner_on_ok(result("acme.base.users", "Create", {"changed": True}))
        assert callback.stacks["shop_prod"].changes[0].tier == "acme.base.users"

    def test_adds_up_the_seconds_of_a_tier(
        self, callback: subject.CallbackModule, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = iter([10.0, 12.5, 20.0, 21.0])
        monkeypatch.setattr(subject.time, "monotonic", lambda: next(clock))
        for name in ("Create", "Wait"):
            ended = result("palier.aws.rds", name, {"changed": False})
            callback.v2_runner_on_start(ended.host, ended.task)
            callback.v2_runner_on_ok(ended)
        assert callback.stacks["shop_prod"].seconds == {"rds": 3.5}

    def test_writes_the_file(self, callback: subject.CallbackModule, tmp_path: t.Any) -> None:
        callback.options["plan_file"] = str(tmp_path / "new" / "plan.json")
        callback.v2_runner_on_ok(result("palier.aws.rds", "Create", {"changed": True}))
        callback.v2_runner_on_ok(result(None, "Say", {"changed": False}, host="a_dev"))
        callback.v2_playbook_on_stats(Stats(a_dev=2))
        content = json.loads((tmp_path / "new" / "plan.json").read_text())
        assert content == {
            "check_mode": False,
            "stacks": {
                "a_dev": {"changes": [], "seconds": {}, "ok": 3, "failed": 2, "unreachable": 0},
                "shop_prod": {
                    "changes": [{"tier": "rds", "task": "Create", "item": None, "steps": []}],
                    "seconds": {},
                    "ok": 3,
                    "failed": 0,
                    "unreachable": 0,
                },
            },
        }
        assert list(content["stacks"]) == ["a_dev", "shop_prod"]
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["plan.json"]

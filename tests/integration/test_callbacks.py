# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The callbacks in real ansible-playbook runs, as ansible.cfg enables them."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

SECRET = "testing-hunter2"
PLAYS = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Touch",
                "ansible.builtin.file": {
                    "path": "{{ where }}/{{ inventory_hostname }}-{{ item }}",
                    "state": "directory",
                },
                "loop": ["a", "b"],
            },
            {
                "name": "Hide",
                "ansible.builtin.copy": {"content": SECRET, "dest": "{{ where }}/{{ inventory_hostname }}-{{ item }}"},
                "loop": [SECRET],
                "no_log": True,
            },
            {"name": "Read", "ansible.builtin.stat": {"path": "{{ where }}"}},
        ],
    }
]
INVENTORY = ("-i", "shop_prod,shop_dev,", "-c", "local")


def plan_of(path: Path) -> dict[str, t.Any]:
    """The stacks' changes in a plan file."""
    return {name: stack["changes"] for name, stack in json.loads(path.read_text())["stacks"].items()}


def test_the_plan_is_what_the_run_then_does(ansible_playbook: t.Any, tmp_path: Path) -> None:
    where = tmp_path / "where"
    where.mkdir()
    arguments = (*INVENTORY, "-e", f"where={where}")
    runs = {
        name: ansible_playbook(PLAYS, *arguments, *flags, PALIER_PLAN_FILE=str(tmp_path / f"{name}.json"))
        for name, flags in (("plan", ["--check"]), ("apply", []), ("again", []))
    }
    assert [run.returncode for run in runs.values()] == [0, 0, 0], runs
    planned, applied, again = (plan_of(tmp_path / f"{name}.json") for name in runs)
    assert planned == applied
    assert [(change["task"], change["item"]) for change in planned["shop_prod"]] == [
        ("Touch", "a"),
        ("Touch", "b"),
        ("Hide", None),
    ]
    assert again == {"shop_dev": [], "shop_prod": []}
    assert "shop_prod: 3 to change" in runs["plan"].stdout
    assert "shop_prod: 3 changed" in runs["apply"].stdout
    assert "shop_prod: nothing changed" in runs["again"].stdout
    written = "".join(path.read_text() for path in tmp_path.glob("*.json"))
    assert SECRET not in written + "".join(run.stdout + run.stderr for run in runs.values())


def test_a_long_task_is_not_silent(ansible_playbook: t.Any) -> None:
    task = {"name": "Wait for the database", "ansible.builtin.command": "sleep 1.5", "changed_when": False}
    plays = [{"hosts": "all", "gather_facts": False, "tasks": [task, task]}]
    run = ansible_playbook(plays, *INVENTORY, PALIER_HEARTBEAT_INTERVAL="0.3")
    assert run.returncode == 0, run
    for stack in ("shop_prod", "shop_dev"):
        assert run.stdout.count(f"still waiting: [{stack}] Wait for the database") >= 2
    quiet = ansible_playbook(plays, *INVENTORY, PALIER_HEARTBEAT_INTERVAL="0")
    assert "still waiting" not in quiet.stdout


@pytest.mark.slow
def test_the_heartbeat_survives_many_forks(ansible_playbook: t.Any) -> None:
    """A thread that held a lock across a fork would hang a worker; two hundred forks under a fast beat do not."""
    tasks = [{"name": f"Run {number}", "ansible.builtin.meta": "noop"} for number in range(3)]
    tasks += [{"name": "Say", "ansible.builtin.debug": {"msg": "x"}} for _ in range(50)]
    plays = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
    run = ansible_playbook(plays, "-i", "a,b,c,d,", "-c", "local", PALIER_HEARTBEAT_INTERVAL="0.001")
    assert run.returncode == 0, run
    assert run.stdout.count("ok=50") == 4

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the callback names exists, and a plugin that cannot be loaded stops nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.palier.aws.plugins.callback import preload

ROOT = Path(__file__).parents[4]
#: Run by itself: Ansible's finder of collections would take the place of the tests' own.
LOAD = """
import gc, json, sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([])
from ansible_collections.palier.aws.plugins.callback import preload
preload.CallbackModule().v2_playbook_on_start(None)
missing = [name for plugins, name in preload.PLUGINS if plugins.get(name, class_only=True) is None]
specs = preload.argument_specs.role_options.cache_info().currsize
print(json.dumps([missing, sorted(sys.modules), specs, gc.get_threshold(), gc.get_freeze_count()]))
"""


def test_what_is_named_is_there_before_a_worker_is_forked() -> None:
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible" / "collections")}
    done = subprocess.run([sys.executable, "-c", LOAD], env=environment, check=True, capture_output=True, text=True)
    missing, loaded, specs, threshold, frozen = json.loads(done.stdout)
    assert missing == []
    ours = "ansible_collections.palier.aws.plugins"
    filters = {path.stem for path in (ROOT / "plugins" / "filter").glob("*.py")}
    assert {f"{ours}.filter.{name}" for name in filters} | {f"{ours}.connection.warm"} <= set(loaded)
    assert specs == 1
    assert tuple(threshold) == preload.GARBAGE
    assert frozen > 10_000


class Broken:
    """A plugin loader on which nothing loads."""

    asked: t.ClassVar[list[str]] = []

    def get(self, name: str, class_only: bool) -> None:
        self.asked.append(f"{name} {class_only}")
        raise RuntimeError(name)


def test_what_cannot_be_loaded_is_left_to_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preload, "PLUGINS", ((Broken(), "one"), (Broken(), "other")))
    for name in ("freeze", "set_threshold"):  # the tests' own process goes on
        monkeypatch.setattr(preload.gc, name, lambda *_arguments: None)
    preload.CallbackModule().v2_playbook_on_start(None)
    assert Broken.asked == ["one True", "other True"]

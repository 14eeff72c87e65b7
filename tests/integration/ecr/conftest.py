# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two real registries with faults in front of them, and ECR's control plane over both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from .control import ControlPlane, Region
from .images import Maker
from .proxies import Front
from .registries import MISSING, PlainRegistry, installed

ROOT = Path(__file__).parents[3]
SOURCE, DESTINATION = "eu-west-3", "eu-central-1"


def pytest_configure(config):
    config.addinivalue_line("markers", "ministack: installs and starts MiniStack, whose ECR it uses in two regions")


class World:
    """Everything that a test of the module needs."""

    def __init__(self, source: PlainRegistry, destination: PlainRegistry, fronts: tuple[Front, Front], plane) -> None:
        self.source, self.destination = source, destination
        self.source_front, self.destination_front = fronts
        self.plane: ControlPlane = plane
        self.maker = Maker(source.url)
        self.target_maker = Maker(destination.url, seed=1)

    def arguments(self, *repositories: t.Any, **options: t.Any) -> dict[str, t.Any]:
        """The module's arguments."""
        return {
            "source": {"region": SOURCE},
            "destination": {"region": DESTINATION},
            "repositories": list(repositories),
            "endpoint_url": self.plane.url,
            **options,
        }

    def start(self, *repositories: t.Any, **options: t.Any) -> subprocess.Popen[str]:
        """Start the module in a process of its own."""
        return start_module("ecr_image_sync", self.arguments(*repositories, **options))

    def sync(self, *repositories: t.Any, **options: t.Any) -> dict[str, t.Any]:
        """Run the module to its end."""
        self.plane.calls.clear()
        return finish(self.start(*repositories, **options))

    def check(self, *repositories: t.Any, **options: t.Any) -> dict[str, t.Any]:
        """Run the module in check mode."""
        return self.sync(*repositories, _ansible_check_mode=True, **options)


def start_module(name: str, arguments: dict[str, t.Any]) -> subprocess.Popen[str]:
    """Start a module as Ansible does, arguments on its standard input."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "PYTHONPATH": str(ROOT / ".ansible" / "collections"),
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "NO_PROXY": "127.0.0.1",
    }
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "plugins" / "modules" / f"{name}.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdin
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[str]) -> dict[str, t.Any]:
    """A module's result."""
    output, errors = process.communicate(timeout=300)
    assert output.strip().startswith("{"), output + errors
    result = json.loads(output)
    warnings = result.get("warnings", [])
    # Newer ansible-core wraps them.
    result["warnings"] = [text if isinstance(text, str) else text["event"]["msg"] for text in warnings]
    return result


@pytest.fixture(scope="session")
def registries(tmp_path_factory):
    if not installed():
        pytest.skip(MISSING)
    base = tmp_path_factory.mktemp("registries")
    with PlainRegistry(base / "source") as source, PlainRegistry(base / "destination") as destination:
        yield source, destination


@pytest.fixture(scope="session")
def fronts(registries):
    with Front(registries[0].url) as source, Front(registries[1].url) as destination:
        yield source, destination


@pytest.fixture
def world(registries, fronts):
    """Fresh control plane; tests keep apart by the names of their repositories."""
    source, destination = registries
    for front in fronts:
        front.reset()
    regions = {
        SOURCE: Region(source.store, fronts[0].url),
        DESTINATION: Region(destination.store, fronts[1].url),
    }
    with ControlPlane(regions) as plane:
        made = World(source, destination, fronts, plane)
        yield made
        made.maker.close()
        made.target_maker.close()

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbook sync_images and the role registry: ECR over two real registries, the rest of AWS on the emulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.fixtures import emulator, emulator_process  # noqa: F401

from .conftest import DESTINATION, ROOT, SOURCE
from .registries import MISSING, installed

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not installed(), reason=MISSING)]

INVENTORY = f"""
stacks:
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
    stack_name: shop
    stack_tiers: [registry]
    registry_repositories: [{{name: web}}, {{name: api}}]
  hosts:
    shop_active: {{stack_env: active, stack_region: {SOURCE}}}
    shop_standby: {{stack_env: standby, stack_region: {DESTINATION}, registry_source: shop_active}}
"""
ROLE = """
- hosts: stacks
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: palier.aws.registry, tasks_from: "{{ part }}"}
"""


class Stacks:
    """An active stack and its standby."""

    def __init__(self, world, emulator, folder: Path) -> None:  # noqa: F811
        self.world = world
        self.inventory = folder / "hosts.yml"
        self.inventory.write_text(INVENTORY)
        self.role = folder / "role.yml"
        self.role.write_text(ROLE)
        self.environment = {
            **os.environ,
            **emulator.env,
            "AWS_ENDPOINT_URL_ECR": world.plane.url,
            "NO_PROXY": "127.0.0.1",
        }

    def play(self, playbook, *options, ok=True, **variables) -> str:
        command = [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-i",
            str(self.inventory),
            str(playbook),
            *options,
            "-e",
            json.dumps(variables),
        ]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert (done.returncode == 0) is ok, done.stdout[-6000:] + done.stderr[-3000:]
        return done.stdout

    def push(self) -> None:
        """Push four images to the active stack."""
        for name in ("web", "api"):
            for number in range(2):
                layers = [self.world.maker.layer(1_000_000)]
                self.world.maker.image(f"shop-active-{name}", f"v{number}", layers, label=f"{name} {number}")

    def tags(self, name: str) -> dict[str, str]:
        return self.world.destination.store.tags(f"shop-standby-{name}")


@pytest.fixture
def stacks(world, emulator, tmp_path):  # noqa: F811
    return Stacks(world, emulator, tmp_path)


def test_a_standby_follows_image_by_image_and_is_verified(stacks):
    stacks.play(stacks.role, part="main")
    made = stacks.world.plane.regions[DESTINATION]
    assert made.repositories["shop-standby-web"]["imageTagMutability"] == "IMMUTABLE"
    assert made.tags["shop-standby-web"]["Tier"] == "registry"

    stacks.push()
    failed = stacks.play(stacks.role, "--limit", "shop_standby", ok=False, part="verify")
    assert "4 images of shop_active are not here" in failed

    planned = stacks.play("palier.aws.sync_images", "--check")
    assert stacks.tags("web") == {}
    assert "4 of 4 images were to be copied" in planned

    # What counts as long work is a few megabytes here.
    output = stacks.play("palier.aws.sync_images", registry_sync_progress_above=1_000_000)
    for number, image in enumerate(["web:v0", "web:v1", "api:v0", "api:v1"], start=1):
        assert f"{number} of 4: " in output
        assert f"shop-standby-{image}" in output
    assert "shop_active" not in [line.split()[0] for line in output.splitlines() if "changed=1" in line]
    for name in ("web", "api"):
        assert stacks.tags(name) == stacks.world.source.store.tags(f"shop-active-{name}")

    stacks.play(stacks.role, part="verify")
    again = stacks.play("palier.aws.sync_images")
    assert "changed=0" in again
    assert "0 of 4 images were to be copied" in again

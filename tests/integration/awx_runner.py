# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Jobs as AWX runs them: ansible-runner with a private data directory for each, and what a job said when."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import yaml

from tests import awx_data
from tests.emulator import Emulator
from tests.integration.runner import ROOT, Inventory

#: Seconds for which no run may be silent. AWX installations end a job after some minutes without a word.
SILENCE = 60.0
#: AWX's setting for that, as the customers have it.
IDLE_TIMEOUT = 300
#: A directory that nobody, root included, can make.
NO_HOME = "/dev/null/home"
#: What AWX checks out of the repository, as far as jobs use it.
PROJECT = ("ansible.cfg", "examples", "inventories", "playbooks")

#: What inventories/classic_ec2 says otherwise in AWX, by stack: a job does not see the inventory's directory, so a path
#: starts at the playbooks'. And nothing listens on the application's port.
IN_AWX: dict[str, dict[str, t.Any]] = {
    "classic_prod": {
        "s3_site_source": "{{ playbook_dir }}/../examples/classic_ec2/site",
        "ec2_app_verify_http": False,
    }
}


@dataclass(frozen=True)
class Job:
    """A job that has ended.

    :param status: ansible-runner's word for it: C{successful}, C{failed}, C{timeout}.
    :param output: what it printed.
    :param silence: the longest time in which it printed nothing, in seconds.
    """

    status: str
    output: str
    silence: float

    @property
    def text(self) -> str:
        """The output on one line, since Ansible breaks long messages."""
        return " ".join(self.output.split())


def longest_silence(events: list[dict[str, t.Any]]) -> float:
    """Seconds between the two events furthest apart that follow one another and print something."""
    spoken = sorted(datetime.fromisoformat(event["created"]) for event in events if event["stdout"])
    return max(((after - before).total_seconds() for before, after in pairwise(spoken)), default=0)


def image_environment(directory: Path) -> dict[str, str]:
    """The variables that the execution environment's image sets, with its /tmp in a directory."""
    steps = yaml.safe_load((ROOT / "execution-environment.yml").read_text())["additional_build_steps"]["append_final"]
    words = [word for step in steps for word in step.split() if "=" in word]
    return {name: value.replace("/tmp/", f"{directory}/") for name, value in (word.split("=", 1) for word in words)}


class Launcher:
    """Launches job templates.

    :param emulator: the AWS to run on.
    :param directory: an empty directory.
    :param inventory: name of one of the example inventories.
    :param changes: variables of stacks that differ, by stack.
    """

    def __init__(
        self, emulator: Emulator, directory: Path, inventory: str, changes: dict[str, dict[str, t.Any]]
    ) -> None:
        self.emulator = emulator
        self.directory = directory
        self.templates = awx_data.job_templates()
        self.number = 0
        copy = Inventory(inventory, directory / "inventories")
        for stack, variables in changes.items():
            copy.change(stack, **variables)
        self.inventory = self.imported(copy.path / "hosts.yml")

    def launch(
        self,
        playbook: str,
        *,
        limit: str = "",
        tags: str = "",
        answers: dict[str, t.Any] | None = None,
        idle_timeout: int = IDLE_TIMEOUT,
        environment: dict[str, str] | None = None,
    ) -> Job:
        """Launch the job template of a playbook and wait for its end.

        :param playbook: its name.
        :param limit: hosts.
        :param tags: job tags.
        :param answers: answers to the survey that are no defaults.
        :param idle_timeout: seconds of silence after which ansible-runner ends it.
        :param environment: the credential's variables, default the emulator's.
        """
        self.number += 1
        private = self.directory / f"job_{self.number}"
        template = self.templates[playbook]
        self.prepare(private, awx_data.launch(template, answers), idle_timeout, environment or self.emulator.env)
        command = [str(Path(sys.executable).with_name("ansible-runner")), "run", str(private)]
        command += ["-p", f"playbooks/{playbook}.yml", "--ident", "job", "-q"]
        options = ["--diff"] * template.get("diff", False) + ["--check"] * template.get("check", False)
        options += [f"--tags={tags}"] if tags else []
        # One word, since argparse takes a value that starts with a dash for an option of its own.
        command += [f"--cmdline={' '.join(options)}"] if options else []
        command += ["--limit", limit] if limit else []
        subprocess.run(command, env=self.own_environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return self.result(private / "artifacts" / "job")

    def prepare(
        self, private: Path, variables: dict[str, t.Any], idle_timeout: int, environment: dict[str, str]
    ) -> None:
        """Write a private data directory."""
        for name in PROJECT:
            source, target = ROOT / name, private / "project" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        (private / "inventory").mkdir()
        script = private / "inventory" / "hosts"
        script.write_text(f"#!/usr/bin/env python3\nprint({json.dumps(self.inventory)!r})\n")
        script.chmod(0o700)
        (private / "env").mkdir()
        settings = {"idle_timeout": idle_timeout, "pexpect_timeout": 5}
        for name, content in (("extravars", variables), ("settings", settings), ("envvars", environment)):
            (private / "env" / name).write_text(json.dumps(content))

    def own_environment(self) -> dict[str, str]:
        """What a job's container has: no home, the image's variables, and the collection beside the project."""
        scratch = self.directory / "tmp"
        scratch.mkdir(exist_ok=True)
        foreign = ("ANSIBLE_", "AWS_", "PALIER_")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            **image_environment(scratch),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": NO_HOME,
            "TMPDIR": str(scratch),
            "ANSIBLE_COLLECTIONS_PATH": f"{self.directory}/requirements_collections:{ROOT / '.ansible/collections'}",
        }

    def imported(self, hosts: Path) -> dict[str, t.Any]:
        """The inventory as AWX keeps it after an update from the project."""
        command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(hosts), "--list", "--export"]
        done = subprocess.run(command, env=self.own_environment(), text=True, capture_output=True, check=True)
        listed: dict[str, t.Any] = json.loads(done.stdout)
        return listed

    @staticmethod
    def result(artifacts: Path) -> Job:
        """What ansible-runner left of a job."""
        events = [json.loads(path.read_text()) for path in (artifacts / "job_events").glob("*.json")]
        output = (artifacts / "stdout").read_text()
        return Job((artifacts / "status").read_text().strip(), output, longest_silence(events))

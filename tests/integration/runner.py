# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The collection's playbooks, run on an emulator as a user runs them, and what each run changed, wrote and said."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.emulator import Emulator

ROOT = Path(__file__).resolve().parents[2]
RECAP = re.compile(r"^(?P<stack>\S+)\s+: ok=\d+\s+changed=(?P<changed>\d+)\s.*?failed=(?P<failed>\d+)", re.MULTILINE)
#: The lock of a stack is taken and given back by each run that is no check run: two requests that are no change.
LOCKING = ("ssm:DeleteParameter", "ssm:PutParameter")
#: Seconds after which a run counts as hanging; the longest takes half a minute on an idle machine.
PATIENCE = 1800

#: The connection of all stacks instead of their inventory's, `make test CONNECTION=...`.
CONNECTION = os.environ.get("PALIER_CONNECTION")

#: Stack, tier, task and item of a change.
Change = tuple[str, str, str, str | None]


@dataclass(frozen=True)
class Run:
    """A run that has ended.

    :param code: the exit status.
    :param output: standard output and standard error.
    :param plan: what the plan callback wrote, empty if the run ended before that.
    :param requests: what the emulator was asked meanwhile.
    """

    code: int
    output: str = field(repr=False)
    plan: dict[str, t.Any] = field(repr=False)
    requests: list[dict[str, t.Any]] = field(repr=False)

    @property
    def text(self) -> str:
        """The output on one line, since Ansible breaks long messages."""
        return " ".join(self.output.split())

    @property
    def changes(self) -> list[Change]:
        """What was changed, or would be."""
        return sorted(
            (
                (name, change["tier"], change["task"], change["item"])
                for name, stack in self.plan["stacks"].items()
                for change in stack["changes"]
            ),
            key=repr,
        )

    @property
    def changed(self) -> dict[str, int]:
        """Ansible's own count of changed tasks, by stack."""
        return {match["stack"]: int(match["changed"]) for match in RECAP.finditer(self.output)}

    @property
    def failed(self) -> dict[str, int]:
        """Ansible's own count of failed tasks, by stack."""
        return {match["stack"]: int(match["failed"]) for match in RECAP.finditer(self.output)}

    @property
    def writes(self) -> list[str]:
        """The requests that may have changed something, as C{service:Operation}."""
        return sorted(f"{entry['service']}:{entry['operation']}" for entry in self.requests if entry["write"])

    @property
    def changed_nothing(self) -> bool:
        """Whether neither Ansible nor the emulator knows of a change, but for locks taken and given back."""
        return not any(self.changed.values()) and not self.changes and set(self.writes) <= set(LOCKING)


class Runner:
    """Runs playbooks for one inventory.

    :param emulator: the AWS to run on.
    :param directory: an empty directory; what the runs leave on disk is below it.
    :param inventory: the inventory's directory or file.
    :param keys: the caller's credentials as environment variables; without them it is the account's root user.
    """

    def __init__(
        self, emulator: Emulator, directory: Path, inventory: Path, keys: dict[str, str] | None = None
    ) -> None:
        self.emulator = emulator
        self.directory = directory
        self.inventory = inventory
        self.keys = keys or {}
        #: What the account's IAM was asked in all runs so far; nothing for the root user.
        self.asked: list[t.Any] = []
        self._plan_file = directory / "plan.json"
        for name in ("home", "tmp"):
            (directory / name).mkdir(parents=True, exist_ok=True)

    def play(
        self, playbook: str, *options: str, ok: bool = True, variables: dict[str, t.Any] | None = None, **extra: str
    ) -> Run:
        """Run a playbook to its end.

        :param playbook: its name in playbooks/, without the ending.
        :param options: further options of ansible-playbook.
        :param ok: whether it must succeed.
        :param variables: extra variables, handed over with their types.
        :param extra: further environment variables.
        """
        self.emulator.clear_requests()
        code, output = self._run(self._command(playbook, options, variables), self._environment(extra))
        plan = json.loads(self._plan_file.read_text()) if self._plan_file.exists() else {}
        run = Run(code, output, plan, self.emulator.requests())
        self.asked += [question for entry in run.requests for question in entry.get("asked", ())]
        assert (run.code == 0) is ok, output[-8000:]
        return run

    def kill(self, playbook: str, *options: str, after: int, variables: dict[str, t.Any] | None = None) -> list[str]:
        """Start a playbook and kill it, and all that it started, once it has made so many writes.

        :param after: number of requests that may change something.
        :returns: the writes that the emulator saw.
        """
        self.emulator.clear_requests()
        process = subprocess.Popen(
            self._command(playbook, options, variables),
            cwd=ROOT,
            env=self._environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while len(self.emulator.requests(writes=True)) < after:
                assert process.poll() is None, f"it ended before it had made {after} writes"
                time.sleep(0.02)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return [f"{entry['service']}:{entry['operation']}" for entry in self.emulator.requests(writes=True)]

    def files(self) -> t.Iterator[Path]:
        """Every file that runs have left."""
        return (path for path in self.directory.rglob("*") if path.is_file())

    def _run(self, command: list[str], environment: dict[str, str]) -> tuple[int, str]:
        """Run a command to its end: its exit status and what it wrote."""
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
        )
        return done.returncode, done.stdout

    def _command(self, playbook: str, options: t.Sequence[str], variables: dict[str, t.Any] | None) -> list[str]:
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        # The emulator changes when it is looked at; nobody has to give it AWS's time.
        given = {"stack_poll_interval": 1, **(variables or {})}
        if CONNECTION:
            given["ansible_connection"] = CONNECTION
        return [program, "-i", str(self.inventory), f"playbooks/{playbook}.yml", *options, "-e", json.dumps(given)]

    def _environment(self, extra: dict[str, str]) -> dict[str, str]:
        self._plan_file.unlink(missing_ok=True)
        return {
            **os.environ,
            **self.emulator.env,
            **self.keys,
            "ANSIBLE_HOME": str(self.directory / "home"),
            "ANSIBLE_NOCOLOR": "1",
            "TMPDIR": str(self.directory / "tmp"),
            "PALIER_PLAN_FILE": str(self._plan_file),
            **extra,
        }


class Inventory:
    """A copy of one of the example inventories, to be changed.

    :param name: which one.
    :param directory: where to put the copy.
    """

    def __init__(self, name: str, directory: Path) -> None:
        self.path = directory / name
        shutil.copytree(ROOT / "inventories" / name, self.path)

    def read(self, stack: str) -> dict[str, t.Any]:
        """The variables of a stack."""
        variables: dict[str, t.Any] = yaml.safe_load(self._file(stack).read_text(encoding="utf-8"))
        return variables

    def change(self, stack: str, **variables: t.Any) -> None:
        """Set variables of a stack."""
        text = yaml.safe_dump({**self.read(stack), **variables}, sort_keys=False)
        self._file(stack).write_text(text, encoding="utf-8")

    def _file(self, stack: str) -> Path:
        return self.path / "host_vars" / f"{stack}.yml"

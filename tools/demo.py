# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make demo``: the first example system, from an empty account to a verified one, on the local emulator.

Shows the plan, deploys, backs up, verifies, deploys again, and reads out of the account what was built. The whole
output of each run stands in .cache/demo. ``DEMO_KEEP=1`` keeps the emulator until Ctrl-C.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from tools.collection import ALIVE, BIN, COLLECTION, ROOT, environment

#: Where the logs, the plans and the emulator's environment are written.
CACHE = ROOT / ".cache" / "demo"
TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?P<name>.*?)\](?: \[CHECK MODE\])? \*+$")
#: The example system that is deployed.
INVENTORY = "classic_ec2"
MESSAGE = re.compile(r"^ {4}msg: (?P<text>.*)$")
OK = re.compile(r"^ok: \[(?P<stack>[^\] ]+)")
#: The plan callback's heading, after which nothing but its summary comes.
SUMMARY = re.compile(r"^(?:Plan|Changed) \*+$")
RECAP = re.compile(r"^(?P<stack>\S+)\s+: ok=(?P<ok>\d+)\s+changed=(?P<changed>\d+)\s.*failed=(?P<failed>\d+)")


class DemoError(Exception):
    """A step of the demonstration did not do what it should."""


def heading(text: str) -> None:
    """Begin a chapter."""
    print(f"\n\033[1m{text}\033[0m\n{'─' * len(text)}" if sys.stdout.isatty() else f"\n{text}\n{'-' * len(text)}")


def tier_of(task: str) -> str | None:
    """The tier that a task belongs to by its role, or ``None``.

    :param task: the name in ansible-playbook's heading: ``palier.aws.rds : Create the subnet group``.
    """
    role, colon, _name = task.partition(" : ")
    return role.removeprefix(f"{COLLECTION}.") if colon and role.startswith(f"{COLLECTION}.") else None


def summary_of(lines: t.Sequence[str]) -> list[str]:
    """What the plan callback printed at the end of a run."""
    for number, line in enumerate(lines):
        if SUMMARY.match(line):
            return [text for text in lines[number + 1 :] if text.strip()]
    return []


def recap(lines: t.Iterable[str]) -> dict[str, dict[str, int]]:
    """``ok``, ``changed`` and ``failed`` of each stack, from the play recap."""
    found = (RECAP.match(line) for line in lines)
    return {match["stack"]: {key: int(match[key]) for key in ("ok", "changed", "failed")} for match in found if match}


def changes(path: Path) -> list[tuple[str, str, str, str]]:
    """The changes in a plan file as stack, tier, task and loop item, in an order that two files can be compared in.

    A module's own steps may differ: a plan cannot count the routes of route tables that are not there yet.
    """
    stacks = json.loads(path.read_text())["stacks"]
    found = ((name, change) for name in stacks for change in stacks[name]["changes"])
    return sorted((name, change["tier"], change["task"], change["item"] or "") for name, change in found)


@dataclass
class Verified:
    """What a run of verify.yml found.

    :param checks: the stacks in which a check passed, by tier and check, in order.
    :param notes: what it says that it left out.
    """

    checks: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def verified(lines: t.Iterable[str]) -> Verified:
    """Read the output of verify.yml: tasks that look or read are no checks, tasks that say are notes.

    :param lines: the output.
    """
    found = Verified()
    tier, name = None, ""
    for line in lines:
        task, fine, said = TASK.match(line), OK.match(line), MESSAGE.match(line)
        if task:
            tier, (_role, _verify, name) = tier_of(task["name"]), task["name"].partition(" : Verify | ")
        elif said and name.startswith("Say "):
            found.notes.append(said["text"])
        elif found.notes and name.startswith("Say ") and line.startswith(" " * 8):
            found.notes[-1] += f" {line.strip()}"  # a long text goes on in the next line
        elif fine and tier and name and not name.startswith(("Look ", "Read ", "Say ")):
            stacks = found.checks.setdefault((tier, name), [])
            stacks += [] if fine["stack"] in stacks else [fine["stack"]]
    found.notes = list(dict.fromkeys(found.notes))
    return found


def follow(lines: t.Iterable[str], log: t.TextIO) -> list[str]:
    """Keep a run's output in its log and show only which tier it is at, and signs of life.

    :param lines: the output as it comes.
    :param log: gets all of it.
    :returns: all of it.
    """
    kept: list[str] = []
    shown: list[str] = []
    for line in lines:
        log.write(line)
        kept.append(line.rstrip("\n"))
        task = TASK.match(line)
        tier = tier_of(task["name"]) if task else None
        if tier and shown[-1:] != [tier]:
            print(f"  … {tier}", flush=True)
            shown.append(tier)
        elif line.startswith(ALIVE):
            print(f"    {line.strip()}", flush=True)
    return kept


class Demo:
    """One demonstration.

    :param variables: the emulator's environment.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables

    def play(self, step: str, playbook: str, *arguments: str) -> list[str]:
        """Run a playbook of the collection.

        :param step: name of its log and its plan file.
        :param playbook: name of the playbook.
        :param arguments: further arguments of ansible-playbook.
        :returns: its output.
        :raises DemoError: it failed; the end of its output has been printed.
        """
        command = ["ansible-playbook", "-i", f"inventories/{INVENTORY}", f"playbooks/{playbook}.yml", *arguments]
        print(f"  $ {shlex.join(command)}", flush=True)
        log = CACHE / f"{step}.log"
        started = time.monotonic()
        variables = environment(**self.variables, PALIER_PLAN_FILE=str(CACHE / f"{step}.json"), ANSIBLE_NOCOLOR="1")
        with (
            log.open("w") as stream,
            subprocess.Popen(
                [str(BIN / command[0]), *command[1:]],
                cwd=ROOT,
                env=variables,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            lines = follow(process.stdout or (), stream)
        if process.returncode:
            print("\n".join(lines[-40:]))
            raise DemoError(f"{playbook}.yml ended with {process.returncode}; all of its output: {log}")
        print(f"  done in {time.monotonic() - started:.0f} s; all of its output: {log.relative_to(ROOT)}\n")
        return lines

    def run(self) -> None:
        """All chapters.

        :raises DemoError: the first step that did not do what it should.
        """
        heading("1. The plan: what a deployment of the empty account would do")
        print("\n".join(summary_of(self.play("plan", "deploy", "--check", "--diff"))))

        heading("2. The deployment")
        lines = self.play("deploy", "deploy")
        print("\n".join(line for line in summary_of(lines) if not line.startswith((" ", "Changes written"))))
        planned, done = changes(CACHE / "plan.json"), changes(CACHE / "deploy.json")
        if planned != done:
            differing = "\n".join(" / ".join(change) for change in sorted(set(planned) ^ set(done)))
            raise DemoError(f"the plan named {len(planned)} changes, the deployment made {len(done)}:\n{differing}")
        print(f"It made the {len(done)} changes that the plan had named, and no other.")

        heading("3. The first backup, which the verification asks for")
        print("\n".join(summary_of(self.play("backup", "backup"))))

        heading("4. The verification: what a customer would check")
        # Behind the emulator's account stand no machines that could serve the application's page.
        found = verified(self.play("verify", "verify", "-e", "ec2_app_verify_http=false"))
        for (tier, check), stacks in found.checks.items():
            print(f"  ok  {tier}: {check} ({', '.join(sorted(stacks))})")
        for note in found.notes:
            print(f"  --  {note}")

        heading("5. The deployment again: nothing is left to do")
        totals = recap(self.play("again", "deploy"))
        for stack, numbers in totals.items():
            print(f"  {stack}: ok={numbers['ok']} changed={numbers['changed']}")
        if any(numbers["changed"] for numbers in totals.values()):
            raise DemoError("a second deployment changed something")


def main() -> int:
    """Run the demonstration.

    :returns: 0, or 1 with the reason printed.
    """
    from tests.emulator import Emulator
    from tools import account

    CACHE.mkdir(parents=True, exist_ok=True)
    print(f"palier.aws: {INVENTORY}, on a local emulator of AWS. No request leaves this machine.")
    with Emulator(log=CACHE / "requests.jsonl") as emulator:
        try:
            Demo(emulator.env).run()
            heading("6. What was built, read from the account")
            print("\n".join(account.report(emulator.client, account.regions(ROOT / "inventories" / INVENTORY))))
            print(f"\nLogs, plans and every AWS request: {CACHE.relative_to(ROOT)}/")
            keep(emulator.env)
        except DemoError as error:
            print(f"\nThe demonstration stopped: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nStopped.")
    return 0


def keep(variables: dict[str, str]) -> None:
    """With ``DEMO_KEEP=1``, say how to reach the emulator and wait for Ctrl-C."""
    if os.environ.get("DEMO_KEEP") != "1":
        print("The emulator ends now. DEMO_KEEP=1 make demo keeps it running, to look around in it.")
        return
    env_file = CACHE / "env"
    env_file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))
    command = f".venv/bin/ansible-playbook -i inventories/{INVENTORY} playbooks/verify.yml"
    print(f"The emulator runs until Ctrl-C at {variables['AWS_ENDPOINT_URL']}. To use it in another terminal:")
    print(f"  . {env_file.relative_to(ROOT)} && {command}")
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a playbook with one connection or the other, and makes results comparable."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
#: The ansible-playbook to test with: set it to another environment's to test with that one's ansible-core.
PROGRAM = os.environ.get("WARM_TEST_ANSIBLE_PLAYBOOK", str(Path(sys.executable).parent / "ansible-playbook"))
#: What no two runs have in common: time, process ids, random names, file times.
VOLATILE = re.compile(
    r"start|end|delta|elapsed|pid|ansible_job_id|results_file|started|[acm]time|inode|version|ansible_env|"
    r"_ansible_.*|_original_basename|ClientToken|date|.*request_?id|.*request-id|x-amz-id-2"
)
#: Random texts; and code that is kept loaded comes from the installed files, not from a payload's archive.
RANDOM = (
    (re.compile(r"/tmp/ansible_[\w.]+_payload_\w+/ansible_[\w.]+_payload.zip/"), "INSTALLED/"),
    (re.compile(r"ansible_[\w.]+_payload_\w+"), "PAYLOAD"),
    (re.compile(r"/[^\s\"']*/site-packages/(?=ansible)"), "INSTALLED/"),
    (re.compile(r"Signature=[^&]+&Expires=\d+"), "SIGNATURE"),
    (re.compile(r"AROA[A-Z0-9]+"), "AROA"),
    # A traceback shows the source of an installed file, and none of a file in an archive.
    (re.compile(r"(?m)^    .*\n"), ""),
    (re.compile(r"ansible-tmp-[\d.]+-\d+-\d+"), "TMP"),
    (re.compile(r"ansible-moduletmp-[\w.-]+"), "MODULETMP"),
    (re.compile(r"ansible-local-\w+"), "LOCAL"),
    (re.compile(r"zzz\w+"), "RANDOM"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+|\d:\d\d:\d\d\.\d+"), "TIME"),
    (re.compile(r"/tmp\w{8}/"), "/RANDOM/"),
    (re.compile(r"0x[0-9a-f]+"), "ADDRESS"),
    (re.compile(r"\b\d+ (?=Killed|Segmentation|Terminated)"), "PID "),
)


@dataclasses.dataclass
class Run:
    """What came of a run."""

    code: int
    output: str
    results: list[dict[str, t.Any]]

    def result(self, task: str) -> dict[str, t.Any]:
        """The result of the first task of that name."""
        return next(line["result"] for line in self.results if line["task"].rpartition(" : ")[2] == task)

    def outcomes(self) -> list[tuple[str, str]]:
        """Each task and how it ended."""
        return [(line["task"], line["outcome"]) for line in self.results]


def environment(record: Path, **extra: str) -> dict[str, str]:
    """A clean environment for ansible-playbook."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_", "MOLECULE_"))}
    return {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible" / "collections"),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "ANSIBLE_LIBRARY": str(HERE / "library"),
        "ANSIBLE_NOCOLOR": "1",
        "RECORD": str(record),
        **extra,
    }


def command(playbook: Path, connection: str, *options: str) -> list[str]:
    """The ansible-playbook command line."""
    inventory = [] if "-i" in options else ["-i", str(HERE / "hosts.yml")]
    return [PROGRAM, *inventory, "-e", f"ansible_connection={connection}", *options, str(playbook)]


def run(playbook: Path, connection: str, scratch: Path, *options: str, **extra: str) -> Run:
    """Run a playbook to its end.

    :param scratch: an empty directory for what the run leaves, which the playbook knows as ``scratch``.
    """
    record = scratch.parent / f"{scratch.name}.{connection}.jsonl"
    record.touch()
    scratch.mkdir(exist_ok=True)
    done = subprocess.run(
        [*command(playbook, connection, *options), "-e", json.dumps({"scratch": str(scratch)})],
        # The warm connection pipelines unasked; the reference has to be told.
        env=environment(record, **({"ANSIBLE_PIPELINING": "1"} if connection == "local" else {}), **extra),
        cwd=scratch.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="surrogateescape",
        timeout=1800,
    )
    results = [json.loads(line) for line in record.read_text(encoding="utf-8", errors="surrogateescape").splitlines()]
    return Run(done.returncode, done.stdout, results)


def comparable(value: t.Any, replace: t.Mapping[str, str]) -> t.Any:
    """A result without what no two runs have in common.

    :param replace: texts to replace, such as the name of the scratch directory.
    """
    if isinstance(value, dict):
        return {key: comparable(entry, replace) for key, entry in value.items() if not VOLATILE.fullmatch(str(key))}
    if isinstance(value, list):
        return [comparable(entry, replace) for entry in value]
    if isinstance(value, str):
        for old, new in replace.items():
            value = value.replace(old, new)
        for pattern, new in RANDOM:
            value = pattern.sub(new, value)
    return value


def differences(one: t.Any, other: t.Any, where: str = "") -> list[str]:
    """Each field in which two results differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in sorted({*one, *other}):
            found += differences(one.get(key, "<absent>"), other.get(key, "<absent>"), f"{where}.{key}")
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for index, pair in pairs for line in differences(*pair, f"{where}[{index}]")]
    return [] if one == other else [f"{where}: {one!r:.300} != {other!r:.300}"]

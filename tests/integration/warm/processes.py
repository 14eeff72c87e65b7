# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds the processes of a run, and waits for what happens to them."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from pathlib import Path


def started_by(mark: str) -> list[int]:
    """Processes, other than this one, that have C(mark) in their environment or in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            seen = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
            if mark.encode() in seen and not (entry / "stat").read_text().rpartition(") ")[2].startswith("Z"):
                found.append(int(entry.name))
    return found


def interpreters(mark: str) -> list[int]:
    """The warm interpreters (and their keepers) among the processes that were started in a home of that name."""
    return [pid for pid in started_by(mark) if b"warm_interpreter.py" in _command(pid)]


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def until(condition: t.Callable[[], t.Any], seconds: float = 60) -> t.Any:
    """Wait until a condition holds, and return what it gave; its last answer when time runs out."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer


def memory(pid: int) -> bytes:
    """All that a process holds in writable memory.

    :raises PermissionError: when the system does not let one look.
    """
    parts = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            span, rights, *_rest = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(number, 16) for number in span.split("-"))
            with contextlib.suppress(OSError, ValueError, OverflowError):
                mem.seek(start)
                parts.append(mem.read(end - start))
    return b"".join(parts)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run that was killed has left, which the next one takes away.

A run that ends, however badly, takes away what it has made; one that is killed (SIGKILL) cannot. So everything of a run
carries its mark, the process that leads it: ``<process id>-<when it started>``. Its processes inherit it in
L{VARIABLE}, its directories have it in their names, its containers and networks in their labels. What carries the mark
of a process that is there no more is swept; what carries none, or that of a living one, is somebody else's and stays.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

#: In which a run's processes find its mark.
VARIABLE = "PALIER_RUN"
#: A run's mark in a name that is ours.
MARKED = re.compile(r"^palier-[a-z]+-(?P<mark>\d+-\d+)-")
#: Labels of containers, networks and volumes whose values are names with a mark: the machines', MiniStack's.
LABELS = ("palier.boot", "ministack.instance")
#: Where runs have directories beside the one for temporary files, since the name of a socket must be short.
SOCKETS = Path("/run")
PROC = Path("/proc")
#: Seconds that processes get to end in order, an engine with its containers among them.
PATIENCE = 60


class Process(t.NamedTuple):
    """A process; its number alone may be another's the next moment."""

    number: int
    started: str
    parent: int
    name: str


def process(number: int) -> Process | None:
    """What the kernel says of a process.

    :returns: ``None`` if there is none, or only what its parent has not asked after.
    """
    try:
        text = (PROC / str(number) / "stat").read_text()
    except OSError:
        return None
    # Its name, in brackets, may hold anything (proc(5)); state, parent and start are the 3rd, 4th and 22nd field.
    name, fields = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else Process(number, fields[19], int(fields[1]), name)


def mark() -> str:
    """The mark of the run that this process leads, or belongs to."""
    own = process(os.getpid())
    return os.environ.get(VARIABLE) or f"{os.getpid()}-{own.started if own else 0}"


def is_dead(marked: str) -> bool:
    """Whether the process that a mark names is there no more; no, where nobody can say."""
    number, _hyphen, started = marked.partition("-")
    if not (PROC / "self" / "stat").exists() or not started.isdigit():
        return False
    found = process(int(number))
    return found is None or found.started != started


def mark_in(name: str) -> str:
    """The mark in a name of ours, empty if there is none."""
    found = MARKED.match(name)
    return found["mark"] if found else ""


def left(name: str) -> bool:
    """Whether something with this name was left by a run that was killed."""
    found = mark_in(name)
    return bool(found) and is_dead(found)


# -- processes ---------------------------------------------------------------------------------------------------------


def environment_mark(number: int) -> str:
    """The mark that a process was started with, empty if there is none or it is not ours to read."""
    try:
        content = (PROC / str(number) / "environ").read_bytes()
    except OSError:
        return ""
    prefix = f"{VARIABLE}=".encode()
    found = [entry[len(prefix) :] for entry in content.split(b"\0") if entry.startswith(prefix)]
    return found[0].decode(errors="replace") if found else ""


def processes() -> list[Process]:
    """Every process of this machine."""
    numbers = [int(path.name) for path in PROC.iterdir() if path.name.isdigit()] if PROC.is_dir() else []
    return [one for one in map(process, numbers) if one]


def with_descendants(roots: t.Iterable[int], every: t.Sequence[Process]) -> set[int]:
    """Processes and all that they started: what runs in a container carries no mark, the one that started it does."""
    found, children = set(), set(roots)
    while children:
        found |= children
        children = {one.number for one in every if one.parent in children} - found
    return found


def ancestors(number: int, every: t.Sequence[Process]) -> set[int]:
    """A process and those that it comes from."""
    parents = {one.number: one.parent for one in every}
    found: set[int] = set()
    while number in parents and number not in found:
        found.add(number)
        number = parents[number]
    return found


def left_processes(every: t.Sequence[Process]) -> tuple[list[Process], list[Process]]:
    """What still runs of runs that were killed.

    :param every: all processes.
    :returns: those to ask to end, which end the others in order, and all of them.
    """
    marks = {one.number: environment_mark(one.number) for one in every}
    living = {one for one in marks.values() if one and not is_dead(one)}
    dead = {number for number, found in marks.items() if found and found not in living}
    # Whoever sweeps may itself have been started by such a run, and so may a run that is alive.
    leaders = {os.getpid(), *(int(one.partition("-")[0]) for one in living)}
    kept = set.union(with_descendants(leaders, every), *(ancestors(leader, every) for leader in leaders))
    if living:
        # It may be using the engine of the one that was killed.
        kept |= with_descendants({one.number for one in every if one.name == "dockerd"}, every)
    ours = with_descendants(dead - kept, every) - kept
    first = [one for one in every if one.number in dead & ours and one.parent not in ours]
    return first, [one for one in every if one.number in ours]


def still(found: t.Iterable[Process]) -> list[Process]:
    """Those that are there yet, and are the same."""
    now = [(one, process(one.number)) for one in found]
    return [one for one, current in now if current and current.started == one.started]


def end(found: list[Process], number: signal.Signals, patience: float) -> None:
    """Send a signal to processes, and wait until they are gone."""
    for one in still(found):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one.number, number)
    until = time.monotonic() + patience
    while still(found) and time.monotonic() < until:
        time.sleep(0.05)


def end_processes() -> list[str]:
    """End what still runs of runs that were killed.

    :returns: what there was.
    """
    first, ours = left_processes(processes())
    end(first, signal.SIGTERM, PATIENCE)
    # What an engine did not end, an engine that was killed itself for one.
    _first, later = left_processes(processes())
    end(list({*ours, *later}), signal.SIGKILL, PATIENCE)
    return [f"process {one.number} ({one.name})" for one in ours]


# -- directories and mounts --------------------------------------------------------------------------------------------


def mounts_below(directory: Path) -> list[str]:
    """Where something is mounted in a directory, the innermost first."""
    try:
        lines = (PROC / "self" / "mounts").read_text().splitlines()
    except OSError:
        return []
    # Spaces and the like are written as octal numbers (fstab(5)).
    places = [re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), line.split()[1]) for line in lines]
    return sorted((place for place in places if Path(place).is_relative_to(directory)), key=len, reverse=True)


def unmount(directory: Path) -> list[str]:
    """Unmount everything in a directory.

    :returns: what there was.
    """
    found = mounts_below(directory)
    for place in found:
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True, stdin=subprocess.DEVNULL)
    return [f"mount {place}" for place in found]


def remove_directories(*places: Path) -> list[str]:
    """Remove the directories of runs that were killed.

    :param places: where such directories stand.
    :returns: what there was.
    """
    found = [path for place in places if place.is_dir() for path in sorted(place.glob("palier-*")) if left(path.name)]
    gone = []
    for path in found:
        gone += [*unmount(path), f"directory {path}"]
        if not mounts_below(path):
            shutil.rmtree(path, ignore_errors=True)
    return gone


# -- the engine --------------------------------------------------------------------------------------------------------


def labelled(listing: str) -> list[str]:
    """The ids of what runs that were killed have left.

    :param listing: an id and the labels' values, a line each.
    """
    return [line.split()[0] for line in listing.splitlines() if any(left(value) for value in line.split()[1:])]


def empty_engine(output: t.Callable[..., str], quietly: t.Callable[..., bool]) -> list[str]:
    """Remove what runs that were killed have left in the engine.

    :param output: what a command writes.
    :param quietly: runs a command.
    :returns: what there was.
    """
    form = "{{.ID}} " + " ".join(f'{{{{.Label "{label}"}}}}' for label in LABELS)
    found = []
    for kind, listing, removal in (
        ("container", ("ps", "--all"), ("rm", "--force", "--volumes")),
        ("network", ("network", "ls"), ("network", "rm")),
        ("volume", ("volume", "ls"), ("volume", "rm", "--force")),
    ):
        columns = form.replace(".ID", ".Name") if kind == "volume" else form
        for name in labelled(output("docker", *listing, "--format", columns)):
            found.append(f"{kind} {name}")
            quietly("docker", *removal, name)
    return found


# -- a run -------------------------------------------------------------------------------------------------------------


def sweep(*places: Path) -> list[str]:
    """Take away what runs that were killed have left outside the engine: processes, mounts, directories.

    :param places: where their directories stand, else where temporary files and sockets do.
    :returns: what there was.
    """
    ended = end_processes()
    return ended + remove_directories(*(places or (Path(tempfile.gettempdir()), SOCKETS)))


@contextlib.contextmanager
def marked() -> t.Iterator[str]:
    """A run: what is started and made meanwhile carries its mark, temporary files stand in a directory of its own.

    :returns: the mark.
    """
    before = {name: os.environ.get(name) for name in (VARIABLE, "TMPDIR")}
    os.environ.pop(VARIABLE, None)
    own = mark()
    with tempfile.TemporaryDirectory(prefix=f"palier-run-{own}-") as directory:
        # Those who build images and look for packages there are not only us.
        Path(directory).chmod(0o755)
        try:
            os.environ.update({VARIABLE: own, "TMPDIR": directory})
            tempfile.tempdir = None
            yield own
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                os.environ.update({name: value} if value is not None else {})
            tempfile.tempdir = None

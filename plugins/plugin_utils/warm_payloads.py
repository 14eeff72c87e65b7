# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps the payloads that Ansible makes of modules for the runs to come.

Ansible gathers a module's support code by parsing some eighty files, a quarter of a second for each module, and keeps
the archive for the length of the run, in its temporary directory. What it makes of the AWS collections' modules depends
on files that seldom change: they are kept under a digest of these, and linked into the next run's directory. An archive
holds source code alone, no arguments.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import typing as t

#: The collections whose modules are kept; they import one another's support code, and no other collection's.
COLLECTIONS = ("amazon.aws", "community.aws", "palier.aws")
#: Where Ansible keeps a run's archives, below its temporary directory.
RUN_DIRECTORY = "ansiballz_cache"
#: Below Ansible's home.
DIRECTORY = "palier.aws.payloads"
#: In the run's directory, a link to where its archives are kept.
MARK = "palier.aws.kept"
#: States of the sources, such as those of two virtual environments, whose archives are kept. Each is about 15 MiB.
KEPT_STATES = 4

_PREFIXES = tuple(f"ansible_collections.{name}.plugins.modules." for name in COLLECTIONS)
#: Ansible's own unfinished files and locks.
_SUFFIXES = ("-part", ".lock")


class Store(t.NamedTuple):
    """Where archives are, and what they are made from.

    :param home: Ansible's home directory.
    :param temporary: the run's temporary directory.
    :param core: the directory of the C(ansible) package.
    :param version: ansible-core's version.
    :param collections: the directories in which the run looks for collections.
    """

    home: str
    temporary: str
    core: str
    version: str
    collections: tuple[str, ...]

    @property
    def run(self) -> str:
        """The directory of this run's archives."""
        return os.path.join(self.temporary, RUN_DIRECTORY)


def restore(store: Store, shadows: bool) -> None:
    """Let a run that has made no payload yet find those of the runs before.

    :param shadows: whether the run has support code of its own, which may take the place of what was kept; then
        what was linked goes again.
    """
    with contextlib.suppress(OSError):
        if shadows:
            _unlink(store.run)
        elif not os.path.isdir(store.run):
            _link(state_directory(store), store)


def save(store: Store, shadows: bool) -> None:
    """Keep what this run has made so far.

    :param shadows: see L{restore}.
    """
    with contextlib.suppress(OSError):
        made = [] if shadows else [entry for entry in os.scandir(store.run) if _is_ours(entry)]
        if made:
            kept = os.readlink(os.path.join(store.run, MARK))
            # Somebody may have edited a file since the run began: of which state an archive is, nobody knows then.
            for entry in made if os.path.basename(kept) == digest(store) else ():
                _keep(entry.path, os.path.join(kept, entry.name))


def state_directory(store: Store) -> str:
    """The private directory of the sources' present state; it is made, and old ones removed, where it is not there.

    :raises OSError: when there can be none that is the user's alone.
    """
    parent = os.path.join(store.home, DIRECTORY)
    os.makedirs(parent, mode=0o700, exist_ok=True)
    _check_private(parent)
    directory = os.path.join(parent, digest(store))
    if not os.path.isdir(directory):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        _forget(parent)
    return directory


def digest(store: Store) -> str:
    """Stands for the state of all files that a kept payload may be made from: path, size and time of change."""
    found = hashlib.sha256(store.version.encode())
    for root in _roots(store):
        for directory, _directories, names in sorted(os.walk(root, followlinks=True)):
            for name in sorted(names):
                if name.endswith((".py", ".yml")):
                    path = os.path.join(directory, name)
                    status = os.stat(path)
                    found.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return found.hexdigest()[:32]


def _roots(store: Store) -> list[str]:
    roots = [os.path.join(store.core, part) for part in ("executor", "module_utils", "_internal/_ansiballz")]
    for name in COLLECTIONS:
        places = [os.path.join(path, "ansible_collections", *name.split(".")) for path in store.collections]
        standing = [place for place in places if os.path.isdir(place)]
        roots += [os.path.join(place, part) for place in standing for part in ("meta", "plugins/modules")]
        roots += [os.path.join(place, "plugins/module_utils") for place in standing]
    return roots


def _link(kept: str, store: Store) -> None:
    new = tempfile.mkdtemp(prefix=RUN_DIRECTORY, dir=store.temporary)
    try:
        os.symlink(kept, os.path.join(new, MARK))
        for name in os.listdir(kept):
            if name.startswith(_PREFIXES):
                os.symlink(os.path.join(kept, name), os.path.join(new, name))
        os.rename(new, store.run)
    except OSError:
        # Another worker was faster; its links are as good.
        shutil.rmtree(new)
    os.utime(kept)


def _check_private(directory: str) -> None:
    status = os.lstat(directory)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError(f"{directory} is not private to the user")


def _is_ours(entry: os.DirEntry[str]) -> bool:
    named = entry.name.startswith(_PREFIXES) and not entry.name.endswith(_SUFFIXES)
    return named and entry.is_file(follow_symlinks=False)


def _keep(made: str, kept: str) -> None:
    """Copy an archive so that nobody finds half of it, and leave a link in its place, which says that it is kept."""
    handle, new = tempfile.mkstemp(prefix="new-", dir=os.path.dirname(kept))
    os.close(handle)
    shutil.copyfile(made, new)
    os.rename(new, kept)
    link = f"{made}.kept-part"
    with contextlib.suppress(FileExistsError):
        os.symlink(kept, link)
        os.rename(link, made)


def _unlink(directory: str) -> None:
    for entry in os.scandir(directory):
        if entry.is_symlink():
            os.unlink(entry.path)


def _forget(parent: str) -> None:
    states = sorted(os.scandir(parent), key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)
    for state in states[:-KEPT_STATES]:
        shutil.rmtree(state.path, ignore_errors=True)

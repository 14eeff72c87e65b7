# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The warm interpreter: one Python that has the AWS libraries loaded, and forks a child for each module.

The connection plugin C(palier.aws.warm) starts this file as a program of its own, so it imports nothing but the
standard library until it serves. Three kinds of process take part in a task:

* the *interpreter* accepts a request, forks, and never reads a byte of it;
* the *keeper*, its child, stands where C(/bin/sh) stands in the local connection: it leads a session of its own, waits
  for the module and says how the module ended;
* the *module's process*, the keeper's child, becomes as nearly as possible what C(python < payload) would be.

The payload, the output and the errors travel through pipes that the Ansible worker made, exactly as they do with the
local connection. The request itself holds the working directory, the environment and the three ends of those pipes.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import types
import typing as t
import warnings
import zipfile
import zlib

#: What the keeper sends once the module's process exists; before it, the worker may still choose another way.
STARTED = b"+"
#: What the worker sends before it hangs up on a module that it leaves running (a task that timed out).
DETACH = b"-"
#: How the module ended: exit code, or minus the number of the signal that ended it.
STATUS = struct.Struct("!i")
#: Length of a request, before the request itself.
LENGTH = struct.Struct("!I")
#: Size of SO_PEERCRED's answer: pid, uid, gid.
CREDENTIALS = struct.Struct("3i")
#: Variables that steer an interpreter's start. A task that changes one of them gets an interpreter of its own.
START_VARIABLE = re.compile(r"PYTHON|LD_|LC_|LANG|MALLOC_|GLIBC_|OPENSSL_|(HOME|LANGUAGE)$")
#: Variables that a POSIX shell sets for the command that it runs.
SHELL_VARIABLES = ("PWD", "OLDPWD", "SHLVL", "_")
#: Packages whose modules travel inside Ansible's payload.
PAYLOAD_PACKAGES = ("ansible", "ansible_collections")
#: Packages outside the standard library that may be kept loaded: known to start no thread and to open nothing.
LIBRARIES = frozenset({"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "certifi", "six"})
#: Loaded first, in this order, a step at a time, with requests served between the steps.
FIRST = (
    "ansible.module_utils.basic",
    "ansible.module_utils._internal._ansiballz._loader",
    "runpy",
    "zipfile",
    "tempfile",
    "shutil",
    "datetime",
    "urllib3",
    "botocore.session",
    "boto3",
    "ansible_collections.amazon.aws.plugins.module_utils.modules",
    "ansible_collections.palier.aws.plugins.module_utils.aws",
)
#: Data kinds of botocore that do not depend on the directories that boto3 adds to the search path.
MODEL_METHODS = frozenset(
    {"load_data", "load_data_with_path", "load_service_model", "determine_latest_version", "list_api_versions"}
)
#: A report of more bytes is dropped.
REPORT_LIMIT = 65536


class Settings(t.NamedTuple):
    """What the connection plugin tells the interpreter when it starts it.

    :param interpreter: the interpreter's path as tasks name it.
    :param ansible: directory of the controller's C(ansible) package.
    :param collections: directories that hold an C(ansible_collections) directory, the preferred one first.
    :param shell: the executables of the outer and the inner shell.
    :param directory: directory of the socket, removed when the run ends.
    :param environment: the environment that the interpreter was started with.
    :param shell_environment: the shell's own variables as the worker has them.
    """

    interpreter: str
    ansible: str
    collections: list[str]
    shell: list[str]
    directory: str
    environment: dict[str, str]
    shell_environment: dict[str, str]


# --- the wire -------------------------------------------------------------------------------------------------------


def pack_request(environment: t.Mapping[bytes, bytes]) -> bytes:
    """A request's bytes: its length, then C(name=value) pairs separated by NUL."""
    body = b"\0".join(name + b"=" + value for name, value in environment.items())
    return LENGTH.pack(len(body)) + body


def unpack_environment(body: bytes) -> dict[bytes, bytes]:
    """The environment out of a request's body."""
    pairs = (pair.partition(b"=") for pair in body.split(b"\0") if pair)
    return {name: value for name, _equals, value in pairs}


def receive_request(connection: socket.socket) -> tuple[bytes, list[int]]:
    """Read one request.

    :returns: the request's body, and the descriptors that came with it: working directory, input, output, errors.
    :raises EOFError: when the other side hangs up before the request is complete.
    """
    data, descriptors, _flags, _address = socket.recv_fds(connection, 65536, 4)
    while len(data) < LENGTH.size or len(data) < LENGTH.size + LENGTH.unpack_from(data)[0]:
        more = connection.recv(65536)
        if not more:
            raise EOFError("the request ended early")
        data += more
    if len(descriptors) != 4:
        raise EOFError("the request lacks descriptors")
    return data[LENGTH.size :], descriptors


def peer_uid(connection: socket.socket) -> int:
    """The user on the other side of a local socket."""
    answer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return CREDENTIALS.unpack(answer)[1]


# --- what the shell does to the environment -------------------------------------------------------------------------


class ShellEffect(t.NamedTuple):
    """What running a command through the shells changes in its environment.

    :param given: the shell's variables and the directory that this effect was observed with.
    :param result: the shell's variables as the command saw them.
    :param keeps_odd_names: whether variables survive whose names are no shell names.
    """

    given: tuple[t.Any, ...]
    result: dict[bytes, bytes]
    keeps_odd_names: bool

    def apply(self, environment: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """The environment that the command gets."""
        names = {os.fsencode(name) for name in SHELL_VARIABLES}
        kept = {
            name: value
            for name, value in environment.items()
            if name not in names and (self.keeps_odd_names or is_shell_name(name))
        }
        return {**kept, **self.result}


def is_shell_name(name: bytes) -> bool:
    """Whether a shell can hold a variable of this name."""
    return re.fullmatch(rb"[A-Za-z_][A-Za-z0-9_]*", name) is not None


def shell_input(environment: t.Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The part of an environment on which the shell's effect depends."""
    names = [os.fsencode(name) for name in SHELL_VARIABLES]
    return {name: environment[name] for name in names if name in environment}


def shell_key(variables: t.Mapping[bytes, bytes]) -> tuple[t.Any, ...]:
    """What a L{ShellEffect} holds for: these variables, in the current directory."""
    here = os.stat(".")
    return (here.st_dev, here.st_ino, *sorted(variables.items()))


def observe_shell(shell: t.Sequence[str], interpreter: str, variables: dict[bytes, bytes]) -> ShellEffect:
    """Run the shells once, to see what they do.

    Asking the shell is the only way to be right for all of them: dash, bash and busybox differ in each of these
    variables.
    """
    program = "import os;os.write(1,b'\\0'.join(b'='.join(i) for i in os.environb.items()))"
    inner = f"{interpreter} -ISc {quoted(program)} && sleep 0"
    command = f"{shell[1]} -c {quoted(inner)}"
    given = {**variables, b"palier.odd": b"1"}
    done = subprocess.run([shell[0], "-c", command], env=given, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    seen = unpack_environment(done.stdout)
    odd = seen.pop(b"palier.odd", None)
    return ShellEffect(shell_key(variables), {name: seen[name] for name in seen if name != b"LC_CTYPE"}, odd is not None)


def quoted(text: str) -> str:
    """C(text) as one word of a shell command."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


# --- what is kept loaded --------------------------------------------------------------------------------------------


class EnvironmentWatch:
    """Notes which environment variables are read while modules are imported.

    The interpreter's own environment holds next to nothing. A module that looked for a variable while it was imported
    would have seen another world in a process of its own, if the task sets that variable.
    """

    def __init__(self) -> None:
        self.read: set[str] = set()

    @contextlib.contextmanager
    def watching(self) -> t.Iterator[None]:
        """Watch C(os.environ) for the length of a C(with) block."""
        kind = type(os.environ)
        real = kind.__getitem__

        def getitem(environ, name):
            self.read.add(name)
            return real(environ, name)

        kind.__getitem__ = getitem  # type: ignore[method-assign]
        try:
            yield
        finally:
            kind.__getitem__ = real  # type: ignore[method-assign]


class Origin(t.NamedTuple):
    """Where a loaded module of the payload's packages came from, and the sum of its source."""

    member: str
    crc: int
    size: int


class SourceFinder:
    """Finds the modules that payloads carry in the controller's own files, and notes what it loaded.

    The packages at the top exist in a payload only as generated stubs, and a module's process takes those from its
    payload: here they are empty shells.
    """

    def __init__(self, ansible: str, collections: t.Sequence[str]) -> None:
        self.ansible = ansible
        self.collections = [os.path.join(path, "ansible_collections") for path in collections]
        self.origins: dict[str, Origin] = {}
        self.shells: set[str] = set()

    def find_spec(self, name: str, path: t.Any = None, target: t.Any = None) -> importlib.machinery.ModuleSpec | None:
        """The import system's question: who loads C(name)?"""
        if name.partition(".")[0] not in PAYLOAD_PACKAGES:
            return None
        locations = self._shell(name)
        if locations is not None:
            return self._empty(name, locations)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None:
            return None
        if spec.loader is None or spec.origin is None or not spec.origin.endswith(".py"):
            return self._empty(name, list(spec.submodule_search_locations or []))
        self._note(name, spec)
        return spec

    def _shell(self, name: str) -> list[str] | None:
        parts = name.split(".")
        if parts[0] == "ansible":
            return {1: [self.ansible], 2: [os.path.join(self.ansible, parts[-1])]}.get(len(parts))
        if len(parts) > 2:
            return None
        return [os.path.join(path, *parts[1:]) for path in self.collections]

    def _empty(self, name: str, locations: list[str]) -> importlib.machinery.ModuleSpec:
        self.shells.add(name)
        return importlib.util.spec_from_loader(name, ShellLoader(self.ansible, locations), is_package=True)

    def _note(self, name: str, spec: importlib.machinery.ModuleSpec) -> None:
        source = pathlib.Path(t.cast(str, spec.origin)).read_bytes()
        tail = ".py" if spec.submodule_search_locations is None else "/__init__.py"
        self.origins[name] = Origin(name.replace(".", "/") + tail, zlib.crc32(source), len(source))


class ShellLoader:
    """Loads an empty package with given search locations."""

    def __init__(self, ansible: str, locations: list[str]) -> None:
        self.ansible = ansible
        self.locations = locations

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Let the import system make the module."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill the package with what code at import time may look for."""
        module.__path__ = self.locations
        if module.__name__ == "ansible":
            module.__file__ = os.path.join(self.ansible, "__init__.py")
            module.__version__ = release(self.ansible)  # type: ignore[attr-defined]


def release(ansible: str) -> str:
    """ansible-core's version, without running its controller code."""
    text = pathlib.Path(ansible, "release.py").read_text(encoding="utf-8")
    found = re.search(r"^__version__ = ['\"](.+)['\"]", text, re.MULTILINE)
    return found.group(1) if found else ""


class Models:
    """botocore's models, parsed once.

    Each module's process makes its own loader, which starts with what is known here. Nothing but files of botocore's
    own directory is shared: no session, no credentials, no endpoint.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[t.Any, ...], t.Any] = {}
        self.loaders: list[t.Any] = []
        self._loader: t.Any = None

    def install(self) -> None:
        """Make botocore's sessions start with the known models, once botocore is loaded."""
        if self._loader is not None or "botocore.session" not in sys.modules:
            return
        session = sys.modules["botocore.session"]
        loaders = sys.modules["botocore.loaders"]
        create = loaders.create_loader
        self._loader = create()

        def create_loader(search_path_string=None):
            loader = create(search_path_string)
            if search_path_string is None and not os.path.isdir(loader.CUSTOMER_DATA_PATH):
                loader._cache.update(self.known)
                self.loaders.append(loader)
            return loader

        session.create_loader = create_loader

    def load(self, key: tuple[t.Any, ...]) -> None:
        """Load what a module's process had to load."""
        if self._loader is None or key in self.known:
            return
        method, *arguments = key
        options = {}
        if arguments[-2:-1] == ["api_version"]:
            options = {"api_version": arguments.pop()}
            arguments.pop()
        getattr(self._loader, method)(*arguments, **options)
        self.known.update({key: value for key, value in self._loader._cache.items() if shareable(key)})

    def learnt(self) -> list[tuple[t.Any, ...]]:
        """What this process loaded beyond what was known."""
        keys = {key for loader in self.loaders for key in loader._cache} - set(self.known)
        return [key for key in keys if shareable(key)]


def shareable(key: tuple[t.Any, ...]) -> bool:
    """Whether an entry of a botocore loader's cache is the same for every session."""
    method, *arguments = key
    if any("resources" in str(argument) for argument in arguments):
        return False
    return method in MODEL_METHODS or (method == "list_available_services" and len(arguments) == 1)


class Library:
    """The modules that are kept loaded, and the list of those still to load."""

    def __init__(self, settings: Settings) -> None:
        self.finder = SourceFinder(settings.ansible, settings.collections)
        self.watch = EnvironmentWatch()
        self.models = Models()
        self.tasks: list[t.Any] = list(FIRST)
        self.tried: set[t.Any] = set(self.tasks)
        self.start = {os.fsencode(name): os.fsencode(value) for name, value in settings.environment.items()}
        #: What Python itself adds as it starts (it makes the C locale a UTF-8 one).
        self.added = {name: value for name, value in os.environb.items() if self.start.get(name) != value}
        sys.meta_path.insert(0, t.cast(t.Any, self.finder))

    def step(self) -> None:
        """Load the next thing on the list."""
        task = self.tasks.pop(0)
        with self.watch.watching(), warnings.catch_warnings(), contextlib.suppress(Exception):
            if isinstance(task, str):
                self._load(task)
            else:
                self.models.load(task)

    def _load(self, name: str) -> None:
        before, messages = set(sys.modules), count_messages()
        importlib.import_module(name)
        if count_messages() != messages:
            forget_messages(set(sys.modules) - before)
        self.models.install()

    def learn(self, report: bytes) -> None:
        """Put what a module's process had to load itself on the list."""
        for entry in json.loads(report):
            task = entry if isinstance(entry, str) else tuple(entry)
            if task not in self.tried:
                self.tried.add(task)
                self.tasks.append(task)

    def suits(self, environment: t.Mapping[bytes, bytes]) -> bool:
        """Whether a process with this environment would have loaded the same modules in the same way."""
        if start_environment(environment) != self.start:
            return False
        read = {os.fsencode(name) for name in self.watch.read} - self.start.keys() - self.added.keys()
        return not any(name in environment for name in read)


def start_environment(environment: t.Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The part of an environment that steers an interpreter's start."""
    return {name: value for name, value in environment.items() if START_VARIABLE.match(os.fsdecode(name))}


def message_stores() -> list[t.Any]:
    """Where ansible-core's module side collects warnings and deprecations (its form differs from release to release)."""
    module = sys.modules.get("ansible.module_utils.common.warnings")
    return [store for name, store in vars(module).items() if name.startswith("_global_")] if module else []


def count_messages() -> int:
    """How many warnings and deprecations this process has collected."""
    return sum(len(store) for store in message_stores())


def forget_messages(names: set[str]) -> None:
    """Unload modules that warn when they are imported: each task has to hear that for itself."""
    for store in message_stores():
        store.clear()
    for name in names:
        if name.partition(".")[0] in PAYLOAD_PACKAGES:
            sys.modules.pop(name, None)


# --- the module's process -------------------------------------------------------------------------------------------


class Gate:
    """Lets loaded modules take part in a payload's run, as far as they are what the payload carries.

    Until the payload's archive stands on C(sys.path), none of the payload's packages is loaded. With the first import
    out of it, the gate compares the sum of each source in the archive with the sum of what is loaded here. One
    difference (a role's own C(module_utils), another version of a collection) and everything comes from the archive.
    What the archive does not hold stays hidden, since the module could not have imported it.
    """

    def __init__(self, finder: SourceFinder) -> None:
        self.finder = finder
        self.archive = ""
        self.stash = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in PAYLOAD_PACKAGES}
        self.restored: dict[str, types.ModuleType] = {}
        sys.meta_path.remove(t.cast(t.Any, finder))
        sys.meta_path.insert(0, t.cast(t.Any, self))

    def find_spec(self, name: str, path: t.Any = None, target: t.Any = None) -> importlib.machinery.ModuleSpec | None:
        """Open the gate with the first import of a payload's package; then bind children to their parents."""
        if name.partition(".")[0] not in PAYLOAD_PACKAGES:
            return None
        if not self.archive:
            self.archive = next((entry for entry in sys.path if os.path.isfile(entry)), "-")
            self._open()
        if name not in self.finder.shells or not self.restored:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = t.cast(t.Any, BindingLoader(spec.loader, self.restored))
        return spec

    def _open(self) -> None:
        try:
            members = archive_sums(self.archive)
        except (OSError, zipfile.BadZipFile):
            return
        carried = {name: origin for name, origin in self.finder.origins.items() if origin.member in members}
        if any(members[origin.member] != origin[1:] for origin in carried.values()):
            return
        self.restored = {name: self.stash[name] for name in carried if name in self.stash}
        for name, module in self.restored.items():
            self._place(name, module)
        sys.modules.update(self.restored)
        self._hide_others()
        self._correct_deprecator()

    def _place(self, name: str, module: types.ModuleType) -> None:
        """Make a module believe that it was loaded from the archive."""
        root = os.path.dirname(self.finder.ansible)
        for key, value in list(vars(module).items()):
            if isinstance(value, pathlib.PurePath) and (value == pathlib.Path(root) or pathlib.Path(root) in value.parents):
                setattr(module, key, type(value)(self.archive) / value.relative_to(root))
        module.__file__ = os.path.join(self.archive, self.finder.origins[name].member)
        if hasattr(module, "__path__"):
            module.__path__ = [os.path.dirname(module.__file__)]

    def _hide_others(self) -> None:
        for name in self.stash.keys() - self.restored.keys():
            parent, _dot, child = name.rpartition(".")
            holder = self.restored.get(parent)
            if holder is not None and vars(holder).get(child) is self.stash[name]:
                delattr(holder, child)

    def _correct_deprecator(self) -> None:
        """ansible-core tells its own code by the path of a frame's file: code loaded here has the installed path."""
        deprecator = sys.modules.get("ansible.module_utils._internal._deprecator")
        real = getattr(deprecator, "_path_as_core_plugininfo", None)
        if real is None:
            return
        installed, carried = self.finder.ansible + "/", os.path.join(self.archive, "ansible") + "/"

        def _path_as_core_plugininfo(path):
            return real(carried + path[len(installed) :] if path.startswith(installed) else path)

        deprecator._path_as_core_plugininfo = _path_as_core_plugininfo  # type: ignore[union-attr]


class BindingLoader:
    """Loads a stub package from the archive, then gives it the loaded modules that belong below it."""

    def __init__(self, loader: t.Any, modules: dict[str, types.ModuleType]) -> None:
        self.loader = loader
        self.modules = modules

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self.loader, name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the stub, and bind."""
        self.loader.exec_module(module)
        for name, child in self.modules.items():
            parent, _dot, last = name.rpartition(".")
            if parent == module.__name__:
                setattr(module, last, child)


def archive_sums(archive: str) -> dict[str, tuple[int, int]]:
    """CRC and size of each member of a zip archive, from its directory."""
    with zipfile.ZipFile(archive) as opened:
        return {member.filename: (member.CRC, member.file_size) for member in opened.infolist()}


def run_module(library: Library, settings: Settings, effect: ShellEffect, body: bytes, report: Report) -> int:
    """Be what C(python < payload) would be, and return its exit code.

    :param report: the descriptor on which to tell the interpreter what it might keep loaded.
    """
    environment = unpack_environment(body)
    task = split_task(environment)
    variables = shell_input(environment)
    if effect.given != shell_key(variables):
        effect = observe_shell(settings.shell, settings.interpreter, variables)
    environment = {**effect.apply(environment), **task}
    if not library.suits(environment):
        os.execve(settings.interpreter, [settings.interpreter], environment)
    os.environb.clear()
    os.environb.update({**environment, **library.added})
    time.tzset()
    known = set(sys.modules)
    Gate(library.finder)
    gc.enable()
    code = run_payload(settings.interpreter)
    code = finish(code)
    tell(library, known, report)
    return code


def split_task(environment: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Take the task's own variables (they bear a prefix on the wire) out of the environment."""
    names = [name for name in environment if name.startswith(TASK_PREFIX)]
    return {name[len(TASK_PREFIX) :]: environment.pop(name) for name in names}


#: A task's own variables are set after the shell's; no environment can hold a variable whose name starts like this.
TASK_PREFIX = b"\x01"


def run_payload(interpreter: str) -> int:
    """Execute what comes on standard input as a program, and return its exit code."""
    main = types.ModuleType("__main__")
    main.__loader__ = importlib.machinery.BuiltinImporter  # type: ignore[assignment]
    main.__file__ = "<stdin>"
    vars(main).update(__annotations__={}, __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = main
    sys.argv, sys.orig_argv = [""], [interpreter]
    sys.path.insert(0, "")
    try:
        exec(compile(read_all(0), "<stdin>", "exec"), vars(main))  # pylint: disable=exec-used
    except SystemExit as stop:
        return exit_code(stop.code)
    except BaseException as error:  # pylint: disable=broad-exception-caught
        # The frame of this function is not the payload's, and would stand in the traceback.
        sys.excepthook(type(error), error, error.__traceback__.tb_next if error.__traceback__ else None)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def read_all(descriptor: int) -> bytes:
    """Everything up to the end of a stream."""
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def exit_code(code: t.Any) -> int:
    """The exit code that an interpreter makes of what C(sys.exit) got."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def finish(code: int) -> int:
    """End as an interpreter ends: threads, exit functions, output, files still open."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    flushed = flush()
    vars(sys.modules["__main__"]).clear()
    gc.collect()
    return code if flush() and flushed else 120


def flush() -> bool:
    """Flush the standard streams; whether that worked."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        return isinstance(error, ValueError)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    return True


class Report:
    """The way from a module's process back to the interpreter, a datagram socket."""

    def __init__(self, end: socket.socket) -> None:
        self.descriptor = end.detach()
        self.identity = os.fstat(self.descriptor).st_ino

    def unchanged(self) -> bool:
        """Whether the module left the descriptor alone, rather than close it and open a file in its place."""
        return os.fstat(self.descriptor).st_ino == self.identity


def tell(library: Library, known: set[str], report: Report) -> None:
    """Tell the interpreter which modules and models this process had to load itself: names, nothing else."""
    names = [name for name in sys.modules if name not in known and keepable(name)]
    message = json.dumps([*names, *library.models.learnt()]).encode()
    with contextlib.suppress(OSError):
        if len(message) <= REPORT_LIMIT and report.unchanged():
            os.write(report.descriptor, message)


def keepable(name: str) -> bool:
    """Whether a module may be kept loaded for later tasks."""
    top = name.partition(".")[0]
    if top in PAYLOAD_PACKAGES:
        return ".module_utils." in name
    return top in LIBRARIES or top in sys.stdlib_module_names


# --- the keeper -----------------------------------------------------------------------------------------------------


def keep(connection: socket.socket, child: int) -> None:
    """Wait for the module's process, and report how it ended; end it when the worker is gone."""
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(connection, 0)  # a hang-up is reported without being asked for
    events = dict(poll.poll())
    if ended in events:
        _pid, status = os.waitpid(child, 0)
        connection.sendall(STATUS.pack(os.waitstatus_to_exitcode(status)))
    elif last_word(connection) != DETACH:
        os.killpg(0, signal.SIGTERM)


def last_word(connection: socket.socket) -> bytes:
    """What the worker said before it hung up."""
    try:
        return connection.recv(1)
    except ConnectionError:
        return b""


def serve_request(connection: socket.socket, library: Library, settings: Settings, effect: ShellEffect, report: Report) -> int:
    """A request, from the keeper's side; returns the keeper's (or, in the module's process, the module's) exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    body, descriptors = receive_request(connection)
    child = os.fork()
    if child:
        connection.sendall(STARTED)
        keep(connection, child)
        return 0
    os.fchdir(descriptors[0])
    for target, source in enumerate(descriptors[1:]):
        os.dup2(source, target)
    connection.close()
    for descriptor in descriptors:
        os.close(descriptor)
    return run_module(library, settings, effect, body, report)


# --- the interpreter ------------------------------------------------------------------------------------------------


def serve(listener: socket.socket, run: int, library: Library, settings: Settings, effect: ShellEffect) -> None:
    """Serve requests until the run ends, and load what is on the list while there are none.

    :param listener: the socket, listening.
    :param run: a pidfd of the ansible-playbook process.
    """
    hearing, telling = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    telling.setblocking(False)
    hear, report = hearing.fileno(), Report(telling)
    inherited = [listener.fileno(), run, hear]
    poll = select.poll()
    for descriptor in inherited:
        poll.register(descriptor, select.POLLIN)
    while True:
        events = dict(poll.poll(0 if library.tasks else None))
        if run in events:
            return
        if hear in events:
            library.learn(os.read(hear, REPORT_LIMIT))
        if listener.fileno() in events:
            accept(listener, inherited, library, settings, effect, report)
        elif library.tasks:
            library.step()


def accept(listener: socket.socket, inherited: list[int], library: Library, settings: Settings, effect: ShellEffect, report: Report) -> None:
    """Take one request and hand it to a keeper."""
    connection, _address = listener.accept()
    with connection:
        if peer_uid(connection) != os.geteuid():
            return
        gc.freeze()
        if os.fork() == 0:
            for descriptor in inherited:
                os.close(descriptor)
            leave(lambda: serve_request(connection, library, settings, effect, report))


def leave(work: t.Callable[[], int]) -> t.NoReturn:
    """Do the work of a forked process and end it, whatever happens."""
    code = 1
    try:
        code = work()
    except EOFError:
        pass
    except BaseException:  # pylint: disable=broad-exception-caught
        sys.excepthook(*t.cast(t.Any, sys.exc_info()))
    finally:
        if code < 0:
            signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
        os._exit(code)


def main() -> None:
    """Start from the arguments: three descriptors, for the socket, for the run, and to read the settings from."""
    descriptors = [int(argument) for argument in sys.argv[1:]]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    listener, run = socket.socket(fileno=descriptors[0]), descriptors[1]
    with open(descriptors[2], "rb") as stream:
        settings = Settings(**json.load(stream))
    sys.path.pop(0)
    gc.disable()
    variables = {os.fsencode(name): os.fsencode(value) for name, value in settings.shell_environment.items()}
    effect = observe_shell(settings.shell, settings.interpreter, variables)
    library = Library(settings)
    library.step()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        serve(listener, run, library, settings, effect)
    finally:
        with contextlib.suppress(OSError):
            for name in os.listdir(settings.directory):
                os.unlink(os.path.join(settings.directory, name))
            os.rmdir(settings.directory)
        os._exit(0)


if __name__ == "__main__":
    main()

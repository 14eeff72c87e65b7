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
import subprocess
import sys
import threading
import time
import types
import typing as t
import warnings
import zipfile
import zlib

if __package__:
    from . import warm_wire as wire
else:  # started as a program: its directory is the first on the path
    import warm_wire as wire  # type: ignore[import-not-found,no-redef]

#: Packages whose modules travel inside Ansible's payload.
PAYLOAD_PACKAGES = ("ansible", "ansible_collections")
#: Packages outside the standard library that may be kept loaded: known to start no thread and to open nothing.
LIBRARIES = frozenset({"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "certifi", "six"})
#: Names of Ansible's modules, rather than of their support code or of packages.
MODULE_NAME = re.compile(r"ansible\.modules\.\w+|ansible_collections\.\w+\.\w+\.plugins\.modules\.[\w.]+")
#: Loaded first, in this order, a step at a time, with requests served between the steps.
FIRST = (
    "ansible.module_utils.basic",
    "ansible.module_utils._internal._ansiballz._loader",
    "runpy",
    "tempfile",
    "shutil",
    "datetime",
    "urllib3",
    "botocore.session",
    "boto3",
    "ansible_collections.amazon.aws.plugins.module_utils.modules",
    "ansible_collections.palier.aws.plugins.module_utils.aws",
)
#: Entries of a botocore loader's cache that do not depend on the directories that boto3 adds to the search path.
MODEL_METHODS = frozenset(
    {"load_data", "load_data_with_path", "load_service_model", "determine_latest_version", "list_api_versions"}
)
#: What a client is made with in the interpreter, so that it looks for nothing and finds nobody's credentials.
NOBODY = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
#: The exception that ended a payload, kept to the end of its process.
STOPS: list[SystemExit] = []
#: A report of more bytes is dropped.
REPORT_LIMIT = 65536


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
        kept = {
            name: value
            for name, value in environment.items()
            if name not in wire.SHELL_VARIABLES and (self.keeps_odd_names or is_shell_name(name))
        }
        return {**kept, **self.result}


def is_shell_name(name: bytes) -> bool:
    """Whether a shell can hold a variable of this name."""
    return re.fullmatch(rb"[A-Za-z_][A-Za-z0-9_]*", name) is not None


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
    command = [shell[0], "-c", f"{shell[1]} -c {quoted(inner)}"]
    given = {**variables, b"palier.odd": b"1"}
    done = subprocess.run(command, env=given, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    seen = wire.unpack_environment(done.stdout)
    odd = seen.pop(b"palier.odd", None)
    seen.pop(b"LC_CTYPE", None)  # Python's own doing, where there is no locale
    return ShellEffect(shell_key(variables), seen, odd is not None)


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

        def getitem(environ: t.Any, name: str) -> str:
            self.read.add(name)
            return real(environ, name)

        kind.__getitem__ = getitem  # type: ignore[method-assign]
        try:
            yield
        finally:
            kind.__getitem__ = real  # type: ignore[method-assign]


class Origin(t.NamedTuple):
    """Where a payload keeps a module, and the sum of the source that was loaded here."""

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

    def _empty(self, name: str, locations: list[str]) -> importlib.machinery.ModuleSpec | None:
        self.shells.add(name)
        loader = t.cast(t.Any, ShellLoader(self.ansible, locations))
        return importlib.util.spec_from_loader(name, loader, is_package=True)

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

    Each module's process makes its own loaders, which start with what is known here. Nothing is shared but the contents
    of botocore's own files and what botocore works out of its own code: no session, no credentials, no endpoint.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[t.Any, ...], t.Any] = {}
        self.loaders: list[t.Any] = []
        self._installed = False

    def install(self) -> None:
        """Make botocore's sessions start with what is known, once botocore is loaded."""
        if self._installed or "botocore.session" not in sys.modules:
            return
        self._installed = True
        session: t.Any = sys.modules["botocore.session"]
        create = session.create_loader

        def create_loader(search_path_string: str | None = None) -> t.Any:
            loader = create(search_path_string)
            if search_path_string is None and not os.path.isdir(loader.CUSTOMER_DATA_PATH):
                loader._cache.update(self.known)
                self.loaders.append(loader)
            return loader

        session.create_loader = create_loader
        share_hooks(sys.modules["botocore.hooks"])

    def warm(self, service: str) -> None:
        """Load a service's model, and what making a client computes from it and keeps."""
        boto3 = importlib.import_module("boto3")
        self.install()
        before = dict(os.environ)
        os.environ.update(NOBODY)
        try:
            session = boto3.session.Session(region_name="us-east-1")
            session.client(service, aws_access_key_id="nobody", aws_secret_access_key="nobody").close()
        finally:
            os.environ.clear()
            os.environ.update(before)
        self._keep()

    def load(self, entry: tuple[t.Any, ...]) -> None:
        """Load what a module's process had to load: an entry of a botocore loader's cache, by its key."""
        method, *arguments = entry
        if entry in self.known or not self.loaders:
            return
        options = {}
        if arguments[-2:-1] == ["api_version"]:
            options = {"api_version": arguments.pop()}
            arguments.pop()
        getattr(self.loaders[-1], method)(*arguments, **options)
        self._keep()

    def _keep(self) -> None:
        for loader in self.loaders:
            self.known.update({key: value for key, value in loader._cache.items() if shareable(key)})
        self.loaders = self.loaders[-1:]

    def learnt(self) -> list[tuple[t.Any, ...]]:
        """What this process loaded beyond what was known."""
        keys = {key for loader in self.loaders for key in loader._cache} - set(self.known)
        return [key for key in keys if shareable(key)]


def share_hooks(hooks: t.Any) -> None:
    """Have botocore work out once what it does for each session anew: half of what a session and its client take.

    A session registers some 130 handlers. For each, botocore looks at the handler's signature, and at two hundred names
    of events that were renamed. Both are the same each time; neither knows of a session, a client or a credential.

    :param hooks: the module C(botocore.hooks); what it has no more is left alone.
    """
    aliaser, look = getattr(hooks, "EventAliaser", None), getattr(hooks, "accepts_kwargs", None)
    if look:
        seen: dict[t.Any, t.Any] = {}

        def accepts_kwargs(handler: t.Any) -> t.Any:
            # Not what a module defines in a function, which this must not keep alive.
            if not isinstance(handler, types.FunctionType) or "<locals>" in handler.__qualname__:
                return look(handler)
            if handler not in seen:
                seen[handler] = look(handler)
            return seen[handler]

        hooks.accepts_kwargs = accepts_kwargs
    if aliaser:
        start = aliaser.__init__
        names: dict[str, str] = {}

        def begin(self: t.Any, *arguments: t.Any, **options: t.Any) -> None:
            start(self, *arguments, **options)
            if getattr(self, "_alias_name_cache", None) == {} and self._event_aliases == hooks.EVENT_ALIASES:
                self._alias_name_cache = names

        aliaser.__init__ = begin


def shareable(key: tuple[t.Any, ...]) -> bool:
    """Whether an entry of a botocore loader's cache is the same for every session."""
    method, *arguments = key
    if any("resources" in str(argument) for argument in arguments):
        return False
    return method in MODEL_METHODS or (method == "list_available_services" and len(arguments) == 1)


class Library:
    """What is kept loaded, and the list of what is still to load.

    An entry of the list is C(("import", module)), C(("compile", module)), C(("service", name)), or C(("model", …)) with
    the key of a botocore loader's cache.
    """

    def __init__(self, settings: wire.Settings) -> None:
        self.finder = SourceFinder(settings.ansible, settings.collections)
        self.watch = EnvironmentWatch()
        self.models = Models()
        self.codes: dict[str, types.CodeType] = {}
        self.paths: dict[str, list[str]] = {}
        self.tasks: list[tuple[t.Any, ...]] = [("import", name) for name in FIRST]
        self.tried: set[tuple[t.Any, ...]] = set(self.tasks)
        self.start = wire.octets(settings.environment)
        #: What Python itself adds as it starts (it makes the C locale a UTF-8 one).
        self.added = {name: value for name, value in os.environb.items() if self.start.get(name) != value}
        sys.meta_path.insert(0, t.cast(t.Any, self.finder))

    def step(self) -> None:
        """Load the next thing on the list. What cannot be loaded is left to the modules' own processes."""
        kind, *what = self.tasks.pop(0)
        with warnings.catch_warnings(), contextlib.suppress(Exception):
            if kind == "import":
                with self.watch.watching():
                    self._import(what[0])
            elif kind == "compile":
                self._compile(what[0])
            elif kind == "service":
                self.models.warm(what[0])
                gc.collect()
            elif kind == "model":
                self.models.load(tuple(what))

    def _import(self, name: str) -> None:
        before, messages = set(sys.modules), count_messages()
        importlib.import_module(name)
        if count_messages() != messages:
            forget_messages(set(sys.modules) - before)
        self.models.install()
        for new in self.finder.origins.keys() & sys.modules.keys() - self.paths.keys():
            self.paths[new] = installed_paths(sys.modules[new], self.root)

    def _compile(self, name: str) -> None:
        spec = importlib.util.find_spec(name)
        code = t.cast(t.Any, spec.loader).get_code(name) if spec else None
        if code is not None:
            self.codes[name] = code

    @property
    def root(self) -> str:
        """The directory that holds the C(ansible) package: a payload's archive stands in its place."""
        return os.path.dirname(self.finder.ansible)

    def learn(self, report: bytes) -> None:
        """Put what a module's process had to load itself on the list."""
        for entry in map(tuple, json.loads(report)):
            for task in (service_of(entry), entry):
                if task and task not in self.tried:
                    self.tried.add(task)
                    self.tasks.append(task)

    def suits(self, environment: t.Mapping[bytes, bytes]) -> bool:
        """Whether a process with this environment would have loaded the same modules in the same way."""
        if wire.start_environment(environment) != self.start:
            return False
        read = {os.fsencode(name) for name in self.watch.read}
        return not any(name in environment for name in read - self.start.keys() - self.added.keys())


def service_of(entry: tuple[t.Any, ...]) -> tuple[t.Any, ...] | None:
    """The entry that makes a service's client, for an entry that says that its model was needed."""
    return ("service", entry[2]) if entry[:2] == ("model", "load_service_model") and entry[3] == "service-2" else None


def installed_paths(module: types.ModuleType, root: str) -> list[str]:
    """Names of a module's variables that hold a path below C(root), which would be the archive's in a payload."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, pathlib.PurePath) and (str(value) == root or str(value).startswith(root + os.sep))
    ]


def message_stores() -> list[t.Any]:
    """Where ansible-core's module side collects warnings and deprecations (lists or dicts, by release)."""
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

    def __init__(self, library: Library) -> None:
        self.library = library
        self.finder = library.finder
        self.archive = ""
        self.stash = {
            name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in PAYLOAD_PACKAGES
        }
        self.members: dict[str, tuple[int, int]] = {}
        self.restored: dict[str, types.ModuleType] = {}
        self.found: list[str] = []
        sys.meta_path.remove(t.cast(t.Any, self.finder))
        sys.meta_path.insert(0, t.cast(t.Any, self))

    def find_spec(self, name: str, path: t.Any = None, target: t.Any = None) -> importlib.machinery.ModuleSpec | None:
        """Open the gate with the first import of a payload's package; then help with what comes from the archive."""
        if name.partition(".")[0] not in PAYLOAD_PACKAGES:
            return None
        if not self.archive:
            self.archive = next((entry for entry in sys.path if os.path.isfile(entry)), "-")
            self._open()
        if not self.restored:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        if name in self.finder.shells:
            spec.loader = t.cast(t.Any, BindingLoader(spec.loader, self.restored))
        elif name in self.library.codes and self._carries(name):
            spec.loader = t.cast(t.Any, CodeLoader(spec.loader, self.library.codes[name]))
        else:
            self.found.append(name)
        return spec

    def _carries(self, name: str) -> bool:
        """Whether the archive's source of a module is the one that was loaded here."""
        origin = self.finder.origins[name]
        return self.members.get(origin.member) == (origin.crc, origin.size)

    def _open(self) -> None:
        try:
            self.members = archive_sums(self.archive)
        except (OSError, zipfile.BadZipFile):
            return
        carried = [name for name in self.stash.keys() & self.finder.origins.keys() if self._is_member(name)]
        if not all(map(self._carries, carried)):
            return
        self.restored = {name: self.stash[name] for name in carried}
        for name, module in self.restored.items():
            self._place(name, module)
        sys.modules.update(self.restored)
        self._hide_others()
        self._correct_deprecator()

    def _is_member(self, name: str) -> bool:
        return self.finder.origins[name].member in self.members

    def _place(self, name: str, module: types.ModuleType) -> None:
        """Make a module believe that it was loaded from the archive."""
        for key in self.library.paths.get(name, ()):
            value = getattr(module, key)
            setattr(module, key, type(value)(self.archive) / value.relative_to(self.library.root))
        module.__file__ = f"{self.archive}/{self.finder.origins[name].member}"
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
        installed, carried = self.finder.ansible + "/", self.archive + "/ansible/"

        def _path_as_core_plugininfo(path: str) -> t.Any:
            return real(carried + path[len(installed) :] if path.startswith(installed) else path)

        deprecator._path_as_core_plugininfo = _path_as_core_plugininfo  # type: ignore[union-attr]


class BindingLoader:
    """Loads a stub package from the archive, then gives it the loaded modules that belong below it."""

    def __init__(self, loader: t.Any, modules: dict[str, types.ModuleType]) -> None:
        self._loader = loader
        self._modules = modules

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._loader, name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the stub, and bind."""
        self._loader.exec_module(module)
        for name, child in self._modules.items():
            parent, _dot, last = name.rpartition(".")
            if parent == module.__name__:
                setattr(module, last, child)


class CodeLoader:
    """The archive's loader, with code that is compiled already."""

    def __init__(self, loader: t.Any, code: types.CodeType) -> None:
        self._loader = loader
        self._code = code

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._loader, name)

    def get_code(self, _name: str) -> types.CodeType:
        """The code, compiled from the same source."""
        return self._code

    def exec_module(self, module: types.ModuleType) -> None:
        """Run it in a module's name space."""
        exec(self._code, vars(module))  # pylint: disable=exec-used


def archive_sums(archive: str) -> dict[str, tuple[int, int]]:
    """CRC and size of each member of a zip archive, from its directory."""
    with zipfile.ZipFile(archive) as opened:
        return {member.filename: (member.CRC, member.file_size) for member in opened.infolist()}


def module_environment(body: bytes, settings: wire.Settings, effect: ShellEffect) -> dict[bytes, bytes]:
    """The environment that the shell would have given the module's process.

    :param body: a request's body: the worker's environment, and the task's own variables.
    """
    environment = wire.unpack_environment(body)
    task = split_task(environment)
    variables = wire.shell_input(environment)
    if effect.given != shell_key(variables):
        effect = observe_shell(settings.shell, settings.interpreter, variables)
    return {**effect.apply(environment), **task}


def run_module(library: Library, interpreter: str, environment: dict[bytes, bytes], report: Report) -> int:
    """Be what C(python < payload) would be, and return its exit code.

    :param report: the way to tell the interpreter what it might keep loaded.
    """
    os.environb.clear()
    os.environb.update({**environment, **library.added})
    time.tzset()
    known = set(sys.modules)
    gate = Gate(library)
    gc.enable()
    code = finish(run_payload(interpreter), known)
    report.send([*names_learnt(known, gate.found), *(("model", *key) for key in library.models.learnt())])
    return code


def split_task(environment: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Take the task's own variables out of the environment."""
    names = [name for name in environment if name.startswith(wire.TASK_PREFIX)]
    return {name[len(wire.TASK_PREFIX) :]: environment.pop(name) for name in names}


def run_payload(interpreter: str) -> int:
    """Execute what comes on standard input as a program, and return its exit code."""
    main_module = types.ModuleType("__main__")
    main_module.__loader__ = importlib.machinery.BuiltinImporter
    main_module.__file__ = "<stdin>"
    vars(main_module).update(__annotations__={}, __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = main_module
    sys.argv, sys.orig_argv = [""], [interpreter]
    sys.path.insert(0, "")
    try:
        exec(compile(read_all(0), "<stdin>", "exec"), vars(main_module))  # pylint: disable=exec-used
    except SystemExit as stop:
        # As in an interpreter, what the exception's frames hold is never released: their open files are not flushed.
        STOPS.append(stop)
        return exit_code(stop.code)
    except BaseException as error:  # pylint: disable=broad-exception-caught
        # The frame of this function is not the payload's, and would stand in the traceback.
        error = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
        sys.excepthook(type(error), error, error.__traceback__)
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


def finish(code: int, known: set[str]) -> int:
    """End as an interpreter ends: threads, exit functions, output, and what the modules' variables hold.

    :param known: names of the modules that were loaded before the payload, which need not be emptied.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    flushed = flush()
    if threading.active_count() == 1:  # a daemon thread would stumble over what is missing
        empty_modules(known)
    gc.collect()
    return code if flush() and flushed else 120


def empty_modules(known: set[str]) -> None:
    """Release what the payload's modules hold, so that files are closed and written."""
    for name in ["__main__", *(sys.modules.keys() - known)]:
        module = sys.modules[name]
        if isinstance(module, types.ModuleType) and name.partition(".")[0] in ("__main__", *PAYLOAD_PACKAGES):
            vars(module).clear()


def flush() -> bool:
    """Flush the standard streams; whether that worked, as far as an interpreter minds."""
    try:
        sys.stdout.flush()
    except ValueError:
        return True  # closed by the module
    except OSError:
        return False
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    return True


class Report:
    """The way from a module's process back to the interpreter, a datagram socket."""

    def __init__(self, end: socket.socket) -> None:
        self._descriptor = end.detach()
        self._identity = os.fstat(self._descriptor).st_ino

    def send(self, entries: list[tuple[t.Any, ...]]) -> None:
        """Tell the interpreter what this process had to load itself: names, nothing else."""
        message = json.dumps(entries).encode()
        with contextlib.suppress(OSError):
            # The module may have closed the descriptor, and opened a file of its own in its place.
            if entries and len(message) <= REPORT_LIMIT and os.fstat(self._descriptor).st_ino == self._identity:
                os.write(self._descriptor, message)


def names_learnt(known: set[str], found: list[str]) -> list[tuple[str, str]]:
    """What a module's process imported, as entries for the interpreter's list.

    :param known: names of the modules that were loaded before.
    :param found: names of the modules that came from the archive.
    """
    imports = [("import", name) for name in sys.modules if name not in known and keepable(name)]
    return [*imports, *(("compile", name) for name in found if is_module(name))]


def keepable(name: str) -> bool:
    """Whether a module may be kept loaded for later tasks."""
    top = name.partition(".")[0]
    if top in PAYLOAD_PACKAGES:
        return ".module_utils." in name
    return top in LIBRARIES or top in sys.stdlib_module_names


def is_module(name: str) -> bool:
    """Whether this is the name of an Ansible module, rather than of its support code or a package."""
    return MODULE_NAME.fullmatch(name) is not None


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
        connection.sendall(wire.STATUS.pack(os.waitstatus_to_exitcode(status)))
    elif last_word(connection) != wire.DETACH:
        os.killpg(0, signal.SIGTERM)


def last_word(connection: socket.socket) -> bytes:
    """What the worker said before it hung up."""
    try:
        return connection.recv(1)
    except ConnectionError:
        return b""


class Service(t.NamedTuple):
    """What every request needs."""

    library: Library
    settings: wire.Settings
    effect: ShellEffect
    report: Report

    def answer(self, connection: socket.socket) -> int:
        """Be the keeper, and in the end the module's process; returns the exit code of whichever this is."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        body, descriptors = wire.receive_request(connection)
        os.fchdir(descriptors[0])
        environment = module_environment(body, self.settings, self.effect)
        suits = self.library.suits(environment)
        child = os.fork()
        if child:
            connection.sendall(wire.STARTED if suits else wire.STARTED_COLD)
            keep(connection, child)
            return 0
        for target, source in enumerate(descriptors[1:]):
            os.dup2(source, target)
        connection.close()
        for descriptor in descriptors:
            os.close(descriptor)
        interpreter = self.settings.interpreter
        if not suits:
            os.execve(interpreter, [interpreter], environment)
        return run_module(self.library, interpreter, environment, self.report)


# --- the interpreter ------------------------------------------------------------------------------------------------


def serve(listener: socket.socket, run: int, library: Library, settings: wire.Settings, effect: ShellEffect) -> None:
    """Serve requests until the run ends, and load what is on the list while there are none.

    :param listener: the socket, listening.
    :param run: a pidfd of the ansible-playbook process.
    """
    hearing, telling = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    telling.setblocking(False)
    service = Service(library, settings, effect, Report(telling))
    own = [listener.fileno(), run, hearing.fileno()]
    poll = select.poll()
    for descriptor in own:
        poll.register(descriptor, select.POLLIN)
    while True:
        events = dict(poll.poll(0 if library.tasks else None))
        if run in events:
            return
        if hearing.fileno() in events:
            library.learn(hearing.recv(REPORT_LIMIT))
        if listener.fileno() in events:
            accept(listener, own, service)
        elif library.tasks:
            library.step()


def accept(listener: socket.socket, own: list[int], service: Service) -> None:
    """Take one request and hand it to a keeper.

    :param own: descriptors that are not for the keeper.
    """
    connection, _address = listener.accept()
    with connection:
        if wire.peer_uid(connection) != os.geteuid():
            return
        gc.freeze()
        if os.fork() == 0:
            for descriptor in own:
                os.close(descriptor)
            leave(lambda: service.answer(connection))


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
        settings = wire.Settings(**json.load(stream))
    sys.path.pop(0)
    sys.modules.pop("warm_wire")
    gc.disable()
    effect = observe_shell(settings.shell, settings.interpreter, wire.octets(settings.shell_environment))
    library = Library(settings)
    library.step()
    signal.signal(signal.SIGCHLD, reap)
    try:
        serve(listener, run, library, settings, effect)
    finally:
        clean(settings.directory)
        os._exit(0)


def reap(_number: int, _frame: t.Any) -> None:
    """Bury keepers that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def clean(directory: str) -> None:
    """Remove the socket and what else stands in its directory."""
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            os.unlink(os.path.join(directory, name))
        os.rmdir(directory)


if __name__ == "__main__":
    main()

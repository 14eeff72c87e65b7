# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The warm interpreter's decisions: what may stay loaded, what a payload gets of it, what the shell does."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import itertools
import json
import os
import pathlib
import socket
import subprocess
import sys
import types
import typing as t
import weakref
import zipfile
from pathlib import Path

import ansible
import botocore.hooks
import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import warm_interpreter as interpreter
from ansible_collections.palier.aws.plugins.plugin_utils import warm_wire as wire

SETTINGS = wire.Settings(
    interpreter=sys.executable,
    ansible=os.path.dirname(str(ansible.__file__)),
    collections=[],
    shell=["/bin/sh", "/bin/sh"],
    directory="/nowhere",
    environment={},
    shell_environment={},
)
SHELLS = [path for path in ("/bin/sh", "/bin/bash", "/bin/dash") if Path(path).exists()]


@pytest.fixture
def imports(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """Let a test load and unload as it likes."""
    modules, path, finders = dict(sys.modules), list(sys.path), list(sys.meta_path)
    for name in [name for name in sys.modules if name.partition(".")[0] in interpreter.PAYLOAD_PACKAGES]:
        sys.modules.pop(name)
    sys.meta_path[:] = [finder for finder in finders if "ansible" not in type(finder).__module__]
    yield
    sys.modules.clear()
    sys.modules.update(modules)
    sys.path[:] = path
    sys.meta_path[:] = finders


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "given",
    [
        {},
        {b"PWD": b"/nowhere", b"OLDPWD": b"/tmp", b"SHLVL": b"3", b"_": b"/usr/bin/env"},
        {b"PWD": b".", b"OLDPWD": b"/nowhere", b"SHLVL": b"x"},
    ],
)
def test_the_environment_is_what_the_shell_makes_of_it(
    shell: str, given: dict[bytes, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {b"PLAIN": b"a b\n", b"odd.name": b"1", b"BYTES": b"\xff\xfe", b"LANG": b"C.UTF-8", **given}
    program = b"import os;os.write(1,b'\\0'.join(b'='.join(i) for i in os.environb.items()))"
    command = f"{shell} -c '{sys.executable} && sleep 0'"
    done = subprocess.run([shell, "-c", command], input=program, env=environment, stdout=subprocess.PIPE, check=True)
    effect = interpreter.observe_shell([shell, shell], sys.executable, given)
    assert effect.apply(environment) == wire.unpack_environment(done.stdout)


def test_an_effect_holds_for_one_directory_and_the_same_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = interpreter.shell_key({b"PWD": b"/"})
    assert key == interpreter.shell_key({b"PWD": b"/"})
    assert key != interpreter.shell_key({b"PWD": b"/tmp"})
    monkeypatch.chdir(tmp_path)
    assert key != interpreter.shell_key({b"PWD": b"/"})


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("ansible.module_utils.basic", True),
        ("ansible.modules.ping", False),
        ("ansible_collections.amazon.aws.plugins.module_utils.core", True),
        ("ansible_collections.amazon.aws.plugins.modules.ec2_instance", False),
        ("ansible", False),
        ("json.decoder", True),
        ("botocore.client", True),
        ("numpy", False),
        ("__main__", False),
        ("grpc._channel", False),
    ],
)
def test_what_may_be_kept_loaded(name: str, kept: bool) -> None:
    assert interpreter.keepable(name) is kept


@pytest.mark.parametrize(
    ("name", "is_module"),
    [
        ("ansible.modules.ping", True),
        ("ansible.legacy.own", False),
        ("ansible_collections.amazon.aws.plugins.modules.ec2_instance", True),
        ("ansible_collections.a.b.plugins.modules.sub.name", True),
        ("ansible_collections.amazon.aws.plugins.modules", False),
        ("ansible_collections.amazon.aws.plugins.module_utils.core", False),
    ],
)
def test_what_is_a_modules_name(name: str, is_module: bool) -> None:
    assert interpreter.is_module(name) is is_module


@pytest.mark.parametrize(
    ("key", "shared"),
    [
        (("load_service_model", "ec2", "service-2", "api_version", None), True),
        (("load_service_model", "ec2", "resources-1", "api_version", None), False),
        (("load_data_with_path", "ec2/2016-11-15/resources-1"), False),
        (("load_data_with_path", "endpoints"), True),
        (("list_available_services", "service-2"), True),
        (("list_available_services", "resources-1"), False),
        (("load_credentials",), False),
    ],
)
def test_which_models_are_shared(key: tuple[t.Any, ...], shared: bool) -> None:
    assert interpreter.shareable(key) is shared


def test_a_model_that_was_needed_asks_for_its_client() -> None:
    library = types.SimpleNamespace(tried=set(), tasks=[])
    entry = ["model", "load_service_model", "iam", "service-2", "api_version", None]
    report = json.dumps([entry, ["import", "json"], entry]).encode()
    interpreter.Library.learn(t.cast(t.Any, library), report)
    assert library.tasks == [("service", "iam"), tuple(entry), ("import", "json")]


@pytest.fixture
def shared_hooks() -> t.Any:
    """A copy of C(botocore.hooks) of which everything is shared that never differs."""
    spec = importlib.util.spec_from_file_location("hooks_of_a_test", botocore.hooks.__file__)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    interpreter.share_hooks(module)
    return module


def test_events_keep_their_names(shared_hooks: t.Any) -> None:
    parts = ["before-call", "ec2", "DescribeVpcs", *itertools.chain(*botocore.hooks.EVENT_ALIASES.items())]
    events = [f"creating-client-class.{part}" for part in parts] + [f"before-call.{part}.x" for part in parts] + parts
    for _again in range(2):
        shared, plain = (hooks.EventAliaser(hooks.HierarchicalEmitter()) for hooks in (shared_hooks, botocore.hooks))
        assert [shared._alias_event_name(event) for event in events] == list(map(plain._alias_event_name, events))
    other = shared_hooks.EventAliaser(shared_hooks.HierarchicalEmitter(), {"ec2": "changed"})
    assert other._alias_event_name("before-call.ec2") == "before-call.changed"
    assert shared_hooks.EventAliaser(None)._alias_event_name("before-call.ec2") == "before-call.ec2"


def test_handlers_are_still_refused_for_their_signature(shared_hooks: t.Any) -> None:
    for handler, takes in [
        (subprocess.run, "kwargs"),
        (os.path.join, None),
        (botocore.hooks.HierarchicalEmitter, None),
    ]:
        assert shared_hooks.accepts_kwargs(handler) == shared_hooks.accepts_kwargs(handler) == takes
    with pytest.raises(ValueError, match="must accept keyword arguments"):
        shared_hooks.HierarchicalEmitter().register("event", os.path.join)


def test_a_handler_of_a_modules_own_is_not_kept(shared_hooks: t.Any) -> None:
    def handler(**kwargs: t.Any) -> None:
        """Of no use after this test."""

    assert shared_hooks.accepts_kwargs(handler) == "kwargs"
    gone = weakref.ref(handler)
    del handler
    gc.collect()
    assert gone() is None


def test_another_botocore_is_left_alone() -> None:
    interpreter.share_hooks(types.SimpleNamespace())


@pytest.mark.parametrize(
    ("start", "read", "task", "suits"),
    [
        ({}, set(), {b"AWS_REGION": b"x"}, True),
        ({"HOME": "/root"}, set(), {b"HOME": b"/root"}, True),
        ({"HOME": "/root"}, set(), {b"HOME": b"/other"}, False),
        ({"HOME": "/root"}, set(), {}, False),
        ({}, set(), {b"PYTHONPATH": b"/x"}, False),
        ({}, {"FLAG"}, {b"FLAG": b"1"}, False),
        ({}, {"FLAG"}, {b"OTHER": b"1"}, True),
        ({"HOME": "/root"}, {"HOME"}, {b"HOME": b"/root"}, True),
    ],
)
def test_which_environments_a_warm_child_suits(
    start: dict[str, str], read: set[str], task: dict[bytes, bytes], suits: bool
) -> None:
    library = types.SimpleNamespace(start=wire.octets(start), added={}, watch=types.SimpleNamespace(read=read))
    assert interpreter.Library.suits(t.cast(t.Any, library), task) is suits


def test_variables_read_at_import_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIER_SET", "1")
    watch = interpreter.EnvironmentWatch()
    with watch.watching():
        assert os.environ["PALIER_SET"] == "1"
        assert os.environ.get("PALIER_ASKED") is None
        assert "PALIER_MEMBER" not in os.environ
        assert os.getenv("PALIER_GETENV", "x") == "x"
    assert os.environ.get("PALIER_LATER") is None
    assert watch.read == {"PALIER_SET", "PALIER_ASKED", "PALIER_MEMBER", "PALIER_GETENV"}


@pytest.mark.parametrize(
    ("code", "wanted"), [(None, 0), (0, 0), (3, 3), (256, 0), (-1, 255), (True, 1), ("text", 1), ([], 1)]
)
def test_exit_codes(code: t.Any, wanted: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert interpreter.exit_code(code) == wanted
    assert capsys.readouterr().err == ("" if code is None or isinstance(code, int) else f"{code}\n")


def test_a_report_is_not_written_into_somebody_elses_file(tmp_path: Path) -> None:
    hear, tell = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    report = interpreter.Report(tell)
    with hear, open(tmp_path / "file", "wb") as stream:
        report.send([("import", "json")])
        assert json.loads(hear.recv(99)) == [["import", "json"]]
        os.dup2(stream.fileno(), report._descriptor)
        report.send([("import", "json")])
    os.close(report._descriptor)
    assert (tmp_path / "file").read_bytes() == b""


class Payload(t.NamedTuple):
    """An installed package, a library that has loaded it, and the archive of a payload."""

    library: interpreter.Library
    installed: Path
    archive: Path

    def ship(self, **changed: str) -> None:
        """Write the archive: the installed files, but for what is changed, or left out when empty."""
        with zipfile.ZipFile(self.archive, "w") as archive:
            archive.writestr("ansible/__init__.py", "stub = True\n")
            archive.writestr("ansible/module_utils/__init__.py", "stub = True\n")
            for path in sorted((self.installed / "module_utils").glob("*.py")):
                text = changed.get(path.stem, path.read_text())
                if path.stem != "__init__" and text:
                    archive.writestr(f"ansible/module_utils/{path.name}", text)

    def run(self) -> interpreter.Gate:
        """What happens between the fork and the payload's first import."""
        gate = interpreter.Gate(self.library)
        sys.path.insert(0, str(self.archive))
        return gate


@pytest.fixture
def payload(tmp_path: Path, imports: None) -> Payload:
    installed = tmp_path / "site" / "ansible"
    (installed / "module_utils").mkdir(parents=True)
    (installed / "release.py").write_text("__version__ = '2.99.0'\n")
    (installed / "module_utils" / "one.py").write_text(
        "import pathlib\nfrom ansible.module_utils import two\nHERE = pathlib.Path(__file__).parents[2]\nLOADS = []\n"
    )
    (installed / "module_utils" / "two.py").write_text("VALUE = 2\n")
    (installed / "module_utils" / "extra.py").write_text("VALUE = 3\n")
    library = interpreter.Library(SETTINGS._replace(ansible=str(installed)))
    for name in ("one", "extra"):
        library._import(f"ansible.module_utils.{name}")
    return Payload(library, installed, tmp_path / "payload.zip")


def test_what_is_equal_is_taken_from_memory(payload: Payload) -> None:
    loaded = sys.modules["ansible.module_utils.one"]
    payload.ship()
    payload.run()
    one = importlib.import_module("ansible.module_utils.one")
    assert one is loaded
    package = importlib.import_module("ansible.module_utils")
    assert package.stub is True
    assert package.one is one
    assert one.__file__ == f"{payload.archive}/ansible/module_utils/one.py"
    assert pathlib.Path(payload.archive) == one.HERE


def test_one_difference_and_all_comes_from_the_archive(payload: Payload) -> None:
    loaded = sys.modules["ansible.module_utils.one"]
    payload.ship(two="VALUE = 'own'\n")
    gate = payload.run()
    one = importlib.import_module("ansible.module_utils.one")
    assert one is not loaded
    assert one.two.VALUE == "own"
    assert gate.restored == {}


def test_what_the_archive_does_not_carry_cannot_be_imported(payload: Payload) -> None:
    payload.ship(extra="")
    payload.run()
    importlib.import_module("ansible.module_utils.one")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("ansible.module_utils.extra")
    assert not hasattr(importlib.import_module("ansible.module_utils"), "extra")


def test_without_an_archive_nothing_is_given(payload: Payload) -> None:
    interpreter.Gate(payload.library)
    sys.path[:] = []
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("ansible.module_utils.one")


def test_a_modules_compiled_code_is_used_only_for_the_same_source(payload: Payload) -> None:
    (payload.installed / "modules").mkdir()
    (payload.installed / "modules" / "look.py").write_text("WHO = 'installed'\n")
    payload.library._compile("ansible.modules.look")
    payload.library.codes["ansible.modules.look"] = compile("WHO = 'from memory'\n", "x", "exec")
    payload.ship()
    with zipfile.ZipFile(payload.archive, "a") as archive:
        archive.writestr("ansible/modules/__init__.py", "")
        archive.writestr("ansible/modules/look.py", "WHO = 'installed'\n")
    payload.run()
    assert importlib.import_module("ansible.modules.look").WHO == "from memory"


def test_modules_that_warn_when_they_are_imported_are_not_kept(payload: Payload) -> None:
    common = payload.installed / "module_utils" / "common"
    common.mkdir()
    (common / "warnings.py").write_text("_global_warnings = {}\n")
    (payload.installed / "module_utils" / "loud.py").write_text(
        "from ansible.module_utils.common import warnings\nwarnings._global_warnings['x'] = 1\n"
    )
    payload.library._import("ansible.module_utils.common.warnings")
    payload.library._import("ansible.module_utils.loud")
    assert "ansible.module_utils.loud" not in sys.modules
    assert sys.modules["ansible.module_utils.common.warnings"]._global_warnings == {}


def test_the_release_is_known_without_controller_code() -> None:
    assert interpreter.release(SETTINGS.ansible) == ansible.__version__

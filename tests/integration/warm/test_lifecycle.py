# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The warm interpreter starts once, is private, keeps nothing, and ends with its run, whatever ends that."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.integration.warm import processes, runs

WARM = "palier.aws.warm"
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.ping:
    - secretive: {{secret: "{secret}"}}
      environment: {{WARM_SECRET: "{secret}"}}
    - misbehave: {{how: sleep, value: "{directory}/sleeper"}}
"""


def at_home(home: Path) -> dict[str, str]:
    """Variables that put a run's own files into a directory, and mark all of its processes.

    The warm interpreter keeps no variables but those that steer a Python's start, so the mark looks like one.
    """
    return {"ANSIBLE_HOME": str(home), "PYTHON_WARM_TEST": str(home)}


class Sleeping(t.NamedTuple):
    """A run that is asleep in a module."""

    process: subprocess.Popen[bytes]
    home: Path
    sleeper: int
    record: Path

    def interpreters(self) -> list[int]:
        """The run's warm interpreter and its keepers."""
        return processes.interpreters(str(self.home))


@pytest.fixture
def sleeping(place: Path) -> t.Iterator[Sleeping]:
    """Start ansible-playbook and wait until its module sleeps; whatever is left in the end is killed."""
    home, record = place / "home", place / "record"
    play = place / "play.yml"
    play.write_text(PLAY.format(directory=place, secret="swordfish"[::-1] * 3))
    home.mkdir()
    environment = runs.environment(record, **at_home(home))
    process = subprocess.Popen(
        runs.command(play, WARM),
        env=environment,
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    marker = place / "sleeper"
    text = processes.until(lambda: process.poll() is None and marker.exists() and marker.read_text())
    assert text, process.communicate(timeout=10)[0].decode()
    yield Sleeping(process, home, int(text), record)
    for pid in processes.started_by(str(home)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)


def socket_directory(home: Path) -> Path:
    """The directory of a run's socket."""
    (directory,) = home.glob("tmp/ansible-local-*/palier.aws.warm-*")
    return directory


def test_the_socket_is_private(sleeping: Sleeping) -> None:
    directory = socket_directory(sleeping.home)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "socket").stat().st_mode) == 0o600
    assert stat.S_ISSOCK((directory / "socket").stat().st_mode)


def test_one_interpreter_with_next_to_no_environment(sleeping: Sleeping) -> None:
    (interpreter, _keeper, _module) = sorted(sleeping.interpreters())
    names = {entry.partition(b"=")[0] for entry in Path(f"/proc/{interpreter}/environ").read_bytes().split(b"\0")}
    assert b"RECORD" not in names
    assert b"PATH" not in names


def test_secrets_do_not_stay_in_memory(sleeping: Sleeping) -> None:
    secret = b"hsifdrows" * 3
    assert processes.until(lambda: sleeping.record.read_text().count("\n") == 2)
    interpreter = min(sleeping.interpreters())
    try:
        assert secret in processes.memory(sleeping.process.pid)  # or the search finds nothing anywhere
        assert secret not in processes.memory(interpreter)
    except PermissionError:
        pytest.skip("the system does not let us look into processes")


def test_kill_9_of_the_run_ends_the_interpreter(sleeping: Sleeping) -> None:
    directory = socket_directory(sleeping.home)
    interpreter = min(sleeping.interpreters())
    os.kill(sleeping.process.pid, signal.SIGKILL)
    assert processes.until(lambda: interpreter not in sleeping.interpreters())
    assert processes.until(lambda: not directory.exists())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_run_ends_module_and_interpreter(sleeping: Sleeping, number: signal.Signals) -> None:
    os.killpg(sleeping.process.pid, number)
    sleeping.process.communicate(timeout=60)
    assert processes.until(lambda: not processes.started_by(str(sleeping.home)))
    assert processes.until(lambda: not list(sleeping.home.glob("tmp/ansible-local-*/palier.aws.warm-*")))


def test_a_dead_interpreter_is_said_and_replaced_by_the_local_way(tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    play.write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n"
        "    - ansible.builtin.shell: 'kill -9 $(ps -o ppid= -p $(ps -o ppid= -p $PPID))'\n"
        "      ignore_errors: true\n"
        "    - ansible.builtin.ping:\n    - ansible.builtin.ping:\n"
    )
    done = runs.run(play, WARM, tmp_path / "scratch")
    assert done.code == 0, done.output
    assert [outcome for _task, outcome in done.outcomes()] == ["ok"] * 4
    assert done.output.count("The warm interpreter cannot be used") == 1


def test_it_ends_with_the_run_and_leaves_nothing(place: Path) -> None:
    play, home = place / "play.yml", place / "home"
    play.write_text("- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n    - look:\n")
    temporary = place / "tmp"
    temporary.mkdir()
    done = runs.run(play, WARM, place / "scratch", "-vvvv", TMPDIR=str(temporary), **at_home(home))
    assert done.code == 0, done.output
    assert "WARM not used" not in done.output
    assert processes.until(lambda: not processes.started_by(str(home)))
    assert [str(path) for path in temporary.rglob("*")] == []
    assert [str(path) for path in home.rglob("*") if not path.is_dir()] == []


def test_an_installed_collection_in_a_path_with_spaces(place: Path) -> None:
    tarball = place / "build"
    galaxy = str(Path(sys.executable).parent / "ansible-galaxy")
    subprocess.run(
        [galaxy, "collection", "build", str(runs.ROOT), "--output-path", str(tarball)],
        check=True,
        capture_output=True,
        env={**os.environ, "ANSIBLE_HOME": str(place / "home")},
    )
    (archive,) = tarball.glob("*.tar.gz")
    target = place / "collections" / "ansible_collections" / "palier" / "aws"
    target.mkdir(parents=True)
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(target)], check=True)
    play = place / "play.yml"
    play.write_text("- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n    - look:\n")
    extra = {"ANSIBLE_COLLECTIONS_PATH": str(place / "collections")}
    done = runs.run(play, WARM, place / "scratch", "-vvvv", **extra)
    assert done.code == 0, done.output
    assert str(target) in done.output
    assert "WARM not used" not in done.output
    assert "cannot be used" not in done.output


def test_ansible_runner(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    runner = pytest.importorskip("ansible_runner")
    (place / "project").mkdir()
    (place / "inventory").mkdir()
    (place / "inventory" / "hosts.yml").write_text((runs.HERE / "hosts.yml").read_text())
    (place / "project" / "play.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n    - look:\n"
    )
    record = place / "record"
    done = runner.run(
        private_data_dir=str(place),
        playbook="play.yml",
        extravars={"ansible_connection": WARM},
        envvars=runs.environment(record, **at_home(place / "home")),
        verbosity=4,
        quiet=True,
    )
    with done.stdout as stream:
        output = stream.read()
    assert done.status == "successful", output
    assert "WARM not used" not in output
    assert len([json.loads(line) for line in record.read_text().splitlines()]) == 2
    assert processes.until(lambda: not processes.interpreters(str(place / "home")))


def test_nobody_else_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the other side's user, with a socket pair whose ends claim to be another user's."""
    from ansible_collections.palier.aws.plugins.plugin_utils import warm, warm_wire

    run = warm.Run(str(tmp_path / "private"), os.getpid(), sys.executable, ("/bin/sh", "/bin/sh"), "", ())
    os.mkdir(run.directory, 0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{run.directory}/socket")
        listener.listen()
        warm.connect(run, None).close()
        monkeypatch.setattr(warm_wire, "peer_uid", lambda _connection: os.geteuid() + 1)
        with pytest.raises(warm.UnavailableError, match="another user"):
            warm.connect(run, None)
    os.chmod(run.directory, 0o755)
    with pytest.raises(warm.UnavailableError, match="not private"):
        warm.connect(run, None)

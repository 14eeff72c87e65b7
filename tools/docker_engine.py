# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Docker engine for what runs real machines and containers: the one that runs, or one for as long as it is needed.

``python -m tools.docker_engine COMMAND...`` runs a command while there is an engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from tools import remains
from tools.collection import ROOT

#: Where an engine that is started here keeps its images, so that a second run finds them.
DATA = ROOT / ".cache" / "docker"
#: Seconds that an engine gets to answer, and to stop.
PATIENCE = 90
#: Debian's package of the engine; newer releases have the client in a package of its own.
PACKAGES = ("docker.io", "docker-cli")
#: What an engine adds to the machine's packet filter, and leaves there when it ends.
LEFT_RULES = re.compile(r"\bDOCKER|\bdocker0\b")


class NoEngineError(Exception):
    """There is no Docker engine, and none can be started here; the message says why."""


def quietly(*command: str) -> bool:
    """Whether a command can be run and succeeds."""
    try:
        return subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def answers() -> bool:
    """Whether an engine answers, the one that ``DOCKER_HOST`` names or the machine's own."""
    return quietly("docker", "version", "--format", "{{.Server.Version}}")


def output(*command: str) -> str:
    """What a command writes, empty if it fails or is not there."""
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    except FileNotFoundError:
        return ""


def install(say: t.Callable[[str], None]) -> None:
    """Install the distribution's engine.

    :param say: is told that this takes a while.
    :raises NoEngineError: if this machine has no apt-get, or apt-get fails.
    """
    if not shutil.which("apt-get"):
        raise NoEngineError("Docker is not installed, and there is no apt-get to install it with")
    say("Installing the Docker engine")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Another apt-get may be at work on a machine that has just been made.
    apt = ("apt-get", "-qy", "-o", "DPkg::Lock::Timeout=120")
    subprocess.run([*apt, "update"], check=False, env=quiet, capture_output=True, stdin=subprocess.DEVNULL)
    known = [name for name in PACKAGES if re.search(r"Candidate: (?!\(none\))", output("apt-cache", "policy", name))]
    command = [*apt, "install", "--no-install-recommends", *(known or PACKAGES[:1])]
    done = subprocess.run(command, check=False, env=quiet, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise NoEngineError(f"apt-get cannot install Docker: {last_line(done.stderr)}")


def last_line(text: str) -> str:
    """The last line of a text that says something."""
    return ([line.strip() for line in text.splitlines() if line.strip()] or ["it does not say why"])[-1]


def mtu(routes: str, links: str) -> int:
    """The packet size of the link that leads out, for containers' networks: larger packets would be lost there.

    :param routes: ``ip -json route show default``.
    :param links: ``ip -json link show``.
    :returns: bytes, 1500 if unknown.
    """
    devices = [route["dev"] for route in json.loads(routes or "[]") if "dev" in route]
    sizes = {link["ifname"]: int(link["mtu"]) for link in json.loads(links or "[]")}
    return min(1500, sizes.get(devices[0], 1500)) if devices else 1500


def own_mtu() -> int:
    """See L{mtu}, of this machine."""
    return mtu(output("ip", "-json", "route", "show", "default"), output("ip", "-json", "link", "show"))


def kept_rules(saved: str) -> str:
    """A packet filter without what an engine left in it.

    :param saved: what ``iptables-save`` wrote.
    :returns: what ``iptables-restore`` is to read.
    """
    # An engine closes FORWARD; a machine that forwards for others has opened or closed it by rules of its own.
    opened = re.sub(r"^:FORWARD DROP", ":FORWARD ACCEPT", saved, flags=re.MULTILINE)
    return "".join(line for line in opened.splitlines(keepends=True) if not LEFT_RULES.search(line))


def tidy_network() -> None:
    """Take away the bridge and the rules that a stopped engine leaves."""
    quietly("ip", "link", "delete", "docker0")
    saved = output("iptables-save")
    if LEFT_RULES.search(saved):
        subprocess.run(["iptables-restore"], check=False, input=kept_rules(saved), text=True, capture_output=True)


def start(state: str) -> subprocess.Popen[bytes]:
    """Start an engine on the machine's usual socket.

    :param state: a directory for its log, its process id and its sockets, removed by the caller.
    """
    with Path(state, "log").open("wb") as log:
        # A session of its own: Ctrl-C must reach those who still have containers to remove, not the engine.
        return subprocess.Popen(
            [
                "dockerd",
                f"--data-root={DATA}",
                f"--exec-root={state}/exec",
                f"--pidfile={state}/pid",
                f"--mtu={own_mtu()}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop an engine, and with it all that it runs."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def await_answer(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until an engine that was started answers.

    :raises NoEngineError: if it ends, or does not answer in time.
    """
    end = time.monotonic() + PATIENCE
    while not answers():
        if process.poll() is not None or time.monotonic() > end:
            raise NoEngineError(f"dockerd does not start: {last_line(log.read_text(errors='replace'))}")
        time.sleep(0.2)


@contextlib.contextmanager
def own_engine() -> t.Iterator[None]:
    """An engine of this run's own, gone at the end with its containers, bridge, rules and mounts."""
    bridged = quietly("ip", "link", "show", "docker0")
    DATA.mkdir(parents=True, exist_ok=True)
    # Below /run since the name of a socket must be short.
    with tempfile.TemporaryDirectory(prefix=f"palier-docker-{remains.mark()}-", dir=remains.SOCKETS) as state:
        process = start(state)
        try:
            await_answer(process, Path(state, "log"))
            yield
        finally:
            stop(process)
            if not bridged:
                tidy_network()


def end_in_order(_number: int, _frame: object) -> t.NoReturn:
    """Turn SIGTERM into an exception, so that whatever is open is closed."""
    raise SystemExit(143)


@contextlib.contextmanager
def some_engine(say: t.Callable[[str], None]) -> t.Iterator[None]:
    """The engine that answers, else one that is started until the end, and installed before if need be.

    :raises NoEngineError: if there is none.
    """
    if answers():
        yield
        return
    if os.geteuid():
        raise NoEngineError("no Docker engine answers, and only root can start one")
    if not (shutil.which("docker") and shutil.which("dockerd")):
        install(say)
    if answers():
        yield
        return
    with own_engine():
        yield


def sweep() -> list[str]:
    """Take away what runs that were killed have left outside of an engine, their own engine with it.

    :returns: what there was.
    """
    swept = remains.sweep()
    if any("(dockerd)" in one for one in swept) and not answers():
        swept += remains.unmount(DATA)
        tidy_network()
    return swept


@contextlib.contextmanager
def engine(say: t.Callable[[str], None] = print) -> t.Iterator[None]:
    """A run with a Docker engine: the one that answers, else one that is started until the end.

    Within, ``docker`` works. An engine that was there before is left running. What runs that were killed have left is
    taken away first.

    :param say: is told what takes a while.
    :raises NoEngineError: if there is none; nothing is left then.
    """
    signal.signal(signal.SIGTERM, end_in_order)
    swept = sweep()
    with remains.marked(), some_engine(say):
        swept += remains.empty_engine(output, quietly)
        if swept:
            say(f"Removed what a run that was killed had left: {', '.join(swept)}")
        yield


def skipped(what: str, why: Exception, unproven: str) -> str:
    """The one line that says what was not proven.

    :param what: what would have run.
    :param why: the reason.
    :param unproven: what it would have proven.
    """
    return f"skipped: {what}: {why}. Not proven: {unproven}."


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run a command while there is an engine.

    :param arguments: the command.
    :returns: its exit code; 69 (unavailable, as sysexits.h has it) if there is no engine.
    """
    command = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with engine():
            return subprocess.run(command, check=False).returncode
    except NoEngineError as error:
        print(f"no Docker engine: {error}", file=sys.stderr)
        return 69


if __name__ == "__main__":
    sys.exit(main())

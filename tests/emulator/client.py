# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starting, asking and stopping an emulator that runs in a process of its own."""

from __future__ import annotations

import functools
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Seconds to wait for the first answer. A start takes about three on an idle machine; the rest is for busy ones.
START_TIMEOUT = 120.0
#: Seconds between asking for the end and forcing it.
STOP_TIMEOUT = 10.0


class EmulatorError(RuntimeError):
    """The emulator did not start, or did not answer."""


class Emulator:
    """A running emulator; a context manager.

    :param without: names of patches to leave out, to see what they mend.
    :param log: file that receives one JSON line per request, or None.
    :param seed: makes the ids that are drawn repeatable, or None.
    :param provisioning: seconds that one of AWS's takes while something comes up; 0 has everything there at once.
    :raises EmulatorError: from L{start} when the process ends or stays silent.

    >>> with Emulator() as emulator:                                   # doctest: +SKIP
    ...     subprocess.run(["make", "deploy"], env={**os.environ, **emulator.env})
    """

    def __init__(
        self,
        without: t.Iterable[str] = (),
        log: str | os.PathLike[str] | None = None,
        seed: int | None = None,
        provisioning: float = 0.0,
    ) -> None:
        self.without = tuple(without)
        self.log = log
        self.seed = seed
        self.pace = provisioning
        self.env: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The URL of every service, as C{AWS_ENDPOINT_URL} holds it."""
        return self.env["AWS_ENDPOINT_URL"]

    @property
    def pid(self) -> int | None:
        """The process id, or None when it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> Emulator:
        """Start it and return when it answers.

        :raises EmulatorError: when it does not come up; the message holds the end of what it wrote.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="emulator-")
        env_file = Path(self._directory.name, "env")
        output = Path(self._directory.name, "output")
        with output.open("wb") as stream:
            self._process = subprocess.Popen(
                self._command(env_file), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
            )
        try:
            self._wait_for(env_file, output)
        except BaseException:
            self.stop()
            raise
        self.env = read_env(env_file.read_text(encoding="utf-8"))
        return self

    def stop(self) -> None:
        """End it; doing so twice is fine."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None
        self.env = {}

    def client(self, service: str, region: str = "us-east-1", **config: t.Any) -> t.Any:
        """A boto3 client that talks to this emulator whatever the caller's environment says.

        :param service: boto3's name of the service, such as C{ec2}.
        :param region: the region to sign for.
        :param config: more settings of C{botocore.config.Config}.
        """
        from botocore.config import Config

        # An empty dict, unlike None, keeps botocore from reading HTTP_PROXY.
        settings: dict[str, t.Any] = {"proxies": {}, "retries": {"total_max_attempts": 1}, **config}
        return _session().client(service, region_name=region, endpoint_url=self.endpoint, config=Config(**settings))

    def requests(self, writes: bool | None = None) -> list[dict[str, t.Any]]:
        """What was asked since the start or the last L{clear_requests}, oldest first.

        :param writes: only calls that may change something (True), only others (False), or all (None).
        :returns: dicts with C{time}, C{service}, C{operation}, C{region}, C{account}, C{access_key}, C{status},
            C{error} and C{write}.
        """
        found = self._control("GET", "requests")["requests"]
        return [entry for entry in found if writes is None or entry["write"] is writes]

    def clear_requests(self) -> None:
        """Forget the recorded requests."""
        self._control("DELETE", "requests")

    def reset(self) -> None:
        """Empty all accounts and regions. The recorded requests stay."""
        self._control("POST", "reset")

    def provisioning(self) -> list[dict[str, t.Any]]:
        """What has taken time since the start: dicts with C{kind}, C{name}, C{start} and C{end}, in AWS's seconds."""
        return list(self._control("GET", "provisioning")["started"])

    def now(self) -> float:
        """AWS's seconds since the start, by the clock of what takes time."""
        return float(self._control("GET", "provisioning")["now"])

    def forward(self, seconds: float) -> None:
        """Put the clock of what takes time forward by so many of AWS's seconds."""
        self._control("POST", f"forward?seconds={seconds}")

    def _command(self, env_file: Path) -> list[str]:
        command = [sys.executable, "-m", "tests.emulator", "--env-file", str(env_file), "--with-parent"]
        if self.pace:
            command += ["--provisioning", str(self.pace)]
        for name in self.without:
            command += ["--without", name]
        if self.log is not None:
            command += ["--log", str(Path(self.log).absolute())]
        if self.seed is not None:
            command += ["--seed", str(self.seed)]
        return command

    def _wait_for(self, env_file: Path, output: Path) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while not env_file.exists():
            if self._process.poll() is not None:
                raise EmulatorError(f"the emulator ended with {self._process.returncode}:\n{_tail(output)}")
            if time.monotonic() > deadline:
                raise EmulatorError(f"the emulator is not ready after {START_TIMEOUT:.0f} s:\n{_tail(output)}")
            time.sleep(0.05)

    def _control(self, method: str, path: str) -> dict[str, t.Any]:
        request = urllib.request.Request(f"{self.endpoint}/_palier/{path}", method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as response:
                answer: dict[str, t.Any] = json.load(response)
        except urllib.error.URLError as error:
            raise EmulatorError(f"the emulator does not answer {method} /_palier/{path}: {error}") from error
        return answer


@functools.lru_cache
def _session() -> t.Any:
    # One for all clients: each session reads the services' descriptions anew, EC2's for half a second.
    import boto3

    return boto3.session.Session(aws_access_key_id="testing", aws_secret_access_key="testing")


def read_env(text: str) -> dict[str, str]:
    """The variables of a file of C{export NAME=value} lines."""
    words = (shlex.split(line) for line in text.splitlines())
    return dict(word.split("=", 1) for line in words for word in line[1:])


def _tail(output: Path) -> str:
    return output.read_text(encoding="utf-8", errors="replace")[-4000:]

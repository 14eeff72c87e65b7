# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A job that waits for AWS, under the idle timeout by which AWX ends jobs that print nothing."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from tests.emulator import Emulator
from tests.integration.awx_runner import IN_AWX, Launcher

pytestmark = pytest.mark.slow


class Pause:
    """Keeps an emulator from answering, as an AWS does that takes its time, for some seconds.

    :param emulator: it.
    :param seconds: for how long, at most.
    """

    def __init__(self, emulator: Emulator, seconds: float) -> None:
        assert emulator.pid is not None
        self.pid = emulator.pid
        self.timer = threading.Timer(seconds, self.end)

    def __enter__(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        self.timer.start()

    def __exit__(self, *exc: object) -> None:
        self.timer.cancel()
        self.end()

    def end(self) -> None:
        """Let it answer again."""
        os.kill(self.pid, signal.SIGCONT)


@pytest.mark.parametrize(("heartbeat", "status"), [("1", "successful"), ("0", "timeout")])
def test_a_job_that_waits_lives_as_long_as_it_is_heard_of(
    emulator: Emulator, tmp_path: Path, heartbeat: str, status: str
) -> None:
    """AWX's 300 s and the heartbeat's 30 s, both twenty times as fast; AWS answers after half a minute."""
    launcher = Launcher(emulator, tmp_path, "classic_ec2", IN_AWX)
    environment = {**emulator.env, "PALIER_HEARTBEAT_INTERVAL": heartbeat}
    with Pause(emulator, 30):
        # Of these tags there is nothing: the job looks at the description, for which it asks AWS, and ends.
        job = launcher.launch("verify", tags="none", idle_timeout=15, environment=environment)
    assert job.status == status, job.output[-3000:]
    assert ("still waiting: [classic_" in job.output) is (status == "successful")

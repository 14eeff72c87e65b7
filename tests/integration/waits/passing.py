# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs at AWS's own pace, in which nobody waits: while a task waits, the emulator's clock is put forward.

So the time of a run in AWS's seconds is what Ansible itself took, plus the interval for each look that was in vain.
"""

from __future__ import annotations

import subprocess
import typing as t

from tests.integration.runner import ROOT, Runner

#: Seconds between two looks: what a run waits on AWS (roles/stack/defaults), and what it waits here.
INTERVAL, PAUSE = 15.0, 0.3


class PassingRunner(Runner):
    """Puts the clock forward by one interval each time that Ansible says that it will look again."""

    #: Seconds that runs have paused in earnest.
    pauses = 0.0

    def _run(self, command: list[str], environment: dict[str, str]) -> tuple[int, str]:
        lines = []
        process = subprocess.Popen(
            [*command, "-e", f"stack_poll_interval={PAUSE}"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            for line in t.cast(t.IO[str], process.stdout):
                lines.append(line)
                if line.startswith("FAILED - RETRYING"):
                    self.emulator.forward(INTERVAL - PAUSE)
                    self.pauses += PAUSE
        return process.wait(), "".join(lines)

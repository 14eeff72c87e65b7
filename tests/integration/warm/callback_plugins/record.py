# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes every result of a run to a file, as JSON lines."""

from __future__ import annotations

DOCUMENTATION = r"""
name: record
type: aggregate
short_description: Write every result to the file that RECORD names
description: For tests.
"""

import json  # noqa: E402
import os  # noqa: E402

from ansible.plugins.callback import CallbackBase  # noqa: E402


class CallbackModule(CallbackBase):
    """Records results as callbacks see them."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "record"

    def _record(self, result, outcome):
        line = {
            "task": result._task.get_name(),
            "host": result._host.get_name(),
            "outcome": outcome,
            "result": json.loads(json.dumps(result._result, default=str)),
        }
        with open(os.environ["RECORD"], "a", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(json.dumps(line) + "\n")

    def v2_runner_on_ok(self, result):
        """Record success."""
        self._record(result, "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """Record failure."""
        self._record(result, "failed")

    def v2_runner_on_unreachable(self, result):
        """Record that a host could not be reached."""
        self._record(result, "unreachable")

    def v2_runner_on_skipped(self, result):
        """Record a skipped task."""
        self._record(result, "skipped")

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long tasks wait."""

from __future__ import annotations

import math


def retries(timeout: float | str, interval: float | str) -> int:
    """How often a task looks again until a time is over, for its keyword C{retries}.

    :param timeout: seconds to wait at most.
    :param interval: seconds between two looks, the task's C{delay}.
    """
    return math.ceil(float(timeout) / float(interval))

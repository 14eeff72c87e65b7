# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How often a task looks again."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import waits


@pytest.mark.parametrize(
    ("timeout", "interval", "expected"),
    [(900, 15, 60), (900, 15.0, 60), ("900", "15", 60), (100, 15, 7), (1, 15, 1), (0, 15, 0), (10, 0.3, 34)],
)
def test_retries(timeout: float, interval: float, expected: int) -> None:
    assert waits.retries(timeout, interval) == expected

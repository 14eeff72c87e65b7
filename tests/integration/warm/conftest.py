# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tests of the warm connection share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fast path needs Linux")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory whose path holds a space, is long, and is not ASCII."""
    directory = tmp_path / ("a place with spaces, ünd " + "long" * 20)
    directory.mkdir()
    return directory

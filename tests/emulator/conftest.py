# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The emulator's own tests use the fixtures that it offers to others."""

from __future__ import annotations

from tests.emulator.fixtures import emulator, emulator_process

__all__ = ["emulator", "emulator_process"]

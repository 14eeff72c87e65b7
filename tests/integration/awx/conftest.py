# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An emulator for the tests that begin with an empty account."""

from tests.emulator.fixtures import emulator, emulator_process

__all__ = ["emulator", "emulator_process"]

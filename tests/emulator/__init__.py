# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A local AWS for demonstrations and tests: moto's server, its gaps mended, every request recorded.

C{python -m tests.emulator} starts it; L{Emulator} does so from Python. Importing this package starts nothing and loads
neither moto nor boto3, so it is cheap.
"""

from __future__ import annotations

from tests.emulator.client import Emulator, EmulatorError

__all__ = ["Emulator", "EmulatorError"]

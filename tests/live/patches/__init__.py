# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is mended in MiniStack: one small named function for each gap, as in C{tests.emulator.patches}.

A patch restores what AWS does, never what a test would like. They apply inside MiniStack's own environment.
"""

from __future__ import annotations

import importlib
import pkgutil
import typing as t

from tests.emulator.patches import Patch, around

__all__ = ["Patch", "all_patches", "apply_all", "around", "patch"]

_registry: dict[str, Patch] = {}


def patch(restores: str, source: str, touches: str | tuple[str, ...]) -> t.Callable[[t.Callable[[], None]], t.Any]:
    """Register the decorated function as a patch; see L{Patch} for the arguments."""

    def register(function: t.Callable[[], None]) -> t.Callable[[], None]:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        touched = (touches,) if isinstance(touches, str) else touches
        _registry[name] = Patch(name, restores, source, touched, function)
        return function

    return register


def all_patches() -> list[Patch]:
    """Every patch, in the order in which they apply. Needs no MiniStack."""
    for module in sorted(entry.name for entry in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return list(_registry.values())


def apply_all() -> None:
    """Mend everything."""
    for found in all_patches():
        found.apply()

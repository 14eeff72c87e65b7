# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is mended in moto: one small named function for each gap.

A patch restores what AWS does, never what a test would like. It says which behaviour that is, how it is known and what
of moto it touches; C{python -m tests.emulator --list-patches} prints them all.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Patch:
    """One mended gap.

    :param name: C{<module>.<function>}, for example C{rds.managed_master_password}.
    :param restores: what AWS does, in one sentence.
    :param source: the page of AWS's documentation that says so.
    :param touches: attributes of moto that are replaced, as C{package.module:Class.attribute}.
    :param apply: does it.
    """

    name: str
    restores: str
    source: str
    touches: tuple[str, ...]
    apply: t.Callable[[], None]


_registry: dict[str, Patch] = {}


def patch(restores: str, source: str, touches: str | tuple[str, ...]) -> t.Callable[[t.Callable[[], None]], t.Any]:
    """Register the decorated function as a patch."""

    def register(function: t.Callable[[], None]) -> t.Callable[[], None]:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        touched = (touches,) if isinstance(touches, str) else touches
        _registry[name] = Patch(name, restores, source, touched, function)
        return function

    return register


def around(owner: t.Any, name: str) -> t.Callable[[t.Callable[..., t.Any]], t.Callable[..., t.Any]]:
    """Replace C{owner.name} by the decorated function, which gets the original as its first argument."""
    original = getattr(owner, name)

    def replace(function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        @functools.wraps(original)
        def replacement(*args: t.Any, **kwargs: t.Any) -> t.Any:
            return function(original, *args, **kwargs)

        setattr(owner, name, replacement)
        return function

    return replace


def before(owner: t.Any, name: str) -> t.Callable[[t.Callable[..., None]], t.Callable[..., None]]:
    """Call the decorated function, with the same arguments, before each call of C{owner.name}; it may refuse."""

    def check_first(function: t.Callable[..., None]) -> t.Callable[..., None]:
        @around(owner, name)
        def checked(original: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> t.Any:
            function(*args, **kwargs)
            return original(*args, **kwargs)

        return function

    return check_first


def all_patches() -> list[Patch]:
    """Every patch, in the order in which they apply."""
    for module in sorted(entry.name for entry in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return list(_registry.values())


def unknown(names: t.Iterable[str]) -> list[str]:
    """Those of C{names} that no patch has."""
    known = {found.name for found in all_patches()}
    return [name for name in names if name not in known]


def apply_all(without: t.Iterable[str] = ()) -> None:
    """Mend everything but the patches named."""
    left_out = set(without)
    for found in all_patches():
        if found.name not in left_out:
            found.apply()

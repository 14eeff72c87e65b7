# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Domain names: one spelling inside, Route 53's outside."""

from __future__ import annotations

import re

#: Route 53 writes every character but letters, digits, hyphens, underscores and dots as a backslash and three octal
#: digits (Route 53 developer guide, "DNS domain name format").
_ESCAPED = re.compile(r"\\([0-7]{3})")


def plain(name: str) -> str:
    """A name in our own spelling: lower case, no dot at its end, no escapes.

    :param name: as a person or Route 53 writes it, such as C(\\052.Shop.Example.).
    """
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), name).rstrip(".").lower()


def within(name: str, zone: str) -> bool:
    """Whether a name belongs to a zone: the zone's own, or one below it."""
    name, zone = plain(name), plain(zone)
    return name == zone or name.endswith(f".{zone}")


def full(name: str, zone: str) -> str:
    """The full name of a record.

    :param name: C(www), or C(@) (or nothing) for the zone's own, or a full name within the zone.
    :param zone: name of the zone.
    """
    if plain(name) in ("", "@"):
        return plain(zone)
    return plain(name) if within(name, zone) else f"{plain(name)}.{plain(zone)}"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shortest time in which a system can come up, from what each part takes and what it has to wait for."""

from __future__ import annotations

import typing as t

#: What each kind of part of a system waits for, by AWS's rules and this collection's safety: no task runs a migration
#: before there is a database, no private instance boots without a way out.
NEEDS: dict[str, dict[str, tuple[str, ...]]] = {
    "jeancloud": {
        "nat gateway": (),
        "load balancer": (),
        "database": (),
        "certificate": (),
        "distribution": ("certificate",),
        "task": ("database", "nat gateway"),
        "service": ("task", "load balancer"),
    },
    "classic_ec2": {
        "nat gateway": (),
        "database": (),
        "instance": ("nat gateway",),
    },
}


def critical_path(needs: t.Mapping[str, t.Iterable[str]], seconds: t.Mapping[str, float]) -> tuple[float, list[str]]:
    """The longest chain of things that wait for one another.

    :param needs: for each part, those that must be there before it can begin.
    :param seconds: how long each part takes.
    :returns: its seconds, and its parts in order.
    :raises ValueError: when parts wait for each other in a circle.

    >>> critical_path({"database": (), "service": ("database",)}, {"database": 6, "service": 1})
    (7.0, ['database', 'service'])
    """
    found: dict[str, tuple[float, list[str]]] = {}

    def end_of(part: str, above: tuple[str, ...]) -> tuple[float, list[str]]:
        if part in above:
            raise ValueError(f"a circle: {' needs '.join([*above, part])}")
        if part not in found:
            before = max((end_of(other, (*above, part)) for other in needs[part]), default=(0.0, []))
            found[part] = (before[0] + seconds[part], [*before[1], part])
        return found[part]

    return max((end_of(part, ()) for part in needs), default=(0.0, []))


def one_after_the_other(needs: t.Mapping[str, t.Iterable[str]], seconds: t.Mapping[str, float]) -> float:
    """The time when each part is waited for before the next is begun."""
    return sum(seconds[part] for part in needs)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shape in which every module of this collection says what it will do, or did.

A module's pure half compares what AWS has with what is wanted and returns a list of L{Step}. Check mode prints that
list, the real run carries it out, so the two cannot disagree.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

#: Verbs that leave the account as it is.
QUIET_VERBS = frozenset({"keep", "skip"})


@dataclass(frozen=True)
class Step:
    """One decision: what happens to which resource, and why.

    :param verb: ``create``, ``modify``, ``delete``, ``copy``, ``tag``, … or ``keep``/``skip``, which change nothing.
    :param resource: the resource in the reader's words, for example ``s3 bucket shop-prod-site``.
    :param reason: why, one short clause.
    :param before: what AWS has now, or ``None``.
    :param after: what it will have, or ``None``.
    """

    verb: str
    resource: str
    reason: str
    before: t.Any = None
    after: t.Any = None

    @property
    def changes(self) -> bool:
        """Whether carrying this step out writes to the account."""
        return self.verb not in QUIET_VERBS

    def as_dict(self) -> dict[str, t.Any]:
        """The step as a module returns it (without the values, which stand in the diff)."""
        return {"action": self.verb, "resource": self.resource, "reason": self.reason}


def outcome(steps: t.Iterable[Step]) -> dict[str, t.Any]:
    """``changed``, ``plan`` and ``diff`` of a list of steps, ready for ``exit_json``.

    :param steps: the decisions, in the order in which they are carried out.
    :returns: ``changed`` (bool), ``plan`` (list of dicts) and ``diff`` (``before``/``after``, keyed by resource).
    """
    steps = list(steps)
    writes = [step for step in steps if step.changes]
    return {
        "changed": bool(writes),
        "plan": [step.as_dict() for step in steps],
        "diff": {
            "before": _values(writes, "before"),
            "after": _values(writes, "after"),
        },
    }


def _values(steps: t.Iterable[Step], side: str) -> dict[str, t.Any]:
    values: dict[str, t.Any] = {}
    for step in steps:
        value = getattr(step, side)
        if value is None:
            continue
        if isinstance(value, dict):
            values.setdefault(step.resource, {}).update(value)
        else:
            values[step.resource] = value
    return values

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A zone is the owner's by the reference with which it was created."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import dns_zones as subject


def zone(number: int, reference: str = "console", private: bool = False) -> dict[str, t.Any]:
    return {
        "Id": f"/hostedzone/Z{number}",
        "Name": "shop.example.",
        "CallerReference": reference,
        "Config": {"PrivateZone": private},
    }


OWN = zone(1, subject.reference("a", "x"))


def choose(*zones: dict[str, t.Any], managed: bool = False, name: str = "shop.example", zone_id: str = "") -> t.Any:
    return subject.choose(zones, name, zone_id, "a", managed)


def test_choosing() -> None:
    assert choose() is None
    assert choose(zone(1, private=True)) is None
    assert choose(zone(1)) == zone(1)
    assert choose(zone(2), OWN, managed=True) == OWN
    assert choose(zone(2), zone(3), zone_id="Z3") == zone(3)
    assert choose(zone(2), OWN, name="") == OWN
    assert choose(zone(2), name="other.example") is None


def test_what_is_refused() -> None:
    with pytest.raises(subject.ZoneError, match="was not made for a; write dns_zone_managed: false"):
        choose(zone(2), managed=True)
    with pytest.raises(subject.ZoneError, match=r"there are 2 hosted zones shop\.example: Z2, Z3; write"):
        choose(zone(2), zone(3))


def test_an_owner_is_not_one_with_a_longer_name() -> None:
    assert not subject.is_ours(zone(1, subject.reference("a-b", "x")), "a")
    assert len(subject.reference("a" * 200, "x")) == 128


@pytest.mark.parametrize(
    ("there", "current", "tags", "purge", "verb"),
    [
        (None, {}, {"a": "1"}, True, "create"),
        (OWN, {"a": "1"}, {"a": "1"}, True, "keep"),
        (OWN, {"a": "1", "b": "2"}, {"a": "1"}, True, "tag"),
        (OWN, {"a": "1", "b": "2"}, {"a": "1"}, False, "keep"),
        (OWN, {"a": "1"}, None, True, "keep"),
    ],
)
def test_present(there: t.Any, current: t.Any, tags: t.Any, purge: bool, verb: str) -> None:
    assert [step.verb for step in subject.plan_present(there, "shop.example", current, tags, purge)] == [verb]


@pytest.mark.parametrize(
    ("there", "left", "verb"),
    [(None, [], "keep"), (zone(2), [], "keep"), (OWN, ["A record x"], "keep"), (OWN, [], "delete")],
)
def test_absent(there: t.Any, left: list[str], verb: str) -> None:
    assert [step.verb for step in subject.plan_absent(there, "shop.example", "a", left)] == [verb]

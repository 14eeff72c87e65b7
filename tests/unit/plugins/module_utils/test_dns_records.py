# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever others have in a zone stays; whatever is ours and not wanted goes; a second plan is empty."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import dns_records as subject
from ansible_collections.palier.aws.plugins.module_utils.dns_records import Alias, RecordSet, Wanted
from hypothesis import given
from hypothesis import strategies as st

ZONE = "shop.example"


def record(name: str = "www", value: str = "203.0.113.7", kind: str = "A", **more: t.Any) -> RecordSet:
    return RecordSet(f"{name}.{ZONE}", kind, 300, (value,), **more)


def stored(one: RecordSet) -> RecordSet:
    """As Route 53 gives it back."""
    return subject.from_aws(one.to_aws())


class Zone:
    """A zone that carries plans out as Route 53 does, refusing what it would."""

    def __init__(self, *records: RecordSet) -> None:
        self.records = {one.key: stored(one) for one in records}

    def run(self, owner: str, *wanted: RecordSet | Wanted, **options: t.Any) -> list[tuple[str, str]]:
        goals = [one if isinstance(one, Wanted) else Wanted(one) for one in wanted]
        plan = subject.plan(self.records.values(), goals, owner=owner, zone=ZONE, **options)
        for batch in subject.batches(plan):
            for change in batch:
                self._apply(change)
        return [(step.verb, step.resource) for step in plan.steps if step.changes]

    def _apply(self, change: dict[str, t.Any]) -> None:
        one = subject.from_aws(change["ResourceRecordSet"])
        if change["Action"] == "DELETE":
            assert self.records.pop(one.key) == one
        else:
            assert one.key not in self.records
            self.records[one.key] = one

    def names(self) -> set[str]:
        """Of what is no claim."""
        return {name.removesuffix(f".{ZONE}") for name, kind, _ in self.records if not name.startswith("_palier-")}


def said(call: t.Callable[..., t.Any], *args: t.Any, **options: t.Any) -> list[str]:
    with pytest.raises(subject.RecordsError) as caught:
        call(*args, **options)
    return caught.value.sentences


def test_a_record_comes_changes_and_goes() -> None:
    zone = Zone()
    assert zone.run("a", record()) == [
        ("create", "A record www.shop.example"),
        ("create", "TXT record _palier-a.shop.example"),
    ]
    assert zone.run("a", record()) == []
    assert zone.run("a", record(value="203.0.113.8")) == [("modify", "A record www.shop.example")]
    assert zone.run("a", purge=True) == [
        ("delete", "A record www.shop.example"),
        ("delete", "TXT record _palier-a.shop.example"),
    ]
    assert zone.records == {}


def test_without_purge_what_left_the_description_stays_ours() -> None:
    zone = Zone()
    zone.run("a", record("one"), record("two"))
    assert zone.run("a", record("one")) == []
    zone.run("a", record("one"), purge=True)
    assert zone.names() == {"one"}


def test_pruning_makes_nothing() -> None:
    zone = Zone()
    zone.run("a", record("one"), record("two"))
    zone.run("a", record("one"), record("three"), create=False, purge=True)
    assert zone.names() == {"one"}
    assert zone.run("a", record("one"), record("three"), create=False, purge=True) == []


def test_a_foreign_record_is_never_changed() -> None:
    zone = Zone(record())
    (sentence,) = said(zone.run, "a", record(value="203.0.113.8"))
    assert sentence == (
        "A record www.shop.example is 203.0.113.7 already, and nothing says that it is this stack's; remove it, leave"
        " it out, or write takeover: true to have it replaced by 203.0.113.8"
    )
    assert zone.run("a", record()) == []
    assert zone.run("a", purge=True) == []
    zone.run("a", Wanted(record(value="203.0.113.8"), takeover=True))
    assert zone.run("a", purge=True)[0] == ("delete", "A record www.shop.example")


def test_an_equal_foreign_record_can_be_taken_over() -> None:
    zone = Zone(record())
    assert zone.run("a", Wanted(record(), takeover=True)) == [("create", "TXT record _palier-a.shop.example")]
    zone.run("a", purge=True)
    assert zone.records == {}


def test_a_record_of_another_owner() -> None:
    zone = Zone()
    zone.run("a", record())
    assert said(zone.run, "b", record())[0].startswith("A record www.shop.example belongs to _palier-a.shop.example;")
    assert "agree on one" in said(zone.run, "b", Wanted(record(value="203.0.113.8"), takeover=True))[0]


def test_a_shared_record_goes_with_the_last() -> None:
    zone, shared = Zone(), Wanted(record("_x", "y.acm.example.", "CNAME"), shared=True)
    zone.run("a", shared)
    assert zone.run("b", shared) == [("create", "TXT record _palier-b.shop.example")]
    assert zone.run("a", purge=True) == [("delete", "TXT record _palier-a.shop.example")]
    assert zone.names() == {"_x"}
    zone.run("b", purge=True)
    assert zone.records == {}


def test_two_that_go_at_once_leave_nothing_behind() -> None:
    """The later batch fails, because it relies on a claim that is gone, and is planned anew."""
    zone, shared = Zone(), Wanted(record("_x", "y.acm.example.", "CNAME"), shared=True)
    zone.run("a", shared)
    zone.run("b", shared)
    stale = subject.batches(subject.plan(zone.records.values(), [], owner="b", zone=ZONE, purge=True))
    zone.run("a", purge=True)
    with pytest.raises(KeyError):
        zone._apply(stale[0][0])


def test_a_protected_record_is_nobodys_then() -> None:
    zone = Zone()
    zone.run("a", record("_x", "y.acm.example.", "CNAME"))
    zone.run("a", purge=True, protected=["_x.shop.example."])
    assert set(zone.records) == {("_x.shop.example", "CNAME", "")}


def test_a_cname_makes_room_for_an_address_in_one_batch() -> None:
    zone = Zone()
    zone.run("a", record("www", "other.example.", "CNAME"))
    assert [verb for verb, _ in zone.run("a", record(), purge=True)] == ["delete", "create", "modify"]


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (record("www", "other.example.", "CNAME"), record()),
        (record(), record("www", "other.example.", "CNAME")),
        (record(), record(set_identifier="one", weight=1)),
    ],
)
def test_what_cannot_stand_beside_a_foreign_record(there: RecordSet, wanted: RecordSet) -> None:
    assert "cannot stand beside" in said(Zone(there).run, "a", wanted)[0]


def test_a_record_outside_of_the_zone() -> None:
    one = Wanted(RecordSet("www.other.example", "A", 300, ("203.0.113.7",)))
    assert said(Zone().run, "a", one) == [
        "A record www.other.example is not within the zone shop.example; leave it out"
    ]


def test_sides_of_a_failover_are_two_owners() -> None:
    zone = Zone()
    zone.run("a", record(set_identifier="a", failover="PRIMARY"))
    zone.run("b", record(set_identifier="b", failover="SECONDARY"))
    zone.run("a", purge=True)
    assert ("www.shop.example", "A", "b") in zone.records


def test_a_claim_is_one_owners() -> None:
    names = {subject.claim_name(owner, ZONE) for owner in ("a", "a_base", "a" * 70, "a" * 71)}
    assert len(names) == 4
    assert all(len(name.partition(".")[0]) <= subject.LABEL for name in names)
    assert not subject.claimed(record("_palier-a", '"v=spf1"', "TXT"))


def test_a_large_plan_is_cut_and_claimed_first() -> None:
    many = [Wanted(record(f"n{number}")) for number in range(1500)]
    decided = subject.plan([], many, owner="a_base", zone=ZONE)
    batches = subject.batches(decided)
    assert len(batches) == 3
    assert all(len(batch) <= subject.ELEMENTS for batch in batches)
    first = subject.from_aws(batches[0][0]["ResourceRecordSet"])
    assert subject.claimed(first) == {one.record.digest for one in many}
    assert first.name == subject.claim_name("a_base", ZONE)
    zone = Zone()
    zone.run("a_base", *many)
    assert zone.run("a_base", *many) == []
    zone.run("a_base", purge=True)
    assert zone.records == {}


def test_what_is_left_of_a_zone() -> None:
    zone = Zone(RecordSet(ZONE, "NS", 300, ("ns.example.",)), record("foreign"), record("sub", "ns.example.", "NS"))
    zone.run("a", record("mine"), Wanted(record("_x", "y.", "CNAME"), shared=True))
    zone.run("b", Wanted(record("_x", "y.", "CNAME"), shared=True))
    left = [str(one) for one in subject.left(zone.records.values(), ZONE, ["a"])]
    assert left == [
        "A record foreign.shop.example",
        "NS record sub.shop.example",
        "CNAME record _x.shop.example",
        "TXT record _palier-b.shop.example",
    ]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("TXT", "v=spf1 -all", '"v=spf1 -all"'),
        ("TXT", '"as is"', '"as is"'),
        ("TXT", 'say "hi"', '"say \\"hi\\""'),
        ("TXT", "x" * 300, f'"{"x" * 255}" "{"x" * 45}"'),
        ("MX", "10 Mail.shop.example", "10 mail.shop.example."),
        ("CNAME", "shop.example.", "shop.example."),
        ("SRV", "0 0 0 .", "0 0 0 ."),
        ("AAAA", "2001:DB8:0::7", "2001:db8::7"),
        ("AAAA", "nonsense", "nonsense"),
        ("CAA", '0 issue "amazon.com"', '0 issue "amazon.com"'),
    ],
)
def test_values(kind: str, text: str, value: str) -> None:
    assert subject.value(kind, text) == value
    assert subject.value(kind, value) == value


def test_options_and_aws_agree() -> None:
    options = {
        "name": "@",
        "type": "A",
        "alias": {"zone_id": "Z1", "dns_name": "LB.example.", "evaluate_target_health": True},
        "failover": "primary",
        "set_identifier": "one",
        "weight": None,
        "health_check_id": "h",
    }
    one = subject.from_options(options, ZONE).record
    assert one == RecordSet(
        ZONE, "A", alias=Alias("Z1", "lb.example", True), set_identifier="one", failover="PRIMARY", health_check_id="h"
    )
    assert stored(one) == one
    assert one.shown() == {
        "alias": "lb.example",
        "evaluate_target_health": True,
        "failover": "PRIMARY",
        "health_check_id": "h",
    }
    weighted = subject.from_options({"name": "w", "type": "A", "values": ["203.0.113.7"], "weight": 0}, ZONE).record
    assert stored(weighted) == weighted
    assert weighted.weight == 0


def test_a_routing_policy_that_we_do_not_know_is_a_difference() -> None:
    there = subject.from_aws({**record(set_identifier="x").to_aws(), "Region": "eu-west-3"})
    assert there != record(set_identifier="x")


LABELS = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True)


@given(foreign=LABELS, before=LABELS, after=LABELS, others=LABELS)
def test_any_change_leaves_what_is_wanted_and_what_is_others(
    foreign: list[str], before: list[str], after: list[str], others: list[str]
) -> None:
    zone = Zone(*(record(f"f{name}") for name in foreign))
    zone.run("b", *(Wanted(record(f"s{name}"), shared=True) for name in others))
    zone.run("a", *(Wanted(record(f"s{name}"), shared=True) for name in before), purge=True)
    wanted = [Wanted(record(f"s{name}"), shared=True) for name in after]
    zone.run("a", *wanted, purge=True)
    assert zone.names() == {f"f{name}" for name in foreign} | {f"s{name}" for name in {*others, *after}}
    assert zone.run("a", *wanted, purge=True) == []
    zone.run("a", purge=True)
    zone.run("b", purge=True)
    assert zone.names() == {f"f{name}" for name in foreign}

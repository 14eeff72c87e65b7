# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The decisions about routes to a peer."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import peering_routes as subject
from hypothesis import given
from hypothesis import strategies as st

PEER = "10.1.0.0/16"


def table(identifier: str, *routes: dict[str, str], name: str = "") -> dict[str, t.Any]:
    tags = [{"Key": "Name", "Value": name}] if name else []
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    return {"RouteTableId": identifier, "Tags": tags, "Routes": [local, *routes]}


def route(connection: str = "pcx-1", destination: str = PEER, state: str = "active") -> dict[str, str]:
    return {"DestinationCidrBlock": destination, "VpcPeeringConnectionId": connection, "State": state}


NAT = {"DestinationCidrBlock": PEER, "NatGatewayId": "nat-1", "State": "active"}


class TestPresent:
    @pytest.mark.parametrize(
        ("routes", "verb", "reason", "before"),
        [
            ([], "create", f"it has no route to {PEER}", None),
            ([route(destination="10.2.0.0/16")], "create", f"it has no route to {PEER}", None),
            ([route()], "keep", f"it routes {PEER} through the connection", None),
            ([route(state="blackhole")], "modify", f"it routes {PEER} through pcx-1", {PEER: "pcx-1"}),
            ([route("pcx-0")], "modify", f"it routes {PEER} through pcx-0", {PEER: "pcx-0"}),
            ([NAT], "modify", f"it routes {PEER} through another target", {PEER: "another target"}),
        ],
    )
    def test_table(self, routes: list[dict[str, str]], verb: str, reason: str, before: t.Any) -> None:
        (step,) = subject.plan_present([table("rtb-1", *routes, name="private-a")], PEER, "pcx-1")
        assert (step.verb, step.resource, step.reason, step.before) == (
            verb,
            "route table private-a",
            reason,
            before,
        )
        assert step.after == (None if verb == "keep" else {PEER: "pcx-1"})

    def test_tables_of_one_name_are_told_apart(self) -> None:
        tables = [
            table("rtb-1", name="private"),
            table("rtb-2", name="private"),
            table("rtb-3"),
            table("rtb-4", name="x"),
        ]
        assert [step.resource for step in subject.plan_present(tables, PEER, "pcx-1")] == [
            "route table private (rtb-1)",
            "route table private (rtb-2)",
            "route table rtb-3",
            "route table x",
        ]


class TestAbsent:
    def test_only_those_through_the_connection(self) -> None:
        tables = [
            table("rtb-1", route(), route(destination="10.2.0.0/16"), route("pcx-2", "10.3.0.0/16")),
            table("rtb-2", NAT),
            table("rtb-3", route(state="blackhole")),
        ]
        steps = subject.plan_absent(tables, None, "pcx-1")
        assert [(step.verb, step.resource, step.before) for step in steps] == [
            ("delete", "route table rtb-1", {PEER: "pcx-1"}),
            ("delete", "route table rtb-1", {"10.2.0.0/16": "pcx-1"}),
            ("delete", "route table rtb-3", {PEER: "pcx-1"}),
        ]
        only = subject.plan_absent(tables, "10.2.0.0/16", "pcx-1")
        assert [step.before for step in only] == [{"10.2.0.0/16": "pcx-1"}]

    def test_a_route_without_an_ipv4_block_is_not_ours(self) -> None:
        foreign = {"DestinationIpv6CidrBlock": "fd00::/56", "VpcPeeringConnectionId": "pcx-1", "State": "active"}
        assert subject.plan_absent([table("rtb-1", foreign)], None, "pcx-1") == []

    def test_nothing_left(self) -> None:
        assert subject.plan_absent([], None, "pcx-1") == []


ROUTES = st.lists(
    st.one_of(
        st.just(NAT),
        st.builds(
            route,
            st.sampled_from(["pcx-1", "pcx-2"]),
            st.sampled_from([PEER, "10.2.0.0/16"]),
            st.sampled_from(["active", "blackhole"]),
        ),
    ),
    max_size=2,
    unique_by=lambda one: one["DestinationCidrBlock"],
)


def carried_out(tables: list[dict[str, t.Any]], steps: list[subject.Step]) -> list[dict[str, t.Any]]:
    """The tables as the steps leave them."""
    found = {subject.resource_of(one, tables): {**one, "Routes": list(one["Routes"])} for one in tables}
    for step in steps:
        gone = set(step.before or {}) if step.verb in ("modify", "delete") else set()
        routes = [one for one in found[step.resource]["Routes"] if one["DestinationCidrBlock"] not in gone]
        routes += [route(connection, block) for block, connection in (step.after or {}).items()]
        found[step.resource]["Routes"] = routes
    return list(found.values())


@given(st.lists(ROUTES, max_size=4), st.booleans())
def test_a_second_run_changes_nothing(all_routes: list[list[dict[str, str]]], absent: bool) -> None:
    tables = [table(f"rtb-{number}", *routes, name="same") for number, routes in enumerate(all_routes)]

    def plan(now: list[dict[str, t.Any]]) -> list[subject.Step]:
        return subject.plan_absent(now, None, "pcx-1") if absent else subject.plan_present(now, PEER, "pcx-1")

    after = carried_out(tables, plan(tables))
    assert len(after) == len(tables)
    assert not any(step.changes for step in plan(after))
    others = [one for before in tables for one in before["Routes"] if one.get("VpcPeeringConnectionId") == "pcx-2"]
    kept = [one for one in others if absent or one["DestinationCidrBlock"] != PEER]
    assert all(any(one in now["Routes"] for now in after) for one in kept)

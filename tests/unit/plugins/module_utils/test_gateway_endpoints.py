# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The decisions about a gateway endpoint."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import gateway_endpoints as subject
from hypothesis import given
from hypothesis import strategies as st

SERVICE = "com.amazonaws.eu-west-3.s3"


def endpoint(
    tables: t.Sequence[str] = ("rtb-1",), tags: dict[str, str] | None = None, **more: t.Any
) -> dict[str, t.Any]:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    return {"VpcEndpointId": "vpce-1", "State": "available", "RouteTableIds": list(tables), "Tags": listed, **more}


class TestCurrent:
    @pytest.mark.parametrize("state", ["available", "Available", "pending", "pendingAcceptance", ""])
    def test_stands(self, state: str) -> None:
        found = endpoint(State=state)
        assert subject.current_endpoint([found]) is found

    @pytest.mark.parametrize("state", ["deleting", "deleted", "Deleted", "failed", "rejected", "expired"])
    def test_gone(self, state: str) -> None:
        assert subject.current_endpoint([endpoint(State=state)]) is None

    def test_the_one_that_stands_whatever_the_order(self) -> None:
        found = [endpoint(State="deleting"), endpoint(VpcEndpointId="vpce-3"), endpoint(VpcEndpointId="vpce-2")]
        assert subject.current_endpoint(found) == found[2]
        assert subject.current_endpoint(found[::-1]) == found[2]
        assert subject.current_endpoint([]) is None


def plan(current: t.Any, tables: t.Sequence[str] = ("rtb-1",), tags: t.Any = None, purge: bool = True) -> list[t.Any]:
    steps = subject.plan_present(current, SERVICE, tables, tags, purge)
    assert {step.resource for step in steps} == {f"gateway endpoint {SERVICE}"}
    return [(step.verb, step.before, step.after) for step in steps]


class TestPlan:
    @pytest.mark.parametrize(
        ("current", "options", "expected"),
        [
            (None, {"tables": ["rtb-2", "rtb-1"]}, [("create", None, {"route_table_ids": ["rtb-1", "rtb-2"]})]),
            (endpoint(), {}, [("keep", None, None)]),
            (endpoint(["rtb-2", "rtb-1"]), {"tables": ["rtb-1", "rtb-2"]}, [("keep", None, None)]),
            (
                endpoint(["rtb-1", "rtb-2"]),
                {"tables": ["rtb-2", "rtb-3"]},
                [("modify", {"route_table_ids": ["rtb-1", "rtb-2"]}, {"route_table_ids": ["rtb-2", "rtb-3"]})],
            ),
            (endpoint(), {"tables": []}, [("modify", {"route_table_ids": ["rtb-1"]}, {"route_table_ids": []})]),
            (endpoint(tags={"a": "1"}), {"tags": None}, [("keep", None, None)]),
            (endpoint(tags={"a": "1"}), {"tags": {"a": "1"}}, [("keep", None, None)]),
            (endpoint(tags={"a": "1"}), {"tags": {}}, [("tag", {"tags": {"a": "1"}}, {"tags": {}})]),
            (endpoint(tags={"a": "1"}), {"tags": {}, "purge": False}, [("keep", None, None)]),
            (
                endpoint(tags={"a": "1"}),
                {"tags": {"b": "2"}, "purge": False},
                [("tag", {"tags": {"a": "1"}}, {"tags": {"a": "1", "b": "2"}})],
            ),
            (endpoint(tags={"aws:cloudformation:stack-name": "x"}), {"tags": {}}, [("keep", None, None)]),
            (
                endpoint(tags={"a": "1"}),
                {"tables": ["rtb-2"], "tags": {"a": "2"}},
                [
                    ("modify", {"route_table_ids": ["rtb-1"]}, {"route_table_ids": ["rtb-2"]}),
                    ("tag", {"tags": {"a": "1"}}, {"tags": {"a": "2"}}),
                ],
            ),
        ],
    )
    def test_table(self, current: t.Any, options: dict[str, t.Any], expected: list[t.Any]) -> None:
        assert plan(current, **options) == expected


IDS = st.lists(st.sampled_from(["rtb-1", "rtb-2", "rtb-3"]), unique=True)
TAGS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"))


@given(IDS, IDS, TAGS, st.one_of(st.none(), TAGS), st.booleans())
def test_a_second_run_changes_nothing(
    served: list[str], wanted: list[str], have: dict[str, str], tags: dict[str, str] | None, purge: bool
) -> None:
    current = endpoint(served, have)
    for step in subject.plan_present(current, SERVICE, wanted, tags, purge):
        if step.verb == "modify":
            current = {**current, "RouteTableIds": step.after["route_table_ids"]}
        elif step.verb == "tag":
            current = {**current, "Tags": [{"Key": key, "Value": value} for key, value in step.after["tags"].items()]}
    assert [verb for verb, _before, _after in plan(current, wanted, tags, purge)] == ["keep"]
    assert set(current["RouteTableIds"]) == set(wanted)

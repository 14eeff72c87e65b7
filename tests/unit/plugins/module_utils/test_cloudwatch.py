# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Dashboards, alarms on alarms and topics, without AWS."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import cloudwatch as subject
from hypothesis import given
from hypothesis import strategies as st

BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=3), BODIES))
def test_a_body_is_the_same_however_it_is_written(body: dict[str, t.Any]) -> None:
    turned = json.dumps(dict(reversed(body.items())), indent=3)
    assert subject.plan_dashboard("d", turned, body).verb == "keep"


@pytest.mark.parametrize(
    ("current", "wanted", "verb"),
    [
        (None, None, "skip"),
        (None, {}, "create"),
        ("{}", None, "delete"),
        ("not json", {}, "modify"),
        ('{"a": [1, 2]}', {"a": [2, 1]}, "modify"),
    ],
)
def test_plan_dashboard(current: str | None, wanted: t.Any, verb: str) -> None:
    assert subject.plan_dashboard("d", current, wanted).verb == verb


@pytest.mark.parametrize(
    ("protocol", "endpoint", "expected"),
    [
        ("https", "https://hooks.example.com/T0/B1/secret?x=1", "https://hooks.example.com/…"),
        ("https", "https://user:secret@hooks.example.com:8443/x", "https://hooks.example.com/…"),
        ("email", "duty@example.com", "email:duty@example.com"),
    ],
)
def test_a_hook_is_shown_by_its_host(protocol: str, endpoint: str, expected: str) -> None:
    assert subject.shown(protocol, endpoint) == expected


def test_an_alarm_is_compared_by_what_is_written() -> None:
    wanted = subject.composite_shape({"name": "all", "any_of": ["b", "a"], "alarm_actions": ["y", "x"]})
    current = {**wanted, "AlarmActions": ["y", "x"], "AlarmArn": "arn", "StateValue": "OK"}
    del current["AlarmDescription"]
    assert subject.plan_composite(current, wanted, {}, {})[0].verb == "keep"
    assert subject.plan_composite(current, {**wanted, "ActionsEnabled": False}, {}, {})[0].verb == "modify"


def test_a_rule_of_one_s_own_is_taken_as_it_is() -> None:
    assert subject.alarm_rule({"rule": "ALARM(a) AND NOT ALARM(b)"}) == "ALARM(a) AND NOT ALARM(b)"


def test_tags_that_are_not_named_stay() -> None:
    current = {"a": "1"}
    assert subject.wanted_tags({"tags": None}, current) == current
    assert subject.wanted_tags({"tags": {"b": 2}, "purge_tags": False}, current) == {"a": "1", "b": "2"}
    assert subject.wanted_tags({"tags": {"b": 2}}, current) == {"b": "2"}

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Dashboards against moto."""

from __future__ import annotations

import json
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import cloudwatch_dashboard
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

NAME = "shop-prod"
BODY = {"widgets": [{"type": "text", "x": 0, "y": 0, "properties": {"markdown": "hello"}}]}


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("cloudwatch", region_name="eu-west-3")


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(cloudwatch_dashboard, {"name": NAME, "body": BODY, **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def test_a_dashboard_is_written_as_planned_once_and_removed(cloudwatch: t.Any) -> None:
    with recorded_calls() as calls:
        planned = run(check=True)
    assert writes(calls) == []
    assert planned["plan"] == run()["plan"]
    assert not run()["changed"]
    assert json.loads(cloudwatch.get_dashboard(DashboardName=NAME)["DashboardBody"]) == BODY
    assert run(check=True, state="absent")["plan"] == run(state="absent")["plan"]
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []
    assert not run(state="absent")["changed"]


def test_the_order_of_keys_and_spaces_do_not_count(cloudwatch: t.Any) -> None:
    text = '{ "widgets": [ {"y": 0, "x": 0, "properties": {"markdown": "hello"}, "type": "text"} ] }'
    cloudwatch.put_dashboard(DashboardName=NAME, DashboardBody=text)
    assert not run()["changed"]
    assert run(body={"widgets": []})["plan"][0]["action"] == "modify"

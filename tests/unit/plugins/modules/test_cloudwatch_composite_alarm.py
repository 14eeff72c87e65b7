# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Composite alarms against moto, which lacks the call."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import cloudwatch_composite_alarm
from moto import mock_aws

from tests.emulator.patches import cloudwatch as mended
from tests.unit.module_runner import recorded_calls, run_module, writes

TOPIC = "arn:aws:sns:eu-west-3:123456789012:shop-prod-alarms"
ALARM: dict[str, t.Any] = {
    "name": "shop-prod-unhealthy",
    "any_of": ["shop-prod-memory", "shop-prod-cpu"],
    "description": "Look at the dashboard",
    "alarm_actions": [TOPIC],
    "tags": {"Stack": "shop"},
}


@pytest.fixture(scope="module", autouse=True)
def mend() -> None:
    mended.composite_alarms()
    mended.alarm_types()


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("cloudwatch", region_name="eu-west-3")
        for name in ALARM["any_of"]:
            client.put_metric_alarm(
                AlarmName=name,
                Namespace="AWS/EC2",
                MetricName="CPUUtilization",
                ComparisonOperator="GreaterThanThreshold",
                EvaluationPeriods=1,
                Period=300,
                Threshold=80,
                Statistic="Average",
            )
        yield client


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(cloudwatch_composite_alarm, {**ALARM, **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def described(cloudwatch: t.Any) -> dict[str, t.Any]:
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[ALARM["name"]], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    return t.cast("dict[str, t.Any]", alarm)


def test_an_alarm_is_made_as_planned_once_and_removed(cloudwatch: t.Any) -> None:
    with recorded_calls() as calls:
        planned = run(check=True)
    assert writes(calls) == []
    done = run()
    assert (planned["plan"], planned["diff"]) == (done["plan"], done["diff"])
    assert not run()["changed"]
    alarm = described(cloudwatch)
    assert alarm["AlarmRule"] == 'ALARM("shop-prod-cpu") OR ALARM("shop-prod-memory")'
    assert (alarm["AlarmActions"], alarm["ActionsEnabled"]) == ([TOPIC], True)
    tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
    assert tags == [{"Key": "Stack", "Value": "shop"}]
    assert run(check=True, state="absent")["plan"] == run(state="absent")["plan"]
    assert not run(state="absent")["changed"]


def test_what_differs_is_changed(cloudwatch: t.Any) -> None:
    run()
    changes: dict[str, t.Any] = {"any_of": ["shop-prod-cpu"], "tags": {"Stack": "shop", "Tier": "monitoring"}}
    planned = run(check=True, **changes)
    assert [step["action"] for step in planned["plan"]] == ["modify", "tag"]
    assert planned["plan"] == run(**changes)["plan"]
    assert not run(**changes)["changed"]
    assert described(cloudwatch)["AlarmRule"] == 'ALARM("shop-prod-cpu")'


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"any_of": []}, "any_of has 0 alarms; name 1 to 100"),
        ({"any_of": [f"alarm-{number}" for number in range(101)]}, "any_of has 101 alarms"),
        ({"any_of": ["a" * 250] * 60}, "CloudWatch takes at most 10240"),
    ],
)
def test_what_cloudwatch_would_refuse(cloudwatch: t.Any, options: dict[str, t.Any], message: str) -> None:
    assert message in run_module(cloudwatch_composite_alarm, {**ALARM, **options})["msg"]

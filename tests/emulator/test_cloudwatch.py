# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch: alarms on alarms."""

from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, TAGS, mends, refusal

RULE = 'ALARM("cpu") OR ALARM("memory")'


@pytest.fixture
def cloudwatch(emulator: Emulator) -> t.Any:
    client = emulator.client("cloudwatch", REGION)
    for name in ("cpu", "memory"):
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
    return client


@mends("cloudwatch.composite_alarms")
def test_an_alarm_on_alarms_that_exist(cloudwatch: t.Any) -> None:
    assert refusal(cloudwatch.put_composite_alarm, AlarmName="all", AlarmRule='ALARM("disk")') == "ValidationError"
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule=RULE, AlarmDescription="unwell", Tags=TAGS)
    (alarm,) = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert (alarm["AlarmRule"], alarm["AlarmDescription"], alarm["ActionsEnabled"]) == (RULE, "unwell", True)
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == TAGS
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule='ALARM("cpu")')
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["all"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert alarm["AlarmRule"] == 'ALARM("cpu")'


@mends("cloudwatch.alarm_types")
def test_metric_alarms_alone_are_described_unless_asked_for(cloudwatch: t.Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule=RULE)
    answer = cloudwatch.describe_alarms()
    assert ([alarm["AlarmName"] for alarm in answer["MetricAlarms"]], answer["CompositeAlarms"]) == (
        ["cpu", "memory"],
        [],
    )
    answer = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm", "MetricAlarm"])
    assert (len(answer["MetricAlarms"]), len(answer["CompositeAlarms"])) == (2, 1)


@mends("cloudwatch.children")
def test_an_alarm_that_another_is_about_stays(cloudwatch: t.Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule=RULE)
    assert refusal(cloudwatch.delete_alarms, AlarmNames=["cpu"]) == "ValidationError"
    cloudwatch.delete_alarms(AlarmNames=["all"])
    cloudwatch.delete_alarms(AlarmNames=["cpu"])
    assert [alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]] == ["memory"]

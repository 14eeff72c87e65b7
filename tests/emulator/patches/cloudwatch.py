# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch: composite alarms."""

from __future__ import annotations

import re
import typing as t

from moto.cloudwatch import models, responses
from moto.cloudwatch.exceptions import ValidationError
from moto.core.responses import ActionResult

from tests.emulator.patches import around, before, patch

_CHILD = re.compile(r"\b(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*[\"']?([^\"')]+?)[\"']?\s*\)")


@patch(
    restores="A composite alarm is made of alarms that exist, replaced as a whole, tagged when it is made, and read.",
    source="CloudWatch API reference, PutCompositeAlarm and CompositeAlarm",
    touches="moto.cloudwatch.responses:CloudWatchResponse",
)
def composite_alarms() -> None:
    """Add the call; moto's own alarm keeps the rule."""

    def put_composite_alarm(self: t.Any) -> t.Any:
        rule, backend = self._get_param("AlarmRule"), self.cloudwatch_backend
        for child in _CHILD.findall(rule):
            if child.rpartition(":alarm:")[2] not in backend.alarms:
                raise ValidationError(f"Could not save the composite alarm as alarm(s) [{child}] do not exist")
        return self.put_metric_alarm()

    responses.CloudWatchResponse.put_composite_alarm = put_composite_alarm  # type: ignore[attr-defined]
    # Answers are written by attribute; moto has the rule under another name.
    models.Alarm.alarm_rule = property(lambda self: self.rule)  # type: ignore[attr-defined]


@patch(
    restores="DescribeAlarms answers with the types of alarms that are asked for, by default metric alarms only.",
    source="CloudWatch API reference, DescribeAlarms (AlarmTypes)",
    touches="moto.cloudwatch.responses:CloudWatchResponse.describe_alarms",
)
def alarm_types() -> None:
    """Leave the others out."""

    @around(responses.CloudWatchResponse, "describe_alarms")
    def describe(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        answer = original(self)
        types = self._get_param("AlarmTypes", []) or ["MetricAlarm"]
        found = {f"{kind}s": answer.result[f"{kind}s"] for kind in ("MetricAlarm", "CompositeAlarm") if kind in types}
        return ActionResult({"MetricAlarms": [], "CompositeAlarms": [], **found})


@patch(
    restores="An alarm that a composite alarm is about cannot be deleted.",
    source="CloudWatch API reference, DeleteAlarms; user guide, Create a composite alarm",
    touches="moto.cloudwatch.models:CloudWatchBackend.delete_alarms",
)
def children() -> None:
    """Check before they go."""

    @before(models.CloudWatchBackend, "delete_alarms")
    def check(self: t.Any, alarm_names: list[str]) -> None:
        for alarm in self.alarms.values():
            if alarm.rule and alarm.name not in alarm_names:
                named = set(alarm_names) & {child.rpartition(":alarm:")[2] for child in _CHILD.findall(alarm.rule)}
                if named:
                    raise ValidationError(f"Alarms {sorted(named)} are referenced by the composite alarm {alarm.name}")

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2 Auto Scaling."""

from __future__ import annotations

import typing as t

from moto.autoscaling import responses
from moto.core.responses import EmptyResult

from tests.emulator.patches import patch


@patch(
    restores="DisableMetricsCollection ends the metrics named, or all.",
    source="Auto Scaling API reference, DisableMetricsCollection",
    touches="moto.autoscaling.responses:AutoScalingResponse.disable_metrics_collection",
)
def disable_metrics_collection() -> None:
    """Add the operation, which moto lacks."""

    def disable(self: t.Any) -> t.Any:
        group = self.autoscaling_backend.describe_auto_scaling_groups([self._get_param("AutoScalingGroupName")])[0]
        named = self._get_param("Metrics", [])
        group.metrics = [metric for metric in group.metrics if named and metric not in named]
        return EmptyResult()

    responses.AutoScalingResponse.disable_metrics_collection = disable  # type: ignore[attr-defined]

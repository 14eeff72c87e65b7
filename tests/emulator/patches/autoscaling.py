# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2 Auto Scaling."""

from __future__ import annotations

import typing as t

from moto.autoscaling import models, responses
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from tests.emulator.patches import around, patch


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


@patch(
    restores="A group keeps its default instance warmup, and a new one the lifecycle hooks that came with it.",
    source="Auto Scaling API reference, CreateAutoScalingGroup, UpdateAutoScalingGroup",
    touches=(
        "moto.autoscaling.responses:AutoScalingResponse.create_auto_scaling_group",
        "moto.autoscaling.responses:AutoScalingResponse.update_auto_scaling_group",
    ),
)
def group_settings() -> None:
    """Remember both."""

    @around(responses.AutoScalingResponse, "create_auto_scaling_group")
    def create(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        answer = original(self)
        _warmup(self)
        for hook in self._get_param("LifecycleHookSpecificationList", []):
            self.autoscaling_backend.create_lifecycle_hook(
                name=hook["LifecycleHookName"],
                as_name=self._get_param("AutoScalingGroupName"),
                transition=hook["LifecycleTransition"],
                timeout=int(hook.get("HeartbeatTimeout") or 0),
                result=hook.get("DefaultResult"),
            )
        return answer

    @around(responses.AutoScalingResponse, "update_auto_scaling_group")
    def update(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        answer = original(self)
        _warmup(self)
        return answer


def _warmup(response: t.Any) -> None:
    group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
    given = response._get_int_param("DefaultInstanceWarmup")
    if given is not None:
        group.default_instance_warmup = given


@patch(
    restores="With a group go its lifecycle hooks and scaling policies.",
    source="Auto Scaling API reference, DeleteAutoScalingGroup",
    touches="moto.autoscaling.models:AutoScalingBackend.delete_auto_scaling_group",
)
def what_goes_with_a_group() -> None:
    """Remove them."""

    @around(models.AutoScalingBackend, "delete_auto_scaling_group")
    def delete(original: t.Callable[..., None], self: t.Any, group_name: str) -> None:
        original(self, group_name)
        for kept in (self.lifecycle_hooks, self.policies):
            for key in [key for key, one in kept.items() if one.auto_scaling_group_name == group_name]:
                del kept[key]


@patch(
    restores="Instances have the group's version of its launch template, say so, and spread over the zones.",
    source="Auto Scaling User Guide, Availability Zone distribution; API reference, LaunchTemplateSpecification",
    touches=(
        "moto.autoscaling.models:FakeAutoScalingGroup.replace_autoscaling_group_instances",
        "moto.autoscaling.models:InstanceState.launch_template",
    ),
)
def launched_instances() -> None:
    """Launch one by one; moto takes the first subnet and the default version."""

    @around(models.FakeAutoScalingGroup, "replace_autoscaling_group_instances")
    def launch(original: t.Callable[..., None], self: t.Any, count: int, tags: dict[str, str]) -> None:
        if self.ec2_launch_template is None or not self.vpc_zone_identifier:
            original(self, count, tags)
            return
        for _ in range(count):
            _launch_one(original, self, dict(tags))

    @property  # type: ignore[misc]
    def launch_template(self: t.Any) -> dict[str, t.Any] | None:
        template = self.auto_scaling_group.ec2_launch_template
        if template is None:
            return None
        version = getattr(self, "version", None) or str(template.default_version_number)
        return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": version}

    models.InstanceState.launch_template = launch_template  # type: ignore[assignment, method-assign]


def _launch_one(original: t.Callable[..., None], group: t.Any, tags: dict[str, str]) -> None:
    subnets, zones, template = group.vpc_zone_identifier, group.availability_zones, group.ec2_launch_template
    default = template.default_version_number
    version = str(template.get_version(group.launch_template_version).number)
    counts = dict.fromkeys(subnets.split(","), 0)
    for state in group.instance_states:
        counts[state.instance.subnet_id] = counts.get(state.instance.subnet_id, 0) + 1
    subnet = min(subnets.split(","), key=lambda one: counts[one])
    (found,) = group.ec2_backend.describe_subnets(subnet_ids=[subnet])
    group.vpc_zone_identifier, group.availability_zones = subnet, [found.availability_zone]
    template.default_version_number = int(version)
    try:
        original(group, 1, tags)
    finally:
        group.vpc_zone_identifier, group.availability_zones = subnets, zones
        template.default_version_number = default
    group.instance_states[-1].version = version


#: Auto Scaling API reference, InstanceRefresh, Status: those that have not ended.
_ACTIVE = ("Pending", "InProgress", "Cancelling", "RollbackInProgress")


@patch(
    restores="An instance refresh replaces instances, then the group has the desired configuration; it can be cancelled"
    " and rolled back, and there is one at a time.",
    source="Auto Scaling API reference, StartInstanceRefresh, DescribeInstanceRefreshes, CancelInstanceRefresh,"
    " RollbackInstanceRefresh",
    touches=("moto.autoscaling.responses:AutoScalingResponse",),
)
def instance_refresh() -> None:
    """Add the operations, which moto lacks. A refresh goes one stage further each time that it is looked at."""
    kind = responses.AutoScalingResponse
    kind.start_instance_refresh = _start  # type: ignore[attr-defined]
    kind.describe_instance_refreshes = _describe  # type: ignore[attr-defined]
    kind.cancel_instance_refresh = _cancel  # type: ignore[attr-defined]
    kind.rollback_instance_refresh = _roll_back  # type: ignore[attr-defined]


def _group(response: t.Any) -> t.Any:
    name = response._get_param("AutoScalingGroupName")
    if name not in response.autoscaling_backend.autoscaling_groups:
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    group = response.autoscaling_backend.autoscaling_groups[name]
    group.refreshes = getattr(group, "refreshes", [])
    return group


def _start(response: t.Any) -> t.Any:
    group, params = _group(response), response._get_params()
    desired, preferences = params.get("DesiredConfiguration") or {}, params.get("Preferences") or {}
    if any(one["Status"] in _ACTIVE for one in group.refreshes):
        raise AutoscalingClientError("InstanceRefreshInProgress", "An Instance Refresh is already in progress.")
    numbered = bool(desired) and not str(group.launch_template_version).startswith("$")
    if _true(preferences.get("AutoRollback")) and not numbered:
        raise ValidationError("Auto rollback needs a desired configuration and a numbered version.")
    refresh = {
        "InstanceRefreshId": str(mock_random.uuid4()),
        "AutoScalingGroupName": group.name,
        "Status": "Pending",
        "StartTime": utcnow(),
        "PercentageComplete": 0,
        "InstancesToUpdate": len(group.instance_states),
        "Preferences": {key: value for key, value in preferences.items() if key in _PREFERENCES},
        "DesiredConfiguration": desired,
    }
    group.refreshes.insert(0, refresh)
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


_PREFERENCES = (
    "MinHealthyPercentage",
    "MaxHealthyPercentage",
    "InstanceWarmup",
    "SkipMatching",
    "AutoRollback",
)


def _true(value: t.Any) -> bool:
    return str(value).lower() == "true"


def _describe(response: t.Any) -> t.Any:
    group = _group(response)
    for refresh in group.refreshes:
        _advance(group, refresh)
    return ActionResult({"InstanceRefreshes": [dict(one) for one in group.refreshes]})


def _advance(group: t.Any, refresh: dict[str, t.Any]) -> None:
    following = {"Pending": "InProgress", "InProgress": "Successful", "Cancelling": "Cancelled"}
    following["RollbackInProgress"] = "RollbackSuccessful"
    status = refresh["Status"]
    if status == "InProgress":
        _replace(group, refresh)
        refresh |= {"PercentageComplete": 100, "InstancesToUpdate": 0, "EndTime": utcnow()}
    refresh["Status"] = following.get(status, status)


def _replace(group: t.Any, refresh: dict[str, t.Any]) -> None:
    template = refresh["DesiredConfiguration"].get("LaunchTemplate")
    if template:
        group._set_launch_configuration(None, template, None)
    wanted = str(group.ec2_launch_template.get_version(group.launch_template_version).number)
    skips = _true(refresh["Preferences"].get("SkipMatching"))
    old = [one for one in group.instance_states if not (skips and one.launch_template["Version"] == wanted)]
    if old:
        group.ec2_backend.terminate_instances([one.instance.id for one in old])
    group.instance_states = [one for one in group.instance_states if one not in old]
    group.set_desired_capacity(group.desired_capacity)


def _active(response: t.Any) -> dict[str, t.Any]:
    found = next((one for one in _group(response).refreshes if one["Status"] in _ACTIVE), None)
    if found is None:
        raise AutoscalingClientError("ActiveInstanceRefreshNotFound", "There is no instance refresh.")
    return t.cast("dict[str, t.Any]", found)


def _cancel(response: t.Any) -> t.Any:
    refresh = _active(response)
    refresh["Status"] = "Cancelling"
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


def _roll_back(response: t.Any) -> t.Any:
    refresh = _active(response)
    if not refresh["DesiredConfiguration"]:
        raise AutoscalingClientError("IrreversibleInstanceRefresh", "There is no desired configuration.")
    refresh["Status"] = "RollbackInProgress"
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


@patch(
    restores="PutScalingPolicy answers with the policy's ARN.",
    source="Auto Scaling API reference, PutScalingPolicy",
    touches="moto.autoscaling.responses:AutoScalingResponse.put_scaling_policy",
)
def policy_arn() -> None:
    """Name it as the API does; moto's C{PolicyArn} is left out of the answer."""

    @around(responses.AutoScalingResponse, "put_scaling_policy")
    def put(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        original(self)
        return ActionResult({"PolicyARN": self.autoscaling_backend.policies[self._get_param("PolicyName")].arn})

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of EC2 Auto Scaling and of launch templates."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

Document = dict[str, t.Any]

#: Auto Scaling says ValidationError for a group that is not there.
GroupErrors = error_handler("ValidationError")
TemplateErrors = error_handler("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException")
#: How many instances a group has, by state (Auto Scaling API reference, EnableMetricsCollection).
METRICS = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
)
#: A scaling activity or a refresh is going on.
BUSY = ["ResourceContention", "ScalingActivityInProgress"]


# -- launch templates --------------------------------------------------------------------------------------------------


@TemplateErrors.list_error_handler("describe the launch template", None)
@AWSRetry.jittered_backoff()
def describe_template(client: t.Any, name: str) -> Document | None:
    """A launch template; C{None} where there is none."""
    return next(iter(client.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]), None)


@TemplateErrors.list_error_handler("describe the version of the launch template", None)
@AWSRetry.jittered_backoff()
def describe_version(client: t.Any, name: str, version: str = "$Latest") -> Document | None:
    """A version of a launch template; C{None} where there is none."""
    found = client.describe_launch_template_versions(LaunchTemplateName=name, Versions=[version])
    return next(iter(found["LaunchTemplateVersions"]), None)


@TemplateErrors.common_error_handler("create the launch template")
@AWSRetry.jittered_backoff()
def create_template(client: t.Any, **request: t.Any) -> Document:
    """Create a launch template with its first version."""
    return client.create_launch_template(**request)["LaunchTemplate"]


@TemplateErrors.common_error_handler("create a version of the launch template")
@AWSRetry.jittered_backoff()
def create_version(client: t.Any, **request: t.Any) -> Document:
    """Add a version."""
    return client.create_launch_template_version(**request)["LaunchTemplateVersion"]


@TemplateErrors.common_error_handler("set the default version of the launch template")
@AWSRetry.jittered_backoff()
def set_default_version(client: t.Any, name: str, version: str) -> t.Any:
    """Make a version the default one."""
    return client.modify_launch_template(LaunchTemplateName=name, DefaultVersion=version)


@TemplateErrors.deletion_error_handler("delete the launch template")
@AWSRetry.jittered_backoff()
def delete_template(client: t.Any, name: str) -> t.Any:
    """Delete a launch template with all versions; one that is gone is fine."""
    return client.delete_launch_template(LaunchTemplateName=name)


@TemplateErrors.common_error_handler("tag the launch template")
@AWSRetry.jittered_backoff()
def create_tags(client: t.Any, resource: str, tags: list[dict[str, str]]) -> t.Any:
    """Set tags."""
    return client.create_tags(Resources=[resource], Tags=tags)


@TemplateErrors.common_error_handler("take tags off the launch template")
@AWSRetry.jittered_backoff()
def delete_tags(client: t.Any, resource: str, keys: list[str]) -> t.Any:
    """Take tags off."""
    return client.delete_tags(Resources=[resource], Tags=[{"Key": key} for key in keys])


# -- groups ------------------------------------------------------------------------------------------------------------


@GroupErrors.common_error_handler("describe the auto scaling group")
@AWSRetry.jittered_backoff()
def describe_group(client: t.Any, name: str) -> Document | None:
    """A group; C{None} where there is none."""
    return next(iter(client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]), None)


@GroupErrors.common_error_handler("create the auto scaling group")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def create_group(client: t.Any, **request: t.Any) -> t.Any:
    """Create a group, which launches its instances."""
    return client.create_auto_scaling_group(**request)


@GroupErrors.common_error_handler("change the auto scaling group")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def update_group(client: t.Any, **request: t.Any) -> t.Any:
    """Change a group."""
    return client.update_auto_scaling_group(**request)


@GroupErrors.deletion_error_handler("delete the auto scaling group")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def delete_group(client: t.Any, name: str) -> t.Any:
    """Delete a group with its instances, not waiting for them or for their hooks; one that is gone is fine."""
    return client.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)


@GroupErrors.common_error_handler("attach target groups to the auto scaling group")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def attach_target_groups(client: t.Any, name: str, arns: list[str]) -> t.Any:
    """Register a group's instances, now and later, with target groups."""
    return client.attach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=arns)


@GroupErrors.common_error_handler("detach target groups from the auto scaling group")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def detach_target_groups(client: t.Any, name: str, arns: list[str]) -> t.Any:
    """Take a group's instances off target groups."""
    return client.detach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=arns)


@GroupErrors.common_error_handler("turn on the metrics of the auto scaling group")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def enable_metrics(client: t.Any, name: str) -> t.Any:
    """Have a group send its metrics each minute."""
    return client.enable_metrics_collection(AutoScalingGroupName=name, Granularity="1Minute", Metrics=list(METRICS))


@GroupErrors.common_error_handler("tag the auto scaling group")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def put_group_tags(client: t.Any, name: str, tags: t.Mapping[str, str]) -> t.Any:
    """Set tags."""
    return client.create_or_update_tags(Tags=group_tags(name, tags))


@GroupErrors.common_error_handler("take tags off the auto scaling group")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def delete_group_tags(client: t.Any, name: str, tags: t.Mapping[str, str]) -> t.Any:
    """Take tags off."""
    return client.delete_tags(Tags=group_tags(name, tags))


def group_tags(name: str, tags: t.Mapping[str, str]) -> list[Document]:
    """Tags as Auto Scaling takes them. Instances get theirs from the launch template, which tags volumes as well."""
    where = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    return [{**where, "Key": key, "Value": value} for key, value in sorted(tags.items())]


# -- hooks and policies ------------------------------------------------------------------------------------------------


@GroupErrors.common_error_handler("describe the lifecycle hooks")
@AWSRetry.jittered_backoff()
def describe_hooks(client: t.Any, name: str) -> list[Document]:
    """A group's lifecycle hooks."""
    return client.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]


@GroupErrors.common_error_handler("put the lifecycle hook")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def put_hook(client: t.Any, name: str, hook: str, **request: t.Any) -> t.Any:
    """Create or change a lifecycle hook."""
    return client.put_lifecycle_hook(AutoScalingGroupName=name, LifecycleHookName=hook, **request)


@GroupErrors.common_error_handler("delete the lifecycle hook")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def delete_hook(client: t.Any, name: str, hook: str) -> t.Any:
    """Delete a lifecycle hook."""
    return client.delete_lifecycle_hook(AutoScalingGroupName=name, LifecycleHookName=hook)


@GroupErrors.common_error_handler("describe the scaling policies")
@AWSRetry.jittered_backoff()
def describe_policies(client: t.Any, name: str) -> list[Document]:
    """A group's step-scaling policies."""
    pages = client.get_paginator("describe_policies").paginate(AutoScalingGroupName=name, PolicyTypes=["StepScaling"])
    return [policy for page in pages for policy in page["ScalingPolicies"]]


@GroupErrors.common_error_handler("put the scaling policy")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def put_policy(client: t.Any, name: str, policy: str, **request: t.Any) -> str:
    """Create or change a scaling policy; its ARN."""
    return client.put_scaling_policy(AutoScalingGroupName=name, PolicyName=policy, **request)["PolicyARN"]


@GroupErrors.common_error_handler("delete the scaling policy")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def delete_policy(client: t.Any, name: str, policy: str) -> t.Any:
    """Delete a scaling policy."""
    return client.delete_policy(AutoScalingGroupName=name, PolicyName=policy)


# -- instance refresh --------------------------------------------------------------------------------------------------


@GroupErrors.list_error_handler("describe the instance refreshes", [])
@AWSRetry.jittered_backoff()
def describe_refreshes(client: t.Any, name: str) -> list[Document]:
    """The latest refreshes of a group, the newest first."""
    return client.describe_instance_refreshes(AutoScalingGroupName=name, MaxRecords=10)["InstanceRefreshes"]


@GroupErrors.common_error_handler("start the instance refresh")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def start_refresh(client: t.Any, **request: t.Any) -> str:
    """Start to replace a group's instances; the refresh's id."""
    return client.start_instance_refresh(Strategy="Rolling", **request)["InstanceRefreshId"]


@error_handler("ActiveInstanceRefreshNotFound").deletion_error_handler("cancel the instance refresh")
@AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)
def cancel_refresh(client: t.Any, name: str) -> t.Any:
    """Cancel a refresh; one that has ended meanwhile is fine."""
    return client.cancel_instance_refresh(AutoScalingGroupName=name)

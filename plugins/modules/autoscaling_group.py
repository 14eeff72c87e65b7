#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.autoscaling_group."""

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscaling_group
short_description: Keep an EC2 Auto Scaling group with its hooks and scaling policies
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Keeps a group, its target groups, lifecycle hooks, step-scaling policies and tags. In check mode neither the
    launch template nor the subnets need exist.
  - The desired capacity is set when the group is made and then left to scaling. Which version of its launch template
    the group has is left to M(palier.aws.autoscaling_refresh), which goes back where a new version does not come up.
  - M(amazon.aws.autoscaling_group) says that it changes a group in every check run;
    M(community.aws.autoscaling_policy) drops a lower bound of 0 and returns nothing in check mode;
    M(community.aws.autoscaling_lifecycle_hook) fails in check mode where the group is not there yet.
options:
  name:
    description: Name of the group.
    type: str
    required: true
  state:
    description: V(absent) deletes the group and terminates its instances, not waiting for them or for their hooks.
    type: str
    choices: [present, absent]
    default: present
  launch_template_id:
    description: Launch template of a new group. Needed with O(state=present).
    type: str
  launch_template_version:
    description: Number of its version. A group with C($Latest) could not go back.
    type: str
  min_size:
    description: Least instances.
    type: int
    default: 1
  max_size:
    description: Most instances. Needed with O(state=present).
    type: int
  desired_capacity:
    description: Instances of a new group. By default O(min_size).
    type: int
  subnets:
    description: Ids of the subnets to stand in. Needed with O(state=present).
    type: list
    elements: str
  target_groups:
    description: ARNs of the target groups that instances are registered with.
    type: list
    elements: str
    default: []
  health_check_type:
    description: V(ELB) also replaces instances that a load balancer finds unhealthy.
    type: str
    choices: [EC2, ELB]
    default: EC2
  health_check_grace_period:
    description: Seconds for which a new instance need not be healthy.
    type: int
    default: 300
  default_instance_warmup:
    description: Seconds after which a new instance counts in the group's metrics and in a refresh.
    type: int
    default: 300
  lifecycle_hooks:
    description: Hooks that stop an instance on its way. Others are removed.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the hook.
        type: str
        required: true
      transition:
        description: Way on which instances are stopped.
        type: str
        choices: [launching, terminating]
        required: true
      heartbeat_timeout:
        description: Seconds, 30 to 7200, after which they go on by themselves.
        type: int
        default: 3600
      default_result:
        description: How they go on then. V(ABANDON) terminates one that is being launched.
        type: str
        choices: [CONTINUE, ABANDON]
        default: CONTINUE
  scaling_policies:
    description: Step-scaling policies, which alarms start. Others of this kind are removed.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the policy.
        type: str
        required: true
      steps:
        description: What is done by how far the metric is beyond the alarm's threshold.
        type: list
        elements: dict
        required: true
        suboptions:
          lower:
            description: Distance from the threshold at which the step begins. None for an open end.
            type: float
          upper:
            description: Distance from the threshold at which it ends. None for an open end.
            type: float
          adjustment:
            description: Instances to add, or to remove if negative.
            type: int
            required: true
  tags:
    description: Tags of the group. Instances get theirs from the launch template.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep one to four instances
  palier.aws.autoscaling_group:
    name: shop-prod-web
    launch_template_id: lt-0123456789abcdef0
    launch_template_version: "3"
    min_size: 1
    max_size: 4
    subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    scaling_policies:
      - name: shop-prod-web-out
        steps: [{lower: 0, adjustment: 1}]
"""

RETURN = r"""
group:
  description: The group, where O(state=present).
  returned: with O(state=present)
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
    policies:
      description: ARNs of the scaling policies by name, made up for those that a plan has not created.
      type: dict
      returned: always
exists:
  description: Whether the group is there, or on its way out. False in a plan of its deletion.
  returned: with O(state=absent)
  type: bool
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      resource: auto scaling group shop-prod-web
      reason: it does not exist
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import autoscaling
from ansible_collections.palier.aws.plugins.module_utils import autoscaling_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

Document = dict[str, t.Any]
STAND_IN = "arn:aws:autoscaling:::scalingPolicy:00000000-0000-0000-0000-000000000000:policyName/"
#: What plan_members calls the things that a group has.
HOOK = "lifecycle hook"
POLICY = "scaling policy"
TARGETS = "target group"
TAG = "tag"
METRICS = "metrics of the group"


def run(module: AnsibleAWSModule) -> Document:
    """Describe, decide, apply."""
    params, client = module.params, module.client("autoscaling")
    group = api.describe_group(client, params["name"])
    if params["state"] == "absent":
        return remove(module, client, group)
    if group and group.get("Status"):
        module.fail_json(msg=f"The auto scaling group {params['name']} is being deleted; run again when it is gone.")
    policies = api.describe_policies(client, params["name"]) if group else []
    steps = plan(params, group, api.describe_hooks(client, params["name"]) if group else [], policies)
    arns = {one["PolicyName"]: one["PolicyARN"] for one in policies}
    if not module.check_mode:
        for step in steps:
            arns |= apply(client, params, step) if step.changes and not included(group, step) else {}
    wanted = {one["name"]: arns.get(one["name"], STAND_IN + one["name"]) for one in params["scaling_policies"]}
    return {**outcome(steps), "group": {"name": params["name"], "policies": wanted}}


def plan(params: Document, group: Document | None, hooks: list[Document], policies: list[Document]) -> list[Step]:
    """All that is to be done, in its order."""
    template = {"LaunchTemplateId": params["launch_template_id"], "Version": params["launch_template_version"]}
    have = group or {}
    tags = {one["Key"]: one["Value"] for one in have.get("Tags") or [] if not one["Key"].startswith("aws:")}
    return [
        autoscaling.plan_group(group, params["name"], autoscaling.group_settings(params), template),
        *autoscaling.plan_members(TAG, tags, params["tags"]),
        *autoscaling.plan_members(TARGETS, _named(have.get("TargetGroupARNs")), _named(params["target_groups"])),
        *autoscaling.plan_members(
            HOOK,
            {one["LifecycleHookName"]: one for one in hooks},
            {one["name"]: autoscaling.hook_request(one) for one in params["lifecycle_hooks"]},
        ),
        *autoscaling.plan_members(
            POLICY,
            {one["PolicyName"]: autoscaling.current_policy(one) for one in policies},
            {one["name"]: autoscaling.policy_request(one) for one in params["scaling_policies"]},
        ),
        *([] if have.get("EnabledMetrics") else [Step("create", METRICS, "they are not sent")]),
    ]


def included(group: Document | None, step: Step) -> bool:
    """Whether a step is part of the creation of the group."""
    return group is None and step.resource.startswith((f"{TAG} ", f"{HOOK} "))


def _named(arns: list[str] | None) -> dict[str, Document]:
    return {arn: {} for arn in arns or []}


def apply(client: t.Any, params: Document, step: Step) -> dict[str, str]:
    """Carry out one step; ARNs of policies that it made."""
    name = params["name"]
    kind = next((one for one in (HOOK, POLICY, TARGETS, TAG) if step.resource.startswith(f"{one} ")), "")
    member = step.resource.removeprefix(f"{kind} ")
    if step.resource == METRICS:
        api.enable_metrics(client, name)
    elif kind == TAG:
        change = api.delete_group_tags if step.verb == "delete" else api.put_group_tags
        change(client, name, {member: params["tags"].get(member, "")})
    elif kind == TARGETS:
        (api.detach_target_groups if step.verb == "delete" else api.attach_target_groups)(client, name, [member])
    elif kind == HOOK:
        change_hook(client, name, member, step)
    elif kind == POLICY:
        return change_policy(client, name, member, step)
    else:
        change_group(client, params, step)
    return {}


def change_hook(client: t.Any, name: str, hook: str, step: Step) -> None:
    """Put or delete a lifecycle hook."""
    if step.verb == "delete":
        api.delete_hook(client, name, hook)
    else:
        api.put_hook(client, name, hook, **step.after)


def change_policy(client: t.Any, name: str, policy: str, step: Step) -> dict[str, str]:
    """Put or delete a scaling policy; its ARN by its name."""
    if step.verb == "delete":
        api.delete_policy(client, name, policy)
        return {}
    return {policy: api.put_policy(client, name, policy, **step.after)}


def change_group(client: t.Any, params: Document, step: Step) -> None:
    """Create the group or change its settings."""
    name = params["name"]
    if step.verb != "create":
        api.update_group(client, AutoScalingGroupName=name, **step.after)
        return
    desired = params["min_size"] if params["desired_capacity"] is None else params["desired_capacity"]
    hooks = [{"LifecycleHookName": one["name"], **autoscaling.hook_request(one)} for one in params["lifecycle_hooks"]]
    # Tags and hooks come with it, so that its first instances have them.
    api.create_group(
        client,
        AutoScalingGroupName=name,
        DesiredCapacity=desired,
        Tags=api.group_tags(name, params["tags"]),
        LifecycleHookSpecificationList=hooks,
        **step.after,
    )


def remove(module: AnsibleAWSModule, client: t.Any, group: Document | None) -> Document:
    """Delete the group and its instances."""
    resource = f"auto scaling group {module.params['name']}"
    if group is None:
        return {**outcome([Step("keep", resource, "it does not exist")]), "exists": False}
    if group.get("Status"):
        return {**outcome([Step("keep", resource, "it is being deleted")]), "exists": True}
    if not module.check_mode:
        api.delete_group(client, module.params["name"])
    count = {"Instances": len(group.get("Instances") or [])}
    return {**outcome([Step("delete", resource, "it is not wanted", count)]), "exists": not module.check_mode}


def main() -> None:
    """Ansible's entry point."""
    hook = {
        "name": {"type": "str", "required": True},
        "transition": {"choices": ["launching", "terminating"], "required": True},
        "heartbeat_timeout": {"type": "int", "default": 3600},
        "default_result": {"choices": ["CONTINUE", "ABANDON"], "default": "CONTINUE"},
    }
    step = {"lower": {"type": "float"}, "upper": {"type": "float"}, "adjustment": {"type": "int", "required": True}}
    policy = {
        "name": {"type": "str", "required": True},
        "steps": {"type": "list", "elements": "dict", "required": True, "options": step},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "launch_template_id": {"type": "str"},
            "launch_template_version": {"type": "str"},
            "min_size": {"type": "int", "default": 1},
            "max_size": {"type": "int"},
            "desired_capacity": {"type": "int"},
            "subnets": {"type": "list", "elements": "str"},
            "target_groups": {"type": "list", "elements": "str", "default": []},
            "health_check_type": {"choices": ["EC2", "ELB"], "default": "EC2"},
            "health_check_grace_period": {"type": "int", "default": 300},
            "default_instance_warmup": {"type": "int", "default": 300},
            "lifecycle_hooks": {"type": "list", "elements": "dict", "default": [], "options": hook},
            "scaling_policies": {"type": "list", "elements": "dict", "default": [], "options": policy},
            "tags": {"type": "dict", "default": {}},
        },
        required_if=[("state", "present", ["launch_template_id", "launch_template_version", "max_size", "subnets"])],
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

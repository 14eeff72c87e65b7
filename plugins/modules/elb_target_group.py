#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.elb_target_group."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elb_target_group
short_description: Create, change and delete a target group, without touching its targets
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - A target group of an Application Load Balancer with its health check, stickiness and deregistration delay.
  - Unlike M(community.aws.elb_target_group) it has a check mode, and it never registers or deregisters a target, which
    ECS and Auto Scaling do by themselves.
  - In check mode the VPC need not exist.
options:
  name:
    description:
      - Name, at most 32 letters, digits and hyphens (ELB API reference, CreateTargetGroup).
    type: str
    required: true
  state:
    description: Whether it should be there.
    type: str
    choices: [present, absent]
    default: present
  vpc_id:
    description: Id of the VPC. Needed with O(state=present).
    type: str
  protocol:
    description: Protocol by which the targets are reached.
    type: str
    choices: [HTTP, HTTPS]
    default: HTTP
  port:
    description: TCP port of the targets. Needed with O(state=present).
    type: int
  target_type:
    description: Whether targets are addresses (Fargate tasks) or instances.
    type: str
    choices: [ip, instance]
    default: ip
  health_check:
    description: How a target's health is asked.
    type: dict
    default: {}
    suboptions:
      path:
        description: Path that is asked for.
        type: str
        default: /
      matcher:
        description: Status codes of a healthy target, such as V(200) or V(200-399).
        type: str
        default: "200"
      interval:
        description: Seconds between two checks.
        type: int
        default: 30
      timeout:
        description: Seconds to wait for an answer; less than the interval.
        type: int
        default: 5
      healthy:
        description: Good answers in a row after which a target is healthy.
        type: int
        default: 2
      unhealthy:
        description: Bad answers in a row after which a target is not.
        type: int
        default: 3
  stickiness_seconds:
    description: Seconds for which a client stays with its target, by a cookie of the load balancer. 0 for none.
    type: int
    default: 0
  deregistration_delay:
    description: Seconds for which a target that goes may finish its requests.
    type: int
    default: 30
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Create the target group of a service
  palier.aws.elb_target_group:
    name: shop-prod-backend
    vpc_id: vpc-0a1b2c3d4e5f60718
    port: 3000
    health_check:
      path: /health
"""

RETURN = r"""
target_group:
  description: The target group; its ARN is empty in check mode when it does not exist yet.
  returned: always
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    arn:
      description: Its ARN.
      type: str
    full_name:
      description: The end of its ARN, by which metrics and auto-scaling call it.
      type: str
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      resource: target group shop-prod-backend
      reason: it does not exist
"""

import functools
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import elb
from ansible_collections.palier.aws.plugins.module_utils import elb_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe, decide, apply."""
    params, client = module.params, module.client("elbv2")
    current = api.describe_target_group(client, params["name"])
    arn = current["TargetGroupArn"] if current else ""
    if params["state"] == "absent":
        steps = remove(module, client, current)
        return {**outcome(steps), "target_group": facts(params["name"], "")}
    attributes = elb.group_attributes(params["stickiness_seconds"], params["deregistration_delay"])
    have = {one["Key"]: one["Value"] for one in api.describe_group_attributes(client, arn)} if current else {}
    tags = api.tags_of(client, arn) if current else {}
    tag_change = functools.partial(elb.tag_steps, have=tags, want=params["tags"], purge=params["purge_tags"])
    steps = elb.plan_target_group(params["name"], current, wanted(params), have, attributes, tag_change)
    if not module.check_mode:
        refuse_replacement(module, steps)
        arn = apply(client, params, arn, attributes, steps)
    return {**outcome(steps), "target_group": facts(params["name"], arn)}


def refuse_replacement(module: AnsibleAWSModule, steps: list[Step]) -> None:
    """AWS can neither change these settings nor delete a group that is in use; a new name is the way."""
    for step in steps:
        if step.verb == "replace":
            module.fail_json(
                msg=f"name: {step.resource} exists with {step.before}, wanted is {step.after}, and AWS cannot change"
                " that; give the target group another name, and the old one can go once nothing leads to it"
            )


def wanted(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The request that would create it."""
    fixed = {name: params[key] for key, name in elb.FIXED.items()}
    return {**fixed, **elb.health_request({**params["health_check"], "protocol": params["protocol"]})}


def apply(client: t.Any, params: dict[str, t.Any], arn: str, attributes: dict[str, str], steps: list[Step]) -> str:
    """Carry out the steps that write; returns the group's ARN."""
    for step in steps:
        if step.verb == "create":
            tags = [{"Key": key, "Value": value} for key, value in (params["tags"] or {}).items()]
            asked = {**wanted(params), **({"Tags": tags} if tags else {})}
            arn = api.create_target_group(client, Name=params["name"], **asked)["TargetGroupArn"]
            api.modify_group_attributes(client, arn, attributes)
        elif step.verb == "tag":
            api.retag(client, arn, step.before["tags"], step.after["tags"])
        elif step.verb == "modify" and step.resource.endswith(" attributes"):
            api.modify_group_attributes(client, arn, step.after)
        elif step.verb == "modify":
            health = elb.health_request({**params["health_check"], "protocol": params["protocol"]})
            api.modify_target_group(client, TargetGroupArn=arn, **health)
    return arn


def remove(module: AnsibleAWSModule, client: t.Any, current: t.Any) -> list[Step]:
    """Delete the target group."""
    resource = f"target group {module.params['name']}"
    if current is None:
        return [Step("keep", resource, "it does not exist")]
    if not module.check_mode:
        api.delete_target_group(client, current["TargetGroupArn"])
    return [Step("delete", resource, "it is not wanted", {"port": current.get("Port")})]


def facts(name: str, arn: str) -> dict[str, str]:
    """What is returned of the group."""
    return {"name": name, "arn": arn, "full_name": arn.rpartition(":")[2]}


def main() -> None:
    """Ansible's entry point."""
    health = {
        "path": {"type": "str", "default": "/"},
        "matcher": {"type": "str", "default": "200"},
        "interval": {"type": "int", "default": 30},
        "timeout": {"type": "int", "default": 5},
        "healthy": {"type": "int", "default": 2},
        "unhealthy": {"type": "int", "default": 3},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "vpc_id": {"type": "str"},
            "protocol": {"choices": ["HTTP", "HTTPS"], "default": "HTTP"},
            "port": {"type": "int"},
            "target_type": {"choices": ["ip", "instance"], "default": "ip"},
            "health_check": {"type": "dict", "default": {}, "options": health, "apply_defaults": True},
            "stickiness_seconds": {"type": "int", "default": 0},
            "deregistration_delay": {"type": "int", "default": 30},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        required_if=[("state", "present", ["vpc_id", "port"])],
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

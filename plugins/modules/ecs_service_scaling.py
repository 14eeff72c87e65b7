#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecs_service_scaling."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service_scaling
short_description: Scale an ECS service by CPU, memory or requests
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Keeps the limits and the target-tracking policies of a service, and removes policies not wanted. Alarms are
    Application Auto Scaling's own.
  - M(community.aws.application_autoscaling_policy) writes in check mode.
  - In check mode the service need not exist.
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  service:
    description: Name of the service.
    type: str
    required: true
  state:
    description: V(absent) ends the scaling; the service keeps the count that it has.
    type: str
    choices: [present, absent]
    default: present
  min:
    description: Least tasks.
    type: int
    default: 1
  max:
    description: Most tasks. Needed with O(state=present).
    type: int
  cpu:
    description: Average CPU use in percent to keep. 0 for no such policy.
    type: float
    default: 0
  memory:
    description: Average memory use in percent to keep. 0 for no such policy.
    type: float
    default: 0
  requests:
    description: Requests for each target and minute to keep. 0 for no such policy.
    type: float
    default: 0
  load_balancer:
    description: Full name of the load balancer, such as C(app/shop-prod-alb/50dc6c495c0c9188). Needed for O(requests).
    type: str
    default: ""
  target_group:
    description: Full name of the target group, C(targetgroup/NAME/ID). Needed for O(requests).
    type: str
    default: ""
  scale_in_cooldown:
    description: Seconds between two steps down.
    type: int
    default: 300
  scale_out_cooldown:
    description: Seconds between two steps up.
    type: int
    default: 60
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep the CPUs at 60 percent
  palier.aws.ecs_service_scaling:
    cluster: shop-prod-cluster
    service: shop-prod-backend
    min: 2
    max: 6
    cpu: 60
"""

RETURN = r"""
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      resource: scaling policy shop-prod-backend-cpu
      reason: it does not exist
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecs
from ansible_collections.palier.aws.plugins.module_utils import ecs_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe, decide, apply."""
    params, client = module.params, module.client("application-autoscaling")
    resource_id = f"service/{params['cluster']}/{params['service']}"
    target = api.describe_target(client, resource_id)
    if params["state"] == "absent":
        return outcome(remove(module, client, resource_id, target))
    policies = {
        one["PolicyName"]: one["TargetTrackingScalingPolicyConfiguration"]
        for one in api.describe_policies(client, resource_id)
        if one["PolicyType"] == "TargetTrackingScaling"
    }
    steps = ecs.plan_scaling(params["service"], target, policies, (params["min"], params["max"]), wanted(params))
    if not module.check_mode:
        apply(client, params, resource_id, steps)
    return outcome(steps)


def wanted(params: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """The wanted policies by name."""
    label = f"{params['load_balancer']}/{params['target_group']}"
    cooldowns = params["scale_in_cooldown"], params["scale_out_cooldown"]
    return {
        f"{params['service']}-{metric}": ecs.tracking(metric, params[metric], label, *cooldowns)
        for metric in ecs.METRICS
        if params[metric]
    }


def apply(client: t.Any, params: dict[str, t.Any], resource_id: str, steps: list[Step]) -> None:
    """Carry out the steps that write; the target comes first in the plan, since a policy needs it."""
    policies = wanted(params)
    for step in steps:
        name = step.resource.rpartition(" ")[2]
        if not step.changes:
            continue
        if step.resource.startswith("auto-scaling of "):
            api.register_target(client, resource_id, MinCapacity=params["min"], MaxCapacity=params["max"])
        elif step.verb == "delete":
            api.delete_policy(client, resource_id, name)
        else:
            api.put_policy(client, resource_id, name, policies[name])


def remove(module: AnsibleAWSModule, client: t.Any, resource_id: str, target: t.Any) -> list[Step]:
    """End the scaling, with all policies."""
    resource = f"auto-scaling of {module.params['service']}"
    if target is None:
        return [Step("keep", resource, "it does not exist")]
    if not module.check_mode:
        api.deregister_target(client, resource_id)
    return [Step("delete", resource, "it is not wanted", {"MaxCapacity": target["MaxCapacity"]})]


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "cluster": {"type": "str", "required": True},
            "service": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "min": {"type": "int", "default": 1},
            "max": {"type": "int"},
            "cpu": {"type": "float", "default": 0},
            "memory": {"type": "float", "default": 0},
            "requests": {"type": "float", "default": 0},
            "load_balancer": {"type": "str", "default": ""},
            "target_group": {"type": "str", "default": ""},
            "scale_in_cooldown": {"type": "int", "default": 300},
            "scale_out_cooldown": {"type": "int", "default": 60},
        },
        required_if=[("state", "present", ["max"])],
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

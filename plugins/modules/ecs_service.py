#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecs_service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service
short_description: Create, change and delete a Fargate service
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Tells ECS what a service should be, and does not wait until it is; M(palier.aws.ecs_cluster_info) says when it is.
  - Unlike M(community.aws.ecs_service) it compares every setting, so that a second run changes nothing, and it leaves a
    count alone that auto-scaling has.
  - In check mode cluster, task definition and target group need not exist.
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  name:
    description: Name of the service.
    type: str
    required: true
  state:
    description: V(absent) stops its tasks and deletes it.
    type: str
    choices: [present, absent]
    default: present
  task_definition:
    description: ARN of the task definition with its revision. Needed with O(state=present).
    type: str
  desired_count:
    description: How many tasks it should have.
    type: int
    default: 1
  scaled_between:
    description:
      - Least and most tasks that auto-scaling allows. A count between them is left as it is, unless O(desired_count) or
        the count is 0.
    type: list
    elements: int
    default: []
  capacity_provider:
    description: What its tasks run on.
    type: str
    choices: [FARGATE, FARGATE_SPOT]
    default: FARGATE
  subnets:
    description: Ids of the subnets. Needed with O(state=present).
    type: list
    elements: str
    default: []
  security_groups:
    description: Ids of the security groups.
    type: list
    elements: str
    default: []
  assign_public_ip:
    description: Whether tasks get a public address.
    type: bool
    default: false
  load_balancers:
    description: Target groups that the tasks join.
    type: list
    elements: dict
    default: []
    suboptions:
      target_group_arn:
        description: ARN of the target group, which a listener must lead to.
        type: str
        required: true
      container_name:
        description: Name of the container.
        type: str
        required: true
      container_port:
        description: Its TCP port.
        type: int
        required: true
  health_check_grace_seconds:
    description: Seconds after a task's start in which the load balancer's opinion of it does not count.
    type: int
    default: 0
  minimum_healthy_percent:
    description: Least share of the wanted tasks that run during a deployment.
    type: int
    default: 100
  maximum_percent:
    description: Largest share of the wanted tasks that run during a deployment.
    type: int
    default: 200
  circuit_breaker:
    description: Whether a deployment that does not come up fails and goes back to the one before.
    type: bool
    default: true
  execute_command:
    description: Whether ECS Exec may open a shell in a container.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Run the service
  palier.aws.ecs_service:
    cluster: shop-prod-cluster
    name: shop-prod-backend
    task_definition: arn:aws:ecs:eu-west-3:123456789012:task-definition/shop-prod-backend:7
    desired_count: 2
    scaled_between: [2, 6]
    subnets: [subnet-0a1b2c3d4e5f60718, subnet-0a1b2c3d4e5f60719]
    security_groups: [sg-0a1b2c3d4e5f60718]
"""

RETURN = r"""
service:
  description: The service, as M(palier.aws.ecs_cluster_info) returns it; empty in check mode when there is none yet.
  returned: always
  type: dict
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: modify
      resource: ecs service shop-prod-backend
      reason: taskDefinition differs
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecs
from ansible_collections.palier.aws.plugins.module_utils import ecs_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe, decide, apply."""
    params, client = module.params, module.client("ecs")
    found = api.describe_services(client, params["cluster"], [params["name"]])
    current = next((one for one in found if one["status"] == "ACTIVE"), None)
    if params["state"] == "absent":
        return {**outcome(remove(module, client, current)), "service": {}}
    draining = any(one["status"] == "DRAINING" for one in found)
    if current is None and draining and not module.check_mode:
        module.fail_json(
            msg=f"name: the service '{params['name']}' is still draining after its deletion; run again when it is gone"
        )
    steps = ecs.plan_service(params["name"], current, wanted(params, current), params["tags"], params["purge_tags"])
    if not module.check_mode:
        current = apply(client, params, current, steps)
    return {**outcome(steps), "service": ecs.service_fact(current) if current else {}}


def wanted(params: dict[str, t.Any], current: t.Any) -> dict[str, t.Any]:
    """The module's options in the shape of L{ecs.service_values}."""
    low, high = params["scaled_between"] or (None, None)
    now = current["desiredCount"] if current else None
    values = {
        "taskDefinition": params["task_definition"],
        "desiredCount": ecs.desired_count(now, params["desired_count"], low, high),
        "capacityProviderStrategy": ecs.strategy([{"capacityProvider": params["capacity_provider"], "weight": 1}]),
        "networkConfiguration": ecs.network_values(
            params["subnets"], params["security_groups"], params["assign_public_ip"]
        ),
        "deploymentConfiguration": {
            "minimumHealthyPercent": params["minimum_healthy_percent"],
            "maximumPercent": params["maximum_percent"],
            "deploymentCircuitBreaker": {"enable": params["circuit_breaker"], "rollback": params["circuit_breaker"]},
        },
        "loadBalancers": load_balancers(params),
        "enableExecuteCommand": params["execute_command"],
        "propagateTags": "SERVICE",
    }
    if params["load_balancers"]:
        # AWS refuses a grace period for a service without a load balancer.
        values["healthCheckGracePeriodSeconds"] = params["health_check_grace_seconds"]
    return values


def load_balancers(params: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """The target groups in ECS's form."""
    found = [
        {
            "targetGroupArn": one["target_group_arn"],
            "containerName": one["container_name"],
            "containerPort": one["container_port"],
        }
        for one in params["load_balancers"]
    ]
    return sorted(found, key=lambda one: str(one["targetGroupArn"]))


def apply(client: t.Any, params: dict[str, t.Any], current: t.Any, steps: list[Step]) -> t.Any:
    """Carry out the steps that write; returns the service."""
    for step in steps:
        if step.verb == "create":
            request = {key: value for key, value in wanted(params, None).items() if value or key == "desiredCount"}
            current = api.create_service(
                client,
                cluster=params["cluster"],
                serviceName=params["name"],
                schedulingStrategy="REPLICA",
                enableECSManagedTags=True,
                tags=ecs.tag_list(params["tags"]),
                **request,
            )
        elif step.verb == "modify":
            changes = dict(step.after)
            if "capacityProviderStrategy" in changes:
                changes["forceNewDeployment"] = True
            current = api.update_service(client, cluster=params["cluster"], service=params["name"], **changes)
        elif step.verb == "tag":
            api.retag(client, current["serviceArn"], step.before["tags"], step.after["tags"])
    return current


def remove(module: AnsibleAWSModule, client: t.Any, current: t.Any) -> list[Step]:
    """Delete the service and stop its tasks."""
    resource = f"ecs service {module.params['name']}"
    if current is None:
        return [Step("keep", resource, "it does not exist")]
    if not module.check_mode:
        api.delete_service(client, module.params["cluster"], module.params["name"])
    return [Step("delete", resource, "it is not wanted", {"desiredCount": current["desiredCount"]})]


def main() -> None:
    """Ansible's entry point."""
    balancer = {
        "target_group_arn": {"type": "str", "required": True},
        "container_name": {"type": "str", "required": True},
        "container_port": {"type": "int", "required": True},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "cluster": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "task_definition": {"type": "str"},
            "desired_count": {"type": "int", "default": 1},
            "scaled_between": {"type": "list", "elements": "int", "default": []},
            "capacity_provider": {"choices": ["FARGATE", "FARGATE_SPOT"], "default": "FARGATE"},
            "subnets": {"type": "list", "elements": "str", "default": []},
            "security_groups": {"type": "list", "elements": "str", "default": []},
            "assign_public_ip": {"type": "bool", "default": False},
            "load_balancers": {"type": "list", "elements": "dict", "default": [], "options": balancer},
            "health_check_grace_seconds": {"type": "int", "default": 0},
            "minimum_healthy_percent": {"type": "int", "default": 100},
            "maximum_percent": {"type": "int", "default": 200},
            "circuit_breaker": {"type": "bool", "default": True},
            "execute_command": {"type": "bool", "default": False},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        required_if=[("state", "present", ["task_definition", "subnets"])],
        supports_check_mode=True,
    )
    if module.params["scaled_between"] and len(module.params["scaled_between"]) != 2:
        module.fail_json(msg="scaled_between: write two numbers, the least and the most tasks")
    run_module(module, run)


if __name__ == "__main__":
    main()

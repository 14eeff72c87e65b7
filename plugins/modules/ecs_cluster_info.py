#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecs_cluster_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_cluster_info
short_description: Describe an ECS cluster, its services and tasks
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Describes a cluster with all its services, and tasks by ARN. What does not exist is an empty answer and no error.
options:
  name:
    description: Name of the cluster.
    type: str
    required: true
  tasks:
    description: ARNs of tasks of the cluster to describe.
    type: list
    elements: str
    default: []
  addresses:
    description: Whether to read the private addresses of each service's running tasks.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Wait for the services
  palier.aws.ecs_cluster_info:
    name: shop-prod-cluster
  register: cluster
  until: cluster.services.values() | rejectattr('stable') | length == 0
  retries: 40
  delay: 15
"""

RETURN = r"""
cluster:
  description: The cluster; empty where there is none.
  returned: always
  type: dict
  contains:
    arn:
      description: Its ARN.
      type: str
    status:
      description: Its status, such as C(ACTIVE).
      type: str
    running_tasks:
      description: Tasks that run or are about to.
      type: int
    container_insights:
      description: The setting of Container Insights.
      type: str
services:
  description: The services by name, inactive ones left out.
  returned: always
  type: dict
  contains:
    arn:
      description: Its ARN.
      type: str
    status:
      description: C(ACTIVE), or C(DRAINING) when it was deleted and its tasks are stopping.
      type: str
    task_definition:
      description: ARN of its task definition.
      type: str
    desired:
      description: Tasks that it should have.
      type: int
    running:
      description: Tasks that run.
      type: int
    pending:
      description: Tasks that are about to run.
      type: int
    rollout_state:
      description: C(IN_PROGRESS), C(COMPLETED) or C(FAILED), of its newest deployment.
      type: str
    rollout_reason:
      description: Why.
      type: str
    deployments:
      description: How many deployments there are; one when nothing is on its way.
      type: int
    stable:
      description: Whether it has what it was told.
      type: bool
    public_ip:
      description: Whether its tasks get a public address.
      type: bool
    subnets:
      description: Ids of its subnets.
      type: list
      elements: str
    security_groups:
      description: Ids of its security groups.
      type: list
      elements: str
    target_groups:
      description: Names of the target groups that its tasks join.
      type: list
      elements: str
    events:
      description: Its three newest messages.
      type: list
      elements: str
    addresses:
      description: Private addresses of its running tasks, with O(addresses=true).
      type: list
      elements: str
tasks:
  description: The tasks by ARN, each with C(status), C(exit_code) (-1 as long as there is none) and C(reason).
  returned: always
  type: dict
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecs
from ansible_collections.palier.aws.plugins.module_utils import ecs_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe."""
    client, name = module.client("ecs"), module.params["name"]
    cluster = api.describe_cluster(client, name)
    tasks = api.describe_tasks(client, name, module.params["tasks"]) if cluster else []
    found = services(client, name) if cluster else {}
    if module.params["addresses"]:
        found = {service: {**fact, "addresses": addresses(client, name, service)} for service, fact in found.items()}
    return {
        "changed": False,
        "cluster": facts(cluster) if cluster else {},
        "services": found,
        "tasks": {task["taskArn"]: ecs.task_fact(task) for task in tasks},
    }


def services(client: t.Any, cluster: str) -> dict[str, t.Any]:
    """The services of a cluster by name."""
    arns = api.list_services(client, cluster)
    pieces = [arns[start : start + api.SERVICES_A_CALL] for start in range(0, len(arns), api.SERVICES_A_CALL)]
    found = [one for piece in pieces for one in api.describe_services(client, cluster, piece)]
    return {one["serviceName"]: ecs.service_fact(one) for one in found if one["status"] != "INACTIVE"}


def addresses(client: t.Any, cluster: str, service: str) -> list[str]:
    """Private addresses of a service's running tasks."""
    arns = api.list_tasks(client, cluster=cluster, serviceName=service, desiredStatus="RUNNING")
    pieces = [arns[start : start + api.TASKS_A_CALL] for start in range(0, len(arns), api.TASKS_A_CALL)]
    return sorted(
        detail["value"]
        for piece in pieces
        for task in api.describe_tasks(client, cluster, piece)
        for attachment in task.get("attachments") or []
        for detail in attachment["details"]
        if detail["name"] == "privateIPv4Address"
    )


def facts(cluster: dict[str, t.Any]) -> dict[str, t.Any]:
    """What is returned of the cluster."""
    return {
        "arn": cluster["clusterArn"],
        "status": cluster["status"],
        "running_tasks": int(cluster.get("runningTasksCount") or 0) + int(cluster.get("pendingTasksCount") or 0),
        "container_insights": ecs.cluster_values(cluster)["containerInsights"],
    }


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "tasks": {"type": "list", "elements": "str", "default": []},
            "addresses": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

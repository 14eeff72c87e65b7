#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecs_cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_cluster
short_description: Create, change and delete an ECS cluster of Fargate services
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - A cluster with Container Insights, the capacity of Fargate and tags, which M(community.aws.ecs_cluster) does not
    all know.
options:
  name:
    description: Name of the cluster.
    type: str
    required: true
  state:
    description: Whether it should be there. AWS refuses to delete a cluster that has services or running tasks.
    type: str
    choices: [present, absent]
    default: present
  container_insights:
    description: Which metrics of tasks and containers CloudWatch keeps.
    type: str
    choices: [enabled, enhanced, disabled]
    default: enabled
  capacity_providers:
    description: What tasks may run on.
    type: list
    elements: str
    default: [FARGATE, FARGATE_SPOT]
  default_capacity_provider:
    description: What a service that does not say it runs on.
    type: str
    default: FARGATE
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Create the cluster
  palier.aws.ecs_cluster:
    name: shop-prod-cluster
"""

RETURN = r"""
cluster_arn:
  description: ARN of the cluster; empty where there is none, or none yet.
  returned: always
  type: str
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      resource: ecs cluster shop-prod-cluster
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
    params, client = module.params, module.client("ecs")
    current = api.describe_cluster(client, params["name"])
    if params["state"] == "absent":
        return {**outcome(remove(module, client, current)), "cluster_arn": ""}
    steps = ecs.plan_cluster(params["name"], current, wanted(params), params["tags"], params["purge_tags"])
    arn = current["clusterArn"] if current else ""
    if not module.check_mode:
        arn = apply(client, params, arn, steps)
    return {**outcome(steps), "cluster_arn": arn}


def wanted(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The module's options in the shape of L{ecs.cluster_values}."""
    return {
        "containerInsights": params["container_insights"],
        "capacityProviders": sorted(params["capacity_providers"]),
        "defaultCapacityProviderStrategy": ecs.strategy(
            [{"capacityProvider": params["default_capacity_provider"], "weight": 1}]
        ),
    }


def apply(client: t.Any, params: dict[str, t.Any], arn: str, steps: list[Step]) -> str:
    """Carry out the steps that write; returns the cluster's ARN."""
    name, values = params["name"], wanted(params)
    settings = [{"name": "containerInsights", "value": values["containerInsights"]}]
    capacity = {key: values[key] for key in ("capacityProviders", "defaultCapacityProviderStrategy")}
    for step in steps:
        if step.verb == "create":
            request = {"clusterName": name, "settings": settings, "tags": ecs.tag_list(params["tags"]), **capacity}
            arn = api.create_cluster(client, **request)["clusterArn"]
        elif step.verb == "tag":
            api.retag(client, arn, step.before["tags"], step.after["tags"])
        elif step.verb == "modify":
            if "containerInsights" in step.after:
                api.update_cluster(client, cluster=name, settings=settings)
            if set(step.after) & set(capacity):
                api.put_capacity_providers(client, cluster=name, **capacity)
    return arn


def remove(module: AnsibleAWSModule, client: t.Any, current: t.Any) -> list[Step]:
    """Delete the cluster."""
    resource = f"ecs cluster {module.params['name']}"
    if current is None:
        return [Step("keep", resource, "it does not exist")]
    if not module.check_mode:
        api.delete_cluster(client, module.params["name"])
    return [Step("delete", resource, "it is not wanted", ecs.cluster_values(current))]


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "container_insights": {"choices": ["enabled", "enhanced", "disabled"], "default": "enabled"},
            "capacity_providers": {"type": "list", "elements": "str", "default": ["FARGATE", "FARGATE_SPOT"]},
            "default_capacity_provider": {"type": "str", "default": "FARGATE"},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

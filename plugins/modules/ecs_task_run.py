#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecs_task_run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_run
short_description: Start a one-off task on Fargate
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Starts a task, such as a database migration, and returns at once. M(palier.aws.ecs_cluster_info) says how it ended.
  - A task with the same O(started_by) and O(task_definition) that is still running, which an interrupted run left, is
    taken instead of starting a second one.
  - Every call is a change otherwise; say when it is wanted.
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  task_definition:
    description: ARN of the task definition with its revision.
    type: str
    required: true
  container:
    description: Name of the container of which O(command) and O(environment) are changed.
    type: str
    required: true
  command:
    description: Command instead of the image's.
    type: list
    elements: str
    default: []
  environment:
    description: Variables beside those of the task definition. No secrets.
    type: dict
    default: {}
  subnets:
    description: Ids of the subnets.
    type: list
    elements: str
    required: true
  security_groups:
    description: Ids of the security groups.
    type: list
    elements: str
    default: []
  assign_public_ip:
    description: Whether the task gets a public address.
    type: bool
    default: false
  started_by:
    description: By what name the task is found again, at most 128 characters (ECS API reference, RunTask).
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Migrate the database
  palier.aws.ecs_task_run:
    cluster: shop-prod-cluster
    task_definition: arn:aws:ecs:eu-west-3:123456789012:task-definition/shop-prod-backend:7
    container: backend
    command: [python, manage.py, migrate]
    subnets: [subnet-0a1b2c3d4e5f60718]
    security_groups: [sg-0a1b2c3d4e5f60718]
    started_by: shop-prod-backend/migrate
"""

RETURN = r"""
task_arn:
  description: ARN of the task; empty in check mode.
  returned: always
  type: str
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: run
      resource: task shop-prod-backend/migrate
      reason: it was asked for
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecs
from ansible_collections.palier.aws.plugins.module_utils import ecs_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Look for one that runs, else start one."""
    params, client = module.params, module.client("ecs")
    resource = f"task {params['started_by']}"
    running = already_running(client, params)
    if running:
        return {**outcome([Step("keep", resource, "one that was started before still runs")]), "task_arn": running}
    arn = "" if module.check_mode else start(module, client)
    after = {"taskDefinition": params["task_definition"], "command": params["command"]}
    return {**outcome([Step("run", resource, "it was asked for", None, after)]), "task_arn": arn}


def already_running(client: t.Any, params: dict[str, t.Any]) -> str:
    """ARN of such a task that still runs, or nothing."""
    cluster = params["cluster"]
    arns = api.list_tasks(client, cluster=cluster, startedBy=params["started_by"], desiredStatus="RUNNING")
    found = [ecs.task_fact(task) for task in api.describe_tasks(client, cluster, arns[: api.TASKS_A_CALL])]
    same = (one for one in found if one["task_definition"] == params["task_definition"] and one["status"] != "STOPPED")
    return next((one["arn"] for one in same), "")


def start(module: AnsibleAWSModule, client: t.Any) -> str:
    """Start it; ends the module where ECS found no place for it."""
    answer = api.run_task(client, **request(module.params))
    if not answer["tasks"]:
        reasons = "; ".join(str(failure.get("reason")) for failure in answer.get("failures") or [])
        module.fail_json(msg=f"started_by: ECS did not start the task '{module.params['started_by']}': {reasons}")
    return answer["tasks"][0]["taskArn"]


def request(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """What RunTask takes."""
    override: dict[str, t.Any] = {"name": params["container"]}
    if params["command"]:
        override["command"] = params["command"]
    if params["environment"]:
        override["environment"] = [{"name": key, "value": str(value)} for key, value in params["environment"].items()]
    return {
        "cluster": params["cluster"],
        "taskDefinition": params["task_definition"],
        "launchType": "FARGATE",
        "count": 1,
        "startedBy": params["started_by"],
        "networkConfiguration": ecs.network_values(
            params["subnets"], params["security_groups"], params["assign_public_ip"]
        ),
        "overrides": {"containerOverrides": [override]},
        "enableECSManagedTags": True,
        **({"tags": ecs.tag_list(params["tags"])} if params["tags"] else {}),
    }


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "cluster": {"type": "str", "required": True},
            "task_definition": {"type": "str", "required": True},
            "container": {"type": "str", "required": True},
            "command": {"type": "list", "elements": "str", "default": []},
            "environment": {"type": "dict", "default": {}},
            "subnets": {"type": "list", "elements": "str", "required": True},
            "security_groups": {"type": "list", "elements": "str", "default": []},
            "assign_public_ip": {"type": "bool", "default": False},
            "started_by": {"type": "str", "required": True},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

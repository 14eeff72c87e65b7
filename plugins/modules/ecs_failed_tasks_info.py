#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecs_failed_tasks_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_failed_tasks_info
short_description: Say why tasks ended, with the last lines of their logs
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Describes the tasks of a task definition that ended badly, the newest first, and reads the end of their logs from
    CloudWatch Logs, where their containers log with C(awslogs).
  - ECS remembers a stopped task for about an hour (ECS API reference, ListTasks).
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  task_definition:
    description: ARN of the task definition with its revision.
    type: str
    required: true
  most:
    description: How many tasks are described.
    type: int
    default: 3
  lines:
    description: How many lines of each container's log are read.
    type: int
    default: 20
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: See why a release failed
  palier.aws.ecs_failed_tasks_info:
    cluster: shop-prod-cluster
    task_definition: arn:aws:ecs:eu-west-3:123456789012:task-definition/shop-prod-backend:8
  register: failed
"""

RETURN = r"""
tasks:
  description: The tasks that ended badly, the newest first.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Id of the task.
      type: str
    container:
      description: Name of the container.
      type: str
    exit_code:
      description: Its exit code, -1 where it has none.
      type: int
    reason:
      description: Why the task was stopped, in ECS's words.
      type: str
    lines:
      description: The last lines that the container wrote.
      type: list
      elements: str
lines:
  description: All of it as lines of text.
  returned: always
  type: list
  elements: str
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecs
from ansible_collections.palier.aws.plugins.module_utils import ecs_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Find the tasks, then read their logs."""
    params, client = module.params, module.client("ecs")
    definition = api.describe_definition(client, params["task_definition"])
    logs = ecs.log_streams(definition or {})
    tasks = stopped(client, params["cluster"], params["task_definition"])
    failed = [one for task in tasks for one in ecs.failures(task)][: params["most"]]
    reader = module.client("logs")
    found = [{**one, "lines": lines_of(reader, one, logs, params["lines"])} for one in failed]
    return {"changed": False, "tasks": found, "lines": [line for one in found for line in ecs.failure_lines(one)]}


def stopped(client: t.Any, cluster: str, definition: str) -> list[ecs.Document]:
    """The stopped tasks of a revision, the newest first."""
    family = definition.rpartition("/")[2].rpartition(":")[0]
    arns = api.list_tasks(client, cluster=cluster, family=family, desiredStatus="STOPPED")
    pieces = [arns[start : start + api.TASKS_A_CALL] for start in range(0, len(arns), api.TASKS_A_CALL)]
    found = [task for piece in pieces for task in api.describe_tasks(client, cluster, piece)]
    return ecs.newest_first(task for task in found if task.get("taskDefinitionArn") == definition)


def lines_of(client: t.Any, failure: dict[str, t.Any], logs: dict[str, tuple[str, str]], most: int) -> list[str]:
    """The last lines of a container's log; none where it does not log to CloudWatch or did not begin to."""
    if failure["container"] not in logs:
        return []
    group, prefix = logs[failure["container"]]
    stream = f"{prefix}/{failure['container']}/{failure['id']}"
    return api.last_log_lines(client, group, stream, most)


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "cluster": {"type": "str", "required": True},
            "task_definition": {"type": "str", "required": True},
            "most": {"type": "int", "default": 3},
            "lines": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecs_task_definition."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_definition
short_description: Register a task definition for Fargate when it differs from the newest revision
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Registers a revision only where something differs from the newest active one; what AWS fills in by itself and the
    order of variables do not count.
  - M(community.aws.ecs_taskdefinition) overlooks changes of CPU and memory and has no way to delete a family.
options:
  family:
    description: Name of the family.
    type: str
    required: true
  state:
    description:
      - V(absent) deregisters and deletes every revision of the family.
      - V(rolled_back) deregisters what is newer than O(revision), so that this is the newest one again.
    type: str
    choices: [present, absent, rolled_back]
    default: present
  revision:
    description: Number of the revision to go back to, with O(state=rolled_back).
    type: int
  cpu:
    description: CPU units, 1024 for one virtual CPU. Needed with O(state=present).
    type: int
  memory:
    description: Memory in MiB. Needed with O(state=present).
    type: int
  architecture:
    description: Processor of the image.
    type: str
    choices: [X86_64, ARM64]
    default: X86_64
  containers:
    description: Container definitions in ECS's own form (ECS API reference, ContainerDefinition).
    type: list
    elements: dict
    default: []
  volumes:
    description: Names of empty volumes, which live as long as the task.
    type: list
    elements: str
    default: []
  ephemeral_storage:
    description: Size of the task's disk in GiB, 21 to 200. 0 for the 20 GiB that every task has.
    type: int
    default: 0
  execution_role_arn:
    description: Role by which ECS pulls the image, reads the secrets and writes the logs.
    type: str
  task_role_arn:
    description: Role of the application.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Register the task definition
  palier.aws.ecs_task_definition:
    family: shop-prod-backend
    cpu: 256
    memory: 512
    containers:
      - name: backend
        image: 123456789012.dkr.ecr.eu-west-3.amazonaws.com/shop-prod-backend:1.4.2
        portMappings:
          - containerPort: 3000
    execution_role_arn: arn:aws:iam::123456789012:role/shop-prod-ecs-execution
"""

RETURN = r"""
task_definition:
  description: The newest revision; in check mode the one that would be registered, called C(family:planned).
  returned: always
  type: dict
  contains:
    arn:
      description: ARN with the revision.
      type: str
    revision:
      description: The revision; 0 where there is none yet.
      type: int
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: register
      resource: ecs task definition shop-prod-backend
      reason: containerDefinitions differs
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecs
from ansible_collections.palier.aws.plugins.module_utils import ecs_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe, decide, apply."""
    params, client = module.params, module.client("ecs")
    family = params["family"]
    if params["state"] == "absent":
        return {**outcome(remove(module, client, family)), "task_definition": facts({})}
    if params["state"] == "rolled_back":
        return go_back(module, client, family)
    current = api.describe_definition(client, family)
    have_tags = ecs.tag_dict(current["tags"]) if current else {}
    steps = ecs.plan_definition(family, current, have_tags, wanted(params), params["tags"], params["purge_tags"])
    new = any(step.verb in ("create", "register") for step in steps)
    if new and module.check_mode:
        current = {"taskDefinitionArn": f"{family}:planned"}
    elif not module.check_mode:
        current = apply(client, params, current, steps)
    return {**outcome(steps), "task_definition": facts(current or {})}


def wanted(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The request that registers it."""
    request = {
        "family": params["family"],
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": str(params["cpu"]),
        "memory": str(params["memory"]),
        "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": params["architecture"]},
        "containerDefinitions": params["containers"],
        "volumes": [{"name": name} for name in params["volumes"]],
    }
    for option, key in (("execution_role_arn", "executionRoleArn"), ("task_role_arn", "taskRoleArn")):
        if params[option]:
            request[key] = params[option]
    if params["ephemeral_storage"]:
        request["ephemeralStorage"] = {"sizeInGiB": params["ephemeral_storage"]}
    return request


def apply(client: t.Any, params: dict[str, t.Any], current: t.Any, steps: list[Step]) -> t.Any:
    """Carry out the steps that write; returns the newest revision."""
    for step in steps:
        if step.verb in ("create", "register"):
            tags = {"tags": ecs.tag_list(params["tags"])} if params["tags"] else {}
            current = api.register_definition(client, **wanted(params), **tags)
        elif step.verb == "tag":
            api.retag(client, current["taskDefinitionArn"], step.before["tags"], step.after["tags"])
    return current


def remove(module: AnsibleAWSModule, client: t.Any, family: str) -> list[Step]:
    """Deregister what is active and delete all revisions."""
    active = api.list_definitions(client, family, "ACTIVE")
    inactive = api.list_definitions(client, family, "INACTIVE")
    resource = f"ecs task definition {family}"
    if not active and not inactive:
        return [Step("keep", resource, "it does not exist")]
    if not module.check_mode:
        for arn in active:
            api.deregister_definition(client, arn)
        every = active + inactive
        for start in range(0, len(every), api.DEFINITIONS_A_CALL):
            api.delete_definitions(client, every[start : start + api.DEFINITIONS_A_CALL])
    return [Step("delete", resource, "it is not wanted", {"revisions": len(active) + len(inactive)})]


def go_back(module: AnsibleAWSModule, client: t.Any, family: str) -> dict[str, t.Any]:
    """Make a revision the newest one again."""
    revision = module.params["revision"]
    active = api.list_definitions(client, family, "ACTIVE")
    try:
        steps, newer = ecs.plan_rollback(family, active, revision)
    except ValueError as error:
        raise AnsibleAWSError(message=f"revision: {error}: name one that is, or register it again") from error
    if not module.check_mode:
        for arn in newer:
            api.deregister_definition(client, arn)
    arn = next(arn for arn in active if arn.rpartition(":")[2] == str(revision))
    return {**outcome(steps), "task_definition": {"arn": arn, "revision": revision}}


def facts(definition: dict[str, t.Any]) -> dict[str, t.Any]:
    """What is returned of it."""
    return {"arn": definition.get("taskDefinitionArn", ""), "revision": definition.get("revision", 0)}


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "family": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent", "rolled_back"], "default": "present"},
            "revision": {"type": "int"},
            "cpu": {"type": "int"},
            "memory": {"type": "int"},
            "architecture": {"choices": ["X86_64", "ARM64"], "default": "X86_64"},
            "containers": {"type": "list", "elements": "dict", "default": []},
            "volumes": {"type": "list", "elements": "str", "default": []},
            "ephemeral_storage": {"type": "int", "default": 0},
            "execution_role_arn": {"type": "str"},
            "task_role_arn": {"type": "str"},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        required_if=[("state", "present", ["cpu", "memory"]), ("state", "rolled_back", ["revision"])],
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

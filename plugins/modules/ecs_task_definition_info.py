#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecs_task_definition_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_definition_info
short_description: Read which images a task definition runs
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Describes one revision of a task definition, or the newest one of a family. One that does not exist is an empty
    answer and no error.
options:
  task_definition:
    description: ARN, family and revision, or family.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: See what a service runs
  palier.aws.ecs_task_definition_info:
    task_definition: shop-prod-backend:7
  register: running
"""

RETURN = r"""
task_definition:
  description: The revision; empty where there is none.
  returned: always
  type: dict
  contains:
    arn:
      description: ARN with the revision.
      type: str
    family:
      description: The family.
      type: str
    revision:
      description: The revision's number.
      type: int
    images:
      description: The image of each container, by its name.
      type: dict
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecs
from ansible_collections.palier.aws.plugins.module_utils import ecs_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe."""
    found = api.describe_definition(module.client("ecs"), module.params["task_definition"])
    return {"changed": False, "task_definition": ecs.definition_fact(found) if found else {}}


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={"task_definition": {"type": "str", "required": True}}, supports_check_mode=True
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an account holds of one stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_resources_info
version_added: 0.1.0
short_description: List what the account holds of a stack
author:
  - The palier.aws authors (@palier)
description:
  - Lists every resource that carries a stack's tags, through the Resource Groups Tagging API of the region and of
    V(us-east-1), where AWS lists what is global, and the IAM roles, instance profiles and policies below the stack's
    path, which that API leaves out.
  - Reads only.
options:
  stack_name:
    description: Value of the tag C(Stack).
    type: str
    required: true
  stack_env:
    description: Value of the tag C(Environment).
    type: str
    required: true
  iam_path:
    description: IAM path below which the stack's roles and policies stand. Empty to leave IAM out.
    type: str
    default: ""
  tags:
    description: Whether to ask the tagging API.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: List what is left of the stack
  palier.aws.stack_resources_info:
    stack_name: shop
    stack_env: prod
    iam_path: /shop/prod/
  register: left
"""

RETURN = r"""
resources:
  description: The resources, sorted by ARN.
  returned: always
  type: list
  elements: dict
  contains:
    arn:
      description: Amazon Resource Name.
      type: str
      sample: arn:aws:ec2:eu-west-3:123456789012:vpc/vpc-0a1b2c3d
    name:
      description: Last part of the ARN.
      type: str
      sample: vpc-0a1b2c3d
    type:
      description: Service and kind of the resource.
      type: str
      sample: ec2:vpc
    tier:
      description: Value of the tag C(Tier), or the part of the IAM path below the stack's.
      type: str
      sample: network
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.stack_resources import from_iam, from_tagging
from ansible_collections.palier.aws.plugins.module_utils.stack_resources_api import (
    get_resources,
    list_instance_profiles,
    list_policies,
    list_roles,
    list_users,
)

#: The tagging API lists global resources (CloudFront, Route 53) in this region.
GLOBAL_REGION = "us-east-1"


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Collect and sort."""
    found = []
    if module.params["tags"]:
        found += tagged(module)
    if module.params["iam_path"]:
        found += in_iam(module)
    return {"changed": False, "resources": sorted(found, key=lambda resource: resource["arn"])}


def tagged(module: AnsibleAWSModule) -> list[dict[str, str]]:
    """Resources that carry the stack's tags, each once."""
    tags = {"Stack": module.params["stack_name"], "Environment": module.params["stack_env"]}
    resources = {}
    for region in dict.fromkeys([module.region, GLOBAL_REGION]):
        client = module.client("resourcegroupstaggingapi", region=region)
        for mapping in get_resources(client, tags):
            resources[mapping["ResourceARN"]] = from_tagging(mapping)
    return list(resources.values())


def in_iam(module: AnsibleAWSModule) -> list[dict[str, str]]:
    """Roles, instance profiles, policies and users below the path."""
    path = module.params["iam_path"]
    client = module.client("iam")
    kinds = (list_roles, list_instance_profiles, list_policies, list_users)
    listed = [arn for list_kind in kinds for arn in list_kind(client, path)]
    # Deletions follow from this list: the path is looked at again, whatever the service made of the prefix.
    return [from_iam(arn, path) for arn in listed if path in arn]


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "stack_name": {"type": "str", "required": True},
            "stack_env": {"type": "str", "required": True},
            "iam_path": {"type": "str", "default": ""},
            "tags": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

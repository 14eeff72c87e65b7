#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.elb_load_balancer_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elb_load_balancer_info
short_description: Describe one load balancer, its listeners and rules, and the health of targets
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Describes one load balancer by name. One that does not exist is an empty answer and no error, where
    M(amazon.aws.elb_application_lb_info) fails.
options:
  name:
    description: Name of the load balancer.
    type: str
    required: true
  details:
    description: Also read its attributes, listeners and rules.
    type: bool
    default: true
  target_groups:
    description: Names of target groups of which the targets' health is read.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Describe the load balancer
  palier.aws.elb_load_balancer_info:
    name: shop-prod-alb
    target_groups: [shop-prod-backend]
"""

RETURN = r"""
load_balancer:
  description: The load balancer as ELB describes it, in snake case; empty where there is none.
  returned: always
  type: dict
attributes:
  description: Its attributes, such as C(deletion_protection.enabled).
  returned: always
  type: dict
listeners:
  description: Its listeners, each with C(rules), in snake case.
  returned: always
  type: list
  elements: dict
target_health:
  description: By target group, its targets, each with C(id), C(port), C(state) and C(reason).
  returned: always
  type: dict
"""

import typing as t

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import elb
from ansible_collections.palier.aws.plugins.module_utils import elb_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe."""
    client = module.client("elbv2")
    balancer = api.describe_load_balancer(client, module.params["name"])
    detailed = balancer if balancer and module.params["details"] else None
    return {
        "changed": False,
        "load_balancer": camel_dict_to_snake_dict(balancer or {}),
        "attributes": api.attributes_of(client, detailed["LoadBalancerArn"]) if detailed else {},
        "listeners": listeners(client, detailed["LoadBalancerArn"]) if detailed else [],
        "target_health": {name: health(client, name) for name in module.params["target_groups"]},
    }


def listeners(client: t.Any, arn: str) -> list[dict[str, t.Any]]:
    """The listeners of a load balancer, each with its rules."""
    found = api.describe_listeners(client, arn)
    return [camel_dict_to_snake_dict({**one, "Rules": api.describe_rules(client, one["ListenerArn"])}) for one in found]


def health(client: t.Any, name: str) -> list[dict[str, t.Any]]:
    """The targets of a target group; none where there is no such group."""
    group = api.describe_target_group(client, name)
    found = api.describe_target_health(client, group["TargetGroupArn"]) if group else []
    return [elb.target(one) for one in found]


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "details": {"type": "bool", "default": True},
            "target_groups": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

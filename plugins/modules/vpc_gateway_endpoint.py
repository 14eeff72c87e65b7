#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gateway endpoint of a service in a VPC."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vpc_gateway_endpoint
version_added: 0.1.0
short_description: Keep a VPC's gateway endpoint at the wanted route tables
author:
  - The palier.aws authors (@palier)
description:
  - Creates the gateway endpoint of S3 or DynamoDB in a VPC, and changes which route tables it serves.
  - M(amazon.aws.ec2_vpc_endpoint) cannot change the route tables. When a subnet with its own table is added, it tries
    to create a second endpoint, which AWS refuses. It also deletes endpoints, which this module does not.
options:
  vpc_id:
    description: Id of the VPC. In check mode it need not exist; a creation is planned then.
    type: str
    required: true
  service:
    description: Full name of the service.
    type: str
    required: true
  route_table_ids:
    description: Ids of all the route tables that shall send the service's traffic through the endpoint.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep traffic to S3 inside AWS
  palier.aws.vpc_gateway_endpoint:
    vpc_id: vpc-0a1b2c3d4e5f60718
    service: com.amazonaws.eu-west-3.s3
    route_table_ids:
      - rtb-0a1b2c3d4e5f60718
    tags:
      Name: shop-prod-s3
"""

RETURN = r"""
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: modify
      resource: gateway endpoint com.amazonaws.eu-west-3.s3
      reason: it serves other route tables
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import gateway_endpoints as decide
from ansible_collections.palier.aws.plugins.module_utils import gateway_endpoints_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe, decide, apply."""
    params = module.params
    client = module.client("ec2")
    current = decide.current_endpoint(api.describe_endpoints(client, params["vpc_id"], params["service"]))
    steps = decide.plan_present(
        current, params["service"], params["route_table_ids"], params["tags"], params["purge_tags"]
    )
    if not module.check_mode:
        apply(client, params, current, steps)
    return outcome(steps)


def apply(client: t.Any, params: dict[str, t.Any], current: t.Any, steps: list[Step]) -> None:
    """Carry out the steps that write."""
    for step in steps:
        if step.verb == "create":
            tables = sorted(params["route_table_ids"])
            api.create_endpoint(client, params["vpc_id"], params["service"], tables, params["tags"] or {})
        elif step.verb == "modify":
            api.modify_endpoint(client, current["VpcEndpointId"], table_changes(step))
        elif step.verb == "tag":
            retag(client, current["VpcEndpointId"], step.before["tags"], step.after["tags"])


def table_changes(step: Step) -> dict[str, list[str]]:
    """Arguments of ModifyVpcEndpoint; it takes no empty list."""
    before, after = set(step.before["route_table_ids"]), set(step.after["route_table_ids"])
    changes = {"AddRouteTableIds": sorted(after - before), "RemoveRouteTableIds": sorted(before - after)}
    return {name: tables for name, tables in changes.items() if tables}


def retag(client: t.Any, endpoint_id: str, before: dict[str, str], after: dict[str, str]) -> None:
    """Write the tags that differ and remove those that go."""
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    if changed:
        api.create_tags(client, endpoint_id, changed)
    gone = sorted(set(before) - set(after))
    if gone:
        api.delete_tags(client, endpoint_id, gone)


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "vpc_id": {"type": "str", "required": True},
            "service": {"type": "str", "required": True},
            "route_table_ids": {"type": "list", "elements": "str", "required": True},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

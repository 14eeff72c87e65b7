#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes to a peered VPC."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vpc_peering_routes
version_added: 0.1.0
short_description: Route a peer's network through a peering connection, in many route tables at once
author:
  - The palier.aws authors (@palier)
description:
  - Sees to it that every route table that the filters match sends the peer's CIDR block through a VPC peering
    connection, and leaves every other route as it is.
  - One description call serves all tables. M(amazon.aws.ec2_vpc_route_table) takes the whole content of one table
    instead, and the tables of a peer belong to the peer's own network.
  - In check mode, tables that do not exist yet are planned rather than missed.
options:
  filters:
    description: Filters of C(DescribeRouteTables) that choose the route tables; values are strings or lists of strings.
    type: dict
    required: true
  destination_cidr_block:
    description:
      - CIDR block of the peer.
      - With O(state=absent) it may be left out, which removes every route through the connection.
    type: str
  vpc_peering_connection_id:
    description: Id of the peering connection.
    type: str
    required: true
  state:
    description: Whether the routes should be there.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Route to the peer from every private subnet
  palier.aws.vpc_peering_routes:
    filters:
      "tag:Stack": shop
      "tag:Type": private
    destination_cidr_block: 10.1.0.0/16
    vpc_peering_connection_id: pcx-0a1b2c3d4e5f60718

- name: Remove every route through a connection
  palier.aws.vpc_peering_routes:
    filters:
      vpc-id: vpc-0a1b2c3d4e5f60718
    vpc_peering_connection_id: pcx-0a1b2c3d4e5f60718
    state: absent
"""

RETURN = r"""
plan:
  description: What was decided for each route table, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      resource: route table shop-prod-public
      reason: it has no route to 10.1.0.0/16
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list
from ansible_collections.palier.aws.plugins.module_utils import peering_routes as decide
from ansible_collections.palier.aws.plugins.module_utils import peering_routes_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe, decide, apply."""
    params = module.params
    client = module.client("ec2")
    tables = api.describe_route_tables(client, ansible_dict_to_boto3_filter_list(params["filters"]))
    steps = plan(module, tables)
    if not module.check_mode:
        apply(client, params, tables, steps)
    return outcome(steps)


def plan(module: AnsibleAWSModule, tables: list[decide.RouteTable]) -> list[Step]:
    """The steps for these tables."""
    params = module.params
    destination, connection = params["destination_cidr_block"], params["vpc_peering_connection_id"]
    if params["state"] == "absent":
        return decide.plan_absent(tables, destination, connection)
    if tables:
        return decide.plan_present(tables, destination, connection)
    if module.check_mode:
        return [Step("create", f"route to {destination}", "its route tables are not there yet")]
    raise AnsibleAWSError(
        message=f"filters: no route table matches {params['filters']}; deploy that stack's network first"
    )


def apply(client: t.Any, params: dict[str, t.Any], tables: list[decide.RouteTable], steps: list[Step]) -> None:
    """Carry out the steps that write."""
    ids = {decide.resource_of(table, tables): table["RouteTableId"] for table in tables}
    connection = params["vpc_peering_connection_id"]
    for step in steps:
        if step.verb == "create":
            api.create_route(client, ids[step.resource], params["destination_cidr_block"], connection)
        elif step.verb == "modify":
            api.replace_route(client, ids[step.resource], params["destination_cidr_block"], connection)
        elif step.verb == "delete":
            for destination in step.before:
                api.delete_route(client, ids[step.resource], destination)


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "filters": {"type": "dict", "required": True},
            "destination_cidr_block": {"type": "str"},
            "vpc_peering_connection_id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["destination_cidr_block"])],
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

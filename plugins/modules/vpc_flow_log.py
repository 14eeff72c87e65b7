#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.vpc_flow_log."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vpc_flow_log
short_description: The flow log of a VPC, a subnet or a network interface
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, replaces, tags and deletes an EC2 flow log, which records the traffic of a VPC, a subnet or a network
    interface to CloudWatch Logs or to S3.
  - A flow log cannot be changed, its tags aside. When an option differs, a new one is created first and the old one is
    deleted after it. The plan says which option it was.
  - The flow log is found by its resource and its C(Name) tag. One without a name and with the wanted configuration is
    taken over, since AWS refuses a second one of the same configuration.
options:
  name:
    description:
      - Value of the C(Name) tag, by which this flow log is told from others of the resource.
    type: str
    required: true
  resource_id:
    description:
      - Id of the VPC (C(vpc-)), subnet (C(subnet-)) or network interface (C(eni-)). Required for O(state=present).
      - In check mode it need not exist. A creation is planned then.
      - With O(state=absent) it may be left out, since the resource may be gone already. All flow logs with the name
        O(name) in the region are deleted then.
    type: str
  state:
    description:
      - V(present) creates or converges the flow log, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  destination_type:
    description:
      - Where the records go.
    type: str
    choices: [cloud-watch-logs, s3]
    default: cloud-watch-logs
  log_group_name:
    description:
      - Name of the log group, for O(destination_type=cloud-watch-logs).
    type: str
  log_destination:
    description:
      - ARN of the bucket, with a prefix or without, for O(destination_type=s3), or ARN of the log group in place of
        O(log_group_name).
    type: str
  iam_role_arn:
    description:
      - ARN of the role with which AWS writes to the log group. Needed for O(destination_type=cloud-watch-logs).
      - For up to 50 seconds the module tries again while AWS does not know a new role yet.
    type: str
  traffic_type:
    description:
      - Which traffic is recorded.
    type: str
    choices: [ALL, ACCEPT, REJECT]
    default: ALL
  max_aggregation_interval:
    description:
      - Seconds of traffic that one record sums up. AWS knows these two values, its own default is 600.
    type: int
    choices: [60, 600]
    default: 600
  log_format:
    description:
      - Fields of a record, for example C(${srcaddr} ${dstaddr} ${action}).
      - Without it, AWS's default format is used for a new flow log and an existing one's format is left.
    type: str
notes:
  - Check mode makes no write call and returns the same plan as the real run.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Record the traffic of the VPC
  palier.aws.vpc_flow_log:
    name: shop-prod-flow-log
    region: eu-west-3
    resource_id: vpc-0a1b2c3d4e5f60718
    log_group_name: /shop/prod/flow-log
    iam_role_arn: arn:aws:iam::123456789012:role/shop-prod-flow-log
    tags:
      Stack: shop

- name: Record what the VPC refuses, in a bucket
  palier.aws.vpc_flow_log:
    name: shop-prod-refused
    region: eu-west-3
    resource_id: vpc-0a1b2c3d4e5f60718
    destination_type: s3
    log_destination: arn:aws:s3:::shop-prod-logs/flow/
    traffic_type: REJECT

- name: Stop recording
  palier.aws.vpc_flow_log:
    name: shop-prod-flow-log
    region: eu-west-3
    state: absent
"""

RETURN = r"""
flow_log:
  description:
    - The flow log. In check mode, one that would be created has no id.
  returned: O(state=present)
  type: dict
  contains:
    flow_log_id:
      description: Its id.
      type: str
      sample: fl-0a1b2c3d4e5f60718
    resource_id:
      description: What it records.
      type: str
    destination_type:
      description: Where the records go.
      type: str
    log_group_name:
      description: The log group.
      type: str
    log_destination:
      description: The bucket's ARN.
      type: str
    iam_role_arn:
      description: The role.
      type: str
    traffic_type:
      description: Which traffic.
      type: str
    max_aggregation_interval:
      description: Seconds a record sums up.
      type: int
    log_format:
      description: Fields of a record.
      type: str
    tags:
      description: Its tags, the name among them.
      type: dict
    deliver_logs_status:
      description: Whether AWS could deliver, V(SUCCESS) or V(FAILED). Not known of a new one.
      type: str
    deliver_logs_error_message:
      description: Why AWS could not deliver, for example V(Access error).
      type: str
plan:
  description: What was done, or would be done in check mode, in this order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(delete), V(tag), V(keep) or V(skip).
      type: str
    resource:
      description: The resource.
      type: str
    reason:
      description: Why.
      type: str
  sample:
    - action: create
      resource: flow log shop-prod-flow-log
      reason: "cannot be changed (traffic_type: REJECT, wanted ALL)"
    - action: delete
      resource: flow log shop-prod-flow-log (fl-0a1b2c3d4e5f60718)
      reason: is replaced
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import flow_logs_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.flow_logs import (
    PROPERTIES,
    plan_absent,
    plan_present,
    resource_type,
    wanted_flow_log,
)
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "resource_id": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "destination_type": {"type": "str", "choices": ["cloud-watch-logs", "s3"], "default": "cloud-watch-logs"},
    "log_group_name": {"type": "str"},
    "log_destination": {"type": "str"},
    "iam_role_arn": {"type": "str"},
    "traffic_type": {"type": "str", "choices": ["ALL", "ACCEPT", "REJECT"], "default": "ALL"},
    "max_aggregation_interval": {"type": "int", "choices": [60, 600], "default": 600},
    "log_format": {"type": "str"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def absent(module: AnsibleAWSModule, client: t.Any) -> dict[str, t.Any]:
    """Delete the flow log."""
    name = module.params["name"]
    steps = plan_absent(api.find_flow_logs(client, module.params["resource_id"], name), name)
    if not module.check_mode:
        api.carry_out(client, steps)
    return outcome(steps)


def present(module: AnsibleAWSModule, client: t.Any) -> dict[str, t.Any]:
    """Create or converge the flow log."""
    params = module.params
    resource_type(params["resource_id"])
    wanted = wanted_flow_log(params)
    found = api.find_flow_logs(client, params["resource_id"])
    steps, stays = plan_present(found, wanted, params["name"], params["tags"], params["purge_tags"])
    created = None if module.check_mode else api.carry_out(client, steps)
    after: dict[str, t.Any] = next((step.after for step in steps if step.verb in ("create", "tag")), {})
    unknown = dict.fromkeys([*PROPERTIES, "deliver_logs_status", "deliver_logs_error_message"])
    log = {**unknown, **(stays or {"flow_log_id": created}), **after}
    return outcome(steps) | {"flow_log": log}


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    client = module.client("ec2")
    return present(module, client) if module.params["state"] == "present" else absent(module, client)


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_if=[
            ("state", "present", ["resource_id"]),
            ("state", "present", ["log_group_name", "log_destination"], True),
            ("destination_type", "s3", ["log_destination"]),
        ],
        mutually_exclusive=[("log_group_name", "log_destination")],
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

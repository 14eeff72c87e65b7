#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cloudfront_origin_access_control."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_origin_access_control
short_description: How CloudFront signs its requests to a private bucket
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, converges and deletes an origin access control, with which CloudFront signs what it asks of an origin. A
    bucket whose policy names the distribution can so stay closed to everybody else.
  - It is found by its name, which CloudFront has once in an account.
options:
  name:
    description:
      - Its name, at most 64 characters.
    type: str
    required: true
  state:
    description:
      - V(present) creates or converges it, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  description:
    description:
      - A description, at most 256 characters.
    type: str
    default: ''
  origin_type:
    description:
      - What it signs requests to.
    type: str
    choices: [s3, mediastore, mediapackagev2, lambda]
    default: s3
  signing_behavior:
    description:
      - Which requests it signs. V(no-override) leaves those that bring an C(Authorization) header of their own.
    type: str
    choices: [always, never, no-override]
    default: always
notes:
  - Check mode makes no write call and returns the same plan as the real run.
  - CloudFront deletes it only when no distribution uses it any more.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let CloudFront sign what it asks of the bucket
  palier.aws.cloudfront_origin_access_control:
    name: shop-prod-site
  register: __control
"""

RETURN = r"""
origin_access_control:
  description: The origin access control. In check mode, one that would be created has an empty id.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: Its id, which an origin names.
      type: str
      sample: E2QWRUHAPOMQZL
    name:
      description: Its name.
      type: str
plan:
  description: What was done, or would be done in check mode, in this order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(modify), V(delete), V(keep) or V(skip).
      type: str
    resource:
      description: The resource.
      type: str
    reason:
      description: Why.
      type: str
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import cloudfront_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.cloudfront_access import by_name, plan_one, wanted_control
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "description": {"type": "str", "default": ""},
    "origin_type": {"type": "str", "choices": ["s3", "mediastore", "mediapackagev2", "lambda"], "default": "s3"},
    "signing_behavior": {"type": "str", "choices": ["always", "never", "no-override"], "default": "always"},
}


def carry_out(client: t.Any, step: Step, control_id: str, wanted: dict[str, t.Any]) -> str:
    """Carry out the plan's only step and return the id."""
    if step.verb == "create":
        return api.create_origin_access_control(client, wanted)
    if step.changes:
        etag = api.get_origin_access_control(client, control_id).get("ETag", "")
        if step.verb == "modify":
            api.update_origin_access_control(client, control_id, wanted, etag)
        elif etag:
            api.delete_origin_access_control(client, control_id, etag)
    return control_id


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    client, name = module.client("cloudfront"), module.params["name"]
    wanted = wanted_control(module.params)
    present = module.params["state"] == "present"
    current = by_name(api.list_origin_access_controls(client), name)
    steps = plan_one("origin access control", name, current, wanted if present else None)
    control_id = current["Id"] if current else ""
    if not module.check_mode:
        control_id = carry_out(client, steps[0], control_id, wanted)
    return outcome(steps) | ({"origin_access_control": {"id": control_id, "name": name}} if present else {})


def main() -> None:
    """Run as an Ansible module."""
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

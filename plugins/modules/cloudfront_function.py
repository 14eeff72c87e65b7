#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cloudfront_function."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_function
short_description: A small script that CloudFront runs for each request
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, changes, publishes and deletes a CloudFront function. What is published runs, so a function that was
    changed but not published, by an interrupted run for example, is published by the next one.
options:
  name:
    description:
      - Its name, at most 64 letters, digits, hyphens and underscores.
    type: str
    required: true
  state:
    description:
      - V(present) creates or converges it, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  code:
    description:
      - Its source, JavaScript, at most 10 KB. Required for O(state=present).
    type: str
  comment:
    description:
      - A comment, at most 128 characters.
    type: str
    default: ''
  runtime:
    description:
      - The language's version.
    type: str
    choices: [cloudfront-js-1.0, cloudfront-js-2.0]
    default: cloudfront-js-2.0
notes:
  - Check mode makes no write call and returns the same plan as the real run.
  - CloudFront deletes it only when no distribution runs it any more.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Serve the index page for every path without an extension
  palier.aws.cloudfront_function:
    name: shop-prod-site
    code: |
      function handler(event) {
        var request = event.request;
        if (request.uri.split('/').pop().indexOf('.') < 0) {
          request.uri = '/index.html';
        }
        return request;
      }
  register: __function
"""

RETURN = r"""
function:
  description: The function. In check mode, one that would be created has an empty ARN.
  returned: O(state=present)
  type: dict
  contains:
    arn:
      description: Its ARN, which a behavior names.
      type: str
      sample: arn:aws:cloudfront::123456789012:function/shop-prod-site
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
from ansible_collections.palier.aws.plugins.module_utils.cloudfront_access import plan_one, wanted_function
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "code": {"type": "str"},
    "comment": {"type": "str", "default": ""},
    "runtime": {
        "type": "str",
        "choices": ["cloudfront-js-1.0", "cloudfront-js-2.0"],
        "default": "cloudfront-js-2.0",
    },
}


def find(client: t.Any, name: str) -> tuple[dict[str, t.Any] | None, dict[str, t.Any]]:
    """What runs (no code before it is first published), and what DescribeFunction answers (empty for none)."""
    draft = api.describe_function(client, name)
    if not draft:
        return None, {}
    config = draft["FunctionSummary"]["FunctionConfig"]
    return {"Comment": config.get("Comment"), "Runtime": config["Runtime"], "Code": api.live_code(client, name)}, draft


def write(client: t.Any, name: str, draft: dict[str, t.Any], wanted: dict[str, t.Any]) -> str:
    """Create or change the function, publish it and return its ARN."""
    config = {"Comment": wanted["Comment"], "Runtime": wanted["Runtime"]}
    code = wanted["Code"].encode()
    if draft:
        made = api.update_function(client, name, config, code, draft["ETag"])
    else:
        made = api.create_function(client, name, config, code)
    api.publish_function(client, name, made["ETag"])
    return made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]


def carry_out(client: t.Any, step: Step, draft: dict[str, t.Any], wanted: dict[str, t.Any] | None, name: str) -> str:
    """Carry out the plan's only step and return the ARN."""
    if step.changes and wanted is not None:
        return write(client, name, draft, wanted)
    if step.changes:
        api.delete_function(client, name, draft["ETag"])
    return arn_of(draft)


def arn_of(draft: dict[str, t.Any]) -> str:
    """The function's ARN, empty for none."""
    return draft["FunctionSummary"]["FunctionMetadata"]["FunctionARN"] if draft else ""


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    client, name = module.client("cloudfront"), module.params["name"]
    wanted = wanted_function(module.params) if module.params["state"] == "present" else None
    current, draft = find(client, name)
    steps = plan_one("function", name, current, wanted)
    arn = arn_of(draft) if module.check_mode else carry_out(client, steps[0], draft, wanted, name)
    return outcome(steps) | ({"function": {"arn": arn, "name": name}} if wanted is not None else {})


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS, supports_check_mode=True, required_if=[("state", "present", ["code"])]
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cloudfront_response_headers_policy."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_response_headers_policy
short_description: The security headers that CloudFront adds to its answers
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, converges and deletes a response headers policy with the headers that keep a browser safe.
    C(X-Content-Type-Options) is always among them.
  - It is found by its name, which CloudFront has once in an account. Other parts of the policy, such as CORS, are left
    as AWS has them.
options:
  name:
    description:
      - Its name.
    type: str
    required: true
  state:
    description:
      - V(present) creates or converges it, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  comment:
    description:
      - A comment, at most 128 characters.
    type: str
    default: ''
  hsts_max_age:
    description:
      - Seconds for which browsers ask for the site over HTTPS only (C(Strict-Transport-Security)). V(0) sends none.
        The default is a year, the least that browsers' preload lists ask for.
    type: int
    default: 31536000
  hsts_subdomains:
    description:
      - Whether that holds for subdomains, too.
    type: bool
    default: false
  hsts_preload:
    description:
      - Whether browsers may put the site on their preload lists, from which it takes months to come off.
    type: bool
    default: false
  frame_options:
    description:
      - Who may show the pages in a frame (C(X-Frame-Options)).
    type: str
    choices: [DENY, SAMEORIGIN, none]
    default: DENY
  referrer_policy:
    description:
      - What a browser tells other sites about where a visitor came from (C(Referrer-Policy)).
    type: str
    choices:
      - no-referrer
      - no-referrer-when-downgrade
      - origin
      - origin-when-cross-origin
      - same-origin
      - strict-origin
      - strict-origin-when-cross-origin
      - unsafe-url
      - none
    default: strict-origin-when-cross-origin
  content_security_policy:
    description:
      - Value of C(Content-Security-Policy), for example V(default-src 'self'). Empty for none.
    type: str
    default: ''
notes:
  - Check mode makes no write call and returns the same plan as the real run.
  - CloudFront deletes it only when no distribution uses it any more.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep browsers safe
  palier.aws.cloudfront_response_headers_policy:
    name: shop-prod-site
    content_security_policy: default-src 'self'
  register: __headers
"""

RETURN = r"""
response_headers_policy:
  description: The policy. In check mode, one that would be created has an empty id.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: Its id, which a behavior names.
      type: str
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
from ansible_collections.palier.aws.plugins.module_utils.cloudfront_access import by_name, plan_one, wanted_headers
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

REFERRER_POLICIES = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
    "none",
]

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "comment": {"type": "str", "default": ""},
    "hsts_max_age": {"type": "int", "default": 31536000},
    "hsts_subdomains": {"type": "bool", "default": False},
    "hsts_preload": {"type": "bool", "default": False},
    "frame_options": {"type": "str", "choices": ["DENY", "SAMEORIGIN", "none"], "default": "DENY"},
    "referrer_policy": {"type": "str", "choices": REFERRER_POLICIES, "default": "strict-origin-when-cross-origin"},
    "content_security_policy": {"type": "str", "default": ""},
}


def find(client: t.Any, name: str) -> dict[str, t.Any] | None:
    """The policy with this name, with its id; ``None`` when there is none."""
    listed = api.list_response_headers_policies(client)
    return by_name([{**one["ResponseHeadersPolicyConfig"], "Id": one["Id"]} for one in listed], name)


def carry_out(client: t.Any, step: Step, policy_id: str, wanted: dict[str, t.Any]) -> str:
    """Carry out the plan's only step and return the id."""
    if step.verb == "create":
        return api.create_response_headers_policy(client, wanted)
    if not step.changes:
        return policy_id
    found = api.get_response_headers_policy(client, policy_id)
    if step.verb == "modify":
        config = {**found["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"], **wanted}
        api.update_response_headers_policy(client, policy_id, config, found["ETag"])
    elif found:
        api.delete_response_headers_policy(client, policy_id, found["ETag"])
    return policy_id


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    client, name = module.client("cloudfront"), module.params["name"]
    wanted = wanted_headers(module.params)
    present = module.params["state"] == "present"
    current = find(client, name)
    steps = plan_one("response headers policy", name, current, wanted if present else None)
    policy_id = current["Id"] if current else ""
    if not module.check_mode:
        policy_id = carry_out(client, steps[0], policy_id, wanted)
    return outcome(steps) | ({"response_headers_policy": {"id": policy_id, "name": name}} if present else {})


def main() -> None:
    """Run as an Ansible module."""
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cloudwatch_dashboard."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudwatch_dashboard
short_description: A CloudWatch dashboard
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, converges and deletes a dashboard. Bodies are compared by meaning, so the order of keys and the spaces do
    not count.
  - A dashboard belongs to the account, not to a region, and AWS has no tags for it.
options:
  name:
    description: Its name, 1 to 255 letters, digits, hyphens and underscores.
    type: str
    required: true
  state:
    description: Whether the dashboard should be there.
    type: str
    choices: [present, absent]
    default: present
  body:
    description: Its body in CloudWatch's form, C(widgets) and such. Required with O(state=present).
    type: dict
notes:
  - Check mode makes no write call and returns the same plan as the real run.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Show the load of a group
  palier.aws.cloudwatch_dashboard:
    name: shop-prod
    region: eu-west-3
    body:
      widgets:
        - type: metric
          x: 0
          y: 0
          width: 8
          height: 6
          properties:
            title: CPU
            region: eu-west-3
            metrics: [[AWS/EC2, CPUUtilization, AutoScalingGroupName, shop-prod-web]]
"""

RETURN = r"""
dashboard:
  description: Its C(name) and the C(url) of the console's page.
  returned: O(state=present)
  type: dict
plan:
  description: What was done, or would be done in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: What happens.
      type: str
    resource:
      description: To what.
      type: str
    reason:
      description: Why.
      type: str
"""

import json
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import cloudwatch_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.cloudwatch import plan_dashboard
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, plan, apply."""
    client, name = module.client("cloudwatch"), module.params["name"]
    wanted = module.params["body"] if module.params["state"] == "present" else None
    step = plan_dashboard(name, api.get_dashboard(client, name), wanted)
    if step.changes and not module.check_mode:
        write(module, client, name, wanted)
    result = outcome([step])
    if wanted is not None:
        region = client.meta.region_name
        url = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/{name}"
        result["dashboard"] = {"name": name, "url": url}
    return result


def write(module: AnsibleAWSModule, client: t.Any, name: str, wanted: dict[str, t.Any] | None) -> None:
    """Write or delete; CloudWatch writes a doubtful body and complains, which a run should not hide."""
    if wanted is None:
        api.delete_dashboard(client, name)
        return
    for message in api.put_dashboard(client, name, json.dumps(wanted)):
        module.warn(f"dashboard {name}: {message.get('DataPath', '')} {message.get('Message', '')}")


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "body": {"type": "dict"},
        },
        supports_check_mode=True,
        required_if=[("state", "present", ["body"])],
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

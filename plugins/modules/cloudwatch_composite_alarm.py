#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cloudwatch_composite_alarm."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudwatch_composite_alarm
short_description: A CloudWatch alarm on other alarms
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, converges and deletes a composite alarm, which goes off by a rule about other alarms.
  - The alarms that the rule names must exist before, and can only be deleted after it.
options:
  name:
    description: Its name, up to 255 characters.
    type: str
    required: true
  state:
    description: Whether the alarm should be there.
    type: str
    choices: [present, absent]
    default: present
  any_of:
    description: Names of 1 to 100 alarms, any of which sets this one off. Excludes O(rule).
    type: list
    elements: str
  rule:
    description: The rule in CloudWatch's words, such as V(ALARM("cpu"\) AND NOT ALARM("deploying"\)).
    type: str
  description:
    description: What it means, and what to do then.
    type: str
  actions_enabled:
    description: Whether it does anything but change its state.
    type: bool
    default: true
  alarm_actions:
    description: ARNs of topics and such that are told when it goes off.
    type: list
    elements: str
    default: []
  ok_actions:
    description: ARNs of what is told when all is well again.
    type: list
    elements: str
    default: []
  insufficient_data_actions:
    description: ARNs of what is told when it cannot be known.
    type: list
    elements: str
    default: []
notes:
  - Check mode makes no write call and returns the same plan as the real run.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Say once that the shop is unwell
  palier.aws.cloudwatch_composite_alarm:
    name: shop-prod-unhealthy
    region: eu-west-3
    any_of: [shop-prod-cpu, shop-prod-database-storage]
    alarm_actions: [arn:aws:sns:eu-west-3:123456789012:shop-prod-alarms]
"""

RETURN = r"""
alarm:
  description: The alarm as AWS takes it.
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

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import cloudwatch
from ansible_collections.palier.aws.plugins.module_utils import cloudwatch_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

LIST = {"type": "list", "elements": "str"}

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "any_of": LIST,
    "rule": {"type": "str"},
    "description": {"type": "str"},
    "actions_enabled": {"type": "bool", "default": True},
    "alarm_actions": {**LIST, "default": []},
    "ok_actions": {**LIST, "default": []},
    "insufficient_data_actions": {**LIST, "default": []},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def absent(module: AnsibleAWSModule, client: t.Any, current: t.Any) -> dict[str, t.Any]:
    """Delete the alarm."""
    name = module.params["name"]
    resource = f"composite alarm {name}"
    if current is None:
        return outcome([Step("skip", resource, "does not exist")])
    if not module.check_mode:
        api.delete_alarm(client, name)
    return outcome([Step("delete", resource, "state is absent", {"name": name})])


def present(module: AnsibleAWSModule, client: t.Any, current: t.Any) -> dict[str, t.Any]:
    """Create or converge the alarm."""
    try:
        wanted = cloudwatch.composite_shape(module.params)
    except cloudwatch.AlarmError as error:
        module.fail_json(msg=str(error))
        raise
    arn = current["AlarmArn"] if current else ""
    before = api.alarm_tags(client, arn) if current else {}
    tags = cloudwatch.wanted_tags(module.params, before)
    steps = cloudwatch.plan_composite(current, wanted, before, tags)
    verbs = {step.verb for step in steps}
    if not module.check_mode:
        if "create" in verbs:
            api.put_composite(client, {**wanted, "Tags": cloudwatch.tag_list(tags)})
        if "modify" in verbs:
            api.put_composite(client, wanted)
        if "tag" in verbs:
            api.set_alarm_tags(client, arn, before, tags)
    return {**outcome(steps), "alarm": wanted}


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, plan, apply."""
    client = module.client("cloudwatch")
    current = api.describe_composite(client, module.params["name"])
    return (present if module.params["state"] == "present" else absent)(module, client, current)


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        mutually_exclusive=[("any_of", "rule")],
        required_if=[("state", "present", ["any_of", "rule"], True)],
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

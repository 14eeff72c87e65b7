#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.elb_listener_rules."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elb_listener_rules
short_description: Keep the listener rules that lead to one target group
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Makes, moves and deletes the rules of a listener that forward to one target group, by host and path. Rules that
    lead elsewhere are other services' and are left alone.
  - M(amazon.aws.elb_application_lb) wants all rules of all services at once, and its first run with a new listener
    fails.
  - In check mode neither listener nor target group need exist.
options:
  load_balancer:
    description: Name of the load balancer.
    type: str
    required: true
  port:
    description: Port of the listener.
    type: int
    required: true
  target_group:
    description: Name of the target group.
    type: str
    required: true
  rules:
    description: All rules that shall lead to it. An empty list removes them.
    type: list
    elements: dict
    default: []
    suboptions:
      priority:
        description: 1 to 50000; rules are tried from the smallest up (ELB API reference, CreateRule).
        type: int
        required: true
      hosts:
        description: Host names, C(*) and C(?) allowed. Empty for any.
        type: list
        elements: str
        default: []
      paths:
        description: Paths, C(*) and C(?) allowed. Empty for any.
        type: list
        elements: str
        default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Send the API to the back end
  palier.aws.elb_listener_rules:
    load_balancer: shop-prod-alb
    port: 443
    target_group: shop-prod-backend
    rules:
      - priority: 100
        paths: [/api/*]
"""

RETURN = r"""
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      resource: listener rule /api/* to shop-prod-backend
      reason: it does not exist
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import elb
from ansible_collections.palier.aws.plugins.module_utils import elb_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe, decide, apply."""
    params, client = module.params, module.client("elbv2")
    listener = find_listener(client, params["load_balancer"], params["port"])
    group = api.describe_target_group(client, params["target_group"])
    if params["rules"] and not module.check_mode:
        refuse_missing(module, listener, group)
    found = own_rules(client, listener["ListenerArn"], group["TargetGroupArn"]) if listener and group else []
    steps = elb.plan_rules(params["target_group"], found, [elb.wanted_rule(rule) for rule in params["rules"]])
    tags = params["tags"]
    kept = {rule["arn"] for rule in found} - {step.before["arn"] for step in steps if step.verb == "delete"}
    steps = [*steps, *retagging(client, sorted(kept), tags, params["purge_tags"])]
    if listener and group and not module.check_mode:
        apply(client, listener["ListenerArn"], group["TargetGroupArn"], tags or {}, steps)
    return outcome(steps)


def find_listener(client: t.Any, name: str, port: int) -> dict[str, t.Any] | None:
    """The listener of a load balancer at a port."""
    balancer = api.describe_load_balancer(client, name)
    listeners = api.describe_listeners(client, balancer["LoadBalancerArn"]) if balancer else []
    return next((one for one in listeners if one["Port"] == port), None)


def refuse_missing(module: AnsibleAWSModule, listener: t.Any, group: t.Any) -> None:
    """Say what is not there."""
    if listener is None:
        where = f"'{module.params['load_balancer']}'"
        module.fail_json(msg=f"port: the load balancer {where} has no listener at {module.params['port']}; create it")
    if group is None:
        module.fail_json(msg=f"target_group: there is no target group '{module.params['target_group']}'; create it")


def own_rules(client: t.Any, listener_arn: str, group_arn: str) -> list[elb.Rule]:
    """The listener's rules that lead to the group."""
    rules = [rule for rule in api.describe_rules(client, listener_arn) if rule["Priority"] != "default"]
    return [elb.normal(rule) for rule in rules if elb.leads_to(rule, group_arn)]


def retagging(client: t.Any, arns: list[str], tags: dict[str, str] | None, purge: bool) -> list[Step]:
    """Steps for the rules that stay and have other tags."""
    return [step for arn in arns for step in elb.tag_steps(arn, api.tags_of(client, arn), tags, purge)]


def apply(client: t.Any, listener_arn: str, group_arn: str, tags: dict[str, str], steps: list[Step]) -> None:
    """Carry out the steps that write, all moves at once."""
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    for step in steps:
        if step.verb == "delete":
            api.delete_rule(client, step.before["arn"])
        elif step.verb == "tag":
            api.retag(client, step.resource, step.before["tags"], step.after["tags"])
    moved = {step.after["arn"]: step.after["priority"] for step in steps if step.verb == "modify"}
    if moved:
        api.set_rule_priorities(client, moved)
    for step in steps:
        if step.verb == "create":
            api.create_rule(
                client,
                ListenerArn=listener_arn,
                Priority=step.after["priority"],
                Conditions=elb.conditions(step.after),
                Actions=[{"Type": "forward", "TargetGroupArn": group_arn}],
                **({"Tags": pairs} if pairs else {}),
            )


def main() -> None:
    """Ansible's entry point."""
    rule = {
        "priority": {"type": "int", "required": True},
        "hosts": {"type": "list", "elements": "str", "default": []},
        "paths": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "load_balancer": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
            "target_group": {"type": "str", "required": True},
            "rules": {"type": "list", "elements": "dict", "default": [], "options": rule},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

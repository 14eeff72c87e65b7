#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.elb_listener."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elb_listener
short_description: Create, change and delete one listener of an Application Load Balancer
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - One listener with its certificate, TLS policy and default action, apart from the balancer itself, which stands for
    minutes before its certificate is there.
  - Rules of the listener are left alone; M(palier.aws.elb_listener_rules) makes them.
  - In check mode the load balancer need not exist; a creation is planned then.
options:
  load_balancer:
    description: Name of the load balancer.
    type: str
    required: true
  port:
    description: TCP port.
    type: int
    required: true
  state:
    description: Whether it should be there. V(absent) deletes it with its rules.
    type: str
    choices: [present, absent]
    default: present
  protocol:
    description: Protocol.
    type: str
    choices: [HTTP, HTTPS]
    default: HTTP
  certificate_arn:
    description: ARN of the certificate, from Certificate Manager or IAM. Needed with O(protocol=HTTPS).
    type: str
  ssl_policy:
    description:
      - TLS policy of an HTTPS listener. The default takes TLS 1.2 and 1.3 (Application Load Balancer user guide,
        "Security policies").
    type: str
    default: ELBSecurityPolicy-TLS13-1-2-2021-06
  default_action:
    description: What happens to a request that no rule takes.
    type: dict
    default: {}
    suboptions:
      redirect_to_https:
        description: Redirect to the same address over HTTPS on port 443 (301).
        type: bool
        default: false
      status_code:
        description: Otherwise, status of a fixed answer.
        type: int
        default: 404
      message:
        description: Text of the fixed answer.
        type: str
        default: Not found
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Redirect HTTP to HTTPS
  palier.aws.elb_listener:
    load_balancer: shop-prod-alb
    port: 80
    default_action:
      redirect_to_https: true

- name: Answer over HTTPS
  palier.aws.elb_listener:
    load_balancer: shop-prod-alb
    port: 443
    protocol: HTTPS
    certificate_arn: arn:aws:acm:eu-west-3:123456789012:certificate/1b2c3d4e-0000-1111-2222-333344445555
"""

RETURN = r"""
listener_arn:
  description: ARN of the listener; empty where there is none, or none yet.
  returned: always
  type: str
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      resource: listener 443 of shop-prod-alb
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
    balancer = api.describe_load_balancer(client, params["load_balancer"])
    listeners = api.describe_listeners(client, balancer["LoadBalancerArn"]) if balancer else []
    current = next((one for one in listeners if one["Port"] == params["port"]), None)
    resource = f"listener {params['port']} of {params['load_balancer']}"
    if params["state"] == "absent":
        return remove(module, client, resource, current)
    if balancer is None and not module.check_mode:
        module.fail_json(msg=f"load_balancer: there is no load balancer '{params['load_balancer']}'; create it first")
    tags = api.tags_of(client, current["ListenerArn"]) if current else {}
    steps = elb.plan_listener(resource, current, wanted(params), params["tags"], params["purge_tags"], tags)
    arn = current["ListenerArn"] if current else ""
    if balancer and not module.check_mode:
        arn = apply(client, params, balancer["LoadBalancerArn"], arn, steps)
    return {**outcome(steps), "listener_arn": arn}


def wanted(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The module's options in the shape of L{elb.listener_values}."""
    secure = params["protocol"] == "HTTPS"
    return {
        "protocol": params["protocol"],
        "ssl_policy": params["ssl_policy"] if secure else None,
        "certificate_arn": params["certificate_arn"] if secure else None,
        "default_action": elb.default_action(params["default_action"]),
    }


def request(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """What CreateListener and ModifyListener take alike."""
    values = wanted(params)
    asked = {"Port": params["port"], "Protocol": values["protocol"], "DefaultActions": [values["default_action"]]}
    if values["protocol"] == "HTTPS":
        asked["SslPolicy"] = values["ssl_policy"]
        asked["Certificates"] = [{"CertificateArn": values["certificate_arn"]}]
    return asked


def apply(client: t.Any, params: dict[str, t.Any], balancer_arn: str, arn: str, steps: list[Step]) -> str:
    """Carry out the steps that write; returns the listener's ARN."""
    for step in steps:
        if step.verb == "create":
            tags = [{"Key": key, "Value": value} for key, value in (params["tags"] or {}).items()]
            asked = {**request(params), **({"Tags": tags} if tags else {})}
            arn = api.create_listener(client, LoadBalancerArn=balancer_arn, **asked)["ListenerArn"]
        elif step.verb == "modify":
            api.modify_listener(client, ListenerArn=arn, **request(params))
        elif step.verb == "tag":
            api.retag(client, arn, step.before["tags"], step.after["tags"])
    return arn


def remove(module: AnsibleAWSModule, client: t.Any, resource: str, current: t.Any) -> dict[str, t.Any]:
    """Delete the listener."""
    if current is None:
        return {**outcome([Step("keep", resource, "it does not exist")]), "listener_arn": ""}
    if not module.check_mode:
        api.delete_listener(client, current["ListenerArn"])
    before = elb.listener_values(current)
    return {**outcome([Step("delete", resource, "it is not wanted", before)]), "listener_arn": ""}


def main() -> None:
    """Ansible's entry point."""
    action = {
        "redirect_to_https": {"type": "bool", "default": False},
        "status_code": {"type": "int", "default": 404},
        "message": {"type": "str", "default": "Not found"},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "load_balancer": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "protocol": {"choices": ["HTTP", "HTTPS"], "default": "HTTP"},
            "certificate_arn": {"type": "str"},
            "ssl_policy": {"type": "str", "default": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
            "default_action": {"type": "dict", "default": {}, "options": action, "apply_defaults": True},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        required_if=[("protocol", "HTTPS", ["certificate_arn"])],
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

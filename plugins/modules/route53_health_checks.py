#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.route53_health_checks."""

from __future__ import annotations

DOCUMENTATION = r"""
module: route53_health_checks
short_description: Bring the Route 53 health checks of one owner to what they should be
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Makes and changes health checks by name. What Route 53 cannot change (type, interval) is replaced by a new health
    check, while the old one stays until O(state=pruned), so that no record ever points at one that is gone.
  - Beyond M(amazon.aws.route53_health_check) it reads the account once, however many there are, and knows its own from
    the moment they are created.
options:
  owner:
    description: Whose health checks these are. It is written into their caller references.
    type: str
    required: true
  state:
    description:
      - V(present) makes and changes.
      - V(pruned) deletes the owner's health checks that O(checks) does not name, or that were replaced.
    type: str
    choices: [present, pruned]
    default: present
  checks:
    description: The health checks.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name among the owner's.
        type: str
        required: true
      type:
        description: How the endpoint is asked. The certificate of an HTTPS endpoint is not checked.
        type: str
        choices: [HTTP, HTTPS, TCP]
        default: HTTPS
      fqdn:
        description: Name of the endpoint, and what the Host header and TLS name it with.
        type: str
        default: ""
      ip_address:
        description: Address of the endpoint, where its name is not to be resolved.
        type: str
        default: ""
      port:
        description: Its port. By default 443 for HTTPS and 80 for HTTP.
        type: int
      path:
        description: Path to ask for; an answer of 2xx or 3xx is healthy.
        type: str
        default: /
      search_string:
        description: Text that the first 5,120 bytes of the answer must hold.
        type: str
        default: ""
      interval:
        description: Seconds between two requests of one checker. Route 53 charges more for 10.
        type: int
        choices: [10, 30]
        default: 30
      failure_threshold:
        description: How many answers in a row change the health, 1 to 10.
        type: int
        default: 3
      disabled:
        description: Take the endpoint for healthy without asking it.
        type: bool
        default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - amazon.aws.tags
"""

EXAMPLES = r"""
- name: Check the shop every ten seconds
  palier.aws.route53_health_checks:
    owner: shop-prod
    checks:
      - name: api
        fqdn: api.shop.example
        path: /health
        interval: 10
    tags:
      Stack: shop
"""

RETURN = r"""
health_checks:
  description: Ids by name; empty in check mode for one that does not exist yet.
  returned: always
  type: dict
plan:
  description: Every step, and why.
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
import uuid

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import dns_api as api
from ansible_collections.palier.aws.plugins.module_utils import dns_health_checks
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome

Document = dict[str, t.Any]


def run(module: AnsibleAWSModule) -> Document:
    """Fetch, plan, apply."""
    params, client = module.params, module.client("route53")
    owner = params["owner"]
    wanted = {one["name"]: dns_health_checks.config(one) for one in params["checks"]}
    checks = api.list_health_checks(client)
    if params["state"] == "pruned":
        plan = dns_health_checks.plan_pruned(checks, wanted, owner)
    else:
        own = [one["Id"] for one in checks if one["CallerReference"].startswith(dns_health_checks.owner_mark(owner))]
        tags_now = api.list_tags(client, "healthcheck", own)
        plan = dns_health_checks.plan_present(
            checks, tags_now, wanted, owner, params["tags"] or {}, params["purge_tags"]
        )
    ids = {**dict.fromkeys(plan.create, ""), **plan.ids}
    if not module.check_mode:
        ids.update(_apply(module, client, plan))
    return {**outcome(plan.steps), "health_checks": ids}


def _apply(module: AnsibleAWSModule, client: t.Any, plan: dns_health_checks.Plan) -> dict[str, str]:
    owner, made = module.params["owner"], {}
    for name, settings in plan.create.items():
        reference = dns_health_checks.reference(owner, name, uuid.uuid4().hex)
        made[name] = api.create_health_check(client, CallerReference=reference, HealthCheckConfig=settings)
        api.change_tags(client, "healthcheck", made[name], {**(module.params["tags"] or {}), "Name": name}, [])
    for request in plan.update:
        api.update_health_check(client, **request)
    for identifier, tags in plan.tags.items():
        now = api.list_tags(client, "healthcheck", [identifier]).get(identifier, {})
        api.change_tags(client, "healthcheck", identifier, tags, sorted(set(now) - set(tags)))
    for identifier in plan.delete:
        api.delete_health_check(client, identifier)
    return made


def main() -> None:
    """Ansible's entry point."""
    check = {
        "name": {"required": True},
        "type": {"choices": ["HTTP", "HTTPS", "TCP"], "default": "HTTPS"},
        "fqdn": {"default": ""},
        "ip_address": {"default": ""},
        "port": {"type": "int"},
        "path": {"default": "/"},
        "search_string": {"default": ""},
        "interval": {"type": "int", "choices": [10, 30], "default": 30},
        "failure_threshold": {"type": "int", "default": 3},
        "disabled": {"type": "bool", "default": False},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "owner": {"required": True},
            "state": {"choices": ["present", "pruned"], "default": "present"},
            "checks": {"type": "list", "elements": "dict", "options": check, "default": []},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.route53_hosted_zone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: route53_hosted_zone
short_description: Create, find and delete a public hosted zone
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates a public hosted zone, or finds one that is there, and returns its name servers.
  - Beyond M(amazon.aws.route53_zone) it leaves DNSSEC as it is, makes no second zone of a name that is taken, and
    deletes none that holds somebody else's records.
options:
  name:
    description:
      - Name of the zone, for example V(shop.example).
      - Empty for the zone that was made for O(owner), whatever its name is.
    type: str
    default: ""
  zone_id:
    description: Id of the zone, where several have the name.
    type: str
    default: ""
  owner:
    description:
      - Whose zone it is. It is written into the zone's caller reference, by which the zone is known as the owner's.
    type: str
    required: true
  managed:
    description: Whether the owner makes, tags and deletes it. If not, it is only looked up.
    type: bool
    default: true
  state:
    description:
      - Whether it should be there. V(absent) deletes it only if it was made for O(owner) and nobody else's record is in
        it; otherwise it stays, and RV(left) says why.
    type: str
    choices: [present, absent]
    default: present
  record_owners:
    description: Owners of records (see M(palier.aws.route53_records)) that do not count as somebody else's.
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
- name: Create a zone
  palier.aws.route53_hosted_zone:
    name: shop.example
    owner: shop-prod
    tags:
      Stack: shop

- name: Find a zone that somebody else made
  palier.aws.route53_hosted_zone:
    name: shop.example
    owner: shop-prod
    managed: false
  register: zone
"""

RETURN = r"""
zone:
  description: The zone.
  returned: always
  type: dict
  contains:
    zone_id:
      description: Its id; empty when there is none.
      type: str
    name:
      description: Its name without a dot at the end.
      type: str
    name_servers:
      description: The name servers to enter at the registrar; none when there is no zone.
      type: list
      elements: str
left:
  description: What it holds that is not the owner's, where it was to be deleted.
  returned: when O(state=absent)
  type: list
  elements: str
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
from ansible_collections.palier.aws.plugins.module_utils import dns_records, dns_zones
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.dns_names import plain
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

Document = dict[str, t.Any]


def run(module: AnsibleAWSModule) -> Document:
    """Fetch, plan, apply."""
    params, client = module.params, module.client("route53")
    managed = params["managed"] and params["state"] == "present"
    try:
        zone = dns_zones.choose(
            api.list_hosted_zones(client), params["name"], params["zone_id"], params["owner"], managed
        )
    except dns_zones.ZoneError as error:
        module.fail_json(msg=str(error))
        raise
    if params["state"] == "absent":
        return _absent(module, client, zone)
    if not params["managed"]:
        return {**outcome([]), "zone": _facts(client, zone, params["name"])}
    return _present(module, client, zone)


def _present(module: AnsibleAWSModule, client: t.Any, zone: Document | None) -> Document:
    params, tags = module.params, module.params["tags"]
    current = {}
    if zone is not None:
        identifier = dns_zones.identifier(zone)
        current = api.list_tags(client, "hostedzone", [identifier]).get(identifier, {})
    steps = dns_zones.plan_present(zone, params["name"], current, tags, params["purge_tags"])
    if not module.check_mode:
        zone = zone or api.create_hosted_zone(
            client,
            Name=plain(params["name"]),
            CallerReference=dns_zones.reference(params["owner"], uuid.uuid4().hex),
        )
        _tag(client, zone, current, steps)
    return {**outcome(steps), "zone": _facts(client, zone, params["name"])}


def _tag(client: t.Any, zone: Document, current: dict[str, str], steps: list[Step]) -> None:
    after = next((step.after["tags"] for step in steps if step.verb in ("create", "tag")), current)
    changed = {key: value for key, value in after.items() if current.get(key) != value}
    gone = sorted(set(current) - set(after))
    if changed or gone:
        api.change_tags(client, "hostedzone", dns_zones.identifier(zone), changed, gone)


def _absent(module: AnsibleAWSModule, client: t.Any, zone: Document | None) -> Document:
    params, left = module.params, []
    if zone is not None and params["managed"]:
        records = [dns_records.from_aws(one) for one in api.list_records(client, zone["Id"]) or []]
        left = [str(one) for one in dns_records.left(records, plain(zone["Name"]), params["record_owners"])]
    facts = _facts(client, zone, params["name"])
    if not params["managed"]:
        return {**outcome([]), "zone": facts, "left": []}
    steps = dns_zones.plan_absent(zone, facts["name"], params["owner"], left)
    if zone is not None and not module.check_mode and any(step.changes for step in steps):
        api.delete_hosted_zone(client, zone["Id"])
    return {**outcome(steps), "zone": facts, "left": left}


def _facts(client: t.Any, zone: Document | None, name: str) -> Document:
    if zone is None:
        return {"zone_id": "", "name": plain(name), "name_servers": []}
    described = api.get_hosted_zone(client, zone["Id"])
    servers = (described.get("DelegationSet") or {}).get("NameServers") or []
    return {
        "zone_id": dns_zones.identifier(zone),
        "name": plain(zone["Name"]),
        "name_servers": sorted(map(plain, servers)),
    }


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"default": ""},
            "zone_id": {"default": ""},
            "owner": {"required": True},
            "managed": {"type": "bool", "default": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "record_owners": {"type": "list", "elements": "str", "default": []},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    if module.params["state"] == "present" and module.params["managed"] and not module.params["name"]:
        module.fail_json(msg="name: is empty; write the zone's name, such as shop.example")
    run_module(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.route53_records."""

from __future__ import annotations

DOCUMENTATION = r"""
module: route53_records
short_description: Bring the records of one owner in a hosted zone to what they should be, in one batch
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Reads the zone once, compares, and sends everything that differs as one batch of changes, which Route 53 carries out
    whole or not at all.
  - Which records are whose is known from the zone itself. Each owner keeps one TXT record in it, C(_palier-<owner>),
    with a digest of each of its records. It changes in the same batch, so a record that is removed from the wanted ones
    can be removed from the zone, and one that is somebody else's is never changed or removed.
  - Several owners may want the same record when it is O(records[].shared). It goes with the last of them.
options:
  zone_id:
    description: Id of the zone. Empty in check mode for a zone that does not exist yet.
    type: str
    required: true
  zone:
    description: Name of the zone.
    type: str
    required: true
  owner:
    description: Whose records these are, for example V(shop-prod).
    type: str
    required: true
  state:
    description:
      - V(present) makes and changes what is wanted.
      - V(pruned) makes nothing; it removes what the owner has and O(records) does not name.
    type: str
    choices: [present, pruned]
    default: present
  purge:
    description: With O(state=present), remove as well what the owner has and O(records) does not name.
    type: bool
    default: false
  protected_names:
    description:
      - Names of records that are not removed, because something outside needs them. They belong to nobody from then on.
    type: list
    elements: str
    default: []
  wait:
    description: Wait until every name server of Route 53 has the change, usually within 60 seconds.
    type: bool
    default: false
  records:
    description: The record sets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: V(www), V(@) for the zone's own name, or a full name.
        type: str
        required: true
      type:
        description: Type of the record.
        type: str
        choices: [A, AAAA, CNAME, TXT, MX, CAA, SRV, NS, PTR, DS, HTTPS, SVCB, NAPTR, SSHFP, TLSA, SPF]
        required: true
      ttl:
        description: Seconds for which resolvers keep it. Not for an alias.
        type: int
        default: 300
      values:
        description: Its values. A TXT value may be of any length; it is quoted and split here.
        type: list
        elements: str
        default: []
      alias:
        description: What it is an alias of, instead of O(records[].values).
        type: dict
        suboptions:
          zone_id:
            description: Hosted zone of the target. C(Z2FDTNDATAQYW2) for every CloudFront distribution.
            type: str
            required: true
          dns_name:
            description: Name of the target.
            type: str
            required: true
          evaluate_target_health:
            description: Whether the target's own health decides if it is answered with.
            type: bool
            default: false
      set_identifier:
        description: Its name among record sets of the same name and type, where there are several.
        type: str
        default: ""
      failover:
        description: Whether it is answered with first, or when the primary is unhealthy.
        type: str
        choices: ["", primary, secondary]
        default: ""
      weight:
        description: Its share among weighted record sets, 0 to 255.
        type: int
      health_check_id:
        description: Health check that decides if it is answered with.
        type: str
        default: ""
      shared:
        description: Whether other owners may want the very same record.
        type: bool
        default: false
      takeover:
        description: Replace a record of this name and type that nobody claims, and claim it.
        type: bool
        default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Bring the records of the shop to what they should be
  palier.aws.route53_records:
    zone_id: Z0123456789ABCDEFGHIJ
    zone: shop.example
    owner: shop-prod
    purge: true
    records:
      - name: "@"
        type: MX
        values: ["10 mail.shop.example"]
      - name: www
        type: A
        alias:
          zone_id: Z2FDTNDATAQYW2
          dns_name: d111111abcdef8.cloudfront.net

- name: Remove all of them
  palier.aws.route53_records:
    zone_id: Z0123456789ABCDEFGHIJ
    zone: shop.example
    owner: shop-prod
    state: pruned
"""

RETURN = r"""
batches:
  description: How many batches of changes it takes; none when everything is as wanted.
  returned: always
  type: int
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

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import dns_api as api
from ansible_collections.palier.aws.plugins.module_utils import dns_records
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome

Document = dict[str, t.Any]

#: How often the plan is made anew where the zone changed between reading and writing.
ATTEMPTS = 3

TYPES = [
    "A",
    "AAAA",
    "CNAME",
    "TXT",
    "MX",
    "CAA",
    "SRV",
    "NS",
    "PTR",
    "DS",
    "HTTPS",
    "SVCB",
    "NAPTR",
    "SSHFP",
    "TLSA",
    "SPF",
]


def decide(module: AnsibleAWSModule, client: t.Any) -> dns_records.Plan:
    """Read the zone and compare."""
    params = module.params
    found = api.list_records(client, params["zone_id"]) if params["zone_id"] else []
    if found is None and params["records"] and params["state"] == "present":
        module.fail_json(msg=f"zone_id: there is no hosted zone {params['zone_id']}")
    try:
        return dns_records.plan(
            [dns_records.from_aws(one) for one in found or []],
            [dns_records.from_options(one, params["zone"]) for one in params["records"]],
            owner=params["owner"],
            zone=params["zone"],
            create=params["state"] == "present",
            purge=params["purge"] or params["state"] == "pruned",
            protected=params["protected_names"],
        )
    except dns_records.RecordsError as error:
        module.fail_json(msg=str(error), problems=error.sentences)
        raise


def carry_out(module: AnsibleAWSModule, client: t.Any, decided: dns_records.Plan) -> None:
    """Send the batches."""
    change = ""
    for batch in dns_records.batches(decided):
        change = api.change_records(client, module.params["zone_id"], batch, f"palier.aws {module.params['owner']}")
    if change and module.params["wait"]:
        api.wait_for_change(client, change)


def is_stale(error: AnsibleAWSError) -> bool:
    """Whether Route 53 refused a batch, as it does when the zone is not as it was read any more."""
    response = getattr(error.exception, "response", None) or {}
    return response.get("Error", {}).get("Code") == "InvalidChangeBatch"


def run(module: AnsibleAWSModule) -> Document:
    """Fetch, plan, apply; anew where somebody else changed the zone in between."""
    client = module.client("route53")
    for attempt in range(1, ATTEMPTS + 1):
        decided = decide(module, client)
        result = {**outcome(decided.steps), "batches": len(dns_records.batches(decided))}
        if module.check_mode:
            return result
        try:
            carry_out(module, client, decided)
        except AnsibleAWSError as error:
            if attempt == ATTEMPTS or not is_stale(error):
                raise
        else:
            return result
    raise AssertionError("the loop ends by return or raise")


def main() -> None:
    """Ansible's entry point."""
    alias = {
        "zone_id": {"required": True},
        "dns_name": {"required": True},
        "evaluate_target_health": {"type": "bool", "default": False},
    }
    record = {
        "name": {"required": True},
        "type": {"required": True, "choices": TYPES},
        "ttl": {"type": "int", "default": 300},
        "values": {"type": "list", "elements": "str", "default": []},
        "alias": {"type": "dict", "options": alias},
        "set_identifier": {"default": ""},
        "failover": {"choices": ["", "primary", "secondary"], "default": ""},
        "weight": {"type": "int"},
        "health_check_id": {"default": ""},
        "shared": {"type": "bool", "default": False},
        "takeover": {"type": "bool", "default": False},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "zone_id": {"required": True},
            "zone": {"required": True},
            "owner": {"required": True},
            "state": {"choices": ["present", "pruned"], "default": "present"},
            "purge": {"type": "bool", "default": False},
            "protected_names": {"type": "list", "elements": "str", "default": []},
            "wait": {"type": "bool", "default": False},
            "records": {"type": "list", "elements": "dict", "options": record, "default": []},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

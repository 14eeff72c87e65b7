#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecr_registry_replication."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_registry_replication
short_description: Let ECR itself copy what is pushed to other regions and accounts
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Sets the replication rules of a private ECR registry, and starts a backfill for images that were pushed before.
  - ECR's replication copies whole repositories under the same name, soon after each push. To choose tags, to use other
    names, or to know that everything is there now, use M(palier.aws.ecr_image_sync).
  - A registry has one set of rules in each region. This module writes it whole, or, with O(purge_rules=false), only the
    rules that it is given.
options:
  state:
    description:
      - V(absent) removes all rules, or with O(purge_rules=false) those with the same prefixes as O(rules). What was
        copied stays.
    type: str
    choices: [present, absent]
    default: present
  rules:
    description: The rules, in any order. A registry holds up to 25.
    type: list
    elements: dict
    default: []
    suboptions:
      destinations:
        description: Where to copy to.
        type: list
        elements: dict
        default: []
        suboptions:
          region:
            description: Region of the destination.
            type: str
            required: true
          registry_id:
            description:
              - Account of the destination, by default the registry's own.
              - Another account must allow it by a registry policy (C(ecr:ReplicateImage), C(ecr:CreateRepository)).
            type: str
      destination_regions:
        description: Regions of the registry's own account to copy to, a short form of O(rules[].destinations).
        type: list
        elements: str
        default: []
      repository_prefixes:
        description:
          - Copy repositories whose names start with one of these, each of 2 to 256 characters. All when empty.
        type: list
        elements: str
        default: []
      replicate_deletions:
        description: Whether images and tags that are removed here are removed there too.
        type: bool
        default: false
  purge_rules:
    description:
      - Whether rules that are not in O(rules) are removed.
      - When this is V(false), a rule is known by its O(rules[].repository_prefixes), and others stay.
    type: bool
    default: true
  backfill:
    description:
      - Start a backfill to each destination that has none that is running or complete, and to all of them when the
        rules change. ECR copies what is missing only.
      - ECR forgets backfills 90 days after their end, so that one is started again then.
      - The module does not wait; RV(backfills) says how far they are.
    type: bool
    default: false
notes:
  - Needs C(ecr:DescribeRegistry), C(ecr:PutReplicationConfiguration), C(iam:CreateServiceLinkedRole) the first time,
    and for O(backfill) C(ecr:ListReplicationBackfills) and C(ecr:StartReplicationBackfill).
seealso:
  - module: palier.aws.ecr_image_sync
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Copy what is pushed below shop/ to the standby region, and what was pushed before
  palier.aws.ecr_registry_replication:
    region: eu-west-3
    rules:
      - destinations:
          - region: eu-central-1
        repository_prefixes: [shop/]
    backfill: true
  register: replication
  until: replication.backfills | rejectattr('status', 'in', ['COMPLETE', 'FAILED']) | length == 0
  retries: 60
  delay: 30

- name: Stop copying
  palier.aws.ecr_registry_replication:
    region: eu-west-3
    state: absent
"""

RETURN = r"""
registry_id:
  description: The account whose registry it is.
  returned: always
  type: str
rules:
  description: The rules, in the form of the option.
  returned: always
  type: list
  elements: dict
backfills:
  description: The newest backfill to each destination of the rules, as it was when the module ended.
  returned: when O(backfill=true) and not in check mode
  type: list
  elements: dict
  contains:
    replication_backfill_id:
      description: Its id.
      type: str
    destination:
      description: Region and account that it copies to.
      type: dict
    status:
      description: V(PREPARING), V(IN_PROGRESS), V(COMPLETE), V(FAILED), V(STOPPING) or V(STOPPED).
      type: str
    progress:
      description: Numbers of copies that are planned, complete and failed; absent while ECR is preparing.
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

import datetime
import typing as t

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import is_ansible_aws_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecr_api as api
from ansible_collections.palier.aws.plugins.module_utils import ecr_replication
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.ecr_replication import Destination, ReplicationError, Rule
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Set the rules, then start the backfills that are due."""
    client = module.client("ecr")
    registry = api.describe_registry(client)
    own = Destination(client.meta.region_name, registry["registryId"])
    current = ecr_replication.from_aws(registry)
    given = _given(module, own)
    wanted = _wanted(module, given, current)
    backfill = module.params["backfill"] and module.params["state"] == "present"
    _check_botocore(module, client, wanted, backfill)

    write = ecr_replication.plan_rules(current, wanted)
    known = api.list_replication_backfills(client) if backfill else []
    due = ecr_replication.plan_backfills(given, known, write.changes) if backfill else []
    if not module.check_mode:
        _apply(client, write.changes, wanted, [destination for destination, step in due if step.changes])

    result = outcome([write, *(step for _destination, step in due)])
    result["registry_id"] = own.registry_id
    result["rules"] = [rule.values() for rule in wanted]
    if backfill and not module.check_mode:
        result["backfills"] = _newest(api.list_replication_backfills(client), given)
    return result


def _given(module: AnsibleAWSModule, own: Destination) -> list[Rule]:
    if module.params["state"] == "absent":
        return []
    try:
        return ecr_replication.from_options(module.params["rules"], own)
    except ReplicationError as error:
        module.fail_json(msg=str(error))
        raise


def _wanted(module: AnsibleAWSModule, given: list[Rule], current: list[Rule]) -> list[Rule]:
    if module.params["purge_rules"]:
        return given
    if module.params["state"] == "present":
        return ecr_replication.merge(current, given)
    prefixes = [tuple(sorted(set(rule["repository_prefixes"]))) for rule in module.params["rules"]]
    return ecr_replication.without(current, prefixes)


def _check_botocore(module: AnsibleAWSModule, client: t.Any, rules: list[Rule], backfill: bool) -> None:
    if backfill and not hasattr(client, "start_replication_backfill"):
        module.fail_json(
            msg="backfill: this botocore does not know StartReplicationBackfill; update boto3 and botocore"
        )
    shape = client.meta.service_model.shape_for("ReplicationRule")
    if any(rule.deletions for rule in rules) and "deleteReplication" not in shape.members:
        module.fail_json(msg="replicate_deletions: this botocore does not know it; update boto3 and botocore")


def _apply(client: t.Any, write: bool, wanted: list[Rule], due: list[Destination]) -> None:
    if write:
        api.put_replication_configuration(client, [rule.request() for rule in wanted])
    for destination in due:
        try:
            api.start_replication_backfill(client, destination.request())
        except is_ansible_aws_error_code("ReplicationBackfillInProgressException"):
            pass  # somebody else was faster, and it does the same


def _newest(backfills: list[dict[str, t.Any]], rules: list[Rule]) -> list[dict[str, t.Any]]:
    destinations = sorted({destination for rule in rules for destination in rule.destinations})
    found = []
    for destination in destinations:
        ours = [one for one in backfills if one.get("destination") == destination.request()]
        ours.sort(key=lambda one: one.get("startedAt") or datetime.datetime.min.replace(tzinfo=datetime.UTC))
        found += [camel_dict_to_snake_dict(one) for one in ours[-1:]]
    return found


def main() -> None:
    destinations = {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"region": {"type": "str", "required": True}, "registry_id": {"type": "str"}},
    }
    rules = {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "destinations": destinations,
            "destination_regions": {"type": "list", "elements": "str", "default": []},
            "repository_prefixes": {"type": "list", "elements": "str", "default": []},
            "replicate_deletions": {"type": "bool", "default": False},
        },
    }
    module = AnsibleAWSModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "rules": rules,
            "purge_rules": {"type": "bool", "default": True},
            "backfill": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

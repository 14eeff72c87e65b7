#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_customer_managed_policy
short_description: A customer managed policy, known by its ARN
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates a customer managed policy of IAM, gives it a new default version where its document differs, tags and
    deletes it.
  - It is asked for by its ARN, in two calls. M(amazon.aws.iam_managed_policy) asks by its name and reads through the
    list of all policies, AWS's own as well, for each task.
  - AWS keeps five versions of a policy. Before a sixth is made, the oldest that is not the default is deleted.
options:
  arn:
    description:
      - The ARN that it has or will have, such as C(arn:aws:iam::123456789012:policy/shop/prod/shop-prod-web). Account,
        path and name follow from it. A new one is made in the caller's account only.
    type: str
    required: true
  state:
    description:
      - V(present) creates it or brings it up to date, V(absent) detaches it from whatever has it and deletes it.
    type: str
    choices: [present, absent]
    default: present
  policy:
    description:
      - The document, for example C({Version, Statement}). Needed for O(state=present).
      - What stands is compared by its meaning, whatever the order of its lists.
    type: dict
  description:
    description:
      - What a new one is for, at most 1000 characters (IAM API reference, CreatePolicy). IAM changes none later; the
        module warns where that of one that stands differs.
    type: str
notes:
  - Check mode makes no write call and returns the same plan as the real run.
  - A policy that is somebody's permissions boundary is not deleted; IAM says so.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let the web servers read their secret
  palier.aws.iam_customer_managed_policy:
    arn: arn:aws:iam::123456789012:policy/shop/prod/shop-prod-web
    description: What the web servers of shop-prod may read
    policy:
      Version: "2012-10-17"
      Statement:
        - Sid: ReadTheSecret
          Effect: Allow
          Action: secretsmanager:GetSecretValue
          Resource: arn:aws:secretsmanager:eu-west-3:123456789012:secret:shop-prod-web-*
    tags: {Stack: shop}

- name: Delete it
  palier.aws.iam_customer_managed_policy:
    arn: arn:aws:iam::123456789012:policy/shop/prod/shop-prod-web
    state: absent
"""

RETURN = r"""
arn:
  description: The policy's ARN, as given.
  returned: always
  type: str
  sample: arn:aws:iam::123456789012:policy/shop/prod/shop-prod-web
plan:
  description: What was done, or would be done in check mode, in this order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(modify), V(tag), V(detach), V(delete), V(keep) or V(skip).
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
from ansible_collections.palier.aws.plugins.module_utils import iam_policies
from ansible_collections.palier.aws.plugins.module_utils import iam_policies_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

ARGUMENTS = {
    "arn": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "policy": {"type": "dict"},
    "description": {"type": "str"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def read(client: t.Any, arn: str) -> dict[str, t.Any] | None:
    """The policy with the document of its default version; C{None} when it does not exist."""
    found = api.get_policy(client, arn)
    return found and {**found, "document": api.get_document(client, arn, found["version"])}


def present(module: AnsibleAWSModule, client: t.Any, wanted: iam_policies.Identity) -> list[Step]:
    """The plan that makes the policy say what it should."""
    params, current = module.params, read(client, module.params["arn"])
    if current is None:
        _own_account(module, wanted.account)
    elif params["description"] not in (None, current["description"]):
        module.warn(
            f"description: that of {params['arn']} stays '{current['description']}', since IAM changes none; "
            "delete the policy to have it made anew."
        )
    versions = api.list_versions(client, params["arn"]) if iam_policies.differs(current, params) else []
    return iam_policies.plan(wanted.name, params, current, versions)


def _own_account(module: AnsibleAWSModule, account: str) -> None:
    own = module.client("sts").get_caller_identity()["Account"]
    if account != own:
        module.fail_json(
            msg=f"arn: '{module.params['arn']}' is of account {account}, and the credentials are of {own}; "
            "write that account's id or use its credentials."
        )


def absent(client: t.Any, arn: str, name: str) -> list[Step]:
    """The plan of a removal."""
    current = read(client, arn)
    if current is None:
        return iam_policies.plan_removal(name, None, [], [])
    shown = {key: current[key] for key in ("document", "tags")}
    return iam_policies.plan_removal(name, shown, api.list_holders(client, arn), api.list_versions(client, arn))


def carry_out(client: t.Any, params: dict[str, t.Any], wanted: iam_policies.Identity, steps: list[Step]) -> None:
    """Carry out the plan's steps."""
    arn = params["arn"]
    for step in steps:
        if step.verb == "create":
            _create(client, params, wanted, step.after["tags"])
        elif step.verb == "modify":
            api.create_version(client, arn, step.after["document"])
        elif step.verb == "tag":
            _tag(client, arn, step.before["tags"], step.after["tags"])
        elif step.verb == "detach":
            api.detach(client, arn, step.before["kind"], step.before["name"])
        elif step.verb == "delete" and "version" in step.before:
            api.delete_version(client, arn, step.before["version"])
        elif step.verb == "delete":
            api.delete_policy(client, arn)


def _create(client: t.Any, params: dict[str, t.Any], wanted: iam_policies.Identity, tags: dict[str, str]) -> None:
    given = {"PolicyName": wanted.name, "Path": wanted.path, "Description": params["description"] or ""}
    api.create_policy(client, given, params["policy"], tags)
    api.wait_for_policy(client, params["arn"])


def _tag(client: t.Any, arn: str, before: dict[str, str], after: dict[str, str]) -> None:
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    if changed:
        api.tag(client, arn, changed)
    gone = sorted(before.keys() - after.keys())
    if gone:
        api.untag(client, arn, gone)


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, plan, apply."""
    client, params = module.client("iam"), module.params
    try:
        wanted = iam_policies.identity(params["arn"])
    except iam_policies.PolicyError as error:
        module.fail_json(msg=str(error))
    if params["state"] == "present":
        steps = present(module, client, wanted)
    else:
        steps = absent(client, params["arn"], wanted.name)
    if not module.check_mode:
        carry_out(client, params, wanted, steps)
    return {**outcome(steps), "arn": params["arn"]}


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS, supports_check_mode=True, required_if=[("state", "present", ["policy"])]
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cloudfront_key_group."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_key_group
short_description: The public keys that CloudFront trusts for signed URLs and cookies
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, converges and deletes a key group together with its public keys.
  - A public key cannot be changed at AWS. Another text under the same name is another key there, which is created, put
    into the group, and only then is the old one deleted.
  - To replace a key without refusing what was signed before, list both for as long as signatures of the old one are
    valid, and then the new one alone.
  - Private keys are nothing to this module. A text that holds one is refused and not repeated.
options:
  name:
    description:
      - Name of the group, which CloudFront has once in an account.
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
  keys:
    description:
      - The public keys, at most 5 (CloudFront's default quota). Required for O(state=present).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the key within the group.
        type: str
        required: true
      pem:
        description:
          - The public key as PEM text, C(-----BEGIN PUBLIC KEY-----). CloudFront takes RSA keys of 2048 bits and ECDSA
            keys of the curve P-256.
        type: str
        required: true
notes:
  - Check mode makes no write call and returns the same plan as the real run.
  - CloudFront deletes a group only when no distribution trusts it any more.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Trust what the application signs
  palier.aws.cloudfront_key_group:
    name: shop-prod-media
    keys:
      - name: app-2025
        pem: "{{ lookup('ansible.builtin.file', 'app-2025.pub.pem') }}"
  register: __keys
"""

RETURN = r"""
key_group:
  description: The key group. In check mode, what would be created has an empty id.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: Its id, which a behavior names.
      type: str
      sample: 2a9f4c1e-7b1d-4d0e-9c2b-0a1b2c3d4e5f
    name:
      description: Its name.
      type: str
    public_keys:
      description: The ids of the keys by the user's names. They are the C(Key-Pair-Id) of what is signed with them.
      type: dict
      sample: {app-2025: K2JCJMDEHXQW5F}
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

import time
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import cloudfront_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.cloudfront_access import (
    key_name,
    normal_key,
    owner_comment,
    plan_keys,
    wanted_keys,
)
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "comment": {"type": "str", "default": ""},
    "keys": {
        "type": "list",
        "elements": "dict",
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "pem": {"type": "str", "required": True},
        },
    },
}

Ids = dict[str, str]


def create_key(client: t.Any, config: dict[str, t.Any]) -> str:
    """Create a public key. The caller reference only has to be new."""
    return api.create_public_key(client, {**config, "CallerReference": f"{config['Name']}-{time.time_ns()}"})


def delete_key(client: t.Any, key_id: str) -> None:
    """Delete a public key; one that is gone is fine."""
    etag = api.get_public_key(client, key_id).get("ETag")
    if etag:
        api.delete_public_key(client, key_id, etag)


def write_group(client: t.Any, step: Step, group_id: str, config: dict[str, t.Any]) -> str:
    """Create, update or delete the group and return its id."""
    if step.verb == "create":
        return api.create_key_group(client, config)
    etag = api.get_key_group(client, group_id).get("ETag")
    if step.verb == "modify":
        api.update_key_group(client, group_id, config, etag or "")
    elif etag:
        api.delete_key_group(client, group_id, etag)
    return group_id


def carry_out(
    client: t.Any,
    steps: list[Step],
    group_id: str,
    wanted: dict[str, dict[str, t.Any]],
    ids: Ids,
    comment: str,
    name: str,
) -> str:
    """Carry out the plan's steps in their order and return the group's id; new keys are added to the ids."""
    for step in steps:
        key = ((step.before or step.after) or {}).get("public_key")
        if key and step.verb == "create":
            ids[key] = create_key(client, wanted[key])
        elif key:
            delete_key(client, ids[key])
        elif step.changes:
            config = {"Name": name, "Comment": comment, "Items": [ids[one] for one in wanted]}
            group_id = write_group(client, step, group_id, config)
    return group_id


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    client, name, comment = module.client("cloudfront"), module.params["name"], module.params["comment"]
    present = module.params["state"] == "present"
    wanted = wanted_keys(name, module.params["keys"]) if present else None
    keys = api.list_public_keys(client)
    current = next((one for one in api.list_key_groups(client) if one["KeyGroupConfig"]["Name"] == name), None)
    steps = plan_keys(name, comment, wanted, keys, current)
    group_id = current["Id"] if current else ""
    ids = {key["Name"]: key["Id"] for key in keys if key.get("Comment") == owner_comment(name)}
    if not module.check_mode:
        group_id = carry_out(client, steps, group_id, wanted or {}, ids, comment, name)
    if not present:
        return outcome(steps)
    public = {
        key["name"]: ids.get(key_name(name, key["name"], normal_key(key["name"], key["pem"])), "")
        for key in module.params["keys"]
    }
    return outcome(steps) | {"key_group": {"id": group_id, "name": name, "public_keys": public}}


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS, supports_check_mode=True, required_if=[("state", "present", ["keys"])]
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

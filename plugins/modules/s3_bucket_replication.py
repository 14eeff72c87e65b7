#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.s3_bucket_replication."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_bucket_replication
short_description: Let S3 copy what is written to a bucket to other buckets
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Sets the replication of a bucket, as a whole. S3 copies new objects, in most cases within 15 minutes; what was there
    before is not copied.
  - Both buckets must keep versions (O(palier.aws.s3_bucket#module:versioning)).
options:
  name:
    description: Name of the bucket whose objects are copied.
    type: str
    required: true
  state:
    description: V(absent) stops the copying. What was copied stays.
    type: str
    choices: [present, absent]
    default: present
  role_arn:
    description:
      - ARN of the role that S3 takes on to copy. It may read versions here, and needs C(s3:ReplicateObject),
        C(s3:ReplicateDelete) and C(s3:ReplicateTags) there.
      - Required with O(state=present).
    type: str
  rules:
    description: All rules. Where two of one destination apply to an object, the first one counts.
    type: list
    elements: dict
    suboptions:
      id:
        description: Name of the rule, unique in the bucket.
        type: str
        required: true
      status:
        description: Whether the rule is in force.
        type: str
        choices: [Enabled, Disabled]
        default: Enabled
      priority:
        description: Its rank; the highest number wins. By default the rules' own order.
        type: int
      prefix:
        description: Copy keys that start with this.
        type: str
        default: ''
      destination_bucket:
        description: Name or ARN of the bucket that gets the copies.
        type: str
        required: true
      storage_class:
        description: Storage class of the copies, by default that of the objects.
        type: str
      delete_markers:
        description: Whether an object that is deleted here, by a delete marker, is deleted there too.
        type: bool
        default: false
      kms_key_id:
        description: ARN of the KMS key, in the destination's region, that encrypts copies of encrypted objects.
        type: str
notes:
  - Check mode makes no write call and returns the same plan as the real run.
seealso:
  - module: palier.aws.s3_bucket
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep a copy in another region
  palier.aws.s3_bucket_replication:
    name: shop-prod-uploads
    region: eu-west-3
    role_arn: arn:aws:iam::123456789012:role/shop-prod-replication
    rules:
      - id: everything
        destination_bucket: shop-prod-uploads-replica
        storage_class: STANDARD_IA

- name: Stop copying
  palier.aws.s3_bucket_replication:
    name: shop-prod-uploads
    region: eu-west-3
    state: absent
"""

RETURN = r"""
replication:
  description: The replication in AWS's shape, empty for none.
  returned: always
  type: dict
plan:
  description: What was done, or would be done in check mode.
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

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import buckets_replication as replication
from ansible_collections.palier.aws.plugins.module_utils import buckets_replication_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.buckets_api import region_of
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome

RULE = {
    "id": {"type": "str", "required": True},
    "status": {"type": "str", "choices": ["Enabled", "Disabled"], "default": "Enabled"},
    "priority": {"type": "int"},
    "prefix": {"type": "str", "default": ""},
    "destination_bucket": {"type": "str", "required": True},
    "storage_class": {"type": "str"},
    "delete_markers": {"type": "bool", "default": False},
    "kms_key_id": {"type": "str", "no_log": False},
}


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, plan, apply."""
    client, params = module.client("s3"), module.params
    current = api.get_replication(client, params["name"])
    wanted = None
    if params["state"] == "present":
        wanted = replication.configuration(params["role_arn"], params["rules"], region_of(client))
    step = replication.plan(params["name"], current, wanted)
    if step.changes and not module.check_mode:
        if wanted:
            api.put_replication(client, params["name"], wanted)
        else:
            api.delete_replication(client, params["name"])
    return {**outcome([step]), "replication": wanted or {}}


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "role_arn": {"type": "str"},
            "rules": {"type": "list", "elements": "dict", "options": RULE},
        },
        supports_check_mode=True,
        required_if=[("state", "present", ["role_arn", "rules"])],
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

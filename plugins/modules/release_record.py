#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.release_record."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_record
short_description: Record a release of a component in the account
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Writes into an SSM parameter what was released, by whom, from where, and how it ended. The parameter's versions, of
    which Systems Manager keeps a hundred, are the history.
  - The record also holds the last good version, which a deployment keeps, and the one before it, to which a release can
    go back. M(palier.aws.release_record_info) reads it.
  - Each call with O(result) is a change, as each writes a version of the parameter.
options:
  name:
    description: Name of the parameter, such as V(/shop/prod/releases/backend).
    type: str
    required: true
  state:
    description: V(absent) deletes the record with its history.
    type: str
    choices: [present, absent]
    default: present
  result:
    description: What is recorded. A release is V(started) before its first change. Needed with O(state=present).
    type: str
    choices: [started, succeeded, failed]
  component:
    description: Name of what is released, with O(result=started); with the others for the plan of check mode.
    type: str
    default: ''
  kind:
    description: What the component is, such as V(service), with O(result=started).
    type: str
    default: ''
  version:
    description: Name of the version, with O(result=started); with the others for the plan of check mode.
    type: str
    default: ''
  reference:
    description: What exactly is released, such as an image with its digest. May come at the end, when it is known.
    type: str
    default: ''
  revision:
    description: Under which the version runs, such as the ARN of a task definition, with O(result=succeeded).
    type: str
    default: ''
  running:
    description: What runs before, with O(result=started). C(version), C(reference) and C(revision).
    type: dict
    default: {}
  source:
    description: Where the release comes from, such as the address of a pipeline's job or a commit.
    type: str
    default: ''
  reason:
    description: Why it failed, with O(result=failed).
    type: str
    default: ''
  rolled_back:
    description: Whether the last good version runs again, with O(result=failed).
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Record that a release begins
  palier.aws.release_record:
    name: /shop/prod/releases/backend
    result: started
    component: backend
    kind: service
    version: v1.4.2
    reference: 123456789012.dkr.ecr.eu-west-3.amazonaws.com/shop-prod-backend@sha256:0f1e...
    source: https://gitlab.example.com/shop/-/jobs/4711

- name: Record that it is good
  palier.aws.release_record:
    name: /shop/prod/releases/backend
    result: succeeded
"""

RETURN = r"""
record:
  description: The record as it is now; in check mode as it would be. See M(palier.aws.release_record_info).
  returned: always
  type: dict
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: record
      resource: release of backend
      reason: v1.4.2 started
"""

import datetime
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.palier.aws.plugins.module_utils import releases
from ansible_collections.palier.aws.plugins.module_utils import releases_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def now() -> str:
    """The time, ISO 8601, UTC."""
    moment = datetime.datetime.now(datetime.timezone.utc)  # noqa: UP017 (Python before 3.11 on the target)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Read, decide, write."""
    params, client = module.params, module.client("ssm")
    text = api.get(client, params["name"])
    if params["state"] == "absent":
        return {**outcome(remove(module, client, text)), "record": {}}
    last = releases.parse(text)
    record = wanted(module, last)
    if not module.check_mode:
        write(client, params, releases.text_of(record))
    step = Step("record", f"release of {record['component']}", f"{record['version']} {record['result']}", last, record)
    return {**outcome([step]), "record": releases.shown(record)}


def wanted(module: AnsibleAWSModule, last: dict[str, t.Any]) -> dict[str, t.Any]:
    """The new record."""
    params = module.params
    if params["result"] == releases.STARTED:
        by = api.caller(module.client("sts"))
        return releases.started(last, {**params, "by": by, "at": now()}, params["running"])
    if not last and not module.check_mode:
        raise AnsibleAWSError(message=f"name is {params['name']}, where no release was started: record that first")
    # In check mode the start was not written.
    begun = releases.started(last, params, {}) if module.check_mode else last
    made = {"reference": params["reference"], "revision": params["revision"]}
    return releases.ended(begun, params["result"], now(), params["reason"], params["rolled_back"], **made)


def write(client: t.Any, params: dict[str, t.Any], text: str) -> None:
    """Write the parameter, which has its tags from its creation on."""
    tags = ansible_dict_to_boto3_tag_list({str(key): str(value) for key, value in (params["tags"] or {}).items()})
    if not api.create(client, params["name"], text, tags):
        api.overwrite(client, params["name"], text)


def remove(module: AnsibleAWSModule, client: t.Any, text: str | None) -> list[Step]:
    """Delete it where it is."""
    resource = f"record {module.params['name']}"
    if text is None:
        return [Step("keep", resource, "it does not exist")]
    if not module.check_mode:
        api.delete(client, module.params["name"])
    return [Step("delete", resource, "it is not wanted", releases.parse(text))]


def main() -> None:
    """Ansible's entry point."""
    text = {"type": "str", "default": ""}
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "result": {"choices": ["started", "succeeded", "failed"]},
            **dict.fromkeys(("component", "kind", "version", "reference", "revision", "source", "reason"), text),
            "running": {"type": "dict", "default": {}},
            "rolled_back": {"type": "bool", "default": False},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        required_if=[("state", "present", ["result"])],
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.release_record_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_record_info
short_description: Read what is recorded of releases
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Reads the records that M(palier.aws.release_record) wrote below a path. No record is an empty answer and no error.
options:
  path:
    description: Where the records are, such as V(/shop/prod/releases).
    type: str
    required: true
  history_of:
    description: Component of which older records are read as well.
    type: str
    default: ''
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read what was released
  palier.aws.release_record_info:
    path: /shop/prod/releases
    history_of: backend
  register: released
"""

RETURN = r"""
records:
  description: The newest record of each component, by component.
  returned: always
  type: dict
  contains:
    result:
      description: C(started), C(succeeded) or C(failed).
      type: str
    version:
      description: Name of the version that was released last, good or not.
      type: str
    reference:
      description: What exactly it is.
      type: str
    by:
      description: ARN of who released it.
      type: str
    source:
      description: Where it came from.
      type: str
    at:
      description: When it began, ISO 8601, UTC.
      type: str
    ended:
      description: When it ended.
      type: str
    reason:
      description: Why it failed.
      type: str
    unfinished:
      description: Whether it left another version than the last good one, because it was cut off or not taken back.
      type: bool
    kept:
      description: The released version that a deployment keeps; empty where that is still the inventory's own.
      type: dict
    back:
      description: The version to which a release of V(previous) goes; empty where there is none.
      type: dict
names:
  description: Names of all parameters there, of broken records as well.
  returned: always
  type: list
  elements: str
history:
  description: The records of O(history_of), the newest first.
  returned: always
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import releases
from ansible_collections.palier.aws.plugins.module_utils import releases_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Read."""
    client, path = module.client("ssm"), module.params["path"].rstrip("/")
    texts = api.below(client, path)
    found = {name: releases.parse(text) for name, text in texts.items()}
    component = module.params["history_of"]
    older = api.history(client, f"{path}/{component}") if component else []
    return {
        "changed": False,
        "records": {name: releases.shown(record) for name, record in found.items() if record},
        "names": [f"{path}/{name}" for name in sorted(texts)],
        "history": [record for record in map(releases.parse, reversed(older)) if record],
    }


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={"path": {"type": "str", "required": True}, "history_of": {"type": "str", "default": ""}},
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

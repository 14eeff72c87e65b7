#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecs_secret_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_secret_info
short_description: Find the ARNs of secrets by name
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - ECS names a secret by its full ARN, which ends in characters that Secrets Manager chose. This finds the ARNs, and
    fails with all names that do not exist. No value is read.
options:
  names:
    description: Names or ARNs of Secrets Manager secrets.
    type: list
    elements: str
    required: true
  variable:
    description: What the error message calls the place where the names are written.
    type: str
    default: names
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Find the secrets
  palier.aws.ecs_secret_info:
    names: [shop/prod/session-key]
"""

RETURN = r"""
arns:
  description: ARNs by name.
  returned: always
  type: dict
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecs_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe each secret."""
    names = sorted(set(module.params["names"]))
    client = module.client("secretsmanager") if names else None
    found = {name: api.describe_secret(client, name) for name in names}
    missing = [name for name, secret in found.items() if not secret or secret.get("DeletedDate")]
    if missing:
        module.fail_json(
            msg=f"{module.params['variable']}: Secrets Manager has no secret {', '.join(map(repr, missing))} in this"
            " region; create it, or correct the name"
        )
    return {"changed": False, "arns": {name: secret["ARN"] for name, secret in found.items() if secret}}


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "variable": {"type": "str", "default": "names"},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_validate
version_added: 0.1.0
short_description: Check the description of a stack before the first change
author:
  - The palier.aws authors (@palier)
description:
  - Runs on the controller and reads variables only. It makes no AWS call.
  - Validates the variables of every tier of the stack against the tiers' argument specs, defaults filled in, and then
    checks what no argument spec can say, for example overlapping networks of peers, a tier without the tier that it
    needs, names over AWS's limits, a variable with a role's prefix that no role has, a secret in plain text.
  - All problems are said at once, each with the variable, its value and what to write instead.
  - The role P(palier.aws.stack#role) runs it.
options: {}
seealso:
  - module: palier.aws.region_check
"""

EXAMPLES = r"""
- name: Check the description of this stack
  palier.aws.stack_validate:
"""

RETURN = r"""
problems:
  description: What is wrong, one sentence each.
  returned: failure
  type: list
  elements: str
  sample:
    - "network_cidr: '10.0.0.0/30' is outside what AWS allows, /16 to /28; write such as '10.0.0.0/16'"
region_check:
  description: Arguments for M(palier.aws.region_check), which asks the region for what the description wants.
  returned: success
  type: dict
opened:
  description:
    - The secure defaults that the description has opened, each with C(setting), C(value) and what it C(means).
    - For P(palier.aws.report#role).
  returned: success
  type: list
  elements: dict
  sample:
    - {setting: load_balancer_https, value: "false", means: visitors reach the load balancer over plain HTTP only}
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Ansible calls the action plugin of this name instead."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    module.fail_json(msg="stack_validate runs on the controller, as an action plugin, and was called as a module")


if __name__ == "__main__":
    main()

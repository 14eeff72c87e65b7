#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A module of a role, with support code of that role."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.warm_role import whose


def main():
    module = AnsibleModule(argument_spec={})
    module.deprecate("a role's module", version="9.9.9")
    module.exit_json(whose=whose())


if __name__ == "__main__":
    main()

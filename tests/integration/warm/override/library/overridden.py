#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Uses a module_utils that stands beside the playbook, in the place of ansible-core's own."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.dict_transformations import snake_dict_to_camel_dict
from ansible.module_utils.own_support import whose


def main():
    module = AnsibleModule(argument_spec={})
    module.exit_json(whose=whose(), camel=snake_dict_to_camel_dict({"a_b": 1}))


if __name__ == "__main__":
    main()

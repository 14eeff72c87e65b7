#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Returns its secret, which Ansible has to mask."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec={"secret": {"type": "str", "no_log": True}})
    module.exit_json(echo="it is " + module.params["secret"], environment=os.environ.get("WARM_SECRET"))


if __name__ == "__main__":
    main()

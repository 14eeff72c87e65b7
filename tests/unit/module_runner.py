# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a module of ours inside the test's own process, so that moto's in-process AWS answers it."""

from __future__ import annotations

import json
import typing as t
from contextlib import redirect_stdout, suppress
from io import StringIO
from types import ModuleType

from ansible.module_utils.testing import patch_module_args

#: Dummy credentials. Long words, because Ansible masks a secret's value everywhere in the output.
CREDENTIALS = {"access_key": "testing-access", "secret_key": "testing-secret", "region": "eu-west-3"}


def run_module(module: ModuleType, arguments: dict[str, t.Any], check: bool = False) -> dict[str, t.Any]:
    """The result that the module prints.

    :param module: the module's Python module.
    :param arguments: its options; credentials and the region eu-west-3 are filled in.
    :param check: whether it runs in check mode.
    """
    output = StringIO()
    arguments = {**CREDENTIALS, **arguments, "_ansible_check_mode": check, "_ansible_diff": True}
    with patch_module_args(arguments), redirect_stdout(output), suppress(SystemExit):
        module.main()
    return json.loads(output.getvalue())

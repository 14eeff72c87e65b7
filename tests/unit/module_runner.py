# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a module of ours inside the test's own process, so that moto's in-process AWS answers it."""

from __future__ import annotations

import json
import typing as t
from contextlib import contextmanager, redirect_stdout, suppress
from io import StringIO
from types import ModuleType
from unittest import mock

from ansible.module_utils.testing import patch_module_args
from botocore.client import BaseClient

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


#: Operations whose names start so change nothing.
READS = ("Describe", "Get", "Head", "List")


@contextmanager
def recorded_calls() -> t.Iterator[list[str]]:
    """The names of the AWS operations that are called inside the block, in their order."""
    calls: list[str] = []
    original = BaseClient._make_api_call

    def record(client: BaseClient, operation: str, arguments: dict[str, t.Any]) -> t.Any:
        calls.append(operation)
        return original(client, operation, arguments)

    with mock.patch.object(BaseClient, "_make_api_call", record):
        yield calls


def writes(calls: list[str]) -> list[str]:
    """Those of the recorded operations that change something."""
    return [call for call in calls if not call.startswith(READS)]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module stack_validate is its action's page only."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.palier.aws.plugins.modules import stack_validate


def test_called_as_a_module_it_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({}), pytest.raises(SystemExit):
        stack_validate.main()
    result = json.loads(capsys.readouterr().out)
    assert result["failed"]
    assert "action plugin" in result["msg"]


def test_it_takes_no_option() -> None:
    assert yaml.safe_load(stack_validate.DOCUMENTATION)["options"] == {}

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters that prepare what the inventory says."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.palier.aws.plugins.plugin_utils import argument_specs


def with_defaults(items: list[dict[str, t.Any]], role: str, variable: str) -> list[dict[str, t.Any]]:
    """See plugin_utils/argument_specs.py."""
    try:
        return argument_specs.with_defaults(items, role, variable)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"with_defaults": with_defaults}

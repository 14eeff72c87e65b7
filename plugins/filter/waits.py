# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of tasks that wait, in every tier."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import waits


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"retries": waits.retries}

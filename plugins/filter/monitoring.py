# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the monitoring tier."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import monitoring


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "max_connections": monitoring.max_connections,
            "stack_alarms": monitoring.stack_alarms,
            "stack_dashboard": monitoring.stack_dashboard,
            "target_groups_of": monitoring.target_groups_of,
            "instances_of": monitoring.instances_of,
        }

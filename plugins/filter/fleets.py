# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the ec2_app tier's fleets."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import fleets


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "agent_config": fleets.agent_config,
            "drain_config": fleets.drain_config,
            "ec2_app_fleets": fleets.fleets,
            "fleet_facts": fleets.fleet_facts,
            "fleet_policy": fleets.fleet_policy,
            "fleet_settled": fleets.fleet_settled,
            "fleet_template": fleets.fleet_template,
        }

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the ec2_app and rds tiers."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import instances


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "agent_setup": instances.agent_setup,
            "application_config": instances.application_config,
            "ec2_app_facts": instances.ec2_app_facts,
            "image_setup": instances.image_setup,
            "image_want": instances.image_want,
            "in_group_order": instances.in_group_order,
            "instance_plan": instances.instance_plan,
            "instance_policy": instances.instance_policy,
            "rds_facts": instances.rds_facts,
            "security_group_rules": instances.security_group_rules,
        }

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the load_balancer and ecs_app tiers."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import services
from ansible_collections.palier.aws.plugins.plugin_utils.services import Place


def ecs_container(
    service: services.Service,
    partition: str,
    region: str,
    account: str,
    secrets: dict[str, str],
    database: dict[str, t.Any] | None = None,
) -> dict[str, t.Any]:
    """See plugin_utils/services.py."""
    place = Place(partition, region, account)
    return services.container(service, service["image_uri"], place, service["log_group"], secrets, database)


def ecs_execution_policy(
    described: list[services.Service],
    partition: str,
    region: str,
    account: str,
    secrets: dict[str, str],
    database: str = "",
    kms_keys: list[str] | None = None,
) -> dict[str, t.Any]:
    """See plugin_utils/services.py."""
    place = Place(partition, region, account)
    return services.execution_policy(described, place, secrets, database, kms_keys or [])


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "ecs_container": ecs_container,
            "ecs_execution_policy": ecs_execution_policy,
            "ecs_secret_names": services.secret_names,
            "ecs_services": services.service_facts,
            "ecs_volume_name": services.volume_name,
            "load_balancer_facts": services.load_balancer_facts,
            "misrouted_rules": services.misrouted,
            "with_rule_priorities": services.with_rule_priorities,
        }

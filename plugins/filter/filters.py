# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All filters, by name: each is a function of plugin_utils and has a page of its own beside this file.

They stand in one file because Ansible looks through every file here, each time that a task's worker meets a filter.
"""

from __future__ import annotations

import functools
import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.palier.aws.plugins.plugin_utils import (
    argument_specs,
    delivery,
    dns,
    fleets,
    identity,
    instances,
    monitoring,
    network,
    network_drift,
    peering,
    pipelines,
    report,
    services,
    signing,
    sites,
    storage,
    waits,
)


def _said(function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """The same function, whose C(ValueError) Ansible says as the sentence itself."""

    @functools.wraps(function)
    def filtered(*arguments: t.Any, **options: t.Any) -> t.Any:
        try:
            return function(*arguments, **options)
        except ValueError as error:
            raise AnsibleFilterError(str(error)) from error

    return filtered


def ecs_container(
    service: services.Service,
    partition: str,
    region: str,
    account: str,
    secrets: dict[str, str],
    database: dict[str, t.Any] | None = None,
) -> dict[str, t.Any]:
    """See plugin_utils/services.py."""
    place = services.Place(partition, region, account)
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
    place = services.Place(partition, region, account)
    return services.execution_policy(described, place, secrets, database, kms_keys or [])


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            # description
            "with_defaults": _said(argument_specs.with_defaults),
            # waits
            "retries": waits.retries,
            # network
            "subnet_layout": _said(network.subnet_layout),
            "tier_security_groups": network.tier_security_groups,
            "vpc_in_sync": network_drift.vpc_in_sync,
            "drifted_security_groups": network_drift.drifted_security_groups,
            "drifted_subnets": network_drift.drifted_subnets,
            "drifted_nat_gateways": network_drift.drifted_nat_gateways,
            "private_route_tables": network.private_route_tables,
            "drifted_route_tables": network_drift.drifted_route_tables,
            "open_admin_ports": network.open_admin_ports,
            "who_is_let_in": network.who_is_let_in,
            "network_facts": network.network_facts,
            "groups_naming_groups": network.groups_naming_groups,
            "ids_by_name": network.ids_by_name,
            # peering
            "peered_subnet_types": peering.peered_subnet_types,
            "peering_facts": peering.peering_facts,
            "peering_rules": peering.peering_rules,
            "peering_side": peering.peering_side,
            "peers_of": peering.peers_of,
            # instances
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
            # fleets
            "agent_config": fleets.agent_config,
            "drain_config": fleets.drain_config,
            "ec2_app_fleets": fleets.fleets,
            "fleet_facts": fleets.fleet_facts,
            "fleet_policy": fleets.fleet_policy,
            "fleet_settled": fleets.fleet_settled,
            "fleet_template": fleets.fleet_template,
            # services
            "ecs_container": ecs_container,
            "ecs_execution_policy": ecs_execution_policy,
            "ecs_secret_names": services.secret_names,
            "ecs_services": services.service_facts,
            "ecs_volume_name": services.volume_name,
            "load_balancer_facts": services.load_balancer_facts,
            "misrouted_rules": services.misrouted,
            "with_rule_priorities": services.with_rule_priorities,
            # sites
            "distribution_policy": sites.distribution_policy,
            "site_distribution": sites.site_distribution,
            "site_distribution_name": sites.distribution_name,
            "site_facts": sites.site_facts,
            "site_public_keys": sites.public_keys,
            "site_source": sites.site_source,
            "with_distributions": sites.with_distributions,
            # signing
            "cloudfront_signed_url": signing.signed_url,
            "cloudfront_signed_cookies": signing.signed_cookies,
            # storage
            "storage_facts": storage.storage_facts,
            "storage_lifecycle": storage.storage_lifecycle,
            "storage_policy": storage.storage_policy,
            "replication_policy": storage.replication_policy,
            "identity_clients": identity.identity_clients,
            "identity_providers": identity.identity_providers,
            "identity_role_mappings": identity.identity_role_mappings,
            "identity_policy": identity.identity_policy,
            # dns
            "dns_base_records": dns.dns_base_records,
            "dns_certificates": dns.dns_certificates,
            "dns_facts": dns.dns_facts,
            "dns_health_checks": dns.dns_health_checks,
            "dns_record_sets": dns.dns_record_sets,
            # delivery
            "ecr_repository_of": delivery.ecr_repository,
            "image_base": delivery.image_base,
            "image_version": delivery.image_version,
            "image_with_version": delivery.with_version,
            "release_component": delivery.component_of,
            "release_components": delivery.components,
            "release_list": delivery.release_list,
            "release_source": delivery.source_of,
            "release_version": delivery.wanted_version,
            "released_references": delivery.released_references,
            "service_address": delivery.service_address,
            "smoke_page": delivery.smoke_page,
            "smoke_url": delivery.smoke_url,
            "with_released_images": delivery.with_released_images,
            "with_released_versions": delivery.with_released_versions,
            # monitoring
            "max_connections": monitoring.max_connections,
            "stack_alarms": monitoring.stack_alarms,
            "stack_dashboard": monitoring.stack_dashboard,
            "target_groups_of": monitoring.target_groups_of,
            "instances_of": monitoring.instances_of,
            # pipelines
            "pipeline_providers": pipelines.pipeline_providers,
            "pipeline_trust": pipelines.pipeline_trust,
            # report
            "stack_report": report.stack_report,
            "report_text": report.report_text,
            "report_markdown": report.report_markdown,
        }

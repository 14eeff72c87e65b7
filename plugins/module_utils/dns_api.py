# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Route 53 calls that our modules make: one function each, an error handler over a retry over one line."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

Document = dict[str, t.Any]
ZoneErrors = error_handler("NoSuchHostedZone")
HealthCheckErrors = error_handler("NoSuchHealthCheck")

#: Resources in one ListTagsForResources call (Route 53 API reference).
TAGGED_A_CALL = 10
#: Another change of the same zone or health check is still being worked on (Route 53 API reference, Errors).
BUSY = ["PriorRequestNotComplete", "ConcurrentModification"]
retry = AWSRetry.jittered_backoff(catch_extra_error_codes=BUSY)


@ZoneErrors.common_error_handler("list the hosted zones")
@retry
def list_hosted_zones(client: t.Any) -> list[Document]:
    """Every hosted zone of the account."""
    pages = client.get_paginator("list_hosted_zones").paginate()
    return [zone for page in pages for zone in page["HostedZones"]]


@ZoneErrors.list_error_handler("get the hosted zone", {})
@retry
def get_hosted_zone(client: t.Any, zone_id: str) -> Document:
    """A zone and its name servers; empty when it does not exist."""
    return client.get_hosted_zone(Id=zone_id)


@ZoneErrors.common_error_handler("create the hosted zone")
@retry
def create_hosted_zone(client: t.Any, **request: t.Any) -> Document:
    """Create a zone."""
    return client.create_hosted_zone(**request)["HostedZone"]


@ZoneErrors.deletion_error_handler("delete the hosted zone")
@retry
def delete_hosted_zone(client: t.Any, zone_id: str) -> t.Any:
    """Delete a zone; one that is gone is fine."""
    return client.delete_hosted_zone(Id=zone_id)


@ZoneErrors.list_error_handler("list the records of the hosted zone")
@retry
def list_records(client: t.Any, zone_id: str) -> list[Document] | None:
    """Every record set of a zone; C{None} when the zone does not exist."""
    pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    return [record for page in pages for record in page["ResourceRecordSets"]]


@ZoneErrors.common_error_handler("change the records of the hosted zone")
@retry
def change_records(client: t.Any, zone_id: str, changes: list[Document], comment: str) -> str:
    """Carry one batch out, whole or not at all; the change's id."""
    batch = {"Comment": comment, "Changes": changes}
    return client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)["ChangeInfo"]["Id"]


@ZoneErrors.common_error_handler("wait until every name server has the change")
def wait_for_change(client: t.Any, change_id: str) -> None:
    """Wait until Route 53's name servers all answer with a change, usually within 60 seconds."""
    client.get_waiter("resource_record_sets_changed").wait(Id=change_id, WaiterConfig={"Delay": 5, "MaxAttempts": 60})


@HealthCheckErrors.common_error_handler("list the health checks")
@retry
def list_health_checks(client: t.Any) -> list[Document]:
    """Every health check of the account."""
    pages = client.get_paginator("list_health_checks").paginate()
    return [check for page in pages for check in page["HealthChecks"]]


@HealthCheckErrors.common_error_handler("create the health check")
@retry
def create_health_check(client: t.Any, **request: t.Any) -> str:
    """Create a health check; its id."""
    return client.create_health_check(**request)["HealthCheck"]["Id"]


@HealthCheckErrors.common_error_handler("update the health check")
@retry
def update_health_check(client: t.Any, **request: t.Any) -> t.Any:
    """Change a health check."""
    return client.update_health_check(**request)


@HealthCheckErrors.deletion_error_handler("delete the health check")
@retry
def delete_health_check(client: t.Any, check_id: str) -> t.Any:
    """Delete a health check; one that is gone is fine."""
    return client.delete_health_check(HealthCheckId=check_id)


@ZoneErrors.common_error_handler("list tags")
@retry
def list_tags(client: t.Any, kind: str, ids: list[str]) -> dict[str, dict[str, str]]:
    """Tags by resource id.

    :param kind: C(hostedzone) or C(healthcheck).
    """
    found = {}
    for start in range(0, len(ids), TAGGED_A_CALL):
        some = ids[start : start + TAGGED_A_CALL]
        for answer in client.list_tags_for_resources(ResourceType=kind, ResourceIds=some)["ResourceTagSets"]:
            found[answer["ResourceId"]] = boto3_tag_list_to_ansible_dict(answer["Tags"])
    return found


@ZoneErrors.common_error_handler("change tags")
@retry
def change_tags(client: t.Any, kind: str, identifier: str, tags: dict[str, str], gone: list[str]) -> None:
    """Set tags, and take others off."""
    request: Document = {"ResourceType": kind, "ResourceId": identifier}
    if tags:
        request["AddTags"] = ansible_dict_to_boto3_tag_list(tags)
    if gone:
        request["RemoveTagKeys"] = gone
    client.change_tags_for_resource(**request)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of gateway endpoints."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_specifications,
)
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

EndpointErrors = error_handler("InvalidVpcEndpointId.NotFound", "InvalidVpcId.NotFound")


@EndpointErrors.common_error_handler("describe VPC endpoints")
@AWSRetry.jittered_backoff()
def describe_endpoints(client: t.Any, vpc_id: str, service: str) -> list[dict[str, t.Any]]:
    """The gateway endpoints of a service in a VPC."""
    filters = {"vpc-id": vpc_id, "service-name": service, "vpc-endpoint-type": "Gateway"}
    wanted = [{"Name": name, "Values": [value]} for name, value in filters.items()]
    pages = client.get_paginator("describe_vpc_endpoints").paginate(Filters=wanted)
    return [endpoint for page in pages for endpoint in page["VpcEndpoints"]]


@EndpointErrors.common_error_handler("create the gateway endpoint")
@AWSRetry.jittered_backoff(catch_extra_error_codes=["InvalidRouteTableId.NotFound"])
def create_endpoint(client: t.Any, vpc_id: str, service: str, tables: list[str], tags: dict[str, str]) -> None:
    """Create it, tagged from its first moment."""
    # Without tags there is no specification, and botocore takes no None.
    specification = boto3_tag_specifications(tags, ["vpc-endpoint"]) or []
    client.create_vpc_endpoint(
        VpcEndpointType="Gateway",
        VpcId=vpc_id,
        ServiceName=service,
        RouteTableIds=tables,
        TagSpecifications=specification,
    )


@EndpointErrors.common_error_handler("change the route tables of the gateway endpoint")
@AWSRetry.jittered_backoff()
def modify_endpoint(client: t.Any, endpoint_id: str, changes: dict[str, list[str]]) -> None:
    """Add and remove route tables."""
    client.modify_vpc_endpoint(VpcEndpointId=endpoint_id, **changes)


@EndpointErrors.common_error_handler("tag the gateway endpoint")
@AWSRetry.jittered_backoff()
def create_tags(client: t.Any, endpoint_id: str, tags: dict[str, str]) -> None:
    """Add or overwrite tags."""
    client.create_tags(Resources=[endpoint_id], Tags=ansible_dict_to_boto3_tag_list(tags))


@EndpointErrors.common_error_handler("remove tags of the gateway endpoint")
@AWSRetry.jittered_backoff()
def delete_tags(client: t.Any, endpoint_id: str, keys: list[str]) -> None:
    """Remove tags."""
    client.delete_tags(Resources=[endpoint_id], Tags=[{"Key": key} for key in keys])

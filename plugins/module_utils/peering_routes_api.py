# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of routes through a peering connection."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

RouteErrors = error_handler("InvalidRoute.NotFound", "InvalidRouteTableID.NotFound")


@RouteErrors.common_error_handler("describe route tables")
@AWSRetry.jittered_backoff()
def describe_route_tables(client: t.Any, filters: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Every route table that the filters match."""
    pages = client.get_paginator("describe_route_tables").paginate(Filters=filters)
    return [table for page in pages for table in page["RouteTables"]]


@RouteErrors.common_error_handler("create a route")
@AWSRetry.jittered_backoff(catch_extra_error_codes=["InvalidVpcPeeringConnectionID.NotFound"])
def create_route(client: t.Any, table: str, destination: str, connection: str) -> None:
    """Route a destination through a connection."""
    client.create_route(RouteTableId=table, DestinationCidrBlock=destination, VpcPeeringConnectionId=connection)


@RouteErrors.common_error_handler("replace a route")
@AWSRetry.jittered_backoff()
def replace_route(client: t.Any, table: str, destination: str, connection: str) -> None:
    """Route a destination through a connection instead of through what it has."""
    client.replace_route(RouteTableId=table, DestinationCidrBlock=destination, VpcPeeringConnectionId=connection)


@RouteErrors.deletion_error_handler("delete a route")
@AWSRetry.jittered_backoff()
def delete_route(client: t.Any, table: str, destination: str) -> None:
    """Remove the route to a destination."""
    client.delete_route(RouteTableId=table, DestinationCidrBlock=destination)

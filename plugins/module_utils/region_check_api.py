# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of the C{region_check} module, one function each; none of them writes."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

ImageErrors = error_handler(
    "InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidAMIID.Unavailable", "ParameterNotFound"
)
# RDS answers an engine or a class that it does not know with one of these, or with an empty list.
DatabaseErrors = error_handler("InvalidParameterValue", "InvalidParameterCombination")

#: Error code by which Systems Manager slows a caller down; the stock list of codes has EC2's spelling only.
THROTTLED = ["ThrottlingException"]


def _pages(client: t.Any, operation: str, key: str, **parameters: t.Any) -> list[dict[str, t.Any]]:
    return client.get_paginator(operation).paginate(**parameters).build_full_result().get(key, [])


@ImageErrors.common_error_handler("learn which account this is")
@AWSRetry.jittered_backoff()
def caller_identity(client: t.Any) -> dict[str, str]:
    """``Account`` and ``Arn`` of the caller."""
    return client.get_caller_identity()


@ImageErrors.common_error_handler("describe availability zones")
@AWSRetry.jittered_backoff()
def availability_zones(client: t.Any) -> list[dict[str, t.Any]]:
    """The region's own zones that need no opting in, without Local and Wavelength Zones."""
    filters = [
        {"Name": "zone-type", "Values": ["availability-zone"]},
        {"Name": "opt-in-status", "Values": ["opt-in-not-required"]},
        {"Name": "state", "Values": ["available"]},
    ]
    return client.describe_availability_zones(Filters=filters)["AvailabilityZones"]


@ImageErrors.common_error_handler("list instance types by zone")
@AWSRetry.jittered_backoff()
def zone_offerings(client: t.Any, names: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """Which zone offers which of these instance types."""
    filters = [{"Name": "instance-type", "Values": list(names)}]
    return _pages(
        client,
        "describe_instance_type_offerings",
        "InstanceTypeOfferings",
        LocationType="availability-zone",
        Filters=filters,
    )


@ImageErrors.common_error_handler("list instance types")
@AWSRetry.jittered_backoff()
def region_offerings(client: t.Any) -> list[dict[str, t.Any]]:
    """Every instance type of the region."""
    return _pages(client, "describe_instance_type_offerings", "InstanceTypeOfferings", LocationType="region")


@ImageErrors.common_error_handler("describe instance types")
@AWSRetry.jittered_backoff()
def instance_types(client: t.Any, names: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """The properties of these instance types, which must exist."""
    return _pages(client, "describe_instance_types", "InstanceTypes", InstanceTypes=list(names))


@ImageErrors.list_error_handler("describe images", [])
@AWSRetry.jittered_backoff()
def describe_images(client: t.Any, **parameters: t.Any) -> list[dict[str, t.Any]]:
    """Images by id or by filter; an empty list for an id that does not exist."""
    return _pages(client, "describe_images", "Images", **parameters)


@ImageErrors.list_error_handler("read public parameter", None)
@AWSRetry.jittered_backoff(catch_extra_error_codes=THROTTLED)
def parameter_value(client: t.Any, name: str) -> str | None:
    """The value of a parameter, or ``None``."""
    return client.get_parameter(Name=name)["Parameter"]["Value"]


@DatabaseErrors.list_error_handler("list database engine versions", [])
@AWSRetry.jittered_backoff()
def engine_versions(client: t.Any, engine: str, **parameters: t.Any) -> list[dict[str, t.Any]]:
    """The versions of an engine that can be had now."""
    return _pages(client, "describe_db_engine_versions", "DBEngineVersions", Engine=engine, **parameters)


@DatabaseErrors.list_error_handler("list orderable database classes", [])
@AWSRetry.jittered_backoff()
def orderable_options(client: t.Any, **parameters: t.Any) -> list[dict[str, t.Any]]:
    """What can be ordered for an engine, a version or a class."""
    return _pages(
        client, "describe_orderable_db_instance_options", "OrderableDBInstanceOptions", Vpc=True, **parameters
    )

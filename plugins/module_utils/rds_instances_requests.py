# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What RDS is sent for a planned step: parameters of its create and modify calls."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from ansible_collections.palier.aws.plugins.module_utils.rds_instances import (
    GP3_STRIPED_FROM,
    GP3_STRIPED_IOPS,
    GP3_STRIPED_THROUGHPUT,
    OPTIONS,
    STORAGE_OPTIONS,
    Record,
    Request,
    Values,
    as_asked,
    source_region,
)


def create_request(step: Step, request: Request, password: str | None = None) -> dict[str, t.Any]:
    """The parameters of ``CreateDBInstance`` or ``CreateDBInstanceReadReplica``, without tags.

    :param step: the planned creation.
    :param password: the master password where RDS does not manage it.
    """
    parameters = {OPTIONS[name].create: value for name, value in step.after.items() if name in OPTIONS}
    parameters["DBInstanceIdentifier"] = request.identifier
    if request.source:
        parameters["SourceDBInstanceIdentifier"] = request.source
        region = source_region(request.source)
        if region:
            # From it botocore signs the request that RDS makes in the source's region.
            parameters["SourceRegion"] = region
    elif password is not None:
        parameters["MasterUserPassword"] = password
    return parameters


def modify_request(record: Record, changes: Values, request: Request, password: str | None = None) -> dict[str, t.Any]:
    """The parameters of ``ModifyDBInstance``: the changes, and what AWS wants to have along with them."""
    asked = as_asked(record)
    parameters: dict[str, t.Any] = {
        "DBInstanceIdentifier": request.identifier,
        "ApplyImmediately": request.apply_immediately,
    }
    for name in changes:
        parameters[OPTIONS[name].modify or name] = changes[name]
    parameters.update(_storage_companions(asked, changes))
    parameters.update(_feature_companions(asked, changes, request))
    if "enable_cloudwatch_logs_exports" in changes:
        have, want = set(asked["enable_cloudwatch_logs_exports"]), set(changes["enable_cloudwatch_logs_exports"])
        parameters["CloudwatchLogsExportConfiguration"] = {
            "EnableLogTypes": sorted(want - have),
            "DisableLogTypes": sorted(have - want),
        }
    if changes.get("manage_master_user_password") is False:
        parameters["MasterUserPassword"] = password
    return parameters


def _storage_companions(asked: Values, changes: Values) -> dict[str, t.Any]:
    """Sizes and rates that RDS wants to see together."""
    parameters: dict[str, t.Any] = {}
    size = changes.get("allocated_storage") or asked["allocated_storage"] or 0
    if changes.get("max_allocated_storage") == 0:
        parameters["MaxAllocatedStorage"] = size
    if not STORAGE_OPTIONS & set(changes):
        return parameters
    kind = changes.get("storage_type") or asked["storage_type"]
    if {"iops", "storage_throughput"} & set(changes) or kind in {"io1", "io2"}:
        parameters["AllocatedStorage"] = size
        parameters["Iops"] = changes.get("iops") or asked["iops"]
    if kind == "gp3" and size >= GP3_STRIPED_FROM:
        parameters["AllocatedStorage"] = size
        parameters["Iops"] = max(changes.get("iops") or asked["iops"] or 0, GP3_STRIPED_IOPS)
        parameters["StorageThroughput"] = max(
            changes.get("storage_throughput") or asked["storage_throughput"] or 0, GP3_STRIPED_THROUGHPUT
        )
    return {name: value for name, value in parameters.items() if value is not None}


def _feature_companions(asked: Values, changes: Values, request: Request) -> dict[str, t.Any]:
    parameters: dict[str, t.Any] = {}
    if "engine_version" in changes and request.allow_major_version_upgrade:
        parameters["AllowMajorVersionUpgrade"] = True
    if changes.get("manage_master_user_password") and "master_user_secret_kms_key_id" in request.values:
        parameters["MasterUserSecretKmsKeyId"] = request.values["master_user_secret_kms_key_id"]
    if "performance_insights_retention_period" in changes:
        parameters["EnablePerformanceInsights"] = changes.get(
            "enable_performance_insights", asked["enable_performance_insights"]
        )
    interval = request.values.get("monitoring_interval", asked["monitoring_interval"])
    if {"monitoring_interval", "monitoring_role_arn"} & set(changes) and interval:
        parameters["MonitoringInterval"] = interval
        parameters["MonitoringRoleArn"] = request.values.get("monitoring_role_arn", asked["monitoring_role_arn"])
    return parameters

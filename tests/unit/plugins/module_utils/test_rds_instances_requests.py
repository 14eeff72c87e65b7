# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What RDS is sent, held against botocore's model of the service."""

from __future__ import annotations

import botocore.session
import pytest
from ansible_collections.palier.aws.plugins.module_utils import rds_instances as rds
from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from ansible_collections.palier.aws.plugins.module_utils.rds_instances_requests import create_request, modify_request

MODEL = botocore.session.get_session().get_service_model("rds")
RECORD = {"AllocatedStorage": 20, "StorageType": "gp3", "Iops": 3000, "StorageThroughput": 125}
BIG = {"AllocatedStorage": 500, "StorageType": "gp3", "Iops": 12000, "StorageThroughput": 500}


def members(operation):
    return set(MODEL.operation_model(operation).input_shape.members)


def test_names_are_those_of_rds():
    assert {option.create for option in rds.OPTIONS.values()} <= members("CreateDBInstance")
    assert {option.modify for option in rds.OPTIONS.values() if option.modify} <= members("ModifyDBInstance")
    replica = {option.create for option in rds.OPTIONS.values() if option.replica}
    assert replica <= members("CreateDBInstanceReadReplica")
    record = MODEL.shape_for("DBInstance").members
    read = {option.read for option in rds.OPTIONS.values() if option.read}
    assert read <= set(record)


def modify(record, values=None, **changes):
    request = rds.Request("db", values or {}, allow_major_version_upgrade=True)
    sent = modify_request(record, changes, request, "secret")
    assert set(sent) <= members("ModifyDBInstance")
    assert sent.pop("DBInstanceIdentifier") == "db"
    assert sent.pop("ApplyImmediately") is True
    return sent


@pytest.mark.parametrize(
    ("record", "changes", "sent"),
    [
        (RECORD, {"port": 3307}, {"DBPortNumber": 3307}),
        (RECORD, {"allocated_storage": 30}, {"AllocatedStorage": 30}),
        (
            RECORD,
            {"allocated_storage": 400},
            {"AllocatedStorage": 400, "Iops": 12000, "StorageThroughput": 500},
        ),
        (BIG, {"iops": 14000}, {"AllocatedStorage": 500, "Iops": 14000, "StorageThroughput": 500}),
        (BIG, {"storage_throughput": 750}, {"AllocatedStorage": 500, "Iops": 12000, "StorageThroughput": 750}),
        (
            {**RECORD, "StorageType": "io1", "Iops": 2000},
            {"allocated_storage": 40},
            {"AllocatedStorage": 40, "Iops": 2000},
        ),
        (
            {**RECORD, "StorageType": "gp2", "Iops": None},
            {"storage_type": "gp3"},
            {"StorageType": "gp3"},
        ),
        ({**RECORD, "MaxAllocatedStorage": 100}, {"max_allocated_storage": 0}, {"MaxAllocatedStorage": 20}),
        (RECORD, {"max_allocated_storage": 100}, {"MaxAllocatedStorage": 100}),
        (RECORD, {"engine_version": "8.4"}, {"EngineVersion": "8.4", "AllowMajorVersionUpgrade": True}),
        (
            {**RECORD, "EnabledCloudwatchLogsExports": ["audit", "error"]},
            {"enable_cloudwatch_logs_exports": ["error", "general"]},
            {"CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["general"], "DisableLogTypes": ["audit"]}},
        ),
        (
            {**RECORD, "PerformanceInsightsEnabled": True},
            {"performance_insights_retention_period": 31},
            {"PerformanceInsightsRetentionPeriod": 31, "EnablePerformanceInsights": True},
        ),
        (
            {**RECORD, "MonitoringInterval": 60, "MonitoringRoleArn": "r"},
            {"monitoring_interval": 30},
            {"MonitoringInterval": 30, "MonitoringRoleArn": "r"},
        ),
        ({**RECORD, "MonitoringInterval": 60}, {"monitoring_interval": 0}, {"MonitoringInterval": 0}),
        (
            RECORD,
            {"manage_master_user_password": False},
            {"ManageMasterUserPassword": False, "MasterUserPassword": "secret"},
        ),
    ],
)
def test_modify(record, changes, sent):
    assert modify(record, dict(changes), **changes) == sent


def test_key_of_the_secret_goes_along_when_rds_starts_to_manage():
    sent = modify(RECORD, {"master_user_secret_kms_key_id": "k"}, manage_master_user_password=True)
    assert sent == {"ManageMasterUserPassword": True, "MasterUserSecretKmsKeyId": "k"}


def test_create_has_the_password_only_where_there_is_one():
    step = Step("create", "db", "", None, {"engine": "mysql", "tags": {"a": "b"}})
    request = rds.Request("db")
    assert create_request(step, request) == {"DBInstanceIdentifier": "db", "Engine": "mysql"}
    assert create_request(step, request, "x")["MasterUserPassword"] == "x"


def test_replica_from_another_region_is_signed_for_it():
    arn = "arn:aws:rds:eu-west-1:123456789012:db:source"
    step = Step("create", "db", "", None, {"source_db_instance_identifier": arn, "multi_az": True})
    sent = create_request(step, rds.Request("db", source=arn))
    assert sent == {
        "DBInstanceIdentifier": "db",
        "SourceDBInstanceIdentifier": arn,
        "SourceRegion": "eu-west-1",
        "MultiAZ": True,
    }

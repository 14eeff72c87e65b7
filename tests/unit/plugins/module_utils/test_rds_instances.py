# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a DescribeDBInstances record says, once everything asked for is done."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.module_utils import rds_instances as rds

RECORD = {"DBInstanceStatus": "available", "EngineVersion": "15.4", "MultiAZ": False, "Iops": 3000}


@pytest.mark.parametrize(
    ("record", "option", "value"),
    [
        ({"PendingModifiedValues": {"MultiAZ": True}}, "multi_az", True),
        ({"MultiAZ": True, "PendingModifiedValues": {"MultiAZ": False}}, "multi_az", False),
        ({"PendingModifiedValues": {"EngineVersion": "15.6"}}, "engine_version", "15.6"),
        (
            {"PendingModifiedValues": {"IAMDatabaseAuthenticationEnabled": True}},
            "enable_iam_database_authentication",
            True,
        ),
        ({}, "publicly_accessible", False),
        ({}, "monitoring_interval", 0),
        ({"PreferredMaintenanceWindow": "Sun:03:00-Sun:04:00"}, "preferred_maintenance_window", "sun:03:00-sun:04:00"),
        ({"Endpoint": {"Address": "x", "Port": 5433}, "DbInstancePort": 0}, "port", 5433),
        ({"Endpoint": {"Port": 5433}, "PendingModifiedValues": {"Port": 5434}}, "port", 5434),
        ({"DbInstancePort": 0}, "port", None),
        ({"MasterUserSecret": {"SecretArn": "a", "KmsKeyId": "k"}}, "master_user_secret_kms_key_id", "k"),
        ({"MasterUserSecret": {"SecretArn": "a", "SecretStatus": "creating"}}, "manage_master_user_password", True),
        ({"DBSubnetGroup": {"DBSubnetGroupName": "g"}}, "db_subnet_group_name", "g"),
        (
            {
                "VpcSecurityGroups": [
                    {"VpcSecurityGroupId": "sg-2", "Status": "active"},
                    {"VpcSecurityGroupId": "sg-1", "Status": "adding"},
                    {"VpcSecurityGroupId": "sg-0", "Status": "removing"},
                ]
            },
            "vpc_security_group_ids",
            ["sg-1", "sg-2"],
        ),
        (
            {
                "EnabledCloudwatchLogsExports": ["audit", "error"],
                "PendingModifiedValues": {
                    "PendingCloudwatchLogsExports": {"LogTypesToEnable": ["general"], "LogTypesToDisable": ["audit"]}
                },
            },
            "enable_cloudwatch_logs_exports",
            ["error", "general"],
        ),
        (
            {
                "OptionGroupMemberships": [
                    {"OptionGroupName": "old", "Status": "pending-removal"},
                    {"OptionGroupName": "new", "Status": "pending-apply"},
                ]
            },
            "option_group_name",
            "new",
        ),
    ],
)
def test_as_asked(record, option, value):
    assert rds.as_asked({**RECORD, **record})[option] == value


def test_wanted_values_are_spelled_as_rds_stores_them():
    params = {
        "engine": "mysql",
        "db_subnet_group_name": "Shop-DB",
        "preferred_maintenance_window": "Sun:03:00-Sun:04:00",
        "vpc_security_group_ids": ["sg-2", "sg-1", "sg-2"],
        "enable_cloudwatch_logs_exports": [],
        "monitoring_interval": 0,
        "monitoring_role_arn": "arn:aws:iam::123456789012:role/m",
        "port": None,
        "region": "eu-west-3",
    }
    assert rds.wanted_values(params) == {
        "engine": "mysql",
        "db_subnet_group_name": "shop-db",
        "preferred_maintenance_window": "sun:03:00-sun:04:00",
        "vpc_security_group_ids": ["sg-1", "sg-2"],
        "enable_cloudwatch_logs_exports": [],
        "monitoring_interval": 0,
    }


def test_an_empty_list_of_groups_says_nothing():
    assert rds.wanted_values({"vpc_security_group_ids": []}) == {}


@pytest.mark.parametrize(
    ("status", "progress", "blocked", "storage_blocked"),
    [
        ("available", False, False, False),
        ("creating", True, True, True),
        ("backing-up", True, True, True),
        ("configuring-log-exports", True, True, True),
        ("a-status-of-next-year", True, True, True),
        ("storage-optimization", False, False, True),
        ("storage-full", False, False, False),
        ("stopped", False, True, True),
        ("failed", False, True, True),
    ],
)
def test_statuses(status, progress, blocked, storage_blocked):
    record = {"DBInstanceStatus": status}
    assert rds.in_progress(record) is progress
    assert rds.blocked(record, ["multi_az"]) is blocked
    assert rds.blocked(record, ["multi_az", "iops"]) is storage_blocked


@pytest.mark.parametrize(
    ("change", "expect_applied", "settled"),
    [
        ({}, True, True),
        ({"PendingModifiedValues": {"Port": 1}}, True, False),
        ({"PendingModifiedValues": {"Port": 1}}, False, True),
        ({"DBParameterGroups": [{"ParameterApplyStatus": "applying"}]}, True, False),
        ({"DBInstanceStatus": "modifying"}, False, False),
    ],
)
def test_settled(change, expect_applied, settled):
    assert rds.settled({**RECORD, **change}, expect_applied) is settled


def test_facts_of_nothing():
    assert rds.facts(None) == {
        "status": "absent",
        "endpoint": {},
        "master_user_secret_arn": None,
        "reboot_required": False,
    }


ARN = "arn:aws:rds:eu-west-3:123456789012:db:source"


@pytest.mark.parametrize(
    ("current", "wanted", "same"),
    [
        ("source", "source", True),
        (ARN, "source", True),
        ("source", ARN, True),
        (ARN, ARN.replace("eu-west-3", "eu-west-1"), False),
        ("other", ARN, False),
    ],
)
def test_same_instance(current, wanted, same):
    assert rds.same_instance(current, wanted) is same


def test_source_region():
    assert rds.source_region(ARN) == "eu-west-3"
    assert rds.source_region("source") is None


def test_every_option_is_told_by_the_module():
    from ansible_collections.palier.aws.plugins.modules import rds_instance

    assert set(rds.OPTIONS) <= set(rds_instance.ARGUMENTS)

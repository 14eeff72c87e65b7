# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each option's rule, as a table: what AWS has, what is wanted, what follows."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.module_utils import rds_instances_rules as rules
from ansible_collections.palier.aws.plugins.module_utils.rds_instances import Request
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("engine", "current", "wanted", "allow_major", "kind"),
    [
        ("mysql", "8.0.36", "8.0", False, "same"),
        ("mysql", "8.0.36", "8", False, "same"),
        ("mysql", "8.0.36", "8.0.36", False, "same"),
        ("mysql", "8.0.36", "8.0.35", False, "keep"),
        ("mysql", "8.0.36", "8.0.39", False, "change"),
        ("mysql", "8.0.9", "8.0.10", False, "change"),
        ("mysql", "8.0.36", "8.4", False, "impossible"),
        ("mysql", "8.0.36", "8.4", True, "change"),
        ("mysql", "8.4.3", "8.0", True, "impossible"),
        ("mysql", "8.4.3", "5.7.44", True, "impossible"),
        ("mariadb", "10.11.6", "10.6", True, "impossible"),
        ("mariadb", "10.6.16", "10.11", False, "impossible"),
        ("postgres", "15.4", "15", False, "same"),
        ("postgres", "15.4", "15.6", False, "change"),
        ("postgres", "15.6", "15.4", False, "keep"),
        ("postgres", "15.4", "16", False, "impossible"),
        ("postgres", "15.4", "16", True, "change"),
        ("postgres", "16.2", "15", True, "impossible"),
        ("postgres", "15.4", "1", False, "impossible"),
        ("postgres", "9.6.24", "9.6", False, "same"),
        ("postgres", "11.22-rds.20240418", "11.22", False, "same"),
    ],
)
def test_version(engine, current, wanted, allow_major, kind):
    verdict = rules.version_verdict(engine, current, wanted, allow_major)
    assert verdict.kind == kind
    if kind == "impossible":
        assert "engine_version" in verdict.text
        assert current in verdict.text
        assert wanted in verdict.text


versions = st.lists(st.integers(10, 30), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))


@given(versions, versions, st.booleans(), st.sampled_from(["mysql", "postgres"]))
def test_version_never_goes_down(current, wanted, allow_major, engine):
    verdict = rules.version_verdict(engine, current, wanted, allow_major)
    if verdict.kind == "change":
        assert rules.components(verdict.value) > rules.components(current)


@given(versions, st.integers(1, 3), st.sampled_from(["mysql", "postgres"]))
def test_every_leading_part_matches(current, length, engine):
    assert rules.version_verdict(engine, current, ".".join(current.split(".")[:length]), False) == rules.SAME


RECORD = {
    "DBInstanceStatus": "available",
    "Engine": "mysql",
    "EngineVersion": "8.0.36",
    "AllocatedStorage": 50,
    "MaxAllocatedStorage": 100,
    "StorageEncrypted": True,
    "KmsKeyId": "arn:aws:kms:eu-west-3:123456789012:key/k-1",
    "MasterUsername": "admin",
    "DBName": "shop",
    "DBSubnetGroup": {"DBSubnetGroupName": "shop"},
    "AvailabilityZone": "eu-west-3a",
    "MultiAZ": False,
    "MasterUserSecret": {"SecretArn": "a", "KmsKeyId": "arn:aws:kms:eu-west-3:123456789012:key/k-2"},
    "Endpoint": {"Address": "db", "Port": 3306},
    "PerformanceInsightsEnabled": False,
}


def verdict(name, record=None, **values):
    return rules.verdicts({**RECORD, **(record or {})}, Request("db", values))[name]


@pytest.mark.parametrize(
    ("name", "record", "values", "kind", "value"),
    [
        ("allocated_storage", {}, {"allocated_storage": 60}, "change", 60),
        ("allocated_storage", {}, {"allocated_storage": 50}, "same", None),
        ("allocated_storage", {}, {"allocated_storage": 20}, "keep", None),
        (
            "allocated_storage",
            {"PendingModifiedValues": {"AllocatedStorage": 66}},
            {"allocated_storage": 60},
            "keep",
            None,
        ),
        ("max_allocated_storage", {}, {"max_allocated_storage": 100}, "same", None),
        ("max_allocated_storage", {}, {"max_allocated_storage": 200}, "change", 200),
        ("max_allocated_storage", {}, {"max_allocated_storage": 40}, "keep", None),
        ("max_allocated_storage", {}, {"max_allocated_storage": 0}, "change", 0),
        ("max_allocated_storage", {"MaxAllocatedStorage": None}, {"max_allocated_storage": 0}, "same", None),
        ("max_allocated_storage", {"MaxAllocatedStorage": 50}, {"max_allocated_storage": 0}, "same", None),
        ("storage_encrypted", {}, {"storage_encrypted": True}, "same", None),
        ("storage_encrypted", {"StorageEncrypted": False}, {"storage_encrypted": True}, "impossible", None),
        ("kms_key_id", {}, {"kms_key_id": "k-1"}, "same", None),
        ("kms_key_id", {}, {"kms_key_id": "k-3"}, "impossible", None),
        ("kms_key_id", {}, {"kms_key_id": "alias/unreadable"}, "same", None),
        ("engine", {}, {"engine": "postgres"}, "impossible", None),
        ("master_username", {}, {"master_username": "root"}, "impossible", None),
        ("db_name", {}, {"db_name": "other"}, "impossible", None),
        ("db_name", {"DBName": None}, {"db_name": "other"}, "same", None),
        ("db_subnet_group_name", {}, {"db_subnet_group_name": "other"}, "impossible", None),
        ("availability_zone", {}, {"availability_zone": "eu-west-3b"}, "impossible", None),
        ("availability_zone", {"MultiAZ": True}, {"availability_zone": "eu-west-3b"}, "same", None),
        ("port", {}, {"port": 3307}, "change", 3307),
        ("port", {"Endpoint": {}, "DbInstancePort": 0}, {"port": 3307}, "same", None),
        ("manage_master_user_password", {}, {"manage_master_user_password": False}, "impossible", None),
        (
            "manage_master_user_password",
            {"MasterUserSecret": None},
            {"manage_master_user_password": True},
            "change",
            True,
        ),
        ("master_user_secret_kms_key_id", {}, {"master_user_secret_kms_key_id": "k-2"}, "same", None),
        ("master_user_secret_kms_key_id", {}, {"master_user_secret_kms_key_id": "k-9"}, "impossible", None),
        ("iops", {}, {"iops": 14000}, "change", 14000),
        (
            "performance_insights_retention_period",
            {},
            {"performance_insights_retention_period": 7, "enable_performance_insights": False},
            "same",
            None,
        ),
        (
            "performance_insights_retention_period",
            {"PerformanceInsightsEnabled": True, "PerformanceInsightsRetentionPeriod": 7},
            {"performance_insights_retention_period": 31},
            "change",
            31,
        ),
    ],
)
def test_rule(name, record, values, kind, value):
    found = verdict(name, record, **values)
    assert (found.kind, found.value) == (kind, value)
    if kind in {"impossible", "keep"}:
        assert name in found.text


def test_password_can_be_taken_over_by_a_secret_of_ones_own():
    request = Request("db", {"manage_master_user_password": False}, master_secret="mine")
    assert rules.verdicts(RECORD, request)["manage_master_user_password"].value is False


def test_a_replica_is_not_compared_with_what_it_has_from_its_source():
    record = {**RECORD, "ReadReplicaSourceDBInstanceIdentifier": "source"}
    values = {"engine": "postgres", "master_username": "x", "backup_retention_period": 1, "multi_az": True}
    assert set(rules.verdicts(record, Request("db", values))) == {"multi_az"}
    assert set(rules.verdicts(record, Request("db", values, promote=True))) == set(values)

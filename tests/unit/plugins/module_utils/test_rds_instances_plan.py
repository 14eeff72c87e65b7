# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps and the refusals for one DB instance."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import rds_instances_plan as plan
from ansible_collections.palier.aws.plugins.module_utils.rds_instances import Request

NEW = {
    "engine": "mysql",
    "db_instance_class": "db.t3.micro",
    "allocated_storage": 20,
    "master_username": "shop_admin",
}
RECORD = {
    "DBInstanceStatus": "available",
    "Engine": "mysql",
    "DBInstanceClass": "db.t3.micro",
    "AllocatedStorage": 20,
    "StorageEncrypted": True,
    "DBName": "shop",
    "TagList": [{"Key": "Stack", "Value": "shop"}, {"Key": "aws:backup:source", "Value": "x"}],
}
ARN = "arn:aws:rds:eu-west-1:123456789012:db:source"


def present(record=None, values=None, **kwargs):
    return plan.plan_present(record, Request("db", values if values is not None else dict(NEW), **kwargs))


def verbs(steps):
    return [step.verb for step in steps]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"iops": 3000}, "iops cannot be chosen for gp3 storage under 400 GiB (allocated_storage is 20)"),
        ({"storage_type": "io1"}, "storage_type io1 needs iops"),
        ({"max_allocated_storage": 20}, "max_allocated_storage 20 must be above allocated_storage 20"),
        ({"enable_cloudwatch_logs_exports": ["postgresql"]}, "mysql has only audit, error, general, slowquery"),
        ({"monitoring_interval": 60}, "needs monitoring_role_arn"),
        ({"manage_master_user_password": False}, "needs master_user_secret_id"),
    ],
)
def test_refusals_before_creation(values, said):
    with pytest.raises(AnsibleAWSError) as caught:
        present(values={**NEW, **values})
    assert said in str(caught.value)


@pytest.mark.parametrize("identifier", ["1db", "-db", "db-", "a--b", "d_b", "a" * 64, ""])
def test_identifier_is_refused(identifier):
    with pytest.raises(AnsibleAWSError, match="db_instance_identifier"):
        plan.plan_present(None, Request(identifier, dict(NEW)))


def test_missing_options_are_named_together():
    with pytest.raises(AnsibleAWSError, match="give engine, allocated_storage, master_username"):
        present(values={"db_instance_class": "db.t3.micro"})


def test_every_impossible_change_is_named_at_once():
    with pytest.raises(AnsibleAWSError) as caught:
        present(RECORD, {"engine": "postgres", "db_name": "other", "storage_encrypted": False})
    text = str(caught.value)
    for part in ("engine is 'mysql'", "'postgres'", "db_name is 'shop'", "'other'", "storage_encrypted is True"):
        assert part in text


def test_secure_defaults_of_a_new_instance():
    after = present()[0].after
    assert after["storage_encrypted"] is True
    assert after["publicly_accessible"] is False
    assert after["manage_master_user_password"] is True
    assert present(values={**NEW, "storage_type": "gp2"})[0].after["storage_type"] == "gp2"


def test_defaults_of_a_new_instance_do_not_touch_one_that_is_there():
    assert verbs(present({**RECORD, "StorageType": "gp2", "PubliclyAccessible": True})) == ["keep"]


def test_own_secret_means_an_unmanaged_password():
    assert present(master_secret="s")[0].after["manage_master_user_password"] is False


@pytest.mark.parametrize(
    ("source", "values", "after"),
    [
        ("source", {**NEW, "db_parameter_group_name": "g"}, {"db_instance_class": "db.t3.micro"}),
        (ARN, {"db_parameter_group_name": "g"}, {"db_parameter_group_name": "g", "kms_key_id": "alias/aws/rds"}),
        (ARN, {"kms_key_id": "k"}, {"kms_key_id": "k"}),
        (ARN, {"storage_encrypted": False}, {}),
        ("source", {"storage_type": "io1", "iops": 3000}, {"storage_type": "io1", "iops": 3000}),
    ],
)
def test_replica_is_created_from_what_rds_takes(source, values, after):
    step = present(values=values, source=source)[0]
    common = {"publicly_accessible": False, "copy_tags_to_snapshot": True, "source_db_instance_identifier": source}
    assert step.after == {**common, **after}


def test_promoted_replica_stays_promoted():
    steps = present(RECORD, {}, source="source")
    assert verbs(steps) == ["keep"]
    assert "stands by itself" in steps[0].reason


@pytest.mark.parametrize(
    ("tags", "purge", "after"),
    [
        (None, True, None),
        ({"Stack": "shop"}, True, None),
        ({"Stack": "other"}, True, {"Stack": "other", "aws:backup:source": "x"}),
        ({"Owner": "ops"}, True, {"Owner": "ops", "aws:backup:source": "x"}),
        ({"Owner": "ops"}, False, {"Stack": "shop", "Owner": "ops", "aws:backup:source": "x"}),
        ({}, True, {"aws:backup:source": "x"}),
    ],
)
def test_tags(tags, purge, after):
    steps = present(RECORD, {}, tags=tags, purge_tags=purge)
    if after is None:
        assert verbs(steps) == ["keep"]
    else:
        assert verbs(steps) == ["tag"]
        assert steps[0].after == {"tags": after}


@pytest.mark.parametrize(
    ("values", "immediately", "said"),
    [
        ({"db_instance_class": "db.t3.small"}, True, "at once, and connections break"),
        ({"db_instance_class": "db.t3.small"}, False, "in the maintenance window where it interrupts"),
        ({"backup_retention_period": 7}, True, "(at once)"),
    ],
)
def test_reason_tells_when_and_what_it_costs(values, immediately, said):
    assert said in present(RECORD, values, apply_immediately=immediately)[0].reason


def test_restart_without_wait_comes_in_a_later_run():
    values = {"db_parameter_group_name": "g"}
    assert verbs(present(RECORD, values, reboot_if_needed=True)) == ["modify", "skip"]
    assert verbs(present(RECORD, values, reboot_if_needed=True, wait=True)) == ["modify", "reboot"]


@pytest.mark.parametrize(
    ("change", "request_change", "expected"),
    [
        (None, {}, ["keep"]),
        ({"DBInstanceStatus": "deleting", "DeletionProtection": True}, {}, ["keep"]),
        ({}, {}, ["delete"]),
        ({"DeletionProtection": True}, {"force": True}, ["modify", "delete"]),
        ({"DBInstanceStatus": "failed"}, {"skip_final_snapshot": True}, ["delete"]),
        ({"DBInstanceStatus": "failed", "ReadReplicaSourceDBInstanceIdentifier": "s"}, {}, ["delete"]),
    ],
)
def test_absent(change, request_change, expected):
    record = None if change is None else {**RECORD, **change}
    assert verbs(plan.plan_absent(record, dataclasses.replace(Request("db"), **request_change))) == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [({"DeletionProtection": True}, "force: true"), ({"DBInstanceStatus": "failed"}, "skip_final_snapshot: true")],
)
def test_absent_is_refused(change, said):
    with pytest.raises(AnsibleAWSError, match=said):
        plan.plan_absent({**RECORD, **change}, Request("db"))


def test_final_snapshot_name():
    assert plan.final_snapshot_name("shop-db", "20260102030405") == "shop-db-final-20260102030405"

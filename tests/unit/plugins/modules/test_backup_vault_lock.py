# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lock of a backup vault: set once, changed when it differs, taken off."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import backup_vault_lock
from moto import mock_aws

from tests.unit.module_runner import run_module


@pytest.fixture
def backup(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    """AWS Backup with a vault."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("backup", region_name="eu-west-3")
        client.create_backup_vault(BackupVaultName="safe")
        yield client


def lock(check: bool = False, **options):
    return run_module(backup_vault_lock, {"backup_vault_name": "safe", **options}, check)


def locked(backup) -> tuple:
    vault = backup.describe_backup_vault(BackupVaultName="safe")
    return vault.get("Locked", False), vault.get("MinRetentionDays")


def test_locked_once(backup):
    planned = lock(check=True)
    assert locked(backup) == (False, None)
    first = lock()
    assert (planned["plan"], planned["diff"], planned["changed"]) == (first["plan"], first["diff"], True)
    assert locked(backup) == (True, 7)
    assert not lock()["changed"]


def test_changed_when_it_differs(backup):
    lock()
    result = lock(min_retention_days=14)
    assert result["plan"][0]["reason"] == "its lock differs"
    assert result["diff"]["before"]["backup vault safe"]["MinRetentionDays"] == 7
    assert locked(backup) == (True, 14)


def test_taken_off(backup):
    lock()
    assert lock(state="absent")["changed"]
    assert locked(backup) == (False, None)
    assert not lock(state="absent")["changed"]


def test_a_lock_becomes_final_once(backup):
    lock()
    assert "LockDate" not in backup.describe_backup_vault(BackupVaultName="safe")
    assert lock(changeable_for_days=3)["plan"][0]["reason"] == "its lock is to become final"
    assert "LockDate" in backup.describe_backup_vault(BackupVaultName="safe")
    assert not lock(changeable_for_days=3)["changed"]


def test_a_vault_that_is_not_there(backup):
    assert lock(backup_vault_name="nope", check=True)["changed"], "a plan on an empty account"
    result = lock(backup_vault_name="nope")
    assert result["failed"]
    assert "lock the vault" in result["msg"]
    assert not lock(backup_vault_name="nope", state="absent")["changed"]


@pytest.mark.parametrize("options", [{"min_retention_days": 0}, {"changeable_for_days": 2}])
def test_what_aws_refuses(backup, options):
    assert "must be at least" in lock(**options)["msg"]

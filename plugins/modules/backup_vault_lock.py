#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.backup_vault_lock."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_vault_lock
short_description: Locks an AWS Backup vault against early deletion
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - A locked vault refuses to delete a recovery point before its time, and to take one that would stay too short or too
    long.
  - Without O(changeable_for_days) an administrator can take the lock off again (governance mode). With it, nobody can
    once those days have passed, AWS included (compliance mode). That cannot be undone, and neither can its cost.
options:
  backup_vault_name:
    description:
      - The vault.
    type: str
    required: true
  state:
    description:
      - Whether the vault is locked.
    type: str
    choices: [present, absent]
    default: present
  min_retention_days:
    description:
      - Days that each recovery point stays at least. 1 or more.
    type: int
    default: 7
  max_retention_days:
    description:
      - Days that a recovery point may ask for at most, up to 36500 (a hundred years).
    type: int
    default: 36500
  changeable_for_days:
    description:
      - Days after which the lock is final. 3 or more. They count from when the lock is set, and anew from each change
        of it.
    type: int
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep every recovery point for two weeks at least
  palier.aws.backup_vault_lock:
    region: eu-west-3
    backup_vault_name: shop-prod-backups
    min_retention_days: 14
"""

RETURN = r"""
plan:
  description: What is done and why; in check mode what would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - action: modify
      resource: backup vault shop-prod-backups
      reason: it is not locked
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler, run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

Raw = dict[str, t.Any]

Errors = error_handler("ResourceNotFoundException")


# Looked up in the list: asked for a vault that is not there, AWS answers as for one that the caller may not see.
@Errors.common_error_handler("list the vaults")
@AWSRetry.jittered_backoff()
def find_vault(client: t.Any, name: str) -> Raw | None:
    """A vault, or nothing."""
    pages = client.get_paginator("list_backup_vaults").paginate()
    vaults = (vault for page in pages for vault in page["BackupVaultList"])
    return next((vault for vault in vaults if vault["BackupVaultName"] == name), None)


@Errors.common_error_handler("lock the vault")
@AWSRetry.jittered_backoff()
def put_lock(client: t.Any, name: str, settings: Raw) -> None:
    """Lock, or change the lock."""
    client.put_backup_vault_lock_configuration(BackupVaultName=name, **settings)


@Errors.common_error_handler("unlock the vault")
@AWSRetry.jittered_backoff()
def delete_lock(client: t.Any, name: str) -> None:
    """Take the lock off."""
    client.delete_backup_vault_lock_configuration(BackupVaultName=name)


def plan(vault: Raw | None, name: str, wanted: Raw | None, final: bool = False) -> list[Step]:
    """What to do.

    :param vault: as ListBackupVaults gives it, or nothing.
    :param wanted: C{MinRetentionDays} and C{MaxRetentionDays}, or ``None`` for no lock.
    :param final: whether the lock shall become final.
    """
    label = f"backup vault {name}"
    locked = bool(vault and vault.get("Locked"))
    current = {key: (vault or {}).get(key) for key in ("MinRetentionDays", "MaxRetentionDays")} if locked else None
    if wanted is None:
        if not locked:
            return [Step("keep", label, "it is not locked")]
        return [Step("modify", label, "it is to be unlocked", before=current, after={})]
    if not locked:
        return [Step("modify", label, "it is not locked", before={}, after=wanted)]
    if current != wanted:
        return [Step("modify", label, "its lock differs", before=current, after=wanted)]
    if final and vault and not vault.get("LockDate"):
        return [Step("modify", label, "its lock is to become final", before={"final": False}, after={"final": True})]
    return [Step("keep", label, "it is locked so")]


def run(module: AnsibleAWSModule) -> Raw:
    """Fetch, decide, lock or unlock."""
    client, params, name = module.client("backup"), module.params, module.params["backup_vault_name"]
    wanted: Raw | None = None
    if params["state"] == "present":
        wanted = {"MinRetentionDays": params["min_retention_days"], "MaxRetentionDays": params["max_retention_days"]}
    vault = find_vault(client, name)
    days = params["changeable_for_days"]
    steps = plan(vault, name, wanted, final=bool(days))
    if any(step.changes for step in steps) and not module.check_mode:
        if wanted is None:
            delete_lock(client, name)
        else:
            # Given with every change: without it AWS makes a lock that anybody with the right can take off.
            put_lock(client, name, {**wanted, **({"ChangeableForDays": days} if days else {})})
    return outcome(steps)


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "backup_vault_name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "min_retention_days": {"type": "int", "default": 7},
            "max_retention_days": {"type": "int", "default": 36500},
            "changeable_for_days": {"type": "int"},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

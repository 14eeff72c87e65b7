# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS Backup."""

from __future__ import annotations

import json
import typing as t

from moto.backup import models, responses
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random

from tests.emulator.patches import around, before, patch


@patch(
    restores="A vault that does not exist is one that the caller may not see.",
    source="AWS Backup Developer Guide, Troubleshooting; observed as AccessDeniedException by SDK users",
    touches="moto.backup.models:BackupBackend.describe_backup_vault",
)
def unknown_vault() -> None:
    """Answer AccessDeniedException."""

    @around(models.BackupBackend, "describe_backup_vault")
    def describe(original: t.Callable[..., t.Any], self: t.Any, backup_vault_name: str) -> t.Any:
        if backup_vault_name not in self.vaults:
            raise JsonRESTError("AccessDeniedException", "Insufficient privileges to perform this action.")
        return original(self, backup_vault_name)


#: What AWS fills in where a selection names no condition.
_NO_CONDITIONS: dict[str, list[t.Any]] = {
    "StringEquals": [],
    "StringLike": [],
    "StringNotEquals": [],
    "StringNotLike": [],
}


@patch(
    restores="A plan has selections, named once each, and is not deleted before them.",
    source="AWS Backup API reference, CreateBackupSelection, GetBackupSelection, DeleteBackupPlan",
    touches=(
        "moto.backup.responses:BackupResponse.create_backup_selection",
        "moto.backup.responses:BackupResponse.list_backup_selections",
        "moto.backup.responses:BackupResponse.get_backup_selection",
        "moto.backup.responses:BackupResponse.delete_backup_selection",
        "moto.backup.models:BackupBackend.delete_backup_plan",
    ),
)
def selections() -> None:
    """Keep them with their plan; moto has none."""

    def create_backup_selection(self: t.Any) -> str:
        plan, _selection = _plan_and_selection(self)
        given = json.loads(self.body)["BackupSelection"]
        if any(one["BackupSelection"]["SelectionName"] == given["SelectionName"] for one in plan.selections.values()):
            raise JsonRESTError("AlreadyExistsException", "Backup selection with the same name already exists")
        empty = {"Resources": [], "ListOfTags": [], "NotResources": []}
        conditions = {**_NO_CONDITIONS, **given.get("Conditions", {})}
        made = {
            "BackupPlanId": plan.backup_plan_id,
            "SelectionId": str(mock_random.uuid4()),
            "CreationDate": unix_time(),
            "BackupSelection": {**empty, **given, "Conditions": conditions},
        }
        plan.selections[made["SelectionId"]] = made
        return json.dumps({key: made[key] for key in ("SelectionId", "BackupPlanId", "CreationDate")})

    def list_backup_selections(self: t.Any) -> str:
        plan, _selection = _plan_and_selection(self)
        listed = [
            {
                **{key: one[key] for key in ("SelectionId", "BackupPlanId", "CreationDate")},
                **{key: one["BackupSelection"][key] for key in ("SelectionName", "IamRoleArn")},
            }
            for one in plan.selections.values()
        ]
        return json.dumps({"BackupSelectionsList": listed})

    def get_backup_selection(self: t.Any) -> str:
        plan, selection = _plan_and_selection(self)
        return json.dumps(plan.selections[selection])

    def delete_backup_selection(self: t.Any) -> str:
        plan, selection = _plan_and_selection(self)
        del plan.selections[selection]
        return "{}"

    for call in (create_backup_selection, list_backup_selections, get_backup_selection, delete_backup_selection):
        setattr(responses.BackupResponse, call.__name__, call)

    @before(models.BackupBackend, "delete_backup_plan")
    def delete(self: t.Any, backup_plan_id: str) -> None:
        if getattr(self.plans.get(backup_plan_id), "selections", None):
            text = "Related backup plan selections must be deleted prior to backup plan deletion"
            raise JsonRESTError("InvalidRequestException", text)


def _plan_and_selection(response: t.Any) -> tuple[t.Any, str]:
    """The plan that a request's path names, and the selection, if it names one."""
    _before, _plans, path = response.path.partition("/plans/")
    identifier, _selections, selection = path.partition("/selections")
    plan = response.backup_backend.get_backup_plan(identifier, None)
    if not hasattr(plan, "selections"):
        plan.selections = {}
    selection = selection.strip("/")
    if selection and selection not in plan.selections:
        raise JsonRESTError("ResourceNotFoundException", "Cannot find Backup selection")
    return plan, selection


@patch(
    restores="A vault says how many recovery points it holds.",
    source="AWS Backup API reference, DescribeBackupVault (NumberOfRecoveryPoints)",
    touches="moto.backup.models:Vault.number_of_recovery_points",
)
def recovery_points() -> None:
    """Answer with moto's own count, which it keeps under another name."""
    models.Vault.number_of_recovery_points = property(  # type: ignore[attr-defined]
        lambda self: self.num_of_recovery_points
    )

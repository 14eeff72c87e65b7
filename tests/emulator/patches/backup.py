# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS Backup."""

from __future__ import annotations

import typing as t

from moto.backup import models
from moto.core.exceptions import JsonRESTError

from tests.emulator.patches import around, patch


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

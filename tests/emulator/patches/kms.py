# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""KMS."""

from __future__ import annotations

import typing as t

from moto.kms import models

from tests.emulator.patches import around, patch

_OPERATIONS = ("schedule_key_deletion", "cancel_key_deletion", "enable_key", "disable_key")


@patch(
    restores="A key can be scheduled for deletion, kept, enabled and disabled by its ARN as well as by its id.",
    source="KMS API reference, ScheduleKeyDeletion, CancelKeyDeletion, EnableKey and DisableKey (KeyId)",
    touches=tuple(f"moto.kms.models:KmsBackend.{operation}" for operation in _OPERATIONS),
)
def keys_by_arn() -> None:
    """Resolve the ARN first."""

    def resolve(operation: str) -> None:
        @around(models.KmsBackend, operation)
        def resolved(original: t.Callable[..., t.Any], self: t.Any, key_id: str, *args: t.Any) -> t.Any:
            return original(self, self.any_id_to_key_id(key_id), *args)

    for operation in _OPERATIONS:
        resolve(operation)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What makes the emulator quicker without changing an answer."""

from __future__ import annotations

import copy
import typing as t

from moto.iam import models

from tests.emulator.patches import around


def remember_managed_policies() -> None:
    """Parse AWS's 1,500 managed policies once, instead of at every reset and for every account."""
    templates: list[t.Any] = []

    @around(models.IAMBackend, "_init_aws_policies")
    def load(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        if self.partition != "aws":
            return original(self)
        if not templates:
            templates.extend(original(self))
        return [_unused(template, self.account_id) for template in templates]


def _unused(template: t.Any, account: str) -> t.Any:
    policy = copy.copy(template)
    policy.account_id = account
    policy.versions = list(template.versions)
    policy.tags = dict(template.tags)
    return policy

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What makes the emulator quicker without changing an answer."""

from __future__ import annotations

import copy
import typing as t

from moto.iam import models

from tests.emulator.patches import around


def remember_managed_policies() -> None:
    """Parse AWS's 1,500 managed policies once.

    moto does so for each account and each of six partitions, all of which it touches while it looks up an access key:
    five seconds within the second request after a start or a reset.
    """
    templates: list[t.Any] = []

    @around(models.IAMBackend, "_init_aws_policies")
    def load(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        if not templates:
            templates.extend(original(self))
        return [_unused(template, self) for template in templates]


def _unused(template: t.Any, backend: t.Any) -> t.Any:
    policy = copy.copy(template)
    policy.account_id = backend.account_id
    policy.partition = backend.partition
    policy.versions = list(template.versions)
    policy.tags = dict(template.tags)
    return policy

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Application Auto Scaling."""

from __future__ import annotations

import typing as t

from moto.applicationautoscaling import models
from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.core.exceptions import JsonRESTError

from tests.emulator.patches import around, before, patch

_REFERENCE = "Application Auto Scaling API reference"


def _policies_of(backend: t.Any, resource: str, dimension: str) -> list[t.Any]:
    return [
        policy
        for policy in backend.policies.values()
        if policy.resource_id == resource and policy.scalable_dimension == dimension
    ]


@patch(
    restores="A target that is deregistered takes its policies and alarms along; a missing one is not found.",
    source=f"{_REFERENCE}, DeregisterScalableTarget (ObjectNotFoundException)",
    touches="moto.applicationautoscaling.models:ApplicationAutoscalingBackend.deregister_scalable_target",
)
def deregistration() -> None:
    """Moto keeps the policies, and has another error."""

    @around(models.ApplicationAutoscalingBackend, "deregister_scalable_target")
    def deregister(original: t.Callable[..., None], self: t.Any, namespace: str, r_id: str, dimension: str) -> None:
        if not self._scalable_target_exists(r_id, dimension):
            raise JsonRESTError("ObjectNotFoundException", f"No scalable target found for resource ID: {r_id}")
        original(self, namespace, r_id, dimension)
        for policy in _policies_of(self, r_id, dimension):
            self.delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)


@patch(
    restores="A policy needs its target, keeps its ARN when it is changed, and its old alarms go.",
    source=f"{_REFERENCE}, PutScalingPolicy (ObjectNotFoundException)",
    touches="moto.applicationautoscaling.models:ApplicationAutoscalingBackend.put_scaling_policy",
)
def policies() -> None:
    """Moto makes another one."""

    @around(models.ApplicationAutoscalingBackend, "put_scaling_policy")
    def put(original: t.Callable[..., t.Any], self: t.Any, **given: t.Any) -> t.Any:
        place = (given["service_namespace"], given["resource_id"], given["scalable_dimension"])
        if not self._scalable_target_exists(*place[1:]):
            raise JsonRESTError("ObjectNotFoundException", f"No scalable target registered for {place[1]}")
        key = models.FakeApplicationAutoscalingPolicy.formulate_key(*place, given["policy_name"])
        old = self.policies.get(key)
        policy = original(self, **given)
        if old is not None:
            old.delete_alarms(self.account_id, self.region_name)
            policy.policy_arn = old.policy_arn
        return policy


@patch(
    restores="The least capacity is not above the most.",
    source=f"{_REFERENCE}, RegisterScalableTarget (ValidationException)",
    touches="moto.applicationautoscaling.models:ApplicationAutoscalingBackend.register_scalable_target",
)
def capacity_limits() -> None:
    """Refuse it."""

    @before(models.ApplicationAutoscalingBackend, "register_scalable_target")
    def check(_self: t.Any, *_args: t.Any, **given: t.Any) -> None:
        least, most = given.get("min_capacity"), given.get("max_capacity")
        if least is not None and most is not None and least > most:
            raise AWSValidationException("Maximum capacity cannot be less than minimum capacity")

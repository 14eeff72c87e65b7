# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IAM: what may not go while it is used, how long names are, and conditions in identity policies."""

from __future__ import annotations

import typing as t

from moto.core.responses import ActionResult, EmptyResult
from moto.iam import access_control, models, responses
from moto.iam.exceptions import DeleteConflictException, ValidationError

from tests.emulator import policy as policies
from tests.emulator.patches import around, before, patch


@patch(
    restores="A policy stays while it is attached or has more than its default version.",
    source="IAM API reference, DeletePolicy (DeleteConflict)",
    touches="moto.iam.models:IAMBackend.delete_policy",
)
def policy_in_use() -> None:
    """Refuse its deletion."""

    @before(models.IAMBackend, "delete_policy")
    def check(self: t.Any, policy_arn: str) -> None:
        policy = self.get_policy(policy_arn)
        holders = [*self.roles.values(), *self.users.values(), *self.groups.values()]
        if any(policy_arn in holder.managed_policies for holder in holders):
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise DeleteConflictException(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )


@patch(
    restores="A user or group stays while it has members, keys, a login profile, MFA devices or policies.",
    source="IAM API reference, DeleteUser and DeleteGroup (DeleteConflict)",
    touches=("moto.iam.models:IAMBackend.delete_user", "moto.iam.models:IAMBackend.delete_group"),
)
def identity_in_use() -> None:
    """Refuse its deletion; moto looks at a user's policies only."""

    @before(models.IAMBackend, "delete_user")
    def check_user(self: t.Any, user_name: str) -> None:
        user = self.get_user(user_name)
        refuse(user.access_keys, "must delete access keys first.")
        refuse(user.password, "must delete login profile first.")
        refuse(user.mfa_devices, "must delete MFA device first.")
        refuse([group for group in self.groups.values() if user in group.users], "must remove users from group first.")

    @before(models.IAMBackend, "delete_group")
    def check_group(self: t.Any, group_name: str) -> None:
        group = self.get_group(group_name)
        refuse(group.users, "must remove users from group first.")
        refuse(group.managed_policies, "must detach all policies first.")
        refuse(group.policies, "must delete policies first.")

    def refuse(held: t.Any, what: str) -> None:
        if held:
            raise DeleteConflictException(f"Cannot delete entity, {what}")


_LENGTHS = {
    "create_role": ("RoleName", "roleName", 64),
    "create_user": ("UserName", "userName", 64),
    "create_group": ("GroupName", "groupName", 128),
    "create_instance_profile": ("InstanceProfileName", "instanceProfileName", 128),
    "create_policy": ("PolicyName", "policyName", 128),
}


@patch(
    restores="Names are at most 64 (roles, users) or 128 characters long.",
    source="IAM User Guide, IAM and AWS STS quotas, name requirements, and character limits",
    touches=tuple(f"moto.iam.responses:IamResponse.{operation}" for operation in _LENGTHS),
)
def name_lengths() -> None:
    """Refuse longer ones."""

    def limit(operation: str, parameter: str, field: str, longest: int) -> None:
        @before(responses.IamResponse, operation)
        def check(self: t.Any) -> None:
            name = self._get_param(parameter) or ""
            if len(name) > longest:
                raise ValidationError(
                    f"1 validation error detected: Value '{name}' at '{field}' failed to satisfy constraint: Member "
                    f"must have length less than or equal to {longest}"
                )

    for operation, (parameter, field, longest) in _LENGTHS.items():
        limit(operation, parameter, field, longest)


@patch(
    restores="A user without service-specific credentials has an empty list of them.",
    source="IAM API reference, ListServiceSpecificCredentials",
    touches="moto.iam.responses:IamResponse.list_service_specific_credentials",
)
def service_specific_credentials() -> None:
    """Add the operation, which moto lacks and modules call before they delete a user."""

    def listing(self: t.Any) -> t.Any:
        if self._get_param("UserName"):
            self.backend.get_user(self._get_param("UserName"))
        return ActionResult({"ServiceSpecificCredentials": []})

    responses.IamResponse.list_service_specific_credentials = listing  # type: ignore[attr-defined]


@patch(
    restores="An identity provider takes another audience, once.",
    source="IAM API reference, AddClientIDToOpenIDConnectProvider (idempotent)",
    touches="moto.iam.responses:IamResponse.add_client_id_to_open_id_connect_provider",
)
def audiences_of_a_provider() -> None:
    """Add the operation, which moto lacks."""

    def add(self: t.Any) -> t.Any:
        provider = self.backend.get_open_id_connect_provider(self._get_param("OpenIDConnectProviderArn"))
        audience = self._get_param("ClientID")
        if audience not in provider.client_id_list:
            provider.client_id_list.append(audience)
        return EmptyResult()

    responses.IamResponse.add_client_id_to_open_id_connect_provider = add  # type: ignore[attr-defined]


@patch(
    restores="Where policies are enforced, a statement whose conditions do not hold says nothing, instead of denying.",
    source="IAM User Guide, Policy evaluation logic and IAM JSON policy elements: Condition",
    touches="moto.iam.access_control:IAMPolicyStatement.is_action_permitted",
)
def statement_conditions() -> None:
    """Evaluate statements about resources here; trust policies stay moto's."""

    @around(access_control.IAMPolicyStatement, "is_action_permitted")
    def permitted(
        original: t.Callable[..., t.Any],
        self: t.Any,
        action: str,
        resource: str = "*",
        principal: str | None = None,
        incoming_condition_values: dict[str, str] | None = None,
    ) -> t.Any:
        statement = self._statement
        if "Resource" not in statement and "NotResource" not in statement:
            return original(self, action, resource, principal, incoming_condition_values)
        context = {key.lower(): value for key, value in (incoming_condition_values or {}).items()}
        request = policies.Request(action, resource, None, {"aws:securetransport": "true", **context})
        if not policies.applies(statement, request):
            return access_control.PermissionResult.NEUTRAL
        denied = statement.get("Effect") == "Deny"
        return access_control.PermissionResult.DENIED if denied else access_control.PermissionResult.PERMITTED

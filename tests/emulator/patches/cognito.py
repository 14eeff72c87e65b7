# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cognito: what an update resets, what protects a pool, tags, and the roles of identities."""

from __future__ import annotations

import json
import typing as t

from moto.cognitoidentity import models as identity
from moto.cognitoidentity import responses as identity_responses
from moto.cognitoidentity.exceptions import ResourceNotFoundError
from moto.cognitoidp import models, responses
from moto.cognitoidp.exceptions import InvalidParameterException
from moto.core.responses import EmptyResult

from tests.emulator.patches import around, before, patch

#: What CreateUserPool alone can set.
_FOR_GOOD = ("UsernameAttributes", "AliasAttributes", "UsernameConfiguration")
#: What UpdateUserPoolClient leaves as it is when it is not named.
_CLIENT_KEPT = ("ClientName",)


@patch(
    restores="UpdateUserPool keeps what only CreateUserPool sets, keeps tags, renames, and sets the mode of MFA.",
    source="Cognito user pools API reference, UpdateUserPool",
    touches="moto.cognitoidp.models:CognitoIdpBackend.update_user_pool",
)
def update_pool() -> None:
    """Lay the request over what cannot be changed."""

    @around(models.CognitoIdpBackend, "update_user_pool")
    def update(original: t.Callable[..., None], self: t.Any, user_pool_id: str, request: dict[str, t.Any]) -> None:
        pool = self.describe_user_pool(user_pool_id)
        kept = {
            name: pool.extended_config[name] for name in (*_FOR_GOOD, "UserPoolTags") if name in pool.extended_config
        }
        given = {name: value for name, value in request.items() if name not in ("UserPoolId", *_FOR_GOOD)}
        pool.name = given.pop("PoolName", pool.name)
        pool.mfa_config = given.pop("MfaConfiguration", "OFF")
        original(self, user_pool_id, {**kept, **given})


@patch(
    restores="A pool that is protected, or that has a domain, cannot be deleted.",
    source="Cognito user pools API reference, DeleteUserPool; developer guide, User pool deletion protection",
    touches="moto.cognitoidp.models:CognitoIdpBackend.delete_user_pool",
)
def protected_pools() -> None:
    """Check before it goes."""

    @before(models.CognitoIdpBackend, "delete_user_pool")
    def check(self: t.Any, user_pool_id: str) -> None:
        pool = self.describe_user_pool(user_pool_id)
        if pool.extended_config.get("DeletionProtection") == "ACTIVE":
            raise InvalidParameterException(
                "The user pool cannot be deleted because deletion protection is activated. "
                "Deletion protection must be inactivated first."
            )
        if pool.domain:
            raise InvalidParameterException(
                "User pool cannot be deleted. It has a domain configured that should be deleted first."
            )


@patch(
    restores="UpdateUserPoolClient resets what it is not given.",
    source="Cognito user pools API reference, UpdateUserPoolClient",
    touches="moto.cognitoidp.models:CognitoIdpBackend.update_user_pool_client",
)
def update_client() -> None:
    """Start from a new client's settings."""

    @around(models.CognitoIdpBackend, "update_user_pool_client")
    def update(
        original: t.Callable[..., t.Any], self: t.Any, user_pool_id: str, client_id: str, request: dict[str, t.Any]
    ) -> t.Any:
        client = self.describe_user_pool_client(user_pool_id, client_id)
        kept = {name: client.extended_config[name] for name in _CLIENT_KEPT if name in client.extended_config}
        client.extended_config = models.CognitoIdpUserPoolClient(user_pool_id, False, kept).extended_config
        return original(self, user_pool_id, client_id, request)


@patch(
    restores="A client signs users in only by the flows that it allows.",
    source="Cognito user pools API reference, InitiateAuth (InvalidParameterException) and ExplicitAuthFlows",
    touches="moto.cognitoidp.models:CognitoIdpBackend.initiate_auth",
)
def auth_flows() -> None:
    """Check the flow before the password."""

    @before(models.CognitoIdpBackend, "initiate_auth")
    def check(self: t.Any, client_id: str, auth_flow: str, auth_parameters: dict[str, str]) -> None:
        for pool in self.user_pools.values():
            client = pool.clients.get(client_id)
            allowed = (client.extended_config.get("ExplicitAuthFlows") if client else None) or []
            # Without any flow a client has AWS's defaults, to which USER_PASSWORD_AUTH does not belong.
            refused = auth_flow == "USER_PASSWORD_AUTH" and not {"ALLOW_USER_PASSWORD_AUTH", auth_flow} & set(allowed)
            if client and refused:
                raise InvalidParameterException(f"{auth_flow} flow not enabled for this client")


@patch(
    restores="User pools are tagged, untagged and asked for their tags.",
    source="Cognito user pools API reference, TagResource, UntagResource and ListTagsForResource",
    touches="moto.cognitoidp.responses:CognitoIdpResponse",
)
def pool_tags() -> None:
    """Add the calls."""

    def tags(self: t.Any) -> dict[str, str]:
        pool = self.backend.describe_user_pool(self._get_param("ResourceArn").rpartition("/")[2])
        return t.cast("dict[str, str]", pool.extended_config.setdefault("UserPoolTags", {}))

    def tag_resource(self: t.Any) -> t.Any:
        tags(self).update(self._get_param("Tags"))
        return EmptyResult()

    def untag_resource(self: t.Any) -> t.Any:
        for key in self._get_param("TagKeys"):
            tags(self).pop(key, None)
        return EmptyResult()

    def list_tags_for_resource(self: t.Any) -> t.Any:
        return responses.ActionResult({"Tags": tags(self)})

    for call in (tag_resource, untag_resource, list_tags_for_resource):
        setattr(responses.CognitoIdpResponse, call.__name__, call)


def _identity_tags(self: t.Any) -> dict[str, str]:
    identifier = self._get_param("ResourceArn").rpartition("/")[2]
    if identifier not in self.backend.identity_pools:
        raise ResourceNotFoundError(identifier)
    return t.cast("dict[str, str]", self.backend.identity_pools[identifier].tags)


@patch(
    restores="Identity pools are tagged, untagged and asked for their tags.",
    source="Cognito identity pools API reference, TagResource, UntagResource and ListTagsForResource",
    touches="moto.cognitoidentity.responses:CognitoIdentityResponse",
)
def identity_tags() -> None:
    """Add the calls."""

    def tag_resource(self: t.Any) -> str:
        _identity_tags(self).update(self._get_param("Tags"))
        return "{}"

    def untag_resource(self: t.Any) -> str:
        for key in self._get_param("TagKeys"):
            _identity_tags(self).pop(key, None)
        return "{}"

    def list_tags_for_resource(self: t.Any) -> str:
        return json.dumps({"Tags": _identity_tags(self)})

    for call in (tag_resource, untag_resource, list_tags_for_resource):
        setattr(identity_responses.CognitoIdentityResponse, call.__name__, call)


@patch(
    restores="The roles of an identity pool and their mappings are set, all at once, and read.",
    source="Cognito identity pools API reference, SetIdentityPoolRoles and GetIdentityPoolRoles",
    touches="moto.cognitoidentity.responses:CognitoIdentityResponse",
)
def identity_roles() -> None:
    """Add the calls; the roles go with the pool."""

    def pool(self: t.Any) -> t.Any:
        identifier = self._get_param("IdentityPoolId")
        if identifier not in self.backend.identity_pools:
            raise ResourceNotFoundError(identifier)
        return self.backend.identity_pools[identifier]

    def set_identity_pool_roles(self: t.Any) -> str:
        pool(self).roles = {"Roles": self._get_param("Roles"), "RoleMappings": self._get_param("RoleMappings") or {}}
        return ""

    def get_identity_pool_roles(self: t.Any) -> str:
        found = pool(self)
        given = {key: value for key, value in getattr(found, "roles", {}).items() if value or key == "Roles"}
        return json.dumps({"IdentityPoolId": found.identity_pool_id, **given})

    for call in (set_identity_pool_roles, get_identity_pool_roles):
        setattr(identity_responses.CognitoIdentityResponse, call.__name__, call)


@patch(
    restores="UpdateIdentityPool replaces everything: name, providers and the flows that are allowed.",
    source="Cognito identity pools API reference, UpdateIdentityPool",
    touches=(
        "moto.cognitoidentity.models:CognitoIdentityBackend.update_identity_pool",
        "moto.cognitoidentity.models:CognitoIdentityPool.to_json",
        "moto.cognitoidentity.responses:CognitoIdentityResponse.create_identity_pool",
        "moto.cognitoidentity.responses:CognitoIdentityResponse.update_identity_pool",
    ),
)
def update_identities() -> None:
    """Reset what is not given, and keep AllowClassicFlow, which moto does not know."""

    @around(identity.CognitoIdentityBackend, "update_identity_pool")
    def update(original: t.Callable[..., str], self: t.Any, identity_pool_id: str, **given: t.Any) -> str:
        if identity_pool_id not in self.identity_pools:
            raise ResourceNotFoundError(identity_pool_id)
        pool = self.identity_pools[identity_pool_id]
        pool.identity_pool_name = given["identity_pool_name"]
        pool.supported_login_providers, pool.cognito_identity_providers = {}, []
        pool.open_id_connect_provider_arns, pool.saml_provider_arns = [], []
        return original(self, identity_pool_id=identity_pool_id, **given)

    @around(identity.CognitoIdentityPool, "to_json")
    def to_json(original: t.Callable[..., str], self: t.Any) -> str:
        described = json.loads(original(self))
        classic = getattr(self, "allow_classic_flow", None)
        return json.dumps(described if classic is None else {**described, "AllowClassicFlow": classic})

    for name in ("create_identity_pool", "update_identity_pool"):

        @around(identity_responses.CognitoIdentityResponse, name)
        def remember(original: t.Callable[..., str], self: t.Any) -> str:
            identifier = json.loads(original(self))["IdentityPoolId"]
            pool = self.backend.identity_pools[identifier]
            pool.allow_classic_flow = self._get_param("AllowClassicFlow")
            return t.cast(str, pool.to_json())

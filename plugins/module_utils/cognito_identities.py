# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to a Cognito identity pool and its roles.

As with user pools, UpdateIdentityPool and SetIdentityPoolRoles replace everything, so both start from what AWS has.
"""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.cognito_pools import Change, wanted_tags
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = dict[str, t.Any]

#: What DescribeIdentityPool answers and UpdateIdentityPool takes, but tags, which have calls of their own.
KEPT = (
    "IdentityPoolName",
    "AllowUnauthenticatedIdentities",
    "AllowClassicFlow",
    "SupportedLoginProviders",
    "DeveloperProviderName",
    "OpenIdConnectProviderARNs",
    "CognitoIdentityProviders",
    "SamlProviderARNs",
    "IdentityPoolTags",
)
MATCH = {"equals": "Equals", "contains": "Contains", "starts_with": "StartsWith", "not_equal": "NotEqual"}
RESOLUTION = {"authenticated_role": "AuthenticatedRole", "deny": "Deny"}


def label(name: str) -> str:
    """The identity pool in the reader's words."""
    return f"cognito identity pool {name}"


def wanted_settings(params: Document) -> Document:
    """The settings that the options name, as AWS takes them."""
    wanted: Document = {"AllowUnauthenticatedIdentities": params["allow_unauthenticated"]}
    if params.get("allow_classic_flow") is not None:
        wanted["AllowClassicFlow"] = params["allow_classic_flow"]
    if params.get("user_pools") is not None:
        wanted["CognitoIdentityProviders"] = [
            {
                "ProviderName": one["provider_name"],
                "ClientId": one["client_id"],
                "ServerSideTokenCheck": one["server_side_token_check"],
            }
            for one in params["user_pools"]
        ]
    return wanted


def canonical(name: str, value: t.Any) -> t.Any:
    """A setting in a form that can be compared: providers have no order, empty and absent are one."""
    if name == "CognitoIdentityProviders":
        providers = [{"ServerSideTokenCheck": False, **one} for one in value or []]
        return sorted(providers, key=lambda one: (one["ProviderName"], one["ClientId"]))
    return value or None


def differing(wanted: Document, current: Document) -> Document:
    """Those of the wanted settings that AWS has otherwise."""
    return {
        name: value for name, value in wanted.items() if canonical(name, value) != canonical(name, current.get(name))
    }


def wanted_roles(params: Document, current: Document) -> Document | None:
    """Roles and mappings, whole, as SetIdentityPoolRoles takes them; C{None} when the options name none."""
    options = (("authenticated_role_arn", "authenticated"), ("unauthenticated_role_arn", "unauthenticated"))
    given = {kind: params[option] for option, kind in options if params.get(option) is not None}
    mappings = params.get("role_mappings")
    if not given and mappings is None:
        return None
    roles = {**(current.get("Roles") or {}), **given}
    wanted: Document = {"Roles": {kind: arn for kind, arn in roles.items() if arn}}
    kept = current.get("RoleMappings") or {}
    wanted["RoleMappings"] = kept if mappings is None else {one["provider"]: _mapping(one) for one in mappings}
    return wanted


def _mapping(mapping: Document) -> Document:
    request: Document = {
        "Type": mapping["type"].capitalize(),
        "AmbiguousRoleResolution": RESOLUTION[mapping["ambiguous_role"]],
    }
    if mapping["type"] == "rules":
        request["RulesConfiguration"] = {
            "Rules": [
                {
                    "Claim": rule["claim"],
                    "MatchType": MATCH[rule["match"]],
                    "Value": rule["value"],
                    "RoleARN": rule["role_arn"],
                }
                for rule in mapping["rules"] or []
            ]
        }
    return request


def plan_present(params: Document, current: Document | None, roles: Document) -> list[Change]:
    """What makes the identity pool as it is wanted.

    :param current: DescribeIdentityPool, C{None} for no such pool.
    :param roles: GetIdentityPoolRoles.
    """
    changes = [*_pool_changes(params, current), *_role_changes(params, roles)]
    return changes or [Change(Step("keep", label(params["name"]), "is as wanted"))]


def _pool_changes(params: Document, current: Document | None) -> t.Iterator[Change]:
    resource, wanted = label(params["name"]), wanted_settings(params)
    if current is None:
        request = {"IdentityPoolName": params["name"], **wanted}
        if params.get("tags"):
            request["IdentityPoolTags"] = wanted_tags(params, {})
        yield Change(Step("create", resource, "does not exist", None, request), "create_identity_pool", request)
        return
    changes = differing(wanted, current)
    if changes:
        kept = {name: current[name] for name in KEPT if current.get(name)}
        before = {name: current.get(name) for name in changes}
        step = Step("modify", resource, f"differs in {', '.join(sorted(changes))}", before, changes)
        yield Change(step, "update_identity_pool", {**kept, **wanted, **changes})
    before_tags = current.get("IdentityPoolTags") or {}
    tags = wanted_tags(params, before_tags)
    if tags is not None and tags != before_tags:
        step = Step("tag", resource, "tags differ", {"tags": before_tags}, {"tags": tags})
        yield Change(step, "set_tags", {"before": before_tags, "after": tags})


def _role_changes(params: Document, current: Document) -> t.Iterator[Change]:
    wanted = wanted_roles(params, current)
    if wanted is None:
        return
    before = {"Roles": current.get("Roles") or {}, "RoleMappings": current.get("RoleMappings") or {}}
    if wanted != before:
        step = Step("modify", f"roles of {label(params['name'])}", "differ", before, wanted)
        yield Change(step, "set_identity_pool_roles", wanted)


def plan_absent(name: str, current: Document | None) -> list[Change]:
    """What removes the identity pool."""
    if current is None:
        return [Change(Step("skip", label(name), "does not exist"))]
    return [Change(Step("delete", label(name), "state is absent", {"name": name}), "delete_identity_pool")]

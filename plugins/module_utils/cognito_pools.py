# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to a Cognito user pool, its app clients, its groups and its domain.

Cognito's update calls replace everything: what a request leaves out falls back to a default. So each update here starts
from what AWS has, and only what the user named is laid over it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = dict[str, t.Any]

#: Options of a password policy and their names in AWS.
PASSWORD_POLICY = {
    "minimum_length": "MinimumLength",
    "require_uppercase": "RequireUppercase",
    "require_lowercase": "RequireLowercase",
    "require_numbers": "RequireNumbers",
    "require_symbols": "RequireSymbols",
    "history_size": "PasswordHistorySize",
    "temporary_password_days": "TemporaryPasswordValidityDays",
}
EMAIL = {
    "source_arn": "SourceArn",
    "from_address": "From",
    "reply_to": "ReplyToEmailAddress",
    "configuration_set": "ConfigurationSet",
}
MESSAGE = {"subject": "EmailSubject", "message": "EmailMessage", "option": "DefaultEmailOption"}
#: Older fields that say the same as VerificationMessageTemplate; both sides must not contradict each other.
OLD_MESSAGES = ("SmsVerificationMessage", "EmailVerificationMessage", "EmailVerificationSubject")
CLIENT = {
    "auth_flows": "ExplicitAuthFlows",
    "callback_urls": "CallbackURLs",
    "logout_urls": "LogoutURLs",
    "oauth_flows": "AllowedOAuthFlows",
    "oauth_scopes": "AllowedOAuthScopes",
    "identity_providers": "SupportedIdentityProviders",
    "read_attributes": "ReadAttributes",
    "write_attributes": "WriteAttributes",
    "enable_token_revocation": "EnableTokenRevocation",
}
#: Validity option, its name in AWS, and the unit in which the option is written.
VALIDITY = {
    "access_token_minutes": ("AccessTokenValidity", "AccessToken", "minutes"),
    "id_token_minutes": ("IdTokenValidity", "IdToken", "minutes"),
    "refresh_token_days": ("RefreshTokenValidity", "RefreshToken", "days"),
}
GROUP = {"description": "Description", "precedence": "Precedence", "role_arn": "RoleArn"}
MFA = {"off": "OFF", "optional": "OPTIONAL", "on": "ON"}


class PoolError(ValueError):
    """What Cognito cannot do; the message names the option and what to write instead."""


@dataclass(frozen=True)
class Change:
    """A step and the call that carries it out.

    :param operation: name of a function of C{cognito_api}; empty for a step that changes nothing.
    :param request: its arguments, without the pool's id.
    """

    step: Step
    operation: str = ""
    request: Document = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """A user pool as AWS has it.

    :param described: DescribeUserPool.
    :param mfa: GetUserPoolMfaConfig.
    :param clients: DescribeUserPoolClient of each client by name, without secrets.
    :param groups: ListGroups by name.
    """

    described: Document
    mfa: Document = field(default_factory=dict)
    clients: dict[str, Document] = field(default_factory=dict)
    groups: dict[str, Document] = field(default_factory=dict)


def label(name: str) -> str:
    """The pool in the reader's words."""
    return f"cognito user pool {name}"


def renamed(options: t.Mapping[str, t.Any] | None, names: t.Mapping[str, str]) -> Document:
    """Those options that are given, under AWS's names."""
    return {names[key]: value for key, value in (options or {}).items() if key in names and value is not None}


# -- the pool ----------------------------------------------------------------------------------------------------------


def wanted_settings(params: Document, current: Document) -> Document:
    """The settings that the options name, whole, as UpdateUserPool takes them.

    :param params: the module's options.
    :param current: DescribeUserPool, empty for a pool that does not exist.
    """
    wanted: Document = {}
    if params.get("password_policy"):
        policies = current.get("Policies") or {}
        policy = {**(policies.get("PasswordPolicy") or {}), **renamed(params["password_policy"], PASSWORD_POLICY)}
        wanted["Policies"] = {**policies, "PasswordPolicy": policy}
    if params.get("account_recovery") is not None:
        wanted["AccountRecoverySetting"] = recovery(params["account_recovery"])
    if params.get("deletion_protection") is not None:
        wanted["DeletionProtection"] = "ACTIVE" if params["deletion_protection"] else "INACTIVE"
    if params.get("auto_verified_attributes") is not None:
        wanted["AutoVerifiedAttributes"] = list(params["auto_verified_attributes"])
    if params.get("admin_create_user_only") is not None:
        kept = current.get("AdminCreateUserConfig") or {}
        wanted["AdminCreateUserConfig"] = {**kept, "AllowAdminCreateUserOnly": params["admin_create_user_only"]}
    if params.get("email"):
        wanted["EmailConfiguration"] = _email(params["email"], current.get("EmailConfiguration") or {})
    if params.get("verification_message"):
        kept = current.get("VerificationMessageTemplate") or {}
        wanted["VerificationMessageTemplate"] = {**kept, **renamed(params["verification_message"], MESSAGE)}
    if params.get("tier"):
        wanted["UserPoolTier"] = params["tier"].upper()
    return wanted


def recovery(mechanisms: t.Sequence[str]) -> Document:
    """Ways to recover an account, the first one preferred."""
    return {"RecoveryMechanisms": [{"Name": name, "Priority": rank} for rank, name in enumerate(mechanisms, 1)]}


def _email(options: Document, current: Document) -> Document:
    given = renamed(options, EMAIL)
    sender = "DEVELOPER" if {**current, **given}.get("SourceArn") else "COGNITO_DEFAULT"
    return {**current, **given, "EmailSendingAccount": sender}


def same(name: str, one: t.Any, other: t.Any) -> bool:
    """Whether two values of a setting mean the same: lists of names have no order, empty and absent are one."""
    if isinstance(one, list) or isinstance(other, list):
        return sorted(one or []) == sorted(other or [])
    if name == "AccountRecoverySetting":
        return _mechanisms(one) == _mechanisms(other)
    return bool((one or None) == (other or None))


def _mechanisms(setting: t.Any) -> list[str]:
    found = (setting or {}).get("RecoveryMechanisms") or []
    return [one["Name"] for one in sorted(found, key=lambda one: int(one["Priority"]))]


def differing(wanted: Document, current: Document) -> Document:
    """Those of the wanted settings that AWS has otherwise."""
    return {name: value for name, value in wanted.items() if not same(name, current.get(name), value)}


def wanted_tags(params: Document, current: t.Mapping[str, str]) -> dict[str, str] | None:
    """The tags that the pool shall have; C{None} when the options do not say."""
    if params.get("tags") is None:
        return None
    given = {key: str(value) for key, value in params["tags"].items()}
    return given if params.get("purge_tags", True) else {**current, **given}


def check_immutable(params: Document, described: Document) -> None:
    """Refuse what Cognito cannot change in a pool that exists, all in one error.

    :raises PoolError: names each option, what the pool has and what to do.
    """
    found = []
    for option, name in (("username_attributes", "UsernameAttributes"), ("alias_attributes", "AliasAttributes")):
        wanted, current = params.get(option), described.get(name) or []
        if wanted is not None and sorted(wanted) != sorted(current):
            found.append(f"{option}: {sorted(wanted)}, the pool has {sorted(current)}")
    wanted, current = params.get("username_case_sensitive"), _case_sensitive(described)
    if wanted is not None and wanted != current:
        found.append(f"username_case_sensitive: {str(wanted).lower()}, the pool has {str(current).lower()}")
    found += _changed_attributes(params.get("schema") or [], described)
    if found:
        raise PoolError(
            f"The user pool {params['name']} exists, and Cognito sets these only when a pool is created: "
            f"{'; '.join(found)}. Write what the pool has, or create another pool under another name"
        )


def _case_sensitive(described: Document) -> bool:
    return bool((described.get("UsernameConfiguration") or {}).get("CaseSensitive", True))


def _changed_attributes(schema: t.Sequence[Document], described: Document) -> t.Iterator[str]:
    current = {one["Name"]: one for one in described.get("SchemaAttributes") or []}
    for attribute in schema:
        name, there = attribute_name(attribute), current.get(attribute_name(attribute))
        if there is None and attribute.get("required"):
            yield f"schema: '{attribute['name']}' is required, the pool does not have it"
        for option, key in (("type", "AttributeDataType"), ("mutable", "Mutable"), ("required", "Required")):
            wanted = attribute.get(option)
            if there is not None and wanted is not None and there.get(key) is not None and there[key] != wanted:
                yield f"schema: {option} of '{name}' is {wanted}, the pool has {there[key]}"


#: Attributes that every pool has (Amazon Cognito developer guide, "Working with user attributes").
STANDARD = frozenset(
    {
        "sub",
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "email",
        "email_verified",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "phone_number",
        "phone_number_verified",
        "address",
        "updated_at",
    }
)


def attribute_name(attribute: t.Mapping[str, t.Any]) -> str:
    """Name of an attribute in a pool: Cognito puts C{custom:} before those that are not standard."""
    name = str(attribute["name"])
    return name if name in STANDARD or name.startswith(("custom:", "dev:")) else f"custom:{name}"


def schema_attribute(attribute: t.Mapping[str, t.Any]) -> Document:
    """An attribute as CreateUserPool and AddCustomAttributes take it."""
    names = {"type": "AttributeDataType", "mutable": "Mutable", "required": "Required"}
    request = {"Name": str(attribute["name"]).removeprefix("custom:"), **renamed(attribute, names)}
    limits = {"min_length": "MinLength", "max_length": "MaxLength"}
    lengths = {key: str(value) for key, value in renamed(attribute, limits).items()}
    return {**request, "StringAttributeConstraints": lengths} if lengths else request


def _creation(params: Document) -> Document:
    request = {"PoolName": params["name"], **wanted_settings(params, {})}
    for option, name in (("username_attributes", "UsernameAttributes"), ("alias_attributes", "AliasAttributes")):
        if params.get(option):
            request[name] = list(params[option])
    if params.get("username_case_sensitive") is not None:
        request["UsernameConfiguration"] = {"CaseSensitive": params["username_case_sensitive"]}
    if params.get("schema"):
        request["Schema"] = [schema_attribute(one) for one in params["schema"]]
    if params.get("tags"):
        request["UserPoolTags"] = wanted_tags(params, {})
    return request


def update_request(described: Document, changes: Document, accepted: t.Collection[str]) -> Document:
    """What UpdateUserPool gets: all that the pool has, with the changes laid over it.

    :param accepted: the parameters that this botocore knows for the call.
    """
    kept = {name: value for name, value in described.items() if name in accepted and value is not None}
    request = {"PoolName": described["Name"], **kept, **changes}
    if "VerificationMessageTemplate" in changes:
        request = {name: value for name, value in request.items() if name not in OLD_MESSAGES}
    admin = request.get("AdminCreateUserConfig")
    if admin and "TemporaryPasswordValidityDays" in (request.get("Policies") or {}).get("PasswordPolicy", {}):
        # The older name of the same setting: Cognito answers with both and takes one only.
        admin = {name: value for name, value in admin.items() if name != "UnusedAccountValidityDays"}
        request["AdminCreateUserConfig"] = admin
    return request


def wanted_mfa(params: Document, current: Document) -> Document | None:
    """The whole MFA configuration, or C{None} when the options do not name it."""
    mode, totp = params.get("mfa"), params.get("mfa_totp")
    if mode is None and totp is None:
        return None
    request = {name: value for name, value in current.items() if name in MFA_MEMBERS and value}
    if totp is not None:
        request["SoftwareTokenMfaConfiguration"] = {"Enabled": totp}
    request["MfaConfiguration"] = MFA[mode] if mode else current.get("MfaConfiguration", "OFF")
    if request["MfaConfiguration"] == "OFF" and not _totp(current):
        request.pop("SoftwareTokenMfaConfiguration", None)
    return request


MFA_MEMBERS = (
    "SmsMfaConfiguration",
    "SoftwareTokenMfaConfiguration",
    "EmailMfaConfiguration",
    "WebAuthnConfiguration",
    "MfaConfiguration",
)


def _totp(mfa: Document) -> bool:
    return bool((mfa.get("SoftwareTokenMfaConfiguration") or {}).get("Enabled"))


def mfa_facts(mfa: Document) -> Document:
    """MFA as the diff shows it."""
    return {"mfa": mfa.get("MfaConfiguration") or "OFF", "totp": _totp(mfa)}


def _mfa_changes(params: Document, current: Document) -> t.Iterator[Change]:
    wanted = wanted_mfa(params, current)
    if wanted is None:
        return
    before, after = mfa_facts(current), mfa_facts(wanted)
    if before != after:
        reason = f"mfa: {before['mfa']}, wanted {after['mfa']}" if before["mfa"] != after["mfa"] else "totp differs"
        step = Step("modify", f"mfa of {label(params['name'])}", reason, before, after)
        yield Change(step, "set_user_pool_mfa_config", wanted)


def plan_present(params: Document, current: Pool | None, accepted: t.Collection[str]) -> list[Change]:
    """What makes the pool as it is wanted, in the order in which Cognito accepts it.

    :param params: the module's options.
    :param current: what AWS has, C{None} for no such pool.
    :param accepted: the parameters that this botocore knows for UpdateUserPool.
    :raises PoolError: when a setting is wanted that cannot be changed.
    """
    if current is not None:
        check_immutable(params, current.described)
        _check_secrets(params, current.clients)
    pool = current or Pool({"Name": params["name"]})
    changes = [*_pool_changes(params, current, accepted)]
    updated = any(change.operation == "update_user_pool" for change in changes)
    mfa = list(_mfa_changes(params, pool.mfa))
    changes += mfa
    if updated and not mfa and (pool.mfa.get("MfaConfiguration") or "OFF") != "OFF":
        # UpdateUserPool knows the mode of MFA only, not its kinds: they are set again as they were.
        request = {name: value for name, value in pool.mfa.items() if name in MFA_MEMBERS and value}
        step = Step("keep", f"mfa of {label(params['name'])}", "written again with the pool")
        changes.append(Change(step, "set_user_pool_mfa_config", request))
    changes += [
        *_attribute_changes(params, pool, current is None),
        *_domain_changes(params, pool.described),
        *_group_changes(params, pool.groups),
        *_client_changes(params, pool.clients),
    ]
    return changes or [Change(Step("keep", label(params["name"]), "is as wanted"))]


def _pool_changes(params: Document, current: Pool | None, accepted: t.Collection[str]) -> t.Iterator[Change]:
    name = params["name"]
    if current is None:
        request = _creation(params)
        yield Change(Step("create", label(name), "does not exist", None, request), "create_user_pool", request)
        return
    described = current.described
    changes = differing(wanted_settings(params, described), described)
    if changes:
        before = {key: described.get(key) for key in changes}
        reason = f"differs in {', '.join(sorted(changes))}"
        request = update_request(described, changes, accepted)
        yield Change(Step("modify", label(name), reason, before, changes), "update_user_pool", request)
    before_tags = described.get("UserPoolTags") or {}
    tags = wanted_tags(params, before_tags)
    if tags is not None and tags != before_tags:
        step = Step("tag", label(name), "tags differ", {"tags": before_tags}, {"tags": tags})
        request = {"arn": described.get("Arn", ""), "before": before_tags, "after": tags}
        yield Change(step, "set_tags", request)


def _attribute_changes(params: Document, pool: Pool, new: bool) -> t.Iterator[Change]:
    """Attributes can be added to a pool, never changed or removed."""
    there = {one["Name"] for one in pool.described.get("SchemaAttributes") or []}
    missing = [one for one in params.get("schema") or [] if attribute_name(one) not in there]
    if new or not missing:
        return
    names = ", ".join(attribute_name(one) for one in missing)
    request = {"CustomAttributes": [schema_attribute(one) for one in missing]}
    step = Step("modify", label(params["name"]), f"lacks {names}", None, {"attributes": names})
    yield Change(step, "add_custom_attributes", request)


# -- domain ------------------------------------------------------------------------------------------------------------


def _domain_changes(params: Document, described: Document) -> t.Iterator[Change]:
    wanted = params.get("domain")
    current = described.get("CustomDomain") or described.get("Domain") or ""
    if wanted is None or wanted == current:
        return
    resource = f"domain of {label(params['name'])}"
    before = {"domain": current} if current else None
    if current:
        reason = f"is {current}, wanted {wanted}" if wanted else "none is wanted"
        yield Change(Step("delete", resource, reason, before), "delete_user_pool_domain", {"Domain": current})
    if wanted:
        request: Document = {"Domain": wanted}
        if params.get("domain_certificate_arn"):
            request["CustomDomainConfig"] = {"CertificateArn": params["domain_certificate_arn"]}
        step = Step("create", resource, "does not exist", None, {"domain": wanted})
        yield Change(step, "create_user_pool_domain", request)


# -- groups ------------------------------------------------------------------------------------------------------------


def _group_changes(params: Document, current: dict[str, Document]) -> t.Iterator[Change]:
    given = params.get("groups")
    for group in given or []:
        name, wanted = group["name"], renamed(group, GROUP)
        resource, there = f"group {name} of {label(params['name'])}", current.get(name)
        if there is None:
            request = {"GroupName": name, **wanted}
            yield Change(Step("create", resource, "does not exist", None, wanted), "create_group", request)
            continue
        changes = differing(wanted, there)
        if changes:
            kept = {key: there[key] for key in GROUP.values() if there.get(key) is not None}
            before = {key: there.get(key) for key in changes}
            step = Step("modify", resource, f"differs in {', '.join(sorted(changes))}", before, changes)
            yield Change(step, "update_group", {"GroupName": name, **kept, **changes})
    if given is not None and params.get("purge_groups"):
        for name in sorted(set(current) - {group["name"] for group in given}):
            step = Step("delete", f"group {name} of {label(params['name'])}", "is not listed", {"name": name})
            yield Change(step, "delete_group", {"GroupName": name})


# -- clients -----------------------------------------------------------------------------------------------------------


def client_settings(client: Document, current: Document) -> Document:
    """The settings of an app client that its options name, as AWS takes them.

    :param current: DescribeUserPoolClient, empty for a client that does not exist.
    """
    wanted = renamed(client, CLIENT)
    if client.get("prevent_user_existence_errors") is not None:
        wanted["PreventUserExistenceErrors"] = "ENABLED" if client["prevent_user_existence_errors"] else "LEGACY"
    if client.get("oauth_flows") is not None:
        wanted["AllowedOAuthFlowsUserPoolClient"] = bool(client["oauth_flows"])
    units = dict(current.get("TokenValidityUnits") or {})
    for option, (name, token, unit) in VALIDITY.items():
        if client.get(option) is not None:
            wanted[name] = client[option]
            units[token] = unit
            wanted["TokenValidityUnits"] = units
    return wanted


def _check_secrets(params: Document, current: dict[str, Document]) -> None:
    for client in params.get("clients") or []:
        there, wanted = current.get(client["name"]), client.get("generate_secret")
        if there is not None and wanted is not None and wanted != there["HasSecret"]:
            raise PoolError(
                f"clients: generate_secret of '{client['name']}' is {str(wanted).lower()}, the client has"
                f" {'one' if there['HasSecret'] else 'none'}, and Cognito decides that when a client is created;"
                f" write {str(there['HasSecret']).lower()}, or make a client under another name"
            )


def _client_changes(params: Document, current: dict[str, Document]) -> t.Iterator[Change]:
    given = params.get("clients")
    for client in given or []:
        yield from _client_change(params["name"], client, current.get(client["name"]))
    if given is not None and params.get("purge_clients"):
        for name in sorted(set(current) - {client["name"] for client in given}):
            step = Step("delete", f"client {name} of {label(params['name'])}", "is not listed", {"name": name})
            yield Change(step, "delete_user_pool_client", {"ClientId": current[name]["ClientId"]})


#: What DescribeUserPoolClient adds and UpdateUserPoolClient does not take.
NOT_SETTINGS = ("UserPoolId", "ClientSecret", "LastModifiedDate", "CreationDate", "HasSecret", "ClientType")


def _client_change(pool: str, client: Document, there: Document | None) -> t.Iterator[Change]:
    name, wanted = client["name"], client_settings(client, there or {})
    resource = f"client {name} of {label(pool)}"
    if there is None:
        request = {"ClientName": name, **wanted, "GenerateSecret": bool(client.get("generate_secret"))}
        yield Change(Step("create", resource, "does not exist", None, wanted), "create_user_pool_client", request)
        return
    changes = differing(wanted, there)
    if changes:
        kept = {key: value for key, value in there.items() if key not in NOT_SETTINGS and value is not None}
        before = {key: there.get(key) for key in changes}
        step = Step("modify", resource, f"differs in {', '.join(sorted(changes))}", before, changes)
        yield Change(step, "update_user_pool_client", {**kept, **changes})


# -- the end -----------------------------------------------------------------------------------------------------------


def plan_absent(name: str, current: Pool | None, force: bool, accepted: t.Collection[str]) -> list[Change]:
    """What removes the pool with all its users.

    :param force: whether deletion protection may come off.
    :raises PoolError: when the pool is protected and C{force} is false.
    """
    if current is None:
        return [Change(Step("skip", label(name), "does not exist"))]
    changes = []
    described = current.described
    if described.get("DeletionProtection") == "ACTIVE":
        if not force:
            raise PoolError(
                f"The user pool {name} is protected against deletion and force is false: set force to true to take the"
                " protection off and delete the pool with all its users"
            )
        request = update_request(described, {"DeletionProtection": "INACTIVE"}, accepted)
        step = Step("modify", label(name), "deletion protection comes off, force is true")
        changes.append(Change(step, "update_user_pool", request))
    changes += list(_domain_changes({"name": name, "domain": ""}, described))
    changes.append(Change(Step("delete", label(name), "state is absent", {"name": name}), "delete_user_pool"))
    return changes


def facts(name: str, pool: Pool | None, region: str, suffix: str) -> Document:
    """The pool as the module returns it; ids are empty where nothing has one yet.

    :param suffix: the partition's domain, such as C{amazonaws.com}.
    """
    described = pool.described if pool else {}
    identifier = described.get("Id", "")
    return {
        "id": identifier,
        "arn": described.get("Arn", ""),
        "name": name,
        "domain": described.get("CustomDomain") or described.get("Domain") or "",
        "provider_name": f"cognito-idp.{region}.{suffix}/{identifier}" if identifier else "",
        "clients": {key: client["ClientId"] for key, client in sorted((pool.clients if pool else {}).items())},
        "groups": sorted(pool.groups) if pool else [],
    }

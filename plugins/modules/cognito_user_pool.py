#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cognito_user_pool."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cognito_user_pool
short_description: A Cognito user pool with its app clients, groups and domain
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, converges and deletes a user pool together with its password policy, MFA, app clients, groups and domain.
  - Whatever the task does not name stays as AWS has it. Cognito's own update calls reset what they are not given, so
    this module reads first and sends everything.
  - Sign-in attributes, case sensitivity and the attributes of a pool cannot be changed after it was created. Where they
    differ, the module fails before it changes anything.
  - Never returns the secret of an app client.
options:
  name:
    description:
      - Name of the pool, 1 to 128 characters. Cognito allows several pools of one name; this module works on the only
        one, and fails where there are more unless O(id) says which.
    type: str
    required: true
  id:
    description: Id of the pool, such as V(eu-west-3_AbCdEf123).
    type: str
  state:
    description: V(absent) deletes the pool with all its users. This cannot be undone.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - With O(state=absent), take deletion protection off first. Without it a protected pool is an error.
    type: bool
    default: false
  password_policy:
    description: What a password must be. What is not named stays.
    type: dict
    suboptions:
      minimum_length:
        description: Characters, 6 to 99.
        type: int
      require_uppercase:
        description: Whether it needs an upper-case letter.
        type: bool
      require_lowercase:
        description: Whether it needs a lower-case letter.
        type: bool
      require_numbers:
        description: Whether it needs a digit.
        type: bool
      require_symbols:
        description: Whether it needs a special character.
        type: bool
      history_size:
        description: How many earlier passwords may not be used again, 0 to 24. Needs the tier V(essentials).
        type: int
      temporary_password_days:
        description: Days for which a password set by an administrator holds, 0 to 365.
        type: int
  mfa:
    description: Whether users have a second factor, V(off), V(optional) (each user decides) or V(on).
    type: str
    choices: ['off', optional, 'on']
  mfa_totp:
    description: Whether an authenticator app (time-based one-time passwords) is a second factor.
    type: bool
  account_recovery:
    description: Ways to recover an account, the preferred one first. V(admin_only) excludes the others.
    type: list
    elements: str
    choices: [verified_email, verified_phone_number, admin_only]
  deletion_protection:
    description: Whether AWS refuses to delete the pool.
    type: bool
  username_attributes:
    description: What users sign in with instead of a name. Cannot be changed. Excludes O(alias_attributes).
    type: list
    elements: str
    choices: [email, phone_number]
  alias_attributes:
    description: What users can sign in with beside their name. Cannot be changed.
    type: list
    elements: str
    choices: [email, phone_number, preferred_username]
  username_case_sensitive:
    description: Whether C(Ann) and C(ann) are two users. Cannot be changed. AWS's default is V(false).
    type: bool
  schema:
    description: Attributes of users. Further ones can be added later, none can be changed or removed.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of a standard attribute, or of one of your own without C(custom:), up to 20 characters.
        type: str
        required: true
      type:
        description: Kind of value.
        type: str
        choices: [String, Number, DateTime, Boolean]
      mutable:
        description: Whether its value can be changed.
        type: bool
      required:
        description: Whether each user has it. Standard attributes only, at creation only.
        type: bool
      min_length:
        description: Fewest characters.
        type: int
      max_length:
        description: Most characters, up to 2048.
        type: int
  auto_verified_attributes:
    description: What Cognito verifies by sending a code.
    type: list
    elements: str
    choices: [email, phone_number]
  admin_create_user_only:
    description: Whether only an administrator makes users, so that nobody can sign up.
    type: bool
  tier:
    description: Feature plan of the pool. AWS's default for a new pool is V(essentials).
    type: str
    choices: [lite, essentials, plus]
  email:
    description: How the pool sends mail. Without O(email.source_arn) Cognito sends it, 50 a day.
    type: dict
    suboptions:
      source_arn:
        description: ARN of a verified Amazon SES identity.
        type: str
      from_address:
        description: Sender, such as V(Shop <no-reply@example.com>).
        type: str
      reply_to:
        description: Address for answers.
        type: str
      configuration_set:
        description: SES configuration set.
        type: str
  verification_message:
    description: Mail by which an address is verified.
    type: dict
    suboptions:
      subject:
        description: Its subject.
        type: str
      message:
        description: Its text, with C({####}) where the code goes.
        type: str
      option:
        description: A code to type in, or a link.
        type: str
        choices: [CONFIRM_WITH_CODE, CONFIRM_WITH_LINK]
  clients:
    description: App clients, known by their names.
    type: list
    elements: dict
    suboptions:
      name:
        description: Its name, unique in the pool.
        type: str
        required: true
      generate_secret:
        description: Whether it has a secret. Cannot be changed. Not for browsers and phones.
        type: bool
      auth_flows:
        description: Ways to sign in, such as V(ALLOW_USER_SRP_AUTH).
        type: list
        elements: str
      callback_urls:
        description: Where the hosted pages may send a user on after signing in.
        type: list
        elements: str
      logout_urls:
        description: Where they may send a user on after signing out.
        type: list
        elements: str
      oauth_flows:
        description: OAuth 2.0 flows; some switch the hosted pages on for this client, C([]) off.
        type: list
        elements: str
        choices: [code, implicit, client_credentials]
      oauth_scopes:
        description: OAuth 2.0 scopes.
        type: list
        elements: str
      identity_providers:
        description: Where users come from, V(COGNITO) for the pool itself.
        type: list
        elements: str
      access_token_minutes:
        description: Minutes for which an access token holds, 5 to 1440.
        type: int
      id_token_minutes:
        description: Minutes for which an id token holds, 5 to 1440.
        type: int
      refresh_token_days:
        description: Days for which a refresh token holds, 1 to 3650.
        type: int
      prevent_user_existence_errors:
        description: Whether a wrong name and a wrong password get the same answer.
        type: bool
      enable_token_revocation:
        description: Whether tokens can be revoked.
        type: bool
      read_attributes:
        description: Attributes that it may read.
        type: list
        elements: str
      write_attributes:
        description: Attributes that it may write.
        type: list
        elements: str
  purge_clients:
    description: Whether clients that are not in O(clients) are deleted.
    type: bool
    default: false
  groups:
    description: Groups, known by their names.
    type: list
    elements: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      description:
        description: What it is for.
        type: str
      precedence:
        description: Rank of its role among those of a user's groups; the lowest number wins.
        type: int
      role_arn:
        description: ARN of the role that its users take on through an identity pool.
        type: str
  purge_groups:
    description: Whether groups that are not in O(groups) are deleted.
    type: bool
    default: false
  domain:
    description:
      - Prefix of the hosted pages' domain below C(auth.<region>.amazoncognito.com), or, with
        O(domain_certificate_arn), a domain of your own. Empty for none. Prefixes are shared by all accounts.
    type: str
  domain_certificate_arn:
    description: ACM certificate, in us-east-1, of a domain of your own.
    type: str
notes:
  - Check mode makes no write call and returns the same plan as the real run.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let people sign up by e-mail
  palier.aws.cognito_user_pool:
    name: shop-prod-users
    region: eu-west-3
    username_attributes: [email]
    auto_verified_attributes: [email]
    password_policy:
      minimum_length: 8
      require_uppercase: true
      require_lowercase: true
      require_numbers: true
      require_symbols: false
    mfa: optional
    mfa_totp: true
    account_recovery: [verified_email]
    deletion_protection: true
    clients:
      - name: web
        auth_flows: [ALLOW_USER_SRP_AUTH, ALLOW_REFRESH_TOKEN_AUTH]
        prevent_user_existence_errors: true
    groups:
      - name: editors

- name: Delete the pool with all its users
  palier.aws.cognito_user_pool:
    name: shop-prod-users
    region: eu-west-3
    state: absent
    force: true
"""

RETURN = r"""
user_pool:
  description: The pool. Ids are empty in a plan of what does not exist yet.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: eu-west-3_AbCdEf123
    arn:
      description: Its ARN.
      type: str
    name:
      description: Its name.
      type: str
    domain:
      description: Domain, or prefix of it; empty for none.
      type: str
    provider_name:
      description: Its name as a provider of an identity pool.
      type: str
      sample: cognito-idp.eu-west-3.amazonaws.com/eu-west-3_AbCdEf123
    clients:
      description: Ids of the app clients by name, empty for one that is planned.
      type: dict
    groups:
      description: Names of the groups.
      type: list
      elements: str
plan:
  description: What was done, or would be done in check mode, in this order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(modify), V(tag), V(delete), V(keep) or V(skip).
      type: str
    resource:
      description: The resource.
      type: str
    reason:
      description: Why.
      type: str
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import cognito_api as api
from ansible_collections.palier.aws.plugins.module_utils import cognito_pools as pools
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.cognito_pools import Change, Pool, PoolError
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome

LIST = {"type": "list", "elements": "str"}

PASSWORD_POLICY = {
    "minimum_length": {"type": "int", "no_log": False},
    "require_uppercase": {"type": "bool"},
    "require_lowercase": {"type": "bool"},
    "require_numbers": {"type": "bool"},
    "require_symbols": {"type": "bool"},
    "history_size": {"type": "int"},
    "temporary_password_days": {"type": "int", "no_log": False},
}

ATTRIBUTE = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["String", "Number", "DateTime", "Boolean"]},
    "mutable": {"type": "bool"},
    "required": {"type": "bool"},
    "min_length": {"type": "int"},
    "max_length": {"type": "int"},
}

EMAIL = {name: {"type": "str"} for name in ("source_arn", "from_address", "reply_to", "configuration_set")}

MESSAGE = {
    "subject": {"type": "str"},
    "message": {"type": "str"},
    "option": {"type": "str", "choices": ["CONFIRM_WITH_CODE", "CONFIRM_WITH_LINK"]},
}

CLIENT = {
    "name": {"type": "str", "required": True},
    "generate_secret": {"type": "bool", "no_log": False},
    "auth_flows": LIST,
    "callback_urls": LIST,
    "logout_urls": LIST,
    "oauth_flows": {**LIST, "choices": ["code", "implicit", "client_credentials"]},
    "oauth_scopes": LIST,
    "identity_providers": LIST,
    "access_token_minutes": {"type": "int", "no_log": False},
    "id_token_minutes": {"type": "int", "no_log": False},
    "refresh_token_days": {"type": "int", "no_log": False},
    "prevent_user_existence_errors": {"type": "bool"},
    "enable_token_revocation": {"type": "bool", "no_log": False},
    "read_attributes": LIST,
    "write_attributes": LIST,
}

GROUP = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str"},
    "precedence": {"type": "int"},
    "role_arn": {"type": "str"},
}

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "id": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force": {"type": "bool", "default": False},
    "password_policy": {"type": "dict", "options": PASSWORD_POLICY, "no_log": False},
    "mfa": {"type": "str", "choices": ["off", "optional", "on"]},
    "mfa_totp": {"type": "bool"},
    "account_recovery": {**LIST, "choices": ["verified_email", "verified_phone_number", "admin_only"]},
    "deletion_protection": {"type": "bool"},
    "username_attributes": {**LIST, "choices": ["email", "phone_number"]},
    "alias_attributes": {**LIST, "choices": ["email", "phone_number", "preferred_username"]},
    "username_case_sensitive": {"type": "bool"},
    "schema": {"type": "list", "elements": "dict", "options": ATTRIBUTE},
    "auto_verified_attributes": {**LIST, "choices": ["email", "phone_number"]},
    "admin_create_user_only": {"type": "bool"},
    "tier": {"type": "str", "choices": ["lite", "essentials", "plus"]},
    "email": {"type": "dict", "options": EMAIL},
    "verification_message": {"type": "dict", "options": MESSAGE},
    "clients": {"type": "list", "elements": "dict", "options": CLIENT},
    "purge_clients": {"type": "bool", "default": False},
    "groups": {"type": "list", "elements": "dict", "options": GROUP},
    "purge_groups": {"type": "bool", "default": False},
    "domain": {"type": "str"},
    "domain_certificate_arn": {"type": "str"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}

#: Functions whose request does not name the pool.
WITHOUT_POOL = ("create_user_pool", "set_tags")


def find(module: AnsibleAWSModule, client: t.Any) -> Pool | None:
    """The pool that the options mean.

    :raises PoolError: when several pools have the name.
    """
    name, identifier = module.params["name"], module.params["id"]
    if identifier:
        return api.read_pool(client, identifier)
    found = [pool["Id"] for pool in api.list_user_pools(client) if pool["Name"] == name]
    if len(found) > 1:
        raise PoolError(f"There are {len(found)} user pools named {name} ({', '.join(sorted(found))}): set id to one")
    return api.read_pool(client, found[0]) if found else None


def carry_out(client: t.Any, changes: t.Sequence[Change], pool: Pool | None) -> str:
    """Make the calls; returns the pool's id."""
    identifier = pool.described["Id"] if pool else ""
    for change in changes:
        if not change.operation:
            continue
        scope = {} if change.operation in WITHOUT_POOL else {"UserPoolId": identifier}
        answer = getattr(api, change.operation)(client, **scope, **change.request)
        if change.operation == "create_user_pool":
            identifier = answer["Id"]
    return identifier


def decide(module: AnsibleAWSModule, client: t.Any, current: Pool | None) -> list[Change]:
    """The plan."""
    accepted = client.meta.service_model.operation_model("UpdateUserPool").input_shape.members
    if module.params["state"] == "absent":
        return pools.plan_absent(module.params["name"], current, module.params["force"], accepted)
    return pools.plan_present(module.params, current, accepted)


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, plan, apply."""
    client = module.client("cognito-idp")
    try:
        current = find(module, client)
        changes = decide(module, client, current)
    except PoolError as error:
        module.fail_json(msg=str(error))
        raise
    if not module.check_mode:
        identifier = carry_out(client, changes, current)
        current = api.read_pool(client, identifier) if module.params["state"] == "present" else None
    result = outcome(change.step for change in changes)
    if module.params["state"] == "present":
        region = client.meta.region_name
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        result["user_pool"] = pools.facts(module.params["name"], current, region, suffix)
        # In a plan of new clients they stand there without an id, so that what follows sees that they will come.
        planned = {client["name"]: "" for client in module.params["clients"] or []}
        result["user_pool"]["clients"] = planned | result["user_pool"]["clients"]
    return result


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        mutually_exclusive=[("username_attributes", "alias_attributes")],
        required_by={"domain_certificate_arn": "domain"},
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

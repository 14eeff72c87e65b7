#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cognito_identity_pool."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cognito_identity_pool
short_description: A Cognito identity pool and the roles of its identities
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, converges and deletes an identity pool, which gives signed-in users AWS credentials of a role.
  - Whatever the task does not name stays as AWS has it; this module reads first and sends everything, because AWS's
    update calls reset what they are not given.
  - A role's trust policy names the id of the pool, so a first task makes the pool, and a later one sets its roles.
options:
  name:
    description:
      - Name of the pool. Several pools may have one name; this module works on the only one, and fails where there are
        more unless O(id) says which.
    type: str
    required: true
  id:
    description: Id of the pool.
    type: str
  state:
    description: Whether the pool should be there.
    type: str
    choices: [present, absent]
    default: present
  allow_unauthenticated:
    description: Whether somebody who has not signed in gets credentials.
    type: bool
    default: false
  allow_classic_flow:
    description: Whether the older way to get credentials, in which the client names the role, works too.
    type: bool
  user_pools:
    description: User pools and their clients whose users the pool takes.
    type: list
    elements: dict
    suboptions:
      provider_name:
        description: Name of the user pool as a provider, as M(palier.aws.cognito_user_pool) returns it.
        type: str
        required: true
      client_id:
        description: Id of the app client.
        type: str
        required: true
      server_side_token_check:
        description: Whether a user who was signed out or disabled in the user pool gets no further credentials.
        type: bool
        default: true
  authenticated_role_arn:
    description: ARN of the role of those who have signed in.
    type: str
  unauthenticated_role_arn:
    description: ARN of the role of those who have not. Empty for none.
    type: str
  role_mappings:
    description: All ways to choose another role by provider. C([]) removes them.
    type: list
    elements: dict
    suboptions:
      provider:
        description: Provider, for a user pool C(<provider name>:<client id>).
        type: str
        required: true
      type:
        description: V(token) takes the role of the user's group, V(rules) the first rule that matches.
        type: str
        choices: [token, rules]
        default: token
      ambiguous_role:
        description: What is done where no role, or more than one, follows.
        type: str
        choices: [authenticated_role, deny]
        default: deny
      rules:
        description: Rules, the first that matches wins; up to 25 in a pool.
        type: list
        elements: dict
        suboptions:
          claim:
            description: Claim of the token.
            type: str
            required: true
          match:
            description: How it is compared.
            type: str
            choices: [equals, contains, starts_with, not_equal]
            default: equals
          value:
            description: With what.
            type: str
            required: true
          role_arn:
            description: ARN of the role.
            type: str
            required: true
notes:
  - Check mode makes no write call and returns the same plan as the real run.
seealso:
  - module: palier.aws.cognito_user_pool
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the pool
  palier.aws.cognito_identity_pool:
    name: shop-prod-identities
    region: eu-west-3
    user_pools:
      - provider_name: cognito-idp.eu-west-3.amazonaws.com/eu-west-3_AbCdEf123
        client_id: 3n4b5urk1ft4fl3mg5e62d9ado
  register: identities

- name: Give those who have signed in a role
  palier.aws.cognito_identity_pool:
    name: shop-prod-identities
    region: eu-west-3
    authenticated_role_arn: arn:aws:iam::123456789012:role/shop-prod-signed-in
"""

RETURN = r"""
identity_pool:
  description: The pool. Its id is empty in a plan of what does not exist yet.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: eu-west-3:0a1b2c3d-0123-4567-89ab-0123456789ab
    name:
      description: Its name.
      type: str
    roles:
      description: ARNs of the roles, C(authenticated) and C(unauthenticated).
      type: dict
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
from ansible_collections.palier.aws.plugins.module_utils import cognito_identities as identities
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.buckets_names import partition_of
from ansible_collections.palier.aws.plugins.module_utils.cognito_pools import Change
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome

USER_POOL = {
    "provider_name": {"type": "str", "required": True},
    "client_id": {"type": "str", "required": True},
    "server_side_token_check": {"type": "bool", "default": True, "no_log": False},
}

RULE = {
    "claim": {"type": "str", "required": True},
    "match": {"type": "str", "choices": ["equals", "contains", "starts_with", "not_equal"], "default": "equals"},
    "value": {"type": "str", "required": True},
    "role_arn": {"type": "str", "required": True},
}

MAPPING = {
    "provider": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["token", "rules"], "default": "token"},
    "ambiguous_role": {"type": "str", "choices": ["authenticated_role", "deny"], "default": "deny"},
    "rules": {"type": "list", "elements": "dict", "options": RULE},
}

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "id": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "allow_unauthenticated": {"type": "bool", "default": False},
    "allow_classic_flow": {"type": "bool"},
    "user_pools": {"type": "list", "elements": "dict", "options": USER_POOL},
    "authenticated_role_arn": {"type": "str"},
    "unauthenticated_role_arn": {"type": "str"},
    "role_mappings": {
        "type": "list",
        "elements": "dict",
        "options": MAPPING,
        "required_if": [("type", "rules", ["rules"])],
    },
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def find(module: AnsibleAWSModule, client: t.Any) -> dict[str, t.Any] | None:
    """The pool that the options mean."""
    name, identifier = module.params["name"], module.params["id"]
    if identifier:
        return api.describe_identity_pool(client, identifier)
    found = [pool["IdentityPoolId"] for pool in api.list_identity_pools(client) if pool["IdentityPoolName"] == name]
    if len(found) > 1:
        module.fail_json(
            msg=f"There are {len(found)} identity pools named {name} ({', '.join(sorted(found))}): set id to one"
        )
    return api.describe_identity_pool(client, found[0]) if found else None


def carry_out(client: t.Any, changes: t.Sequence[Change], identifier: str, account: t.Callable[[], str]) -> str:
    """Make the calls; returns the pool's id.

    :param account: tells the number of the account, which only the ARN of tags needs.
    """
    for change in changes:
        if change.operation == "create_identity_pool":
            identifier = api.create_identity_pool(client, **change.request)["IdentityPoolId"]
        elif change.operation == "set_tags":
            region = client.meta.region_name
            arn = f"arn:{partition_of(region)}:cognito-identity:{region}:{account()}:identitypool/{identifier}"
            api.set_tags(client, arn, **change.request)
        elif change.operation:
            getattr(api, change.operation)(client, IdentityPoolId=identifier, **change.request)
    return identifier


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, plan, apply."""
    client = module.client("cognito-identity")
    name, present = module.params["name"], module.params["state"] == "present"
    current = find(module, client)
    identifier = current["IdentityPoolId"] if current else ""
    roles = api.get_identity_pool_roles(client, identifier) if current and present else {}
    changes = (
        identities.plan_present(module.params, current, roles) if present else identities.plan_absent(name, current)
    )
    if not module.check_mode:
        identifier = carry_out(client, changes, identifier, lambda: account_of(module))
    result = outcome(change.step for change in changes)
    if present:
        wanted = identities.wanted_roles(module.params, roles) or roles
        result["identity_pool"] = {"id": identifier, "name": name, "roles": wanted.get("Roles") or {}}
    return result


def account_of(module: AnsibleAWSModule) -> str:
    """Number of the account."""
    return str(module.client("sts").get_caller_identity()["Account"])


def main() -> None:
    """Run as an Ansible module."""
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

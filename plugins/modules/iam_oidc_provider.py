#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_oidc_provider
short_description: An identity provider whose tokens roles of the account can be taken on with
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates an OpenID Connect provider in IAM, such as GitHub's or GitLab's for their pipelines, and deletes it.
  - An account has one provider for each URL, whoever made it. One that stands is used as it is and only gets the
    audiences that it lacks.
  - It is deleted only when no role trusts it any more, and only if it has the tags of O(owner_tags).
options:
  url:
    description:
      - The provider's URL, which must begin with C(https://), for example C(https://token.actions.githubusercontent.com).
    type: str
    required: true
  state:
    description:
      - V(present) creates it or adds audiences, V(absent) deletes it where nobody needs it.
    type: str
    choices: [present, absent]
    default: present
  audiences:
    description:
      - What the C(aud) claim of a token may be, which IAM calls client ids. Needed for O(state=present).
    type: list
    elements: str
  owner_tags:
    description:
      - With O(state=absent), tags that the provider must have to be deleted. Without any, its maker does not count.
    type: dict
    default: {}
  leaving_path:
    description:
      - With O(state=absent), an IAM path such as C(/shop/prod/). Roles below it are on their way out and do not count,
        so that check mode says what will happen once they are gone.
    type: str
    default: ''
  tags:
    description:
      - Tags of a new provider. Those of one that stands are left as they are.
    type: dict
    default: {}
notes:
  - Check mode makes no write call and returns the same plan as the real run.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let pipelines on GitHub prove who they are
  palier.aws.iam_oidc_provider:
    url: https://token.actions.githubusercontent.com
    audiences: [sts.amazonaws.com]
    tags: {ManagedBy: palier.aws}

- name: Remove it unless a role still trusts it
  palier.aws.iam_oidc_provider:
    url: https://token.actions.githubusercontent.com
    state: absent
    owner_tags: {ManagedBy: palier.aws}
"""

RETURN = r"""
arn:
  description: The provider's ARN, which follows from its URL.
  returned: always
  type: str
  sample: arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com
plan:
  description: What was done, or would be done in check mode, in this order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(modify), V(delete), V(keep) or V(skip).
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
from ansible_collections.palier.aws.plugins.module_utils import oidc
from ansible_collections.palier.aws.plugins.module_utils import oidc_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

ARGUMENTS = {
    "url": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "audiences": {"type": "list", "elements": "str"},
    "owner_tags": {"type": "dict", "default": {}},
    "leaving_path": {"type": "str", "default": ""},
    "tags": {"type": "dict", "default": {}},
}


def own_arn(module: AnsibleAWSModule) -> str:
    """The ARN that a provider of this URL has in the caller's account."""
    caller = module.client("sts").get_caller_identity()
    return oidc.arn(caller["Arn"].split(":")[1], caller["Account"], module.params["url"])


def carry_out(client: t.Any, arn: str, params: dict[str, t.Any], steps: list[Step]) -> None:
    """Carry out the plan's steps."""
    for step in steps:
        if step.verb == "create":
            api.create_provider(client, params["url"], step.after["audiences"], step.after["tags"])
        elif step.verb == "modify":
            for audience in sorted(set(step.after["audiences"]) - set(step.before["audiences"])):
                api.add_audience(client, arn, audience)
        elif step.verb == "delete":
            api.delete_provider(client, arn)


def removal(client: t.Any, arn: str, params: dict[str, t.Any], current: oidc.Provider | None) -> list[Step]:
    """The plan of a removal; the roles are read only where there is something to remove."""
    leaving = params["leaving_path"]
    roles = (
        [role for role in api.roles(client) if not leaving or not role["Path"].startswith(leaving)] if current else []
    )
    trusting = [role["RoleName"] for role in roles if oidc.trusts(role["AssumeRolePolicyDocument"], arn)]
    return oidc.plan_removal(params["url"], params["owner_tags"], current, trusting)


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, plan, apply."""
    client, params, arn = module.client("iam"), module.params, own_arn(module)
    if not params["url"].startswith("https://"):
        module.fail_json(msg=f"url: '{params['url']}' must begin with https://, since IAM takes no other.")
    current = api.get_provider(client, arn)
    if params["state"] == "present":
        tags = {key: str(value) for key, value in params["tags"].items()}
        steps = oidc.plan(params["url"], params["audiences"], tags, current)
    else:
        steps = removal(client, arn, params, current)
    if not module.check_mode:
        carry_out(client, arn, params, steps)
    return {**outcome(steps), "arn": arn}


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS, supports_check_mode=True, required_if=[("state", "present", ["audiences"])]
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.sns_topic."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sns_topic
short_description: An encrypted SNS topic and who is told by it
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, converges and deletes a standard topic with its key, its subscriptions and its tags.
  - Does what M(community.aws.sns_topic) does not; it encrypts, and it can be planned before the topic exists.
  - Of the address of a web hook only the host is shown, because its path is often a secret.
options:
  name:
    description: Its name, 1 to 256 letters, digits, hyphens and underscores.
    type: str
    required: true
  state:
    description: V(absent) deletes the topic and its subscriptions.
    type: str
    choices: [present, absent]
    default: present
  display_name:
    description: Sender's name of its mails.
    type: str
  kms_key_id:
    description:
      - Id, ARN or alias of the KMS key that encrypts messages; empty for none. CloudWatch's alarms need a key whose
        policy lets C(cloudwatch.amazonaws.com) use it, so not AWS's own key C(alias/aws/sns).
    type: str
  subscriptions:
    description: Who is told. Each has to confirm it once.
    type: list
    elements: dict
    suboptions:
      protocol:
        description: How.
        type: str
        choices: [email, email-json, https, sms, sqs, lambda, firehose]
        required: true
      endpoint:
        description: Where.
        type: str
        required: true
  purge_subscriptions:
    description: Whether others are ended. One that was never confirmed cannot be; AWS forgets it after some days.
    type: bool
    default: true
notes:
  - Check mode makes no write call and returns the same plan as the real run.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Tell who is on duty
  palier.aws.sns_topic:
    name: shop-prod-alarms
    region: eu-west-3
    kms_key_id: alias/shop-prod-monitoring
    subscriptions:
      - {protocol: email, endpoint: duty@example.com}
"""

RETURN = r"""
topic_arn:
  description: Its ARN, which follows from its name.
  returned: always
  type: str
unconfirmed:
  description: Subscriptions that nobody has confirmed yet, web hooks by their host.
  returned: O(state=present)
  type: list
  elements: str
plan:
  description: What was done, or would be done in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: What happens.
      type: str
    resource:
      description: To what.
      type: str
    reason:
      description: Why.
      type: str
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import cloudwatch
from ansible_collections.palier.aws.plugins.module_utils import cloudwatch_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.buckets_names import partition_of
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

SUBSCRIPTION = {
    "protocol": {
        "type": "str",
        "choices": ["email", "email-json", "https", "sms", "sqs", "lambda", "firehose"],
        "required": True,
    },
    "endpoint": {"type": "str", "required": True},
}

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "display_name": {"type": "str"},
    "kms_key_id": {"type": "str", "no_log": False},
    "subscriptions": {"type": "list", "elements": "dict", "options": SUBSCRIPTION},
    "purge_subscriptions": {"type": "bool", "default": True},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}

#: Attributes of a topic by option.
ATTRIBUTES = {"kms_key_id": "KmsMasterKeyId", "display_name": "DisplayName"}


def topic_arn(module: AnsibleAWSModule, client: t.Any) -> str:
    """The ARN that a topic of this name has."""
    region, account = client.meta.region_name, module.client("sts").get_caller_identity()["Account"]
    return f"arn:{partition_of(region)}:sns:{region}:{account}:{module.params['name']}"


def read(client: t.Any, arn: str) -> dict[str, t.Any] | None:
    """The topic as the plan compares it; C{None} when it does not exist."""
    attributes = api.topic_attributes(client, arn)
    if attributes is None:
        return None
    current = {option: attributes.get(name) or "" for option, name in ATTRIBUTES.items()}
    subscriptions = api.topic_subscriptions(client, arn)
    return {**current, "tags": api.topic_tags(client, arn), "subscriptions": subscriptions}


def carry_out(client: t.Any, arn: str, params: dict[str, t.Any], current: dict[str, t.Any] | None) -> None:
    """Bring the topic to what the options say."""
    there = current or {"tags": {}, "subscriptions": []}
    tags = cloudwatch.wanted_tags(params, there["tags"])
    given = {name: params[option] for option, name in ATTRIBUTES.items() if params.get(option) is not None}
    if current is None:
        api.create_topic(client, params["name"], {name: value for name, value in given.items() if value}, tags)
    else:
        for option, name in ATTRIBUTES.items():
            if name in given and given[name] != current[option]:
                api.set_topic_attribute(client, arn, name, given[name])
        api.set_topic_tags(client, arn, there["tags"], tags)
    for protocol, endpoint in cloudwatch.missing_subscriptions(params, there):
        api.subscribe(client, arn, protocol, endpoint)
    for one in cloudwatch.surplus_subscriptions(params, there):
        api.unsubscribe(client, one["SubscriptionArn"])


def present(module: AnsibleAWSModule, client: t.Any, arn: str) -> dict[str, t.Any]:
    """Create or converge the topic."""
    current = read(client, arn)
    steps = cloudwatch.plan_topic(module.params, current)
    if not module.check_mode and any(step.changes for step in steps):
        carry_out(client, arn, module.params, current)
        current = read(client, arn)
    subscriptions = (current or {}).get("subscriptions") or []
    unconfirmed = [one for one in subscriptions if one["SubscriptionArn"] == "PendingConfirmation"]
    shown = sorted(cloudwatch.shown(one["Protocol"], one["Endpoint"]) for one in unconfirmed)
    return {**outcome(steps), "topic_arn": arn, "unconfirmed": shown}


def absent(module: AnsibleAWSModule, client: t.Any, arn: str) -> dict[str, t.Any]:
    """Delete the topic."""
    resource = f"sns topic {module.params['name']}"
    if api.topic_attributes(client, arn) is None:
        return {**outcome([Step("skip", resource, "does not exist")]), "topic_arn": arn}
    if not module.check_mode:
        api.delete_topic(client, arn)
    return {**outcome([Step("delete", resource, "state is absent", {"arn": arn})]), "topic_arn": arn}


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, plan, apply."""
    client = module.client("sns")
    return (present if module.params["state"] == "present" else absent)(module, client, topic_arn(module, client))


def main() -> None:
    """Run as an Ansible module."""
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

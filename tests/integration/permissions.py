# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks run as a user who may do what the policy of docs/iam says, and it says no more than they need."""

from __future__ import annotations

import json
import os
import typing as t

from tests.emulator import Emulator
from tools import iam

#: Set by ``make iam``: the user may do everything, and the policy is written afresh instead of compared.
RECORDING = bool(os.environ.get("PALIER_RECORD_IAM"))
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def user(account: Emulator, inventory: str) -> dict[str, str]:
    """A user of the account, as environment variables.

    :param account: where.
    :param inventory: whose policy the user has.
    """
    policy = EVERYTHING if RECORDING else iam.read(inventory)
    client = account.client("iam")
    client.create_user(UserName="deployer")
    client.put_user_policy(UserName="deployer", PolicyName="deploy", PolicyDocument=json.dumps(policy))
    key = client.create_access_key(UserName="deployer")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def judge(inventory: str, name: str, asked: t.Iterable[iam.Question], **how: t.Any) -> None:
    """Compare the policy with what was asked for, or write it.

    :param inventory: whose policy.
    :param name: C{stack_name}.
    :param asked: all that IAM was asked while the system lived.
    :param how: see L{iam.policy}.
    :raises AssertionError: if it allows anything else.
    """
    needed = iam.policy(asked, name, **how)
    if RECORDING:
        iam.write(inventory, needed)
    differing = iam.differences(iam.read(inventory), needed)
    assert not differing, (inventory, differing, "`make iam` writes it afresh; parts of a test module need less")


def written_policies(account: Emulator) -> dict[str, iam.Policy]:
    """The policies of the account that are not AWS's own: managed ones, and what roles carry inline."""
    client = account.client("iam")
    found = {}
    for one in client.list_policies(Scope="Local")["Policies"]:
        version = client.get_policy_version(PolicyArn=one["Arn"], VersionId=one["DefaultVersionId"])
        found[one["Arn"]] = version["PolicyVersion"]["Document"]
    for role in client.list_roles()["Roles"]:
        for name in client.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            inline = client.get_role_policy(RoleName=role["RoleName"], PolicyName=name)
            found[f"{role['Arn']} {name}"] = inline["PolicyDocument"]
    return found


def findings(account: Emulator) -> dict[str, list[str]]:
    """What parliament has to say against those policies, by the ARN of each that it does not like."""
    judged = {arn: iam.findings(document) for arn, document in written_policies(account).items()}
    return {arn: found for arn, found in judged.items() if found}

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecr_repository."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_repository
short_description: Create, change and delete an ECR repository with everything that belongs to it
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Manages tag immutability, scan on push, encryption, lifecycle policy, permissions policy and tags of a private ECR
    repository, with secure defaults.
  - Beyond M(community.aws.ecs_ecr) it knows tags, immutability with exceptions, and encryption with the key that AWS
    manages for ECR, and its check mode plans a repository that does not exist yet.
options:
  name:
    description: Name of the repository, for example V(shop/backend).
    type: str
    required: true
  state:
    description: Whether it should be there.
    type: str
    choices: [present, absent]
    default: present
  force:
    description: Delete the repository although it holds images.
    type: bool
    default: false
  image_tag_mutability:
    description: Whether a tag can be moved to another image.
    type: str
    choices: [immutable, mutable]
    default: immutable
  image_tag_mutability_exclusions:
    description:
      - Up to five wildcards (C(*) only) of tags that are an exception to O(image_tag_mutability), such as V(latest).
    type: list
    elements: str
    default: []
  scan_on_push:
    description: Whether images are scanned for known vulnerabilities when they are pushed.
    type: bool
    default: true
  encryption:
    description: How images are encrypted. It cannot be changed later.
    type: str
    choices: [AES256, KMS, KMS_DSSE]
    default: AES256
  kms_key:
    description: ARN of the KMS key. By default, with O(encryption) by KMS, the one that AWS manages for ECR.
    type: str
  lifecycle_policy:
    description:
      - The lifecycle policy as a dict in ECR's form.
      - An empty dict removes it. Not given, it stays as it is.
    type: dict
  policy:
    description:
      - The permissions policy as a dict.
      - An empty dict removes it. Not given, it stays as it is.
    type: dict
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Create a repository that keeps the last thirty images
  palier.aws.ecr_repository:
    name: shop/backend
    lifecycle_policy:
      rules:
        - rulePriority: 1
          description: Keep the last 30 images
          selection: {tagStatus: any, countType: imageCountMoreThan, countNumber: 30}
          action: {type: expire}
    tags:
      Stack: shop

- name: Delete a repository and its images
  palier.aws.ecr_repository:
    name: shop/backend
    state: absent
    force: true
"""

RETURN = r"""
repository:
  description: The repository as it is, or in check mode as it would be.
  returned: when O(state=present)
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    arn:
      description: Its ARN; empty in check mode when it does not exist yet.
      type: str
    uri:
      description: Its address for pulling and pushing; empty in check mode when it does not exist yet.
      type: str
    registry_id:
      description: The account.
      type: str
plan:
  description: Every step, and why.
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

import json
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecr_api as api
from ansible_collections.palier.aws.plugins.module_utils import ecr_repository
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.ecr_repository import Repository, RepositoryError
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def wanted(params: dict[str, t.Any]) -> Repository:
    """The module's options as a repository."""
    return Repository(
        name=params["name"],
        mutability=ecr_repository.mode(params["image_tag_mutability"], params["image_tag_mutability_exclusions"]),
        exclusions=tuple(params["image_tag_mutability_exclusions"]),
        scan_on_push=params["scan_on_push"],
        encryption=params["encryption"],
        kms_key=params["kms_key"],
        lifecycle=params["lifecycle_policy"] or None,
        policy=params["policy"] or None,
        tags=params["tags"] or {},
    )


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, plan, apply."""
    client = module.client("ecr")
    name = module.params["name"]
    described = api.describe_repository(client, repositoryNames=[name])
    if module.params["state"] == "absent":
        return outcome(_remove(module, client, described))
    goal = wanted(module.params)
    touch = {
        key
        for key, option in (("lifecycle", "lifecycle_policy"), ("policy", "policy"))
        if module.params[option] is not None
    }
    try:
        steps = _plan(module, client, described, goal, touch)
    except RepositoryError as error:
        module.fail_json(msg=str(error))
        raise
    if not module.check_mode and any(step.changes for step in steps):
        _apply(client, described, goal, steps, touch)
        described = api.describe_repository(client, repositoryNames=[name])
    return {**outcome(steps), "repository": _facts(described or {"repositoryName": name})}


def _plan(module: AnsibleAWSModule, client: t.Any, described: t.Any, goal: Repository, touch: set[str]) -> list[Step]:
    current = _current(client, described, touch) if described else None
    tagged = module.params["tags"] is not None
    if current and not tagged:
        goal = ecr_repository.with_tags(goal, current.tags)
    return ecr_repository.plan(current, goal, purge_tags=tagged and module.params["purge_tags"], touch=touch)


def _current(client: t.Any, described: dict[str, t.Any], touch: set[str]) -> Repository:
    name = described["repositoryName"]
    tags = {tag["Key"]: tag["Value"] for tag in api.list_tags(client, described["repositoryArn"])}
    lifecycle = api.get_lifecycle_policy(client, repositoryName=name) if "lifecycle" in touch else None
    policy = api.get_repository_policy(client, repositoryName=name) if "policy" in touch else None
    return ecr_repository.from_aws(described, lifecycle, policy, tags)


def _remove(module: AnsibleAWSModule, client: t.Any, described: t.Any) -> list[Step]:
    name = module.params["name"]
    resource = f"ecr repository {name}"
    if not described:
        return [Step("keep", resource, "it does not exist")]
    if not module.check_mode:
        api.delete_repository(client, repositoryName=name, force=module.params["force"])
    return [Step("delete", resource, "it is not wanted", {"name": name})]


def _apply(client: t.Any, described: t.Any, goal: Repository, steps: list[Step], touch: set[str]) -> None:
    if described is None:
        described = api.create_repository(client, **goal.creation())
        _set_policies(client, goal, {key for key in touch if getattr(goal, key)})
        return
    names = {key for step in steps if step.verb == "modify" for key in step.after}
    if "image_tag_mutability" in names:
        api.put_image_tag_mutability(client, repositoryName=goal.name, **goal.mutability_request())
    if "scan_on_push" in names:
        scanning = {"scanOnPush": goal.scan_on_push}
        api.put_image_scanning(client, repositoryName=goal.name, imageScanningConfiguration=scanning)
    _set_policies(
        client, goal, {key for key, name in (("lifecycle", "lifecycle_policy"), ("policy", "policy")) if name in names}
    )
    for step in steps:
        if step.verb == "tag":
            _set_tags(client, described["repositoryArn"], step.before["tags"], step.after["tags"])


def _set_policies(client: t.Any, goal: Repository, changed: set[str]) -> None:
    if "lifecycle" in changed and goal.lifecycle:
        api.put_lifecycle_policy(client, repositoryName=goal.name, lifecyclePolicyText=json.dumps(goal.lifecycle))
    elif "lifecycle" in changed:
        api.delete_lifecycle_policy(client, repositoryName=goal.name)
    if "policy" in changed and goal.policy:
        api.set_repository_policy(client, repositoryName=goal.name, policyText=json.dumps(goal.policy))
    elif "policy" in changed:
        api.delete_repository_policy(client, repositoryName=goal.name)


def _set_tags(client: t.Any, arn: str, before: dict[str, str], after: dict[str, str]) -> None:
    gone = sorted(before.keys() - after.keys())
    if gone:
        api.untag_resource(client, arn, gone)
    changed = [{"Key": key, "Value": value} for key, value in after.items() if before.get(key) != value]
    if changed:
        api.tag_resource(client, arn, changed)


def _facts(described: dict[str, t.Any]) -> dict[str, str]:
    return {
        "name": described["repositoryName"],
        "arn": described.get("repositoryArn", ""),
        "uri": described.get("repositoryUri", ""),
        "registry_id": described.get("registryId", ""),
    }


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "force": {"type": "bool", "default": False},
            "image_tag_mutability": {"choices": ["immutable", "mutable"], "default": "immutable"},
            "image_tag_mutability_exclusions": {"type": "list", "elements": "str", "default": []},
            "scan_on_push": {"type": "bool", "default": True},
            "encryption": {"choices": ["AES256", "KMS", "KMS_DSSE"], "default": "AES256"},
            "kms_key": {"type": "str", "no_log": False},
            "lifecycle_policy": {"type": "dict"},
            "policy": {"type": "dict"},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

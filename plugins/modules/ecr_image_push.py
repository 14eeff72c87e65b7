#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecr_image_push."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_image_push
short_description: Build a container image and push it to ECR
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Builds an image with Docker and pushes it under a tag. Nothing is done where the registry has the tag already, so
    that a version is built once.
  - Docker gets the registry's token by a configuration of its own, for this push only.
options:
  repository:
    description: >-
      Address of the repository in ECR, such as
      V(123456789012.dkr.ecr.eu-west-3.amazonaws.com/shop-prod-backend).
    type: str
    required: true
  tag:
    description: Tag of the image.
    type: str
    required: true
  path:
    description: Directory with the Dockerfile, on the machine that runs the module.
    type: path
    required: true
  dockerfile:
    description: Name of the Dockerfile within O(path). Empty for Docker's own default.
    type: str
    default: ''
  platform:
    description: Operating system and processor of the image.
    type: str
    default: linux/amd64
requirements:
  - Docker with its command line client
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Build and push
  palier.aws.ecr_image_push:
    repository: 123456789012.dkr.ecr.eu-west-3.amazonaws.com/shop-prod-backend
    tag: v1.4.2
    path: backend
"""

RETURN = r"""
image:
  description: Address of the image, by its digest; in check mode, where it is not there yet, by its tag.
  returned: always
  type: str
  sample: 123456789012.dkr.ecr.eu-west-3.amazonaws.com/shop-prod-backend@sha256:0f1e...
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: push
      resource: image shop-prod-backend:v1.4.2
      reason: the registry does not have it
"""

import json
import os
import tempfile
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecr_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

#: How much of what Docker said is shown when it fails.
SHOWN_LINES = 30


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Look, build, push, look again."""
    base, tag = module.params["repository"], module.params["tag"]
    host, _slash, repository = base.partition("/")
    if not repository or ".dkr.ecr." not in host:
        raise AnsibleAWSError(message=f"repository is {base}: write the address of a repository in ECR")
    client = module.client("ecr")
    digest = find(client, repository, tag)
    resource = f"image {repository}:{tag}"
    if digest:
        return {**outcome([Step("keep", resource, "the registry has it")]), "image": f"{base}@{digest}"}
    step = Step("push", resource, "the registry does not have it", None, {"path": module.params["path"]})
    if module.check_mode:
        return {**outcome([step]), "image": f"{base}:{tag}"}
    build(module, f"{base}:{tag}")
    push(module, client, host, f"{base}:{tag}")
    return {**outcome([step]), "image": f"{base}@{find(client, repository, tag)}"}


def find(client: t.Any, repository: str, tag: str) -> str:
    """The digest of a tag; empty where the repository does not have it."""
    found = api.describe_image(client, {"imageTag": tag}, repositoryName=repository)
    if found is None:
        raise AnsibleAWSError(message=f"repository: there is no {repository}; create it first (run deploy.yml)")
    return str(found[0]["imageDigest"]) if found else ""


def build(module: AnsibleAWSModule, image: str) -> None:
    """Build it. Without attestations it is one image and no index, which has the same digest for the same content."""
    path, dockerfile = module.params["path"], module.params["dockerfile"]
    chosen = ["--file", os.path.join(path, dockerfile)] if dockerfile else []
    command = [docker(module), "build", "--platform", module.params["platform"], "--tag", image, *chosen, path]
    check(module, "build", module.run_command(command, environ_update={"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}))


def push(module: AnsibleAWSModule, client: t.Any, host: str, image: str) -> None:
    """Push it, with a token that stands in no command line and goes with the configuration."""
    token = api.get_authorization_token(client)["authorizationToken"]
    module.no_log_values.add(token)
    with tempfile.TemporaryDirectory(dir=module.tmpdir) as directory:
        with open(os.path.join(directory, "config.json"), "w", encoding="utf-8", opener=private) as file:
            json.dump({"auths": {host: {"auth": token}}}, file)
        check(module, "push", module.run_command([docker(module), "--config", directory, "push", image]))


def private(path: str, flags: int) -> int:
    """Open a file that only its owner reads."""
    return os.open(path, flags, 0o600)


def docker(module: AnsibleAWSModule) -> str:
    """Docker's command line client."""
    return str(module.get_bin_path("docker", required=True))


def check(module: AnsibleAWSModule, verb: str, result: tuple[int, str, str]) -> None:
    """End with Docker's own last words where it failed."""
    code, output, errors = result
    if code:
        last = "\n".join((output + errors).strip().splitlines()[-SHOWN_LINES:])
        where = f"{module.params['repository']}:{module.params['tag']}"
        raise AnsibleAWSError(message=f"docker {verb} of {where} failed with exit code {code}:\n{last}")


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "repository": {"type": "str", "required": True},
            "tag": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "dockerfile": {"type": "str", "default": ""},
            "platform": {"type": "str", "default": "linux/amd64"},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecr_image_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_image_info
short_description: Look up an image in a repository
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Finds an image by its tag or its digest. One that does not exist is an empty answer and no error.
options:
  repository:
    description: Name of the repository in ECR.
    type: str
    required: true
  registry_id:
    description: Account of the registry. Not given, the own one.
    type: str
    default: ''
  tag:
    description: Tag of the image.
    type: str
  digest:
    description: Digest of the image, C(sha256:) and 64 hexadecimal digits.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Look for the image
  palier.aws.ecr_image_info:
    repository: shop-prod-backend
    tag: v1.4.2
  register: found
"""

RETURN = r"""
repository_exists:
  description: Whether the repository exists.
  returned: always
  type: bool
image:
  description: The image; empty where there is none.
  returned: always
  type: dict
  contains:
    digest:
      description: Its digest.
      type: str
    tags:
      description: Its tags.
      type: list
      elements: str
    bytes:
      description: Its size in the registry.
      type: int
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecr_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Look."""
    params = module.params
    wanted = {"imageTag": params["tag"]} if params["tag"] else {"imageDigest": params["digest"]}
    registry = {"registryId": params["registry_id"]} if params["registry_id"] else {}
    found = api.describe_image(module.client("ecr"), wanted, repositoryName=params["repository"], **registry)
    return {"changed": False, "repository_exists": found is not None, "image": facts(found[0]) if found else {}}


def facts(image: dict[str, t.Any]) -> dict[str, t.Any]:
    """What is returned of it."""
    return {
        "digest": image["imageDigest"],
        "tags": sorted(image.get("imageTags") or []),
        "bytes": int(image.get("imageSizeInBytes") or 0),
    }


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "repository": {"type": "str", "required": True},
            "registry_id": {"type": "str", "default": ""},
            "tag": {"type": "str"},
            "digest": {"type": "str"},
        },
        required_one_of=[("tag", "digest")],
        mutually_exclusive=[("tag", "digest")],
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

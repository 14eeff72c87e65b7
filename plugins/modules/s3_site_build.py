#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.s3_site_build."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_site_build
short_description: Tell which build of a site a bucket holds, and bring back one that it held
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - A build is named by a digest of the paths and contents of all its files.
  - With O(build), the files of that build are copied, within S3, from the versions that the bucket keeps. It needs
    versioning, and versions that no lifecycle rule has deleted yet.
  - Assets come first, HTML pages after them, and removals last, as with M(palier.aws.s3_site_content).
options:
  bucket:
    description:
      - Name of the bucket. It must exist; in check mode, a missing one counts as empty.
    type: str
    required: true
  build:
    description:
      - Digest of the build that is wanted. Without it nothing is done but to tell which one the bucket holds.
    type: str
    default: ''
  delete:
    description:
      - Whether what the build did not have is removed.
    type: bool
    default: true
  concurrency:
    description:
      - Requests at a time. The S3 client keeps 10 connections, more requests wait.
    type: int
    default: 8
notes:
  - Check mode makes no write call and returns the same plan as the real run.
  - S3 says when an object was written to the second. Two builds within one second are not told apart.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Ask which build is served
  palier.aws.s3_site_build:
    bucket: shop-prod-site
    region: eu-west-3
  register: __site_now

- name: Publish the next one
  palier.aws.s3_site_content:
    bucket: shop-prod-site
    region: eu-west-3
    source: dist
    delete: true

- name: Go back
  palier.aws.s3_site_build:
    bucket: shop-prod-site
    region: eu-west-3
    build: "{{ __site_now.content }}"
"""

RETURN = r"""
exists:
  description: Whether there is such a bucket.
  returned: always
  type: bool
content:
  description: Digest of what the bucket holds after the run, which names the build if it is one.
  returned: always
  type: str
  sample: 7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a
content_before:
  description: The same before the run.
  returned: always
  type: str
  sample: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
restored:
  description: Paths of the files that were brought back, or would be.
  returned: always
  type: list
  elements: str
  sample: [assets/app-3f2a91bc.js, index.html]
deleted:
  description: Paths of the objects that were removed, or would be.
  returned: always
  type: list
  elements: str
  sample: []
changed_paths:
  description:
    - URL paths that a CDN must fetch anew, as of M(palier.aws.s3_site_content).
  returned: always
  type: list
  elements: str
  sample: [/, /assets/app-3f2a91bc.js, /index.html]
plan:
  description: What was done, or would be done in check mode, in this order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(restore), V(delete) or V(keep).
      type: str
    resource:
      description: The resource.
      type: str
    reason:
      description: Why.
      type: str
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import site_build
from ansible_collections.palier.aws.plugins.module_utils import site_build_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome
from ansible_collections.palier.aws.plugins.module_utils.site_content import changed_paths

ARGUMENTS = {
    "bucket": {"type": "str", "required": True},
    "build": {"type": "str", "default": ""},
    "delete": {"type": "bool", "default": True},
    "concurrency": {"type": "int", "default": 8},
}


def wanted_state(module: AnsibleAWSModule, versions: site_build.Versions, now: site_build.State) -> site_build.State:
    """The build that is wanted; what the bucket holds where none is named."""
    build, bucket = module.params["build"], module.params["bucket"]
    if not build or (module.check_mode and not versions):
        return now
    found = site_build.find_build(versions, build)
    if found is None:
        raise AnsibleAWSError(
            message=f"build is {build}, which the bucket {bucket} neither holds nor remembers: its files were replaced "
            "longer ago than the bucket keeps old versions, or the bucket is a new one; publish its directory again"
        )
    return found


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    if module.params["concurrency"] < 1:
        raise AnsibleAWSError(message=f"concurrency is {module.params['concurrency']}: give 1 or more")
    client = module.client("s3")
    bucket, delete = module.params["bucket"], module.params["delete"]
    found = api.find_versions(client, bucket)
    if found is None and module.params["build"] and not module.check_mode:
        raise AnsibleAWSError(
            message=f"bucket is {bucket}, which does not exist: create it first (palier.aws.s3_bucket)"
        )
    versions = found or {}
    now = next(site_build.states(versions))
    wanted = wanted_state(module, versions, now)
    steps = site_build.plan_build(bucket, now, wanted, delete)
    if not module.check_mode:
        api.carry_out(client, bucket, steps, wanted, module.params["concurrency"])
    restored = [step.after["path"] for step in steps if step.verb == "restore"]
    deleted = [step.before["path"] for step in steps if step.verb == "delete"]
    return outcome(steps) | {
        "exists": found is not None,
        "content": site_build.build_of(site_build.after(now, wanted, delete)),
        "content_before": site_build.build_of(now),
        "restored": restored,
        "deleted": deleted,
        "changed_paths": changed_paths(restored, deleted),
    }


def main() -> None:
    """Run as an Ansible module."""
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

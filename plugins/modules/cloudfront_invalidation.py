#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cloudfront_invalidation."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_invalidation
short_description: Empty a distribution's caches of what changed, and of nothing else
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates an invalidation of the paths that changed. Without a change nothing is done.
  - With O(content), the distribution's tag C(palier:content) says which content its caches were last emptied for. So a
    run that was interrupted between upload and invalidation is made up for by the next one, which then empties
    everything, since nobody knows any more what had changed.
  - More than O(most_paths) paths are taken together as wildcards by directory. CloudFront bills by the path, the first
    1,000 of a month are free, each further one costs 0.005 $, and a wildcard counts as one (CloudFront pricing page).
options:
  name:
    description:
      - Value of the C(Name) tag of the distribution. One that does not exist has nothing in its caches.
    type: str
    required: true
  paths:
    description:
      - The paths that changed, for example RV(palier.aws.s3_site_content#module:changed_paths).
    type: list
    elements: str
    default: []
  content:
    description:
      - Digest of the content now (RV(palier.aws.s3_site_content#module:content)). Without it, O(paths) alone decide.
    type: str
  content_before:
    description:
      - Digest of the content before O(paths) changed (RV(palier.aws.s3_site_content#module:content_before)).
    type: str
  most_paths:
    description:
      - How many paths are named one by one, at least 1. At most 15 paths with a wildcard can be in progress at a time.
    type: int
    default: 15
notes:
  - Check mode makes no write call and returns the same plan as the real run.
  - An invalidation takes minutes. Its end is not waited for.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Publish the site
  palier.aws.s3_site_content:
    bucket: shop-prod-site
    source: dist
    delete: true
  register: __content

- name: Empty the caches of what changed
  palier.aws.cloudfront_invalidation:
    name: shop-prod-site
    paths: "{{ __content.changed_paths }}"
    content: "{{ __content.content }}"
    content_before: "{{ __content.content_before }}"
"""

RETURN = r"""
invalidation_id:
  description: Id of the invalidation, empty when there is none.
  returned: always
  type: str
paths:
  description: The paths that were invalidated, or would be.
  returned: always
  type: list
  elements: str
  sample: [/, /index.html]
plan:
  description: What was done, or would be done in check mode, in this order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(invalidate), V(note) where only the tag is written, V(keep) or V(skip).
      type: str
    resource:
      description: The resource.
      type: str
    reason:
      description: Why.
      type: str
"""

import time
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import cloudfront_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.cloudfront import CONTENT_TAG
from ansible_collections.palier.aws.plugins.module_utils.cloudfront_invalidation import MOST_PATHS, plan_invalidation
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "paths": {"type": "list", "elements": "str", "default": []},
    "content": {"type": "str"},
    "content_before": {"type": "str"},
    "most_paths": {"type": "int", "default": MOST_PATHS},
}


def invalidate(client: t.Any, current: dict[str, t.Any], paths: list[str], content: str | None) -> str:
    """Create the invalidation, and note for which content only when CloudFront has taken it."""
    made = api.create_invalidation(client, current["Id"], paths, f"palier-{time.time_ns()}") if paths else ""
    if content:
        api.tag(client, current["ARN"], {CONTENT_TAG: content})
    return made


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    params = module.params
    if params["most_paths"] < 1:
        raise AnsibleAWSError(message=f"most_paths is {params['most_paths']}: give 1 or more")
    client = module.client("cloudfront")
    current = api.find_distribution(client, params["name"])
    tags = current["Tags"] if current else None
    label = f"caches of cloudfront distribution {params['name']}"
    steps = plan_invalidation(
        label, tags, params["paths"], params["content_before"], params["content"], params["most_paths"]
    )
    paths = steps[0].after["paths"] if steps[0].changes else []
    made = ""
    if current and steps[0].changes and not module.check_mode:
        made = invalidate(client, current, paths, params["content"])
    return outcome(steps) | {"invalidation_id": made, "paths": paths}


def main() -> None:
    """Run as an Ansible module."""
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cloudfront_distribution_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_distribution_info
short_description: Read CloudFront distributions by their names
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Reads distributions by their C(Name) tags, with their whole configuration.
options:
  names:
    description:
      - Values of the C(Name) tags.
    type: list
    elements: str
    required: true
notes:
  - Changes nothing.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read the distribution of the site
  palier.aws.cloudfront_distribution_info:
    names: [shop-prod-site]
  register: __found
"""

RETURN = r"""
distributions:
  description: The distributions by name; a name without one is left out.
  returned: always
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: E1A2B3C4D5E6F7
    arn:
      description: Its ARN, which the policy of a bucket names.
      type: str
      sample: arn:aws:cloudfront::123456789012:distribution/E1A2B3C4D5E6F7
    domain_name:
      description: Its host name.
      type: str
      sample: d111111abcdef8.cloudfront.net
    hosted_zone_id:
      description: The Route 53 zone that an alias record to it names; the same for all distributions.
      type: str
      sample: Z2FDTNDATAQYW2
    status:
      description: V(InProgress) until its last change has reached every edge location, then V(Deployed).
      type: str
    enabled:
      description: Whether it answers.
      type: bool
    aliases:
      description: Names of the customer's own that it answers to.
      type: list
      elements: str
    in_progress_invalidations:
      description: How many invalidations are not complete.
      type: int
    tags:
      description: Its tags, the name among them.
      type: dict
    config:
      description: C(DistributionConfig) in AWS's shape.
      type: dict
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import cloudfront_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.cloudfront_distribution import facts


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    client = module.client("cloudfront")
    found = {name: api.find_distribution(client, name) for name in module.params["names"]}
    distributions = {
        name: {**facts(one), "config": one["DistributionConfig"]} for name, one in found.items() if one is not None
    }
    return {"changed": False, "distributions": distributions}


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec={"names": {"type": "list", "elements": "str", "required": True}}, supports_check_mode=True
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

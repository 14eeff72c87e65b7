#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.cloudfront_distribution."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_distribution
short_description: A CloudFront distribution, compared only in what the task names
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, converges, disables and deletes a CloudFront distribution. What an option does not name is left as AWS has
    it, and what AWS fills in is no difference.
  - The distribution is found by its C(Name) tag.
  - A change takes minutes to reach all edge locations. The module does not wait for it unless O(wait=true).
  - With O(state=absent) a distribution that is in service is disabled first, and deleted when that has reached all edge
    locations. Without O(wait), a run does what can be done at once and says in RV(gone) whether it is finished. Run it
    again until it is.
options:
  name:
    description:
      - Value of the C(Name) tag, by which the distribution is found.
    type: str
    required: true
  state:
    description:
      - V(present) creates or converges it, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  comment:
    description:
      - A comment, at most 128 characters. A new distribution gets O(name), which also makes it faster to find.
    type: str
  enabled:
    description:
      - Whether it answers. A new one does.
    type: bool
  aliases:
    description:
      - Names of one's own that it answers to. They need O(certificate_arn).
    type: list
    elements: str
  certificate_arn:
    description:
      - ARN of a certificate of AWS Certificate Manager in us-east-1 that holds for O(aliases). V("") is CloudFront's
        own certificate for its own name.
    type: str
  minimum_protocol_version:
    description:
      - The oldest TLS with its ciphers that viewers may use. With CloudFront's own certificate it is always V(TLSv1).
    type: str
    choices: [TLSv1.2_2018, TLSv1.2_2019, TLSv1.2_2021, TLSv1.2_2025, TLSv1.3_2025]
    default: TLSv1.2_2021
  default_root_object:
    description:
      - What is served for C(/). A new distribution gets V(index.html).
    type: str
  price_class:
    description:
      - Which edge locations answer. A new distribution gets V(PriceClass_100), the cheapest, North America and Europe.
    type: str
    choices: [PriceClass_100, PriceClass_200, PriceClass_All]
  http_version:
    description:
      - The newest HTTP that is spoken. A new distribution gets V(http2and3).
    type: str
    choices: [http1.1, http2, http3, http2and3]
  ipv6:
    description:
      - Whether it answers over IPv6. A new one does.
    type: bool
  web_acl_arn:
    description:
      - ARN of a WAF web ACL of scope CLOUDFRONT, V("") for none.
    type: str
  logging:
    description:
      - Standard logs to a bucket. Its access control lists must not be disabled. C({}) switches them off.
    type: dict
    suboptions:
      bucket:
        description:
          - Host name of the bucket, for example V(shop-logs.s3.amazonaws.com).
        type: str
      prefix:
        description:
          - Prefix of the log objects.
        type: str
        default: ''
      include_cookies:
        description:
          - Whether cookies are logged.
        type: bool
        default: false
  origins:
    description:
      - All origins. Needed for a new distribution.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - Name of the origin within the distribution.
        type: str
        required: true
      domain_name:
        description:
          - Its host name; of a bucket, the one with its region.
        type: str
        required: true
      path:
        description:
          - Directory of the origin in which everything stands, for example V(/v2).
        type: str
        default: ''
      protocol:
        description:
          - V(s3) for a bucket, else how CloudFront speaks to the origin.
        type: str
        choices: [s3, https-only, http-only, match-viewer]
        default: s3
      origin_access_control_id:
        description:
          - Id of the origin access control, for a bucket.
        type: str
        default: ''
      http_port:
        description:
          - Port for HTTP.
        type: int
        default: 80
      https_port:
        description:
          - Port for HTTPS.
        type: int
        default: 443
      read_timeout:
        description:
          - Seconds for which CloudFront waits for an answer. 30 is AWS's own default.
        type: int
        default: 30
      keepalive_timeout:
        description:
          - Seconds for which an idle connection is kept. 5 is AWS's own default.
        type: int
        default: 5
      headers:
        description:
          - Headers that CloudFront adds to what it asks of the origin. Do not put a secret there that is one elsewhere;
            anybody who may read the distribution's configuration reads it.
        type: dict
        default: {}
  default_behavior:
    description:
      - How requests are answered that no other behavior matches. Needed for a new distribution.
    type: dict
    suboptions: &behavior
      origin:
        description:
          - Id of the origin that is asked.
        type: str
        required: true
      viewer_protocol:
        description:
          - What happens to plain HTTP.
        type: str
        choices: [redirect-to-https, https-only, allow-all]
        default: redirect-to-https
      methods:
        description:
          - What viewers may ask. V(read) is GET and HEAD, V(options) also OPTIONS, V(all) everything that HTTP knows.
        type: str
        choices: [read, options, all]
        default: read
      compress:
        description:
          - Whether CloudFront compresses its answers. It does so only with a cache policy that allows it.
        type: bool
        default: true
      cache_policy:
        description:
          - Name or id of the cache policy. Names that are known are V(CachingOptimized) and V(CachingDisabled).
        type: str
        default: CachingOptimized
      origin_request_policy:
        description:
          - Name or id of the origin request policy, V("") for none. Names that are known are V(AllViewer),
            V(AllViewerExceptHostHeader) and V(CORS-S3Origin).
        type: str
      response_headers_policy:
        description:
          - Id of the response headers policy, V("") for none.
        type: str
      key_groups:
        description:
          - Ids of the key groups whose signatures are required, C([]) for none.
        type: list
        elements: str
      functions:
        description:
          - ARN of a CloudFront function by the event at which it runs, V(viewer-request) or V(viewer-response); C({})
            for none.
        type: dict
  behaviors:
    description:
      - Behaviors by path, the first that matches wins. C([]) for none.
    type: list
    elements: dict
    suboptions:
      <<: *behavior
      path:
        description:
          - Pattern of paths, for example V(/api/*).
        type: str
        required: true
  error_responses:
    description:
      - What is answered for an error of an origin, for all behaviors alike. C([]) for nothing else than that error.
    type: list
    elements: dict
    suboptions:
      code:
        description:
          - The origin's HTTP status.
        type: int
        required: true
      page:
        description:
          - Path of the page that is answered, for example V(/404.html).
        type: str
        default: ''
      response_code:
        description:
          - HTTP status with which it is answered. Default is O(error_responses[].code).
        type: int
      ttl:
        description:
          - Seconds for which the error is kept in the caches. 10 is AWS's own default.
        type: int
        default: 10
  content:
    description:
      - Digest of the content that a new distribution serves, as M(palier.aws.s3_site_content) returns it. It is kept in
        a tag, by which M(palier.aws.cloudfront_invalidation) knows that nothing is to be done.
    type: str
  wait:
    description:
      - Whether to wait until the change has reached all edge locations.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait. AWS speaks of minutes, 30 of them are enough in any case that we know of.
    type: int
    default: 1800
seealso:
  - module: palier.aws.cloudfront_distribution_info
  - module: palier.aws.cloudfront_invalidation
notes:
  - Check mode makes no write call and returns the same plan as the real run.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Serve a private bucket
  palier.aws.cloudfront_distribution:
    name: shop-prod-site
    aliases: [www.example.com]
    certificate_arn: arn:aws:acm:us-east-1:123456789012:certificate/5d0e3d1c-8a3c-4b1e-9d2f-1c2b3a4d5e6f
    origins:
      - id: site
        domain_name: shop-prod-site.s3.eu-west-3.amazonaws.com
        origin_access_control_id: E2QWRUHAPOMQZL
    default_behavior:
      origin: site
    error_responses:
      - code: 404
        page: /404.html
    tags:
      Stack: shop
  register: __distribution

- name: Remove it, which takes some minutes
  palier.aws.cloudfront_distribution:
    name: shop-prod-site
    state: absent
  register: __removed
  until: __removed.gone or ansible_check_mode
  retries: 60
  delay: 20
"""

RETURN = r"""
distribution:
  description: The distribution. In check mode, one that would be created has no id.
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
gone:
  description: Whether there is no such distribution any more.
  returned: O(state=absent)
  type: bool
plan:
  description: What was done, or would be done in check mode, in this order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(modify), V(tag), V(disable), V(delete), V(keep) or V(skip).
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

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import is_ansible_aws_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import cloudfront_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.cloudfront_distribution import (
    facts,
    new_config,
    overlay,
    plan_absent,
    plan_present,
)
from ansible_collections.palier.aws.plugins.module_utils.cloudfront_distribution_shapes import wanted_config
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

BEHAVIOR: dict[str, t.Any] = {
    "origin": {"type": "str", "required": True},
    "viewer_protocol": {
        "type": "str",
        "choices": ["redirect-to-https", "https-only", "allow-all"],
        "default": "redirect-to-https",
    },
    "methods": {"type": "str", "choices": ["read", "options", "all"], "default": "read"},
    "compress": {"type": "bool", "default": True},
    "cache_policy": {"type": "str", "default": "CachingOptimized"},
    "origin_request_policy": {"type": "str"},
    "response_headers_policy": {"type": "str"},
    "key_groups": {"type": "list", "elements": "str", "no_log": False},
    "functions": {"type": "dict"},
}

ORIGIN: dict[str, t.Any] = {
    "id": {"type": "str", "required": True},
    "domain_name": {"type": "str", "required": True},
    "path": {"type": "str", "default": ""},
    "protocol": {"type": "str", "choices": ["s3", "https-only", "http-only", "match-viewer"], "default": "s3"},
    "origin_access_control_id": {"type": "str", "default": ""},
    "http_port": {"type": "int", "default": 80},
    "https_port": {"type": "int", "default": 443},
    "read_timeout": {"type": "int", "default": 30},
    "keepalive_timeout": {"type": "int", "default": 5, "no_log": False},
    "headers": {"type": "dict", "default": {}},
}

ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "comment": {"type": "str"},
    "enabled": {"type": "bool"},
    "aliases": {"type": "list", "elements": "str"},
    "certificate_arn": {"type": "str"},
    "minimum_protocol_version": {
        "type": "str",
        "choices": ["TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"],
        "default": "TLSv1.2_2021",
    },
    "default_root_object": {"type": "str"},
    "price_class": {"type": "str", "choices": ["PriceClass_100", "PriceClass_200", "PriceClass_All"]},
    "http_version": {"type": "str", "choices": ["http1.1", "http2", "http3", "http2and3"]},
    "ipv6": {"type": "bool"},
    "web_acl_arn": {"type": "str"},
    "logging": {
        "type": "dict",
        "options": {
            "bucket": {"type": "str"},
            "prefix": {"type": "str", "default": ""},
            "include_cookies": {"type": "bool", "default": False},
        },
    },
    "origins": {"type": "list", "elements": "dict", "options": ORIGIN},
    "default_behavior": {"type": "dict", "options": BEHAVIOR},
    "behaviors": {
        "type": "list",
        "elements": "dict",
        "options": {**BEHAVIOR, "path": {"type": "str", "required": True}},
    },
    "error_responses": {
        "type": "list",
        "elements": "dict",
        "options": {
            "code": {"type": "int", "required": True},
            "page": {"type": "str", "default": ""},
            "response_code": {"type": "int"},
            "ttl": {"type": "int", "default": 10},
        },
    },
    "content": {"type": "str"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 1800},
}

Found = dict[str, t.Any]


def create(client: t.Any, name: str, wanted: Found, tags: dict[str, str]) -> Found:
    """Create the distribution. The caller reference only has to be new."""
    made = api.create_distribution(client, new_config(name, wanted, f"{name}-{time.time_ns()}"), tags)
    return {**made, "Tags": tags}


def retag(client: t.Any, current: Found, before: dict[str, str], after: dict[str, str]) -> None:
    """Make the tags those of ``after``."""
    gone = [key for key in before if key not in after]
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    if gone:
        api.untag(client, current["ARN"], gone)
    if changed:
        api.tag(client, current["ARN"], changed)


def carry_out(client: t.Any, name: str, steps: list[Step], current: Found | None, wanted: Found) -> Found | None:
    """Carry out the plan's steps in their order and return the distribution."""
    for step in steps:
        if step.verb == "create":
            current = create(client, name, wanted, step.after["tags"])
        elif step.verb == "modify" and current:
            config = overlay(current["DistributionConfig"], wanted)
            made, etag = api.update_distribution(client, current["Id"], config, current["ETag"])
            current = {**current, **made, "ETag": etag}
        elif step.verb == "tag" and current:
            retag(client, current, step.before["tags"], step.after["tags"])
            current = {**current, "Tags": step.after["tags"]}
    return current


def settled(module: AnsibleAWSModule, client: t.Any, current: Found) -> Found:
    """The distribution, deployed when the task waits for it."""
    if not module.params["wait"]:
        return current
    answer = api.wait_until_deployed(client, current["Id"], module.params["wait_timeout"])
    return {**current, **answer.get("Distribution", {}), "ETag": answer.get("ETag", current.get("ETag"))}


def present(module: AnsibleAWSModule, client: t.Any) -> dict[str, t.Any]:
    """Create or converge the distribution."""
    params, name = module.params, module.params["name"]
    wanted = wanted_config(params)
    current = api.find_distribution(client, name)
    steps = plan_present(name, current, wanted, params["tags"], params["purge_tags"], params["content"])
    if not module.check_mode:
        current = carry_out(client, name, steps, current, wanted)
        current = settled(module, client, current) if current else None
    return outcome(steps) | {"distribution": facts(current)}


def disable(client: t.Any, current: Found) -> Found:
    """Take the distribution out of service."""
    config = {**current["DistributionConfig"], "Enabled": False}
    made, etag = api.update_distribution(client, current["Id"], config, current["ETag"])
    return {**current, **made, "ETag": etag}


def remove(module: AnsibleAWSModule, client: t.Any, current: Found) -> Found | None:
    """Disable and delete as far as that can be done now, or to the end when the task waits."""
    if current["DistributionConfig"]["Enabled"]:
        current = disable(client, current)
        current = api.read_distribution(client, current["Id"], current["Tags"]) or current
    current = settled(module, client, current)
    if current["Status"] != "Deployed":
        return current
    try:
        api.delete_distribution(client, current["Id"], current["ETag"])
    except is_ansible_aws_error_code("DistributionNotDisabled"):
        # For a moment CloudFront may show one as deployed that it does not yet let go.
        return current
    return None


def absent(module: AnsibleAWSModule, client: t.Any) -> dict[str, t.Any]:
    """Disable and delete the distribution."""
    name = module.params["name"]
    current = api.find_distribution(client, name)
    steps = plan_absent(name, current)
    if current and not module.check_mode:
        current = remove(module, client, current)
    return outcome(steps) | {"distribution": facts(current), "gone": current is None}


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    client = module.client("cloudfront")
    return present(module, client) if module.params["state"] == "present" else absent(module, client)


def main() -> None:
    """Run as an Ansible module."""
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

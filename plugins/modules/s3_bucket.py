#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.s3_bucket."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_bucket
short_description: A bucket with all its settings, closed by default
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Creates, converges and deletes an S3 bucket together with its policy, encryption, website, access logging,
    lifecycle, CORS rules and tags, in one task.
  - A bucket is private, encrypted, without access control lists and reachable over TLS only, unless the task says
    otherwise. Every other setting that the task does not name is left as AWS has it.
  - Reads only the settings that the task decides, side by side.
  - Replication is not touched.
options:
  name:
    description:
      - Name of the bucket. Names are global, shared by all AWS accounts.
    type: str
    required: true
  state:
    description:
      - V(present) creates or converges the bucket, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - With O(state=absent), delete everything in the bucket first, which are all objects, versions, delete markers and
        unfinished uploads. This cannot be undone.
      - Without it, O(state=absent) on a bucket with content is an error, unless O(keep_content=true).
    type: bool
    default: false
  keep_content:
    description:
      - With O(state=absent) and without O(force), leave a bucket with content as it is instead of failing. RV(kept)
        says whether that was so.
    type: bool
    default: false
  versioning:
    description:
      - Whether S3 keeps the earlier versions of an object. V(false) suspends versioning, it deletes no version.
    type: bool
  encryption:
    description:
      - Default encryption of new objects.
      - Without it, the encryption that the bucket has is kept, and a bucket without any gets V(AES256).
    type: dict
    suboptions:
      sse:
        description:
          - The algorithm.
        type: str
        choices: [AES256, 'aws:kms', 'aws:kms:dsse']
        default: AES256
      kms_key_id:
        description:
          - Id, ARN or alias ARN of the KMS key. Without it, the key that the bucket has is kept, and AWS's own
            C(aws/s3) key is used when it has none.
        type: str
      bucket_key:
        description:
          - Whether S3 derives a key for the bucket, which saves nearly all calls to KMS.
        type: bool
  public_access_block:
    description:
      - What S3 refuses, whatever policies and access control lists say. Everything that is not named is refused.
    type: dict
    default: {}
    suboptions:
      block_public_acls:
        description:
          - Refuse new public access control lists.
        type: bool
        default: true
      block_public_policy:
        description:
          - Refuse new public policies.
        type: bool
        default: true
      ignore_public_acls:
        description:
          - Ignore the public access control lists that exist.
        type: bool
        default: true
      restrict_public_buckets:
        description:
          - Limit a bucket with a public policy to its own account and to AWS services.
        type: bool
        default: true
  object_ownership:
    description:
      - Who owns the objects. V(BucketOwnerEnforced) switches access control lists off.
    type: str
    choices: [BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter]
    default: BucketOwnerEnforced
  policy:
    description:
      - The bucket's whole policy, as a dictionary or as JSON text; C({}) for none.
      - Without it, the policy that the bucket has is kept. The statement of O(tls_only) is added in both cases.
    type: json
  tls_only:
    description:
      - Whether the policy refuses requests over plain HTTP, in a statement with the Sid C(DenyInsecureTransport).
      - A website endpoint speaks plain HTTP only, so a public website without a CDN before it needs V(false).
    type: bool
    default: true
  website:
    description:
      - Serve the bucket as a website. C({}) switches it off.
    type: dict
    suboptions:
      index_document:
        description:
          - Name of the document that is served for a directory, for example V(index.html).
        type: str
      error_document:
        description:
          - Key of the document that is served for an error. Needs O(website.index_document).
        type: str
      redirect_all_requests_to:
        description:
          - Host to which all requests are sent on, with a protocol or without, for example
            V(https://www.example.com). Excludes the other options.
        type: str
      routing_rules:
        description:
          - Redirects of single keys or prefixes. Needs O(website.index_document).
        type: list
        elements: dict
        suboptions:
          condition:
            description:
              - When the rule applies. Without it, always.
            type: dict
            suboptions:
              key_prefix_equals:
                description:
                  - Prefix of the requested key.
                type: str
              http_error_code_returned_equals:
                description:
                  - The HTTP error that the request would get, for example V("404").
                type: str
          redirect:
            description:
              - Where to.
            type: dict
            required: true
            suboptions:
              host_name:
                description:
                  - Host name.
                type: str
              protocol:
                description:
                  - Protocol.
                type: str
                choices: [http, https]
              http_redirect_code:
                description:
                  - HTTP status, for example V("302"). S3's own default is 301.
                type: str
              replace_key_with:
                description:
                  - The new key.
                type: str
              replace_key_prefix_with:
                description:
                  - The new prefix, in place of C(condition.key_prefix_equals).
                type: str
  logging:
    description:
      - Write access logs. C({}) switches them off.
      - The target must be in the same region and account, and its policy must let C(logging.s3.amazonaws.com) write.
    type: dict
    suboptions:
      target_bucket:
        description:
          - Name of the bucket that gets the logs.
        type: str
      target_prefix:
        description:
          - Prefix of the log objects. Default is the name of this bucket and a slash.
        type: str
  lifecycle_rules:
    description:
      - All lifecycle rules of the bucket, each with at least one thing to do. C([]) removes them.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - Name of the rule, unique in the bucket.
        type: str
        required: true
      status:
        description:
          - Whether the rule is in force.
        type: str
        choices: [Enabled, Disabled]
        default: Enabled
      prefix:
        description:
          - The rule applies to keys that start with this.
        type: str
        default: ''
      transitions:
        description:
          - Moves of the current version to a cheaper storage class.
        type: list
        elements: dict
        suboptions: &transition
          days:
            description:
              - Days after which it moves.
            type: int
            required: true
          storage_class:
            description:
              - Where it moves to, for example V(STANDARD_IA) or V(GLACIER).
            type: str
            required: true
      expiration_days:
        description:
          - Days after which the current version expires.
        type: int
      expired_object_delete_marker:
        description:
          - Whether a delete marker without any version left is removed. Excludes
            O(lifecycle_rules[].expiration_days), which implies it.
        type: bool
      noncurrent_version_transitions:
        description:
          - Moves of earlier versions to a cheaper storage class.
        type: list
        elements: dict
        suboptions: *transition
      noncurrent_version_expiration_days:
        description:
          - Days after which an earlier version is deleted.
        type: int
      abort_incomplete_multipart_days:
        description:
          - Days after which an unfinished upload is thrown away.
        type: int
  cors_rules:
    description:
      - All CORS rules of the bucket, the first that matches wins. C([]) removes them.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - Name of the rule.
        type: str
      allowed_origins:
        description:
          - Origins that may ask, for example V(https://www.example.com).
        type: list
        elements: str
        required: true
      allowed_methods:
        description:
          - HTTP methods that they may use.
        type: list
        elements: str
        choices: [GET, PUT, POST, DELETE, HEAD]
        required: true
      allowed_headers:
        description:
          - Headers that they may send.
        type: list
        elements: str
      expose_headers:
        description:
          - Headers of the answer that scripts may read.
        type: list
        elements: str
      max_age_seconds:
        description:
          - Seconds for which a browser may remember the answer.
        type: int
notes:
  - Check mode makes no write call and returns the same plan as the real run.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep uploads in a private, versioned bucket
  palier.aws.s3_bucket:
    name: shop-prod-uploads
    region: eu-west-3
    versioning: true
    logging:
      target_bucket: shop-prod-logs
    lifecycle_rules:
      - id: old-versions
        noncurrent_version_expiration_days: 30
        abort_incomplete_multipart_days: 7
    tags:
      Stack: shop

- name: Serve a public website over plain HTTP
  palier.aws.s3_bucket:
    name: www.example.com
    region: eu-west-3
    tls_only: false
    public_access_block:
      block_public_policy: false
      restrict_public_buckets: false
    policy:
      Version: "2012-10-17"
      Statement:
        - Sid: PublicRead
          Effect: Allow
          Principal: "*"
          Action: s3:GetObject
          Resource: arn:aws:s3:::www.example.com/*
    website:
      index_document: index.html
      error_document: 404.html

- name: Delete the bucket and all that is in it
  palier.aws.s3_bucket:
    name: shop-prod-uploads
    region: eu-west-3
    state: absent
    force: true
"""

RETURN = r"""
bucket:
  description:
    - The bucket. Names follow from the bucket's name and region, so they are returned before it exists, too.
    - Of the settings, those that the task decides are returned, as they are after the task (in check mode, as they
      would be).
  returned: O(state=present)
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: shop-prod-site
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:s3:::shop-prod-site
    region:
      description: Its region.
      type: str
      sample: eu-west-3
    domain_name:
      description: Its global host name.
      type: str
      sample: shop-prod-site.s3.amazonaws.com
    regional_domain_name:
      description: Its host name in the region, the right one for a CDN's origin.
      type: str
      sample: shop-prod-site.s3.eu-west-3.amazonaws.com
    website_endpoint:
      description: The host name under which S3 serves it as a website, when that is on.
      type: str
      sample: shop-prod-site.s3-website.eu-west-3.amazonaws.com
    website_url:
      description: The same as a URL.
      type: str
      sample: http://shop-prod-site.s3-website.eu-west-3.amazonaws.com
    website_hosted_zone_id:
      description: The Route 53 zone that an alias record to the website endpoint names; null where it is not known.
      type: str
      sample: Z3R1K369G5AVDG
    versioning:
      description: Whether earlier versions are kept.
      returned: when O(versioning) is given
      type: bool
    encryption:
      description: C(sse), C(kms_key_id) and C(bucket_key).
      type: dict
    public_access_block:
      description: The four settings.
      type: dict
    object_ownership:
      description: Who owns the objects.
      type: str
    policy:
      description: The policy, empty for none.
      type: dict
    tags:
      description: The tags.
      returned: when O(tags) is given
      type: dict
    website:
      description: The website configuration in AWS's shape, empty for none.
      returned: when O(website) is given
      type: dict
    logging:
      description: The access logging in AWS's shape, empty for none.
      returned: when O(logging) is given
      type: dict
    lifecycle_rules:
      description: The lifecycle rules in AWS's shape.
      returned: when O(lifecycle_rules) is given
      type: list
      elements: dict
    cors_rules:
      description: The CORS rules in AWS's shape.
      returned: when O(cors_rules) is given
      type: list
      elements: dict
kept:
  description: Whether the bucket has content and was left as it is.
  returned: O(state=absent)
  type: bool
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
  sample:
    - action: modify
      resource: s3 bucket shop-prod-site
      reason: "versioning: off, wanted on"
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import buckets_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.buckets import (
    check_region,
    managed_settings,
    plan_absent,
    plan_present,
    settings_facts,
    wanted_settings,
)
from ansible_collections.palier.aws.plugins.module_utils.buckets_names import bucket_names
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome

TRANSITION = {"days": {"type": "int", "required": True}, "storage_class": {"type": "str", "required": True}}

ENCRYPTION = {
    "sse": {"type": "str", "choices": ["AES256", "aws:kms", "aws:kms:dsse"], "default": "AES256"},
    "kms_key_id": {"type": "str", "no_log": False},
    "bucket_key": {"type": "bool", "no_log": False},
}

PUBLIC_ACCESS_BLOCK = {
    "block_public_acls": {"type": "bool", "default": True},
    "block_public_policy": {"type": "bool", "default": True},
    "ignore_public_acls": {"type": "bool", "default": True},
    "restrict_public_buckets": {"type": "bool", "default": True},
}

ROUTING_RULE = {
    "condition": {
        "type": "dict",
        "options": {
            "key_prefix_equals": {"type": "str", "no_log": False},
            "http_error_code_returned_equals": {"type": "str"},
        },
    },
    "redirect": {
        "type": "dict",
        "required": True,
        "options": {
            "host_name": {"type": "str"},
            "protocol": {"type": "str", "choices": ["http", "https"]},
            "http_redirect_code": {"type": "str"},
            "replace_key_with": {"type": "str", "no_log": False},
            "replace_key_prefix_with": {"type": "str", "no_log": False},
        },
        "mutually_exclusive": [("replace_key_with", "replace_key_prefix_with")],
    },
}

WEBSITE = {
    "index_document": {"type": "str"},
    "error_document": {"type": "str"},
    "redirect_all_requests_to": {"type": "str"},
    "routing_rules": {"type": "list", "elements": "dict", "options": ROUTING_RULE},
}

LIFECYCLE_RULE = {
    "id": {"type": "str", "required": True},
    "status": {"type": "str", "choices": ["Enabled", "Disabled"], "default": "Enabled"},
    "prefix": {"type": "str", "default": ""},
    "transitions": {"type": "list", "elements": "dict", "options": TRANSITION},
    "expiration_days": {"type": "int"},
    "expired_object_delete_marker": {"type": "bool"},
    "noncurrent_version_transitions": {"type": "list", "elements": "dict", "options": TRANSITION},
    "noncurrent_version_expiration_days": {"type": "int"},
    "abort_incomplete_multipart_days": {"type": "int"},
}

#: S3 refuses a rule without any of these as malformed XML, which helps nobody.
LIFECYCLE_ACTIONS = (
    "transitions",
    "expiration_days",
    "expired_object_delete_marker",
    "noncurrent_version_transitions",
    "noncurrent_version_expiration_days",
    "abort_incomplete_multipart_days",
)

CORS_RULE = {
    "id": {"type": "str"},
    "allowed_origins": {"type": "list", "elements": "str", "required": True},
    "allowed_methods": {
        "type": "list",
        "elements": "str",
        "required": True,
        "choices": ["GET", "PUT", "POST", "DELETE", "HEAD"],
    },
    "allowed_headers": {"type": "list", "elements": "str"},
    "expose_headers": {"type": "list", "elements": "str"},
    "max_age_seconds": {"type": "int"},
}

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force": {"type": "bool", "default": False},
    "keep_content": {"type": "bool", "default": False},
    "versioning": {"type": "bool"},
    "encryption": {"type": "dict", "options": ENCRYPTION},
    "public_access_block": {"type": "dict", "default": {}, "options": PUBLIC_ACCESS_BLOCK},
    "object_ownership": {
        "type": "str",
        "choices": ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"],
        "default": "BucketOwnerEnforced",
    },
    "policy": {"type": "json"},
    "tls_only": {"type": "bool", "default": True},
    "website": {
        "type": "dict",
        "options": WEBSITE,
        "mutually_exclusive": [
            ("index_document", "redirect_all_requests_to"),
            ("error_document", "redirect_all_requests_to"),
            ("routing_rules", "redirect_all_requests_to"),
        ],
        "required_by": {"error_document": "index_document", "routing_rules": "index_document"},
    },
    "logging": {
        "type": "dict",
        "options": {"target_bucket": {"type": "str"}, "target_prefix": {"type": "str"}},
        "required_by": {"target_prefix": "target_bucket"},
    },
    "lifecycle_rules": {
        "type": "list",
        "elements": "dict",
        "options": LIFECYCLE_RULE,
        "mutually_exclusive": [("expiration_days", "expired_object_delete_marker")],
        "required_one_of": [LIFECYCLE_ACTIONS],
    },
    "cors_rules": {"type": "list", "elements": "dict", "options": CORS_RULE},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def absent(module: AnsibleAWSModule, client: t.Any, exists: bool) -> dict[str, t.Any]:
    """Delete the bucket."""
    name, force = module.params["name"], module.params["force"]
    example = api.first_key(client, name) if exists else None
    steps = plan_absent(name, exists, example, force, module.params["keep_content"])
    kept = example is not None and not force
    if exists and not kept and not module.check_mode:
        api.delete_bucket(client, name, force)
    return outcome(steps) | {"kept": kept}


def present(module: AnsibleAWSModule, client: t.Any, exists: bool) -> dict[str, t.Any]:
    """Create or converge the bucket."""
    params = {**module.params, "region": api.region_of(client)}
    current = api.read_settings(client, params["name"], managed_settings(params)) if exists else None
    steps = plan_present(params, current)
    if not module.check_mode:
        api.carry_out(client, params["name"], steps, current)
    facts = settings_facts(wanted_settings(params, current or {}))
    return outcome(steps) | {"bucket": {**bucket_names(params["name"], params["region"]), **facts}}


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    client = module.client("s3")
    actual = api.find_bucket(client, module.params["name"])
    check_region(module.params["name"], api.region_of(client), actual)
    body = present if module.params["state"] == "present" else absent
    return body(module, client, actual is not None)


def main() -> None:
    """Run as an Ansible module."""
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

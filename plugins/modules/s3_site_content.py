#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.s3_site_content."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_site_content
short_description: Publish a directory as the content of a bucket
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Uploads the files of a local directory that a bucket does not have or has otherwise, each with the right
    C(Content-Type) and C(Cache-Control), and removes what left the directory if it is asked to.
  - Assets are uploaded first, HTML pages after them, and removals come last, so that a visitor never gets a page whose
    files are not there yet or not there any more.
  - Whether a file differs is decided by its size and by the MD5 that S3 shows as ETag, from the bucket's listing alone.
    Where the ETag is no MD5 (large objects, KMS encryption), the object's own metadata are asked for the SHA-256 that
    this module stores with each upload.
  - Nothing outside O(prefix) is read, written or removed.
options:
  bucket:
    description:
      - Name of the bucket. It must exist; in check mode, a missing one counts as empty.
    type: str
    required: true
  source:
    description:
      - The local directory. A missing one and one without any file are errors, so that a failed build is never
        published.
      - Symbolic links to files inside the directory are followed. Other links are left out, with a warning.
    type: path
    required: true
  prefix:
    description:
      - Where in the bucket the content goes, for example V(v2). It ends with a slash, given or not.
    type: str
    default: ''
  delete:
    description:
      - Whether objects below O(prefix) that the directory does not have are removed.
    type: bool
    default: false
  excludes:
    description:
      - Shell patterns of paths, or of file names, that are neither uploaded nor removed.
    type: list
    elements: str
    default: ['.git/*', .DS_Store, .env, '.env.*', .htpasswd]
  cache_control:
    description:
      - Rules for C(Cache-Control), the first that matches wins.
      - Without a match, pages get C(public, max-age=0, must-revalidate), files with a hash in their name get
        C(public, max-age=31536000, immutable), and all others C(public, max-age=3600).
    type: list
    elements: dict
    default: []
    suboptions:
      pattern:
        description:
          - Shell pattern of paths, or of file names; C(*) also matches slashes.
        type: str
        required: true
      cache_control:
        description:
          - The header's value.
        type: str
        required: true
  compare:
    description:
      - V(content) decides by the content alone.
      - V(metadata) also uploads what has another C(Content-Type) or C(Cache-Control) than wanted. It costs one request
        for each object.
    type: str
    choices: [content, metadata]
    default: content
  concurrency:
    description:
      - Requests at a time. The S3 client keeps 10 connections, more requests wait.
    type: int
    default: 8
notes:
  - Check mode makes no write call and returns the same plan as the real run.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Publish the site
  palier.aws.s3_site_content:
    bucket: shop-prod-site
    region: eu-west-3
    source: "{{ playbook_dir }}/site/dist"
    delete: true
  register: __site

- name: Serve the images a week long
  palier.aws.s3_site_content:
    bucket: shop-prod-site
    region: eu-west-3
    source: "{{ playbook_dir }}/site/dist"
    compare: metadata
    cache_control:
      - pattern: img/*
        cache_control: public, max-age=604800
"""

RETURN = r"""
uploaded:
  description: Paths of the files that were uploaded, or would be, in the order of the uploads.
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
unchanged:
  description: Paths of the files that the bucket has already.
  returned: always
  type: list
  elements: str
  sample: [robots.txt]
changed_paths:
  description:
    - URL paths, relative to O(prefix), that a CDN must fetch anew. An index page also counts as its directory.
    - Removed files with a hash in their names are not among them, so that pages that visitors opened before still find
      them in the caches.
  returned: always
  type: list
  elements: str
  sample: [/, /assets/app-3f2a91bc.js, /index.html]
content:
  description:
    - Digest of all that the bucket holds below O(prefix) after the run, for M(palier.aws.cloudfront_invalidation).
  returned: always
  type: str
  sample: 7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a
content_before:
  description: The same before the run.
  returned: always
  type: str
  sample: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
bytes:
  description: Size of all uploads in bytes.
  returned: always
  type: int
  sample: 48213
plan:
  description: What was done, or would be done in check mode, in this order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(upload), V(delete) or V(keep).
      type: str
    resource:
      description: The resource.
      type: str
    reason:
      description: Why.
      type: str
  sample:
    - action: upload
      resource: s3 object shop-prod-site/index.html
      reason: content differs
"""

import os
import typing as t
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import site_content_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome
from ansible_collections.palier.aws.plugins.module_utils.site_content import (
    Local,
    LocalFile,
    Remote,
    content_digests,
    heads_needed,
    normal_prefix,
    plan_sync,
    summary,
)
from ansible_collections.palier.aws.plugins.module_utils.site_content_files import digest_file, list_site
from ansible_collections.palier.aws.plugins.module_utils.site_content_types import cache_control, content_type

#: What build directories hold by accident, secrets above all.
EXCLUDES = [".git/*", ".DS_Store", ".env", ".env.*", ".htpasswd"]

ARGUMENTS = {
    "bucket": {"type": "str", "required": True},
    "source": {"type": "path", "required": True},
    "prefix": {"type": "str", "default": ""},
    "delete": {"type": "bool", "default": False},
    "excludes": {"type": "list", "elements": "str", "default": EXCLUDES},
    "cache_control": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "pattern": {"type": "str", "required": True},
            "cache_control": {"type": "str", "required": True},
        },
    },
    "compare": {"type": "str", "choices": ["content", "metadata"], "default": "content"},
    "concurrency": {"type": "int", "default": 8},
}


def local_files(module: AnsibleAWSModule) -> tuple[dict[str, str], Local]:
    """The site: file names, and how each file shall be served, by path."""
    paths, left_out = list_site(module.params["source"], module.params["excludes"])
    if left_out:
        module.warn(f"These links do not lead to a file of the site and are not published: {', '.join(left_out)}")
    rules = module.params["cache_control"]
    return paths, {
        key: LocalFile(os.path.getsize(path), content_type(key), cache_control(key, rules))
        for key, path in paths.items()
    }


def remote_objects(module: AnsibleAWSModule, client: t.Any, prefix: str) -> Remote:
    """What the bucket has below the prefix."""
    found = api.find_objects(client, module.params["bucket"], prefix)
    if found is None and not module.check_mode:
        raise AnsibleAWSError(
            message=f"bucket is {module.params['bucket']}, which does not exist: create it first (palier.aws.s3_bucket)"
        )
    return found or {}


def with_digests(local: Local, paths: dict[str, str], concurrency: int) -> Local:
    """The site with the hash of every file: those of the bucket's size decide, all of them make the digest."""
    keys = list(local)
    digests = api.side_by_side(lambda key: digest_file(paths[key]), keys, concurrency)
    known = {key: replace(local[key], md5=one.md5, sha256=one.sha256) for key, one in zip(keys, digests, strict=True)}
    return {**local, **known}


def with_heads(module: AnsibleAWSModule, client: t.Any, prefix: str, local: Local, remote: Remote) -> Remote:
    """The bucket's objects with the metadata of those whose metadata decide."""
    keys = heads_needed(local, remote, module.params["compare"])
    bucket, concurrency = module.params["bucket"], module.params["concurrency"]
    heads = api.side_by_side(lambda key: api.head_object(client, bucket, prefix + key), keys, concurrency)
    return {**remote, **{key: replace(remote[key], head=head) for key, head in zip(keys, heads, strict=True)}}


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    if module.params["concurrency"] < 1:
        raise AnsibleAWSError(message=f"concurrency is {module.params['concurrency']}: give 1 or more")
    client = module.client("s3")
    bucket, concurrency = module.params["bucket"], module.params["concurrency"]
    prefix = normal_prefix(module.params["prefix"])
    paths, local = local_files(module)
    remote = remote_objects(module, client, prefix)
    local = with_digests(local, paths, concurrency)
    remote = with_heads(module, client, prefix, local, remote)
    steps = plan_sync(
        bucket, prefix, local, remote, module.params["compare"], module.params["delete"], module.params["excludes"]
    )
    if not module.check_mode:
        files = {key: (paths[key], local[key]) for key in paths}
        api.carry_out(client, bucket, prefix, steps, files, concurrency)
    before, after = content_digests(steps, local, remote)
    return outcome(steps) | summary(steps, local) | {"content": after, "content_before": before}


def main() -> None:
    """Run as an Ansible module."""
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

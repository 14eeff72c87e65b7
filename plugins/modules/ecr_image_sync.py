#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ecr_image_sync."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_image_sync
short_description: Keep ECR repositories of two regions the same, image by image
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Copies what is missing from the repositories of one registry to those of another, in another region, account or
    both, with the same digests. Optionally removes what the source does not have.
  - Decides by comparing tags and digests. Where both sides agree, one page of DescribeImages for each 1,000 images,
    repository and side is all that it asks.
  - Bytes go from registry to registry through the machine that runs the module, streamed and hashed on the way, each
    layer once. A tag is set only when everything that it points at is there.
  - What a run that was interrupted has copied is not sent again.
  - In check mode nothing is written, and the result is the plan that a real run would carry out.
options:
  source:
    description: The registry to copy from.
    type: dict
    default: {}
    suboptions:
      region:
        description: Its region. By default the module's O(region).
        type: str
      registry_id:
        description: Its account, where that is not the caller's.
        type: str
      role_arn:
        description: A role to take on for reading.
        type: str
  destination:
    description: The registry to copy to.
    type: dict
    required: true
    suboptions:
      region:
        description: Its region. By default the module's O(region).
        type: str
      registry_id:
        description: Its account, where that is not the caller's.
        type: str
      role_arn:
        description: A role to take on for writing.
        type: str
      kms_key:
        description:
          - ARN of a KMS key of the destination's region, for repositories that are created.
          - By default such a repository is encrypted in the way of the source's, and where that is by KMS, with the key
            that AWS manages for ECR. A key of the source's region cannot be used.
        type: str
  repositories:
    description:
      - The repositories. Each is a name, which is then the same on both sides, or a dict with V(source) and
        V(destination).
    type: list
    elements: raw
    required: true
  tags_include:
    description: Globs of the tags to copy, case-sensitive.
    type: list
    elements: str
    default: ['*']
  tags_exclude:
    description: Globs of tags to leave alone on both sides, stronger than O(tags_include).
    type: list
    elements: str
    default: []
  untagged:
    description:
      - Whether images without a tag are copied too, and removed by O(prune).
      - The images of a multi-platform index come along with it in any case.
    type: bool
    default: false
  referrers:
    description:
      - Whether what refers to a copied image follows it, signatures, attestations and SBOMs, found by their subject and
        by tags such as C(sha256-….sig), whatever O(tags_include) says.
    type: bool
    default: true
  prune:
    description:
      - Remove from the destination the selected tags that the source does not have.
      - Refused for a repository whose source has no selected image at all.
    type: bool
    default: false
  prune_max_percent:
    description: Refuse to remove more than this share of a repository's selected images, in percent.
    type: int
    default: 50
  prune_repository_tags:
    description: Remove images only from repositories that carry these tags.
    type: dict
    default: {}
  on_immutable_conflict:
    description:
      - What to do about a tag that cannot be moved in the destination and points at another image than in the source.
      - V(fail) ends the module before anything is changed, V(skip) leaves the tag as it is, V(replace) takes it off the
        old image (which ECR deletes if that was its last tag) after the new one has arrived whole.
    type: str
    choices: [fail, skip, replace]
    default: fail
  create_repository:
    description:
      - Create repositories that the destination lacks, with the tag immutability, scan on push, lifecycle policy and
        kind of encryption of the source's.
      - When this is V(false) and one is missing, the module fails before anything is changed.
    type: bool
    default: true
  tags:
    description: Tags of repositories that are created.
    type: dict
    default: {}
    aliases: [resource_tags]
  verify:
    description:
      - V(digest) takes an image for complete when the destination lists its digest, which a registry does only when it
        has all of it.
      - V(blobs) asks the destination for each layer of each selected image, and copies again what lacks any.
    type: str
    choices: [digest, blobs]
    default: digest
  only:
    description:
      - Limit copies to images with these digests, as a run in check mode returns them in RV(images).
      - Nothing is removed in such a run.
    type: list
    elements: str
  workers:
    description: Connections used at once, from 1 to 64.
    type: int
    default: 16
  put_rate:
    description:
      - Images and indexes published in a second.
      - The default is ECR's quota for PutImage (Amazon ECR service quotas, rate of PutImage requests). Lower it where
        others push at the same time, raise it where the quota was raised.
    type: float
    default: 10
notes:
  - Needs C(ecr:DescribeImages), C(ecr:GetAuthorizationToken), C(ecr:BatchGetImage), C(ecr:GetDownloadUrlForLayer) and,
    for repositories that it creates, C(ecr:DescribeRepositories) and C(ecr:GetLifecyclePolicy) on the source.
  - On the destination C(ecr:DescribeImages), C(ecr:DescribeRepositories), C(ecr:GetLifecyclePolicy),
    C(ecr:GetAuthorizationToken), C(ecr:BatchGetImage), C(ecr:BatchCheckLayerAvailability), C(ecr:InitiateLayerUpload),
    C(ecr:UploadLayerPart), C(ecr:CompleteLayerUpload), C(ecr:PutImage), and as asked for C(ecr:CreateRepository),
    C(ecr:PutLifecyclePolicy), C(ecr:TagResource), C(ecr:ListTagsForResource) and C(ecr:BatchDeleteImage).
  - Layers that several repositories share are sent once when the account setting C(BLOB_MOUNTING) is on in the
    destination, else once for each repository.
  - Images that ECR has archived are not copied.
requirements:
  - urllib3 >= 1.26 (botocore brings it)
seealso:
  - module: palier.aws.ecr_registry_replication
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep the standby region's registry the same
  palier.aws.ecr_image_sync:
    source:
      region: eu-west-3
    destination:
      region: eu-central-1
    repositories:
      - shop/backend
      - shop/frontend

- name: Show what would be copied
  palier.aws.ecr_image_sync:
    source:
      region: eu-west-3
    destination:
      region: eu-central-1
    repositories: [shop/backend]
  check_mode: true
  register: plan

- name: Publish releases to a partner's account, under another name, and withdraw what was withdrawn
  palier.aws.ecr_image_sync:
    source:
      region: eu-west-3
    destination:
      region: eu-west-3
      registry_id: "210987654321"
      role_arn: arn:aws:iam::210987654321:role/image-receiver
    repositories:
      - source: shop/backend
        destination: partners/shop-backend
    tags_include: ["v*"]
    tags_exclude: ["*-rc*"]
    prune: true
    on_immutable_conflict: skip
"""

RETURN = r"""
images:
  description: Every selected image with what happens to it and why; one entry for each tag.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(copy), V(skip), V(remove) or V(refuse).
      type: str
    image:
      description: The image in the destination, by tag or digest.
      type: str
    source:
      description: Repository in the source.
      type: str
    destination:
      description: Repository in the destination.
      type: str
    tag:
      description: The tag, or null for an image without one.
      type: str
    digest:
      description: The image's digest.
      type: str
    bytes:
      description: Its size as ECR counts it, 0 where that is not known.
      type: int
    reason:
      description: Why.
      type: str
copied:
  description: What was copied.
  returned: when not in check mode
  type: dict
  contains:
    images:
      description: Images that are now complete, an index counting as one.
      type: int
    tags:
      description: Tags that were set.
      type: int
    manifests:
      description: Manifests that were published.
      type: int
    blobs:
      description: Layers and configurations that were sent.
      type: int
    bytes:
      description: Their bytes.
      type: int
    mounted:
      description: Layers that another repository of the destination had.
      type: int
    present:
      description: Layers that the repository itself had.
      type: int
failed:
  description: Images that could not be copied, with the reason. The others were.
  returned: when there are any
  type: list
  elements: dict
  contains:
    image:
      description: The image in the destination.
      type: str
    error:
      description: What went wrong.
      type: str
requests:
  description: Requests that were sent.
  returned: always
  type: dict
  contains:
    api:
      description: ECR API calls to both sides.
      type: int
    source:
      description: HTTP requests to the source registry.
      type: int
    destination:
      description: HTTP requests to the destination registry.
      type: int
seconds:
  description: How long it took.
  returned: always
  type: float
plan:
  description: Every step in the order in which it is carried out.
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

import re
import time
import typing as t

from ansible.module_utils.common.warnings import warn
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.ecr import Pair, Rules
from ansible_collections.palier.aws.plugins.module_utils.ecr_side import Connector, Side
from ansible_collections.palier.aws.plugins.module_utils.ecr_sync import Settings, Sync, SyncError
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome
from ansible_collections.palier.aws.plugins.module_utils.registry_client import Pools, RegistryError
from ansible_collections.palier.aws.plugins.module_utils.registry_copy import Failure
from ansible_collections.palier.aws.plugins.module_utils.registry_manifest import ManifestError

# CreateRepository's own pattern; names end up in URLs.
_NAME = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")


def pairs(repositories: list[t.Any]) -> list[Pair]:
    """The option C{repositories} as pairs of names."""
    found = [_pair(entry) for entry in repositories]
    destinations = [pair.destination for pair in found]
    twice = sorted({name for name in destinations if destinations.count(name) > 1})
    if twice:
        raise SyncError(f"repositories: {', '.join(twice)} is a destination twice; give each source one of its own")
    return found


def _pair(entry: t.Any) -> Pair:
    if isinstance(entry, str):
        entry = {"source": entry}
    if not isinstance(entry, dict) or not {"source"} <= entry.keys() <= {"source", "destination"}:
        raise SyncError(f"repositories: {entry!r} is neither a name nor a dict with source and destination")
    pair = Pair(str(entry["source"]), str(entry.get("destination") or entry["source"]))
    for name in (pair.source, pair.destination):
        if not _NAME.fullmatch(name):
            raise SyncError(f"repositories: {name!r} is not a repository name; write it without registry and tag")
    return pair


def rules(params: dict[str, t.Any]) -> Rules:
    """The options that say which images are wanted."""
    return Rules(
        include=tuple(params["tags_include"]),
        exclude=tuple(params["tags_exclude"]),
        untagged=params["untagged"],
        referrers=params["referrers"],
        prune=params["prune"],
        prune_max_percent=params["prune_max_percent"],
        on_immutable_conflict=params["on_immutable_conflict"],
    )


def settings(params: dict[str, t.Any]) -> Settings:
    """The other options."""
    if not 1 <= params["workers"] <= 64:
        raise SyncError(f"workers is {params['workers']}; write a number from 1 to 64")
    if not 0 < params["put_rate"] <= 1000:
        raise SyncError(f"put_rate is {params['put_rate']}; write a number above 0, ECR's own default is 10")
    return Settings(
        create_repository=params["create_repository"],
        kms_key=params["destination"]["kms_key"],
        tags=params["tags"],
        prune_repository_tags=params["prune_repository_tags"],
        only=None if params["only"] is None else frozenset(params["only"]),
        workers=params["workers"],
        put_rate=params["put_rate"],
        verify_blobs=params["verify"] == "blobs",
    )


def sides(module: AnsibleAWSModule) -> tuple[Side, Side]:
    """The two registries; nothing is asked of them yet."""
    connector = Connector(module)
    pools = Pools(module.params["workers"] + 1, connector.verify)
    found = []
    for option in ("source", "destination"):
        place = module.params[option] or {}
        region = place.get("region") or module.region
        if not region:
            raise SyncError(f"{option}.region is not set, and there is no region; write one of them")
        client = connector.client("ecr", region, place.get("role_arn"))
        found.append(Side(client, region, place.get("registry_id"), pools))
    return found[0], found[1]


def sync(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's work: look, decide and, unless in check mode, act."""
    started = time.monotonic()
    wanted, chosen, details = pairs(module.params["repositories"]), rules(module.params), settings(module.params)
    source, destination = sides(module)
    job = Sync(source, destination, wanted, chosen, details)
    result: dict[str, t.Any] = {}
    try:
        result = outcome(job.plan())
        if result["changed"] and not module.check_mode:
            totals, failures = job.apply()
            result["copied"] = vars(totals)
            result["failed"] = [_failed(failure) for failure in failures]
    finally:
        for warning in dict.fromkeys(job.warnings):
            warn(warning)
    result["images"] = [decision.as_dict() for decision in job.decisions]
    result["requests"] = {
        "api": source.requests + destination.requests,
        "source": source.registry_requests,
        "destination": destination.registry_requests,
    }
    result["seconds"] = round(time.monotonic() - started, 3)
    return result


def _failed(failure: Failure) -> dict[str, str]:
    work = failure.work
    name = (
        ":".join([work.pair.destination, ",".join(work.tags)])
        if work.tags
        else f"{work.pair.destination}@{work.digest}"
    )
    return {"image": name, "error": str(failure.error)}


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Run the sync and turn what went wrong into one message."""
    try:
        result = sync(module)
    except (SyncError, RegistryError, ManifestError) as error:
        module.fail_json(msg=str(error))
    failed = result.get("failed")
    if failed:
        first = failed[0]
        others = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        module.fail_json(msg=f"Failed to copy {first['image']}{others}: {first['error']}", **result)
    result.pop("failed", None)
    return result


def main() -> None:
    place = {
        "region": {"type": "str"},
        "registry_id": {"type": "str"},
        "role_arn": {"type": "str"},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "source": {"type": "dict", "default": {}, "options": place},
            "destination": {
                "type": "dict",
                "required": True,
                "options": {**place, "kms_key": {"type": "str", "no_log": False}},
            },
            "repositories": {"type": "list", "elements": "raw", "required": True},
            "tags_include": {"type": "list", "elements": "str", "default": ["*"]},
            "tags_exclude": {"type": "list", "elements": "str", "default": []},
            "untagged": {"type": "bool", "default": False},
            "referrers": {"type": "bool", "default": True},
            "prune": {"type": "bool", "default": False},
            "prune_max_percent": {"type": "int", "default": 50},
            "prune_repository_tags": {"type": "dict", "default": {}},
            "on_immutable_conflict": {"choices": ["fail", "skip", "replace"], "default": "fail"},
            "create_repository": {"type": "bool", "default": True},
            "tags": {"type": "dict", "default": {}, "aliases": ["resource_tags"]},
            "verify": {"choices": ["digest", "blobs"], "default": "digest"},
            "only": {"type": "list", "elements": "str"},
            "workers": {"type": "int", "default": 16},
            "put_rate": {"type": "float", "default": 10.0},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

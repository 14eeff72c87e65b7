#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.snapshot_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_info
short_description: Restore points of a stack, with their age and whether they are complete
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Lists what M(palier.aws.ec2_instance_snapshot), M(palier.aws.rds_snapshot) and M(palier.aws.snapshot_copy) made,
    put together as restore points, from the tags on the snapshots alone.
  - EBS snapshots are filtered by tag in AWS, with up to 1,000 in each page. RDS cannot filter by tag, so its manual
    snapshots are listed, 100 in each page, and filtered here.
options:
  tags:
    description:
      - Tags that the snapshots must have, for example those of the stack, or of one tier of it.
    type: dict
    required: true
    aliases: [filter_tags]
  services:
    description:
      - Which services to ask.
    type: list
    elements: str
    choices: [ebs, rds, rds_cluster]
    default: [ebs, rds, rds_cluster]
  regions:
    description:
      - Regions to look in, one after the other. The module's own O(region) unless given.
    type: list
    elements: str
  source:
    description:
      - Only restore points of this instance, database or cluster, by name or id.
    type: str
  max_age:
    description:
      - Adds RV(stale), the sources whose newest complete restore point is older than this, for example V(24h).
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: List the restore points of a stack in both of its regions
  palier.aws.snapshot_info:
    tags:
      Stack: shop
      Environment: prod
    regions: [eu-west-3, eu-central-1]
  register: saved

- name: Fail when the database was not saved in the last day
  palier.aws.snapshot_info:
    tags:
      Stack: shop
      Environment: prod
      Tier: rds
    region: eu-west-3
    max_age: 24h
  register: database
  failed_when: not database.newest or database.stale
"""

RETURN = r"""
restore_points:
  description: The restore points, the newest first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the restore point.
      type: str
      sample: shop-prod-web-20240615t031500z
    of:
      description: Name of what was saved.
      type: str
      sample: shop-prod-web
    source:
      description: Id of what was saved.
      type: str
      sample: i-0123456789abcdef0
    service:
      description: V(ebs), V(rds) or V(rds_cluster).
      type: str
      sample: ebs
    tier:
      description: The V(Tier) tag.
      type: str
      sample: ec2_app
    region:
      description: Where it lies.
      type: str
      sample: eu-west-3
    time:
      description: When its content is from, in UTC. A copy has the time of what it is a copy of.
      type: str
      sample: "2024-06-15T03:15:00Z"
    age:
      description: The same as an age.
      type: str
      sample: 8h45m
    age_seconds:
      description: The same in seconds.
      type: int
      sample: 31500
    state:
      description: V(complete), V(pending), V(incomplete) (a snapshot lacks) or V(error).
      type: str
      sample: complete
    complete:
      description: Whether it can be restored from.
      type: bool
      sample: true
    flaw:
      description: Why not.
      type: str
      sample: 2 of 3 snapshots are there
    size:
      description: Number of snapshots that make it complete.
      type: int
      sample: 3
    size_gib:
      description: Size of the saved volumes or database, in GiB. AWS bills what is stored, which is less.
      type: int
      sample: 120
    encrypted:
      description: Whether every snapshot is encrypted.
      type: bool
      sample: true
    copy:
      description: Whether it was copied from another region or account.
      type: bool
      sample: false
    snapshots:
      description: Its snapshots.
      type: list
      elements: dict
      contains:
        id:
          description: Snapshot id, or identifier of the database snapshot.
          type: str
          sample: snap-0123456789abcdef0
        ref:
          description: By what a restore names it, the id for EBS and the ARN for RDS.
          type: str
          sample: snap-0123456789abcdef0
        state:
          description: V(complete), V(pending) or V(error).
          type: str
          sample: complete
        volume:
          description: The EBS volume that was saved.
          type: str
          sample: vol-0123456789abcdef0
        device:
          description: Where the volume was attached.
          type: str
          sample: /dev/xvda
        size_gib:
          description: Size of the volume or database, in GiB.
          type: int
          sample: 40
        encrypted:
          description: Whether it is encrypted.
          type: bool
          sample: true
        kms_key:
          description: ARN of the key.
          type: str
          sample: arn:aws:kms:eu-west-3:123456789012:key/0123abcd-0123-0123-0123-0123456789ab
        copy_of:
          description: What it is a copy of.
          type: str
          sample: ""
        tags:
          description: Its tags.
          type: dict
          sample: {Stack: shop, Environment: prod}
newest:
  description: The newest complete restore point of each source and region, in the shape of RV(restore_points).
  returned: always
  type: list
  elements: dict
stale:
  description: Those of RV(newest) that are older than O(max_age).
  returned: when O(max_age) is given
  type: list
  elements: dict
loose:
  description:
    - Snapshots with these tags that belong to no restore point, such as the final snapshot of a deleted database or
      what AWS Backup made.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Snapshot id or identifier.
      type: str
      sample: shop-prod-db-final
    service:
      description: V(ebs), V(rds) or V(rds_cluster).
      type: str
      sample: rds
    region:
      description: Where it lies.
      type: str
      sample: eu-west-3
    maker:
      description: The AWS service that made and manages it, if any.
      type: str
      sample: AWS Backup
"""

import typing as t
from datetime import timedelta

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import snapshots_api as api
from ansible_collections.palier.aws.plugins.module_utils import snapshots_run as shared
from ansible_collections.palier.aws.plugins.module_utils.snapshots import (
    COMPLETE,
    RestorePoint,
    Snapshot,
    age,
    describe,
    group,
)


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """List and describe."""
    tags, limit, now = shared.tag_filter(module), shared.max_age(module), shared.now()
    points: list[RestorePoint] = []
    loose: list[Snapshot] = []
    for region in module.params["regions"] or [module.region]:
        found = group(api.list_snapshots(api.Clients(module, region), module.params["services"], tags))
        points += [point for point in found[0] if _wanted(point, module.params["source"])]
        loose += found[1]
    points.sort(key=lambda point: (point.time, point.key), reverse=True)
    newest = _newest(points)
    result = {
        "changed": False,
        "restore_points": [describe(point, now) for point in points],
        "newest": [describe(point, now) for point in newest],
        "loose": [{"id": s.id, "service": s.service, "region": s.region, "maker": s.maker} for s in loose],
    }
    return result if limit is None else {**result, "stale": _stale(newest, limit, now)}


def _wanted(point: RestorePoint, source: str | None) -> bool:
    return source is None or source in (point.of, point.source)


def _newest(points: list[RestorePoint]) -> list[RestorePoint]:
    newest: dict[tuple[str, str, str], RestorePoint] = {}
    for point in points:
        if point.state == COMPLETE:
            newest.setdefault((point.service, point.of, point.snapshots[0].region), point)
    return list(newest.values())


def _stale(newest: list[RestorePoint], limit: timedelta, now: t.Any) -> list[dict[str, t.Any]]:
    return [describe(point, now) for point in newest if age(point, now) > limit]


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            **shared.TAGS_FILTER,
            "regions": {"type": "list", "elements": "str"},
            "source": {"type": "str"},
            "max_age": {"type": "str"},
        },
        supports_check_mode=True,
    )
    shared.run(module, run)


if __name__ == "__main__":
    main()

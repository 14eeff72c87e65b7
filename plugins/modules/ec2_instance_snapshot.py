#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ec2_instance_snapshot."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_instance_snapshot
short_description: One crash-consistent restore point of an instance's volumes
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Snapshots all volumes of an instance, or those chosen, at the same moment (CreateSnapshots), and tags them as one
    restore point that the other snapshot modules understand.
  - Makes none while a younger restore point exists, complete or on its way, that holds every wanted volume.
  - A call whose answer is lost is looked up before it is repeated, so an interruption leaves no second set.
options:
  instance_id:
    description:
      - The instance. It may be running or stopped.
    type: str
    required: true
  name:
    description:
      - Name of what is saved, which retention goes by. The instance's V(Name) tag unless given, or its id.
      - Give each instance a name of its own. It outlives the instance, its id does not.
    type: str
  tags:
    description:
      - Tags of the snapshots, those of the stack. Keys that begin with V(aws:) are left out, AWS keeps them for itself.
    type: dict
    required: true
  max_age:
    description:
      - A restore point younger than this will do, for example V(24h), V(90m) or V(7d).
      - A new one is made in any case when it is not given.
    type: str
  restore_point:
    description:
      - Name of the restore point, instead of one made of O(name) and the time. One that exists will do, however old.
    type: str
  volume_ids:
    description:
      - Only these volumes of the instance.
    type: list
    elements: str
  exclude_volume_ids:
    description:
      - Not these volumes.
    type: list
    elements: str
    default: []
  boot_volume:
    description:
      - Whether the boot volume is saved too.
    type: bool
    default: true
  description:
    description:
      - Description of the snapshots, the name of the restore point unless given.
    type: str
  wait:
    description:
      - Whether to wait until the snapshots are complete, which takes minutes to hours. What they hold is fixed at once.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 3600
notes:
  - Snapshots of encrypted volumes are encrypted with the same key, others are not unless the account encrypts by
    default.
  - AWS allows five snapshots of a volume under way at once (one on st1 and sc1), and wants 15 seconds between two.
seealso:
  - module: palier.aws.rds_snapshot
  - module: palier.aws.snapshot_info
  - module: palier.aws.snapshot_prune
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Save the web server unless it was saved in the last day
  palier.aws.ec2_instance_snapshot:
    region: eu-west-3
    instance_id: i-0123456789abcdef0
    max_age: 24h
    tags:
      Stack: shop
      Environment: prod
      Tier: ec2_app

- name: Save the data volumes before an upgrade, and wait
  palier.aws.ec2_instance_snapshot:
    region: eu-west-3
    instance_id: i-0123456789abcdef0
    boot_volume: false
    restore_point: shop-prod-web-before-v2
    wait: true
    tags:
      Stack: shop
      Environment: prod
      Tier: ec2_app
"""

RETURN = r"""
plan:
  description: What is done and why; in check mode what would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      resource: ebs restore point shop-prod-web-20240615t120000z
      reason: the newest, shop-prod-web-20240613t031500z, is 2d8h45m old, not younger than 1d
restore_point:
  description: >-
    The restore point that was made or will do, in the shape that M(palier.aws.snapshot_info) returns. None in check
    mode when one would be made.
  returned: always
  type: dict
  sample: {name: shop-prod-web-20240615t120000z, state: pending, size: 2}
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import snapshots_api as api
from ansible_collections.palier.aws.plugins.module_utils import snapshots_run as shared
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome
from ansible_collections.palier.aws.plugins.module_utils.snapshots import (
    EBS,
    SOURCE,
    RestorePoint,
    Snapshot,
    SnapshotsError,
    describe,
    point_name,
    point_tags,
)
from ansible_collections.palier.aws.plugins.module_utils.snapshots_plan import (
    Volumes,
    Wanted,
    choose_volumes,
    plan_creation,
)


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, decide, make."""
    clients, params, now = api.Clients(module), module.params, shared.now()
    instance = api.describe_instance(clients("ec2"), params["instance_id"])
    if not instance:
        raise SnapshotsError(f"instance_id {params['instance_id']}: no such instance in {clients.region}")
    volumes = choose_volumes(instance, params["volume_ids"], params["exclude_volume_ids"], params["boot_volume"])
    of = params["name"] or _name_of(instance)
    wanted = Wanted(
        source=params["instance_id"],
        service=EBS,
        members=frozenset(volumes.devices),
        max_age=shared.max_age(module),
        name=params["restore_point"] or point_name(of, now),
        named=bool(params["restore_point"]),
    )
    tags = point_tags(
        params["tags"],
        name=wanted.name,
        of=of,
        source=wanted.source,
        size=len(volumes.devices),
        at=now,
        devices=volumes.devices,
    )
    step, point = plan_creation(shared.points_with(clients, [EBS], {SOURCE: wanted.source}), wanted, now)
    if step.changes and not module.check_mode:
        point = _create(clients, wanted, volumes, tags, params["description"])
    if point and params["wait"] and not module.check_mode:
        point = _wait(clients, wanted.source, point.name, params["wait_timeout"])
    return {**outcome([step]), "restore_point": describe(point, now) if point else None}


def _name_of(instance: dict[str, t.Any]) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    return tags.get("Name") or instance["InstanceId"]


def _create(
    clients: api.Clients, wanted: Wanted, volumes: Volumes, tags: dict[str, str], description: str | None
) -> RestorePoint:
    def call() -> list[Snapshot]:
        return api.create_snapshots(clients, volumes.specification, description or wanted.name, tags)

    def find() -> list[Snapshot]:
        points = shared.points_with(clients, [EBS], {SOURCE: wanted.source})
        point = shared.find_point(points, wanted.name)
        return list(point.snapshots) if point else []

    subject = f"create {wanted.label} of {wanted.source}"
    return shared.whole(api.make_once(api.Attempt(call, find, subject)))


def _wait(clients: api.Clients, source: str, name: str, timeout: int) -> RestorePoint:
    def look() -> RestorePoint | None:
        return shared.find_point(shared.points_with(clients, [EBS], {SOURCE: source}), name)

    return shared.wait_for(look, timeout, name)


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "instance_id": {"type": "str", "required": True},
            "name": {"type": "str"},
            "tags": {"type": "dict", "required": True},
            "max_age": {"type": "str"},
            "restore_point": {"type": "str"},
            "volume_ids": {"type": "list", "elements": "str"},
            "exclude_volume_ids": {"type": "list", "elements": "str", "default": []},
            "boot_volume": {"type": "bool", "default": True},
            "description": {"type": "str"},
            **shared.WAIT,
        },
        mutually_exclusive=[("max_age", "restore_point")],
        supports_check_mode=True,
    )
    shared.run(module, run)


if __name__ == "__main__":
    main()

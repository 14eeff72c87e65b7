#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.rds_snapshot."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_snapshot
short_description: A restore point of a database instance or cluster
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Takes a manual snapshot of an RDS database instance or of a cluster, tagged as a restore point that the other
    snapshot modules understand. Manual snapshots stay when the database is deleted.
  - Takes none while a younger restore point exists, complete or on its way.
  - The snapshot's identifier is decided before the call, so a call whose answer is lost is repeated without harm.
options:
  db_instance_identifier:
    description:
      - The database instance. Exactly one of this and O(db_cluster_identifier) is given.
    type: str
    aliases: [db_instance]
  db_cluster_identifier:
    description:
      - The cluster (Aurora, or a Multi-AZ cluster).
    type: str
    aliases: [db_cluster]
  name:
    description:
      - Name of what is saved, which retention goes by. The identifier of the database unless given.
    type: str
  tags:
    description:
      - Tags of the snapshot, those of the stack. Keys that begin with V(aws:) are left out, AWS keeps them for itself.
    type: dict
    required: true
  max_age:
    description:
      - A restore point younger than this will do, for example V(24h), V(90m) or V(7d).
      - A new one is made in any case when it is not given.
    type: str
  restore_point:
    description:
      - Name of the restore point and identifier of the snapshot, instead of one made of O(name) and the time. One that
        exists will do, however old.
      - Lower-case letters, digits and single hyphens, a letter first; at most 255 characters (63 for a cluster).
    type: str
  wait:
    description:
      - Whether to wait until the snapshot is available, which takes minutes to hours.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 3600
notes:
  - An account holds 100 manual snapshots in a region unless the quota was raised.
  - The database must be in state V(available). A single-AZ database stands still for seconds while it is read.
seealso:
  - module: palier.aws.ec2_instance_snapshot
  - module: palier.aws.snapshot_info
  - module: palier.aws.snapshot_copy
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Save the database unless it was saved in the last day
  palier.aws.rds_snapshot:
    region: eu-west-3
    db_instance_identifier: shop-prod-db
    max_age: 24h
    tags:
      Stack: shop
      Environment: prod
      Tier: rds

- name: Save the cluster before a migration, and wait
  palier.aws.rds_snapshot:
    region: eu-west-3
    db_cluster_identifier: shop-prod-aurora
    restore_point: shop-prod-before-v2
    wait: true
    tags:
      Stack: shop
      Environment: prod
      Tier: rds
"""

RETURN = r"""
plan:
  description: What is done and why; in check mode what would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - action: keep
      resource: rds restore point shop-prod-db-20240615t031500z
      reason: is 8h45m old, younger than 1d
restore_point:
  description: >-
    The restore point that was made or will do, in the shape that M(palier.aws.snapshot_info) returns. None in check
    mode when one would be made.
  returned: always
  type: dict
  sample: {name: shop-prod-db-20240615t031500z, state: complete, size: 1}
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import snapshots_api as api
from ansible_collections.palier.aws.plugins.module_utils import snapshots_run as shared
from ansible_collections.palier.aws.plugins.module_utils.plan import outcome
from ansible_collections.palier.aws.plugins.module_utils.snapshots import (
    RDS,
    RDS_CLUSTER,
    SOURCE,
    RestorePoint,
    Snapshot,
    SnapshotsError,
    check_identifier,
    describe,
    point_name,
    point_tags,
)
from ansible_collections.palier.aws.plugins.module_utils.snapshots_plan import Wanted, plan_creation


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Fetch, decide, make."""
    clients, params, now = api.Clients(module), module.params, shared.now()
    service, source = _source(clients, params)
    of = params["name"] or source
    wanted = Wanted(
        source=source,
        service=service,
        members=frozenset(),
        max_age=shared.max_age(module),
        name=params["restore_point"] or point_name(of, now),
        named=bool(params["restore_point"]),
    )
    check_identifier(wanted.name, service)
    tags = point_tags(params["tags"], name=wanted.name, of=of, source=source, size=1, at=now, devices={})
    step, point = plan_creation(_points(clients, wanted), wanted, now)
    if step.changes and not module.check_mode:
        point = _create(clients, wanted, tags)
    if point and params["wait"] and not module.check_mode:
        point = _wait(clients, wanted, point.name, params["wait_timeout"])
    return {**outcome([step]), "restore_point": describe(point, now) if point else None}


def _source(clients: api.Clients, params: dict[str, t.Any]) -> tuple[str, str]:
    cluster = bool(params["db_cluster_identifier"])
    option = "db_cluster_identifier" if cluster else "db_instance_identifier"
    identifier = params[option].lower()  # RDS keeps identifiers in lower case
    found = (api.describe_cluster if cluster else api.describe_database)(clients("rds"), identifier)
    if not found:
        raise SnapshotsError(f"{option} {identifier}: no such database in {clients.region}")
    if not cluster and found.get("DBClusterIdentifier"):
        raise SnapshotsError(
            f"{option} {identifier} is a member of cluster {found['DBClusterIdentifier']}, which is saved as a whole: "
            "give db_cluster_identifier instead"
        )
    return (RDS_CLUSTER if cluster else RDS), identifier


def _points(clients: api.Clients, wanted: Wanted) -> list[RestorePoint]:
    return shared.points_with(clients, [wanted.service], {SOURCE: wanted.source})


def _create(clients: api.Clients, wanted: Wanted, tags: dict[str, str]) -> RestorePoint:
    def call() -> list[Snapshot]:
        return [api.create_database_snapshot(clients, wanted.service, wanted.source, wanted.name, tags)]

    def find() -> list[Snapshot]:
        point = shared.find_point(_points(clients, wanted), wanted.name)
        return list(point.snapshots) if point else []

    subject = f"create {wanted.label} of {wanted.source}"
    return shared.whole(api.make_once(api.Attempt(call, find, subject)))


def _wait(clients: api.Clients, wanted: Wanted, name: str, timeout: int) -> RestorePoint:
    return shared.wait_for(lambda: shared.find_point(_points(clients, wanted), name), timeout, name)


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "db_instance_identifier": {"type": "str", "aliases": ["db_instance"]},
            "db_cluster_identifier": {"type": "str", "aliases": ["db_cluster"]},
            "name": {"type": "str"},
            "tags": {"type": "dict", "required": True},
            "max_age": {"type": "str"},
            "restore_point": {"type": "str"},
            **shared.WAIT,
        },
        mutually_exclusive=[("max_age", "restore_point"), ("db_instance_identifier", "db_cluster_identifier")],
        required_one_of=[("db_instance_identifier", "db_cluster_identifier")],
        supports_check_mode=True,
    )
    shared.run(module, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.rds_restore."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_restore
short_description: Restores a database beside the present one, or in its place
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Restores a database instance from a snapshot or to a point in time, under a new name. With O(swap) the present one
    is then renamed and kept, and the restored one takes its name, and with it its endpoint. Nothing is ever deleted.
  - A restore takes over what a snapshot does not hold from the present database. That is its class, subnets, security
    groups, parameters, log exports, protection and tags.
  - Each run reads what is there and does the next step, so it can be interrupted anywhere and run again until
    RV(done). A restore that was done is not done again.
options:
  db_instance_identifier:
    description:
      - The database that the applications use. It may be lost.
    type: str
    required: true
  snapshot:
    description:
      - Identifier or ARN of the snapshot to restore from. Exactly one of this and O(restore_time) is given.
    type: str
  restore_time:
    description:
      - Moment to restore to, in ISO 8601 with an offset, or V(latest), which is some five minutes ago. It needs the
        automatic backups of the present database.
    type: str
  new_identifier:
    description:
      - Identifier to restore under. O(db_instance_identifier) with C(-restored) unless given.
    type: str
  swap:
    description:
      - Whether the restored database takes the place of the present one. Both are renamed, each of which takes minutes,
        in which applications cannot connect.
    type: bool
    default: false
  kept_identifier:
    description:
      - Identifier that the present database gets with O(swap). O(db_instance_identifier), C(-before-) and the time of
        what is restored unless given. Needed with O(restore_time=latest).
    type: str
  attempt:
    description:
      - A word that tells this restore from an earlier one of the same snapshot or moment, which is found done
        otherwise.
    type: str
    default: ""
  db_instance_class:
    description:
      - Instance class, instead of the present database's.
    type: str
  db_subnet_group_name:
    description:
      - Subnet group, instead of the present database's. Needed when that is lost, or AWS takes the default VPC.
    type: str
  vpc_security_group_ids:
    description:
      - Security groups, instead of the present database's.
    type: list
    elements: str
  db_parameter_group_name:
    description:
      - Parameter group, instead of the present database's.
    type: str
  tags:
    description:
      - Tags of the restored database, besides the present one's.
    type: dict
    default: {}
  wait:
    description:
      - Whether to go on until the restore is done, which takes from minutes to hours.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 7200
notes:
  - Automatic backups of the database that was renamed stay with it. The restored one begins anew.
seealso:
  - module: palier.aws.rds_snapshot
  - module: palier.aws.ec2_volume_restore
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Restore a snapshot beside the database, and look every minute
  palier.aws.rds_restore:
    region: eu-west-3
    db_instance_identifier: shop-prod-db
    snapshot: shop-prod-db-20240615t031500z
  register: restored
  until: restored.done
  retries: 120
  delay: 60

- name: Put the database back to where it was before the accident
  palier.aws.rds_restore:
    region: eu-west-3
    db_instance_identifier: shop-prod-db
    restore_time: "2024-06-15T09:41:00Z"
    swap: true
    wait: true
"""

RETURN = r"""
plan:
  description: What is done, what waits and why; in check mode what would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      resource: database shop-prod-db-restored
      reason: restored from shop-prod-db-20240615t031500z
done:
  description: Whether the restore is complete. If not, run it again.
  returned: always
  type: bool
  sample: false
restored_identifier:
  description: Identifier of the restored database when the restore is done.
  returned: always
  type: str
  sample: shop-prod-db
kept_identifier:
  description: Identifier of the database that was replaced, empty without O(swap).
  returned: always
  type: str
  sample: shop-prod-db-before-20240615t094100
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import restore_api
from ansible_collections.palier.aws.plugins.module_utils import snapshots_api as api
from ansible_collections.palier.aws.plugins.module_utils import snapshots_run as shared
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome
from ansible_collections.palier.aws.plugins.module_utils.restore import (
    NextSteps,
    Restore,
    database_tags,
    kept_name,
    parse_moment,
    plan_database,
    settings_of,
)
from ansible_collections.palier.aws.plugins.module_utils.snapshots_errors import explain

#: Options that go before what the present database has.
SETTINGS = {
    "db_instance_class": "DBInstanceClass",
    "db_subnet_group_name": "DBSubnetGroupName",
    "vpc_security_group_ids": "VpcSecurityGroupIds",
    "db_parameter_group_name": "DBParameterGroupName",
}

Raw = dict[str, t.Any]


def run(module: AnsibleAWSModule) -> Raw:
    """Fetch, decide, do the next step; with wait, until all are done."""
    clients, wanted = api.Clients(module), _wanted(module.params)
    deadline = shared.seconds() + module.params["wait_timeout"]
    done: list[Step] = []
    while True:
        found = _found(clients, wanted)
        plan = plan_database(wanted, found)
        if "create" in plan.acts:
            _check_time(module.params, found.get(wanted.live))
        if not module.check_mode:
            for act in plan.acts:
                _act(clients, wanted, found, act, module.params)
        done += [step for step in plan.steps if step.changes]
        if module.check_mode or plan.done or not module.params["wait"]:
            return _result(wanted, done, plan)
        if shared.seconds() >= deadline:
            raise AnsibleAWSError(
                message=f"the restore of {wanted.live} from {wanted.ref} is not done after wait_timeout, "
                f"{module.params['wait_timeout']} s: run it again, it goes on from there"
            )
        shared.pause()


def _wanted(params: Raw) -> Restore:
    live = params["db_instance_identifier"].lower()
    ref = params["snapshot"] or params["restore_time"]
    kept = ""
    if params["swap"]:
        kept = (params["kept_identifier"] or kept_name(live, ref, params["attempt"])).lower()
    if params["restore_time"] == "latest" and kept:
        ref = f"latest before {kept}"  # so that the next restore to the latest is another one
    ref = f"{ref} {params['attempt']}".strip()
    return Restore(live, (params["new_identifier"] or f"{live}-restored").lower(), kept, ref)


def _found(clients: api.Clients, wanted: Restore) -> dict[str, Raw]:
    names = [name for name in (wanted.live, wanted.new, wanted.kept) if name]
    databases = {name: api.describe_database(clients("rds"), name) for name in names}
    return {name: database for name, database in databases.items() if database}


def _check_time(params: Raw, live: Raw | None) -> None:
    if not params["restore_time"]:
        return
    if live is None:
        raise AnsibleAWSError(
            message=f"restore_time needs db_instance_identifier {params['db_instance_identifier']}, which is not "
            "there: give snapshot instead, see palier.aws.snapshot_info"
        )
    parse_moment(params["restore_time"], live.get("LatestRestorableTime"))


def _act(clients: api.Clients, wanted: Restore, found: dict[str, Raw], act: t.Any, params: Raw) -> None:
    if act == "create":
        _create(clients, wanted, found.get(wanted.live), params)
    else:
        restore_api.rename_database(clients("rds"), *act)


def _create(clients: api.Clients, wanted: Restore, live: Raw | None, params: Raw) -> None:
    chosen = {name: params[option] for option, name in SETTINGS.items() if params[option]}
    settings = {**settings_of(live), **chosen, "PubliclyAccessible": False}
    tags = database_tags(live, params["tags"], wanted.ref)
    try:
        if params["snapshot"]:
            restore_api.restore_from_snapshot(clients("rds"), params["snapshot"], wanted.new, tags, settings)
        else:
            moment = parse_moment(params["restore_time"], None)
            when = {"RestoreTime": moment} if moment else {"UseLatestRestorableTime": True}
            restore_api.restore_to_time(clients("rds"), wanted.live, wanted.new, tags, {**settings, **when})
    except AnsibleAWSError as error:
        raise AnsibleAWSError(message=explain(error, f"restore {wanted.new} from {wanted.ref}")) from error


def _result(wanted: Restore, done: list[Step], plan: NextSteps) -> Raw:
    rest = [step for step in plan.steps if not step.changes]
    return {
        **outcome([*done, *rest]),
        "done": plan.done,
        "restored_identifier": wanted.live if wanted.swaps else wanted.new,
        "kept_identifier": wanted.kept,
    }


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "db_instance_identifier": {"type": "str", "required": True},
            "snapshot": {"type": "str"},
            "restore_time": {"type": "str"},
            "new_identifier": {"type": "str"},
            "swap": {"type": "bool", "default": False},
            "kept_identifier": {"type": "str"},
            "attempt": {"type": "str", "default": ""},
            "db_instance_class": {"type": "str"},
            "db_subnet_group_name": {"type": "str"},
            "vpc_security_group_ids": {"type": "list", "elements": "str"},
            "db_parameter_group_name": {"type": "str"},
            "tags": {"type": "dict", "default": {}},
            "wait": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 7200},
        },
        mutually_exclusive=[("snapshot", "restore_time")],
        required_one_of=[("snapshot", "restore_time")],
        supports_check_mode=True,
    )
    shared.run(module, run)


if __name__ == "__main__":
    main()

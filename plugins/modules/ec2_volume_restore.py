#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ec2_volume_restore."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_volume_restore
short_description: Restores an instance's volumes from a restore point
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Makes a volume of each snapshot of a restore point, in the zone of the instance. With O(swap) the instance is then
    stopped, the new volumes take the place of the present ones, and it is started again if it ran.
  - Nothing is ever deleted. The volumes that were replaced stay, tagged with what replaced them.
  - Each run reads what is there and does the next steps, so it can be interrupted anywhere and run again until
    RV(done). A restore that was done is not done again.
options:
  instance_id:
    description:
      - The instance. It need not be the one that was saved, as long as its devices have the same names.
    type: str
    required: true
  restore_point:
    description:
      - Name of the restore point, see M(palier.aws.snapshot_info). A copy in this region will do.
    type: str
    required: true
  swap:
    description:
      - Whether the restored volumes are attached in place of the present ones. Otherwise they are only made.
    type: bool
    default: false
  attempt:
    description:
      - A word that tells this restore from an earlier one of the same restore point, which is found done otherwise.
    type: str
    default: ""
  kms_key_id:
    description:
      - KMS key of the new volumes. That of the volume at the same device unless given. They are always encrypted.
    type: str
  tags:
    description:
      - Tags of the new volumes, those of the stack.
    type: dict
    default: {}
  wait:
    description:
      - Whether to go on until the restore is done.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 1800
seealso:
  - module: palier.aws.ec2_instance_snapshot
  - module: palier.aws.rds_restore
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Put the web server's volumes back to last night
  palier.aws.ec2_volume_restore:
    region: eu-west-3
    instance_id: i-0123456789abcdef0
    restore_point: shop-prod-web-20240615t031500z
    swap: true
    tags:
      Stack: shop
      Environment: prod
      Tier: ec2_app
  register: restored
  until: restored.done
  retries: 60
  delay: 15
"""

RETURN = r"""
plan:
  description: What is done, what waits and why; in check mode what would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      resource: volume of snap-0123456789abcdef0
      reason: for /dev/xvda
done:
  description: Whether the restore is complete. If not, run it again.
  returned: always
  type: bool
  sample: false
volumes:
  description: The restored volume of each device, as far as they are there.
  returned: always
  type: dict
  sample: {/dev/xvda: vol-0123456789abcdef0}
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import restore_api
from ansible_collections.palier.aws.plugins.module_utils import snapshots_api as api
from ansible_collections.palier.aws.plugins.module_utils import snapshots_run as shared
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome
from ansible_collections.palier.aws.plugins.module_utils.restore import (
    REPLACED_BY,
    RESTORED_FOR,
    RESTORED_FROM,
    START_AGAIN,
    NextSteps,
    Slot,
    plan_volumes,
    slots,
)
from ansible_collections.palier.aws.plugins.module_utils.snapshots import (
    EBS,
    POINT,
    RestorePoint,
    SnapshotsError,
    without_aws,
)

Raw = dict[str, t.Any]


def run(module: AnsibleAWSModule) -> Raw:
    """Fetch, decide, do the next steps; with wait, until all are done."""
    clients, params = api.Clients(module), module.params
    point = _point(clients, params["restore_point"])
    deadline = shared.seconds() + params["wait_timeout"]
    done: list[Step] = []
    while True:
        instance = _instance(clients, params["instance_id"])
        found = slots(point, instance, _restored(clients, params))
        again = START_AGAIN in _tags(instance)
        plan = plan_volumes(found, instance["State"]["Name"], swaps=params["swap"], starts_again=again)
        if not module.check_mode:
            _carry_out(clients, plan, point, instance, found, params)
        done += [step for step in plan.steps if step.changes]
        if module.check_mode or plan.done or not params["wait"]:
            return _result(done, plan, found)
        if shared.seconds() >= deadline:
            raise AnsibleAWSError(
                message=f"the restore of {params['instance_id']} from {point.name} is not done after wait_timeout, "
                f"{params['wait_timeout']} s: run it again, it goes on from there"
            )
        shared.pause()


def _point(clients: api.Clients, name: str) -> RestorePoint:
    points = shared.points_with(clients, [EBS], {POINT: name})
    if not points:
        raise SnapshotsError(
            f"restore_point {name}: none of this name in {clients.region}, see palier.aws.snapshot_info"
        )
    if len(points) > 1:
        raise SnapshotsError(f"restore_point {name}: {len(points)} instances have one of this name")
    if points[0].state != "complete":
        raise SnapshotsError(f"restore_point {name} cannot be restored from: {points[0].flaw()}")
    return points[0]


def _mark(params: Raw) -> str:
    return f"{params['restore_point']} {params['attempt']}".strip()


def _restored(clients: api.Clients, params: Raw) -> list[Raw]:
    volumes = restore_api.restored_volumes(clients("ec2"), params["instance_id"])
    return [volume for volume in volumes if _tags(volume).get(RESTORED_FROM) == _mark(params)]


def _instance(clients: api.Clients, instance_id: str) -> Raw:
    instance = api.describe_instance(clients("ec2"), instance_id)
    if not instance:
        raise SnapshotsError(f"instance_id {instance_id}: no such instance in {clients.region}")
    return instance


def _tags(resource: Raw) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def _carry_out(
    clients: api.Clients, plan: NextSteps, point: RestorePoint, instance: Raw, found: list[Slot], params: Raw
) -> None:
    ec2, instance_id = clients("ec2"), instance["InstanceId"]
    present: dict[str, Raw] = {}
    if any(act[0] == "create" for act in plan.acts):
        ids = [slot.current for slot in found if slot.current]
        present = {volume["VolumeId"]: volume for volume in restore_api.describe_volumes(ec2, ids)}
    for act in plan.acts:
        if act == "stop":
            # Before the stop: without the mark, an interruption would leave the instance stopped.
            api.tag(ec2, [instance_id], {START_AGAIN: point.name})
            restore_api.stop_instance(ec2, instance_id)
        elif act == "start":
            restore_api.start_instance(ec2, instance_id)
            api.untag(ec2, [instance_id], [START_AGAIN])
        else:
            _act_on(ec2, act[0], act[1], point, instance, present, params)


def _act_on(
    ec2: t.Any, verb: str, slot: Slot, point: RestorePoint, instance: Raw, present: dict[str, Raw], params: Raw
) -> None:
    instance_id = instance["InstanceId"]
    if verb == "create":
        zone = instance["Placement"]["AvailabilityZone"]
        tags = _volume_tags(slot, point, instance_id, params)
        options = volume_options(present.get(slot.current, {}), params["kms_key_id"])
        restore_api.create_volume(ec2, slot.snapshot, zone, tags, options)
    elif verb == "detach":
        api.tag(ec2, [slot.current], {REPLACED_BY: point.name})
        restore_api.detach_volume(ec2, slot.current, instance_id)
    else:
        restore_api.attach_volume(ec2, slot.restored, instance_id, slot.device)


def _volume_tags(slot: Slot, point: RestorePoint, instance_id: str, params: Raw) -> dict[str, str]:
    ours = {RESTORED_FROM: _mark(params), RESTORED_FOR: instance_id, "Name": f"{point.of} {slot.device}"}
    return {**without_aws(params["tags"]), **ours}


def volume_options(present: Raw, key: str | None) -> Raw:
    """What a restored volume takes over from the one that it replaces.

    :param present: as DescribeVolumes gives it, or empty.
    :param key: KMS key to take instead of its own.
    """
    kind = present.get("VolumeType") or "gp3"
    options = {
        "VolumeType": kind,
        "Encrypted": True,
        "KmsKeyId": key or present.get("KmsKeyId"),
        "Iops": present.get("Iops") if kind in ("gp3", "io1", "io2") else None,
        "Throughput": present.get("Throughput") if kind == "gp3" else None,
    }
    return {name: value for name, value in options.items() if value}


def _result(done: list[Step], plan: NextSteps, found: list[Slot]) -> Raw:
    rest = [step for step in plan.steps if not step.changes]
    return {
        **outcome([*done, *rest]),
        "done": plan.done,
        "volumes": {slot.device: slot.restored for slot in found if slot.restored},
    }


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "instance_id": {"type": "str", "required": True},
            "restore_point": {"type": "str", "required": True},
            "swap": {"type": "bool", "default": False},
            "attempt": {"type": "str", "default": ""},
            "kms_key_id": {"type": "str", "no_log": False},
            "tags": {"type": "dict", "default": {}},
            "wait": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 1800},
        },
        supports_check_mode=True,
    )
    shared.run(module, run)


if __name__ == "__main__":
    main()

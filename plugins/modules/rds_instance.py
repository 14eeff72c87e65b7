#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_instance
version_added: 0.1.0
short_description: Declare one RDS DB instance
description:
  - Creates, changes and deletes one RDS DB instance (MySQL, MariaDB or PostgreSQL), or a read replica of one.
  - The master password is made, kept and rotated by RDS in Secrets Manager. No password passes through Ansible.
  - Compares with what AWS was asked for, pending changes included, so a change is asked for once however long it takes.
  - Never lowers an engine version and never shrinks storage. What grew by itself is left as it is.
  - A property that is not given is left as AWS has it. For a new instance, the text of the option says what it gets.
author: The palier.aws authors (@palier)
options:
  db_instance_identifier:
    description: The instance's name. RDS stores it in lower case.
    type: str
    required: true
    aliases: [instance_id, id]
  state:
    description:
      - V(present) creates the instance or makes it as described, V(absent) deletes it.
      - A stopped instance stays stopped.
    type: str
    choices: [present, absent]
    default: present
  engine:
    description: The engine, for example V(mysql), V(mariadb) or V(postgres). Cannot be changed in place.
    type: str
  engine_version:
    description:
      - A version, or the leading part of one. V(15) matches every 15.x, V(8.0) every 8.0.x.
      - A newer version of the same major one that already runs is kept. A higher one is upgraded to.
      - Not given, a new instance gets RDS's default version.
    type: str
  allow_major_version_upgrade:
    description: Whether the major version may rise to O(engine_version).
    type: bool
    default: false
  db_instance_class:
    description: Compute class, for example V(db.t3.micro). Changing it interrupts connections.
    type: str
    aliases: [class, instance_type]
  allocated_storage:
    description:
      - Storage in GiB. Grows in place, by at least 10 % (RDS rounds up).
      - A value below the present size is not an error, since storage autoscaling may have grown it.
    type: int
  max_allocated_storage:
    description:
      - Ceiling in GiB up to which RDS grows the storage by itself. V(0) turns this off.
    type: int
  storage_type:
    description: Kind of storage, for example V(gp3), V(io1) or V(io2). A new instance gets V(gp3).
    type: str
  iops:
    description: I/O operations per second. For V(gp3) only from 400 GiB on, as RDS fixes them below.
    type: int
  storage_throughput:
    description: Throughput in MiB/s. For V(gp3) only, from 400 GiB on.
    type: int
  storage_encrypted:
    description: Whether the storage is encrypted. A new instance is. Cannot be changed in place.
    type: bool
  kms_key_id:
    description:
      - KMS key of the storage (id, ARN or alias). Not given, RDS's own key of the account is used.
      - Cannot be changed in place.
      - For an encrypted replica from another region, a key of this region; C(alias/aws/rds) where none is given.
    type: str
  multi_az:
    description: Whether a standby runs in another zone.
    type: bool
  availability_zone:
    description: The zone of a single instance. Looked at when it is created; cannot be changed in place.
    type: str
    aliases: [az, zone]
  db_subnet_group_name:
    description: The subnet group. Cannot be changed in place; the subnets of the group can.
    type: str
    aliases: [subnet_group]
  vpc_security_group_ids:
    description: The security groups, all of them. An empty list leaves them alone.
    type: list
    elements: str
  publicly_accessible:
    description: Whether the instance has a public address. A new one has none.
    type: bool
  port:
    description: The port. Not given, a new instance gets its engine's usual one. Changing it restarts the database.
    type: int
  db_name:
    description: The database made with the instance. Cannot be changed in place.
    type: str
  master_username:
    description: The master user. Cannot be changed in place.
    type: str
    aliases: [username]
  manage_master_user_password:
    description:
      - Whether RDS makes the master password, keeps it in Secrets Manager and rotates it. For a new instance it does,
        unless O(master_user_secret_id) is given.
      - Turning it on for an instance that has a password of its own replaces that password.
      - RDS makes no read replica of a MySQL, MariaDB or PostgreSQL instance whose password it manages. Such a source
        needs V(false) and O(master_user_secret_id).
      - Not looked at for a read replica, which has its source's users.
    type: bool
  master_user_secret_id:
    description:
      - Name or ARN of a secret in Secrets Manager that holds the master password, as plain text or as C(password) in
        JSON.
      - Excludes O(manage_master_user_password=true). Read by the module when the instance is created, or when RDS stops
        to manage the password; never compared and never returned.
    type: str
  master_user_secret_kms_key_id:
    description: KMS key of the secret that RDS manages (id, ARN or alias). Cannot be changed once RDS manages it.
    type: str
  backup_retention_period:
    description: Days for which automated backups are kept. V(0) turns them off.
    type: int
  preferred_backup_window:
    description: Daily window for backups in UTC, C(hh24:mi-hh24:mi).
    type: str
    aliases: [backup_window]
  preferred_maintenance_window:
    description: Weekly window for maintenance in UTC, C(ddd:hh24:mi-ddd:hh24:mi).
    type: str
    aliases: [maintenance_window]
  copy_tags_to_snapshot:
    description: Whether snapshots get the instance's tags. Those of a new instance do.
    type: bool
  deletion_protection:
    description: Whether the instance is protected from deletion.
    type: bool
  auto_minor_version_upgrade:
    description: Whether minor versions are upgraded in the maintenance window.
    type: bool
  enable_iam_database_authentication:
    description: Whether database users can sign in through IAM.
    type: bool
  enable_performance_insights:
    description: Whether Performance Insights collects data. Some small classes do not have it.
    type: bool
  performance_insights_retention_period:
    description: Days for which Performance Insights keeps data, 7, 731 or a multiple of 31. Only where it is enabled.
    type: int
  monitoring_interval:
    description: Seconds between points of enhanced monitoring. V(0) turns it off.
    type: int
    choices: [0, 1, 5, 10, 15, 30, 60]
  monitoring_role_arn:
    description: The role by which RDS writes enhanced monitoring. Required with an interval other than V(0).
    type: str
  enable_cloudwatch_logs_exports:
    description:
      - All log types that go to CloudWatch Logs. An empty list turns all of them off.
      - For MySQL and MariaDB V(audit), V(error), V(general), V(slowquery) and V(iam-db-auth-error).
      - For PostgreSQL V(postgresql), V(upgrade) and V(iam-db-auth-error).
    type: list
    elements: str
  db_parameter_group_name:
    description:
      - The parameter group. Its static parameters take effect with the next restart, see O(reboot).
      - A replica in its source's region is created with the source's group; another one is attached by a later run.
    type: str
  option_group_name:
    description: The option group.
    type: str
  ca_certificate_identifier:
    description: The certificate authority of the server certificate.
    type: str
  source_db_instance_identifier:
    description:
      - Creates the instance as a read replica of this one. An identifier in the same region, an ARN for another region.
      - Options that a replica has from its source (engine, users, backups, windows, encryption) are not looked at.
      - A replica that was promoted meanwhile stays promoted.
    type: str
  read_replica:
    description: V(false) promotes a read replica to an instance of its own. It cannot be turned back.
    type: bool
  apply_immediately:
    description:
      - Whether changes are made at once, as a playbook's reader expects, or in the next maintenance window.
      - The plan says which changes break connections. Use V(false) to keep those for the window.
    type: bool
    default: true
  reboot:
    description:
      - Whether to restart the instance when parameters wait for it.
      - With V(never), RV(reboot_required) tells that a restart is due.
    type: str
    choices: [never, if_needed]
    default: never
  skip_final_snapshot:
    description: Whether to delete without a final snapshot. A read replica never has one.
    type: bool
    default: false
  final_db_snapshot_identifier:
    description:
      - Name of the final snapshot. It must not exist yet.
      - Not given, it is C(<db_instance_identifier>-final-<YYYYMMDDhhmmss>), in UTC.
    type: str
  delete_automated_backups:
    description: Whether automated backups go with the instance.
    type: bool
    default: true
  force:
    description: Whether deletion protection may be taken off to delete. Without it, a protected instance is refused.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until AWS is done, before (for an instance that AWS is still at work on) and after.
      - Without it, a change that AWS does not take in the instance's present status is an error.
    type: bool
    default: false
  wait_timeout:
    description: Seconds after which waiting ends in an error. The default is that of botocore's own waiter.
    type: int
    default: 1800
notes:
  - Check mode plans from an empty account. The subnet group, the security groups and the keys need not exist yet.
  - While an instance is being created, options that AWS sets up last (Multi-AZ, monitoring, log exports, IAM
    authentication) are compared only once it is available. The plan says so as C(skip).
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Create a database and go on while AWS makes it
  palier.aws.rds_instance:
    region: eu-west-3
    db_instance_identifier: shop-prod-db
    engine: postgres
    engine_version: "15"
    db_instance_class: db.t3.small
    allocated_storage: 20
    max_allocated_storage: 100
    multi_az: true
    db_subnet_group_name: shop-prod-db
    vpc_security_group_ids: [sg-0123456789abcdef0]
    db_name: shop
    master_username: shop_admin
    backup_retention_period: 7
    deletion_protection: true
    enable_iam_database_authentication: true
    enable_cloudwatch_logs_exports: [postgresql, upgrade]
    tags:
      Stack: shop

- name: Wait until it is there, as late as possible, and change nothing
  palier.aws.rds_instance:
    region: eu-west-3
    db_instance_identifier: shop-prod-db
    wait: true

- name: Create a read replica in another region
  palier.aws.rds_instance:
    region: eu-central-1
    db_instance_identifier: shop-standby-db
    source_db_instance_identifier: arn:aws:rds:eu-west-3:123456789012:db:shop-prod-db
    db_instance_class: db.t3.small
    db_subnet_group_name: shop-standby-db

- name: Delete a protected database after a final snapshot
  palier.aws.rds_instance:
    region: eu-west-3
    db_instance_identifier: shop-prod-db
    state: absent
    force: true
"""

RETURN = r"""
instance:
  description: The instance as RDS describes it, in snake_case, with its tags as a dict. Empty when there is none.
  returned: always
  type: dict
endpoint:
  description: C(address) and C(port), once the instance has them; else empty.
  returned: always
  type: dict
  sample: {address: shop-prod-db.abcdefghijkl.eu-west-3.rds.amazonaws.com, port: 5432}
master_user_secret_arn:
  description: ARN of the secret that holds the master user's name and password, or null.
  returned: always
  type: str
status:
  description: The instance's status in RDS, V(absent) for none.
  returned: always
  type: str
  sample: available
reboot_required:
  description: Whether parameters wait for a restart.
  returned: always
  type: bool
final_snapshot_identifier:
  description: The snapshot taken before the deletion, or null.
  returned: when O(state=absent)
  type: str
plan:
  description: What is done, or would be in check mode, each with C(action), C(resource) and C(reason).
  returned: always
  type: list
  elements: dict
"""

import dataclasses
import json
import time
import typing as t

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import (
    AnsibleAWSError,
    is_ansible_aws_error_code,
    is_ansible_aws_error_message,
)
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.palier.aws.plugins.module_utils import rds_instances as rds
from ansible_collections.palier.aws.plugins.module_utils import rds_instances_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome
from ansible_collections.palier.aws.plugins.module_utils.rds_instances_plan import (
    final_snapshot_name,
    plan_absent,
    plan_present,
    skips_snapshot,
)
from ansible_collections.palier.aws.plugins.module_utils.rds_instances_requests import create_request, modify_request

Params = t.Mapping[str, t.Any]

#: Seconds between two looks at an instance that AWS is at work on.
POLL_SECONDS = 15

#: Seconds that taking deletion protection off may need before the deletion is taken, even without ``wait``.
UNPROTECT_SECONDS = 120

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "db_instance_identifier": {"type": "str", "required": True, "aliases": ["instance_id", "id"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "engine": {"type": "str"},
    "engine_version": {"type": "str"},
    "allow_major_version_upgrade": {"type": "bool", "default": False},
    "db_instance_class": {"type": "str", "aliases": ["class", "instance_type"]},
    "allocated_storage": {"type": "int"},
    "max_allocated_storage": {"type": "int"},
    "storage_type": {"type": "str"},
    "iops": {"type": "int"},
    "storage_throughput": {"type": "int"},
    "storage_encrypted": {"type": "bool"},
    "kms_key_id": {"type": "str"},
    "multi_az": {"type": "bool"},
    "availability_zone": {"type": "str", "aliases": ["az", "zone"]},
    "db_subnet_group_name": {"type": "str", "aliases": ["subnet_group"]},
    "vpc_security_group_ids": {"type": "list", "elements": "str"},
    "publicly_accessible": {"type": "bool"},
    "port": {"type": "int"},
    "db_name": {"type": "str"},
    "master_username": {"type": "str", "aliases": ["username"]},
    "manage_master_user_password": {"type": "bool", "no_log": False},
    "master_user_secret_id": {"type": "str", "no_log": False},
    "master_user_secret_kms_key_id": {"type": "str", "no_log": False},
    "backup_retention_period": {"type": "int"},
    "preferred_backup_window": {"type": "str", "aliases": ["backup_window"]},
    "preferred_maintenance_window": {"type": "str", "aliases": ["maintenance_window"]},
    "copy_tags_to_snapshot": {"type": "bool"},
    "deletion_protection": {"type": "bool"},
    "auto_minor_version_upgrade": {"type": "bool"},
    "enable_iam_database_authentication": {"type": "bool"},
    "enable_performance_insights": {"type": "bool"},
    "performance_insights_retention_period": {"type": "int"},
    "monitoring_interval": {"type": "int", "choices": [0, 1, 5, 10, 15, 30, 60]},
    "monitoring_role_arn": {"type": "str"},
    "enable_cloudwatch_logs_exports": {"type": "list", "elements": "str"},
    "db_parameter_group_name": {"type": "str"},
    "option_group_name": {"type": "str"},
    "ca_certificate_identifier": {"type": "str"},
    "source_db_instance_identifier": {"type": "str"},
    "read_replica": {"type": "bool"},
    "apply_immediately": {"type": "bool", "default": True},
    "reboot": {"type": "str", "choices": ["never", "if_needed"], "default": "never"},
    "skip_final_snapshot": {"type": "bool", "default": False},
    "final_db_snapshot_identifier": {"type": "str"},
    "delete_automated_backups": {"type": "bool", "default": True},
    "force": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 1800},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def read_request(params: Params) -> rds.Request:
    tags = params["tags"]
    return rds.Request(
        identifier=params["db_instance_identifier"].lower(),
        values=rds.wanted_values(params),
        tags=None if tags is None else {str(key): str(value) for key, value in tags.items()},
        purge_tags=params["purge_tags"],
        source=params["source_db_instance_identifier"],
        promote=params["read_replica"] is False,
        master_secret=params["master_user_secret_id"],
        apply_immediately=params["apply_immediately"],
        allow_major_version_upgrade=params["allow_major_version_upgrade"],
        reboot_if_needed=params["reboot"] == "if_needed",
        wait=params["wait"],
        force=params["force"],
        skip_final_snapshot=params["skip_final_snapshot"],
    )


class Instance:
    """One DB instance in one account: its record, and the calls that change it."""

    def __init__(self, module: AnsibleAWSModule, request: rds.Request) -> None:
        self.module = module
        self.client = module.client("rds")
        self.request = request
        self.deadline = time.monotonic() + module.params["wait_timeout"]
        self.record: rds.Record | None = None
        self.fetch()

    def fetch(self) -> rds.Record | None:
        found = api.describe_db_instance(self.client, self.request.identifier)
        self.record = found[0] if found else None
        return self.record

    @property
    def there(self) -> rds.Record:
        """The record of an instance that must be there."""
        if self.record is None:
            raise AnsibleAWSError(message=f"{self.request.resource} went away during the task: run again")
        return self.record

    def wait_until(self, done: t.Callable[[], bool], what: str) -> None:
        """Look at the instance until ``done()``; an error after ``wait_timeout``."""
        while not done():
            if time.monotonic() >= self.deadline:
                status = rds.facts(self.record)["status"]
                raise AnsibleAWSError(
                    message=f"{self.request.resource} is still {status}, waiting until it is {what}: "
                    f"run again, or raise wait_timeout ({self.module.params['wait_timeout']} s)"
                )
            time.sleep(POLL_SECONDS)
            self.fetch()

    def wait_settled(self, expect_applied: bool = False) -> None:
        self.wait_until(lambda: rds.settled(self.there, expect_applied), "available")

    def wait_gone(self) -> None:
        self.wait_until(lambda: self.record is None, "gone")

    def require_healthy(self) -> None:
        status = self.there["DBInstanceStatus"]
        if status in rds.STUCK:
            raise AnsibleAWSError(
                message=f"{self.request.resource} is {status}, and does not leave that by itself: see its events in RDS"
            )

    def password(self) -> str | None:
        """The master password out of the secret that the task names; it goes nowhere but into the request."""
        if self.request.master_secret is None:
            return None
        text = api.secret_string(self.module.client("secretsmanager"), self.request.master_secret)
        try:
            content = json.loads(text)
        except ValueError:
            return text
        if not isinstance(content, dict):
            return text
        if "password" not in content:
            name = self.request.master_secret
            raise AnsibleAWSError(message=f"master_user_secret_id {name}: its JSON holds no key `password`")
        return content["password"]

    def apply(self, step: Step) -> None:
        getattr(self, f"apply_{step.verb}")(step)

    def apply_create(self, step: Step) -> None:
        tags = ansible_dict_to_boto3_tag_list(self.request.tags or {})
        if self.request.source:
            parameters = create_request(step, self.request)
            self.record = api.create_db_instance_read_replica(self.client, **parameters, Tags=tags)
        else:
            parameters = create_request(step, self.request, self.password())
            self.record = api.create_db_instance(self.client, **parameters, Tags=tags)

    def apply_promote(self, _step: Step) -> None:
        names = {"backup_retention_period": "BackupRetentionPeriod", "preferred_backup_window": "PreferredBackupWindow"}
        values = {names[key]: value for key, value in self.request.values.items() if key in names}
        self.record = api.promote_read_replica(self.client, DBInstanceIdentifier=self.request.identifier, **values)
        if self.request.wait:
            # The record shows the old status and the old source for a while after the call.
            self.wait_until(lambda: not rds.in_progress(self.there) and not rds.is_replica(self.there), "promoted")

    def apply_modify(self, step: Step) -> None:
        self.require_modifiable(step.after)
        password = self.password() if step.after.get("manage_master_user_password") is False else None
        parameters = modify_request(self.there, step.after, self.request, password)
        self.record = api.modify_db_instance(self.client, **parameters)
        if self.request.wait:
            self.fetch()
            self.wait_settled(expect_applied=self.request.apply_immediately)

    def require_modifiable(self, changes: t.Iterable[str]) -> None:
        if not rds.blocked(self.there, changes):
            return
        if not self.request.wait or self.there["DBInstanceStatus"] in rds.STUCK | {"stopped"}:
            raise AnsibleAWSError(message=rds.not_now(self.there, self.request))
        self.wait_until(lambda: not rds.blocked(self.there, changes), "ready for modifications")

    def apply_tag(self, _step: Step) -> None:
        arn = self.there["DBInstanceArn"]
        added, removed = rds.tag_changes(rds.tags_of(self.there), self.request)
        if removed:
            api.remove_tags(self.client, arn, removed)
        if added:
            api.add_tags(self.client, arn, ansible_dict_to_boto3_tag_list(added))

    def apply_reboot(self, _step: Step) -> None:
        self.record = api.reboot_db_instance(self.client, self.request.identifier)
        if self.request.wait:
            self.wait_until(
                lambda: not rds.in_progress(self.there) and not rds.reboot_required(self.there), "available again"
            )

    def unprotect(self) -> None:
        api.modify_db_instance(
            self.client, DBInstanceIdentifier=self.request.identifier, DeletionProtection=False, ApplyImmediately=True
        )

    def delete(self, parameters: dict[str, t.Any], seconds: float) -> None:
        """Ask for the deletion, again for some seconds while the instance is not in a status that allows it."""
        end = time.monotonic() + seconds
        while True:
            try:
                api.delete_db_instance(self.client, DBInstanceIdentifier=self.request.identifier, **parameters)
            except is_ansible_aws_error_message("is already being deleted"):
                return
            except is_ansible_aws_error_code(["InvalidDBInstanceState", "InvalidParameterCombination"]) as error:
                if not self.deletion_may_come(error):
                    raise
                if time.monotonic() >= end:
                    raise self.deletion_refused(error) from error
                time.sleep(POLL_SECONDS)
            else:
                return

    def deletion_may_come(self, error: AnsibleAWSError) -> bool:
        """Whether AWS refused only because of what it is doing to the instance right now."""
        protection_goes = self.request.force and "protect" in str(error).lower()
        state = error.exception.response["Error"]["Code"] == "InvalidDBInstanceState"
        return protection_goes or state

    def deletion_refused(self, error: AnsibleAWSError) -> AnsibleAWSError:
        status = rds.facts(self.fetch())["status"]
        return AnsibleAWSError(
            message=f"{self.request.resource} is {status} and RDS refuses to delete it now: "
            "run again once it is available, or set wait: true",
            exception=error.exception,
        )


def with_resolved_keys(module: AnsibleAWSModule, request: rds.Request) -> rds.Request:
    """The request with the key behind each alias that it names, so that it compares with what RDS tells."""
    values = dict(request.values)
    for name in ("kms_key_id", "master_user_secret_kms_key_id"):
        if "alias/" in values.get(name, ""):
            values[name] = api.key_arn(module.client("kms"), values[name]) or values[name]
    return dataclasses.replace(request, values=values)


def require_replicable(module: AnsibleAWSModule, request: rds.Request) -> None:
    """Refuse a source that RDS does not replicate, with the way out, before the replica is asked for."""
    source = request.source or ""
    region = rds.source_region(source)
    client = module.client("rds", region=region) if region else module.client("rds")
    found = api.describe_db_instance(client, source)
    if found and found[0].get("MasterUserSecret"):
        raise AnsibleAWSError(
            message=f"{request.resource}: RDS makes no read replica of {source}, as it manages the password "
            "of its master user. Give the source manage_master_user_password: false and master_user_secret_id first"
        )


def present(module: AnsibleAWSModule, request: rds.Request) -> dict[str, t.Any]:
    instance = Instance(module, request)
    if instance.record is None and request.source:
        require_replicable(module, request)
    if instance.record is not None and request.wait and not module.check_mode:
        wait_before(instance)
    if instance.record is not None:
        request = with_resolved_keys(module, request)
    steps = plan_present(instance.record, request)
    if not module.check_mode:
        carry_out(instance, steps)
    return {**outcome(steps), **result(instance.record)}


def wait_before(instance: Instance) -> None:
    """With ``wait``, plan from a settled instance."""
    if instance.there["DBInstanceStatus"] == rds.DELETING:
        instance.wait_gone()
    else:
        instance.wait_settled()


def carry_out(instance: Instance, steps: list[Step]) -> None:
    writes = [step for step in steps if step.changes]
    for step in writes:
        instance.apply(step)
    if writes:
        instance.fetch()
    if instance.request.wait:
        instance.wait_settled()
        instance.require_healthy()


def absent(module: AnsibleAWSModule, request: rds.Request) -> dict[str, t.Any]:
    instance = Instance(module, request)
    steps = plan_absent(instance.record, request)
    snapshot = None
    if any(step.verb == "delete" for step in steps) and not skips_snapshot(instance.there, request):
        snapshot = module.params["final_db_snapshot_identifier"] or default_snapshot_name(request)
    if not module.check_mode:
        remove(module, instance, steps, snapshot)
    return {**outcome(steps), **result(instance.record), "final_snapshot_identifier": snapshot}


def default_snapshot_name(request: rds.Request) -> str:
    return final_snapshot_name(request.identifier, time.strftime("%Y%m%d%H%M%S", time.gmtime()))


def remove(module: AnsibleAWSModule, instance: Instance, steps: list[Step], snapshot: str | None) -> None:
    verbs = [step.verb for step in steps]
    seconds = module.params["wait_timeout"] if instance.request.wait else 0
    if "modify" in verbs:
        instance.unprotect()
        seconds = max(seconds, UNPROTECT_SECONDS)
    if "delete" in verbs:
        parameters = {"SkipFinalSnapshot": snapshot is None, **delete_options(module, instance)}
        if snapshot is not None:
            parameters["FinalDBSnapshotIdentifier"] = snapshot
        instance.delete(parameters, seconds)
    if instance.record is not None:
        instance.fetch()
    if instance.request.wait:
        instance.wait_gone()


def delete_options(module: AnsibleAWSModule, instance: Instance) -> dict[str, t.Any]:
    # A read replica has no automated backups of its own to speak of, and RDS is not asked about them.
    if rds.is_replica(instance.there):
        return {}
    return {"DeleteAutomatedBackups": module.params["delete_automated_backups"]}


def result(record: rds.Record | None) -> dict[str, t.Any]:
    """The record in snake_case beside its summary; RDS masks a pending password, and it goes altogether here."""
    if record is None:
        return {"instance": {}, **rds.facts(None)}
    pending = {k: v for k, v in (record.get("PendingModifiedValues") or {}).items() if k != "MasterUserPassword"}
    shown = {key: value for key, value in record.items() if key != "TagList"}
    instance = camel_dict_to_snake_dict({**shown, "PendingModifiedValues": pending})
    return {"instance": {**instance, "tags": rds.tags_of(record)}, **rds.facts(record)}


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    request = read_request(module.params)
    return absent(module, request) if module.params["state"] == "absent" else present(module, request)


def main() -> None:
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

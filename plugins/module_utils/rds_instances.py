# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to happen to one RDS DB instance: pure decisions over ``DescribeDBInstances`` records.

The account is compared by what it was I{asked} for: a value that waits in ``PendingModifiedValues`` counts as there,
so a change is asked for once, however long AWS takes to carry it out.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Values = dict[str, t.Any]
Record = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Option:
    """How AWS names one module option.

    :param create: the parameter of ``CreateDBInstance``.
    :param modify: the parameter of ``ModifyDBInstance``; ``None`` when it cannot be changed in place.
    :param read: the key in a ``DescribeDBInstances`` record when it is a plain one named otherwise than C{create}.
    :param replica: whether ``CreateDBInstanceReadReplica`` takes it.
    :param late: whether AWS sets it up only after the instance was created, so that a record of an instance in
        progress does not show yet what was asked for.
    :param interrupts: whether changing it breaks connections, for the plan's reader.
    """

    create: str
    modify: str | None
    read: str | None = None
    replica: bool = False
    late: bool = False
    interrupts: bool = False


def _same(name: str, **kwargs: t.Any) -> Option:
    return Option(name, name, **kwargs)


#: Every option that is a property of the instance. Facts from the RDS API reference.
OPTIONS: dict[str, Option] = {
    "engine": Option("Engine", None),
    "engine_version": _same("EngineVersion", interrupts=True),
    "db_instance_class": _same("DBInstanceClass", replica=True, interrupts=True),
    "allocated_storage": _same("AllocatedStorage"),
    "max_allocated_storage": _same("MaxAllocatedStorage", replica=True),
    "storage_type": _same("StorageType", replica=True),
    "iops": _same("Iops", replica=True, late=True),
    "storage_throughput": _same("StorageThroughput", replica=True, late=True),
    "storage_encrypted": Option("StorageEncrypted", None),
    "kms_key_id": Option("KmsKeyId", None, replica=True),
    "multi_az": _same("MultiAZ", replica=True, late=True),
    "availability_zone": Option("AvailabilityZone", None, replica=True),
    "db_subnet_group_name": Option("DBSubnetGroupName", None, replica=True),
    "vpc_security_group_ids": _same("VpcSecurityGroupIds", replica=True),
    "publicly_accessible": _same("PubliclyAccessible", replica=True),
    "port": Option("Port", "DBPortNumber", replica=True, late=True, interrupts=True),
    "db_name": Option("DBName", None),
    "master_username": Option("MasterUsername", None),
    "manage_master_user_password": _same("ManageMasterUserPassword"),
    "master_user_secret_kms_key_id": _same("MasterUserSecretKmsKeyId"),
    "backup_retention_period": _same("BackupRetentionPeriod", late=True),
    "preferred_backup_window": _same("PreferredBackupWindow"),
    "preferred_maintenance_window": _same("PreferredMaintenanceWindow"),
    "copy_tags_to_snapshot": _same("CopyTagsToSnapshot", replica=True),
    "deletion_protection": _same("DeletionProtection", replica=True),
    "auto_minor_version_upgrade": _same("AutoMinorVersionUpgrade", replica=True),
    "enable_iam_database_authentication": _same(
        "EnableIAMDatabaseAuthentication", read="IAMDatabaseAuthenticationEnabled", replica=True, late=True
    ),
    "enable_performance_insights": _same(
        "EnablePerformanceInsights", read="PerformanceInsightsEnabled", replica=True, late=True
    ),
    "performance_insights_retention_period": _same("PerformanceInsightsRetentionPeriod", replica=True, late=True),
    "monitoring_interval": _same("MonitoringInterval", replica=True, late=True),
    "monitoring_role_arn": _same("MonitoringRoleArn", replica=True, late=True),
    "enable_cloudwatch_logs_exports": Option(
        "EnableCloudwatchLogsExports", "CloudwatchLogsExportConfiguration", replica=True, late=True
    ),
    "db_parameter_group_name": _same("DBParameterGroupName", replica=True),
    "option_group_name": _same("OptionGroupName", replica=True),
    "ca_certificate_identifier": _same("CACertificateIdentifier", replica=True, late=True),
}

#: What a new instance cannot be made without (a read replica takes all of it from its source).
NEEDED_TO_CREATE = ("engine", "db_instance_class", "allocated_storage", "master_username")

#: What a new instance gets where the task says nothing: the secure or usual choice.
CREATION_DEFAULTS: Values = {
    "storage_type": "gp3",
    "storage_encrypted": True,
    "publicly_accessible": False,
    "copy_tags_to_snapshot": True,
    "manage_master_user_password": True,
}

#: Log types that can go to CloudWatch Logs, by engine (RDS API reference, ``EnableCloudwatchLogsExports``).
LOG_TYPES: dict[str, tuple[str, ...]] = {
    "mysql": ("audit", "error", "general", "slowquery", "iam-db-auth-error"),
    "mariadb": ("audit", "error", "general", "slowquery", "iam-db-auth-error"),
    "postgres": ("postgresql", "upgrade", "iam-db-auth-error"),
}

#: From this size on (GiB), gp3 storage of these engines is striped: its own IOPS and throughput can be chosen, and
#: start at the two figures below. Under it they are fixed. (RDS User Guide, "gp3 storage".)
GP3_STRIPED_FROM = 400
GP3_STRIPED_IOPS = 12000
GP3_STRIPED_THROUGHPUT = 500

DELETING = "deleting"

#: Statuses in which AWS takes modifications. ``storage-optimization`` takes all but storage ones.
MODIFIABLE = frozenset({"available", "storage-optimization", "storage-full", "incompatible-parameters"})

#: Statuses that do not pass by themselves (RDS User Guide, "DB instance status").
STUCK = frozenset(
    {
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-create",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "restore-error",
        "storage-full",
    }
)

#: Statuses in which RDS cannot take a final snapshot (RDS API reference, ``SkipFinalSnapshot``).
NO_FINAL_SNAPSHOT = frozenset({"failed", "incompatible-restore", "incompatible-network"})

STORAGE_OPTIONS = frozenset({"allocated_storage", "storage_type", "iops", "storage_throughput"})

#: Names that RDS stores in lower case.
_LOWER = ("db_subnet_group_name", "db_parameter_group_name", "option_group_name", "preferred_maintenance_window")

_FLAGS = frozenset(
    {
        "storage_encrypted",
        "multi_az",
        "publicly_accessible",
        "copy_tags_to_snapshot",
        "deletion_protection",
        "auto_minor_version_upgrade",
        "enable_iam_database_authentication",
        "enable_performance_insights",
    }
)


@dataclass(frozen=True)
class Request:
    """What a task asks of one DB instance.

    :param identifier: the instance's identifier, lower case.
    :param values: wanted properties by option name (see L{OPTIONS}); what is not in it is left alone.
    :param tags: wanted tags, or ``None`` to leave tags alone.
    :param purge_tags: whether tags that are not wanted are removed.
    :param source: the instance that this one replicates (identifier or ARN), or ``None``.
    :param promote: whether a read replica shall become an instance of its own.
    :param master_secret: the secret that holds the master password where RDS does not manage it, or ``None``.
    :param apply_immediately: whether changes are carried out now or in the next maintenance window.
    :param allow_major_version_upgrade: whether the engine's major version may rise.
    :param reboot_if_needed: whether to restart an instance that waits for it.
    :param wait: whether the task waits for AWS.
    :param force: whether deletion protection may be taken off to delete.
    :param skip_final_snapshot: whether to delete without a last snapshot.
    """

    identifier: str
    values: Values = field(default_factory=dict)
    tags: dict[str, str] | None = None
    purge_tags: bool = True
    source: str | None = None
    promote: bool = False
    master_secret: str | None = None
    apply_immediately: bool = True
    allow_major_version_upgrade: bool = False
    reboot_if_needed: bool = False
    wait: bool = False
    force: bool = False
    skip_final_snapshot: bool = False

    @property
    def resource(self) -> str:
        """The instance in the plan's words."""
        return f"db instance {self.identifier}"


def wanted_values(params: t.Mapping[str, t.Any]) -> Values:
    """The properties that a task states, spelled as AWS stores them.

    :param params: the module's parameters.
    :returns: option name to value, without what was not stated.
    """
    values = {name: params[name] for name in OPTIONS if params.get(name) is not None}
    for name in _LOWER:
        if name in values:
            values[name] = values[name].lower()
    for name in ("vpc_security_group_ids", "enable_cloudwatch_logs_exports"):
        if name in values:
            values[name] = sorted(set(values[name]))
    if not values.get("vpc_security_group_ids", True):
        # An instance cannot be without a group, so an empty list says nothing.
        del values["vpc_security_group_ids"]
    if not params.get("monitoring_interval"):
        values.pop("monitoring_role_arn", None)  # RDS takes a role only for an interval
    return values


def as_asked(record: Record) -> Values:
    """The properties of an instance as they will be once AWS has done all it was asked for.

    :param record: one ``DBInstances`` entry of ``DescribeDBInstances``.
    :returns: option name to value; ``None`` where AWS does not say.
    """
    pending = record.get("PendingModifiedValues") or {}
    asked = {}
    for name, option in OPTIONS.items():
        key = option.read or option.create
        asked[name] = pending.get(key, record.get(key))
        if name in _FLAGS:
            asked[name] = bool(asked[name])
    asked.update(_nested(record, pending))
    asked["monitoring_interval"] = asked["monitoring_interval"] or 0
    if asked["preferred_maintenance_window"]:
        asked["preferred_maintenance_window"] = asked["preferred_maintenance_window"].lower()
    return asked


def _nested(record: Record, pending: Record) -> Values:
    secret = record.get("MasterUserSecret") or {}
    return {
        "db_subnet_group_name": pending.get("DBSubnetGroupName")
        or (record.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "vpc_security_group_ids": sorted(
            group["VpcSecurityGroupId"]
            for group in record.get("VpcSecurityGroups") or []
            if group.get("Status") != "removing"
        ),
        "db_parameter_group_name": next(
            (group["DBParameterGroupName"] for group in record.get("DBParameterGroups") or []), None
        ),
        "option_group_name": _option_group(record.get("OptionGroupMemberships") or []),
        "enable_cloudwatch_logs_exports": _log_exports(record, pending),
        "port": _port(record, pending),
        "manage_master_user_password": bool(secret),
        "master_user_secret_kms_key_id": secret.get("KmsKeyId"),
    }


def _port(record: Record, pending: Record) -> int | None:
    # DbInstancePort is 0 until the instance has an endpoint.
    return pending.get("Port") or (record.get("Endpoint") or {}).get("Port") or record.get("DbInstancePort") or None


def _option_group(memberships: t.Sequence[Record]) -> str | None:
    """The option group that applies or will apply; the one on its way out does not count."""
    coming = [group for group in memberships if group.get("Status") in {"pending-apply", "applying"}]
    staying = [group for group in memberships if "remov" not in group.get("Status", "")]
    return next((group["OptionGroupName"] for group in [*coming, *staying]), None)


def _log_exports(record: Record, pending: Record) -> list[str]:
    change = pending.get("PendingCloudwatchLogsExports") or {}
    enabled = set(record.get("EnabledCloudwatchLogsExports") or [])
    return sorted((enabled | set(change.get("LogTypesToEnable") or [])) - set(change.get("LogTypesToDisable") or []))


def tags_of(record: Record) -> dict[str, str]:
    """The instance's tags as a plain dict."""
    return {tag["Key"]: tag["Value"] for tag in record.get("TagList") or []}


def in_progress(record: Record) -> bool:
    """Whether AWS is still at work on the instance and its status will change by itself."""
    status = record.get("DBInstanceStatus", "")
    return status not in MODIFIABLE and status not in STUCK and status != "stopped"


def reboot_required(record: Record) -> bool:
    """Whether parameters wait for a restart of the instance."""
    return _groups_in_state(record, "pending-reboot")


def _groups_in_state(record: Record, state: str) -> bool:
    return any(group.get("ParameterApplyStatus") == state for group in record.get("DBParameterGroups") or [])


def is_replica(record: Record) -> bool:
    """Whether the instance replicates another one."""
    return bool(record.get("ReadReplicaSourceDBInstanceIdentifier"))


def facts(record: Record | None) -> dict[str, t.Any]:
    """What the module tells about the instance besides the snake_case record itself.

    :param record: the instance, or ``None``.
    :returns: ``status`` (``absent`` for none), ``endpoint``, ``master_user_secret_arn``, ``reboot_required``.
    """
    record = record or {}
    endpoint = record.get("Endpoint") or {}
    return {
        "status": record.get("DBInstanceStatus", "absent"),
        "endpoint": {"address": endpoint["Address"], "port": endpoint["Port"]} if endpoint.get("Address") else {},
        "master_user_secret_arn": (record.get("MasterUserSecret") or {}).get("SecretArn"),
        "reboot_required": reboot_required(record),
    }


def blocked(record: Record, changes: t.Iterable[str]) -> bool:
    """Whether AWS would refuse to modify these options in the instance's present status."""
    status = record.get("DBInstanceStatus")
    if status == "storage-optimization" and STORAGE_OPTIONS & set(changes):
        return True
    return status not in MODIFIABLE


def settled(record: Record, expect_applied: bool) -> bool:
    """Whether AWS has done what it was asked for.

    :param expect_applied: whether pending values are being applied right now, and do not wait for a window.
    """
    if in_progress(record):
        return False
    # The status follows a modification by some seconds; what is pending shows at once.
    return not (expect_applied and (record.get("PendingModifiedValues") or _groups_in_state(record, "applying")))


def not_now(record: Record, request: Request) -> str:
    """Why a modification has to wait, in one sentence."""
    status = record.get("DBInstanceStatus")
    if status == "stopped":
        return f"{request.resource} is stopped, and RDS modifies running instances only: start it, then run again"
    if status in STUCK:
        return f"{request.resource} is {status}, in which RDS takes no modification: see its events in RDS"
    return (
        f"{request.resource} is {status}, in which RDS does not take this modification: run again once it is "
        "available, or set wait: true"
    )


def source_region(source: str) -> str | None:
    """The region of a replica's source when it is given as an ARN."""
    return source.split(":")[3] if source.startswith("arn:") else None


def same_instance(current: str, wanted: str) -> bool:
    """Whether two ways of writing an instance (identifier, ARN) may mean the same one."""
    return current == wanted or (
        current.rpartition(":")[2] == wanted.rpartition(":")[2] and not (":" in current and ":" in wanted)
    )


def tag_changes(have: t.Mapping[str, str], request: Request) -> tuple[dict[str, str], list[str]]:
    """Tags to set and keys to remove; AWS's own tags (``aws:``) stay."""
    wanted = request.tags or {}
    added = {key: value for key, value in wanted.items() if have.get(key) != value}
    removed = [key for key in have if key not in wanted and not key.startswith("aws:")]
    return added, (sorted(removed) if request.purge_tags and request.tags is not None else [])

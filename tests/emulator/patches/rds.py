# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS: instances, their managed passwords, subnet and parameter groups, replicas."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import secrets
import string
import typing as t

from moto.core.resource_tagging import TaggedResource
from moto.rds import models
from moto.rds.exceptions import (
    DBInstanceAlreadyExists,
    DBInstanceNotFoundError,
    DBParameterGroupNotFoundError,
    DBSubnetGroupNotFoundError,
    InvalidParameterCombination,
    InvalidParameterValue,
    RDSClientError,
)

from tests.emulator.patches import around, before, patch

#: Characters of RDS's generated passwords: printable ASCII without those that the engines refuse.
_PASSWORD_CHARACTERS = string.ascii_letters + string.digits + "!#$%&()*+,-.:;<=>?[]^_{|}~"
_RESERVED_NAMES = {"postgres": {"admin", "rdsadmin"}, "mysql": {"rdsadmin"}, "mariadb": {"rdsadmin"}}
_LONGEST_PASSWORD = {"postgres": 128, "mysql": 41, "mariadb": 41}


@patch(
    restores="A managed password is random, its secret names the real master user, and both parameters conflict.",
    source="RDS User Guide, Password management with AWS Secrets Manager; API reference, CreateDBInstance",
    touches=(
        "moto.rds.models:MasterUserSecret._generate_secret_string",
        "moto.rds.models:MasterUserSecret.rotate_secret",
        "moto.rds.models:RDSBackend.create_db_instance",
        "moto.rds.models:RDSBackend.restore_db_instance_from_db_snapshot",
    ),
)
def managed_master_password() -> None:
    """Replace moto's constant user name and password."""

    def secret_string(self: t.Any) -> str:
        password = "".join(secrets.choice(_PASSWORD_CHARACTERS) for _ in range(28))
        return json.dumps({"username": self.resource.master_username, "password": password})

    models.MasterUserSecret._generate_secret_string = secret_string  # type: ignore[method-assign]

    @around(models.MasterUserSecret, "rotate_secret")
    def rotate(original: t.Callable[..., None], self: t.Any) -> None:
        self._status = "rotating"
        self.secretsmanager.put_secret_value(
            self.secret.arn, secret_string(self), None, client_request_token=None, version_stages=["AWSCURRENT"]
        )

    @before(models.RDSBackend, "create_db_instance")
    def refuse_both(self: t.Any, db_kwargs: t.Any) -> None:
        if db_kwargs.get("manage_master_user_password") and db_kwargs.get("master_user_password"):
            raise InvalidParameterCombination(
                "You can't specify MasterUserPassword for an instance with ManageMasterUserPassword enabled."
            )

    @around(models.RDSBackend, "restore_db_instance_from_db_snapshot")
    def restore(original: t.Callable[..., t.Any], self: t.Any, snapshot: str, overrides: t.Any) -> t.Any:
        # moto carries the source's secret object over; the restored instance keeps the password, not the secret.
        found = self.database_snapshots.get(snapshot.rpartition(":")[2])
        if found is not None:
            found.database.__dict__.pop("master_user_secret", None)
            found.database.manage_master_user_password = False
        return original(self, snapshot, overrides)


@patch(
    restores="A resource id is unique, a host name is its account's and region's own, a zone is one of the subnets'.",
    source="API reference, DBInstance; RDS User Guide, Finding the connection information for a DB instance",
    touches=("moto.rds.models:DBInstance.__init__", "moto.rds.models:DBInstance.address"),
)
def instance_identity() -> None:
    """Draw what moto has as constants."""

    @around(models.DBInstance, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        drawn = hashlib.sha256(f"{self.arn}{self.created.isoformat()}".encode()).hexdigest()[:26].upper()
        self.dbi_resource_id = f"db-{drawn}"
        if self.license_model == "general-public-license" and self.engine == "postgres":
            self.license_model = "postgresql-license"
        zones = sorted({subnet.availability_zone for subnet in _subnets_of(self)})
        if zones and self.availability_zone not in zones:
            self.availability_zone = zones[0]
        if self.multi_az and len(zones) > 1:
            self.secondary_availability_zone = next(zone for zone in zones if zone != self.availability_zone)

    def address(self: t.Any) -> str:
        drawn = hashlib.sha256(f"{self.account_id}/{self.region}".encode()).hexdigest()[:12]
        return f"{self.db_instance_identifier}.{drawn}.{self.region}.rds.amazonaws.com"

    models.DBInstance.address = property(address)  # type: ignore[assignment,method-assign]


@patch(
    restores="Storage is gp3 by default with 3000 IOPS and 125 MiB/s or more; encryption names its key's ARN.",
    source="API reference, CreateDBInstance (StorageType); RDS User Guide, DB instance storage and Encryption",
    touches=("moto.rds.models:DBInstance.__init__", "moto.rds.models:DBInstance.default_storage_type"),
)
def storage() -> None:
    """Fill in what moto leaves empty."""
    models.DBInstance.default_storage_type = staticmethod(  # type: ignore[method-assign]
        lambda iops: "gp3" if iops is None else "io1"
    )
    sizes = models.DBInstance.default_allocated_storage

    def default_size(engine: str, storage_type: str) -> int:
        return sizes(engine, "gp2" if storage_type == "gp3" else storage_type)

    models.DBInstance.default_allocated_storage = staticmethod(default_size)  # type: ignore[method-assign]

    @around(models.DBInstance, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, backend: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        wanted = kwargs.get("kms_key_id")
        if kwargs.get("storage_encrypted") and not kwargs.get("db_cluster_identifier"):
            kwargs["kms_key_id"] = backend._validate_kms_key(wanted or "alias/aws/rds")
        original(self, backend, *args, **kwargs)
        if self.db_cluster_identifier is None and self.storage_type == "gp3":
            # From 400 GiB on, RDS stripes over four volumes.
            striped = self.allocated_storage >= 400
            self.iops = self.iops or (12000 if striped else 3000)
            self._storage_throughput = self.storage_throughput or (500 if striped else 125)


@patch(
    restores="An instance says whether Performance Insights is on, with 7 days of retention unless told otherwise.",
    source="API reference, CreateDBInstance and ModifyDBInstance (EnablePerformanceInsights), DBInstance",
    touches=("moto.rds.models:RDSBackend.create_db_instance", "moto.rds.models:RDSBackend.modify_db_instance"),
)
def performance_insights() -> None:
    """Keep what moto overlooks."""

    @around(models.RDSBackend, "create_db_instance")
    def create(original: t.Callable[..., t.Any], self: t.Any, db_kwargs: dict[str, t.Any]) -> t.Any:
        given = dict(db_kwargs)
        database = original(self, db_kwargs)
        _set_insights(database, given)
        return database

    @around(models.RDSBackend, "modify_db_instance")
    def modify(original: t.Callable[..., t.Any], self: t.Any, identifier: str, db_kwargs: dict[str, t.Any]) -> t.Any:
        given = dict(db_kwargs)
        database = original(self, identifier, db_kwargs)
        _set_insights(database, given)
        return database


def _set_insights(database: t.Any, given: dict[str, t.Any]) -> None:
    wanted = given.get("enable_performance_insights")
    if wanted is None:
        return
    database.performance_insights_enabled = str(wanted).lower() == "true"
    days = int(given.get("performance_insights_retention_period") or 7)
    database.performance_insights_retention_period = days if database.performance_insights_enabled else None


@patch(
    restores="The final snapshot must be named or refused; a replica takes none.",
    source="API reference, DeleteDBInstance (SkipFinalSnapshot, FinalDBSnapshotIdentifier)",
    touches="moto.rds.models:RDSBackend.delete_db_instance",
)
def final_snapshot() -> None:
    """Refuse a deletion that says neither, or both."""

    @before(models.RDSBackend, "delete_db_instance")
    def check(
        self: t.Any,
        db_instance_identifier: str,
        final_db_snapshot_identifier: str | None = None,
        skip_final_snapshot: bool | None = False,
        **_: t.Any,
    ) -> None:
        database = self.databases.get(db_instance_identifier)
        if database is None or database.deletion_protection or database.db_cluster_identifier:
            return
        if skip_final_snapshot and final_db_snapshot_identifier:
            raise InvalidParameterCombination(
                "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is enabled."
            )
        if not skip_final_snapshot and not final_db_snapshot_identifier:
            raise InvalidParameterCombination(
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
            )
        if final_db_snapshot_identifier and database.is_replica:
            raise InvalidParameterCombination("FinalDBSnapshotIdentifier can not be specified when deleting a replica.")


@patch(
    restores="No automated backup is made while the retention period is 0.",
    source="API reference, CreateDBInstance (BackupRetentionPeriod)",
    touches="moto.rds.models:DBInstance.save_automated_backup",
)
def automated_backups() -> None:
    """Skip it."""

    @around(models.DBInstance, "save_automated_backup")
    def save(original: t.Callable[..., None], self: t.Any) -> None:
        if self.backup_retention_period:
            original(self)


@patch(
    restores="Reserved master user names and passwords out of form are refused.",
    source="API reference, CreateDBInstance (MasterUsername, MasterUserPassword)",
    touches=("moto.rds.models:RDSBackend.create_db_instance", "moto.rds.models:RDSBackend.modify_db_instance"),
)
def master_user_rules() -> None:
    """Check them."""

    @before(models.RDSBackend, "create_db_instance")
    def check_new(self: t.Any, db_kwargs: t.Any) -> None:
        engine, name = db_kwargs.get("engine"), db_kwargs.get("master_username")
        if name and name.lower() in _RESERVED_NAMES.get(engine, ()):
            raise InvalidParameterValue(
                f"MasterUsername {name} cannot be used as it is a reserved word used by the engine"
            )
        check_password(engine, db_kwargs.get("master_user_password"))

    @before(models.RDSBackend, "modify_db_instance")
    def check_change(self: t.Any, db_instance_identifier: str, db_kwargs: t.Any) -> None:
        database = self.databases.get(db_instance_identifier)
        if database is not None:
            check_password(database.engine, db_kwargs.get("master_user_password"))

    def check_password(engine: str, password: str | None) -> None:
        if password is None or engine not in _LONGEST_PASSWORD:
            return
        if not 8 <= len(password) <= _LONGEST_PASSWORD[engine]:
            raise InvalidParameterValue(
                "The parameter MasterUserPassword is not a valid password because it is "
                f"{'shorter than 8' if len(password) < 8 else f'longer than {_LONGEST_PASSWORD[engine]}'} characters."
            )
        if any(character in '/"@ ' or not character.isprintable() for character in password):
            raise InvalidParameterValue(
                "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
                "'/', '@', '\"', ' ' may be used."
            )


@patch(
    restores="A subnet group spans two zones, is made once, survives a change, and stays while an instance uses it.",
    source="API reference, CreateDBSubnetGroup, ModifyDBSubnetGroup and DeleteDBSubnetGroup (Errors)",
    touches=(
        "moto.rds.models:RDSBackend.create_subnet_group",
        "moto.rds.models:RDSBackend.modify_db_subnet_group",
        "moto.rds.models:RDSBackend.delete_subnet_group",
    ),
)
def subnet_groups() -> None:
    """Check them; moto overwrites, forgets a group that was modified, and lets everything go."""

    @before(models.RDSBackend, "create_subnet_group")
    def check_new(self: t.Any, subnet_name: str, description: str, subnets: list[t.Any], tags: t.Any) -> None:
        if subnet_name in self.subnet_groups:
            raise RDSClientError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{subnet_name}' already exists.")
        check_coverage(subnets)

    @around(models.RDSBackend, "modify_db_subnet_group")
    def modify(
        original: t.Callable[..., t.Any], self: t.Any, subnet_name: str, description: str, subnets: list[t.Any]
    ) -> t.Any:
        if subnet_name not in self.subnet_groups:
            raise DBSubnetGroupNotFoundError(subnet_name)
        check_coverage(subnets)
        group = original(self, subnet_name, description, subnets)
        self.subnet_groups[subnet_name] = group
        return group

    @before(models.RDSBackend, "delete_subnet_group")
    def check_use(self: t.Any, subnet_name: str) -> None:
        for database in self.databases.values():
            group = getattr(database, "db_subnet_group", None)
            if group is not None and group.name == subnet_name.lower():
                raise RDSClientError(
                    "InvalidDBSubnetGroupStateFault",
                    f"Cannot delete the subnet group '{subnet_name}' because at least one database instance: "
                    f"{database.db_instance_identifier} is still using it.",
                )

    def check_coverage(subnets: list[t.Any]) -> None:
        zones = sorted({subnet.availability_zone for subnet in subnets})
        if len(zones) < 2:
            raise RDSClientError(
                "DBSubnetGroupDoesNotCoverEnoughAZs",
                "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
                f"{', '.join(zones)}. Add subnets to cover at least 2 AZs.",
            )


#: Parameters that this collection's customers set, as DescribeDBParameters lists them for every group.
_ENGINE_PARAMETERS = {
    "postgres": {
        "log_min_duration_statement": "dynamic",
        "log_statement": "dynamic",
        "max_connections": "static",
        "rds.force_ssl": "dynamic",
        "rds.logical_replication": "static",
        "shared_buffers": "static",
    },
    "mysql": {
        "character_set_server": "dynamic",
        "collation_server": "dynamic",
        "general_log": "dynamic",
        "long_query_time": "dynamic",
        "max_connections": "dynamic",
        "require_secure_transport": "dynamic",
        "slow_query_log": "dynamic",
    },
}


@patch(
    restores="An unknown parameter group is an error, each lists the engine's own parameters, and one in use stays.",
    source="API reference, DescribeDBParameterGroups, DescribeDBParameters and DeleteDBParameterGroup (Errors)",
    touches=(
        "moto.rds.models:RDSBackend.describe_db_parameter_groups",
        "moto.rds.models:RDSBackend.delete_db_parameter_group",
        "moto.rds.models:DBParameterGroup.__init__",
        "moto.rds.models:DBParameterGroup.update_parameters",
    ),
)
def parameter_groups() -> None:
    """Check and fill them."""

    @around(models.RDSBackend, "describe_db_parameter_groups")
    def describe(original: t.Callable[..., t.Any], self: t.Any, wanted: t.Any) -> t.Any:
        found = original(self, wanted)
        name = wanted.get("db_parameter_group_name")
        if name and not found:
            raise DBParameterGroupNotFoundError(name)
        return found

    @before(models.RDSBackend, "delete_db_parameter_group")
    def check_use(self: t.Any, db_parameter_group_name: str) -> None:
        if any(
            _parameter_group_of(database) == db_parameter_group_name.lower() for database in self.databases.values()
        ):
            raise RDSClientError(
                "InvalidDBParameterGroupState",
                "One or more database instances are still members of this parameter group "
                f"{db_parameter_group_name}, so the group cannot be deleted",
            )

    @around(models.DBParameterGroup, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        for engine, parameters in _ENGINE_PARAMETERS.items():
            if (self.family or "").startswith(engine):
                for name, apply_type in parameters.items():
                    self.parameters[name].update(
                        ParameterName=name,
                        IsModifiable=True,
                        DataType="string",
                        ApplyType=apply_type,
                        Source="engine-default",
                        ApplyMethod="pending-reboot",
                    )

    @around(models.DBParameterGroup, "update_parameters")
    def update(original: t.Callable[..., None], self: t.Any, new_parameters: t.Iterable[t.Any]) -> None:
        original(self, [{**parameter, "Source": "user"} for parameter in new_parameters])


def _parameter_group_of(database: t.Any) -> str:
    return (database.db_parameter_group_name or "").lower()


@patch(
    restores="A replica's source has backups and no managed password; the replica has its own region, groups, tags.",
    source="API reference, CreateDBInstanceReadReplica; RDS User Guide, Limitations for Secrets Manager integration",
    touches="moto.rds.models:RDSBackend.create_db_instance_read_replica",
)
def read_replicas() -> None:
    """Make replicas in other regions work, and refuse the sources that AWS refuses."""

    def create(self: t.Any, db_kwargs: t.Any) -> t.Any:
        name = db_kwargs["db_instance_identifier"]
        primary = self.find_db_from_id(db_kwargs["source_db_instance_identifier"])
        check(primary)
        if name in self.databases:
            raise DBInstanceAlreadyExists
        replica = _replica_of(primary, self)
        replica.update(**db_kwargs)
        replica.set_as_replica()
        self.databases[name] = replica
        primary.add_replica(replica)
        return replica

    def check(primary: t.Any) -> None:
        if primary.manage_master_user_password:
            raise InvalidParameterValue(
                f"Creating read replicas for source instance with engine {primary.engine} where "
                "ManageMasterUserPassword is enabled is not supported."
            )
        if not primary.backup_retention_period:
            raise RDSClientError(
                "InvalidDBInstanceState",
                "Automated backups are not enabled for this database instance. To enable automated backups, use "
                "ModifyDBInstance to set the backup retention period to a non-zero value.",
            )

    models.RDSBackend.create_db_instance_read_replica = create  # type: ignore[method-assign]


def _replica_of(primary: t.Any, backend: t.Any) -> t.Any:
    replica = copy.copy(primary)
    if primary.backend is not backend:
        replica.backend = backend
        replica.db_parameter_group_name = None
        replica.availability_zone = f"{backend.region_name}a"
    replica.tags = []
    replica.deletion_protection = False
    replica.multi_az = False
    replica.enabled_cloudwatch_logs_exports = []
    replica._associated_roles = []
    return replica


@patch(
    restores="A replica reports that it replicates; promoted or deleted, it and its source forget each other.",
    source="API reference, DBInstance (StatusInfos), PromoteReadReplica and DeleteDBInstance",
    touches=(
        "moto.rds.models:DBInstance.status_infos",
        "moto.rds.models:DBInstance.remove_replica",
        "moto.rds.models:RDSBackend.promote_read_replica",
        "moto.rds.models:RDSBackend.delete_db_instance",
    ),
)
def replica_ties() -> None:
    """Keep both ends of the tie in step."""

    def status_infos(self: t.Any) -> list[dict[str, t.Any]] | None:
        if not self.is_replica:
            return None
        return [{"StatusType": "read replication", "Normal": True, "Status": "replicating"}]

    models.DBInstance.status_infos = property(status_infos)  # type: ignore[attr-defined]

    def remove_replica(self: t.Any, replica: t.Any) -> None:
        own = (replica.db_instance_identifier, replica.db_instance_arn)
        self.replicas = [name for name in self.replicas if name not in own]

    models.DBInstance.remove_replica = remove_replica  # type: ignore[method-assign]

    @before(models.RDSBackend, "promote_read_replica")
    def untie_promoted(self: t.Any, db_kwargs: t.Any) -> None:
        untie(self, self.describe_db_instances(db_kwargs["db_instance_identifier"])[0])

    @around(models.RDSBackend, "delete_db_instance")
    def delete(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        gone = original(self, *args, **kwargs)
        _promote_replicas_of(gone)
        return gone

    def untie(backend: t.Any, replica: t.Any) -> None:
        source = replica.source_db_instance_identifier
        if replica.is_replica and source:
            # The source, or its whole region, may be what was lost.
            with contextlib.suppress(DBInstanceNotFoundError):
                backend.find_db_from_id(source).remove_replica(replica)
            replica.source_db_instance_identifier = None


def _promote_replicas_of(gone: t.Any) -> None:
    # Without its source, RDS promotes a replica in the same region and ends replication elsewhere.
    names = (gone.db_instance_identifier, gone.db_instance_arn)
    for backend in models.rds_backends[gone.account_id].values():
        for database in backend.databases.values():
            if database.is_replica and database.source_db_instance_identifier in names:
                database.source_db_instance_identifier = None
                database.is_replica = False


@patch(
    restores="The tagging API lists subnet, parameter and option groups as well.",
    source="Resource Groups Tagging API reference, Services that support the Resource Groups Tagging API (Amazon RDS)",
    touches="moto.rds.models:RDSBackend.iter_tagged_resources",
)
def tagged_resources() -> None:
    """Add them."""

    @around(models.RDSBackend, "iter_tagged_resources")
    def iterate(original: t.Callable[..., t.Any], self: t.Any) -> t.Iterator[t.Any]:
        yield from original(self)
        for kind, held in (
            ("subgrp", self.subnet_groups),
            ("pg", self.db_parameter_groups),
            ("cluster-pg", self.db_cluster_parameter_groups),
            ("og", self.option_groups),
            ("es", self.event_subscriptions),
        ):
            for resource in list(held.values()):
                tags = {tag["Key"]: tag["Value"] for tag in resource.get_tags()}
                yield TaggedResource(arn=resource.arn, tags=tags, resource_type=f"rds:{kind}")


def _subnets_of(database: t.Any) -> list[t.Any]:
    group = getattr(database, "db_subnet_group", None)
    return list(group._subnets) if group is not None else []


def databases_in(account: str, region: str) -> list[t.Any]:
    """The instances of one region, for EC2's checks of what they hold on to."""
    backend = models.rds_backends[account][region]
    return list(backend.databases.values())


def subnets_in_use(account: str, region: str) -> dict[str, str]:
    """Ids of subnets in which a database has its network interface, with the database's name."""
    used: dict[str, str] = {}
    for database in databases_in(account, region):
        zones = {database.availability_zone, getattr(database, "secondary_availability_zone", None)}
        for subnet in _subnets_of(database):
            if subnet.availability_zone in zones:
                used.setdefault(subnet.id, database.db_instance_identifier)
    return used


def security_groups_in_use(account: str, region: str) -> set[str]:
    """Ids of security groups that a database's network interface has."""
    return {group for database in databases_in(account, region) for group in database.vpc_security_group_ids}

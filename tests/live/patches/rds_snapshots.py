# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS: snapshots that hold the rows, restores that bring them back, new names."""

from __future__ import annotations

import functools
import io
import tarfile
import typing as t

from tests.live.patches import around, patch

_REFERENCE = "Amazon RDS API reference"
#: Settings that a restore takes from its request as a creation does.
_TAKEN = (
    "DBSubnetGroupName", "DBParameterGroupName", "MultiAZ", "PubliclyAccessible", "StorageType", "CopyTagsToSnapshot",
    "ManageMasterUserPassword", "MasterUserSecretKmsKeyId", "EnableIAMDatabaseAuthentication", "DeletionProtection",
    "AutoMinorVersionUpgrade", "AvailabilityZone", "DBInstanceClass",
)  # fmt: skip
_LISTS = ("VpcSecurityGroupIds.", "EnableCloudwatchLogsExports.", "Tags.")
#: By the ARN of a snapshot, what pg_dump wrote; by an instance's ARN, what it begins with.
_dumps: dict[str, bytes] = {}
_first: dict[str, bytes] = {}


def archive(name: str, data: bytes) -> bytes:
    """A tar archive with one file that everybody may read."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), 0o644
        tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def creation(request: t.Mapping[str, t.Any], snapshot: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The parameters of CreateDBInstance that make what a restore wants.

    :param request: the parameters of RestoreDBInstanceFromDBSnapshot.
    :param snapshot: the snapshot's record.
    """
    taken = {key: value for key, value in request.items() if key in _TAKEN or key.startswith(_LISTS)}
    return {
        "DBInstanceClass": snapshot["DBInstanceClass"],
        "StorageType": snapshot["StorageType"],
        **taken,
        "DBInstanceIdentifier": request["DBInstanceIdentifier"],
        "Engine": snapshot["Engine"],
        "EngineVersion": snapshot["EngineVersion"],
        "MasterUsername": snapshot["MasterUsername"],
        "MasterUserPassword": snapshot["_password"],
        "DBName": snapshot["DBName"],
        "AllocatedStorage": str(snapshot["AllocatedStorage"]),
        "StorageEncrypted": str(snapshot["StorageEncrypted"]).lower(),
        "KmsKeyId": snapshot["KmsKeyId"],
    }


def _container(rds: t.Any, instance: t.Mapping[str, t.Any]) -> t.Any:
    return rds._get_docker().containers.get(instance["_docker_container_id"])


def _dump(rds: t.Any, instance: t.Mapping[str, t.Any]) -> bytes:
    command = ["pg_dump", "-U", instance["MasterUsername"], "-Fc", "-d", instance["DBName"]]
    status, (out, said) = _container(rds, instance).exec_run(command, demux=True)
    if status:
        raise RuntimeError(f"pg_dump: {said}")
    return t.cast("bytes", out)


def _load(rds: t.Any, instance: t.Mapping[str, t.Any], dump: bytes) -> None:
    container = _container(rds, instance)
    container.put_archive("/tmp", archive("restore.dump", dump))
    command = [
        "pg_restore",
        "-U",
        instance["MasterUsername"],
        "-d",
        instance["DBName"],
        "--no-owner",
        "/tmp/restore.dump",
    ]
    status, said = container.exec_run(command)
    if status:
        raise RuntimeError(f"pg_restore: {said}")


def _restore(rds: t.Any, p: dict[str, t.Any]) -> t.Any:
    name = rds._p(p, "DBSnapshotIdentifier").rpartition(":snapshot:")[2]
    found = rds._snapshots.get(name)
    if not found:
        return rds._error("DBSnapshotNotFound", f"DBSnapshot {name} not found.", 404)
    flat = {key: value[0] if isinstance(value, list) else value for key, value in p.items()}
    identifier = flat["DBInstanceIdentifier"]
    arn = found["DBSnapshotArn"].rpartition(":snapshot:")[0] + f":db:{identifier}"
    if identifier not in rds._instances and found["DBSnapshotArn"] in _dumps:
        _first[arn] = _dumps[found["DBSnapshotArn"]]
    answer = rds._ACTION_MAP["CreateDBInstance"](creation(flat, found))
    if answer[0] != 200:
        return answer
    action = "RestoreDBInstanceFromDBSnapshot"
    return rds._single_instance_response(f"{action}Response", f"{action}Result", rds._instances[identifier])


@patch(
    restores="A snapshot holds the database as it was; what is restored from it has the same rows, user and settings.",
    source=f"{_REFERENCE}, CreateDBSnapshot, RestoreDBInstanceFromDBSnapshot",
    touches=(
        "ministack.services.rds:_create_snapshot_internal",
        "ministack.services.rds:_wait_for_database_ready",
        "ministack.services.rds:_ACTION_MAP",
    ),
)
def data() -> None:
    """MiniStack keeps and restores records only."""
    from ministack.services import rds

    @around(rds, "_create_snapshot_internal")
    def snapshot(original: t.Callable[..., t.Any], name: str, instance: dict[str, t.Any]) -> t.Any:
        made = original(name, instance)
        made["_password"] = instance["_MasterUserPassword"]
        if instance.get("_docker_container_id") and "postgres" in instance["Engine"]:
            _dumps[made["DBSnapshotArn"]] = _dump(rds, instance)
        return made

    rds._ACTION_MAP["RestoreDBInstanceFromDBSnapshot"] = functools.partial(_restore, rds)

    @around(rds, "_wait_for_database_ready")
    def ready(original: t.Callable[..., bool], host: str, *rest: t.Any) -> bool:
        if not original(host, *rest):
            return False
        for instance in list(rds._instances.values()):
            if instance.get("_internal_address") == host and instance["DBInstanceArn"] in _first:
                _load(rds, instance, _first.pop(instance["DBInstanceArn"]))
        return True


@patch(
    restores="NewDBInstanceIdentifier gives an instance another name and ARN; its tags and its secret stay with it.",
    source=f"{_REFERENCE}, ModifyDBInstance (NewDBInstanceIdentifier)",
    touches="ministack.services.rds:_ACTION_MAP",
)
def rename() -> None:
    """MiniStack ignores it."""
    from ministack.services import rds

    modify = rds._ACTION_MAP["ModifyDBInstance"]

    def modify_instance(p: dict[str, t.Any]) -> t.Any:
        answer, new = modify(p), rds._p(p, "NewDBInstanceIdentifier")
        if answer[0] != 200 or not new:
            return answer
        if new in rds._instances:
            return rds._error("DBInstanceAlreadyExists", f"DB instance {new} already exists", 400)
        old = rds._resolve_instance(rds._p(p, "DBInstanceIdentifier"))["DBInstanceIdentifier"]
        instance = rds._instances.pop(old)
        tags = rds._tags.pop(instance["DBInstanceArn"], [])
        instance["DBInstanceIdentifier"] = new
        instance["DBInstanceArn"] = instance["DBInstanceArn"].rpartition(":")[0] + f":{new}"
        rds._instances[new], rds._tags[instance["DBInstanceArn"]] = instance, tags
        return rds._single_instance_response("ModifyDBInstanceResponse", "ModifyDBInstanceResult", instance)

    rds._ACTION_MAP["ModifyDBInstance"] = modify_instance

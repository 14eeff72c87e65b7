# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS: the master password that it manages, snapshots that hold data."""

from __future__ import annotations

import json
import re
import typing as t

from tests.live.patches import around, patch

_REFERENCE = "Amazon RDS API reference"


@patch(
    restores="With ManageMasterUserPassword an instance has a secret with its user and password, for as long as it is.",
    source=f"{_REFERENCE}, CreateDBInstance (ManageMasterUserPassword), DBInstance (MasterUserSecret)",
    touches=(
        "ministack.services.rds:_ACTION_MAP",
        "ministack.services.rds:_instance_xml",
    ),
)
def managed_master_password() -> None:
    """MiniStack does this for clusters only."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import rds, secretsmanager

    create, delete = rds._ACTION_MAP["CreateDBInstance"], rds._ACTION_MAP["DeleteDBInstance"]

    def create_instance(p: dict[str, t.Any]) -> t.Any:
        if rds._p(p, "ManageMasterUserPassword") != "true":
            return create(p)
        password = rds._generate_master_user_password()
        answer = create({**p, "MasterUserPassword": password})
        if answer[0] == 200:
            instance = rds._instances[rds._p(p, "DBInstanceIdentifier")]
            account, region = get_account_id(), get_region()
            arn = secretsmanager.create_secret_in_process(
                f"rds!{instance['DbiResourceId'].lower()}",
                json.dumps({"username": instance["MasterUsername"], "password": password}),
                description=f"Secret of {instance['DBInstanceArn']}",
            )
            key = rds._p(p, "MasterUserSecretKmsKeyId") or f"arn:aws:kms:{region}:{account}:key/aws/secretsmanager"
            instance["MasterUserSecret"] = {"SecretArn": arn, "SecretStatus": "active", "KmsKeyId": key}
            return rds._single_instance_response("CreateDBInstanceResponse", "CreateDBInstanceResult", instance)
        return answer

    def delete_instance(p: dict[str, t.Any]) -> t.Any:
        instance = rds._resolve_instance(rds._p(p, "DBInstanceIdentifier"))
        answer = delete(p)
        if answer[0] == 200 and instance and instance.get("MasterUserSecret"):
            secretsmanager.delete_secret_in_process(instance["MasterUserSecret"]["SecretArn"])
        return answer

    rds._ACTION_MAP.update(CreateDBInstance=create_instance, DeleteDBInstance=delete_instance)

    @around(rds, "_instance_xml")
    def xml(original: t.Callable[..., str], instance: dict[str, t.Any]) -> str:
        secret = instance.get("MasterUserSecret")
        if not secret:
            return original(instance)
        inner = "".join(f"<{key}>{value}</{key}>" for key, value in secret.items())
        return f"{original(instance)}<MasterUserSecret>{inner}</MasterUserSecret>"


#: The versions that MiniStack knows and RDS still has; what RDS for PostgreSQL can send to CloudWatch Logs.
_VERSIONS = ("17.5", "16.4", "15.3", "14.8")
_LOGS = ("iam-db-auth-error", "postgresql", "upgrade")


@patch(
    restores="PostgreSQL runs on Graviton with gp3 storage, exports its logs, and has families such as postgres17.",
    source="Amazon RDS user guide, DB instance classes; gp3 storage; Publishing PostgreSQL logs to CloudWatch Logs",
    touches="ministack.services.rds:_ACTION_MAP",
)
def catalogue() -> None:
    """Add what is missing in MiniStack's answers."""
    from ministack.services import rds

    options, versions = (
        rds._ACTION_MAP[f"Describe{name}"] for name in ("OrderableDBInstanceOptions", "DBEngineVersions")
    )

    def orderable(p: dict[str, t.Any]) -> t.Any:
        wanted = rds._p(p, "DBInstanceClass")
        graviton = re.fullmatch(r"db\.t4g\.(micro|small|medium|large)", wanted)
        asked = {**p, "DBInstanceClass": f"db.t3.{graviton[1]}"} if graviton else p
        # Not asked for a version, AWS lists the class once for each.
        named = [rds._p(p, "EngineVersion")] if rds._p(p, "EngineVersion") else list(_VERSIONS)
        answers = [options({**asked, "EngineVersion": version}) for version in named]
        status, headers, text = answers[0][0], answers[0][1], _text(answers[0][2])
        more = re.findall(
            r"<OrderableDBInstanceOption>.*?</OrderableDBInstanceOption>",
            "".join(_text(one[2]) for one in answers[1:]),
            re.DOTALL,
        )
        text = text.replace("</OrderableDBInstanceOptions>", "".join(more) + "</OrderableDBInstanceOptions>")
        if graviton:
            text = text.replace(f"db.t3.{graviton[1]}", wanted)
        return (
            status,
            headers,
            text.replace("<StorageType>gp2</StorageType>", "<StorageType>gp3</StorageType>").encode(),
        )

    def engine_versions(p: dict[str, t.Any]) -> t.Any:
        wanted = rds._p(p, "EngineVersion")
        status, headers, body = versions({**p, "EngineVersion": "" if wanted.isdigit() else wanted})
        parts = re.split(r"(?=<DBEngineVersion>)", _text(body))
        kept = [one for one in parts if "<EngineVersion>" not in one or f"<EngineVersion>{wanted}" in one]
        tail = re.search(r"</DBEngineVersions>.*", parts[-1], re.DOTALL)
        text = "".join(kept) if kept[-1] is parts[-1] or not tail else "".join(kept) + tail[0]
        family = r"<DBParameterGroupFamily>postgres\1</DBParameterGroupFamily>"
        text = re.sub(r"<DBParameterGroupFamily>(\d+)</DBParameterGroupFamily>", family, text)
        logs = "".join(f"<member>{name}</member>" for name in _LOGS)
        return (
            status,
            headers,
            text.replace("<ExportableLogTypes/>", f"<ExportableLogTypes>{logs}</ExportableLogTypes>").encode(),
        )

    rds._ACTION_MAP.update(DescribeOrderableDBInstanceOptions=orderable, DescribeDBEngineVersions=engine_versions)


def _text(body: t.Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)


@patch(
    restores="An instance says which logs it exports, and the baseline of its gp3 storage: 3,000 IOPS and 125 MiB/s.",
    source=f"{_REFERENCE}, DBInstance (EnabledCloudwatchLogsExports, Iops, StorageThroughput); user guide, gp3 storage",
    touches=("ministack.services.rds:_ACTION_MAP", "ministack.services.rds:_instance_xml"),
)
def kept_settings() -> None:
    """Keep what MiniStack drops."""
    from ministack.services import rds

    create, modify = rds._ACTION_MAP["CreateDBInstance"], rds._ACTION_MAP["ModifyDBInstance"]

    def create_instance(p: dict[str, t.Any]) -> t.Any:
        answer = create(p)
        if answer[0] == 200:
            instance = rds._instances[rds._p(p, "DBInstanceIdentifier")]
            instance["EnabledCloudwatchLogsExports"] = rds._parse_member_list(p, "EnableCloudwatchLogsExports")
            if rds._p(p, "PreferredBackupWindow"):
                instance["PreferredBackupWindow"] = rds._p(p, "PreferredBackupWindow")
            return rds._single_instance_response("CreateDBInstanceResponse", "CreateDBInstanceResult", instance)
        return answer

    def modify_instance(p: dict[str, t.Any]) -> t.Any:
        answer = modify(p)
        instance = rds._resolve_instance(rds._p(p, "DBInstanceIdentifier"))
        enabled = rds._parse_member_list(p, "CloudwatchLogsExportConfiguration.EnableLogTypes")
        if instance and enabled:
            logs = instance.get("EnabledCloudwatchLogsExports") or []
            instance["EnabledCloudwatchLogsExports"] = sorted({*logs, *enabled})
        return answer

    rds._ACTION_MAP.update(CreateDBInstance=create_instance, ModifyDBInstance=modify_instance)

    @around(rds, "_instance_xml")
    def xml(original: t.Callable[..., str], instance: dict[str, t.Any]) -> str:
        logs = "".join(f"<member>{name}</member>" for name in instance.get("EnabledCloudwatchLogsExports") or [])
        text = original(instance).replace(
            "<EnabledCloudwatchLogsExports/>", f"<EnabledCloudwatchLogsExports>{logs}</EnabledCloudwatchLogsExports>"
        )
        if instance.get("StorageType") != "gp3":
            return text
        baseline = f"<Iops>{instance.get('Iops') or 3000}</Iops>"
        baseline += f"<StorageThroughput>{instance.get('StorageThroughput') or 125}</StorageThroughput>"
        return re.sub(r"<(Iops|StorageThroughput)>[^<]*</\1>", "", text) + baseline

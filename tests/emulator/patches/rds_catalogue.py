# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS: which engine versions and instance classes there are.

moto knows neither for MySQL, MariaDB and PostgreSQL. Versions are those of the release notes; AWS retires old ones and
adds new ones all the time, so the list says what exists, not which is the newest.
"""

from __future__ import annotations

import typing as t

from moto.core.responses import PaginatedResult
from moto.ec2.models import ec2_backends
from moto.rds import models, responses
from moto.rds.exceptions import InvalidParameterCombination, InvalidParameterValue

from tests.emulator.patches import around, patch

_VERSIONS = {
    "mysql": {
        "8.0": ("35", "36", "37", "39", "40", "41", "42", "43", "44"),
        "8.4": ("3", "4", "5", "6", "7"),
    },
    "mariadb": {
        "10.11": ("8", "9", "10", "11", "13", "14"),
        "11.4": ("3", "4", "5", "7", "8"),
    },
    "postgres": {
        "14": ("12", "13", "15", "17", "18", "19", "20"),
        "15": ("7", "8", "10", "12", "13", "14", "15"),
        "16": ("3", "4", "6", "8", "9", "10", "11"),
        "17": ("2", "4", "5", "6", "7"),
    },
}
_DESCRIPTIONS = {"mysql": "MySQL Community Edition", "mariadb": "MariaDb Community Edition", "postgres": "PostgreSQL"}
_LOGS = {
    "mysql": ["audit", "error", "general", "iam-db-auth-error", "slowquery"],
    "mariadb": ["audit", "error", "general", "iam-db-auth-error", "slowquery"],
    "postgres": ["iam-db-auth-error", "postgresql", "upgrade"],
}
_LICENSES = {"postgres": "postgresql-license"}
_BURSTABLE = ("micro", "small", "medium", "large", "xlarge", "2xlarge")
_LARGE = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
_FAMILIES = {
    "t3": _BURSTABLE,
    "t4g": _BURSTABLE,
    "m5": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"),
    "m6g": _LARGE,
    "m6i": _LARGE,
    "m7g": _LARGE,
    "r5": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"),
    "r6g": _LARGE,
    "r6i": _LARGE,
    "r7g": _LARGE,
}
CLASSES = tuple(f"db.{family}.{size}" for family, sizes in _FAMILIES.items() for size in sizes)
#: Smallest and largest GiB, and the IOPS a GiB, of each storage type for these engines.
_STORAGE = {"gp2": (20, 65536), "gp3": (20, 65536), "io1": (100, 65536), "io2": (100, 65536)}


def versions(engine: str) -> list[tuple[str, str]]:
    """Every version of an engine with its major version, oldest first."""
    return [(f"{major}.{minor}", major) for major, minors in _VERSIONS.get(engine, {}).items() for minor in minors]


def full_version(engine: str, wanted: str | None) -> str | None:
    """The version that C{wanted} names: itself, the newest of a major version, the newest of all; None if unknown."""
    found = [version for version, major in versions(engine) if wanted in (None, version, major)]
    return found[-1] if found else None


@patch(
    restores="DescribeDBEngineVersions answers for MySQL, MariaDB and PostgreSQL.",
    source="API reference, DescribeDBEngineVersions; RDS release notes of the three engines",
    touches="moto.rds.responses:RDSResponse.describe_db_engine_versions",
)
def engine_versions() -> None:
    """Add the operation, which moto lacks."""

    def describe(self: t.Any) -> t.Any:
        asked = self.params
        filters = {entry["Name"]: entry["Values"] for entry in asked.get("Filters") or []}
        entries = [
            _version(engine, version, major)
            for engine in _VERSIONS
            for version, major in versions(engine)
            if asked.get("Engine") in (None, engine) and asked.get("EngineVersion") in (None, version, major)
        ]
        entries = [entry for entry in entries if _passes(entry, filters, asked)]
        return PaginatedResult({"DBEngineVersions": entries})

    def _passes(entry: dict[str, t.Any], filters: dict[str, list[str]], asked: t.Any) -> bool:
        if asked.get("DBParameterGroupFamily") not in (None, entry["DBParameterGroupFamily"]):
            return False
        if (
            asked.get("DefaultOnly")
            and full_version(entry["Engine"], asked.get("EngineVersion")) != entry["EngineVersion"]
        ):
            return False
        names = {
            "engine": "Engine",
            "engine-version": "EngineVersion",
            "db-parameter-group-family": "DBParameterGroupFamily",
            "status": "Status",
        }
        return all(entry[names[name]] in values for name, values in filters.items() if name in names)

    responses.RDSResponse.describe_db_engine_versions = describe  # type: ignore[attr-defined]


def _version(engine: str, version: str, major: str) -> dict[str, t.Any]:
    known = versions(engine)
    later = known[known.index((version, major)) + 1 :]
    return {
        "Engine": engine,
        "MajorEngineVersion": major,
        "EngineVersion": version,
        "DBParameterGroupFamily": f"{engine}{major}",
        "DBEngineDescription": _DESCRIPTIONS[engine],
        "DBEngineVersionDescription": f"{_DESCRIPTIONS[engine]} {version}",
        "ExportableLogTypes": _LOGS[engine],
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": True,
        "Status": "available",
        "ValidUpgradeTarget": [
            {
                "Engine": engine,
                "EngineVersion": target,
                "Description": f"{_DESCRIPTIONS[engine]} {target}",
                "AutoUpgrade": False,
                "IsMajorVersionUpgrade": target_major != major,
            }
            for target, target_major in later
        ],
        "SupportsCertificateRotationWithoutRestart": engine == "postgres",
        "SupportedCACertificateIdentifiers": ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"],
    }


@patch(
    restores="DescribeOrderableDBInstanceOptions answers for the three engines, with nothing for what is unknown.",
    source="API reference, DescribeOrderableDBInstanceOptions; RDS User Guide, DB instance classes",
    touches="moto.rds.responses:RDSResponse.describe_orderable_db_instance_options",
)
def orderable_options() -> None:
    """Answer for them; other engines stay moto's."""

    @around(responses.RDSResponse, "describe_orderable_db_instance_options")
    def describe(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        asked = self.params
        engine = asked.get("Engine")
        if engine not in _VERSIONS:
            return original(self)
        zones = ec2_backends[self.current_account][self.region].describe_availability_zones()
        options = [
            _option(engine, version, name, kind, [{"Name": zone.name} for zone in zones])
            for version, major in versions(engine)
            if asked.get("EngineVersion") in (None, version, major)
            for name in CLASSES
            if asked.get("DBInstanceClass") in (None, name)
            if asked.get("LicenseModel") in (None, _license(engine))
            for kind in _STORAGE
        ]
        return PaginatedResult({"OrderableDBInstanceOptions": options})


def _license(engine: str) -> str:
    return _LICENSES.get(engine, "general-public-license")


def _option(engine: str, version: str, name: str, kind: str, zones: list[dict[str, str]]) -> dict[str, t.Any]:
    smallest, largest = _STORAGE[kind]
    return {
        "Engine": engine,
        "EngineVersion": version,
        "DBInstanceClass": name,
        "LicenseModel": _license(engine),
        "AvailabilityZones": zones,
        "MultiAZCapable": True,
        "ReadReplicaCapable": True,
        "Vpc": True,
        "SupportsStorageEncryption": True,
        "StorageType": kind,
        "SupportsIops": kind != "gp2",
        "SupportsStorageThroughput": kind == "gp3",
        "SupportsEnhancedMonitoring": True,
        "SupportsIAMDatabaseAuthentication": True,
        "SupportsPerformanceInsights": not name.endswith((".micro", ".small")) or engine == "postgres",
        "SupportsStorageAutoscaling": True,
        "MinStorageSize": smallest,
        "MaxStorageSize": largest,
    }


@patch(
    restores="A new instance has a version that exists, the default one if none is asked for, and a class that exists.",
    source="API reference, CreateDBInstance (EngineVersion, DBInstanceClass)",
    touches=("moto.rds.models:RDSBackend.create_db_instance", "moto.rds.models:RDSBackend.modify_db_instance"),
)
def known_versions_and_classes() -> None:
    """Refuse the rest."""

    @around(models.RDSBackend, "create_db_instance")
    def create(original: t.Callable[..., t.Any], self: t.Any, db_kwargs: t.Any) -> t.Any:
        engine = db_kwargs.get("engine")
        if engine in _VERSIONS and not db_kwargs.get("db_cluster_identifier"):
            db_kwargs["engine_version"] = check_version(engine, db_kwargs.get("engine_version"))
            check_class(db_kwargs.get("db_instance_class"))
        return original(self, db_kwargs)

    @around(models.RDSBackend, "modify_db_instance")
    def modify(original: t.Callable[..., t.Any], self: t.Any, db_instance_identifier: str, db_kwargs: t.Any) -> t.Any:
        database = self.databases.get(db_instance_identifier)
        if database is not None and database.engine in _VERSIONS:
            if db_kwargs.get("engine_version"):
                db_kwargs["engine_version"] = check_version(database.engine, db_kwargs["engine_version"])
            check_class(db_kwargs.get("db_instance_class"))
        return original(self, db_instance_identifier, db_kwargs)

    def check_version(engine: str, wanted: str | None) -> str:
        found = full_version(engine, wanted)
        if found is None:
            raise InvalidParameterCombination(f"Cannot find version {wanted} for {engine}")
        return found

    def check_class(name: str | None) -> None:
        if name is not None and name not in CLASSES:
            raise InvalidParameterValue(f"Invalid DB Instance class: {name}")

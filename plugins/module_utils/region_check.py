# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Does a region have what a stack asks for? Pure comparisons; each problem is one sentence that tells the nearest."""

from __future__ import annotations

import difflib
import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.rds_instances_rules import components, major_length

Record = t.Mapping[str, t.Any]

#: How many alternatives a sentence names.
SUGGESTIONS = 5

#: Engine names of RDS (RDS API reference, ``CreateDBInstance``), to tell a misspelt one.
ENGINES = (
    "mysql",
    "mariadb",
    "postgres",
    "aurora-mysql",
    "aurora-postgresql",
    "db2-ae",
    "db2-se",
    "oracle-ee",
    "oracle-ee-cdb",
    "oracle-se2",
    "oracle-se2-cdb",
    "sqlserver-ee",
    "sqlserver-ex",
    "sqlserver-se",
    "sqlserver-web",
)

#: What can be demanded of a database class, and the key by which RDS tells.
DB_FEATURES = {
    "enhanced_monitoring": "SupportsEnhancedMonitoring",
    "iam_database_authentication": "SupportsIAMDatabaseAuthentication",
    "multi_az": "MultiAZCapable",
    "performance_insights": "SupportsPerformanceInsights",
    "read_replica": "ReadReplicaCapable",
    "storage_autoscaling": "SupportsStorageAutoscaling",
    "storage_encryption": "SupportsStorageEncryption",
}


@dataclass(frozen=True)
class Item:
    """Something asked for, and the inventory variable that asks for it."""

    value: t.Any
    variable: str = ""

    def problem(self, sentence: str) -> str:
        """The sentence, led by the variable where one is known."""
        return f"{self.variable}: {sentence}" if self.variable else sentence


def read_item(raw: t.Any, option: str) -> Item:
    """An item written as a bare value, or as C(value) and C(variable).

    :param raw: what the task gives.
    :param option: the module option that it stands in, for the error.
    :raises AnsibleAWSError: when it is neither.
    """
    if not isinstance(raw, t.Mapping):
        return Item(raw)
    if "value" not in raw or set(raw) - {"value", "variable"}:
        raise AnsibleAWSError(message=f"{option}: {dict(raw)!r} is neither a value nor {{value: …, variable: …}}")
    return Item(raw["value"], raw.get("variable") or "")


def nearest(word: str, candidates: t.Iterable[str], count: int = SUGGESTIONS) -> list[str]:
    """The candidates most like a word, best first; none where nothing is like it.

    :param count: how many at most.
    """
    return difflib.get_close_matches(word, sorted(set(candidates)), n=count)


def _listing(words: t.Iterable[str]) -> str:
    return ", ".join(words) or "none"


def instead(words: t.Sequence[str]) -> str:
    """The end of a sentence that offers alternatives, or says nothing."""
    return f"; the nearest {'are' if len(words) > 1 else 'is'} {_listing(words)}" if words else ""


# --- EC2 ------------------------------------------------------------------------------------------------------------


def missing_types(items: t.Iterable[Item], offered: t.Collection[str]) -> list[Item]:
    """The instance types that the region does not have."""
    return [item for item in items if item.value not in offered]


def type_problems(missing: t.Iterable[Item], region: str, all_types: t.Collection[str]) -> list[str]:
    """A sentence for each instance type that the region does not have."""
    problems = []
    for item in missing:
        offer = instead(nearest(str(item.value), all_types))
        problems.append(item.problem(f"{region} has no instance type {item.value}{offer}"))
    return problems


def zone_problems(names: t.Iterable[Item], count: Item | None, region: str, zones: t.Sequence[str]) -> list[str]:
    """A sentence for each zone that is not there, and one when there are too few."""
    problems = [
        item.problem(f"{region} has no availability zone {item.value} for this account; it has {_listing(zones)}")
        for item in names
        if item.value not in zones
    ]
    if count is not None and int(count.value) > len(zones):
        problems.append(
            count.problem(f"{count.value} availability zones are needed, {region} has {len(zones)}: {_listing(zones)}")
        )
    return problems


def zones_of_types(offerings: t.Iterable[Record]) -> dict[str, list[str]]:
    """For each instance type the zones that offer it, sorted."""
    zones: dict[str, set[str]] = {}
    for offering in offerings:
        zones.setdefault(offering["InstanceType"], set()).add(offering["Location"])
    return {name: sorted(found) for name, found in sorted(zones.items())}


# --- images ---------------------------------------------------------------------------------------------------------


def is_deprecated(image: Record, now: str) -> bool:
    """Whether an image's deprecation time has come.

    :param now: the time as ``YYYY-MM-DDTHH:MM:SS``, UTC.
    """
    when: str = image.get("DeprecationTime") or ""
    return when != "" and when <= now


def newest_image(images: t.Iterable[Record], now: str) -> Record | None:
    """The image created last among those that are available and not deprecated; by id where two are as new."""
    usable = [
        image for image in images if image.get("State", "available") == "available" and not is_deprecated(image, now)
    ]
    return max(usable, key=lambda image: (image.get("CreationDate", ""), image["ImageId"]), default=None)


def image_wish(item: Record) -> str:
    """What an image item asks for, in words."""
    if item.get("id"):
        return f"image {item['id']}"
    if item.get("ssm_parameter"):
        return f"public parameter {item['ssm_parameter']}"
    owners = _listing(item["owners"])
    return f"image named {item['name']} for {item['architecture']} by {owners}"


def image_problem(item: Record, region: str, other_architectures: t.Collection[str] = ()) -> str:
    """Why an image item resolves to nothing.

    :param other_architectures: the architectures for which the name does exist.
    """
    hint = ""
    if other_architectures:
        hint = f"; that name exists for {_listing(sorted(other_architectures))}"
    return Item(None, item.get("variable") or "").problem(f"{region} has no {image_wish(item)}{hint}")


def architecture_problem(item: Record, image: Record, architectures: t.Collection[str]) -> str | None:
    """Why an image does not start on the instance type that it is for, if so."""
    kind = item.get("instance_type")
    built_for = image.get("Architecture")
    if not kind or not architectures or built_for is None or built_for in architectures:
        return None
    identifier = "" if item.get("id") else f" ({image['ImageId']})"
    sentence = (
        f"{image_wish(item)}{identifier} is built for {built_for}, and {kind} runs {_listing(sorted(architectures))}"
    )
    return Item(None, item.get("variable") or "").problem(sentence)


def image_facts(item: Record, image: Record, now: str) -> dict[str, t.Any]:
    """What a task needs to start an image."""
    return {
        "key": item.get("key"),
        "image_id": image["ImageId"],
        "name": image.get("Name"),
        "owner_id": image.get("OwnerId"),
        "architecture": image.get("Architecture"),
        "creation_date": image.get("CreationDate"),
        "root_device_name": image.get("RootDeviceName"),
        "deprecated": is_deprecated(image, now),
    }


# --- RDS ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Database:
    """A kind of database that a stack asks for."""

    engine: str
    engine_version: str | None = None
    db_instance_class: str | None = None
    storage_type: str | None = None
    features: t.Sequence[str] = ()
    variables: t.Mapping[str, str] = field(default_factory=dict)

    def problem(self, option: str, sentence: str) -> str:
        """The sentence, led by the variable from which this option comes."""
        return Item(None, self.variables.get(option, "")).problem(sentence)

    @property
    def words(self) -> str:
        """Engine and version as read."""
        return f"{self.engine} {self.engine_version}" if self.engine_version else self.engine


def matching_versions(versions: t.Iterable[Record], wanted: str) -> list[Record]:
    """The engine versions that begin with the wanted one, newest first."""
    want = components(wanted)
    found = [version for version in versions if components(version["EngineVersion"])[: len(want)] == want]
    return sorted(found, key=lambda version: components(version["EngineVersion"]), reverse=True)


def nearest_versions(engine: str, versions: t.Iterable[Record], wanted: str) -> list[str]:
    """Versions to offer instead, newest first: those of the same major, or the newest of each major."""
    ordered = matching_versions(versions, "")
    want = components(wanted)
    length = major_length(engine, want)
    alike = [version["EngineVersion"] for version in ordered if _major(engine, version) == want[:length]]
    if alike:
        return alike[:SUGGESTIONS]
    newest: dict[tuple[int, ...], str] = {}
    for version in ordered:
        newest.setdefault(_major(engine, version), version["EngineVersion"])
    return list(newest.values())[:SUGGESTIONS]


def _major(engine: str, version: Record) -> tuple[int, ...]:
    numbers = components(version["EngineVersion"])
    return numbers[: major_length(engine, numbers)]


def engine_problem(wanted: Database, region: str) -> str:
    """The sentence for an engine that RDS does not know."""
    offer = instead(nearest(wanted.engine, ENGINES) or list(ENGINES[:3]))
    return wanted.problem("engine", f"RDS in {region} has no engine {wanted.engine}{offer}")


def version_problem(wanted: Database, region: str, versions: t.Iterable[Record]) -> str:
    """The sentence for an engine version that is not there (any more)."""
    offer = instead(nearest_versions(wanted.engine, versions, wanted.engine_version or ""))
    return wanted.problem("engine_version", f"RDS in {region} has no {wanted.words}{offer}")


def class_problem(wanted: Database, region: str, classes: t.Iterable[str]) -> str:
    """The sentence for an instance class that cannot be had with this engine and version."""
    offer = instead(nearest(wanted.db_instance_class or "", classes))
    sentence = f"RDS in {region} has no {wanted.db_instance_class} for {wanted.words}{offer}"
    return wanted.problem("db_instance_class", sentence)


def orderable_problems(wanted: Database, region: str, rows: t.Sequence[Record]) -> list[str]:
    """What a class that can be had does not offer: the storage type, a feature.

    :param rows: ``OrderableDBInstanceOptions`` of the class, in matching versions; not empty.
    """
    problems = []
    kinds = sorted({row["StorageType"] for row in rows if row.get("StorageType")})
    what = f"{wanted.db_instance_class} for {wanted.words} in {region}"
    if wanted.storage_type and wanted.storage_type not in kinds:
        sentence = f"{what} has no storage type {wanted.storage_type}; it has {_listing(kinds)}"
        problems.append(wanted.problem("storage_type", sentence))
    chosen = _of_storage_type(wanted, rows)
    problems += [
        wanted.problem(feature, f"{what} does not support {feature}")
        for feature in wanted.features
        if not any(row.get(DB_FEATURES[feature]) for row in chosen)
    ]
    return problems


def _of_storage_type(wanted: Database, rows: t.Sequence[Record]) -> t.Sequence[Record]:
    return [row for row in rows if row.get("StorageType") == wanted.storage_type] or rows


def database_facts(wanted: Database, version: Record, rows: t.Sequence[Record]) -> dict[str, t.Any]:
    """What a task needs to make such a database.

    :param version: the engine version that will do.
    :param rows: the class's ``OrderableDBInstanceOptions``; empty when no class was asked for.
    """
    chosen = _of_storage_type(wanted, rows)
    return {
        "engine": wanted.engine,
        "engine_version": version["EngineVersion"],
        "parameter_group_family": version.get("DBParameterGroupFamily"),
        "log_types": sorted(version.get("ExportableLogTypes") or []),
        "db_instance_class": wanted.db_instance_class,
        "storage_types": sorted({row["StorageType"] for row in rows if row.get("StorageType")}),
        "availability_zones": sorted({zone["Name"] for row in rows for zone in row.get("AvailabilityZones") or []}),
        "features": sorted(name for name, key in DB_FEATURES.items() if any(row.get(key) for row in chosen)),
    }

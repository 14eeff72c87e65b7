# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One option of a DB instance at a time: is it as wanted, does it change, or can it not?"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.palier.aws.plugins.module_utils.rds_instances import (
    OPTIONS,
    Record,
    Request,
    Values,
    as_asked,
    is_replica,
)


@dataclass(frozen=True)
class Verdict:
    """What one option comes to: ``same``, ``change`` (to C{value}), ``keep`` or ``impossible`` (both with a text)."""

    kind: str
    value: t.Any = None
    text: str = ""


SAME = Verdict("same")


def _change(value: t.Any) -> Verdict:
    return Verdict("change", value=value)


def _keep(text: str) -> Verdict:
    return Verdict("keep", text=text)


def _impossible(name: str, current: t.Any, wanted: t.Any, way_out: str) -> Verdict:
    return Verdict("impossible", text=f"{name} is {current!r} and cannot become {wanted!r} in place: {way_out}")


_NEW_INSTANCE = (
    "keep the present value, or restore a snapshot of it under another db_instance_identifier with the new value"
)

#: For each option that stays as it was created: the way out.
_FIXED = {
    "engine": "keep the present value, or create another instance and move the data with the engine's own tools",
    "db_name": "keep the present value, and create further databases with the engine's own tools",
    "master_username": "keep the present value, or create another instance",
    "storage_encrypted": "keep the present value, or copy a snapshot with a kms_key_id and restore that copy under "
    "another db_instance_identifier",
    "db_subnet_group_name": "keep the present group and change its subnets (a group of another VPC: restore a snapshot "
    "into it under another db_instance_identifier)",
    "kms_key_id": _NEW_INSTANCE.replace("restore a snapshot of it", "restore a copy of a snapshot"),
    "availability_zone": _NEW_INSTANCE,
}


def components(version: str) -> tuple[int, ...]:
    """The numbers of an engine version: ``8.0.35`` is (8, 0, 35), ``11.22-rds.20240418`` is (11, 22, 20240418)."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def major_length(engine: str, version: tuple[int, ...]) -> int:
    """How many leading numbers make the major version: one for PostgreSQL from 10 on, two for the others."""
    return 1 if engine == "postgres" and version and version[0] >= 10 else 2


def version_verdict(engine: str, current: str, wanted: str, allow_major: bool) -> Verdict:
    """Whether an engine version has to rise. A prefix matches every version under it; nothing ever goes down.

    :param engine: ``mysql``, ``mariadb``, ``postgres``, …
    :param current: the version that runs or was asked for.
    :param wanted: a version or a leading part of one.
    :param allow_major: whether the major version may rise.
    """
    have, want = components(current), components(wanted)
    if have[: len(want)] == want:
        return SAME
    length = major_length(engine, want)
    if have[:length] > want[:length]:
        way_out = f"RDS has no downgrade; write the version that runs ({current})"
        return _impossible("engine_version", current, wanted, way_out)
    if have > want:
        return _keep(f"engine_version {current} is newer than {wanted}, and RDS has no downgrade")
    if have[:length] < want[:length] and not allow_major:
        way_out = "this is a major upgrade; set allow_major_version_upgrade: true (and a parameter group of its family)"
        return _impossible("engine_version", current, wanted, way_out)
    return _change(wanted)


def same_key(current: str | None, wanted: str) -> bool:
    """Whether two ways of writing a KMS key (ARN, id) mean the same key."""
    return current is not None and (
        current == wanted or current.endswith(f"/{wanted}") or wanted.endswith(f"/{current}")
    )


def _engine_version(asked: Values, request: Request) -> Verdict:
    engine = asked["engine"] or ""
    wanted = str(request.values["engine_version"])
    if not asked["engine_version"]:
        return SAME
    return version_verdict(engine, asked["engine_version"], wanted, request.allow_major_version_upgrade)


def _allocated_storage(asked: Values, request: Request) -> Verdict:
    have, want = asked["allocated_storage"] or 0, request.values["allocated_storage"]
    if want > have:
        return _change(want)
    if want == have:
        return SAME
    return _keep(f"allocated_storage has grown to {have} GiB and RDS storage never shrinks (described: {want})")


def _max_allocated_storage(asked: Values, request: Request) -> Verdict:
    want = request.values["max_allocated_storage"]
    size = max(asked["allocated_storage"] or 0, request.values.get("allocated_storage") or 0)
    have = asked["max_allocated_storage"] or 0
    if have <= (asked["allocated_storage"] or 0):
        have = 0  # a ceiling at the present size is how RDS says that storage does not grow
    if want == have:
        return SAME
    if want == 0:
        return _change(0)
    if want <= size:
        return _keep(f"max_allocated_storage {want} GiB is not above the {size} GiB that are allocated: write more")
    return _change(want)


def _kms_key(name: str) -> t.Callable[[Values, Request], Verdict]:
    def rule(asked: Values, request: Request) -> Verdict:
        wanted = request.values[name]
        # An alias is compared by the key behind it (see the module); one that could not be resolved says nothing.
        if asked[name] is None or "alias/" in wanted or same_key(asked[name], wanted):
            return SAME
        return _impossible(name, asked[name], wanted, _FIXED["kms_key_id"])

    return rule


def _secret_key(asked: Values, request: Request) -> Verdict:
    wanted = request.values["master_user_secret_kms_key_id"]
    current = asked["master_user_secret_kms_key_id"]
    if current is None or "alias/" in wanted or same_key(current, wanted):
        return SAME
    way_out = "keep the present key (RDS takes a key only when it starts to manage the password)"
    return _impossible("master_user_secret_kms_key_id", current, wanted, way_out)


def _managed_password(asked: Values, request: Request) -> Verdict:
    wanted = request.values["manage_master_user_password"]
    if wanted == asked["manage_master_user_password"]:
        return SAME
    if wanted or request.master_secret:
        return _change(wanted)
    way_out = "name the secret that holds the new password in master_user_secret_id"
    return _impossible("manage_master_user_password", True, False, way_out)


def _availability_zone(asked: Values, request: Request) -> Verdict:
    if asked["multi_az"] or request.values.get("multi_az"):
        return SAME  # a failover moves it
    return _fixed("availability_zone")(asked, request)


def _insights_retention(asked: Values, request: Request) -> Verdict:
    if not request.values.get("enable_performance_insights", asked["enable_performance_insights"]):
        return SAME  # what is not collected is not kept either
    return _equal("performance_insights_retention_period")(asked, request)


def _port(asked: Values, request: Request) -> Verdict:
    return SAME if asked["port"] is None else _equal("port")(asked, request)


def _fixed(name: str) -> t.Callable[[Values, Request], Verdict]:
    def rule(asked: Values, request: Request) -> Verdict:
        # What AWS does not tell (a database name after some restores) is no reason to stop a deployment.
        if asked[name] is None or asked[name] == request.values[name]:
            return SAME
        return _impossible(name, asked[name], request.values[name], _FIXED[name])

    return rule


def _equal(name: str) -> t.Callable[[Values, Request], Verdict]:
    def rule(asked: Values, request: Request) -> Verdict:
        return SAME if asked[name] == request.values[name] else _change(request.values[name])

    return rule


_RULES: dict[str, t.Callable[[Values, Request], Verdict]] = {
    "engine_version": _engine_version,
    "allocated_storage": _allocated_storage,
    "max_allocated_storage": _max_allocated_storage,
    "kms_key_id": _kms_key("kms_key_id"),
    "master_user_secret_kms_key_id": _secret_key,
    "manage_master_user_password": _managed_password,
    "availability_zone": _availability_zone,
    "port": _port,
    "performance_insights_retention_period": _insights_retention,
    "engine": _fixed("engine"),
    "db_name": _fixed("db_name"),
    "master_username": _fixed("master_username"),
    "storage_encrypted": _fixed("storage_encrypted"),
    "db_subnet_group_name": _fixed("db_subnet_group_name"),
}

#: What a read replica has from its source and cannot have otherwise, or gets only once it is promoted.
_FROM_SOURCE = frozenset(OPTIONS) - {name for name, option in OPTIONS.items() if option.replica} - {"allocated_storage"}
_NOT_ON_REPLICA = _FROM_SOURCE | {"kms_key_id"}


def compared(record: Record, request: Request) -> set[str]:
    """The options of a request that say something about this instance."""
    names = set(request.values)
    if is_replica(record) and not request.promote:
        names -= _NOT_ON_REPLICA
    return names


def verdicts(record: Record, request: Request) -> dict[str, Verdict]:
    """Each stated option's L{Verdict}, in the order of L{OPTIONS}."""
    asked = as_asked(record)
    names = compared(record, request)
    return {name: _RULES.get(name, _equal(name))(asked, request) for name in OPTIONS if name in names}

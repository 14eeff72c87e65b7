# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps for one DB instance, and the refusals, before any of them is taken."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from ansible_collections.palier.aws.plugins.module_utils.rds_instances import (
    CREATION_DEFAULTS,
    DELETING,
    GP3_STRIPED_FROM,
    LOG_TYPES,
    NEEDED_TO_CREATE,
    NO_FINAL_SNAPSHOT,
    OPTIONS,
    Record,
    Request,
    Values,
    as_asked,
    blocked,
    in_progress,
    is_replica,
    reboot_required,
    same_instance,
    source_region,
    tag_changes,
    tags_of,
)
from ansible_collections.palier.aws.plugins.module_utils.rds_instances_rules import Verdict, verdicts


def check(request: Request) -> None:
    """Refuse what AWS would refuse, before the first change.

    :raises AnsibleAWSError: with every problem, each naming option, value and what to write instead.
    """
    problems = [*_identifier_problems(request), *_storage_problems(request), *_other_problems(request)]
    if problems:
        raise AnsibleAWSError(message=f"{request.resource}: " + "; ".join(problems))


def _identifier_problems(request: Request) -> t.Iterator[str]:
    if not re.fullmatch(r"[a-z](?:-?[a-z0-9])*", request.identifier) or len(request.identifier) > 63:
        yield (
            f"db_instance_identifier {request.identifier!r} must be 1 to 63 letters, digits and hyphens, begin with a "
            "letter, and neither end in a hyphen nor hold two in a row"
        )


def _storage_problems(request: Request) -> t.Iterator[str]:
    values = request.values
    size, ceiling = values.get("allocated_storage"), values.get("max_allocated_storage")
    chosen = [name for name in ("iops", "storage_throughput") if name in values]
    if values.get("storage_type") == "gp3" and chosen and size is not None and size < GP3_STRIPED_FROM:
        yield (
            f"{' and '.join(chosen)} cannot be chosen for gp3 storage under {GP3_STRIPED_FROM} GiB "
            f"(allocated_storage is {size}): leave them out, or allocate more"
        )
    if values.get("storage_type") in {"io1", "io2"} and "iops" not in values:
        yield f"storage_type {values['storage_type']} needs iops: write them, or use gp3"
    if ceiling and size is not None and ceiling <= size:
        yield f"max_allocated_storage {ceiling} must be above allocated_storage {size}; 0 turns growth off"


def _other_problems(request: Request) -> t.Iterator[str]:
    values = request.values
    known = LOG_TYPES.get(values.get("engine", ""))
    unknown = set(values.get("enable_cloudwatch_logs_exports", ())) - set(known or ())
    if known and unknown:
        names = ", ".join(sorted(unknown))
        yield f"enable_cloudwatch_logs_exports {names}: {values['engine']} has only {', '.join(known)}"
    if values.get("monitoring_interval") and not values.get("monitoring_role_arn"):
        yield f"monitoring_interval {values['monitoring_interval']} needs monitoring_role_arn; 0 turns it off"
    if values.get("manage_master_user_password") and request.master_secret:
        yield "master_user_secret_id needs manage_master_user_password: false, since RDS would make the password itself"


def check_new(request: Request) -> None:
    """Refuse to create what is not described enough.

    :raises AnsibleAWSError: naming every missing option.
    """
    if request.source:
        return
    missing = [name for name in NEEDED_TO_CREATE if name not in request.values]
    if missing:
        raise AnsibleAWSError(message=f"{request.resource} does not exist yet: to create it, give {', '.join(missing)}")
    if not request.values.get("manage_master_user_password") and not request.master_secret:
        raise AnsibleAWSError(
            message=f"{request.resource}: with manage_master_user_password: false a new instance needs "
            "master_user_secret_id, the secret that holds its password"
        )


def plan_present(record: Record | None, request: Request) -> list[Step]:
    """The steps that make the instance as described.

    :param record: the instance, or ``None``.
    :raises AnsibleAWSError: when no step leads there.
    """
    if record is None:
        return [_create_step(request, "it does not exist")]
    if record.get("DBInstanceStatus") == DELETING:
        if not request.wait:
            raise AnsibleAWSError(
                message=f"{request.resource} is being deleted: run again once it is gone, or set wait: true"
            )
        return [_create_step(request, "the one of that name is being deleted")]
    check(request)
    return _converge(record, request)


def for_new(request: Request) -> Request:
    """The request with what a new instance gets by default."""
    defaults = dict(CREATION_DEFAULTS)
    if request.master_secret:
        defaults["manage_master_user_password"] = False
    return dataclasses.replace(request, values={**defaults, **request.values})


def _create_step(request: Request, reason: str) -> Step:
    request = for_new(request)
    check(request)
    check_new(request)
    after: Values = {name: value for name, value in request.values.items() if not _omitted_at_creation(name, request)}
    if request.source:
        after["source_db_instance_identifier"] = request.source
        if source_region(request.source) and request.values.get("storage_encrypted", True):
            # Keys do not cross regions, so an encrypted replica must be given one of its own.
            after.setdefault("kms_key_id", "alias/aws/rds")
        reason += f"; it replicates {request.source}"
    if request.tags is not None:
        after["tags"] = dict(request.tags)
    return Step("create", request.resource, reason, None, after)


def _omitted_at_creation(name: str, request: Request) -> bool:
    """Whether an option says nothing when this instance is created."""
    value = request.values[name]
    if name == "max_allocated_storage" and not value:
        return True
    if name == "performance_insights_retention_period":
        return not request.values.get("enable_performance_insights")
    if name == "master_user_secret_kms_key_id":
        return bool(request.source) or not request.values.get("manage_master_user_password")
    if not request.source:
        return False
    if name == "db_parameter_group_name":
        # In its source's region a replica starts with the source's group.
        return source_region(request.source) is None
    # gp3 is what RDS takes for a replica anyway, and naming it would demand IOPS.
    gp3 = name == "storage_type" and value == "gp3" and "iops" not in request.values
    return gp3 or not OPTIONS[name].replica


def _converge(record: Record, request: Request) -> list[Step]:
    found = verdicts(record, request)
    impossible = [verdict.text for verdict in found.values() if verdict.kind == "impossible"]
    if impossible:
        raise AnsibleAWSError(message=f"{request.resource}: " + "; ".join(impossible))
    unsettled = _unsettled(record, found)
    changes = {
        name: verdict.value for name, verdict in found.items() if verdict.kind == "change" and name not in unsettled
    }
    steps = [
        *_promote_steps(record, request),
        *_modify_steps(record, request, changes),
        *_tag_steps(record, request),
        *_reboot_steps(record, request, changes),
        *(Step("keep", request.resource, verdict.text) for verdict in found.values() if verdict.kind == "keep"),
        *_replica_notes(record, request),
        *_unsettled_steps(record, request, unsettled),
    ]
    return steps or [Step("keep", request.resource, "it is as described")]


def _unsettled(record: Record, found: t.Mapping[str, Verdict]) -> list[str]:
    """Options that differ only because AWS has not come to them yet."""
    if not in_progress(record):
        return []
    creating_replica = is_replica(record) and record.get("DBInstanceStatus") == "creating"
    return [
        name for name, verdict in found.items() if verdict.kind == "change" and (OPTIONS[name].late or creating_replica)
    ]


def _unsettled_steps(record: Record, request: Request, names: t.Sequence[str]) -> list[Step]:
    if not names:
        return []
    status = record["DBInstanceStatus"]
    return [Step("skip", request.resource, f"it is {status}: {', '.join(names)} can be compared once it is available")]


def _promote_steps(record: Record, request: Request) -> list[Step]:
    if not (request.promote and is_replica(record)):
        return []
    source = record["ReadReplicaSourceDBInstanceIdentifier"]
    before, after = {"source_db_instance_identifier": source}, {"source_db_instance_identifier": ""}
    return [Step("promote", request.resource, f"it shall no longer replicate {source}", before, after)]


def _modify_steps(record: Record, request: Request, changes: Values) -> list[Step]:
    if not changes:
        return []
    if request.promote and is_replica(record) and not request.wait:
        names = ", ".join(changes)
        return [Step("skip", request.resource, f"{names} can be changed once it is promoted: run again, or wait: true")]
    asked = as_asked(record)
    before = {name: asked[name] for name in changes}
    what = ", ".join(f"{name} {_word(before[name])} -> {_word(value)}" for name, value in changes.items())
    return [Step("modify", request.resource, f"{what} ({_when(changes, request)})", before, dict(changes))]


def _word(value: t.Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(value) + "]"
    return "nothing" if value is None else str(value)


def _when(changes: Values, request: Request) -> str:
    interrupts = any(OPTIONS[name].interrupts for name in changes)
    if not request.apply_immediately:
        return "in the maintenance window where it interrupts" if interrupts else "in the maintenance window if it must"
    return "at once, and connections break" if interrupts else "at once"


def _tag_steps(record: Record, request: Request) -> list[Step]:
    if request.tags is None:
        return []
    have = tags_of(record)
    added, removed = tag_changes(have, request)
    if not added and not removed:
        return []
    after = {key: value for key, value in {**have, **added}.items() if key not in removed}
    return [Step("tag", request.resource, "its tags differ", {"tags": have}, {"tags": after})]


def _reboot_steps(record: Record, request: Request, changes: Values) -> list[Step]:
    # A newly attached group takes effect with the next restart only.
    needed = reboot_required(record) or "db_parameter_group_name" in changes
    if not (request.reboot_if_needed and needed):
        return []
    if not request.wait and (changes or blocked(record, ())):
        return [Step("skip", request.resource, "it can restart once it is available: run again, or wait: true")]
    return [Step("reboot", request.resource, "its parameters wait for a restart")]


def _replica_notes(record: Record, request: Request) -> list[Step]:
    current = record.get("ReadReplicaSourceDBInstanceIdentifier")
    if not request.source or request.promote:
        return []
    if not current:
        return [Step("keep", request.resource, f"it no longer replicates {request.source}: it stands by itself now")]
    if not same_instance(current, request.source):
        return [Step("keep", request.resource, f"it replicates {current}, and its source cannot be changed")]
    return []


def plan_absent(record: Record | None, request: Request) -> list[Step]:
    """The steps that remove the instance.

    :raises AnsibleAWSError: when it is protected, or when no final snapshot can be taken though one is wanted.
    """
    if record is None:
        return [Step("keep", request.resource, "it is not there")]
    if record.get("DBInstanceStatus") == DELETING:
        return [Step("keep", request.resource, "it is being deleted already")]
    status = record.get("DBInstanceStatus", "")
    if not skips_snapshot(record, request) and status in NO_FINAL_SNAPSHOT:
        raise AnsibleAWSError(
            message=f"{request.resource} is {status}, so RDS cannot take a final snapshot of it: "
            "set skip_final_snapshot: true to delete it without"
        )
    return [*_unprotect_steps(record, request), _delete_step(record, request)]


def _unprotect_steps(record: Record, request: Request) -> list[Step]:
    if not record.get("DeletionProtection"):
        return []
    if not request.force:
        raise AnsibleAWSError(
            message=f"{request.resource} has deletion_protection: true, so it is not deleted. "
            "Take it off first, or set force: true to take it off and delete"
        )
    off, on = {"deletion_protection": False}, {"deletion_protection": True}
    return [Step("modify", request.resource, "deletion protection is taken off, as force asks", on, off)]


def skips_snapshot(record: Record, request: Request) -> bool:
    """Whether the instance goes without a final snapshot: as asked, or because RDS takes none of a read replica."""
    return request.skip_final_snapshot or is_replica(record)


def _delete_step(record: Record, request: Request) -> Step:
    if is_replica(record):
        reason = "shall be absent; a read replica has no final snapshot"
    elif request.skip_final_snapshot:
        reason = "shall be absent, without a final snapshot"
    else:
        reason = "shall be absent, after a final snapshot"
    return Step("delete", request.resource, reason, {"status": record.get("DBInstanceStatus")}, None)


def final_snapshot_name(identifier: str, stamp: str) -> str:
    """The default name of a last snapshot.

    :param identifier: the instance's identifier.
    :param stamp: the time as ``YYYYMMDDhhmmss``, which makes the name unique.
    """
    return f"{identifier}-final-{stamp}"

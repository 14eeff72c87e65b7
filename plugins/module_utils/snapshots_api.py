# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of the snapshot modules: one function each, and what it takes to make each take effect once."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

try:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from .aws import error_handler
from .snapshots import (
    COPY_OF,
    EBS,
    PENDING,
    RDS,
    RDS_CLUSTER,
    SHARED,
    Snapshot,
    from_ebs,
    from_rds,
    from_rds_cluster,
    matches,
)
from .snapshots_errors import EXISTS, GONE, THROTTLED, code_of, explain, no_room, uncertain

Raw = dict[str, t.Any]

#: Seconds before each further attempt of a call that must not take effect twice. The later ones are longer than the
#: 15 seconds that AWS wants between two snapshots of a volume.
PAUSES = (2.0, 5.0, 16.0, 16.0, 30.0)

#: How many ids one CreateTags call takes is 1,000; AWS advises fewer.
TAG_BATCH = 500

Errors = error_handler(*GONE)
_retry = AWSRetry.jittered_backoff(retries=8, delay=2, max_delay=30)


# Clients


class Clients:
    """The clients of one region and account, made when first used.

    :param module: gives the connection options.
    :param region: where, the module's own when ``None``.
    :param credentials: of another account's role, as boto3 takes them.
    """

    def __init__(
        self, module: AnsibleAWSModule, region: str | None = None, credentials: dict[str, t.Any] | None = None
    ) -> None:
        self._module = module
        self._made: dict[tuple[str, str], t.Any] = {}
        self.region: str = region or module.region or ""
        self._extra: dict[str, t.Any] = {"region": self.region, **(credentials or {})}

    def __call__(self, service: str) -> t.Any:
        """A client that repeats failed calls, at a rate that adapts to the account's throttling.

        :param service: ``ec2``, ``rds``, ``kms`` or ``sts``.
        """
        return self._make(service, "adaptive", {"mode": "adaptive", "total_max_attempts": 6})

    def once(self, service: str) -> t.Any:
        """A client that never repeats a call by itself, for calls that make something.

        :param service: ``ec2`` or ``rds``.
        """
        return self._make(service, "once", {"mode": "standard", "total_max_attempts": 1})

    def _make(self, service: str, kind: str, retries: dict[str, t.Any]) -> t.Any:
        if (service, kind) not in self._made:
            # As many connections as threads: botocore warns and drops connections beyond its pool.
            config = Config(retries=retries, max_pool_connections=50)
            self._made[(service, kind)] = self._module.client(service, config=config, **self._extra)
        return self._made[(service, kind)]


def assume(clients: Clients, module: AnsibleAWSModule, role_arn: str, region: str) -> Clients:
    """The clients of a role in another account.

    :param clients: those of the own account.
    :param role_arn: of the role.
    :param region: where.
    """
    given = _assume_role(clients("sts"), role_arn)
    credentials = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
        "profile_name": None,
    }
    return Clients(module, region, credentials)


@Errors.common_error_handler("assume the destination's role")
@_retry
def _assume_role(sts: t.Any, role_arn: str) -> Raw:
    return sts.assume_role(RoleArn=role_arn, RoleSessionName="palier-snapshot-copy")["Credentials"]


@Errors.common_error_handler("find out the account")
@_retry
def account_id(clients: Clients) -> str:
    """The account that the credentials belong to."""
    return clients("sts").get_caller_identity()["Account"]


# Lists


def list_snapshots(clients: Clients, services: t.Iterable[str], tags: dict[str, str]) -> list[Snapshot]:
    """Every snapshot of the account in the region that carries some tags.

    :param services: which of C{ebs}, C{rds}, C{rds_cluster}.
    :param tags: keys and values that they must have.
    """
    listers = {EBS: _list_ebs, RDS: _list_rds, RDS_CLUSTER: _list_rds_cluster}
    return [snapshot for service in services for snapshot in listers[service](clients, tags)]


def _list_ebs(clients: Clients, tags: dict[str, str]) -> list[Snapshot]:
    # AWS filters by tag: an account may hold 100,000 snapshots, of which a stack has a few hundred.
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in sorted(tags.items())]
    return [from_ebs(raw, clients.region) for raw in describe_ebs(clients("ec2"), filters)]


@Errors.common_error_handler("list EBS snapshots")
@_retry
def describe_ebs(ec2: t.Any, filters: list[Raw]) -> list[Raw]:
    """Every EBS snapshot that this account owns and the filters let through."""
    pages = ec2.get_paginator("describe_snapshots").paginate(
        OwnerIds=["self"], Filters=filters, PaginationConfig={"PageSize": 1000}
    )
    return pages.build_full_result()["Snapshots"]


def _list_rds(clients: Clients, tags: dict[str, str]) -> list[Snapshot]:
    found = (from_rds(raw, clients.region) for raw in describe_rds(clients("rds")))
    return [snapshot for snapshot in found if matches(snapshot.tags, tags)]


@Errors.common_error_handler("list database snapshots")
@_retry
def describe_rds(rds: t.Any, **only: t.Any) -> list[Raw]:
    """Every manual snapshot of a database instance; RDS cannot filter by tag."""
    pages = rds.get_paginator("describe_db_snapshots").paginate(
        SnapshotType="manual", PaginationConfig={"PageSize": 100}, **only
    )
    return pages.build_full_result()["DBSnapshots"]


def _list_rds_cluster(clients: Clients, tags: dict[str, str]) -> list[Snapshot]:
    found = (from_rds_cluster(raw, clients.region) for raw in describe_rds_cluster(clients("rds")))
    return [snapshot for snapshot in found if matches(snapshot.tags, tags)]


@Errors.common_error_handler("list cluster snapshots")
@_retry
def describe_rds_cluster(rds: t.Any, **only: t.Any) -> list[Raw]:
    """Every manual snapshot of a cluster; RDS cannot filter by tag."""
    pages = rds.get_paginator("describe_db_cluster_snapshots").paginate(
        SnapshotType="manual", PaginationConfig={"PageSize": 100}, **only
    )
    return pages.build_full_result()["DBClusterSnapshots"]


def copies_under_way(clients: Clients, service: str) -> int:
    """How many copies of a service AWS carries out now, whoever asked for them; the clients are the destination's.

    :param service: C{ebs}, C{rds} or C{rds_cluster}.
    """
    if service == EBS:
        pending = describe_ebs(clients("ec2"), [{"Name": "status", "Values": ["pending"]}])
        return sum(1 for raw in pending if raw.get("VolumeId") == "vol-ffffffff" or _has_tag(raw, COPY_OF))
    listed = (describe_rds if service == RDS else describe_rds_cluster)(clients("rds"))
    return sum(1 for raw in listed if raw["Status"] == "copying" or _is_new_copy(raw))


def _is_new_copy(raw: Raw) -> bool:
    return raw["Status"] == "creating" and bool(raw.get("SourceRegion") or raw.get("SourceDBClusterSnapshotArn"))


def _has_tag(raw: Raw, key: str) -> bool:
    return any(tag["Key"] == key for tag in raw.get("Tags", []))


@Errors.common_error_handler("list machine images")
@_retry
def list_images(ec2: t.Any) -> list[Raw]:
    """Every machine image that this account owns, the disabled ones too: they hold on to their snapshots."""
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], IncludeDisabled=True, PaginationConfig={"PageSize": 1000}
    )
    return pages.build_full_result()["Images"]


def image_of_snapshot(ec2: t.Any) -> dict[str, str]:
    """Which machine image uses which snapshot."""
    return {
        mapping["Ebs"]["SnapshotId"]: image["ImageId"]
        for image in list_images(ec2)
        for mapping in image.get("BlockDeviceMappings", [])
        if mapping.get("Ebs", {}).get("SnapshotId")
    }


# Sources


@error_handler("InvalidInstanceID.NotFound").list_error_handler("describe the instance", None)
@_retry
def describe_instance(ec2: t.Any, instance_id: str) -> Raw | None:
    """An instance, or nothing."""
    reservations = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    return next((i for r in reservations for i in r["Instances"] if i["State"]["Name"] != "terminated"), None)


@error_handler("DBInstanceNotFound").list_error_handler("describe the database", None)
@_retry
def describe_database(rds: t.Any, identifier: str) -> Raw | None:
    """A database instance, or nothing."""
    return rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]


@error_handler("DBClusterNotFoundFault").list_error_handler("describe the cluster", None)
@_retry
def describe_cluster(rds: t.Any, identifier: str) -> Raw | None:
    """A database cluster, or nothing."""
    return rds.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"][0]


@error_handler("NotFoundException").list_error_handler("describe the key", {})
@_retry
def _describe_key(kms: t.Any, key: str) -> Raw:
    return kms.describe_key(KeyId=key)["KeyMetadata"]


def describe_key_if_allowed(kms: t.Any, key: str) -> Raw | None:
    """Facts of a KMS key: empty when there is no such key, ``None`` when this role may not look.

    :param key: id, ARN or alias.
    """
    try:
        return _describe_key(kms, key)
    except AnsibleAWSError as error:
        if code_of(error) in ("AccessDenied", "AccessDeniedException"):
            return None
        raise


# Calls that make something: never repeated unless it is certain that they took no effect


@dataclass(frozen=True)
class Attempt:
    """A call that must take effect once.

    :param call: makes the thing and returns it.
    :param find: looks whether it is there, by what the call marks it with; ``None`` when it is not.
    :param subject: the attempt in the reader's words.
    """

    call: t.Callable[[], Snapshot | list[Snapshot]]
    find: t.Callable[[], t.Any]
    subject: str


class NoRoomError(Exception):
    """AWS carries out as many copies as it will: this one has to wait."""


def make_once(attempt: Attempt) -> t.Any:
    """Carry out an attempt, through throttling and lost answers, without ever making the thing twice.

    :returns: what ``call`` or ``find`` gave.
    :raises NoRoomError: when AWS carries out no more at once.
    :raises AnsibleAWSError: with the way out, when it does not come about.
    """
    for pause in (*PAUSES, None):
        try:
            return attempt.call()
        except (ClientError, BotoCoreError) as error:
            found = _after_failure(attempt, error, pause)
            if found:
                return found
    raise AssertionError("not reached: the last pause raises")


def _after_failure(attempt: Attempt, error: Exception, pause: float | None) -> t.Any:
    code = code_of(error)
    if no_room(error):
        raise NoRoomError from error
    if code in EXISTS:
        return attempt.find() or _give_up(attempt, error)
    if code not in THROTTLED and not uncertain(error):
        _give_up(attempt, error)
    if pause is None:
        return (attempt.find() if uncertain(error) else None) or _give_up(attempt, error)
    time.sleep(pause)
    # Only a request whose answer was lost can have made something; a throttled one was refused.
    return attempt.find() if uncertain(error) else None


def _give_up(attempt: Attempt, error: Exception) -> t.NoReturn:
    raise AnsibleAWSError(message=explain(error, attempt.subject)) from error


# These raise botocore's own errors, for make_once to judge.


def create_snapshots(clients: Clients, specification: Raw, description: str, tags: dict[str, str]) -> list[Snapshot]:
    """Snapshot an instance's volumes at one moment.

    :param specification: the instance, and what to leave out.
    :param tags: of every snapshot.
    """
    answer = clients.once("ec2").create_snapshots(
        InstanceSpecification=specification,
        Description=description[:255],
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": tag_list(tags)}],
    )
    return [from_ebs({**raw, "Tags": tag_list(tags)}, clients.region) for raw in answer["Snapshots"]]


def create_database_snapshot(clients: Clients, service: str, source: str, name: str, tags: dict[str, str]) -> Snapshot:
    """Snapshot a database instance or a cluster.

    :param service: C{rds} or C{rds_cluster}.
    :param source: identifier of what is saved.
    :param name: identifier of the snapshot.
    """
    rds = clients.once("rds")
    if service == RDS_CLUSTER:
        answer = rds.create_db_cluster_snapshot(
            DBClusterIdentifier=source, DBClusterSnapshotIdentifier=name, Tags=tag_list(tags)
        )
        return from_rds_cluster({**answer["DBClusterSnapshot"], "TagList": tag_list(tags)}, clients.region)
    answer = rds.create_db_snapshot(DBInstanceIdentifier=source, DBSnapshotIdentifier=name, Tags=tag_list(tags))
    return from_rds({**answer["DBSnapshot"], "TagList": tag_list(tags)}, clients.region)


def copy_ebs(clients: Clients, snapshot: Snapshot, tags: dict[str, str], options: Raw) -> Snapshot:
    """Begin to copy an EBS snapshot; the clients are those of the destination.

    :param snapshot: the source.
    :param tags: of the copy.
    :param options: C{KmsKeyId}, C{CompletionDurationMinutes}, C{Description}.
    """
    encrypted = {"Encrypted": True} if options.get("KmsKeyId") else {}
    answer = clients.once("ec2").copy_snapshot(
        SourceRegion=snapshot.region,
        SourceSnapshotId=snapshot.id,
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": tag_list(tags)}],
        **encrypted,
        **options,
    )
    return replace(snapshot, id=answer["SnapshotId"], region=clients.region, state=PENDING, volume="", tags=tags)


def copy_rds(clients: Clients, snapshot: Snapshot, tags: dict[str, str], options: Raw) -> Snapshot:
    """Begin to copy a database or cluster snapshot under its own name; the clients are those of the destination.

    :param snapshot: the source.
    :param tags: of the copy.
    :param options: C{KmsKeyId}, C{OptionGroupName}.
    """
    rds = clients.once("rds")
    if snapshot.region != clients.region:
        options = {**options, "SourceRegion": snapshot.region}
    if snapshot.service == RDS_CLUSTER:
        rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=snapshot.ref,
            TargetDBClusterSnapshotIdentifier=snapshot.id,
            Tags=tag_list(tags),
            **{key: value for key, value in options.items() if key != "OptionGroupName"},
        )
    else:
        rds.copy_db_snapshot(
            SourceDBSnapshotIdentifier=snapshot.ref,
            TargetDBSnapshotIdentifier=snapshot.id,
            Tags=tag_list(tags),
            **options,
        )
    return replace(snapshot, region=clients.region, state=PENDING, tags=tags)


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as boto3 takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


# Tags, shares and removals: harmless when repeated


@Errors.common_error_handler("tag snapshots")
@_retry
def _create_tags(ec2: t.Any, ids: list[str], tags: dict[str, str]) -> None:
    ec2.create_tags(Resources=ids, Tags=tag_list(tags))


@Errors.common_error_handler("untag snapshots")
@_retry
def _delete_tags(ec2: t.Any, ids: list[str], keys: list[str]) -> None:
    ec2.delete_tags(Resources=ids, Tags=[{"Key": key} for key in keys])


def tag(ec2: t.Any, ids: list[str], tags: dict[str, str]) -> None:
    """Tag EBS snapshots, many with each call.

    :param ids: of the snapshots.
    :param tags: keys and values.
    """
    for start in range(0, len(ids), TAG_BATCH):
        _create_tags(ec2, ids[start : start + TAG_BATCH], tags)


def untag(ec2: t.Any, ids: list[str], keys: list[str]) -> None:
    """Take tags off EBS snapshots, many with each call.

    :param ids: of the snapshots.
    :param keys: of the tags.
    """
    for start in range(0, len(ids), TAG_BATCH):
        _delete_tags(ec2, ids[start : start + TAG_BATCH], keys)


@Errors.deletion_error_handler("delete an EBS snapshot")
@_retry
def _delete_ebs(clients: Clients, identifier: str) -> None:
    clients("ec2").delete_snapshot(SnapshotId=identifier)


@Errors.deletion_error_handler("delete a database snapshot")
@_retry
def _delete_rds(clients: Clients, identifier: str) -> None:
    clients("rds").delete_db_snapshot(DBSnapshotIdentifier=identifier)


@Errors.deletion_error_handler("delete a cluster snapshot")
@_retry
def _delete_rds_cluster(clients: Clients, identifier: str) -> None:
    clients("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=identifier)


def delete(clients: Clients, snapshot: Snapshot) -> None:
    """Delete a snapshot; one that is gone is fine.

    :param snapshot: of any service.
    """
    {EBS: _delete_ebs, RDS: _delete_rds, RDS_CLUSTER: _delete_rds_cluster}[snapshot.service](clients, snapshot.id)


@Errors.common_error_handler("share an EBS snapshot")
@_retry
def _share_ebs(ec2: t.Any, identifier: str, account: str) -> None:
    ec2.modify_snapshot_attribute(
        SnapshotId=identifier, Attribute="createVolumePermission", OperationType="add", UserIds=[account]
    )


@Errors.common_error_handler("stop sharing an EBS snapshot")
@_retry
def _unshare_ebs(ec2: t.Any, identifier: str, account: str) -> None:
    ec2.modify_snapshot_attribute(
        SnapshotId=identifier, Attribute="createVolumePermission", OperationType="remove", UserIds=[account]
    )


@Errors.common_error_handler("change who shares a database snapshot")
@_retry
def _share_rds(rds: t.Any, identifier: str, change: Raw) -> None:
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier=identifier, AttributeName="restore", **change)


@Errors.common_error_handler("change who shares a cluster snapshot")
@_retry
def _share_rds_cluster(rds: t.Any, identifier: str, change: Raw) -> None:
    rds.modify_db_cluster_snapshot_attribute(DBClusterSnapshotIdentifier=identifier, AttributeName="restore", **change)


def share(clients: Clients, snapshot: Snapshot, account: str) -> None:
    """Let another account copy a snapshot, and mark it so; again is fine.

    :param snapshot: of any service.
    :param account: id of the other account.
    """
    # The mark comes first: a share without a mark would never be taken back.
    if snapshot.service == EBS:
        tag(clients("ec2"), [snapshot.id], {SHARED: account})
        _share_ebs(clients("ec2"), snapshot.id, account)
    else:
        _tag_rds(clients("rds"), snapshot.ref, {SHARED: account})
        _change_rds_share(clients, snapshot, {"ValuesToAdd": [account]})


def unshare(clients: Clients, snapshot: Snapshot, account: str) -> None:
    """Take back what C{share} gave; again is fine.

    :param snapshot: of any service.
    :param account: id of the other account.
    """
    if snapshot.service == EBS:
        _unshare_ebs(clients("ec2"), snapshot.id, account)
        untag(clients("ec2"), [snapshot.id], [SHARED])
    else:
        _change_rds_share(clients, snapshot, {"ValuesToRemove": [account]})
        _untag_rds(clients("rds"), snapshot.ref, [SHARED])


@Errors.common_error_handler("tag a database snapshot")
@_retry
def _tag_rds(rds: t.Any, arn: str, tags: dict[str, str]) -> None:
    rds.add_tags_to_resource(ResourceName=arn, Tags=tag_list(tags))


@Errors.common_error_handler("untag a database snapshot")
@_retry
def _untag_rds(rds: t.Any, arn: str, keys: list[str]) -> None:
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=keys)


def _change_rds_share(clients: Clients, snapshot: Snapshot, change: Raw) -> None:
    call = _share_rds if snapshot.service == RDS else _share_rds_cluster
    call(clients("rds"), snapshot.id, change)


Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


def side_by_side(
    act: t.Callable[[Item], Result], items: t.Sequence[Item], threads: int
) -> list[tuple[Item, Result | None, Exception | None]]:
    """Do the same to each item, several at a time; one that fails does not keep the others back.

    :param act: what to do.
    :param items: to what.
    :param threads: how many at a time.
    :returns: each item with its result or its error, in the given order.
    """

    def one(item: Item) -> tuple[Item, Result | None, Exception | None]:
        try:
            return item, act(item), None
        except (AnsibleAWSError, NoRoomError) as error:
            return item, None, error

    if not items:
        return []
    with ThreadPoolExecutor(max_workers=min(threads, len(items))) as pool:
        return list(pool.map(one, items))

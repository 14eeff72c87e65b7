# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2's volumes and snapshots."""

from __future__ import annotations

import typing as t

from moto.core.responses import ActionResult
from moto.ec2 import models as ec2
from moto.ec2.exceptions import InvalidParameterDependency
from moto.ec2.models import elastic_block_store as ebs
from moto.ec2.responses import elastic_block_store as responses
from moto.ec2.utils import random_snapshot_id

from tests.emulator.patches import around, patch

#: What EC2 names as the volume of a copied snapshot.
_NO_VOLUME = "vol-ffffffff"


@patch(
    restores="A volume reports its type's throughput and IOPS, an empty snapshot id, no multi-attach, its key's ARN.",
    source="EC2 API reference, Volume and CreateVolume (Iops, Throughput, KmsKeyId); EBS User Guide, Volume types",
    touches="moto.ec2.models.elastic_block_store:EBSBackend.create_volume",
)
def volume_fields() -> None:
    """Fill in what moto leaves empty."""

    @around(ebs.EBSBackend, "create_volume")
    def create(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        volume = original(self, *args, **kwargs)
        volume.snapshot_id = volume.snapshot_id or ""
        volume.multi_attach_enabled = bool(volume.multi_attach_enabled)
        if volume.volume_type == "gp3":
            volume.throughput = volume.throughput or 125
        elif volume.volume_type == "gp2":
            volume.iops = min(16000, max(100, 3 * int(volume.size)))
        if volume.encrypted:
            volume.kms_key_id = _key_arn(self, volume.kms_key_id or _key_of(self, volume.snapshot_id))
        return volume


def _key_of(backend: t.Any, snapshot_id: str) -> str | None:
    snapshot = backend.snapshots.get(snapshot_id)
    return snapshot.kms_key_id if snapshot else None


def _key_arn(backend: t.Any, key: str | None) -> str:
    from moto.kms.models import kms_backends

    if not key:
        return t.cast(str, backend.default_kms_key_id or backend._create_default_encryption_key())
    try:
        return kms_backends[backend.account_id][backend.region_name].describe_key(key).arn
    except KeyError:
        return key


@patch(
    restores="Where encryption by default is on, a new volume or copied snapshot is encrypted without being asked.",
    source="EBS User Guide, Enable EBS encryption by default",
    touches="moto.ec2.models.elastic_block_store:EBSBackend.create_volume",
)
def encryption_by_default() -> None:
    """Ask for it."""

    @around(ebs.EBSBackend, "create_volume")
    def create(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        # The images of a new backend come before the setting.
        if getattr(self, "ebs_encryption_by_default", False) and len(args) < 4:
            kwargs["encrypted"] = True
        return original(self, *args, **kwargs)


@patch(
    restores="A snapshot keeps the size and key that its volume had, and says its state in every answer.",
    source="EC2 API reference, Snapshot and SnapshotInfo (State)",
    touches=(
        "moto.ec2.models.elastic_block_store:Snapshot.__init__",
        "moto.ec2.models.elastic_block_store:Snapshot.volume_size",
        "moto.ec2.models.elastic_block_store:Snapshot.state",
    ),
)
def snapshot_fields() -> None:
    """Note them when it is made."""

    @around(ebs.Snapshot, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        self.description = self.description or ""
        self.size = self.volume.size
        if self.encrypted and not self.kms_key_id:
            self.kms_key_id = self.volume.kms_key_id

    ebs.Snapshot.volume_size = property(lambda self: self.size)  # type: ignore[assignment,method-assign]
    ebs.Snapshot.state = property(lambda self: self.status)  # type: ignore[attr-defined]


@patch(
    restores="CreateSnapshots copies the volumes' tags when asked to.",
    source="EC2 API reference, CreateSnapshots (CopyTagsFromSource)",
    touches="moto.ec2.responses.elastic_block_store:ElasticBlockStore.create_snapshots",
)
def snapshots_copy_tags() -> None:
    """Add the tags; those of the request win."""

    @around(responses.ElasticBlockStore, "create_snapshots")
    def create(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        answer = original(self)
        own = self._parse_tag_specification().get("snapshot", {})
        if self._get_param("CopyTagsFromSource") == "volume":
            for snapshot in answer.result["Snapshots"]:
                tags = self.ec2_backend.tags.get(snapshot.volume_id, {})
                snapshot.add_tags({key: value for key, value in tags.items() if key not in own and key[:4] != "aws:"})
        return answer


@patch(
    restores="DescribeSnapshots answers for the owners asked for: with self, not for the snapshots of others' images.",
    source="EC2 API reference, DescribeSnapshots (Owner)",
    touches="moto.ec2.responses.elastic_block_store:ElasticBlockStore.describe_snapshots",
)
def snapshot_owners() -> None:
    """Apply the owners, which moto ignores."""

    @around(responses.ElasticBlockStore, "describe_snapshots")
    def describe(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        answer = original(self)
        owners = self._get_param("OwnerIds", [])
        if not owners:
            return answer
        wanted = {self.current_account if owner == "self" else owner for owner in owners}
        found = [one for one in answer.result["Snapshots"] if one.owner_id in wanted]
        return ActionResult({"Snapshots": found})


@patch(
    restores="A copied snapshot is encrypted when asked, by default or as its source, under a key of its own region.",
    source="EC2 API reference, CopySnapshot (Encrypted, KmsKeyId)",
    touches="moto.ec2.responses.elastic_block_store:ElasticBlockStore.copy_snapshot",
)
def snapshot_copies() -> None:
    """Copy it; moto ignores the request for encryption."""

    def copy_snapshot(self: t.Any) -> t.Any:
        encrypt, key = self._get_bool_param("Encrypted", False), self._get_param("KmsKeyId")
        if key and not encrypt:
            raise InvalidParameterDependency("KmsKeyId", "Encrypted")
        backend = self.ec2_backend
        source = ec2.ec2_backends[self.current_account][self._get_param("SourceRegion")].get_snapshot(
            self._get_param("SourceSnapshotId")
        )
        self.error_on_dryrun()
        encrypted = encrypt or source.encrypted or backend.ebs_encryption_by_default
        snapshot = ebs.Snapshot(
            backend,
            random_snapshot_id(),
            volume=_Copied(source),
            description=self._get_param("Description"),
            encrypted=encrypted,
            kms_key_id=_key_arn(backend, key) if encrypted else None,
        )
        snapshot.add_tags(self._parse_tag_specification().get("snapshot", {}))
        backend.snapshots[snapshot.id] = snapshot
        return ActionResult({"SnapshotId": snapshot.id, "Tags": snapshot.tag_set})

    responses.ElasticBlockStore.copy_snapshot = copy_snapshot  # type: ignore[method-assign]


class _Copied:
    """The volume of a copied snapshot, as far as anybody asks."""

    def __init__(self, source: t.Any) -> None:
        self.id = _NO_VOLUME
        self.size = source.volume_size
        self.encrypted = False
        self.kms_key_id = None

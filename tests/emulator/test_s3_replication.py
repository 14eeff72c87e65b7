# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""S3 replication: what it needs, what is read of it, and the copies."""

from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, mends, refusal

HERE, THERE, PLAIN = "shop-parts", "shop-parts-replica", "shop-plain"
ROLE = "arn:aws:iam::123456789012:role/replication"
ELSEWHERE = "eu-central-1"


@pytest.fixture
def s3(emulator: Emulator) -> t.Any:
    for name, region in ((HERE, REGION), (THERE, ELSEWHERE), (PLAIN, ELSEWHERE)):
        client = emulator.client("s3", region)
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        if name != PLAIN:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return emulator.client("s3", REGION)


def configuration(destination: str = THERE, prefix: str = "") -> dict[str, t.Any]:
    rule = {
        "ID": "copy",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Destination": {
            "Bucket": f"arn:aws:s3:::{destination}",
            "StorageClass": "STANDARD_IA",
            "EncryptionConfiguration": {"ReplicaKmsKeyID": "arn:aws:kms:eu-central-1:123456789012:key/1"},
        },
    }
    return {"Role": ROLE, "Rules": [rule]}


@mends("s3_replication.destinations")
def test_a_destination_must_be_there_and_keep_versions(s3: t.Any) -> None:
    for destination in ("shop-nowhere", PLAIN):
        code = refusal(
            s3.put_bucket_replication, Bucket=HERE, ReplicationConfiguration=configuration(destination=destination)
        )
        assert code == "InvalidRequest"


@mends("s3_replication.whole_rules")
def test_a_replication_is_read_as_it_was_written(s3: t.Any) -> None:
    wanted = configuration(prefix="scores/")
    s3.put_bucket_replication(Bucket=HERE, ReplicationConfiguration=wanted)
    assert s3.get_bucket_replication(Bucket=HERE)["ReplicationConfiguration"] == wanted
    s3.delete_bucket_replication(Bucket=HERE)
    assert refusal(s3.get_bucket_replication, Bucket=HERE) == "ReplicationConfigurationNotFoundError"


@mends("s3_replication.copies")
def test_what_is_written_is_copied(emulator: Emulator, s3: t.Any) -> None:
    s3.put_bucket_replication(Bucket=HERE, ReplicationConfiguration=configuration(prefix="scores/"))
    for key in ("scores/a", "drafts/b"):
        s3.put_object(Bucket=HERE, Key=key, Body=key.encode())
    there = emulator.client("s3", ELSEWHERE)
    (copy,) = there.list_objects_v2(Bucket=THERE)["Contents"]
    assert (copy["Key"], copy["StorageClass"]) == ("scores/a", "STANDARD_IA")
    assert there.get_object(Bucket=THERE, Key="scores/a")["Body"].read() == b"scores/a"

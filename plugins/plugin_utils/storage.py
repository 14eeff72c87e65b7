# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a stack's buckets are called, and the settings that follow from their descriptions."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.buckets_names import bucket_arn, partition_of

Values = t.Mapping[str, t.Any]
Document = dict[str, t.Any]

#: Days after which an upload that was never finished is thrown away: nobody sees it, but it is paid for.
UNFINISHED_DAYS = 7


def bucket_name(item: Values, prefix: str, account_id: str) -> str:
    """Name of a bucket, which is the customer's, or made unique among all of AWS by the account's number."""
    return str(item.get("bucket") or f"{prefix}-{item['name']}-{account_id}")


def replica_name(item: Values, prefix: str, account_id: str) -> str:
    """Name of the bucket that a bucket is replicated to."""
    given = (item.get("replication") or {}).get("bucket")
    return str(given or f"{bucket_name(item, prefix, account_id)}-replica")


def replica_region(item: Values) -> str:
    """Region of a bucket's copy; empty for a bucket without one."""
    return str((item.get("replication") or {}).get("region") or "")


def storage_facts(items: list[Document], prefix: str, account_id: str, region: str) -> dict[str, Document]:
    """What the tier publishes, by name: ``bucket``, ``arn``, ``region``, ``kms_key_id`` and ``replica``.

    :param items: the buckets, defaults filled in.
    """
    facts = {}
    for item in items:
        bucket = bucket_name(item, prefix, account_id)
        elsewhere = replica_region(item)
        replica = {"bucket": replica_name(item, prefix, account_id), "region": elsewhere}
        facts[item["name"]] = {
            "bucket": bucket,
            "arn": bucket_arn(bucket, region),
            "region": region,
            "kms_key_id": item.get("kms_key_id") or "",
            "replica": replica if elsewhere else {},
        }
    return facts


def storage_lifecycle(item: Values) -> list[Document]:
    """The lifecycle rules of a bucket, as M(palier.aws.s3_bucket) takes them."""
    wanted = {
        "transitions": item.get("transitions"),
        "expiration_days": item.get("expiration_days"),
        "noncurrent_version_transitions": item.get("noncurrent_transitions"),
        "noncurrent_version_expiration_days": item.get("noncurrent_expiration_days"),
    }
    given = {key: value for key, value in wanted.items() if value}
    return [{"id": "lifecycle", **given, "abort_incomplete_multipart_days": UNFINISHED_DAYS}]


def storage_policy(item: Values, bucket: str, account_id: str, region: str, receives_logs: bool = False) -> Document:
    """The policy of a bucket: the customer's statements and, for a bucket that receives access logs, S3's own.

    :param bucket: its name.
    :param receives_logs: whether the stack's other buckets log to it.
    """
    statements = list(item.get("policy_statements") or [])
    if receives_logs:
        statements.append(
            {
                "Sid": "AccessLogsOfThisAccount",
                "Effect": "Allow",
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": f"{bucket_arn(bucket, region)}/*",
                "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
            }
        )
    return {"Version": "2012-10-17", "Statement": statements} if statements else {}


def replication_policy(items: list[Document], prefix: str, account_id: str, region: str) -> Document:
    """What S3 must be allowed for the replication of these buckets, and no more; empty where none is replicated.

    Source: Amazon S3 user guide, "Setting up permissions for live replication".
    """
    replicated = [item for item in items if replica_region(item)]
    if not replicated:
        return {}
    sources = sorted(bucket_arn(bucket_name(item, prefix, account_id), region) for item in replicated)
    targets = sorted(bucket_arn(replica_name(item, prefix, account_id), region) for item in replicated)
    versions = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
    replicas = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]
    statements = [
        _allow("ReadTheSources", ["s3:GetReplicationConfiguration", "s3:ListBucket"], sources),
        _allow("ReadTheirObjects", versions, [f"{arn}/*" for arn in sources]),
        _allow("WriteTheReplicas", replicas, [f"{arn}/*" for arn in targets]),
    ]
    return {"Version": "2012-10-17", "Statement": [*statements, *_key_statements(replicated, region)]}


def _allow(sid: str, actions: list[str], resources: list[str], **more: t.Any) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources, **more}


def _key_statements(replicated: list[Document], region: str) -> t.Iterator[Document]:
    ours = sorted({str(item["kms_key_id"]) for item in replicated if item.get("kms_key_id")})
    if ours:
        via = {"StringLike": {"kms:ViaService": f"s3.{region}.{_suffix(region)}"}}
        yield _allow("DecryptTheSources", ["kms:Decrypt"], ours, Condition=via)
    theirs = sorted({str(item["replication"].get("kms_key_id") or "") for item in replicated} - {""})
    if theirs:
        regions = sorted({str(item["replication"]["region"]) for item in replicated})
        services = {"StringLike": {"kms:ViaService": [f"s3.{one}.{_suffix(one)}" for one in regions]}}
        yield _allow("EncryptTheReplicas", ["kms:Encrypt"], theirs, Condition=services)


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if partition_of(region) == "aws-cn" else "amazonaws.com"

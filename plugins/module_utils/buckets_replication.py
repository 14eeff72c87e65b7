# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to the replication of a bucket. S3 takes its configuration only as a whole."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.buckets_names import bucket_arn
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = dict[str, t.Any]


def label(bucket: str) -> str:
    """The replication in the reader's words."""
    return f"replication of s3 bucket {bucket}"


def destination_arn(bucket: str, region: str) -> str:
    """ARN of a destination, which may be written as its name."""
    return bucket if bucket.startswith("arn:") else bucket_arn(bucket, region)


def rule_shape(rule: Document, rank: int, region: str) -> Document:
    """A rule as S3 takes it.

    :param rule: the option.
    :param rank: its place among the rules, from 1; the first one has the highest priority.
    :param region: region of the bucket, for the partition of ARNs.
    """
    destination: Document = {"Bucket": destination_arn(rule["destination_bucket"], region)}
    if rule.get("storage_class"):
        destination["StorageClass"] = rule["storage_class"]
    shape: Document = {
        "ID": rule["id"],
        "Priority": rule.get("priority") or rank,
        "Status": rule.get("status") or "Enabled",
        "Filter": {"Prefix": rule.get("prefix") or ""},
        "DeleteMarkerReplication": {"Status": "Enabled" if rule.get("delete_markers") else "Disabled"},
        "Destination": destination,
    }
    if rule.get("kms_key_id"):
        # Without this S3 leaves objects out that are encrypted by a KMS key.
        shape["SourceSelectionCriteria"] = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
        destination["EncryptionConfiguration"] = {"ReplicaKmsKeyID": rule["kms_key_id"]}
    return shape


def configuration(role_arn: str, rules: t.Sequence[Document], region: str) -> Document:
    """The whole configuration as S3 takes it."""
    count = len(rules)
    return {"Role": role_arn, "Rules": [rule_shape(rule, count - index, region) for index, rule in enumerate(rules)]}


def canonical(found: Document | None) -> Document | None:
    """A configuration in a form that can be compared: rules by id, what is empty or AWS's default left out."""
    if not found:
        return None
    rules = [_canonical_rule(rule) for rule in found.get("Rules") or []]
    return {"Role": found.get("Role"), "Rules": sorted(rules, key=lambda rule: str(rule.get("ID")))}


def _canonical_rule(rule: Document) -> Document:
    shape = {key: value for key, value in rule.items() if value and key != "Prefix"}
    shape["Filter"] = {"Prefix": (rule.get("Filter") or {}).get("Prefix") or rule.get("Prefix") or ""} | {
        key: value for key, value in (rule.get("Filter") or {}).items() if key != "Prefix"
    }
    shape.setdefault("DeleteMarkerReplication", {"Status": "Disabled"})
    return shape


def plan(bucket: str, current: Document | None, wanted: Document | None) -> Step:
    """Whether the configuration must be written or removed.

    :param current: what S3 has, C{None} for none.
    :param wanted: what it shall have, C{None} for none.
    """
    before, after = canonical(current), canonical(wanted)
    if before == after:
        return Step("keep" if wanted else "skip", label(bucket), "is as wanted" if wanted else "does not exist")
    if after is None:
        return Step("delete", label(bucket), "state is absent", before)
    reason = "does not exist" if before is None else "differs"
    return Step("create" if before is None else "modify", label(bucket), reason, before, after)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""S3 replication: what a configuration needs, what is read of it, and the copies."""

from __future__ import annotations

import typing as t

from moto.core.responses import ActionResult
from moto.s3 import models, responses
from moto.s3.exceptions import S3ClientError

from tests.emulator.patches import around, before, patch

_SOURCE = "S3 User Guide, Replicating objects within and across Regions; S3 API reference, PutBucketReplication"


class InvalidRequestError(S3ClientError):
    """A request that S3 understands and refuses."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("InvalidRequest", message)


def _rules(configuration: t.Any) -> list[dict[str, t.Any]]:
    rules = (configuration or {}).get("Rule") or []
    return [rules] if isinstance(rules, dict) else list(rules)


def _target(backend: t.Any, rule: dict[str, t.Any]) -> t.Any:
    return backend.buckets.get(rule["Destination"]["Bucket"].rpartition(":")[2])


@patch(
    restores="The destination of a replication must exist and keep versions.",
    source=_SOURCE,
    touches="moto.s3.models:S3Backend.put_bucket_replication",
)
def destinations() -> None:
    """Check before it is stored."""

    @before(models.S3Backend, "put_bucket_replication")
    def check(self: t.Any, bucket_name: str, replication: dict[str, t.Any]) -> None:
        for rule in _rules(replication):
            bucket = _target(self, rule)
            if bucket is None:
                raise InvalidRequestError("Destination bucket must exist.")
            if not bucket.is_versioned:
                raise InvalidRequestError("Destination bucket must have versioning enabled.")


@patch(
    restores="A replication is read as it was written: its filter, delete markers and encryption too.",
    source="S3 API reference, GetBucketReplication",
    touches="moto.s3.responses:S3Response.get_bucket_replication",
)
def whole_rules() -> None:
    """Answer with all of what is stored."""

    @around(responses.S3Response, "get_bucket_replication")
    def read(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        answer = original(self)
        stored = self.backend.get_bucket_replication(self.bucket_name)
        if not stored:
            return answer
        rules = []
        for given in _rules(stored):
            rule = {key: value for key, value in given.items() if value is not None}
            rule["Filter"] = {"Prefix": ""} | {key: value or "" for key, value in (given.get("Filter") or {}).items()}
            rules.append({**rule, "Priority": int(given["Priority"])})
        document = {"ReplicationConfiguration": {"Role": stored["Role"], "Rules": rules}}
        return self.serialized(ActionResult(document))


@patch(
    restores="What is written to a bucket is copied to the destinations of its replication.",
    source=_SOURCE,
    touches="moto.s3.models:S3Backend.put_object",
)
def copies() -> None:
    """Write a copy at once; a copy is not copied further."""

    @around(models.S3Backend, "put_object")
    def put(
        original: t.Callable[..., t.Any], self: t.Any, bucket_name: str, key_name: str, *rest: t.Any, **more: t.Any
    ) -> t.Any:
        key = original(self, bucket_name, key_name, *rest, **more)
        for rule in _rules(getattr(self.buckets[bucket_name], "replication", None)):
            prefix = (rule.get("Filter") or {}).get("Prefix") or ""
            target = _target(self, rule)
            if target is not None and rule["Status"] == "Enabled" and key_name.startswith(prefix):
                storage = rule["Destination"].get("StorageClass")
                original(self, target.name, key_name, key.value, storage=storage, disable_notification=True)
        return key

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names, lifecycle and policies of buckets."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import storage as subject

ACCOUNT, REGION = "123456789012", "eu-west-3"
PARTS: dict[str, t.Any] = {"name": "parts", "replication": {"region": "eu-central-1"}}
LOGS: dict[str, t.Any] = {"name": "logs", "bucket": "my-logs", "replication": {"region": ""}}
KEY, THEIR_KEY = "arn:aws:kms:eu-west-3:1:key/a", "arn:aws:kms:eu-central-1:1:key/b"


def test_facts() -> None:
    facts = subject.storage_facts([PARTS, LOGS], "shop-prod", ACCOUNT, REGION)
    assert facts["parts"] == {
        "bucket": "shop-prod-parts-123456789012",
        "arn": "arn:aws:s3:::shop-prod-parts-123456789012",
        "region": REGION,
        "kms_key_id": "",
        "replica": {"bucket": "shop-prod-parts-123456789012-replica", "region": "eu-central-1"},
    }
    assert (facts["logs"]["bucket"], facts["logs"]["replica"]) == ("my-logs", {})
    named = {**PARTS, "replication": {"region": "eu-central-1", "bucket": "copy"}}
    assert subject.storage_facts([named], "s", ACCOUNT, REGION)["parts"]["replica"]["bucket"] == "copy"


def test_lifecycle() -> None:
    moves = [{"days": 180, "storage_class": "GLACIER"}]
    assert subject.storage_lifecycle(
        {"transitions": moves, "expiration_days": 0, "noncurrent_expiration_days": 30}
    ) == [
        {
            "id": "lifecycle",
            "transitions": moves,
            "noncurrent_version_expiration_days": 30,
            "abort_incomplete_multipart_days": 7,
        }
    ]


def test_only_a_bucket_for_logs_lets_s3_write_them() -> None:
    assert subject.storage_policy({}, "b", ACCOUNT, REGION) == {}
    own = {"Sid": "Own"}
    policy = subject.storage_policy({"policy_statements": [own]}, "b", ACCOUNT, REGION, receives_logs=True)
    assert policy["Statement"][0] == own
    assert policy["Statement"][1]["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert policy["Statement"][1]["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_replication_is_allowed_for_the_buckets_that_have_it_and_no_others() -> None:
    assert subject.replication_policy([LOGS], "shop-prod", ACCOUNT, REGION) == {}
    policy = subject.replication_policy([PARTS, LOGS], "shop-prod", ACCOUNT, REGION)
    source, target = (f"arn:aws:s3:::shop-prod-parts-{ACCOUNT}{end}" for end in ("", "-replica"))
    assert [statement["Resource"] for statement in policy["Statement"]] == [[source], [f"{source}/*"], [f"{target}/*"]]


def test_keys_are_for_s3_in_their_own_regions() -> None:
    item = {**PARTS, "kms_key_id": KEY, "replication": {"region": "eu-central-1", "kms_key_id": THEIR_KEY}}
    ours, theirs = subject.replication_policy([item], "shop-prod", ACCOUNT, REGION)["Statement"][3:]
    assert (ours["Action"], ours["Resource"]) == (["kms:Decrypt"], [KEY])
    assert ours["Condition"] == {"StringLike": {"kms:ViaService": "s3.eu-west-3.amazonaws.com"}}
    assert (theirs["Action"], theirs["Resource"]) == (["kms:Encrypt"], [THEIR_KEY])
    assert theirs["Condition"] == {"StringLike": {"kms:ViaService": ["s3.eu-central-1.amazonaws.com"]}}

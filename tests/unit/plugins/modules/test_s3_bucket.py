# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module s3_bucket as a whole, against moto."""

from __future__ import annotations

import json
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import s3_bucket
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

NAME = "shop-prod-site"
FULL = {
    "name": NAME,
    "versioning": True,
    "tags": {"Stack": "shop"},
    "website": {"index_document": "index.html", "routing_rules": [{"redirect": {"replace_key_with": "x"}}]},
    "cors_rules": [{"allowed_origins": ["*"], "allowed_methods": ["GET", "HEAD"]}],
    "lifecycle_rules": [
        {
            "id": "old",
            "prefix": "logs/",
            "expiration_days": 365,
            "transitions": [{"days": 90, "storage_class": "GLACIER"}, {"days": 30, "storage_class": "STANDARD_IA"}],
            "noncurrent_version_transitions": [{"days": 30, "storage_class": "STANDARD_IA"}],
            "noncurrent_version_expiration_days": 90,
            "abort_incomplete_multipart_days": 7,
        }
    ],
}
PUBLIC = {
    "Statement": {
        "Sid": "PublicRead",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{NAME}/*",
    }
}


@pytest.fixture
def s3() -> t.Iterator[t.Any]:
    with mock_aws():
        yield boto3.client("s3", "eu-west-3", aws_access_key_id="testing", aws_secret_access_key="testing")


def bucket(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(s3_bucket, {"name": NAME, **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def failure(**options: t.Any) -> str:
    result = run_module(s3_bucket, {"name": NAME, **options})
    assert result["failed"]
    return result["msg"]


def test_a_bucket_is_closed_by_default(s3: t.Any) -> None:
    result = bucket()
    assert result["changed"]
    assert s3.head_bucket(Bucket=NAME)["BucketRegion"] == "eu-west-3"
    assert set(s3.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_ownership_controls(Bucket=NAME)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    assert json.loads(s3.get_bucket_policy(Bucket=NAME)["Policy"])["Statement"][0]["Sid"] == "DenyInsecureTransport"
    assert result["bucket"]["encryption"]["sse"] == "AES256"
    assert result["bucket"]["regional_domain_name"] == f"{NAME}.s3.eu-west-3.amazonaws.com"


@pytest.mark.usefixtures("s3")
def test_check_mode_writes_nothing_and_says_the_same() -> None:
    with recorded_calls() as calls:
        planned = bucket(check=True, **FULL)
    done = bucket(**FULL)
    assert writes(calls) == []
    assert [planned[key] for key in ("changed", "plan", "diff", "bucket")] == [
        done[key] for key in ("changed", "plan", "diff", "bucket")
    ]


@pytest.mark.usefixtures("s3")
def test_the_second_run_changes_nothing() -> None:
    bucket(**FULL)
    with recorded_calls() as calls:
        result = bucket(**FULL)
    assert not result["changed"]
    assert writes(calls) == []
    assert result["diff"] == {"before": {}, "after": {}}


@pytest.mark.usefixtures("s3")
def test_only_what_is_decided_is_read() -> None:
    bucket(**FULL)
    with recorded_calls() as calls:
        bucket()
    assert sorted(calls) == [
        "GetBucketEncryption",
        "GetBucketOwnershipControls",
        "GetBucketPolicy",
        "GetPublicAccessBlock",
        "HeadBucket",
    ]


def test_what_is_not_named_is_left(s3: t.Any) -> None:
    bucket(**FULL)
    assert not bucket()["changed"]
    assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled"
    assert s3.get_bucket_tagging(Bucket=NAME)["TagSet"]


def test_everything_can_be_switched_off_again(s3: t.Any) -> None:
    bucket(**FULL)
    off = {"versioning": False, "tags": {}, "website": {}, "cors_rules": [], "lifecycle_rules": [], "tls_only": False}
    assert len(bucket(**off)["plan"]) == len(off)
    assert not bucket(**off)["changed"]
    assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Suspended"
    for call in ("policy", "website", "cors", "lifecycle_configuration", "tagging"):
        with pytest.raises(s3.exceptions.ClientError, match="NoSuch"):
            getattr(s3, f"get_bucket_{call}")(Bucket=NAME)


@pytest.mark.usefixtures("s3")
def test_a_public_site_opens_the_block_before_the_policy_and_closes_after_it() -> None:
    bucket()
    opened = {"public_access_block": {"block_public_policy": False, "restrict_public_buckets": False}}
    with recorded_calls() as calls:
        bucket(tls_only=False, policy=PUBLIC, **opened)
    assert writes(calls) == ["PutPublicAccessBlock", "PutBucketPolicy"]
    with recorded_calls() as calls:
        bucket(policy={})
    assert writes(calls) == ["PutBucketPolicy", "PutPublicAccessBlock"]


@pytest.mark.usefixtures("s3")
def test_a_policy_is_the_same_in_another_shape() -> None:
    bucket(policy=PUBLIC)
    listed = {"Version": "2012-10-17", "Statement": [{**PUBLIC["Statement"], "Action": ["s3:GetObject"]}]}
    assert not bucket(policy=json.dumps(listed))["changed"]


def test_logging(s3: t.Any) -> None:
    s3.create_bucket(Bucket="shop-prod-logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    s3.put_bucket_policy(
        Bucket="shop-prod-logs",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "logging.s3.amazonaws.com"},
                        "Action": ["s3:PutObject"],
                        "Resource": "arn:aws:s3:::shop-prod-logs/*",
                    }
                ],
            }
        ),
    )
    assert bucket(logging={"target_bucket": "shop-prod-logs"})["changed"]
    assert not bucket(logging={"target_bucket": "shop-prod-logs"})["changed"]
    assert s3.get_bucket_logging(Bucket=NAME)["LoggingEnabled"]["TargetPrefix"] == f"{NAME}/"
    assert bucket(logging={})["changed"]
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=NAME)


def test_a_half_built_bucket_is_finished(s3: t.Any) -> None:
    s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    reasons = {step["reason"] for step in bucket(**FULL)["plan"]}
    assert {"policy: none, wanted some", "versioning: off, wanted on"} <= reasons
    assert not bucket(**FULL)["changed"]


def test_absent_twice(s3: t.Any) -> None:
    bucket()
    assert [bucket(check=check, state="absent")["changed"] for check in (True, False, True, False)] == [
        True,
        True,
        False,
        False,
    ]
    assert s3.list_buckets()["Buckets"] == []


def test_a_bucket_with_content_goes_only_by_force(s3: t.Any) -> None:
    bucket(versioning=True, tls_only=False)
    for _ in range(2):
        s3.put_object(Bucket=NAME, Key="a", Body=b"x")
    s3.delete_object(Bucket=NAME, Key="a")
    s3.create_multipart_upload(Bucket=NAME, Key="b")
    assert "is not empty (it has a) and force is false" in failure(state="absent")
    with recorded_calls() as calls:
        planned = bucket(check=True, state="absent", force=True)
    assert writes(calls) == []
    assert bucket(state="absent", force=True)["plan"] == planned["plan"]
    assert s3.list_buckets()["Buckets"] == []


@pytest.mark.parametrize("check", [True, False])
def test_a_bucket_with_content_is_kept_where_that_is_asked(s3: t.Any, check: bool) -> None:
    bucket(tls_only=False)
    s3.put_object(Bucket=NAME, Key="a", Body=b"x")
    result = bucket(check, state="absent", keep_content=True)
    assert (result["changed"], result["kept"], result["plan"][0]["action"]) == (False, True, "skip")
    assert s3.get_object(Bucket=NAME, Key="a")["Body"].read() == b"x"
    assert bucket(state="absent", keep_content=True, force=True)["kept"] is False
    assert bucket(state="absent", keep_content=True)["plan"][0]["reason"] == "does not exist"


@pytest.mark.usefixtures("s3")
def test_a_bucket_elsewhere_is_not_touched() -> None:
    bucket(region="eu-west-1")
    for state in ("present", "absent"):
        assert "stands in eu-west-1, but region is eu-west-3" in failure(state=state)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"website": {"index_document": "i", "redirect_all_requests_to": "x"}}, "mutually exclusive"),
        ({"website": {"error_document": "e"}}, "index_document"),
        ({"logging": {"target_prefix": "e"}}, "target_bucket"),
        ({"policy": "[1]"}, "give a dictionary"),
        ({"lifecycle_rules": [{"id": "x"}]}, "one of the following is required: transitions"),
        (
            {"lifecycle_rules": [{"id": "x", "expiration_days": 1, "expired_object_delete_marker": True}]},
            "mutually exclusive",
        ),
    ],
)
@pytest.mark.usefixtures("s3")
def test_unusable_options(options: dict, message: str) -> None:
    assert message in failure(**options)

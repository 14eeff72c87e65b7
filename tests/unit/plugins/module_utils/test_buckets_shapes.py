# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options and AWS's shapes."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.module_utils import buckets_shapes as shapes

KEY = "arn:aws:kms:eu-west-3:123456789012:key/1234abcd"


def rule(sse: str, key: str | None = None, bucket_key: bool | None = None) -> dict:
    default = shapes.present({"SSEAlgorithm": sse, "KMSMasterKeyID": key})
    return {
        "ApplyServerSideEncryptionByDefault": default,
        **shapes.present({"BucketKeyEnabled": bucket_key}),
    }


@pytest.mark.parametrize(
    ("option", "current", "expected"),
    [
        pytest.param(None, None, rule("AES256"), id="the default closes"),
        pytest.param(None, rule("aws:kms", KEY, True), rule("aws:kms", KEY, True), id="the default never weakens"),
        pytest.param({"sse": "aws:kms"}, rule("aws:kms", KEY), rule("aws:kms", KEY), id="a key not named stays"),
        pytest.param({"sse": "aws:kms"}, rule("AES256"), rule("aws:kms"), id="AWS's own key"),
        pytest.param({"sse": "aws:kms", "kms_key_id": "1234abcd"}, rule("aws:kms", KEY), rule("aws:kms", KEY), id="id"),
        pytest.param({"sse": "aws:kms", "kms_key_id": KEY}, rule("aws:kms", "other"), rule("aws:kms", KEY), id="key"),
        pytest.param({"sse": "AES256"}, rule("aws:kms", KEY, True), rule("AES256", None, True), id="the key goes"),
        pytest.param({"sse": "AES256", "bucket_key": False}, None, rule("AES256", None, False), id="bucket key"),
    ],
)
def test_encryption(option: dict | None, current: dict | None, expected: dict) -> None:
    assert shapes.encryption_rule(option, current) == expected


def test_encryption_keeps_what_has_no_option() -> None:
    current = {**rule("AES256"), "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}
    assert shapes.encryption_rule({"sse": "aws:kms"}, current)["BlockedEncryptionTypes"]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({}, None),
        ({"index_document": "index.html"}, {"IndexDocument": {"Suffix": "index.html"}}),
        (
            {"index_document": "i", "error_document": "404.html"},
            {"IndexDocument": {"Suffix": "i"}, "ErrorDocument": {"Key": "404.html"}},
        ),
        ({"redirect_all_requests_to": "a.example"}, {"RedirectAllRequestsTo": {"HostName": "a.example"}}),
        (
            {"redirect_all_requests_to": "https://a.example"},
            {"RedirectAllRequestsTo": {"HostName": "a.example", "Protocol": "https"}},
        ),
    ],
)
def test_website(option: dict, expected: dict | None) -> None:
    assert shapes.website_shape(option) == expected


def test_routing_rules_leave_out_what_was_not_named() -> None:
    option = {
        "index_document": "i",
        "routing_rules": [
            {
                "condition": {"key_prefix_equals": None, "http_error_code_returned_equals": "404"},
                "redirect": {"host_name": "a.example", "replace_key_prefix_with": "x/", "protocol": None},
            }
        ],
    }
    assert shapes.website_shape(option)["RoutingRules"] == [
        {
            "Condition": {"HttpErrorCodeReturnedEquals": "404"},
            "Redirect": {"HostName": "a.example", "ReplaceKeyPrefixWith": "x/"},
        }
    ]


@pytest.mark.parametrize(
    ("option", "current", "expected"),
    [
        ({}, {"TargetBucket": "l"}, None),
        ({"target_bucket": "l"}, None, {"TargetBucket": "l", "TargetPrefix": "shop/"}),
        ({"target_bucket": "l", "target_prefix": ""}, None, {"TargetBucket": "l", "TargetPrefix": ""}),
        (
            {"target_bucket": "l"},
            {"TargetBucket": "m", "TargetPrefix": "", "TargetObjectKeyFormat": {"SimplePrefix": {}}},
            {"TargetBucket": "l", "TargetPrefix": "shop/", "TargetObjectKeyFormat": {"SimplePrefix": {}}},
        ),
    ],
)
def test_logging(option: dict, current: dict | None, expected: dict | None) -> None:
    assert shapes.logging_shape(option, "shop", current) == expected


def test_lifecycle_rule_in_full() -> None:
    option = {
        "id": "all",
        "status": "Disabled",
        "prefix": "logs/",
        "transitions": [{"days": 30, "storage_class": "STANDARD_IA"}],
        "expiration_days": 365,
        "noncurrent_version_transitions": [{"days": 7, "storage_class": "GLACIER"}],
        "noncurrent_version_expiration_days": 30,
        "abort_incomplete_multipart_days": 3,
    }
    assert shapes.lifecycle_shape([option]) == [
        {
            "ID": "all",
            "Status": "Disabled",
            "Filter": {"Prefix": "logs/"},
            "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
            "Expiration": {"Days": 365},
            "NoncurrentVersionTransitions": [{"NoncurrentDays": 7, "StorageClass": "GLACIER"}],
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
        }
    ]


def test_lifecycle_zero_days_is_a_value() -> None:
    option = {"id": "a", "transitions": [{"days": 0, "storage_class": "INTELLIGENT_TIERING"}]}
    assert shapes.lifecycle_shape([option])[0]["Transitions"] == [{"Days": 0, "StorageClass": "INTELLIGENT_TIERING"}]


WANTED = [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 5}}]


@pytest.mark.parametrize(
    "stored",
    [
        [{"ID": "a", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 5}}],
        [{"ID": "a", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 5}}],
        [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [], "Expiration": {"Days": 5}}],
        [
            {
                "ID": "a",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "Expiration": {"Days": 5, "ExpiredObjectDeleteMarker": False},
            }
        ],
    ],
)
def test_lifecycle_defaults_of_s3_are_no_difference(stored: list) -> None:
    assert shapes.canonical_lifecycle(stored) == shapes.canonical_lifecycle(WANTED)


@pytest.mark.parametrize(
    "change", [{"Status": "Disabled"}, {"Filter": {"Prefix": "x"}}, {"Expiration": {"Days": 6}}, {"ID": "b"}]
)
def test_lifecycle_differences_are_seen(change: dict) -> None:
    assert shapes.canonical_lifecycle([{**WANTED[0], **change}]) != shapes.canonical_lifecycle(WANTED)


def test_lifecycle_order_does_not_count() -> None:
    moves = [{"Days": 90, "StorageClass": "GLACIER"}, {"Days": 30, "StorageClass": "STANDARD_IA"}]
    one = [{"ID": "a", "Transitions": moves}, {"ID": "b"}]
    other = [{"ID": "b"}, {"ID": "a", "Transitions": moves[::-1]}]
    assert shapes.canonical_lifecycle(one) == shapes.canonical_lifecycle(other)


def test_cors_order_counts_between_rules_only() -> None:
    first = {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"]}
    second = {"AllowedMethods": ["POST"], "AllowedOrigins": ["https://a.example"]}
    turned = {**first, "AllowedMethods": ["PUT", "GET"]}
    assert shapes.canonical_cors([first, second]) == shapes.canonical_cors([turned, second])
    assert shapes.canonical_cors([first, second]) != shapes.canonical_cors([second, first])


def test_cors_rule_in_full() -> None:
    option = {
        "id": "web",
        "allowed_origins": ["https://a.example"],
        "allowed_methods": ["GET"],
        "allowed_headers": [],
        "expose_headers": ["ETag"],
        "max_age_seconds": 0,
    }
    assert shapes.cors_shape([option]) == [
        {
            "ID": "web",
            "AllowedOrigins": ["https://a.example"],
            "AllowedMethods": ["GET"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 0,
        }
    ]
    assert shapes.cors_shape([]) is None

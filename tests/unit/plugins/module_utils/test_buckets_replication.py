# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replication rules, without AWS."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import buckets_replication as subject

RULES = [{"id": "first", "destination_bucket": "there"}, {"id": "second", "destination_bucket": "arn:aws-cn:s3:::x"}]


def test_the_first_rule_counts_most() -> None:
    rules = subject.configuration("role", RULES, "eu-west-3")["Rules"]
    assert [(rule["ID"], rule["Priority"], rule["Destination"]["Bucket"]) for rule in rules] == [
        ("first", 2, "arn:aws:s3:::there"),
        ("second", 1, "arn:aws-cn:s3:::x"),
    ]


def test_a_key_of_the_replica_takes_encrypted_objects_in() -> None:
    shape = subject.rule_shape({**RULES[0], "kms_key_id": "arn:key"}, 1, "eu-west-3")
    assert shape["SourceSelectionCriteria"] == {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    assert shape["Destination"]["EncryptionConfiguration"] == {"ReplicaKmsKeyID": "arn:key"}


WANTED = subject.configuration("role", RULES[:1], "eu-west-3")


@pytest.mark.parametrize(
    ("current", "wanted", "verb"),
    [
        (None, WANTED, "create"),
        (WANTED, WANTED, "keep"),
        (WANTED, None, "delete"),
        (None, None, "skip"),
        # as older configurations look
        ({"Role": "role", "Rules": [{**WANTED["Rules"][0], "Filter": {}, "Prefix": ""}]}, WANTED, "keep"),
        ({"Role": "other", "Rules": WANTED["Rules"]}, WANTED, "modify"),
        ({"Role": "role", "Rules": [{**WANTED["Rules"][0], "Filter": {"Prefix": "x"}}]}, WANTED, "modify"),
        ({"Role": "role", "Rules": [{**WANTED["Rules"][0], "Filter": {"Tag": {"Key": "a"}}}]}, WANTED, "modify"),
    ],
)
def test_plan(current: t.Any, wanted: t.Any, verb: str) -> None:
    assert subject.plan("here", current, wanted).verb == verb

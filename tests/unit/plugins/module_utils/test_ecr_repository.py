# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between a repository and what it should be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.palier.aws.plugins.module_utils import ecr_repository
from ansible_collections.palier.aws.plugins.module_utils.ecr_repository import Repository, RepositoryError

POLICY = {"rules": [{"rulePriority": 1, "selection": {"tagPrefixList": ["b", "a"]}}]}
WANTED = Repository("shop/web", lifecycle=POLICY, policy={"Action": ["b", "a"]}, tags={"Stack": "shop"})


def plan(current, wanted=WANTED, purge_tags=True, touch=("lifecycle", "policy")):
    return [
        (step.verb, step.reason) for step in ecr_repository.plan(current, wanted, purge_tags=purge_tags, touch=touch)
    ]


def test_a_missing_one_is_created_whole():
    [step] = ecr_repository.plan(None, WANTED, purge_tags=True)
    assert (step.verb, step.before) == ("create", None)
    assert step.after["tags"] == {"Stack": "shop"}


def test_an_equal_one_is_kept():
    same = replace(WANTED, policy={"Action": ["a", "b"]})
    assert plan(same) == [("keep", "it is as wanted")]


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ({"mutability": "MUTABLE"}, [("modify", "image tag mutability differs")]),
        ({"exclusions": ("latest",)}, [("modify", "image tag mutability differs")]),
        ({"scan_on_push": False}, [("modify", "scan on push differs")]),
        ({"lifecycle": None}, [("modify", "lifecycle policy differs")]),
        ({"policy": {"Action": "c"}}, [("modify", "policy differs")]),
        ({"tags": {}}, [("tag", "tags differ")]),
        ({"tags": {"Stack": "shop", "more": "x"}}, [("tag", "tags differ")]),
    ],
)
def test_each_difference_is_a_step(current, expected):
    assert plan(replace(WANTED, **current)) == expected


def test_what_was_not_spoken_about_stays():
    other = replace(WANTED, lifecycle=None, policy=None, tags={"Stack": "shop", "more": "x"})
    assert plan(other, purge_tags=False, touch=()) == [("keep", "it is as wanted")]


@pytest.mark.parametrize("current", [{"encryption": "KMS"}, {"encryption": "KMS", "kms_key": "arn:aws:kms:key"}])
def test_encryption_cannot_change(current):
    with pytest.raises(RepositoryError, match="ECR cannot change that"):
        plan(replace(WANTED, **current))


def test_an_unnamed_key_is_any_key():
    current = replace(WANTED, encryption="KMS", kms_key="arn:aws:kms:key")
    assert plan(current, replace(WANTED, encryption="KMS")) == [("keep", "it is as wanted")]
    with pytest.raises(RepositoryError):
        plan(current, replace(WANTED, encryption="KMS", kms_key="arn:aws:kms:other"))


def test_the_creation_request_is_ecrs():
    wanted = Repository("a/b", "IMMUTABLE_WITH_EXCLUSION", ("latest",), True, "KMS", None, tags={"k": "v"})
    assert wanted.creation() == {
        "repositoryName": "a/b",
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "latest"}],
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfiguration": {"encryptionType": "KMS"},
        "tags": [{"Key": "k", "Value": "v"}],
    }


def test_what_ecr_describes_is_read_back():
    wanted = replace(WANTED, mutability="IMMUTABLE_WITH_EXCLUSION", exclusions=("latest",))
    described = {key: value for key, value in wanted.creation().items() if key != "tags"}
    read = ecr_repository.from_aws(described, '{"rules": []}', None, wanted.tags)
    assert read == replace(wanted, lifecycle={"rules": []}, policy=None)
    assert ecr_repository.mutability(described).is_immutable("v1")


@pytest.mark.parametrize(
    ("encryption", "key", "given", "expected"),
    [
        ("AES256", None, None, ("AES256", None)),
        ("AES256", None, "arn:there", ("KMS", "arn:there")),
        ("KMS", "arn:here", None, ("KMS", None)),
        ("KMS_DSSE", "arn:here", "arn:there", ("KMS_DSSE", "arn:there")),
    ],
)
def test_a_standby_never_takes_the_sources_key(encryption, key, given, expected):
    source = replace(WANTED, encryption=encryption, kms_key=key)
    made = ecr_repository.standby(source, "standby/web", given, {"Stack": "standby"})
    assert (made.encryption, made.kms_key) == expected
    assert (made.name, made.tags, made.lifecycle) == ("standby/web", {"Stack": "standby"}, source.lifecycle)

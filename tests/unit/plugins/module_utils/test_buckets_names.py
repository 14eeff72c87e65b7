# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a bucket's name and region say."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.module_utils.buckets_names import bucket_names, website_endpoint


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("us-east-1", "b.s3-website-us-east-1.amazonaws.com"),
        ("eu-west-1", "b.s3-website-eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "b.s3-website-us-gov-west-1.amazonaws.com"),
        ("eu-west-3", "b.s3-website.eu-west-3.amazonaws.com"),
        ("us-east-2", "b.s3-website.us-east-2.amazonaws.com"),
        ("cn-north-1", "b.s3-website.cn-north-1.amazonaws.com.cn"),
        ("some-new-1", "b.s3-website.some-new-1.amazonaws.com"),
    ],
)
def test_website_endpoints_follow_the_table_of_aws(region: str, expected: str) -> None:
    assert website_endpoint("b", region) == expected


def test_names_are_known_before_the_bucket_exists() -> None:
    assert bucket_names("shop", "eu-west-3") == {
        "name": "shop",
        "arn": "arn:aws:s3:::shop",
        "region": "eu-west-3",
        "domain_name": "shop.s3.amazonaws.com",
        "regional_domain_name": "shop.s3.eu-west-3.amazonaws.com",
        "website_endpoint": "shop.s3-website.eu-west-3.amazonaws.com",
        "website_url": "http://shop.s3-website.eu-west-3.amazonaws.com",
        "website_hosted_zone_id": "Z3R1K369G5AVDG",
    }


@pytest.mark.parametrize(
    ("region", "arn"),
    [("us-gov-east-1", "arn:aws-us-gov:s3:::b"), ("cn-north-1", "arn:aws-cn:s3:::b"), ("sa-east-1", "arn:aws:s3:::b")],
)
def test_arn_carries_the_partition(region: str, arn: str) -> None:
    assert bucket_names("b", region)["arn"] == arn


def test_an_unknown_region_has_no_website_zone() -> None:
    assert bucket_names("b", "some-new-1")["website_hosted_zone_id"] is None

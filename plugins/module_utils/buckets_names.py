# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What follows from a bucket's name and region alone: its ARN and its host names."""

from __future__ import annotations

import typing as t

#: Regions whose website endpoint is written with a dash (``s3-website-REGION``), every other one has a dot.
#: Source: AWS General Reference, "Amazon S3 endpoints and quotas", table of website endpoints.
DASH_REGIONS = frozenset(
    {
        "ap-northeast-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "eu-west-1",
        "sa-east-1",
        "us-east-1",
        "us-gov-west-1",
        "us-west-1",
        "us-west-2",
    }
)

#: Route 53 zone that an alias record to a website endpoint must name, same source. Other regions give None.
WEBSITE_ZONES = {
    "ap-northeast-1": "Z2M4EHUR26P7ZW",
    "ap-northeast-2": "Z3W03O7B5YMIYP",
    "ap-northeast-3": "Z2YQB5RD63NC85",
    "ap-south-1": "Z11RGJOFQNVJUP",
    "ap-southeast-1": "Z3O0J2DXBE1FTB",
    "ap-southeast-2": "Z1WCIGYICN2BYD",
    "ca-central-1": "Z1QDHH18159H29",
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-north-1": "Z3BAZG2TWCNX0D",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-west-2": "Z3GKZC51ZF0DB4",
    "eu-west-3": "Z3R1K369G5AVDG",
    "sa-east-1": "Z7KQH4QJS55SO",
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
}


def partition_of(region: str) -> str:
    """The AWS partition (``aws``, ``aws-cn``, ``aws-us-gov``) of a region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if partition_of(region) == "aws-cn" else "amazonaws.com"


def bucket_arn(name: str, region: str) -> str:
    """The bucket's ARN."""
    return f"arn:{partition_of(region)}:s3:::{name}"


def website_endpoint(name: str, region: str) -> str:
    """The host name under which S3 serves the bucket as a website (HTTP only)."""
    separator = "-" if region in DASH_REGIONS else "."
    return f"{name}.s3-website{separator}{region}.{_suffix(region)}"


def bucket_names(name: str, region: str) -> dict[str, t.Any]:
    """All that is known of a bucket before it exists, as the module returns it.

    :param name: the bucket's name.
    :param region: the region's code, for example ``eu-west-3``.
    """
    endpoint = website_endpoint(name, region)
    return {
        "name": name,
        "arn": bucket_arn(name, region),
        "region": region,
        "domain_name": f"{name}.s3.{_suffix(region)}",
        "regional_domain_name": f"{name}.s3.{region}.{_suffix(region)}",
        "website_endpoint": endpoint,
        "website_url": f"http://{endpoint}",
        "website_hosted_zone_id": WEBSITE_ZONES.get(region),
    }

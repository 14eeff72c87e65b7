# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What CloudFront's things have in common, and the names that AWS gives to what it manages itself."""

from __future__ import annotations

import typing as t

Shape = dict[str, t.Any]

#: CloudFront is global and answers in this region; it takes certificates from nowhere else (CloudFront Developer Guide,
#: "Requirements for using SSL/TLS certificates with CloudFront").
HOME = "us-east-1"

#: The Route 53 zone that an alias record to any distribution names (Route 53 API reference, AliasTarget).
HOSTED_ZONE = "Z2FDTNDATAQYW2"

#: CloudFront Developer Guide, "Use managed cache policies".
CACHE_POLICIES = {
    "CachingOptimized": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "CachingDisabled": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
}
#: CloudFront Developer Guide, "Use managed origin request policies".
ORIGIN_REQUEST_POLICIES = {
    "AllViewer": "216adef6-5c7f-47e4-b989-5492eafa07d3",
    "AllViewerExceptHostHeader": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
    "CORS-S3Origin": "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
}

#: The tag that says which content a distribution served when its caches were last emptied.
CONTENT_TAG = "palier:content"


def listed(items: t.Iterable[t.Any]) -> Shape:
    """A list in CloudFront's shape, which counts what it holds and has no C(Items) when that is nothing."""
    values = list(items)
    return {"Quantity": len(values), "Items": values} if values else {"Quantity": 0}


def items_of(shape: t.Any) -> list[t.Any]:
    """The elements of a list in CloudFront's shape."""
    return list((shape or {}).get("Items") or [])


def tags_shape(tags: t.Mapping[str, t.Any]) -> Shape:
    """Tags in CloudFront's shape."""
    return {"Items": [{"Key": key, "Value": str(value)} for key, value in tags.items()]}


def differences(current: Shape, wanted: Shape) -> list[str]:
    """The names of the values in which a flat configuration is not as wanted."""
    return [name for name, value in wanted.items() if (current.get(name) or "") != (value or "")]

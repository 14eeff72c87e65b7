# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the resources of a stack are named when they are listed."""

from __future__ import annotations

import re
import typing as t

ARN = re.compile(r"^arn:[^:]+:(?P<service>[^:]+):(?P<region>[^:]*):(?P<account>[^:]*):(?P<rest>.+)$")
KIND = re.compile(r"^/?([a-z][a-z-]*)[:/]")

#: What the services are about whose ARNs hold a name alone.
ONE_KIND = {"s3": "bucket", "sns": "topic", "sqs": "queue"}


def describe_arn(arn: str) -> dict[str, str]:
    """``arn``, ``name`` and ``type`` (``ec2:vpc``) of a resource.

    The part behind the account is C(kind/name), C(kind:name), or the name alone where a service has one kind (S3, SNS).
    """
    found = ARN.match(arn)
    if not found:
        return {"arn": arn, "name": arn, "type": "unknown"}
    service, rest = found["service"], found["rest"]
    written = KIND.match(rest)
    kind = ONE_KIND.get(service) or (written[1] if written else "resource")
    return {"arn": arn, "name": re.split(r"[/:]", rest)[-1], "type": f"{service}:{kind}"}


def from_tagging(mapping: dict[str, t.Any]) -> dict[str, str]:
    """A resource as the tagging API lists it."""
    tags = {tag["Key"]: tag["Value"] for tag in mapping.get("Tags", [])}
    return {**describe_arn(mapping["ResourceARN"]), "tier": tags.get("Tier", "")}


def from_iam(arn: str, path: str) -> dict[str, str]:
    """A role, instance profile or policy; its tier is the directory below the stack's path."""
    below = arn.partition(path)[2]
    tier = below.partition("/")[0] if "/" in below else path.rstrip("/").rpartition("/")[2]
    return {**describe_arn(arn), "tier": tier}

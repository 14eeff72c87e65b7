# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which API operation a request asks for, and whether it may change something."""

from __future__ import annotations

import functools
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import parse_qsl

#: boto3's names of services that sign with another name. Where several share one, the request decides.
_SERVICES = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "aps": ("amp",),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elbv2", "elb"),
    "elasticmapreduce": ("emr",),
    "es": ("opensearch", "es"),
    "monitoring": ("cloudwatch",),
    "s3": ("s3", "s3control"),
    "servicequotas": ("service-quotas",),
    "ses": ("sesv2", "ses"),
    "sso": ("sso-admin",),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
}
#: The same for query services, where the form says the API version.
_BY_VERSION = {
    ("elasticloadbalancing", "2012-06-01"): "elb",
    ("elasticloadbalancing", "2015-12-01"): "elbv2",
    ("ses", "2010-12-01"): "ses",
}

_READ = re.compile(
    "(?:BatchCheck|BatchDescribe|BatchGet|Count|Decode|Describe|Estimate|Filter|Get|Head|List|Lookup|Query|Scan"
    "|Search|Select|Simulate|Validate|View)(?=[A-Z0-9]|$)"
)
#: Reads whose names do not start like one.
_ALSO_READ = frozenset(
    {
        ("events", "TestEventPattern"),
        ("logs", "TestMetricFilter"),
        ("rds", "DownloadDBLogFilePortion"),
        ("route53", "TestDNSAnswer"),
        ("sts", "AssumeRole"),
        ("sts", "AssumeRoleWithSAML"),
        ("sts", "AssumeRoleWithWebIdentity"),
        ("sts", "AssumeRoot"),
    }
)
#: Writes whose names start like a read: they create an identity, or send a message.
_STILL_WRITE = frozenset(
    {
        ("cognito-identity", "GetId"),
        ("cognito-identity", "GetOpenIdTokenForDeveloperIdentity"),
        ("cognito-idp", "GetUserAttributeVerificationCode"),
    }
)

_SMITHY = re.compile(r"^/service/[^/]+/operation/(\w+)$")
_VIRTUAL_HOST = re.compile(r"^(?P<bucket>.+)\.s3[.-][a-z0-9.-]*amazonaws\.com(:\d+)?$")
#: Two S3 calls that only this header tells from the ones that carry the bytes themselves.
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}


def is_write(service: str | None, operation: str | None) -> bool:
    """Whether the operation may change something in the account; what is not known to be a read counts as a write.

    :param service: boto3's name of the service, such as C{ec2}.
    :param operation: the API's name of the operation, such as C{DescribeInstances}.
    """
    if operation is None or (service, operation) in _STILL_WRITE:
        return True
    return _READ.match(operation) is None and (service, operation) not in _ALSO_READ


def resolve(
    *,
    signing_name: str | None,
    method: str,
    path: str,
    query: str = "",
    target: str | None = None,
    form: str = "",
    host: str = "",
    copies: bool = False,
) -> tuple[str | None, str | None]:
    """The service, by boto3's name, and the operation that a request asks for; None where it cannot be told.

    :param signing_name: the service in the signature's scope; an unsigned request counts as one to S3.
    :param method: the HTTP method.
    :param path: the decoded path.
    :param query: the query string.
    :param target: the C{X-Amz-Target} header of the JSON protocols.
    :param form: the body of the query and EC2 protocols.
    :param host: the C{Host} header.
    :param copies: whether S3's C{x-amz-copy-source} header is there.
    """
    candidates = _SERVICES.get(signing_name or "s3", (signing_name or "s3",))
    if target is not None:
        return _by_target(candidates, target), target.rpartition(".")[2]
    smithy = _SMITHY.match(path)
    if smithy:
        return candidates[0], smithy[1]
    fields = dict(parse_qsl(form or query, keep_blank_values=True))
    if "Action" in fields:
        return _BY_VERSION.get((signing_name or "", fields.get("Version", "")), candidates[0]), fields["Action"]
    virtual = _VIRTUAL_HOST.match(host)
    if virtual and candidates[0] == "s3":
        path = f"/{virtual['bucket']}{path}"
    return _by_path(candidates, method, path, dict(parse_qsl(query, keep_blank_values=True)), copies)


def _by_target(candidates: tuple[str, ...], target: str) -> str:
    return "dynamodbstreams" if target.startswith("DynamoDBStreams_") else candidates[0]


def _by_path(
    candidates: tuple[str, ...], method: str, path: str, query: dict[str, str], copies: bool
) -> tuple[str | None, str | None]:
    if candidates[0] == "s3" and path.startswith("/v20180820/"):
        candidates = ("s3control",)
    for service in candidates:
        for route in _routes(service, method):
            if route.matches(path, query):
                return service, _COPIES.get(route.operation, route.operation) if copies else route.operation
    return candidates[0], None


@dataclass(frozen=True)
class _Route:
    operation: str
    pattern: re.Pattern[str]
    #: Query parameters that the request must have; a value of None means any.
    required: tuple[tuple[str, str | None], ...]

    def matches(self, path: str, query: dict[str, str]) -> bool:
        if any(name not in query or value not in (None, query[name]) for name, value in self.required):
            return False
        return self.pattern.fullmatch(path) is not None


@functools.lru_cache
def _routes(service: str, method: str) -> tuple[_Route, ...]:
    """The routes of a REST service for one method, the most particular first."""
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import Loader

    try:
        model = Loader().load_service_model(service, "service-2")
    except UnknownServiceError:
        return ()
    routes = [
        _route(name, operation, model["shapes"])
        for name, operation in model["operations"].items()
        if operation.get("http", {}).get("method") == method and name not in _COPIES.values()
    ]
    # More required parameters first, then more literal text in the path, then the current one of two versions.
    deprecated = {name for name, operation in model["operations"].items() if operation.get("deprecated")}
    routes.sort(key=lambda route: (-len(route.required), -_literal(route), route.operation in deprecated))
    return tuple(routes)


def _route(name: str, operation: dict[str, t.Any], shapes: dict[str, t.Any]) -> _Route:
    uri, _, literal_query = operation["http"]["requestUri"].partition("?")
    required: dict[str, str | None] = dict.fromkeys(_required_arguments(operation, shapes))
    required |= {key: value or None for key, value in parse_qsl(literal_query, keep_blank_values=True)}
    labels = re.split(r"(\{[^}]+\})", uri.rstrip("/") or "/")
    parts = [_label(part) if part.startswith("{") else re.escape(part) for part in labels]
    return _Route(name, re.compile("".join(parts) + "/?"), tuple(required.items()))


def _label(text: str) -> str:
    return ".+" if text.endswith("+}") else "[^/]+"


def _required_arguments(operation: dict[str, t.Any], shapes: dict[str, t.Any]) -> t.Iterator[str]:
    shape = shapes.get(operation.get("input", {}).get("shape"), {})
    for name in shape.get("required", ()):
        member = shape["members"][name]
        if member.get("location") == "querystring":
            yield member["locationName"]


def _literal(route: _Route) -> int:
    return len(route.pattern.pattern.replace(".+", "").replace("[^/]+", ""))

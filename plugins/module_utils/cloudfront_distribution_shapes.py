# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""C(DistributionConfig) of the module's options: only what the options name."""

from __future__ import annotations

import re

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.cloudfront import (
    CACHE_POLICIES,
    HOME,
    ORIGIN_REQUEST_POLICIES,
    Shape,
    listed,
)

#: What a viewer may ask of an origin that only serves files, and of one that answers a program.
METHODS = {
    "read": ["GET", "HEAD"],
    "options": ["GET", "HEAD", "OPTIONS"],
    "all": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
}
_CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:(?P<region>[a-z0-9-]+):\d+:certificate/.+\Z")


def given(values: Shape) -> Shape:
    """The entries that were given."""
    return {key: value for key, value in values.items() if value is not None}


def wanted_config(params: Shape) -> Shape:
    """The part of ``DistributionConfig`` that the module's options decide.

    :raises AnsibleAWSError: when an option is not usable.
    """
    aliases = params.get("aliases")
    origins, behaviors, errors = params.get("origins"), params.get("behaviors"), params.get("error_responses")
    return given(
        {
            "Comment": params.get("comment"),
            "Enabled": params.get("enabled"),
            "Aliases": None if aliases is None else listed(aliases),
            "DefaultRootObject": params.get("default_root_object"),
            "PriceClass": params.get("price_class"),
            "HttpVersion": params.get("http_version"),
            "IsIPV6Enabled": params.get("ipv6"),
            "WebACLId": params.get("web_acl_arn"),
            "ViewerCertificate": viewer_certificate(params),
            "Logging": _logging(params.get("logging")),
            "Origins": None if origins is None else listed(_origin(one) for one in origins),
            "DefaultCacheBehavior": _behavior(params.get("default_behavior")),
            "CacheBehaviors": None if behaviors is None else listed(_path_behavior(one) for one in behaviors),
            "CustomErrorResponses": None if errors is None else listed(_error_response(one) for one in errors),
        }
    )


def viewer_certificate(params: Shape) -> Shape | None:
    """``ViewerCertificate``: the named certificate, CloudFront's own for C(''), or nothing when none is named.

    :raises AnsibleAWSError: when names of one's own come without a certificate, or it is in another region.
    """
    arn = params.get("certificate_arn")
    if params.get("aliases") and not arn and params.get("certificate_arn") is not None:
        raise AnsibleAWSError(
            message=f"certificate_arn is empty and aliases are {', '.join(params['aliases'])}: CloudFront serves names"
            f" of one's own with a certificate only; name one of {HOME} that holds for them"
        )
    if arn is None:
        return None
    if not arn:
        # CloudFront's own certificate comes with TLSv1 and takes no other minimum.
        return {"CloudFrontDefaultCertificate": True}
    found = _CERTIFICATE.match(arn)
    if found is None or found["region"] != HOME:
        raise AnsibleAWSError(
            message=f"certificate_arn is {arn}: CloudFront takes certificates of AWS Certificate Manager in {HOME}"
            f" only; request it there and name its ARN (arn:aws:acm:{HOME}:…)"
        )
    return {
        "CloudFrontDefaultCertificate": False,
        "ACMCertificateArn": arn,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": params["minimum_protocol_version"],
    }


def _logging(option: Shape | None) -> Shape | None:
    if option is None:
        return None
    if not option.get("bucket"):
        return {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
    return {
        "Enabled": True,
        "IncludeCookies": bool(option.get("include_cookies")),
        "Bucket": option["bucket"],
        "Prefix": option.get("prefix") or "",
    }


def _origin(option: Shape) -> Shape:
    headers = [{"HeaderName": name, "HeaderValue": value} for name, value in (option.get("headers") or {}).items()]
    shape = {
        "Id": option["id"],
        "DomainName": option["domain_name"],
        "OriginPath": option.get("path") or "",
        "CustomHeaders": listed(headers),
    }
    if option.get("protocol") == "s3":
        return {
            **shape,
            "S3OriginConfig": {"OriginAccessIdentity": ""},
            "OriginAccessControlId": option.get("origin_access_control_id") or "",
        }
    return {**shape, "CustomOriginConfig": _custom_origin(option), "OriginAccessControlId": ""}


def _custom_origin(option: Shape) -> Shape:
    return {
        "HTTPPort": option["http_port"],
        "HTTPSPort": option["https_port"],
        "OriginProtocolPolicy": option["protocol"],
        "OriginSslProtocols": listed(["TLSv1.2"]),
        "OriginReadTimeout": option["read_timeout"],
        "OriginKeepaliveTimeout": option["keepalive_timeout"],
    }


def _behavior(option: Shape | None) -> Shape | None:
    if option is None:
        return None
    methods = METHODS[option["methods"]]
    functions = [{"EventType": event, "FunctionARN": arn} for event, arn in (option.get("functions") or {}).items()]
    shape = {
        "TargetOriginId": option["origin"],
        "ViewerProtocolPolicy": option["viewer_protocol"],
        "AllowedMethods": {**listed(methods), "CachedMethods": listed(METHODS["read"])},
        "Compress": option["compress"],
        "CachePolicyId": CACHE_POLICIES.get(option["cache_policy"], option["cache_policy"]),
        "OriginRequestPolicyId": _request_policy(option.get("origin_request_policy")),
        "ResponseHeadersPolicyId": option.get("response_headers_policy"),
        "TrustedKeyGroups": _key_groups(option.get("key_groups")),
        "FunctionAssociations": None if option.get("functions") is None else listed(functions),
    }
    return given(shape)


def _request_policy(name: str | None) -> str | None:
    return None if name is None else ORIGIN_REQUEST_POLICIES.get(name, name)


def _key_groups(groups: list[str] | None) -> Shape | None:
    return None if groups is None else {"Enabled": bool(groups), **listed(groups)}


def _path_behavior(option: Shape) -> Shape:
    return {"PathPattern": option["path"], **(_behavior(option) or {})}


def _error_response(option: Shape) -> Shape:
    shape: Shape = {"ErrorCode": option["code"], "ErrorCachingMinTTL": option["ttl"]}
    if option.get("page"):
        shape |= {
            "ResponsePagePath": option["page"],
            "ResponseCode": str(option.get("response_code") or option["code"]),
        }
    return shape

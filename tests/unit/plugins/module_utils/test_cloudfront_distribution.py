# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to a distribution, without AWS."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import cloudfront_distribution as subject
from ansible_collections.palier.aws.plugins.module_utils.cloudfront_distribution_shapes import wanted_config
from ansible_collections.palier.aws.plugins.modules.cloudfront_distribution import ARGUMENTS

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/x"
SITE = {"id": "site", "domain_name": "b.s3.eu-west-3.amazonaws.com", "origin_access_control_id": "E1"}


def wanted(**options: t.Any) -> dict[str, t.Any]:
    """The wanted part of the configuration of some options, filled up as the module does."""
    result = ArgumentSpecValidator(ARGUMENTS).validate({"name": "shop", **options})
    assert not result.error_messages
    return wanted_config(result.validated_parameters)


def answered(**options: t.Any) -> dict[str, t.Any]:
    """What AWS has of these options, with what it fills in."""
    config = subject.new_config("shop", wanted(**options), "reference")
    config |= {"Staging": False, "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}}}
    for origin in config["Origins"]["Items"]:
        origin |= {"ConnectionAttempts": 3, "ConnectionTimeout": 10, "OriginShield": {"Enabled": False}}
    config["DefaultCacheBehavior"] |= {"SmoothStreaming": False, "LambdaFunctionAssociations": {"Quantity": 0}}
    config["DefaultCacheBehavior"]["AllowedMethods"]["Items"].reverse()
    config.setdefault("ViewerCertificate", {})["CertificateSource"] = "cloudfront"
    return config


BASE: dict[str, t.Any] = {
    "aliases": ["www.example.com", "example.com"],
    "certificate_arn": CERTIFICATE,
    "origins": [SITE],
    "default_behavior": {"origin": "site", "functions": {}, "key_groups": []},
    "behaviors": [{"path": "/private/*", "origin": "site", "key_groups": ["g"]}, {"path": "/x/*", "origin": "site"}],
    "error_responses": [{"code": 404, "page": "/404.html"}, {"code": 403}],
    "logging": {"bucket": "logs.s3.amazonaws.com", "prefix": "shop/"},
}


def test_what_aws_fills_in_is_no_difference() -> None:
    assert subject.changed_paths(answered(**BASE), wanted(**BASE)) == []


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"aliases": ["example.com", "www.example.com"]}, []),
        ({"aliases": ["example.com"]}, ["Aliases"]),
        ({"error_responses": BASE["error_responses"][::-1]}, []),
        ({"behaviors": BASE["behaviors"][::-1]}, ["CacheBehaviors"]),
        ({"behaviors": BASE["behaviors"][:1]}, ["CacheBehaviors"]),
        ({"price_class": "PriceClass_All"}, ["PriceClass"]),
        ({"http_version": "http2"}, ["HttpVersion"]),
        ({"ipv6": False}, ["IsIPV6Enabled"]),
        ({"logging": {}}, ["Logging"]),
        ({"web_acl_arn": ""}, []),
        ({"minimum_protocol_version": "TLSv1.2_2025"}, ["ViewerCertificate"]),
        ({"aliases": [], "certificate_arn": ""}, ["Aliases", "ViewerCertificate"]),
        ({"origins": [{**SITE, "origin_access_control_id": "E2"}]}, ["Origins.site.OriginAccessControlId"]),
        ({"origins": [SITE, {**SITE, "id": "more"}]}, ["Origins"]),
        ({"default_behavior": {"origin": "site", "methods": "all"}}, ["DefaultCacheBehavior.AllowedMethods"]),
        ({"default_behavior": {"origin": "site", "key_groups": ["g"]}}, ["DefaultCacheBehavior.TrustedKeyGroups"]),
        (
            {"default_behavior": {"origin": "site", "functions": {"viewer-request": "arn"}}},
            ["DefaultCacheBehavior.FunctionAssociations"],
        ),
        (
            {"error_responses": [{"code": 404, "page": "/404.html", "response_code": 200}, {"code": 403}]},
            ["CustomErrorResponses.404.ResponseCode"],
        ),
    ],
)
def test_differences(change: dict[str, t.Any], paths: list[str]) -> None:
    asked = wanted(**{**BASE, **change})
    current = answered(**BASE)
    assert subject.changed_paths(current, asked) == paths
    # What is written then is what is wanted, and what nobody named is still there.
    written = subject.overlay(current, asked)
    assert subject.changed_paths(written, asked) == []
    assert (written["CallerReference"], written["Staging"]) == ("reference", False)
    assert written["Origins"]["Items"][0]["ConnectionAttempts"] == 3
    assert written["Origins"]["Quantity"] == len(written["Origins"]["Items"])


def test_the_order_of_members_means_nothing() -> None:
    behavior = {"origin": "site", "functions": {"viewer-request": "arn"}}
    current = answered(**{**BASE, "default_behavior": behavior})
    (function,) = current["DefaultCacheBehavior"]["FunctionAssociations"]["Items"]
    current["DefaultCacheBehavior"]["FunctionAssociations"]["Items"] = [dict(reversed(list(function.items())))]
    assert subject.changed_paths(current, wanted(**{**BASE, "default_behavior": behavior})) == []


def test_a_cache_policy_takes_the_place_of_forwarded_values() -> None:
    current = answered(**BASE)
    current["DefaultCacheBehavior"] |= {"ForwardedValues": {"QueryString": False}, "MinTTL": 0, "CachePolicyId": ""}
    written = subject.overlay(current, wanted(**BASE))
    assert not {"ForwardedValues", "MinTTL"} & set(written["DefaultCacheBehavior"])


def test_an_origin_has_one_kind() -> None:
    api = {"id": "site", "domain_name": "lb.example.com", "protocol": "https-only"}
    written = subject.overlay(answered(**BASE), wanted(**{**BASE, "origins": [api]}))
    (origin,) = written["Origins"]["Items"]
    assert "S3OriginConfig" not in origin
    assert origin["OriginAccessControlId"] == ""
    assert origin["CustomOriginConfig"]["OriginSslProtocols"] == {"Quantity": 1, "Items": ["TLSv1.2"]}


def test_names_of_policies() -> None:
    behavior = {"origin": "api", "cache_policy": "CachingDisabled", "origin_request_policy": "AllViewer"}
    made = wanted(default_behavior=behavior)["DefaultCacheBehavior"]
    assert made["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert made["OriginRequestPolicyId"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"
    own = wanted(default_behavior={"origin": "api", "cache_policy": "own-id"})["DefaultCacheBehavior"]
    assert own["CachePolicyId"] == "own-id"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aliases": ["www.example.com"], "certificate_arn": ""}, "certificate_arn is empty and aliases"),
        ({"certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-3")}, "in us-east-1 only"),
        ({"certificate_arn": "www"}, "in us-east-1 only"),
    ],
)
def test_certificates_that_cloudfront_does_not_take(options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(AnsibleAWSError, match=message):
        wanted(**options)


def test_a_new_distribution_without_an_origin() -> None:
    with pytest.raises(AnsibleAWSError, match="origins and default_behavior missing"):
        subject.new_config("shop", {}, "x")


def test_no_distribution_has_no_ids() -> None:
    assert (subject.facts(None)["id"], subject.facts(None)["hosted_zone_id"]) == ("", "Z2FDTNDATAQYW2")

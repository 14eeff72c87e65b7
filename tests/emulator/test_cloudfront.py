# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, mends, refusal

BUCKET = "shop-prod-site"
PEM = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"
CACHE = "658327ea-f89d-4fab-a63d-7e88639e58f6"


@pytest.fixture
def cloudfront(emulator: Emulator) -> t.Any:
    return emulator.client("cloudfront")


def config(behavior: dict[str, t.Any] | None = None, origin: dict[str, t.Any] | None = None, **more: t.Any) -> t.Any:
    return {
        "CallerReference": more.pop("reference", "one"),
        "Comment": "shop",
        "Enabled": True,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "site",
                    "DomainName": f"{BUCKET}.s3.{REGION}.amazonaws.com",
                    "S3OriginConfig": {"OriginAccessIdentity": ""},
                    **(origin or {}),
                }
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "site",
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": CACHE,
            **(behavior or {}),
        },
        **more,
    }


def create(client: t.Any, **arguments: t.Any) -> t.Any:
    return client.create_distribution(DistributionConfig=config(**arguments))


def named(*names: str, certificate: str = "") -> dict[str, t.Any]:
    """The aliases of a distribution, and its certificate."""
    shape: dict[str, t.Any] = {"Aliases": {"Quantity": len(names), "Items": list(names)}}
    if certificate:
        shape["ViewerCertificate"] = {"ACMCertificateArn": certificate, "SSLSupportMethod": "sni-only"}
    return shape


@mends("cloudfront.deployment", "cloudfront.disabled_first", "cloudfront.etags")
def test_a_distribution_is_disabled_everywhere_before_it_is_deleted(cloudfront: t.Any) -> None:
    made = create(cloudfront)
    identifier = made["Distribution"]["Id"]
    assert made["Distribution"]["Status"] == "InProgress"
    assert cloudfront.get_distribution(Id=identifier)["Distribution"]["Status"] == "Deployed"
    assert refusal(cloudfront.delete_distribution, Id=identifier, IfMatch=made["ETag"]) == "DistributionNotDisabled"
    off = {**config(), "Enabled": False}
    changed = cloudfront.update_distribution(Id=identifier, DistributionConfig=off, IfMatch=made["ETag"])
    assert changed["Distribution"]["Status"] == "InProgress"
    assert changed["ETag"] != made["ETag"]
    assert refusal(cloudfront.delete_distribution, Id=identifier, IfMatch=changed["ETag"]) == "DistributionNotDisabled"
    assert cloudfront.get_distribution(Id=identifier)["Distribution"]["Status"] == "Deployed"
    assert refusal(cloudfront.delete_distribution, Id=identifier, IfMatch=made["ETag"]) == "PreconditionFailed"
    cloudfront.delete_distribution(Id=identifier, IfMatch=changed["ETag"])
    assert refusal(cloudfront.get_distribution, Id=identifier) == "NoSuchDistribution"


@mends("cloudfront.behaviors")
def test_a_behavior_keeps_its_functions_and_gets_no_values_beside_its_policy(cloudfront: t.Any) -> None:
    function = {"EventType": "viewer-request", "FunctionARN": "arn:aws:cloudfront::123456789012:function/x"}
    made = create(cloudfront, behavior={"FunctionAssociations": {"Quantity": 1, "Items": [function]}})
    behavior = made["Distribution"]["DistributionConfig"]["DefaultCacheBehavior"]
    assert behavior["FunctionAssociations"]["Items"] == [function]
    assert not {"ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"} & set(behavior)


@mends("cloudfront.aliases")
def test_names_need_a_certificate_of_us_east_1_that_holds_for_them(emulator: Emulator, cloudfront: t.Any) -> None:
    assert refusal(create, client=cloudfront, **named("www.shop.example")) == "InvalidViewerCertificate"
    request = {"DomainName": "shop.example", "SubjectAlternativeNames": ["*.shop.example"]}
    certificates = {}
    for region in (REGION, "us-east-1"):
        acm = emulator.client("acm", region)
        certificates[region] = acm.request_certificate(**request)["CertificateArn"]
    elsewhere = named("www.shop.example", certificate=certificates[REGION])
    assert refusal(create, client=cloudfront, **elsewhere) == "InvalidViewerCertificate"
    pending = named("www.shop.example", certificate=certificates["us-east-1"])
    assert refusal(create, client=cloudfront, **pending) == "InvalidViewerCertificate"


@mends("cloudfront.aliases")
def test_a_name_belongs_to_one_distribution(emulator: Emulator, cloudfront: t.Any, certificate: str) -> None:
    create(cloudfront, **named("www.shop.example", certificate=certificate))
    second = named("www.shop.example", certificate=certificate)
    assert refusal(create, client=cloudfront, reference="two", **second) == "CNAMEAlreadyExists"
    uncovered = named("www.other.example", certificate=certificate)
    assert refusal(create, client=cloudfront, reference="two", **uncovered) == "InvalidViewerCertificate"
    create(cloudfront, reference="two", **named("docs.shop.example", certificate=certificate))


@pytest.fixture
def certificate(emulator: Emulator) -> str:
    """An issued certificate."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("*.shop.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    acm = emulator.client("acm")
    return t.cast(str, acm.import_certificate(Certificate=made.public_bytes(pem), PrivateKey=private)["CertificateArn"])


@mends("cloudfront.log_buckets")
def test_logs_go_to_a_bucket_with_access_control_lists(emulator: Emulator, cloudfront: t.Any) -> None:
    s3 = emulator.client("s3", REGION)
    s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": REGION})
    logging = {"Enabled": True, "IncludeCookies": False, "Bucket": "logs.s3.amazonaws.com", "Prefix": ""}
    assert refusal(create, client=cloudfront, Logging=logging) == "InvalidArgument"
    s3.put_bucket_ownership_controls(
        Bucket="logs", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    made = create(cloudfront, Logging=logging)
    assert made["Distribution"]["DistributionConfig"]["Logging"] == logging


@mends("cloudfront.references")
def test_a_distribution_names_what_exists(cloudfront: t.Any) -> None:
    origin = {"OriginAccessControlId": "E1"}
    assert refusal(create, client=cloudfront, origin=origin) == "InvalidOriginAccessControl"
    groups = {"TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": ["g"]}}
    assert refusal(create, client=cloudfront, behavior=groups) == "TrustedKeyGroupDoesNotExist"
    headers = {"ResponseHeadersPolicyId": "h"}
    assert refusal(create, client=cloudfront, behavior=headers) == "NoSuchResponseHeadersPolicy"


@mends("cloudfront.origin_access_controls", "cloudfront.origin_access")
def test_an_origin_access_control_stays_while_it_is_used(cloudfront: t.Any) -> None:
    wanted = {
        "Name": "site",
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }
    made = cloudfront.create_origin_access_control(OriginAccessControlConfig=wanted)
    again = refusal(cloudfront.create_origin_access_control, OriginAccessControlConfig=wanted)
    assert again == "OriginAccessControlAlreadyExists"
    identifier = made["OriginAccessControl"]["Id"]
    create(cloudfront, origin={"OriginAccessControlId": identifier})
    delete = cloudfront.delete_origin_access_control
    assert refusal(delete, Id=identifier, IfMatch="E0") == "PreconditionFailed"
    assert refusal(delete, Id=identifier, IfMatch=made["ETag"]) == "OriginAccessControlInUse"
    assert refusal(delete, Id="E0", IfMatch="E0") == "NoSuchOriginAccessControl"


@mends("cloudfront.key_groups", "cloudfront.public_keys")
def test_keys_and_their_group_go_in_the_right_order(cloudfront: t.Any) -> None:
    keys = [
        cloudfront.create_public_key(
            PublicKeyConfig={"CallerReference": name, "Name": name, "EncodedKey": PEM, "Comment": "ours"}
        )
        for name in ("old", "new")
    ]
    old, new = (key["PublicKey"]["Id"] for key in keys)
    assert cloudfront.list_public_keys()["PublicKeyList"]["Items"][0]["Comment"] == "ours"
    assert refusal(cloudfront.create_key_group, KeyGroupConfig={"Name": "g", "Items": ["K0"]}) == "InvalidArgument"
    wanted = {"Name": "g", "Items": [old], "Comment": "c"}
    made = cloudfront.create_key_group(KeyGroupConfig=wanted)
    group = made["KeyGroup"]["Id"]
    assert made["KeyGroup"]["KeyGroupConfig"]["Comment"] == "c"
    assert refusal(cloudfront.create_key_group, KeyGroupConfig=wanted) == "KeyGroupAlreadyExists"
    assert refusal(cloudfront.delete_public_key, Id=old, IfMatch=keys[0]["ETag"]) == "PublicKeyInUse"
    changed = cloudfront.update_key_group(Id=group, KeyGroupConfig={**wanted, "Items": [new]}, IfMatch=made["ETag"])
    cloudfront.delete_public_key(Id=old, IfMatch=keys[0]["ETag"])
    create(cloudfront, behavior={"TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group]}})
    assert refusal(cloudfront.delete_key_group, Id=group, IfMatch=changed["ETag"]) == "ResourceInUse"
    assert refusal(cloudfront.get_key_group, Id="g0") == "NoSuchResource"
    assert refusal(cloudfront.get_public_key, Id="K0") == "NoSuchPublicKey"


@mends("cloudfront.response_headers_policies")
def test_response_headers_policies(cloudfront: t.Any) -> None:
    wanted: dict[str, t.Any] = {"Name": "p", "SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}}}
    made = cloudfront.create_response_headers_policy(ResponseHeadersPolicyConfig=wanted)
    policy = made["ResponseHeadersPolicy"]["Id"]
    again = refusal(cloudfront.create_response_headers_policy, ResponseHeadersPolicyConfig=wanted)
    assert again == "ResponseHeadersPolicyAlreadyExists"
    wanted["SecurityHeadersConfig"]["FrameOptions"] = {"Override": True, "FrameOption": "DENY"}
    changed = cloudfront.update_response_headers_policy(
        Id=policy, ResponseHeadersPolicyConfig=wanted, IfMatch=made["ETag"]
    )
    found = cloudfront.get_response_headers_policy(Id=policy)["ResponseHeadersPolicy"]
    assert found["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"] == wanted["SecurityHeadersConfig"]
    create(cloudfront, behavior={"ResponseHeadersPolicyId": policy})
    delete = cloudfront.delete_response_headers_policy
    assert refusal(delete, Id=policy, IfMatch=changed["ETag"]) == "ResponseHeadersPolicyInUse"
    (listed,) = cloudfront.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"]["Items"]
    assert listed["ResponseHeadersPolicy"]["Id"] == policy


@mends("cloudfront.functions")
def test_functions_are_published(cloudfront: t.Any) -> None:
    settings = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    made = cloudfront.create_function(Name="f", FunctionConfig=settings, FunctionCode=b"one")
    assert refusal(cloudfront.describe_function, Name="f", Stage="LIVE") == "NoSuchFunctionExists"
    cloudfront.publish_function(Name="f", IfMatch=made["ETag"])
    changed = cloudfront.update_function(Name="f", FunctionConfig=settings, FunctionCode=b"two", IfMatch=made["ETag"])
    assert cloudfront.get_function(Name="f", Stage="LIVE")["FunctionCode"].read() == b"one"
    assert cloudfront.get_function(Name="f", Stage="DEVELOPMENT")["FunctionCode"].read() == b"two"
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    runs = {"Quantity": 1, "Items": [{"EventType": "viewer-request", "FunctionARN": arn}]}
    create(cloudfront, behavior={"FunctionAssociations": runs})
    assert refusal(cloudfront.delete_function, Name="f", IfMatch=changed["ETag"]) == "FunctionInUse"

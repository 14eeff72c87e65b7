# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import http.client
import json
import typing as t
from urllib.parse import urlsplit

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, mends, refusal

BUCKET = "shop-prod-site"
HOST = f"{BUCKET}.s3-website.{REGION}.amazonaws.com"
WEBSITE = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
OBJECTS = f"arn:aws:s3:::{BUCKET}/*"
READ = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": OBJECTS}
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [OBJECTS, f"arn:aws:s3:::{BUCKET}"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


class Answer(t.NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: str


@pytest.fixture
def s3(emulator: Emulator) -> t.Any:
    client = emulator.client("s3", REGION)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


@pytest.fixture
def site(s3: t.Any) -> t.Any:
    """A public website."""
    s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=WEBSITE)
    for key in ("index.html", "error.html", "docs/index.html"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=f"<p>{key}</p>".encode(), ContentType="text/html")
    s3.delete_public_access_block(Bucket=BUCKET)
    allow(s3, READ)
    return s3


def allow(s3: t.Any, *statements: dict[str, t.Any]) -> None:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))


def fetch(emulator: Emulator, path: str = "/", host: str = HOST, method: str = "GET", proxied: bool = True) -> Answer:
    address = urlsplit(emulator.endpoint)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.request(method, f"http://{host}{path}" if proxied else path, headers={"Host": host})
    answer = connection.getresponse()
    found = Answer(answer.status, answer.headers, answer.read().decode())
    connection.close()
    return found


def test_pages_are_served_through_the_proxy_and_by_host_name(emulator: Emulator, site: t.Any) -> None:
    for proxied in (True, False):
        answer = fetch(emulator, proxied=proxied)
        assert (answer.status, answer.body) == (200, "<p>index.html</p>")
        assert answer.headers["Content-Type"] == "text/html"
    assert fetch(emulator, "/docs/").body == "<p>docs/index.html</p>"
    assert fetch(emulator, "/docs/index.html").status == 200


def test_head_has_no_body(emulator: Emulator, site: t.Any) -> None:
    answer = fetch(emulator, method="HEAD")
    assert (answer.status, answer.body) == (200, "")
    assert answer.headers["Content-Length"] == str(len("<p>index.html</p>"))
    assert fetch(emulator, method="POST").status == 405


def test_a_folder_without_its_slash_is_redirected(emulator: Emulator, site: t.Any) -> None:
    answer = fetch(emulator, "/docs")
    assert (answer.status, answer.headers["Location"]) == (302, "/docs/")


def test_a_missing_page_gets_the_error_document(emulator: Emulator, site: t.Any) -> None:
    answer = fetch(emulator, "/nothing")
    assert (answer.status, answer.body) == (404, "<p>error.html</p>")
    site.delete_object(Bucket=BUCKET, Key="error.html")
    answer = fetch(emulator, "/nothing")
    assert answer.status == 404
    assert answer.headers["x-amz-error-code"] == "NoSuchKey"


def test_what_is_not_public_is_forbidden(emulator: Emulator, site: t.Any) -> None:
    site.delete_bucket_policy(Bucket=BUCKET)
    assert fetch(emulator).status == 403
    allow(site, {**READ, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}})
    assert fetch(emulator).status == 403


def test_a_policy_for_tls_only_closes_the_endpoint(emulator: Emulator, site: t.Any) -> None:
    allow(site, READ, TLS_ONLY)
    assert fetch(emulator).status == 403
    assert site.get_object(Bucket=BUCKET, Key="index.html")["Body"].read() == b"<p>index.html</p>"


def test_restrict_public_buckets_closes_the_endpoint(emulator: Emulator, site: t.Any) -> None:
    site.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert fetch(emulator).status == 403


def test_an_object_under_a_kms_key_is_not_served(emulator: Emulator, site: t.Any) -> None:
    site.put_object(Bucket=BUCKET, Key="index.html", Body=b"x", ServerSideEncryption="aws:kms")
    assert fetch(emulator).status == 403


def test_hosts_that_are_no_site(emulator: Emulator, s3: t.Any) -> None:
    assert fetch(emulator).headers["x-amz-error-code"] == "NoSuchWebsiteConfiguration"
    assert (
        fetch(emulator, host=f"nobody.s3-website.{REGION}.amazonaws.com").headers["x-amz-error-code"] == "NoSuchBucket"
    )
    elsewhere = fetch(emulator, host=f"{BUCKET}.s3-website-us-east-1.amazonaws.com")
    assert (elsewhere.status, elsewhere.headers["x-amz-error-code"]) == (400, "IncorrectEndpoint")


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "169.254.169.254",
        f"{BUCKET}.s3-website-{REGION}.amazonaws.com",
        f"{BUCKET}.s3-website.us-east-1.amazonaws.com",
        "ec2.eu-west-3.amazonaws.com",
    ],
)
def test_nothing_else_is_proxied(emulator: Emulator, host: str) -> None:
    assert fetch(emulator, host=host).status == 502
    last = emulator.requests()[-1]
    assert (last["service"], last["host"], last["write"]) == ("proxy", host, False)


def test_a_tunnel_is_refused(emulator: Emulator) -> None:
    address = urlsplit(emulator.endpoint)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.set_tunnel("example.com", 443)
    with pytest.raises(OSError, match="502"):
        connection.request("GET", "/")
    connection.close()


def test_an_endpoint_with_a_hyphen(emulator: Emulator) -> None:
    s3 = emulator.client("s3", "us-east-1")
    s3.create_bucket(Bucket="old-region")
    s3.put_bucket_website(Bucket="old-region", WebsiteConfiguration={"RedirectAllRequestsTo": {"HostName": "x.org"}})
    answer = fetch(emulator, "/a?b=c", host="old-region.s3-website-us-east-1.amazonaws.com")
    assert (answer.status, answer.headers["Location"]) == (301, "http://x.org/a?b=c")


def test_routing_rules(emulator: Emulator, site: t.Any) -> None:
    rules = [
        {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "docs/"}},
        {
            "Condition": {"HttpErrorCodeReturnedEquals": "404"},
            "Redirect": {"HostName": "x.org", "Protocol": "https", "HttpRedirectCode": "302", "ReplaceKeyWith": "gone"},
        },
    ]
    site.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration={**WEBSITE, "RoutingRules": rules})
    moved = fetch(emulator, "/old/page")
    assert (moved.status, moved.headers["Location"]) == (301, f"http://{HOST}/docs/page")
    missing = fetch(emulator, "/nothing")
    assert (missing.status, missing.headers["Location"]) == (302, "https://x.org/gone")
    assert fetch(emulator, "/docs/").status == 200


@mends("s3.new_bucket_defaults")
def test_a_new_bucket_is_closed(s3: t.Any) -> None:
    block = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    rules = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    encryption = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


@mends("s3.blocked_policies")
def test_a_public_policy_is_refused_while_it_is_blocked(s3: t.Any) -> None:
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    assert refusal(put_public_policy, s3=s3) == "AccessDenied"
    allow(s3, TLS_ONLY)
    allow(s3, {**READ, "Principal": {"Service": "cloudfront.amazonaws.com"}})
    s3.delete_public_access_block(Bucket=BUCKET)
    put_public_policy(s3)
    assert refusal(s3.put_bucket_policy, Bucket=BUCKET, Policy="{") == "MalformedPolicy"


def put_public_policy(s3: t.Any) -> None:
    allow(s3, READ)


@mends("s3.bucket_policies")
def test_conditions_and_principals_count_for_the_api_as_well(s3: t.Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"x")
    allow(s3, TLS_ONLY)
    s3.get_object(Bucket=BUCKET, Key="a")
    allow(s3, {**READ, "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::222222222222:root"}})
    s3.get_object(Bucket=BUCKET, Key="a")
    unencrypted = {"Null": {"s3:x-amz-server-side-encryption": "true"}}
    allow(s3, {**READ, "Effect": "Deny", "Action": "s3:PutObject", "Condition": unencrypted})
    assert refusal(s3.put_object, Bucket=BUCKET, Key="new", Body=b"x") == "AccessDenied"
    s3.put_object(Bucket=BUCKET, Key="new", Body=b"x", ServerSideEncryption="AES256")
    allow(s3, {**READ, "Effect": "Deny"})
    assert refusal(s3.get_object, Bucket=BUCKET, Key="a") == "AccessDenied"


@mends("s3.bucket_policies")
def test_strangers_may_not_write(emulator: Emulator, s3: t.Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"x")
    own = urlsplit(emulator.endpoint).netloc
    for method, key in (("PUT", "new"), ("PUT", "a"), ("DELETE", "a"), ("GET", "a")):
        assert fetch(emulator, f"/{BUCKET}/{key}", own, method, proxied=False).status == 403


@mends("s3.disabled_acls")
def test_acls_are_disabled(s3: t.Any) -> None:
    put = s3.put_object
    assert refusal(put, Bucket=BUCKET, Key="a", Body=b"", ACL="public-read") == "AccessControlListNotSupported"
    put(Bucket=BUCKET, Key="a", Body=b"", ACL="bucket-owner-full-control")
    assert refusal(s3.put_bucket_acl, Bucket=BUCKET, ACL="private") == "AccessControlListNotSupported"
    assert refusal(s3.put_object_acl, Bucket=BUCKET, Key="a", ACL="private") == "AccessControlListNotSupported"
    public = {"Bucket": "public", "ACL": "public-read", "CreateBucketConfiguration": {"LocationConstraint": REGION}}
    assert refusal(s3.create_bucket, **public) == "InvalidBucketAclWithObjectOwnership"
    s3.put_bucket_ownership_controls(
        Bucket=BUCKET, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    s3.put_bucket_acl(Bucket=BUCKET, ACL="private")


@mends("s3.bucket_names")
@pytest.mark.parametrize("name", ["ab", "x" * 64, "Upper", "under_score", "1.2.3.4", "two..dots", "-start", "xn--a"])
def test_bucket_names(emulator: Emulator, name: str) -> None:
    address = urlsplit(emulator.endpoint)
    signed = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.request("PUT", f"/{name}", headers={"Authorization": signed, "Content-Length": "0"})
    answer = connection.getresponse()
    assert (answer.status, b"InvalidBucketName" in answer.read()) == (400, True)
    connection.close()


def test_a_bucket_with_versions_stays(s3: t.Any) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"x")
    s3.delete_object(Bucket=BUCKET, Key="a")
    assert refusal(s3.delete_bucket, Bucket=BUCKET) == "BucketNotEmpty"
    versions = s3.list_object_versions(Bucket=BUCKET)
    for one in versions["Versions"] + versions["DeleteMarkers"]:
        s3.delete_object(Bucket=BUCKET, Key=one["Key"], VersionId=one["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)

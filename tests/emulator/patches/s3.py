# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""S3: who may do what, and how a new bucket looks."""

from __future__ import annotations

import re
import typing as t

import flask
from moto.iam.access_control import CreateAccessKeyFailure, PermissionResult, create_access_key
from moto.iam.models import get_account_id_from
from moto.s3 import models, responses
from moto.s3.exceptions import S3AccessDeniedError, S3ClientError
from moto.s3control.models import s3control_backends

from tests.emulator import policy
from tests.emulator.patches import around, before, patch

_ANSWERS = {
    policy.ALLOW: PermissionResult.PERMITTED,
    policy.DENY: PermissionResult.DENIED,
    policy.NEUTRAL: PermissionResult.NEUTRAL,
}
#: moto names the action after the HTTP method.
_ACTIONS = {"s3:HeadObject": "s3:GetObject", "s3:PostObject": "s3:PutObject"}
_SUBRESOURCES = {"tagging": "Tagging", "acl": "Acl", "retention": "Retention", "legal-hold": "LegalHold"}
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


@patch(
    restores="A bucket policy counts for the principals and under the conditions that it names.",
    source="IAM User Guide, Policy evaluation logic and Condition operators; S3 User Guide, Blocking public access",
    touches=("moto.s3.models:FakeBucket.get_permission", "moto.s3.responses:S3Response._key_response"),
)
def bucket_policies() -> None:
    """Evaluate the policy for the request at hand, also for objects that do not exist yet."""

    def get_permission(self: t.Any, action: str, resource: str) -> t.Any:
        principal = requester()
        answer = permission(self, _exact_action(action), resource, principal, request_context(principal))
        if answer == policy.NEUTRAL and principal.account is None and ignores_acls(self):
            answer = policy.DENY
        return _ANSWERS[answer]

    models.FakeBucket.get_permission = get_permission  # type: ignore[method-assign]

    @around(responses.S3Response, "_key_response")
    def respond(original: t.Callable[..., t.Any], self: t.Any, request: t.Any, full_url: str) -> t.Any:
        if request.method in ("PUT", "POST", "DELETE") and not _may_write(self, request, full_url):
            raise S3AccessDeniedError
        answer = original(self, request, full_url)
        # moto refuses without a word; AWS names the error in all answers that have a body.
        if isinstance(answer, tuple) and answer[0] == 403 and not answer[2] and request.method != "HEAD":
            raise S3AccessDeniedError
        return answer


def _may_write(response: t.Any, request: t.Any, full_url: str) -> bool:
    bucket_name, key = response.parse_bucket_name_from_url(request, full_url), response.parse_key_name()
    bucket = response.backend.buckets.get(bucket_name)
    if bucket is None:
        return True
    verb = "Delete" if request.method == "DELETE" else "Put"
    answer = bucket.get_permission(f"s3:{verb}Object", f"arn:aws:s3:::{bucket_name}/{key}")
    return answer == PermissionResult.PERMITTED or (
        answer == PermissionResult.NEUTRAL and requester().account is not None
    )


def permission(bucket: t.Any, action: str, resource: str, principal: policy.Principal, context: dict[str, str]) -> str:
    """What a bucket's policy and the public access blocks say about a request."""
    if bucket.policy is None:
        return policy.NEUTRAL
    answer = policy.evaluate(bucket.policy, policy.Request(action, resource, principal, context))
    stranger = principal.service is None and principal.account != bucket.account_id
    if answer == policy.ALLOW and stranger and blocks(bucket, "restrict_public_buckets"):
        return policy.NEUTRAL if policy.is_public(bucket.policy) else answer
    return answer


def blocks(bucket: t.Any, setting: str) -> bool:
    """Whether the bucket's or the account's public access block has a setting on."""
    account_wide = s3control_backends[bucket.account_id][bucket.partition].public_access_block
    return any(getattr(block, setting) for block in (bucket.public_access_block, account_wide) if block is not None)


def ignores_acls(bucket: t.Any) -> bool:
    """Whether an ACL that lets everyone in counts for nothing."""
    return bucket.ownership_rule == "BucketOwnerEnforced" or blocks(bucket, "ignore_public_acls")


def requester() -> policy.Principal:
    """Who made the request that is being answered; the owner of everything, if none is."""
    if not flask.has_request_context():
        return policy.Principal("arn:aws:iam::123456789012:root", "123456789012")
    headers = flask.request.headers
    scope = _CREDENTIAL.search(headers.get("Authorization", ""))
    key = scope[1] if scope else flask.request.args.get("X-Amz-Credential", "").partition("/")[0]
    key = key or flask.request.args.get("AWSAccessKeyId", "")
    if not key:
        return policy.ANONYMOUS
    account = get_account_id_from(key)
    try:
        arn = create_access_key(account, "aws", key, dict(headers)).arn
    except CreateAccessKeyFailure:
        arn = f"arn:aws:iam::{account}:root"
    return policy.Principal(arn, account)


def request_context(principal: policy.Principal) -> dict[str, str]:
    """The condition keys of an API request. The emulator's address stands for AWS's HTTPS endpoints."""
    context = {"aws:securetransport": "true", "s3:tlsversion": "1.3", "aws:principalisawsservice": "false"}
    if principal.arn and principal.account:
        context |= {"aws:principalarn": principal.arn, "aws:principalaccount": principal.account}
    if flask.has_request_context():
        context |= _from_headers(flask.request)
    return context


def _from_headers(request: t.Any) -> dict[str, str]:
    found = {"aws:sourceip": request.remote_addr or "127.0.0.1"}
    for header, key in (("User-Agent", "aws:useragent"), ("Referer", "aws:referer")):
        if header in request.headers:
            found[key] = request.headers[header]
    for header, value in request.headers.items():
        if header.lower().startswith("x-amz-"):
            found[f"s3:{header.lower()}"] = value
    return found


def _exact_action(action: str) -> str:
    action = _ACTIONS.get(action, action)
    if flask.has_request_context():
        for parameter, suffix in _SUBRESOURCES.items():
            if parameter in flask.request.args:
                return action + suffix
    return action


@patch(
    restores="A public policy is refused while the bucket blocks public policies; a policy that is no JSON, always.",
    source="S3 User Guide, Blocking public access (BlockPublicPolicy); S3 API reference, PutBucketPolicy",
    touches="moto.s3.models:S3Backend.put_bucket_policy",
)
def blocked_policies() -> None:
    """Check before it is stored."""

    @before(models.S3Backend, "put_bucket_policy")
    def check(self: t.Any, bucket_name: str, document: bytes) -> None:
        bucket = self.get_bucket(bucket_name)
        try:
            policy.statements(document)
            public = policy.is_public(document)
        except (ValueError, AttributeError) as error:
            raise S3ClientError("MalformedPolicy", "This policy contains invalid Json") from error
        if public and blocks(bucket, "block_public_policy"):
            raise S3ClientError(
                "AccessDenied",
                f'User is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::{bucket_name}" '
                "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            )


@patch(
    restores="A new bucket blocks all public access, has ACLs disabled and encrypts with S3's own keys.",
    source="S3 User Guide, Default settings for new S3 buckets FAQ (since April 2023) and Default encryption FAQ",
    touches="moto.s3.models:S3Backend.create_bucket",
)
def new_bucket_defaults() -> None:
    """Set them; moto's buckets are those of before 2023."""

    @around(models.S3Backend, "create_bucket")
    def create(original: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> t.Any:
        bucket = original(*args, **kwargs)
        bucket.public_access_block = models.PublicAccessBlock(True, True, True, True)
        bucket.ownership_rule = "BucketOwnerEnforced"
        if bucket.encryption is None:
            bucket.encryption = {
                "Rule": {
                    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                    "BucketKeyEnabled": "false",
                }
            }
        return bucket


@patch(
    restores="A bucket's name has 3 to 63 characters of a-z, 0-9, dots and hyphens, and looks like no IP address.",
    source="S3 User Guide, General purpose bucket naming rules",
    touches="moto.s3.models:S3Backend.create_bucket",
)
def bucket_names() -> None:
    """Check the name; moto checks its length only."""
    name_form = re.compile(
        r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
    )
    reserved_ends = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")

    @before(models.S3Backend, "create_bucket")
    def check(self: t.Any, bucket_name: str, *_: t.Any, **__: t.Any) -> None:
        if not name_form.fullmatch(bucket_name) or bucket_name.endswith(reserved_ends):
            raise S3ClientError("InvalidBucketName", "The specified bucket is not valid.")


@patch(
    restores="While the bucket owner owns all objects, a request that sets an ACL is refused.",
    source="S3 User Guide, Controlling ownership of objects and disabling ACLs (AccessControlListNotSupported)",
    touches=("moto.s3.responses:S3Response._key_response", "moto.s3.models:S3Backend.put_bucket_acl"),
)
def disabled_acls() -> None:
    """Refuse it; the canned ACL that gives the owner everything stays allowed."""

    @before(responses.S3Response, "_key_response")
    def check_object(self: t.Any, request: t.Any, full_url: str) -> None:
        bucket = self.backend.buckets.get(self.parse_bucket_name_from_url(request, full_url))
        if bucket is None or bucket.ownership_rule != "BucketOwnerEnforced":
            return
        canned = request.headers.get("x-amz-acl", "bucket-owner-full-control")
        grants = any(name.lower().startswith("x-amz-grant-") for name, _ in request.headers.items())
        sets_acl = request.method == "PUT" and "acl" in request.args
        if canned != "bucket-owner-full-control" or grants or sets_acl:
            raise S3ClientError("AccessControlListNotSupported", "The bucket does not allow ACLs")

    @before(models.S3Backend, "put_bucket_acl")
    def check_bucket(self: t.Any, bucket_name: str, acl: t.Any) -> None:
        # CreateBucket goes through here too, where "private" is what the bucket has anyway.
        creates = flask.has_request_context() and "acl" not in flask.request.args
        if self.get_bucket(bucket_name).ownership_rule != "BucketOwnerEnforced":
            return
        if not creates:
            raise S3ClientError("AccessControlListNotSupported", "The bucket does not allow ACLs")
        if flask.request.headers.get("x-amz-acl") != "private" and not _names_ownership():
            self.delete_bucket(bucket_name)
            raise S3ClientError(
                "InvalidBucketAclWithObjectOwnership",
                "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            )

    def _names_ownership() -> bool:
        return flask.request.headers.get("x-amz-object-ownership") in ("ObjectWriter", "BucketOwnerPreferred")

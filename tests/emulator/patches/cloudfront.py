# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudFront: what a distribution keeps, what it refuses, and the things that moto lacks."""

from __future__ import annotations

import typing as t

from moto.acm.models import acm_backends
from moto.cloudfront import models, responses, urls
from moto.cloudfront.exceptions import CloudFrontException, InvalidIfMatchVersion, NoSuchOriginAccessControl
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.moto_api import state_manager
from moto.s3.models import s3_backends

from tests.emulator.patches import around, before, patch

HOME = "us-east-1"
_MODEL = "cloudfront::distribution"


def _items(shape: t.Any) -> list[t.Any]:
    return list((shape or {}).get("Items") or [])


def _match(self: t.Any, etag: str) -> None:
    """Refuse a change of another version than the one that was read."""
    given = self._get_param("IfMatch")
    if not given:
        raise InvalidIfMatchVersion
    if given != etag:
        raise CloudFrontException("PreconditionFailed", "The precondition in one or more of the request fields failed.")


@patch(
    restores="An origin keeps its origin access control and its S3 settings.",
    source="CloudFront API reference, Origin (OriginAccessControlId, S3OriginConfig)",
    touches="moto.cloudfront.models:Origin.__init__",
)
def origin_access() -> None:
    """Note what moto drops."""

    @around(models.Origin, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, origin: dict[str, t.Any]) -> None:
        original(self, origin)
        if "S3OriginConfig" in origin:
            self.s3_origin_config = origin["S3OriginConfig"]
        if "OriginAccessControlId" in origin:
            self.origin_access_control_id = origin["OriginAccessControlId"]


@patch(
    restores="A behavior keeps its functions; one with a cache policy has no forwarded values and TTLs of its own.",
    source="CloudFront API reference, CacheBehavior (FunctionAssociations, CachePolicyId, ForwardedValues)",
    touches="moto.cloudfront.models:DefaultCacheBehaviour.__init__",
)
def behaviors() -> None:
    """Note what moto drops, and drop what it makes up."""

    @around(models.DefaultCacheBehaviour, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, config: dict[str, t.Any]) -> None:
        original(self, config)
        if "FunctionAssociations" in config:
            self.function_associations = config["FunctionAssociations"]
        if config.get("CachePolicyId"):
            for name in ("forwarded_values", "min_ttl", "default_ttl", "max_ttl"):
                delattr(self, name)


@patch(
    restores="A new or changed distribution is InProgress until the change has reached the edge locations.",
    source="CloudFront API reference, Distribution (Status)",
    touches=(
        "moto.cloudfront.models:Distribution.__init__",
        "moto.cloudfront.models:CloudFrontBackend.update_distribution",
    ),
)
def deployment() -> None:
    """Have the next look at it find it deployed; a change begins anew, and gives it another ETag."""
    state_manager.register_default_transition(_MODEL, {"progression": "manual", "times": 1})

    @around(models.CloudFrontBackend, "update_distribution")
    def update(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        dist, location, _ = original(self, *args, **kwargs)
        dist._status, dist._tick = "InProgress", 0
        dist.etag = models.random_id()
        return dist, location, dist.etag


@patch(
    restores="A distribution is changed and deleted with the ETag that was read last only.",
    source="CloudFront API reference, UpdateDistribution and DeleteDistribution (PreconditionFailed)",
    touches=(
        "moto.cloudfront.responses:CloudFrontResponse.update_distribution",
        "moto.cloudfront.responses:CloudFrontResponse.delete_distribution",
    ),
)
def etags() -> None:
    """Compare it."""

    def check(self: t.Any) -> None:
        found = self.backend.distributions.get(self._get_param("Id"))
        if found is not None:
            _match(self, found.etag)

    for name in ("update_distribution", "delete_distribution"):
        before(responses.CloudFrontResponse, name)(check)


@patch(
    restores="A distribution must be disabled, at every edge location, before it is deleted.",
    source="CloudFront API reference, DeleteDistribution (DistributionNotDisabled)",
    touches="moto.cloudfront.models:CloudFrontBackend.delete_distribution",
)
def disabled_first() -> None:
    """Refuse to delete one that is in service, or was a moment ago."""

    @before(models.CloudFrontBackend, "delete_distribution")
    def check(self: t.Any, distribution_id: str, *_: t.Any) -> None:
        found = self.distributions.get(distribution_id)
        if found is not None and (_true(found.distribution_config.Enabled) or found.status != "Deployed"):
            raise CloudFrontException(
                "DistributionNotDisabled",
                "The distribution you are trying to delete has not been disabled.",
            )


def _true(value: t.Any) -> bool:
    return str(value).lower() == "true"


@patch(
    restores="A name belongs to one distribution, and needs an issued certificate of us-east-1 that holds for it.",
    source="CloudFront API reference, CreateDistribution (CNAMEAlreadyExists, InvalidViewerCertificate); CloudFront "
    "Developer Guide, Requirements for using alternate domain names",
    touches=(
        "moto.cloudfront.responses:CloudFrontResponse.create_distribution_with_tags",
        "moto.cloudfront.responses:CloudFrontResponse.update_distribution",
    ),
)
def aliases() -> None:
    """Check names and certificate of a configuration that is written."""

    @before(responses.CloudFrontResponse, "create_distribution_with_tags")
    def check_new(self: t.Any) -> None:
        check(self, self._get_param("DistributionConfigWithTags.DistributionConfig", {}), "")

    @before(responses.CloudFrontResponse, "create_distribution")
    def check_untagged(self: t.Any) -> None:
        check(self, self._get_param("DistributionConfig", {}), "")

    @before(responses.CloudFrontResponse, "update_distribution")
    def check_changed(self: t.Any) -> None:
        check(self, self._get_param("DistributionConfig", {}), self._get_param("Id"))

    def check(self: t.Any, config: dict[str, t.Any], own: str) -> None:
        names = _items(config.get("Aliases"))
        _check_certificate(self.current_account, config.get("ViewerCertificate") or {}, names)
        for other in self.backend.distributions.values():
            taken = set(names) & set(_items(other.distribution_config.Aliases))
            if other.id != own and taken:
                raise CloudFrontException(
                    "CNAMEAlreadyExists",
                    "One or more of the CNAMEs you provided are already associated with a different resource.",
                )


def _check_certificate(account: str, shape: dict[str, t.Any], names: list[str]) -> None:
    arn = shape.get("ACMCertificateArn")
    if not arn and not shape.get("IAMCertificateId"):
        if names:
            _refuse_certificate(
                "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted"
                " certificate that validates your authorization to use the domain name."
            )
        return
    if not arn:
        return
    region = arn.split(":")[3]
    found = acm_backends[account][region]._certificates.get(arn) if region == HOME else None
    if found is None or found.status != "ISSUED":
        _refuse_certificate(
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a"
            " valid certificate chain."
        )
    covered = {*found.sans, found.common_name}
    if not all(name in covered or f"*.{name.partition('.')[2]}" in covered for name in names):
        _refuse_certificate(
            "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) that"
            " you're trying to add."
        )


def _refuse_certificate(message: str) -> t.NoReturn:
    raise CloudFrontException("InvalidViewerCertificate", message)


@patch(
    restores="Standard logs go only to a bucket whose access control lists are not disabled.",
    source="CloudFront Developer Guide, Configure standard logging (legacy), Choose an Amazon S3 bucket",
    touches=(
        "moto.cloudfront.responses:CloudFrontResponse.create_distribution_with_tags",
        "moto.cloudfront.responses:CloudFrontResponse.update_distribution",
    ),
)
def log_buckets() -> None:
    """Refuse others."""

    def check(self: t.Any) -> None:
        config = self._get_param("DistributionConfigWithTags.DistributionConfig") or self._get_param(
            "DistributionConfig", {}
        )
        name = ((config.get("Logging") or {}).get("Bucket") or "").partition(".s3.")[0]
        if not name:
            return
        bucket = s3_backends[self.current_account][self.partition].buckets.get(name)
        if bucket is None or bucket.ownership_rule == "BucketOwnerEnforced":
            raise CloudFrontException(
                "InvalidArgument",
                "The S3 bucket that you specified for CloudFront logs does not enable ACL access: " + name,
            )

    for name in ("create_distribution_with_tags", "create_distribution", "update_distribution"):
        before(responses.CloudFrontResponse, name)(check)


@patch(
    restores="A distribution names only origin access controls, key groups and header policies that exist.",
    source="CloudFront API reference, CreateDistribution (InvalidOriginAccessControl, TrustedKeyGroupDoesNotExist, "
    "NoSuchResponseHeadersPolicy)",
    touches=(
        "moto.cloudfront.responses:CloudFrontResponse.create_distribution_with_tags",
        "moto.cloudfront.responses:CloudFrontResponse.update_distribution",
    ),
)
def references() -> None:
    """Look them up."""

    def check(self: t.Any) -> None:
        config = self._get_param("DistributionConfigWithTags.DistributionConfig") or self._get_param(
            "DistributionConfig", {}
        )
        for origin in _items(config.get("Origins")):
            control = origin.get("OriginAccessControlId")
            if control and control not in self.backend.origin_access_controls:
                raise CloudFrontException(
                    "InvalidOriginAccessControl",
                    "The origin access control is not valid or doesn't exist.",
                )
        for behavior in [config.get("DefaultCacheBehavior") or {}, *_items(config.get("CacheBehaviors"))]:
            _check_behavior(self.backend, behavior)

    for name in ("create_distribution_with_tags", "create_distribution", "update_distribution"):
        before(responses.CloudFrontResponse, name)(check)


def _check_behavior(backend: t.Any, behavior: dict[str, t.Any]) -> None:
    if any(group not in backend.key_groups for group in _items(behavior.get("TrustedKeyGroups"))):
        raise CloudFrontException("TrustedKeyGroupDoesNotExist", "The specified key group does not exist.")
    policy = behavior.get("ResponseHeadersPolicyId")
    if policy and policy not in _policies(backend):
        raise CloudFrontException(
            "NoSuchResponseHeadersPolicy", "The specified response headers policy does not exist."
        )


def _users(backend: t.Any, uses: t.Callable[[t.Any], bool]) -> bool:
    """Whether a distribution has a behavior that uses something."""
    return any(
        uses(behavior)
        for dist in backend.distributions.values()
        for behavior in [
            dist.distribution_config.DefaultCacheBehavior,
            *_items(dist.distribution_config.CacheBehaviors),
        ]
    )


@patch(
    restores="Origin access controls have names of their own, go with the right ETag, and stay while they are used.",
    source="CloudFront API reference, CreateOriginAccessControl (OriginAccessControlAlreadyExists), "
    "DeleteOriginAccessControl (OriginAccessControlInUse)",
    touches=(
        "moto.cloudfront.responses:CloudFrontResponse.create_origin_access_control",
        "moto.cloudfront.responses:CloudFrontResponse.delete_origin_access_control",
    ),
)
def origin_access_controls() -> None:
    """Refuse the rest."""

    @before(responses.CloudFrontResponse, "create_origin_access_control")
    def check_name(self: t.Any) -> None:
        name = self._get_param("OriginAccessControlConfig", {}).get("Name")
        if any(control.name == name for control in self.backend.origin_access_controls.values()):
            raise CloudFrontException(
                "OriginAccessControlAlreadyExists", "An origin access control with this name already exists."
            )

    @before(responses.CloudFrontResponse, "delete_origin_access_control")
    def check_use(self: t.Any) -> None:
        control = self.backend.origin_access_controls.get(self._get_param("Id"))
        if control is None:
            raise NoSuchOriginAccessControl
        _match(self, control.etag)
        for dist in self.backend.distributions.values():
            origins = _items(dist.distribution_config.Origins)
            if any(getattr(origin, "origin_access_control_id", "") == control.id for origin in origins):
                raise CloudFrontException(
                    "OriginAccessControlInUse",
                    "Cannot delete the origin access control because it's in use by one or more distributions.",
                )


@patch(
    restores="Public keys have names of their own, keep their comments, and stay while a key group lists them.",
    source="CloudFront API reference, CreatePublicKey (PublicKeyAlreadyExists), DeletePublicKey (PublicKeyInUse)",
    touches=(
        "moto.cloudfront.responses:CloudFrontResponse.create_public_key",
        "moto.cloudfront.responses:CloudFrontResponse.delete_public_key",
        "moto.cloudfront.responses:CloudFrontResponse.get_public_key",
    ),
)
def public_keys() -> None:
    """Refuse the rest, and note the comment."""
    response = responses.CloudFrontResponse

    @around(response, "create_public_key")
    def create_key(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        config = self._get_param("PublicKeyConfig")
        if any(key.name == config["Name"] for key in self.backend.public_keys.values()):
            raise CloudFrontException("PublicKeyAlreadyExists", "The specified public key already exists.")
        answer = original(self)
        answer._result["PublicKey"].comment = config.get("Comment") or ""
        return answer

    @before(response, "get_public_key")
    def check_key(self: t.Any) -> None:
        _public_key(self)

    @before(response, "delete_public_key")
    def check_use(self: t.Any) -> None:
        key = _public_key(self)
        _match(self, key.etag)
        if any(key.id in group.items for group in self.backend.key_groups.values()):
            raise CloudFrontException("PublicKeyInUse", "The specified public key is in use.")


@patch(
    restores="Key groups keep their comments, change, and are deleted when no distribution trusts them any more.",
    source="CloudFront API reference, CreateKeyGroup (KeyGroupAlreadyExists), UpdateKeyGroup, DeleteKeyGroup "
    "(ResourceInUse)",
    touches=(
        "moto.cloudfront.models:KeyGroup.key_group_config",
        "moto.cloudfront.responses:CloudFrontResponse.create_key_group",
        "moto.cloudfront.responses:CloudFrontResponse.get_key_group",
    ),
)
def key_groups() -> None:
    """Add what moto lacks."""
    response: t.Any = responses.CloudFrontResponse
    group: t.Any = models.KeyGroup
    group.last_modified_time = property(lambda self: utcnow())
    group.key_group_config = property(
        lambda self: {"Items": self.items, "Name": self.name, "Comment": getattr(self, "comment", "")}
    )

    @around(response, "create_key_group")
    def create_group(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        name = self._get_param("KeyGroupConfig.Name")
        if any(group.name == name for group in self.backend.key_groups.values()):
            raise CloudFrontException("KeyGroupAlreadyExists", "A key group with this name already exists.")
        _check_keys(self)
        answer = original(self)
        answer._result["KeyGroup"].comment = self._get_param("KeyGroupConfig.Comment") or ""
        return answer

    @before(response, "get_key_group")
    def check_group(self: t.Any) -> None:
        _key_group(self)

    response.update_key_group = _update_group
    response.delete_key_group = _delete_group


def _update_group(self: t.Any) -> ActionResult:
    group = _key_group(self)
    _match(self, group.etag)
    _check_keys(self)
    group.items = self._get_param("KeyGroupConfig.Items", [])
    group.comment = self._get_param("KeyGroupConfig.Comment") or ""
    group.etag = models.random_id(length=14)
    return ActionResult({"KeyGroup": group, "ETag": group.etag})


def _delete_group(self: t.Any) -> EmptyResult:
    group = _key_group(self)
    _match(self, group.etag)
    if _users(self.backend, lambda behavior: group.id in behavior.trusted_key_groups.items):
        raise CloudFrontException("ResourceInUse", "Cannot delete this resource because it is in use.")
    del self.backend.key_groups[group.id]
    return EmptyResult()


def _key_group(self: t.Any) -> t.Any:
    found = self.backend.key_groups.get(self._get_param("Id"))
    if found is None:
        raise CloudFrontException("NoSuchResource", "A resource that was specified is not valid.")
    return found


def _public_key(self: t.Any) -> t.Any:
    found = self.backend.public_keys.get(self._get_param("Id"))
    if found is None:
        raise CloudFrontException("NoSuchPublicKey", "The specified public key doesn't exist.")
    return found


def _check_keys(self: t.Any) -> None:
    keys = self._get_param("KeyGroupConfig.Items", []) or []
    if not keys or any(key not in self.backend.public_keys for key in keys):
        raise CloudFrontException("InvalidArgument", "The parameter Items does not name public keys that exist.")


class _HeadersPolicy:
    def __init__(self, config: dict[str, t.Any]) -> None:
        self.id = models.random_id()
        self.response_headers_policy_config = config
        self.last_modified_time = utcnow()
        self.etag = models.random_id()


def _policies(backend: t.Any) -> dict[str, _HeadersPolicy]:
    return t.cast("dict[str, _HeadersPolicy]", backend.__dict__.setdefault("response_headers_policies", {}))


@patch(
    restores="Response headers policies are created, listed, changed and deleted.",
    source="CloudFront API reference, CreateResponseHeadersPolicy, DeleteResponseHeadersPolicy "
    "(ResponseHeadersPolicyInUse)",
    touches=("moto.cloudfront.urls:url_paths", "moto.cloudfront.responses:CloudFrontResponse"),
)
def response_headers_policies() -> None:
    """Add them; moto has none."""
    response: t.Any = responses.CloudFrontResponse
    response.create_response_headers_policy = _create_policy
    response.list_response_headers_policies = _list_policies
    response.get_response_headers_policy = lambda self: _policy_result(_policy(self))
    response.update_response_headers_policy = _update_policy
    response.delete_response_headers_policy = _delete_policy
    for path in ("", "/(?P<policy_id>[^/]+)", "/(?P<policy_id>[^/]+)/config"):
        urls.url_paths["{0}/2020-05-31/response-headers-policy" + path + "$"] = response.dispatch


def _policy(self: t.Any) -> _HeadersPolicy:
    found = _policies(self.backend).get(self._get_param("Id"))
    if found is None:
        raise CloudFrontException("NoSuchResponseHeadersPolicy", "The response headers policy does not exist.")
    return found


def _policy_result(policy: _HeadersPolicy) -> ActionResult:
    return ActionResult({"ResponseHeadersPolicy": policy, "ETag": policy.etag})


def _create_policy(self: t.Any) -> ActionResult:
    config = self._get_param("ResponseHeadersPolicyConfig")
    known = _policies(self.backend)
    if any(one.response_headers_policy_config["Name"] == config["Name"] for one in known.values()):
        raise CloudFrontException(
            "ResponseHeadersPolicyAlreadyExists", "A response headers policy with this name already exists."
        )
    policy = _HeadersPolicy(config)
    known[policy.id] = policy
    return _policy_result(policy)


def _list_policies(self: t.Any) -> ActionResult:
    found = [{"Type": "custom", "ResponseHeadersPolicy": one} for one in _policies(self.backend).values()]
    return ActionResult(
        {"ResponseHeadersPolicyList": {"MaxItems": 100, "Quantity": len(found), "Items": found or None}}
    )


def _update_policy(self: t.Any) -> ActionResult:
    policy = _policy(self)
    _match(self, policy.etag)
    policy.response_headers_policy_config = self._get_param("ResponseHeadersPolicyConfig")
    policy.etag = models.random_id()
    return _policy_result(policy)


def _delete_policy(self: t.Any) -> EmptyResult:
    policy = _policy(self)
    _match(self, policy.etag)
    if _users(self.backend, lambda behavior: behavior.response_headers_policy_id == policy.id):
        raise CloudFrontException(
            "ResponseHeadersPolicyInUse",
            "Cannot delete the response headers policy because it is attached to one or more cache behaviors.",
        )
    del _policies(self.backend)[policy.id]
    return EmptyResult()


@patch(
    restores="A function is changed, published, and stays while a distribution runs it.",
    source="CloudFront API reference, UpdateFunction, PublishFunction, DeleteFunction (FunctionInUse)",
    touches=(
        "moto.cloudfront.urls:url_paths",
        "moto.cloudfront.responses:CloudFrontResponse.delete_function",
        "moto.cloudfront.responses:CloudFrontResponse.describe_function",
    ),
)
def functions() -> None:
    """Add what moto lacks; a published function has two stages, of which the live one runs."""
    response: t.Any = responses.CloudFrontResponse

    def update(self: t.Any) -> ActionResult:
        found = self.backend.describe_function(self._get_param("Name"))
        _match(self, found.etag)
        found.code, found.config = self._get_param("FunctionCode"), self._get_param("FunctionConfig", {})
        found.etag = models.random_id()
        return ActionResult({"FunctionSummary": found.function_summary, "ETag": found.etag})

    def publish(self: t.Any) -> ActionResult:
        found = self.backend.describe_function(self._get_param("Name"))
        _match(self, found.etag)
        found.live = found.code
        return ActionResult({"FunctionSummary": found.function_summary})

    def stage(self: t.Any) -> bytes | None:
        found = self.backend.describe_function(self._get_param("Name"))
        code = getattr(found, "live", None) if self._get_param("Stage") == "LIVE" else found.code
        if code is None:
            raise CloudFrontException("NoSuchFunctionExists", "The specified function does not exist.")
        return t.cast("bytes", code)

    @before(response, "describe_function")
    def check_stage(self: t.Any) -> None:
        stage(self)

    @around(response, "get_function")
    def get(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        code, answer = stage(self), original(self)
        answer._result["FunctionCode"] = code
        return answer

    @before(response, "delete_function")
    def check_use(self: t.Any) -> None:
        found = self.backend.describe_function(self._get_param("Name"))
        _match(self, found.etag)
        used = _users(
            self.backend,
            lambda behavior: any(one["FunctionARN"] == found.arn for one in _items(behavior.function_associations)),
        )
        if used:
            raise CloudFrontException("FunctionInUse", "Cannot delete the function because it's attached to behaviors.")

    response.update_function = update
    response.publish_function = publish
    urls.url_paths["{0}/2020-05-31/function/(?P<function_name>[^/]+)/publish$"] = response.dispatch

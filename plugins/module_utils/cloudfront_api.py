# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The CloudFront calls, one function each."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler
from ansible_collections.palier.aws.plugins.module_utils.cloudfront import items_of, tags_shape

Errors = error_handler(
    "NoSuchDistribution",
    "NoSuchOriginAccessControl",
    "NoSuchResource",
    "NoSuchPublicKey",
    "NoSuchResponseHeadersPolicy",
    "NoSuchFunctionExists",
)

#: CloudFront answers C(Throttling) to more than a few requests a second (CloudFront Developer Guide, Quotas).
retry = AWSRetry.jittered_backoff(retries=8, delay=1, catch_extra_error_codes=["ServiceUnavailable"])


def pages(call: t.Callable[..., t.Any], member: str, **arguments: t.Any) -> list[t.Any]:
    """Every element of a list that CloudFront answers in pages; botocore pages through only some of them.

    :param call: a client's method, with retries.
    :param member: the member of the answer that holds the list.
    """
    found: list[t.Any] = []
    marker: str | None = None
    while True:
        answer = call(**arguments, **({"Marker": marker} if marker else {}))[member]
        found += items_of(answer)
        marker = answer.get("NextMarker")
        if not marker:
            return found


# -- origin access controls --------------------------------------------------------------------------------------------


@Errors.common_error_handler("list origin access controls")
def list_origin_access_controls(client: t.Any) -> list[dict[str, t.Any]]:
    return pages(retry(client.list_origin_access_controls), "OriginAccessControlList")


@Errors.common_error_handler("create the origin access control")
@retry
def create_origin_access_control(client: t.Any, config: dict[str, t.Any]) -> str:
    return client.create_origin_access_control(OriginAccessControlConfig=config)["OriginAccessControl"]["Id"]


@Errors.list_error_handler("read the origin access control", {})
@retry
def get_origin_access_control(client: t.Any, control_id: str) -> dict[str, t.Any]:
    return client.get_origin_access_control(Id=control_id)


@Errors.common_error_handler("update the origin access control")
@retry
def update_origin_access_control(client: t.Any, control_id: str, config: dict[str, t.Any], etag: str) -> None:
    client.update_origin_access_control(Id=control_id, OriginAccessControlConfig=config, IfMatch=etag)


@Errors.deletion_error_handler("delete the origin access control")
@retry
def delete_origin_access_control(client: t.Any, control_id: str, etag: str) -> None:
    client.delete_origin_access_control(Id=control_id, IfMatch=etag)


# -- public keys and key groups ----------------------------------------------------------------------------------------


@Errors.common_error_handler("list public keys")
def list_public_keys(client: t.Any) -> list[dict[str, t.Any]]:
    return pages(retry(client.list_public_keys), "PublicKeyList")


@Errors.common_error_handler("create the public key")
@retry
def create_public_key(client: t.Any, config: dict[str, t.Any]) -> str:
    return client.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]


@Errors.list_error_handler("read the public key", {})
@retry
def get_public_key(client: t.Any, key_id: str) -> dict[str, t.Any]:
    return client.get_public_key(Id=key_id)


@Errors.deletion_error_handler("delete the public key")
@retry
def delete_public_key(client: t.Any, key_id: str, etag: str) -> None:
    client.delete_public_key(Id=key_id, IfMatch=etag)


@Errors.common_error_handler("list key groups")
def list_key_groups(client: t.Any) -> list[dict[str, t.Any]]:
    return [one["KeyGroup"] for one in pages(retry(client.list_key_groups), "KeyGroupList")]


@Errors.common_error_handler("create the key group")
@retry
def create_key_group(client: t.Any, config: dict[str, t.Any]) -> str:
    return client.create_key_group(KeyGroupConfig=config)["KeyGroup"]["Id"]


@Errors.list_error_handler("read the key group", {})
@retry
def get_key_group(client: t.Any, group_id: str) -> dict[str, t.Any]:
    return client.get_key_group(Id=group_id)


@Errors.common_error_handler("update the key group")
@retry
def update_key_group(client: t.Any, group_id: str, config: dict[str, t.Any], etag: str) -> None:
    client.update_key_group(Id=group_id, KeyGroupConfig=config, IfMatch=etag)


@Errors.deletion_error_handler("delete the key group")
@retry
def delete_key_group(client: t.Any, group_id: str, etag: str) -> None:
    client.delete_key_group(Id=group_id, IfMatch=etag)


# -- response headers policies -----------------------------------------------------------------------------------------


@Errors.common_error_handler("list response headers policies")
def list_response_headers_policies(client: t.Any) -> list[dict[str, t.Any]]:
    found = pages(retry(client.list_response_headers_policies), "ResponseHeadersPolicyList", Type="custom")
    return [one["ResponseHeadersPolicy"] for one in found]


@Errors.common_error_handler("create the response headers policy")
@retry
def create_response_headers_policy(client: t.Any, config: dict[str, t.Any]) -> str:
    return client.create_response_headers_policy(ResponseHeadersPolicyConfig=config)["ResponseHeadersPolicy"]["Id"]


@Errors.list_error_handler("read the response headers policy", {})
@retry
def get_response_headers_policy(client: t.Any, policy_id: str) -> dict[str, t.Any]:
    return client.get_response_headers_policy(Id=policy_id)


@Errors.common_error_handler("update the response headers policy")
@retry
def update_response_headers_policy(client: t.Any, policy_id: str, config: dict[str, t.Any], etag: str) -> None:
    client.update_response_headers_policy(Id=policy_id, ResponseHeadersPolicyConfig=config, IfMatch=etag)


@Errors.deletion_error_handler("delete the response headers policy")
@retry
def delete_response_headers_policy(client: t.Any, policy_id: str, etag: str) -> None:
    client.delete_response_headers_policy(Id=policy_id, IfMatch=etag)


# -- distributions -----------------------------------------------------------------------------------------------------


@Errors.common_error_handler("list distributions")
def list_distributions(client: t.Any) -> list[dict[str, t.Any]]:
    return pages(retry(client.list_distributions), "DistributionList")


@Errors.list_error_handler("read the distribution's tags", {})
@retry
def get_tags(client: t.Any, arn: str) -> dict[str, str]:
    """The tags of a distribution, as a dictionary."""
    return {tag["Key"]: tag.get("Value", "") for tag in items_of(client.list_tags_for_resource(Resource=arn)["Tags"])}


@Errors.common_error_handler("tag the distribution")
@retry
def tag(client: t.Any, arn: str, tags: dict[str, str]) -> None:
    client.tag_resource(Resource=arn, Tags=tags_shape(tags))


@Errors.common_error_handler("untag the distribution")
@retry
def untag(client: t.Any, arn: str, keys: list[str]) -> None:
    client.untag_resource(Resource=arn, TagKeys={"Items": keys})


@Errors.list_error_handler("read the distribution", {})
@retry
def get_distribution(client: t.Any, distribution_id: str) -> dict[str, t.Any]:
    return client.get_distribution(Id=distribution_id)


@Errors.common_error_handler("create the distribution")
@retry
def create_distribution(client: t.Any, config: dict[str, t.Any], tags: dict[str, str]) -> dict[str, t.Any]:
    request = {"DistributionConfig": config, "Tags": tags_shape(tags)}
    return client.create_distribution_with_tags(DistributionConfigWithTags=request)["Distribution"]


@Errors.common_error_handler("update the distribution")
@retry
def update_distribution(
    client: t.Any, distribution_id: str, config: dict[str, t.Any], etag: str
) -> tuple[dict[str, t.Any], str]:
    """The updated distribution and its new ETag."""
    answer = client.update_distribution(Id=distribution_id, DistributionConfig=config, IfMatch=etag)
    return answer["Distribution"], answer["ETag"]


@Errors.deletion_error_handler("delete the distribution")
@retry
def delete_distribution(client: t.Any, distribution_id: str, etag: str) -> None:
    client.delete_distribution(Id=distribution_id, IfMatch=etag)


@Errors.common_error_handler("create the invalidation")
@retry
def create_invalidation(client: t.Any, distribution_id: str, paths: list[str], reference: str) -> str:
    batch = {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": reference}
    return client.create_invalidation(DistributionId=distribution_id, InvalidationBatch=batch)["Invalidation"]["Id"]


def find_distribution(client: t.Any, name: str) -> dict[str, t.Any] | None:
    """The distribution with this C(Name) tag, as GetDistribution answers, with C(Tags) and C(ETag); or ``None``.

    Lists know no tags, so every distribution is asked for its own. Those whose comment is the name come first, which is
    what this collection writes there, so that one request is enough most times.
    """
    for summary in sorted(list_distributions(client), key=lambda one: (one.get("Comment") != name, one["Id"])):
        tags = get_tags(client, summary["ARN"])
        if tags.get("Name") == name:
            return read_distribution(client, summary["Id"], tags)
    return None


def read_distribution(client: t.Any, distribution_id: str, tags: dict[str, str]) -> dict[str, t.Any] | None:
    """A distribution with its tags and its ETag; ``None`` when it is gone."""
    answer = get_distribution(client, distribution_id)
    return {**answer["Distribution"], "ETag": answer["ETag"], "Tags": tags} if answer else None


def wait_until_deployed(
    client: t.Any,
    distribution_id: str,
    timeout: int,
    delay: int = 20,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> dict[str, t.Any]:
    """Ask until the distribution's last change has reached every edge location.

    :param timeout: seconds; a change takes some minutes.
    :param delay: seconds between two questions.
    :returns: what GetDistribution answers; empty when the distribution is gone.
    :raises AnsibleAWSError: when the time is over.
    """
    deadline = clock() + timeout
    while True:
        answer = get_distribution(client, distribution_id)
        if not answer or answer["Distribution"]["Status"] == "Deployed":
            return answer
        if clock() + delay > deadline:
            raise AnsibleAWSError(
                message=f"The distribution {distribution_id} is not deployed after wait_timeout, {timeout} seconds: "
                "run again, what was done stays done"
            )
        sleep(delay)


# -- functions ---------------------------------------------------------------------------------------------------------


@Errors.list_error_handler("read the function", {})
@retry
def describe_function(client: t.Any, name: str) -> dict[str, t.Any]:
    return client.describe_function(Name=name, Stage="DEVELOPMENT")


@Errors.list_error_handler("read the function's code", "")
@retry
def live_code(client: t.Any, name: str) -> str:
    """The published source; empty when nothing was published."""
    return client.get_function(Name=name, Stage="LIVE")["FunctionCode"].read().decode()


@Errors.common_error_handler("create the function")
@retry
def create_function(client: t.Any, name: str, config: dict[str, t.Any], code: bytes) -> dict[str, t.Any]:
    return client.create_function(Name=name, FunctionConfig=config, FunctionCode=code)


@Errors.common_error_handler("update the function")
@retry
def update_function(client: t.Any, name: str, config: dict[str, t.Any], code: bytes, etag: str) -> dict[str, t.Any]:
    return client.update_function(Name=name, FunctionConfig=config, FunctionCode=code, IfMatch=etag)


@Errors.common_error_handler("publish the function")
@retry
def publish_function(client: t.Any, name: str, etag: str) -> None:
    client.publish_function(Name=name, IfMatch=etag)


@Errors.deletion_error_handler("delete the function")
@retry
def delete_function(client: t.Any, name: str, etag: str) -> None:
    client.delete_function(Name=name, IfMatch=etag)

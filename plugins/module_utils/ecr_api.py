# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ECR calls that our modules make: one function each, an error handler over a retry over one line."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

#: ECR's own limits: names a DescribeRepositories call, ids a BatchGetImage or BatchDeleteImage call, images a page of
#: DescribeImages.
NAMES_A_CALL, IDS_A_CALL, IMAGES_A_PAGE = 100, 100, 1000

Errors = error_handler("RepositoryNotFoundException")
PolicyErrors = error_handler("RepositoryNotFoundException", "LifecyclePolicyNotFoundException")
RepositoryPolicyErrors = error_handler("RepositoryNotFoundException", "RepositoryPolicyNotFoundException")
Document = dict[str, t.Any]


@Errors.list_error_handler("describe the images of the repository")
@AWSRetry.jittered_backoff()
def describe_images(client: t.Any, **request: t.Any) -> list[Document] | None:
    """All active images of a repository; C{None} when the repository does not exist."""
    pages = client.get_paginator("describe_images").paginate(**request, PaginationConfig={"PageSize": IMAGES_A_PAGE})
    return [image for page in pages for image in page["imageDetails"]]


@Errors.list_error_handler("describe the image")
@AWSRetry.jittered_backoff()
def describe_image(client: t.Any, wanted: dict[str, str], **request: t.Any) -> list[Document] | None:
    """The image with a tag or a digest, or none; C{None} when the repository does not exist."""
    try:
        return client.describe_images(imageIds=[wanted], **request)["imageDetails"]
    except is_boto3_error_code("ImageNotFoundException"):
        return []


@Errors.list_error_handler("describe the repository")
@AWSRetry.jittered_backoff()
def describe_repository(client: t.Any, **request: t.Any) -> Document | None:
    """One repository; C{None} when it does not exist."""
    return client.describe_repositories(**request)["repositories"][0]


@Errors.common_error_handler("describe the repositories")
@AWSRetry.jittered_backoff()
def describe_repositories(client: t.Any, **request: t.Any) -> list[Document]:
    """Repositories by name, which must all exist."""
    return client.describe_repositories(**request)["repositories"]


@Errors.list_error_handler("list the referrers of the image", [])
@AWSRetry.jittered_backoff()
def list_image_referrers(client: t.Any, **request: t.Any) -> list[Document]:
    """What refers to an image."""
    return _all_pages(client.list_image_referrers, "referrers", request)


@PolicyErrors.list_error_handler("get the lifecycle policy")
@AWSRetry.jittered_backoff()
def get_lifecycle_policy(client: t.Any, **request: t.Any) -> str | None:
    """A repository's lifecycle policy as JSON text; C{None} when it has none."""
    return client.get_lifecycle_policy(**request)["lifecyclePolicyText"]


@RepositoryPolicyErrors.list_error_handler("get the repository policy")
@AWSRetry.jittered_backoff()
def get_repository_policy(client: t.Any, **request: t.Any) -> str | None:
    """A repository's permissions policy as JSON text; C{None} when it has none."""
    return client.get_repository_policy(**request)["policyText"]


@Errors.list_error_handler("list the tags of the repository", [])
@AWSRetry.jittered_backoff()
def list_tags(client: t.Any, arn: str) -> list[dict[str, str]]:
    """A repository's tags as ECR writes them."""
    return client.list_tags_for_resource(resourceArn=arn)["tags"]


@Errors.common_error_handler("read the manifests of images")
@AWSRetry.jittered_backoff()
def batch_get_image(client: t.Any, **request: t.Any) -> list[Document]:
    """Manifests of images; those that cannot be read are left out."""
    return client.batch_get_image(**request).get("images", [])


@Errors.common_error_handler("get an authorization token of the registry")
@AWSRetry.jittered_backoff()
def get_authorization_token(client: t.Any, **request: t.Any) -> Document:
    """A token for a registry, and where the registry is."""
    return client.get_authorization_token(**request)["authorizationData"][0]


@Errors.common_error_handler("create the repository")
@AWSRetry.jittered_backoff()
def create_repository(client: t.Any, **request: t.Any) -> Document:
    """Create a repository."""
    return client.create_repository(**request)["repository"]


@Errors.deletion_error_handler("delete the repository")
@AWSRetry.jittered_backoff()
def delete_repository(client: t.Any, **request: t.Any) -> t.Any:
    """Delete a repository; one that is gone is fine."""
    return client.delete_repository(**request)


@Errors.common_error_handler("set the lifecycle policy")
@AWSRetry.jittered_backoff()
def put_lifecycle_policy(client: t.Any, **request: t.Any) -> t.Any:
    """Set a repository's lifecycle policy."""
    return client.put_lifecycle_policy(**request)


@PolicyErrors.deletion_error_handler("delete the lifecycle policy")
@AWSRetry.jittered_backoff()
def delete_lifecycle_policy(client: t.Any, **request: t.Any) -> t.Any:
    """Take a repository's lifecycle policy away."""
    return client.delete_lifecycle_policy(**request)


@Errors.common_error_handler("set the repository policy")
@AWSRetry.jittered_backoff()
def set_repository_policy(client: t.Any, **request: t.Any) -> t.Any:
    """Set a repository's permissions policy."""
    return client.set_repository_policy(**request)


@RepositoryPolicyErrors.deletion_error_handler("delete the repository policy")
@AWSRetry.jittered_backoff()
def delete_repository_policy(client: t.Any, **request: t.Any) -> t.Any:
    """Take a repository's permissions policy away."""
    return client.delete_repository_policy(**request)


@Errors.common_error_handler("set the tag mutability")
@AWSRetry.jittered_backoff()
def put_image_tag_mutability(client: t.Any, **request: t.Any) -> t.Any:
    """Say whether a repository's tags can be moved."""
    return client.put_image_tag_mutability(**request)


@Errors.common_error_handler("set the image scanning")
@AWSRetry.jittered_backoff()
def put_image_scanning(client: t.Any, **request: t.Any) -> t.Any:
    """Say whether images are scanned when they are pushed."""
    return client.put_image_scanning_configuration(**request)


@Errors.common_error_handler("tag the repository")
@AWSRetry.jittered_backoff()
def tag_resource(client: t.Any, arn: str, tags: list[dict[str, str]]) -> t.Any:
    """Set tags of a repository."""
    return client.tag_resource(resourceArn=arn, tags=tags)


@Errors.common_error_handler("take tags off the repository")
@AWSRetry.jittered_backoff()
def untag_resource(client: t.Any, arn: str, keys: list[str]) -> t.Any:
    """Take tags off a repository."""
    return client.untag_resource(resourceArn=arn, tagKeys=keys)


@Errors.common_error_handler("remove images")
@AWSRetry.jittered_backoff()
def batch_delete_image(client: t.Any, **request: t.Any) -> list[Document]:
    """Remove images by tag or digest; what could not be removed comes back."""
    return client.batch_delete_image(**request).get("failures", [])


@Errors.common_error_handler("describe the registry")
@AWSRetry.jittered_backoff()
def describe_registry(client: t.Any) -> Document:
    """The registry of this account and region, with its replication rules."""
    return client.describe_registry()


@Errors.common_error_handler("set the replication rules of the registry")
@AWSRetry.jittered_backoff()
def put_replication_configuration(client: t.Any, rules: list[Document]) -> t.Any:
    """Replace the registry's replication rules."""
    return client.put_replication_configuration(replicationConfiguration={"rules": rules})


@Errors.common_error_handler("list the replication backfills")
@AWSRetry.jittered_backoff()
def list_replication_backfills(client: t.Any) -> list[Document]:
    """All backfills of the last 90 days."""
    return _all_pages(client.list_replication_backfills, "backfills", {})


@Errors.common_error_handler("start the replication backfill")
@AWSRetry.jittered_backoff()
def start_replication_backfill(client: t.Any, destination: dict[str, str]) -> Document:
    """Start copying what a registry held before its replication was set."""
    return client.start_replication_backfill(destination=destination)


def _all_pages(call: t.Callable[..., Document], key: str, request: Document) -> list[Document]:
    """The entries of all pages of a call for which botocore has no paginator."""
    entries: list[Document] = []
    while True:
        answer = call(**request)
        entries += answer.get(key, [])
        if not answer.get("nextToken"):
            return entries
        request = {**request, "nextToken": answer["nextToken"]}

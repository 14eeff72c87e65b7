# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls of AWS Certificate Manager that our modules make."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

Document = dict[str, t.Any]
Errors = error_handler("ResourceNotFoundException")


@Errors.common_error_handler("list the certificates")
@AWSRetry.jittered_backoff()
def list_certificates(client: t.Any, key_types: list[str]) -> list[Document]:
    """Summaries of every certificate of the region with such keys."""
    pages = client.get_paginator("list_certificates").paginate(Includes={"keyTypes": key_types})
    return [summary for page in pages for summary in page["CertificateSummaryList"]]


@Errors.list_error_handler("list the tags of the certificate", {})
@AWSRetry.jittered_backoff()
def list_tags(client: t.Any, arn: str) -> dict[str, str]:
    """A certificate's tags; none when it is gone."""
    return boto3_tag_list_to_ansible_dict(client.list_tags_for_certificate(CertificateArn=arn)["Tags"])


@Errors.list_error_handler("describe the certificate")
@AWSRetry.jittered_backoff()
def describe_certificate(client: t.Any, arn: str) -> Document | None:
    """A certificate; C{None} when it is gone."""
    return client.describe_certificate(CertificateArn=arn)["Certificate"]


@Errors.common_error_handler("request the certificate")
@AWSRetry.jittered_backoff()
def request_certificate(client: t.Any, **request: t.Any) -> str:
    """Request a certificate; its ARN."""
    return client.request_certificate(**request)["CertificateArn"]


@Errors.deletion_error_handler("delete the certificate")
@AWSRetry.jittered_backoff()
def delete_certificate(client: t.Any, arn: str) -> t.Any:
    """Delete a certificate; one that is gone is fine."""
    return client.delete_certificate(CertificateArn=arn)


@Errors.common_error_handler("tag the certificate")
@AWSRetry.jittered_backoff()
def add_tags(client: t.Any, arn: str, tags: dict[str, str]) -> t.Any:
    """Set tags."""
    return client.add_tags_to_certificate(CertificateArn=arn, Tags=ansible_dict_to_boto3_tag_list(tags))


@Errors.common_error_handler("take tags off the certificate")
@AWSRetry.jittered_backoff()
def remove_tags(client: t.Any, arn: str, keys: list[str]) -> t.Any:
    """Take tags off, whatever their values."""
    return client.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": key} for key in keys])

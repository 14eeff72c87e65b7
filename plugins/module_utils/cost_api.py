# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls by which it is read what a stack is charged for. All of them read."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

Record = dict[str, t.Any]

Errors = error_handler()


@Errors.common_error_handler("read what the stack is charged for")
@AWSRetry.jittered_backoff()
def listed(client: t.Any, operation: str, key: str, **arguments: t.Any) -> list[t.Any]:
    """All that a listing has, page by page.

    :param operation: name of the operation, which boto3 can page through.
    :param key: what the list is called in its answer.
    """
    pages = client.get_paginator(operation).paginate(**arguments)
    return [one for page in pages for one in page.get(key) or ()]


@Errors.common_error_handler("read what the stack is charged for")
@AWSRetry.jittered_backoff()
def asked(client: t.Any, operation: str, key: str, **arguments: t.Any) -> t.Any:
    """What one answer has under a key; an empty list if nothing."""
    return getattr(client, operation)(**arguments).get(key) or []


# Without AWSRetry, whose patience is for what there is no substitute for: the client's own retries must do.
@Errors.common_error_handler("read AWS's price list")
def get_products(client: t.Any, service: str, filters: t.Sequence[tuple[str, str]]) -> list[str]:
    """Products of the price list with these attributes, each a JSON text."""
    wanted = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters]
    pages = client.get_paginator("get_products").paginate(ServiceCode=service, Filters=wanted, FormatVersion="aws_v1")
    return [product for page in pages for product in page["PriceList"]]

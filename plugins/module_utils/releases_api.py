# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls about the record of releases, one function each."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler
from ansible_collections.palier.aws.plugins.module_utils.parameters_api import LATER, create_parameter

Document = dict[str, t.Any]

ReleaseErrors = error_handler("ParameterNotFound")
DESCRIPTION = "What palier.aws released of this component; its versions are the history."


@ReleaseErrors.list_error_handler("read the record of releases", None)
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def get(client: t.Any, name: str) -> str | None:
    """A parameter's text; C{None} where there is none."""
    return client.get_parameter(Name=name)["Parameter"]["Value"]


@ReleaseErrors.common_error_handler("read the records of releases")
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def below(client: t.Any, path: str) -> dict[str, str]:
    """The texts of all parameters right below a path, by the last part of their names."""
    pages = client.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=False)
    return {one["Name"].rpartition("/")[2]: one["Value"] for page in pages for one in page["Parameters"]}


@ReleaseErrors.list_error_handler("read the history of releases", [])
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def history(client: t.Any, name: str) -> list[str]:
    """The texts of a parameter's versions that are kept, a hundred at most, the oldest first."""
    pages = client.get_paginator("get_parameter_history").paginate(Name=name)
    return [one["Value"] for page in pages for one in page["Parameters"]]


@ReleaseErrors.common_error_handler("record the release")
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def create(client: t.Any, name: str, value: str, tags: list[dict[str, str]]) -> bool:
    """Create the parameter; ``False`` when it is there already. Tags are taken at creation only."""
    return create_parameter(client, name, value, tags, DESCRIPTION)


@ReleaseErrors.common_error_handler("record the release")
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def overwrite(client: t.Any, name: str, value: str) -> t.Any:
    """Write a new version of the parameter."""
    return client.put_parameter(Name=name, Value=value, Type="String", Overwrite=True, Description=DESCRIPTION)


@ReleaseErrors.deletion_error_handler("delete the record of releases")
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def delete(client: t.Any, name: str) -> t.Any:
    """Delete the parameter with its history; one that is gone is fine."""
    return client.delete_parameter(Name=name)


@ReleaseErrors.common_error_handler("ask who is calling")
@AWSRetry.jittered_backoff()
def caller(client: t.Any) -> str:
    """The ARN of who makes these calls."""
    return client.get_caller_identity()["Arn"]

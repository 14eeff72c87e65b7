# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of the C{stack_lock} module, one function each."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler
from ansible_collections.palier.aws.plugins.module_utils.parameters_api import LATER, create_parameter

LockErrors = error_handler("ParameterNotFound", "ParameterVersionNotFound")

DESCRIPTION = "Says which run of palier.aws is at work on this stack. Empty once no run is."


@LockErrors.list_error_handler("read the stack's lock", None)
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def get(client: t.Any, name: str) -> dict[str, t.Any] | None:
    """The whole answer of C{GetParameter}, or ``None``."""
    return client.get_parameter(Name=name)


@LockErrors.common_error_handler("create the stack's lock")
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def create(client: t.Any, name: str, value: str, tags: list[dict[str, str]]) -> bool:
    """Create the parameter; ``False`` when it is there already."""
    return create_parameter(client, name, value, tags, DESCRIPTION)


@LockErrors.common_error_handler("write the stack's lock")
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def overwrite(client: t.Any, name: str, value: str) -> int:
    """Write the parameter; returns the version it became."""
    return client.put_parameter(Name=name, Value=value, Type="String", Overwrite=True, Description=DESCRIPTION)[
        "Version"
    ]


@LockErrors.common_error_handler("tag the stack's lock")
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def tag(client: t.Any, name: str, tags: list[dict[str, str]]) -> None:
    """Set tags."""
    client.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tags)


@LockErrors.deletion_error_handler("delete the stack's lock")
@AWSRetry.jittered_backoff(catch_extra_error_codes=LATER)
def delete(client: t.Any, name: str) -> bool:
    """Delete the parameter; ``False`` when there is none."""
    client.delete_parameter(Name=name)
    return True

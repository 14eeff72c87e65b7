# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all that is kept in SSM parameters has in common."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code

#: Systems Manager's own words for "later": a limit of calls, and two writers of one parameter at once.
LATER = ["ThrottlingException", "TooManyUpdates", "InternalServerError"]


def create_parameter(client: t.Any, name: str, value: str, tags: list[dict[str, str]], description: str) -> bool:
    """Create a parameter; ``False`` when it is there already. Tags are taken at creation only.

    Without a retry or an error handler: the caller's have words of their own.
    """
    try:
        client.put_parameter(
            Name=name, Value=value, Type="String", Overwrite=False, Tags=tags, Description=description, Tier="Standard"
        )
    except is_boto3_error_code("ParameterAlreadyExists"):
        return False
    return True

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls that list a stack's resources: what they ask, that they read every page, how they fail."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import stack_resources_api as subject
from botocore.exceptions import ClientError


class Client:
    """Answers every paginated operation with the same pages, and remembers what it was asked."""

    def __init__(self, *pages: dict[str, t.Any], code: str = "") -> None:
        self.pages = pages
        self.code = code
        self.asked: list[tuple[str, dict[str, t.Any]]] = []

    def get_paginator(self, operation: str) -> t.Any:
        self.operation = operation
        return self

    def paginate(self, **arguments: t.Any) -> t.Any:
        self.asked.append((self.operation, arguments))
        if self.code:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, self.operation)
        return iter(self.pages)


def test_resources_of_every_page_that_carry_all_tags() -> None:
    client = Client(
        {"ResourceTagMappingList": [{"ResourceARN": "a"}]}, {"ResourceTagMappingList": [{"ResourceARN": "b"}]}
    )
    found = subject.get_resources(client, {"Stack": "shop", "Environment": "prod"})
    assert [one["ResourceARN"] for one in found] == ["a", "b"]
    filters = [{"Key": "Stack", "Values": ["shop"]}, {"Key": "Environment", "Values": ["prod"]}]
    assert client.asked == [("get_resources", {"TagFilters": filters})]


IAM = [
    (subject.list_roles, "list_roles", "Roles", {}),
    (subject.list_instance_profiles, "list_instance_profiles", "InstanceProfiles", {}),
    # AWS's own policies are none of a stack's.
    (subject.list_policies, "list_policies", "Policies", {"Scope": "Local"}),
]


@pytest.mark.parametrize(("function", "operation", "key", "more"), IAM)
def test_what_iam_has_below_a_path(function: t.Any, operation: str, key: str, more: dict[str, str]) -> None:
    client = Client({key: [{"Arn": "a"}, {"Arn": "b"}]}, {key: []}, {key: [{"Arn": "c"}]})
    assert function(client, "/shop/prod/") == ["a", "b", "c"]
    assert client.asked == [(operation, {"PathPrefix": "/shop/prod/", **more})]


@pytest.mark.parametrize("function", [subject.get_resources, *(row[0] for row in IAM)])
def test_a_refusal_says_what_was_tried(function: t.Any) -> None:
    with pytest.raises(AnsibleAWSError, match="Failed to list "):
        function(Client(code="AccessDenied"), {"Stack": "shop"})

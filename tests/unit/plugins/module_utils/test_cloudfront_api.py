# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pages, waits and the search by name, with clients that answer from a list."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import cloudfront_api as subject


class Client:
    """Three distributions, two on a page; the status of each look in its turn."""

    SUMMARIES = (
        {"Id": "E1", "ARN": "a1", "Comment": "other"},
        {"Id": "E2", "ARN": "a2", "Comment": "shop"},
        {"Id": "E3", "ARN": "a3", "Comment": "other"},
    )
    TAGS = {"a1": "first", "a2": "shop", "a3": "third"}

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.asked: list[str] = []

    def list_distributions(self, Marker: str = "") -> dict[str, t.Any]:  # noqa: N803 - AWS's name
        start = int(Marker or 0)
        more = {"NextMarker": str(start + 2)} if start + 2 < len(self.SUMMARIES) else {}
        return {"DistributionList": {"Items": list(self.SUMMARIES[start : start + 2]), **more}}

    def list_tags_for_resource(self, Resource: str) -> dict[str, t.Any]:  # noqa: N803
        self.asked.append(Resource)
        return {"Tags": {"Items": [{"Key": "Name", "Value": self.TAGS[Resource]}]}}

    def get_distribution(self, Id: str) -> dict[str, t.Any]:  # noqa: N803
        status = self.statuses.pop(0) if self.statuses else "Deployed"
        return {"Distribution": {"Id": Id, "Status": status}, "ETag": "V1"}


def test_every_page_is_read() -> None:
    assert [one["Id"] for one in subject.list_distributions(Client())] == ["E1", "E2", "E3"]


@pytest.mark.parametrize(
    ("name", "found", "asked"),
    [("shop", "E2", ["a2"]), ("third", "E3", ["a1", "a2", "a3"]), ("nobody", None, ["a1", "a2", "a3"])],
)
def test_found_by_the_tag_and_first_where_the_comment_says_so(name: str, found: str | None, asked: list[str]) -> None:
    client = Client()
    result = subject.find_distribution(client, name)
    assert (result["Id"] if result else None) == found
    assert client.asked == asked


def wait(client: Client, timeout: int) -> tuple[dict[str, t.Any], list[float]]:
    slept: list[float] = []
    result = subject.wait_until_deployed(
        client, "E1", timeout, delay=20, clock=lambda: float(sum(slept)), sleep=slept.append
    )
    return result, slept


def test_waits_until_it_is_deployed() -> None:
    result, slept = wait(Client("InProgress", "InProgress"), 60)
    assert result["Distribution"]["Status"] == "Deployed"
    assert slept == [20, 20]


def test_gives_up_when_the_time_is_over() -> None:
    with pytest.raises(AnsibleAWSError, match="not deployed after wait_timeout, 30 seconds"):
        wait(Client(*["InProgress"] * 9), 30)

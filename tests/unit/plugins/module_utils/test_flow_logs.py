# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan for a flow log."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import flow_logs

WANTED = {
    "resource_id": "vpc-1",
    "destination_type": "cloud-watch-logs",
    "log_group_name": "/shop/flow",
    "iam_role_arn": "arn:aws:iam::123456789012:role/flow",
    "traffic_type": "ALL",
    "max_aggregation_interval": 600,
}


def log(flow_log_id: str, name: str | None = "shop", tags: dict | None = None, **changed: t.Any) -> dict[str, t.Any]:
    named = {"Name": name} if name else {}
    return {
        **WANTED,
        "log_format": "${version}",
        "flow_log_id": flow_log_id,
        "tags": {**named, **(tags or {})},
        **changed,
    }


def present(found: list, tags: dict | None = None, purge: bool = True) -> tuple[list[tuple[str, str]], str | None]:
    steps, stays = flow_logs.plan_present(found, WANTED, "shop", tags, purge)
    return [(step.verb, step.reason) for step in steps], stays and stays["flow_log_id"]


@pytest.mark.parametrize(
    ("found", "steps", "stays"),
    [
        pytest.param([], [("create", "does not exist")], None, id="none"),
        pytest.param([log("fl-1")], [("keep", "is as wanted")], "fl-1", id="as wanted"),
        pytest.param([log("fl-1", name="other")], [("create", "does not exist")], None, id="somebody else's"),
        pytest.param([log("fl-1", name=None)], [("tag", "tags differ")], "fl-1", id="nameless and equal: taken over"),
        pytest.param(
            [log("fl-1", name=None, traffic_type="REJECT")], [("create", "does not exist")], None, id="nameless, other"
        ),
        pytest.param(
            [log("fl-1", traffic_type="REJECT", max_aggregation_interval=60)],
            [
                (
                    "create",
                    "cannot be changed (traffic_type: REJECT, wanted ALL; max_aggregation_interval: 60, wanted 600)",
                ),
                ("delete", "is replaced"),
            ],
            None,
            id="replaced, with the reason",
        ),
        pytest.param(
            [log("fl-1", traffic_type="REJECT"), log("fl-2")],
            [("delete", "is a second one of this name")],
            "fl-2",
            id="a replacement that stopped half-way",
        ),
        pytest.param(
            [log("fl-2"), log("fl-1")],
            [("delete", "is a second one of this name")],
            "fl-1",
            id="the first stays",
        ),
    ],
)
def test_present(found: list, steps: list, stays: str | None) -> None:
    assert present(found) == (steps, stays)


@pytest.mark.parametrize(
    ("tags", "purge", "after"),
    [
        (None, True, None),
        ({"Stack": "shop"}, True, {"Stack": "shop", "Name": "shop"}),
        ({"Stack": "shop"}, False, {"Stack": "shop", "Name": "shop", "Old": "1"}),
        ({}, True, {"Name": "shop"}),
        ({"Old": "1"}, True, None),
    ],
)
def test_tags(tags: dict | None, purge: bool, after: dict | None) -> None:
    (step,), _ = flow_logs.plan_present([log("fl-1", tags={"Old": "1"})], WANTED, "shop", tags, purge)
    assert (step.verb == "keep") == (after is None)
    assert after is None or step.after["tags"] == after


def test_a_new_one_carries_its_name_and_tags() -> None:
    (step,), _ = flow_logs.plan_present([], WANTED, "shop", {"Stack": "shop"}, True)
    assert step.after == {**WANTED, "tags": {"Stack": "shop", "Name": "shop"}}


def test_absent_deletes_all_of_the_name_and_none_other() -> None:
    steps = flow_logs.plan_absent([log("fl-1"), log("fl-2", name="other"), log("fl-3")], "shop")
    assert [step.before["flow_log_id"] for step in steps] == ["fl-1", "fl-3"]
    assert [step.verb for step in flow_logs.plan_absent([], "shop")] == ["skip"]


@pytest.mark.parametrize(
    ("has", "wants"),
    [
        ("arn:aws:s3:::logs/flow", "arn:aws:s3:::logs/flow/"),
        ("${version} ${srcaddr}", "${version}\n  ${srcaddr}\n"),
    ],
)
def test_spelling_is_no_difference(has: str, wants: str) -> None:
    assert flow_logs.differences({"log_destination": has}, {"log_destination": wants}) == []


def test_what_is_not_named_is_no_difference() -> None:
    assert flow_logs.differences(log("fl-1"), WANTED) == []


@pytest.mark.parametrize(
    ("resource_id", "kind"), [("vpc-1", "VPC"), ("subnet-1", "Subnet"), ("eni-1", "NetworkInterface")]
)
def test_resource_type(resource_id: str, kind: str) -> None:
    assert flow_logs.resource_type(resource_id) == kind


@pytest.mark.parametrize("resource_id", ["", "i-123", "tgw-1"])
def test_other_resources_are_refused(resource_id: str) -> None:
    with pytest.raises(AnsibleAWSError, match="give the id of a VPC"):
        flow_logs.resource_type(resource_id)


def options(**named: t.Any) -> dict[str, t.Any]:
    base = {**dict.fromkeys(flow_logs.PROPERTIES), "destination_type": "cloud-watch-logs", "iam_role_arn": "arn:role"}
    return {**base, **named}


def test_a_log_groups_arn_is_its_name() -> None:
    arn = "arn:aws:logs:eu-west-3:123456789012:log-group:/shop/flow:*"
    assert flow_logs.wanted_flow_log(options(log_destination=arn)) == {
        "destination_type": "cloud-watch-logs",
        "log_group_name": "/shop/flow",
        "iam_role_arn": "arn:role",
    }


def test_a_log_group_needs_a_role_and_a_bucket_does_not() -> None:
    with pytest.raises(AnsibleAWSError, match="iam_role_arn is missing"):
        flow_logs.wanted_flow_log(options(log_group_name="/shop", iam_role_arn=None))
    bucket = options(destination_type="s3", log_destination="arn:aws:s3:::logs", iam_role_arn=None)
    assert flow_logs.wanted_flow_log(bucket) == {"destination_type": "s3", "log_destination": "arn:aws:s3:::logs"}


def test_facts_find_the_log_group_in_the_arn() -> None:
    answer = {
        "FlowLogId": "fl-1",
        "LogDestinationType": "cloud-watch-logs",
        "LogDestination": "arn:aws:logs:eu-west-3:123456789012:log-group:/shop/flow",
    }
    facts = flow_logs.flow_log_facts(answer)
    assert (facts["log_group_name"], facts["tags"]) == ("/shop/flow", {})

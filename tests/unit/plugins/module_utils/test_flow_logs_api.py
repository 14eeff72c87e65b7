# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The EC2 calls about flow logs, against answers that EC2 gives and moto does not."""

from __future__ import annotations

import typing as t
from unittest import mock

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import flow_logs_api as api
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

LOG = {
    "resource_id": "vpc-1",
    "destination_type": "cloud-watch-logs",
    "log_group_name": "/shop/flow",
    "traffic_type": "ALL",
    "tags": {"Name": "shop"},
}
CREATED = {"FlowLogIds": ["fl-2"], "Unsuccessful": []}


def unsuccessful(code: str, message: str = "no") -> dict[str, t.Any]:
    return {"FlowLogIds": [], "Unsuccessful": [{"ResourceId": "vpc-1", "Error": {"Code": code, "Message": message}}]}


def client(create: t.Any = None, delete: t.Any = None) -> mock.Mock:
    ec2 = mock.Mock()
    ec2.create_flow_logs.side_effect = create or [CREATED]
    ec2.delete_flow_logs.side_effect = delete or [{"Unsuccessful": []}]
    return ec2


def test_the_request() -> None:
    ec2 = client()
    assert api.create_flow_log(ec2, LOG) == "fl-2"
    ec2.create_flow_logs.assert_called_once_with(
        ResourceIds=["vpc-1"],
        ResourceType="VPC",
        LogDestinationType="cloud-watch-logs",
        LogGroupName="/shop/flow",
        TrafficType="ALL",
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "Name", "Value": "shop"}]}],
    )


def test_what_ec2_did_not_create_is_an_error() -> None:
    with pytest.raises(AnsibleAWSError, match="create the flow log of vpc-1: 400: LogDestination not found"):
        api.create_flow_log(client([unsuccessful("400", "LogDestination not found")]), LOG)


def test_a_new_role_is_waited_for_without_a_wall_clock() -> None:
    naps: list[float] = []
    ec2 = client([unsuccessful("InvalidParameter", api.UNASSUMABLE)] * 2 + [CREATED])
    assert api.create_flow_log(ec2, LOG, naps.append) == "fl-2"
    assert naps == list(api.ROLE_DELAYS[:2])


def test_a_role_that_never_works_ends_in_an_error() -> None:
    naps: list[float] = []
    with pytest.raises(AnsibleAWSError, match=api.UNASSUMABLE):
        api.create_flow_log(client([unsuccessful("InvalidParameter", api.UNASSUMABLE)] * 9), LOG, naps.append)
    assert sum(naps) <= 60


def replace() -> list[Step]:
    return [
        Step("create", "flow log shop", "differs", None, LOG),
        Step("delete", "flow log shop (fl-1)", "is replaced", {"flow_log_id": "fl-1"}),
    ]


def test_a_replacement_is_created_before_the_old_one_goes() -> None:
    ec2 = client()
    assert api.carry_out(ec2, replace()) == "fl-2"
    assert [call[0] for call in ec2.method_calls] == ["create_flow_logs", "delete_flow_logs"]


def test_where_ec2_takes_both_for_the_same_the_old_one_goes_first() -> None:
    ec2 = client([unsuccessful("FlowLogAlreadyExists"), CREATED], [{}, unsuccessful("InvalidFlowLogId.NotFound")])
    assert api.carry_out(ec2, replace()) == "fl-2"
    assert [call[0] for call in ec2.method_calls] == [
        "create_flow_logs",
        "delete_flow_logs",
        "create_flow_logs",
        "delete_flow_logs",
    ]


def test_a_clash_with_somebody_elses_is_an_error() -> None:
    with pytest.raises(AnsibleAWSError, match="FlowLogAlreadyExists"):
        api.carry_out(client([unsuccessful("FlowLogAlreadyExists")]), replace()[:1])


def test_deleting_what_is_gone_is_fine_and_what_is_kept_is_not() -> None:
    api.delete_flow_log(client(delete=[unsuccessful("InvalidFlowLogId.NotFound")]), "fl-1")
    with pytest.raises(AnsibleAWSError, match="UnauthorizedOperation"):
        api.delete_flow_log(client(delete=[unsuccessful("UnauthorizedOperation")]), "fl-1")


def test_only_tags_that_differ_are_written() -> None:
    ec2 = client()
    api.tag_flow_log(ec2, "fl-1", {"a": "1", "b": "2"}, {"b": "2", "c": "3"})
    ec2.delete_tags.assert_called_once_with(Resources=["fl-1"], Tags=[{"Key": "a"}])
    ec2.create_tags.assert_called_once_with(Resources=["fl-1"], Tags=[{"Key": "c", "Value": "3"}])

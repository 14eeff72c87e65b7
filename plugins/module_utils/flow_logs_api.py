# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The EC2 calls about flow logs, one function each.

CreateFlowLogs and DeleteFlowLogs succeed as calls and report in ``Unsuccessful`` what they did not do.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
    boto3_tag_specifications,
    compare_aws_tags,
)
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler
from ansible_collections.palier.aws.plugins.module_utils.flow_logs import (
    PROPERTIES,
    FlowLog,
    flow_log_facts,
    resource_type,
)
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

FlowLogErrors = error_handler("InvalidFlowLogId.NotFound")

#: What AWS says of a role that it cannot assume, which a role of a few seconds ago is as well.
UNASSUMABLE = "Unable to assume given IAM role"
#: Seconds between the tries while a new role makes its way through IAM; 50 seconds in all.
ROLE_DELAYS = (2, 4, 8, 16, 20)


@FlowLogErrors.list_error_handler("list the flow logs", [])
@AWSRetry.jittered_backoff()
def _describe_flow_logs(client: t.Any, filters: list[dict[str, t.Any]]) -> t.Any:
    return client.get_paginator("describe_flow_logs").paginate(Filters=filters).build_full_result()["FlowLogs"]


def find_flow_logs(client: t.Any, resource_id: str | None, name: str | None = None) -> list[FlowLog]:
    """The flow logs of a resource, or those of a name.

    :param resource_id: the resource; it need not exist.
    :param name: the value of their Name tag.
    """
    by = {"resource-id": resource_id, "tag:Name": name}
    filters = [{"Name": key, "Values": [value]} for key, value in by.items() if value]
    found = _describe_flow_logs(client, filters)
    return [flow_log_facts({**log, "Tags": boto3_tag_list_to_ansible_dict(log.get("Tags", []))}) for log in found]


@FlowLogErrors.common_error_handler("create the flow log")
@AWSRetry.jittered_backoff()
def _create_flow_logs(client: t.Any, **request: t.Any) -> t.Any:
    return client.create_flow_logs(**request)


@FlowLogErrors.deletion_error_handler("delete the flow log")
@AWSRetry.jittered_backoff()
def _delete_flow_logs(client: t.Any, ids: list[str]) -> t.Any:
    return client.delete_flow_logs(FlowLogIds=ids)


@FlowLogErrors.common_error_handler("tag the flow log")
@AWSRetry.jittered_backoff()
def _create_tags(client: t.Any, flow_log_id: str, tags: dict[str, str]) -> t.Any:
    return client.create_tags(Resources=[flow_log_id], Tags=ansible_dict_to_boto3_tag_list(tags))


@FlowLogErrors.common_error_handler("remove tags of the flow log")
@AWSRetry.jittered_backoff()
def _delete_tags(client: t.Any, flow_log_id: str, keys: list[str]) -> t.Any:
    return client.delete_tags(Resources=[flow_log_id], Tags=[{"Key": key} for key in keys])


def _raise_unsuccessful(answer: t.Any, doing: str, fine: str = "") -> None:
    for item in answer.get("Unsuccessful", []) if answer else []:
        error = item.get("Error", {})
        if error.get("Code") != fine:
            raise AnsibleAWSError(
                message=f"Failed to {doing} of {item.get('ResourceId')}: {error.get('Code')}: {error.get('Message')}"
            )


def _request(log: FlowLog) -> dict[str, t.Any]:
    given = {theirs: log[ours] for ours, theirs in PROPERTIES.items() if ours in log and ours != "resource_id"}
    return {
        "ResourceIds": [log["resource_id"]],
        "ResourceType": resource_type(log["resource_id"]),
        "TagSpecifications": boto3_tag_specifications(log["tags"], "vpc-flow-log"),
        **given,
    }


def create_flow_log(client: t.Any, log: FlowLog, sleep: t.Callable[[float], None] | None = None) -> str:
    """Create a flow log.

    :param log: its properties and tags.
    :param sleep: takes the seconds to wait before the next try while AWS does not know the role yet.
    :returns: its id.
    :raises AnsibleAWSError: when AWS refuses it.
    """
    for delay in ROLE_DELAYS:
        try:
            return _try_to_create(client, log)
        except AnsibleAWSError as error:
            if UNASSUMABLE not in str(error):
                raise
        (sleep or time.sleep)(delay)
    return _try_to_create(client, log)


def _try_to_create(client: t.Any, log: FlowLog) -> str:
    answer = _create_flow_logs(client, **_request(log))
    _raise_unsuccessful(answer, "create the flow log")
    return answer["FlowLogIds"][0]


def delete_flow_log(client: t.Any, flow_log_id: str) -> None:
    """Delete a flow log; one that is gone is fine."""
    answer = _delete_flow_logs(client, [flow_log_id])
    _raise_unsuccessful(answer, "delete the flow log", fine="InvalidFlowLogId.NotFound")


def tag_flow_log(client: t.Any, flow_log_id: str, before: dict[str, str], after: dict[str, str]) -> None:
    """Make the tags those of ``after``."""
    to_set, to_unset = compare_aws_tags(before, after, True)
    if to_unset:
        _delete_tags(client, flow_log_id, to_unset)
    if to_set:
        _create_tags(client, flow_log_id, to_set)


def carry_out(client: t.Any, steps: list[Step]) -> str | None:
    """Carry out a plan's steps in their order.

    :returns: the id of the flow log that was created, if one was.
    """
    created = None
    old = [step.before["flow_log_id"] for step in steps if step.verb == "delete"]
    for step in steps:
        if step.verb == "create":
            created = _create_or_make_room(client, step.after, old)
        elif step.verb == "tag":
            tag_flow_log(client, step.before["flow_log_id"], step.before["tags"], step.after["tags"])
        elif step.verb == "delete":
            delete_flow_log(client, step.before["flow_log_id"])
    return created


def _create_or_make_room(client: t.Any, log: FlowLog, old: list[str]) -> str:
    """Create a flow log; where AWS takes it for the same as an old one of ours, that one goes first."""
    try:
        return create_flow_log(client, log)
    except AnsibleAWSError as error:
        if "FlowLogAlreadyExists" not in str(error) or not old:
            raise
    for flow_log_id in old:
        delete_flow_log(client, flow_log_id)
    return create_flow_log(client, log)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to the flow log of a VPC, a subnet or a network interface.

AWS lets nobody change a flow log, its tags aside: another configuration is another flow log. So a difference means a
new one first and the old one's end after it, and for a moment both record.
"""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.tagging import compare_aws_tags
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

FlowLog = dict[str, t.Any]

#: What AWS calls a resource, by the prefix of its id.
RESOURCE_TYPES = {"vpc": "VPC", "subnet": "Subnet", "eni": "NetworkInterface"}

#: Our name of each immutable property, and AWS's name of it.
PROPERTIES = {
    "resource_id": "ResourceId",
    "destination_type": "LogDestinationType",
    "log_group_name": "LogGroupName",
    "log_destination": "LogDestination",
    "iam_role_arn": "DeliverLogsPermissionArn",
    "traffic_type": "TrafficType",
    "max_aggregation_interval": "MaxAggregationInterval",
    "log_format": "LogFormat",
}


def resource_type(resource_id: str) -> str:
    """The type of the resource in AWS's words.

    :raises AnsibleAWSError: when flow logs of such a resource are not known here.
    """
    try:
        return RESOURCE_TYPES[resource_id.split("-", 1)[0]]
    except KeyError:
        raise AnsibleAWSError(
            message=f"resource_id is {resource_id!r}: give the id of a VPC (vpc-…), a subnet (subnet-…) "
            "or a network interface (eni-…)"
        ) from None


def wanted_flow_log(params: dict[str, t.Any]) -> FlowLog:
    """The immutable properties that the module's parameters ask for, without those that nobody named.

    :raises AnsibleAWSError: when a log group comes without a role.
    """
    if params["destination_type"] == "cloud-watch-logs" and not params.get("iam_role_arn"):
        raise AnsibleAWSError(
            message="iam_role_arn is missing: destination_type cloud-watch-logs needs the role with which AWS writes"
        )
    wanted = {name: params.get(name) for name in PROPERTIES}
    if params["destination_type"] == "cloud-watch-logs" and wanted["log_destination"]:
        wanted["log_group_name"] = log_group_of(str(wanted.pop("log_destination")))
    return {name: value for name, value in wanted.items() if value is not None}


def log_group_of(arn: str) -> str:
    """The name of the log group with this ARN."""
    return arn.partition(":log-group:")[2].removesuffix(":*") or arn


def flow_log_facts(answer: dict[str, t.Any]) -> FlowLog:
    """A flow log as the module returns it, from what DescribeFlowLogs says (tags as a dictionary)."""
    facts = {ours: answer.get(theirs) for ours, theirs in PROPERTIES.items()}
    if facts["destination_type"] == "cloud-watch-logs" and not facts["log_group_name"]:
        facts["log_group_name"] = log_group_of(facts["log_destination"] or "")
    return {
        "flow_log_id": answer["FlowLogId"],
        **facts,
        "tags": answer.get("Tags", {}),
        "deliver_logs_status": answer.get("DeliverLogsStatus"),
        "deliver_logs_error_message": answer.get("DeliverLogsErrorMessage"),
    }


def differences(current: FlowLog, wanted: FlowLog) -> list[str]:
    """The immutable properties in which a flow log is not as wanted, each in words."""
    return [
        f"{name}: {current.get(name)}, wanted {value}"
        for name, value in wanted.items()
        if _comparable(current.get(name)) != _comparable(value)
    ]


def _comparable(value: t.Any) -> t.Any:
    """S3 prefixes may end with a slash, and log formats may be wrapped over lines."""
    return " ".join(value.split()).rstrip("/") if isinstance(value, str) else value


def flow_log_label(name: str) -> str:
    """The flow log in the reader's words."""
    return f"flow log {name}"


def is_named(log: FlowLog, name: str) -> bool:
    """Whether a flow log carries this name."""
    return bool(log["tags"].get("Name") == name)


def plan_present(
    found: list[FlowLog], wanted: FlowLog, name: str, tags: dict[str, str] | None, purge_tags: bool
) -> tuple[list[Step], FlowLog | None]:
    """What makes the flow log as it is wanted.

    :param found: all flow logs of the resource, whoever made them.
    :param wanted: the immutable properties.
    :param name: the name by which ours is told from others.
    :param tags: the tags besides Name, or ``None`` to leave them.
    :param purge_tags: whether other tags are removed.
    :returns: the steps, and the flow log that stays (``None`` when one is created).
    """
    ours = sorted((log for log in found if is_named(log, name)), key=lambda log: log["flow_log_id"])
    # AWS refuses a second one of the same configuration, so one without a name is taken over, not doubled.
    nameless = [log for log in found if not log["tags"].get("Name")]
    stays = next((log for log in [*ours, *nameless] if not differences(log, wanted)), None)
    all_tags = {**(tags or {}), "Name": name}
    first = [_create(wanted, name, all_tags, ours)] if stays is None else _tag(stays, name, all_tags, tags, purge_tags)
    why = "is replaced" if stays is None else "is a second one of this name"
    steps = first + [_delete(log, name, why) for log in ours if log is not stays]
    return steps or [Step("keep", flow_log_label(name), "is as wanted")], stays


def _create(wanted: FlowLog, name: str, tags: dict[str, str], ours: list[FlowLog]) -> Step:
    why = f"cannot be changed ({'; '.join(differences(ours[-1], wanted))})" if ours else "does not exist"
    return Step("create", flow_log_label(name), why, None, {**wanted, "tags": tags})


def _tag(
    log: FlowLog, name: str, all_tags: dict[str, str], tags: dict[str, str] | None, purge_tags: bool
) -> list[Step]:
    to_set, to_unset = compare_aws_tags(log["tags"], all_tags, purge_tags and tags is not None)
    if not to_set and not to_unset:
        return []
    kept = {key: value for key, value in log["tags"].items() if key not in to_unset}
    before = {"flow_log_id": log["flow_log_id"], "tags": log["tags"]}
    return [Step("tag", flow_log_label(name), "tags differ", before, {**before, "tags": {**kept, **to_set}})]


def _delete(log: FlowLog, name: str, why: str) -> Step:
    return Step("delete", f"{flow_log_label(name)} ({log['flow_log_id']})", why, log)


def plan_absent(found: list[FlowLog], name: str) -> list[Step]:
    """What removes every flow log of this name."""
    steps = [_delete(log, name, "state is absent") for log in found if is_named(log, name)]
    return steps or [Step("skip", flow_log_label(name), "does not exist")]

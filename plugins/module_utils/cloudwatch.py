# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to a dashboard, a composite alarm and the topic that alarms are sent to."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import urlsplit

from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = dict[str, t.Any]
Tags = dict[str, str]

#: Amazon CloudWatch API reference, PutCompositeAlarm (AlarmRule), and user guide, "CloudWatch quotas".
LONGEST_RULE, MOST_CHILDREN = 10240, 100


class AlarmError(ValueError):
    """A rule that CloudWatch would refuse; the message names the option and what to write instead."""


def tag_dict(tags: t.Iterable[t.Mapping[str, str]]) -> Tags:
    """Tags as AWS lists them, as a dictionary."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def tag_list(tags: t.Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS takes them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def wanted_tags(params: Document, current: Tags) -> Tags:
    """The tags that a resource shall have; those that it has where the options do not say."""
    if params.get("tags") is None:
        return current
    given = {key: str(value) for key, value in params["tags"].items()}
    return given if params.get("purge_tags", True) else {**current, **given}


def plan_tags(resource: str, current: Tags, wanted: Tags) -> list[Step]:
    """A step where tags differ."""
    if current == wanted:
        return []
    return [Step("tag", resource, "tags differ", {"tags": current}, {"tags": wanted})]


# -- dashboards --------------------------------------------------------------------------------------------------------


def plan_dashboard(name: str, current: str | None, wanted: Document | None) -> Step:
    """Whether a dashboard must be written or removed; bodies are compared by meaning, not as text.

    :param current: its body as JSON text, C{None} for no such dashboard.
    :param wanted: its body, C{None} for none.
    """
    resource = f"cloudwatch dashboard {name}"
    before = parsed(current)
    if wanted is None:
        absent = Step("skip", resource, "does not exist")
        return absent if current is None else Step("delete", resource, "state is absent", {"name": name})
    if current is None:
        return Step("create", resource, "does not exist", None, wanted)
    if before == wanted:
        return Step("keep", resource, "is as wanted")
    return Step("modify", resource, "its body differs", before, wanted)


def parsed(body: str | None) -> t.Any:
    """A dashboard's body; text that is no JSON as it is, so that it differs from every wanted one."""
    try:
        return json.loads(body) if body else body
    except ValueError:
        return body


# -- composite alarms --------------------------------------------------------------------------------------------------


def alarm_rule(params: Document) -> str:
    """The rule of a composite alarm.

    :raises AlarmError: when CloudWatch would refuse it.
    """
    children = params.get("any_of")
    if children is not None and not 1 <= len(children) <= MOST_CHILDREN:
        raise AlarmError(f"any_of has {len(children)} alarms; name 1 to {MOST_CHILDREN}")
    rule = params.get("rule") or " OR ".join(f'ALARM("{name}")' for name in sorted(children or []))
    if len(rule) > LONGEST_RULE:
        raise AlarmError(f"the rule has {len(rule)} characters; CloudWatch takes at most {LONGEST_RULE}")
    return rule


def composite_shape(params: Document) -> Document:
    """A composite alarm as PutCompositeAlarm takes it, without tags."""
    return {
        "AlarmName": params["name"],
        "AlarmRule": alarm_rule(params),
        "AlarmDescription": params.get("description") or "",
        "ActionsEnabled": params.get("actions_enabled", True),
        "AlarmActions": sorted(params.get("alarm_actions") or []),
        "OKActions": sorted(params.get("ok_actions") or []),
        "InsufficientDataActions": sorted(params.get("insufficient_data_actions") or []),
    }


def from_composite(alarm: Document) -> Document:
    """A composite alarm as DescribeAlarms answers, in the form that is written."""
    empty = {"AlarmDescription": "", "ActionsEnabled": True}
    actions = ("AlarmActions", "OKActions", "InsufficientDataActions")
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmRule": alarm.get("AlarmRule", ""),
        **{name: alarm.get(name, default) for name, default in empty.items()},
        **{name: sorted(alarm.get(name) or []) for name in actions},
    }


def plan_composite(current: Document | None, wanted: Document, current_tags: Tags, tags: Tags) -> list[Step]:
    """What makes a composite alarm as it is wanted."""
    resource = f"composite alarm {wanted['AlarmName']}"
    if current is None:
        return [Step("create", resource, "does not exist", None, {**wanted, "tags": tags})]
    before = from_composite(current)
    differing = {name: value for name, value in wanted.items() if before[name] != value}
    steps = []
    if differing:
        was = {name: before[name] for name in differing}
        steps.append(Step("modify", resource, f"differs in {', '.join(sorted(differing))}", was, differing))
    steps += plan_tags(resource, current_tags, tags)
    return steps or [Step("keep", resource, "is as wanted")]


# -- topics ------------------------------------------------------------------------------------------------------------


def shown(protocol: str, endpoint: str) -> str:
    """An endpoint as plans and diffs show it: of a web hook the host only, since its path is often a secret."""
    if protocol in ("http", "https"):
        return f"{protocol}://{urlsplit(endpoint).hostname}/…"
    return f"{protocol}:{endpoint}"


def plan_topic(params: Document, current: Document | None) -> list[Step]:
    """What makes a topic as it is wanted.

    :param params: the module's options.
    :param current: C{kms_key_id}, C{display_name}, C{tags} and C{subscriptions} of the topic, C{None} for none.
    """
    resource = f"sns topic {params['name']}"
    there = current or {"tags": {}, "subscriptions": []}
    steps = []
    if current is None:
        after = {"kms_key_id": params.get("kms_key_id") or "", "tags": wanted_tags(params, {})}
        steps.append(Step("create", resource, "does not exist", None, after))
    else:
        for option in ("kms_key_id", "display_name"):
            wanted = params.get(option)
            if wanted is not None and wanted != there.get(option, ""):
                before = {option: there.get(option, "")}
                steps.append(Step("modify", resource, f"{option} differs", before, {option: wanted}))
        steps += plan_tags(resource, there["tags"], wanted_tags(params, there["tags"]))
    for subscription in missing_subscriptions(params, there):
        step_resource = f"subscription {shown(*subscription)} of {resource}"
        steps.append(Step("create", step_resource, "does not exist", None, {"endpoint": shown(*subscription)}))
    for one in surplus_subscriptions(params, there):
        name = shown(one["Protocol"], one["Endpoint"])
        steps.append(Step("delete", f"subscription {name} of {resource}", "is not listed", {"endpoint": name}))
    return steps or [Step("keep", resource, "is as wanted")]


def missing_subscriptions(params: Document, current: Document) -> list[tuple[str, str]]:
    """Protocol and endpoint of what is to be subscribed."""
    there = {(one["Protocol"], one["Endpoint"]) for one in current["subscriptions"]}
    given = [(one["protocol"], one["endpoint"]) for one in params.get("subscriptions") or []]
    return [one for one in dict.fromkeys(given) if one not in there]


def surplus_subscriptions(params: Document, current: Document) -> list[Document]:
    """Subscriptions that are not wanted. One that nobody has confirmed has no ARN yet; AWS forgets it by itself."""
    if params.get("subscriptions") is None or not params.get("purge_subscriptions", True):
        return []
    given = {(one["protocol"], one["endpoint"]) for one in params["subscriptions"]}
    return [
        one
        for one in current["subscriptions"]
        if (one["Protocol"], one["Endpoint"]) not in given and one["SubscriptionArn"].startswith("arn:")
    ]

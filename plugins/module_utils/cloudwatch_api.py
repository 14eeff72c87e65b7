# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls to CloudWatch and SNS that our modules make: one function each, an error handler over a retry."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler
from ansible_collections.palier.aws.plugins.module_utils.cloudwatch import tag_dict, tag_list

Document = dict[str, t.Any]
Tags = dict[str, str]

Errors = error_handler("ResourceNotFound", "ResourceNotFoundException", "DashboardNotFoundError")
TopicErrors = error_handler("NotFound", "NotFoundException")
retry = AWSRetry.jittered_backoff(delay=1)
# SNS refuses a key that was just made for some seconds.
key_retry = AWSRetry.jittered_backoff(
    retries=5, delay=1, max_delay=8, catch_extra_error_codes=["KMSNotFound", "KMSAccessDenied", "InvalidParameter"]
)


# ---- dashboards


@Errors.list_error_handler("get the dashboard")
@retry
def get_dashboard(client: t.Any, name: str) -> str | None:
    """A dashboard's body as JSON text; C{None} when it does not exist."""
    return client.get_dashboard(DashboardName=name)["DashboardBody"]


@Errors.common_error_handler("write the dashboard")
@retry
def put_dashboard(client: t.Any, name: str, body: str) -> list[Document]:
    """Write a dashboard; what CloudWatch has to say about it comes back."""
    return client.put_dashboard(DashboardName=name, DashboardBody=body).get("DashboardValidationMessages") or []


@Errors.deletion_error_handler("delete the dashboard")
@retry
def delete_dashboard(client: t.Any, name: str) -> t.Any:
    """Delete a dashboard; one that is gone is fine."""
    return client.delete_dashboards(DashboardNames=[name])


# ---- composite alarms


@Errors.common_error_handler("describe the composite alarm")
@retry
def describe_composite(client: t.Any, name: str) -> Document | None:
    """A composite alarm; C{None} when it does not exist. CloudWatch leaves composite alarms out unless asked for."""
    found = client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    return found[0] if found else None


@Errors.common_error_handler("put the composite alarm")
@retry
def put_composite(client: t.Any, request: Document) -> t.Any:
    """Create a composite alarm, or replace what it does."""
    return client.put_composite_alarm(**request)


@Errors.deletion_error_handler("delete the alarm")
@retry
def delete_alarm(client: t.Any, name: str) -> t.Any:
    """Delete an alarm; one that is gone is fine."""
    return client.delete_alarms(AlarmNames=[name])


@Errors.list_error_handler("list the tags of the alarm", {})
@retry
def alarm_tags(client: t.Any, arn: str) -> Tags:
    """The tags of an alarm."""
    return tag_dict(client.list_tags_for_resource(ResourceARN=arn)["Tags"])


@Errors.common_error_handler("tag the alarm")
@retry
def _tag_alarm(client: t.Any, arn: str, tags: Tags) -> t.Any:
    return client.tag_resource(ResourceARN=arn, Tags=tag_list(tags))


@Errors.common_error_handler("take tags off the alarm")
@retry
def _untag_alarm(client: t.Any, arn: str, keys: list[str]) -> t.Any:
    return client.untag_resource(ResourceARN=arn, TagKeys=keys)


# ---- topics


@TopicErrors.list_error_handler("read the topic")
@retry
def topic_attributes(client: t.Any, arn: str) -> Document | None:
    """A topic's attributes; C{None} when it does not exist."""
    return client.get_topic_attributes(TopicArn=arn)["Attributes"]


@TopicErrors.common_error_handler("list the subscriptions of the topic")
@retry
def topic_subscriptions(client: t.Any, arn: str) -> list[Document]:
    """The subscriptions of a topic."""
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    return [one for page in pages for one in page["Subscriptions"]]


@TopicErrors.common_error_handler("list the tags of the topic")
@retry
def topic_tags(client: t.Any, arn: str) -> Tags:
    """The tags of a topic."""
    return tag_dict(client.list_tags_for_resource(ResourceArn=arn)["Tags"])


@TopicErrors.common_error_handler("create the topic")
@key_retry
def create_topic(client: t.Any, name: str, attributes: Document, tags: Tags) -> str:
    """Create a topic; returns its ARN."""
    return client.create_topic(Name=name, Attributes=attributes, Tags=tag_list(tags))["TopicArn"]


@TopicErrors.common_error_handler("set an attribute of the topic")
@key_retry
def set_topic_attribute(client: t.Any, arn: str, name: str, value: str) -> t.Any:
    """Set one attribute of a topic."""
    return client.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)


@TopicErrors.common_error_handler("subscribe to the topic")
@retry
def subscribe(client: t.Any, arn: str, protocol: str, endpoint: str) -> t.Any:
    """Subscribe an endpoint, which has to confirm it."""
    return client.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)


@TopicErrors.deletion_error_handler("take the subscription away")
@retry
def unsubscribe(client: t.Any, arn: str) -> t.Any:
    """End a subscription; one that is gone is fine."""
    return client.unsubscribe(SubscriptionArn=arn)


@TopicErrors.deletion_error_handler("delete the topic")
@retry
def delete_topic(client: t.Any, arn: str) -> t.Any:
    """Delete a topic with its subscriptions; one that is gone is fine."""
    return client.delete_topic(TopicArn=arn)


@TopicErrors.common_error_handler("tag the topic")
@retry
def _tag_topic(client: t.Any, arn: str, tags: Tags) -> t.Any:
    return client.tag_resource(ResourceArn=arn, Tags=tag_list(tags))


@TopicErrors.common_error_handler("take tags off the topic")
@retry
def _untag_topic(client: t.Any, arn: str, keys: list[str]) -> t.Any:
    return client.untag_resource(ResourceArn=arn, TagKeys=keys)


def _set_tags(tag: t.Callable[..., t.Any], untag: t.Callable[..., t.Any]) -> t.Callable[..., None]:
    """A function that brings the tags of a resource from one set to another."""

    def set_tags(client: t.Any, arn: str, before: Tags, after: Tags) -> None:
        gone = sorted(before.keys() - after.keys())
        if gone:
            untag(client, arn, gone)
        changed = {key: value for key, value in after.items() if before.get(key) != value}
        if changed:
            tag(client, arn, changed)

    return set_tags


set_alarm_tags = _set_tags(_tag_alarm, _untag_alarm)
set_topic_tags = _set_tags(_tag_topic, _untag_topic)

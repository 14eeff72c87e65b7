# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of load balancers, their listeners, rules and target groups."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

Errors = error_handler("LoadBalancerNotFound", "ListenerNotFound", "TargetGroupNotFound", "RuleNotFound")
#: A service that was just stopped may hold its target group for a moment longer.
IN_USE = ["ResourceInUse"]
Document = dict[str, t.Any]


@Errors.list_error_handler("describe the load balancer")
@AWSRetry.jittered_backoff()
def describe_load_balancer(client: t.Any, name: str) -> Document | None:
    """One load balancer by name; C{None} when it does not exist."""
    return next(iter(client.describe_load_balancers(Names=[name])["LoadBalancers"]), None)


@Errors.list_error_handler("describe the listeners", [])
@AWSRetry.jittered_backoff()
def describe_listeners(client: t.Any, arn: str) -> list[Document]:
    """All listeners of a load balancer."""
    pages = client.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
    return [listener for page in pages for listener in page["Listeners"]]


@Errors.list_error_handler("describe the listener's rules", [])
@AWSRetry.jittered_backoff()
def describe_rules(client: t.Any, arn: str) -> list[Document]:
    """All rules of a listener."""
    pages = client.get_paginator("describe_rules").paginate(ListenerArn=arn)
    return [rule for page in pages for rule in page["Rules"]]


@Errors.list_error_handler("describe the target group")
@AWSRetry.jittered_backoff()
def describe_target_group(client: t.Any, name: str) -> Document | None:
    """One target group by name; C{None} when it does not exist."""
    return next(iter(client.describe_target_groups(Names=[name])["TargetGroups"]), None)


@Errors.list_error_handler("describe the attributes of the target group", [])
@AWSRetry.jittered_backoff()
def describe_group_attributes(client: t.Any, arn: str) -> list[Document]:
    """A target group's attributes."""
    return client.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]


@Errors.list_error_handler("describe the health of the targets", [])
@AWSRetry.jittered_backoff()
def describe_target_health(client: t.Any, arn: str) -> list[Document]:
    """The targets of a group, each with its health."""
    return client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]


@Errors.list_error_handler("describe tags", [])
@AWSRetry.jittered_backoff()
def describe_tags(client: t.Any, arn: str) -> list[Document]:
    """Tags of a listener, rule or target group, as ELB writes them."""
    return [tag for one in client.describe_tags(ResourceArns=[arn])["TagDescriptions"] for tag in one["Tags"]]


@Errors.common_error_handler("create the listener")
@AWSRetry.jittered_backoff()
def create_listener(client: t.Any, **request: t.Any) -> Document:
    """Create a listener."""
    return client.create_listener(**request)["Listeners"][0]


@Errors.common_error_handler("change the listener")
@AWSRetry.jittered_backoff()
def modify_listener(client: t.Any, **request: t.Any) -> t.Any:
    """Change a listener."""
    return client.modify_listener(**request)


@Errors.deletion_error_handler("delete the listener")
@AWSRetry.jittered_backoff()
def delete_listener(client: t.Any, arn: str) -> t.Any:
    """Delete a listener and its rules; one that is gone is fine."""
    return client.delete_listener(ListenerArn=arn)


@Errors.common_error_handler("create the listener rule")
@AWSRetry.jittered_backoff()
def create_rule(client: t.Any, **request: t.Any) -> Document:
    """Create a rule."""
    return client.create_rule(**request)["Rules"][0]


@Errors.common_error_handler("set the priorities of listener rules")
@AWSRetry.jittered_backoff()
def set_rule_priorities(client: t.Any, priorities: dict[str, int]) -> t.Any:
    """Give rules other priorities, all at once, so that two may change places."""
    pairs = [{"RuleArn": arn, "Priority": priority} for arn, priority in priorities.items()]
    return client.set_rule_priorities(RulePriorities=pairs)


@Errors.deletion_error_handler("delete the listener rule")
@AWSRetry.jittered_backoff()
def delete_rule(client: t.Any, arn: str) -> t.Any:
    """Delete a rule; one that is gone is fine."""
    return client.delete_rule(RuleArn=arn)


@Errors.common_error_handler("create the target group")
@AWSRetry.jittered_backoff()
def create_target_group(client: t.Any, **request: t.Any) -> Document:
    """Create a target group."""
    return client.create_target_group(**request)["TargetGroups"][0]


@Errors.common_error_handler("change the target group")
@AWSRetry.jittered_backoff()
def modify_target_group(client: t.Any, **request: t.Any) -> t.Any:
    """Change a target group's health check."""
    return client.modify_target_group(**request)


@Errors.common_error_handler("set the attributes of the target group")
@AWSRetry.jittered_backoff()
def modify_group_attributes(client: t.Any, arn: str, attributes: dict[str, str]) -> t.Any:
    """Set a target group's attributes."""
    pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
    return client.modify_target_group_attributes(TargetGroupArn=arn, Attributes=pairs)


@Errors.deletion_error_handler("delete the target group")
@AWSRetry.jittered_backoff(catch_extra_error_codes=IN_USE)
def delete_target_group(client: t.Any, arn: str) -> t.Any:
    """Delete a target group; one that is gone is fine."""
    return client.delete_target_group(TargetGroupArn=arn)


@Errors.common_error_handler("tag the resource")
@AWSRetry.jittered_backoff()
def add_tags(client: t.Any, arn: str, tags: dict[str, str]) -> t.Any:
    """Set tags."""
    return client.add_tags(ResourceArns=[arn], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])


@Errors.common_error_handler("take tags off the resource")
@AWSRetry.jittered_backoff()
def remove_tags(client: t.Any, arn: str, keys: list[str]) -> t.Any:
    """Take tags off."""
    return client.remove_tags(ResourceArns=[arn], TagKeys=keys)


def tags_of(client: t.Any, arn: str) -> dict[str, str]:
    """Tags of a listener, rule or target group."""
    return {tag["Key"]: tag["Value"] for tag in describe_tags(client, arn)}


def retag(client: t.Any, arn: str, before: dict[str, str], after: dict[str, str]) -> None:
    """Write the tags that differ and take off those that go."""
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    if changed:
        add_tags(client, arn, changed)
    gone = sorted(set(before) - set(after))
    if gone:
        remove_tags(client, arn, gone)


@Errors.list_error_handler("describe the attributes of the load balancer", [])
@AWSRetry.jittered_backoff()
def describe_balancer_attributes(client: t.Any, arn: str) -> list[Document]:
    """A load balancer's attributes."""
    return client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]


def attributes_of(client: t.Any, arn: str) -> dict[str, str]:
    """A load balancer's attributes by name."""
    return {one["Key"]: one["Value"] for one in describe_balancer_attributes(client, arn)}

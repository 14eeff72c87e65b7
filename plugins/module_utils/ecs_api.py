# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of ECS, and of auto-scaling and secrets as far as services need them."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler

Document = dict[str, t.Any]

#: Names a DescribeServices call, ARNs a DeleteTaskDefinitions call, tasks a DescribeTasks call (ECS API reference).
SERVICES_A_CALL, DEFINITIONS_A_CALL, TASKS_A_CALL = 10, 10, 100

ClusterErrors = error_handler("ClusterNotFoundException")
ServiceErrors = error_handler("ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException")
#: ECS has no code of its own for a family that does not exist: "Unable to describe task definition".
DefinitionErrors = error_handler("ClientException")
ScalingErrors = error_handler("ObjectNotFoundException")
SecretErrors = error_handler("ResourceNotFoundException")
LogErrors = error_handler("ResourceNotFoundException")


# -- clusters ----------------------------------------------------------------------------------------------------------


@ClusterErrors.list_error_handler("describe the cluster", None)
@AWSRetry.jittered_backoff()
def describe_cluster(client: t.Any, name: str) -> Document | None:
    """An active cluster with its settings and tags; C{None} where there is none."""
    found = client.describe_clusters(clusters=[name], include=["SETTINGS", "TAGS"])["clusters"]
    return next((cluster for cluster in found if cluster["status"] != "INACTIVE"), None)


@ClusterErrors.common_error_handler("create the cluster")
@AWSRetry.jittered_backoff()
def create_cluster(client: t.Any, **request: t.Any) -> Document:
    """Create a cluster."""
    return client.create_cluster(**request)["cluster"]


@ClusterErrors.common_error_handler("change the settings of the cluster")
@AWSRetry.jittered_backoff()
def update_cluster(client: t.Any, **request: t.Any) -> t.Any:
    """Change a cluster's settings."""
    return client.update_cluster(**request)


@ClusterErrors.common_error_handler("set the capacity providers of the cluster")
@AWSRetry.jittered_backoff(catch_extra_error_codes=["UpdateInProgressException", "ResourceInUseException"])
def put_capacity_providers(client: t.Any, **request: t.Any) -> t.Any:
    """Set which capacity a cluster uses."""
    return client.put_cluster_capacity_providers(**request)


@ClusterErrors.deletion_error_handler("delete the cluster")
@AWSRetry.jittered_backoff(catch_extra_error_codes=["UpdateInProgressException"])
def delete_cluster(client: t.Any, name: str) -> t.Any:
    """Delete a cluster; one that is gone is fine."""
    return client.delete_cluster(cluster=name)


# -- task definitions --------------------------------------------------------------------------------------------------


@DefinitionErrors.list_error_handler("describe the task definition", None)
@AWSRetry.jittered_backoff()
def describe_definition(client: t.Any, family: str) -> Document | None:
    """The newest active revision of a family with its tags; C{None} where there is none."""
    found = client.describe_task_definition(taskDefinition=family, include=["TAGS"])
    definition = {**found["taskDefinition"], "tags": found.get("tags") or []}
    return definition if definition.get("status", "ACTIVE") == "ACTIVE" else None


@DefinitionErrors.common_error_handler("register the task definition")
@AWSRetry.jittered_backoff()
def register_definition(client: t.Any, **request: t.Any) -> Document:
    """Register a revision."""
    return client.register_task_definition(**request)["taskDefinition"]


@DefinitionErrors.common_error_handler("list the revisions of the task definition")
@AWSRetry.jittered_backoff()
def list_definitions(client: t.Any, family: str, status: str) -> list[str]:
    """ARNs of a family's revisions of a status."""
    pages = client.get_paginator("list_task_definitions").paginate(familyPrefix=family, status=status)
    found = [arn for page in pages for arn in page["taskDefinitionArns"]]
    # familyPrefix also finds families whose names only begin so.
    return [arn for arn in found if arn.rpartition("/")[2].rpartition(":")[0] == family]


@DefinitionErrors.common_error_handler("deregister the task definition")
@AWSRetry.jittered_backoff()
def deregister_definition(client: t.Any, arn: str) -> t.Any:
    """Make a revision inactive."""
    return client.deregister_task_definition(taskDefinition=arn)


@DefinitionErrors.common_error_handler("delete task definitions")
@AWSRetry.jittered_backoff()
def delete_definitions(client: t.Any, arns: list[str]) -> list[Document]:
    """Delete inactive revisions, at most ten; what could not be deleted comes back."""
    return client.delete_task_definitions(taskDefinitions=arns).get("failures", [])


# -- services ----------------------------------------------------------------------------------------------------------


@ServiceErrors.list_error_handler("describe the services", [])
@AWSRetry.jittered_backoff()
def describe_services(client: t.Any, cluster: str, names: list[str]) -> list[Document]:
    """Those of at most ten services that exist, with their tags, inactive ones as well."""
    return client.describe_services(cluster=cluster, services=names, include=["TAGS"])["services"]


@ServiceErrors.list_error_handler("list the services of the cluster", [])
@AWSRetry.jittered_backoff()
def list_services(client: t.Any, cluster: str) -> list[str]:
    """ARNs of a cluster's services."""
    pages = client.get_paginator("list_services").paginate(cluster=cluster)
    return [arn for page in pages for arn in page["serviceArns"]]


@ServiceErrors.common_error_handler("create the service")
@AWSRetry.jittered_backoff()
def create_service(client: t.Any, **request: t.Any) -> Document:
    """Create a service."""
    return client.create_service(**request)["service"]


@ServiceErrors.common_error_handler("change the service")
@AWSRetry.jittered_backoff()
def update_service(client: t.Any, **request: t.Any) -> Document:
    """Change a service, which starts a deployment where its tasks change."""
    return client.update_service(**request)["service"]


@ServiceErrors.deletion_error_handler("delete the service")
@AWSRetry.jittered_backoff()
def delete_service(client: t.Any, cluster: str, name: str) -> t.Any:
    """Stop a service's tasks and delete it; one that is gone is fine."""
    return client.delete_service(cluster=cluster, service=name, force=True)


@ServiceErrors.common_error_handler("tag the resource")
@AWSRetry.jittered_backoff()
def tag_resource(client: t.Any, arn: str, tags: list[dict[str, str]]) -> t.Any:
    """Set tags."""
    return client.tag_resource(resourceArn=arn, tags=tags)


@ServiceErrors.common_error_handler("take tags off the resource")
@AWSRetry.jittered_backoff()
def untag_resource(client: t.Any, arn: str, keys: list[str]) -> t.Any:
    """Take tags off."""
    return client.untag_resource(resourceArn=arn, tagKeys=keys)


def retag(client: t.Any, arn: str, before: dict[str, str], after: dict[str, str]) -> None:
    """Write the tags that differ and take off those that go."""
    changed = [{"key": key, "value": value} for key, value in after.items() if before.get(key) != value]
    if changed:
        tag_resource(client, arn, changed)
    gone = sorted(set(before) - set(after))
    if gone:
        untag_resource(client, arn, gone)


# -- tasks -------------------------------------------------------------------------------------------------------------


@ServiceErrors.common_error_handler("run the task")
@AWSRetry.jittered_backoff()
def run_task(client: t.Any, **request: t.Any) -> Document:
    """Start a task: C{tasks} and C{failures}."""
    return client.run_task(**request)


@ServiceErrors.list_error_handler("list the tasks", [])
@AWSRetry.jittered_backoff()
def list_tasks(client: t.Any, **request: t.Any) -> list[str]:
    """ARNs of tasks."""
    return [arn for page in client.get_paginator("list_tasks").paginate(**request) for arn in page["taskArns"]]


@ServiceErrors.list_error_handler("describe the tasks", [])
@AWSRetry.jittered_backoff()
def describe_tasks(client: t.Any, cluster: str, arns: list[str]) -> list[Document]:
    """Those of at most a hundred tasks that are known still."""
    return client.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []


@LogErrors.list_error_handler("read the log", [])
@AWSRetry.jittered_backoff()
def last_log_lines(client: t.Any, group: str, stream: str, most: int) -> list[str]:
    """The last lines of a log stream, the oldest first; none where there is no such stream."""
    found = client.get_log_events(logGroupName=group, logStreamName=stream, limit=most, startFromHead=False)
    return [event["message"].rstrip() for event in found["events"]]


# -- auto-scaling ------------------------------------------------------------------------------------------------------

#: What all calls about a service's count have in common.
COUNT = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


@ScalingErrors.list_error_handler("describe the scalable target", None)
@AWSRetry.jittered_backoff()
def describe_target(client: t.Any, resource_id: str) -> Document | None:
    """A service's scalable target; C{None} where there is none."""
    found = client.describe_scalable_targets(ResourceIds=[resource_id], **COUNT)["ScalableTargets"]
    return next(iter(found), None)


@ScalingErrors.list_error_handler("describe the scaling policies", [])
@AWSRetry.jittered_backoff()
def describe_policies(client: t.Any, resource_id: str) -> list[Document]:
    """A service's scaling policies."""
    pages = client.get_paginator("describe_scaling_policies").paginate(ResourceId=resource_id, **COUNT)
    return [policy for page in pages for policy in page["ScalingPolicies"]]


@ScalingErrors.common_error_handler("register the scalable target")
@AWSRetry.jittered_backoff(catch_extra_error_codes=["ConcurrentUpdateException"])
def register_target(client: t.Any, resource_id: str, **request: t.Any) -> t.Any:
    """Make a service scalable, or change its limits."""
    return client.register_scalable_target(ResourceId=resource_id, **COUNT, **request)


@ScalingErrors.deletion_error_handler("deregister the scalable target")
@AWSRetry.jittered_backoff(catch_extra_error_codes=["ConcurrentUpdateException"])
def deregister_target(client: t.Any, resource_id: str) -> t.Any:
    """End a service's scaling with all its policies; one that is gone is fine."""
    return client.deregister_scalable_target(ResourceId=resource_id, **COUNT)


@ScalingErrors.common_error_handler("put the scaling policy")
@AWSRetry.jittered_backoff(catch_extra_error_codes=["ConcurrentUpdateException"])
def put_policy(client: t.Any, resource_id: str, name: str, configuration: Document) -> t.Any:
    """Create or change a target-tracking policy."""
    return client.put_scaling_policy(
        ResourceId=resource_id,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
        **COUNT,
    )


@ScalingErrors.deletion_error_handler("delete the scaling policy")
@AWSRetry.jittered_backoff(catch_extra_error_codes=["ConcurrentUpdateException"])
def delete_policy(client: t.Any, resource_id: str, name: str) -> t.Any:
    """Delete a policy; one that is gone is fine."""
    return client.delete_scaling_policy(ResourceId=resource_id, PolicyName=name, **COUNT)


# -- secrets -----------------------------------------------------------------------------------------------------------


@SecretErrors.list_error_handler("describe the secret", None)
@AWSRetry.jittered_backoff()
def describe_secret(client: t.Any, name: str) -> Document | None:
    """What Secrets Manager knows about a secret, not its value; C{None} where there is none."""
    return client.describe_secret(SecretId=name)

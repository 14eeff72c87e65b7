# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to ECS clusters, task definitions and services, and to a service's auto-scaling. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.elb import difference, tag_steps
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = t.Mapping[str, t.Any]


def tag_list(tags: t.Mapping[str, str] | None) -> list[dict[str, str]]:
    """Tags as ECS writes them."""
    return [{"key": key, "value": value} for key, value in (tags or {}).items()]


def tag_dict(tags: t.Iterable[Document] | None) -> dict[str, str]:
    """Tags as ECS writes them, as a dict; AWS's own are left out."""
    return {tag["key"]: tag["value"] for tag in tags or [] if not tag["key"].startswith("aws:")}


# -- clusters ----------------------------------------------------------------------------------------------------------


def cluster_values(described: Document) -> dict[str, t.Any]:
    """A cluster's settings as AWS describes them."""
    settings = {one["name"]: one["value"] for one in described.get("settings") or []}
    return {
        "containerInsights": settings.get("containerInsights", "disabled"),
        "capacityProviders": sorted(described.get("capacityProviders") or []),
        "defaultCapacityProviderStrategy": strategy(described.get("defaultCapacityProviderStrategy")),
    }


def strategy(given: t.Iterable[Document] | None) -> list[dict[str, t.Any]]:
    """A capacity provider strategy with its defaults."""
    return [
        {
            "capacityProvider": one["capacityProvider"],
            "weight": int(one.get("weight") or 0),
            "base": int(one.get("base") or 0),
        }
        for one in given or []
    ]


def plan_cluster(
    name: str, current: Document | None, wanted: Document, tags: dict[str, str] | None, purge: bool
) -> list[Step]:
    """Steps after which a cluster is as wanted.

    :param current: as AWS describes it; C{None} where there is none that is active.
    :param wanted: see L{cluster_values}.
    """
    resource = f"ecs cluster {name}"
    if current is None:
        return [Step("create", resource, "it does not exist", None, dict(wanted))]
    steps = difference(resource, cluster_values(current), wanted)
    steps += tag_steps(resource, tag_dict(current.get("tags")), tags, purge)
    return steps or [Step("keep", resource, "it is as wanted")]


# -- task definitions --------------------------------------------------------------------------------------------------

#: What RegisterTaskDefinition takes and DescribeTaskDefinition gives back alike.
DEFINITION_KEYS = (
    "networkMode",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "executionRoleArn",
    "taskRoleArn",
    "containerDefinitions",
    "volumes",
    "runtimePlatform",
    "ephemeralStorage",
)
#: Lists whose order means nothing, with the key that orders them.
UNORDERED = {
    "environment": "name",
    "secrets": "name",
    "mountPoints": "containerPath",
    "volumes": "name",
    "containerDefinitions": "name",
}
#: What AWS fills in by itself.
DEFAULTS: dict[str, t.Any] = {
    "cpu": 0,
    "essential": True,
    "protocol": "tcp",
    "readOnly": False,
    "operatingSystemFamily": "LINUX",
    "cpuArchitecture": "X86_64",
}


def normal(value: t.Any, key: str = "") -> t.Any:
    """A value without what is empty or what AWS fills in by itself, so that two ways to say the same are equal."""
    if isinstance(value, t.Mapping):
        found = {name: normal(item, name) for name, item in value.items()}
        if found.get("hostPort") == found.get("containerPort"):
            found.pop("hostPort", None)
        return {
            name: item
            for name, item in found.items()
            if item not in (None, "", [], {}) and not (name in DEFAULTS and item == DEFAULTS[name])
        }
    if isinstance(value, (list, tuple)):
        items = [normal(item) for item in value]
        return sorted(items, key=lambda item: str(item.get(UNORDERED[key]))) if key in UNORDERED else items
    return value


def comparable(definition: Document) -> dict[str, t.Any]:
    """What counts of a task definition."""
    return t.cast(dict[str, t.Any], normal({key: definition.get(key) for key in DEFINITION_KEYS}))


def plan_definition(
    family: str,
    current: Document | None,
    have_tags: t.Mapping[str, str],
    wanted: Document,
    tags: dict[str, str] | None,
    purge: bool,
) -> list[Step]:
    """Steps after which the newest revision of a family is as wanted: a new one, tags, or nothing.

    :param current: the newest active revision as AWS describes it, or C{None}.
    :param wanted: the request that would register it.
    """
    resource = f"ecs task definition {family}"
    want = comparable(wanted)
    if current is None:
        return [Step("create", resource, "it does not exist", None, want)]
    have = comparable(current)
    differing = [key for key in DEFINITION_KEYS if have.get(key) != want.get(key)]
    if not differing:
        steps = tag_steps(resource, have_tags, tags, purge)
        return steps or [Step("keep", resource, f"revision {current['revision']} is as wanted")]
    before, after = ({key: side.get(key) for key in differing} for side in (have, want))
    return [Step("register", resource, f"{', '.join(differing)} differ{'s' * (len(differing) == 1)}", before, after)]


def plan_rollback(family: str, active: t.Iterable[str], revision: int) -> tuple[list[Step], list[str]]:
    """Steps after which a revision is the newest active one of its family, and the ARNs that go for it.

    :param active: ARNs of the family's active revisions.
    :param revision: number of the one that shall be the newest.
    :raises ValueError: where it is not active itself.
    """
    numbers = {int(arn.rpartition(":")[2]): arn for arn in active}
    resource = f"ecs task definition {family}"
    if revision not in numbers:
        raise ValueError(f"revision {revision} of {family} is not active")
    newer = sorted(number for number in numbers if number > revision)
    if not newer:
        return [Step("keep", resource, f"revision {revision} is the newest")], []
    text = f"revision {revision} shall be the newest again"
    step = Step("deregister", resource, text, {"revisions": newer}, {"revisions": []})
    return [step], [numbers[number] for number in newer]


def definition_fact(described: Document) -> dict[str, t.Any]:
    """What is returned of a task definition."""
    return {
        "arn": described.get("taskDefinitionArn", ""),
        "family": described.get("family", ""),
        "revision": int(described.get("revision") or 0),
        "images": {one["name"]: one.get("image", "") for one in described.get("containerDefinitions") or []},
    }


def log_streams(described: Document) -> dict[str, tuple[str, str]]:
    """Log group and stream prefix of each container that logs with C{awslogs}, by its name."""
    found = {}
    for one in described.get("containerDefinitions") or []:
        log = one.get("logConfiguration") or {}
        options = log.get("options") or {}
        if log.get("logDriver") == "awslogs" and options.get("awslogs-stream-prefix"):
            found[one["name"]] = (str(options.get("awslogs-group")), str(options["awslogs-stream-prefix"]))
    return found


# -- services ----------------------------------------------------------------------------------------------------------


def desired_count(current: int | None, wanted: int, low: int | None, high: int | None) -> int:
    """How many tasks a service is told to have.

    Once auto-scaling has the count, it stays where it is between the limits; a service that is to sleep, or that wakes
    up, is told.

    :param current: what it is told now; C{None} for a new service.
    :param wanted: what the description says.
    :param low: the least that auto-scaling allows; C{None} where nothing scales.
    :param high: the most.
    """
    if not current or not wanted or low is None or high is None:
        return wanted
    return min(max(current, low), high)


def service_values(described: Document) -> dict[str, t.Any]:
    """A service's settings as AWS describes them, in the shape of the request that changes them."""
    network = (described.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    deployment = described.get("deploymentConfiguration") or {}
    breaker = deployment.get("deploymentCircuitBreaker") or {}
    return {
        "taskDefinition": described.get("taskDefinition"),
        "desiredCount": described.get("desiredCount"),
        "capacityProviderStrategy": strategy(described.get("capacityProviderStrategy")),
        "networkConfiguration": network_values(
            network.get("subnets") or [],
            network.get("securityGroups") or [],
            network.get("assignPublicIp", "DISABLED") == "ENABLED",
        ),
        "deploymentConfiguration": {
            "minimumHealthyPercent": deployment.get("minimumHealthyPercent"),
            "maximumPercent": deployment.get("maximumPercent"),
            "deploymentCircuitBreaker": {
                "enable": bool(breaker.get("enable")),
                "rollback": bool(breaker.get("rollback")),
            },
        },
        "loadBalancers": sorted(
            (
                {key: one.get(key) for key in ("targetGroupArn", "containerName", "containerPort")}
                for one in described.get("loadBalancers") or []
            ),
            key=lambda one: str(one["targetGroupArn"]),
        ),
        "healthCheckGracePeriodSeconds": described.get("healthCheckGracePeriodSeconds") or 0,
        "enableExecuteCommand": bool(described.get("enableExecuteCommand")),
        "propagateTags": described.get("propagateTags") or "NONE",
    }


def network_values(subnets: t.Iterable[str], groups: t.Iterable[str], public: bool) -> dict[str, t.Any]:
    """The network of a service's tasks; the order of subnets and groups means nothing."""
    address = "ENABLED" if public else "DISABLED"
    inner = {"subnets": sorted(subnets), "securityGroups": sorted(groups), "assignPublicIp": address}
    return {"awsvpcConfiguration": inner}


def plan_service(
    name: str, current: Document | None, wanted: Document, tags: dict[str, str] | None, purge: bool
) -> list[Step]:
    """Steps after which a service is told what is wanted.

    :param current: as AWS describes it; C{None} where there is none that is active.
    :param wanted: see L{service_values}.
    """
    resource = f"ecs service {name}"
    if current is None:
        return [Step("create", resource, "it does not exist", None, dict(wanted))]
    steps = difference(resource, service_values(current), wanted)
    steps += tag_steps(resource, tag_dict(current.get("tags")), tags, purge)
    return steps or [Step("keep", resource, "it is as wanted")]


def service_fact(described: Document) -> dict[str, t.Any]:
    """What is returned of a service."""
    deployments = described.get("deployments") or []
    primary: Document = next((one for one in deployments if one.get("status") == "PRIMARY"), {})
    network = service_values(described)["networkConfiguration"]["awsvpcConfiguration"]
    return {
        "arn": described.get("serviceArn", ""),
        "status": described.get("status", ""),
        "task_definition": described.get("taskDefinition", ""),
        "desired": int(described.get("desiredCount") or 0),
        "running": int(described.get("runningCount") or 0),
        "pending": int(described.get("pendingCount") or 0),
        "rollout_state": primary.get("rolloutState", ""),
        "rollout_reason": primary.get("rolloutStateReason", ""),
        "deployments": len(deployments),
        "stable": is_stable(described),
        "public_ip": network["assignPublicIp"] == "ENABLED",
        "subnets": network["subnets"],
        "security_groups": network["securityGroups"],
        "target_groups": [
            str(one["targetGroupArn"]).split("/")[1]
            for one in described.get("loadBalancers") or []
            if one.get("targetGroupArn")
        ],
        "events": [str(event.get("message", "")) for event in (described.get("events") or [])[:3]],
    }


def is_stable(described: Document) -> bool:
    """Whether a service has what it was told: one deployment, finished, with as many tasks as wanted."""
    deployments = described.get("deployments") or []
    return (
        described.get("status") == "ACTIVE"
        and len(deployments) == 1
        and deployments[0].get("rolloutState", "COMPLETED") == "COMPLETED"
        and described.get("runningCount") == described.get("desiredCount")
    )


# -- tasks -------------------------------------------------------------------------------------------------------------


def task_fact(described: Document) -> dict[str, t.Any]:
    """What is returned of a task; its exit code is that of its first container, -1 as long as there is none."""
    containers = described.get("containers") or [{}]
    code = containers[0].get("exitCode")
    return {
        "arn": described.get("taskArn", ""),
        "status": described.get("lastStatus", ""),
        "task_definition": described.get("taskDefinitionArn", ""),
        "exit_code": -1 if code is None else int(code),
        "reason": str(containers[0].get("reason") or described.get("stoppedReason") or ""),
    }


#: Stop codes of tasks that nobody asked to stop, or that did not come up (ECS API reference, Task, stopCode). The
#: scheduler also stops tasks that fail the load balancer's health checks, which its reason says.
FAILURE_CODES = {"TaskFailedToStart", "EssentialContainerExited"}
UNHEALTHY = "health checks"


def failures(described: Document) -> list[dict[str, t.Any]]:
    """The containers of a stopped task that failed it; none where it ended well or was stopped on purpose."""
    code, reason = described.get("stopCode"), str(described.get("stoppedReason") or "")
    if code not in FAILURE_CODES and UNHEALTHY not in reason:
        return []
    found = []
    for one in described.get("containers") or [{}]:
        exit_code = -1 if one.get("exitCode") is None else int(one["exitCode"])
        if (
            exit_code == 0
            and code == "EssentialContainerExited"
            and not str(described.get("group")).startswith("service:")
        ):
            continue
        text = ": ".join(dict.fromkeys(part for part in (reason, str(one.get("reason") or "")) if part))
        identity = {"id": str(described.get("taskArn", "")).rpartition("/")[2], "container": str(one.get("name") or "")}
        found.append({**identity, "exit_code": exit_code, "reason": text})
    return found


def newest_first(described: t.Iterable[Document]) -> list[Document]:
    """Stopped tasks in the order in which they are shown."""
    return sorted(described, key=lambda task: str(task.get("stoppedAt") or ""), reverse=True)


def failure_lines(failure: Document) -> list[str]:
    """A failed container in words, and what it said last."""
    ended = f" ended with exit code {failure['exit_code']}" if failure["exit_code"] >= 0 else " failed"
    who = f"{failure['container'] or 'a container'} of task {failure['id']}"
    head = f"{who}{ended}: {failure['reason'] or 'no reason given'}"
    lines = list(failure.get("lines") or [])
    return [head, *(f"  {line}" for line in lines or ["(it wrote nothing)"])]


# -- auto-scaling ------------------------------------------------------------------------------------------------------

METRICS = {
    "cpu": "ECSServiceAverageCPUUtilization",
    "memory": "ECSServiceAverageMemoryUtilization",
    "requests": "ALBRequestCountPerTarget",
}


def tracking(
    metric: str, target: float, label: str, scale_in_cooldown: int, scale_out_cooldown: int
) -> dict[str, t.Any]:
    """A target-tracking configuration (Application Auto Scaling API reference).

    :param metric: ``cpu``, ``memory`` (percent) or ``requests`` (for each target and minute).
    :param label: which target group the requests are of.
    """
    specification = {"PredefinedMetricType": METRICS[metric]}
    if metric == "requests":
        specification["ResourceLabel"] = label
    return {
        "TargetValue": float(target),
        "PredefinedMetricSpecification": specification,
        "ScaleInCooldown": scale_in_cooldown,
        "ScaleOutCooldown": scale_out_cooldown,
        "DisableScaleIn": False,
    }


def plan_scaling(
    service: str,
    target: Document | None,
    policies: t.Mapping[str, Document],
    limits: tuple[int, int],
    wanted: t.Mapping[str, Document],
) -> list[Step]:
    """Steps after which a service scales between the limits by the wanted policies.

    :param target: the scalable target as AWS describes it, or C{None}.
    :param policies: target-tracking configurations that it has, by policy name.
    :param limits: least and most tasks.
    :param wanted: the wanted configurations by policy name.
    """
    resource = f"auto-scaling of {service}"
    want = {"MinCapacity": limits[0], "MaxCapacity": limits[1]}
    if target is None:
        steps = [Step("create", resource, "it does not exist", None, want)]
    else:
        steps = difference(resource, target, want)
    for name in sorted(policies.keys() - wanted.keys()):
        steps.append(Step("delete", f"scaling policy {name}", "it is not wanted", dict(policies[name])))
    for name, configuration in wanted.items():
        if name not in policies:
            steps.append(Step("create", f"scaling policy {name}", "it does not exist", None, dict(configuration)))
        else:
            have = {"DisableScaleIn": False, **policies[name]}
            steps += difference(f"scaling policy {name}", have, configuration)
    return steps or [Step("keep", resource, "it is as wanted")]

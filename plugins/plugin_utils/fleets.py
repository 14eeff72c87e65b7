# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet of instances is made of: names, launch template, hooks, scaling, agent, permissions, facts."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import services
from ansible_collections.palier.aws.plugins.plugin_utils.instances import allow

Values = t.Mapping[str, t.Any]
Document = dict[str, t.Any]

#: Seconds that an instance that leaves has to stop its application and to send its last logs, after its requests.
STOP_SECONDS = 120
HOOK = "drain"
#: Seconds of an alarm's period: detailed monitoring measures each minute.
PERIOD = 60


def fleets(described: list[Document], prefix: str, log_prefix: str) -> list[Document]:
    """The fleets with what follows from their descriptions.

    Adds C{full_name} (of the group, the launch template, the role), C{port}, C{target_group}, C{rules}, C{behind},
    C{health_check}, C{logs} (names of log groups by kind), C{hook}, C{scaling_policies} and C{alarms}.

    :param described: the fleets, defaults filled in.
    :param prefix: start of every name.
    :param log_prefix: start of the log groups' names.
    """
    return [{**fleet, **_names(fleet, prefix, log_prefix), **_scaling(fleet, prefix)} for fleet in described]


def full_name(fleet: Values, prefix: str) -> str:
    """Name of a fleet's group, launch template, role and profile."""
    return f"{prefix}-{fleet['name']}"


def port(fleet: Values) -> int:
    """TCP port on which the instances of a fleet answer the load balancer; 0 for none."""
    return int((fleet.get("application") or {}).get("port") or 0)


def behind(fleet: Values) -> bool:
    """Whether a fleet answers behind the load balancer."""
    return bool(fleet.get("load_balancer")) and bool(port(fleet))


def _names(fleet: Values, prefix: str, log_prefix: str) -> Document:
    balancer = fleet.get("load_balancer") or {}
    rules = services.with_rule_priorities(services.rules_of(balancer)) if behind(fleet) else []
    given = fleet.get("log_groups") or {}
    return {
        "full_name": full_name(fleet, prefix),
        "port": port(fleet),
        "target_group": str(balancer.get("target_group") or full_name(fleet, prefix)),
        "behind": behind(fleet),
        "rules": rules,
        "health_check": _health_check(fleet),
        "logs": {kind: given.get(kind) or f"{log_prefix}/{kind}" for kind in log_files(fleet)},
        "hook": {
            "name": HOOK,
            "transition": "terminating",
            "heartbeat_timeout": drain_seconds(fleet) + STOP_SECONDS,
            "default_result": "CONTINUE",
        },
    }


def _health_check(fleet: Values) -> Document:
    given = (fleet.get("load_balancer") or {}).get("health_check") or {}
    path = (fleet.get("application") or {}).get("health_path")
    return {key: value for key, value in {"path": path, **_said(given)}.items() if value is not None}


def _said(given: Values) -> Document:
    return {key: value for key, value in given.items() if value is not None}


def drain_seconds(fleet: Values) -> int:
    """Seconds that a leaving instance has for the requests that it still works on."""
    return int((fleet.get("load_balancer") or {}).get("deregistration_delay") or 0) if behind(fleet) else 0


def _scaling(fleet: Values, prefix: str) -> Document:
    scaling, name = fleet["scaling"], full_name(fleet, prefix)
    if int(fleet["min"]) == int(fleet["max"]):
        return {"scaling_policies": [], "alarms": []}
    # Well above the threshold two instances come at once; they go one by one.
    out = [{"lower": 0, "upper": 10, "adjustment": 1}, {"lower": 10, "adjustment": 2}]
    policies = [
        {"name": f"{name}-out", "steps": out},
        {"name": f"{name}-in", "steps": [{"upper": 0, "adjustment": -1}]},
    ]
    high, low = float(scaling["cpu_high"]), float(scaling["cpu_low"])
    periods = max(1, int(scaling["minutes"]))
    alarms = [
        _alarm(f"{name}-cpu-high", f"{name}-out", "GreaterThanThreshold", high, periods),
        _alarm(f"{name}-cpu-low", f"{name}-in", "LessThanThreshold", low, periods),
    ]
    return {"scaling_policies": policies, "alarms": alarms}


def _alarm(name: str, policy: str, comparison: str, threshold: float, periods: int) -> Document:
    return {"name": name, "policy": policy, "comparison": comparison, "threshold": threshold, "periods": periods}


# -- launch template ---------------------------------------------------------------------------------------------------


def fleet_template(fleet: Values, image: Values, groups: list[str], profile_arn: str, tags: dict[str, str]) -> Document:
    """C{LaunchTemplateData} of a fleet, but for the user data.

    :param image: C{image_id} and C{root_device_name}.
    :param groups: ids of the security groups.
    :param tags: of instances and volumes.
    """
    pairs = [{"Key": key, "Value": str(value)} for key, value in sorted(tags.items())]
    disk = {
        "VolumeSize": int(fleet["volume_size"]),
        "VolumeType": "gp3",
        "Encrypted": True,
        "DeleteOnTermination": True,
    }
    return {
        "ImageId": image["image_id"],
        "InstanceType": fleet["instance_type"],
        **({"KeyName": fleet["key_name"]} if fleet.get("key_name") else {}),
        "IamInstanceProfile": {"Arn": profile_arn},
        "SecurityGroupIds": list(groups),
        # Containers sit one hop further away than the instance, and they have no business with its role.
        "MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "Monitoring": {"Enabled": True},
        "BlockDeviceMappings": [{"DeviceName": image["root_device_name"], "Ebs": disk}],
        "TagSpecifications": [{"ResourceType": kind, "Tags": pairs} for kind in ("instance", "volume")],
    }


# -- agent -------------------------------------------------------------------------------------------------------------

#: Files that the agent reads, by kind of log and by what the application runs under.
LOG_FILES = {
    "node": {"app": ["/var/log/app/*.log"], "nginx": ["/var/log/nginx/access.log", "/var/log/nginx/error.log"]},
    # Docker's log files; those of nginx stand among them.
    "docker": {"app": ["/var/lib/docker/containers/*/*-json.log"]},
}


def log_files(fleet: Values) -> dict[str, list[str]]:
    """The log files of a fleet's instances by kind; none of an instance without an application or an agent."""
    application = fleet.get("application") or {}
    if not application or not fleet.get("cloudwatch_agent"):
        return {}
    return LOG_FILES[str(application.get("runtime") or "docker")]


def agent_config(fleet: Values) -> Document:
    """The CloudWatch agent's configuration: memory and disk, and the logs; empty where there is no agent.

    :param fleet: as L{fleets} completes it.
    """
    if not fleet.get("cloudwatch_agent"):
        return {}
    files = [
        {"file_path": path, "log_group_name": fleet["logs"][kind], "log_stream_name": _stream(path)}
        for kind, paths in log_files(fleet).items()
        for path in paths
    ]
    metrics = {
        "namespace": "CWAgent",
        "append_dimensions": {
            "AutoScalingGroupName": "${aws:AutoScalingGroupName}",
            "InstanceId": "${aws:InstanceId}",
        },
        # Alarms look at the group as a whole.
        "aggregation_dimensions": [["AutoScalingGroupName"], ["AutoScalingGroupName", "device", "fstype", "path"]],
        "metrics_collected": {
            "mem": {"measurement": ["mem_used_percent"]},
            "disk": {"measurement": ["disk_used_percent"], "resources": ["/"]},
        },
    }
    logs = {"logs": {"logs_collected": {"files": {"collect_list": files}}}} if files else {}
    return {"agent": {"metrics_collection_interval": 60}, "metrics": metrics, **logs}


def _stream(path: str) -> str:
    """One stream for each instance and file, since several writers of a stream would mix their lines."""
    name = path.rpartition("/")[2].removesuffix(".log").strip("*-") or "app"
    return f"{{instance_id}}/{name}"


def drain_config(fleet: Values, region: str) -> Document:
    """What an instance needs to know to leave well.

    :param fleet: as L{fleets} completes it.
    """
    application = fleet.get("application") or {}
    units = {"node": ["nginx", "app"], "docker": ["app"]}[str(application.get("runtime") or "docker")]
    return {
        "region": region,
        "group": fleet["full_name"],
        "hook": HOOK,
        "requests_seconds": drain_seconds(fleet),
        "units": (units if application else []) + (["amazon-cloudwatch-agent"] if fleet["cloudwatch_agent"] else []),
    }


# -- permissions -------------------------------------------------------------------------------------------------------


def fleet_policy(
    fleet: Values, policy: Document, partition: str, region: str, account_id: str, buckets: Values
) -> Document:
    """The policy of a fleet's role: that of an instance, and to leave well, to be measured, to log, to use buckets.

    :param fleet: as L{fleets} completes it.
    :param policy: what an instance with this application may do.
    :param buckets: the stack's buckets by name, as the storage tier publishes them.
    """
    arn = f"arn:{partition}:{{}}:{region}:{account_id}:{{}}"
    group = arn.format("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{fleet['full_name']}")
    statements = [allow("LeaveTheGroup", ["autoscaling:CompleteLifecycleAction"], [group])]
    if fleet.get("cloudwatch_agent"):
        statements += _agent_statements(fleet, arn)
    named = [buckets[name]["arn"] for name in fleet.get("buckets") or []]
    if named:
        statements.append(allow("ListBuckets", ["s3:ListBucket"], sorted(named)))
        objects = sorted(f"{one}/*" for one in named)
        statements.append(allow("UseObjects", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], objects))
    return {**policy, "Statement": [*policy["Statement"], *statements]}


def _agent_statements(fleet: Values, arn: str) -> t.Iterator[Document]:
    """What the agent needs; neither metrics nor the reading of tags can be narrowed to a resource."""
    yield {
        **allow("SendMetrics", ["cloudwatch:PutMetricData"], ["*"]),
        "Condition": {"StringEquals": {"cloudwatch:namespace": "CWAgent"}},
    }
    yield allow("KnowOwnGroup", ["ec2:DescribeTags", "ec2:DescribeVolumes"], ["*"])
    groups = [arn.format("logs", f"log-group:{name}") for name in fleet["logs"].values()]
    if groups:
        every = sorted([*groups, *(f"{one}:log-stream:*" for one in groups)])
        yield allow("WriteLogs", ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], every)


# -- facts -------------------------------------------------------------------------------------------------------------


def fleet_facts(groups: list[Document], templates: list[Document], prefix: str) -> dict[str, Document]:
    """What the tier publishes of its fleets, by name.

    :param groups: as C{autoscaling_group_info} returns them.
    :param templates: as C{ec2_launch_template_info} returns them.
    :param prefix: start of their names.
    """
    by_name = {one["launch_template_name"]: one for one in templates}
    names = sorted({str(one["auto_scaling_group_name"]) for one in groups} | set(by_name))
    standing = {str(one["auto_scaling_group_name"]): one for one in groups}
    return {
        name.removeprefix(f"{prefix}-"): _facts(name, standing.get(name) or {}, by_name.get(name) or {})
        for name in names
    }


def _facts(name: str, group: Document, template: Document) -> Document:
    versions = {str(one["version_number"]): one["launch_template_data"] for one in template.get("versions") or []}
    newest = str(template.get("latest_version_number") or "")
    own = str((group.get("launch_template") or {}).get("version") or "")
    tags = _instance_tags(versions.get(own) or {})
    return {
        "asg": name if group else "",
        "launch_template_id": template.get("launch_template_id", ""),
        "launch_template_version": own,
        "newest_version": newest,
        "newest_digest": _instance_tags(versions.get(newest) or {}).get("UserDataDigest", ""),
        "newest_image_id": (versions.get(newest) or {}).get("image_id", ""),
        "version": tags.get("ApplicationVersion", ""),
        "digest": tags.get("UserDataDigest", ""),
        "image_id": (versions.get(own) or {}).get("image_id", ""),
        "target_group": next(iter(group.get("target_group_arns") or []), ""),
        "min": group.get("min_size", 0),
        "max": group.get("max_size", 0),
        "desired": group.get("desired_capacity", 0),
        "health_check_type": group.get("health_check_type", ""),
        "subnets": sorted(filter(None, str(group.get("vpc_zone_identifier") or "").split(","))),
        "instances": sorted(map(_instance, group.get("instances") or []), key=lambda one: str(one["id"])),
    }


def _instance(found: Document) -> Document:
    return {
        "id": found["instance_id"],
        "zone": found.get("availability_zone", ""),
        "state": found.get("lifecycle_state", ""),
        "health": found.get("health_status", ""),
        "launch_template_version": str((found.get("launch_template") or {}).get("version") or ""),
    }


def _instance_tags(data: Document) -> dict[str, str]:
    """The instance tags of a version."""
    specifications = [one for one in data.get("tag_specifications") or [] if one["resource_type"] == "instance"]
    return {one["key"]: one["value"] for one in specifications[0]["tags"]} if specifications else {}


def fleet_settled(fleet: Values) -> bool:
    """Whether as many instances as desired are in service, and no other is there.

    :param fleet: its facts.
    """
    serving = [one for one in fleet["instances"] if one["state"] == "InService" and one["health"] == "Healthy"]
    return len(serving) == len(fleet["instances"]) == int(fleet["desired"])

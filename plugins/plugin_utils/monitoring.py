# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which alarms a stack has, and what its dashboard shows: both follow from what the stack is made of."""

from __future__ import annotations

import re
import typing as t

Values = t.Mapping[str, t.Any]
Document = dict[str, t.Any]

GIB = 1024**3
#: Seconds of one measurement: EC2 and RDS send one each 5 minutes without detailed monitoring.
PERIOD = 300

#: GiB of memory by size of the burstable classes, and for one C(large) of the other families; each size above is a
#: multiple (Amazon RDS user guide, "Hardware specifications for DB instance classes").
BURSTABLE = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
LARGE = {"m": 8, "r": 16, "c": 4, "x2g": 32, "x2iedn": 64, "z1d": 16}
CLASS = re.compile(r"db\.(?P<family>([a-z])[a-z0-9]*)\.(?P<size>micro|small|medium|large|\d*xlarge)\Z")
#: What the operating system and RDS's own processes take of it: about 256 MiB and a thirtieth of the rest. Measured by
#: what db.t3.micro, small, medium and large report for PostgreSQL: 81, 190, 410 and 840 connections.
OWN_BYTES, OWN_SHARE = 256 * 1024**2, 0.97
#: Bytes of memory for one connection, and the most connections (Amazon RDS user guide, "Quotas and constraints",
#: "Maximum number of database connections": max_connections by engine).
BYTES_A_CONNECTION = {"postgres": 9531392, "mysql": 12582880, "mariadb": 25165760}
MOST_CONNECTIONS = {"postgres": 5000, "mysql": 16000, "mariadb": 12000}


def class_memory(instance_class: str) -> float | None:
    """GiB of memory of a database class; C{None} for one that is not known here."""
    found = CLASS.match(instance_class)
    if not found:
        return None
    family, size = found["family"], found["size"]
    if family.startswith("t"):
        return BURSTABLE.get(size)
    large = LARGE.get(family) or LARGE.get(family[0])
    if large is None or size in ("micro", "small"):
        return None
    times = {"medium": 0.5, "large": 1}.get(size) or 2 * int(size.removesuffix("xlarge") or 1)
    return large * times


def max_connections(instance_class: str, engine: str) -> int | None:
    """How many connections RDS lets a database of this class have by default; C{None} where it is not known.

    :param engine: C{postgres}, C{mysql} or C{mariadb}.
    """
    memory = class_memory(instance_class)
    if memory is None or engine not in BYTES_A_CONNECTION:
        return None
    usable = (memory * GIB - OWN_BYTES) * OWN_SHARE
    return min(int(usable // BYTES_A_CONNECTION[engine]), MOST_CONNECTIONS[engine])


# -- alarms ------------------------------------------------------------------------------------------------------------


def stack_alarms(stack: Values, thresholds: Values, extra: list[Document] = ()) -> list[Document]:  # type: ignore[assignment]
    """The alarms of a stack, by what it is made of.

    :param stack: C{prefix}, C{load_balancer} (its full name), C{target_groups} (C{name} and C{full_name}), C{database}
        (C{identifier} and C{max_connections}), C{cluster}, C{services} (names), C{instances} (ids by name), C{groups}
        (Auto Scaling groups); what the stack does not have is empty or missing.
    :param thresholds: C{cpu}, C{memory}, C{disk_free_gib}, C{connections} (in percent, but for the disk), C{periods}.
    :param extra: alarms of the customer's own, in the same form; one of the same name takes the place of ours.
    :returns: C{name}, C{description}, C{namespace}, C{metric}, C{dimensions}, C{statistic}, C{comparison},
        C{threshold}, C{period}, C{periods} and C{missing} of each.
    """
    ours = [
        *_machines(stack, thresholds),
        *_services(stack, thresholds),
        *_targets(stack),
        *_database(stack, thresholds),
    ]
    own = [_completed(alarm, thresholds) for alarm in extra or ()]
    taken = {alarm["name"] for alarm in own}
    found = [_completed(alarm, thresholds) for alarm in ours if alarm["name"] not in taken] + own
    return [{**alarm, "name": f"{stack['prefix']}-{alarm['name']}"} for alarm in found]


def _completed(alarm: Document, thresholds: Values) -> Document:
    defaults = {
        "description": "",
        "dimensions": {},
        "statistic": "Average",
        "comparison": "GreaterThanThreshold",
        "period": PERIOD,
        "periods": thresholds["periods"],
        "missing": "missing",
    }
    return {**defaults, **{key: value for key, value in alarm.items() if value is not None}}


def _above(name: str, what: str, namespace: str, metric: str, limit: float, **dimensions: str) -> Document:
    description = f"{what} above {float(limit):g} %"
    return {
        "name": name,
        "description": description,
        "namespace": namespace,
        "metric": metric,
        "threshold": float(limit),
        "dimensions": dimensions,
    }


def _machines(stack: Values, thresholds: Values) -> t.Iterator[Document]:
    cpu, memory = thresholds["cpu"], thresholds["memory"]
    for group in stack.get("groups") or []:
        name = _short(group, stack)
        yield _above(f"{name}-cpu", f"CPU of {group}", "AWS/EC2", "CPUUtilization", cpu, AutoScalingGroupName=group)
        # The CloudWatch agent's own name for the memory in use (user guide, "Metrics collected by the agent").
        yield _above(
            f"{name}-memory", f"Memory of {group}", "CWAgent", "mem_used_percent", memory, AutoScalingGroupName=group
        )
    for name, identifier in sorted((stack.get("instances") or {}).items()):
        yield _above(f"{name}-cpu", f"CPU of {name}", "AWS/EC2", "CPUUtilization", cpu, InstanceId=identifier)


def _services(stack: Values, thresholds: Values) -> t.Iterator[Document]:
    cluster = stack.get("cluster") or ""
    for service in stack.get("services") or []:
        name, where = _short(service, stack), {"ClusterName": cluster, "ServiceName": service}
        cpu, memory = thresholds["cpu"], thresholds["memory"]
        yield _above(f"{name}-cpu", f"CPU of {service}", "AWS/ECS", "CPUUtilization", cpu, **where)
        yield _above(f"{name}-memory", f"Memory of {service}", "AWS/ECS", "MemoryUtilization", memory, **where)


def _targets(stack: Values) -> t.Iterator[Document]:
    for group in stack.get("target_groups") or []:
        yield {
            "name": f"{_short(group['name'], stack)}-unhealthy-targets",
            "description": f"The load balancer finds a target of {group['name']} unhealthy",
            "namespace": "AWS/ApplicationELB",
            "metric": "UnHealthyHostCount",
            "threshold": 0.0,
            "statistic": "Maximum",
            "dimensions": {"LoadBalancer": stack.get("load_balancer") or "", "TargetGroup": group["full_name"]},
        }


def _database(stack: Values, thresholds: Values) -> t.Iterator[Document]:
    database = stack.get("database") or {}
    identifier, most = database.get("identifier"), database.get("max_connections")
    if not identifier:
        return
    where = {"DBInstanceIdentifier": identifier}
    yield _above("database-cpu", f"CPU of {identifier}", "AWS/RDS", "CPUUtilization", thresholds["cpu"], **where)
    yield {
        "name": "database-storage",
        "description": f"Less than {float(thresholds['disk_free_gib']):g} GiB of storage free in {identifier}",
        "namespace": "AWS/RDS",
        "metric": "FreeStorageSpace",
        "comparison": "LessThanThreshold",
        "threshold": float(thresholds["disk_free_gib"]) * GIB,
        "dimensions": where,
    }
    if most:
        yield {
            "name": "database-connections",
            "description": f"More than {float(thresholds['connections']):g} % of {most} connections to {identifier}",
            "namespace": "AWS/RDS",
            "metric": "DatabaseConnections",
            "threshold": float(int(int(most) * float(thresholds["connections"]) / 100)),
            "dimensions": where,
        }


def _short(name: str, stack: Values) -> str:
    """A name without the stack's prefix, which all alarms have anyway."""
    return str(name).removeprefix(f"{stack['prefix']}-")


# -- dashboard ---------------------------------------------------------------------------------------------------------


#: CloudWatch's grid is 24 wide (CloudWatch API reference, "Dashboard body structure and syntax").
GRID, WIDTH, HEIGHT = 24, 8, 6


def stack_dashboard(stack: Values, region: str, alarm_arns: list[str], log_groups: list[str] = ()) -> Document:  # type: ignore[assignment]
    """The body of a dashboard of what the stack has.

    :param stack: as for L{stack_alarms}.
    :param region: the stack's region.
    :param alarm_arns: ARNs of its alarms, whose states stand on top.
    :param log_groups: names of log groups whose latest errors stand at the bottom.
    """
    graphs = [graph for graph in _graphs(stack) if graph[1]]
    widgets: list[Document] = []
    top = 0
    if alarm_arns:
        widgets.append(_widget("alarm", 0, 0, GRID, 3, {"title": "Alarms", "alarms": sorted(alarm_arns)}))
        top = 3
    for index, (title, metrics) in enumerate(graphs):
        x, y = index % (GRID // WIDTH) * WIDTH, top + index // (GRID // WIDTH) * HEIGHT
        properties = {"title": title, "region": region, "view": "timeSeries", "period": PERIOD, "metrics": metrics}
        widgets.append(_widget("metric", x, y, WIDTH, HEIGHT, properties))
    top += -(-len(graphs) // (GRID // WIDTH)) * HEIGHT
    if log_groups:
        sources = " | ".join(f"SOURCE '{name}'" for name in sorted(log_groups))
        query = (
            f"{sources} | fields @timestamp, @log, @message | filter @message like /(?i)error/ | sort @timestamp desc"
        )
        properties = {"title": "Latest errors", "region": region, "view": "table", "query": f"{query} | limit 50"}
        widgets.append(_widget("log", 0, top, GRID, HEIGHT, properties))
    return {"widgets": widgets}


def _widget(kind: str, x: int, y: int, width: int, height: int, properties: Document) -> Document:
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}


Metric = list[t.Any]


def _graphs(stack: Values) -> list[tuple[str, list[Metric]]]:
    """Titles and metrics of all graphs; those that the stack has nothing for have no metric."""
    return [
        ("CPU (%)", [*_of_machines(stack, "AWS/EC2", "CPUUtilization"), *_of_services(stack, "CPUUtilization")]),
        ("Memory (%)", [*_of_groups(stack, "CWAgent", "mem_used_percent"), *_of_services(stack, "MemoryUtilization")]),
        ("Disk (%)", [[{"expression": _disk(group), "label": group}] for group in stack.get("groups") or []]),
        (
            "Network (bytes)",
            [*_of_machines(stack, "AWS/EC2", "NetworkIn"), *_of_machines(stack, "AWS/EC2", "NetworkOut")],
        ),
        ("Requests", _of_balancer(stack, "RequestCount", "Sum")),
        ("Response time (s)", _of_balancer(stack, "TargetResponseTime", "p95")),
        ("Errors (5xx)", _of_balancer(stack, "HTTPCode_Target_5XX_Count", "Sum")),
        ("Unhealthy targets", _of_targets(stack)),
        ("Database CPU (%)", _of_database(stack, "CPUUtilization")),
        ("Database connections", _of_database(stack, "DatabaseConnections")),
        ("Database storage free (bytes)", _of_database(stack, "FreeStorageSpace")),
    ]


def _disk(group: str) -> str:
    search = f'{{CWAgent,AutoScalingGroupName,device,fstype,path}} MetricName="disk_used_percent" "{group}"'
    return f"SEARCH('{search}', 'Average', {PERIOD})"


def _of_groups(stack: Values, namespace: str, metric: str) -> list[Metric]:
    return [[namespace, metric, "AutoScalingGroupName", group] for group in stack.get("groups") or []]


def _of_machines(stack: Values, namespace: str, metric: str) -> list[Metric]:
    machines = sorted((stack.get("instances") or {}).items())
    return [
        *_of_groups(stack, namespace, metric),
        *([namespace, metric, "InstanceId", identifier, {"label": name}] for name, identifier in machines),
    ]


def _of_services(stack: Values, metric: str) -> list[Metric]:
    cluster = stack.get("cluster") or ""
    return [["AWS/ECS", metric, "ClusterName", cluster, "ServiceName", one] for one in stack.get("services") or []]


def _of_balancer(stack: Values, metric: str, statistic: str) -> list[Metric]:
    balancer = stack.get("load_balancer")
    return [["AWS/ApplicationELB", metric, "LoadBalancer", balancer, {"stat": statistic}]] if balancer else []


def _of_targets(stack: Values) -> list[Metric]:
    balancer = stack.get("load_balancer") or ""
    return [
        [
            "AWS/ApplicationELB",
            "UnHealthyHostCount",
            *("TargetGroup", group["full_name"]),
            *("LoadBalancer", balancer),
            {"stat": "Maximum", "label": group["name"]},
        ]
        for group in stack.get("target_groups") or []
    ]


def _of_database(stack: Values, metric: str) -> list[Metric]:
    identifier = (stack.get("database") or {}).get("identifier")
    return [["AWS/RDS", metric, "DBInstanceIdentifier", identifier]] if identifier else []


# -- what the stack is made of -----------------------------------------------------------------------------------------

STAND_IN_ID = "0" * 16


def target_groups_of(found: list[Document], names: list[str]) -> list[Document]:
    """Names and full names of target groups; stand-ins for those that a plan has not created.

    :param found: C{target_groups} of M(community.aws.elb_target_group_info).
    :param names: which ones.
    """
    arns = {group["target_group_name"]: group["target_group_arn"] for group in found}
    full = {name: "targetgroup/" + arn.partition(":targetgroup/")[2] for name, arn in arns.items()}
    return [{"name": name, "full_name": full.get(name, f"targetgroup/{name}/{STAND_IN_ID}")} for name in names]


def instances_of(machines: list[Document], facts: Values) -> dict[str, str]:
    """Ids of instances by name; stand-ins for those that a plan has not created.

    :param machines: the stack's C{ec2_app_instances}.
    :param facts: what the ec2_app tier publishes.
    """
    return {one["name"]: (facts.get(one["name"]) or {}).get("id") or f"i-0{STAND_IN_ID}" for one in machines}

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Gathers what a stack is charged for in a region, in the shape that C(cost_items) takes.

The tagging API says what there is, and each service is asked for its own alone. What cannot be read is reported, and
the rest is read all the same.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.cost_api import asked, listed
from ansible_collections.palier.aws.plugins.module_utils.stack_resources import describe_arn

Record = dict[str, t.Any]
Client = t.Callable[[str], t.Any]

#: Namespaces of metrics that are charged for: those of the CloudWatch agent and of Container Insights.
CHARGED_NAMESPACES = ("CWAgent", "ECS/ContainerInsights")
#: DescribeServices takes 10 services (its API reference).
SERVICES_A_CALL = 10
#: Types of what has alarms, dashboards and metrics.
WATCHED = ("cloudwatch:alarm", "ec2:instance", "ecs:cluster", "rds:db", "elasticloadbalancing:loadbalancer")


@dataclass(frozen=True)
class Resource:
    """A resource of the stack, as the tagging API lists it.

    :param arn: its ARN.
    :param type: such as C(rds:db).
    :param name: the last part of the ARN.
    :param tier: the tag C(Tier).
    """

    arn: str
    type: str
    name: str
    tier: str

    @property
    def path(self) -> str:
        """What the ARN says behind the kind of resource, which may hold slashes."""
        rest = self.arn.split(":", 5)[5]
        kind = self.type.partition(":")[2]
        return rest[len(kind) + 1 :] if rest.startswith((f"{kind}/", f"{kind}:")) else rest


def from_mapping(mapping: Record) -> Resource:
    """A resource from the tagging API's answer."""
    tags = {tag["Key"]: tag["Value"] for tag in mapping.get("Tags", [])}
    described = describe_arn(mapping["ResourceARN"])
    return Resource(described["arn"], described["type"], described["name"], tags.get("Tier", ""))


@dataclass
class Place:
    """A region of the stack.

    :param region: its name.
    :param client: gives a boto3 client of the region.
    :param tags: the stack's tags.
    :param prefix: how the names of the stack begin.
    :param resources: what the tagging API lists here.
    :param unread: what could not be read, and why; filled here.
    """

    region: str
    client: Client
    tags: dict[str, str]
    prefix: str
    resources: list[Resource]
    unread: list[dict[str, str]] = field(default_factory=list)

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [one for one in self.resources if one.type in types]

    @property
    def tag_filters(self) -> list[Record]:
        """EC2's filters for the stack's tags."""
        return [{"Name": f"tag:{key}", "Values": [value]} for key, value in self.tags.items()]


def read(place: Place) -> Record:
    """What stands in a region, by the names that C(cost_items) knows."""
    facts: Record = {"region": place.region}
    for reader in READERS:
        try:
            facts.update(reader(place))
        except AnsibleAWSError as error:
            what = reader.__name__.removeprefix("read_").replace("_", " ")
            why = str(error.exception or error.message)
            place.unread.append({"region": place.region, "what": what, "why": why})
    return facts


# -- EC2 ---------------------------------------------------------------------------------------------------------------

#: Types of the tagging API by which EC2 is known to hold anything of the stack.
IN_EC2 = ("ec2:instance", "ec2:volume", "ec2:vpc", "ec2:elastic-ip", "ec2:natgateway", "ec2:vpc-endpoint")


def read_instances(place: Place) -> Record:
    """Instances by their tags, and those of the stack's Auto Scaling groups; and their volumes."""
    if not place.of(*IN_EC2, "ec2:launch-template"):
        return {}
    ec2 = place.client("ec2")
    groups = listed(
        place.client("autoscaling"), "describe_auto_scaling_groups", "AutoScalingGroups", Filters=place.tag_filters
    )
    tiers = {one["AutoScalingGroupName"]: _tag(one, "Tier") for one in groups}
    filters = [place.tag_filters]
    if tiers:
        filters.append([{"Name": "tag:aws:autoscaling:groupName", "Values": list(tiers)}])
    found = {
        one["InstanceId"]: {**one, "Tier": _tag(one, "Tier") or tiers.get(_tag(one, "aws:autoscaling:groupName"), "")}
        for wanted in filters
        for reservation in listed(ec2, "describe_instances", "Reservations", Filters=wanted)
        for one in reservation["Instances"]
        if one["State"]["Name"] not in ("terminated", "shutting-down")
    }
    return {"instances": list(found.values()), "volumes": _volumes(place, ec2, list(found))}


def _volumes(place: Place, ec2: t.Any, instances: list[str]) -> list[Record]:
    filters = [place.tag_filters]
    if instances:
        filters.append([{"Name": "attachment.instance-id", "Values": instances}])
    found = {
        one["VolumeId"]: one for wanted in filters for one in listed(ec2, "describe_volumes", "Volumes", Filters=wanted)
    }
    return list(found.values())


def read_snapshots(place: Place) -> Record:
    """EBS snapshots."""
    if not place.of("ec2:snapshot"):
        return {}
    found = listed(place.client("ec2"), "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=place.tag_filters)
    return {"snapshots": found}


def read_network(place: Place) -> Record:
    """NAT gateways, elastic addresses, endpoints, and the network interfaces of the stack's networks."""
    if not place.of(*IN_EC2):
        return {}
    ec2 = place.client("ec2")
    networks = [one.name for one in place.of("ec2:vpc")]
    inside = [{"Name": "vpc-id", "Values": networks}]
    alive = [*place.tag_filters, {"Name": "state", "Values": ["pending", "available"]}]
    return {
        "nat_gateways": listed(ec2, "describe_nat_gateways", "NatGateways", Filter=alive),
        "elastic_ips": asked(ec2, "describe_addresses", "Addresses", Filters=place.tag_filters),
        "endpoints": listed(ec2, "describe_vpc_endpoints", "VpcEndpoints", Filters=place.tag_filters),
        "interfaces": listed(ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=inside)
        if networks
        else [],
    }


def read_load_balancers(place: Place) -> Record:
    """Load balancers."""
    mine = {one.arn: one.tier for one in place.of("elasticloadbalancing:loadbalancer")}
    if not mine:
        return {}
    found = listed(place.client("elbv2"), "describe_load_balancers", "LoadBalancers")
    return {"load_balancers": _mine(found, "LoadBalancerArn", mine)}


# -- databases and containers ------------------------------------------------------------------------------------------


def read_databases(place: Place) -> Record:
    """Database instances."""
    mine = {one.arn: one.tier for one in place.of("rds:db")}
    if not mine:
        return {}
    return {
        "databases": _mine(listed(place.client("rds"), "describe_db_instances", "DBInstances"), "DBInstanceArn", mine)
    }


def read_services(place: Place) -> Record:
    """ECS services with their task definitions."""
    mine = {one.arn: one.tier for one in place.of("ecs:service")}
    if not mine:
        return {}
    ecs = place.client("ecs")
    found = []
    for cluster in sorted({one.path.partition("/")[0] for one in place.of("ecs:service")}):
        names = [one.arn for one in place.of("ecs:service") if one.path.partition("/")[0] == cluster]
        for start in range(0, len(names), SERVICES_A_CALL):
            some = names[start : start + SERVICES_A_CALL]
            found += asked(ecs, "describe_services", "services", cluster=cluster, services=some)
    alive = [one for one in found if one.get("status") != "INACTIVE"]
    for service in alive:
        service["definition"] = asked(
            ecs, "describe_task_definition", "taskDefinition", taskDefinition=service["taskDefinition"]
        )
    return {"services": _mine(alive, "serviceArn", mine)}


def read_repositories(place: Place) -> Record:
    """Image repositories with their images."""
    mine = place.of("ecr:repository")
    if not mine:
        return {}
    ecr = place.client("ecr")
    return {
        "repositories": [
            {
                "name": one.path,
                "Tier": one.tier,
                "images": listed(ecr, "describe_images", "imageDetails", repositoryName=one.path),
            }
            for one in mine
        ]
    }


# -- storage -----------------------------------------------------------------------------------------------------------


def read_buckets(place: Place) -> Record:
    """Buckets, with the size of each storage class that CloudWatch measured last."""
    mine = place.of("s3:bucket")
    if not mine:
        return {}
    cloudwatch = place.client("cloudwatch")
    return {"buckets": [{"name": one.name, "Tier": one.tier, "sizes": _sizes(cloudwatch, one.name)} for one in mine]}


def _sizes(cloudwatch: t.Any, bucket: str) -> dict[str, float]:
    named = [{"Name": "BucketName", "Value": bucket}]
    metrics = listed(
        cloudwatch, "list_metrics", "Metrics", Namespace="AWS/S3", MetricName="BucketSizeBytes", Dimensions=named
    )
    sizes = {}
    for metric in metrics:
        kind = {one["Name"]: one["Value"] for one in metric["Dimensions"]}.get("StorageType", "")
        size = _last(cloudwatch, metric["Dimensions"])
        if size is not None:
            sizes[kind] = size
    return sizes


def _last(cloudwatch: t.Any, dimensions: list[Record]) -> float | None:
    """The last of the sizes that are measured once a day, and known a day or two later."""
    now = datetime.datetime.now(datetime.UTC)
    points = asked(
        cloudwatch,
        "get_metric_statistics",
        "Datapoints",
        Namespace="AWS/S3",
        MetricName="BucketSizeBytes",
        Dimensions=dimensions,
        StartTime=now - datetime.timedelta(days=3),
        EndTime=now,
        Period=86400,
        Statistics=["Average"],
    )
    return max(points, key=lambda point: point["Timestamp"])["Average"] if points else None


def read_recovery_points(place: Place) -> Record:
    """What AWS Backup keeps in the stack's vaults."""
    vaults = place.of("backup:backup-vault")
    if not vaults:
        return {}
    backup = place.client("backup")
    return {
        "recovery_points": [
            {**point, "Tier": vault.tier}
            for vault in vaults
            for point in listed(
                backup,
                "list_recovery_points_by_backup_vault",
                "RecoveryPoints",
                BackupVaultName=vault.name,
            )
        ]
    }


# -- keys, names, monitoring -------------------------------------------------------------------------------------------


def read_keys_and_secrets(place: Place) -> Record:
    """Keys, as KMS describes them, and secrets by name."""
    keys = place.of("kms:key")
    kms = place.client("kms") if keys else None
    return {
        "keys": [{**asked(kms, "describe_key", "KeyMetadata", KeyId=one.arn), "Tier": one.tier} for one in keys],
        "secrets": [{"name": one.path, "Tier": one.tier} for one in place.of("secretsmanager:secret")],
    }


def read_names(place: Place) -> Record:
    """Hosted zones and health checks."""
    zones, checks = place.of("route53:hostedzone"), place.of("route53:healthcheck")
    if not zones and not checks:
        return {}
    route53 = place.client("route53")
    return {
        "zones": [
            {"name": asked(route53, "get_hosted_zone", "HostedZone", Id=one.name)["Name"].rstrip("."), "Tier": one.tier}
            for one in zones
        ],
        "health_checks": [
            {**asked(route53, "get_health_check", "HealthCheck", HealthCheckId=one.name), "Tier": one.tier}
            for one in checks
        ],
    }


def read_alarms(place: Place) -> Record:
    """Alarms by how their names begin, since not all carry tags: ours, and those that scale services to a target."""
    if not place.of(*WATCHED):
        return {}
    cloudwatch = place.client("cloudwatch")
    tiers = {one.arn: one.tier for one in place.of("cloudwatch:alarm")}
    found = [
        {**alarm, "Tier": tiers.get(alarm["AlarmArn"]) or tier}
        for start, tier in ((f"{place.prefix}-", "monitoring"), (f"TargetTracking-service/{place.prefix}-", "ecs_app"))
        for kind in ("MetricAlarm", "CompositeAlarm")
        for alarm in listed(cloudwatch, "describe_alarms", f"{kind}s", AlarmNamePrefix=start, AlarmTypes=[kind])
    ]
    return {"alarms": found}


def read_dashboards_and_metrics(place: Place) -> Record:
    """Dashboards by the stack's prefix, since they carry no tags; custom metrics of what belongs to the stack."""
    if not place.of(*WATCHED):
        return {}
    cloudwatch = place.client("cloudwatch")
    named = listed(cloudwatch, "list_dashboards", "DashboardEntries", DashboardNamePrefix=place.prefix)
    names = [one["DashboardName"] for one in named if f"{one['DashboardName']}-".startswith(f"{place.prefix}-")]
    return {"dashboards": names, "metrics": _custom_metrics(place, cloudwatch)}


def _custom_metrics(place: Place, cloudwatch: t.Any) -> dict[str, int]:
    known = {one.name for one in place.resources}
    counts = {}
    for namespace in CHARGED_NAMESPACES:
        metrics = listed(cloudwatch, "list_metrics", "Metrics", Namespace=namespace)
        values = [{one["Value"] for one in metric["Dimensions"]} for metric in metrics]
        mine = [one for one in values if one & known or any(value.startswith(f"{place.prefix}-") for value in one)]
        if mine:
            counts[namespace] = len(mine)
    return counts


def read_log_groups(place: Place) -> Record:
    """Log groups with the size that is stored."""
    mine = {one.arn.removesuffix(":*"): one.tier for one in place.of("logs:log-group")}
    if not mine:
        return {}
    found = listed(place.client("logs"), "describe_log_groups", "logGroups")
    groups = [{**one, "arn": one["arn"].removesuffix(":*")} for one in found]
    return {"log_groups": _mine(groups, "arn", mine)}


def read_visitors(place: Place) -> Record:
    """Distributions and user pools, which are charged by use."""
    pools = place.of("cognito-idp:userpool")
    cognito = place.client("cognito-idp") if pools else None
    return {
        "distributions": [one.name for one in place.of("cloudfront:distribution")],
        "user_pools": [
            {**asked(cognito, "describe_user_pool", "UserPool", UserPoolId=one.name), "Tier": one.tier} for one in pools
        ],
    }


READERS: tuple[t.Callable[[Place], Record], ...] = (
    read_instances,
    read_snapshots,
    read_network,
    read_load_balancers,
    read_databases,
    read_services,
    read_repositories,
    read_buckets,
    read_recovery_points,
    read_keys_and_secrets,
    read_names,
    read_alarms,
    read_dashboards_and_metrics,
    read_log_groups,
    read_visitors,
)


def _tag(resource: Record, name: str) -> str:
    return next((tag["Value"] for tag in resource.get("Tags", []) if tag["Key"] == name), "")


def _mine(found: list[Record], arn: str, mine: dict[str, str]) -> list[Record]:
    return [{**one, "Tier": mine[one[arn]]} for one in found if one[arn] in mine]

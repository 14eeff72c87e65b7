# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a stack is charged for, worked out from what stands in the account.

Everything here is pure: it takes what the AWS APIs said of a region, as C(cost_facts) gathers it, and returns items.
What is charged by use is listed as well, with the quantity that was told, or with zero.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.palier.aws.plugins.module_utils.cost import HOURS, Item

Record = t.Mapping[str, t.Any]
Facts = t.Mapping[str, t.Any]
Items = t.Iterator[Item]
Usage = t.Mapping[str, float]

GIB = 1024**3
#: States in which an instance is charged for.
RUNNING = ("pending", "running", "stopping")
#: What gp3 includes (Amazon EBS user guide, General Purpose SSD volumes).
GP3_IOPS, GP3_THROUGHPUT = 3000, 125
#: What RDS's storage includes. gp3 takes an order for more only where it is large enough to include 12,000 (Amazon RDS
#: user guide, gp3 storage).
INCLUDED_IOPS = {"gp3": 12_000, "io1": 0, "io2": 0}
#: Disk of a Fargate task that costs nothing (Amazon ECS developer guide, Fargate task ephemeral storage).
FARGATE_DISK = 20


def items(regions: t.Iterable[Facts], usage: Usage | None = None) -> list[Item]:
    """Every item of a stack.

    :param regions: what stands in each region.
    :param usage: monthly quantities of what is charged by use; see C(BY_USE).
    """
    places = list(regions)
    found = [replace(one, region=facts["region"]) for facts in places for of in COMPONENTS for one in of(facts)]
    told = usage or {}
    visits = [one for facts in places for one in users_and_visitors(facts, told)]
    return [*found, *visits, *by_use(found, told, places[0]["region"] if places else "")]


def tier_of(resource: Record) -> str:
    """The tier that a resource says that it belongs to."""
    return str(resource.get("Tier") or tags_of(resource).get("Tier") or "")


def name_of(resource: Record, otherwise: str) -> str:
    """The name that a resource says that it has."""
    return str(tags_of(resource).get("Name") or otherwise)


def tags_of(resource: Record) -> dict[str, str]:
    """The tags, in whichever of AWS's spellings."""
    listed = resource.get("Tags") or resource.get("TagList") or resource.get("TagSet") or []
    return {tag["Key"]: tag["Value"] for tag in listed}


# -- EC2 ---------------------------------------------------------------------------------------------------------------


def instances(facts: Facts) -> Items:
    """Instances, those of Auto Scaling groups by the group's name."""
    for one in facts.get("instances", ()):
        state = one["State"]["Name"]
        if state in RUNNING:
            yield _instance(one, HOURS, "a Spot instance costs less" if one.get("InstanceLifecycle") == "spot" else "")
        elif state == "stopped":
            yield _instance(one, 0, "stopped, which leaves the volumes and the address")


def _instance(one: Record, hours: float, note: str) -> Item:
    platform = one.get("PlatformDetails") or "Linux/UNIX"
    key = f"ec2.{one['InstanceType']}" + ("" if platform == "Linux/UNIX" else f".{platform}")
    return Item("EC2 instances", key, instance_name(one), hours, "hour", tier_of(one), note=note)


def instance_name(one: Record) -> str:
    """Name of an instance, or of its Auto Scaling group."""
    group = tags_of(one).get("aws:autoscaling:groupName")
    return group or name_of(one, one["InstanceId"])


def volumes(facts: Facts) -> Items:
    """Volumes by type, with what goes beyond what gp3 includes."""
    owners = {one["InstanceId"]: one for one in facts.get("instances", ())}
    for volume in facts.get("volumes", ()):
        attached = [owners[one["InstanceId"]] for one in volume.get("Attachments", ()) if one["InstanceId"] in owners]
        owner = attached[0] if attached else None
        resource = instance_name(owner) if owner else name_of(volume, volume["VolumeId"])
        tier = tier_of(volume) or (tier_of(owner) if owner else "")
        kind = volume.get("VolumeType", "gp2")
        note = "" if attached or volume.get("Attachments") else "attached to nothing"

        def part(key: str, quantity: float, unit: str, of: tuple[str, str, str] = (resource, tier, note)) -> Item:
            return Item("EBS volumes", key, of[0], quantity, unit, of[1], note=of[2])

        yield part(f"ebs.{kind}", volume["Size"], "GB-month")
        if kind == "gp3" and (volume.get("Iops") or 0) > GP3_IOPS:
            yield part("ebs.gp3.iops", volume["Iops"] - GP3_IOPS, "IOPS-month")
        if kind == "gp3" and (volume.get("Throughput") or 0) > GP3_THROUGHPUT:
            yield part("ebs.gp3.throughput", volume["Throughput"] - GP3_THROUGHPUT, "MiB/s-month")
        if kind in ("io1", "io2") and volume.get("Iops"):
            yield part(f"ebs.{kind}.iops", volume["Iops"], "IOPS-month")


def snapshots(facts: Facts) -> Items:
    """Snapshots: the largest of each volume, since the others hold only what changed, which AWS does not tell."""
    by_volume: dict[str, list[Record]] = {}
    for snapshot in facts.get("snapshots", ()):
        by_volume.setdefault(snapshot.get("VolumeId", snapshot["SnapshotId"]), []).append(snapshot)
    for volume, taken in by_volume.items():
        largest = max(taken, key=_stored)
        note = "what changed between the snapshots of a volume comes on top" if len(taken) > 1 else ""
        yield Item(
            "Snapshots", "ebs.snapshot", f"of {volume}", _stored(largest), "GB-month", tier_of(largest), note=note
        )


def _stored(snapshot: Record) -> float:
    """Size of a snapshot in GiB: what is stored where AWS tells, else all of the volume."""
    full = snapshot.get("FullSnapshotSizeInBytes")
    return round(full / GIB, 3) if full else float(snapshot["VolumeSize"])


# -- network -----------------------------------------------------------------------------------------------------------


def nat_gateways(facts: Facts) -> Items:
    """NAT gateways."""
    for gateway in facts.get("nat_gateways", ()):
        name = name_of(gateway, gateway["NatGatewayId"])
        yield Item("NAT gateways", "nat.hour", name, HOURS, "hour", tier_of(gateway))


def load_balancers(facts: Facts) -> Items:
    """Load balancers."""
    for balancer in facts.get("load_balancers", ()):
        key = f"lb.{balancer.get('Type', 'application')}.hour"
        yield Item("Load balancers", key, balancer["LoadBalancerName"], HOURS, "hour", tier_of(balancer))


def addresses(facts: Facts) -> Items:
    """Public IPv4 addresses, each once: those of NAT gateways, balancers, instances and so on, and idle ones."""
    counted: set[str] = set()
    for resource, tier, count, known in [*_owned_addresses(facts), *_balancer_addresses(facts)]:
        counted.update(known)
        if count:
            yield _address(resource, tier, count)
    for one in facts.get("elastic_ips", ()):
        if one.get("PublicIp") not in counted:
            counted.add(one.get("PublicIp", ""))
            idle = "" if one.get("AssociationId") else "in use by nothing"
            yield _address(name_of(one, one.get("AllocationId", "")), tier_of(one), 1, idle)
    for interface in facts.get("interfaces", ()):
        public = (interface.get("Association") or {}).get("PublicIp")
        if public and public not in counted and not _of_known_owner(interface):
            counted.add(public)
            yield _address(name_of(interface, interface["NetworkInterfaceId"]), tier_of(interface), 1)


def _address(resource: str, tier: str, count: int, note: str = "") -> Item:
    return Item("Public IPv4 addresses", "ipv4.hour", resource, count * HOURS, "hour", tier, note=note)


Addresses = t.Iterator[tuple[str, str, int, set[str]]]


def _owned_addresses(facts: Facts) -> Addresses:
    for gateway in facts.get("nat_gateways", ()):
        public = {one["PublicIp"] for one in gateway.get("NatGatewayAddresses", ()) if one.get("PublicIp")}
        yield name_of(gateway, gateway["NatGatewayId"]), tier_of(gateway), len(public), public
    for one in facts.get("instances", ()):
        public = {one["PublicIpAddress"]} if one.get("PublicIpAddress") else set()
        yield instance_name(one), tier_of(one), len(public), public
    for service in facts.get("services", ()):
        network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
        count = service["desiredCount"] if network.get("assignPublicIp") == "ENABLED" else 0
        yield service["serviceName"], tier_of(service), count, set()
    for database in facts.get("databases", ()):
        public_database = bool(database.get("PubliclyAccessible"))
        yield database["DBInstanceIdentifier"], tier_of(database), int(public_database), set()


def _balancer_addresses(facts: Facts) -> Addresses:
    """Those of balancers: the ones that their interfaces have, or one a zone where none is seen."""
    for balancer in facts.get("load_balancers", ()):
        if balancer.get("Scheme") != "internet-facing":
            continue
        # The end of the ARN is what the description of a balancer's interface names it by.
        short = balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
        mine = [one for one in facts.get("interfaces", ()) if one.get("Description") == f"ELB {short}"]
        public = {one["Association"]["PublicIp"] for one in mine if one.get("Association")}
        count = len(public) or len(balancer.get("AvailabilityZones", ()))
        yield balancer["LoadBalancerName"], tier_of(balancer), count, public


def _of_known_owner(interface: Record) -> bool:
    description = str(interface.get("Description", ""))
    return description.startswith(("ELB ", "arn:aws", "RDSNetworkInterface"))


def endpoints(facts: Facts) -> Items:
    """Interface endpoints, in each of their zones; gateway endpoints cost nothing."""
    for endpoint in facts.get("endpoints", ()):
        if endpoint.get("VpcEndpointType") == "Interface":
            zones = len(endpoint.get("SubnetIds", ())) or 1
            name = endpoint.get("ServiceName", "").rpartition(".")[2] or endpoint["VpcEndpointId"]
            yield Item("Interface endpoints", "endpoint.hour", name, zones * HOURS, "hour", tier_of(endpoint))


# -- databases ---------------------------------------------------------------------------------------------------------


def databases(facts: Facts) -> Items:
    """Database instances and their storage, both twice where a standby stands in a second zone."""
    for database in facts.get("databases", ()):
        name, tier = database["DBInstanceIdentifier"], tier_of(database)
        copies = 2 if database.get("MultiAZ") else 1
        note = _database_note(database)
        running = 0 if database.get("DBInstanceStatus") == "stopped" else HOURS
        key = f"rds.{database['Engine']}.{database['DBInstanceClass']}"
        yield Item("RDS instances", key, name, copies * running, "hour", tier, note=note)
        kind = database.get("StorageType", "gp2")
        size = copies * database.get("AllocatedStorage", 0)
        yield Item("RDS storage", f"rds.storage.{kind}", name, size, "GB-month", tier, note=note)
        iops = (database.get("Iops") or 0) - INCLUDED_IOPS.get(kind, database.get("Iops") or 0)
        if iops > 0:
            yield Item("RDS storage", f"rds.storage.{kind}.iops", name, copies * iops, "IOPS-month", tier)


def _database_note(database: Record) -> str:
    notes = []
    if database.get("MultiAZ"):
        notes.append("with a standby in a second zone")
    if database.get("ReadReplicaSourceDBInstanceIdentifier"):
        notes.append("a read replica")
    if database.get("DBInstanceStatus") == "stopped":
        notes.append("stopped, which leaves the storage")
    return ", ".join(notes)


# -- containers --------------------------------------------------------------------------------------------------------


def services(facts: Facts) -> Items:
    """Tasks of Fargate services: as many as are wanted, by what their definition asks for."""
    for service in facts.get("services", ()):
        if not _on_fargate(service):
            continue
        definition, name, tier = service["definition"], service["serviceName"], tier_of(service)
        hours = service["desiredCount"] * HOURS
        arm = (definition.get("runtimePlatform") or {}).get("cpuArchitecture") == "ARM64"
        key = f"fargate.{'arm' if arm else 'x86'}"
        note = "asleep" if not hours else "Spot costs less" if _on_spot(service) else ""
        cpu, memory = int(definition["cpu"]) / 1024, int(definition["memory"]) / 1024
        yield Item("Fargate tasks", f"{key}.vcpu", name, hours * cpu, "vCPU-hour", tier, note=note)
        yield Item("Fargate tasks", f"{key}.gb", name, hours * memory, "GB-hour", tier, note=note)
        disk = (definition.get("ephemeralStorage") or {}).get("sizeInGiB", FARGATE_DISK) - FARGATE_DISK
        if disk > 0:
            yield Item("Fargate tasks", "fargate.disk", name, hours * disk, "GB-hour", tier, note=note)


def _providers(service: Record) -> set[str]:
    return {one["capacityProvider"] for one in service.get("capacityProviderStrategy") or ()}


def _on_fargate(service: Record) -> bool:
    return service.get("launchType") == "FARGATE" or bool(_providers(service) & {"FARGATE", "FARGATE_SPOT"})


def _on_spot(service: Record) -> bool:
    return "FARGATE_SPOT" in _providers(service)


def repositories(facts: Facts) -> Items:
    """Images; layers that images share are counted for each of them."""
    for repository in facts.get("repositories", ()):
        size = sum(image.get("imageSizeInBytes", 0) for image in repository["images"]) / GIB
        note = "layers that images share count once on the bill" if len(repository["images"]) > 1 else ""
        yield Item(
            "Image repositories", "ecr.storage", repository["name"], size, "GB-month", tier_of(repository), note=note
        )


# -- storage -----------------------------------------------------------------------------------------------------------


def buckets(facts: Facts) -> Items:
    """Buckets by storage class, with the size that CloudWatch measured last."""
    for bucket in facts.get("buckets", ()):
        sizes = bucket["sizes"] or {"StandardStorage": 0}
        note = "" if bucket["sizes"] else "not measured yet: CloudWatch counts once a day"
        for kind, size in sizes.items():
            yield Item("S3 buckets", f"s3.{kind}", bucket["name"], size / GIB, "GB-month", tier_of(bucket), note=note)


def recovery_points(facts: Facts) -> Items:
    """What AWS Backup keeps."""
    for point in facts.get("recovery_points", ()):
        size = point.get("BackupSizeInBytes", 0) / GIB
        vault = point.get("BackupVaultName", "vault")
        yield Item("AWS Backup", f"backup.{point.get('ResourceType', '')}", vault, size, "GB-month", tier_of(point))


# -- keys, names, monitoring -------------------------------------------------------------------------------------------


def keys(facts: Facts) -> Items:
    """Keys of the stack's own, and secrets, those that RDS keeps of its databases too."""
    for key in facts.get("keys", ()):
        if key.get("KeyState") != "PendingDeletion":
            yield Item("KMS keys", "kms.key", key["KeyId"], 1, "month", tier_of(key))
    for secret in facts.get("secrets", ()):
        yield Item("Secrets", "secret", secret["name"], 1, "month", tier_of(secret))
    for database in facts.get("databases", ()):
        if database.get("MasterUserSecret"):
            name = f"{database['DBInstanceIdentifier']}, master password"
            yield Item("Secrets", "secret", name, 1, "month", tier_of(database))


def zones(facts: Facts) -> Items:
    """Hosted zones and health checks."""
    for zone in facts.get("zones", ()):
        yield Item("Hosted zones", "dns.zone", zone["name"], 1, "month", tier_of(zone))
    for check in facts.get("health_checks", ()):
        name, config = check.get("name") or check["Id"], check["HealthCheckConfig"]
        note = "the first 50 of endpoints inside AWS cost nothing"
        yield Item("Health checks", "dns.check", name, 1, "month", tier_of(check), note=note)
        options = _check_options(config)
        if options:
            yield Item("Health checks", "dns.check_option", name, options, "month", tier_of(check), note=note)


def _check_options(config: Record) -> int:
    """HTTPS, a text to look for, a fast interval and measured latency, each for the price of one option."""
    kind = str(config.get("Type", ""))
    given = [
        kind.startswith("HTTPS"),
        kind.endswith("STR_MATCH"),
        config.get("RequestInterval") == 10,
        config.get("MeasureLatency"),
    ]
    return sum(1 for one in given if one)


def monitoring(facts: Facts) -> Items:
    """Alarms, dashboards, custom metrics and stored logs."""
    for alarm in facts.get("alarms", ()):
        if "AlarmRule" in alarm:
            yield Item("CloudWatch alarms", "alarm.composite", "composite alarms", 1, "month", tier_of(alarm))
        else:
            metrics = sum(1 for one in alarm.get("Metrics", ()) if "MetricStat" in one) or 1
            yield Item("CloudWatch alarms", "alarm", "alarms", metrics, "month", tier_of(alarm))
    for dashboard in facts.get("dashboards", ()):
        yield Item("CloudWatch dashboards", "dashboard", dashboard, 1, "month", "monitoring")
    for namespace, count in (facts.get("metrics") or {}).items():
        yield Item("CloudWatch metrics", "metric", namespace, count, "month", "monitoring")
    for group in facts.get("log_groups", ()):
        size = group.get("storedBytes", 0) / GIB
        yield Item("CloudWatch Logs", "logs.storage", group["logGroupName"], size, "GB-month", tier_of(group))


COMPONENTS: tuple[t.Callable[[Facts], Items], ...] = (
    instances,
    volumes,
    snapshots,
    nat_gateways,
    load_balancers,
    addresses,
    endpoints,
    databases,
    services,
    repositories,
    buckets,
    recovery_points,
    keys,
    zones,
    monitoring,
)

# -- by use ------------------------------------------------------------------------------------------------------------


class Use(t.NamedTuple):
    """Something that is charged by use.

    :param told: the name under which its monthly quantity is told.
    :param key: its price.
    :param unit: its unit.
    :param what: what a reader sees.
    :param beside: keys of which one must stand in the account (by how they start).
    :param factor: units in one of what is told.
    """

    told: str
    key: str
    unit: str
    what: str
    beside: tuple[str, ...]
    factor: float = 1


BY_USE = (
    Use("internet_out_gb", "internet.out", "GB", "traffic to the internet", ("nat.", "lb.", "ipv4.", "s3.")),
    Use("nat_gb", "nat.gb", "GB", "traffic through NAT gateways", ("nat.",)),
    Use("load_balancer_lcu", "lb.application.lcu", "LCU-hour", "capacity units, all hours", ("lb.application",), HOURS),
    Use("endpoint_gb", "endpoint.gb", "GB", "traffic through interface endpoints", ("endpoint.",)),
    Use("cpu_credit_hours", "ec2.credits", "vCPU-hour", "CPU of T instances beyond the earned", ("ec2.t",)),
    Use("rds_backup_gb", "rds.backup", "GB-month", "backups beyond the size of the databases", ("rds.",)),
    Use("logs_gb", "logs.ingested", "GB", "logs taken in", ("logs.",)),
    Use("s3_puts_thousands", "s3.puts", "1,000", "S3 requests that write or list", ("s3.",)),
    Use("s3_gets_thousands", "s3.gets", "1,000", "S3 requests that read", ("s3.",)),
    Use("dns_queries_millions", "dns.queries", "million", "DNS queries but for aliases", ("dns.zone",)),
    Use("kms_requests_10k", "kms.requests", "10,000", "KMS requests", ("kms.",)),
    Use("secret_requests_10k", "secret.requests", "10,000", "Secrets Manager requests", ("secret",)),
)


def by_use(found: t.Sequence[Item], usage: Usage, region: str) -> Items:
    """What is charged by use for what stands there, with the quantity that was told."""
    present = {item.key for item in found}
    for use in BY_USE:
        if any(key.startswith(use.beside) for key in present):
            quantity = float(usage.get(use.told, 0)) * use.factor
            yield Item("By use", use.key, use.what, quantity, use.unit, "", region, by_use=True, note=use.told)


def users_and_visitors(facts: Facts, usage: Usage) -> Items:
    """What CloudFront and Cognito charge for, which is use alone."""
    region = facts["region"]
    if facts.get("distributions"):
        for told, key, unit, what in (
            ("cloudfront_gb", "cloudfront.out", "GB", "CloudFront, traffic to visitors"),
            ("cloudfront_requests_10k", "cloudfront.requests", "10,000", "CloudFront, HTTPS requests"),
        ):
            yield Item("By use", key, what, float(usage.get(told, 0)), unit, "s3_site", region, True, told)
    for pool in facts.get("user_pools", ()):
        plan = str(pool.get("UserPoolTier") or "ESSENTIALS").lower()
        what = "Cognito, active users beyond the free ones"
        users = float(usage.get("cognito_users", 0))
        yield Item("By use", f"cognito.users.{plan}", what, users, "user", tier_of(pool), region, True, "cognito_users")

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What stands in an account, in a reader's words: the end of a demonstration."""

from __future__ import annotations

import typing as t
from collections import Counter
from pathlib import Path

from tools.collection import load_yaml

#: ``(service, region=...)`` gives a boto3 client.
ClientFactory = t.Callable[..., t.Any]
Record = dict[str, t.Any]
#: Everything that this collection makes carries this tag.
OURS = [{"Name": "tag:ManagedBy", "Values": ["palier.aws"]}]


def regions(inventory: Path) -> list[str]:
    """Every region that an inventory names, in alphabetical order.

    :param inventory: its directory.
    """
    documents = [load_yaml(path) for path in sorted(inventory.glob("**/*.yml"))]
    named = {document.get("stack_region") for document in documents if isinstance(document, dict)}
    return sorted(region for region in named if isinstance(region, str))


def tag(record: Record, key: str, default: str = "") -> str:
    """The value of a record's tag."""
    return next((str(pair["Value"]) for pair in record.get("Tags") or [] if pair["Key"] == key), default)


def pages(client: t.Any, operation: str, key: str, **arguments: t.Any) -> list[Record]:
    """Every record of a paginated list."""
    return [record for page in client.get_paginator(operation).paginate(**arguments) for record in page[key]]


def network_lines(vpcs: list[Record], subnets: list[Record], nat_gateways: list[Record]) -> list[str]:
    """One line for each VPC."""
    lines = []
    for vpc in vpcs:
        inside = [subnet for subnet in subnets if subnet["VpcId"] == vpc["VpcId"]]
        zones = {subnet["AvailabilityZone"] for subnet in inside}
        nat = sum(gateway["VpcId"] == vpc["VpcId"] for gateway in nat_gateways)
        name = tag(vpc, "Name", vpc["VpcId"])
        lines.append(f"VPC {name} {vpc['CidrBlock']}: {len(inside)} subnets, {len(zones)} zones, {nat} NAT gateways")
    return lines


def instance_line(instance: Record) -> str:
    """An EC2 instance."""
    address = instance.get("PublicIpAddress")
    where = f"public {address}" if address else f"private {instance.get('PrivateIpAddress', '')}"
    name = tag(instance, "Name", instance["InstanceId"])
    return f"instance {name} ({instance['InstanceType']}, {instance['State']['Name']}, {where})"


def peering_line(peering: Record) -> str:
    """A peering connection with both networks."""
    sides = [peering[side].get("CidrBlock", peering[side]["VpcId"]) for side in ("RequesterVpcInfo", "AccepterVpcInfo")]
    name = tag(peering, "Name", peering["VpcPeeringConnectionId"])
    return f"peering {name}: {' <-> '.join(sides)} ({peering['Status']['Code']})"


def database_line(database: Record) -> str:
    """An RDS instance."""
    endpoint = database.get("Endpoint")
    kind = f"{database['Engine']} {database['EngineVersion']}, {database['DBInstanceClass']}"
    address = f"{endpoint['Address']}:{endpoint['Port']}" if endpoint else "no endpoint yet"
    return f"database {database['DBInstanceIdentifier']} ({kind}, {database['DBInstanceStatus']}): {address}"


def count_line(resources: list[Record]) -> str:
    """How many tagged resources there are, by stack."""
    stacks = Counter(f"{tag(resource, 'Stack')}-{tag(resource, 'Environment')}" for resource in resources)
    return ", ".join(f"{name} {number}" for name, number in sorted(stacks.items()))


def ec2_lines(ec2: t.Any) -> list[str]:
    """Networks, instances and peerings of one region."""
    reservations = pages(ec2, "describe_instances", "Reservations", Filters=OURS)
    nat = pages(ec2, "describe_nat_gateways", "NatGateways", Filters=OURS)
    return [
        *network_lines(
            pages(ec2, "describe_vpcs", "Vpcs", Filters=OURS),
            pages(ec2, "describe_subnets", "Subnets", Filters=OURS),
            [gateway for gateway in nat if gateway["State"] == "available"],
        ),
        *[instance_line(instance) for reservation in reservations for instance in reservation["Instances"]],
        *[
            peering_line(peering)
            for peering in pages(ec2, "describe_vpc_peering_connections", "VpcPeeringConnections", Filters=OURS)
        ],
    ]


def site_lines(s3: t.Any, buckets: list[str], region: str) -> list[str]:
    """The buckets, with the address of those that are websites."""
    lines = []
    for bucket in buckets:
        try:
            s3.get_bucket_website(Bucket=bucket)
        except s3.exceptions.ClientError:
            lines.append(f"bucket {bucket}")
        else:
            lines.append(f"site http://{bucket}.s3-website-{region}.amazonaws.com")
    return lines


def report(client: ClientFactory, names: t.Sequence[str]) -> list[str]:
    """What the collection has made in some regions.

    :param client: makes clients of the account.
    :param names: the regions.
    :returns: lines of text, a heading for each region.
    """
    lines = []
    for region in names:
        tagging = client("resourcegroupstaggingapi", region=region)
        filters = [{"Key": "ManagedBy", "Values": ["palier.aws"]}]
        resources = pages(tagging, "get_resources", "ResourceTagMappingList", TagFilters=filters)
        arns = [resource["ResourceARN"] for resource in resources]
        buckets = sorted(arn.rpartition(":")[2] for arn in arns if arn.startswith("arn:aws:s3:::"))
        databases = pages(client("rds", region=region), "describe_db_instances", "DBInstances")
        found = [
            *ec2_lines(client("ec2", region=region)),
            *[database_line(database) for database in databases],
            *site_lines(client("s3", region=region), buckets, region),
        ]
        lines += [f"{region} (tagged resources: {count_line(resources)})", *[f"  {line}" for line in found]]
    return lines

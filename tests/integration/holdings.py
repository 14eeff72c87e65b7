# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything that an account holds, by kind, asked of each service itself: tags are what is being tested."""

from __future__ import annotations

import typing as t

from tests.emulator import Emulator

Record = dict[str, t.Any]
#: Kinds in EC2: operation, key of the answer, key of the id.
EC2_KINDS = (
    ("describe_vpcs", "Vpcs", "VpcId"),
    ("describe_subnets", "Subnets", "SubnetId"),
    ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("describe_addresses", "Addresses", "AllocationId"),
    ("describe_route_tables", "RouteTables", "RouteTableId"),
    ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("describe_vpc_peering_connections", "VpcPeeringConnections", "VpcPeeringConnectionId"),
    ("describe_security_groups", "SecurityGroups", "GroupId"),
    ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("describe_flow_logs", "FlowLogs", "FlowLogId"),
    ("describe_volumes", "Volumes", "VolumeId"),
    ("describe_key_pairs", "KeyPairs", "KeyPairId"),
    ("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
)
#: The same in RDS.
RDS_KINDS = (
    ("describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    ("describe_db_snapshots", "DBSnapshots", "DBSnapshotIdentifier"),
    ("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
    ("describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName"),
)
#: The same in services that list all there is in one answer.
OTHER_KINDS = (
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ("ecr", "describe_repositories", "repositories", "repositoryArn"),
    ("acm", "list_certificates", "CertificateSummaryList", "CertificateArn"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("backup", "list_backup_vaults", "BackupVaultList", "BackupVaultName"),
    ("backup", "list_backup_plans", "BackupPlansList", "BackupPlanId"),
)
#: States in which AWS still tells of what is gone.
GONE = ("deleted", "deleting", "terminated", "expired", "rejected")


def is_gone(record: Record) -> bool:
    """Whether AWS tells of something that is no more."""
    state = record.get("State") or record.get("Status")
    return (state.get("Code") if isinstance(state, dict) else state) in GONE


def in_region(emulator: Emulator, region: str) -> dict[str, list[str]]:
    """What a region holds, by kind."""
    ec2, rds = emulator.client("ec2", region), emulator.client("rds", region)
    found = {key: _ids(getattr(ec2, operation)()[key], name) for operation, key, name in EC2_KINDS}
    found |= {key: _ids(getattr(rds, operation)()[key], name) for operation, key, name in RDS_KINDS}
    for service, operation, key, name in OTHER_KINDS:
        found[key] = _ids(getattr(emulator.client(service, region), operation)()[key], name)
    found |= _containers(emulator.client("ecs", region))
    found["UserPools"] = _ids(emulator.client("cognito-idp", region).list_user_pools(MaxResults=60)["UserPools"], "Id")
    pools = emulator.client("cognito-identity", region).list_identity_pools(MaxResults=60)["IdentityPools"]
    found["IdentityPools"] = _ids(pools, "IdentityPoolId")
    found["Instances"] = [one["InstanceId"] for one in instances(ec2) if one["State"]["Name"] != "terminated"]
    # The account's own; AWS lists its public images' snapshots too.
    found["Snapshots"] = [
        one["SnapshotId"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] if one.get("Tags")
    ]
    found["Secrets"] = [one["Name"] for one in emulator.client("secretsmanager", region).list_secrets()["SecretList"]]
    found["Parameters"] = [
        one["Name"]
        for one in emulator.client("ssm", region).describe_parameters()["Parameters"]
        if not one["Name"].startswith("/aws/")
    ]
    logs = emulator.client("logs", region).describe_log_groups()["logGroups"]
    found["LogGroups"] = [one["logGroupName"] for one in logs]
    # AWS shows a default parameter group from the first use of its family on.
    own = {kind: [one for one in ids if not one.startswith("default.")] for kind, ids in found.items()}
    return {kind: sorted(ids) for kind, ids in own.items() if ids}


def _containers(ecs: t.Any) -> dict[str, list[str]]:
    """What ECS holds; what was deleted stays known as inactive."""
    listed = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    clusters = [one["clusterArn"] for one in listed if one["status"] != "INACTIVE"]
    return {
        "Clusters": clusters,
        "Services": [arn for cluster in clusters for arn in ecs.list_services(cluster=cluster)["serviceArns"]],
        "TaskDefinitions": ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"],
    }


def everywhere(emulator: Emulator) -> dict[str, list[str]]:
    """What the account holds of global services."""
    iam, cloudfront, route53 = emulator.client("iam"), emulator.client("cloudfront"), emulator.client("route53")
    return {
        "Zones": sorted(one["Name"] for one in route53.list_hosted_zones()["HostedZones"]),
        "HealthChecks": sorted(one["Id"] for one in route53.list_health_checks()["HealthChecks"]),
        "Distributions": _listed(cloudfront.list_distributions()["DistributionList"], "Id"),
        "OriginAccessControls": _listed(cloudfront.list_origin_access_controls()["OriginAccessControlList"], "Id"),
        "PublicKeys": _listed(cloudfront.list_public_keys()["PublicKeyList"], "Id"),
        "KeyGroups": sorted(
            one["KeyGroup"]["Id"] for one in cloudfront.list_key_groups()["KeyGroupList"].get("Items", [])
        ),
        "Buckets": sorted(one["Name"] for one in emulator.client("s3").list_buckets()["Buckets"]),
        "Roles": sorted(one["Arn"] for one in iam.list_roles()["Roles"]),
        "Policies": sorted(one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"]),
        "InstanceProfiles": sorted(one["Arn"] for one in iam.list_instance_profiles()["InstanceProfiles"]),
        "Users": sorted(one["Arn"] for one in iam.list_users()["Users"]),
    }


def _listed(answer: Record, name: str) -> list[str]:
    return sorted(str(one[name]) for one in answer.get("Items") or [])


def everything(emulator: Emulator, *asked: str) -> dict[str, dict[str, list[str]]]:
    """What the account holds: all of it in some regions and in global services, elsewhere what is tagged.

    :param asked: the regions.
    """
    tags = {region: tagged(emulator, region) for region in regions(emulator)}
    return {
        **{region: in_region(emulator, region) for region in asked},
        "everywhere": everywhere(emulator),
        "tagged": {region: arns for region, arns in tags.items() if arns},
    }


def regions(emulator: Emulator) -> list[str]:
    """Every region of the account."""
    return sorted(one["RegionName"] for one in emulator.client("ec2").describe_regions()["Regions"])


def tagged(emulator: Emulator, region: str, **tags: str) -> list[str]:
    """ARNs of what carries our tag and these, by the tagging API."""
    filters = [{"Key": key, "Values": [value]} for key, value in {"ManagedBy": "palier.aws", **tags}.items()]
    pages = emulator.client("resourcegroupstaggingapi", region).get_paginator("get_resources")
    found = [one for page in pages.paginate(TagFilters=filters) for one in page["ResourceTagMappingList"]]
    return sorted(one["ResourceARN"] for one in found)


def instances(ec2: t.Any) -> list[Record]:
    """Every instance that EC2 tells of."""
    return [one for page in ec2.describe_instances()["Reservations"] for one in page["Instances"]]


def _ids(records: list[Record], name: str) -> list[str]:
    return [record[name] for record in records if not is_gone(record)]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The account as its services tell it: tests look neither at the inventory nor at the collection's own facts."""

from __future__ import annotations

import base64
import functools
import json
import typing as t

from tests.emulator import Emulator

Record = dict[str, t.Any]
#: Protocol, first port, last port, source: a network or the name of a security group.
Rule = tuple[str, int | None, int | None, str]


def tags(record: Record) -> dict[str, str]:
    """A record's tags."""
    return {pair["Key"]: pair["Value"] for pair in record.get("Tags") or record.get("TagList") or ()}


class View:
    """One region of an account.

    :param emulator: the account.
    :param region: the region.
    """

    def __init__(self, emulator: Emulator, region: str) -> None:
        self.emulator = emulator
        self.region = region
        self.ec2 = self.client("ec2")
        self.rds = self.client("rds")
        self.s3 = self.client("s3")
        self.iam = self.client("iam")

    def client(self, service: str) -> t.Any:
        """A boto3 client."""
        return self.emulator.client(service, self.region)

    @functools.cached_property
    def account_id(self) -> str:
        """The account's number."""
        number: str = self.client("sts").get_caller_identity()["Account"]
        return number

    def vpc(self, name: str) -> Record:
        """The VPC of that name."""
        return self._named("describe_vpcs", "Vpcs", name)

    def subnets(self, vpc: Record) -> list[Record]:
        """The subnets of a VPC."""
        found: list[Record] = self.ec2.describe_subnets(Filters=_inside(vpc))["Subnets"]
        return found

    def route_table(self, subnet_id: str) -> Record:
        """The one route table that a subnet is associated with."""
        filters = [{"Name": "association.subnet-id", "Values": [subnet_id]}]
        (table,) = self.ec2.describe_route_tables(Filters=filters)["RouteTables"]
        return t.cast(Record, table)

    def way_out(self, subnet_id: str) -> str:
        """What a subnet's traffic to the internet is sent to, or an empty text."""
        routes = [
            one for one in self.route_table(subnet_id)["Routes"] if one.get("DestinationCidrBlock") == "0.0.0.0/0"
        ]
        assert len(routes) <= 1
        return next((one.get("NatGatewayId") or one.get("GatewayId") for one in routes), "")

    def kind(self, subnet_id: str) -> str:
        """Whether a subnet is public, private or closed, by its route to the internet."""
        return {"igw": "public", "nat": "private"}.get(self.way_out(subnet_id).partition("-")[0], "closed")

    def instances(self) -> dict[str, Record]:
        """The running instances by name."""
        filters = [{"Name": "instance-state-name", "Values": ["running"]}]
        pages = self.ec2.describe_instances(Filters=filters)["Reservations"]
        return {tags(one)["Name"]: one for page in pages for one in page["Instances"]}

    def user_data(self, instance_id: str) -> str:
        """An instance's user data."""
        answer = self.ec2.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
        return base64.b64decode(answer["UserData"]["Value"]).decode()

    def groups(self) -> list[Record]:
        """The security groups that carry our tag, the VPCs' own among them."""
        filters = [{"Name": "tag:ManagedBy", "Values": ["palier.aws"]}]
        found: list[Record] = self.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        return found

    def lets_in(self, ids: t.Iterable[str]) -> set[Rule]:
        """What security groups let in together."""
        groups = self.ec2.describe_security_groups(GroupIds=sorted(ids))["SecurityGroups"]
        return {rule for group in groups for permission in group["IpPermissions"] for rule in self._rules(permission)}

    def of_instance(self, instance: Record) -> set[Rule]:
        """What an instance's security groups let in."""
        return self.lets_in(group["GroupId"] for group in instance["SecurityGroups"])

    def database(self, identifier: str) -> Record:
        """A database instance."""
        (found,) = self.rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        return t.cast(Record, found)

    def database_parameters(self, identifier: str) -> dict[str, str]:
        """The parameters that a database instance runs with."""
        (group,) = self.database(identifier)["DBParameterGroups"]
        pages = self.rds.get_paginator("describe_db_parameters").paginate(
            DBParameterGroupName=group["DBParameterGroupName"]
        )
        return {one["ParameterName"]: one.get("ParameterValue", "") for page in pages for one in page["Parameters"]}

    def volumes(self) -> list[Record]:
        """All volumes."""
        found: list[Record] = self.ec2.describe_volumes()["Volumes"]
        return found

    def snapshots(self) -> list[Record]:
        """The snapshots that carry our tag."""
        filters = [{"Name": "tag:ManagedBy", "Values": ["palier.aws"]}]
        found: list[Record] = self.ec2.describe_snapshots(Filters=filters)["Snapshots"]
        return found

    def peerings(self) -> list[Record]:
        """The peering connections that are active."""
        filters = [{"Name": "status-code", "Values": ["active"]}]
        found: list[Record] = self.ec2.describe_vpc_peering_connections(Filters=filters)["VpcPeeringConnections"]
        return found

    def security_group(self, name: str) -> str:
        """The id of the security group of that name."""
        filters = [{"Name": "group-name", "Values": [name]}]
        (found,) = self.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        return str(found["GroupId"])

    def load_balancer(self, name: str) -> Record:
        """A load balancer."""
        (found,) = self.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
        return t.cast(Record, found)

    def load_balancer_attributes(self, name: str) -> dict[str, str]:
        """A load balancer's settings."""
        arn = self.load_balancer(name)["LoadBalancerArn"]
        found = self.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        return {one["Key"]: one["Value"] for one in found}

    def listeners(self, name: str) -> dict[int, Record]:
        """A load balancer's listeners by port."""
        arn = self.load_balancer(name)["LoadBalancerArn"]
        found = self.client("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"]
        return {one["Port"]: one for one in found}

    def routes(self, listener: Record) -> list[tuple[tuple[str, ...], str]]:
        """Path patterns of a listener's rules, in their order, each with the name of its target group."""
        elbv2 = self.client("elbv2")
        rules = [
            one for one in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"] if not one["IsDefault"]
        ]
        return [(_paths(rule), self._target_group(rule)["TargetGroupName"]) for rule in sorted(rules, key=_priority)]

    def auto_scaling_group(self, name: str) -> Record:
        """An Auto Scaling group."""
        found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        (group,) = found["AutoScalingGroups"]
        return t.cast(Record, group)

    def launched_with(self, group: Record) -> Record:
        """What an Auto Scaling group launches: the data of its launch template's version."""
        template = group["LaunchTemplate"]
        found = self.ec2.describe_launch_template_versions(
            LaunchTemplateId=template["LaunchTemplateId"], Versions=[template["Version"]]
        )
        (version,) = found["LaunchTemplateVersions"]
        return t.cast(Record, version["LaunchTemplateData"])

    def alarms(self) -> list[Record]:
        """All alarms of metrics."""
        pages = self.client("cloudwatch").get_paginator("describe_alarms").paginate()
        return [alarm for page in pages for alarm in page["MetricAlarms"]]

    def target_groups(self) -> dict[str, Record]:
        """The target groups by name."""
        found = self.client("elbv2").describe_target_groups()["TargetGroups"]
        return {one["TargetGroupName"]: one for one in found}

    def _target_group(self, rule: Record) -> Record:
        arns = [
            one["TargetGroupArn"]
            for action in rule["Actions"]
            if action["Type"] == "forward"
            for one in _targets(action)
        ]
        (found,) = self.client("elbv2").describe_target_groups(TargetGroupArns=arns)["TargetGroups"]
        return t.cast(Record, found)

    def services(self, cluster: str) -> dict[str, Record]:
        """A cluster's services by name."""
        ecs = self.client("ecs")
        arns = ecs.list_services(cluster=cluster)["serviceArns"]
        found = ecs.describe_services(cluster=cluster, services=arns)["services"] if arns else []
        return {one["serviceName"]: one for one in found}

    def task_definition(self, service: Record) -> Record:
        """The task definition that a service runs."""
        answer = self.client("ecs").describe_task_definition(taskDefinition=service["taskDefinition"])
        return t.cast(Record, answer["taskDefinition"])

    def scaling(self, cluster: str, service: str) -> tuple[int, int, set[str]]:
        """Least and most tasks of a service, and the metrics that it is scaled by."""
        client, resource = self.client("application-autoscaling"), f"service/{cluster}/{service}"
        (target,) = client.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])["ScalableTargets"]
        policies = client.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)["ScalingPolicies"]
        metrics = {
            one["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]["PredefinedMetricType"]
            for one in policies
        }
        return target["MinCapacity"], target["MaxCapacity"], metrics

    def distribution(self, alias: str) -> Record:
        """The distribution that has an alias."""
        cloudfront = self.client("cloudfront")
        listed = cloudfront.list_distributions()["DistributionList"]["Items"]
        (found,) = [one for one in listed if alias in one["Aliases"].get("Items", [])]
        return t.cast(Record, cloudfront.get_distribution(Id=found["Id"])["Distribution"])

    def records(self, zone: str) -> dict[tuple[str, str], Record]:
        """A zone's records by name, without the last dot, and type."""
        route53 = self.client("route53")
        (found,) = [one for one in route53.list_hosted_zones()["HostedZones"] if one["Name"] == f"{zone}."]
        listed = route53.list_resource_record_sets(HostedZoneId=found["Id"])["ResourceRecordSets"]
        return {(one["Name"].rstrip("."), one["Type"]): one for one in listed}

    def certificate(self, arn: str) -> Record:
        """A certificate."""
        region = arn.split(":")[3]
        answer = self.emulator.client("acm", region).describe_certificate(CertificateArn=arn)
        return t.cast(Record, answer["Certificate"])

    def bucket_policy(self, bucket: str) -> list[Record]:
        """The statements of a bucket's policy."""
        document: Record = json.loads(self.s3.get_bucket_policy(Bucket=bucket)["Policy"])
        return list(document["Statement"])

    def buckets(self) -> list[str]:
        """The names of all buckets."""
        return sorted(bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"])

    def policies(self) -> dict[str, Record]:
        """The account's own managed policies, by ARN."""
        found = self.iam.list_policies(Scope="Local")["Policies"]
        return {one["Arn"]: self._document(one["Arn"], one["DefaultVersionId"]) for one in found}

    def _document(self, arn: str, version: str) -> Record:
        answer = self.iam.get_policy_version(PolicyArn=arn, VersionId=version)
        return t.cast(Record, answer["PolicyVersion"]["Document"])

    def _rules(self, permission: Record) -> t.Iterator[Rule]:
        sources = [one["CidrIp"] for one in permission["IpRanges"]]
        sources += [one["CidrIpv6"] for one in permission["Ipv6Ranges"]]
        sources += [self._group_name(one["GroupId"]) for one in permission["UserIdGroupPairs"]]
        for source in sources:
            yield permission["IpProtocol"], permission.get("FromPort"), permission.get("ToPort"), source

    def _group_name(self, group_id: str) -> str:
        (group,) = self.ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        return str(group["GroupName"])

    def _named(self, operation: str, key: str, name: str) -> Record:
        (found,) = getattr(self.ec2, operation)(Filters=[{"Name": "tag:Name", "Values": [name]}])[key]
        return t.cast(Record, found)


def _inside(vpc: Record) -> list[Record]:
    return [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]


def _priority(rule: Record) -> int:
    return int(rule["Priority"])


def _paths(rule: Record) -> tuple[str, ...]:
    found = [one for one in rule["Conditions"] if one["Field"] == "path-pattern"]
    return tuple(
        value for one in found for value in one.get("PathPatternConfig", {}).get("Values", one.get("Values", []))
    )


def _targets(action: Record) -> list[Record]:
    return list(action.get("ForwardConfig", {}).get("TargetGroups") or [action])

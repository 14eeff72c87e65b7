# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a stack is charged for, by what the AWS APIs say of it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import cost_items as subject

Record = dict[str, t.Any]


def tagged(**tags: str) -> list[Record]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def instance(**other: t.Any) -> Record:
    state = other.pop("state", "running")
    return {
        "InstanceId": "i-1",
        "InstanceType": "t3.micro",
        "State": {"Name": state},
        "Tags": tagged(Name="shop-prod-web", Tier="ec2_app"),
        **other,
    }


def database(**other: t.Any) -> Record:
    return {
        "DBInstanceIdentifier": "db",
        "DBInstanceClass": "db.t3.small",
        "Engine": "postgres",
        "StorageType": "gp3",
        "AllocatedStorage": 20,
        "Tier": "rds",
        **other,
    }


def service(**other: t.Any) -> Record:
    definition = {"cpu": "512", "memory": "1024", **other.pop("definition", {})}
    return {
        "serviceName": "api",
        "launchType": "FARGATE",
        "desiredCount": 2,
        "definition": definition,
        "Tier": "ecs_app",
        **other,
    }


BALANCER = {
    "LoadBalancerName": "alb",
    "LoadBalancerArn": "arn:aws:elasticloadbalancing:eu-west-3:1:loadbalancer/app/alb/50dc6c495c0c9188",
    "Type": "application",
    "Scheme": "internet-facing",
    "AvailabilityZones": [{"ZoneName": "a"}, {"ZoneName": "b"}],
    "Tier": "load_balancer",
}
GATEWAY = {
    "NatGatewayId": "nat-1",
    "NatGatewayAddresses": [{"PublicIp": "192.0.2.1"}],
    "Tags": tagged(Name="nat", Tier="network"),
}


def of(kind: t.Callable[[Record], t.Iterator[subject.Item]], **facts: t.Any) -> list[tuple[str, str, float]]:
    """Key, resource and quantity of the items of one component."""
    return [(one.key, one.resource, one.quantity) for one in kind({"region": "eu-west-3", **facts})]


class Case(t.NamedTuple):
    """Facts, and what follows from them."""

    component: t.Callable[[Record], t.Iterator[subject.Item]]
    facts: Record
    items: list[tuple[str, str, float]]


GIB = 1024**3
CASES: dict[str, Case] = {
    "an instance": Case(subject.instances, {"instances": [instance()]}, [("ec2.t3.micro", "shop-prod-web", 730)]),
    "a stopped one": Case(
        subject.instances, {"instances": [instance(state="stopped")]}, [("ec2.t3.micro", "shop-prod-web", 0)]
    ),
    "one that is gone": Case(subject.instances, {"instances": [instance(state="terminated")]}, []),
    "one of a group": Case(
        subject.instances,
        {"instances": [instance(Tags=tagged(Name="x", **{"aws:autoscaling:groupName": "fleet"}))]},
        [("ec2.t3.micro", "fleet", 730)],
    ),
    "Windows": Case(
        subject.instances,
        {"instances": [instance(PlatformDetails="Windows")]},
        [("ec2.t3.micro.Windows", "shop-prod-web", 730)],
    ),
    "a volume beyond what gp3 includes": Case(
        subject.volumes,
        {
            "instances": [instance()],
            "volumes": [
                {
                    "VolumeId": "vol-1",
                    "Size": 20,
                    "VolumeType": "gp3",
                    "Iops": 4000,
                    "Throughput": 250,
                    "Attachments": [{"InstanceId": "i-1"}],
                }
            ],
        },
        [
            ("ebs.gp3", "shop-prod-web", 20),
            ("ebs.gp3.iops", "shop-prod-web", 1000),
            ("ebs.gp3.throughput", "shop-prod-web", 125),
        ],
    ),
    "a loose volume": Case(
        subject.volumes,
        {"volumes": [{"VolumeId": "vol-1", "Size": 8, "VolumeType": "gp3", "Iops": 3000, "Throughput": 125}]},
        [("ebs.gp3", "vol-1", 8)],
    ),
    "snapshots of two volumes": Case(
        subject.snapshots,
        {
            "snapshots": [
                {"SnapshotId": "snap-1", "VolumeId": "vol-1", "VolumeSize": 20},
                {
                    "SnapshotId": "snap-2",
                    "VolumeId": "vol-2",
                    "VolumeSize": 20,
                    "FullSnapshotSizeInBytes": 3 * GIB,
                },
                {
                    "SnapshotId": "snap-3",
                    "VolumeId": "vol-2",
                    "VolumeSize": 20,
                    "FullSnapshotSizeInBytes": 4 * GIB,
                },
            ]
        },
        [("ebs.snapshot", "of vol-1", 20), ("ebs.snapshot", "of vol-2", 4)],
    ),
    "a NAT gateway": Case(subject.nat_gateways, {"nat_gateways": [GATEWAY]}, [("nat.hour", "nat", 730)]),
    "a load balancer": Case(
        subject.load_balancers, {"load_balancers": [BALANCER]}, [("lb.application.hour", "alb", 730)]
    ),
    "addresses of a balancer, one a zone": Case(
        subject.addresses, {"load_balancers": [BALANCER]}, [("ipv4.hour", "alb", 1460)]
    ),
    "addresses of a balancer, as its interfaces have them": Case(
        subject.addresses,
        {
            "load_balancers": [BALANCER],
            "interfaces": [
                {
                    "NetworkInterfaceId": f"eni-{number}",
                    "Description": "ELB app/alb/50dc6c495c0c9188",
                    "Association": {"PublicIp": f"192.0.2.{number}"},
                }
                for number in (1, 2, 3)
            ],
        },
        [("ipv4.hour", "alb", 2190)],
    ),
    "an internal balancer": Case(subject.addresses, {"load_balancers": [{**BALANCER, "Scheme": "internal"}]}, []),
    "each address once": Case(
        subject.addresses,
        {
            "nat_gateways": [GATEWAY],
            "instances": [instance(PublicIpAddress="192.0.2.2")],
            "elastic_ips": [
                {"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.1", "AssociationId": "eipassoc-1"},
                {"AllocationId": "eipalloc-2", "PublicIp": "192.0.2.2", "AssociationId": "eipassoc-2"},
                {"AllocationId": "eipalloc-3", "PublicIp": "192.0.2.3"},
            ],
            "interfaces": [
                {"NetworkInterfaceId": "eni-1", "Association": {"PublicIp": "192.0.2.1"}},
                {"NetworkInterfaceId": "eni-2", "Association": {"PublicIp": "192.0.2.2"}},
                {"NetworkInterfaceId": "eni-3", "Association": {"PublicIp": "192.0.2.4"}},
                {"NetworkInterfaceId": "eni-4"},
            ],
        },
        [
            ("ipv4.hour", "nat", 730),
            ("ipv4.hour", "shop-prod-web", 730),
            ("ipv4.hour", "eipalloc-3", 730),
            ("ipv4.hour", "eni-3", 730),
        ],
    ),
    "tasks with addresses": Case(
        subject.addresses,
        {"services": [service(networkConfiguration={"awsvpcConfiguration": {"assignPublicIp": "ENABLED"}})]},
        [("ipv4.hour", "api", 1460)],
    ),
    "a public database": Case(
        subject.addresses, {"databases": [database(PubliclyAccessible=True)]}, [("ipv4.hour", "db", 730)]
    ),
    "an interface endpoint in two zones": Case(
        subject.endpoints,
        {
            "endpoints": [
                {
                    "VpcEndpointId": "vpce-1",
                    "VpcEndpointType": "Interface",
                    "ServiceName": "com.amazonaws.eu-west-3.ssm",
                    "SubnetIds": ["a", "b"],
                },
                {"VpcEndpointId": "vpce-2", "VpcEndpointType": "Gateway"},
            ]
        },
        [("endpoint.hour", "ssm", 1460)],
    ),
    "a database": Case(
        subject.databases,
        {"databases": [database()]},
        [("rds.postgres.db.t3.small", "db", 730), ("rds.storage.gp3", "db", 20)],
    ),
    "one with a standby": Case(
        subject.databases,
        {"databases": [database(MultiAZ=True)]},
        [("rds.postgres.db.t3.small", "db", 1460), ("rds.storage.gp3", "db", 40)],
    ),
    "a stopped one's storage": Case(
        subject.databases,
        {"databases": [database(DBInstanceStatus="stopped", StorageType="io1", Iops=1000)]},
        [("rds.postgres.db.t3.small", "db", 0), ("rds.storage.io1", "db", 20), ("rds.storage.io1.iops", "db", 1000)],
    ),
    "a large one that is fast": Case(
        subject.databases,
        {"databases": [database(AllocatedStorage=400, Iops=14000)]},
        [
            ("rds.postgres.db.t3.small", "db", 730),
            ("rds.storage.gp3", "db", 400),
            ("rds.storage.gp3.iops", "db", 2000),
        ],
    ),
    "tasks": Case(
        subject.services,
        {"services": [service()]},
        [("fargate.x86.vcpu", "api", 730), ("fargate.x86.gb", "api", 1460)],
    ),
    "tasks on Arm with a disk": Case(
        subject.services,
        {
            "services": [
                service(
                    desiredCount=1,
                    definition={
                        "runtimePlatform": {"cpuArchitecture": "ARM64"},
                        "ephemeralStorage": {"sizeInGiB": 30},
                    },
                )
            ]
        },
        [("fargate.arm.vcpu", "api", 365), ("fargate.arm.gb", "api", 730), ("fargate.disk", "api", 7300)],
    ),
    "tasks of a provider": Case(
        subject.services,
        {
            "services": [
                service(launchType="", capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}], desiredCount=0)
            ]
        },
        [("fargate.x86.vcpu", "api", 0), ("fargate.x86.gb", "api", 0)],
    ),
    "tasks on instances": Case(subject.services, {"services": [service(launchType="EC2")]}, []),
    "images": Case(
        subject.repositories,
        {"repositories": [{"name": "app", "images": [{"imageSizeInBytes": GIB}, {"imageSizeInBytes": GIB // 2}]}]},
        [("ecr.storage", "app", 1.5)],
    ),
    "buckets": Case(
        subject.buckets,
        {
            "buckets": [
                {"name": "logs", "sizes": {"StandardStorage": 2 * GIB, "GlacierStorage": GIB}},
                {"name": "new", "sizes": {}},
            ]
        },
        [("s3.StandardStorage", "logs", 2), ("s3.GlacierStorage", "logs", 1), ("s3.StandardStorage", "new", 0)],
    ),
    "recovery points": Case(
        subject.recovery_points,
        {"recovery_points": [{"BackupVaultName": "vault", "ResourceType": "RDS", "BackupSizeInBytes": GIB}]},
        [("backup.RDS", "vault", 1)],
    ),
    "keys and secrets": Case(
        subject.keys,
        {
            "keys": [{"KeyId": "k-1", "KeyState": "Enabled"}, {"KeyId": "k-2", "KeyState": "PendingDeletion"}],
            "secrets": [{"name": "api-key"}],
            "databases": [database(MasterUserSecret={"SecretArn": "arn"})],
        },
        [("kms.key", "k-1", 1), ("secret", "api-key", 1), ("secret", "db, master password", 1)],
    ),
    "zones and checks": Case(
        subject.zones,
        {
            "zones": [{"name": "example.com"}],
            "health_checks": [
                {"Id": "hc-1", "HealthCheckConfig": {"Type": "HTTPS_STR_MATCH", "RequestInterval": 10}},
                {"Id": "hc-2", "HealthCheckConfig": {"Type": "HTTP", "RequestInterval": 30}},
            ],
        },
        [
            ("dns.zone", "example.com", 1),
            ("dns.check", "hc-1", 1),
            ("dns.check_option", "hc-1", 3),
            ("dns.check", "hc-2", 1),
        ],
    ),
    "monitoring": Case(
        subject.monitoring,
        {
            "alarms": [
                {"AlarmName": "a"},
                {"AlarmName": "b", "Metrics": [{"MetricStat": {}}, {"MetricStat": {}}, {"Expression": "m1/m2"}]},
                {"AlarmName": "c", "AlarmRule": "ALARM(a)"},
            ],
            "dashboards": ["shop-prod"],
            "metrics": {"CWAgent": 3},
            "log_groups": [{"logGroupName": "/app", "storedBytes": GIB // 4}],
        },
        [
            ("alarm", "alarms", 1),
            ("alarm", "alarms", 2),
            ("alarm.composite", "composite alarms", 1),
            ("dashboard", "shop-prod", 1),
            ("metric", "CWAgent", 3),
            ("logs.storage", "/app", 0.25),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_charged_for(name: str) -> None:
    case = CASES[name]
    assert of(case.component, **case.facts) == case.items


@pytest.mark.parametrize("component", subject.COMPONENTS)
def test_nothing_is_charged_for_nothing(component: t.Callable[[Record], t.Iterator[subject.Item]]) -> None:
    assert of(component) == []


def test_what_is_charged_by_use_is_listed_where_there_is_something_to_use() -> None:
    assert subject.items([{"region": "eu-west-3"}], {"nat_gb": 5}) == []
    found = subject.items([{"region": "eu-west-3", "nat_gateways": [GATEWAY]}], {"nat_gb": 5})
    used = {one.key: (one.quantity, one.by_use, one.region) for one in found if one.by_use}
    assert used == {"nat.gb": (5, True, "eu-west-3"), "internet.out": (0, True, "eu-west-3")}


def test_capacity_units_are_told_by_the_hour() -> None:
    found = subject.items([{"region": "eu-west-3", "load_balancers": [BALANCER]}], {"load_balancer_lcu": 0.5})
    assert [one.quantity for one in found if one.key == "lb.application.lcu"] == [365]


def test_visitors_and_users() -> None:
    facts = {"region": "eu-west-3", "distributions": ["E1"], "user_pools": [{"UserPoolTier": "LITE"}, {}]}
    found = subject.items([facts], {"cognito_users": 10, "cloudfront_gb": 2})
    assert {(one.key, one.quantity) for one in found} == {
        ("cloudfront.out", 2),
        ("cloudfront.requests", 0),
        ("cognito.users.lite", 10),
        ("cognito.users.essentials", 10),
    }


def test_each_region_s_items_are_charged_there() -> None:
    found = subject.items([{"region": region, "nat_gateways": [GATEWAY]} for region in ("eu-west-3", "us-east-1")])
    assert {(one.key, one.region) for one in found if not one.by_use} == {
        (key, region) for key in ("nat.hour", "ipv4.hour") for region in ("eu-west-3", "us-east-1")
    }

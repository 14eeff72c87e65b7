# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What takes time, and what is refused meanwhile. The clock is put forward: no test waits."""

from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, Network, mends, refusal, trust
from tests.emulator.provisioning import SECONDS, Clock

OTHER = "eu-central-1"
DATABASE = {
    "DBInstanceIdentifier": "shop",
    "Engine": "postgres",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": 20,
    "MasterUsername": "owner",
    "MasterUserPassword": "long-enough-1",
}
#: AWS's seconds that a slow machine may need for a test's own requests, far below what anything here takes.
MARGIN = 15


@pytest.fixture(scope="module")
def slow_process() -> t.Iterator[Emulator]:
    with Emulator(provisioning=1.0) as running:
        yield running


@pytest.fixture
def slow(slow_process: Emulator) -> Emulator:
    """An emulator at AWS's own pace, empty."""
    slow_process.reset()
    return slow_process


@pytest.fixture
def rds(slow: Emulator) -> t.Any:
    """A client in a region where a database is being created."""
    client = slow.client("rds", REGION)
    client.create_db_instance(**DATABASE)
    return client


def status(rds: t.Any) -> str:
    return t.cast(str, rds.describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"][0]["DBInstanceStatus"])


@mends("waits.new_databases", "waits.busy_databases", "waits.deleted_databases")
def test_a_database_is_created_modified_and_deleted_in_minutes(slow: Emulator, rds: t.Any) -> None:
    assert status(rds) == "creating"
    assert "Endpoint" not in rds.describe_db_instances()["DBInstances"][0]
    change = {"DBInstanceIdentifier": "shop", "BackupRetentionPeriod": 3, "ApplyImmediately": True}
    assert refusal(rds.modify_db_instance, **change) == "InvalidDBInstanceState"
    snapshot = {"DBInstanceIdentifier": "shop", "DBSnapshotIdentifier": "one"}
    assert refusal(rds.create_db_snapshot, **snapshot) == "InvalidDBInstanceState"

    slow.forward(SECONDS["database"] - MARGIN)
    assert status(rds) == "creating"
    slow.forward(MARGIN)
    assert status(rds) == "available"
    assert rds.describe_db_instances()["DBInstances"][0]["Endpoint"]["Port"] == 5432

    rds.modify_db_instance(**change)
    assert status(rds) == "modifying"
    slow.forward(SECONDS["database modification"])
    assert status(rds) == "available"

    rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    assert status(rds) == "deleting"
    again = refusal(rds.delete_db_instance, DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    assert again == "InvalidDBInstanceState"
    slow.forward(SECONDS["database deletion"])
    assert rds.describe_db_instances()["DBInstances"] == []


@mends("waits.database_snapshots")
def test_a_database_snapshot_is_creating_before_it_is_copied(slow: Emulator, rds: t.Any) -> None:
    slow.forward(SECONDS["database"])
    made = rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="one")["DBSnapshot"]
    assert made["Status"] == "creating"
    copy = {"SourceDBSnapshotIdentifier": made["DBSnapshotArn"], "TargetDBSnapshotIdentifier": "two"}
    assert refusal(rds.copy_db_snapshot, **copy) == "InvalidDBSnapshotState"
    restore = {"DBInstanceIdentifier": "restored", "DBSnapshotIdentifier": "one"}
    assert refusal(rds.restore_db_instance_from_db_snapshot, **restore) == "InvalidDBSnapshotState"
    slow.forward(SECONDS["database snapshot"])
    assert rds.copy_db_snapshot(**copy)["DBSnapshot"]["Status"] == "creating"
    assert rds.restore_db_instance_from_db_snapshot(**restore)["DBInstance"]["DBInstanceStatus"] == "creating"
    slow.forward(SECONDS["database snapshot copy"])
    states = {one["Status"] for one in rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]}
    assert states == {"available"}


@mends("waits.gateways")
def test_no_route_leads_to_a_pending_nat_gateway(slow: Emulator) -> None:
    network = Network(slow)
    ec2 = network.ec2
    network.gateway()
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": gateway}

    def state() -> str:
        return t.cast(str, ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"][0]["State"])

    assert state() == "pending"
    assert refusal(ec2.create_route, **route) == "InvalidNatGatewayID.NotFound"
    slow.forward(SECONDS["nat gateway"])
    assert state() == "available"
    ec2.create_route(**route)
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert state() == "deleting"
    assert refusal(ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
    slow.forward(SECONDS["nat gateway deletion"])
    assert state() == "deleted"
    ec2.release_address(AllocationId=address)


@mends("waits.balancers")
def test_a_balancer_is_provisioning(slow: Emulator) -> None:
    network = Network(slow)
    network.gateway()
    elb = slow.client("elbv2", REGION)
    elb.create_load_balancer(Name="shop", Subnets=network.subnets)

    def state() -> str:
        return t.cast(str, elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"])

    assert [state(), state()] == ["provisioning", "provisioning"]
    slow.forward(SECONDS["load balancer"])
    assert [state(), state()][1] == "active"


@mends("waits.distributions")
def test_a_distribution_is_in_progress(slow: Emulator) -> None:
    cloudfront = slow.client("cloudfront")
    origin = {
        "Id": "one",
        "DomainName": "origin.example.com",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
    }
    config = {
        "CallerReference": "x",
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "one",
            "ViewerProtocolPolicy": "https-only",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    }
    made = cloudfront.create_distribution(DistributionConfig=config)

    def states() -> list[str]:
        return [cloudfront.get_distribution(Id=made["Distribution"]["Id"])["Distribution"]["Status"] for _ in "12"]

    assert states() == ["InProgress", "InProgress"]
    slow.forward(SECONDS["distribution"])
    assert states()[1] == "Deployed"
    tag = cloudfront.get_distribution(Id=made["Distribution"]["Id"])["ETag"]
    cloudfront.update_distribution(
        Id=made["Distribution"]["Id"], IfMatch=tag, DistributionConfig={**config, "Enabled": False}
    )
    assert states() == ["InProgress", "InProgress"]


@mends("waits.certificates")
def test_a_certificate_is_issued_a_minute_after_its_records(slow: Emulator) -> None:
    acm, route53 = slow.client("acm", REGION), slow.client("route53")
    zone = route53.create_hosted_zone(Name="example.org", CallerReference="x")["HostedZone"]["Id"]
    arn = acm.request_certificate(DomainName="www.example.org", ValidationMethod="DNS")["CertificateArn"]

    def look() -> dict[str, t.Any]:
        return t.cast(dict[str, t.Any], acm.describe_certificate(CertificateArn=arn)["Certificate"])

    slow.forward(SECONDS["certificate"])
    look()
    record = look()["DomainValidationOptions"][0]["ResourceRecord"]
    wanted = {
        "Name": record["Name"],
        "Type": "CNAME",
        "TTL": 300,
        "ResourceRecords": [{"Value": record["Value"]}],
    }
    change = {"Action": "UPSERT", "ResourceRecordSet": wanted}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
    assert look()["Status"] == "PENDING_VALIDATION"
    slow.forward(SECONDS["certificate"])
    assert look()["Status"] == "ISSUED"


@mends("waits.new_instances", "waits.terminated_instances")
def test_an_instance_takes_an_address_when_it_runs(slow: Emulator) -> None:
    network = Network(slow)
    ec2 = network.ec2
    network.gateway()
    instance = network.launch()
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]

    def state() -> str:
        found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return t.cast(str, found["State"]["Name"])

    assert state() == "pending"
    assert refusal(ec2.associate_address, InstanceId=instance, AllocationId=address) == "InvalidInstanceID"
    assert refusal(ec2.stop_instances, InstanceIds=[instance]) == "IncorrectInstanceState"
    slow.forward(SECONDS["instance"])
    assert state() == "running"
    ec2.associate_address(InstanceId=instance, AllocationId=address)
    ec2.terminate_instances(InstanceIds=[instance])
    assert state() == "shutting-down"
    assert refusal(ec2.delete_subnet, SubnetId=network.subnets[0]) == "DependencyViolation"
    slow.forward(SECONDS["instance termination"])
    assert state() == "terminated"


@mends("waits.services", "waits.tasks")
def test_a_service_is_stable_after_a_while(slow: Emulator) -> None:
    network, ecs = Network(slow), slow.client("ecs", REGION)
    role = slow.client("iam").create_role(RoleName="run", AssumeRolePolicyDocument=trust("ecs-tasks.amazonaws.com"))
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=role["Role"]["Arn"],
        containerDefinitions=[{"name": "web", "image": "web"}],
    )
    placed = {"awsvpcConfiguration": {"subnets": network.subnets[:1], "securityGroups": [network.group("web")]}}
    ecs.create_service(
        cluster="shop",
        serviceName="web",
        taskDefinition="web",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=placed,
    )

    def look() -> dict[str, t.Any]:
        return t.cast(dict[str, t.Any], ecs.describe_services(cluster="shop", services=["web"])["services"][0])

    assert (look()["runningCount"], look()["deployments"][0]["rolloutState"]) == (0, "IN_PROGRESS")
    slow.forward(SECONDS["service"])
    assert (look()["runningCount"], look()["deployments"][0]["rolloutState"]) == (1, "COMPLETED")

    run = ecs.run_task(cluster="shop", taskDefinition="web", launchType="FARGATE", networkConfiguration=placed)
    task = run["tasks"][0]["taskArn"]

    def ended() -> list[bool]:
        found = [ecs.describe_tasks(cluster="shop", tasks=[task])["tasks"][0] for _ in "12"]
        return [one["lastStatus"] == "STOPPED" for one in found]

    assert ended() == [False, False]
    slow.forward(SECONDS["task"])
    assert ended()[1]
    ecs.delete_service(cluster="shop", service="web", force=True)
    assert look()["status"] == "DRAINING"
    slow.forward(SECONDS["service deletion"])
    assert look()["status"] == "INACTIVE"


@mends("waits.volume_snapshots")
def test_a_snapshot_is_pending_before_it_is_copied(slow: Emulator) -> None:
    ec2, other = slow.client("ec2", REGION), slow.client("ec2", OTHER)
    volume = ec2.create_volume(Size=8, AvailabilityZone=f"{REGION}a")["VolumeId"]
    made = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    copy = {"SourceRegion": REGION, "SourceSnapshotId": made}
    assert ec2.describe_snapshots(SnapshotIds=[made])["Snapshots"][0]["State"] == "pending"
    assert refusal(other.copy_snapshot, **copy) == "IncorrectState"
    restored = {"SnapshotId": made, "AvailabilityZone": f"{REGION}a"}
    assert refusal(ec2.create_volume, **restored) == "IncorrectState"
    slow.forward(SECONDS["snapshot"])
    ec2.create_volume(**restored)
    copied = other.copy_snapshot(**copy)["SnapshotId"]
    assert other.describe_snapshots(SnapshotIds=[copied])["Snapshots"][0]["State"] == "pending"
    slow.forward(SECONDS["snapshot copy"])
    assert other.describe_snapshots(SnapshotIds=[copied])["Snapshots"][0]["State"] == "completed"


def test_the_emulator_says_what_took_how_long(slow: Emulator, rds: t.Any) -> None:
    entry = next(one for one in slow.provisioning() if one["kind"] == "database")
    assert (entry["name"], entry["end"] - entry["start"]) == ("shop", pytest.approx(SECONDS["database"]))


def test_a_clock_that_stands_still_does_everything_at_once() -> None:
    done: list[str] = []
    clock = Clock()
    clock.later("database", "shop", lambda: done.append("shop"))
    assert (done, clock.entries(), clock.now()) == (["shop"], [], 0.0)


def test_what_is_due_is_done_in_its_order() -> None:
    done: list[str] = []
    clock = Clock(1.0)
    for kind in ("database", "instance"):
        clock.later(kind, kind, lambda kind=kind: done.append(kind))
    clock.settle()
    assert done == []
    clock.forward(SECONDS["database"] + 1)
    clock.settle()
    assert done == ["instance", "database"]


def test_a_negative_factor_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        Clock(-1)

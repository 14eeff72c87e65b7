# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is mended in MiniStack, asked for through its API. No container runs here."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.live.platform import ACCOUNT, Platform, PlatformError, install

pytestmark = [pytest.mark.ministack, pytest.mark.slow]

REGION = "eu-west-3"


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """A MiniStack that finds no Docker engine."""
    try:
        install()
    except PlatformError as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patching:
        patching.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        with Platform(tmp_path_factory.mktemp("live"), [REGION], ["*.shop.example.com"]) as platform:
            yield platform


@pytest.fixture
def client(platform):
    keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "testing"}
    return lambda service: boto3.client(service, REGION, endpoint_url=platform.url, **keys)


def test_a_database_has_a_secret_logs_and_gp3_storage_and_another_name(client):
    rds, secrets = client("rds"), client("secretsmanager")
    made = rds.create_db_instance(
        DBInstanceIdentifier="shop", Engine="postgres", EngineVersion="17", DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20, StorageType="gp3", MasterUsername="owner", ManageMasterUserPassword=True, DBName="shop",
        EnableCloudwatchLogsExports=["postgresql"],
    )["DBInstance"]  # fmt: skip
    assert (made["Iops"], made["StorageThroughput"]) == (3000, 125)
    assert made["EnabledCloudwatchLogsExports"] == ["postgresql"]
    arn = made["MasterUserSecret"]["SecretArn"]
    secret = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert secret["username"] == "owner"
    assert len(secret["password"]) >= 16
    rds.modify_db_instance(DBInstanceIdentifier="shop", NewDBInstanceIdentifier="shop-old", ApplyImmediately=True)
    [found] = rds.describe_db_instances()["DBInstances"]
    assert found["DBInstanceIdentifier"] == "shop-old"
    assert found["DBInstanceArn"].endswith(":db:shop-old")
    rds.delete_db_instance(DBInstanceIdentifier="shop-old", SkipFinalSnapshot=True)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        secrets.get_secret_value(SecretId=arn)


def test_the_catalogue_has_graviton_and_families(client):
    rds = client("rds")
    options = rds.describe_orderable_db_instance_options(Engine="postgres", DBInstanceClass="db.t4g.small")
    rows = options["OrderableDBInstanceOptions"]
    assert {row["DBInstanceClass"] for row in rows} == {"db.t4g.small"}
    assert {row["StorageType"] for row in rows} == {"gp3"}
    assert "17.5" in {row["EngineVersion"] for row in rows}
    [version] = rds.describe_db_engine_versions(Engine="postgres", EngineVersion="17")["DBEngineVersions"]
    assert version["DBParameterGroupFamily"] == "postgres17"
    assert "postgresql" in version["ExportableLogTypes"]


def test_balancers_have_all_attributes_and_missing_groups_are_missing(client):
    elb = client("elbv2")
    arn = elb.create_load_balancer(Name="shop", Subnets=["subnet-1"])["LoadBalancers"][0]["LoadBalancerArn"]
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    found = {one["Key"]: one["Value"] for one in attributes}
    assert found["access_logs.s3.bucket"] == ""
    assert found["routing.http2.enabled"] == "true"
    assert len(found) == len(attributes)
    with pytest.raises(ClientError, match="TargetGroupNotFound"):
        elb.describe_target_groups(Names=["none"])


def test_a_target_that_does_not_answer_is_not_healthy(client):
    elb = client("elbv2")
    group = elb.create_target_group(Name="down", Protocol="HTTP", Port=9, TargetType="ip", VpcId="vpc-1")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": 9}])
    [target] = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert target["TargetHealth"]["State"] == "unhealthy"


def test_a_nat_gateway_has_its_address(client):
    ec2 = client("ec2")
    address = ec2.allocate_address(Domain="vpc")
    gateway = ec2.create_nat_gateway(SubnetId="subnet-1", AllocationId=address["AllocationId"])["NatGateway"]
    [one] = gateway["NatGatewayAddresses"]
    assert (one["AllocationId"], one["PublicIp"]) == (address["AllocationId"], address["PublicIp"])
    [found] = ec2.describe_nat_gateways()["NatGateways"]
    assert found["NatGatewayAddresses"][0]["PublicIp"] == address["PublicIp"]


def test_scaling_of_services_is_kept(client):
    scaling = client("application-autoscaling")
    named = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "ResourceId": "service/c/s"}
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        scaling.deregister_scalable_target(**named)
    scaling.register_scalable_target(**named, MinCapacity=1, MaxCapacity=3)
    [found] = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 3)


def test_names_lead_to_the_load_balancer_and_http_to_its_listener(platform, client):
    elb, dns = client("elbv2"), client("route53")
    balancer = elb.create_load_balancer(Name="front", Subnets=["subnet-1"])["LoadBalancers"][0]
    answer = {"MessageBody": "here", "StatusCode": "200", "ContentType": "text/plain"}
    actions = [{"Type": "fixed-response", "FixedResponseConfig": answer}]
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=actions)
    zone = dns.create_hosted_zone(Name="shop.example.com", CallerReference="1")["HostedZone"]["Id"]
    target = {"HostedZoneId": "Z3Q77PNBQS71R4", "DNSName": balancer["DNSName"], "EvaluateTargetHealth": False}
    record = {"Name": "www.shop.example.com", "Type": "A", "AliasTarget": target}
    changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
    for name in (balancer["DNSName"], "www.shop.example.com"):
        with platform.opener().open(f"http://{name}/", timeout=10) as page:
            assert page.read() == b"here"

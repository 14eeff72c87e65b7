# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, TAGS, Network, mends, refusal, tagged, trust

HOME = "us-east-1"


def listed(emulator: Emulator, region: str = REGION, *kinds: str) -> list[str]:
    """What carries the stack's tag, as service and type."""
    pages = emulator.client("resourcegroupstaggingapi", region).get_paginator("get_resources")
    found = [
        one["ResourceARN"].split(":", 5)
        for page in pages.paginate(TagFilters=[{"Key": "Stack", "Values": ["shop"]}], ResourceTypeFilters=list(kinds))
        for one in page["ResourceTagMappingList"]
    ]
    return sorted(f"{parts[2]}:{parts[5].replace(':', '/').split('/')[0]}" for parts in found)


@mends("tagging.ec2_resources", "tagging.ec2_resource_types")
def test_ec2(emulator: Emulator) -> None:
    network = Network(emulator)
    ec2 = network.ec2
    network.gateway()
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip"))["AllocationId"]
    nat = ec2.create_nat_gateway(
        SubnetId=network.subnets[0], AllocationId=address, TagSpecifications=tagged("natgateway")
    )["NatGateway"]["NatGatewayId"]
    peer = Network(emulator, "10.1")
    peering = ec2.create_vpc_peering_connection(
        VpcId=network.vpc, PeerVpcId=peer.vpc, TagSpecifications=tagged("vpc-peering-connection")
    )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=network.vpc, ServiceName=f"com.amazonaws.{REGION}.s3", TagSpecifications=tagged("vpc-endpoint")
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.create_key_pair(KeyName="k", TagSpecifications=tagged("key-pair"))
    ec2.create_launch_template(
        LaunchTemplateName="app", LaunchTemplateData={}, TagSpecifications=tagged("launch-template")
    )
    group = ec2.create_security_group(VpcId=network.vpc, GroupName="g", Description="d")["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[rule], TagSpecifications=tagged("security-group-rule")
    )
    role = emulator.client("iam").create_role(
        RoleName="logs", AssumeRolePolicyDocument=trust("vpc-flow-logs.amazonaws.com")
    )["Role"]["Arn"]
    emulator.client("logs", REGION).create_log_group(logGroupName="flow")
    ec2.create_flow_logs(
        ResourceIds=[network.vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName="flow",
        DeliverLogsPermissionArn=role,
        TagSpecifications=tagged("vpc-flow-log"),
    )
    instance = network.launch(TagSpecifications=tagged("instance"))
    kinds = ["elastic-ip", "instance", "key-pair", "launch-template", "natgateway", "security-group-rule"]
    kinds += ["vpc-endpoint", "vpc-flow-log", "vpc-peering-connection"]
    assert listed(emulator) == [f"ec2:{kind}" for kind in kinds]
    assert listed(emulator, REGION, "ec2:natgateway") == ["ec2:natgateway"]
    assert {tag["ResourceType"] for tag in ec2.describe_tags()["Tags"]} == set(kinds)

    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    ec2.release_address(AllocationId=address)
    ec2.delete_key_pair(KeyName="k")
    assert listed(emulator) == [f"ec2:{kind}" for kind in ("launch-template", "security-group-rule", "vpc-flow-log")]


@mends("tagging.buckets_in_their_region")
def test_buckets(emulator: Emulator) -> None:
    s3 = emulator.client("s3", REGION)
    s3.create_bucket(Bucket="shop-prod", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket="shop-prod", Tagging={"TagSet": TAGS})
    assert listed(emulator) == ["s3:shop-prod"]
    assert listed(emulator, HOME) == []
    s3.delete_bucket(Bucket="shop-prod")
    assert listed(emulator) == []


def distribution(control: str) -> dict[str, t.Any]:
    origin = {"Id": "o", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    behaviour = {"TargetOriginId": "o", "ViewerProtocolPolicy": "redirect-to-https", "CachePolicyId": "x"}
    return {
        "CallerReference": "x",
        "Comment": "",
        "Enabled": False,
        "Origins": {"Quantity": 1, "Items": [{**origin, "OriginAccessControlId": control}]},
        "DefaultCacheBehavior": behaviour,
    }


@mends("tagging.global_services_in_one_region", "cloudfront.origin_access")
def test_cloudfront(emulator: Emulator) -> None:
    cloudfront = emulator.client("cloudfront")
    signing = {"SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}
    control = cloudfront.create_origin_access_control(OriginAccessControlConfig={"Name": "o", **signing})
    identifier = control["OriginAccessControl"]["Id"]
    made = cloudfront.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": distribution(identifier), "Tags": {"Items": TAGS}}
    )["Distribution"]
    assert listed(emulator, HOME) == ["cloudfront:distribution"]
    assert listed(emulator) == []
    origin = made["DistributionConfig"]["Origins"]["Items"][0]
    assert origin["OriginAccessControlId"] == identifier
    assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}


@mends("tagging.other_services")
def test_services_that_moto_leaves_out(emulator: Emulator) -> None:
    ecr, iam, route53 = emulator.client("ecr", REGION), emulator.client("iam"), emulator.client("route53")
    ecr.create_repository(repositoryName="app", tags=TAGS)
    emulator.client("cognito-idp", REGION).create_user_pool(PoolName="p", UserPoolTags={"Stack": "shop"})
    emulator.client("cognito-identity", REGION).create_identity_pool(
        IdentityPoolName="p", AllowUnauthenticatedIdentities=False, IdentityPoolTags={"Stack": "shop"}
    )
    iam.create_instance_profile(InstanceProfileName="p", Tags=TAGS)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"), Tags=TAGS)
    zone = route53.create_hosted_zone(Name="shop.example", CallerReference="x")["HostedZone"]["Id"]
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone.rpartition("/")[2], AddTags=TAGS)
    assert listed(emulator) == ["cognito-identity:identitypool", "cognito-idp:userpool", "ecr:repository"]
    assert listed(emulator, HOME) == ["iam:instance-profile", "route53:hostedzone"]
    ecr.delete_repository(repositoryName="app")
    route53.delete_hosted_zone(Id=zone)
    iam.delete_instance_profile(InstanceProfileName="p")
    assert listed(emulator) == ["cognito-identity:identitypool", "cognito-idp:userpool"]
    assert listed(emulator, HOME) == []


@mends("tagging.listeners")
def test_listeners(emulator: Emulator) -> None:
    network = Network(emulator)
    elb = emulator.client("elbv2", REGION)
    created = elb.create_load_balancer(Name="lb", Subnets=network.subnets, Scheme="internal")
    balancer = created["LoadBalancers"][0]["LoadBalancerArn"]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    listener = elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[answer], Tags=TAGS
    )["Listeners"][0]["ListenerArn"]
    elb.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/x"]}],
        Actions=[answer],
        Tags=TAGS,
    )
    assert listed(emulator) == ["elasticloadbalancing:listener", "elasticloadbalancing:listener-rule"]
    found = emulator.client("resourcegroupstaggingapi", REGION).get_resources()["ResourceTagMappingList"]
    assert balancer not in [one["ResourceARN"] for one in found]
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    assert listed(emulator) == []


@mends("tagging.event_rules", "tagging.backup_plans", "tagging.log_groups", "tagging.inactive_containers")
def test_rules_plans_groups_and_clusters(emulator: Emulator) -> None:
    events, backup = emulator.client("events", REGION), emulator.client("backup", REGION)
    logs, ecs = emulator.client("logs", REGION), emulator.client("ecs", REGION)
    events.put_rule(Name="r", ScheduleExpression="rate(5 minutes)", Tags=TAGS)
    backup.create_backup_vault(BackupVaultName="v")
    plan = backup.create_backup_plan(
        BackupPlan={"BackupPlanName": "p", "Rules": [{"RuleName": "r", "TargetBackupVaultName": "v"}]},
        BackupPlanTags={"Stack": "shop"},
    )["BackupPlanId"]
    logs.create_log_group(logGroupName="g", tags={"Stack": "shop"})
    ecs.create_cluster(clusterName="c", tags=[{"key": "Stack", "value": "shop"}])
    assert listed(emulator) == ["backup:backup-plan", "ecs:cluster", "events:rule", "logs:log-group"]
    assert listed(emulator, REGION, "logs:log-group") == ["logs:log-group"]
    events.delete_rule(Name="r")
    backup.delete_backup_plan(BackupPlanId=plan)
    logs.delete_log_group(logGroupName="g")
    ecs.delete_cluster(cluster="c")
    assert listed(emulator) == []


@pytest.mark.parametrize(
    ("service", "create", "arguments", "kind"),
    [
        ("secretsmanager", "create_secret", {"Name": "s", "SecretString": "x", "Tags": TAGS}, "secretsmanager:secret"),
        ("ssm", "put_parameter", {"Name": "/p", "Value": "x", "Type": "String", "Tags": TAGS}, "ssm:parameter"),
        ("kms", "create_key", {"Tags": [{"TagKey": "Stack", "TagValue": "shop"}]}, "kms:key"),
        ("sns", "create_topic", {"Name": "t", "Tags": TAGS}, "sns:t"),
        ("acm", "request_certificate", {"DomainName": "shop.example", "Tags": TAGS}, "acm:certificate"),
        (
            "backup",
            "create_backup_vault",
            {"BackupVaultName": "v", "BackupVaultTags": {"Stack": "shop"}},
            "backup:backup-vault",
        ),
    ],
)
def test_what_moto_lists_by_itself(
    emulator: Emulator, service: str, create: str, arguments: dict[str, t.Any], kind: str
) -> None:
    getattr(emulator.client(service, REGION), create)(**arguments)
    assert listed(emulator) == [kind]
    assert listed(emulator, HOME) == []


def test_secrets_and_parameters_go_when_deleted(emulator: Emulator) -> None:
    secrets, ssm = emulator.client("secretsmanager", REGION), emulator.client("ssm", REGION)
    secrets.create_secret(Name="s", SecretString="x", Tags=TAGS)
    ssm.put_parameter(Name="/shop/p", Value="x", Type="String", Tags=TAGS)
    secrets.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)
    ssm.delete_parameter(Name="/shop/p")
    ssm.put_parameter(Name="/shop/p", Value="x", Type="String")
    assert listed(emulator) == []
    assert refusal(secrets.describe_secret, SecretId="s") == "ResourceNotFoundException"

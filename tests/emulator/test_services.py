# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The other services' patches."""

from __future__ import annotations

import hashlib
import json
import typing as t
import urllib.request

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, Network, mends, refusal, trust

SSM_CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
LIST_BUCKETS = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}


def document(*statements: dict[str, t.Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@mends("iam.policy_in_use")
def test_a_policy_in_use(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(LIST_BUCKETS))["Policy"]["Arn"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    assert refusal(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    assert refusal(iam.delete_role, RoleName="r") == "DeleteConflict"
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(LIST_BUCKETS))
    assert refusal(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)


def test_a_role_in_a_profile(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="p")
    iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")
    assert refusal(iam.delete_role, RoleName="r") == "DeleteConflict"
    assert refusal(iam.delete_instance_profile, InstanceProfileName="p") == "DeleteConflict"


@mends("iam.audiences_of_a_provider")
def test_an_identity_provider_takes_another_audience(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    made = iam.create_open_id_connect_provider(Url="https://gitlab.com", ClientIDList=["one"])
    arn = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
    for _time in range(2):
        iam.add_client_id_to_open_id_connect_provider(**arn, ClientID="two")
    assert iam.get_open_id_connect_provider(**arn)["ClientIDList"] == ["one", "two"]


@mends("iam.identity_in_use", "iam.service_specific_credentials")
def test_users_and_groups_in_use(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(UserName="u", GroupName="g")
    key = iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"]
    assert refusal(iam.delete_user, UserName="u") == "DeleteConflict"
    iam.delete_access_key(UserName="u", AccessKeyId=key)
    assert refusal(iam.delete_user, UserName="u") == "DeleteConflict"
    assert refusal(iam.delete_group, GroupName="g") == "DeleteConflict"
    iam.remove_user_from_group(UserName="u", GroupName="g")
    assert iam.list_service_specific_credentials(UserName="u")["ServiceSpecificCredentials"] == []
    iam.delete_user(UserName="u")
    iam.delete_group(GroupName="g")
    assert refusal(iam.list_service_specific_credentials, UserName="u") == "NoSuchEntity"


@mends("iam.name_lengths")
@pytest.mark.parametrize(
    ("call", "parameter", "longest", "more"),
    [
        ("create_role", "RoleName", 64, {"AssumeRolePolicyDocument": trust("ec2.amazonaws.com")}),
        ("create_user", "UserName", 64, {}),
        ("create_group", "GroupName", 128, {}),
        ("create_instance_profile", "InstanceProfileName", 128, {}),
        ("create_policy", "PolicyName", 128, {"PolicyDocument": document(LIST_BUCKETS)}),
    ],
)
def test_name_lengths(emulator: Emulator, call: str, parameter: str, longest: int, more: dict[str, str]) -> None:
    create = getattr(emulator.client("iam"), call)
    assert refusal(create, **{parameter: "x" * (longest + 1)}, **more) == "ValidationError"
    create(**{parameter: "x" * longest}, **more)


@mends("iam.statement_conditions")
def test_conditions_where_policies_are_enforced(emulator: Emulator) -> None:
    import boto3

    iam = emulator.client("iam")
    iam.create_user(UserName="u")
    tls = {**LIST_BUCKETS, "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document(LIST_BUCKETS, tls))
    key = iam.create_access_key(UserName="u")["AccessKey"]
    user = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=emulator.endpoint,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    enforce(emulator, "0")
    try:
        user.list_buckets()
        assert refusal(user.create_bucket, Bucket="not-allowed") == "AccessDenied"
    finally:
        enforce(emulator, "inf")


def enforce(emulator: Emulator, after: str) -> None:
    """Have moto check policies from so many requests on."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    headers = {"Content-Type": "text/plain"}
    url = f"{emulator.endpoint}/moto-api/reset-auth"
    opener.open(urllib.request.Request(url, data=after.encode(), headers=headers, method="POST")).close()


@mends(
    "elbv2.balancer_rules",
    "elbv2.balancer_attributes",
    "elbv2.deletion_protection",
    "elbv2.one_balancer_a_name",
    "elbv2.target_group_attributes",
)
def test_load_balancers(emulator: Emulator) -> None:
    network = Network(emulator)
    elb = emulator.client("elbv2", REGION)
    create, both = elb.create_load_balancer, {"Subnets": network.subnets}
    assert refusal(create, Name="lb", Subnets=network.subnets[:1]) == "ValidationError"
    assert refusal(create, Name="x" * 33, **both) == "ValidationError"
    assert refusal(create, Name="under_score", **both) == "ValidationError"
    assert refusal(create, Name="lb", **both) == "InvalidSubnet"
    network.gateway()
    arn = {"LoadBalancerArn": create(Name="lb", **both)["LoadBalancers"][0]["LoadBalancerArn"]}
    assert create(Name="lb", **both)["LoadBalancers"][0]["LoadBalancerArn"] == arn["LoadBalancerArn"]
    assert refusal(create, Name="lb", Scheme="internal", **both) == "DuplicateLoadBalancerName"

    def attributes(found: dict[str, t.Any]) -> dict[str, str]:
        return {one["Key"]: one["Value"] for one in found["Attributes"]}

    balancer = attributes(elb.describe_load_balancer_attributes(**arn))
    assert balancer["routing.http.drop_invalid_header_fields.enabled"] == "false"
    assert balancer["idle_timeout.timeout_seconds"] == "60"
    elb.modify_load_balancer_attributes(**arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}])
    assert refusal(elb.delete_load_balancer, **arn) == "OperationNotPermitted"
    elb.modify_load_balancer_attributes(**arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}])
    elb.delete_load_balancer(**arn)

    target = {"Protocol": "HTTP", "Port": 80, "VpcId": network.vpc}
    group = elb.create_target_group(Name="tg", **target)["TargetGroups"][0]["TargetGroupArn"]
    stickiness = attributes(elb.describe_target_group_attributes(TargetGroupArn=group))
    assert stickiness["stickiness.lb_cookie.duration_seconds"] == "86400"
    refused = refusal(elb.create_target_group, Name="x" * 33, **target)
    assert refused in ("ValidationError", "InvalidTarget")


@mends("kms.keys_by_arn")
def test_keys_by_arn(emulator: Emulator) -> None:
    kms = emulator.client("kms", REGION)
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=arn)
    kms.enable_key(KeyId=arn)
    kms.schedule_key_deletion(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    kms.cancel_key_deletion(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"


@mends("backup.unknown_vault")
def test_an_unknown_vault(emulator: Emulator) -> None:
    backup = emulator.client("backup", REGION)
    assert refusal(backup.describe_backup_vault, BackupVaultName="no") == "AccessDeniedException"


@mends("backup.recovery_points", "backup.selections")
def test_the_selections_of_a_backup_plan(emulator: Emulator) -> None:
    backup = emulator.client("backup", REGION)
    backup.create_backup_vault(BackupVaultName="vault")
    assert backup.describe_backup_vault(BackupVaultName="vault")["NumberOfRecoveryPoints"] == 0
    rule = {"RuleName": "daily", "TargetBackupVaultName": "vault"}
    plan = {
        "BackupPlanId": backup.create_backup_plan(BackupPlan={"BackupPlanName": "plan", "Rules": [rule]})[
            "BackupPlanId"
        ]
    }
    role = "arn:aws:iam::123456789012:role/backup"
    given = {"SelectionName": "database", "IamRoleArn": role, "Resources": ["arn:aws:rds:*:*:db:*"]}
    made = backup.create_backup_selection(**plan, BackupSelection=given)
    assert refusal(backup.create_backup_selection, **plan, BackupSelection=given) == "AlreadyExistsException"
    assert refusal(backup.delete_backup_plan, **plan) == "InvalidRequestException"
    listed = backup.list_backup_selections(**plan)["BackupSelectionsList"]
    assert [(one["SelectionName"], one["IamRoleArn"]) for one in listed] == [("database", role)]
    one = {**plan, "SelectionId": made["SelectionId"]}
    found = backup.get_backup_selection(**one)["BackupSelection"]
    assert found["Resources"] == given["Resources"]
    assert found["Conditions"]["StringEquals"] == []
    backup.delete_backup_selection(**one)
    assert refusal(backup.get_backup_selection, **one) == "ResourceNotFoundException"
    backup.delete_backup_plan(**plan)


@mends("containers.image_digests")
def test_image_digests(emulator: Emulator) -> None:
    ecr = emulator.client("ecr", REGION)
    ecr.create_repository(repositoryName="app")
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": "sha256:" + "0" * 64}
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}, indent=3)
    put = ecr.put_image(repositoryName="app", imageManifest=manifest, imageTag="v1")["image"]
    assert put["imageId"]["imageDigest"] == f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


@mends("containers.cluster_fields")
def test_cluster_fields(emulator: Emulator) -> None:
    cluster = emulator.client("ecs", REGION).create_cluster(clusterName="c")["cluster"]
    assert cluster["capacityProviders"] == cluster["defaultCapacityProviderStrategy"] == []


@mends("autoscaling.disable_metrics_collection")
def test_disable_metrics_collection(emulator: Emulator) -> None:
    network = Network(emulator)
    network.ec2.create_launch_template(
        LaunchTemplateName="app", LaunchTemplateData={"ImageId": network.image(), "InstanceType": "t3.micro"}
    )
    autoscaling, group = emulator.client("autoscaling", REGION), {"AutoScalingGroupName": "g"}
    autoscaling.create_auto_scaling_group(
        **group,
        MinSize=0,
        MaxSize=1,
        LaunchTemplate={"LaunchTemplateName": "app"},
        VPCZoneIdentifier=",".join(network.subnets),
    )
    autoscaling.enable_metrics_collection(**group, Granularity="1Minute", Metrics=["GroupMinSize", "GroupMaxSize"])
    autoscaling.disable_metrics_collection(**group, Metrics=["GroupMinSize"])
    found = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["EnabledMetrics"]
    assert [one["Metric"] for one in found] == ["GroupMaxSize"]
    autoscaling.disable_metrics_collection(**group)
    assert autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["EnabledMetrics"] == []


class Fleet:
    """An Auto Scaling group of two instances in two zones, and a second version of its launch template."""

    def __init__(self, emulator: Emulator) -> None:
        self.network = Network(emulator)
        self.client, self.name = emulator.client("autoscaling", REGION), {"AutoScalingGroupName": "g"}
        data = {"ImageId": self.network.image(), "InstanceType": "t3.micro", "UserData": "I2Nsb3VkLWNvbmZpZwo="}
        made = self.network.ec2.create_launch_template(LaunchTemplateName="app", LaunchTemplateData=data)
        self.template = made["LaunchTemplate"]["LaunchTemplateId"]
        larger = {**data, "InstanceType": "t3.small"}
        self.network.ec2.create_launch_template_version(LaunchTemplateName="app", LaunchTemplateData=larger)
        self.client.create_auto_scaling_group(
            **self.name,
            MinSize=2,
            MaxSize=4,
            LaunchTemplate={"LaunchTemplateId": self.template, "Version": "1"},
            VPCZoneIdentifier=",".join(self.network.subnets),
            DefaultInstanceWarmup=90,
            LifecycleHookSpecificationList=[
                {"LifecycleHookName": "drain", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}
            ],
        )

    @property
    def group(self) -> dict[str, t.Any]:
        """As AWS describes it."""
        (found,) = self.client.describe_auto_scaling_groups()["AutoScalingGroups"]
        return t.cast("dict[str, t.Any]", found)

    def refresh(self, version: str = "2", **preferences: t.Any) -> None:
        """Start an instance refresh."""
        desired = {"LaunchTemplate": {"LaunchTemplateId": self.template, "Version": version}}
        self.client.start_instance_refresh(**self.name, DesiredConfiguration=desired, Preferences=preferences)

    def statuses(self) -> list[str]:
        """Of its refreshes, the newest first; each look brings them one stage further."""
        found = self.client.describe_instance_refreshes(**self.name)["InstanceRefreshes"]
        return [one["Status"] for one in found]


@pytest.fixture
def fleet(emulator: Emulator) -> Fleet:
    """One that stands."""
    return Fleet(emulator)


@mends("autoscaling.group_settings", "autoscaling.launched_instances")
def test_a_new_group(fleet: Fleet) -> None:
    assert fleet.group["DefaultInstanceWarmup"] == 90
    (hook,) = fleet.client.describe_lifecycle_hooks(**fleet.name)["LifecycleHooks"]
    assert hook["LifecycleHookName"] == "drain"
    instances = fleet.group["Instances"]
    assert len({one["AvailabilityZone"] for one in instances}) == 2
    assert {one["LaunchTemplate"]["Version"] for one in instances} == {"1"}
    fleet.client.update_auto_scaling_group(**fleet.name, DefaultInstanceWarmup=60)
    assert fleet.group["DefaultInstanceWarmup"] == 60


@mends("autoscaling.instance_refresh", "ec2_instances.template_user_data")
def test_an_instance_refresh(fleet: Fleet) -> None:
    before = {one["InstanceId"] for one in fleet.group["Instances"]}
    fleet.refresh(AutoRollback=True, SkipMatching=True)
    assert refusal(fleet.refresh) == "InstanceRefreshInProgress"
    assert [fleet.statuses() for _ in range(3)] == [["InProgress"], ["Successful"], ["Successful"]]
    after = fleet.group["Instances"]
    assert not before & {one["InstanceId"] for one in after}
    assert {(one["InstanceType"], one["LaunchTemplate"]["Version"]) for one in after} == {("t3.small", "2")}
    assert fleet.group["LaunchTemplate"]["Version"] == "2"
    # All match now, and none is replaced.
    fleet.refresh(SkipMatching=True)
    fleet.statuses()
    fleet.statuses()
    assert fleet.group["Instances"] == after


@mends("autoscaling.instance_refresh")
@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("cancel_instance_refresh", ["Cancelling", "Cancelled"]),
        ("rollback_instance_refresh", ["RollbackInProgress", "RollbackSuccessful"]),
    ],
)
def test_an_instance_refresh_that_ends_early(fleet: Fleet, operation: str, statuses: list[str]) -> None:
    call = getattr(fleet.client, operation)
    assert refusal(call, **fleet.name) == "ActiveInstanceRefreshNotFound"
    fleet.refresh()
    call(**fleet.name)
    assert fleet.statuses() == statuses[1:]
    assert fleet.group["LaunchTemplate"]["Version"] == "1"


@mends("autoscaling.instance_refresh")
def test_aws_goes_back_only_to_what_was_described(fleet: Fleet) -> None:
    start = fleet.client.start_instance_refresh
    assert refusal(start, **fleet.name, Preferences={"AutoRollback": True}) == "ValidationError"


@mends("autoscaling.what_goes_with_a_group", "autoscaling.policy_arn")
def test_policies_and_hooks_go_with_their_group(fleet: Fleet) -> None:
    step = {"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}
    answer = fleet.client.put_scaling_policy(
        **fleet.name,
        PolicyName="out",
        PolicyType="StepScaling",
        AdjustmentType="ChangeInCapacity",
        StepAdjustments=[step],
    )
    (policy,) = fleet.client.describe_policies(**fleet.name)["ScalingPolicies"]
    assert (policy["PolicyARN"], policy["StepAdjustments"]) == (answer["PolicyARN"], [step])
    fleet.client.delete_auto_scaling_group(**fleet.name, ForceDelete=True)
    assert fleet.client.describe_policies()["ScalingPolicies"] == []
    assert fleet.client.describe_lifecycle_hooks(**fleet.name)["LifecycleHooks"] == []


@pytest.fixture
def nodes(emulator: Emulator) -> dict[str, str]:
    """Three instances: one managed, one whose role lacks the permission, one of an image without the agent."""
    network = Network(emulator)
    iam = emulator.client("iam")
    for name in ("managed", "plain"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    iam.attach_role_policy(RoleName="managed", PolicyArn=SSM_CORE)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Role", "Value": "web"}]}]
    managed = {"IamInstanceProfile": {"Name": "managed"}, "TagSpecifications": tags}
    return {
        "managed": network.launch(**managed),
        "plain": network.launch(IamInstanceProfile={"Name": "plain"}),
        "bare": network.launch(),
        "debian": network.launch(**managed, ImageId=network.image("debian-13-amd64*")),
    }


@mends("ssm.managed_instances")
def test_managed_instances(emulator: Emulator, nodes: dict[str, str]) -> None:
    describe = emulator.client("ssm", REGION).describe_instance_information
    found = describe()["InstanceInformationList"]
    assert [(one["InstanceId"], one["PingStatus"], one["PlatformName"]) for one in found] == [
        (nodes["managed"], "Online", "Ubuntu")
    ]
    by_id = [{"Key": "InstanceIds", "Values": [nodes["plain"]]}]
    assert describe(Filters=by_id)["InstanceInformationList"] == []
    assert len(describe(Filters=[{"Key": "tag:Role", "Values": ["web"]}])["InstanceInformationList"]) == 1
    emulator.client("ec2", REGION).stop_instances(InstanceIds=[nodes["managed"]])
    assert describe()["InstanceInformationList"] == []


@mends("ssm.commands")
def test_commands(emulator: Emulator, nodes: dict[str, str]) -> None:
    ssm = emulator.client("ssm", REGION)
    run = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}}
    assert refusal(ssm.send_command, **run, InstanceIds=[nodes["plain"]]) == "InvalidInstanceId"
    for chosen in ({"InstanceIds": [nodes["managed"]]}, {"Targets": [{"Key": "tag:Role", "Values": ["web"]}]}):
        command = ssm.send_command(**run, **chosen)["Command"]
        assert command["InstanceIds"] == [nodes["managed"]]
        one = {"CommandId": command["CommandId"]}
        assert ssm.get_command_invocation(**one, InstanceId=nodes["managed"])["Status"] == "Success"
        listed = ssm.list_command_invocations(**one, Details=True)["CommandInvocations"]
        assert [(entry["InstanceId"], entry["Status"]) for entry in listed] == [(nodes["managed"], "Success")]

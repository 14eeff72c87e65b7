# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, TAGS, Network, mends, refusal, tagged

OTHER = "us-east-1"


@pytest.fixture
def network(emulator: Emulator) -> Network:
    return Network(emulator)


@mends("ec2_images.public_images")
def test_images_differ_by_region_and_go_with_the_instance(emulator: Emulator, network: Network) -> None:
    found = network.ec2.describe_images(Owners=["099720109477"])["Images"]
    assert {one["Architecture"] for one in found} == {"x86_64", "arm64"}
    there = emulator.client("ec2", OTHER).describe_images(Owners=["099720109477"])["Images"]
    assert {one["Name"] for one in found} == {one["Name"] for one in there}
    assert not {one["ImageId"] for one in found} & {one["ImageId"] for one in there}
    root = found[0]["BlockDeviceMappings"][0]
    assert (root["DeviceName"], root["Ebs"]["DeleteOnTermination"]) == ("/dev/sda1", True)
    names = [one["Name"] for one in network.ec2.describe_images(Owners=["136693071363", "137112412989"])["Images"]]
    for part in ("debian-12-amd64", "debian-13-arm64", "al2023-ami-2023"):
        assert any(name.startswith(part) for name in names)


@mends("ssm.public_image_parameters")
@pytest.mark.parametrize(
    ("name", "image"),
    [
        (
            "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
            "ubuntu-jammy-22.04-amd64",
        ),
        (
            "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id",
            "ubuntu-noble-24.04-arm64",
        ),
        ("/aws/service/debian/release/12/latest/amd64", "debian-12-amd64"),
        ("/aws/service/debian/release/13/latest/arm64", "debian-13-arm64"),
        ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "al2023-ami-2023"),
        ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64", "kernel-6.1-arm64"),
    ],
)
def test_public_image_parameters(emulator: Emulator, name: str, image: str) -> None:
    for region in (REGION, "us-east-1", "eu-central-1"):
        value = emulator.client("ssm", region).get_parameter(Name=name)["Parameter"]["Value"]
        found = emulator.client("ec2", region).describe_images(ImageIds=[value])["Images"][0]
        assert image in found["Name"]


def test_unknown_launch_settings_are_refused(network: Network) -> None:
    assert refusal(network.launch, InstanceType="t9.micro") == "InvalidInstanceType.NotFound"
    assert refusal(network.launch, ImageId="ami-0123") == "InvalidAMIID.NotFound"
    assert refusal(network.launch, KeyName="nobody") == "InvalidKeyPair.NotFound"
    assert refusal(network.ec2.describe_instance_types, InstanceTypes=["t9.micro"]) == "InvalidInstanceType"


@mends("ec2_instances.interfaces_go_with_instance")
def test_interfaces_go_with_the_instance(network: Network) -> None:
    instance = network.launch()
    described = network.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert [group["GroupName"] for group in described["SecurityGroups"]] == ["default"]
    assert described["NetworkInterfaces"][0]["Attachment"]["DeleteOnTermination"] is True
    kept = network.launch(
        SubnetId=None,
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": network.subnets[0], "DeleteOnTermination": False}],
    )
    network.ec2.terminate_instances(InstanceIds=[instance, kept])
    assert len(network.ec2.describe_network_interfaces()["NetworkInterfaces"]) == 1


@mends("ec2_termination.address_is_disassociated")
def test_an_address_outlives_its_instance(network: Network) -> None:
    network.gateway()
    instance = network.launch()
    address = network.ec2.allocate_address(Domain="vpc")["AllocationId"]
    network.ec2.associate_address(InstanceId=instance, AllocationId=address)
    network.ec2.terminate_instances(InstanceIds=[instance])
    assert "AssociationId" not in network.ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]
    network.ec2.release_address(AllocationId=address)


@mends("ec2_instances.termination_protection")
def test_termination_protection(network: Network) -> None:
    instance = network.launch(DisableApiTermination=True)
    assert refusal(network.ec2.terminate_instances, InstanceIds=[instance]) == "OperationNotPermitted"
    network.ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
    network.ec2.terminate_instances(InstanceIds=[instance])


@mends("ec2_instances.user_data_limit")
def test_user_data(network: Network) -> None:
    assert refusal(network.launch, UserData="x" * 16385) == "InvalidParameterValue"
    instance = network.launch(UserData="x" * 16384)
    value = network.ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]["Value"]
    assert value.startswith("eHh4")


@mends("ec2_instances.launched_volumes")
def test_launched_volumes(network: Network) -> None:
    root = {"VolumeSize": 20, "Encrypted": True, "Throughput": 250}
    data = {"VolumeSize": 4, "VolumeType": "io2", "Iops": 500}
    instance = network.launch(
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": root}, {"DeviceName": "/dev/sdf", "Ebs": data}]
    )
    found = {one["Attachments"][0]["Device"]: one for one in network.ec2.describe_volumes()["Volumes"]}
    assert {name: found["/dev/sda1"][name] for name in ("Size", "VolumeType", "Throughput", "Iops", "Encrypted")} == {
        "Size": 20,
        "VolumeType": "gp3",
        "Throughput": 250,
        "Iops": 3000,
        "Encrypted": True,
    }
    assert found["/dev/sda1"]["KmsKeyId"].startswith(f"arn:aws:kms:{REGION}:")
    assert (found["/dev/sdf"]["VolumeType"], found["/dev/sdf"]["Iops"]) == ("io2", 500)
    network.ec2.terminate_instances(InstanceIds=[instance])
    assert [one["VolumeType"] for one in network.ec2.describe_volumes()["Volumes"]] == ["io2"]
    small = [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 4}}]
    assert refusal(network.launch, BlockDeviceMappings=small) == "InvalidBlockDeviceMapping"


@mends("ec2_instances.launched_volumes")
def test_an_image_gives_the_root_volume(network: Network) -> None:
    network.launch(ImageId=network.image("al2023-ami-2023*-kernel-6.18-x86_64"))
    volume = network.ec2.describe_volumes()["Volumes"][0]
    assert (volume["Attachments"][0]["Device"], volume["VolumeType"], volume["Size"]) == ("/dev/xvda", "gp3", 8)


@mends("ec2_instances.template_tags", "ec2_instances.delete_template_versions")
def test_launch_templates(network: Network) -> None:
    data = {"InstanceType": "t3.micro", "ImageId": network.image()}
    network.ec2.create_launch_template(
        LaunchTemplateName="app", LaunchTemplateData=data, TagSpecifications=tagged("launch-template")
    )
    network.ec2.create_launch_template_version(LaunchTemplateName="app", LaunchTemplateData=data)
    versions = network.ec2.describe_launch_template_versions(LaunchTemplateName="app")["LaunchTemplateVersions"]
    assert all("TagSpecifications" not in one["LaunchTemplateData"] for one in versions)
    answer = network.ec2.delete_launch_template_versions(LaunchTemplateName="app", Versions=["1", "2", "7"])
    gone = answer["SuccessfullyDeletedLaunchTemplateVersions"]
    kept = answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert [one["VersionNumber"] for one in gone] == [2]
    assert [one["VersionNumber"] for one in kept] == [1, 7]
    left = network.ec2.describe_launch_template_versions(LaunchTemplateName="app")["LaunchTemplateVersions"]
    assert [one["VersionNumber"] for one in left] == [1]


@mends("ec2_storage.volume_fields")
def test_volume_fields(network: Network) -> None:
    create = network.ec2.create_volume
    gp3 = create(AvailabilityZone=f"{REGION}a", Size=1, VolumeType="gp3")
    assert (gp3["Throughput"], gp3["Iops"], gp3["SnapshotId"], gp3["MultiAttachEnabled"]) == (125, 3000, "", False)
    assert create(AvailabilityZone=f"{REGION}a", Size=200, VolumeType="gp2")["Iops"] == 600


@mends("ec2_storage.encryption_by_default", "ec2_storage.snapshot_copies")
def test_encryption_by_default(emulator: Emulator, network: Network) -> None:
    assert network.ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    plain = network.ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)
    assert plain["Encrypted"] is False
    snapshot = network.ec2.create_snapshot(VolumeId=plain["VolumeId"])["SnapshotId"]
    there = emulator.client("ec2", OTHER)
    there.enable_ebs_encryption_by_default()
    assert there.create_volume(AvailabilityZone=f"{OTHER}a", Size=1)["Encrypted"] is True
    copied = there.copy_snapshot(SourceRegion=REGION, SourceSnapshotId=snapshot)["SnapshotId"]
    assert there.describe_snapshots(SnapshotIds=[copied])["Snapshots"][0]["Encrypted"] is True


@mends("ec2_storage.snapshot_fields", "ec2_storage.snapshots_copy_tags", "ec2_storage.snapshot_owners")
def test_snapshots(network: Network) -> None:
    instance = network.launch(
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"Encrypted": True}}],
        TagSpecifications=tagged("volume"),
    )
    made = network.ec2.create_snapshots(
        InstanceSpecification={"InstanceId": instance}, CopyTagsFromSource="volume", Description="nightly"
    )["Snapshots"]
    assert [(one["State"], one["Description"], one["Tags"]) for one in made] == [("completed", "nightly", TAGS)]
    volume = network.ec2.describe_volumes()["Volumes"][0]
    network.ec2.modify_volume(VolumeId=volume["VolumeId"], Size=100)
    own = network.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert [(one["SnapshotId"], one["VolumeSize"]) for one in own] == [(made[0]["SnapshotId"], 8)]
    assert own[0]["KmsKeyId"] == volume["KmsKeyId"]
    public = network.ec2.describe_snapshots(OwnerIds=["099720109477"])["Snapshots"]
    assert made[0]["SnapshotId"] not in [one["SnapshotId"] for one in public]


@mends("ec2_storage.snapshot_copies")
def test_snapshot_copies(emulator: Emulator, network: Network) -> None:
    volume = network.ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
    source = {"SourceRegion": REGION, "SourceSnapshotId": network.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]}
    there = emulator.client("ec2", OTHER)
    copied = there.copy_snapshot(**source, Encrypted=True, TagSpecifications=tagged("snapshot"))
    found = there.describe_snapshots(SnapshotIds=[copied["SnapshotId"]])["Snapshots"][0]
    assert (found["Encrypted"], found["VolumeId"], found["Tags"]) == (True, "vol-ffffffff", TAGS)
    assert found["KmsKeyId"].startswith(f"arn:aws:kms:{OTHER}:")
    assert refusal(there.copy_snapshot, **source, KmsKeyId="alias/aws/ebs") == "InvalidParameterDependency"


@mends("ec2_network.subnet_dependencies", "ec2_network.security_group_dependencies")
def test_subnets_and_groups_in_use(network: Network) -> None:
    ec2 = network.ec2
    used, member = network.group("used"), network.group("member")
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": used}]}
    ec2.authorize_security_group_ingress(GroupId=member, IpPermissions=[permission])
    instance = network.launch(SecurityGroupIds=[member])
    for call, arguments in (
        (ec2.delete_subnet, {"SubnetId": network.subnets[0]}),
        (ec2.delete_security_group, {"GroupId": used}),
        (ec2.delete_security_group, {"GroupId": member}),
    ):
        assert refusal(call, **arguments) == "DependencyViolation"
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.delete_security_group(GroupId=member)
    ec2.delete_security_group(GroupId=used)
    for subnet in network.subnets:
        ec2.delete_subnet(SubnetId=subnet)


@mends("ec2_network.security_group_dependencies")
def test_the_default_group_stays(network: Network) -> None:
    groups = network.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])
    default = groups["SecurityGroups"][0]["GroupId"]
    assert refusal(network.ec2.delete_security_group, GroupId=default) == "CannotDelete"


@mends("ec2_network.default_group_rule")
def test_the_default_group_lets_its_members_in(network: Network) -> None:
    groups = network.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])
    default = groups["SecurityGroups"][0]
    assert default["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == default["GroupId"]
    network.ec2.revoke_security_group_ingress(GroupId=default["GroupId"], IpPermissions=default["IpPermissions"])
    network.ec2.revoke_security_group_egress(GroupId=default["GroupId"], IpPermissions=default["IpPermissionsEgress"])
    emptied = network.ec2.describe_security_groups(GroupIds=[default["GroupId"]])["SecurityGroups"][0]
    assert emptied["IpPermissions"] == emptied["IpPermissionsEgress"] == []


@mends("ec2_network.subnet_dependencies", "ec2_network.security_group_dependencies")
def test_databases_and_balancers_hold_on_to_the_network(emulator: Emulator, network: Network) -> None:
    group = network.group("db")
    rds, elb = emulator.client("rds", REGION), emulator.client("elbv2", REGION)
    rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=network.subnets)
    rds.create_db_instance(
        DBInstanceIdentifier="db",
        Engine="mysql",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        MasterUsername="owner",
        MasterUserPassword="long-enough-1",
        DBSubnetGroupName="g",
        VpcSecurityGroupIds=[group],
    )
    held = {"SubnetId": network.subnets[0]}
    assert refusal(network.ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    assert refusal(network.ec2.delete_subnet, **held) == "DependencyViolation"
    rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    made = elb.create_load_balancer(Name="lb", Subnets=network.subnets, SecurityGroups=[group], Scheme="internal")
    assert refusal(network.ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    assert refusal(network.ec2.delete_subnet, **held) == "DependencyViolation"
    elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"])
    network.ec2.delete_security_group(GroupId=group)
    network.ec2.delete_subnet(**held)


@mends("ec2_network.internet_gateway_dependencies", "ec2_network.address_in_use", "ec2_network.nat_gateway_deletion")
def test_gateways_and_addresses_in_use(network: Network) -> None:
    ec2 = network.ec2
    gateway = network.gateway()
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    detach = {"InternetGatewayId": gateway, "VpcId": network.vpc}
    assert refusal(ec2.detach_internet_gateway, **detach) == "DependencyViolation"
    assert refusal(ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.release_address(AllocationId=address)
    ec2.detach_internet_gateway(**detach)
    ec2.delete_subnet(SubnetId=network.subnets[0])
    assert refusal(ec2.delete_nat_gateway, NatGatewayId="nat-1") == "NatGatewayNotFound"
    assert refusal(ec2.describe_nat_gateways, NatGatewayIds=["nat-1"]) == "NatGatewayNotFound"


@mends("ec2_network.nat_gateway_tag_filters")
def test_nat_gateways_are_found_by_their_tags(network: Network) -> None:
    ec2 = network.ec2
    network.gateway()
    gateways = {}
    for stack, subnet in zip(("one", "two"), network.subnets, strict=False):
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "Stack", "Value": stack}]}]
        made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address, TagSpecifications=tags)
        gateways[stack] = made["NatGateway"]["NatGatewayId"]

    def found(name: str, *values: str) -> list[str]:
        answer = ec2.describe_nat_gateways(Filters=[{"Name": name, "Values": list(values)}])
        return [one["NatGatewayId"] for one in answer["NatGateways"]]

    assert found("tag:Stack", "one") == [gateways["one"]]
    assert found("tag:Stack", "t*") == [gateways["two"]]
    assert sorted(found("tag-key", "Stack")) == sorted(gateways.values())
    assert found("tag:Stack", "three") == []


@mends("ec2_network.vpc_dependencies", "ec2_network.default_endpoint_type")
def test_a_vpc_in_use(emulator: Emulator, network: Network) -> None:
    ec2, vpc = network.ec2, {"VpcId": network.vpc}
    for subnet in network.subnets:
        ec2.delete_subnet(SubnetId=subnet)
    gateway = network.gateway()
    assert refusal(ec2.delete_vpc, **vpc) == "DependencyViolation"
    ec2.detach_internet_gateway(InternetGatewayId=gateway, **vpc)
    group = network.group("g")
    assert refusal(ec2.delete_vpc, **vpc) == "DependencyViolation"
    ec2.delete_security_group(GroupId=group)
    peer = Network(emulator, "10.1")
    peering = ec2.create_vpc_peering_connection(**vpc, PeerVpcId=peer.vpc)["VpcPeeringConnection"]
    assert refusal(ec2.delete_vpc, **vpc) == "DependencyViolation"
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    endpoint = ec2.create_vpc_endpoint(**vpc, ServiceName=f"com.amazonaws.{REGION}.s3")["VpcEndpoint"]
    assert refusal(ec2.delete_vpc, **vpc) == "DependencyViolation"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
    ec2.delete_vpc(**vpc)


def test_overlapping_subnets_are_refused(network: Network) -> None:
    create = network.ec2.create_subnet
    assert refusal(create, VpcId=network.vpc, CidrBlock="10.0.0.128/25") == "InvalidSubnet.Conflict"
    assert refusal(create, VpcId=network.vpc, CidrBlock="10.9.0.0/24") == "InvalidSubnet.Range"


@mends("ec2_network.security_group_texts")
def test_security_group_texts(network: Network) -> None:
    create, group = network.ec2.create_security_group, network.group("g")
    assert refusal(create, VpcId=network.vpc, GroupName="x", Description="it's") == "InvalidParameterValue"
    assert refusal(create, VpcId=network.vpc, GroupName="x" * 256, Description="d") == "InvalidParameterValue"
    assert refusal(create, VpcId=network.vpc, GroupName="sg-x", Description="d") == "InvalidParameterValue"
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "“"}]}
    for call in (network.ec2.authorize_security_group_ingress, network.ec2.authorize_security_group_egress):
        assert refusal(call, GroupId=group, IpPermissions=[rule]) == "InvalidParameterValue"


@mends("ec2_network.overlapping_peering", "ec2_network.peering_filters")
def test_peering(emulator: Emulator, network: Network) -> None:
    ec2, there = network.ec2, emulator.client("ec2", OTHER)
    peer, same = Network(emulator, "10.1", OTHER), Network(emulator, "10.0")
    good = ec2.create_vpc_peering_connection(
        VpcId=network.vpc, PeerVpcId=peer.vpc, PeerRegion=OTHER, TagSpecifications=tagged("vpc-peering-connection")
    )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    bad = ec2.create_vpc_peering_connection(VpcId=network.vpc, PeerVpcId=same.vpc)["VpcPeeringConnection"]

    def found(client: t.Any, name: str, value: str) -> list[str]:
        answer = client.describe_vpc_peering_connections(Filters=[{"Name": name, "Values": [value]}])
        return [one["VpcPeeringConnectionId"] for one in answer["VpcPeeringConnections"]]

    assert found(ec2, "status-code", "failed") == [bad["VpcPeeringConnectionId"]]
    assert found(ec2, "status-code", "pending-acceptance") == [good]
    there.accept_vpc_peering_connection(VpcPeeringConnectionId=good)
    assert found(ec2, "status-code", "active") == found(there, "accepter-vpc-info.vpc-id", peer.vpc) == [good]
    assert found(ec2, "tag:Stack", "shop") == [good]
    assert found(there, "tag:Stack", "shop") == []
    assert found(ec2, "no-such-filter", "x") == []

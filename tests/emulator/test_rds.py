# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import typing as t

import pytest
from botocore.exceptions import ClientError

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, TAGS, Network, mends, refusal

OTHER = "us-east-1"
DATABASE = {
    "DBInstanceIdentifier": "shop",
    "Engine": "postgres",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": 20,
    "MasterUsername": "owner",
}
PASSWORD = "long-enough-1"


@pytest.fixture
def network(emulator: Emulator) -> Network:
    return Network(emulator)


@pytest.fixture
def rds(emulator: Emulator, network: Network) -> t.Any:
    """A client in a region with one subnet group."""
    client = emulator.client("rds", REGION)
    client.create_db_subnet_group(
        DBSubnetGroupName="group", DBSubnetGroupDescription="d", SubnetIds=network.subnets, Tags=TAGS
    )
    return client


def create(rds: t.Any, **arguments: t.Any) -> dict[str, t.Any]:
    settings = {**DATABASE, "DBSubnetGroupName": "group", "MasterUserPassword": PASSWORD, **arguments}
    settings = {name: value for name, value in settings.items() if value is not None}
    return t.cast(dict[str, t.Any], rds.create_db_instance(**settings)["DBInstance"])


@mends("rds.managed_master_password")
def test_managed_password(emulator: Emulator, rds: t.Any) -> None:
    secrets = emulator.client("secretsmanager", REGION)
    made = create(rds, MasterUserPassword=None, ManageMasterUserPassword=True)
    found = rds.describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"][0]
    arn = found["MasterUserSecret"]["SecretArn"]
    assert ":secret:rds!db-" in arn
    assert found["MasterUserSecret"]["SecretStatus"] == "active"
    assert found["MasterUserSecret"]["KmsKeyId"].startswith(f"arn:aws:kms:{REGION}:")
    value = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert value["username"] == "owner"
    assert len(value["password"]) >= 20
    assert value["password"] not in json.dumps([made, found], default=str)
    tags = {tag["Key"]: tag["Value"] for tag in secrets.describe_secret(SecretId=arn)["Tags"]}
    assert tags["aws:secretsmanager:owningService"] == "rds"
    assert tags["aws:rds:primaryDBInstanceArn"] == found["DBInstanceArn"]

    other = create(rds, DBInstanceIdentifier="other", MasterUserPassword=None, ManageMasterUserPassword=True)
    assert (
        json.loads(secrets.get_secret_value(SecretId=other["MasterUserSecret"]["SecretArn"])["SecretString"]) != value
    )

    rds.modify_db_instance(DBInstanceIdentifier="shop", RotateMasterUserPassword=True, ApplyImmediately=True)
    assert json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["password"] != value["password"]
    rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    assert refusal(secrets.describe_secret, SecretId=arn) == "ResourceNotFoundException"


@mends("rds.managed_master_password")
def test_managed_password_and_a_password_conflict(rds: t.Any) -> None:
    assert refusal(create, rds=rds, ManageMasterUserPassword=True) == "InvalidParameterCombination"


@mends("rds.managed_master_password")
def test_a_restored_instance_has_no_managed_password(rds: t.Any) -> None:
    create(rds, MasterUserPassword=None, ManageMasterUserPassword=True)
    rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="s")
    restored = rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="again", DBSnapshotIdentifier="s")
    assert "MasterUserSecret" not in restored["DBInstance"]
    rds.delete_db_instance(DBInstanceIdentifier="again", SkipFinalSnapshot=True)
    assert "MasterUserSecret" in rds.describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"][0]


@mends("rds.instance_identity")
def test_instance_identity(emulator: Emulator, rds: t.Any) -> None:
    first = create(rds, MultiAZ=True)
    second = create(rds, DBInstanceIdentifier="second")
    assert first["DbiResourceId"] != second["DbiResourceId"]
    assert first["LicenseModel"] == "postgresql-license"
    assert {first["AvailabilityZone"], first["SecondaryAvailabilityZone"]} == {f"{REGION}a", f"{REGION}b"}
    address = first["Endpoint"]["Address"]
    assert address.startswith("shop.")
    assert address.endswith(f".{REGION}.rds.amazonaws.com")
    elsewhere = create(emulator.client("rds", OTHER), DBSubnetGroupName=None)["Endpoint"]["Address"]
    assert elsewhere.split(".")[1] != address.split(".")[1]


@mends("rds.storage")
def test_storage(emulator: Emulator, rds: t.Any) -> None:
    made = create(rds, StorageEncrypted=True)
    assert (made["StorageType"], made["Iops"], made["StorageThroughput"]) == ("gp3", 3000, 125)
    aliases = emulator.client("kms", REGION).list_aliases()["Aliases"]
    key = next(alias["TargetKeyId"] for alias in aliases if alias["AliasName"] == "alias/aws/rds")
    assert made["KmsKeyId"] == f"arn:aws:kms:{REGION}:123456789012:key/{key}"
    large = create(rds, DBInstanceIdentifier="large", AllocatedStorage=400)
    assert (large["Iops"], large["StorageThroughput"]) == (12000, 500)


@mends("rds.performance_insights")
def test_performance_insights(rds: t.Any) -> None:
    made = create(rds, EnablePerformanceInsights=True)
    assert (made["PerformanceInsightsEnabled"], made["PerformanceInsightsRetentionPeriod"]) == (True, 7)
    rds.modify_db_instance(DBInstanceIdentifier="shop", EnablePerformanceInsights=False)
    (found,) = rds.describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"]
    assert found["PerformanceInsightsEnabled"] is False


@mends("rds.final_snapshot")
def test_final_snapshot(rds: t.Any) -> None:
    create(rds)
    assert refusal(rds.delete_db_instance, DBInstanceIdentifier="shop") == "InvalidParameterCombination"
    both = {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "s"}
    assert refusal(rds.delete_db_instance, DBInstanceIdentifier="shop", **both) == "InvalidParameterCombination"
    rds.delete_db_instance(DBInstanceIdentifier="shop", FinalDBSnapshotIdentifier="last")
    assert rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"][0]["Status"] == "available"


def test_deletion_protection(rds: t.Any) -> None:
    create(rds, DeletionProtection=True)
    refused = refusal(rds.delete_db_instance, DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    assert refused == "InvalidParameterCombination"


@mends("rds.automated_backups")
def test_automated_backups(rds: t.Any) -> None:
    create(rds, BackupRetentionPeriod=0)
    assert rds.describe_db_snapshots(DBInstanceIdentifier="shop")["DBSnapshots"] == []


@mends("rds.master_user_rules")
@pytest.mark.parametrize(
    "arguments",
    [
        {"MasterUsername": "admin"},
        {"MasterUserPassword": "short"},
        {"MasterUserPassword": "with@sign-1"},
        {"MasterUserPassword": 'with"quote-1'},
        {"Engine": "mysql", "MasterUserPassword": "x" * 42},
    ],
)
def test_master_user_rules(rds: t.Any, arguments: dict[str, str]) -> None:
    assert refusal(create, rds=rds, **arguments) == "InvalidParameterValue"


@mends("rds.master_user_rules")
def test_a_new_password_keeps_the_rules(rds: t.Any) -> None:
    create(rds, Engine="mysql", MasterUsername="admin")
    refused = refusal(rds.modify_db_instance, DBInstanceIdentifier="shop", MasterUserPassword="short")
    assert refused == "InvalidParameterValue"


@mends("rds.subnet_groups")
def test_subnet_groups(rds: t.Any, network: Network) -> None:
    names = {"DBSubnetGroupName": "narrow", "DBSubnetGroupDescription": "d"}
    one = network.subnets[:1]
    assert refusal(rds.create_db_subnet_group, **names, SubnetIds=one) == "DBSubnetGroupDoesNotCoverEnoughAZs"
    again = {**names, "DBSubnetGroupName": "group", "SubnetIds": network.subnets}
    assert refusal(rds.create_db_subnet_group, **again) == "DBSubnetGroupAlreadyExists"
    modify = rds.modify_db_subnet_group
    assert refusal(modify, DBSubnetGroupName="group", SubnetIds=one) == "DBSubnetGroupDoesNotCoverEnoughAZs"
    assert refusal(modify, DBSubnetGroupName="no", SubnetIds=network.subnets) == "DBSubnetGroupNotFoundFault"
    modify(DBSubnetGroupName="group", SubnetIds=network.subnets)
    create(rds)
    assert refusal(rds.delete_db_subnet_group, DBSubnetGroupName="group") == "InvalidDBSubnetGroupStateFault"
    rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    rds.delete_db_subnet_group(DBSubnetGroupName="group")


@mends("rds.parameter_groups")
def test_parameter_groups(rds: t.Any) -> None:
    assert refusal(rds.describe_db_parameter_groups, DBParameterGroupName="no") == "DBParameterGroupNotFound"
    rds.create_db_parameter_group(DBParameterGroupName="tls", DBParameterGroupFamily="postgres16", Description="d")
    tls = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="tls", Parameters=[tls])
    listed = rds.describe_db_parameters(DBParameterGroupName="tls")["Parameters"]
    found = {one["ParameterName"]: one for one in listed}
    assert found["log_statement"]["Source"] == "engine-default"
    assert found["rds.force_ssl"]["Source"] == "user"
    assert found["rds.force_ssl"]["ParameterValue"] == "1"
    create(rds, DBParameterGroupName="tls", EngineVersion="16")
    assert refusal(rds.delete_db_parameter_group, DBParameterGroupName="tls") == "InvalidDBParameterGroupState"
    rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    rds.delete_db_parameter_group(DBParameterGroupName="tls")


@mends("rds.read_replicas")
def test_sources_that_can_have_no_replica(rds: t.Any) -> None:
    create(rds, MasterUserPassword=None, ManageMasterUserPassword=True)
    replicate = rds.create_db_instance_read_replica
    asked = {"DBInstanceIdentifier": "copy", "SourceDBInstanceIdentifier": "shop"}
    with pytest.raises(ClientError, match="ManageMasterUserPassword is enabled is not supported"):
        replicate(**asked)
    create(rds, DBInstanceIdentifier="bare", BackupRetentionPeriod=0)
    assert refusal(replicate, **{**asked, "SourceDBInstanceIdentifier": "bare"}) == "InvalidDBInstanceState"


@mends("rds.read_replicas", "rds.replica_ties")
def test_a_replica_in_another_region(emulator: Emulator, rds: t.Any) -> None:
    there = emulator.client("rds", OTHER)
    subnets = Network(emulator, "10.1", OTHER).subnets
    there.create_db_subnet_group(DBSubnetGroupName="there", DBSubnetGroupDescription="d", SubnetIds=subnets)
    source = create(rds, Tags=TAGS)
    copied = there.create_db_instance_read_replica(
        DBInstanceIdentifier="copy", SourceDBInstanceIdentifier=source["DBInstanceArn"], DBSubnetGroupName="there"
    )["DBInstance"]
    assert copied["DBInstanceArn"].split(":")[3] == OTHER
    assert copied["DBSubnetGroup"]["DBSubnetGroupName"] == "there"
    assert copied["TagList"] == []
    assert copied["StatusInfos"][0]["Status"] == "replicating"
    found = rds.describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"][0]
    assert found["ReadReplicaDBInstanceIdentifiers"] == [copied["DBInstanceArn"]]

    promoted = there.promote_read_replica(DBInstanceIdentifier="copy")["DBInstance"]
    assert "ReadReplicaSourceDBInstanceIdentifier" not in promoted
    found = rds.describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"][0]
    assert found["ReadReplicaDBInstanceIdentifiers"] == []


@mends("rds.replica_ties")
def test_a_replica_outlives_its_source(rds: t.Any) -> None:
    create(rds)
    rds.create_db_instance_read_replica(DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="shop")
    rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    left = rds.describe_db_instances()["DBInstances"]
    assert [one["DBInstanceIdentifier"] for one in left] == ["copy"]
    assert "ReadReplicaSourceDBInstanceIdentifier" not in left[0]
    rds.delete_db_instance(DBInstanceIdentifier="copy", SkipFinalSnapshot=True)


@mends("rds.tagged_resources")
def test_tagged_resources(emulator: Emulator, rds: t.Any) -> None:
    rds.create_db_parameter_group(
        DBParameterGroupName="p", DBParameterGroupFamily="postgres16", Description="d", Tags=TAGS
    )
    found = emulator.client("resourcegroupstaggingapi", REGION).get_resources(ResourceTypeFilters=["rds"])
    kinds = sorted(one["ResourceARN"].split(":")[5] for one in found["ResourceTagMappingList"])
    assert kinds == ["pg", "subgrp"]
    rds.delete_db_parameter_group(DBParameterGroupName="p")
    rds.delete_db_subnet_group(DBSubnetGroupName="group")
    tagging = emulator.client("resourcegroupstaggingapi", REGION)
    assert tagging.get_resources(ResourceTypeFilters=["rds"])["ResourceTagMappingList"] == []


@mends("rds_catalogue.engine_versions")
@pytest.mark.parametrize(
    ("engine", "major", "family"),
    [
        ("mysql", "8.0", "mysql8.0"),
        ("mysql", "8.4", "mysql8.4"),
        ("postgres", "15", "postgres15"),
        ("postgres", "16", "postgres16"),
        ("postgres", "17", "postgres17"),
    ],
)
def test_engine_versions(emulator: Emulator, engine: str, major: str, family: str) -> None:
    rds = emulator.client("rds", "eu-central-1")
    found = rds.describe_db_engine_versions(Engine=engine, EngineVersion=major)["DBEngineVersions"]
    assert found
    assert {one["DBParameterGroupFamily"] for one in found} == {family}
    exact = rds.describe_db_engine_versions(Engine=engine, EngineVersion=found[0]["EngineVersion"])
    assert len(exact["DBEngineVersions"]) == 1
    default = rds.describe_db_engine_versions(Engine=engine, EngineVersion=major, DefaultOnly=True)
    assert len(default["DBEngineVersions"]) == 1
    assert rds.describe_db_engine_versions(Engine=engine, EngineVersion="99.9")["DBEngineVersions"] == []


@mends("rds_catalogue.orderable_options")
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-3", "eu-central-1"])
def test_orderable_options(emulator: Emulator, region: str) -> None:
    rds = emulator.client("rds", region)
    for name in ("db.t3.micro", "db.t3.small", "db.t3.medium", "db.t4g.micro", "db.t4g.small", "db.t4g.medium"):
        for engine, version in (("mysql", "8.0.43"), ("mysql", "8.4.6"), ("postgres", "16.10"), ("postgres", "17.6")):
            found = rds.describe_orderable_db_instance_options(
                Engine=engine, EngineVersion=version, DBInstanceClass=name
            )["OrderableDBInstanceOptions"]
            assert {"gp2", "gp3"} <= {one["StorageType"] for one in found}
    for wrong in ({"DBInstanceClass": "db.t9.micro"}, {"EngineVersion": "8.9"}):
        assert rds.describe_orderable_db_instance_options(Engine="mysql", **wrong)["OrderableDBInstanceOptions"] == []


@mends("rds_catalogue.known_versions_and_classes")
def test_known_versions_and_classes(rds: t.Any) -> None:
    assert refusal(create, rds=rds, EngineVersion="99.1") == "InvalidParameterCombination"
    assert refusal(create, rds=rds, DBInstanceClass="db.t9.micro") == "InvalidParameterValue"
    assert create(rds, EngineVersion="16")["EngineVersion"].startswith("16.")
    modify = rds.modify_db_instance
    assert refusal(modify, DBInstanceIdentifier="shop", DBInstanceClass="db.x") == "InvalidParameterValue"

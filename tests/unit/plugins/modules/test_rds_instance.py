# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module against an in-process AWS, and against a scripted one for the states which that one lacks."""

from __future__ import annotations

import copy
import json

import boto3
import moto
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.modules import rds_instance
from botocore.exceptions import ClientError

REGION = "eu-west-3"
DESCRIBED = {
    "db_instance_identifier": "shop-prod-db",
    "engine": "postgres",
    "engine_version": "15",
    "db_instance_class": "db.t3.micro",
    "allocated_storage": 20,
    "max_allocated_storage": 100,
    "multi_az": True,
    "publicly_accessible": False,
    "manage_master_user_password": True,
    "db_name": "shop",
    "master_username": "shop_admin",
    "backup_retention_period": 7,
    "preferred_backup_window": "02:00-02:30",
    "preferred_maintenance_window": "Sun:03:00-Sun:03:30",
    "deletion_protection": True,
    "enable_iam_database_authentication": True,
    "enable_cloudwatch_logs_exports": ["upgrade", "postgresql"],
    "tags": {"Stack": "shop", "Environment": "prod"},
}


@pytest.fixture(autouse=True)
def _quick_and_offline(monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def aws():
    with moto.mock_aws():
        yield boto3.client("rds", region_name=REGION)


def task(check_mode=False, **arguments):
    """Run the module's body as Ansible would; errors come out as exceptions."""
    with patch_module_args({"region": REGION, **arguments, "_ansible_check_mode": check_mode}):
        module = rds_instance.AnsibleAWSModule(argument_spec=rds_instance.ARGUMENTS, supports_check_mode=True)
        return rds_instance.run(module)


def verbs(result):
    return [step["action"] for step in result["plan"]]


class TestOnAnAccount:
    def test_check_on_empty_plans_what_the_run_does(self, aws):
        planned = task(check_mode=True, **DESCRIBED)
        assert planned["changed"]
        assert planned["instance"] == {}
        assert planned["status"] == "absent"
        assert aws.describe_db_instances()["DBInstances"] == []
        done = task(**DESCRIBED)
        assert done["plan"] == planned["plan"]
        assert done["diff"] == planned["diff"]

    def test_second_run_and_second_check_change_nothing(self, aws):
        task(**DESCRIBED)
        for check_mode in (False, True):
            again = task(check_mode=check_mode, **DESCRIBED)
            assert verbs(again) == ["keep"]
            assert not again["changed"]

    def test_what_is_created(self, aws):
        result = task(**DESCRIBED)
        record = aws.describe_db_instances()["DBInstances"][0]
        assert record["StorageType"] == "gp3"
        assert record["StorageEncrypted"] is True
        assert record["PubliclyAccessible"] is False
        assert record["CopyTagsToSnapshot"] is True
        assert record["MaxAllocatedStorage"] == 100
        assert result["master_user_secret_arn"] == record["MasterUserSecret"]["SecretArn"]
        assert result["endpoint"] == {"address": record["Endpoint"]["Address"], "port": 5432}
        assert result["instance"]["tags"] == {"Stack": "shop", "Environment": "prod"}
        assert "tag_list" not in result["instance"]

    def test_a_wait_alone_looks_at_nothing(self, aws):
        task(**{**DESCRIBED, "storage_type": "gp2"})
        result = task(db_instance_identifier="shop-prod-db", wait=True)
        assert verbs(result) == ["keep"]
        assert result["status"] == "available"

    def test_changes_are_made_once(self, aws):
        task(**DESCRIBED)
        wanted = {
            **DESCRIBED,
            "db_instance_class": "db.t3.small",
            "max_allocated_storage": 200,
            "enable_cloudwatch_logs_exports": ["postgresql"],
            "tags": {"Stack": "shop", "Owner": "ops"},
        }
        planned = task(check_mode=True, **wanted)
        assert aws.describe_db_instances()["DBInstances"][0]["DBInstanceClass"] == "db.t3.micro"
        done = task(**wanted)
        assert verbs(done) == ["modify", "tag"]
        assert done["plan"] == planned["plan"]
        record = aws.describe_db_instances()["DBInstances"][0]
        assert record["DBInstanceClass"] == "db.t3.small"
        assert record["EnabledCloudwatchLogsExports"] == ["postgresql"]
        assert done["instance"]["tags"] == {"Stack": "shop", "Owner": "ops"}
        assert not task(**wanted)["changed"]

    def test_diff_names_before_and_after(self, aws):
        task(**DESCRIBED)
        result = task(check_mode=True, **{**DESCRIBED, "backup_retention_period": 14})
        assert result["diff"]["before"] == {"db instance shop-prod-db": {"backup_retention_period": 7}}
        assert result["diff"]["after"] == {"db instance shop-prod-db": {"backup_retention_period": 14}}

    def test_storage_that_grew_by_itself_stays(self, aws):
        task(**DESCRIBED)
        aws.modify_db_instance(DBInstanceIdentifier="shop-prod-db", AllocatedStorage=42)
        result = task(**DESCRIBED)
        assert not result["changed"]
        assert "has grown to 42 GiB" in result["plan"][0]["reason"]

    def test_password_of_an_unmanaged_instance_becomes_managed(self, aws):
        aws.create_db_instance(
            DBInstanceIdentifier="restored",
            Engine="mysql",
            EngineVersion="8.0.36",
            DBInstanceClass="db.t3.micro",
            MasterUsername="admin",
            MasterUserPassword="from-a-snapshot",
            AllocatedStorage=20,
        )
        result = task(db_instance_identifier="restored", manage_master_user_password=True)
        assert verbs(result) == ["modify"]
        assert result["master_user_secret_arn"].startswith("arn:aws:secretsmanager:")
        assert not task(db_instance_identifier="restored", manage_master_user_password=True)["changed"]

    def test_password_out_of_a_secret_shows_nowhere(self, aws):
        secrets = boto3.client("secretsmanager", region_name=REGION)
        secrets.create_secret(Name="shop-prod-db-master", SecretString=json.dumps({"password": "n0t-to-be-seen"}))
        wanted = {**DESCRIBED, "manage_master_user_password": False, "master_user_secret_id": "shop-prod-db-master"}
        result = task(**wanted)
        assert "n0t-to-be-seen" not in json.dumps(result, default=str)
        assert result["master_user_secret_arn"] is None
        assert not task(**wanted)["changed"]

    def test_secret_without_a_password_is_refused(self, aws):
        secrets = boto3.client("secretsmanager", region_name=REGION)
        secrets.create_secret(Name="wrong", SecretString=json.dumps({"user": "x"}))
        with pytest.raises(AnsibleAWSError, match="master_user_secret_id wrong"):
            task(**{**DESCRIBED, "manage_master_user_password": None, "master_user_secret_id": "wrong"})

    def test_alias_of_the_key_that_is_used_is_no_change(self, aws):
        kms = boto3.client("kms", region_name=REGION)
        arn = kms.create_key()["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/db", TargetKeyId=arn)
        task(**DESCRIBED, kms_key_id=arn)
        assert not task(**DESCRIBED, kms_key_id="alias/db")["changed"]
        assert not task(**DESCRIBED, kms_key_id=arn.rpartition("/")[2])["changed"]
        other = kms.create_key()["KeyMetadata"]["Arn"]
        with pytest.raises(AnsibleAWSError, match=r"kms_key_id is .* in place"):
            task(**DESCRIBED, kms_key_id=other)


class TestDeletion:
    def test_protected_is_refused_even_in_check_mode(self, aws):
        task(**DESCRIBED)
        for check_mode in (True, False):
            with pytest.raises(AnsibleAWSError, match="force: true"):
                task(check_mode=check_mode, db_instance_identifier="shop-prod-db", state="absent")
        assert aws.describe_db_instances()["DBInstances"]

    def test_forced_with_a_final_snapshot_and_twice(self, aws):
        task(**DESCRIBED)
        absent = {"db_instance_identifier": "Shop-Prod-DB", "state": "absent", "force": True}
        planned = task(check_mode=True, **absent)
        done = task(**absent)
        assert verbs(done) == ["modify", "delete"]
        assert done["plan"] == planned["plan"]
        snapshots = aws.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        assert [snapshot["DBSnapshotIdentifier"] for snapshot in snapshots] == [done["final_snapshot_identifier"]]
        assert done["final_snapshot_identifier"].startswith("shop-prod-db-final-20")
        again = task(**absent, wait=True)
        assert verbs(again) == ["keep"]
        assert again["final_snapshot_identifier"] is None

    def test_given_snapshot_name_and_none_at_all(self, aws):
        for skip in (False, True):
            task(**{**DESCRIBED, "deletion_protection": False})
            done = task(
                db_instance_identifier="shop-prod-db",
                state="absent",
                final_db_snapshot_identifier="last-one",
                skip_final_snapshot=skip,
            )
            assert verbs(done) == ["delete"]
            assert done["final_snapshot_identifier"] == (None if skip else "last-one")
        assert len(aws.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]) == 1


class TestReplica:
    @pytest.fixture
    def source(self, aws):
        return aws.create_db_instance(
            DBInstanceIdentifier="source",
            Engine="postgres",
            EngineVersion="15.4",
            DBInstanceClass="db.t3.micro",
            MasterUsername="owner",
            MasterUserPassword="not-managed",
            AllocatedStorage=20,
            BackupRetentionPeriod=7,
        )["DBInstance"]

    def test_created_once(self, aws, source):
        wanted = {
            "db_instance_identifier": "replica",
            "source_db_instance_identifier": "source",
            "db_instance_class": "db.t3.small",
            "engine": "postgres",
            "backup_retention_period": 3,
        }
        planned = task(check_mode=True, **wanted)
        done = task(**wanted)
        assert done["plan"] == planned["plan"]
        assert done["instance"]["read_replica_source_db_instance_identifier"] == "source"
        assert not task(**wanted)["changed"]

    def test_source_with_a_managed_password_is_refused(self, aws):
        task(**DESCRIBED)
        with pytest.raises(AnsibleAWSError, match="RDS makes no read replica of shop-prod-db"):
            task(check_mode=True, db_instance_identifier="replica", source_db_instance_identifier="shop-prod-db")

    def test_plan_from_nothing(self, aws):
        arn = "arn:aws:rds:us-east-1:123456789012:db:source"
        planned = task(check_mode=True, db_instance_identifier="replica", source_db_instance_identifier=arn)
        assert verbs(planned) == ["create"]


# --- a scripted RDS -------------------------------------------------------------------------------------------------


def refusal(code, message="no", operation="ModifyDBInstance"):
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class ScriptedRds:
    """Describes an instance, and answers writes the way RDS does where the in-process AWS is too kind.

    ``later`` holds what each further look at the instance finds: a dict of changed keys, or ``None`` for gone.
    """

    def __init__(self, record=None, later=()):
        self.record = copy.deepcopy(record)
        self.later = list(later)
        self.calls = []
        self.refusals = {}
        self.looks = 0

    def describe_db_instances(self, DBInstanceIdentifier):  # noqa: N803 (AWS's name)
        self.looks += 1
        if self.looks > 1 and self.later:
            self.move(self.later.pop(0))
        if self.record is None:
            raise refusal("DBInstanceNotFound", operation="DescribeDBInstances")
        return {"DBInstances": [copy.deepcopy(self.record)]}

    def move(self, change):
        self.record = None if change is None else {**(self.record or {}), **change}

    def __getattr__(self, name):
        def call(**parameters):
            self.calls.append((name, parameters))
            if self.refusals.get(name):
                raise self.refusals[name].pop(0)
            if name == "create_db_instance":
                self.record = {"DBInstanceStatus": "creating", **parameters}
            return {"DBInstance": copy.deepcopy(self.record)}

        return call

    @property
    def writes(self):
        return [name for name, _parameters in self.calls]


RECORD = {
    "DBInstanceIdentifier": "db",
    "DBInstanceArn": "arn:aws:rds:eu-west-3:123456789012:db:db",
    "DBInstanceStatus": "available",
    "Engine": "mysql",
    "EngineVersion": "8.0.36",
    "DBInstanceClass": "db.t3.micro",
    "AllocatedStorage": 20,
    "StorageType": "gp3",
    "Iops": 3000,
    "StorageThroughput": 125,
    "StorageEncrypted": True,
    "MultiAZ": False,
    "DBParameterGroups": [{"DBParameterGroupName": "db-mysql8", "ParameterApplyStatus": "in-sync"}],
    "MasterUserSecret": {
        "SecretArn": "arn:aws:secretsmanager:eu-west-3:123456789012:secret:x",
        "SecretStatus": "active",
    },
}


@pytest.fixture
def scripted(monkeypatch):
    naps = []
    monkeypatch.setattr("time.sleep", naps.append)

    def install(record=None, later=()):
        fake = ScriptedRds(record, later)
        fake.naps = naps
        monkeypatch.setattr(rds_instance.AnsibleAWSModule, "client", lambda self, service, **_kwargs: fake)
        return fake

    return install


class TestStates:
    def test_pending_values_are_not_asked_for_again(self, scripted):
        fake = scripted({**RECORD, "PendingModifiedValues": {"DBInstanceClass": "db.t3.small", "MultiAZ": True}})
        result = task(db_instance_identifier="db", db_instance_class="db.t3.small", multi_az=True)
        assert not result["changed"]
        assert fake.writes == []

    def test_pending_value_that_is_no_longer_wanted_is_taken_back(self, scripted):
        fake = scripted({**RECORD, "PendingModifiedValues": {"DBInstanceClass": "db.t3.small"}})
        task(db_instance_identifier="db", db_instance_class="db.t3.micro")
        assert fake.calls[0][1]["DBInstanceClass"] == "db.t3.micro"

    def test_masked_pending_password_is_not_returned(self, scripted):
        scripted({**RECORD, "PendingModifiedValues": {"MasterUserPassword": "****"}})
        assert task(db_instance_identifier="db")["instance"]["pending_modified_values"] == {}

    def test_second_deploy_while_creating_changes_nothing(self, scripted):
        fake = scripted({**RECORD, "DBInstanceStatus": "creating", "DbInstancePort": 0})
        result = task(
            db_instance_identifier="db",
            multi_az=True,
            port=3306,
            enable_cloudwatch_logs_exports=["error"],
            monitoring_interval=60,
            monitoring_role_arn="arn:aws:iam::123456789012:role/m",
        )
        assert verbs(result) == ["skip"]
        assert "it is creating: multi_az, monitoring_interval" in result["plan"][0]["reason"]
        assert result["endpoint"] == {}
        assert fake.writes == []

    def test_change_while_creating_without_wait_is_an_error_but_planned(self, scripted):
        fake = scripted({**RECORD, "DBInstanceStatus": "creating"})
        wanted = {"db_instance_identifier": "db", "db_instance_class": "db.t3.small"}
        assert verbs(task(check_mode=True, **wanted)) == ["modify"]
        with pytest.raises(AnsibleAWSError, match=r"db instance db is creating.*wait: true"):
            task(**wanted)
        assert fake.writes == []

    def test_change_while_creating_with_wait_comes_after(self, scripted):
        settled = {"DBInstanceStatus": "available", "DBInstanceClass": "db.t3.small", "PendingModifiedValues": {}}
        pending = {"PendingModifiedValues": {"DBInstanceClass": "db.t3.small"}}
        fake = scripted(
            {**RECORD, "DBInstanceStatus": "creating"},
            [{"DBInstanceStatus": "backing-up"}, {"DBInstanceStatus": "available"}, pending, pending, settled],
        )
        result = task(db_instance_identifier="db", db_instance_class="db.t3.small", wait=True)
        assert fake.writes == ["modify_db_instance"]
        assert result["instance"]["db_instance_class"] == "db.t3.small"
        assert fake.later == []

    def test_waiting_ends(self, scripted, monkeypatch):
        scripted({**RECORD, "DBInstanceStatus": "creating"})
        clock = iter(range(0, 10_000, 700))
        monkeypatch.setattr("time.monotonic", lambda: next(clock))
        with pytest.raises(AnsibleAWSError, match=r"still creating.*wait_timeout \(1800 s\)"):
            task(db_instance_identifier="db", wait=True)

    def test_failed_creation_is_told(self, scripted):
        scripted({**RECORD, "DBInstanceStatus": "creating"}, [{"DBInstanceStatus": "incompatible-network"}])
        with pytest.raises(AnsibleAWSError, match="incompatible-network"):
            task(db_instance_identifier="db", wait=True)

    def test_gone_while_waited_for_is_told(self, scripted):
        scripted({**RECORD, "DBInstanceStatus": "creating"}, [None])
        with pytest.raises(AnsibleAWSError, match="went away"):
            task(db_instance_identifier="db", wait=True)

    def test_stopped_is_told(self, scripted):
        scripted({**RECORD, "DBInstanceStatus": "stopped"})
        assert not task(db_instance_identifier="db", wait=True)["changed"]
        with pytest.raises(AnsibleAWSError, match="start it"):
            task(db_instance_identifier="db", multi_az=True, wait=True)

    def test_deleting_is_an_error_or_waited_for(self, scripted):
        wanted = {**DESCRIBED, "db_instance_identifier": "db"}
        scripted({**RECORD, "DBInstanceStatus": "deleting"})
        with pytest.raises(AnsibleAWSError, match="is being deleted"):
            task(**wanted)
        fake = scripted({**RECORD, "DBInstanceStatus": "deleting"}, [None, {"DBInstanceStatus": "creating"}])
        fake.later.append({"DBInstanceStatus": "available"})
        assert verbs(task(**wanted, wait=True)) == ["create"]
        assert fake.writes == ["create_db_instance"]

    def test_storage_waits_for_optimization_but_the_rest_does_not(self, scripted):
        fake = scripted({**RECORD, "DBInstanceStatus": "storage-optimization"})
        task(db_instance_identifier="db", multi_az=True)
        assert fake.writes == ["modify_db_instance"]
        with pytest.raises(AnsibleAWSError, match="storage-optimization"):
            task(db_instance_identifier="db", allocated_storage=40)

    def test_reboot_only_when_asked_and_needed(self, scripted):
        waiting = [{"DBParameterGroupName": "db-mysql8", "ParameterApplyStatus": "pending-reboot"}]
        fake = scripted({**RECORD, "DBParameterGroups": waiting})
        assert task(db_instance_identifier="db")["reboot_required"] is True
        assert fake.writes == []
        assert verbs(task(db_instance_identifier="db", reboot="if_needed")) == ["reboot"]
        assert fake.writes == ["reboot_db_instance"]
        fake = scripted(RECORD)
        assert not task(db_instance_identifier="db", reboot="if_needed")["changed"]

    def test_new_parameter_group_then_restart(self, scripted):
        group = {"DBParameterGroupName": "other"}
        fake = scripted(
            RECORD,
            [
                {"DBParameterGroups": [{**group, "ParameterApplyStatus": "applying"}]},
                {"DBParameterGroups": [{**group, "ParameterApplyStatus": "pending-reboot"}]},
                {"DBInstanceStatus": "rebooting"},
                {
                    "DBInstanceStatus": "available",
                    "DBParameterGroups": [{**group, "ParameterApplyStatus": "in-sync"}],
                },
            ],
        )
        result = task(db_instance_identifier="db", db_parameter_group_name="Other", reboot="if_needed", wait=True)
        assert fake.writes == ["modify_db_instance", "reboot_db_instance"]
        assert result["reboot_required"] is False

    def test_promotion(self, scripted):
        replica = {**RECORD, "ReadReplicaSourceDBInstanceIdentifier": "source", "MasterUserSecret": {}}
        fake = scripted(replica)
        wanted = {"db_instance_identifier": "db", "read_replica": False, "backup_retention_period": 7}
        assert verbs(task(check_mode=True, **wanted)) == ["promote", "skip"]
        task(**wanted)
        assert fake.calls == [
            ("promote_read_replica", {"DBInstanceIdentifier": "db", "BackupRetentionPeriod": 7}),
        ]
        scripted({**RECORD, "BackupRetentionPeriod": 7})
        assert not task(**wanted, source_db_instance_identifier="source")["changed"]

    def test_throttling_is_waited_out(self, scripted):
        fake = scripted(RECORD)
        fake.refusals["modify_db_instance"] = [refusal("Throttling"), refusal("Throttling")]
        assert task(db_instance_identifier="db", multi_az=True)["changed"]
        assert len(fake.writes) == 3

    def test_create_passes_botocores_own_check(self, scripted):
        """The scripted client takes anything, so the parameters are held against the service model here."""
        fake = scripted(None)
        task(**{**DESCRIBED, "monitoring_interval": 60, "monitoring_role_arn": "arn:aws:iam::123456789012:role/m"})
        parameters = fake.calls[0][1]
        model = boto3.client("rds", region_name=REGION).meta.service_model.operation_model("CreateDBInstance")
        assert set(parameters) <= set(model.input_shape.members)
        assert "MasterUserPassword" not in parameters
        assert parameters["ManageMasterUserPassword"] is True


class TestDeletionStates:
    def test_absent_while_deleting(self, scripted):
        fake = scripted({**RECORD, "DBInstanceStatus": "deleting"})
        assert not task(db_instance_identifier="db", state="absent")["changed"]
        fake = scripted({**RECORD, "DBInstanceStatus": "deleting"}, [{}, {}, None])
        result = task(db_instance_identifier="db", state="absent", wait=True)
        assert not result["changed"]
        assert result["status"] == "absent"
        assert fake.writes == []

    def test_already_being_deleted_by_another_run(self, scripted):
        fake = scripted(RECORD)
        message = "Instance db is already being deleted."
        fake.refusals["delete_db_instance"] = [refusal("InvalidDBInstanceState", message, "DeleteDBInstance")]
        assert task(db_instance_identifier="db", state="absent")["changed"]

    def test_busy_instance_is_an_error_without_wait(self, scripted):
        fake = scripted({**RECORD, "DBInstanceStatus": "creating"})
        fake.refusals["delete_db_instance"] = [refusal("InvalidDBInstanceState", "is not available")]
        with pytest.raises(AnsibleAWSError, match=r"is creating and RDS refuses to delete it now.*wait: true"):
            task(db_instance_identifier="db", state="absent")

    def test_busy_instance_is_asked_again_with_wait(self, scripted):
        fake = scripted({**RECORD, "DBInstanceStatus": "creating"}, [None])
        fake.refusals["delete_db_instance"] = [refusal("InvalidDBInstanceState")] * 2
        result = task(db_instance_identifier="db", state="absent", wait=True)
        assert fake.writes == ["delete_db_instance"] * 3
        assert result["status"] == "absent"

    def test_protection_takes_a_moment_to_go(self, scripted):
        fake = scripted({**RECORD, "DeletionProtection": True})
        refused = refusal("InvalidParameterCombination", "Cannot delete protected DB Instance")
        fake.refusals["delete_db_instance"] = [refused]
        task(db_instance_identifier="db", state="absent", force=True, skip_final_snapshot=True)
        assert fake.writes == ["modify_db_instance", "delete_db_instance", "delete_db_instance"]
        assert fake.calls[-1][1] == {
            "DBInstanceIdentifier": "db",
            "SkipFinalSnapshot": True,
            "DeleteAutomatedBackups": True,
        }

    def test_other_refusals_are_passed_on(self, scripted):
        fake = scripted(RECORD)
        fake.refusals["delete_db_instance"] = [refusal("DBSnapshotAlreadyExists", "snapshot exists")]
        with pytest.raises(AnsibleAWSError, match="snapshot exists"):
            task(db_instance_identifier="db", state="absent", wait=True)

    def test_replica_goes_without_a_snapshot(self, scripted):
        fake = scripted({**RECORD, "ReadReplicaSourceDBInstanceIdentifier": "source"})
        result = task(db_instance_identifier="db", state="absent")
        assert result["final_snapshot_identifier"] is None
        assert fake.calls == [("delete_db_instance", {"DBInstanceIdentifier": "db", "SkipFinalSnapshot": True})]


def test_main_fails_with_one_message(scripted, capsys):
    scripted(RECORD)
    arguments = {"region": REGION, "db_instance_identifier": "db", "engine": "postgres", "db_name": "x"}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        rds_instance.main()
    result = json.loads(capsys.readouterr().out)
    assert result["failed"]
    assert result["msg"].startswith("db instance db: engine is 'mysql' and cannot become 'postgres' in place: ")

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fleets of inventories/clefcloud: their life in dev and prod, and what the customer asked for (K1 to K12)."""

from __future__ import annotations

import base64
import json

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.emulator import Emulator
from tests.integration.clefcloud.costs import Costs
from tests.integration.cycle import NO_DATA_PLANE, Deployment, Destruction, Stack, System
from tests.integration.permissions import written_policies
from tests.integration.runner import Run, Runner
from tests.integration.view import Record, View, tags

pytestmark = pytest.mark.slow

REGION, COPY_REGION = "eu-west-3", "eu-central-1"
TIERS = frozenset(
    {"network", "dns", "load_balancer", "rds", "storage", "identity", "ec2_app", "monitoring", "pipelines"}
)
SYSTEM = System(
    "clefcloud",
    "clefcloud",
    (Stack("clefcloud_dev", "dev", REGION, TIERS), Stack("clefcloud_prod", "prod", REGION, TIERS)),
    {**NO_DATA_PLANE, "ec2_app_verify_targets": False},
    saves=True,
    # It holds the access logs of the others.
    forgets={"storage_destroy_data": ["logs"]},
)
ENVS = ["dev", "prod"]
#: Type, least and most instances.
SIZES = {"dev": ("t3.micro", 1, 4), "prod": ("t3.small", 2, 4)}


@pytest.fixture(scope="module")
def view(deployed: Run, account: Emulator) -> View:
    """The account."""
    return View(account, REGION)


@pytest.fixture(scope="module", params=ENVS)
def env(request: pytest.FixtureRequest) -> str:
    """Each stack's environment in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def prefix(env: str) -> str:
    """Start of the stack's names."""
    return f"clefcloud-{env}"


@pytest.fixture(scope="module")
def group(view: View, prefix: str) -> Record:
    """The fleet's Auto Scaling group."""
    return view.auto_scaling_group(f"{prefix}-app")


@pytest.fixture(scope="module")
def machine(view: View, group: Record) -> Record:
    """What the group launches."""
    return view.launched_with(group)


@pytest.fixture(scope="module")
def cloud_config(machine: Record) -> Record:
    """The fleet's user data."""
    found: Record = yaml.safe_load(base64.b64decode(machine["UserData"]))
    return found


@pytest.fixture(scope="module")
def files(cloud_config: Record) -> dict[str, str]:
    """The files that the user data writes, by path."""
    return {one["path"]: one["content"] for one in cloud_config["write_files"]}


class TestDeployment(Deployment):
    """They come up as planned."""


class TestRows:
    """What then stands, in dev and in prod."""

    def test_k1_public_and_private_subnets_in_two_zones_nat_and_flow_logs(self, view: View, prefix: str) -> None:
        vpc = view.vpc(f"{prefix}-vpc")
        assert vpc["CidrBlock"] == "10.0.0.0/16"
        kinds: dict[str, set[str]] = {}
        for subnet in view.subnets(vpc):
            kinds.setdefault(subnet["AvailabilityZone"], set()).add(view.kind(subnet["SubnetId"]))
        assert list(kinds.values()) == [{"public", "private"}] * 2
        inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
        (nat,) = view.ec2.describe_nat_gateways(Filters=[*inside, {"Name": "state", "Values": ["available"]}])[
            "NatGateways"
        ]
        assert view.kind(nat["SubnetId"]) == "public"
        logs = view.ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc["VpcId"]]}])["FlowLogs"]
        assert [(one["FlowLogStatus"], one["TrafficType"]) for one in logs] == [("ACTIVE", "ALL")]
        assert [one["IsDefault"] for one in view.ec2.describe_network_acls(Filters=inside)["NetworkAcls"]] == [True]

    def test_k2_ubuntu_instances_in_a_group_over_both_zones(
        self, view: View, env: str, prefix: str, group: Record, machine: Record
    ) -> None:
        kind, least, most = SIZES[env]
        assert (machine["InstanceType"], group["MinSize"], group["MaxSize"]) == (kind, least, most)
        (image,) = view.ec2.describe_images(ImageIds=[machine["ImageId"]])["Images"]
        assert "ubuntu-jammy-22.04" in image["Name"]
        subnets = group["VPCZoneIdentifier"].split(",")
        assert [view.kind(subnet) for subnet in subnets] == ["private", "private"]
        zones = {one["AvailabilityZone"] for one in group["Instances"]}
        assert (len(group["Instances"]), len(zones)) == (least, min(least, 2))
        assert {one["LifecycleState"] for one in group["Instances"]} == {"InService"}
        assert group["HealthCheckType"] == "ELB"

    def test_k2_it_scales_out_above_80_percent_for_2_minutes_and_in_below_20(
        self, view: View, prefix: str, machine: Record
    ) -> None:
        client = view.client("autoscaling")
        policies = client.describe_policies(AutoScalingGroupName=f"{prefix}-app")["ScalingPolicies"]
        steps = {one["PolicyARN"]: [step["ScalingAdjustment"] for step in one["StepAdjustments"]] for one in policies}
        assert {one["PolicyType"] for one in policies} == {"StepScaling"}
        alarms = [one for one in view.alarms() if set(one["AlarmActions"]) & set(steps) and prefix in one["AlarmName"]]
        assert {
            (one["ComparisonOperator"], one["Threshold"], one["Period"] * one["EvaluationPeriods"]) for one in alarms
        } == {("GreaterThanThreshold", 80.0, 120), ("LessThanThreshold", 20.0, 120)}
        for alarm in alarms:
            assert alarm["MetricName"] == "CPUUtilization"
            assert alarm["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": f"{prefix}-app"}]
            out = alarm["ComparisonOperator"] == "GreaterThanThreshold"
            (action,) = alarm["AlarmActions"]
            assert all(step > 0 if out else step < 0 for step in steps[action])
        # EC2 measures each minute only then.
        assert machine["Monitoring"] == {"Enabled": True}

    def test_k3_the_application_runs_under_systemd_behind_nginx(
        self, env: str, cloud_config: Record, files: dict[str, str]
    ) -> None:
        assert {"nginx", "unattended-upgrades"} <= set(cloud_config["packages"])
        assert "listen 3000 default_server;" in files["/etc/palier/nginx.conf"]
        assert "proxy_pass http://127.0.0.1:8000;" in files["/etc/palier/nginx.conf"]
        unit = files["/etc/systemd/system/app.service"]
        assert {"User=app", "Restart=always"} <= set(unit.splitlines())
        assert "PORT=8000" in unit
        assert "APP_VERSION=v1.0.0" in files["/etc/palier/deploy.conf"]

    def test_k3_the_agent_sends_memory_disk_and_the_customers_log_groups(self, env: str, files: dict[str, str]) -> None:
        config = json.loads(files["/etc/palier/cloudwatch.json"])
        assert set(config["metrics"]["metrics_collected"]) == {"mem", "disk"}
        groups = {one["log_group_name"] for one in config["logs"]["logs_collected"]["files"]["collect_list"]}
        assert groups == {f"/aws/ec2/clefcloud/{env}/app", f"/aws/ec2/clefcloud/{env}/nginx"}

    def test_an_instance_that_leaves_finishes_its_requests(
        self, view: View, prefix: str, files: dict[str, str]
    ) -> None:
        (hook,) = view.client("autoscaling").describe_lifecycle_hooks(AutoScalingGroupName=f"{prefix}-app")[
            "LifecycleHooks"
        ]
        assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
        config = json.loads(files["/etc/palier/drain.json"])
        assert (config["group"], config["hook"]) == (f"{prefix}-app", hook["LifecycleHookName"])
        assert config["requests_seconds"] < hook["HeartbeatTimeout"]

    def test_instances_are_closed_and_encrypted(self, view: View, group: Record, machine: Record) -> None:
        assert machine["MetadataOptions"]["HttpTokens"] == "required"
        assert machine["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
        for mapping in machine["BlockDeviceMappings"]:
            assert (mapping["Ebs"]["Encrypted"], mapping["Ebs"]["VolumeType"]) == (True, "gp3")
        ids = [one["InstanceId"] for one in group["Instances"]]
        for page in view.ec2.describe_instances(InstanceIds=ids)["Reservations"]:
            for instance in page["Instances"]:
                assert "PublicIpAddress" not in instance
                assert tags(instance)["Fleet"] == "app"

    def test_k4_the_database(self, view: View, env: str, prefix: str) -> None:
        database = view.database(f"{prefix}-db")
        assert database["Engine"] == "postgres"
        assert database["EngineVersion"].split(".")[0] == "15"
        assert database["DBInstanceClass"] == {"dev": "db.t3.micro", "prod": "db.t3.small"}[env]
        assert (database["StorageType"], database["AllocatedStorage"]) == ("gp3", 20)
        assert database["MaxAllocatedStorage"] == 100
        assert database["BackupRetentionPeriod"] == 7
        assert database["MultiAZ"] is (env == "prod")
        assert database["StorageEncrypted"] is True
        assert database["PreferredMaintenanceWindow"] == "sun:03:00-sun:04:00"
        assert database["PerformanceInsightsEnabled"] is (env == "prod")
        assert set(database["EnabledCloudwatchLogsExports"]) == {"postgresql", "upgrade"}

    def test_k5_buckets(self, view: View, env: str, prefix: str) -> None:
        names = {name: f"{prefix}-{name}-{view.account_id}" for name in ("partitions", "logs", "backups")}
        for bucket in names.values():
            (rule,) = view.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
            assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        assert view.s3.get_bucket_versioning(Bucket=names["partitions"])["Status"] == "Enabled"
        rules = view.s3.get_bucket_lifecycle_configuration(Bucket=names["partitions"])["Rules"]
        moves = [(one["Days"], one["StorageClass"]) for rule in rules for one in rule.get("Transitions", [])]
        assert moves == [(180, "GLACIER")]

    def test_k5_partitions_are_copied_to_another_region_in_prod(self, view: View, env: str, prefix: str) -> None:
        bucket = f"{prefix}-partitions-{view.account_id}"
        if env != "prod":
            with pytest.raises(ClientError):
                view.s3.get_bucket_replication(Bucket=bucket)
            return
        (rule,) = view.s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]["Rules"]
        copy = rule["Destination"]["Bucket"].rpartition(":")[2]
        assert rule["Status"] == "Enabled"
        assert view.s3.get_bucket_location(Bucket=copy)["LocationConstraint"] == COPY_REGION

    def test_k6_a_user_signs_up_confirms_and_signs_in(self, view: View, prefix: str) -> None:
        cognito, client = view.client("cognito-idp"), self._client(view, prefix)
        user, password = "ann@example.com", "Correct1horse"
        attributes = [{"Name": "email", "Value": user}]
        for weak in ("Abc1", "correct1horse", "CORRECT1HORSE", "CorrectHorse"):
            with pytest.raises(ClientError, match="InvalidPasswordException"):
                cognito.sign_up(ClientId=client, Username=user, Password=weak, UserAttributes=attributes)
        cognito.sign_up(ClientId=client, Username=user, Password=password, UserAttributes=attributes)
        # The emulator sends no mail and takes any code.
        cognito.confirm_sign_up(ClientId=client, Username=user, ConfirmationCode="123456")
        signed_in = cognito.initiate_auth(
            ClientId=client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": password},
        )
        assert signed_in["AuthenticationResult"]["AccessToken"]

    def test_k6_second_factors_are_optional_and_an_identity_pool_has_a_role(self, view: View, prefix: str) -> None:
        cognito = view.client("cognito-idp")
        pool = cognito.describe_user_pool(UserPoolId=self._pool(view, prefix))["UserPool"]
        assert pool["MfaConfiguration"] == "OPTIONAL"
        identities = view.client("cognito-identity")
        pools = identities.list_identity_pools(MaxResults=60)["IdentityPools"]
        (found,) = [one["IdentityPoolId"] for one in pools if one["IdentityPoolName"].startswith(prefix)]
        roles = identities.get_identity_pool_roles(IdentityPoolId=found)["Roles"]
        assert roles["authenticated"].endswith(f"/{prefix}-signed-in")

    @staticmethod
    def _pool(view: View, prefix: str) -> str:
        pools = view.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
        (found,) = [str(one["Id"]) for one in pools if one["Name"].startswith(prefix)]
        return found

    def _client(self, view: View, prefix: str) -> str:
        found = view.client("cognito-idp").list_user_pool_clients(UserPoolId=self._pool(view, prefix), MaxResults=60)
        (client,) = found["UserPoolClients"]
        return str(client["ClientId"])

    def test_k7_the_balancer_checks_health_ends_tls_and_keeps_clients_together(
        self, view: View, prefix: str, group: Record
    ) -> None:
        listeners = view.listeners(f"{prefix}-alb")
        assert listeners[443]["Certificates"]
        (redirect,) = listeners[80]["DefaultActions"]
        assert (redirect["Type"], redirect["RedirectConfig"]["Protocol"]) == ("redirect", "HTTPS")
        target = view.target_groups()[f"{prefix}-app"]
        assert (target["TargetType"], target["Port"], target["HealthCheckPath"]) == ("instance", 3000, "/health")
        assert group["TargetGroupARNs"] == [target["TargetGroupArn"]]
        assert view.routes(listeners[443]) == [(("/*",), f"{prefix}-app")]
        elbv2 = view.client("elbv2")
        found = elbv2.describe_target_group_attributes(TargetGroupArn=target["TargetGroupArn"])["Attributes"]
        attributes = {one["Key"]: one["Value"] for one in found}
        assert attributes["stickiness.enabled"] == "true"
        health = elbv2.describe_target_health(TargetGroupArn=target["TargetGroupArn"])["TargetHealthDescriptions"]
        assert {one["Target"]["Id"] for one in health} == {one["InstanceId"] for one in group["Instances"]}

    def test_k8_instances_reach_their_own_bucket_logs_and_metrics_and_nothing_else(
        self, account: Emulator, view: View, prefix: str
    ) -> None:
        written = written_policies(account)
        (document,) = (
            found
            for arn, found in written.items()
            if arn.endswith(f":policy/clefcloud/{prefix[10:]}/ec2_app/{prefix}-app")
        )
        services = {action.split(":")[0] for one in document["Statement"] for action in listed(one["Action"])}
        assert services <= {"s3", "logs", "cloudwatch", "secretsmanager", "ssm", "kms", "rds", "autoscaling", "ec2"}
        assert [
            action for one in document["Statement"] for action in listed(one["Action"]) if action.endswith("*")
        ] == []
        buckets = [arn for one in document["Statement"] for arn in listed(one["Resource"]) if ":s3:::" in arn]
        assert {
            arn.partition(":s3:::")[2].removesuffix("/*").startswith(f"{prefix}-partitions") for arn in buckets
        } == {True}

    def test_k8_pipelines_take_on_a_role_with_their_token(self, account: Emulator, prefix: str) -> None:
        role = account.client("iam").get_role(RoleName=f"{prefix}-plan")["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        subjects = statement["Condition"]["StringLike"]["token.actions.githubusercontent.com:sub"]
        assert subjects == ["repo:clefcloud/backend:ref:refs/heads/*"]

    def test_k9_alarms_and_thresholds(self, view: View, env: str, prefix: str) -> None:
        found = {
            one["AlarmName"].removeprefix(f"{prefix}-"): (
                one["MetricName"],
                one["ComparisonOperator"].partition("Than")[0],
                one["Threshold"],
            )
            for one in view.alarms()
            if one["AlarmName"].startswith(f"{prefix}-") and any(":sns:" in action for action in one["AlarmActions"])
        }
        # 80 % of the connections that the class takes.
        connections = found.pop("database-connections")
        assert connections[:2] == ("DatabaseConnections", "Greater")
        assert connections[2] == {"dev": 64.0, "prod": 152.0}[env]
        assert found == {
            "app-cpu": ("CPUUtilization", "Greater", 80.0),
            "app-memory": ("mem_used_percent", "Greater", 85.0),
            "app-unhealthy-targets": ("UnHealthyHostCount", "Greater", 0.0),
            "database-cpu": ("CPUUtilization", "Greater", 80.0),
            "database-storage": ("FreeStorageSpace", "Less", 2.0 * 1024**3),
        }

    def test_k9_log_groups_and_dashboard(self, view: View, env: str, prefix: str) -> None:
        logs = view.client("logs").describe_log_groups()["logGroups"]
        kept = {one["logGroupName"]: one.get("retentionInDays") for one in logs}
        for name in (
            f"/aws/ec2/clefcloud/{env}/app",
            f"/aws/ec2/clefcloud/{env}/nginx",
            f"/aws/rds/instance/{prefix}-db/postgresql",
        ):
            assert kept[name], name
        body = json.loads(view.client("cloudwatch").get_dashboard(DashboardName=prefix)["DashboardBody"])
        text = json.dumps(body)
        for metric in ("CPUUtilization", "mem_used_percent", "disk_used_percent", "NetworkIn", f"{prefix}-app"):
            assert metric in text

    def test_k10_each_group_lets_in_only_the_one_before(self, view: View, prefix: str) -> None:
        inside = {key: view.lets_in([view.security_group(f"{prefix}-{key}")]) for key in GROUPS}
        assert inside == {
            "load-balancer": {("tcp", 80, 80, "0.0.0.0/0"), ("tcp", 443, 443, "0.0.0.0/0")},
            "application": {("tcp", 3000, 3000, f"{prefix}-load-balancer")},
            "database": {("tcp", 5432, 5432, f"{prefix}-application")},
        }

    def test_k10_the_instances_have_the_applications_group_alone(
        self, view: View, prefix: str, machine: Record
    ) -> None:
        assert machine["SecurityGroupIds"] == [view.security_group(f"{prefix}-application")]

    def test_k11_the_database_keeps_its_secret_in_secrets_manager_and_wants_tls(self, view: View, prefix: str) -> None:
        database = view.database(f"{prefix}-db")
        assert database["MasterUserSecret"]["SecretArn"].startswith(f"arn:aws:secretsmanager:{REGION}:")
        assert view.database_parameters(f"{prefix}-db")["rds.force_ssl"] == "1"

    def test_k11_everything_at_rest_is_encrypted_and_buckets_want_tls(self, view: View, prefix: str) -> None:
        assert {volume["Encrypted"] for volume in view.volumes()} == {True}
        own = [bucket for bucket in view.buckets() if bucket.startswith(prefix)]
        assert len(own) >= 3
        for bucket in own:
            denials = [one for one in view.bucket_policy(bucket) if one["Effect"] == "Deny"]
            assert {"aws:SecureTransport": "false"} in [one["Condition"].get("Bool") for one in denials]

    def test_k12_a_name_leads_to_the_balancer(self, view: View, env: str, prefix: str) -> None:
        zone = f"{env}.clefcloud.example.com"
        target = view.records(zone)[zone, "A"]["AliasTarget"]["DNSName"].rstrip(".").lower()
        assert target.endswith(view.load_balancer(f"{prefix}-alb")["DNSName"].lower())


def listed(value: str | list[str]) -> list[str]:
    """What a policy names, which may be one or several."""
    return value if isinstance(value, list) else [value]


GROUPS = ("load-balancer", "application", "database")


class TestCosts(Costs):
    """K14."""


@pytest.fixture(scope="module")
def before(view: View, deployed: Run) -> Record:
    """The group, which scaling has made larger."""
    view.client("autoscaling").set_desired_capacity(AutoScalingGroupName="clefcloud-prod-app", DesiredCapacity=3)
    return view.auto_scaling_group("clefcloud-prod-app")


@pytest.fixture(scope="module")
def released(runner: Runner, before: Record) -> Run:
    """The deployment of another version."""
    fleet = {
        "name": "app",
        "instance_type": "t3.small",
        "min": 2,
        "buckets": ["partitions"],
        "application": {
            "repository": "https://git.example.com/clefcloud/backend.git",
            "version": "v1.1.0",
            "runtime": "node",
            "port": 3000,
            "health_path": "/health",
        },
        "load_balancer": {"paths": ["/*"], "stickiness_seconds": 86400},
    }
    limits = ("--limit", "clefcloud_prod", "--tags", "ec2_app")
    return runner.play("deploy", *limits, variables={**SYSTEM.switches, "ec2_app_fleets": [fleet]})


class TestRelease:
    """A new version comes to the fleet of prod, whatever scaling made of it."""

    def test_only_what_is_launched_changes_and_a_refresh_starts(self, released: Run) -> None:
        assert [(tier, task) for _stack, tier, task, _item in released.changes] == [
            ("ec2_app", "Bring the version to the instances of app"),
            ("ec2_app", "Describe what the fleet launches"),
        ]

    def test_every_instance_is_replaced(self, view: View, before: Record, released: Run) -> None:
        after = view.auto_scaling_group("clefcloud-prod-app")
        old, new = ({one["InstanceId"] for one in found["Instances"]} for found in (before, after))
        assert not old & new
        assert {one["LaunchTemplate"]["Version"] for one in after["Instances"]} == {after["LaunchTemplate"]["Version"]}
        user_data = base64.b64decode(view.launched_with(after)["UserData"]).decode()
        assert "APP_VERSION=v1.1.0" in user_data

    def test_the_desired_capacity_is_left_to_scaling(self, view: View, released: Run) -> None:
        after = view.auto_scaling_group("clefcloud-prod-app")
        assert (after["DesiredCapacity"], len(after["Instances"])) == (3, 3)

    def test_aws_may_go_back(self, view: View, released: Run) -> None:
        found = view.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName="clefcloud-prod-app")
        (refresh,) = found["InstanceRefreshes"]
        assert refresh["Status"] == "Successful"
        assert refresh["Preferences"]["AutoRollback"] is True
        assert refresh["DesiredConfiguration"]["LaunchTemplate"]["Version"].isdigit()

    def test_a_group_that_somebody_deleted_by_hand_is_no_hindrance_to_its_end(self, view: View, released: Run) -> None:
        """The destruction, which comes next, finds the rest of it."""
        name = "clefcloud-dev-app"
        view.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        assert view.ec2.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]


class TestDestruction(Destruction):
    """They go without a trace."""

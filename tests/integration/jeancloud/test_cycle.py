# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Both regions of inventories/jeancloud: their life, and what the customer asked for, row by row (J1 to J9).

What J9 asks of the images themselves is proven on registries that really serve: C(tests/integration/ecr).
"""

from __future__ import annotations

import pytest

from tests.emulator import Emulator
from tests.integration.cycle import NO_DATA_PLANE, Deployment, Destruction, Stack, System
from tests.integration.runner import Run
from tests.integration.view import Record, View

pytestmark = pytest.mark.slow

FRANCE, GERMANY = "eu-west-3", "eu-central-1"
SYSTEM = System(
    "jeancloud",
    "jeancloud",
    (
        Stack(
            "jeancloud_france",
            "france",
            FRANCE,
            frozenset({"network", "dns", "load_balancer", "rds", "s3_site", "registry", "ecs_app"}),
        ),
        Stack("jeancloud_germany", "germany", GERMANY, frozenset({"network", "registry", "ecs_app"})),
    ),
    NO_DATA_PLANE,
    saves=True,
)


@pytest.fixture(scope="module")
def france(deployed: Run, account: Emulator) -> View:
    """The active region."""
    return View(account, FRANCE)


@pytest.fixture(scope="module")
def germany(deployed: Run, account: Emulator) -> View:
    """The standby region."""
    return View(account, GERMANY)


@pytest.fixture(scope="module")
def backend(france: View) -> Record:
    """The service that runs."""
    return france.services("jeancloud-cluster-france")["jeancloud-backend"]


class TestDeployment(Deployment):
    """Both come up as planned."""


class TestRows:
    """What then stands."""

    def test_j1_the_active_region_has_the_customers_network(self, france: View) -> None:
        vpc = france.vpc("jeancloud-vpc-france")
        assert vpc["CidrBlock"] == "10.0.0.0/16"
        kinds = {one["CidrBlock"]: france.kind(one["SubnetId"]) for one in france.subnets(vpc)}
        assert kinds == {
            "10.0.1.0/24": "public",
            "10.0.2.0/24": "public",
            "10.0.3.0/24": "private",
            "10.0.4.0/24": "private",
        }
        assert len({one["AvailabilityZone"] for one in france.subnets(vpc)}) == 2
        names = {"Filters": [{"Name": "tag:Name", "Values": ["jeancloud-igw-france", "jeancloud-route-public"]}]}
        (gateway,) = france.ec2.describe_internet_gateways(**names)["InternetGateways"]
        assert [one["VpcId"] for one in gateway["Attachments"]] == [vpc["VpcId"]]
        (table,) = france.ec2.describe_route_tables(**names)["RouteTables"]
        assert len([one for one in table["Associations"] if "SubnetId" in one]) == 2

    def test_j2_the_standby_region_has_private_subnets_only(self, germany: View) -> None:
        vpc = germany.vpc("jeancloud-vpc-germany")
        assert vpc["CidrBlock"] == "10.1.0.0/16"
        assert {germany.kind(one["SubnetId"]) for one in germany.subnets(vpc)} == {"closed"}
        attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
        assert germany.ec2.describe_internet_gateways(Filters=attached)["InternetGateways"] == []

    def test_j3_the_service_is_scaled_and_stands_in_an_ip_target_group(self, france: View, backend: Record) -> None:
        assert backend["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE"
        assert france.scaling("jeancloud-cluster-france", "jeancloud-backend") == (
            2,
            6,
            {"ECSServiceAverageCPUUtilization"},
        )
        (container,) = france.task_definition(backend)["containerDefinitions"]
        assert container["image"].endswith(f".dkr.ecr.{FRANCE}.amazonaws.com/jeancloud-backend:v1.0.0")
        (attached,) = backend["loadBalancers"]
        groups = {one["TargetGroupArn"]: one for one in france.target_groups().values()}
        assert groups[attached["targetGroupArn"]]["TargetType"] == "ip"

    def test_j4_the_balancer_forwards_http_to_the_service(self, france: View, backend: Record) -> None:
        listeners = france.listeners("jeancloud-alb")
        assert set(listeners) == {80}
        ((paths, target),) = france.routes(listeners[80])
        assert paths == ("/*",)
        assert france.target_groups()[target]["TargetGroupArn"] == backend["loadBalancers"][0]["targetGroupArn"]

    def test_j5_the_front_end_is_read_by_its_distribution_only(self, france: View) -> None:
        distribution = france.distribution("www.jeancloud.rocks")
        origins = {one["DomainName"]: one for one in distribution["DistributionConfig"]["Origins"]["Items"]}
        bucket = origins[f"jeancloud-frontend.s3.{FRANCE}.amazonaws.com"]
        assert bucket["OriginAccessControlId"]
        allowed = [one for one in france.bucket_policy("jeancloud-frontend") if one["Effect"] == "Allow"]
        conditions = [condition for one in allowed for condition in one["Condition"]["StringEquals"].items()]
        # Keys of conditions are compared without their case.
        assert [(key.lower(), arn) for key, arn in conditions] == [("aws:sourcearn", distribution["ARN"])]
        listed = france.s3.list_objects_v2(Bucket="jeancloud-frontend")["Contents"]
        assert "index.html" in {one["Key"] for one in listed}
        behaviors = distribution["DistributionConfig"]["CacheBehaviors"]["Items"]
        assert [one["PathPattern"] for one in behaviors] == ["/api/*"]

    def test_j6_the_database_has_a_standby_and_is_reached_from_the_services_only(self, france: View) -> None:
        database = france.database("jeancloud-db-france")
        assert (database["Engine"], database["MultiAZ"], database["PubliclyAccessible"]) == ("postgres", True, False)
        assert database["BackupRetentionPeriod"] >= 7
        assert {france.kind(one["SubnetIdentifier"]) for one in database["DBSubnetGroup"]["Subnets"]} == {"private"}
        groups = [one["VpcSecurityGroupId"] for one in database["VpcSecurityGroups"]]
        assert france.lets_in(groups) == {("tcp", 5432, 5432, "jeancloud-sg-ecs")}

    def test_j7_the_execution_role_and_the_groups(self, france: View, backend: Record) -> None:
        attached = france.iam.list_attached_role_policies(RoleName="jeancloud-ecs-execution-role")["AttachedPolicies"]
        assert "AmazonECSTaskExecutionRolePolicy" in {one["PolicyName"] for one in attached}
        role = france.task_definition(backend)["executionRoleArn"]
        assert role.endswith("/jeancloud-ecs-execution-role")
        opened = {
            name: france.lets_in([france.security_group(name)]) for name in ("jeancloud-sg-alb", "jeancloud-sg-ecs")
        }
        assert opened == {
            "jeancloud-sg-alb": {("tcp", 80, 80, "0.0.0.0/0")},
            "jeancloud-sg-ecs": {("tcp", 8000, 8000, "jeancloud-sg-alb")},
        }
        tasks = backend["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]
        assert tasks == [france.security_group("jeancloud-sg-ecs")]

    def test_j8_the_names_lead_to_balancer_and_distribution(self, france: View) -> None:
        records = france.records("jeancloud.rocks")
        balancer = records["api.jeancloud.rocks", "A"]["AliasTarget"]["DNSName"].rstrip(".").lower()
        assert balancer.endswith(france.load_balancer("jeancloud-alb")["DNSName"].lower())
        distribution = france.distribution("www.jeancloud.rocks")
        for kind in ("A", "AAAA"):
            target = records["www.jeancloud.rocks", kind]["AliasTarget"]["DNSName"]
            assert target.rstrip(".") == distribution["DomainName"]
        viewer = distribution["DistributionConfig"]["ViewerCertificate"]
        certificate = france.certificate(viewer["ACMCertificateArn"])
        assert (certificate["DomainName"], certificate["Status"]) == ("www.jeancloud.rocks", "ISSUED")
        assert viewer["ACMCertificateArn"].split(":")[3] == "us-east-1"
        assert viewer["MinimumProtocolVersion"] == "TLSv1.2_2021"

    def test_j9_the_standby_is_prepared_and_asleep(self, germany: View, backend: Record) -> None:
        (service,) = germany.services("jeancloud-cluster-germany").values()
        assert (service["desiredCount"], service["runningCount"]) == (0, 0)
        (container,) = germany.task_definition(service)["containerDefinitions"]
        assert container["image"].endswith(f".dkr.ecr.{GERMANY}.amazonaws.com/jeancloud-backend:v1.0.0")
        repositories = germany.client("ecr").describe_repositories()["repositories"]
        assert [one["repositoryName"] for one in repositories] == ["jeancloud-backend"]


class TestDestruction(Destruction):
    """They go without a trace."""

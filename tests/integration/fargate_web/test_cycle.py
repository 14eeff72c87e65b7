# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two containers of inventories/fargate_web: their life, and what the customer asked for, row by row (F1 to F7)."""

from __future__ import annotations

import pytest

from tests.emulator import Emulator
from tests.integration.cycle import NO_DATA_PLANE, Deployment, Destruction, Stack, System
from tests.integration.runner import Run
from tests.integration.view import Record, View

pytestmark = pytest.mark.slow

REGION = "eu-west-3"
TIERS = frozenset({"network", "dns", "load_balancer", "rds", "s3_site", "registry", "ecs_app"})
SYSTEM = System("fargate_web", "fargate", (Stack("fargate_prod", "prod", REGION, TIERS),), NO_DATA_PLANE, saves=True)
CLUSTER = "fargate-prod-cluster"
FILES = "files.fargate.example.com"


@pytest.fixture(scope="module")
def view(deployed: Run, account: Emulator) -> View:
    """The account."""
    return View(account, REGION)


@pytest.fixture(scope="module")
def services(view: View) -> dict[str, Record]:
    """The services by name."""
    return view.services(CLUSTER)


class TestDeployment(Deployment):
    """It comes up as planned."""


class TestRows:
    """What then stands."""

    def test_f1_public_and_private_subnets_in_each_zone_and_a_nat_gateway(self, view: View) -> None:
        vpc = view.vpc("fargate-prod-vpc")
        assert vpc["CidrBlock"] == "10.0.0.0/16"
        kinds: dict[str, set[str]] = {}
        for subnet in view.subnets(vpc):
            kinds.setdefault(subnet["AvailabilityZone"], set()).add(view.kind(subnet["SubnetId"]))
        assert list(kinds.values()) == [{"public", "private"}] * 2

    def test_f2_two_services_each_scaled_on_demand_from_images_in_ecr(
        self, view: View, services: dict[str, Record]
    ) -> None:
        assert set(services) == {"fargate-prod-backend", "fargate-prod-frontend"}
        cpu, requests = "ECSServiceAverageCPUUtilization", "ALBRequestCountPerTarget"
        assert view.scaling(CLUSTER, "fargate-prod-backend") == (2, 6, {cpu, requests})
        assert view.scaling(CLUSTER, "fargate-prod-frontend") == (2, 4, {cpu})
        for name, service in services.items():
            (container,) = view.task_definition(service)["containerDefinitions"]
            assert f".dkr.ecr.{REGION}.amazonaws.com/{name}:v1.0.0" in container["image"]

    def test_f3_one_balancer_over_two_zones_routes_by_path(self, view: View, services: dict[str, Record]) -> None:
        balancer = view.load_balancer("fargate-prod-alb")
        assert len({zone["ZoneName"] for zone in balancer["AvailabilityZones"]}) == 2
        routes = dict(view.routes(view.listeners("fargate-prod-alb")[443]))
        groups = view.target_groups()
        behind = {paths: groups[target]["TargetGroupArn"] for paths, target in routes.items()}
        backend, frontend = (
            services[f"fargate-prod-{name}"]["loadBalancers"][0]["targetGroupArn"] for name in ("backend", "frontend")
        )
        assert behind == {("/api/*",): backend, ("/admin/*",): backend, ("/*",): frontend}
        assert list(routes)[-1] == ("/*",), "what matches everything is asked last"

    def test_f4_the_database_has_a_standby_and_backups(self, view: View) -> None:
        database = view.database("fargate-prod-db")
        assert database["MultiAZ"] is True
        assert database["BackupRetentionPeriod"] >= 7
        saved = view.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        assert {one["DBInstanceIdentifier"] for one in saved} == {"fargate-prod-db"}

    def test_f5_files_behind_cloudfront_with_signed_addresses_for_the_protected_ones(self, view: View) -> None:
        config = view.distribution(FILES)["DistributionConfig"]
        assert config["DefaultCacheBehavior"]["TrustedKeyGroups"]["Enabled"] is False
        (protected,) = config["CacheBehaviors"]["Items"]
        assert protected["PathPattern"] == "/private/*"
        assert protected["TrustedKeyGroups"]["Quantity"] == 1
        (group,) = view.client("cloudfront").list_key_groups()["KeyGroupList"]["Items"]
        assert protected["TrustedKeyGroups"]["Items"] == [group["KeyGroup"]["Id"]]

    def test_f6_a_name_for_the_application(self, view: View) -> None:
        records = view.records("fargate.example.com")
        target = records["fargate.example.com", "A"]["AliasTarget"]["DNSName"].rstrip(".").lower()
        assert target.endswith(view.load_balancer("fargate-prod-alb")["DNSName"].lower())
        assert records[FILES, "A"]["AliasTarget"]["DNSName"].rstrip(".") == view.distribution(FILES)["DomainName"]

    def test_f7_containers_reach_the_internet_through_the_nat_gateway_only(
        self, view: View, services: dict[str, Record]
    ) -> None:
        for service in services.values():
            network = service["networkConfiguration"]["awsvpcConfiguration"]
            assert network["assignPublicIp"] == "DISABLED"
            assert {view.kind(subnet) for subnet in network["subnets"]} == {"private"}

    def test_the_backend_gets_its_database_and_no_secret_in_plain_text(
        self, view: View, services: dict[str, Record]
    ) -> None:
        (container,) = view.task_definition(services["fargate-prod-backend"])["containerDefinitions"]
        database = view.database("fargate-prod-db")
        plain = {one["name"]: one["value"] for one in container["environment"]}
        assert plain["DB_HOST"] == database["Endpoint"]["Address"]
        secret = database["MasterUserSecret"]["SecretArn"]
        assert {one["name"]: one["valueFrom"] for one in container["secrets"]} == {
            "DB_USER": f"{secret}:username::",
            "DB_PASSWORD": f"{secret}:password::",
        }


class TestDestruction(Destruction):
    """It goes without a trace."""

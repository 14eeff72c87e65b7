# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Node.js application of inventories/node_ecs: its life, and what the customer asked for, row by row (N1 to N3)."""

from __future__ import annotations

import pytest

from tests.emulator import Emulator
from tests.integration.cycle import NO_DATA_PLANE, Deployment, Destruction, Stack, System
from tests.integration.runner import Run
from tests.integration.view import View

pytestmark = pytest.mark.slow

REGION = "eu-west-1"
TIERS = frozenset({"network", "dns", "load_balancer", "registry", "ecs_app"})
SYSTEM = System("node_ecs", "node", (Stack("node_prod", "prod", REGION, TIERS),), NO_DATA_PLANE)


@pytest.fixture(scope="module")
def view(deployed: Run, account: Emulator) -> View:
    """The account."""
    return View(account, REGION)


class TestDeployment(Deployment):
    """It comes up as planned."""


class TestRows:
    """What then stands."""

    def test_n1_balancer_in_public_subnets_tasks_in_private_ones_with_a_nat_gateway(self, view: View) -> None:
        vpc = view.vpc("node-prod-vpc")
        balancer = view.load_balancer("node-prod-alb")
        assert balancer["VpcId"] == vpc["VpcId"]
        assert {view.kind(zone["SubnetId"]) for zone in balancer["AvailabilityZones"]} == {"public"}
        (service,) = view.services("node-prod-cluster").values()
        network = service["networkConfiguration"]["awsvpcConfiguration"]
        assert {view.kind(subnet) for subnet in network["subnets"]} == {"private"}
        assert network["assignPublicIp"] == "DISABLED"
        (nat,) = view.ec2.describe_nat_gateways(Filters=[{"Name": "state", "Values": ["available"]}])["NatGateways"]
        assert view.kind(nat["SubnetId"]) == "public"

    def test_n2_a_service_from_an_image_that_listens_on_3000(self, view: View) -> None:
        (service,) = view.services("node-prod-cluster").values()
        definition = view.task_definition(service)
        (container,) = definition["containerDefinitions"]
        assert container["image"].endswith("/node-prod-app:v1.0.0")
        assert [one["containerPort"] for one in container["portMappings"]] == [3000]
        assert {"name": "NODE_ENV", "value": "production"} in container["environment"]
        assert (definition["cpu"], definition["memory"]) == ("256", "512")
        assert service["desiredCount"] == 2

    def test_n3_https_reaches_port_3000_and_http_is_sent_there(self, view: View) -> None:
        listeners = view.listeners("node-prod-alb")
        assert set(listeners) == {80, 443}
        (redirect,) = listeners[80]["DefaultActions"]
        assert (redirect["Type"], redirect["RedirectConfig"]["Protocol"]) == ("redirect", "HTTPS")
        ((paths, target),) = view.routes(listeners[443])
        assert paths == ("/*",)
        assert view.target_groups()[target]["Port"] == 3000
        assert view.target_groups()[target]["TargetType"] == "ip"
        (certificate,) = listeners[443]["Certificates"]
        assert view.certificate(certificate["CertificateArn"])["Status"] == "ISSUED"

    def test_n3_80_and_443_are_open_on_the_balancer_only(self, view: View) -> None:
        balancer = view.lets_in([view.security_group("node-prod-load-balancer")])
        assert balancer == {("tcp", port, port, "0.0.0.0/0") for port in (80, 443)}
        application = view.lets_in([view.security_group("node-prod-application")])
        assert application == {("tcp", 3000, 3000, "node-prod-load-balancer")}
        world = [group["GroupName"] for group in view.groups() if _open(view, group["GroupId"])]
        assert world == ["node-prod-load-balancer"]


class TestDestruction(Destruction):
    """It goes without a trace."""


def _open(view: View, group: str) -> bool:
    return any(source in ("0.0.0.0/0", "::/0") for _protocol, _first, _last, source in view.lets_in([group]))

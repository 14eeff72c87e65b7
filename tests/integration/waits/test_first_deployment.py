# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""First deployments where things take time, as they do on AWS, and are refused until they are there.

Nothing is waited for in earnest: see L{tests.integration.waits.passing}.
"""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.emulator import Emulator
from tests.integration import holdings
from tests.integration.cycle import GONE_FOR_GOOD, NO_DATA_PLANE, difference
from tests.integration.runner import ROOT, Run
from tests.integration.waits.passing import PassingRunner

pytestmark = pytest.mark.slow

#: What each system starts, by the write that does, and the task that waits for it.
SYSTEMS: dict[str, dict[str, str]] = {
    "jeancloud": {
        "rds:CreateDBInstance": "for the database",
        "ec2:CreateNatGateway": "until the NAT gateways",
        "elbv2:CreateLoadBalancer": "for the load balancer",
        "acm:RequestCertificate": "certificates are issued",
        "cloudfront:CreateDistributionWithTags": "until CloudFront",
        "ecs:CreateService": "services are stable",
    },
    "classic_ec2": {
        "rds:CreateDBInstance": "for the database",
        "ec2:CreateNatGateway": "until the NAT gateways",
        "ec2:RunInstances": "instances run",
    },
}
#: These want something that was waited for: a certificate, a way out, a database.
LATER = {"cloudfront:CreateDistributionWithTags", "ec2:RunInstances", "ecs:CreateService"}


#: The stack whose first deployment is looked at; a peering wants both ends.
STACKS = {"jeancloud": ("jeancloud_france", "eu-west-3"), "classic_ec2": ("classic_prod", "us-east-1")}


class First(t.NamedTuple):
    """A system that was planned and deployed on an empty account."""

    system: str
    account: Emulator
    runner: PassingRunner
    planned: Run
    deployed: Run


@pytest.fixture(scope="module", params=SYSTEMS)
def first(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[First]:
    system = request.param
    with Emulator(provisioning=1.0) as account:
        runner = PassingRunner(account, tmp_path_factory.mktemp("runs"), ROOT / "inventories" / system)
        planned = runner.play("deploy", "--check", *chosen(system), variables=NO_DATA_PLANE)
        yield First(system, account, runner, planned, runner.play("deploy", *chosen(system), variables=NO_DATA_PLANE))


def chosen(system: str) -> tuple[str, ...]:
    return ("--limit", STACKS[system][0]) if system == "jeancloud" else ()


def waits(run: Run) -> list[str]:
    """The tasks that looked more than once, in order."""
    return list(dict.fromkeys(re.findall(r"^FAILED - RETRYING: \[[^]]*\]: (.*) \(\d+ ret", run.output, re.MULTILINE)))


def test_it_comes_up_as_planned(first: First) -> None:
    assert set(first.deployed.failed.values()) == {0}
    assert difference(first.planned.changes, first.deployed.changes) == []


def test_nothing_is_asked_for_before_its_time(first: First) -> None:
    """No route to a pending gateway, no listener without its certificate, no address for a pending instance."""
    missing = ("NotFound", "NoSuch", "404", "ClientException")
    refused = {
        f"{entry['service']}:{entry['operation']} {entry['error']}"
        for entry in first.deployed.requests
        if entry["status"] >= 400 and not any(word in f"{entry['error']} {entry['status']}" for word in missing)
    }
    assert refused <= {"ec2:CreateSecurityGroup InvalidGroup.Duplicate"}
    routes = [entry["error"] for entry in first.deployed.requests if entry["operation"] == "CreateRoute"]
    assert set(routes) == {None}


def test_the_longest_wait_was_waited_for(first: First) -> None:
    assert any("for the database" in name for name in waits(first.deployed)), waits(first.deployed)


def test_all_that_can_starts_before_the_first_wait(first: First) -> None:
    wanted = SYSTEMS[first.system]
    order = [f"{entry['service']}:{entry['operation']}" for entry in first.deployed.requests]
    starts = {call: order.index(call) for call in wanted}
    # The instances, a distribution and services want what others are waited for.
    early = [at for call, at in starts.items() if call not in LATER]
    assert max(early) < min(at for call, at in starts.items() if call in LATER)
    tasks = re.findall(r"^TASK \[(.*)\]", first.deployed.output, re.MULTILINE)
    at = {call: next(i for i, name in enumerate(tasks) if words in name) for call, words in wanted.items()}
    started = next(i for i, name in enumerate(tasks) if name.endswith("Create the database instance"))
    assert started < min(at.values()), "the slowest thing is under way before anything is waited for"


def test_a_second_deployment_changes_nothing(first: First) -> None:
    again = first.runner.play("deploy", *chosen(first.system), variables=NO_DATA_PLANE)
    assert (set(again.changed.values()), again.changes) == ({0}, [])


def test_it_goes_in_the_same_way(first: First) -> None:
    """Gateways, databases and instances take time to go as well, and hold on to what they use meanwhile."""
    stack, region = STACKS[first.system]
    name, _, env = stack.partition("_")
    options = ("--limit", stack, "-e", f"destroy_confirm={name}")
    planned = first.runner.play("destroy", "--check", *options, variables={**NO_DATA_PLANE, **GONE_FOR_GOOD})
    run = first.runner.play("destroy", *options, variables={**NO_DATA_PLANE, **GONE_FOR_GOOD})
    assert difference(planned.changes, run.changes) == []
    assert holdings.tagged(first.account, region, Stack=name, Environment=env) == []

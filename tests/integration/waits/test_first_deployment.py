# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""First deployments where things take time, as they do on AWS: ten times as fast, and refused until they are there.

What is asserted is an order, never a number of seconds.
"""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.emulator import Emulator
from tests.integration import holdings
from tests.integration.cycle import GONE_FOR_GOOD, NO_DATA_PLANE, difference
from tests.integration.runner import ROOT, Run, Runner

pytestmark = pytest.mark.slow

#: Seconds that one of AWS's takes, and between two looks: the default of 15, as fast as the rest.
PACE, INTERVAL = 0.1, 1.5
VARIABLES = {**NO_DATA_PLANE, "stack_poll_interval": INTERVAL}
#: What each system starts, by the write that does, and the task that waits for it.
SYSTEMS: dict[str, dict[str, str]] = {
    "jeancloud_france": {
        "rds:CreateDBInstance": "for the database",
        "ec2:CreateNatGateway": "NAT gateways",
        "elbv2:CreateLoadBalancer": "for the load balancer",
        "acm:RequestCertificate": "certificates are issued",
        "cloudfront:CreateDistributionWithTags": "until CloudFront",
        "ecs:CreateService": "services are stable",
    },
    "classic_prod": {
        "rds:CreateDBInstance": "for the database",
        "ec2:CreateNatGateway": "NAT gateways",
        "ec2:RunInstances": "instances run",
    },
}
#: These want something that was waited for: a certificate, a way out, a database.
LATER = {"cloudfront:CreateDistributionWithTags", "ec2:RunInstances", "ecs:CreateService"}


class First(t.NamedTuple):
    """A stack that was planned and deployed on an empty account."""

    stack: str
    account: Emulator
    runner: Runner
    planned: Run
    deployed: Run


@pytest.fixture(scope="module", params=SYSTEMS)
def first(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[First]:
    inventory = "jeancloud" if request.param.startswith("jeancloud") else "classic_ec2"
    with Emulator(provisioning=PACE) as account:
        runner = Runner(account, tmp_path_factory.mktemp("runs"), ROOT / "inventories" / inventory)
        only = ("--limit", request.param)
        planned = runner.play("deploy", "--check", *only, variables=VARIABLES)
        yield First(request.param, account, runner, planned, runner.play("deploy", *only, variables=VARIABLES))


def waits(run: Run) -> list[str]:
    """The tasks that asked more than once, in order."""
    text = re.sub(r"\n(?!\n|TASK|FAILED|ok|changed)", " ", run.output)
    return list(dict.fromkeys(re.findall(r"FAILED - RETRYING: \[[^]]*\]: (.*?) \(\d+ retries left\)", text)))


def test_it_comes_up_as_planned(first: First) -> None:
    assert first.deployed.failed == {first.stack: 0}
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
    assert routes and set(routes) == {None}


def test_the_longest_wait_was_waited_for(first: First) -> None:
    assert any("for the database" in name for name in waits(first.deployed)), waits(first.deployed)


def test_all_that_can_starts_before_the_first_wait(first: First) -> None:
    wanted = SYSTEMS[first.stack]
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
    again = first.runner.play("deploy", "--limit", first.stack, variables=VARIABLES)
    assert (again.changed, again.changes) == ({first.stack: 0}, [])


def test_it_goes_in_the_same_way(first: First) -> None:
    """Gateways, databases and instances take time to go as well, and hold on to what they use meanwhile."""
    name, region = first.stack.split("_")[0], "eu-west-3" if "france" in first.stack else "us-east-1"
    options = ("--limit", first.stack, "-e", f"destroy_confirm={name}")
    planned = first.runner.play("destroy", "--check", *options, variables={**VARIABLES, **GONE_FOR_GOOD})
    run = first.runner.play("destroy", *options, variables={**VARIABLES, **GONE_FOR_GOOD})
    assert difference(planned.changes, run.changes) == []
    assert holdings.tagged(first.account, region, Stack=name) == []

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Releases of the application of an instance, in place, and of a fleet, by instance refresh (row K15).

The tests follow one another on one account, in the order in which they stand.
"""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.emulator import Emulator
from tests.integration import holdings, permissions
from tests.integration.cycle import GONE_FOR_GOOD, Holdings, Stack, System
from tests.integration.release.site import Site
from tests.integration.runner import Run, Runner
from tools.iam import RELEASED_OBJECTS

pytestmark = pytest.mark.slow

REGION = "eu-west-3"
SYSTEM = System("release_applications", "shop", (Stack("shop_vm", "vm", REGION, frozenset()),))


@pytest.fixture(scope="module")
def deployed(runner: Runner, empty: Holdings) -> Run:
    """The stack with the first versions."""
    return runner.play("deploy")


def release(releaser: Runner, component: str, version: str, ok: bool = True, **variables: t.Any) -> Run:
    """Release a version of one of the two."""
    return releaser.play(
        "release", ok=ok, variables={"release_component": component, "release_version": version, **variables}
    )


def sent(account: Emulator) -> list[str]:
    """What the commands to the instance were about, the oldest first."""
    found = account.client("ssm", REGION).list_commands()["Commands"]
    return [one["Comment"] for one in sorted(found, key=lambda one: one["RequestedDateTime"])]


def fleet(account: Emulator) -> str:
    """Version of the application that the fleet's instances run."""
    (group,) = account.client("autoscaling", REGION).describe_auto_scaling_groups()["AutoScalingGroups"]
    (version,) = {one["LaunchTemplate"]["Version"] for one in group["Instances"]}
    assert group["LaunchTemplate"]["Version"] == version
    (data,) = account.client("ec2", REGION).describe_launch_template_versions(
        LaunchTemplateId=group["LaunchTemplate"]["LaunchTemplateId"], Versions=[version]
    )["LaunchTemplateVersions"]
    specified = data["LaunchTemplateData"]["TagSpecifications"]
    tags = {tag["Key"]: tag["Value"] for one in specified if one["ResourceType"] == "instance" for tag in one["Tags"]}
    return t.cast(str, tags["ApplicationVersion"])


def record(account: Emulator, name: str) -> dict[str, t.Any]:
    """What is recorded of the last release."""
    found = account.client("ssm", REGION).get_parameter(Name=f"/shop/vm/releases/application/{name}")
    return t.cast(dict[str, t.Any], json.loads(found["Parameter"]["Value"]))


def test_k15_an_instance_is_updated_in_place_and_taken_back(
    releaser: Runner, deployed: Run, account: Emulator, site: Site
) -> None:
    asked = {"release_smoke_url": f"{site.address}/health", "release_smoke_timeout": 5}
    run = release(releaser, "single", "v2", **asked)
    assert sent(account) == ["palier.aws deploys v2"]
    assert not any("fleet" in str(change) for change in run.changes)
    site.status = 503
    failed = release(releaser, "single", "v3", ok=False, **asked)
    site.status = 200
    assert "v3 of application single was not released: Status code was 503" in failed.text
    assert "v2 runs again." in failed.text
    assert sent(account) == [f"palier.aws deploys {version}" for version in ("v2", "v3", "v2")]
    last = record(account, "single")
    assert (last["version"], last["result"], last["good"]["version"]) == ("v3", "failed", "v2")


def test_k15_a_fleet_is_refreshed_and_taken_back(
    releaser: Runner, deployed: Run, account: Emulator, site: Site
) -> None:
    asked = {"release_smoke_url": f"{site.address}/health", "release_smoke_timeout": 5}
    release(releaser, "fleet", "v2", **asked)
    assert fleet(account) == "v2"
    site.status = 503
    failed = release(releaser, "fleet", "v3", ok=False, **asked)
    site.status = 200
    assert "v2 runs again." in failed.text
    assert fleet(account) == "v2"
    release(releaser, "fleet", "previous")
    assert fleet(account) == "v1"


def test_k15_a_deployment_keeps_both(runner: Runner, deployed: Run, account: Emulator) -> None:
    before = sent(account)
    assert runner.play("deploy").changed_nothing
    assert (sent(account), fleet(account)) == (before, "v1")


def test_the_policy_of_docs_iam_allows_what_the_releases_asked_for_and_nothing_else(
    system: System, releaser: Runner
) -> None:
    permissions.judge(system.inventory, system.name, releaser.asked, objects=RELEASED_OBJECTS)


def test_a_destroyed_stack_leaves_no_record(runner: Runner, deployed: Run, account: Emulator, empty: Holdings) -> None:
    run = runner.play("destroy", "--limit", "shop_vm", "-e", "destroy_confirm=shop", variables=GONE_FOR_GOOD)
    assert "Nothing is left of shop-vm." in run.text
    assert holdings.everything(account, REGION) == empty

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Releases of a service: good ones, bad ones, back again, killed in the middle (rows J11 and K15).

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
from tests.integration.runner import LOCKING, Run, Runner
from tools.iam import RELEASED_OBJECTS

pytestmark = pytest.mark.slow

REGION = "eu-west-3"
REPOSITORY = "shop-test-app"
RECORD = "/shop/test/releases/service/app"
ADDRESS = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}"
SYSTEM = System("release_services", "shop", (Stack("shop_test", "test", REGION, frozenset()),))
MANIFEST = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {}, "layers": []}
#: Tags of the images, and how they behave (see tests/emulator/patches/ecs.py).
IMAGES: dict[str, dict[str, str]] = {
    "v1": {},
    "v2": {},
    "v3": {},
    "exits": {"emulator.exit-code": "3", "emulator.log": "starting\nno settings found"},
    "unhealthy": {"emulator.unhealthy": "yes", "emulator.log": "listening on the wrong port"},
    "no-migration": {"emulator.command-exit-code": "2", "emulator.log": "column is there already"},
}


class Service:
    """The service as it stands in the account."""

    def __init__(self, account: Emulator, digests: dict[str, str]) -> None:
        self.account = account
        self.digests = digests

    def image(self) -> str:
        """Tag of the image that the service's tasks run."""
        ecs = self.account.client("ecs", REGION)
        (service,) = ecs.describe_services(cluster="shop-test-cluster", services=["shop-test-app"])["services"]
        assert service["runningCount"] == service["desiredCount"] == 2
        arns = ecs.list_tasks(cluster="shop-test-cluster", serviceName="shop-test-app", desiredStatus="RUNNING")[
            "taskArns"
        ]
        tasks = ecs.describe_tasks(cluster="shop-test-cluster", tasks=arns)["tasks"]
        assert {task["taskDefinitionArn"] for task in tasks} == {service["taskDefinition"]}
        definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        image = definition["containerDefinitions"][0]["image"]
        names = {f"{ADDRESS}@{digest}": tag for tag, digest in self.digests.items()}
        return names.get(image, image)

    def newest(self) -> str:
        """Image of the newest revision that is active, which a deployment would compare with."""
        ecs = self.account.client("ecs", REGION)
        definition = ecs.describe_task_definition(taskDefinition="shop-test-app")["taskDefinition"]
        return t.cast(str, definition["containerDefinitions"][0]["image"])

    def records(self) -> list[dict[str, t.Any]]:
        """The history, the oldest first."""
        pages = self.account.client("ssm", REGION).get_paginator("get_parameter_history").paginate(Name=RECORD)
        return [json.loads(one["Value"]) for page in pages for one in page["Parameters"]]


@pytest.fixture(scope="module")
def deployed(runner: Runner, empty: Holdings) -> Run:
    """The stack with the first version."""
    return runner.play("deploy")


@pytest.fixture(scope="module")
def service(deployed: Run, account: Emulator) -> Service:
    """The service, with its images in the registry."""
    ecr = account.client("ecr", REGION)
    digests = {}
    for tag, behaviour in IMAGES.items():
        manifest = json.dumps({**MANIFEST, "annotations": {"version": tag, **behaviour}})
        put = ecr.put_image(repositoryName=REPOSITORY, imageManifest=manifest, imageTag=tag)
        digests[tag] = put["image"]["imageId"]["imageDigest"]
    return Service(account, digests)


def release(releaser: Runner, version: str, *options: str, ok: bool = True, **variables: t.Any) -> Run:
    """Release a version of the only service."""
    return releaser.play("release", *options, ok=ok, variables={"release_version": version, **variables})


def test_bad_input_is_said_before_the_first_change(releaser: Runner, service: Service) -> None:
    for variables, sentence in (
        ({"release_version": "v9"}, "shop-test-app has no image v9. Push it first"),
        ({"release_version": "previous"}, "there is no release before the one that runs now"),
        ({"release_version": "v2", "release_component": "appp"}, "this stack has no 'appp'; it can release app."),
        ({"release_version": "v2", "release_servce": "app"}, "release_servce: release.yml has no such variable"),
        ({}, "release_version: which version?"),
    ):
        run = releaser.play("release", ok=False, variables=variables)
        assert sentence in run.text
        assert set(run.writes) <= set(LOCKING)
    assert service.image() == f"{ADDRESS}:v1"


def test_j11_the_plan_of_a_release_writes_nothing(releaser: Runner, service: Service) -> None:
    plan = release(releaser, "v2", "--check", "--diff")
    assert plan.writes == []
    tasks = {task for _stack, _tier, task, _item in plan.changes}
    assert "Services | Register the task definition of each service" in tasks
    assert "Before | Start the one-off task migrate of shop-test-app" in tasks


def test_j11_a_release_runs_the_new_image_by_its_digest(releaser: Runner, service: Service) -> None:
    run = release(releaser, "v2", release_source="a test")
    assert service.image() == "v2"
    assert "Before | Start the one-off task migrate of shop-test-app" in {task for _, _, task, _ in run.changes}
    begun, good = service.records()
    assert (begun["result"], good["result"]) == ("started", "succeeded")
    assert (good["version"], good["reference"]) == ("v2", f"{ADDRESS}@{service.digests['v2']}")
    assert good["by"].endswith(":user/deployer")
    assert (good["source"], good["previous"]["reference"]) == ("a test", f"{ADDRESS}:v1")


def test_j11_the_same_release_again_changes_nothing(releaser: Runner, service: Service) -> None:
    assert release(releaser, "v2").changed_nothing


def test_j11_a_deployment_keeps_what_was_released(runner: Runner, service: Service) -> None:
    plan = runner.play("deploy", "--check", "--diff")
    assert (plan.changes, plan.writes) == ([], [])
    assert runner.play("deploy").changed_nothing
    assert service.image() == "v2"


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("exits", "exit code 3: Essential container in task exited' - ' starting' - ' no settings found"),
        ("unhealthy", "Task failed ELB health checks"),
        ("no-migration", "exit code 2: Essential container in task exited' - ' column is there already"),
    ],
)
def test_k15_a_bad_release_is_taken_back_by_itself(releaser: Runner, service: Service, version: str, said: str) -> None:
    run = release(releaser, version, ok=False)
    assert said in " ".join(run.text.split())
    assert f"{version} of service app was not released" in run.text
    assert "v2 runs again." in run.text
    assert service.image() == "v2"
    assert service.newest() == f"{ADDRESS}@{service.digests['v2']}"
    last = service.records()[-1]
    assert (last["version"], last["result"], last["rolled_back"]) == (version, "failed", True)
    assert (last["good"]["version"], last["previous"]["version"]) == ("v2", "v1")


def test_k15_a_release_that_does_not_answer_is_taken_back(releaser: Runner, service: Service, site: Site) -> None:
    asked = {"release_smoke_url": f"{site.address}/health", "release_smoke_timeout": 5}
    site.status = 500
    run = release(releaser, "v3", ok=False, **asked)
    assert "Status code was 500" in run.text
    assert service.image() == "v2"
    site.status = 200
    release(releaser, "v3", **asked)
    assert service.image() == "v3"


def test_k15_previous_goes_back_and_forth(runner: Runner, releaser: Runner, service: Service) -> None:
    release(releaser, "previous")
    assert service.image() == "v2"
    release(releaser, "previous")
    assert service.image() == "v3"
    assert runner.play("deploy").changed_nothing


def test_k15_killed_in_the_middle_it_goes_on_or_goes_back(runner: Runner, releaser: Runner, service: Service) -> None:
    # The lock, the record, then the task definition.
    releaser.kill("release", after=3, variables={"release_version": "v2"})
    assert service.records()[-1]["result"] == "started"
    run = release(releaser, "v2", stack_lock_takeover=True)
    assert "did not end. It is taken up." in run.text
    assert service.image() == "v2"
    releaser.kill("release", after=3, variables={"release_version": "v3"})
    release(releaser, "previous", stack_lock_takeover=True)
    assert service.image() == "v2"
    assert (service.records()[-1]["result"], service.newest()) == ("succeeded", f"{ADDRESS}@{service.digests['v2']}")
    assert runner.play("deploy").changed_nothing


def test_the_policy_of_docs_iam_allows_what_the_releases_asked_for_and_nothing_else(
    system: System, releaser: Runner
) -> None:
    permissions.judge(system.inventory, system.name, releaser.asked, objects=RELEASED_OBJECTS)


def test_a_destroyed_stack_leaves_no_record(
    runner: Runner, service: Service, account: Emulator, empty: Holdings
) -> None:
    named = ("--limit", "shop_test", "-e", "destroy_confirm=shop")
    run = runner.play("destroy", *named, variables={**GONE_FOR_GOOD})
    assert "Nothing is left of shop-test." in run.text
    assert holdings.everything(account, REGION) == empty

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Releases of sites: good ones, bad ones, back again, killed in the middle (rows J11 and K15).

The tests follow one another on one account, in the order in which they stand.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.emulator import Emulator
from tests.integration import holdings, permissions
from tests.integration.cycle import Holdings, Stack, System
from tests.integration.runner import LOCKING, Run, Runner
from tools.iam import RELEASED_OBJECTS

pytestmark = pytest.mark.slow

REGION = "eu-west-3"
SYSTEM = System("release_sites", "shop", (Stack("shop_web", "web", REGION, frozenset()),))
#: Where the site of S3's website endpoint answers.
ADDRESS = f"http://shop-web-docs-123456789012.s3-website.{REGION}.amazonaws.com/"


@pytest.fixture(scope="module")
def deployed(runner: Runner, empty: Holdings) -> Run:
    """The stack with the builds that the inventory names."""
    return runner.play("deploy")


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two builds, each with its own page and its own asset."""
    made = {}
    for version, digest in (("v2", "2a2b3c4d"), ("v3", "3a2b3c4d")):
        made[version] = tmp_path_factory.mktemp(version)
        (made[version] / "index.html").write_text(f"<p>{version}\n")
        (made[version] / "assets").mkdir()
        (made[version] / "assets" / f"app-{digest}.js").write_text(f"{version}\n")
    return made


class Site:
    """A site as it stands in the account."""

    def __init__(self, account: Emulator, name: str) -> None:
        self.account = account
        self.name = name
        self.bucket = f"shop-web-{name}-123456789012"

    def files(self) -> set[str]:
        """What the bucket serves."""
        found = self.account.client("s3", REGION).list_objects_v2(Bucket=self.bucket)
        return {one["Key"] for one in found["Contents"]}

    def page(self) -> str:
        """What the index page says."""
        body = self.account.client("s3", REGION).get_object(Bucket=self.bucket, Key="index.html")["Body"]
        return t.cast(str, body.read().decode().strip().removeprefix("<p>"))

    def record(self) -> dict[str, t.Any]:
        """What is recorded of the last release."""
        found = self.account.client("ssm", REGION).get_parameter(Name=f"/shop/web/releases/site/{self.name}")
        return t.cast(dict[str, t.Any], json.loads(found["Parameter"]["Value"]))

    def invalidated(self) -> list[list[str]]:
        """The paths of each of the distribution's invalidations, in no order."""
        cloud = self.account.client("cloudfront")
        (one,) = cloud.list_distributions()["DistributionList"]["Items"]
        ids = [found["Id"] for found in cloud.list_invalidations(DistributionId=one["Id"])["InvalidationList"]["Items"]]
        return [
            cloud.get_invalidation(DistributionId=one["Id"], Id=identity)["Invalidation"]["InvalidationBatch"]["Paths"][
                "Items"
            ]
            for identity in ids
        ]


@pytest.fixture(scope="module")
def docs(deployed: Run, account: Emulator) -> Site:
    """The one that S3's website endpoint serves."""
    return Site(account, "docs")


@pytest.fixture(scope="module")
def front(deployed: Run, account: Emulator) -> Site:
    """The one that CloudFront serves."""
    return Site(account, "front")


def release(releaser: Runner, component: str, version: str, *options: str, ok: bool = True, **variables: t.Any) -> Run:
    """Release a build of one of the sites; without a component, of those that the variables name."""
    given = {**({"release_component": component} if component else {}), "release_version": version, **variables}
    return releaser.play("release", *options, ok=ok, variables=given)


def test_j11_the_plan_of_a_release_writes_nothing(releaser: Runner, docs: Site, builds: dict[str, Path]) -> None:
    plan = release(releaser, "docs", "v2", "--check", "--diff", release_build_path=str(builds["v2"]))
    assert plan.writes == []
    assert "Site | Upload what changed" in {task for _stack, _tier, task, _item in plan.changes}
    several = [{"component": "docs", "build_path": str(builds["v2"])}, {"component": "front", "build_path": "/nowhere"}]
    missing = release(releaser, "", "v2", ok=False, release_components=several)
    assert "release_build_path: '/nowhere' is no directory" in missing.text
    assert set(missing.writes) <= set(LOCKING)


def test_j11_a_release_publishes_the_build_and_removes_what_it_does_not_have(
    releaser: Runner, docs: Site, builds: dict[str, Path]
) -> None:
    assert docs.files() == {"assets/app-1a2b3c4d.js", "index.html", "old.html"}
    second = {"release_build_path": str(builds["v2"]), "release_smoke_path": "/"}
    release(releaser, "docs", "v2", release_source="a test", **second)
    assert (docs.page(), docs.files()) == ("v2", {"assets/app-2a2b3c4d.js", "index.html"})
    record = docs.record()
    assert (record["version"], record["result"], record["source"]) == ("v2", "succeeded", "a test")
    assert record["previous"]["version"] == "the deployed build"
    assert release(releaser, "docs", "v2", **second).changed_nothing


def test_k15_a_build_that_does_not_answer_is_taken_back(releaser: Runner, docs: Site, builds: dict[str, Path]) -> None:
    asked = {"release_build_path": str(builds["v3"]), "release_smoke_path": "/missing.html", "release_smoke_timeout": 5}
    run = release(releaser, "docs", "v3", ok=False, **asked)
    assert "v3 of site docs was not released: Status code was 404" in run.text
    assert "v2 runs again." in run.text
    assert (docs.page(), docs.files()) == ("v2", {"assets/app-2a2b3c4d.js", "index.html"})
    assert (docs.record()["result"], docs.record()["rolled_back"]) == ("failed", True)


def test_k15_a_build_behind_cloudfront_is_released_and_deployments_keep_it(
    runner: Runner, releaser: Runner, front: Site, docs: Site, builds: dict[str, Path]
) -> None:
    release(releaser, "front", "v2", release_build_path=str(builds["v2"]))
    assert (front.page(), front.files()) == ("v2", {"assets/app-2a2b3c4d.js", "index.html"})
    # The asset that left may stay in the caches, for pages that visitors opened before.
    assert sorted(front.invalidated()) == [["/", "/assets/app-2a2b3c4d.js", "/index.html"], ["/old.html"]]
    assert runner.play("deploy").changed_nothing
    assert (front.page(), docs.page()) == ("v2", "v2")


def test_k15_several_are_released_together_or_none(
    releaser: Runner, docs: Site, front: Site, builds: dict[str, Path]
) -> None:
    asked = [{"component": "docs", "smoke_path": "/"}, {"component": "front", "smoke_url": ADDRESS + "missing"}]
    third = {"release_build_path": str(builds["v3"]), "release_smoke_timeout": 5}
    run = release(releaser, "", "v3", ok=False, release_components=asked, **third)
    assert "v3 of site front was not released: Status code was 404" in run.text
    assert "v2 of site front runs again. v2 of site docs runs again." in run.text
    assert [site.page() for site in (docs, front)] == ["v2", "v2"]
    assert docs.record()["reason"].startswith("v3 of site front was not released")
    release(releaser, "", "v3", release_components=[asked[0], {"component": "front"}], **third)
    assert [site.page() for site in (docs, front)] == ["v3", "v3"]
    assert [site.record()["previous"]["version"] for site in (docs, front)] == ["v2", "v2"]


def test_k15_previous_goes_back_and_forth(releaser: Runner, docs: Site) -> None:
    release(releaser, "docs", "previous", release_smoke_path="/")
    assert (docs.page(), docs.files()) == ("v2", {"assets/app-2a2b3c4d.js", "index.html"})
    release(releaser, "docs", "previous")
    assert docs.page() == "v3"


def test_k15_killed_in_the_middle_it_goes_back_or_goes_on(
    runner: Runner, releaser: Runner, docs: Site, builds: dict[str, Path]
) -> None:
    second = {"release_component": "docs", "release_version": "v4", "release_build_path": str(builds["v2"])}
    # The lock, the record, then the first file.
    releaser.kill("release", after=3, variables=second)
    assert docs.record()["result"] == "started"
    runner.play("deploy", variables={"stack_lock_takeover": True})
    assert (docs.page(), docs.files()) == ("v3", {"assets/app-3a2b3c4d.js", "index.html"})
    run = releaser.play("release", variables=second)
    assert "did not end. It is taken up." in run.text
    assert (docs.page(), docs.record()["result"]) == ("v2", "succeeded")


def test_the_policy_of_docs_iam_allows_what_the_releases_asked_for_and_nothing_else(
    system: System, releaser: Runner
) -> None:
    permissions.judge(system.inventory, system.name, releaser.asked, objects=RELEASED_OBJECTS)


def test_a_destroyed_stack_leaves_no_record(runner: Runner, docs: Site, account: Emulator, empty: Holdings) -> None:
    run = runner.play("destroy", "--limit", "shop_web", "-e", "destroy_confirm=shop")
    assert "Nothing is left of shop-web." in run.text
    assert holdings.everything(account, REGION) == empty

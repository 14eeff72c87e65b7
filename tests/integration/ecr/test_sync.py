# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The image sync between two real registries, seen from their disks and through skopeo."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request

import pytest

from .conftest import DESTINATION, ROOT, SOURCE
from .images import DOCKER_MANIFEST

CREDENTIALS = {"access_key": "testing-access", "secret_key": "testing-secret"}


def skopeo(*arguments: str) -> bytes:
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not installed: apt-get install skopeo")
    return subprocess.run(["skopeo", *arguments], check=True, capture_output=True, timeout=60).stdout


def everything(world, repository):
    """Tags by digest and all blobs of a repository on one side."""
    return world.store.tags(repository), world.store.digests(repository), world.store.blobs(repository)


def assert_same(world, repository, other=None):
    """Both sides serve the same bytes for every tag, child and blob."""
    other = other or repository
    tags = world.source.store.tags(repository)
    assert world.destination.store.tags(other) == tags
    assert world.destination.store.incomplete(other) == []
    for tag in tags:
        there = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{world.destination.host}/{other}:{tag}")
        here = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{world.source.host}/{repository}:{tag}")
        assert here == there
    for digest in world.destination.store.blobs(other):
        with urllib.request.urlopen(f"{world.destination.url}/v2/{other}/blobs/{digest}") as answer:
            assert "sha256:" + hashlib.sha256(answer.read()).hexdigest() == digest


def fill(maker, repository, shared=None):
    """One of every kind of image."""
    shared = shared or maker.layer(300_000)
    single = maker.image(repository, "v1", [shared, maker.layer(20_000)])
    maker.image(repository, "pretty", [shared, maker.layer(0)], indent=3)
    maker.image(repository, "docker", [shared], media_type=DOCKER_MANIFEST)
    children = [maker.image(repository, None, [maker.layer(5_000)], label=f"child {n}") for n in range(2)]
    maker.index(repository, "multi", children)
    maker.artifact(repository, None, single, b"attestation", "application/vnd.example.attestation")
    maker.artifact(repository, None, children[0], b"signature of a child", "application/vnd.example.signature")
    maker.image(repository, f"sha256-{single[7:]}.sig", [maker.layer(50)], label="cosign")
    return single


def test_every_kind_of_image_arrives_with_its_digest(world):
    shared = world.maker.layer(300_000)
    fill(world.maker, "kinds/a", shared)
    fill(world.maker, "kinds/b", shared)
    plan = world.check("kinds/a", "kinds/b")
    assert plan["changed"]
    assert world.destination.store.digests("kinds/a") == []

    done = world.sync("kinds/a", "kinds/b")
    assert done["plan"] == plan["plan"]
    assert done["diff"] == plan["diff"]
    for repository in ("kinds/a", "kinds/b"):
        assert_same(world, repository)
        assert world.destination.store.digests(repository) == world.source.store.digests(repository)
    # What the second repository has in common with the first was not sent again.
    assert done["copied"]["mounted"] > 0

    again = world.sync("kinds/a", "kinds/b")
    assert not again["changed"]
    assert world.plane.calls.count((SOURCE, "DescribeImages")) == 2
    assert world.plane.calls.count((DESTINATION, "DescribeImages")) == 2
    assert len(world.plane.calls) == again["requests"]["api"] == 4
    assert again["requests"]["source"] == again["requests"]["destination"] == 0


def test_a_page_of_a_thousand_images_is_one_request(world):
    for number in range(7):
        world.maker.image("pages/a", f"v{number}", [world.maker.layer(100)], label=str(number))
    world.sync("pages/a")
    for region in world.plane.regions.values():
        region.page_size = 3
    result = world.sync("pages/a")
    assert not result["changed"]
    assert result["requests"]["api"] == 2 * 3


def test_another_name_in_the_destination(world):
    fill(world.maker, "names/here")
    result = world.sync({"source": "names/here", "destination": "names/there"})
    assert result["changed"]
    assert_same(world, "names/here", "names/there")


def test_a_moved_tag_follows_and_new_tags_send_no_layers(world):
    world.maker.image("moves/a", "v1", [world.maker.layer(100)])
    world.sync("moves/a")
    world.maker.image("moves/a", "v1", [world.maker.layer(200)])
    result = world.sync("moves/a")
    assert [step["reason"][:17] for step in result["plan"]] == ["the tag points at"]
    document = json.loads(world.source.store.data(world.source.store.tags("moves/a")["v1"]))
    world.maker.manifest("moves/a", "stable", document)
    result = world.sync("moves/a")
    assert result["copied"]["tags"] == 1
    assert result["copied"]["blobs"] == result["copied"]["present"] == 0
    assert_same(world, "moves/a")


def test_a_later_signature_is_copied_alone(world):
    image = world.maker.image("later/a", "v1", [world.maker.layer(1000)])
    world.sync("later/a", tags_include=["v*"])
    world.maker.artifact("later/a", None, image, b"signed", "application/vnd.example.signature")
    result = world.sync("later/a", tags_include=["v*"])
    assert result["copied"]["images"] == 1
    assert world.destination.store.digests("later/a") == world.source.store.digests("later/a")


def test_referrers_that_the_listing_hides_are_asked_for(world):
    image = world.maker.image("hidden/a", "v1", [world.maker.layer(1000)])
    signature = world.maker.artifact("hidden/a", None, image, b"signed", "application/vnd.example.signature")
    world.plane.regions[SOURCE].tells_subjects = False
    world.sync("hidden/a")
    assert signature in world.destination.store.digests("hidden/a")
    assert world.plane.count("ListImageReferrers") == 1


def test_referrers_may_be_forbidden(world):
    world.maker.image("forbidden/a", "v1", [world.maker.layer(1000)])
    world.plane.regions[SOURCE].tells_subjects = False
    world.plane.fail = lambda _region, action: (
        ("AccessDeniedException", "not allowed") if action == "ListImageReferrers" else None
    )
    result = world.sync("forbidden/a")
    assert result["changed"]
    assert any("ListImageReferrers" in warning for warning in result["warnings"])


def test_untagged_images_come_when_asked(world):
    digest = world.maker.image("untagged/a", None, [world.maker.layer(1000)])
    assert not world.check("untagged/a")["images"]
    world.sync("untagged/a", untagged=True)
    assert world.destination.store.digests("untagged/a") == [digest]


def test_a_created_repository_takes_after_the_source(world):
    world.maker.image("made/a", "v1", [world.maker.layer(1000)])
    region = world.plane.regions[SOURCE]
    region.repositories["made/a"] = {
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "latest"}],
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "arn:aws:kms:eu-west-3:123456789012:key/1"},
    }
    selection = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
    policy = json.dumps({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]})
    region.lifecycles["made/a"] = policy
    world.sync("made/a", tags={"Stack": "shop"})
    made = world.plane.regions[DESTINATION]
    assert made.repositories["made/a"] == {
        **region.repositories["made/a"],
        "encryptionConfiguration": {"encryptionType": "KMS"},
    }
    assert json.loads(made.lifecycles["made/a"]) == json.loads(policy)
    assert made.tags["made/a"] == {"Stack": "shop"}


def test_a_missing_repository_is_an_error_where_none_may_be_created(world):
    world.maker.image("refused/a", "v1", [world.maker.layer(1000)])
    result = world.sync("refused/a", create_repository=False)
    assert "refused/a not found in eu-central-1; set create_repository to true" in result["msg"]
    result = world.sync("refused/nothing")
    assert "refused/nothing not found in eu-west-3" in result["msg"]


class TestImmutable:
    """A tag that cannot be moved and points at another image."""

    @pytest.fixture
    def repository(self, world, request):
        name = f"immutable/{request.node.name.replace('_', '-').strip('-')}"
        world.maker.image(name, "v1", [world.maker.layer(1000)])
        world.maker.image(name, "v2", [world.maker.layer(1000)])
        world.target_maker.image(name, "v1", [world.target_maker.layer(1000)])
        world.plane.regions[DESTINATION].repositories[name] = {"imageTagMutability": "IMMUTABLE"}
        return name

    def test_fails_before_anything_is_changed(self, world, repository):
        before = world.destination.store.digests(repository)
        for run in (world.check, world.sync):
            result = run(repository)
            assert result["failed"]
            assert f"{repository}:v1: the tag is immutable and points at sha256:" in result["msg"]
            assert "on_immutable_conflict" in result["msg"]
        assert world.destination.store.digests(repository) == before

    def test_is_left_when_asked(self, world, repository):
        before = world.destination.store.tags(repository)["v1"]
        world.sync(repository, on_immutable_conflict="skip")
        after = world.destination.store.tags(repository)
        assert after["v1"] == before
        assert after["v2"] == world.source.store.tags(repository)["v2"]
        assert not world.sync(repository, on_immutable_conflict="skip")["changed"]

    def test_is_replaced_when_asked(self, world, repository):
        world.sync(repository, on_immutable_conflict="replace")
        assert_same(world, repository)
        assert not world.sync(repository)["changed"]


class TestPrune:
    """Removal, and what stands in its way."""

    @pytest.fixture
    def repository(self, world, request):
        name = f"prune/{request.node.name.replace('_', '-').strip('-')}"
        for number in range(3):
            world.maker.image(name, f"v{number}", [world.maker.layer(100)], label=str(number))
        world.sync(name)
        world.target_maker.image(name, "old", [world.target_maker.layer(100)], label="old")
        return name

    def test_removes_what_the_source_lacks_and_nothing_twice(self, world, repository):
        assert not world.sync(repository)["changed"]
        plan = world.check(repository, prune=True)
        assert [step["action"] for step in plan["plan"]] == ["skip", "skip", "skip", "delete"]
        assert "old" in world.destination.store.tags(repository)
        assert world.sync(repository, prune=True)["changed"]
        assert_same(world, repository)
        assert not world.sync(repository, prune=True)["changed"]

    def test_of_most_of_a_repository_is_refused(self, world, repository):
        for tag in ("v1", "v2"):
            world.source.store.remove_tag(repository, tag)
        result = world.sync(repository, prune=True)
        assert "prune would remove 3 of 4" in result["msg"]
        assert len(world.destination.store.tags(repository)) == 4
        assert world.sync(repository, prune=True, prune_max_percent=75)["changed"]

    def test_of_everything_is_refused(self, world, repository):
        result = world.sync(repository, prune=True, prune_max_percent=100, tags_include=["o*"])
        assert "would empty" in result["msg"]

    def test_of_a_repository_without_the_stacks_tags_is_refused(self, world, repository):
        result = world.sync(repository, prune=True, prune_repository_tags={"Stack": "shop"})
        assert "does not carry prune_repository_tags (Stack=shop)" in result["msg"]
        world.plane.regions[DESTINATION].tags[repository] = {"Stack": "shop", "more": "x"}
        assert world.sync(repository, prune=True, prune_repository_tags={"Stack": "shop"})["changed"]


def test_a_lifecycle_policy_that_takes_what_is_copied_is_warned_about(world):
    for number in range(4):
        world.maker.image("lifecycle/a", f"v{number}", [world.maker.layer(100)], label=str(number))
    world.maker.image("lifecycle/b", "v1", [world.maker.layer(100)])
    world.plane.regions[DESTINATION].repositories["lifecycle/a"] = {}
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3}
    policy = {"rules": [{"rulePriority": 5, "selection": selection, "action": {"type": "expire"}}]}
    world.plane.regions[DESTINATION].lifecycles["lifecycle/a"] = json.dumps(policy)
    for run in (world.check, world.sync):
        result = run("lifecycle/a")
        [warning] = [text for text in result["warnings"] if "lifecycle" in text]
        assert "lifecycle/a: the lifecycle policy's rule 5 keeps 3 images and would remove 1" in warning


def test_an_image_that_vanishes_at_once_is_warned_about(world):
    world.maker.image("vanishes/a", "v1", [world.maker.layer(100)])
    world.maker.image("vanishes/a", "v2", [world.maker.layer(200)])
    selection = {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 9}
    policy = {"rules": [{"rulePriority": 5, "selection": selection, "action": {"type": "expire"}}]}
    world.plane.regions[DESTINATION].repositories["vanishes/a"] = {}
    world.plane.regions[DESTINATION].lifecycles["vanishes/a"] = json.dumps(policy)

    def remove(request):
        # The last listing is asked for after the last manifest was put.
        store = world.destination.store
        if request.method == "PUT" and request.path.endswith("/v2"):
            store.remove_tag("vanishes/a", "v1")

    world.destination_front.reset(remove)
    result = world.sync("vanishes/a", workers=1)
    assert any("vanishes/a:v1 was copied and is not listed any more" in text for text in result["warnings"])


def test_verifying_blobs_finds_and_mends_what_is_missing(world):
    world.maker.image("broken/a", "v1", [world.maker.layer(1000), world.maker.layer(2000)])
    world.sync("broken/a")
    lost = sorted(world.destination.store.blobs("broken/a"))[0]
    folder = world.destination.store.root / "repositories" / "broken/a" / "_layers" / "sha256" / lost[7:]
    shutil.rmtree(folder)
    assert not world.sync("broken/a")["changed"]
    result = world.sync("broken/a", verify="blobs")
    assert [step["reason"] for step in result["plan"]] == ["the destination lacks some of its content"]
    assert_same(world, "broken/a")
    assert not world.sync("broken/a", verify="blobs")["changed"]


def test_copies_can_be_limited_to_some_images(world):
    for number in range(3):
        world.maker.image("only/a", f"v{number}", [world.maker.layer(100)], label=str(number))
    plan = world.check("only/a")
    for entry in plan["images"]:
        world.sync("only/a", only=[entry["digest"]])
        assert entry["tag"] in world.destination.store.tags("only/a")
    assert_same(world, "only/a")


def test_schema_1_is_refused_before_anything_is_changed(world):
    old = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "config": {},
        "layers": [],
    }
    world.maker.image("schema/a", "v1", [world.maker.layer(100)])
    raw = json.dumps(old).encode()
    store = world.source.store
    digest = "sha256:" + hashlib.sha256(raw).hexdigest()
    store.path(digest).parent.mkdir(parents=True)
    store.path(digest).write_bytes(raw)
    manifests = store.root / "repositories" / "schema/a" / "_manifests"
    for folder in (manifests / "revisions" / "sha256" / digest[7:], manifests / "tags" / "old" / "current"):
        folder.mkdir(parents=True)
        (folder / "link").write_text(digest)
    result = world.sync("schema/a")
    assert "schema/a:old: schema 1 manifest" in result["msg"]
    assert "tags_exclude" in result["msg"]
    assert world.destination.store.digests("schema/a") == []
    assert world.sync("schema/a", tags_exclude=["old"])["changed"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"repositories": ["Shop/Web"]}, "'Shop/Web' is not a repository name"),
        ({"repositories": ["../x"]}, "is not a repository name"),
        ({"repositories": [{"destination": "a/b"}]}, "neither a name nor a dict"),
        ({"repositories": ["x/a", {"source": "x/b", "destination": "x/a"}]}, "x/a is a destination twice"),
        ({"repositories": ["x/a"], "workers": 0}, "workers is 0"),
        ({"repositories": ["x/a"], "put_rate": 0}, "put_rate is 0"),
    ],
)
def test_bad_options_are_refused_by_name(world, options, words):
    result = world.sync(*options.pop("repositories"), **options)
    assert words in result["msg"]
    assert world.plane.calls == []


# Started as a process of its own: a process's peak is counted over the whole life of its parent.
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=False)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
"""


@pytest.mark.slow
def test_memory_stays_under_64_megabytes_whatever_the_size(world):
    for number in range(3):
        # Incompressible bytes, made fast: what counts is that no layer fits into the limit.
        layer = world.maker.layer(1024) + bytes(100 * 1024 * 1024)
        world.maker.image("memory/a", f"v{number}", [layer], label=str(number))
    command = [sys.executable, "-c", MEASURED, sys.executable, str(ROOT / "plugins" / "modules" / "ecr_image_sync.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".ansible" / "collections")}
    text = json.dumps({"ANSIBLE_MODULE_ARGS": {**world.arguments("memory/a"), **CREDENTIALS}})
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=True, timeout=300)
    assert '"images": 3' in done.stdout, done.stdout
    assert_same(world, "memory/a")
    assert int(done.stderr.split()[-1]) < 64

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import delivery

DIGEST = "sha256:" + "0a" * 32
ECR = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/team/app"
KNOWN = {"service": ["app", "web"], "application": ["web"]}


def test_components_of_the_stacks_tiers() -> None:
    values = {
        "ecs_app_services": [{"name": "app"}],
        "ec2_app_instances": [{"name": "web", "application": {"version": "v1"}}, {"name": "test"}],
        "ec2_app_fleets": [{"name": "fleet", "application": {"version": "v1"}}],
        "s3_site_sites": [{"name": "front"}],
    }
    every = delivery.components(values, ["ecs_app", "ec2_app"])
    assert every == {"service": ["app"], "application": ["web", "fleet"]}
    assert delivery.components(values, ["s3_site"]) == {"site": ["front"]}
    assert delivery.components(values, ["network", "ecs_app"]) == {"service": ["app"]}


@pytest.mark.parametrize(
    ("given", "known", "kind", "name"),
    [
        ("app", KNOWN, "service", "app"),
        ("application:web", KNOWN, "application", "web"),
        ("service:web", KNOWN, "service", "web"),
        ("", {"service": ["app"]}, "service", "app"),
    ],
)
def test_a_component_is_found(given: str, known: delivery.Components, kind: str, name: str) -> None:
    assert delivery.component_of(given, known) == {"kind": kind, "name": name, "problem": ""}


@pytest.mark.parametrize(
    ("given", "known", "said"),
    [
        ("web", KNOWN, "'web' names more than one; write service:web or application:web"),
        ("", KNOWN, "which one? This stack can release app, service:web, application:web"),
        ("ap", {"service": ["app"]}, "no 'ap'; it can release app. Did you mean app?"),
        ("application:app", KNOWN, "no 'application:app'"),
        ("", {}, "can release nothing"),
    ],
)
def test_a_component_is_not_found(given: str, known: delivery.Components, said: str) -> None:
    found = delivery.component_of(given, known)
    assert found["kind"] == ""
    assert said in found["problem"]
    assert found["problem"].startswith("release_component")


def test_one_component_or_several() -> None:
    single = {"component": "", "version": "v2", "smoke_timeout": 120}
    assert delivery.release_list([], {**single, "component": "app"})["entries"] == [{**single, "component": "app"}]
    assert delivery.release_list([], single)["entries"] == [single]
    named = delivery.release_list([], {**single, "component": "app, site:web"})["entries"]
    assert [(one["component"], one["version"]) for one in named] == [("app", "v2"), ("site:web", "v2")]
    several = [{"component": "app", "version": None}, {"component": "web", "version": "v3"}]
    assert delivery.release_list(several, single) == {
        "entries": [{**single, "component": "app"}, {**single, "component": "web", "version": "v3"}],
        "problem": "",
    }
    assert "write one of the two" in delivery.release_list(several, {**single, "component": "app"})["problem"]


@pytest.mark.parametrize(
    ("image", "base", "version"),
    [
        ("nginx", "nginx", "latest"),
        ("nginx:1.29", "nginx", "1.29"),
        ("registry.example.com:5000/team/app", "registry.example.com:5000/team/app", "latest"),
        ("registry.example.com:5000/team/app:v2", "registry.example.com:5000/team/app", "v2"),
        (f"{ECR}@{DIGEST}", ECR, DIGEST),
        (f"{ECR}:v2@{DIGEST}", ECR, DIGEST),
    ],
)
def test_the_parts_of_an_image(image: str, base: str, version: str) -> None:
    assert delivery.image_base(image) == base
    assert delivery.image_version(image) == version
    assert delivery.image_base(delivery.with_version(base, version)) == base
    assert delivery.image_version(delivery.with_version(base, version)) == version


def test_the_base_of_a_described_image() -> None:
    assert delivery.image_base({"repository": "app", "tag": "v1"}, {"app": ECR}) == ECR


def test_a_repository_in_ecr() -> None:
    parts = {"account": "123456789012", "region": "eu-west-3", "repository": "team/app"}
    assert delivery.ecr_repository(f"{ECR}:v1") == parts
    assert delivery.ecr_repository("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app:v1")["region"] == "cn-north-1"
    assert delivery.ecr_repository("ghcr.io/team/app:v1") == {}


RECORD = {"back": {"version": "v1", "reference": "app:v1"}}


@pytest.mark.parametrize(
    ("kind", "given", "record", "build", "version", "reference"),
    [
        ("service", "v2", {}, "", "v2", ""),
        ("service", DIGEST, {}, "", DIGEST, ""),
        ("service", "previous", RECORD, "", "v1", "app:v1"),
        ("application", "feature/x", {}, "", "feature/x", "feature/x"),
        ("site", "feature/x", {}, "dist", "feature/x", ""),
        ("site", "previous", RECORD, "", "v1", "app:v1"),
    ],
)
def test_the_wanted_version(
    kind: str, given: str, record: dict[str, t.Any], build: str, version: str, reference: str
) -> None:
    found = delivery.wanted_version(kind, given, record, build)
    assert found == {"version": version, "reference": reference, "problem": ""}


@pytest.mark.parametrize(
    ("kind", "given", "build", "said"),
    [
        ("service", "", "", "which version?"),
        ("service", "feature/x", "", "neither a tag nor a digest"),
        ("service", "sha256:abc", "", "neither a tag nor a digest"),
        ("service", DIGEST, "app", "write a tag for it"),
        ("service", "previous", "", "no release before"),
        ("application", "v7", "app", "release_build_path"),
    ],
)
def test_a_version_that_cannot_be_released(kind: str, given: str, build: str, said: str) -> None:
    assert said in delivery.wanted_version(kind, given, {}, build)["problem"]


@pytest.mark.parametrize(
    ("given", "environment", "commit", "source"),
    [
        ("by hand", {"CI_JOB_URL": "https://gitlab/7"}, "abc", "by hand"),
        ("", {"CI_JOB_URL": "https://gitlab/7", "CI_COMMIT_SHA": "abc"}, "", "https://gitlab/7 commit abc"),
        (
            "",
            {
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_RUN_ID": "9",
                "GITHUB_SHA": "f0",
            },
            "abc",
            "https://github.com/a/b/actions/runs/9 commit f0",
        ),
        ("", {"JOB_ID": 7}, "", "AWX job 7"),
        ("", {}, "abc", "commit abc"),
        ("", {}, "", ""),
    ],
)
def test_the_source_of_a_release(given: str, environment: dict[str, t.Any], commit: str, source: str) -> None:
    assert delivery.source_of(given, environment, commit) == source


def test_a_deployment_keeps_what_was_released() -> None:
    records = {"app": {"kept": {"reference": "app:v2"}}, "web": {"kept": {}}}
    assert delivery.released_references(records) == {"app": "app:v2"}
    services = [{"name": "app", "image": "app:v1"}, {"name": "web", "image": "web:v1"}]
    assert [one["image"] for one in delivery.with_released_images(services, {"app": "app:v2"})] == ["app:v2", "web:v1"]
    assert services[0]["image"] == "app:v1"
    instances = [{"name": "web", "application": {"version": "v1", "port": 80}}, {"name": "test"}]
    found = delivery.with_released_versions(instances, {"web": "v2", "test": "v2"})
    assert found == [{"name": "web", "application": {"version": "v2", "port": 80}}, {"name": "test"}]


def test_the_smoke_test() -> None:
    assert delivery.smoke_url("", "", "https://a") == ""
    assert delivery.smoke_url("", "/health", "https://a/") == "https://a/health"
    assert delivery.smoke_url("", "/health", "") == ""
    assert delivery.smoke_url("https://b/x", "/health", "https://a") == "https://b/x"


@pytest.mark.parametrize(
    ("balancing", "records", "zone", "https", "address"),
    [
        ({"hosts": ["*.example.com", "app.example.com"]}, [], "", True, "https://app.example.com"),
        (
            {"paths": ["/*"]},
            [{"name": "www", "alias": "load_balancer"}],
            "example.com",
            True,
            "https://www.example.com",
        ),
        ({"paths": ["/*"]}, [{"name": "@", "alias": "load_balancer"}], "example.com", True, "https://example.com"),
        ({"paths": ["/*"]}, [], "", False, "http://lb.aws"),
        ({}, [], "", False, ""),
    ],
)
def test_the_address_of_a_service(
    balancing: dict[str, t.Any], records: list[dict[str, str]], zone: str, https: bool, address: str
) -> None:
    service = {"name": "app", "load_balancer": balancing}
    assert delivery.service_address(service, {"dns_name": "lb.aws"}, records, zone, https) == address


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/", "index.html"),
        ("/index.html?x=1", "index.html"),
        ("/docs/", "docs/index.html"),
        ("/app.js", "app.js"),
        ("/docs", ""),
        ("/missing", ""),
        ("", ""),
    ],
)
def test_the_page_of_a_build(path: str, page: str, tmp_path: Path) -> None:
    for name in ("index.html", "docs/index.html", "app.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert delivery.smoke_page(path, str(tmp_path), "index.html") == (str(tmp_path / page) if page else "")
    assert delivery.smoke_page(path, "", "index.html") == ""

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import os
import stat
import typing as t
from pathlib import Path

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import ecr_image_info, ecr_image_push
from moto import mock_aws

from tests.unit.module_runner import run_module

ADDRESS = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/app"
MANIFEST = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {}, "layers": []}


@pytest.fixture(autouse=True)
def aws() -> t.Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def ecr() -> t.Any:
    client = boto3.client("ecr", "eu-west-3")
    client.create_repository(repositoryName="app")
    return client


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker that writes down how it was called; C{fail} beside it lets it fail."""
    program = tmp_path / "docker"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        f'[ "$1" != --config ] || cp "$2/config.json" {tmp_path}/config.json\n'
        f"[ ! -e {tmp_path}/fail ] || {{ echo no space left >&2; exit 4; }}\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def put(ecr: t.Any, tag: str) -> str:
    made = ecr.put_image(repositoryName="app", imageManifest=json.dumps(MANIFEST), imageTag=tag)
    return t.cast(str, made["image"]["imageId"]["imageDigest"])


def push(tmp_path: Path, check: bool = False, **options: str) -> dict[str, t.Any]:
    return run_module(ecr_image_push, {"repository": ADDRESS, "tag": "v1", "path": str(tmp_path), **options}, check)


def test_an_image_by_tag_and_by_digest(ecr: t.Any) -> None:
    digest = put(ecr, "v1")
    for wanted in ({"tag": "v1"}, {"digest": digest}):
        found = run_module(ecr_image_info, {"repository": "app", **wanted})
        assert (found["image"]["digest"], found["image"]["tags"]) == (digest, ["v1"])
    for missing in ({"tag": "v2"}, {"digest": "sha256:" + "0" * 64}):
        found = run_module(ecr_image_info, {"repository": "app", **missing})
        assert (found["repository_exists"], found["image"]) == (True, {})
    found = run_module(ecr_image_info, {"repository": "none", "tag": "v1"})
    assert (found["repository_exists"], found["image"]) == (False, {})


def test_an_image_that_is_there_is_not_built(ecr: t.Any, docker: Path) -> None:
    digest = put(ecr, "v1")
    result = push(docker)
    assert (result["changed"], result["image"]) == (False, f"{ADDRESS}@{digest}")
    assert not (docker / "calls").exists()


def test_check_mode_builds_nothing(ecr: t.Any, docker: Path) -> None:
    result = push(docker, check=True)
    assert (result["changed"], result["image"]) == (True, f"{ADDRESS}:v1")
    assert not (docker / "calls").exists()


def test_it_builds_and_pushes_with_a_token_of_its_own(ecr: t.Any, docker: Path) -> None:
    result = push(docker, platform="linux/arm64", dockerfile="Dockerfile.prod")
    assert result["changed"]
    build, pushed = (docker / "calls").read_text().splitlines()
    file = f"--file {docker}/Dockerfile.prod"
    assert build == f"build --platform linux/arm64 --tag {ADDRESS}:v1 {file} {docker}"
    assert pushed.startswith("--config ")
    assert pushed.endswith(f" push {ADDRESS}:v1")
    token = json.loads((docker / "config.json").read_text())["auths"]["123456789012.dkr.ecr.eu-west-3.amazonaws.com"]
    assert token["auth"]
    assert token["auth"] not in (docker / "calls").read_text() + json.dumps(result)
    assert not Path(pushed.split()[1]).exists(), "the token goes with its directory"


def test_what_docker_said_last_is_shown(ecr: t.Any, docker: Path) -> None:
    (docker / "fail").touch()
    result = push(docker)
    assert "docker build" in result["msg"]
    assert "exit code 4" in result["msg"]
    assert "no space left" in result["msg"]


@pytest.mark.parametrize(
    ("repository", "said"), [(ADDRESS, "there is no app"), ("ghcr.io/app", "write the address of a repository in ECR")]
)
def test_a_repository_that_is_missing_or_elsewhere(repository: str, said: str, docker: Path) -> None:
    assert said in push(docker, repository=repository)["msg"]

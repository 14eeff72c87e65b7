# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The image sync from end to end against MiniStack's ECR, control plane and registry, in two regions.

MiniStack pins a botocore of its own, so it lives in an environment of its own, built once. It knows a registry's region
by the Host header, so each region gets a front door that sets it, and the API's front door names those doors where
MiniStack gives the addresses that AWS would.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

import boto3
import pytest

from tests.live.platform import PlatformError, install

from .conftest import DESTINATION, SOURCE, finish, start_module
from .images import Maker
from .proxies import Front
from .registries import free_port

pytestmark = [pytest.mark.ministack, pytest.mark.slow]

ACCOUNT = "000000000000"
REGIONS = (SOURCE, DESTINATION)


@pytest.fixture(scope="module")
def program():
    """The program, installed if it is not there yet."""
    try:
        return install().with_name("ministack")
    except PlatformError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def ministack(program, tmp_path_factory):
    """A MiniStack on loopback with an empty state; its address."""
    port = free_port()
    folder = tmp_path_factory.mktemp("ministack")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "SERVICES": "ecr,sts",
        "TMPDIR": str(folder),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(program)], stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        wait_for(f"http://127.0.0.1:{port}/_ministack/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(url, process) -> None:
    for _attempt in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                break
            time.sleep(0.2)
    raise RuntimeError("MiniStack did not start")


class Doors:
    """What a client speaks to: the API, and a registry for each region."""

    def __init__(self, url: str, stack: contextlib.ExitStack) -> None:
        self.registries = {
            region: stack.enter_context(Front(url, host=f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com"))
            for region in REGIONS
        }
        self.api = stack.enter_context(Front(url))
        self.api.rewrite = self.rewrite

    def rewrite(self, _headers, body: bytes) -> bytes:
        def door(match: re.Match[bytes]) -> bytes:
            return self.registries[match[1].decode()].url.encode()

        return re.sub(rb"https://\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?=\")", door, body)

    def client(self, region: str):
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client("ecr", region, endpoint_url=self.api.url, **keys)

    def sync(self, *repositories, **options):
        arguments = {
            "source": {"region": SOURCE},
            "destination": {"region": DESTINATION},
            "repositories": list(repositories),
            "endpoint_url": self.api.url,
            **options,
        }
        return finish(start_module("ecr_image_sync", arguments))


@pytest.fixture
def doors(ministack):
    with contextlib.ExitStack() as stack:
        yield Doors(ministack, stack)


def listed(client, repository) -> dict[str, str]:
    details = client.describe_images(repositoryName=repository)["imageDetails"]
    return {tag: image["imageDigest"] for image in details for tag in image.get("imageTags", [])}


def pull(maker: Maker, repository: str, reference: str) -> int:
    """Read a manifest and every blob of it, as a pull does; how many bytes came."""
    status, _headers, raw = maker.request("GET", f"/v2/{repository}/manifests/{reference}")
    assert status == 200
    document = json.loads(raw)
    total = 0
    for child in document.get("manifests", []):
        total += pull(maker, repository, child["digest"])
    for entry in [*filter(None, [document.get("config")]), *document.get("layers", [])]:
        status, _headers, data = maker.request("GET", f"/v2/{repository}/blobs/{entry['digest']}")
        assert status == 200
        assert "sha256:" + hashlib.sha256(data).hexdigest() == entry["digest"]
        total += len(data)
    return total


def test_two_regions_hold_the_same_images_and_serve_every_layer(doors):
    source, destination = (doors.client(region) for region in REGIONS)
    for name in ("shop/web", "shop/api"):
        source.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
    login = {"Authorization": "Basic QVdTOng="}
    maker = Maker(doors.registries[SOURCE].url, headers=login)
    shared = maker.layer(200_000)
    maker.image("shop/web", "v1", [shared, maker.layer(10_000)])
    maker.image("shop/web", "v2", [shared, maker.layer(20_000)], indent=3)
    maker.image("shop/api", "v1", [shared, maker.layer(5_000)], label="api")

    planned = doors.sync("shop/web", "shop/api", _ansible_check_mode=True)
    assert planned["changed"], planned
    done = doors.sync("shop/web", "shop/api")
    assert done.get("copied", done)["images"] == 3, done
    assert done["plan"] == planned["plan"]

    target = Maker(doors.registries[DESTINATION].url, headers=login)
    for name in ("shop/web", "shop/api"):
        assert listed(destination, name) == listed(source, name)
        for tag in listed(source, name):
            assert pull(target, name, tag) == pull(maker, name, tag) > 200_000
    made = destination.describe_repositories(repositoryNames=["shop/web"])["repositories"][0]
    assert made["imageTagMutability"] == "IMMUTABLE"

    again = doors.sync("shop/web", "shop/api")
    assert not again["changed"]
    assert again["requests"] == {"api": 4, "source": 0, "destination": 0}

    source.batch_delete_image(repositoryName="shop/web", imageIds=[{"imageTag": "v1"}])
    assert doors.sync("shop/web", prune=True)["changed"]
    assert sorted(listed(destination, "shop/web")) == ["v2"]
    maker.close()
    target.close()

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module cloudfront_invalidation as a whole, together with s3_site_content, against the emulator."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.palier.aws.plugins.modules import (
    cloudfront_distribution,
    cloudfront_invalidation,
    s3_site_content,
)

from tests.emulator import Emulator
from tests.emulator.fixtures import emulator, emulator_process
from tests.unit.module_runner import recorded_calls, run_module, writes

__all__ = ["emulator", "emulator_process"]

ORIGIN = {"id": "site", "domain_name": "shop-site.s3.eu-west-3.amazonaws.com"}


class Site:
    """A directory, its bucket and its distribution."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        self.cloud = emulator.client("cloudfront")
        self.directory = directory
        emulator.client("s3", "eu-west-3").create_bucket(
            Bucket="shop-site", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
        )

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.directory / f"{name}.html").write_text(text)

    def upload(self) -> dict[str, t.Any]:
        return good(s3_site_content, {"bucket": "shop-site", "source": str(self.directory), "delete": True})

    def distribute(self, content: str | None = None) -> None:
        options = {"name": "shop", "origins": [ORIGIN], "default_behavior": {"origin": "site"}}
        good(cloudfront_distribution, {**options, **({"content": content} if content else {})})

    def invalidate(self, uploaded: dict[str, t.Any], check: bool = False) -> dict[str, t.Any]:
        return good(
            cloudfront_invalidation,
            {
                "name": "shop",
                "paths": uploaded["changed_paths"],
                "content": uploaded["content"],
                "content_before": uploaded["content_before"],
            },
            check,
        )

    def published(self) -> None:
        """The first release."""
        self.write(index="one", about="one")
        self.distribute(self.upload()["content"])


def good(module: t.Any, options: dict[str, t.Any], check: bool = False) -> dict[str, t.Any]:
    result = run_module(module, options, check)
    assert not result.get("failed"), result["msg"]
    return result


@pytest.fixture
def site(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    return Site(emulator, tmp_path)


def test_a_new_distribution_has_nothing_in_its_caches(site: Site) -> None:
    site.write(index="one")
    uploaded = site.upload()
    assert site.invalidate(uploaded)["plan"][0]["action"] == "skip"
    site.distribute(uploaded["content"])
    assert site.invalidate(uploaded)["plan"][0]["action"] == "keep"


def test_only_what_changed_and_nothing_when_nothing_did(site: Site) -> None:
    site.published()
    site.write(about="two")
    uploaded = site.upload()
    with recorded_calls() as calls:
        planned = site.invalidate(uploaded, check=True)
    assert writes(calls) == []
    done = site.invalidate(uploaded)
    assert done["paths"] == planned["paths"] == ["/about.html"]
    assert done["plan"] == planned["plan"]
    again = site.invalidate(site.upload())
    assert (again["changed"], again["paths"], again["invalidation_id"]) == (False, [], "")


def test_a_file_that_left_is_invalidated(site: Site) -> None:
    site.published()
    (site.directory / "about.html").unlink()
    assert site.invalidate(site.upload())["paths"] == ["/about.html"]


def test_a_file_with_a_hash_that_left_stays_in_the_caches(site: Site) -> None:
    site.write(**{"app-3f2a91bc": "one"})
    site.published()
    (site.directory / "app-3f2a91bc.html").rename(site.directory / "app-3f2a91bc.js")
    site.invalidate(site.upload())
    (site.directory / "app-3f2a91bc.js").unlink()
    done = site.invalidate(site.upload())
    assert ([step["action"] for step in done["plan"]], done["invalidation_id"]) == (["note"], "")
    assert not site.invalidate(site.upload())["changed"]


def test_a_run_that_broke_off_before_the_invalidation_is_made_up_for(site: Site) -> None:
    site.published()
    site.write(index="two")
    site.upload()
    uploaded = site.upload()
    assert uploaded["changed_paths"] == []
    assert site.invalidate(uploaded)["paths"] == ["/*"]
    assert not site.invalidate(site.upload())["changed"]


def test_one_that_broke_off_and_another_change(site: Site) -> None:
    site.published()
    site.write(index="two")
    site.upload()
    site.write(about="two")
    assert site.invalidate(site.upload())["paths"] == ["/*"]


def test_a_refused_invalidation_is_not_noted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.published()
    site.write(index="two")
    uploaded = site.upload()
    with monkeypatch.context() as patched:
        patched.setattr(cloudfront_invalidation.api, "create_invalidation", refuse)
        with pytest.raises(RuntimeError):
            site.invalidate(uploaded)
    assert site.invalidate(uploaded)["paths"] == ["/", "/index.html"]


def refuse(*_: t.Any) -> t.NoReturn:
    raise RuntimeError("TooManyInvalidationsInProgress")


def test_without_a_digest_the_paths_decide(site: Site) -> None:
    site.published()
    assert good(cloudfront_invalidation, {"name": "shop", "paths": ["/a"]})["changed"]
    assert not good(cloudfront_invalidation, {"name": "shop"})["changed"]


def test_the_number_of_paths_is_checked(site: Site) -> None:
    assert "most_paths is 0" in run_module(cloudfront_invalidation, {"name": "shop", "most_paths": 0})["msg"]

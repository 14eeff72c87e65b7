# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a site's files are, what its bucket is called, where it answers."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import sites as subject

ACCOUNT = "123456789012"


class TestSource:
    @pytest.fixture
    def here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A run that is started beside the inventory's directory; both have a directory named both."""
        for name in ("inventory/both", "inventory/near", "both", "far"):
            (tmp_path / name).mkdir(parents=True)
        monkeypatch.chdir(tmp_path)
        return tmp_path

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("near", "{here}/inventory/near"),
            ("both", "{here}/inventory/both"),
            ("far", "far"),
            ("../far", "{here}/inventory/../far"),
            ("{here}/far", "{here}/far"),
            ("nowhere", "{here}/inventory/nowhere"),
        ],
    )
    def test_the_inventory_comes_first(self, here: Path, source: str, expected: str) -> None:
        found = subject.site_source(source.format(here=here), str(here / "inventory"))
        assert found == expected.format(here=here)

    def test_an_inventory_without_a_directory(self, here: Path) -> None:
        assert subject.site_source("far", None) == "far"


class TestBucket:
    @pytest.mark.parametrize(
        ("site", "expected"),
        [
            ({"name": "docs"}, f"shop-prod-docs-{ACCOUNT}"),
            ({"name": "docs", "bucket": ""}, f"shop-prod-docs-{ACCOUNT}"),
            ({"name": "docs", "bucket": "www.example.com"}, "www.example.com"),
        ],
    )
    def test_name(self, site: dict[str, str], expected: str) -> None:
        assert subject.site_bucket(site, "shop-prod", ACCOUNT) == expected


class TestFacts:
    # Amazon S3 endpoints: older regions are written with a dash, newer ones with a dot.
    @pytest.mark.parametrize(
        ("region", "host"),
        [
            ("us-east-1", "s3-website-us-east-1.amazonaws.com"),
            ("eu-west-1", "s3-website-eu-west-1.amazonaws.com"),
            ("eu-west-3", "s3-website.eu-west-3.amazonaws.com"),
            ("eu-central-1", "s3-website.eu-central-1.amazonaws.com"),
        ],
    )
    def test_a_website_has_an_address(self, region: str, host: str) -> None:
        facts = subject.site_facts([{"name": "docs", "hosting": "website"}], "shop-prod", ACCOUNT, region)
        bucket = f"shop-prod-docs-{ACCOUNT}"
        expected = {"bucket": bucket, "hosting": "website", "url": f"http://{bucket}.{host}/"}
        assert {key: facts["docs"][key] for key in expected} == expected
        assert facts["docs"]["distribution"] == facts["docs"]["distribution_id"] == ""

    def test_a_private_one_has_none(self) -> None:
        sites: list[dict[str, t.Any]] = [{"name": "docs", "hosting": "private"}]
        assert subject.site_facts(sites, "shop-prod", ACCOUNT, "eu-west-3")["docs"]["url"] == ""

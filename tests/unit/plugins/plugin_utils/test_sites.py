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
            ("far", "{here}/far"),
            ("../far", "{here}/inventory/../far"),
            ("{here}/far", "{here}/far"),
            ("nowhere", "{here}/inventory/nowhere"),
        ],
    )
    def test_the_inventory_comes_first(self, here: Path, source: str, expected: str) -> None:
        found = subject.site_source(source.format(here=here), str(here / "inventory"))
        assert found == expected.format(here=here)

    def test_an_inventory_without_a_directory(self, here: Path) -> None:
        assert subject.site_source("far", None) == str(here / "far")


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


CDN: dict[str, t.Any] = {
    "name": "front",
    "hosting": "cdn",
    "index_document": "index.html",
    "aliases": [],
    "spa": False,
    "api_origin": "",
    "api_paths": ["/api/*"],
    "api_domain": "",
    "error_pages": [],
    "protected_paths": [],
    "public_keys": [],
}
MADE = {
    "bucket_domain": "b.s3.eu-west-3.amazonaws.com",
    "control": "E1",
    "headers": "H",
    "key_group": "G",
    "function": "F",
}
BALANCER = {"dns_name": "lb.eu-west-3.elb.amazonaws.com", "https": True}


def asks(balancer: dict[str, t.Any] = BALANCER, **changes: t.Any) -> dict[str, t.Any]:
    return subject.site_distribution({**CDN, **changes}, MADE, balancer)


class TestDistribution:
    def test_a_plain_site(self) -> None:
        made = asks()
        assert made["origins"] == [
            {"id": "site", "domain_name": MADE["bucket_domain"], "origin_access_control_id": "E1"}
        ]
        assert made["default_behavior"]["response_headers_policy"] == "H"
        assert (made["behaviors"], made["error_responses"]) == ([], [])

    def test_protected_paths_want_a_signature_and_nothing_else_does(self) -> None:
        made = asks(protected_paths=["/private/*"])
        (protected,) = made["behaviors"]
        assert (protected["path"], protected["key_groups"], protected["origin"]) == ("/private/*", ["G"], "site")
        assert made["default_behavior"]["key_groups"] == []

    @pytest.mark.parametrize(
        ("https", "domain", "origin", "policy"),
        [
            (True, "", ("lb.eu-west-3.elb.amazonaws.com", "https-only"), "AllViewer"),
            (False, "", ("lb.eu-west-3.elb.amazonaws.com", "http-only"), "AllViewer"),
            (True, "api.example.com", ("api.example.com", "https-only"), "AllViewerExceptHostHeader"),
        ],
    )
    def test_an_api_is_asked_everything_and_nothing_is_kept(
        self, https: bool, domain: str, origin: tuple[str, str], policy: str
    ) -> None:
        made = asks({**BALANCER, "https": https}, api_origin="load_balancer", api_domain=domain)
        assert (made["origins"][1]["domain_name"], made["origins"][1]["protocol"]) == origin
        (behavior,) = made["behaviors"]
        assert (behavior["path"], behavior["origin"]) == ("/api/*", "api")
        assert (behavior["methods"], behavior["cache_policy"]) == ("all", "CachingDisabled")
        assert behavior["origin_request_policy"] == policy

    def test_the_plan_of_a_balancer_that_is_not_there_yet(self) -> None:
        made = asks({"dns_name": "", "https": False}, api_origin="load_balancer")
        assert made["origins"][1]["domain_name"] == "load-balancer.invalid"

    def test_an_application_of_one_page(self) -> None:
        made = asks(spa=True)
        assert [(one["code"], one["page"], one["response_code"]) for one in made["error_responses"]] == [
            (403, "/index.html", 200),
            (404, "/index.html", 200),
        ]
        assert made["default_behavior"]["functions"] == {}

    def test_with_an_api_behind_it_the_errors_of_the_api_stay_errors(self) -> None:
        made = asks(spa=True, api_origin="load_balancer")
        assert made["error_responses"] == []
        assert made["default_behavior"]["functions"] == {"viewer-request": "F"}
        assert [one["functions"] for one in made["behaviors"]] == [{}]

    def test_pages_of_ones_own_come_before_the_index_page(self) -> None:
        made = asks(spa=True, error_pages=[{"code": 403, "page": "/403.html", "response_code": 0}])
        assert [(one["code"], one["page"], one["response_code"]) for one in made["error_responses"]] == [
            (403, "/403.html", 403),
            (404, "/index.html", 200),
        ]


class TestPublicKeys:
    def test_as_text_and_as_a_file_beside_the_inventory(self, tmp_path: Path) -> None:
        (tmp_path / "key.pem").write_text("PEM2")
        keys = [{"name": "a", "pem": "PEM1"}, {"name": "b", "pem": "", "path": "key.pem"}]
        assert subject.public_keys({"public_keys": keys}, str(tmp_path)) == [
            {"name": "a", "pem": "PEM1"},
            {"name": "b", "pem": "PEM2"},
        ]

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"there is no file '.*/none.pem' for the key 'a'"):
            subject.public_keys({"public_keys": [{"name": "a", "path": "none.pem"}]}, str(tmp_path))


class TestPublished:
    FOUND = {
        "id": "E1",
        "arn": "arn:aws:cloudfront::1:distribution/E1",
        "domain_name": "d1.cloudfront.net",
        "hosted_zone_id": "Z2FDTNDATAQYW2",
        "status": "Deployed",
        "aliases": ["www.example.com"],
    }

    def test_a_distribution(self) -> None:
        facts = subject.site_facts([CDN], "shop-prod", ACCOUNT, "eu-west-3")
        assert (facts["front"]["distribution"], facts["front"]["distribution_id"]) == ("shop-prod-front", "")
        known = subject.with_distributions(facts, {"shop-prod-front": self.FOUND})["front"]
        assert (known["distribution_id"], known["url"]) == ("E1", "https://www.example.com/")
        assert (known["distribution_domain"], known["distribution_zone_id"]) == ("d1.cloudfront.net", "Z2FDTNDATAQYW2")

    def test_one_without_names_of_its_own(self) -> None:
        facts = subject.site_facts([CDN], "shop-prod", ACCOUNT, "eu-west-3")
        known = subject.with_distributions(facts, {"shop-prod-front": {**self.FOUND, "aliases": []}})
        assert known["front"]["url"] == "https://d1.cloudfront.net/"

    def test_one_that_is_not_there(self) -> None:
        facts = subject.site_facts([CDN], "shop-prod", ACCOUNT, "eu-west-3")
        assert subject.with_distributions(facts, {}) == facts

    def test_the_policy_names_one_distribution(self) -> None:
        (statement,) = subject.distribution_policy("arn:aws:s3:::b", self.FOUND["arn"])["Statement"]
        assert statement["Resource"] == "arn:aws:s3:::b/*"
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"AWS:SourceArn": self.FOUND["arn"]}}

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module cloudfront_distribution as a whole, and cloudfront_distribution_info, against the emulator."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.modules import cloudfront_distribution, cloudfront_distribution_info

from tests.emulator import Emulator
from tests.emulator.fixtures import emulator, emulator_process
from tests.unit.module_runner import recorded_calls, run_module, writes

__all__ = ["emulator", "emulator_process"]

ORIGIN = {"id": "site", "domain_name": "shop-prod-site.s3.eu-west-3.amazonaws.com"}
OPTIONS: dict[str, t.Any] = {
    "name": "shop-site",
    "origins": [ORIGIN],
    "default_behavior": {"origin": "site"},
    "aliases": [],
    "certificate_arn": "",
    "tags": {"Stack": "shop"},
}


@pytest.fixture
def cloud(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> t.Any:
    """The emulator's CloudFront, which the module finds as well."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    return emulator.client("cloudfront")


def distribution(check: bool = False, **changes: t.Any) -> dict[str, t.Any]:
    result = run_module(cloudfront_distribution, {**OPTIONS, **changes}, check)
    assert not result.get("failed"), result["msg"]
    return result


def absent(check: bool = False, **more: t.Any) -> dict[str, t.Any]:
    result = run_module(cloudfront_distribution, {"name": "shop-site", "state": "absent", **more}, check)
    assert not result.get("failed"), result["msg"]
    return result


def actions(result: dict[str, t.Any]) -> list[str]:
    return [step["action"] for step in result["plan"]]


def slow(emulator: Emulator, looks: int) -> None:
    """Have a change take so many looks until it is deployed."""
    import json
    import urllib.request

    body = {"model_name": "cloudfront::distribution", "transition": {"progression": "manual", "times": looks}}
    request = urllib.request.Request(
        f"{emulator.endpoint}/moto-api/state-manager/set-transition", json.dumps(body).encode(), method="POST"
    )
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()


@pytest.fixture
def slow_cloud(emulator: Emulator, cloud: t.Any) -> t.Iterator[t.Any]:
    slow(emulator, 1000)
    yield cloud
    slow(emulator, 1)


def stored(cloud: t.Any) -> dict[str, t.Any]:
    (found,) = cloud.list_distributions()["DistributionList"]["Items"]
    return cloud.get_distribution_config(Id=found["Id"])["DistributionConfig"]


def test_created_once_with_secure_defaults(cloud: t.Any) -> None:
    result = distribution()
    made = result["distribution"]
    assert made["arn"].endswith(f":distribution/{made['id']}")
    assert (made["enabled"], made["hosted_zone_id"]) == (True, "Z2FDTNDATAQYW2")
    config = stored(cloud)
    assert (config["HttpVersion"], config["IsIPV6Enabled"], config["DefaultRootObject"]) == (
        "http2and3",
        True,
        "index.html",
    )
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
    assert config["DefaultCacheBehavior"]["CachePolicyId"] == "658327ea-f89d-4fab-a63d-7e88639e58f6"
    again = distribution()
    assert not again["changed"]
    assert again["distribution"]["id"] == made["id"]
    assert again["distribution"]["tags"] == {"Stack": "shop", "Name": "shop-site"}


def test_check_mode_writes_nothing_and_says_the_same(cloud: t.Any) -> None:
    for changes in ({}, {"price_class": "PriceClass_All"}):
        with recorded_calls() as calls:
            planned = distribution(check=True, **changes)
        done = distribution(**changes)
        assert writes(calls) == []
        assert [planned[key] for key in ("changed", "plan", "diff")] == [
            done[key] for key in ("changed", "plan", "diff")
        ]


def test_what_nobody_names_stays(cloud: t.Any) -> None:
    distribution(price_class="PriceClass_All", error_responses=[{"code": 404, "page": "/404.html"}])
    result = distribution(default_behavior={"origin": "site", "methods": "all"})
    assert actions(result) == ["modify"]
    assert result["plan"][0]["reason"] == "DefaultCacheBehavior.AllowedMethods: differs"
    config = stored(cloud)
    assert config["PriceClass"] == "PriceClass_All"
    assert config["CustomErrorResponses"]["Items"][0]["ResponseCode"] == "404"
    assert config["CallerReference"].startswith("shop-site-")


def test_the_order_of_behaviors_counts(cloud: t.Any) -> None:
    paths = [{"path": path, "origin": "site"} for path in ("/a/*", "/b/*")]
    distribution(behaviors=paths)
    assert not distribution(behaviors=paths)["changed"]
    assert distribution(behaviors=paths[::-1])["changed"]
    assert [one["PathPattern"] for one in stored(cloud)["CacheBehaviors"]["Items"]] == ["/b/*", "/a/*"]
    distribution(behaviors=[])
    assert stored(cloud)["CacheBehaviors"]["Quantity"] == 0


def test_tags_change_in_place_and_the_content_stays(cloud: t.Any) -> None:
    distribution(content="digest")
    result = distribution(tags={"Stack": "other"})
    assert actions(result) == ["tag"]
    assert distribution(tags={"Stack": "other"})["distribution"]["tags"] == {
        "Stack": "other",
        "Name": "shop-site",
        "palier:content": "digest",
    }


def test_absent_twice_and_with_other_distributions(cloud: t.Any) -> None:
    distribution()
    other = distribution(name="other")["distribution"]["id"]
    assert actions(absent(check=True)) == ["disable", "delete"]
    first = absent()
    assert (first["changed"], first["gone"]) == (True, True)
    assert (absent()["changed"], absent()["gone"]) == (False, True)
    (left,) = cloud.list_distributions()["DistributionList"]["Items"]
    assert left["Id"] == other


def test_runs_in_the_middle_of_a_removal_converge(emulator: Emulator, slow_cloud: t.Any) -> None:
    distribution()
    first, second = absent(), absent()
    assert [first["gone"], second["gone"]] == [False, False]
    assert first["distribution"]["enabled"] is False
    assert actions(second) == ["delete"]
    slow(emulator, 1)
    assert absent()["gone"]
    assert slow_cloud.list_distributions()["DistributionList"]["Quantity"] == 0


def test_a_distribution_on_its_way_out_is_put_into_service_again(emulator: Emulator, slow_cloud: t.Any) -> None:
    made = distribution(enabled=True)["distribution"]["id"]
    absent()
    result = distribution(enabled=True)
    assert (actions(result), result["distribution"]["id"]) == (["modify"], made)
    assert result["distribution"]["enabled"] is True


def test_waiting_ends_when_it_is_deployed(cloud: t.Any) -> None:
    assert distribution(wait=True)["distribution"]["status"] == "Deployed"


def test_info(cloud: t.Any) -> None:
    distribution()
    found = run_module(cloudfront_distribution_info, {"names": ["shop-site", "nobody"]})["distributions"]
    assert list(found) == ["shop-site"]
    assert found["shop-site"]["config"]["Comment"] == "shop-site"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"aliases": ["www.example.com"]}, "certificate_arn is empty and aliases are www.example.com"),
        ({"certificate_arn": "arn:aws:acm:eu-west-3:1:certificate/x"}, "in us-east-1 only"),
        ({"origins": None}, "origins missing"),
    ],
)
def test_unusable_options(cloud: t.Any, changes: dict[str, t.Any], message: str) -> None:
    given = {key: value for key, value in {**OPTIONS, **changes}.items() if value is not None}
    with recorded_calls() as calls:
        result = run_module(cloudfront_distribution, given)
    assert result["failed"]
    assert message in result["msg"]
    assert writes(calls) == []

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a description to certificates, record sets and health checks."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import argument_specs
from ansible_collections.palier.aws.plugins.plugin_utils import dns as subject

ZONE, PREFIX = "shop.example", "shop-prod"
BALANCER = {"zone_id": "Z35SXDOTRQ7X7K", "dns_name": "lb-1.eu-west-3.elb.amazonaws.com"}
TARGETS: dict[str, t.Any] = {
    "load_balancer": BALANCER,
    "sites": {"front": {"distribution_domain": "d1.cloudfront.net"}},
    "partition": "aws",
    "planning": False,
}
NOTHING = {"load_balancer": {"dns_name": ""}, "sites": {}, "partition": "aws"}


def record(**options: t.Any) -> dict[str, t.Any]:
    """A record with its defaults."""
    return argument_specs.with_defaults([{"name": "www", **options}], "dns", "dns_records")[0]


def sets(targets: dict[str, t.Any] | None = None, checks: t.Any = None, **options: t.Any) -> list[dict[str, t.Any]]:
    return subject.dns_record_sets(
        [record(**options)], ZONE, PREFIX, TARGETS if targets is None else targets, checks or {}
    )


def test_an_alias_answers_over_both_versions_of_ip() -> None:
    found = sets(alias="load_balancer")
    assert [one["type"] for one in found] == ["A", "AAAA"]
    assert found[0]["alias"] == {
        "zone_id": "Z35SXDOTRQ7X7K",
        "dns_name": "dualstack.lb-1.eu-west-3.elb.amazonaws.com",
        "evaluate_target_health": True,
    }
    assert [one["type"] for one in sets(alias="load_balancer", type="A")] == ["A"]


@pytest.mark.parametrize(("partition", "zone"), [("aws", "Z2FDTNDATAQYW2"), ("aws-cn", "Z3RFFRIM2A3IF5")])
def test_a_distribution(partition: str, zone: str) -> None:
    alias = sets({**TARGETS, "partition": partition}, alias="site:front")[0]["alias"]
    assert alias == {"zone_id": zone, "dns_name": "d1.cloudfront.net", "evaluate_target_health": False}


@pytest.mark.parametrize(
    ("alias", "missing", "standin"),
    [
        ("load_balancer", "the load balancer", "dualstack.planned.elb.amazonaws.com"),
        ("site:front", "the distribution of the site front", "planned.cloudfront.net"),
    ],
)
def test_what_does_not_exist_yet(alias: str, missing: str, standin: str) -> None:
    assert sets({**NOTHING, "planning": True}, alias=alias)[0]["alias"]["dns_name"] == standin
    with pytest.raises(ValueError, match=f"www is an alias of {missing}, which does not exist; deploy it"):
        sets({**NOTHING, "planning": False}, alias=alias)


def test_a_plain_record() -> None:
    assert sets(name="@", type="TXT", values=["a"], ttl=60) == [
        {
            "name": ZONE,
            "type": "TXT",
            "ttl": 60,
            "values": ["a"],
            "set_identifier": "",
            "failover": "",
            "health_check_id": "",
            "takeover": False,
        }
    ]


def test_one_of_several() -> None:
    check = {"path": "/health"}
    options = {"type": "A", "values": ["203.0.113.7"], "failover": "primary", "health_check": check}
    (found,) = sets(checks={"shop-prod www.shop.example A shop-prod": "h1"}, **options)
    assert (found["set_identifier"], found["failover"], found["health_check_id"]) == (PREFIX, "primary", "h1")
    assert sets(type="A", values=["203.0.113.7"], weight=0, set_identifier="x")[0]["weight"] == 0


@pytest.mark.parametrize(
    ("options", "endpoint"),
    [
        ({"alias": "load_balancer"}, {"fqdn": BALANCER["dns_name"]}),
        ({"alias": "site:front"}, {"fqdn": "d1.cloudfront.net"}),
        ({"type": "A", "values": ["203.0.113.7"]}, {"ip_address": "203.0.113.7", "fqdn": "www.shop.example"}),
        ({"type": "CNAME", "values": ["Other.example."]}, {"fqdn": "other.example"}),
        ({"alias": "load_balancer", "health_check": {"fqdn": "a.example"}}, {"fqdn": "a.example"}),
    ],
)
def test_health_checks_ask_the_stacks_own_endpoint(options: dict[str, t.Any], endpoint: dict[str, str]) -> None:
    described = record(**{"health_check": {}, **options})
    (check,) = subject.dns_health_checks([described, record(type="A")], ZONE, PREFIX, TARGETS)
    assert {key: check[key] for key in ("fqdn", "ip_address") if check[key]} == endpoint
    assert (check["type"], check["path"], check["interval"]) == ("HTTPS", "/", 30)


def test_records_that_certificates_need() -> None:
    shared = {"name": "_x.shop.example", "value": "y."}
    certificates = [
        {"validation_records": [shared]},
        {"kept_records": [shared, {"name": "_z.a.example", "value": "w."}]},
    ]
    records = subject.dns_base_records(certificates, ["amazon.com"], "mailto:a@b.example", True)
    assert [(one["name"], one["type"], one.get("shared")) for one in records] == [
        ("_x.shop.example", "CNAME", True),
        ("_z.a.example", "CNAME", True),
        ("@", "CAA", None),
    ]
    assert records[-1]["values"] == ['0 issue "amazon.com"', '0 iodef "mailto:a@b.example"']
    assert subject.dns_base_records([], ["amazon.com"], "", False) == []
    assert subject.dns_base_records([], [], "", True) == []


@pytest.mark.parametrize("planning", [True, False])
def test_facts(planning: bool) -> None:
    zone = {"zone_id": "", "name": ZONE, "name_servers": []}
    certificate = {"arn": "", "status": "", "expires_in_days": -1}
    item = {"name": "web", "region": "us-east-1"}
    facts = subject.dns_facts(zone, [{"item": item, "certificate": certificate}], "aws", "123456789012", planning)
    assert bool(facts["zone_id"]) is planning
    assert facts["certificates"]["web"]["arn"].startswith("arn:aws:acm:us-east-1:123456789012:") is planning


@pytest.mark.parametrize("name", ["shop.example", "_dmarc.shop.example", "a" * 63, "1.2.3", "xn--bcher-kva.example"])
def test_domains(name: str) -> None:
    assert subject.is_domain(name)


@pytest.mark.parametrize(
    "name", ["", "a..b", "-a.b", "a-.b", "a" * 64, "a b", "*.a", "bücher.example", ".".join(["a" * 60] * 5)]
)
def test_no_domains(name: str) -> None:
    assert not subject.is_domain(name)


def test_wildcards() -> None:
    assert subject.is_domain("*.a", wildcard=True)
    assert not subject.is_domain("a.*.b", wildcard=True)
    assert subject.outside(["*.shop.example", "shop.example", "*.example", "example"], ZONE) == ["*.example", "example"]

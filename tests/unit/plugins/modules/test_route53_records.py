# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One batch, whole or not at all; whatever is not ours stays."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import dns_api
from ansible_collections.palier.aws.plugins.modules import route53_records

from tests.unit.module_runner import recorded_calls, run_module, writes
from tests.unit.plugins.dns_cloud import acm, cloud, route53

__all__ = ["acm", "cloud", "route53"]

WWW = {"name": "www", "type": "A", "values": ["203.0.113.7"]}
MX = {"name": "@", "type": "MX", "values": ["10 mail.shop.example"]}


@pytest.fixture
def zone(route53: t.Any) -> str:
    made = route53.create_hosted_zone(Name="shop.example", CallerReference="one")["HostedZone"]["Id"]
    return t.cast(str, made).rpartition("/")[2]


def run(zone: str, *records: dict[str, t.Any], check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    given = {"zone_id": zone, "zone": "shop.example", "owner": "shop-prod", "records": list(records), **options}
    return run_module(route53_records, given, check)


def names(route53: t.Any, zone: str) -> list[str]:
    found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return sorted(f"{one['Type']} {one['Name']}" for one in found if one["Type"] not in ("NS", "SOA"))


def test_the_plan_is_what_then_happens_in_one_call(route53: t.Any, zone: str) -> None:
    with recorded_calls() as calls:
        planned = run(zone, WWW, MX, check=True)
    assert writes(calls) == []
    with recorded_calls() as calls:
        made = run(zone, WWW, MX)
    assert calls == ["ListResourceRecordSets", "ChangeResourceRecordSets"]
    assert (planned["plan"], planned["diff"]) == (made["plan"], made["diff"])
    assert names(route53, zone) == ["A www.shop.example.", "MX shop.example.", "TXT _palier-shop-prod.shop.example."]
    with recorded_calls() as calls:
        assert not run(zone, WWW, MX)["changed"]
    assert writes(calls) == []


def test_what_left_the_description_goes_and_nothing_else(route53: t.Any, zone: str) -> None:
    route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={
            "Changes": [
                {
                    "Action": "CREATE",
                    "ResourceRecordSet": {
                        "Name": "*.shop.example",
                        "Type": "A",
                        "TTL": 60,
                        "ResourceRecords": [{"Value": "203.0.113.9"}],
                    },
                }
            ]
        },
    )
    run(zone, WWW, MX)
    assert run(zone, MX, purge=True)["changed"]
    assert names(route53, zone) == ["A \\052.shop.example.", "MX shop.example.", "TXT _palier-shop-prod.shop.example."]
    assert run(zone, state="pruned", check=True)["changed"]
    assert run(zone, state="pruned")["changed"]
    assert names(route53, zone) == ["A \\052.shop.example."]
    assert not run(zone, state="pruned")["changed"]
    refused = run(zone, {"name": "*", "type": "A", "values": ["203.0.113.7"]})
    assert refused["failed"]
    assert "takeover: true" in refused["msg"]


def test_aliases_and_failover(route53: t.Any, zone: str) -> None:
    check = route53.create_health_check(
        CallerReference="a", HealthCheckConfig={"Type": "TCP", "Port": 1, "IPAddress": "203.0.113.7"}
    )["HealthCheck"]["Id"]
    alias = {"zone_id": "Z35SXDOTRQ7X7K", "dns_name": "dualstack.LB.elb.amazonaws.com", "evaluate_target_health": True}
    first = {"name": "api", "type": "A", "alias": alias, "failover": "primary", "set_identifier": "one"}
    run(zone, {**first, "health_check_id": check}, wait=True)
    again = run(zone, {**first, "health_check_id": check}, purge=True)
    assert not again["changed"]
    changed = run(zone, first)
    assert changed["diff"]["before"]["A record api.shop.example (one)"]["health_check_id"] == check
    assert run(zone, {**WWW, "name": "api"})["failed"]


def test_a_zone_that_is_not_there(cloud: None) -> None:
    assert run("", WWW, check=True)["changed"]
    assert run("ZNOTHING", WWW)["msg"] == "zone_id: there is no hosted zone ZNOTHING"
    assert not run("ZNOTHING", state="pruned")["changed"]
    assert not run("", state="pruned")["changed"]


def test_a_zone_that_changes_meanwhile_is_read_again(
    route53: t.Any, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two stacks that give up the same record at once: the later one removes it."""
    shared = {"name": "_x", "type": "CNAME", "values": ["y.acm.example"], "shared": True}
    run(zone, shared)
    run(zone, shared, owner="other")
    original, seen = dns_api.list_records, []

    def stale(client: t.Any, zone_id: str) -> t.Any:
        found = original(client, zone_id)
        if not seen:
            seen.append(zone_id)
            run(zone, owner="other", state="pruned")
        return found

    monkeypatch.setattr(dns_api, "list_records", stale)
    result = run(zone, state="pruned")
    assert [step["action"] for step in result["plan"]] == ["delete", "delete"]
    assert names(route53, zone) == []


def test_what_route53_refuses_is_said(zone: str) -> None:
    result = run(zone, {"name": "x", "type": "CNAME", "values": ["a.example", "b.example"]})
    assert result["failed"]
    assert "InvalidChangeBatch" in str(result)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A zone is made once, found again, and deleted only when nobody else's record is in it."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.modules import route53_hosted_zone, route53_records

from tests.unit.module_runner import recorded_calls, run_module, writes
from tests.unit.plugins.dns_cloud import cloud, route53

__all__ = ["cloud", "route53"]

TAGS = {"Stack": "shop"}


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    return run_module(route53_hosted_zone, {"name": "shop.example", "owner": "shop-prod", **options}, check)


def test_made_as_planned_and_once(route53: t.Any) -> None:
    with recorded_calls() as calls:
        planned = run(check=True, tags=TAGS)
    assert writes(calls) == []
    made = run(tags=TAGS)
    assert (planned["plan"], planned["changed"]) == (made["plan"], True)
    assert planned["zone"]["zone_id"] == ""
    assert len(made["zone"]["name_servers"]) == 4
    assert not run(tags=TAGS)["changed"]
    assert run(tags={"Stack": "other"})["plan"][0]["action"] == "tag"
    answer = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=made["zone"]["zone_id"])
    assert answer["ResourceTagSet"]["Tags"] == [{"Key": "Stack", "Value": "other"}]


def test_a_run_that_died_before_the_tags_goes_on(route53: t.Any) -> None:
    route53.create_hosted_zone(Name="shop.example", CallerReference="palier.aws:shop-prod:x")
    assert [step["action"] for step in run(tags=TAGS)["plan"]] == ["tag"]
    assert not run(tags=TAGS)["changed"]


def test_somebody_elses_zone(route53: t.Any) -> None:
    route53.create_hosted_zone(Name="shop.example", CallerReference="console")
    assert "dns_zone_managed: false" in run()["msg"]
    found = run(managed=False)
    assert (found["changed"], found["zone"]["zone_id"] != "") == (False, True)
    assert run(state="absent")["plan"][0]["reason"] == "it was not made for shop-prod"
    assert not run(state="absent", managed=False)["changed"]


def test_deleted_when_nothing_of_others_is_in_it(route53: t.Any) -> None:
    zone = run()["zone"]["zone_id"]
    record = {"name": "www", "type": "A", "values": ["203.0.113.7"]}
    options = {"zone_id": zone, "zone": "shop.example"}
    run_module(route53_records, {**options, "owner": "shop-prod", "records": [record]})
    run_module(route53_records, {**options, "owner": "other", "records": [{**record, "name": "other"}]})
    own = {"state": "absent", "record_owners": ["shop-prod"]}
    kept = run(**own)
    assert not kept["changed"]
    assert sorted(kept["left"]) == ["A record other.shop.example", "TXT record _palier-other.shop.example"]
    run_module(route53_records, {**options, "owner": "other", "state": "pruned"})
    # What is the owner's own would be gone by then.
    assert run(check=True, **own)["changed"]
    run_module(route53_records, {**options, "owner": "shop-prod", "state": "pruned"})
    assert run(**own)["changed"]
    assert not run(**own)["changed"]


def test_a_name_is_needed(cloud: None) -> None:
    assert run(name="")["msg"].startswith("name: is empty")
    assert run(name="", state="absent")["plan"][0]["reason"] == "it does not exist"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sums and prices: what a reader adds up is what is said."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.palier.aws.plugins.module_utils import cost as subject
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[4]
FILE = yaml.safe_load((ROOT / "roles" / "report" / "files" / "prices.yml").read_text())
REGIONS = ("us-east-1", "eu-west-3", "eu-central-1")

components = st.sampled_from(["EC2 instances", "NAT gateways", "Public IPv4 addresses", "By use"])
items = st.builds(
    subject.Item,
    component=components,
    key=st.sampled_from(["ec2.t3.micro", "nat.hour"]),
    resource=st.sampled_from(["web", "db"]),
    quantity=st.floats(0, 1e6).map(lambda value: round(value, 3)),
    unit=st.just("hour"),
    tier=st.sampled_from(["network", "ec2_app", ""]),
)
prices = st.none() | st.builds(subject.Price, usd=st.floats(0, 10), source=st.just("file"))


@given(st.lists(st.tuples(items, prices)))
def test_the_total_is_the_sum_of_the_lines_and_each_line_is_quantity_times_price(
    priced: list[tuple[subject.Item, subject.Price | None]],
) -> None:
    lines = [subject.line(item, price) for item, price in priced]
    for one, (item, price) in zip(lines, priced, strict=True):
        assert one["monthly"] == (None if price is None else round(item.quantity * price.usd, 2))
    sums = subject.summary(lines)
    known = [one["monthly"] for one in lines if one["monthly"] is not None]
    assert sums["total"] == pytest.approx(sum(known), abs=0.005)
    for by in ("by_component", "by_tier"):
        assert sum(sums[by].values()) == pytest.approx(sums["total"], abs=0.01)
    assert sums["often_left_out"] + sums["without_these"] == pytest.approx(sums["total"], abs=0.005)
    assert len(sums["unpriced"]) == len(lines) - len(known)


@given(st.lists(items))
def test_grouping_loses_nothing(found: list[subject.Item]) -> None:
    grouped = subject.grouped(found)
    assert sum(one.quantity for one in grouped) == pytest.approx(sum(one.quantity for one in found), abs=0.01)
    assert len({(one.component, one.key, one.resource, one.tier) for one in grouped}) == len(grouped)


def test_what_has_no_price_is_never_free() -> None:
    line = subject.line(subject.Item("EC2 instances", "ec2.x9.huge", "web", 730, "hour"), None)
    assert (line["price"], line["monthly"], line["source"]) == (None, None, "no price")
    assert subject.summary([line])["unpriced"] == ["web"]


def test_a_region_s_own_price_comes_before_the_one_of_everywhere() -> None:
    file = {
        "date": "2026-01-02",
        "sources": {"list": {"what": "A list", "date": "2026-03-04"}},
        "everywhere": {"secret": 0.4, "kms.key": {"usd": 1, "source": "list"}},
        "regions": {"eu-west-3": {"secret": {"usd": 0.5, "source": "list"}}},
    }
    assert subject.filed_price(file, "eu-west-3", "secret") == subject.Price(0.5, "file 2026-03-04 (list)")
    assert subject.filed_price(file, "eu-west-1", "secret") == subject.Price(0.4, "file 2026-01-02")
    assert subject.filed_price(file, "eu-west-1", "kms.key") == subject.Price(1.0, "file 2026-03-04 (list)")
    assert subject.filed_price(file, "eu-west-1", "nat.hour") is None
    assert subject.filed_price({}, "eu-west-1", "nat.hour") is None


@pytest.mark.parametrize("entry", [{"usd": "0.1"}, {"source": "list"}, {"usd": -1}, {"usd": True}])
def test_what_is_no_price_is_refused(entry: t.Any) -> None:
    with pytest.raises(ValueError, match="eu-west-3 has no number of dollars under 'secret'"):
        subject.filed_price({"regions": {"eu-west-3": {"secret": entry}}}, "eu-west-3", "secret")


class TestFile:
    """The price file of the role."""

    def test_it_covers_the_regions_that_it_promises(self) -> None:
        assert tuple(FILE["regions"]) == REGIONS

    def test_every_price_is_a_number_with_a_source_of_a_date(self) -> None:
        for place in (FILE["everywhere"], *FILE["regions"].values()):
            for key, entry in place.items():
                assert entry["usd"] > 0, key
                assert set(entry) == {"usd", "source"}, key
                assert entry["source"] in FILE["sources"], key
        dates = [FILE["date"], *(source["date"] for source in FILE["sources"].values())]
        assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", date) for date in dates)
        assert all(source["what"] for source in FILE["sources"].values())

    @pytest.mark.parametrize("region", REGIONS)
    def test_a_region_has_a_price_for_each_component_that_is_always_there(self, region: str) -> None:
        keys = ["ec2.t3.micro", "ec2.t3.small", "ebs.gp3", "ebs.snapshot", "nat.hour", "lb.application.hour"]
        keys += ["rds.postgres.db.t3.micro", "rds.postgres.db.t3.small", "rds.mysql.db.t4g.micro", "rds.storage.gp3"]
        keys += ["fargate.x86.vcpu", "fargate.x86.gb", "fargate.arm.vcpu", "fargate.arm.gb", "s3.StandardStorage"]
        keys += ["ipv4.hour", "kms.key", "secret", "dns.zone", "dns.check", "alarm", "dashboard", "metric"]
        keys += ["logs.storage", "logs.ingested", "ecr.storage", "endpoint.hour", "rds.backup", "backup.RDS"]
        assert [key for key in keys if subject.filed_price(FILE, region, key) is None] == []

    @pytest.mark.parametrize("region", REGIONS)
    def test_sizes_of_a_family_cost_twice_the_one_before(self, region: str) -> None:
        sizes = ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge"]
        for family in ("t3", "t4g"):
            usd = [FILE["regions"][region][f"ec2.{family}.{size}"]["usd"] for size in sizes]
            assert usd == pytest.approx([usd[0] * 2**index for index in range(len(sizes))], rel=0.01)

    def test_europe_costs_a_little_more_than_virginia(self) -> None:
        """A slip of a digit would be far off."""
        home = FILE["regions"]["us-east-1"]
        for region in REGIONS[1:]:
            for key, entry in FILE["regions"][region].items():
                assert 0.95 <= entry["usd"] / home[key]["usd"] <= 1.3, (region, key)

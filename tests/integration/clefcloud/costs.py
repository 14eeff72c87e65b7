# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""K14: what a month of inventories/clefcloud costs, by component, from what is deployed.

The customer reckons with about 45 dollars for development and 150 for production.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.integration.runner import Run, Runner

Record = dict[str, t.Any]

#: What the customer reckons with, and how far from it "near" is.
RECKONED = {"dev": 45, "prod": 150}
NEAR = 0.2
HOURS = 730


def quantities(report: Record) -> dict[str, float]:
    """How much of what is paid for, by the names of the prices."""
    sums: dict[str, float] = {}
    for one in report["cost"]["lines"]:
        if not one["by_use"]:
            sums[one["key"]] = sums.get(one["key"], 0) + one["quantity"]
    return sums


class Costs:
    """Tests of a report on both stacks, just deployed."""

    @pytest.fixture
    def report(self, env: str, reported: Run, directory: Path) -> Record:
        """Each stack's report in turn, as data."""
        found: Record = json.loads((directory / f"clefcloud-{env}.json").read_text())
        return {**found, "env": env}

    def test_k14_every_figure_is_quantity_times_unit_price_and_the_total_their_sum(self, report: Record) -> None:
        cost = report["cost"]
        assert (cost["unread"], cost["unpriced"]) == ([], [])
        for one in cost["lines"]:
            assert one["monthly"] == round(one["quantity"] * one["price"], 2)
            assert one["source"].startswith("file 20")
        assert cost["total"] == pytest.approx(sum(one["monthly"] for one in cost["lines"]), abs=0.001)

    def test_k14_the_estimate_is_of_what_is_deployed(self, report: Record) -> None:
        paid = quantities(report)
        dev = report["env"] == "dev"
        # Production has two instances, and a standby of its database in a second zone.
        count = 1 if dev else 2
        size = "micro" if dev else "small"
        assert paid[f"ec2.t3.{size}"] == count * HOURS
        assert paid["ebs.gp3"] == count * 20
        assert paid[f"rds.postgres.db.t3.{size}"] == count * HOURS
        assert paid["rds.storage.gp3"] == count * 20
        assert paid["lb.application.hour"] == paid["nat.hour"] == HOURS
        # Two of the load balancer, one a zone, and one of the NAT gateway.
        assert paid["ipv4.hour"] == 3 * HOURS
        assert (paid["dashboard"], paid["dns.zone"], paid["alarm.composite"]) == (1, 1, 1)
        assert paid["alarm"] >= 5
        assert paid["secret"] >= 1

    def test_k14_it_lands_near_what_the_customer_reckons_with(self, report: Record) -> None:
        cost, reckoned = report["cost"], RECKONED[report["env"]]
        assert cost["expected"] == reckoned
        assert abs(cost["without_these"] - reckoned) <= NEAR * reckoned

    def test_k14_the_rest_is_the_nat_gateway_and_public_addresses(self, report: Record, reported: Run) -> None:
        cost = report["cost"]
        by_component = cost["by_component"]
        left_out = by_component["NAT gateways"] + by_component["Public IPv4 addresses"]
        assert left_out == pytest.approx(cost["often_left_out"])
        assert cost["total"] == pytest.approx(cost["without_these"] + left_out)
        sentence = f"Of it, what such estimates often leave out: {left_out:.2f} (NAT gateways"
        assert sentence in reported.text
        assert f"Reckoned with: {cost['expected']:.2f}." in reported.text
        assert cost["compared"]["region"] == "us-east-1"

    def test_k14_it_is_told_by_component_and_tier(self, report: Record) -> None:
        assert {one["tier"] for one in report["cost"]["lines"] if not one["by_use"]} >= {
            "network",
            "load_balancer",
            "rds",
            "ec2_app",
            "storage",
            "monitoring",
        }

    def test_the_report_says_what_stands_and_that_nothing_stands_beside_it(self, report: Record) -> None:
        assert report["standing"]["rds"]["rds:db"] == 1
        assert report["standing"]["ec2_app"]["ec2:instance"] == (1 if report["env"] == "dev" else 2)
        assert report["undescribed"] == []

    def test_the_report_reads_only_and_check_mode_says_the_same(
        self, report: Record, reported: Run, reader: Runner
    ) -> None:
        assert reported.writes == []
        assert {tier for _stack, tier, _task, _item in reported.changes} == {"report"}
        check = reader.play("report", "--check")
        assert (check.writes, check.changes) == ([], [])
        assert f"Total: {report['cost']['total']:.2f} US dollars a month" in check.text

    def test_nothing_that_is_secret_is_in_the_report(self, reported: Run, directory: Path) -> None:
        pages = "".join(path.read_text() for path in directory.iterdir())
        for word in ("testing", 'password":', "SecretString", "secret:clefcloud"):
            assert word not in pages

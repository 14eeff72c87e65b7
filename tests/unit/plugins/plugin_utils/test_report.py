# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said of a stack, as data, text and Markdown."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils.cost import Item, Price, line, summary
from ansible_collections.palier.aws.plugins.plugin_utils import report as subject

Record = dict[str, t.Any]

ITEMS = [
    (Item("EC2 instances", "ec2.t3.micro", "shop-prod-web", 1460, "hour", "ec2_app"), Price(0.0104, "price list")),
    (Item("NAT gateways", "nat.hour", "nat", 730, "hour", "network"), Price(0.045, "file 2026-10-09 (list)")),
    (Item("KMS keys", "kms.key", "a | b", 1, "month", "rds", note="in use"), None),
    (Item("By use", "nat.gb", "traffic", 4, "GB", by_use=True, note="nat_gb"), Price(0.045, "price list")),
]
LINES = [line(item, price) for item, price in ITEMS]
COST: Record = {"lines": LINES, **summary(LINES), "unread": [], "price_list": "", "hours": 730}
STACK: Record = {
    "name": "shop-prod",
    "region": "eu-west-3",
    "tiers": ["network", "ec2_app"],
    "date": "2026-11-21",
    "rpo": "26h",
    "expected": 15.0,
}
RESOURCES = [
    {"arn": "arn:aws:ec2:eu-west-3:1:vpc/vpc-1", "type": "ec2:vpc", "tier": "network"},
    {"arn": "arn:aws:ec2:eu-west-3:1:subnet/a", "type": "ec2:subnet", "tier": "network"},
    {"arn": "arn:aws:ec2:eu-west-3:1:subnet/b", "type": "ec2:subnet", "tier": "network"},
    {"arn": "arn:aws:ssm:eu-west-3:1:parameter/lock", "type": "ssm:parameter", "tier": "stack"},
    {"arn": "arn:aws:rds:eu-west-3:1:db:old", "type": "rds:db", "tier": "rds"},
]
POINT = {"of": "db", "name": "db-1", "age": "2h", "region": "eu-west-3", "encrypted": True, "complete": True}
BACKUPS: Record = {
    "restore_points": [POINT, POINT],
    "newest": [POINT, {**POINT, "of": "web", "encrypted": False}],
    "stale": [{"of": "web"}],
    "lacking": ["test"],
    "copies": [POINT, {**POINT, "complete": False}],
}
OPENED = [{"setting": "load_balancer_https", "value": "false", "means": "plain HTTP"}]


def report(**changes: t.Any) -> Record:
    parts: Record = {"stack": STACK, "cost": COST, "resources": RESOURCES, "opened": OPENED, "backups": BACKUPS}
    return subject.stack_report(**{**parts, **changes})


def test_it_is_data() -> None:
    assert json.loads(json.dumps(report())) == report()


def test_what_stands_is_counted_by_tier() -> None:
    assert report()["standing"] == {
        "network": {"ec2:subnet": 2, "ec2:vpc": 1},
        "rds": {"rds:db": 1},
        "stack": {"ssm:parameter": 1},
    }


def test_what_belongs_to_no_tier_of_the_description_is_named() -> None:
    assert report()["undescribed"] == [{"arn": "arn:aws:rds:eu-west-3:1:db:old", "tier": "rds"}]
    assert report(stack={**STACK, "tiers": ["network", "ec2_app", "rds"]})["undescribed"] == []


def text(**changes: t.Any) -> str:
    return "\n".join(subject.report_text(report(**changes)))


#: Sentences, and what else the report is made of for them to be said.
SAID: dict[str, tuple[Record, str]] = {
    "the title": ({}, "shop-prod in eu-west-3 on 2026-11-21"),
    "the total": ({}, "Total: 48.21 US dollars a month"),
    "what is left out": ({}, "Of it, what such estimates often leave out: 32.85 (NAT gateways 32.85)."),
    "the rest": ({}, "Without these: 15.36."),
    "the difference": ({}, "Reckoned with: 15.00. The total is 33.21 more."),
    "the rest's difference": ({}, "Without what is often left out it is 0.36 more."),
    "less": ({"stack": {**STACK, "expected": 50}}, "Reckoned with: 50.00. The total is 1.79 less."),
    "no price": ({}, "No price is known of a | b: it counts for nothing here."),
    "a note": ({}, "a | b: in use."),
    "what was not read": (
        {"cost": {**COST, "unread": [{"region": "eu-west-3", "what": "keys", "why": "AccessDenied"}]}},
        "Not read in eu-west-3: keys, since AccessDenied",
    ),
    "a silent price list": (
        {"cost": {**COST, "price_list": "AccessDenied"}},
        "Prices are those of the file, since AWS's price list did not answer: AccessDenied",
    ),
    "use that nobody told": (
        {"cost": {**COST, "lines": LINES[:3]}},
        "What is charged by use is not in it: report_usage says nothing.",
    ),
    "another region": (
        {"cost": {**COST, "compared": {"region": "us-east-1", "total": 40.0, "without_these": 12.5, "unpriced": []}}},
        "At us-east-1's prices in the file: 40.00, without these 12.50.",
    ),
    "something late": ({}, "web was last saved longer ago than backups_rpo (26h) allows."),
    "something not saved": ({}, "test has no complete restore point."),
    "what is kept": ({}, "2 restore points are kept, and 1 copies in the other region."),
    "no backups": ({"backups": None}, "The stack has no tier backups."),
    "all closed": ({"opened": []}, "All defaults are closed."),
    "all described": ({"resources": RESOURCES[:4]}, "All that carries the stack's tags belongs to its tiers."),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_said(name: str) -> None:
    changes, sentence = SAID[name]
    assert sentence in text(**changes)
    assert sentence in subject.report_markdown(report(**changes))


def test_use_that_was_told_is_in_it() -> None:
    assert "is not in it" not in text()


def test_nothing_is_said_of_a_cost_that_nobody_reckons_with() -> None:
    assert "Reckoned" not in text(stack={**STACK, "expected": 0})


def test_every_line_shows_quantity_unit_price_and_source() -> None:
    rows = [row.split() for row in text().splitlines()]
    assert ["EC2", "instances", "ec2_app", "shop-prod-web", "1,460", "hour", "0.0104", "15.18", "price", "list"] in rows
    assert ["traffic", "nat_gb", "4", "GB", "0.045", "0.18", "price", "list"] in rows


def test_columns_stand_below_one_another() -> None:
    table = [row for row in text().splitlines() if row.startswith(("  EC2 instances  ", "  NAT gateways  "))]
    assert len({row.index("hour") for row in table}) == 1


def test_a_bar_does_not_break_the_page() -> None:
    assert "| a \\| b |" in subject.report_markdown(report())


@pytest.mark.parametrize(
    ("value", "written"), [(730, "730"), (0.5, "0.5"), (1460.25, "1,460.25"), (0, "0"), (100, "100")]
)
def test_numbers(value: float, written: str) -> None:
    assert subject.number(value) == written

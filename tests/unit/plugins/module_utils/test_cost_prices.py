# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Questions to AWS's price list, and what is taken for an answer."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.palier.aws.plugins.module_utils import cost_prices as subject

ROOT = Path(__file__).resolve().parents[4]
FILE = yaml.safe_load((ROOT / "roles" / "report" / "files" / "prices.yml").read_text())


def product(usage: str, *dimensions: tuple[str, str, str], reserved: bool = False) -> str:
    """A product as GetProducts returns it; dimensions are unit, dollars and where the tier begins."""
    listed = {
        f"D{index}": {"unit": unit, "pricePerUnit": {"USD": usd}, "beginRange": begin, "endRange": "Inf"}
        for index, (unit, usd, begin) in enumerate(dimensions)
    }
    terms = {"Reserved" if reserved else "OnDemand": {"T": {"priceDimensions": listed}}}
    return json.dumps({"product": {"attributes": {"usagetype": usage}}, "terms": terms})


def ask(key: str, region: str = "eu-west-3") -> subject.Question:
    found = subject.question(key, region)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("key", "service", "some"),
    [
        ("ec2.t3.micro", "AmazonEC2", {"instanceType": "t3.micro", "operatingSystem": "Linux", "tenancy": "Shared"}),
        ("ec2.t3.micro", "AmazonEC2", {"preInstalledSw": "NA", "capacitystatus": "Used", "regionCode": "eu-west-3"}),
        ("rds.postgres.db.t3.small", "AmazonRDS", {"instanceType": "db.t3.small", "databaseEngine": "PostgreSQL"}),
        ("rds.mysql.db.t4g.micro", "AmazonRDS", {"databaseEngine": "MySQL", "deploymentOption": "Single-AZ"}),
        ("rds.storage.gp3", "AmazonRDS", {"productFamily": "Database Storage", "regionCode": "eu-west-3"}),
        ("ebs.gp3", "AmazonEC2", {"productFamily": "Storage", "volumeApiName": "gp3"}),
        ("lb.application.hour", "AWSELB", {"productFamily": "Load Balancer-Application"}),
        ("dns.zone", "AmazonRoute53", {"usagetype": "HostedZone"}),
    ],
)
def test_a_question_has_the_filters_that_leave_one_product(key: str, service: str, some: dict[str, str]) -> None:
    found = ask(key)
    assert found.service == service
    assert some.items() <= dict(found.filters).items()


def test_a_global_service_is_asked_without_a_region() -> None:
    assert "regionCode" not in dict(ask("dns.zone").filters)


@pytest.mark.parametrize(
    "key", ["ec2.t3.micro.Windows", "rds.oracle-ee.db.t3.small", "cognito.users.lite", "dashboard"]
)
def test_what_the_list_is_not_asked(key: str) -> None:
    assert subject.question(key, "eu-west-3") is None


def test_every_question_is_for_a_price_that_the_file_has_too() -> None:
    filed = {*FILE["everywhere"], *FILE["regions"]["us-east-1"]}
    assert set(subject.QUESTIONS) - filed - {"ebs.io2", "lb.network.lcu"} == set()


def test_every_pattern_is_one() -> None:
    for found in subject.QUESTIONS.values():
        assert re.compile(found.usage)


class Answer(t.NamedTuple):
    """What the list answers, and the price that is in it."""

    key: str
    products: tuple[str, ...]
    usd: float | None


ANSWERS = {
    "plain": Answer("nat.hour", (product("EUW3-NatGateway-Hours", ("Hrs", "0.0500000000", "0")),), 0.05),
    "without a prefix": Answer("nat.hour", (product("NatGateway-Hours", ("Hrs", "0.045", "0")),), 0.045),
    "another usage type beside it": Answer(
        "nat.hour",
        (
            product("EUC1-RegionalNatGateway-Hours", ("Hrs", "0.5", "0")),
            product("EUC1-NatGateway-Bytes", ("GB", "0.048", "0")),
            product("EUC1-NatGateway-Hours", ("Hrs", "0.052", "0")),
        ),
        0.052,
    ),
    "another unit": Answer("nat.hour", (product("EUW3-NatGateway-Hours", ("GB", "0.05", "0")),), None),
    "the first of the tiers": Answer(
        "s3.StandardStorage",
        (product("EUW3-TimedStorage-ByteHrs", ("GB-Mo", "0.024", "0"), ("GB-Mo", "0.023", "51200")),),
        0.024,
    ),
    "reserved only": Answer(
        "ec2.t3.micro", (product("EUW3-BoxUsage:t3.micro", ("Hrs", "0.007", "0"), reserved=True),), None
    ),
    "two that agree": Answer("rds.storage.gp3", (product("EUW3-RDS:GP3-Storage", ("GB-Mo", "0.133", "0")),) * 2, 0.133),
    "two that do not": Answer(
        "rds.storage.gp3",
        (
            product("EUW3-RDS:GP3-Storage", ("GB-Mo", "0.133", "0")),
            product("EUW3-RDS:GP3-Storage", ("GB-Mo", "0.2", "0")),
        ),
        None,
    ),
    "nothing": Answer("ec2.t3.micro", (), None),
    "a price of nothing": Answer("nat.hour", (product("NatGateway-Hours", ("Hrs", "0.0000000000", "0")),), None),
    "GiB/s for MiB/s": Answer(
        "ebs.gp3.throughput", (product("EBS:VolumeP-Throughput.gp3", ("GiBps-mo", "40.96", "0")),), 0.04
    ),
    "one request for a thousand": Answer(
        "s3.puts", (product("EUW3-Requests-Tier1", ("Requests", "0.0000053", "0")),), 0.0053
    ),
    "tasks on Arm and the others": Answer(
        "fargate.x86.vcpu",
        (
            product("EUW3-Fargate-ARM-vCPU-Hours:perCPU", ("hours", "0.03889", "0")),
            product("EUW3-Fargate-vCPU-Hours:perCPU", ("hours", "0.0486", "0")),
        ),
        0.0486,
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_taken_for_an_answer(name: str) -> None:
    case = ANSWERS[name]
    assert subject.answer(ask(case.key), case.products) == case.usd

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The estimate of a small stack in moto's account, with a price list that a fake answers for."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path
from unittest import mock

import boto3
import pytest
import yaml
from ansible_collections.palier.aws.plugins.module_utils import cost_facts
from ansible_collections.palier.aws.plugins.modules import stack_cost_info as subject
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

Record = dict[str, t.Any]

ROOT = Path(__file__).resolve().parents[4]
FILE = yaml.safe_load((ROOT / "roles" / "report" / "files" / "prices.yml").read_text())
REGION = "eu-west-3"
TAGS = {"Stack": "shop", "Environment": "prod"}


def tags(tier: str, env: str = "prod") -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in {**TAGS, "Environment": env, "Tier": tier}.items()]


@pytest.fixture(scope="module", autouse=True)
def account() -> t.Iterator[None]:
    """An account with a stack, and with an instance of another one."""
    with mock_aws():
        build()
        yield


def build() -> None:
    """A network with a NAT gateway, an instance, a database, a key and a secret."""
    ec2 = boto3.client("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[of("vpc", "network")])["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=[of("elastic-ip", "network")])
    ec2.create_nat_gateway(
        SubnetId=subnet, AllocationId=address["AllocationId"], TagSpecifications=[of("natgateway", "network")]
    )
    for env in ("prod", "dev"):
        ec2.run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.micro",
            SubnetId=subnet,
            TagSpecifications=[of("instance", "ec2_app", env)],
        )
    boto3.client("rds", REGION).create_db_instance(
        DBInstanceIdentifier="shop-prod-db",
        DBInstanceClass="db.t3.small",
        Engine="postgres",
        AllocatedStorage=20,
        StorageType="gp3",
        MultiAZ=True,
        MasterUsername="owner",
        MasterUserPassword="not-a-real-one",
        Tags=tags("rds"),
    )
    key = [{"TagKey": one["Key"], "TagValue": one["Value"]} for one in tags("rds")]
    boto3.client("kms", REGION).create_key(Tags=key)
    alarm = {"Namespace": "AWS/RDS", "MetricName": "CPUUtilization", "Period": 300, "EvaluationPeriods": 1}
    for name in ("shop-prod-database-cpu", "shop-production", "shop-dev-database-cpu"):
        boto3.client("cloudwatch", REGION).put_metric_alarm(
            AlarmName=name, ComparisonOperator="GreaterThanThreshold", Threshold=80, Statistic="Average", **alarm
        )
    boto3.client("secretsmanager", REGION).create_secret(Name="shop-key", SecretString="x", Tags=tags("ecs_app"))


def of(kind: str, tier: str, env: str = "prod") -> Record:
    """EC2's tags on creation."""
    return {"ResourceType": kind, "Tags": tags(tier, env)}


@pytest.fixture(scope="module")
def plain() -> Record:
    """The estimate with the file's prices alone."""
    return run(price_list=False)


def run(**arguments: t.Any) -> Record:
    return run_module(subject, {"stack_name": "shop", "stack_env": "prod", "prices": FILE, **arguments})


def quantities(result: Record) -> dict[str, float]:
    """Quantity by price of what is not charged by use."""
    return {one["key"]: one["quantity"] for one in result["lines"] if not one["by_use"]}


def product(usage: str, unit: str, usd: str) -> str:
    """A product of the price list."""
    dimension = {"unit": unit, "pricePerUnit": {"USD": usd}, "beginRange": "0"}
    terms = {"OnDemand": {"T": {"priceDimensions": {"D": dimension}}}}
    return json.dumps({"product": {"attributes": {"usagetype": usage}}, "terms": terms})


class PriceListDouble:
    """Stands in for the AWS Price List: answers GetProducts, lets every other call through.

    :param products: what it answers, by service.
    :param error: the error code with which it refuses instead.
    """

    def __init__(self, products: dict[str, list[str]] | None = None, error: str = "") -> None:
        self.asked: list[Record] = []
        self._products = products or {}
        self._error = error
        self._original = BaseClient._make_api_call

    def __enter__(self) -> PriceListDouble:
        double = self

        def call(client: BaseClient, operation: str, arguments: Record) -> t.Any:
            if operation != "GetProducts":
                return double._original(client, operation, arguments)
            double.asked.append({"region": client.meta.region_name, **arguments})
            if double._error:
                raise ClientError({"Error": {"Code": double._error, "Message": "no"}}, operation)
            return {"PriceList": double._products.get(arguments["ServiceCode"], [])}

        self._patch = mock.patch.object(BaseClient, "_make_api_call", call)
        self._patch.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._patch.stop()


def test_everything_of_the_stack_and_nothing_of_another() -> None:
    with recorded_calls() as calls:
        result = run(price_list=False)
    assert result["unread"] == []
    assert quantities(result) == {
        "ec2.t3.micro": 730,
        "ebs.gp2": 8,
        "nat.hour": 730,
        "ipv4.hour": 730,
        "rds.postgres.db.t3.small": 1460,
        "rds.storage.gp3": 40,
        "kms.key": 1,
        "alarm": 1,
        "secret": 1,
    }
    assert (result["changed"], writes(calls)) == (False, [])
    assert "GetProducts" not in calls


def test_the_sums(plain: Record) -> None:
    result = plain
    assert result["often_left_out"] == pytest.approx(730 * 0.05 + 730 * 0.005)
    assert result["total"] == pytest.approx(sum(one["monthly"] for one in result["lines"]))
    assert result["without_these"] == pytest.approx(result["total"] - result["often_left_out"])
    for one in result["lines"]:
        assert one["monthly"] == round(one["quantity"] * one["price"], 2)


def test_check_mode_says_the_same(plain: Record) -> None:
    check = run_module(
        subject, {"stack_name": "shop", "stack_env": "prod", "prices": FILE, "price_list": False}, check=True
    )
    assert (check["lines"], check["total"]) == (plain["lines"], plain["total"])


def test_the_price_list_comes_before_the_file() -> None:
    listed = {"AmazonEC2": [product("EUW3-NatGateway-Hours", "Hrs", "0.0777")]}
    with PriceListDouble(listed) as double:
        result = run()
    sources = {one["key"]: (one["price"], one["source"]) for one in result["lines"]}
    assert sources["nat.hour"] == (0.0777, "price list")
    assert sources["kms.key"] == (1.0, "file 2026-08-21 (infracost)")
    assert result["price_list"] == ""
    assert {one["region"] for one in double.asked} == {"us-east-1"}
    (nat,) = [
        one
        for one in double.asked
        if {"Type": "TERM_MATCH", "Field": "productFamily", "Value": "NAT Gateway"} in one["Filters"]
        and one["ServiceCode"] == "AmazonEC2"
    ][:1]
    assert {"Type": "TERM_MATCH", "Field": "regionCode", "Value": REGION} in nat["Filters"]


def test_each_price_is_asked_for_once() -> None:
    with PriceListDouble() as double:
        run()
    questions = [json.dumps(one, sort_keys=True) for one in double.asked]
    # Two prices may stand behind one question, so that what is counted is how often each is put.
    assert max(questions.count(one) for one in questions) <= 2


def test_another_endpoint_of_the_price_list() -> None:
    with PriceListDouble() as double:
        run(price_list_region="eu-central-1")
    assert {one["region"] for one in double.asked} == {"eu-central-1"}


def test_a_price_list_that_does_not_answer_is_asked_once_and_named(plain: Record) -> None:
    with PriceListDouble(error="AccessDeniedException") as double:
        result = run()
    assert len(double.asked) == 1
    assert "AccessDeniedException" in result["price_list"]
    assert result["total"] == plain["total"]


def test_what_has_no_price_is_named() -> None:
    result = run(price_list=False, prices={**FILE, "regions": {}})
    (line,) = [one for one in result["lines"] if one["key"] == "nat.hour"]
    assert (line["price"], line["monthly"], line["source"]) == (None, None, "no price")
    assert "shop-prod-db" in result["unpriced"]


def test_a_price_that_is_none_is_refused() -> None:
    result = run(price_list=False, prices={"regions": {REGION: {"nat.hour": {"usd": "cheap"}}}})
    assert result["failed"]
    assert "eu-west-3 has no number of dollars under 'nat.hour' but 'cheap'" in result["msg"]


def test_the_same_elsewhere(plain: Record) -> None:
    here = run(price_list=False, compare_region="us-east-1")
    home = FILE["regions"]["us-east-1"]
    assert here["compared"]["region"] == "us-east-1"
    assert here["compared"]["total"] < here["total"]
    difference = here["compared"]["total"] - here["compared"]["without_these"]
    assert difference == pytest.approx(730 * (home["nat.hour"]["usd"] + 0.005))
    assert "compared" not in plain


def test_what_is_used_counts(plain: Record) -> None:
    result = run(price_list=False, usage={"nat_gb": 100, "internet_out_gb": 10})
    assert result["total"] - plain["total"] == pytest.approx(100 * 0.05 + 10 * 0.09)


def test_what_may_not_be_read_is_said_and_the_rest_is_estimated() -> None:
    original = BaseClient._make_api_call

    def refuse(client: BaseClient, operation: str, arguments: Record) -> t.Any:
        if operation == "DescribeKey":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)
        return original(client, operation, arguments)

    with mock.patch.object(BaseClient, "_make_api_call", refuse):
        result = run(price_list=False)
    (unread,) = result["unread"]
    assert (unread["region"], unread["what"]) == (REGION, "keys and secrets")
    assert "AccessDenied" in unread["why"]
    assert quantities(result)["nat.hour"] == 730


def test_a_stack_that_is_not_there_costs_nothing() -> None:
    result = run(stack_name="other", price_list=False)
    assert (result["lines"], result["total"], result["unread"]) == ([], 0, [])


def test_another_region_s_copies_count_at_its_prices() -> None:
    ec2 = boto3.client("ec2", "eu-central-1")
    volume = ec2.create_volume(AvailabilityZone="eu-central-1a", Size=20)["VolumeId"]
    ec2.create_snapshot(VolumeId=volume, TagSpecifications=[of("snapshot", "rds")])
    assert "ebs.snapshot" not in quantities(run(price_list=False))
    (line,) = [one for one in run(price_list=False, regions=["eu-central-1"])["lines"] if one["key"] == "ebs.snapshot"]
    assert (line["region"], line["quantity"], line["price"]) == ("eu-central-1", 20, 0.054)


def test_an_arn_s_path_may_hold_slashes_and_colons() -> None:
    for arn, path in {
        "arn:aws:logs:eu-west-3:1:log-group:/aws/rds/db": "/aws/rds/db",
        "arn:aws:ecr:eu-west-3:1:repository/team/app": "team/app",
        "arn:aws:cloudwatch:eu-west-3:1:alarm:cpu: high": "cpu: high",
        "arn:aws:ecs:eu-west-3:1:service/cluster/api": "cluster/api",
    }.items():
        assert cost_facts.from_mapping({"ResourceARN": arn}).path == path

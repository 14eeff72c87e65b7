# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module s3_bucket_replication against moto, which is mended where it forgets half of a rule."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import s3_bucket_replication
from moto import mock_aws

from tests.emulator.patches import s3_replication as mended
from tests.unit.module_runner import recorded_calls, run_module, writes

HERE, THERE = "shop-prod-partitions", "shop-prod-partitions-replica"
ROLE = "arn:aws:iam::123456789012:role/shop-prod-replication"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0123-4567-89ab-0123456789ab"
RULES = [{"id": "everything", "destination_bucket": THERE, "storage_class": "STANDARD_IA"}]


@pytest.fixture(scope="module", autouse=True)
def mend() -> None:
    mended.destinations()
    mended.whole_rules()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        clients = {region: boto3.client("s3", region_name=region) for region in ("eu-west-3", "eu-central-1")}
        for name, (region, client) in zip((HERE, THERE), clients.items(), strict=True):
            client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        yield clients["eu-west-3"]


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    given = {"name": HERE, **({} if options.get("state") else {"role_arn": ROLE, "rules": RULES}), **options}
    result = run_module(s3_bucket_replication, given, check)
    assert not result.get("failed"), result["msg"]
    return result


def test_replication_is_set_as_planned_once_and_taken_away(s3: t.Any) -> None:
    with recorded_calls() as calls:
        planned = run(check=True)
    assert writes(calls) == []
    done = run()
    assert (planned["plan"], planned["diff"], planned["replication"]) == (
        done["plan"],
        done["diff"],
        done["replication"],
    )
    assert done["plan"][0]["action"] == "create"
    assert not run()["changed"]
    assert run(check=True, state="absent")["plan"] == run(state="absent")["plan"]
    assert not run(state="absent")["changed"]


def test_every_part_of_a_rule_counts(s3: t.Any) -> None:
    run()
    for change in ({"prefix": "scores/"}, {"delete_markers": True}, {"kms_key_id": KEY}, {"status": "Disabled"}):
        rules = [{**RULES[0], **change}]
        assert run(rules=rules)["plan"][0]["action"] == "modify", change
        assert not run(rules=rules)["changed"], change


def test_a_bucket_that_is_not_there_yet_is_planned(s3: t.Any) -> None:
    assert run(check=True, name="shop-prod-new")["plan"][0]["action"] == "create"


def test_a_bucket_that_is_gone_has_nothing_to_stop(s3: t.Any) -> None:
    assert not run(name="shop-prod-gone", state="absent")["changed"]

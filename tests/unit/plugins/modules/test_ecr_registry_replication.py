# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replication rules against moto; backfills, which it does not have, against a client of our own."""

from __future__ import annotations

import re
import types
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import ecr_registry_replication
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.unit.module_runner import run_module

RULES = [{"destinations": [{"region": "eu-central-1"}], "repository_prefixes": ["shop/", "api/"]}]
ACCOUNT = "123456789012"
THERE = {"region": "eu-central-1", "registryId": ACCOUNT}


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("ecr", region_name="eu-west-3")


def replicate(check: bool = False, **options):
    return run_module(ecr_registry_replication, {"region": "eu-west-3", **options}, check)


def rules(ecr):
    return ecr.describe_registry()["replicationConfiguration"]["rules"]


def test_rules_are_set_as_planned_once_and_taken_away(ecr):
    planned = replicate(check=True, rules=RULES)
    assert rules(ecr) == []
    done = replicate(rules=RULES)
    assert (planned["plan"], planned["diff"], planned["changed"]) == (done["plan"], done["diff"], True)
    assert rules(ecr)[0]["destinations"] == [THERE]
    swapped = [{**RULES[0], "repository_prefixes": ["api/", "shop/"]}]
    assert not replicate(rules=swapped)["changed"]
    assert replicate(state="absent")["changed"]
    assert rules(ecr) == []
    assert not replicate(state="absent")["changed"]


def test_the_registry_itself_is_no_destination(ecr):
    result = replicate(rules=[{"destinations": [{"region": "eu-west-3"}]}])
    assert result["failed"]
    assert re.search(r"rules\[0\].destinations names the registry itself", result["msg"])


class FakeEcr:
    """A registry that remembers backfills."""

    def __init__(self, backfills=(), busy=False) -> None:
        self.meta = types.SimpleNamespace(region_name="eu-west-3", service_model=self)
        self.members = {"deleteReplication": None}
        self.rules: list[dict[str, t.Any]] = []
        self.backfills = list(backfills)
        self.busy = busy
        self.started: list[dict[str, str]] = []

    def shape_for(self, _name):
        return self

    def describe_registry(self):
        return {"registryId": ACCOUNT, "replicationConfiguration": {"rules": self.rules}}

    def put_replication_configuration(self, replicationConfiguration):  # noqa: N803
        self.rules = replicationConfiguration["rules"]

    def list_replication_backfills(self, nextToken=None):  # noqa: N803
        number = int(nextToken or 0)
        answer = {"backfills": self.backfills[number : number + 1]}
        return {**answer, "nextToken": str(number + 1)} if number + 1 < len(self.backfills) else answer

    def start_replication_backfill(self, destination):
        if self.busy:
            raise ClientError({"Error": {"Code": "ReplicationBackfillInProgressException"}}, "StartReplicationBackfill")
        self.started.append(destination)
        self.backfills.append(backfill("PREPARING", destination))


def backfill(status, destination=None):
    return {"replicationBackfillId": "b", "destination": destination or THERE, "status": status}


@pytest.fixture
def fake(monkeypatch):
    def use(*backfills, busy=False, rules=True):
        client = FakeEcr(backfills, busy)
        monkeypatch.setattr(
            ecr_registry_replication.AnsibleAWSModule, "client", lambda _self, *_args, **_options: client
        )
        if rules:
            client.rules = [
                {
                    "destinations": [THERE],
                    "repositoryFilters": [{"filter": name, "filterType": "PREFIX_MATCH"} for name in ("api/", "shop/")],
                }
            ]
        return client

    return use


@pytest.mark.parametrize(
    ("known", "starts"),
    [
        ([], True),
        ([backfill("FAILED")], True),
        ([backfill("STOPPED")], True),
        ([backfill("COMPLETE", {"region": "us-east-1", "registryId": ACCOUNT})], True),
        ([backfill("PREPARING")], False),
        ([backfill("IN_PROGRESS")], False),
        ([backfill("FAILED"), backfill("COMPLETE")], False),
    ],
)
def test_a_backfill_is_started_where_none_is_running_or_complete(fake, known, starts):
    client = fake(*known)
    planned = replicate(check=True, rules=RULES, backfill=True)
    assert client.started == []
    done = replicate(rules=RULES, backfill=True)
    assert planned["plan"] == done["plan"]
    assert done["changed"] is starts
    assert client.started == ([THERE] if starts else [])
    assert not replicate(rules=RULES, backfill=True)["changed"]


def test_new_rules_need_a_new_backfill(fake):
    client = fake(backfill("COMPLETE"), rules=False)
    result = replicate(rules=RULES, backfill=True)
    assert [step["reason"] for step in result["plan"]] == ["they differ", "the rules change"]
    assert client.started == [THERE]
    assert result["backfills"][0]["status"] in ("PREPARING", "COMPLETE")


def test_a_backfill_that_somebody_else_started_is_fine(fake):
    fake(busy=True)
    assert replicate(rules=RULES, backfill=True)["changed"]


def test_deletions_are_asked_for_by_name(fake):
    client = fake(rules=False)
    replicate(rules=[{**RULES[0], "replicate_deletions": True}])
    assert client.rules[0]["deleteReplication"] == {"enabled": True}
    assert not replicate(rules=[{**RULES[0], "replicate_deletions": True}])["changed"]


def test_an_old_botocore_is_named(fake):
    client = fake(rules=False)
    client.members = {}
    result = replicate(rules=[{**RULES[0], "replicate_deletions": True}])
    assert result["failed"]
    assert re.search("replicate_deletions: this botocore", result["msg"])


def test_other_stacks_rules_stay_where_they_are_not_purged(fake):
    # moto takes one rule only.
    client = fake(rules=False)
    other = {"destination_regions": ["us-east-1"], "repository_prefixes": ["other/"]}
    replicate(rules=[other])
    mine = {"destination_regions": ["eu-central-1"], "repository_prefixes": ["shop/"]}
    assert replicate(rules=[mine], purge_rules=False)["changed"]
    assert len(client.rules) == 2
    assert replicate(rules=[{**mine, "destination_regions": ["us-east-1"]}], purge_rules=False)["changed"]
    assert {rule["destinations"][0]["region"] for rule in client.rules} == {"us-east-1"}
    assert replicate(rules=[mine], state="absent", purge_rules=False)["changed"]
    assert [rule["repositoryFilters"][0]["filter"] for rule in client.rules] == ["other/"]
    assert not replicate(rules=[mine], state="absent", purge_rules=False)["changed"]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Topics against moto."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import sns_topic
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

ARN = "arn:aws:sns:eu-west-3:123456789012:shop-prod-alarms"
HOOK = {"protocol": "https", "endpoint": "https://hooks.example.com/services/very-secret-path"}
TOPIC: dict[str, t.Any] = {
    "name": "shop-prod-alarms",
    "kms_key_id": "alias/shop-prod-monitoring",
    "subscriptions": [{"protocol": "email", "endpoint": "duty@example.com"}, HOOK],
    "tags": {"Stack": "shop"},
}


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("sns", region_name="eu-west-3")


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(sns_topic, {**TOPIC, **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def test_a_topic_is_made_as_planned_once_and_removed(sns: t.Any) -> None:
    with recorded_calls() as calls:
        planned = run(check=True)
    assert writes(calls) == []
    done = run()
    assert (planned["plan"], planned["diff"], planned["topic_arn"]) == (done["plan"], done["diff"], ARN)
    assert [step["action"] for step in done["plan"]] == ["create"] * 3
    assert not run()["changed"]
    assert sns.get_topic_attributes(TopicArn=ARN)["Attributes"]["KmsMasterKeyId"] == TOPIC["kms_key_id"]
    assert sns.list_tags_for_resource(ResourceArn=ARN)["Tags"] == [{"Key": "Stack", "Value": "shop"}]
    assert len(sns.list_subscriptions_by_topic(TopicArn=ARN)["Subscriptions"]) == 2
    assert run(check=True, state="absent")["plan"] == run(state="absent")["plan"]
    assert sns.list_topics()["Topics"] == []
    assert not run(state="absent")["changed"]


def test_of_a_hook_the_host_alone_is_shown(sns: t.Any) -> None:
    shown = run()
    assert "very-secret-path" not in str([shown["plan"], shown["diff"]])
    assert "subscription https://hooks.example.com/…" in str(shown["plan"])


def test_what_differs_is_changed(sns: t.Any) -> None:
    run()
    changes: dict[str, t.Any] = {
        "kms_key_id": "alias/other",
        "subscriptions": [HOOK],
        "tags": {"Stack": "shop", "Tier": "monitoring"},
    }
    planned = run(check=True, **changes)
    assert [step["action"] for step in planned["plan"]] == ["modify", "tag", "delete"]
    assert planned["plan"] == run(**changes)["plan"]
    assert not run(**changes)["changed"]
    (left,) = sns.list_subscriptions_by_topic(TopicArn=ARN)["Subscriptions"]
    assert left["Protocol"] == "https"


def test_others_stay_where_that_is_asked(sns: t.Any) -> None:
    run()
    assert not run(subscriptions=[], purge_subscriptions=False)["changed"]


def test_what_nobody_has_confirmed_cannot_be_ended() -> None:
    pending = {"Protocol": "email", "Endpoint": "old@example.com", "SubscriptionArn": "PendingConfirmation"}
    assert sns_topic.cloudwatch.surplus_subscriptions(TOPIC, {"subscriptions": [pending]}) == []

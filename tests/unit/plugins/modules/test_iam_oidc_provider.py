# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Identity providers against moto."""

from __future__ import annotations

import json
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import iam_oidc_provider
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

URL = "https://token.actions.githubusercontent.com"
ARN = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
GITHUB: dict[str, t.Any] = {"url": URL, "audiences": ["sts.amazonaws.com"], "tags": {"ManagedBy": "palier.aws"}}


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    with mock_aws():
        yield boto3.client("iam")


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(iam_oidc_provider, {**GITHUB, **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def test_a_provider_is_made_as_planned_once_and_removed(iam: t.Any) -> None:
    with recorded_calls() as calls:
        planned = run(check=True)
    assert writes(calls) == []
    done = run()
    assert (planned["plan"], planned["diff"], planned["arn"]) == (done["plan"], done["diff"], ARN)
    assert not run()["changed"]
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=ARN)
    assert found["ClientIDList"] == ["sts.amazonaws.com"]
    assert found["Tags"] == [{"Key": "ManagedBy", "Value": "palier.aws"}]
    assert run(check=True, state="absent")["plan"] == run(state="absent")["plan"]
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert not run(state="absent")["changed"]


def test_the_audiences_of_others_stay(iam: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[tuple[str, str]] = []
    # moto does not know the operation.
    monkeypatch.setattr(iam_oidc_provider.api, "add_audience", lambda _client, arn, one: added.append((arn, one)))
    run(audiences=["https://gitlab.com"])
    done = run()
    assert [step["action"] for step in done["plan"]] == ["modify"]
    assert done["diff"]["after"] == {
        "iam oidc provider token.actions.githubusercontent.com": {
            "audiences": ["https://gitlab.com", "sts.amazonaws.com"]
        }
    }
    assert added == [(ARN, "sts.amazonaws.com")]


def test_one_that_a_role_trusts_stays(iam: t.Any) -> None:
    run()
    statement = {"Effect": "Allow", "Principal": {"Federated": ARN}, "Action": "sts:AssumeRoleWithWebIdentity"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(Path="/shop/prod/pipelines/", RoleName="release", AssumeRolePolicyDocument=trust)
    kept = run(state="absent")
    assert (kept["changed"], kept["plan"][0]["reason"]) == (False, "is trusted by release")
    assert run(check=True, state="absent", leaving_path="/shop/prod/")["changed"], "the role goes before it"
    iam.delete_role(RoleName="release")
    assert run(state="absent")["changed"]


def test_one_that_somebody_else_made_stays(iam: t.Any) -> None:
    run(tags={})
    kept = run(state="absent", owner_tags={"ManagedBy": "palier.aws"})
    assert (kept["changed"], kept["plan"][0]["reason"]) == (False, "was made by somebody else")


def test_a_url_without_tls_is_refused(iam: t.Any) -> None:
    result = run_module(iam_oidc_provider, {**GITHUB, "url": "http://gitlab.example.com"}, False)
    assert "url: 'http://gitlab.example.com' must begin with https://" in result["msg"]

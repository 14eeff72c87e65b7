# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Customer managed policies against moto."""

from __future__ import annotations

import json
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import iam_customer_managed_policy
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

ARN = "arn:aws:iam::123456789012:policy/shop/prod/web/shop-prod-web"


def document(*actions: str) -> dict[str, t.Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


WANTED: dict[str, t.Any] = {
    "arn": ARN,
    "policy": document("s3:GetObject", "s3:ListBucket"),
    "description": "What the web servers may read",
    "tags": {"Stack": "shop"},
}


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    with mock_aws():
        yield boto3.client("iam")


def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(iam_customer_managed_policy, {**WANTED, **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def as_planned(**options: t.Any) -> dict[str, t.Any]:
    """The result of a run that did what its check mode said, which wrote nothing."""
    with recorded_calls() as calls:
        planned = run(check=True, **options)
    assert writes(calls) == []
    done = run(**options)
    assert (planned["plan"], planned["diff"]) == (done["plan"], done["diff"])
    return done


def default_of(iam: t.Any) -> tuple[str, dict[str, t.Any]]:
    version = iam.get_policy(PolicyArn=ARN)["Policy"]["DefaultVersionId"]
    return version, iam.get_policy_version(PolicyArn=ARN, VersionId=version)["PolicyVersion"]["Document"]


def test_a_policy_is_made_as_planned_and_found_again_in_two_calls(iam: t.Any) -> None:
    assert as_planned()["arn"] == ARN
    found = iam.get_policy(PolicyArn=ARN)["Policy"]
    assert (found["Path"], found["PolicyName"]) == ("/shop/prod/web/", "shop-prod-web")
    assert found["Description"] == WANTED["description"]
    assert found["Tags"] == [{"Key": "Stack", "Value": "shop"}]
    assert default_of(iam) == ("v1", WANTED["policy"])
    with recorded_calls() as calls:
        assert not run(policy=document("s3:ListBucket", "s3:GetObject"))["changed"]
    assert calls == ["GetPolicy", "GetPolicyVersion"]


def test_another_document_is_a_new_default_version_and_the_oldest_goes_in_time(iam: t.Any) -> None:
    run()
    for number in range(5):
        done = as_planned(policy=document(f"s3:Get{number}"))
        assert default_of(iam) == (f"v{number + 2}", document(f"s3:Get{number}"))
    assert [step["resource"] for step in done["plan"]] == [
        "iam policy shop-prod-web version v1",
        "iam policy shop-prod-web",
    ]
    standing = iam.list_policy_versions(PolicyArn=ARN)["Versions"]
    assert sorted(one["VersionId"] for one in standing) == ["v2", "v3", "v4", "v5", "v6"]


def test_drift_is_seen_and_put_right(iam: t.Any) -> None:
    run()
    iam.create_policy_version(PolicyArn=ARN, PolicyDocument=json.dumps(document("*")), SetAsDefault=True)
    iam.tag_policy(PolicyArn=ARN, Tags=[{"Key": "Stack", "Value": "x"}, {"Key": "Own", "Value": "y"}])
    assert [step["action"] for step in as_planned()["plan"]] == ["modify", "tag"]
    assert default_of(iam) == ("v3", WANTED["policy"])
    assert iam.get_policy(PolicyArn=ARN)["Policy"]["Tags"] == [{"Key": "Stack", "Value": "shop"}]


def test_tags_that_are_not_asked_about_stay(iam: t.Any) -> None:
    run()
    assert not run(tags=None)["changed"]
    assert as_planned(tags={"Tier": "web"}, purge_tags=False)["changed"]
    assert {"Key": "Stack", "Value": "shop"} in iam.get_policy(PolicyArn=ARN)["Policy"]["Tags"]


def test_it_is_detached_from_all_that_have_it_and_deleted_twice(iam: t.Any) -> None:
    run()
    run(policy=document("s3:PutObject"))
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust)
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="staff")
    iam.attach_role_policy(RoleName="web", PolicyArn=ARN)
    iam.attach_user_policy(UserName="ann", PolicyArn=ARN)
    iam.attach_group_policy(GroupName="staff", PolicyArn=ARN)
    done = as_planned(state="absent", policy=None)
    assert [step["action"] for step in done["plan"]] == ["detach", "detach", "detach", "delete", "delete"]
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert iam.list_attached_role_policies(RoleName="web")["AttachedPolicies"] == []
    again = as_planned(state="absent", policy=None)
    assert (again["changed"], again["plan"][0]["action"]) == (False, "skip")


def test_a_description_that_cannot_be_changed_is_said(iam: t.Any) -> None:
    run()
    done = run(description="Something else")
    assert not done["changed"]
    assert "stays 'What the web servers may read'" in str(done["warnings"])


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "is not that of a customer managed policy"),
        ("arn:aws:iam::999999999999:policy/web", "is of account 999999999999, and the credentials are of 123456789012"),
    ],
)
def test_an_arn_that_cannot_be_made_here_is_refused_before_any_write(iam: t.Any, arn: str, message: str) -> None:
    with recorded_calls() as calls:
        result = run_module(iam_customer_managed_policy, {**WANTED, "arn": arn}, False)
    assert result["failed"]
    assert message in result["msg"]
    assert writes(calls) == []

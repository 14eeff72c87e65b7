# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A launch template from nothing to nothing, in check mode and for real."""

from __future__ import annotations

import base64
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import launch_template
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

WANTED: dict[str, t.Any] = {
    "name": "shop-web",
    "data": {
        "InstanceType": "t3.small",
        "MetadataOptions": {"HttpTokens": "required"},
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Stack", "Value": "shop"}]}],
    },
    "user_data": "#cloud-config\n",
    "tags": {"Stack": "shop"},
}


@pytest.fixture(autouse=True)
def ec2(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("ec2", region_name="eu-west-3")


@pytest.fixture(autouse=True)
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moto lets a launch template's own tags into what it launches, which is mended in the tests' emulator only."""
    describe = launch_template.api.describe_version

    def mended_version(client: t.Any, name: str) -> dict[str, t.Any] | None:
        version = describe(client, name)
        data = version["LaunchTemplateData"]
        kept = [one for one in data["TagSpecifications"] if one["ResourceType"] != "launch-template"]
        return {**version, "LaunchTemplateData": {**data, "TagSpecifications": kept}}

    monkeypatch.setattr(launch_template.api, "describe_version", mended_version)


def run(check: bool = False, **changes: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    with recorded_calls() as calls:
        result = run_module(launch_template, {**WANTED, **changes}, check=check)
    return result, writes(calls)


def versions(ec2: t.Any) -> list[dict[str, t.Any]]:
    found = ec2.describe_launch_template_versions(LaunchTemplateName="shop-web")["LaunchTemplateVersions"]
    return t.cast("list[dict[str, t.Any]]", found)


def test_a_plan_writes_nothing_and_has_a_stand_in() -> None:
    result, written = run(check=True)
    assert result["changed"] is True
    assert result["launch_template"] == {"id": "lt-00000000000000000", "name": "shop-web", "version": "1"}
    assert written == []


def test_it_is_made_once(ec2: t.Any) -> None:
    made, _ = run()
    assert made["launch_template"]["version"] == "1"
    again, written = run()
    assert (again["changed"], written, again["launch_template"]) == (False, [], made["launch_template"])
    (version,) = versions(ec2)
    assert base64.b64decode(version["LaunchTemplateData"]["UserData"]) == b"#cloud-config\n"
    (template,) = ec2.describe_launch_templates()["LaunchTemplates"]
    assert template["Tags"] == [{"Key": "Stack", "Value": "shop"}]


def test_a_change_adds_a_version_and_makes_it_the_default(ec2: t.Any) -> None:
    run()
    planned, written = run(check=True, user_data="#cloud-config\nother\n")
    assert (planned["launch_template"]["version"], written) == ("2", [])
    changed, _ = run(user_data="#cloud-config\nother\n")
    assert changed["plan"][0] == {
        "action": "modify",
        "resource": "launch template shop-web",
        "reason": "UserData of version 1 differ",
    }
    assert changed["diff"]["after"]["launch template shop-web"] == {"UserData": "#cloud-config\nother\n"}
    (template,) = ec2.describe_launch_templates()["LaunchTemplates"]
    assert (template["DefaultVersionNumber"], template["LatestVersionNumber"]) == (2, 2)
    # The first one stays, to go back to.
    assert len(versions(ec2)) == 2


def test_tags_come_and_go(ec2: t.Any) -> None:
    run()
    changed, written = run(tags={"Owner": "me"})
    assert changed["launch_template"]["version"] == "1"
    assert sorted(written) == ["CreateTags", "DeleteTags"]
    # Moto describes launch templates with the tags of their creation.
    assert [(one["Key"], one["Value"]) for one in ec2.describe_tags()["Tags"]] == [("Owner", "me")]


def test_it_goes_twice() -> None:
    run()
    planned, written = run(check=True, state="absent")
    assert (planned["changed"], written) == (True, [])
    assert run(state="absent")[0]["changed"] is True
    assert run(state="absent")[0]["changed"] is False

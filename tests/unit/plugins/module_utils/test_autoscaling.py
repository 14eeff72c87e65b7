# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a launch template, a group and a refresh are compared with, and what follows."""

from __future__ import annotations

import base64
import hashlib
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.module_utils import autoscaling

Document = dict[str, t.Any]


def group(version: str = "1", *instances: tuple[str, str], state: str = "InService") -> Document:
    return {
        "AutoScalingGroupName": "web",
        "MinSize": 1,
        "MaxSize": 4,
        "VPCZoneIdentifier": "subnet-b,subnet-a",
        "HealthCheckType": "ELB",
        "HealthCheckGracePeriod": 600,
        "DefaultInstanceWarmup": 120,
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": version},
        "Instances": [
            {"InstanceId": one, "LifecycleState": state, "LaunchTemplate": {"Version": own}} for one, own in instances
        ],
    }


PARAMS = {
    "min_size": 1,
    "max_size": 4,
    "subnets": ["subnet-a", "subnet-b"],
    "health_check_type": "ELB",
    "health_check_grace_period": 600,
    "default_instance_warmup": 120,
}
TEMPLATE = {"LaunchTemplateId": "lt-1", "Version": "7"}


class TestLaunchTemplate:
    def test_user_data_is_encoded(self) -> None:
        data = autoscaling.template_data({"ImageId": "ami-1", "KeyName": None}, "#cloud-config\n")
        assert data == {"ImageId": "ami-1", "UserData": base64.b64encode(b"#cloud-config\n").decode()}

    def test_long_user_data_is_compressed_always_to_the_same(self) -> None:
        text = "#cloud-config\n" + "# a line of many\n" * 2000
        data = autoscaling.template_data({}, text)
        assert len(base64.b64decode(data["UserData"])) < autoscaling.USER_DATA_LIMIT < len(text)
        assert data == autoscaling.template_data({}, text)
        assert autoscaling.shown(data)["UserData"] == text

    def test_user_data_that_is_too_long_even_so_is_refused(self) -> None:
        noise = "".join(hashlib.sha256(bytes([number % 256, number // 256])).hexdigest() for number in range(1000))
        with pytest.raises(ValueError, match=r"user_data: has \d+ bytes even compressed, EC2 takes 16384"):
            autoscaling.template_data({}, noise)

    @pytest.mark.parametrize(
        ("current", "wanted"),
        [
            ({"HttpTokens": "required", "State": "pending"}, {"HttpTokens": "required"}),
            (
                [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}],
                [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
            ),
            (["sg-2", "sg-1"], ["sg-1", "sg-2"]),
            ({"VolumeSize": 20}, {"VolumeSize": "20"}),
            (
                [{"ResourceType": "volume", "Tags": []}, {"ResourceType": "instance", "Tags": []}],
                [{"ResourceType": "instance", "Tags": []}, {"ResourceType": "volume", "Tags": []}],
            ),
        ],
    )
    def test_what_aws_adds_or_orders_otherwise_is_no_difference(self, current: t.Any, wanted: t.Any) -> None:
        assert autoscaling.same_data(current, wanted)

    @pytest.mark.parametrize(
        ("current", "wanted"),
        [
            ({"HttpTokens": "optional"}, {"HttpTokens": "required"}),
            ({}, {"HttpTokens": "required"}),
            (["sg-1"], ["sg-1", "sg-2"]),
            ("t3.small", "t3.micro"),
            ([{"Key": "a", "Value": "1"}], [{"Key": "a", "Value": "2"}]),
        ],
    )
    def test_what_is_otherwise(self, current: t.Any, wanted: t.Any) -> None:
        assert not autoscaling.same_data(current, wanted)

    def test_a_setting_that_is_no_longer_wanted_makes_a_version(self) -> None:
        version = {"VersionNumber": 3, "LaunchTemplateData": {"ImageId": "ami-1", "KeyName": "old"}}
        step = autoscaling.plan_template("web", {}, version, {"ImageId": "ami-1"})
        assert (step.verb, step.before, step.after) == ("modify", {"KeyName": "old"}, {})
        assert step.reason == "KeyName of version 3 differ"

    def test_one_that_is_as_wanted_stays(self) -> None:
        version = {"VersionNumber": 3, "LaunchTemplateData": {"ImageId": "ami-1"}}
        assert autoscaling.plan_template("web", {}, version, {"ImageId": "ami-1"}).verb == "keep"

    def test_the_diff_shows_user_data_in_clear_text(self) -> None:
        step = autoscaling.plan_template("web", None, None, autoscaling.template_data({}, "#cloud-config"))
        assert (step.verb, step.after) == ("create", {"UserData": "#cloud-config"})


class TestGroup:
    def test_a_new_one(self) -> None:
        step = autoscaling.plan_group(None, "web", autoscaling.group_settings(PARAMS), TEMPLATE)
        assert step.verb == "create"
        assert step.after["LaunchTemplate"] == TEMPLATE

    @pytest.mark.parametrize("desired", [1, 3, 4])
    def test_what_scaling_made_of_it_is_no_difference(self, desired: int) -> None:
        found = {**group(), "DesiredCapacity": desired}
        assert autoscaling.plan_group(found, "web", autoscaling.group_settings(PARAMS), TEMPLATE).verb == "keep"

    def test_a_change_of_the_limits(self) -> None:
        step = autoscaling.plan_group(group(), "web", autoscaling.group_settings({**PARAMS, "max_size": 6}), TEMPLATE)
        assert (step.verb, step.before, step.after) == ("modify", {"MaxSize": 4}, {"MaxSize": 6})

    def test_the_version_of_its_template_is_left_to_the_refresh(self) -> None:
        assert autoscaling.plan_group(group("1"), "web", autoscaling.group_settings(PARAMS), TEMPLATE).verb == "keep"

    def test_one_whose_template_was_deleted_gets_the_new_one(self) -> None:
        new = {"LaunchTemplateId": "lt-2", "Version": "1"}
        step = autoscaling.plan_group(group(), "web", autoscaling.group_settings(PARAMS), new)
        assert (step.verb, step.after) == ("modify", {"LaunchTemplate": new})

    def test_members_come_change_and_go(self) -> None:
        steps = autoscaling.plan_members(
            "hook", {"a": {"x": 1, "more": 2}, "b": {"x": 1}, "c": {}}, {"a": {"x": 1}, "b": {"x": 2}, "d": {}}
        )
        assert [(step.verb, step.resource) for step in steps] == [
            ("modify", "hook b"),
            ("create", "hook d"),
            ("delete", "hook c"),
        ]

    def test_open_bounds_of_a_step_are_left_out_and_zero_is_not(self) -> None:
        assert autoscaling.step_request({"lower": 0, "upper": None, "adjustment": 1}) == {
            "MetricIntervalLowerBound": 0.0,
            "ScalingAdjustment": 1,
        }

    def test_a_policy_of_aws_compares_with_what_was_asked_for(self) -> None:
        wanted = autoscaling.policy_request(
            {"steps": [{"lower": 0, "upper": 10, "adjustment": 1}, {"lower": 10, "adjustment": 2}]}
        )
        found = {
            **wanted,
            "PolicyARN": "arn",
            "StepAdjustments": [
                {**wanted["StepAdjustments"][0]},
                {**wanted["StepAdjustments"][1], "MetricIntervalUpperBound": None},
            ],
        }
        assert autoscaling.same_data(autoscaling.current_policy(found), wanted)


def refresh(status: str, version: str = "2") -> Document:
    return {"Status": status, "DesiredConfiguration": {"LaunchTemplate": {"Version": version}}}


class TestRefresh:
    @pytest.mark.parametrize(
        ("found", "refreshes", "verb"),
        [
            (None, [], "keep"),
            (group("2", ("i-1", "2")), [], "keep"),
            (group("1", ("i-1", "1")), [], "start"),
            (group("2", ("i-1", "1")), [], "start"),
            (group("2", ("i-1", "1"), state="Terminating:Wait"), [], "keep"),
            (group("1", ("i-1", "1")), [refresh("Pending")], "keep"),
            (group("1", ("i-1", "1")), [refresh("InProgress")], "keep"),
            (group("1", ("i-1", "1")), [refresh("Baking")], "keep"),
            (group("1", ("i-1", "1")), [refresh("InProgress", "3")], "cancel"),
            (group("1", ("i-1", "1")), [refresh("Cancelling", "3")], "skip"),
            (group("1", ("i-1", "1")), [refresh("RollbackInProgress")], "skip"),
            # One that failed and was taken back is tried again by the next deployment.
            (group("1", ("i-1", "1")), [refresh("RollbackSuccessful")], "start"),
            (group("2", ("i-1", "2")), [refresh("Successful"), refresh("Failed")], "keep"),
        ],
    )
    def test_what_is_done(self, found: Document | None, refreshes: list[Document], verb: str) -> None:
        assert autoscaling.refresh_step(found, refreshes, "web", "2").verb == verb

    def test_it_says_what_is_outdated(self) -> None:
        step = autoscaling.refresh_step(group("1", ("i-1", "1"), ("i-2", "2")), [], "web", "2")
        assert step.reason == "web, i-1 have another version than 2"

    def test_preferences_let_aws_go_back(self) -> None:
        params = {"min_healthy_percent": 100, "max_healthy_percent": 110, "instance_warmup": 60, "auto_rollback": True}
        assert autoscaling.preferences(params) == {
            "MinHealthyPercentage": 100,
            "MaxHealthyPercentage": 110,
            "InstanceWarmup": 60,
            "SkipMatching": True,
            "AutoRollback": True,
        }

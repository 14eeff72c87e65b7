# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet is made of: names, scaling, launch template, agent, permissions, facts."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import argument_specs
from ansible_collections.palier.aws.plugins.plugin_utils import fleets as subject

Document = dict[str, t.Any]
IMAGE = {"image_id": "ami-1", "root_device_name": "/dev/sda1"}


def fleet(**options: t.Any) -> Document:
    """A fleet with every default of the role filled in, and what follows from it."""
    options.setdefault("application", {"port": 3000, "runtime": "node", "health_path": "/health"})
    if options["application"]:
        options["application"] = {"repository": "https://git.example.com/shop.git", **options["application"]}
    (filled,) = argument_specs.with_defaults([{"name": "web", **options}], "ec2_app", "ec2_app_fleets")
    (completed,) = subject.fleets([filled], "shop-prod", "/aws/ec2/shop/prod")
    return completed


class TestNames:
    def test_names_follow_from_the_prefix(self) -> None:
        found = fleet(load_balancer={"paths": ["/*"]})
        assert (found["full_name"], found["target_group"], found["port"]) == ("shop-prod-web", "shop-prod-web", 3000)
        assert found["logs"] == {"app": "/aws/ec2/shop/prod/app", "nginx": "/aws/ec2/shop/prod/nginx"}

    def test_names_of_the_customers_own(self) -> None:
        found = fleet(load_balancer={"paths": ["/*"], "target_group": "mine"}, log_groups={"nginx": "/edge"})
        assert found["target_group"] == "mine"
        assert found["logs"] == {"app": "/aws/ec2/shop/prod/app", "nginx": "/edge"}

    def test_only_one_with_rules_is_behind_the_balancer(self) -> None:
        assert fleet(load_balancer={"paths": ["/*"]})["behind"] is True
        assert fleet()["behind"] is False

    def test_the_health_check_asks_for_the_applications_path_unless_told_otherwise(self) -> None:
        assert fleet(load_balancer={"paths": ["/*"]})["health_check"] == {"path": "/health"}
        given = {"paths": ["/*"], "health_check": {"path": "/up", "interval": 10}}
        assert fleet(load_balancer=given)["health_check"] == {"path": "/up", "interval": 10}

    def test_the_hook_outlasts_the_requests(self) -> None:
        hook = fleet(load_balancer={"paths": ["/*"], "deregistration_delay": 300})["hook"]
        assert hook["heartbeat_timeout"] == 300 + subject.STOP_SECONDS
        assert hook["default_result"] == "CONTINUE"


class TestScaling:
    def test_thresholds_and_steps(self) -> None:
        found = fleet(scaling={"cpu_high": 70, "cpu_low": 30, "minutes": 3})
        assert [(one["policy"], one["comparison"], one["threshold"], one["periods"]) for one in found["alarms"]] == [
            ("shop-prod-web-out", "GreaterThanThreshold", 70.0, 3),
            ("shop-prod-web-in", "LessThanThreshold", 30.0, 3),
        ]
        assert [one["name"] for one in found["scaling_policies"]] == ["shop-prod-web-out", "shop-prod-web-in"]

    def test_steps_touch_one_another(self) -> None:
        out, inwards = fleet()["scaling_policies"]
        assert out["steps"][0]["upper"] == out["steps"][1]["lower"]
        assert "upper" not in out["steps"][-1]
        assert inwards["steps"] == [{"upper": 0, "adjustment": -1}]

    def test_one_of_a_fixed_size_does_not_scale(self) -> None:
        found = fleet(min=2, max=2)
        assert (found["scaling_policies"], found["alarms"]) == ([], [])


class TestLaunchTemplate:
    @pytest.fixture
    def data(self) -> Document:
        return subject.fleet_template(
            fleet(instance_type="t3.small"), IMAGE, ["sg-1"], "arn:profile", {"Stack": "shop"}
        )

    def test_the_metadata_want_a_token_and_go_one_hop(self, data: Document) -> None:
        assert data["MetadataOptions"]["HttpTokens"] == "required"
        assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1

    def test_the_volume_is_encrypted(self, data: Document) -> None:
        (mapping,) = data["BlockDeviceMappings"]
        assert mapping["DeviceName"] == "/dev/sda1"
        assert (mapping["Ebs"]["Encrypted"], mapping["Ebs"]["VolumeType"]) == (True, "gp3")

    def test_instances_and_volumes_are_tagged(self, data: Document) -> None:
        tags = [{"Key": "Stack", "Value": "shop"}]
        assert data["TagSpecifications"] == [
            {"ResourceType": "instance", "Tags": tags},
            {"ResourceType": "volume", "Tags": tags},
        ]

    def test_a_key_pair_only_where_there_is_one(self, data: Document) -> None:
        assert "KeyName" not in data
        assert subject.fleet_template(fleet(key_name="ops"), IMAGE, [], "", {})["KeyName"] == "ops"


class TestAgent:
    def test_memory_and_disk_by_group(self) -> None:
        metrics = subject.agent_config(fleet())["metrics"]
        assert metrics["metrics_collected"]["mem"]["measurement"] == ["mem_used_percent"]
        assert metrics["metrics_collected"]["disk"]["resources"] == ["/"]
        # The alarms and the dashboard look at these.
        assert ["AutoScalingGroupName"] in metrics["aggregation_dimensions"]

    def test_no_two_files_share_a_stream(self) -> None:
        files = subject.agent_config(fleet())["logs"]["logs_collected"]["files"]["collect_list"]
        streams = [(one["log_group_name"], one["log_stream_name"]) for one in files]
        assert len(set(streams)) == len(streams) == 3

    def test_logs_of_docker(self) -> None:
        found = fleet(application={"runtime": "docker"})
        (one,) = subject.agent_config(found)["logs"]["logs_collected"]["files"]["collect_list"]
        assert one["log_group_name"] == "/aws/ec2/shop/prod/app"

    def test_no_agent_no_logs(self) -> None:
        found = fleet(cloudwatch_agent=False)
        assert (subject.agent_config(found), found["logs"]) == ({}, {})

    def test_a_bare_fleet_is_measured_and_has_no_logs(self) -> None:
        assert "logs" not in subject.agent_config(fleet(application=None))


class TestDrain:
    def test_the_application_stops_after_its_requests_and_the_agent_last(self) -> None:
        found = subject.drain_config(fleet(load_balancer={"paths": ["/*"], "deregistration_delay": 45}), "eu-west-3")
        assert found["requests_seconds"] == 45
        assert found["units"] == ["nginx", "app", "amazon-cloudwatch-agent"]

    def test_one_without_a_balancer_waits_for_nobody(self) -> None:
        found = subject.drain_config(fleet(application=None, cloudwatch_agent=False), "eu-west-3")
        assert (found["requests_seconds"], found["units"]) == (0, [])


class TestPolicy:
    EMPTY: t.ClassVar[Document] = {"Version": "2012-10-17", "Statement": []}

    def policy(self, found: Document, **buckets: Document) -> dict[str, Document]:
        policy = subject.fleet_policy(found, self.EMPTY, "aws", "eu-west-3", "123456789012", buckets)
        return {one["Sid"]: one for one in policy["Statement"]}

    def test_an_instance_may_leave_its_own_group_only(self) -> None:
        (resource,) = self.policy(fleet())["LeaveTheGroup"]["Resource"]
        assert resource.endswith(":autoScalingGroup:*:autoScalingGroupName/shop-prod-web")

    def test_metrics_go_to_the_agents_name_space_only(self) -> None:
        assert self.policy(fleet())["SendMetrics"]["Condition"] == {"StringEquals": {"cloudwatch:namespace": "CWAgent"}}

    def test_logs_go_to_the_fleets_groups_only(self) -> None:
        resources = self.policy(fleet())["WriteLogs"]["Resource"]
        assert all(":log-group:/aws/ec2/shop/prod/" in one for one in resources)

    def test_buckets_only_where_they_are_named(self) -> None:
        arn = "arn:aws:s3:::shop-files"
        assert "UseObjects" not in self.policy(fleet(), files={"arn": arn})
        found = self.policy(fleet(buckets=["files"]), files={"arn": arn}, other={"arn": "arn:aws:s3:::other"})
        assert (found["ListBuckets"]["Resource"], found["UseObjects"]["Resource"]) == ([arn], [f"{arn}/*"])

    def test_without_an_agent_nothing_is_sent(self) -> None:
        assert set(self.policy(fleet(cloudwatch_agent=False))) == {"LeaveTheGroup"}


def version(number: int, digest: str) -> Document:
    tags = [{"key": "UserDataDigest", "value": digest}, {"key": "ApplicationVersion", "value": f"v{number}"}]
    data = {"image_id": f"ami-{number}", "tag_specifications": [{"resource_type": "instance", "tags": tags}]}
    return {"version_number": number, "launch_template_data": data}


GROUP = {
    "auto_scaling_group_name": "shop-prod-web",
    "launch_template": {"launch_template_id": "lt-1", "version": "1"},
    "target_group_arns": ["arn:targetgroup/shop-prod-web/1"],
    "min_size": 1,
    "max_size": 4,
    "desired_capacity": 1,
    "health_check_type": "ELB",
    "vpc_zone_identifier": "subnet-b,subnet-a",
    "instances": [
        {
            "instance_id": "i-1",
            "lifecycle_state": "InService",
            "health_status": "Healthy",
            "launch_template": {"version": "1"},
        }
    ],
}
TEMPLATE = {
    "launch_template_name": "shop-prod-web",
    "launch_template_id": "lt-1",
    "latest_version_number": 2,
    "versions": [version(1, "one"), version(2, "two")],
}


class TestFacts:
    def test_the_groups_version_and_the_newest_are_told_apart(self) -> None:
        found = subject.fleet_facts([GROUP], [TEMPLATE], "shop-prod")["web"]
        assert (found["version"], found["digest"], found["image_id"]) == ("v1", "one", "ami-1")
        assert (found["newest_version"], found["newest_digest"], found["newest_image_id"]) == ("2", "two", "ami-2")
        assert found["subnets"] == ["subnet-a", "subnet-b"]

    @pytest.mark.parametrize(("groups", "templates"), [([GROUP], []), ([], [TEMPLATE])])
    def test_half_a_fleet_is_published(self, groups: list[Document], templates: list[Document]) -> None:
        found = subject.fleet_facts(groups, templates, "shop-prod")["web"]
        assert found["asg"] == ("shop-prod-web" if groups else "")
        assert found["launch_template_id"] == ("lt-1" if templates else "")

    def test_nothing(self) -> None:
        assert subject.fleet_facts([], [], "shop-prod") == {}

    @pytest.mark.parametrize(
        ("desired", "states", "settled"),
        [
            (1, [("InService", "Healthy")], True),
            (0, [], True),
            (2, [("InService", "Healthy")], False),
            (1, [("Pending", "Healthy")], False),
            (1, [("InService", "Unhealthy")], False),
            (1, [("InService", "Healthy"), ("Terminating:Wait", "Healthy")], False),
        ],
    )
    def test_settled(self, desired: int, states: list[tuple[str, str]], settled: bool) -> None:
        instances = [{"state": state, "health": health} for state, health in states]
        assert subject.fleet_settled({"desired": desired, "instances": instances}) is settled

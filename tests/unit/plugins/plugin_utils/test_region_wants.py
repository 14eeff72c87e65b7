# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked of a region, each item with the variable that asks for it."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.palier.aws.plugins.modules import region_check
from ansible_collections.palier.aws.plugins.plugin_utils import argument_specs
from ansible_collections.palier.aws.plugins.plugin_utils import region_wants as subject

RDS = {
    "rds_engine": "mysql",
    "rds_engine_version": "8.4",
    "rds_instance_class": "db.t4g.micro",
    "rds_storage_type": "gp3",
}
INSTANCES = argument_specs.with_defaults(
    [{"name": "web"}, {"name": "lab", "image": "web-*", "instance_type": "m7g.large"}], "ec2_app", "ec2_app_instances"
)


@pytest.mark.parametrize("tiers", [[], None, ["network"], ["s3_site", "peering"]])
def test_tiers_that_want_nothing(tiers: t.Any) -> None:
    values = {"stack_tiers": tiers, "ec2_app_instances": INSTANCES, **RDS}
    found = subject.region_wants(values)
    assert (found["instance_types"], found["images"], found["db"]) == ([], [], [])


def test_instances() -> None:
    found = subject.region_wants({"stack_tiers": ["network", "ec2_app"], "ec2_app_instances": INSTANCES})
    assert found["db"] == []
    assert found["instance_types"] == [
        {"value": "t3.micro", "variable": "ec2_app_instances[0].instance_type"},
        {"value": "m7g.large", "variable": "ec2_app_instances[1].instance_type"},
    ]
    assert found["images"] == [
        {
            "key": "web",
            "variable": "ec2_app_instances[0].image",
            "instance_type": "t3.micro",
            "ssm_parameter": "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
        },
        {
            "key": "lab",
            "variable": "ec2_app_instances[1].image",
            "instance_type": "m7g.large",
            "name": "web-*",
            "owners": ["self"],
            "architecture": "arm64",
        },
    ]


@pytest.mark.parametrize(
    ("options", "features"),
    [
        ({}, ["storage_encryption"]),
        ({"rds_multi_az": False}, ["storage_encryption"]),
        ({"rds_multi_az": True}, ["storage_encryption", "multi_az"]),
        (
            {"rds_multi_az": True, "rds_performance_insights": True},
            ["storage_encryption", "multi_az", "performance_insights"],
        ),
    ],
)
def test_a_database(options: dict[str, t.Any], features: list[str]) -> None:
    (found,) = subject.region_wants({"stack_tiers": ["network", "rds"], **RDS, **options})["db"]
    assert found["features"] == features
    assert found["engine_version"] == "8.4"
    assert found["variables"]["engine_version"] == "rds_engine_version"


def test_the_module_takes_what_is_wanted() -> None:
    found = subject.region_wants({"stack_tiers": ["rds", "ec2_app"], "ec2_app_instances": INSTANCES, **RDS})
    assert ArgumentSpecValidator(region_check.ARGUMENTS).validate(found).error_messages == []


@pytest.mark.parametrize(
    ("zones", "count", "names"),
    [(3, 3, []), ("2", 2, []), (["a", "eu-west-3b"], 2, ["eu-west-3a", "eu-west-3b"])],
)
def test_zones(zones: t.Any, count: int, names: list[str]) -> None:
    values = {"stack_tiers": ["network"], "stack_region": "eu-west-3", "network_zones": zones}
    found = subject.region_wants(values)
    assert found["availability_zone_count"] == {"value": count, "variable": "network_zones"}
    assert [zone["value"] for zone in found["availability_zones"]] == names

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A service from nothing to nothing, with everything that it stands on, in check mode and for real."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import (
    ecs_cluster,
    ecs_cluster_info,
    ecs_secret_info,
    ecs_service,
    ecs_service_scaling,
    ecs_task_definition,
    ecs_task_run,
)
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

CONTAINER = {"name": "web", "image": "nginx:1.29", "memory": 512, "portMappings": [{"containerPort": 80}]}
DEFINITION = {"family": "shop-web", "cpu": 256, "memory": 512, "containers": [CONTAINER], "tags": {"Stack": "shop"}}
CLUSTER = {"name": "shop", "tags": {"Stack": "shop"}}
SCALING = {"cluster": "shop", "service": "shop-web", "min": 1, "max": 4, "cpu": 60}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[dict[str, list[str]]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        ec2 = boto3.client("ec2", region_name="eu-west-3")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(VpcId=vpc, GroupName="app", Description="app")["GroupId"]
        yield {"subnets": [subnet], "security_groups": [group]}


def planned_then_done(module: t.Any, options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Check mode writes nothing and says what the real run then does; a second run changes nothing."""
    with recorded_calls() as calls:
        planned = run_module(module, options, check=True)
    assert writes(calls) == []
    done = run_module(module, options)
    assert "failed" not in done, done.get("msg")
    assert (planned["changed"], planned["plan"]) == (done["changed"], done["plan"])
    with recorded_calls() as calls:
        assert not run_module(module, options)["changed"]
    assert writes(calls) == []
    return done


def service(network: dict[str, list[str]], arn: str, **changes: t.Any) -> dict[str, t.Any]:
    return {
        "cluster": "shop",
        "name": "shop-web",
        "task_definition": arn,
        **network,
        "tags": {"Stack": "shop"},
        **changes,
    }


def test_from_nothing_to_nothing(network):
    assert run_module(ecs_cluster_info, {"name": "shop"})["cluster"] == {}
    assert planned_then_done(ecs_cluster, CLUSTER)["changed"]
    arn = planned_then_done(ecs_task_definition, DEFINITION)["task_definition"]["arn"]
    assert arn.endswith("shop-web:1")
    info = run_module(ecs_cluster_info, {"name": "shop"})
    assert (info["cluster"]["container_insights"], info["services"]) == ("enabled", {})

    boto3.client("ecs", region_name="eu-west-3").create_service(
        cluster="shop", serviceName="other", taskDefinition="shop-web", desiredCount=0
    )
    made = run_module(ecs_service, service(network, arn))
    assert (made["changed"], made["plan"][0]["action"]) == (True, "create")
    assert set(run_module(ecs_cluster_info, {"name": "shop"})["services"]) == {"shop-web", "other"}
    assert planned_then_done(ecs_service_scaling, SCALING)["changed"]
    assert planned_then_done(ecs_service_scaling, {**SCALING, "max": 6, "cpu": 0, "memory": 70})["plan"] == [
        {"action": "modify", "resource": "auto-scaling of shop-web", "reason": "MaxCapacity differs"},
        {"action": "delete", "resource": "scaling policy shop-web-cpu", "reason": "it is not wanted"},
        {"action": "create", "resource": "scaling policy shop-web-memory", "reason": "it does not exist"},
    ]
    assert planned_then_done(ecs_service_scaling, {**SCALING, "state": "absent"})["changed"]
    assert planned_then_done(ecs_service, {"cluster": "shop", "name": "shop-web", "state": "absent"})["changed"]
    assert planned_then_done(ecs_task_definition, {"family": "shop-web", "state": "absent"})["changed"]
    assert planned_then_done(ecs_cluster, {"name": "shop", "state": "absent"})["changed"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cpu": 512, "memory": 1024}, "cpu, memory differ"),
        ({"containers": [{**CONTAINER, "image": "nginx:1.30"}]}, "containerDefinitions differs"),
        ({"architecture": "ARM64"}, "runtimePlatform differs"),
        ({"volumes": ["scratch"]}, "volumes differs"),
    ],
)
def test_a_changed_definition_is_another_revision(network, changes, reason):
    planned_then_done(ecs_task_definition, DEFINITION)
    done = planned_then_done(ecs_task_definition, {**DEFINITION, **changes})
    assert done["plan"][0]["reason"] == reason
    assert done["task_definition"]["revision"] == 2


def test_a_definitions_tags_change_without_a_revision(network):
    planned_then_done(ecs_task_definition, DEFINITION)
    done = planned_then_done(ecs_task_definition, {**DEFINITION, "tags": {"Stack": "other"}})
    assert (done["plan"][0]["action"], done["task_definition"]["revision"]) == ("tag", 1)


def test_a_task_is_started(network):
    run_module(ecs_cluster, CLUSTER)
    arn = run_module(ecs_task_definition, DEFINITION)["task_definition"]["arn"]
    options = {"cluster": "shop", "task_definition": arn, "container": "web", "command": ["migrate"], **network}
    options["started_by"] = "shop-web/migrate"
    with recorded_calls() as calls:
        planned = run_module(ecs_task_run, options, check=True)
    assert (planned["changed"], planned["task_arn"], writes(calls)) == (True, "", [])
    started = run_module(ecs_task_run, options)
    found = run_module(ecs_cluster_info, {"name": "shop", "tasks": [started["task_arn"]]})["tasks"]
    assert found[started["task_arn"]]["task_definition"] == arn
    again = run_module(ecs_task_run, options)
    # Moto moves a task on whenever it is looked at; one that still runs is taken.
    assert again["task_arn"] == started["task_arn"]


def test_secrets_that_are_missing_are_named(network):
    client = boto3.client("secretsmanager", region_name="eu-west-3")
    arn = client.create_secret(Name="shop/key", SecretString="testing")["ARN"]
    assert run_module(ecs_secret_info, {"names": ["shop/key"]})["arns"] == {"shop/key": arn}
    assert run_module(ecs_secret_info, {"names": []})["arns"] == {}
    failed = run_module(ecs_secret_info, {"names": ["shop/key", "shop/kei"], "variable": "ecs_app_services[].secrets"})
    assert failed["msg"] == (
        "ecs_app_services[].secrets: Secrets Manager has no secret 'shop/kei' in this region; create it, or correct the"
        " name"
    )

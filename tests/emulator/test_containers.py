# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is mended of ECS on Fargate, of load balancers and of Application Auto Scaling."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, Network, mends, refusal

ROLE = "arn:aws:iam::123456789012:role/execution"
WEB = {"name": "web", "image": "nginx:1.29", "portMappings": [{"containerPort": 80}]}
SIZE = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
COUNT = {"ServiceNamespace": "ecs", "ResourceId": "service/c/web", "ScalableDimension": "ecs:service:DesiredCount"}


class Stack:
    """A network, a balancer with a listener, a target group, a cluster and a task definition."""

    def __init__(self, emulator: Emulator) -> None:
        self.network = Network(emulator)
        self.network.gateway()
        self.elb, self.ecs = emulator.client("elbv2", REGION), emulator.client("ecs", REGION)
        self.scaling = emulator.client("application-autoscaling", REGION)
        self.balancer = self.elb.create_load_balancer(Name="lb", Subnets=self.network.subnets)["LoadBalancers"][0][
            "LoadBalancerArn"
        ]
        self.group = self.target_group("web")
        self.ecs.create_cluster(clusterName="c")
        self.definition: str = self.register()
        self.vpc = {
            "awsvpcConfiguration": {"subnets": self.network.subnets, "securityGroups": [self.network.group("app")]}
        }

    def target_group(self, name: str) -> str:
        made = self.elb.create_target_group(
            Name=name, Protocol="HTTP", Port=80, VpcId=self.network.vpc, TargetType="ip"
        )
        return t.cast(str, made["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, port: int = 80, **more: t.Any) -> str:
        action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        asked = {"Protocol": "HTTP", "Port": port, "DefaultActions": [action], **more}
        made = self.elb.create_listener(LoadBalancerArn=self.balancer, **asked)
        return t.cast(str, made["Listeners"][0]["ListenerArn"])

    def rule(self, listener: str, priority: int, path: str) -> str:
        condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}
        forward = {"Type": "forward", "TargetGroupArn": self.group}
        made = self.elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=[condition], Actions=[forward])
        return t.cast(str, made["Rules"][0]["RuleArn"])

    def register(self, **more: t.Any) -> str:
        made = self.ecs.register_task_definition(family="web", **{**SIZE, "containerDefinitions": [WEB], **more})
        return t.cast(str, made["taskDefinition"]["taskDefinitionArn"])

    def service(self, **more: t.Any) -> dict[str, t.Any]:
        asked = {
            "cluster": "c",
            "serviceName": "web",
            "taskDefinition": self.definition,
            "desiredCount": 2,
            "networkConfiguration": self.vpc,
            "capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}],
            **more,
        }
        return t.cast(dict[str, t.Any], self.ecs.create_service(**asked)["service"])

    def described(self) -> dict[str, t.Any]:
        found = self.ecs.describe_services(cluster="c", services=["web"])["services"]
        return t.cast(dict[str, t.Any], found[0])

    def counts(self) -> tuple[int, int, int]:
        """The cluster's running and pending tasks, and its active services."""
        (found,) = self.ecs.describe_clusters(clusters=["c"])["clusters"]
        return found["runningTasksCount"], found["pendingTasksCount"], found["activeServicesCount"]

    def behind(self) -> list[dict[str, t.Any]]:
        return [{"targetGroupArn": self.group, "containerName": "web", "containerPort": 80}]


@pytest.fixture
def stack(emulator: Emulator) -> Stack:
    return Stack(emulator)


@mends("ecs.fargate_definitions")
@pytest.mark.parametrize(
    "changes",
    [
        {"cpu": "256", "memory": "4096"},
        {"cpu": "300", "memory": "512"},
        {"memory": "0"},
        {"networkMode": "bridge"},
        {"containerDefinitions": [{**WEB, "secrets": [{"name": "A", "valueFrom": "a"}]}]},
        {"containerDefinitions": [{**WEB, "logConfiguration": {"logDriver": "awslogs"}}]},
    ],
)
def test_fargate_refuses_definitions(stack: Stack, changes: dict[str, t.Any]) -> None:
    assert refusal(stack.register, **changes) == "ClientException"
    stack.register(containerDefinitions=[{**WEB, "secrets": [{"name": "A", "valueFrom": "a"}]}], executionRoleArn=ROLE)


@mends("ecs.fargate_services", "ecs.tasks_of_a_service", "ecs.task_ends", "ecs.task_interfaces")
def test_a_service_comes_up_and_changes(stack: Stack) -> None:
    stack.rule(stack.listener(), 1, "/*")
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    made = stack.service(loadBalancers=stack.behind(), deploymentConfiguration=breaker, enableExecuteCommand=True)
    assert (made["runningCount"], made["pendingCount"]) == (0, 2)
    assert made["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    there = stack.described()
    assert (there["runningCount"], there["deployments"][0]["rolloutState"]) == (2, "COMPLETED")
    assert there["deploymentConfiguration"] == breaker
    assert there["enableExecuteCommand"]
    assert there["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE"
    assert "launchType" not in there
    tasks = stack.ecs.list_tasks(cluster="c", serviceName="web")["taskArns"]
    assert len(tasks) == 2
    assert stack.ecs.list_tasks(cluster="c", serviceName="other")["taskArns"] == []
    assert {task["lastStatus"] for task in stack.ecs.describe_tasks(cluster="c", tasks=tasks)["tasks"]} == {"RUNNING"}
    health = stack.elb.describe_target_health(TargetGroupArn=stack.group)["TargetHealthDescriptions"]
    assert len(health) == 2
    assert all(one["Target"]["Id"].startswith("10.0.") for one in health)

    second = stack.register(cpu="512", memory="1024")
    changed = stack.ecs.update_service(cluster="c", service="web", taskDefinition=second, desiredCount=1)["service"]
    assert [one["status"] for one in changed["deployments"]] == ["PRIMARY", "ACTIVE"]
    there = stack.described()
    assert (there["taskDefinition"], there["runningCount"], len(there["deployments"])) == (second, 1, 1)
    (left,) = stack.ecs.list_tasks(cluster="c", serviceName="web", desiredStatus="RUNNING")["taskArns"]
    assert left not in tasks
    assert stack.counts() == (1, 0, 1)
    assert len(stack.elb.describe_target_health(TargetGroupArn=stack.group)["TargetHealthDescriptions"]) == 1


@mends("ecs.service_rules")
def test_services_that_are_refused(stack: Stack) -> None:
    assert refusal(stack.service, loadBalancers=stack.behind()) == "InvalidParameterException"
    stack.rule(stack.listener(), 1, "/*")
    wrong = [{**stack.behind()[0], "containerPort": 81}]
    assert refusal(stack.service, loadBalancers=wrong) == "InvalidParameterException"
    assert refusal(stack.service, healthCheckGracePeriodSeconds=30) == "InvalidParameterException"
    stack.service(loadBalancers=stack.behind())
    assert refusal(stack.service) == "InvalidParameterException"
    stack.ecs.delete_service(cluster="c", service="web", force=True)
    assert refusal(stack.ecs.update_service, cluster="c", service="web") == "ServiceNotActiveException"


@mends("ecs.service_deletion", "ecs.cluster_in_use")
def test_services_and_clusters_go(stack: Stack) -> None:
    stack.service()
    stack.described()
    assert refusal(stack.ecs.delete_cluster, cluster="c") == "ClusterContainsServicesException"
    assert stack.ecs.delete_service(cluster="c", service="web", force=True)["service"]["status"] == "DRAINING"
    assert stack.described()["status"] == "INACTIVE"
    assert stack.ecs.list_services(cluster="c")["serviceArns"] == []
    assert stack.counts() == (0, 0, 0)
    task = stack.ecs.run_task(cluster="c", taskDefinition="web", launchType="FARGATE", networkConfiguration=stack.vpc)[
        "tasks"
    ][0]["taskArn"]
    assert refusal(stack.ecs.delete_cluster, cluster="c") == "ClusterContainsTasksException"
    stack.ecs.describe_tasks(cluster="c", tasks=[task])
    stack.ecs.delete_cluster(cluster="c")
    assert refusal(stack.service) == "ClusterNotFoundException"
    for subnet in stack.network.subnets:
        assert not stack.network.ec2.describe_network_interfaces(
            Filters=[{"Name": "subnet-id", "Values": [subnet]}, {"Name": "description", "Values": ["moto ECS"]}]
        )["NetworkInterfaces"]


@mends("ecs.fargate_services")
def test_a_cluster_counts_a_task_until_it_ends(stack: Stack) -> None:
    stack.ecs.run_task(cluster="c", taskDefinition="web", launchType="FARGATE", networkConfiguration=stack.vpc)
    assert [stack.counts() for _ in range(2)] == [(1, 0, 0), (0, 0, 0)]


@mends("ecs.task_ends", "ecs.containers_without_size")
@pytest.mark.parametrize(("command", "code"), [(["true"], 0), (["false"], 1), (["sh", "-c", "exit 3"], 3)])
def test_a_task_runs_to_its_end(stack: Stack, command: list[str], code: int) -> None:
    started = stack.ecs.run_task(
        cluster="c",
        taskDefinition="web",
        launchType="FARGATE",
        networkConfiguration=stack.vpc,
        overrides={"containerOverrides": [{"name": "web", "command": command}]},
    )["tasks"][0]
    assert "exitCode" not in started["containers"][0]
    (ended,) = stack.ecs.describe_tasks(cluster="c", tasks=[started["taskArn"]])["tasks"]
    assert (ended["lastStatus"], ended["containers"][0]["exitCode"]) == ("STOPPED", code)
    assert ended["stopCode"] == "EssentialContainerExited"


@mends("elbv2.listener_rules")
def test_listeners_that_are_refused(stack: Stack, emulator: Emulator) -> None:
    stack.listener()
    assert refusal(stack.listener) == "DuplicateListener"
    assert refusal(stack.listener, port=443, Protocol="HTTPS") == "ValidationError"
    missing = [{"CertificateArn": "arn:aws:acm:eu-west-3:123456789012:certificate/none"}]
    assert refusal(stack.listener, port=443, Protocol="HTTPS", Certificates=missing) == "CertificateNotFound"
    pending = emulator.client("acm", REGION).request_certificate(DomainName="shop.example.com", ValidationMethod="DNS")
    pending = [{"CertificateArn": pending["CertificateArn"]}]
    assert refusal(stack.listener, port=443, Protocol="HTTPS", Certificates=pending) == "UnsupportedCertificate"


@mends("elbv2.balancers_of_a_target_group", "elbv2.rules_change_places")
def test_rules(stack: Stack) -> None:
    listener = stack.listener()
    one, two = stack.rule(listener, 1, "/a"), stack.rule(listener, 2, "/b")
    swapped = [{"RuleArn": one, "Priority": 2}, {"RuleArn": two, "Priority": 1}]
    found = stack.elb.set_rule_priorities(RulePriorities=swapped)["Rules"]
    assert {rule["RuleArn"]: rule["Priority"] for rule in found} == {one: "2", two: "1"}
    three = stack.rule(listener, 3, "/c")
    taken = [{"RuleArn": three, "Priority": 1}]
    assert refusal(stack.elb.set_rule_priorities, RulePriorities=taken) == "PriorityInUse"
    balancers = stack.elb.describe_target_groups(Names=["web"])["TargetGroups"][0]["LoadBalancerArns"]
    assert balancers == [stack.balancer]
    for rule in (one, two, three):
        stack.elb.delete_rule(RuleArn=rule)
    assert stack.elb.describe_target_groups(Names=["web"])["TargetGroups"][0].get("LoadBalancerArns", []) == []


@mends("application_scaling.deregistration", "application_scaling.policies", "application_scaling.capacity_limits")
def test_scaling(stack: Stack, emulator: Emulator) -> None:
    stack.service()
    tracking = {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    }
    policy = {
        **COUNT,
        "PolicyName": "cpu",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }
    register, alarms = stack.scaling.register_scalable_target, emulator.client("cloudwatch", REGION).describe_alarms
    assert refusal(stack.scaling.put_scaling_policy, **policy) == "ObjectNotFoundException"
    assert refusal(register, MinCapacity=3, MaxCapacity=2, **COUNT) == "ValidationException"
    register(MinCapacity=1, MaxCapacity=4, **COUNT)
    first = stack.scaling.put_scaling_policy(**policy)["PolicyARN"]
    assert stack.scaling.put_scaling_policy(**policy)["PolicyARN"] == first
    assert len(alarms()["MetricAlarms"]) == 2
    stack.scaling.deregister_scalable_target(**COUNT)
    assert stack.scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert alarms()["MetricAlarms"] == []
    assert refusal(stack.scaling.deregister_scalable_target, **COUNT) == "ObjectNotFoundException"


def put(emulator: Emulator, tag: str, **annotations: str) -> str:
    """An image in the emulator's registry that behaves as its annotations say."""
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []}
    text = json.dumps({**manifest, "annotations": {f"emulator.{key}": value for key, value in annotations.items()}})
    emulator.client("ecr", REGION).put_image(repositoryName="web", imageManifest=text, imageTag=tag)
    return f"123456789012.dkr.ecr.{REGION}.amazonaws.com/web:{tag}"


BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


@mends("ecs.failing_tasks")
@pytest.mark.parametrize(
    ("annotations", "reason", "code"),
    [
        ({"exit-code": "3", "log": "no settings"}, "Essential container in task exited", "EssentialContainerExited"),
        ({"unhealthy": "yes"}, "Task failed ELB health checks", "ServiceSchedulerInitiated"),
        (None, "CannotPullContainerError", "TaskFailedToStart"),
    ],
)
def test_a_deployment_that_does_not_come_up(
    stack: Stack, emulator: Emulator, annotations: dict[str, str] | None, reason: str, code: str
) -> None:
    ecr, logs = emulator.client("ecr", REGION), emulator.client("logs", REGION)
    ecr.create_repository(repositoryName="web")
    put(emulator, "good")
    bad = (
        put(emulator, "bad", **annotations) if annotations else f"123456789012.dkr.ecr.{REGION}.amazonaws.com/web:none"
    )
    logs.create_log_group(logGroupName="web")
    options = {"awslogs-group": "web", "awslogs-region": REGION, "awslogs-stream-prefix": "web"}
    stack.rule(stack.listener(), 1, "/*")
    stack.service(loadBalancers=stack.behind(), deploymentConfiguration=BREAKER)
    stack.described()
    container = {**WEB, "image": bad, "logConfiguration": {"logDriver": "awslogs", "options": options}}
    broken = stack.register(containerDefinitions=[container], executionRoleArn=ROLE)
    stack.ecs.update_service(cluster="c", service="web", taskDefinition=broken)
    during = stack.described()
    primary, failed = during["deployments"]
    assert (during["taskDefinition"], during["runningCount"]) == (stack.definition, 2)
    assert (primary["rolloutState"], "rolling back" in primary["rolloutStateReason"]) == ("IN_PROGRESS", True)
    assert (failed["rolloutState"], failed["failedTasks"], failed["taskDefinition"]) == ("FAILED", 3, broken)
    after = stack.described()["deployments"]
    assert [one["rolloutState"] for one in after] == ["COMPLETED"]
    stopped = stack.ecs.list_tasks(cluster="c", family="web", desiredStatus="STOPPED")["taskArns"]
    tasks = stack.ecs.describe_tasks(cluster="c", tasks=stopped)["tasks"]
    assert {one["taskDefinitionArn"] for one in tasks} == {broken}
    assert {one["stopCode"] for one in tasks} == {code}
    assert all(reason in one["stoppedReason"] for one in tasks)
    if annotations and "log" in annotations:
        stream = f"web/web/{stopped[0].rpartition('/')[2]}"
        (event,) = logs.get_log_events(logGroupName="web", logStreamName=stream)["events"]
        assert event["message"] == "no settings"


@mends("ecs.failing_tasks")
def test_a_first_deployment_that_does_not_come_up(stack: Stack, emulator: Emulator) -> None:
    emulator.client("ecr", REGION).create_repository(repositoryName="web")
    bad = put(emulator, "bad", **{"exit-code": "1"})
    stack.service(
        taskDefinition=stack.register(containerDefinitions=[{**WEB, "image": bad}]), deploymentConfiguration=BREAKER
    )
    (only,) = stack.described()["deployments"]
    assert (only["status"], only["rolloutState"]) == ("PRIMARY", "FAILED")
    assert stack.described()["runningCount"] == 0


@mends("ecs.newest_active_revision")
def test_a_family_stands_for_its_newest_active_revision(stack: Stack) -> None:
    stack.ecs.deregister_task_definition(taskDefinition=stack.register(cpu="512", memory="1024"))
    found = stack.ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]
    assert found["taskDefinitionArn"] == stack.definition
    assert stack.register(cpu="512", memory="1024").endswith(":3"), "numbers are not used twice"

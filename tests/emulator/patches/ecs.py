# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS on Fargate: what it refuses, services that come up, tasks that run to their end.

No container runs. A service's tasks are there the next time that somebody looks; a one-off task has ended by then, with
exit code 0 unless its command is C(false) or C(sh -c "exit N").

An image says by annotations of its manifest in the emulator's ECR how its containers behave: C(emulator.exit-code) is
that of the image's own command, C(emulator.command-exit-code) that of any other, C(emulator.unhealthy) lets the load
balancer find it unhealthy, C(emulator.log) is what it writes. An image that a repository with images does not have
cannot be pulled; a repository without any image counts as one whose images nobody pushed here, and they run.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import typing as t

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ecr.models import ecr_backends
from moto.ecs import models as ecs
from moto.ecs.exceptions import EcsClientException, ECSException, InvalidParameterException
from moto.ecs.responses import EC2ContainerServiceResponse as Response
from moto.elbv2.models import elbv2_backends
from moto.logs.models import logs_backends
from moto.moto_api._internal import mock_random

from tests.emulator.patches import around, before, patch

_REFERENCE = "ECS API reference"
#: CPU units and MiB (Amazon ECS developer guide, "Task definition parameters for Amazon ECS on Fargate", Task size).
_SIZES = {
    256: [512, 1024, 2048],
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
_NEEDS_ROLE = "Fargate requires task definition to have execution role ARN to support"


@patch(
    restores="Fargate has certain sizes only, wants awsvpc, and a role to write logs and to read secrets.",
    source=f"{_REFERENCE}, RegisterTaskDefinition (cpu, memory, executionRoleArn; ClientException)",
    touches="moto.ecs.models:EC2ContainerServiceBackend.register_task_definition",
)
def fargate_definitions() -> None:
    """Check them; moto registers everything."""

    @before(ecs.EC2ContainerServiceBackend, "register_task_definition")
    def check(_self: t.Any, _family: str, container_definitions: list[dict[str, t.Any]], **given: t.Any) -> None:
        if "FARGATE" not in (given.get("requires_compatibilities") or []):
            return
        cpu, memory = str(given.get("cpu") or ""), str(given.get("memory") or "")
        if not (cpu.isdigit() and memory.isdigit() and int(memory) in _SIZES.get(int(cpu), [])):
            raise EcsClientException(f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory.")
        if given.get("network_mode") != "awsvpc":
            raise EcsClientException("Fargate only supports network mode 'awsvpc'.")
        for container in container_definitions:
            driver = (container.get("logConfiguration") or {}).get("logDriver")
            if driver == "awslogs" and not given.get("execution_role_arn"):
                raise EcsClientException(f"{_NEEDS_ROLE} log driver awslogs.")
            if container.get("secrets") and not given.get("execution_role_arn"):
                raise EcsClientException(f"{_NEEDS_ROLE} secrets.")


@patch(
    restores="A family stands for its newest active revision.",
    source=f"{_REFERENCE}, DescribeTaskDefinition (taskDefinition)",
    touches="moto.ecs.models:EC2ContainerServiceBackend.describe_task_definition",
)
def newest_active_revision() -> None:
    """Moto takes the newest one, active or not."""

    @around(ecs.EC2ContainerServiceBackend, "describe_task_definition")
    def describe(original: t.Callable[..., t.Any], self: t.Any, task_definition_str: str) -> t.Any:
        family = task_definition_str.rpartition("/")[2]
        if ":" in family:
            return original(self, task_definition_str)
        revisions = self.task_definitions.get(family) or {}
        active = [number for number, one in revisions.items() if one.status == "ACTIVE"]
        return original(self, f"{family}:{max(active)}" if active else family)


@patch(
    restores="A cluster with services or tasks is not deleted, and nothing starts in one that was.",
    source=f"{_REFERENCE}, DeleteCluster (ClusterContainsServicesException, ClusterContainsTasksException)",
    touches=(
        "moto.ecs.models:EC2ContainerServiceBackend.delete_cluster",
        "moto.ecs.models:EC2ContainerServiceBackend._get_cluster",
    ),
)
def cluster_in_use() -> None:
    """Refuse it."""

    @around(ecs.EC2ContainerServiceBackend, "_get_cluster")
    def get(original: t.Callable[..., t.Any], self: t.Any, name: str) -> t.Any:
        cluster = original(self, name)
        if cluster.status == "INACTIVE":
            raise ecs.ClusterNotFoundException
        return cluster

    @before(ecs.EC2ContainerServiceBackend, "delete_cluster")
    def check(self: t.Any, cluster_str: str) -> None:
        name = cluster_str.rpartition("/")[2]
        _settle_all(self, name)
        if any(one.cluster_name == name and one.status != "INACTIVE" for one in self.services.values()):
            text = "The Cluster cannot be deleted while Services are active."
            raise ECSException("ClusterContainsServicesException", text)
        if any(task.last_status != "STOPPED" for task in self.tasks.get(name, {}).values()):
            raise ECSException("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")


@patch(
    restores="A service is refused twice under one name, with a target group without balancer, or a wrong container.",
    source=f"{_REFERENCE}, CreateService (InvalidParameterException), UpdateService (ServiceNotActiveException)",
    touches=(
        "moto.ecs.responses:EC2ContainerServiceResponse.create_service",
        "moto.ecs.responses:EC2ContainerServiceResponse.update_service",
    ),
)
def service_rules() -> None:
    """Check it first."""

    @before(Response, "create_service")
    def check_new(self: t.Any) -> None:
        cluster, name = self._get_param("cluster", "default").rpartition("/")[2], self._get_param("serviceName")
        backend = self.ecs_backend
        standing = backend.services.get(f"{cluster}:{name}")
        if standing is not None and standing.status == "ACTIVE":
            raise InvalidParameterException("Creation of service was not idempotent.")
        if standing is not None and standing.status == "DRAINING":
            raise InvalidParameterException("Unable to Start a service that is still Draining.")
        _check_balancers(backend, self._get_param("loadBalancers") or [], self._get_param("taskDefinition"))
        if self._get_param("healthCheckGracePeriodSeconds") and not self._get_param("loadBalancers"):
            text = "Health check grace period is only valid for services configured to use load balancers"
            raise InvalidParameterException(text)

    @before(Response, "update_service")
    def check_change(self: t.Any) -> None:
        cluster, name = self._get_param("cluster", "default"), self._get_param("service")
        service = self.ecs_backend._get_service(cluster, name)
        if service.status != "ACTIVE":
            raise ECSException("ServiceNotActiveException", "Service was not ACTIVE.")
        definition = self._get_param("taskDefinition") or service.task_definition
        _check_balancers(self.ecs_backend, self._get_param("loadBalancers") or [], definition)


def _check_balancers(backend: t.Any, balancers: list[dict[str, t.Any]], definition: str) -> None:
    balancing = elbv2_backends[backend.account_id][backend.region_name]
    for one in balancers:
        arn = one["targetGroupArn"]
        if arn not in balancing.target_groups:
            raise InvalidParameterException(f"The specified target group does not exist. (Service: {arn})")
        if not balancing._any_listener_using(arn):
            text = f"The target group with targetGroupArn {arn} does not have an associated load balancer."
            raise InvalidParameterException(text)
        containers = {
            container["name"]: container
            for container in backend.describe_task_definition(definition).container_definitions
        }
        ports = [
            mapping["containerPort"] for mapping in containers.get(one["containerName"], {}).get("portMappings") or []
        ]
        if one["containerPort"] not in ports:
            text = f"The container {one['containerName']} did not have a container port {one['containerPort']} defined."
            raise InvalidParameterException(text)


@patch(
    restores="A Fargate service starts its tasks, which join its target groups, and its deployment completes.",
    source=f"{_REFERENCE}, Service, Deployment (rolloutState); Amazon ECS developer guide, Amazon ECS services",
    touches=(
        "moto.ecs.responses:EC2ContainerServiceResponse.create_service",
        "moto.ecs.responses:EC2ContainerServiceResponse.update_service",
        "moto.ecs.responses:EC2ContainerServiceResponse.describe_services",
        "moto.ecs.responses:EC2ContainerServiceResponse.describe_clusters",
        "moto.ecs.responses:EC2ContainerServiceResponse.list_tasks",
        "moto.ecs.models:EC2ContainerServiceBackend.describe_clusters",
    ),
)
def fargate_services() -> None:
    """Keep the settings that moto drops, and bring the tasks up when somebody looks."""

    @around(Response, "create_service")
    def create(original: t.Callable[..., ActionResult], self: t.Any) -> ActionResult:
        result = original(self)
        service = result.result["service"]  # type: ignore[index]
        _keep_settings(self, service)
        if _is_fargate(service):
            service.running_count, service.pending_count = 0, service.desired_count
            service.deployments = [_deployment(service)]
        return result

    @around(Response, "update_service")
    def update(original: t.Callable[..., ActionResult], self: t.Any) -> ActionResult:
        backend = self.ecs_backend
        service = backend._get_service(self._get_param("cluster", "default"), self._get_param("service"))
        old, running = service.task_definition, service.running_count
        result = original(self)
        _keep_settings(self, service)
        service.task_definition = backend.describe_task_definition(service.task_definition).arn
        if _is_fargate(service):
            service.running_count, service.pending_count = running, max(service.desired_count - running, 0)
            if service.task_definition != old or self._get_param("forceNewDeployment"):
                last = {**service.deployments[0], "status": "ACTIVE"}
                service.deployments = [_deployment(service), last]
        return result

    for name in ("describe_services", "describe_clusters", "list_tasks"):
        _settled_before(name)

    @around(ecs.EC2ContainerServiceBackend, "describe_clusters")
    def counted(original: t.Callable[..., t.Any], self: t.Any, cluster_names: list[str]) -> t.Any:
        found = original(self, cluster_names)
        for cluster in found[0]:
            _count(self, cluster)
        return found


def _settled_before(name: str) -> None:
    @before(Response, name)
    def settle(self: t.Any) -> None:
        named = self._get_param("clusters") or [self._get_param("cluster", "default")]
        for one in named:
            _settle_all(self.ecs_backend, one.rpartition("/")[2])


#: What CreateService and UpdateService take and DescribeServices gives back.
_KEPT = {
    "deploymentConfiguration": "deployment_configuration",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "enableExecuteCommand": "enable_execute_command",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "capacityProviderStrategy": "capacity_provider_strategy",
    "networkConfiguration": "network_configuration",
    "loadBalancers": "load_balancers",
}


def _keep_settings(request: t.Any, service: t.Any) -> None:
    for parameter, attribute in _KEPT.items():
        value = request._get_param(parameter)
        if value is not None:
            setattr(service, attribute, value)
    if request._get_param("capacityProviderStrategy"):
        # A service has a launch type or a strategy, never both.
        service.launch_type = None


def _is_fargate(service: t.Any) -> bool:
    providers = {one["capacityProvider"] for one in getattr(service, "capacity_provider_strategy", None) or []}
    return bool(service.launch_type == "FARGATE" or providers & {"FARGATE", "FARGATE_SPOT"})


def _deployment(service: t.Any) -> dict[str, t.Any]:
    return {
        "id": f"ecs-svc/{mock_random.randint(0, 32**12)}",
        "status": "PRIMARY",
        "taskDefinition": service.task_definition,
        "desiredCount": service.desired_count,
        "pendingCount": service.desired_count,
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": utcnow(),
        "updatedAt": utcnow(),
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": service.network_configuration,
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": "ECS deployment in progress.",
    }


def _settle_all(backend: t.Any, cluster: str) -> None:
    for service in list(backend.services.values()):
        if service.cluster_name == cluster and _is_fargate(service):
            _settle(backend, service)


def _count(backend: t.Any, cluster: t.Any) -> None:
    """A cluster's counts are those of its tasks; moto adds and takes away guesses, and ends below zero."""
    tasks = list(backend.tasks.get(cluster.name, {}).values())
    states = [task.last_status for task in tasks]
    cluster.running_tasks_count = states.count("RUNNING")
    cluster.pending_tasks_count = len(states) - states.count("RUNNING") - states.count("STOPPED")
    own = [service for service in backend.services.values() if service.cluster_name == cluster.name]
    cluster.active_services_count = sum(service.status == "ACTIVE" for service in own)
    for task in tasks:
        # A one-off task that nobody else asks about is seen once, and ends.
        task.advance()


def _settle(backend: t.Any, service: t.Any) -> None:
    """Bring a service's tasks to what it is told, and finish its deployment."""
    wanted = service.desired_count if service.status == "ACTIVE" else 0
    group = f"service:{service.name}"
    held = backend.tasks.setdefault(service.cluster_name, {})
    running = [task for task in held.values() if task.group == group and task.last_status != "STOPPED"]
    primary = next((one for one in service.deployments if one["status"] == "PRIMARY"), None)
    if primary is not None and wanted and _breaks(backend, service, primary):
        return
    kept = [task for task in running if task.task_definition_arn == service.task_definition][:wanted]
    for task in running:
        if task not in kept:
            _targets(backend, service, task, join=False)
            _end(backend, task, "ServiceSchedulerInitiated", "Scaling activity initiated by deployment")
    for _ in range(wanted - len(kept)):
        task = _start(backend, service, group)
        held[task.task_arn] = task
        _targets(backend, service, task, join=True)
    service.running_count, service.pending_count = wanted, 0
    if service.status == "DRAINING":
        service.status = "INACTIVE"
    if primary is not None:
        primary |= {"desiredCount": wanted, "runningCount": wanted, "pendingCount": 0, "rolloutState": "COMPLETED"}
        primary["rolloutStateReason"] = f"ECS deployment {primary['id']} completed."
        service.deployments = [primary]


def _start(backend: t.Any, service: t.Any, group: str) -> t.Any:
    task = ecs.Task(
        cluster=backend._get_cluster(service.cluster_name),
        task_definition=backend.describe_task_definition(service.task_definition),
        container_instance_arn=None,
        resource_requirements=None,
        backend=backend,
        group=group,
        launch_type="FARGATE",
        started_by=service.deployments[0]["id"],
        tags=list(service.tags or []) if service.propagate_tags == "SERVICE" else [],
        networking_configuration=service.network_configuration,
    )
    task.last_status = "RUNNING"
    for container in task.containers:
        container.last_status = "RUNNING"
    return task


def _targets(backend: t.Any, service: t.Any, task: t.Any, join: bool) -> None:
    groups = elbv2_backends[backend.account_id][backend.region_name].target_groups
    for one in service.load_balancers or []:
        group = groups.get(one.get("targetGroupArn"))
        if group is not None:
            target = [{"Id": _detail(task, "privateIPv4Address"), "Port": one["containerPort"]}]
            with contextlib.suppress(Exception):  # it is not registered any more
                (group.register if join else group.deregister)(target)


def _detail(task: t.Any, name: str) -> str:
    details = [detail for attachment in task.attachments for detail in attachment["details"]]
    return next((str(detail["value"]) for detail in details if detail["name"] == name), "")


class _Failure(t.NamedTuple):
    """Why the containers of an image fail: ECS's stop code and reasons, the exit code, what was written."""

    code: str
    reason: str
    container_reason: str = ""
    exit_code: int | None = None
    log: str = ""


#: Says how a task of a definition fails; empty without the patch failing_tasks.
_looks: list[t.Callable[..., _Failure | None]] = []


def _failure(*args: t.Any, **kwargs: t.Any) -> _Failure | None:
    """How a task of a definition fails, or C(None)."""
    return next((look(*args, **kwargs) for look in _looks), None)


@patch(
    restores="Tasks fail whose image is missing, exits or is unhealthy; the circuit breaker ends their deployment.",
    source="Amazon ECS developer guide, How the Amazon ECS deployment circuit breaker detects failures;"
    " Stopped tasks error messages; Viewing container logs (awslogs)",
    touches=("moto.ecs.models:Task", "moto.ecr.models:ECRBackend", "moto.logs.models:LogsBackend.put_log_events"),
)
def failing_tasks() -> None:
    """Look at the images of the emulator's own ECR."""
    _looks.append(_look_at_images)


_ADDRESS = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)(?::([^@]+))?(?:@(.+))?$")


def _look_at_images(backend: t.Any, definition: t.Any, own_command: bool = True, balanced: bool = False) -> t.Any:
    for container in definition.container_definitions:
        found = _ADDRESS.match(container["image"])
        repository = ecr_backends[found[1]][found[2]].repositories.get(found[3]) if found else None
        if not found or repository is None or not repository.images:
            continue
        tag, digest = found[4] or "latest", found[5]
        fitting = [
            image
            for image in repository.images
            if (image.get_image_digest() == digest if digest else tag in image.image_tags)
        ]
        if not fitting:
            text = f"CannotPullContainerError: failed to resolve ref {container['image']}: not found"
            return _Failure("TaskFailedToStart", text, text)
        said = json.loads(fitting[0].image_manifest).get("annotations") or {}
        code = said.get("emulator.exit-code" if own_command else "emulator.command-exit-code")
        if code is not None:
            text = "Essential container in task exited"
            return _Failure("EssentialContainerExited", text, "", int(code), said.get("emulator.log", ""))
        if balanced and said.get("emulator.unhealthy"):
            return _Failure(
                "ServiceSchedulerInitiated", "Task failed ELB health checks", "", 137, said.get("emulator.log", "")
            )
    return None


def _breaks(backend: t.Any, service: t.Any, primary: dict[str, t.Any]) -> bool:
    """Fail a deployment whose tasks fail, and go back to the one before as the circuit breaker is told."""
    if primary["rolloutState"] == "FAILED":
        return True
    definition = backend.describe_task_definition(service.task_definition)
    failure = _failure(backend, definition, balanced=bool(service.load_balancers))
    if primary["rolloutState"] != "IN_PROGRESS" or failure is None:
        return False
    breaker = (service.deployment_configuration or {}).get("deploymentCircuitBreaker") or {}
    # Half of the wanted tasks, at least 3 and at most 200.
    threshold = min(max(math.ceil(0.5 * service.desired_count), 3), 200) if breaker.get("enable") else 1
    for _ in range(threshold):
        task = _start(backend, service, f"service:{service.name}")
        backend.tasks[service.cluster_name][task.task_arn] = task
        _end(backend, task, failure.code, failure.reason, failure)
    primary |= {"failedTasks": primary["failedTasks"] + threshold, "runningCount": 0}
    if breaker.get("enable"):
        text = "ECS deployment circuit breaker: tasks failed to start."
        primary |= {"rolloutState": "FAILED", "rolloutStateReason": text}
        last = next((one for one in service.deployments if one["rolloutState"] == "COMPLETED"), None)
        if breaker.get("rollback") and last is not None:
            service.task_definition = last["taskDefinition"]
            again = _deployment(service)
            text = f"ECS deployment circuit breaker: rolling back to deploymentId {last['id']}."
            again["rolloutStateReason"] = text
            service.deployments = [again, {**primary, "status": "ACTIVE"}]
    return True


def _write(backend: t.Any, task: t.Any, definition: t.Any, text: str) -> None:
    """What a container writes, where its log driver puts it."""
    for container in definition.container_definitions if text else []:
        options = (container.get("logConfiguration") or {}).get("options") or {}
        if "awslogs-group" not in options:
            continue
        logs = logs_backends[backend.account_id][options["awslogs-region"]]
        group = options["awslogs-group"]
        stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{task.task_arn.rpartition('/')[2]}"
        moment = int(utcnow().timestamp() * 1000)
        logs.create_log_stream(group, stream)
        logs.put_log_events(group, stream, [{"timestamp": moment, "message": line} for line in text.splitlines()])


def _end(backend: t.Any, task: t.Any, code: str, reason: str, failure: _Failure | None = None) -> None:
    task.last_status = task.desired_status = "STOPPED"
    task.stop_code, task.stopped_reason, task.stopped_at = code, reason, utcnow()
    for container in task.containers:
        container.last_status = "STOPPED"
        container.exitCode = failure.exit_code if failure else _exit_code(task, container)
        if failure and failure.container_reason:
            container.reason = failure.container_reason
    if failure:
        _write(backend, task, backend.describe_task_definition(task.task_definition_arn), failure.log)
    with contextlib.suppress(Exception):  # it is gone already
        network = ec2_backends[backend.account_id][backend.region_name]
        network.delete_network_interface(_detail(task, "networkInterfaceId"))


def _exit_code(task: t.Any, container: t.Any) -> int:
    overrides = (task.overrides or {}).get("containerOverrides") or []
    override = next((one for one in overrides if one.get("name") == container.name), {})
    command = list(override.get("command") or container.command or [])
    if command == ["false"]:
        return 1
    script = command[2].split() if command[:2] == ["sh", "-c"] and len(command) == 3 else []
    return int(script[1]) if len(script) == 2 and script[0] == "exit" and script[1].isdigit() else 0


@patch(
    restores="A service's task runs until it is stopped; a one-off task ends with an exit code, which none has before.",
    source=f"{_REFERENCE}, Task (stopCode), Container (exitCode); Amazon ECS developer guide, Task lifecycle",
    touches=("moto.ecs.models:Task.advance", "moto.ecs.models:Container.__init__"),
)
def task_ends() -> None:
    """Moto stops every task when it is looked at, without a reason."""

    @around(ecs.Container, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        self.exitCode = None

    @around(ecs.Task, "advance")
    def advance(_original: t.Callable[..., None], self: t.Any) -> None:
        if not str(self.group).startswith("service:") and self.last_status != "STOPPED":
            overrides = (self.overrides or {}).get("containerOverrides") or []
            definition = self._backend.describe_task_definition(self.task_definition_arn)
            failure = _failure(self._backend, definition, not any(one.get("command") for one in overrides))
            code = failure.code if failure else "EssentialContainerExited"
            _end(
                self._backend, self, code, failure.reason if failure else "Essential container in task exited", failure
            )


@patch(
    restores="A deleted service drains, then is inactive and no longer listed.",
    source=f"{_REFERENCE}, DeleteService; ListServices",
    touches=(
        "moto.ecs.models:EC2ContainerServiceBackend.delete_service",
        "moto.ecs.models:EC2ContainerServiceBackend.list_services",
    ),
)
def service_deletion() -> None:
    """Moto lists it for ever, and leaves its tasks."""

    @around(ecs.EC2ContainerServiceBackend, "delete_service")
    def delete(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        service = original(self, *args, **kwargs)
        if _is_fargate(service):
            service.status = "DRAINING"
            service.desired_count = 0
        return service

    @around(ecs.EC2ContainerServiceBackend, "list_services")
    def listed(original: t.Callable[..., list[str]], self: t.Any, *args: t.Any, **kwargs: t.Any) -> list[str]:
        inactive = {service.arn for service in self.services.values() if service.status == "INACTIVE"}
        return [arn for arn in original(self, *args, **kwargs) if arn not in inactive]


@patch(
    restores="ListTasks finds a service's own tasks by the service's name.",
    source=f"{_REFERENCE}, ListTasks (serviceName)",
    touches="moto.ecs.models:EC2ContainerServiceBackend.list_tasks",
)
def tasks_of_a_service() -> None:
    """Moto ignores the name."""

    @around(ecs.EC2ContainerServiceBackend, "list_tasks")
    def listed(original: t.Callable[..., list[t.Any]], self: t.Any, *args: t.Any, **kwargs: t.Any) -> list[t.Any]:
        name = kwargs.get("service_name", args[4] if len(args) > 4 else None)
        found = original(self, *args, **kwargs)
        return [task for task in found if not name or task.group == f"service:{name.split('/')[-1]}"]


@patch(
    restores="A task's interface has an address of its subnet, and a private DNS name only where the VPC gives one.",
    source="Amazon ECS developer guide, Task networking with the awsvpc network mode",
    touches=("moto.ecs.models:random_private_ip", "moto.ec2.models.elastic_network_interfaces:NetworkInterface"),
)
def task_interfaces() -> None:
    """Moto takes any address of 10.0.0.0/8, and fails without a DNS name."""
    # Without an address given, the interface takes one of its subnet.
    ecs.random_private_ip = lambda *_args, **_kwargs: ""
    NetworkInterface.private_dns_name = ""


@patch(
    restores="On Fargate a container needs no size of its own.",
    source="Amazon ECS developer guide, Task definition parameters for Amazon ECS on Fargate (Container memory)",
    touches="moto.ecs.models:EC2ContainerServiceBackend._calculate_task_resource_requirements",
)
def containers_without_size() -> None:
    """Moto adds the containers' memory up, also where there is none."""

    @around(ecs.EC2ContainerServiceBackend, "_calculate_task_resource_requirements")
    def calculate(original: t.Callable[..., t.Any], task_definition: t.Any) -> t.Any:
        if "FARGATE" in (task_definition.requires_compatibilities or []):
            return {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}
        return original(task_definition)

    calculated = ecs.EC2ContainerServiceBackend._calculate_task_resource_requirements
    ecs.EC2ContainerServiceBackend._calculate_task_resource_requirements = staticmethod(calculated)  # type: ignore[method-assign,assignment]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Target groups: who is healthy, who gets requests, and how a task takes its leave."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
import typing as t

from tests.live.patches import around, patch

_GUIDE = "Application Load Balancers user guide"
#: Seconds that the result of a check is believed: less than any interval that a group may have, so that runs are short.
FRESH, FRESH_BAD = 2.0, 0.2
#: Seconds in which the requests end that a task had when it was deregistered; none here takes as long.
DRAINED = 1.0


def matches(matcher: str, status: int) -> bool:
    """Whether a status is one of those that a target group calls healthy.

    :param matcher: such as C{200}, C{200,302} or C{200-299}.
    :param status: what a target answered.
    """
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False


class Checks:
    """Results of health checks.

    :param ask: asks a target: takes its address, port, path and a timeout, gives the status or 0.
    :param clock: seconds.
    """

    def __init__(
        self, ask: t.Callable[[str, int, str, float], int], clock: t.Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._clock = ask, clock
        self._known: dict[tuple[str, str, int], tuple[float, bool]] = {}
        self._lock = threading.Lock()

    def healthy(self, group: t.Mapping[str, t.Any], target: t.Mapping[str, t.Any]) -> bool:
        """Whether a target passes its group's health check, by a result of just now."""
        port = int(target.get("Port") or group.get("Port") or 80)
        key = (str(group["TargetGroupArn"]), str(target["Id"]), port)
        with self._lock:
            when, good = self._known.get(key, (-FRESH, False))
        if self._clock() - when < (FRESH if good else FRESH_BAD):
            return good
        checked = (
            port if group.get("HealthCheckPort", "traffic-port") == "traffic-port" else int(group["HealthCheckPort"])
        )
        timeout = float(group.get("HealthCheckTimeoutSeconds") or 5)
        status = self._ask(str(target["Id"]), checked, group.get("HealthCheckPath") or "/", timeout)
        good = status > 0 and matches(group["Matcher"]["HttpCode"], status)
        with self._lock:
            self._known[key] = (self._clock(), good)
        return good


def ask(host: str, port: int, path: str, timeout: float) -> int:
    """The status that a target answers a health check with; 0 if it does not."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"User-Agent": "ELB-HealthChecker/2.0"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


_checks = Checks(ask)


@patch(
    restores="Requests go to targets that pass the health check, to all if none does, and it is told which do.",
    source=f"{_GUIDE}, Health checks for your target groups; API reference, DescribeTargetHealth",
    touches=("ministack.services.alb:_forward_to_tg", "ministack.services.alb:_ACTION_MAP"),
)
def health() -> None:
    """MiniStack calls every target healthy, one that has only just started as well."""
    from ministack.services import alb

    @around(alb, "_forward_to_tg")
    async def forward(
        original: t.Callable[..., t.Any], arn: str, method: str, path: str, headers: t.Any, body: t.Any, query: t.Any,
        raw_query: str | None = None, raw_path: str | None = None,
    ) -> t.Any:  # fmt: skip
        group, targets = alb._tgs.get(arn), list(alb._targets.get(arn, []))
        if not group or group.get("TargetType") != "ip" or len(targets) < 2:
            return await original(arn, method, path, headers, body, query, raw_query, raw_path)
        results = await asyncio.gather(*(asyncio.to_thread(_checks.healthy, group, target) for target in targets))
        chosen = [target for target, good in zip(targets, results, strict=True) if good] or targets
        target = _next(arn, chosen)
        return await alb._proxy_http_target(target, group, method, raw_path or path, headers, body, query, raw_query)

    def describe(params: dict[str, t.Any]) -> t.Any:
        arn = alb._p(params, "TargetGroupArn")
        if arn not in alb._tgs:
            return alb._error("TargetGroupNotFound", f"Target group '{arn}' not found.")
        wanted = {target["Id"] for target in alb._parse_targets_param(params)}
        group, rows = alb._tgs[arn], ""
        for target in alb._targets.get(arn, []):
            if not wanted or target["Id"] in wanted:
                good = _checks.healthy(group, target)
                state = (
                    "<State>healthy</State>"
                    if good
                    else "<State>unhealthy</State><Reason>Target.FailedHealthChecks</Reason>"
                )
                port = target.get("Port") or group.get("Port")
                row = f"<Target><Id>{target['Id']}</Id><Port>{port}</Port></Target><TargetHealth>{state}</TargetHealth>"
                rows += f"<member>{row}</member>"
        return alb._xml(200, "DescribeTargetHealth", f"<TargetHealthDescriptions>{rows}</TargetHealthDescriptions>")

    alb._ACTION_MAP["DescribeTargetHealth"] = describe


_turns: dict[str, int] = {}


def _next(arn: str, targets: list[t.Any]) -> t.Any:
    _turns[arn] = _turns.get(arn, -1) + 1
    return targets[_turns[arn] % len(targets)]


@patch(
    restores="A task that is to stop leaves its target groups first, and gets SIGTERM when its requests have ended.",
    source=f"{_GUIDE}, Deregistration delay; Amazon ECS developer guide, Task lifecycle (DEACTIVATING)",
    touches="ministack.services.ecs:_cleanup_task_resources",
)
def draining() -> None:
    """MiniStack takes it out of its groups and stops it in the same moment."""
    from ministack.services import ecs

    @around(ecs, "_cleanup_task_resources")
    def clean(original: t.Callable[..., None], task: dict[str, t.Any], *rest: t.Any, **named: t.Any) -> None:
        cluster = ecs._cluster_name_from_arn(task.get("clusterArn", ""))
        service = ecs._services.get(f"{cluster}/{task.get('group', '').partition(':')[2]}")
        if service and service.get("loadBalancers") and task.get("_docker_ids"):
            time.sleep(DRAINED)
        original(task, *rest, **named)


def forget_replaced(service: dict[str, t.Any]) -> None:
    """Drop a service's deployments that another one has replaced, as soon as that is complete.

    :param service: its record, which is changed.
    """
    found = service.get("deployments") or []
    if any(one["status"] == "PRIMARY" and one.get("rolloutState") == "COMPLETED" for one in found):
        live = [one for one in found if one.get("runningCount") or one.get("pendingCount")]
        service["deployments"] = [one for one in found if one["status"] == "PRIMARY" or one in live]


@patch(
    restores="A deployment is complete when its tasks pass their health checks; what it replaced is gone then.",
    source="Amazon ECS developer guide, Deploy by replacing tasks; API reference, Deployment (status INACTIVE)",
    touches="ministack.services.ecs:_complete_service_deployment",
)
def deployments() -> None:
    """MiniStack takes a task that runs for a moment for one that serves, and keeps failed deployments for ever."""
    from ministack.services import alb, ecs

    def serves(service: t.Mapping[str, t.Any]) -> bool:
        primary = ecs._primary_deployment(service)
        tasks = [
            task
            for task in list(ecs._tasks.values())
            if task.get("group") == f"service:{service['serviceName']}"
            and task.get("clusterArn") == service["clusterArn"]
            and task.get("lastStatus") == "RUNNING"
            and primary is not None
            and ecs._deployment_for_task(service, task) is primary
        ]
        return all(
            _checks.healthy(alb._tgs[one["targetGroupArn"]], {"Id": ecs._task_ip(task), "Port": one["containerPort"]})
            for one in service.get("loadBalancers") or []
            if one.get("targetGroupArn") in alb._tgs
            for task in tasks
        )

    @around(ecs, "_complete_service_deployment")
    def complete(original: t.Callable[..., None], cluster: str, key: str, *rest: t.Any, **named: t.Any) -> None:
        deadline = time.monotonic() + 120
        while (service := ecs._services.get(key)) and service.get("status") == "ACTIVE" and not serves(service):
            if time.monotonic() > deadline:
                return
            time.sleep(0.3)
        original(cluster, key, *rest, **named)
        forget_replaced(service or {})

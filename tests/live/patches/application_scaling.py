# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Application Auto Scaling, for ECS services: targets and policies are kept, and the bounds are held.

No metric moves a service here: CloudWatch measures nothing on this machine.
"""

from __future__ import annotations

import json
import time
import typing as t
import uuid

from tests.live.patches import around, patch

Document = dict[str, t.Any]
_TARGET = "AnyScaleFrontendService."


class MissingError(Exception):
    """Something that was asked for by name is not registered."""


class Scaling:
    """The scalable targets and policies of an account.

    :param move: sets a service's desired count: takes the resource id, the bounds.
    """

    def __init__(self, move: t.Callable[[str, int, int], None]) -> None:
        self.move = move
        self.targets: dict[tuple[str, str], Document] = {}
        self.policies: dict[tuple[str, str, str], Document] = {}

    def answer(self, operation: str, scope: str, data: Document) -> Document:
        """Do what a request asks for.

        :param operation: its name.
        :param scope: C{<account>:<region>}.
        :param data: its parameters.
        :raises MissingError: see there.
        """
        return t.cast("Document", getattr(self, f"_{operation}")(scope, data))

    def _RegisterScalableTarget(self, scope: str, data: Document) -> Document:  # noqa: N802 (AWS's own names)
        account, region = scope.split(":")
        arn = f"arn:aws:application-autoscaling:{region}:{account}:scalable-target/{uuid.uuid4()}"
        known = self.targets.get((scope, data["ResourceId"]))
        found = known or {"ScalableTargetARN": arn, "CreationTime": time.time()}
        found |= {name: value for name, value in data.items() if name != "Tags"}
        self.targets[scope, data["ResourceId"]] = found
        self.move(data["ResourceId"], found["MinCapacity"], found["MaxCapacity"])
        return {"ScalableTargetARN": found["ScalableTargetARN"]}

    def _DescribeScalableTargets(self, scope: str, data: Document) -> Document:  # noqa: N802
        wanted = data.get("ResourceIds")
        return {
            "ScalableTargets": [
                one for (at, name), one in self.targets.items() if at == scope and (not wanted or name in wanted)
            ]
        }

    def _DeregisterScalableTarget(self, scope: str, data: Document) -> Document:  # noqa: N802
        if self.targets.pop((scope, data["ResourceId"]), None) is None:
            raise MissingError(data["ResourceId"])
        self.policies = {key: one for key, one in self.policies.items() if key[:2] != (scope, data["ResourceId"])}
        return {}

    def _PutScalingPolicy(self, scope: str, data: Document) -> Document:  # noqa: N802
        if (scope, data["ResourceId"]) not in self.targets:
            raise MissingError(data["ResourceId"])
        key = (scope, data["ResourceId"], data["PolicyName"])
        account, region = scope.split(":")
        arn = f"arn:aws:autoscaling:{region}:{account}:scalingPolicy:{uuid.uuid4()}:policyName/{data['PolicyName']}"
        known = self.policies.get(key) or {"PolicyARN": arn, "CreationTime": time.time(), "Alarms": []}
        self.policies[key] = known | data
        return {"PolicyARN": known["PolicyARN"], "Alarms": []}

    def _DescribeScalingPolicies(self, scope: str, data: Document) -> Document:  # noqa: N802
        names, resource = data.get("PolicyNames"), data.get("ResourceId")
        return {
            "ScalingPolicies": [
                one
                for (at, name, policy), one in self.policies.items()
                if at == scope and (not names or policy in names) and (not resource or name == resource)
            ]
        }

    def _DeleteScalingPolicy(self, scope: str, data: Document) -> Document:  # noqa: N802
        if self.policies.pop((scope, data["ResourceId"], data["PolicyName"]), None) is None:
            raise MissingError(data["PolicyName"])
        return {}

    def _ListTagsForResource(self, scope: str, data: Document) -> Document:  # noqa: N802
        del scope, data
        return {"Tags": {}}


@patch(
    restores="Application Auto Scaling keeps targets and policies of ECS services, and their tasks between the bounds.",
    source="Application Auto Scaling API reference, RegisterScalableTarget (MinCapacity, MaxCapacity)",
    touches="ministack.app:_handle_post_body_shortcuts",
)
def ecs_services() -> None:
    """Add the service, which MiniStack lacks."""
    from ministack import app
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import ecs

    def move(resource: str, least: int, most: int) -> None:
        _kind, cluster, name = resource.split("/")
        service = ecs._services.get(f"{cluster}/{name}")
        if service and not least <= service["desiredCount"] <= most:
            count = min(max(service["desiredCount"], least), most)
            ecs._update_service({"cluster": cluster, "service": name, "desiredCount": count})

    scaling = Scaling(move)

    @around(app, "_handle_post_body_shortcuts")
    async def handle(
        original: t.Callable[..., t.Any], method: str, path: str, headers: t.Any, body: bytes, *rest: t.Any
    ) -> t.Any:
        target = headers.get("x-amz-target", "")
        if not target.startswith(_TARGET):
            return await original(method, path, headers, body, *rest)
        kind = {"Content-Type": "application/x-amz-json-1.1"}
        try:
            scope = f"{get_account_id()}:{get_region()}"
            document = scaling.answer(target.removeprefix(_TARGET), scope, json.loads(body))
        except MissingError as missing:
            problem = {"__type": "ObjectNotFoundException", "Message": f"No scalable target or policy: {missing}"}
            return 400, kind, json.dumps(problem).encode()
        return 200, kind, json.dumps(document).encode()

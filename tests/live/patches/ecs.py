# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: what a task's image is pulled by, and what a service's deployment waits for."""

from __future__ import annotations

import json
import os
import re
import typing as t

from tests.live.patches import around, patch

_REGISTRY = re.compile(r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/")


def local_image(image: str, registries: t.Mapping[str, int]) -> str:
    """Where an image of ECR is pulled from on this machine.

    :param image: as a task definition names it.
    :param registries: the port of each region's registry.
    """
    found = _REGISTRY.match(image)
    if not found or found["region"] not in registries:
        return image
    return f"127.0.0.1:{registries[found['region']]}/{image[found.end() :]}"


def _registries() -> dict[str, int]:
    return t.cast("dict[str, int]", json.loads(os.environ["LIVE_REGISTRIES"]))


@patch(
    restores="A task's image is pulled from the registry, region and repository that its address names.",
    source="Amazon ECS developer guide, Using Amazon ECR images with Amazon ECS",
    touches=(
        "ministack.services.ecs:_run_docker_container",
        "ministack.services.ecs:_prepare_service_images",
    ),
)
def images_of_ecr() -> None:
    """Give Docker, which knows no such name here, the address of the region's registry."""
    from ministack.services import ecs

    @around(ecs, "_run_docker_container")
    def run(
        original: t.Callable[..., t.Any], client: t.Any, cdef: dict[str, t.Any], *args: t.Any, **named: t.Any
    ) -> t.Any:
        ports = _registries()
        for key in ("cache_image", "fallback_image"):
            if named.get(key):
                named[key] = local_image(named[key], ports)
        # Fargate keeps no images between tasks: what the registry no longer has does not start.
        named.update(refresh_image=True, allow_cached=False)
        return original(client, {**cdef, "image": local_image(cdef["image"], ports)}, *args, **named)

    @around(ecs, "_prepare_service_images")
    def prepare(original: t.Callable[..., t.Any], task: t.Any, definition: dict[str, t.Any], client: t.Any) -> t.Any:
        ports = _registries()
        containers = [{**one, "image": local_image(one["image"], ports)} for one in definition["containerDefinitions"]]
        return original(task, {**definition, "containerDefinitions": containers}, client)

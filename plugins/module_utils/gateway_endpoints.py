# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to the gateway endpoint of a service in a VPC."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Endpoint = dict[str, t.Any]

#: States in which an endpoint counts as gone (Amazon EC2 API reference, VpcEndpoint).
GONE = frozenset({"deleting", "deleted", "failed", "rejected", "expired"})


def current_endpoint(endpoints: list[Endpoint]) -> Endpoint | None:
    """The endpoint that stands, of those that were described; a VPC has one for each service and route table."""
    standing = [endpoint for endpoint in endpoints if str(endpoint.get("State", "")).lower() not in GONE]
    return min(standing, key=lambda endpoint: str(endpoint["VpcEndpointId"]), default=None)


def plan_present(
    current: Endpoint | None, service: str, tables: t.Sequence[str], tags: dict[str, str] | None, purge_tags: bool
) -> list[Step]:
    """Steps after which the endpoint serves exactly these route tables.

    :param current: the endpoint that stands, or ``None``.
    :param service: service name, such as ``com.amazonaws.eu-west-3.s3``.
    :param tables: ids of the route tables.
    :param tags: wanted tags; ``None`` to leave them.
    :param purge_tags: whether tags that are not wanted go.
    """
    resource = f"gateway endpoint {service}"
    if current is None:
        return [Step("create", resource, "it does not exist", None, {"route_table_ids": sorted(tables)})]
    return _table_steps(resource, current, set(tables)) + _tag_steps(resource, current, tags, purge_tags) or [
        Step("keep", resource, "it serves the wanted route tables")
    ]


def _table_steps(resource: str, current: Endpoint, wanted: set[str]) -> list[Step]:
    served = set(current.get("RouteTableIds") or [])
    if served == wanted:
        return []
    before, after = {"route_table_ids": sorted(served)}, {"route_table_ids": sorted(wanted)}
    return [Step("modify", resource, "it serves other route tables", before, after)]


def _tag_steps(resource: str, current: Endpoint, tags: dict[str, str] | None, purge_tags: bool) -> list[Step]:
    if tags is None:
        return []
    have = {tag["Key"]: tag["Value"] for tag in current.get("Tags") or [] if not tag["Key"].startswith("aws:")}
    want = dict(tags) if purge_tags else {**have, **tags}
    if have == want:
        return []
    return [Step("tag", resource, "its tags differ", {"tags": have}, {"tags": want})]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosted zones: which one is meant, and whether it is ours.

A zone is created without tags, so a run that dies just then leaves one that nobody would know again by its tags. It is
known by the reference with which it was created, which Route 53 keeps.
"""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.dns_names import plain
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = dict[str, t.Any]


class ZoneError(Exception):
    """The zone cannot be told, or is not ours."""


def reference(owner: str, unique: str) -> str:
    """The caller reference of a new zone; 1 to 128 characters (Route 53 API reference, CreateHostedZone)."""
    return f"palier.aws:{owner}:{unique}"[:128]


def is_ours(zone: Document, owner: str) -> bool:
    """Whether a zone was created for this owner."""
    return str(zone.get("CallerReference", "")).startswith(f"palier.aws:{owner}:")


def identifier(zone: Document) -> str:
    """A zone's id without Route 53's C(/hostedzone/)."""
    return str(zone["Id"]).rpartition("/")[2]


def choose(zones: t.Iterable[Document], name: str, zone_id: str, owner: str, managed: bool) -> Document | None:
    """The public zone that is meant, or C{None}.

    :param zones: every zone of the account.
    :param name: its name; empty for the one that is the owner's.
    :param zone_id: its id, where several have the name.
    :param owner: whose it should be.
    :param managed: whether the owner makes and removes it.
    :raises ZoneError: there are several, or it is somebody else's although it is to be managed.
    """
    found = [zone for zone in zones if not (zone.get("Config") or {}).get("PrivateZone")]
    found = [zone for zone in found if (plain(zone["Name"]) == plain(name) if name else is_ours(zone, owner))]
    if zone_id:
        found = [zone for zone in found if identifier(zone) == zone_id]
    own = [zone for zone in found if is_ours(zone, owner)]
    if own:
        return own[0]
    if managed and found:
        raise ZoneError(
            f"there is a hosted zone {plain(name)} already ({identifier(found[0])}), and it was not made for {owner};"
            " write dns_zone_managed: false to use it as it is. A second one of that name would never be asked"
        )
    if len(found) > 1:
        ids = ", ".join(sorted(map(identifier, found)))
        raise ZoneError(f"there are {len(found)} hosted zones {plain(name)}: {ids}; write the right one as dns_zone_id")
    return found[0] if found else None


def plan_present(
    zone: Document | None, name: str, current: t.Mapping[str, str], tags: t.Mapping[str, str] | None, purge: bool
) -> list[Step]:
    """What makes a managed zone what it should be.

    :param zone: the zone, or C{None}.
    :param name: its name.
    :param current: its tags.
    :param tags: the tags that it should have; C{None} leaves them alone.
    :param purge: take off other tags.
    """
    resource = f"hosted zone {plain(name)}"
    if zone is None:
        return [Step("create", resource, "it does not exist", None, {"tags": dict(tags or {})})]
    if tags is None:
        return [Step("keep", resource, "it is as wanted")]
    after = dict(tags) if purge else {**current, **tags}
    if after == dict(current):
        return [Step("keep", resource, "it is as wanted")]
    return [Step("tag", resource, "tags differ", {"tags": dict(current)}, {"tags": after})]


def plan_absent(zone: Document | None, name: str, owner: str, left: t.Sequence[str]) -> list[Step]:
    """What removes a managed zone.

    :param zone: the zone, or C{None}.
    :param left: what it holds that is not ours, in words.
    """
    resource = f"hosted zone {plain(name)}"
    if zone is None:
        return [Step("keep", resource, "it does not exist")]
    if not is_ours(zone, owner):
        return [Step("keep", resource, f"it was not made for {owner}")]
    if left:
        return [Step("keep", resource, f"it holds what is not ours: {', '.join(left)}")]
    return [Step("delete", resource, "it is not wanted", {"id": identifier(zone)})]

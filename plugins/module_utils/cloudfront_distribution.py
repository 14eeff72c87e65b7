# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to a CloudFront distribution.

CloudFront takes a distribution's configuration only as a whole and fills in what nobody named. So the wanted part is
laid over what AWS has, and what the options do not decide goes back as it came.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.cloudfront import (
    CONTENT_TAG,
    HOSTED_ZONE,
    Shape,
    items_of,
    listed,
)
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

#: Lists whose elements are told apart by a name, so that what AWS fills into an element stays with it.
IDENTITY = {"Origins": "Id", "CacheBehaviors": "PathPattern", "CustomErrorResponses": "ErrorCode"}
#: Parts that mean something only as a whole.
WHOLE = frozenset({"ViewerCertificate", "Logging", "TrustedKeyGroups", "AllowedMethods", "CustomHeaders", "Aliases"})
#: Lists in which the order means something: the first behaviour that matches a path wins.
ORDERED = frozenset({"CacheBehaviors"})
#: What a cache policy takes the place of; CloudFront refuses both together.
BEFORE_POLICIES = ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL")
#: The two kinds of origin exclude each other.
ORIGIN_KINDS = ("S3OriginConfig", "CustomOriginConfig")

#: What a new distribution gets where no option says otherwise.
NEW = {
    "Enabled": True,
    "DefaultRootObject": "index.html",
    "PriceClass": "PriceClass_100",
    "HttpVersion": "http2and3",
    "IsIPV6Enabled": True,
}


def new_config(name: str, wanted: Shape, reference: str) -> Shape:
    """The whole configuration of a new distribution.

    :raises AnsibleAWSError: when it has no origin or no default behaviour.
    """
    missing = [option for option, key in NEEDED.items() if key not in wanted]
    if missing:
        raise AnsibleAWSError(message=f"{' and '.join(missing)} missing: the distribution {name} does not exist yet")
    return {**NEW, "Comment": name, **wanted, "CallerReference": reference}


NEEDED = {"origins": "Origins", "default_behavior": "DefaultCacheBehavior"}


def overlay(current: t.Any, wanted: t.Any, key: str = "") -> t.Any:
    """The current configuration with the wanted part laid over it."""
    if key in WHOLE or not isinstance(wanted, dict) or not isinstance(current, dict):
        return wanted
    if key in IDENTITY or "Quantity" in wanted:
        return _overlay_list(current, wanted, key)
    merged = {**current, **{name: overlay(current.get(name), value, name) for name, value in wanted.items()}}
    if wanted.get("CachePolicyId"):
        merged = {name: value for name, value in merged.items() if name not in BEFORE_POLICIES}
    kinds = [kind for kind in ORIGIN_KINDS if kind in wanted]
    return {name: value for name, value in merged.items() if not kinds or name not in ORIGIN_KINDS or name in kinds}


def _overlay_list(current: Shape, wanted: Shape, key: str) -> Shape:
    identity = IDENTITY.get(key)
    if identity is None:
        return wanted
    known = {one[identity]: one for one in items_of(current)}
    return listed(overlay(known.get(one[identity], {}), one) for one in items_of(wanted))


def changed_paths(current: t.Any, wanted: t.Any, path: str = "") -> list[str]:
    """Where the current configuration differs from the wanted part, as C(Origins.site.DomainName)."""
    key = path.rpartition(".")[2]
    if isinstance(wanted, dict) and "Quantity" in wanted and key not in WHOLE:
        return _changed_list(current, wanted, key, path)
    if isinstance(wanted, dict) and key not in WHOLE:
        found = current if isinstance(current, dict) else {}
        return [
            one for name, value in wanted.items() for one in changed_paths(found.get(name), value, _join(path, name))
        ]
    return [] if _same(current, wanted) else [path]


def _join(path: str, name: t.Any) -> str:
    return f"{path}.{name}" if path else str(name)


def _changed_list(current: t.Any, wanted: Shape, key: str, path: str) -> list[str]:
    identity = IDENTITY.get(key)
    has, wants = items_of(current), items_of(wanted)
    if identity is None:
        return [] if _unordered(has) == _unordered(wants) else [path]
    known = {one[identity]: one for one in has}
    names = [one[identity] for one in wants]
    order = list(known) if key in ORDERED else sorted(known, key=str)
    if order != (names if key in ORDERED else sorted(names, key=str)):
        return [path]
    return [one for want in wants for one in changed_paths(known[want[identity]], want, _join(path, want[identity]))]


def _same(current: t.Any, wanted: t.Any) -> bool:
    """Whether AWS has a value: what is not set, empty or off is all one to it, and it may add what nobody named."""
    if isinstance(wanted, dict) and "Quantity" in wanted:
        rest = {key: value for key, value in wanted.items() if key not in ("Quantity", "Items")}
        lists = [_unordered(items_of(one)) for one in (current, wanted)]
        return lists[0] == lists[1] and all(_same((current or {}).get(key), value) for key, value in rest.items())
    if isinstance(wanted, dict):
        return all(_same((current or {}).get(key), value) for key, value in wanted.items())
    return bool((current or None) == (wanted or None))


def _unordered(items: list[t.Any]) -> list[str]:
    """Elements for comparing where neither their order nor that of their members means anything."""
    return sorted(json.dumps(item, sort_keys=True, default=str) for item in items)


def label(name: str) -> str:
    """The distribution in the reader's words."""
    return f"cloudfront distribution {name}"


def wanted_tags(name: str, tags: Shape | None) -> dict[str, str]:
    """The tags that the distribution shall have: the name by which it is found, and the user's."""
    return {**{key: str(value) for key, value in (tags or {}).items()}, "Name": name}


def plan_present(
    name: str, current: Shape | None, wanted: Shape, tags: Shape | None, purge_tags: bool, content: str | None
) -> list[Step]:
    """What makes the distribution as it is wanted.

    :param current: what AWS has, with C(DistributionConfig) and C(Tags), or ``None``.
    :param wanted: the wanted part of the configuration.
    :param tags: the tags besides the name, or ``None`` to leave them.
    :param purge_tags: whether other tags are removed.
    :param content: digest of what a new distribution serves.
    """
    if current is None:
        marks = {CONTENT_TAG: content} if content else {}
        config = new_config(name, wanted, "")
        return [
            Step(
                "create", label(name), "does not exist", None, {**config, "tags": {**wanted_tags(name, tags), **marks}}
            )
        ]
    steps = [*_modify(name, current["DistributionConfig"], wanted), *_tag(name, current["Tags"], tags, purge_tags)]
    return steps or [Step("keep", label(name), "is as wanted")]


def _modify(name: str, config: Shape, wanted: Shape) -> list[Step]:
    paths = changed_paths(config, wanted)
    if not paths:
        return []
    tops = list(dict.fromkeys(path.partition(".")[0] for path in paths))
    before = {top: config.get(top) for top in tops}
    after = {top: overlay(config.get(top), wanted[top], top) for top in tops}
    return [Step("modify", label(name), f"{', '.join(paths)}: differs", before, after)]


def _tag(name: str, has: dict[str, str], tags: Shape | None, purge_tags: bool) -> list[Step]:
    wanted = wanted_tags(name, tags)
    purge = purge_tags and tags is not None
    kept = {key: value for key, value in has.items() if not purge or key.startswith("aws:") or key == CONTENT_TAG}
    after = {**kept, **wanted}
    return [Step("tag", label(name), "tags differ", {"tags": has}, {"tags": after})] if after != has else []


def plan_absent(name: str, current: Shape | None) -> list[Step]:
    """What removes the distribution: CloudFront deletes only what is disabled, everywhere."""
    if current is None:
        return [Step("skip", label(name), "does not exist")]
    steps = []
    if current["DistributionConfig"]["Enabled"]:
        steps.append(Step("disable", label(name), "is in service", {"Enabled": True}, {"Enabled": False}))
    return [*steps, Step("delete", label(name), "state is absent", {"id": current["Id"]})]


def facts(current: Shape | None) -> Shape:
    """The distribution as the modules return it; without ids when there is none."""
    found = current or {}
    config = found.get("DistributionConfig") or {}
    return {
        "id": found.get("Id") or "",
        "arn": found.get("ARN") or "",
        "domain_name": found.get("DomainName") or "",
        "hosted_zone_id": HOSTED_ZONE,
        "status": found.get("Status") or "",
        "enabled": bool(config.get("Enabled")),
        "aliases": items_of(config.get("Aliases")),
        "in_progress_invalidations": int(found.get("InProgressInvalidationBatches") or 0),
        "tags": found.get("Tags") or {},
    }

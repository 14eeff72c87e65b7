# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which images a destination's lifecycle policy would remove although the source has them.

A standby whose policy keeps ten images cannot hold the source's thirty: AWS removes the rest within a day, and the next
sync brings them back. Only rules that count images are judged. Rules by age start again at zero with each copy, so they
take nothing that was just copied. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from ansible_collections.palier.aws.plugins.module_utils.ecr import Decision, Image, Listing

_NOW = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Loss:
    """An image that the policy would remove.

    :param image: the image.
    :param priority: of the rule that does it.
    :param limit: how many images that rule keeps.
    """

    image: Image
    priority: int
    limit: int


def losses(policy: t.Mapping[str, t.Any], images: t.Iterable[Image], wanted: t.Container[str]) -> list[Loss]:
    """The wanted images that the policy's counting rules would remove.

    :param policy: a lifecycle policy document as ECR stores it.
    :param images: what the repository holds; an image without C{pushed_at} has just come.
    :param wanted: digests that should stay.
    :returns: one entry for each image, in the order in which the rules take them.
    """
    newest_first = sorted(images, key=lambda image: (image.pushed_at or _NOW, image.digest), reverse=True)
    claimed: set[str] = set()
    lost = []
    for rule in sorted(policy.get("rules", []), key=lambda rule: rule["rulePriority"]):
        selection = rule["selection"]
        matching = [image for image in newest_first if _selects(selection, image)]
        if selection.get("countType") == "imageCountMoreThan":
            limit = int(selection["countNumber"])
            # An image that a stronger rule speaks about still counts here, but is not this rule's to remove.
            taken = [image for image in matching[limit:] if image.digest not in claimed]
            lost += [Loss(image, rule["rulePriority"], limit) for image in taken if image.digest in wanted]
        claimed.update(image.digest for image in matching)
    return lost


def after_sync(destination: Listing, decisions: t.Iterable[Decision]) -> tuple[list[Image], set[str]]:
    """What the destination holds once the decisions are carried out, and which digests of it are wanted.

    :param destination: what it holds now.
    :param decisions: for this repository.
    """
    tags = {digest: set(image.tags) for digest, image in destination.by_digest.items()}
    known = dict(destination.by_digest)
    wanted = set()
    for decision in decisions:
        if decision.action in ("copy", "remove") and decision.tag:
            for names in tags.values():
                names.discard(decision.tag)
        if decision.action in ("copy", "skip"):
            wanted.add(decision.digest)
        if decision.action == "copy":
            tags.setdefault(decision.digest, set()).update({decision.tag} if decision.tag else ())
            known.setdefault(decision.digest, Image(decision.digest))
    return [_named(known[digest], frozenset(names)) for digest, names in tags.items()], wanted


def _named(image: Image, tags: frozenset[str]) -> Image:
    return Image(image.digest, tags, image.size, image.media_type, image.subject, image.pushed_at)


def _selects(selection: t.Mapping[str, t.Any], image: Image) -> bool:
    status = selection.get("tagStatus", "any")
    if status == "any":
        return True
    if status == "untagged":
        return not image.tags
    prefixes = [f"{prefix}*" for prefix in selection.get("tagPrefixList", [])]
    globs = [*prefixes, *selection.get("tagPatternList", [])]
    return bool(globs) and all(any(fnmatchcase(tag, glob) for tag in image.tags) for glob in globs)

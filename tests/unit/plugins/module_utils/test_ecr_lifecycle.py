# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which wanted images a destination's lifecycle policy would take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.palier.aws.plugins.module_utils import ecr, ecr_lifecycle
from ansible_collections.palier.aws.plugins.module_utils.ecr import Image, Listing, Pair, Rules

START = datetime(2026, 1, 1, tzinfo=UTC)


def image(name: str, *tags: str, day: int | None = None) -> Image:
    return Image(name, frozenset(tags), pushed_at=None if day is None else START + timedelta(days=day))


def rule(priority: int, count: int, status: str = "any", **selection) -> dict:
    how = {"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": count, **selection}
    return {"rulePriority": priority, "selection": how, "action": {"type": "expire"}}


def lost(policy, images, wanted=None):
    wanted = {image.digest for image in images} if wanted is None else wanted
    return [(loss.image.digest, loss.priority) for loss in ecr_lifecycle.losses({"rules": policy}, images, wanted)]


IMAGES = [image("a", "v1", day=1), image("b", "v2", day=2), image("c", "dev-1", day=3), image("d", day=4)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ([], []),
        ([rule(1, 4)], []),
        ([rule(1, 2)], [("b", 1), ("a", 1)]),
        ([rule(1, 1, "tagged", tagPrefixList=["v"])], [("a", 1)]),
        ([rule(1, 0, "untagged")], [("d", 1)]),
        ([rule(1, 0, "tagged", tagPatternList=["*-1"])], [("c", 1)]),
        ([rule(1, 0, "tagged", tagPatternList=["*-1", "v*"])], []),
        ([rule(2, 1), rule(1, 2, "tagged", tagPrefixList=["v"])], [("c", 2)]),
        ([rule(1, 0, countType="sinceImagePushed", countUnit="days")], []),
    ],
)
def test_counting_rules_take_the_oldest_that_no_stronger_rule_speaks_about(policy, expected):
    assert lost(policy, IMAGES) == expected


def test_only_wanted_images_are_a_loss():
    assert lost([rule(1, 2)], IMAGES, wanted={"a"}) == [("a", 1)]


def test_an_image_that_just_came_is_the_newest():
    assert lost([rule(1, 1)], [image("new"), image("old", day=9)]) == [("old", 1)]


def test_after_a_sync_tags_have_moved():
    source = Listing("web", (image("a", "v1"), image("b", "v2")))
    destination = Listing("web", (image("old", "v1", "v0", day=1),))
    decisions = ecr.decide(Pair("web", "web"), source, destination, Rules(prune=True))
    images, wanted = ecr_lifecycle.after_sync(destination, decisions)
    assert {i.digest: set(i.tags) for i in images} == {"old": set(), "a": {"v1"}, "b": {"v2"}}
    assert wanted == {"a", "b"}

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is copied, left alone and removed: by table, and by properties over made-up registries."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.palier.aws.plugins.module_utils import ecr
from ansible_collections.palier.aws.plugins.module_utils.ecr import Image, Knowledge, Listing, Mutability, Pair, Rules
from hypothesis import given
from hypothesis import strategies as st

PAIR = Pair("shop/web", "standby/web")
INDEX = "application/vnd.oci.image.index.v1+json"
IMMUTABLE = Knowledge(mutability=Mutability("IMMUTABLE"))


def sha(name: str) -> str:
    return "sha256:" + name.encode().hex().rjust(64, "0")


A, B, C, D, E = (sha(letter) for letter in "abcde")


def listing(*images: Image) -> Listing:
    return Listing("web", images)


def image(digest: str, *tags: str, **more) -> Image:
    return Image(digest, frozenset(tags), **more)


def decide(source, destination, rules=None, known=None):
    decisions = ecr.decide(PAIR, source, destination, rules or Rules(), known)
    return [(d.action, d.tag or d.digest, d.reason) for d in decisions]


def signature(digest: str, suffix: str = ".sig") -> str:
    return digest.replace(":", "-") + suffix


def test_copies_what_is_missing_and_skips_what_is_the_same():
    source = listing(image(A, "v1", "stable"), image(B, "v2"))
    destination = listing(image(A, "v1"))
    assert decide(source, destination) == [
        ("copy", "stable", "the image is there without this tag"),
        ("skip", "v1", "same digest"),
        ("copy", "v2", "not in the destination"),
    ]


def test_nothing_to_do_leaves_no_question_open():
    index = image(A, "v1", media_type=INDEX)
    both = listing(index, image(B), image(C, signature(B)), image(D, subject=A))
    rules = Rules(prune=True)
    known = Knowledge()
    assert {action for action, *_rest in decide(both, both, rules)} == {"skip"}
    assert ecr.moved_tags(both, both, rules, known) == []
    assert ecr.open_indexes(both, both, rules, known) == []
    assert ecr.open_kept_indexes(both, both, rules, known, PAIR) == []
    assert ecr.missing_digests(ecr.decide(PAIR, both, both, rules), both) == []


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (("*",), (), ["V1", "dev-1", "v1"]),
        (("v*",), (), ["v1"]),
        (("v*", "dev-*"), ("*-1",), ["v1"]),
        (("[vV]1",), (), ["V1", "v1"]),
        ((), (), []),
        (("*",), ("*",), []),
    ],
)
def test_globs_are_case_sensitive_and_exclusion_wins(include, exclude, expected):
    source = listing(image(A, "v1", "V1"), image(B, "dev-1"))
    rules = Rules(include=include, exclude=exclude)
    assert [tag for _action, tag, _reason in decide(source, listing(), rules)] == expected


def test_a_moved_tag_is_copied_where_tags_may_move():
    source, destination = listing(image(B, "v1")), listing(image(A, "v1"))
    assert ecr.moved_tags(source, destination, Rules(), Knowledge()) == ["v1"]
    assert decide(source, destination) == [("copy", "v1", f"the tag points at {ecr.short(A)} in the destination")]


@pytest.mark.parametrize(
    ("choice", "action", "words"),
    [("fail", "refuse", "immutable and points"), ("skip", "skip", "immutable and"), ("replace", "copy", "is replaced")],
)
def test_a_moved_immutable_tag_follows_the_option(choice, action, words):
    source, destination = listing(image(B, "v1")), listing(image(A, "v1"))
    rules = Rules(on_immutable_conflict=choice)
    [decision] = ecr.decide(PAIR, source, destination, rules, IMMUTABLE)
    assert decision.action == action
    assert words in decision.reason
    assert decision.replaces == (choice == "replace")
    problems = ecr.check([decision], source, destination, rules)
    assert bool(problems) == (choice == "fail")
    assert all("standby/web:v1" in problem and "on_immutable_conflict" in problem for problem in problems)


@pytest.mark.parametrize(
    ("mode", "filters", "tag", "immutable"),
    [
        ("MUTABLE", (), "v1", False),
        ("IMMUTABLE", (), "v1", True),
        ("IMMUTABLE_WITH_EXCLUSION", ("latest",), "latest", False),
        ("IMMUTABLE_WITH_EXCLUSION", ("latest",), "v1", True),
        ("MUTABLE_WITH_EXCLUSION", ("v*",), "v1", True),
        ("MUTABLE_WITH_EXCLUSION", ("v*",), "latest", False),
    ],
)
def test_mutability_knows_its_exceptions(mode, filters, tag, immutable):
    assert Mutability(mode, filters).is_immutable(tag) is immutable


def test_schema_1_is_refused_with_the_way_out():
    old = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    source = listing(image(A, "old", media_type=old), image(B, "new"))
    decisions = ecr.decide(PAIR, source, listing(), Rules())
    assert [d.action for d in decisions] == ["copy", "refuse"]
    [problem] = ecr.check(decisions, source, listing(), Rules())
    assert "standby/web:old" in problem
    assert "schema 1" in problem
    assert "tags_exclude" in problem


class TestReferrers:
    """Signatures, attestations and SBOMs go where their image goes."""

    source = listing(
        image(A, "v1"),
        image(B, signature(A)),
        image(C, subject=A),
        image(D, signature(B, ".att")),
        image(E, signature(sha("other"))),
    )

    def test_follow_a_selected_image_whatever_the_globs_say(self):
        tags = [tag for _action, tag, _reason in decide(self.source, listing(), Rules(include=("v*",)))]
        assert tags == [signature(A), signature(B, ".att"), "v1", C]

    def test_of_what_is_not_selected_stay_behind(self):
        assert decide(self.source, listing(), Rules(include=("nothing",))) == []

    def test_can_be_left_out(self):
        tags = [tag for _action, tag, _reason in decide(self.source, listing(), Rules(referrers=False))]
        assert tags == ["v1"]

    def test_excluding_them_counts(self):
        tags = [tag for _action, tag, _reason in decide(self.source, listing(), Rules(exclude=("*.att",)))]
        assert tags == [signature(A), "v1", C]

    def test_that_came_later_are_copied_alone(self):
        destination = listing(image(A, "v1"), image(B, signature(A)), image(D, signature(B, ".att")))
        actions = {tag: action for action, tag, _reason in decide(self.source, destination)}
        assert actions == {"v1": "skip", signature(A): "skip", signature(B, ".att"): "skip", C: "copy"}

    def test_of_an_indexs_image_are_found_once_the_index_is_read(self):
        source = listing(image(A, "multi", media_type=INDEX), image(B), image(C, subject=B))
        assert [tag for _action, tag, _reason in decide(source, listing())] == ["multi"]
        assert ecr.open_indexes(source, listing(), Rules(), Knowledge()) == [A]
        known = Knowledge(children={A: frozenset({B})})
        assert [tag for _action, tag, _reason in decide(source, listing(), known=known)] == ["multi", C]
        assert ecr.open_indexes(source, listing(), Rules(), known) == []

    def test_of_an_indexs_image_that_came_later_need_no_reading(self):
        source = listing(image(A, "multi", media_type=INDEX), image(B), image(C, subject=B))
        destination = listing(image(A, "multi", media_type=INDEX), image(B))
        assert ecr.open_indexes(source, destination, Rules(), Knowledge()) == []
        assert decide(source, destination)[1][:2] == ("copy", C)

    def test_an_ordinary_tag_is_none(self):
        assert ecr.referrer_subject("sha256-abc.sig") is None
        assert ecr.referrer_subject("v1") is None
        assert ecr.referrer_subject(signature(A, "")) == A


def test_untagged_images_are_copied_only_when_asked():
    source = listing(image(A), image(B, "v1"))
    assert [tag for _action, tag, _reason in decide(source, listing())] == ["v1"]
    assert [tag for _action, tag, _reason in decide(source, listing(), Rules(untagged=True))] == ["v1", A]


def test_broken_images_are_copied_again():
    both = listing(image(A, "v1"))
    known = Knowledge(broken=frozenset({A}))
    decisions = ecr.decide(PAIR, both, both, Rules(), known)
    assert [(d.action, d.reason) for d in decisions] == [("copy", "the destination lacks some of its content")]
    [work] = ecr.work(decisions, {PAIR: both})
    assert not work.present


class TestPrune:
    """Only what is selected, only what the source does not have, and never everything."""

    rules = Rules(prune=True, untagged=True, prune_max_percent=100)

    def removed(self, source, destination, rules=None, known=None):
        return [
            tag
            for action, tag, _reason in decide(source, destination, rules or self.rules, known)
            if action == "remove"
        ]

    def test_removes_by_tag_and_leaves_other_names(self):
        source = listing(image(A, "v1"))
        destination = listing(image(A, "v1", "old"), image(B, "older"), image(C, "keep-me"))
        assert self.removed(source, destination, replace(self.rules, exclude=("keep-*",))) == ["old", "older"]

    def test_a_tag_that_the_source_has_is_never_removed(self):
        source = listing(image(A, "v1", "dev-1"))
        destination = listing(image(B, "v1", "dev-1"))
        assert self.removed(source, destination, replace(self.rules, include=("v*",))) == []

    def test_what_a_move_strips_of_its_last_tag_goes_with_untagged(self):
        source, destination = listing(image(B, "v1")), listing(image(A, "v1"))
        assert self.removed(source, destination) == [A]
        assert self.removed(source, destination, replace(self.rules, untagged=False)) == []

    def test_images_of_an_index_that_stays_are_kept(self):
        source = listing(image(A, "v1"))
        index = image(B, "keep-multi", media_type=INDEX)
        destination = listing(image(A, "v1"), index, image(C), image(D))
        rules = replace(self.rules, exclude=("keep-*",))
        assert ecr.open_kept_indexes(source, destination, rules, Knowledge(), PAIR) == [B]
        known = Knowledge(children={B: frozenset({C})})
        assert self.removed(source, destination, rules, known) == [D]

    def test_indexes_go_before_their_images(self):
        source = listing(image(A, "v1"))
        destination = listing(image(A, "v1"), image(B), image(C, media_type=INDEX))
        assert self.removed(source, destination) == [C, B]

    def test_signatures_go_with_their_image_or_when_the_source_dropped_them(self):
        source = listing(image(A, "v1"))
        destination = listing(image(A, "v1"), image(B, signature(A)), image(C, signature(E)), image(D, signature(D)))
        assert self.removed(source, destination) == sorted([signature(A), signature(E)])

    def test_is_refused_when_the_source_has_nothing(self):
        destination = listing(image(A, "v1"))
        decisions = ecr.decide(PAIR, listing(), destination, self.rules)
        [problem] = ecr.check(decisions, Listing("shop/web"), Listing("standby/web", destination.images), self.rules)
        assert "would empty standby/web" in problem

    @pytest.mark.parametrize(("limit", "refused"), [(49, True), (50, False), (100, False)])
    def test_is_refused_beyond_the_limit(self, limit, refused):
        source = listing(image(A, "v1"), image(B, "v2"))
        destination = listing(*source.images, image(C, "v3"), image(D, "v4"))
        rules = replace(self.rules, prune_max_percent=limit)
        problems = ecr.check(ecr.decide(PAIR, source, destination, rules), source, destination, rules)
        assert bool(problems) is refused
        assert all("2 of 4" in problem and "prune_max_percent" in problem for problem in problems)


def test_a_wanted_image_keeps_a_name_when_another_of_its_names_moves():
    source = listing(image(A, "v2"), image(B))
    destination = listing(image(B, "v2", "v3"))
    rules = Rules(prune=True, untagged=True, prune_max_percent=100)
    assert [(action, name) for action, name, _reason in decide(source, destination, rules)] == [
        ("copy", "v2"),
        ("skip", B),
        ("skip", "v3"),
    ]


def test_work_groups_tags_of_one_image():
    source = listing(image(A, "v1", "stable"), image(B, "v2"))
    destination = listing(image(A, "old"))
    decisions = ecr.decide(PAIR, source, destination, Rules())
    works = {item.digest: item for item in ecr.work(decisions, {PAIR: destination})}
    assert set(works[A].tags) == {"v1", "stable"}
    assert works[A].present
    assert not works[B].present


# ---- properties

DIGESTS = [sha(name) for name in ("1", "2", "3", "4", "5", "6")]
TAGS = ["v1", "v2", "v3", "dev-1", "latest", *(signature(digest) for digest in DIGESTS[:2])]


@st.composite
def registries(draw):
    tags: dict[str, list[str]] = {}
    for tag in draw(st.lists(st.sampled_from(TAGS), unique=True)):
        tags.setdefault(draw(st.sampled_from(DIGESTS)), []).append(tag)
    for digest in draw(st.lists(st.sampled_from(DIGESTS), unique=True)):
        tags.setdefault(digest, [])
    subjects = {digest: draw(st.none() | st.sampled_from(DIGESTS)) for digest in tags}
    return listing(*(image(d, *names, subject=subjects[d] if subjects[d] != d else None) for d, names in tags.items()))


RULES = st.builds(
    Rules,
    include=st.sampled_from([("*",), ("v*",), ("v*", "latest"), ()]),
    exclude=st.sampled_from([(), ("v2",), ("*.sig",)]),
    untagged=st.booleans(),
    referrers=st.booleans(),
    prune=st.booleans(),
    on_immutable_conflict=st.sampled_from(["fail", "skip", "replace"]),
)
MUTABILITY = st.sampled_from([Knowledge(), IMMUTABLE])


def carried_out(source: Listing, destination: Listing, decisions) -> Listing:
    """What the destination holds afterwards, as ECR would have it."""
    tags = {digest: set(image.tags) for digest, image in destination.by_digest.items()}
    subjects = {digest: image.subject for digest, image in destination.by_digest.items()}
    for decision in decisions:
        if decision.action == "copy":
            for names in tags.values():
                names.discard(decision.tag)
            tags.setdefault(decision.digest, set()).update({decision.tag} if decision.tag else ())
            subjects[decision.digest] = source.by_digest[decision.digest].subject
        if decision.action == "remove" and decision.tag:
            tags[decision.digest].discard(decision.tag)
            if not tags[decision.digest]:
                del tags[decision.digest]
        elif decision.action == "remove":
            tags.pop(decision.digest, None)
    return listing(*(image(digest, *names, subject=subjects[digest]) for digest, names in tags.items()))


@given(registries(), registries(), RULES, MUTABILITY)
def test_a_second_run_copies_nothing(source, destination, rules, known):
    first = ecr.decide(PAIR, source, destination, rules, known)
    after = carried_out(source, destination, first)
    second = ecr.decide(PAIR, source, after, rules, known)
    # An image that came along may make its own referrers wanted; what was decided once stays decided.
    again = {(d.tag, d.digest) for d in second if d.action == "copy"}
    assert not again & {(d.tag, d.digest) for d in first if d.action in ("copy", "skip")}


@given(registries(), registries(), RULES, MUTABILITY)
def test_every_selected_tag_ends_at_the_sources_digest_or_says_why_not(source, destination, rules, known):
    decisions = ecr.decide(PAIR, source, destination, rules, known)
    after = carried_out(source, destination, decisions)
    left = {d.tag for d in decisions if d.action == "refuse" or (d.action == "skip" and "immutable" in d.reason)}
    for tag, digest in source.by_tag.items():
        if ecr.referrer_subject(tag) is None and rules.wants(tag) and tag not in left:
            assert after.by_tag[tag] == digest


@given(registries(), registries(), RULES, MUTABILITY)
def test_nothing_that_the_source_has_is_removed(source, destination, rules, known):
    for decision in ecr.decide(PAIR, source, destination, rules, known):
        if decision.action == "remove":
            assert rules.prune
            assert decision.tag not in source.by_tag
            assert decision.tag or decision.digest not in source.by_digest


@given(registries(), registries(), RULES)
def test_each_tag_and_digest_is_decided_once(source, destination, rules):
    decisions = ecr.decide(PAIR, source, destination, rules)
    names = [(d.tag or d.digest) for d in decisions]
    assert len(names) == len(set(names))
    assert all(decision.reason for decision in decisions)

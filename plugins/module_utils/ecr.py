# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which images of a repository are copied to its standby, which are left alone, which go, and why.

Pure: no AWS, no network, no clock. What both registries hold comes in as two L{Listing}s, the decisions come out as a
list. The caller fetches more (an index's children, a repository's immutability) only where L{open_indexes} and friends
say that a decision hangs on it, so a sync with nothing to do needs the two listings and nothing else.
"""

from __future__ import annotations

import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property

from ansible_collections.palier.aws.plugins.module_utils.plan import Step

INDEX_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
#: Docker's schema 1: signed inside the manifest, so its digest does not survive a copy, and ECR no longer takes it.
SCHEMA_1_TYPES = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)
# cosign's sha256-<hex>.sig, .att, .sbom, and the fallback tag of OCI 1.1 without a suffix
_REFERRER_TAG = re.compile(r"sha256-([0-9a-f]{64})(?:\..+)?")

COPY, SKIP, REMOVE, REFUSE = "copy", "skip", "remove", "refuse"
_SCHEMA_1 = "schema 1 manifest, which cannot be copied with its digest"
_LACKING = "the destination lacks some of its content"
_LAST_NAME = "not in the source, but ECR would delete the image with it"
_STEP_VERBS = {COPY: "copy", SKIP: "skip", REMOVE: "delete", REFUSE: "skip"}


@dataclass(frozen=True)
class Image:
    """One image of a repository, as the registry lists it.

    :param digest: ``sha256:`` and 64 hexadecimal digits.
    :param tags: the names that point at it.
    :param size: bytes, compressed; 0 when not known.
    :param media_type: of its manifest; empty when not known.
    :param subject: digest of the image that it signs, attests or describes.
    :param pushed_at: when it came into this repository.
    """

    digest: str
    tags: frozenset[str] = frozenset()
    size: int = 0
    media_type: str = ""
    subject: str | None = None
    pushed_at: datetime | None = None

    @property
    def is_index(self) -> bool:
        """Whether it is a list of images rather than an image."""
        return self.media_type in INDEX_TYPES


@dataclass(frozen=True)
class Listing:
    """What one repository holds.

    :param repository: its name.
    :param images: all images, each digest once.
    :param exists: whether the repository is there at all.
    """

    repository: str
    images: tuple[Image, ...] = ()
    exists: bool = True

    @cached_property
    def by_digest(self) -> dict[str, Image]:
        """Images by digest."""
        return {image.digest: image for image in self.images}

    @cached_property
    def by_tag(self) -> dict[str, str]:
        """Digests by tag."""
        return {tag: image.digest for image in self.images for tag in image.tags}

    def with_referrers(self, extra: t.Iterable[Image]) -> Listing:
        """This listing with referrers that it did not name, or of which it did not name the subject."""
        found = dict(self.by_digest)
        for image in extra:
            known = found.get(image.digest, image)
            found[image.digest] = replace(known, subject=known.subject or image.subject)
        return replace(self, images=tuple(found.values()))


@dataclass(frozen=True)
class Pair:
    """A source repository and the destination repository that follows it."""

    source: str
    destination: str


@dataclass(frozen=True)
class Rules:
    """What the user wants.

    :param include: globs of tags to copy.
    :param exclude: globs of tags to leave out; stronger than C{include}.
    :param untagged: also images without a tag.
    :param referrers: also what refers to a copied image: signatures, attestations, SBOMs.
    :param prune: remove from the destination what the source does not have.
    :param prune_max_percent: refuse to remove more than this share of a repository's selected images.
    :param on_immutable_conflict: ``fail``, ``skip`` or ``replace``, where an immutable tag points at another image.
    """

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    untagged: bool = False
    referrers: bool = True
    prune: bool = False
    prune_max_percent: int = 50
    on_immutable_conflict: str = "fail"

    def wants(self, tag: str) -> bool:
        """Whether the globs select this tag."""
        return _matches(tag, self.include) and not _matches(tag, self.exclude)


@dataclass(frozen=True)
class Mutability:
    """Whether a repository's tags can be moved.

    :param mode: ``MUTABLE``, ``IMMUTABLE``, ``IMMUTABLE_WITH_EXCLUSION`` or ``MUTABLE_WITH_EXCLUSION``.
    :param filters: wildcards of the tags that are the exception.
    """

    mode: str = "MUTABLE"
    filters: tuple[str, ...] = ()

    def is_immutable(self, tag: str) -> bool:
        """Whether this tag cannot be moved to another image."""
        immutable = self.mode.startswith("IMMUTABLE")
        excepted = self.mode.endswith("_WITH_EXCLUSION") and _matches(tag, self.filters)
        return immutable != excepted


@dataclass(frozen=True)
class Knowledge:
    """What was looked up beyond the two listings.

    :param mutability: of the destination repository.
    :param children: digests of an index's images, by the index's digest, on either side.
    :param broken: digests whose content the destination lacks although it lists them (``verify: blobs``).
    """

    mutability: Mutability = Mutability()
    children: t.Mapping[str, frozenset[str]] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decision:
    """What happens to one tag, or to one image without a tag.

    :param action: ``copy``, ``skip``, ``remove`` or ``refuse``.
    :param pair: the two repositories.
    :param digest: of the image.
    :param tag: the tag, or C{None} for an image without one.
    :param reason: why, one short clause.
    :param size: bytes of the image as the registry counts them.
    :param before: digest that the tag has in the destination now.
    :param replaces: the tag is immutable and is taken off its image first.
    :param lacking: the destination lists the image and lacks some of its content.
    """

    action: str
    pair: Pair
    digest: str
    tag: str | None
    reason: str
    size: int = 0
    before: str | None = None
    replaces: bool = False
    lacking: bool = False

    @property
    def name(self) -> str:
        """The image in the reader's words, in the destination."""
        return f"{self.pair.destination}:{self.tag}" if self.tag else f"{self.pair.destination}@{self.digest}"

    def step(self) -> Step:
        """The decision in the shape that all modules of the collection share."""
        after = self.digest if self.action == COPY else None
        return Step(_STEP_VERBS[self.action], f"image {self.name}", self.reason, self.before, after)

    def as_dict(self) -> dict[str, t.Any]:
        """The decision as the module returns it."""
        return {
            "action": self.action,
            "image": self.name,
            "source": self.pair.source,
            "destination": self.pair.destination,
            "tag": self.tag,
            "digest": self.digest,
            "bytes": self.size,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Work:
    """One image to copy, with all its new tags.

    :param pair: the two repositories.
    :param digest: of the image.
    :param tags: tags to set; none for an image that has none.
    :param replaces: those of the tags that an immutable repository must let go first.
    :param present: the destination has the image's content: only names are missing.
    """

    pair: Pair
    digest: str
    tags: tuple[str, ...]
    replaces: frozenset[str]
    present: bool


def referrer_subject(tag: str) -> str | None:
    """The digest that a tag such as ``sha256-<hex>.sig`` speaks about, or C{None} for an ordinary tag."""
    match = _REFERRER_TAG.fullmatch(tag)
    return f"sha256:{match[1]}" if match else None


def decide(
    pair: Pair, source: Listing, destination: Listing, rules: Rules, known: Knowledge | None = None
) -> list[Decision]:
    """Decide for every selected image of one pair of repositories.

    :param pair: their names.
    :param source: what the source holds.
    :param destination: what the destination holds.
    :param rules: what is wanted.
    :param known: what was looked up on top; a tag that moves counts as mutable where nothing is known.
    :returns: copies and skips by tag, then removals.
    """
    known = known or Knowledge()
    selected = select(source, destination, rules, known.children)
    decisions = [_decide_tag(pair, source, destination, rules, known, tag) for tag in sorted(selected.tags)]
    decisions += [_decide_digest(pair, source, destination, known, digest) for digest in sorted(selected.digests)]
    if rules.prune:
        decisions += _removals(pair, source, destination, rules, known, decisions)
    return decisions


@dataclass(frozen=True)
class Selection:
    """Tags, and digests of images without a selected tag, that the destination should have."""

    tags: frozenset[str]
    digests: frozenset[str]


def select(source: Listing, destination: Listing, rules: Rules, children: t.Mapping[str, frozenset[str]]) -> Selection:
    """What of the source is wanted.

    Referrers follow their subject whatever the C{include} globs say (C{exclude} still counts), also when the subject is
    itself a referrer, and when it is one image of a selected index.
    """
    tags = {tag for tag in source.by_tag if referrer_subject(tag) is None and rules.wants(tag)}
    digests = {image.digest for image in source.images if rules.untagged and not image.tags and image.subject is None}
    if rules.referrers:
        _add_referrers(source, destination, rules, children, tags, digests)
    named = {source.by_tag[tag] for tag in tags}
    return Selection(frozenset(tags), frozenset(digests - named))


def _add_referrers(
    source: Listing,
    destination: Listing,
    rules: Rules,
    children: t.Mapping[str, frozenset[str]],
    tags: set[str],
    digests: set[str],
) -> None:
    by_subject = _referrers(source, rules)
    # An index that is in the destination brought its images along: they stand there without a tag.
    followed = {d for d in destination.by_digest if d in source.by_digest and not source.by_digest[d].tags}
    queue = [*(source.by_tag[tag] for tag in tags), *digests, *followed]
    seen: set[str] = set()
    while queue:
        digest = queue.pop()
        if digest in seen:
            continue
        seen.add(digest)
        queue += children.get(digest, ())
        for tag, referrer in by_subject.get(digest, ()):
            queue.append(referrer)
            if tag:
                tags.add(tag)
            else:
                digests.add(referrer)


def _referrers(listing: Listing, rules: Rules) -> dict[str, list[tuple[str | None, str]]]:
    """(tag or None, digest) of all referrers by the digest of their subject."""
    found: dict[str, list[tuple[str | None, str]]] = defaultdict(list)
    for image in listing.images:
        by_tag = {tag: subject for tag in image.tags if (subject := referrer_subject(tag))}
        for tag, subject in by_tag.items():
            if not _matches(tag, rules.exclude):
                found[subject].append((tag, image.digest))
        if image.subject and not by_tag:
            found[image.subject].append((None, image.digest))
    return found


def open_indexes(source: Listing, destination: Listing, rules: Rules, known: Knowledge) -> list[str]:
    """Digests of source indexes whose children must be known before the referrers of those can be chosen.

    Only indexes that are about to be copied count, and only when there is a referrer whose subject could be a child:
    so nothing is asked when nothing is to do.
    """
    if not rules.referrers:
        return []
    selected = select(source, destination, rules, known.children)
    chosen = {source.by_tag[tag] for tag in selected.tags} | selected.digests
    subjects = {
        subject
        for subject in _referrers(source, rules)
        if subject in source.by_digest and not source.by_digest[subject].tags and subject not in chosen
    }
    if not subjects:
        return []
    return sorted(
        digest
        for digest in chosen
        if source.by_digest[digest].is_index and digest not in destination.by_digest and digest not in known.children
    )


def open_kept_indexes(source: Listing, destination: Listing, rules: Rules, known: Knowledge, pair: Pair) -> list[str]:
    """Digests of destination indexes that stay and may hold images that would otherwise be removed as untagged."""
    decisions = decide(pair, source, destination, rules, known)
    if not any(decision.action == REMOVE and decision.tag is None for decision in decisions):
        return []
    gone = {decision.tag for decision in decisions if decision.action == REMOVE}
    return sorted(
        image.digest
        for image in destination.images
        if image.is_index
        and image.digest not in source.by_digest
        and image.digest not in known.children
        and image.tags - gone
    )


def moved_tags(source: Listing, destination: Listing, rules: Rules, known: Knowledge) -> list[str]:
    """Selected tags that point at another image in the destination: there its immutability matters."""
    selected = select(source, destination, rules, known.children)
    return sorted(
        tag for tag in selected.tags if tag in destination.by_tag and destination.by_tag[tag] != source.by_tag[tag]
    )


def missing_digests(decisions: t.Iterable[Decision], destination: Listing) -> list[str]:
    """Digests that a copy would bring and the destination does not have: their referrers are worth asking for."""
    wanted = {decision.digest for decision in decisions if decision.action == COPY}
    return sorted(wanted - destination.by_digest.keys())


def _decide_tag(
    pair: Pair, source: Listing, destination: Listing, rules: Rules, known: Knowledge, tag: str
) -> Decision:
    digest = source.by_tag[tag]
    image = source.by_digest[digest]
    before = destination.by_tag.get(tag)
    lacking = digest in known.broken
    decision = Decision(COPY, pair, digest, tag, "not in the destination", image.size, before, lacking=lacking)
    if image.media_type in SCHEMA_1_TYPES and before != digest:
        return replace(decision, action=REFUSE, reason=_SCHEMA_1)
    if before == digest:
        return replace(decision, reason=_LACKING) if lacking else replace(decision, action=SKIP, reason="same digest")
    if before is not None:
        return _decide_moved(decision, rules, known)
    if digest in destination.by_digest:
        return replace(decision, reason="the image is there without this tag")
    return decision


def _decide_moved(decision: Decision, rules: Rules, known: Knowledge) -> Decision:
    there = f"points at {short(t.cast(str, decision.before))} in the destination"
    if not known.mutability.is_immutable(t.cast(str, decision.tag)):
        return replace(decision, reason=f"the tag {there}")
    if rules.on_immutable_conflict == "skip":
        return replace(decision, action=SKIP, reason=f"the tag is immutable and {there}")
    if rules.on_immutable_conflict == "replace":
        return replace(decision, reason=f"the tag is immutable, {there} and is replaced", replaces=True)
    return replace(decision, action=REFUSE, reason=f"the tag is immutable and {there}")


def _decide_digest(pair: Pair, source: Listing, destination: Listing, known: Knowledge, digest: str) -> Decision:
    image = source.by_digest[digest]
    decision = Decision(COPY, pair, digest, None, "not in the destination", image.size)
    if digest in known.broken:
        return replace(decision, reason=_LACKING, before=digest, lacking=True)
    if digest in destination.by_digest:
        return replace(decision, action=SKIP, reason="same digest", before=digest)
    if image.media_type in SCHEMA_1_TYPES:
        return replace(decision, action=REFUSE, reason=_SCHEMA_1)
    if image.subject:
        return replace(decision, reason=f"refers to {short(image.subject)}, not in the destination")
    return decision


def _removals(
    pair: Pair,
    source: Listing,
    destination: Listing,
    rules: Rules,
    known: Knowledge,
    decisions: list[Decision],
) -> list[Decision]:
    gone = {tag for tag in destination.by_tag if _removable(tag, source, destination, rules)}
    moved = {d.tag for d in decisions if d.tag and d.action == COPY and d.before not in (None, d.digest)}
    kept = _last_names(destination, gone, moved, decisions)
    gone -= kept
    removals = [_remove(pair, destination, destination.by_tag[tag], tag) for tag in sorted(gone)]
    removals += [
        replace(_remove(pair, destination, destination.by_tag[tag], tag), action=SKIP, reason=_LAST_NAME)
        for tag in sorted(kept)
    ]
    left = {image.digest: image.tags - moved - gone for image in destination.images}
    # The registry deletes an image with its last tag; only what a move strips of its last tag stays behind.
    bare = [
        image
        for image in destination.images
        if not left[image.digest] and not image.tags & gone and image.digest not in source.by_digest
    ]
    held = {
        child
        for image in destination.images
        if left[image.digest] or image.digest in source.by_digest
        for child in known.children.get(image.digest, ())
    }
    removals += [
        _remove(pair, destination, image.digest, None)
        for image in sorted(bare, key=lambda image: (not image.is_index, image.digest))
        if image.digest not in held and _removable_bare(image, source, rules)
    ]
    return removals


def _last_names(destination: Listing, gone: set[str], moved: set[str], decisions: list[Decision]) -> set[str]:
    """Tags that stay since the image is wanted without a tag, and ECR deletes an image with its last one.

    :param gone: tags that would be removed. :param moved: tags that another image gets, which removes nothing.
    """
    wanted = {decision.digest for decision in decisions if decision.tag is None}
    images = [destination.by_digest[digest] for digest in wanted & destination.by_digest.keys()]
    return {min(image.tags & gone) for image in images if image.tags & gone and image.tags <= gone | moved}


def _removable(tag: str, source: Listing, destination: Listing, rules: Rules) -> bool:
    if tag in source.by_tag or _matches(tag, rules.exclude):
        return False
    subject = referrer_subject(tag)
    if subject is None:
        return rules.wants(tag)
    # A signature goes when its image is gone, or when the source has the image without it.
    return rules.referrers and (subject in source.by_digest or subject not in destination.by_digest)


def _removable_bare(image: Image, source: Listing, rules: Rules) -> bool:
    if image.subject:
        return rules.referrers and image.subject in source.by_digest
    return rules.untagged


def _remove(pair: Pair, destination: Listing, digest: str, tag: str | None) -> Decision:
    size = destination.by_digest[digest].size
    return Decision(REMOVE, pair, digest, tag, "not in the source", size, before=digest)


def check(decisions: t.Iterable[Decision], source: Listing, destination: Listing, rules: Rules) -> list[str]:
    """Why these decisions for one pair must not be carried out; an empty list when they may.

    :returns: one message for each problem, naming the option and what to write instead.
    """
    decisions = list(decisions)
    problems = [_refusal(decision) for decision in decisions if decision.action == REFUSE]
    removed = [decision for decision in decisions if decision.action == REMOVE]
    if removed:
        problems += _prune_problems(removed, decisions, source, destination, rules)
    return problems


def _refusal(decision: Decision) -> str:
    if decision.reason == _SCHEMA_1:
        fix = "push it again with a current client, or leave it out with tags_exclude"
    else:
        fix = "set on_immutable_conflict to skip or replace, or leave it out with tags_exclude"
    return f"{decision.name}: {decision.reason}; {fix}"


def _prune_problems(
    removed: list[Decision], decisions: list[Decision], source: Listing, destination: Listing, rules: Rules
) -> list[str]:
    wanted = [decision for decision in decisions if decision.action in (COPY, SKIP)]
    name = destination.repository
    if not wanted:
        hint = "check repositories, tags_include and the source's region, or set prune to false"
        return [f"prune would empty {name}: the source {source.repository} has no selected image; {hint}"]
    # Tags count by name: two tags of one image are two things that somebody may deploy.
    there = sum(rules.wants(tag) for tag in destination.by_tag) + sum(not i.tags for i in destination.images)
    percent = 100 * len(removed) // max(there, len(removed))
    if percent > rules.prune_max_percent:
        limit = f"prune_max_percent={rules.prune_max_percent}; raise it if that is meant"
        return [f"prune would remove {len(removed)} of {there} images of {name} ({percent} %), more than {limit}"]
    return []


def work(decisions: t.Iterable[Decision], destinations: t.Mapping[Pair, Listing]) -> list[Work]:
    """The copies among the decisions, one entry for each image and pair.

    :param decisions: of any number of pairs.
    :param destinations: what each pair's destination holds.
    :returns: in the order of the decisions.
    """
    groups: dict[tuple[Pair, str], list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.action == COPY:
            groups[decision.pair, decision.digest].append(decision)
    return [_work(pair, digest, group, destinations[pair]) for (pair, digest), group in groups.items()]


def _work(pair: Pair, digest: str, group: list[Decision], destination: Listing) -> Work:
    tags = tuple(decision.tag for decision in group if decision.tag)
    replaces = frozenset(decision.tag for decision in group if decision.tag and decision.replaces)
    lacking = any(decision.lacking for decision in group)
    return Work(pair, digest, tags, replaces, digest in destination.by_digest and not lacking)


def short(digest: str) -> str:
    """A digest as people read it: the algorithm and the first twelve digits."""
    return digest[: len("sha256:") + 12]


def _matches(name: str, globs: t.Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)

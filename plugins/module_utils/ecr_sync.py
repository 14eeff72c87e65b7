# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An image sync from listing to last removal: look, decide, act.

Everything that looks is done before anything is changed, and the same in check mode. When nothing is to do, the two
listings of each pair are all that is asked.
"""

from __future__ import annotations

import json
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError, is_ansible_aws_error_code
from ansible_collections.palier.aws.plugins.module_utils import ecr, ecr_lifecycle, ecr_repository
from ansible_collections.palier.aws.plugins.module_utils.ecr import Decision, Knowledge, Listing, Pair, Rules
from ansible_collections.palier.aws.plugins.module_utils.ecr_side import Side
from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from ansible_collections.palier.aws.plugins.module_utils.registry_copy import SLICE, Copier, Failure, Totals
from ansible_collections.palier.aws.plugins.module_utils.registry_manifest import Manifest

_Item = t.TypeVar("_Item")
_Result = t.TypeVar("_Result")
#: What ECR and its stand-ins say when the identity or the service does not go as far as ListImageReferrers.
_NO_REFERRERS = ["AccessDeniedException", "UnknownOperationException", "InvalidAction", "ValidationException"]


class SyncError(Exception):
    """The sync is not started; the message says what to change."""


@dataclass(frozen=True)
class Settings:
    """What the module was asked for, beyond the rules.

    :param create_repository: create what is missing in the destination.
    :param kms_key: key of the destination's region for repositories that are created.
    :param tags: of repositories that are created.
    :param prune_repository_tags: remove images only from repositories that carry these.
    :param only: digests to which copies are limited; C{None} for all.
    :param workers: threads.
    :param put_rate: manifests published a second.
    :param verify_blobs: ask the destination for each blob of what it lists.
    """

    create_repository: bool = True
    kms_key: str | None = None
    tags: t.Mapping[str, str] = field(default_factory=dict)
    prune_repository_tags: t.Mapping[str, str] = field(default_factory=dict)
    only: frozenset[str] | None = None
    workers: int = 16
    put_rate: float = 10.0
    verify_blobs: bool = False


class Sync:
    """One run over all pairs of repositories."""

    def __init__(self, source: Side, destination: Side, pairs: list[Pair], rules: Rules, settings: Settings) -> None:
        """:param source: copied from. :param destination: copied to. :param pairs: what to sync."""
        self.warnings: list[str] = []
        self.decisions: list[Decision] = []
        self.creations: dict[Pair, ecr_repository.Repository] = {}
        self._source = source
        self._destination = destination
        self._pairs = pairs
        self._rules = rules
        self._settings = settings
        self._sources: dict[Pair, Listing] = {}
        self._destinations: dict[Pair, Listing] = {}
        self._known: dict[Pair, Knowledge] = {pair: Knowledge() for pair in pairs}
        self._by_pair: dict[Pair, list[Decision]] = {}
        self._referrers_unknown = False
        self._expiring: set[Pair] = set()

    # ---- look and decide

    def plan(self) -> list[Step]:
        """Look at both sides and decide.

        :returns: every step, also those that leave things as they are.
        :raises SyncError: when something must not, or cannot, be done; nothing was changed then.
        """
        self._list()
        self._look_further()
        self._by_pair = {pair: self._decide(pair) for pair in self._pairs}
        if self._settings.only is not None:
            self._by_pair = {pair: self._limited(found) for pair, found in self._by_pair.items()}
        self.decisions = [decision for pair in self._pairs for decision in self._by_pair[pair]]
        self._check()
        self._judge_lifecycles()
        return [self._creation_step(pair) for pair in self.creations] + [d.step() for d in self.decisions]

    def _list(self) -> None:
        jobs = [(side, pair) for pair in self._pairs for side in (self._source, self._destination)]
        listings = self._map(
            lambda job: job[0].listing(job[1].source if job[0] is self._source else job[1].destination), jobs
        )
        for (side, pair), listing in zip(jobs, listings, strict=True):
            (self._sources if side is self._source else self._destinations)[pair] = listing
        absent = sorted({pair.source for pair in self._pairs if not self._sources[pair].exists})
        if absent:
            raise SyncError(
                f"repositories: {', '.join(absent)} not found in {self._source.region}; write names that exist in the "
                "source's region and account"
            )
        self._plan_creations([pair for pair in self._pairs if not self._destinations[pair].exists])

    def _plan_creations(self, pairs: list[Pair]) -> None:
        if pairs and not self._settings.create_repository:
            missing = ", ".join(sorted(pair.destination for pair in pairs))
            raise SyncError(
                f"{missing} not found in {self._destination.region}; set create_repository to true, or create it first"
            )

        names = [pair.source for pair in pairs]
        # Both at once: each round trip counts when the other region is far away.
        jobs: list[t.Callable[[], t.Any]] = [lambda: self._source.describe(names)] if names else []
        jobs += [partial(self._source.lifecycle, name) for name in names]
        answers = self._map(lambda job: job(), jobs)
        for pair, lifecycle in zip(pairs, answers[1:], strict=True):
            source = ecr_repository.from_aws(answers[0][pair.source], lifecycle)
            wanted = ecr_repository.standby(source, pair.destination, self._settings.kms_key, self._settings.tags)
            self.creations[pair] = wanted

    def _look_further(self) -> None:
        for pair in self._pairs:
            self._learn_mutability(pair)
        if self._rules.referrers:
            self._learn_referrers()
        for pair in self._pairs:
            self._learn_children(pair)
        if self._settings.verify_blobs:
            self._learn_broken()

    def _learn_mutability(self, pair: Pair) -> None:
        if not ecr.moved_tags(self._sources[pair], self._destinations[pair], self._rules, self._known[pair]):
            return
        described = self._destination.describe([pair.destination])[pair.destination]
        self._know(pair, mutability=ecr_repository.mutability(described))

    def _learn_referrers(self) -> None:
        """Ask for what refers to images that are to be copied, where the listing does not tell."""
        asked: set[tuple[Pair, str]] = set()
        while True:
            for pair in self._pairs:
                self._learn_index_children(pair)
            open_ones = [
                (pair, digest)
                for pair in self._pairs
                for digest in ecr.missing_digests(self._decide(pair), self._destinations[pair])
                if (pair, digest) not in asked and digest not in self._own_referrers(pair)
            ]
            if self._source.tells_subjects:
                return
            if not open_ones:
                return
            asked.update(open_ones)
            answers = self._map(lambda job: self._ask_referrers(job[0], job[1]), open_ones)
            for (pair, _digest), images in zip(open_ones, answers, strict=True):
                self._sources[pair] = self._sources[pair].with_referrers(images)

    def _own_referrers(self, pair: Pair) -> set[str]:
        # Signatures are seldom signed themselves, and those that are stand in the listing.
        return {image.digest for image in self._sources[pair].images if image.subject}

    def _ask_referrers(self, pair: Pair, digest: str) -> list[ecr.Image]:
        if self._referrers_unknown:
            return []
        try:
            return self._source.referrers(pair.source, digest)
        except is_ansible_aws_error_code(_NO_REFERRERS):
            self._referrers_unknown = True
            self.warnings.append(
                f"ecr:ListImageReferrers is not allowed or not known in {self._source.region}: referrers are taken "
                "from DescribeImages and from tags named sha256-…, and may be incomplete"
            )
            return []

    def _learn_index_children(self, pair: Pair) -> None:
        digests = ecr.open_indexes(self._sources[pair], self._destinations[pair], self._rules, self._known[pair])
        self._know_children(pair, self._source, pair.source, digests)

    def _learn_children(self, pair: Pair) -> None:
        if self._rules.prune:
            source, destination, known = self._sources[pair], self._destinations[pair], self._known[pair]
            digests = ecr.open_kept_indexes(source, destination, self._rules, known, pair)
            self._know_children(pair, self._destination, pair.destination, digests)

    def _know_children(self, pair: Pair, side: Side, repository: str, digests: list[str]) -> None:
        manifests = self._map(lambda digest: side.registry.manifest(repository, digest), digests)
        children = {manifest.digest: frozenset(manifest.children) for manifest in manifests}
        self._know(pair, children={**self._known[pair].children, **children})

    def _learn_broken(self) -> None:
        copier = Copier(self._source.registry, self._destination.registry)
        jobs = [
            (pair, decision.digest)
            for pair in self._pairs
            for decision in {decision.digest: decision for decision in self._decide(pair)}.values()
            if decision.digest in self._destinations[pair].by_digest
            and decision.digest in self._sources[pair].by_digest
        ]
        broken = self._map(lambda job: copier.missing_blobs(job[0], job[1]), jobs)
        for pair in self._pairs:
            digests = [
                digest for (where, digest), is_broken in zip(jobs, broken, strict=True) if is_broken and where == pair
            ]
            self._know(pair, broken=frozenset(digests))

    def _know(self, pair: Pair, **found: t.Any) -> None:
        self._known[pair] = replace(self._known[pair], **found)

    def _decide(self, pair: Pair) -> list[Decision]:
        return ecr.decide(pair, self._sources[pair], self._destinations[pair], self._rules, self._known[pair])

    def _limited(self, decisions: list[Decision]) -> list[Decision]:
        only = self._settings.only or frozenset()
        return [decision for decision in decisions if decision.digest in only and decision.action != ecr.REMOVE]

    def _check(self) -> None:
        problems = [
            problem
            for pair in self._pairs
            for problem in ecr.check(self._by_pair[pair], self._sources[pair], self._destinations[pair], self._rules)
        ]
        problems += filter(None, (self._foreign(pair) for pair in self._pairs))
        if problems:
            raise SyncError("; ".join(problems))

    def _foreign(self, pair: Pair) -> str | None:
        """Why a repository must not be pruned: it does not carry the tags that say whose it is."""
        wanted = self._settings.prune_repository_tags
        if not wanted or not any(decision.action == ecr.REMOVE for decision in self._by_pair[pair]):
            return None
        described = self._destination.describe([pair.destination])[pair.destination]
        there = self._destination.tags(described["repositoryArn"])
        if wanted.items() <= there.items():
            return None
        tags = ", ".join(f"{key}={value}" for key, value in wanted.items())
        return f"prune: {pair.destination} does not carry prune_repository_tags ({tags}); tag it, or set prune to false"

    def _judge_lifecycles(self) -> None:
        pairs = [pair for pair in self._pairs if any(d.action == ecr.COPY for d in self._by_pair[pair])]
        for pair, policy in zip(pairs, self._map(self._policy, pairs), strict=True):
            if policy:
                self._expiring.add(pair)
            images, wanted = ecr_lifecycle.after_sync(self._destinations[pair], self._by_pair[pair])
            lost = ecr_lifecycle.losses(policy, images, wanted) if policy else []
            if lost:
                self.warnings.append(
                    f"{pair.destination}: the lifecycle policy's rule {lost[0].priority} keeps {lost[0].limit} images "
                    f"and would remove {len(lost)} that the source has; they would come back with each sync. Raise its "
                    "countNumber, or narrow tags_include"
                )

    def _policy(self, pair: Pair) -> dict[str, t.Any] | None:
        if pair in self.creations:
            return self.creations[pair].lifecycle
        text = self._destination.lifecycle(pair.destination)
        return json.loads(text) if text else None

    def _creation_step(self, pair: Pair) -> Step:
        repository = self.creations[pair]
        resource = f"ecr repository {repository.name}"
        return Step("create", resource, f"not in {self._destination.region}", None, repository.values())

    # ---- act

    def apply(self) -> tuple[Totals, list[Failure]]:
        """Carry out the plan.

        :returns: what was done, and the images that could not be copied.
        """
        totals, failures = self._copy()
        failed = {failure.work.pair for failure in failures}
        for pair in self._pairs:
            # Nothing is taken away where something failed to arrive.
            if pair not in failed:
                self._remove(pair)
        return totals, failures

    def _create(self, pair: Pair) -> None:
        repository = self.creations[pair]
        lifecycle = json.dumps(repository.lifecycle) if repository.lifecycle else None
        self._destination.create(repository.creation(), lifecycle)

    def _copy(self) -> tuple[Totals, list[Failure]]:
        work = ecr.work(self.decisions, self._destinations)
        first = work[:SLICE]
        early: dict[tuple[Pair, str], Manifest] = {}
        jobs: list[t.Callable[[], t.Any]] = [partial(self._create, pair) for pair in self.creations]
        if work:
            jobs += [lambda: self._source.registry, lambda: self._destination.registry]
            # The first manifests are read meanwhile: that needs neither the repositories nor the registries' tokens.
            jobs.append(lambda: early.update(self._prefetch(first)))
        self._map(lambda job: job(), jobs)
        if not work:
            return Totals(), []
        there = {
            pair.destination: self._destinations[pair].by_digest.keys() - self._known[pair].broken
            for pair in self._pairs
        }
        copier = Copier(
            self._source.registry,
            self._destination.registry,
            fresh={pair.destination for pair in self.creations},
            present=lambda repository: there[repository],
            release_tag=self._untag,
            prefetch=lambda images: early if images == first else self._prefetch(images),
            put_rate=self._settings.put_rate,
        )
        failures = copier.run(work, self._settings.workers)
        self._look_back([item for item in work if item not in [failure.work for failure in failures]])
        return copier.totals, failures

    def _prefetch(self, work: t.Sequence[ecr.Work]) -> dict[tuple[Pair, str], Manifest]:
        """The manifests of some images and, level by level, of the images that indexes among them consist of."""
        found: dict[tuple[Pair, str], Manifest] = {}
        wanted: dict[Pair, set[str]] = {}
        for item in work:
            wanted.setdefault(item.pair, set()).add(item.digest)
        while wanted:
            answers = self._map(self._read_manifests, list(wanted.items()))
            new = [(pair, manifest) for pair, some in zip(wanted, answers, strict=True) for manifest in some]
            wanted = {}
            for pair, manifest in new:
                found[pair, manifest.digest] = manifest
                children = set(manifest.children) - self._destinations[pair].by_digest.keys()
                if children:
                    wanted.setdefault(pair, set()).update(children)
        return found

    def _read_manifests(self, job: tuple[Pair, set[str]]) -> list[Manifest]:
        try:
            return self._source.manifests(job[0].source, sorted(job[1]))
        except AnsibleAWSError:
            return []  # the registry's HTTP API serves them too, and says what is wrong

    def _untag(self, repository: str, tag: str) -> None:
        failures = self._destination.delete(repository, [{"imageTag": tag}])
        if failures:
            raise AnsibleAWSError(f"{repository}:{tag} could not be replaced: {failures[0].get('failureReason')}")

    def _look_back(self, done: list[ecr.Work]) -> None:
        """Ask the destination whether what was copied is listed, where a lifecycle policy may be removing it."""
        pairs = [pair for pair in dict.fromkeys(item.pair for item in done) if pair in self._expiring]
        listings = dict(
            zip(pairs, self._map(lambda pair: self._destination.listing(pair.destination), pairs), strict=True)
        )
        gone = [item for item in done if item.pair in listings and item.digest not in listings[item.pair].by_digest]
        for item in gone:
            name = f"{item.pair.destination}:{item.tags[0]}" if item.tags else f"{item.pair.destination}@{item.digest}"
            self.warnings.append(
                f"{name} was copied and is not listed any more: something removes it, a lifecycle policy for example"
            )

    def _remove(self, pair: Pair) -> None:
        ids = [
            {"imageTag": decision.tag} if decision.tag else {"imageDigest": decision.digest}
            for decision in self._by_pair[pair]
            if decision.action == ecr.REMOVE
        ]
        for failure in self._destination.delete(pair.destination, ids) if ids else []:
            identity = failure["imageId"].get("imageTag") or failure["imageId"].get("imageDigest")
            self.warnings.append(f"{pair.destination}: {identity} was not removed: {failure.get('failureReason')}")

    def _map(self, function: t.Callable[[_Item], _Result], items: t.Sequence[_Item]) -> list[_Result]:
        if len(items) < 2:
            return [function(item) for item in items]
        with ThreadPoolExecutor(min(self._settings.workers, len(items))) as pool:
            return list(pool.map(function, items))

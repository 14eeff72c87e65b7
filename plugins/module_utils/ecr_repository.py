# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An ECR repository's settings: what differs from what is wanted, and what a standby's repository looks like. Pure."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.palier.aws.plugins.module_utils.ecr import Mutability
from ansible_collections.palier.aws.plugins.module_utils.plan import Step


class RepositoryError(ValueError):
    """Something that cannot be changed on an existing repository; the message says what to do."""


@dataclass(frozen=True)
class Repository:
    """A repository's settings.

    :param name: its name.
    :param mutability: ``MUTABLE``, ``IMMUTABLE``, or one of the two ``_WITH_EXCLUSION``.
    :param exclusions: wildcards of the tags that are the exception.
    :param scan_on_push: whether images are scanned when they come in.
    :param encryption: ``AES256``, ``KMS`` or ``KMS_DSSE``.
    :param kms_key: key ARN; C{None} for the one that AWS manages for ECR.
    :param lifecycle: the lifecycle policy; C{None} for none.
    :param policy: the permissions policy; C{None} for none.
    :param tags: its tags.
    """

    name: str
    mutability: str = "IMMUTABLE"
    exclusions: tuple[str, ...] = ()
    scan_on_push: bool = True
    encryption: str = "AES256"
    kms_key: str | None = None
    lifecycle: dict[str, t.Any] | None = None
    policy: dict[str, t.Any] | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def creation(self) -> dict[str, t.Any]:
        """The request that creates it (lifecycle and policy are set by calls of their own)."""
        encryption = {"encryptionType": self.encryption, **({"kmsKey": self.kms_key} if self.kms_key else {})}
        return {
            "repositoryName": self.name,
            "imageScanningConfiguration": {"scanOnPush": self.scan_on_push},
            "encryptionConfiguration": encryption,
            **self.mutability_request(),
            **({"tags": [{"Key": key, "Value": value} for key, value in self.tags.items()]} if self.tags else {}),
        }

    def mutability_request(self) -> dict[str, t.Any]:
        """How CreateRepository and PutImageTagMutability take the mutability."""
        request: dict[str, t.Any] = {"imageTagMutability": self.mutability}
        if self.exclusions:
            filters = [{"filterType": "WILDCARD", "filter": pattern} for pattern in self.exclusions]
            request["imageTagMutabilityExclusionFilters"] = filters
        return request

    def values(self) -> dict[str, t.Any]:
        """The settings as they stand in a diff."""
        return {
            "image_tag_mutability": self.mutability.lower(),
            "image_tag_mutability_exclusions": list(self.exclusions),
            "scan_on_push": self.scan_on_push,
            "encryption": self.encryption,
            "kms_key": self.kms_key,
            "lifecycle_policy": self.lifecycle,
            "policy": self.policy,
            "tags": dict(self.tags),
        }


def from_aws(
    described: t.Mapping[str, t.Any],
    lifecycle: str | None = None,
    policy: str | None = None,
    tags: t.Mapping[str, str] | None = None,
) -> Repository:
    """A repository as ECR describes it.

    :param described: an entry of DescribeRepositories.
    :param lifecycle: its lifecycle policy as JSON text.
    :param policy: its permissions policy as JSON text.
    :param tags: its tags.
    """
    encryption = described.get("encryptionConfiguration") or {}
    return Repository(
        name=described["repositoryName"],
        mutability=described.get("imageTagMutability", "MUTABLE"),
        exclusions=exclusions(described),
        scan_on_push=(described.get("imageScanningConfiguration") or {}).get("scanOnPush", False),
        encryption=encryption.get("encryptionType", "AES256"),
        kms_key=encryption.get("kmsKey"),
        lifecycle=json.loads(lifecycle) if lifecycle else None,
        policy=json.loads(policy) if policy else None,
        tags=dict(tags or {}),
    )


def exclusions(described: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """The wildcards of tags that are an exception to the mutability."""
    return tuple(entry["filter"] for entry in described.get("imageTagMutabilityExclusionFilters") or [])


def mutability(described: t.Mapping[str, t.Any]) -> Mutability:
    """Which of a repository's tags can be moved."""
    return Mutability(described.get("imageTagMutability", "MUTABLE"), exclusions(described))


def mode(choice: str, exceptions: t.Sequence[str]) -> str:
    """ECR's word for C{immutable} or C{mutable}, with or without exceptions."""
    return choice.upper() + ("_WITH_EXCLUSION" if exceptions else "")


def with_tags(repository: Repository, tags: t.Mapping[str, str]) -> Repository:
    """The same repository with other tags."""
    return replace(repository, tags=dict(tags))


def standby(source: Repository, name: str, kms_key: str | None, tags: t.Mapping[str, str]) -> Repository:
    """The repository that follows a source in another region: its settings, with what belongs to a region replaced.

    A KMS key lives in one region, so the source's cannot be used: the given one is, or the one that AWS manages there.

    :param source: the repository to follow.
    :param name: its name in the destination.
    :param kms_key: key of the destination's region, if any.
    :param tags: its tags.
    """
    encryption = source.encryption if source.encryption != "AES256" or kms_key is None else "KMS"
    return Repository(
        name=name,
        mutability=source.mutability,
        exclusions=source.exclusions,
        scan_on_push=source.scan_on_push,
        encryption=encryption,
        kms_key=kms_key,
        lifecycle=source.lifecycle,
        tags=dict(tags),
    )


def plan(
    current: Repository | None,
    wanted: Repository,
    *,
    purge_tags: bool,
    touch: t.Container[str] = ("lifecycle", "policy"),
) -> list[Step]:
    """What makes a repository what it should be.

    :param current: what there is, or C{None}.
    :param wanted: what there should be.
    :param purge_tags: take off tags that are not wanted.
    :param touch: those of ``lifecycle`` and ``policy`` that the user spoke about; the others stay as they are.
    :raises RepositoryError: when the encryption differs, which cannot be changed.
    """
    resource = f"ecr repository {wanted.name}"
    if current is None:
        return [Step("create", resource, "it does not exist", None, wanted.values())]
    _check_encryption(current, wanted)
    steps = [
        Step("modify", resource, f"{name.replace('_', ' ')} differs", {name: before}, {name: after})
        for name, before, after in _differences(current, wanted, touch)
    ]
    changed = {key: value for key, value in wanted.tags.items() if current.tags.get(key) != value}
    extra = {key: value for key, value in current.tags.items() if key not in wanted.tags} if purge_tags else {}
    if changed or extra:
        after = {**{k: v for k, v in current.tags.items() if k not in extra}, **changed}
        steps.append(Step("tag", resource, "tags differ", {"tags": dict(current.tags)}, {"tags": after}))
    return steps or [Step("keep", resource, "it is as wanted")]


def _differences(
    current: Repository, wanted: Repository, touch: t.Container[str]
) -> t.Iterator[tuple[str, t.Any, t.Any]]:
    before = (current.mutability, sorted(current.exclusions))
    after = (wanted.mutability, sorted(wanted.exclusions))
    if before != after:
        yield "image_tag_mutability", " ".join([before[0].lower(), *before[1]]), " ".join([after[0].lower(), *after[1]])
    if current.scan_on_push != wanted.scan_on_push:
        yield "scan_on_push", current.scan_on_push, wanted.scan_on_push
    if "lifecycle" in touch and canonical(current.lifecycle) != canonical(wanted.lifecycle):
        yield "lifecycle_policy", current.lifecycle, wanted.lifecycle
    if "policy" in touch and canonical(current.policy) != canonical(wanted.policy):
        yield "policy", current.policy, wanted.policy


def canonical(document: t.Any) -> t.Any:
    """A policy in a form in which two spellings of the same thing are equal.

    ECR gives single values for lists of one, and lists of strings in an order of its own.
    """
    if isinstance(document, dict):
        return {key: canonical(value) for key, value in document.items()}
    if isinstance(document, list):
        items = [canonical(item) for item in document]
        if len(items) == 1 and isinstance(items[0], str):
            return items[0]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return document


def _check_encryption(current: Repository, wanted: Repository) -> None:
    same_key = wanted.kms_key is None or wanted.kms_key == current.kms_key
    if current.encryption == wanted.encryption and same_key:
        return
    raise RepositoryError(
        f"repository {wanted.name} is encrypted with {current.encryption} ({current.kms_key or 'no key of its own'}), "
        f"encryption asks for {wanted.encryption} ({wanted.kms_key or 'no key of its own'}): ECR cannot change that; "
        "set encryption to what is there, or create a repository under another name"
    )

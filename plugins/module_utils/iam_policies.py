# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Customer managed policies: what is to be done with one, without asking AWS."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.palier.aws.plugins.module_utils.cloudwatch import plan_tags, wanted_tags
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

#: Versions that AWS keeps of a policy (IAM user guide, "IAM and AWS STS quotas").
MOST_VERSIONS = 5

_ARN = re.compile(r"arn:[a-z-]+:iam::(?P<account>\d{12}):policy(?P<path>/(?:[!-~]+/)?)(?P<name>[\w+=,.@-]{1,128})")

Settings = dict[str, t.Any]


class PolicyError(ValueError):
    """An option that IAM would refuse; the message names it and what to write instead."""


class Identity(t.NamedTuple):
    """Account, path and name of a policy, which together are its ARN."""

    account: str
    path: str
    name: str


def identity(arn: str) -> Identity:
    """What the ARN of a customer managed policy says.

    :param arn: for example C{arn:aws:iam::123456789012:policy/shop/prod/shop-prod-web}.
    :raises PolicyError: when it is none of a customer managed policy.
    """
    found = _ARN.fullmatch(arn)
    if found is None:
        raise PolicyError(
            f"arn: '{arn}' is not that of a customer managed policy; "
            "write arn:aws:iam::<account, 12 digits>:policy/<path>/<name>."
        )
    return Identity(found["account"], found["path"], found["name"])


def resource(name: str) -> str:
    """A policy in the words of the plan."""
    return f"iam policy {name}"


def differs(current: Settings | None, params: Settings) -> bool:
    """Whether a policy that stands needs a new version.

    :param current: C{document} of the default version, or None where the policy does not exist.
    :param params: the module's options.
    """
    return current is not None and bool(compare_policies(current["document"], params["policy"]))


def plan(name: str, params: Settings, current: Settings | None, versions: t.Sequence[Settings]) -> list[Step]:
    """What makes the policy say what it should.

    :param name: its name.
    :param params: C{policy}, C{tags} and C{purge_tags}.
    :param current: C{document} and C{tags} as they stand, or None.
    :param versions: the versions that it has; of interest only where the document differs.
    """
    if current is None:
        made = {"document": params["policy"], "tags": wanted_tags(params, {})}
        return [Step("create", resource(name), "does not exist", None, made)]
    steps: list[Step] = []
    if differs(current, params):
        steps = [_removed(name, version, f"AWS keeps {MOST_VERSIONS} versions") for version in outdated(versions)]
        before, after = {"document": current["document"]}, {"document": params["policy"]}
        steps.append(Step("modify", resource(name), "its document differs", before, after))
    steps += plan_tags(resource(name), current["tags"], wanted_tags(params, current["tags"]))
    return steps or [Step("keep", resource(name), "is as wanted")]


def outdated(versions: t.Sequence[Settings]) -> list[str]:
    """The versions that must go before another one can be made: the oldest that are not the default.

    :param versions: C{VersionId} and C{IsDefaultVersion} of each.
    """
    surplus = len(versions) - (MOST_VERSIONS - 1)
    return others(versions)[: max(surplus, 0)]


def others(versions: t.Sequence[Settings]) -> list[str]:
    """The versions that are not the default, oldest first.

    :param versions: C{VersionId} (C{v1}, C{v2}, …, never given twice) and C{IsDefaultVersion} of each.
    """
    ids = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
    return sorted(ids, key=lambda one: int(one[1:]))


def plan_removal(
    name: str, current: Settings | None, holders: t.Sequence[tuple[str, str]], versions: t.Sequence[Settings]
) -> list[Step]:
    """What deletes the policy: AWS wants it attached to nothing, and without other versions.

    :param name: its name.
    :param current: C{document} and C{tags} as they stand, or None.
    :param holders: kind (C{role}, C{user}, C{group}) and name of what it is attached to.
    :param versions: the versions that it has.
    """
    if current is None:
        return [Step("skip", resource(name), "does not exist")]
    return [
        *(
            Step("detach", f"iam {kind} {holder}", f"{name} is deleted", {"kind": kind, "name": holder})
            for kind, holder in holders
        ),
        *(_removed(name, version, "the policy is deleted") for version in others(versions)),
        Step("delete", resource(name), "state is absent", current),
    ]


def _removed(name: str, version: str, reason: str) -> Step:
    return Step("delete", f"{resource(name)} version {version}", reason, {"version": version})

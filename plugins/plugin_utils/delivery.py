# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a release is about: which component, which version of it, from where, and what was released before. Pure."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ansible_collections.palier.aws.plugins.plugin_utils.description import nearest
from ansible_collections.palier.aws.plugins.plugin_utils.services import image_uri

Document = t.Mapping[str, t.Any]
Components = dict[str, list[str]]

#: The tier that has the components of a kind, and the variables that list them. An application is what an instance or a
#: fleet of them runs.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "service": ("ecs_app", ("ecs_app_services",)),
    "application": ("ec2_app", ("ec2_app_instances", "ec2_app_fleets")),
    "site": ("s3_site", ("s3_site_sites",)),
}
PREVIOUS = "previous"
#: An image's digest, and its tag (OCI Distribution Specification, Pulling manifests).
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")
#: The address of a repository in ECR (Amazon ECR user guide, Private registry).
ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<repository>.+)\Z"
)


# -- components --------------------------------------------------------------------------------------------------------


def components(values: Document, tiers: t.Collection[str]) -> Components:
    """The names of what a stack can release, by kind.

    :param values: the lists that describe them, by variable.
    :param tiers: the stack's tiers.
    """
    found = {}
    for kind, (tier, variables) in KINDS.items():
        if tier in tiers:
            entries = [entry for variable in variables for entry in values.get(variable) or []]
            fitting = [entry for entry in entries if kind != "application" or entry.get("application")]
            found[kind] = [str(entry["name"]) for entry in fitting]
    return found


def release_list(given: t.Sequence[Document], single: Document) -> dict[str, t.Any]:
    """What is to be released, in its order.

    :param given: C(release_components), empty where one component is released.
    :param single: the values of C(release_component), which may name several with commas between them, and its
        fellows, which also stand for what an entry lacks.
    :returns: ``entries`` and ``problem``, which is empty if all is well.
    """
    if given and single.get("component"):
        text = f"release_component: '{single['component']}' and release_components: write one of the two"
        return {"entries": [], "problem": text}
    named = [{"component": name.strip()} for name in str(single.get("component") or "").split(",")]
    known = [{key: value for key, value in one.items() if value is not None} for one in given or named]
    return {"entries": [{**single, **one} for one in known], "problem": ""}


def component_of(given: str, known: Components) -> dict[str, str]:
    """The component that is meant.

    :param given: its name, or its kind and name (``service:web``); empty where the stack has only one.
    :returns: ``kind``, ``name`` and ``problem``, which is empty if it was found.
    """
    every = [(kind, name) for kind, names in known.items() for name in names]
    shown = ", ".join(name if _alone(name, every) else f"{kind}:{name}" for kind, name in every) or "nothing"
    kind, _colon, name = given.rpartition(":")
    fitting = [one for one in every if (not given or one[1] == name) and kind in ("", one[0])]
    if len(fitting) == 1:
        return {"kind": fitting[0][0], "name": fitting[0][1], "problem": ""}
    if not given:
        problem = f"release_component: which one? This stack can release {shown}"
    elif fitting:
        kinds = " or ".join(f"{kind}:{name}" for kind, name in fitting)
        problem = f"release_component: '{given}' names more than one; write {kinds}"
    else:
        hint = nearest(name, [one for _kind, one in every])
        problem = f"release_component: this stack has no '{given}'; it can release {shown}.{hint}"
    return {"kind": "", "name": "", "problem": problem}


def _alone(name: str, every: list[tuple[str, str]]) -> bool:
    return [one for _kind, one in every].count(name) == 1


# -- images ------------------------------------------------------------------------------------------------------------


def image_base(image: t.Any, uris: t.Mapping[str, str] | None = None) -> str:
    """An image's address without tag and digest; the port of a registry stays.

    :param image: its address, or C(repository) with C(tag) or C(digest) as a service describes it.
    :param uris: addresses of the stack's repositories, by their name.
    """
    base = image_uri(image, uris or {}).partition("@")[0]
    head, slash, last = base.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def image_version(image: str) -> str:
    """The tag of an image's address, or its digest; C(latest) where it has neither."""
    base, _at, digest = image.partition("@")
    return digest or base.rpartition("/")[2].partition(":")[2] or "latest"


def with_version(base: str, version: str) -> str:
    """The address of a version of an image: by its digest or by its tag."""
    return f"{base}@{version}" if DIGEST.match(version) else f"{base}:{version}"


def ecr_repository(image: str) -> dict[str, str]:
    """Account, region and name of the repository of an image in ECR; empty where it is elsewhere."""
    found = ECR.match(image_base(image))
    return {key: found[key] for key in ("account", "region", "repository")} if found else {}


# -- versions ----------------------------------------------------------------------------------------------------------


def wanted_version(kind: str, given: str, record: Document, build: str = "") -> dict[str, str]:
    """The version that a release is to bring.

    :param kind: of the component.
    :param given: what was asked for: a tag, a digest, a git ref, a name for the build of a site, or C(previous).
    :param record: what is recorded of the component's last release; empty if there was none.
    :param build: directory from which it is built.
    :returns: ``version``, ``reference`` (empty where it is still to be found), and ``problem``, empty if all is well.
    """
    if given == PREVIOUS:
        back = record.get("back") or {}
        if back.get("reference"):
            return {"version": str(back["version"]), "reference": str(back["reference"]), "problem": ""}
        text = "there is no release before the one that runs now; name a version that you know"
        return _problem(f"release_version: '{PREVIOUS}': {text}")
    if not given:
        return _problem(
            "release_version: which version? Write a tag, a digest, a git ref, a site's label, or 'previous'"
        )
    if kind == "service" and not (TAG.match(given) or DIGEST.match(given)):
        text = "letters, digits, '.', '_' and '-', 128 at most, or sha256: and 64 hexadecimal digits"
        return _problem(f"release_version: '{given}' is neither a tag nor a digest of an image: write {text}")
    if kind == "service" and build and DIGEST.match(given):
        return _problem(f"release_version: '{given}' is a digest, which only a build has: write a tag for it")
    if kind == "application" and build:
        return _problem(f"release_build_path: '{build}': an instance builds its application itself; leave it out")
    return {"version": given, "reference": given if kind == "application" else "", "problem": ""}


def _problem(text: str) -> dict[str, str]:
    return {"version": "", "reference": "", "problem": text}


def source_of(given: str, environment: Document, commit: str = "") -> str:
    """Where a release comes from: what was said, else the pipeline's job and commit, else the commit of the build.

    :param given: what was said.
    :param environment: variables of the environment that pipelines set.
    :param commit: commit of the directory that is built, if it is known.
    """
    if given:
        return given
    github = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"
    run = github.format_map(environment) if environment.get("GITHUB_RUN_ID") else environment.get("CI_JOB_URL") or ""
    awx = f"AWX job {environment['JOB_ID']}" if environment.get("JOB_ID") and not run else ""
    revision = environment.get("GITHUB_SHA") or environment.get("CI_COMMIT_SHA") or commit
    return " ".join(part for part in (run or awx, f"commit {revision}" if revision else "") if part)


# -- what was released -------------------------------------------------------------------------------------------------


def released_references(records: t.Mapping[str, Document]) -> dict[str, str]:
    """What a deployment keeps of released components, by component: an image, or a git ref.

    :param records: what M(palier.aws.release_record_info) returns.
    """
    return {name: str(record["kept"]["reference"]) for name, record in records.items() if record.get("kept")}


def with_released_images(services: t.Sequence[Document], images: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """Services with the images that were released, where any was."""
    return [{**one, "image": images[one["name"]]} if images.get(one["name"]) else {**one} for one in services]


def with_released_versions(instances: t.Sequence[Document], versions: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """Instances with the versions of their applications that were released, where any was."""
    return [
        {**one, "application": {**one["application"], "version": versions[one["name"]]}}
        if one.get("application") and versions.get(one["name"])
        else {**one}
        for one in instances
    ]


# -- the smoke test ----------------------------------------------------------------------------------------------------


def smoke_url(given: str, path: str, base: str) -> str:
    """The address that a release asks at its end; empty for none.

    :param given: a whole address.
    :param path: a path at the component's own address.
    :param base: that address, such as C(https://www.example.com).
    """
    if given or not path:
        return given
    return f"{base.rstrip('/')}/{path.lstrip('/')}" if base else ""


def smoke_page(path: str, build: str, index: str) -> str:
    """The file of a site's build that must be the answer; empty where the build has none there, or is not at hand.

    :param path: that is asked for.
    :param build: directory of the build.
    :param index: name of the page of a directory.
    """
    name = path.partition("?")[0].lstrip("/")
    file = Path(build, name, index) if not name or name.endswith("/") else Path(build, name)
    return str(file) if build and path and file.is_file() else ""


def service_address(
    service: Document, balancer: Document, records: t.Sequence[Document], zone: str, https: bool
) -> str:
    """The address at which a service answers; empty where it has none.

    :param service: with ``load_balancer``.
    :param balancer: what the load_balancer tier publishes.
    :param records: ``dns_records``, of which an alias of the load balancer names it.
    :param zone: their zone.
    """
    hosts = [str(host) for host in (service.get("load_balancer") or {}).get("hosts") or [] if "*" not in str(host)]
    names = [str(one.get("name")) for one in records if one.get("alias") == "load_balancer"]
    named = [zone if name == "@" else f"{name}.{zone}" for name in names] if zone else []
    host = next(iter([*hosts, *named]), "") or str(balancer.get("dns_name") or "")
    return f"{'https' if https else 'http'}://{host}" if host and service.get("load_balancer") else ""

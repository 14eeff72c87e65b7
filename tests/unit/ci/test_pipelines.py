# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pipelines: docs/ci/, which users copy, and .github/workflows/, which are this repository's own."""

from __future__ import annotations

import re
import subprocess
import typing as t
from pathlib import Path

import pytest

from tools.collection import BIN, ROOT, load_yaml

USERS = {"github-workflows": ROOT / "docs/ci/github-actions.yml", "gitlab-ci": ROOT / "docs/ci/gitlab-ci.yml"}
OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINTED = [*USERS.items(), *[("github-workflows", path) for path in OWN]]
GITHUB = [USERS["github-workflows"], *OWN]


def steps(path: Path) -> list[dict[str, t.Any]]:
    """Every step of a GitHub workflow."""
    return [step for job in load_yaml(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize(("schema", "path"), LINTED, ids=lambda value: getattr(value, "name", value))
def test_a_pipeline_is_valid(schema: str, path: Path) -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", f"vendor.{schema}", str(path)]
    done = subprocess.run(command, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "workflow.yml"
    wrong.write_text(USERS["github-workflows"].read_text().replace("runs-on:", "run-on:"))
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(wrong)]
    assert subprocess.run(command, capture_output=True).returncode == 1


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_actions_are_pinned_by_the_digest_of_a_release(path: Path) -> None:
    used = re.findall(r"uses: *(.*)", path.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_a_job_has_the_rights_that_it_needs_and_an_end(path: Path) -> None:
    workflow = load_yaml(path)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        roles = any("role-to-assume" in step.get("with", {}) for step in job["steps"])
        assert (job.get("permissions", {}).get("id-token") == "write") is roles
        assert job["timeout-minutes"]


@pytest.mark.parametrize("path", USERS.values(), ids=lambda path: path.name)
def test_no_pipeline_keeps_a_key(path: Path) -> None:
    assert not re.search(r"secrets\.|ACCESS_KEY|AKIA", path.read_text())


@pytest.mark.parametrize("path", USERS.values(), ids=lambda path: path.name)
def test_a_pipeline_delivers_both_ends_by_these_playbooks(path: Path) -> None:
    text = path.read_text()
    calls = re.findall(r"palier\.aws\.(\w+)(?: --limit shop_prod)?(?: --(check))?", text)
    calls = [call for call in calls if call[0] not in ("plan", "heartbeat", "preload")]
    assert calls[:2] == [("deploy", "check"), ("deploy", "")], "the plan comes first"
    assert {("sync_images", ""), ("verify", "")} <= set(calls)
    assert calls.count(("release", "")) == 2, "the back end and the front end"
    given = set(re.findall(r'-e "(\w+)=', text))
    assert given == {"release_component", "release_version", "release_build_path", "release_smoke_path"}
    assert given <= set(re.findall(r"release_\w+", (ROOT / "playbooks" / "release.yml").read_text()))
    assert {name for name, _how in calls} <= {one.stem for one in (ROOT / "playbooks").glob("*.yml")}


def test_github_gives_the_deploying_role_to_an_approved_job_only() -> None:
    for job in load_yaml(USERS["github-workflows"])["jobs"].values():
        roles = [step["with"]["role-to-assume"] for step in job["steps"] if "role-to-assume" in step.get("with", {})]
        assert ("environment" in job) is ("${{ vars.DEPLOY_ROLE_ARN }}" in roles)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_our_own_workflows_call_the_makefile_only(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    runs = [step["run"] for step in steps(path) if "run" in step]
    assert runs == ["make ${{ matrix.target }}"]
    for job in load_yaml(path)["jobs"].values():
        assert set(job["strategy"]["matrix"]["target"]) <= targets

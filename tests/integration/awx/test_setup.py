# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""awx.yml, run with the real awx.awx modules against a small server that keeps what it is sent: everything arrives, in
an order in which all that is referred to exists, in the fields that awxkit's models know; a second run sends nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import awx_data
from tests.conftest import clean_environment
from tests.integration.awx_server import PREFIX, REFERENCES, AwxServer
from tests.integration.runner import ROOT

pytestmark = pytest.mark.slow

DATA = awx_data.load()


def set_up(awx: AwxServer, *options: str, inventory: Path = ROOT / "inventories" / "classic_ec2") -> str:
    """Run awx.yml; returns what it printed."""
    awx.writes.clear()
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), "playbooks/awx.yml"]
    variables = {"CONTROLLER_HOST": awx.url, "CONTROLLER_OAUTH_TOKEN": "token"}
    done = subprocess.run(
        [*command, *options], cwd=ROOT, env={**clean_environment(), **variables}, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def awx() -> t.Iterator[AwxServer]:
    """A server that awx.yml was run against once."""
    with AwxServer() as server:
        set_up(server)
        server.first = list(server.writes)
        yield server


def test_everything_of_the_data_is_there(awx: AwxServer) -> None:
    templates = awx.named("job_templates")
    assert set(templates) == {one["name"] for one in DATA["awx_job_templates"]}
    assert set(awx.named("workflow_job_templates")) == {one["name"] for one in DATA["awx_workflows"]}
    for one in DATA["awx_job_templates"]:
        made = templates[one["name"]]
        assert made["playbook"] == f"playbooks/{one['playbook']}.yml"
        assert (made["allow_simultaneous"], made["timeout"]) == (False, one["timeout"])
        assert made["ask_job_type_on_launch"] is not one.get("check", False)
        assert made["survey_enabled"] is ("survey" in one)
        assert awx.surveys.get(("job_templates", made["id"]), {}).get("spec") == one.get("survey")
        assert json.loads(made["extra_vars"]) == ({"stack_lock_ttl": one["timeout"]} if one.get("locks") else {})


def test_the_nodes_follow_one_another(awx: AwxServer) -> None:
    nodes = {one["id"]: one for one in awx.objects["workflow_job_template_nodes"].values()}
    for workflow in DATA["awx_workflows"]:
        made = awx.named("workflow_job_templates")[workflow["name"]]
        own = {one["identifier"]: one for one in nodes.values() if one["workflow_job_template"] == made["id"]}
        for node in workflow["nodes"]:
            links = awx.links.get(("workflow_job_template_nodes", own[node["name"]]["id"], "success_nodes"), [])
            assert [nodes[link]["identifier"] for link in links] == node.get("next", [])
            assert own[node["name"]].get("job_type") == node.get("job_type")
            assert own[node["name"]].get("job_tags") == node.get("tags")
    assert [(one["name"], one["timeout"]) for one in awx.objects["workflow_approval_templates"].values()] == [
        ("Deploy what the plan shows?", 86400)
    ]


def test_the_schedules_are_those_of_the_inventory(awx: AwxServer) -> None:
    """One stack has backups; none follows another's images."""
    assert {name: one.get("limit") for name, one in awx.named("schedules").items()} == {
        "Nightly backup of classic_prod": "classic_prod",
        "Daily drift check of classic_ec2": None,
    }


def test_no_secret_is_sent(awx: AwxServer) -> None:
    assert not any(path.startswith(f"{PREFIX}credentials") for _method, path, _body in awx.first)


def test_awxkit_knows_every_field_that_is_sent(awx: AwxServer) -> None:
    from awxkit.api import pages

    models = {
        "organizations": pages.Organization,
        "projects": pages.Project,
        "inventories": pages.Inventory,
        "inventory_sources": pages.InventorySource,
        "execution_environments": pages.ExecutionEnvironment,
        "credential_types": pages.CredentialType,
        "job_templates": pages.JobTemplate,
        "workflow_job_templates": pages.WorkflowJobTemplate,
        "workflow_job_template_nodes": pages.WorkflowJobTemplateNode,
    }
    # What awx.awx sends by itself: a job template is in its project's organization whatever one says, for example.
    beside = {
        "credential_types": {"managed"},
        "job_templates": {"organization"},
        "workflow_job_template_nodes": {"type"},
        # Fields of AWX's API that awxkit's model has no argument for.
        "projects": {"default_environment", "timeout"},
        "inventory_sources": {"execution_environment"},
    }
    created = [(path.removeprefix(PREFIX).strip("/"), body) for method, path, body in awx.first if method == "POST"]
    seen = {}
    for endpoint, body in created:
        if endpoint not in models:
            continue
        given = {key: SimpleNamespace(id=value) if key in REFERENCES else value for key, value in body.items()}
        if endpoint == "workflow_job_template_nodes":
            given.setdefault("unified_job_template", None)
        if endpoint == "inventory_sources":
            given["project"] = given["source_project"]
        # These methods use nothing of the page that they belong to, which would want a connection.
        known = models[endpoint].payload(None, **given)
        unknown = {key for key, value in body.items() if known.get(key) not in (value, given[key])} - beside.get(
            endpoint, set()
        )
        seen[endpoint] = seen.get(endpoint, set()) | unknown
    assert seen == {endpoint: set() for endpoint in models}


def test_a_second_run_sends_only_what_differs(awx: AwxServer, tmp_path: Path) -> None:
    """Another image, and another inventory: a standby that is saved at a time of its own and follows another stack."""
    stack = {"stack_tiers": ["backups", "registry"], "registry_source": "active", "backups_schedule": "DTSTART:x"}
    hosts = {"stacks": {"hosts": {"standby": stack, "active": {"stack_tiers": []}}}}
    inventory = tmp_path / "shop" / "hosts.yml"
    inventory.parent.mkdir()
    inventory.write_text(json.dumps(hosts))
    image = {"awx_execution_environment": {**DATA["awx_execution_environment"], "image": "localhost/other:1"}}
    set_up(awx, "-e", json.dumps(image), inventory=inventory)
    sent = [(method, path.removeprefix(PREFIX), body.get("name")) for method, path, body in awx.writes]
    number = awx.named("execution_environments")["palier.aws"]["id"]
    assert sent == [
        ("PATCH", f"execution_environments/{number}/", "palier.aws"),
        ("POST", "inventories/", "shop"),
        ("POST", "inventory_sources/", "shop"),
        ("POST", "schedules/", "Nightly backup of standby"),
        ("POST", "schedules/", "Hourly image sync of shop"),
        ("POST", "schedules/", "Daily drift check of shop"),
    ]
    assert awx.named("inventory_sources")["shop"]["source_path"] == "inventories/shop/hosts.yml"
    assert awx.named("schedules")["Nightly backup of standby"]["rrule"] == "DTSTART:x"

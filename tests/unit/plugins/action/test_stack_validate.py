# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bad input stops in the first play of a real ansible-playbook run, with the variable, its value and what to write."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[4]
SECRET = "correct-horse-battery"
GOOD: dict[str, t.Any] = {
    "stack_name": "shop",
    "stack_env": "prod",
    "stack_region": "eu-west-3",
    "stack_tiers": ["network", "rds", "ec2_app", "s3_site"],
    "network_cidr": "10.0.0.0/16",
    "rds_engine": "mysql",
    "ec2_app_instances": [{"name": "web", "ports": [443]}],
    "s3_site_source": "site",
}
PEER = [*GOOD["stack_tiers"], "peering"]


class Bad(t.NamedTuple):
    """A host whose description is bad in one place, and what must be said of it.

    :param changes: variables that differ from the good description; C(None) leaves one out.
    :param variable: beginning of the sentence.
    :param value: what was written, or what is counted.
    :param fix: what to write instead.
    """

    changes: dict[str, t.Any]
    variable: str
    value: str
    fix: str


def web(**options: t.Any) -> dict[str, t.Any]:
    return {"ec2_app_instances": [{"name": "web", **options}]}


BAD = {
    "overlap_one": Bad(
        {"stack_tiers": PEER, "peering_connections": [{"peer": "overlap_two"}]},
        "network_cidr",
        "'10.0.0.0/16' of overlap_one and '10.0.64.0/20' of overlap_two overlap",
        "give one of them another block, such as '10.1.0.0/16'",
    ),
    "overlap_two": Bad(
        {
            "stack_tiers": PEER,
            "network_cidr": "10.0.64.0/20",
            "peering_connections": [{"peer": "overlap_one"}],
        },
        "network_cidr",
        "'10.0.64.0/20' of overlap_two and '10.0.0.0/16' of overlap_one overlap",
        "give one of them another block, such as '10.1.0.0/16'",
    ),
    "unknown_peer": Bad(
        {"stack_tiers": PEER, "peering_connections": [{"peer": "overlap_tow"}]},
        "peering_connections[0].peer",
        "no stack 'overlap_tow'",
        "Did you mean overlap_two?",
    ),
    "small": Bad(
        {"network_cidr": "10.0.0.0/27"},
        "network_cidr",
        "'10.0.0.0/27' holds 2 subnets of /28, too small for 4",
        "write a larger block, /26 at least",
    ),
    "one_zone": Bad(
        {"network_zones": ["b"]},
        "network_zones",
        "the description has 1",
        "write network_zones: 2",
    ),
    "no_network": Bad(
        {"stack_tiers": ["rds"]},
        "stack_tiers",
        "'rds' needs the tier 'network'",
        "add 'network' to the list",
    ),
    "no_such_tier": Bad(
        {"stack_tiers": ["netwrok"]},
        "stack_tiers",
        "no tier 'netwrok'",
        "Did you mean network?",
    ),
    "typing_error": Bad(
        {"rds_engin_version": "8.4"},
        "rds_engin_version",
        "the role rds has no such variable",
        "Did you mean rds_engine_version?",
    ),
    "typing_error_below": Bad(
        web(instnace_type="t3.micro"),
        "ec2_app_instances[0].instnace_type",
        "no such setting",
        "Did you mean instance_type?",
    ),
    "long_role": Bad(
        web(name="a" * 56),
        "ec2_app_instances[0].name",
        "would have 66 characters, IAM allows 64",
        "shorten stack_name, stack_env or the instance's name by 2",
    ),
    "long_database": Bad(
        {"rds_identifier": "a" * 64},
        "rds_identifier",
        "(64 characters)",
        "write a shorter or plainer one",
    ),
    "long_stack": Bad(
        {"stack_name": "a" * 36},
        "stack_name",
        "would have 64 characters, S3 allows 63",
        "shorten stack_name or stack_env by 1",
    ),
    "plain_password": Bad(
        {"rds_password": SECRET},
        "rds_password",
        "a secret in plain text",
        "Secrets Manager",
    ),
    "plain_environment": Bad(
        web(application={"repository": "https://git.example.com/x.git", "environment": {"DB_PASSWORD": SECRET}}),
        "ec2_app_instances[0].application.environment.DB_PASSWORD",
        "a secret in plain text",
        "write application.secrets: {DB_PASSWORD: NAME}",
    ),
    "plain_below": Bad(
        web(application={"repository": "https://git.example.com/x.git", "api_token": SECRET}),
        "ec2_app_instances[0].application.api_token",
        "a secret in plain text",
        "named under application.secrets",
    ),
    "open_ssh": Bad(
        web(ports=[22]),
        "ec2_app_instances[0].ports",
        "22 (SSH)",
        "write ec2_app_instances[0].ssh_from",
    ),
    "engine": Bad(
        {"rds_engine": "mysqll"},
        "rds_engine",
        "'mysqll'",
        "Did you mean mysql?",
    ),
    "unquoted": Bad(
        {"rds_engine_version": 8.4},
        "rds_engine_version",
        "8.4 is a number",
        "write it in quotes, such as '8.4'",
    ),
    "not_a_list": Bad(
        {"stack_tiers": "network"},
        "stack_tiers",
        "a string stands where a list belongs",
        "write each item on a line of its own",
    ),
    "not_a_dict": Bad(
        {"ec2_app_instances": ["web"]},
        "ec2_app_instances[0]",
        "a string stands where a dict belongs",
        "write its settings below it",
    ),
    "not_a_number": Bad(
        {"rds_allocated_storage": "20 GB"},
        "rds_allocated_storage",
        "'20 GB'",
        "write such as 20",
    ),
    "empty": Bad(
        {"network_nat": None},
        "network_nat",
        "is empty",
        "remove the line for the default, 'none'",
    ),
    "missing": Bad(
        {"network_cidr": ...},
        "network_cidr",
        "is missing",
        "for example 10.0.0.0/16",
    ),
    "undefined": Bad(
        {"network_cidr": "{{ shop_block }}"},
        "network_cidr",
        "'shop_block' is undefined",
        "write what is missing, or network_cidr itself",
    ),
    "undefined_below": Bad(
        web(timezone="{{ shop_zone }}"),
        "ec2_app_instances",
        "'shop_zone' is undefined",
        "write what is missing, or ec2_app_instances itself",
    ),
    "undefined_of_a_peer": Bad(
        {"stack_tiers": PEER, "peering_connections": [{"peer": "{{ shop_peer }}"}]},
        "peering_connections",
        "'shop_peer' is undefined",
        "write what is missing, or peering_connections itself",
    ),
    "no_source": Bad(
        {"s3_site_source": ...},
        "s3_site_sites[0].source",
        "no directory ''",
        "write the path of the built site",
    ),
    "no_directory": Bad(
        {"s3_site_source": "nowhere"},
        "s3_site_sites[0].source",
        "'nowhere'",
        "write the path of the built site",
    ),
    "empty_source": Bad(
        {"s3_site_source": ""},
        "s3_site_sites[0].source",
        "no directory ''",
        "write the path of the built site",
    ),
}


class Run(t.NamedTuple):
    """An ended run.

    :param code: exit code.
    :param output: everything it printed.
    :param results: what the failed task returned, by host.
    """

    code: int
    output: str
    results: dict[str, dict[str, t.Any]]


def run(directory: Path, hosts: dict[str, dict[str, t.Any]], playbook: Path, *arguments: str) -> Run:
    """Run a playbook over an inventory in which every host is a stack with a site beside it."""
    (directory / "site").mkdir()
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = directory / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"stacks": {"hosts": hosts, "vars": local}}))
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(playbook), *arguments],
        cwd=ROOT,
        # Nothing listens there: a call to AWS would fail the run in another way.
        env={**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
        text=True,
        capture_output=True,
        check=False,
    )
    blocks = re.findall(r"^(?:fatal|ok): \[(\w+)\].*?=> *\n((?: .*\n|\n)+)", ended.stdout, re.MULTILINE)
    results = {host: yaml.safe_load(text) for host, text in blocks}
    return Run(ended.returncode, ended.stdout + ended.stderr, results)


def description(changes: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of deploy.yml over every bad description and a good one, at the highest verbosity that people use."""
    hosts = {"good": GOOD, **{name: description(bad.changes) for name, bad in BAD.items()}}
    return run(tmp_path_factory.mktemp("bad"), hosts, ROOT / "playbooks" / "deploy.yml", "-vvv")


@pytest.mark.parametrize("name", BAD)
def test_the_sentence_names_variable_value_and_fix(deployed: Run, name: str) -> None:
    bad, result = BAD[name], deployed.results[name]
    (sentence, *more) = [one for one in result["problems"] if one.startswith(f"{bad.variable}: ")]
    assert bad.value in sentence
    assert bad.fix in sentence
    assert not more


#: Descriptions of which something else is rightly said as well.
SAID_MORE = {"no_such_tier", "typing_error_below"}


@pytest.mark.parametrize("name", sorted(set(BAD) - SAID_MORE))
def test_nothing_else_is_said(deployed: Run, name: str) -> None:
    assert len(deployed.results[name]["problems"]) == 1


def test_it_is_the_first_play_that_fails(deployed: Run) -> None:
    assert deployed.code != 0
    assert re.findall(r"^PLAY \[(.*)\]", deployed.output, re.MULTILINE) == [
        "Check every description before the first change"
    ]
    assert "127.0.0.1:9" not in deployed.output
    assert not re.search(r"changed=[1-9]", deployed.output)


def test_the_message_lists_what_is_wrong(deployed: Run) -> None:
    result = deployed.results["small"]
    (sentence,) = result["problems"]
    assert result["msg"] == f"The description of small has 1 problem; nothing was changed.\n- {sentence}"
    assert result["changed"] is False


def test_no_secret_is_printed(deployed: Run) -> None:
    assert SECRET not in deployed.output


def test_the_good_one_is_not_blamed(deployed: Run) -> None:
    assert "problems" not in deployed.results.get("good", {})
    assert not re.search(r"fatal: \[good\]", deployed.output)


PLAY = """
- hosts: stacks
  gather_facts: false
  vars_files: ["{root}/roles/stack/vars/main.yml"]
  tasks:
    - palier.aws.stack_validate:
      register: checked
      ignore_errors: true
    - ansible.builtin.debug: {{var: checked.region_check}}
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of the action alone, in check mode: without the role, whose own variables Ansible checks before it."""
    directory = tmp_path_factory.mktemp("good")
    playbook = directory / "play.yml"
    playbook.write_text(PLAY.format(root=ROOT))
    hosts = {
        "nameless": description({"stack_name": ..., "stack_region": "Paris"}),
        "prod": {**GOOD, "rds_engine_version": "{{ version }}", "version": "8.0"},
        "dev": {**GOOD, "stack_env": "dev", "stack_tiers": ["network", "rds"], "rds_engine": "postgres"},
    }
    return run(directory, hosts, playbook, "--check")


def test_a_good_one_says_what_it_wants_of_its_region(checked: Run) -> None:
    assert checked.code == 0, checked.output
    prod, dev = (checked.results[host]["checked.region_check"] for host in ("prod", "dev"))
    assert prod["instance_types"] == [{"value": "t3.micro", "variable": "ec2_app_instances[0].instance_type"}]
    assert (dev["instance_types"], dev["images"]) == ([], [])
    ((mysql,), (postgres,)) = prod["db"], dev["db"]
    # Defaults are computed as the roles compute them: a second zone in production, the engine's own version.
    assert (mysql["engine"], mysql["engine_version"], "multi_az" in mysql["features"]) == ("mysql", "8.0", True)
    assert (postgres["engine"], postgres["engine_version"], postgres["features"]) == (
        "postgres",
        "17",
        ["storage_encryption"],
    )


def test_what_follows_from_a_missing_name_is_not_said_as_well(checked: Run) -> None:
    found = re.search(r"fatal: \[nameless\].*?=> *\n((?: .*\n|\n)+)", checked.output)
    assert found
    assert yaml.safe_load(found[1])["problems"] == [
        (
            "stack_name: is missing; write it: Name of the system, the first part of every name. Lower-case letters,"
            " digits and hyphens"
        ),
        "stack_region: 'Paris' is not an AWS region name; write one such as 'eu-west-3'",
    ]

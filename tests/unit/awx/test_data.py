# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""playbooks/vars/awx.yml, held against the playbooks, the roles' argument specs, and the rules that AWX's API has."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests import awx_data
from tools.argument_specs import spec_options
from tools.collection import ROOT, load_roles

Record = dict[str, t.Any]
DATA = awx_data.load()
TEMPLATES: list[Record] = DATA["awx_job_templates"]
QUESTIONS = [
    pytest.param(template, item, id=f"{template['playbook']}-{item['variable']}")
    for template in TEMPLATES
    for item in template.get("survey", [])
]
#: Types of a survey's questions, by those of argument specs; an answer to a yes-or-no question is a word.
FITTING = {"str": {"text", "textarea", "multiplechoice"}, "bool": {"multiplechoice"}, "int": {"integer"}}
#: What each type of question takes as its default.
DEFAULTS = {"text": str, "textarea": str, "multiplechoice": str, "integer": int}
KEYS = {"variable", "question_name", "question_description", "type", "choices", "default", "required", "min", "max"}
SPECS = {name: spec_options(role) for name, role in load_roles().items()}
VARIABLES: dict[str, Record] = {name: spec for specs in SPECS.values() for name, spec in specs.items()}


def text_of(playbook: str) -> str:
    """A playbook's text, with what it imports and includes."""
    text = (ROOT / "playbooks" / f"{playbook}.yml").read_text()
    imported = re.findall(r"import_playbook: (\w+)\.yml", text)
    included = re.findall(r"include_tasks: (tasks/\w+)\.yml", text)
    return "\n".join([text, *map(text_of, [*imported, *included])])


def roles_of(playbook: str) -> set[str]:
    """The roles that a playbook may run; all of them where it finds the name only when it runs."""
    names = set(re.findall(r"palier\.aws\.([a-z]\w*|\{)", text_of(playbook)))
    return set(SPECS) if "{" in names else names & set(SPECS)


# --- job templates ---


def test_each_playbook_has_one_job_template() -> None:
    playbooks = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml") if path.stem != "awx")
    assert sorted(template["playbook"] for template in TEMPLATES) == playbooks


def test_names_are_unique() -> None:
    names = [one["name"] for one in [*TEMPLATES, *DATA["awx_workflows"]]]
    assert len(set(names)) == len(names)


def test_unknown_keys_of_a_job_template_are_refused() -> None:
    known = {"name", "playbook", "description", "timeout", "locks", "slices", "check", "diff", "survey"}
    assert [set(template) - known for template in TEMPLATES] == [set()] * len(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template["playbook"])
def test_a_template_says_whether_its_playbook_locks(template: Record) -> None:
    looks_only = template.get("check", False)
    locks = "tasks_from: lock" in text_of(template["playbook"]) and not looks_only
    assert template.get("locks", False) is locks
    takeover = [item for item in template.get("survey", []) if item["variable"] == "stack_lock_takeover"]
    assert bool(takeover) is locks


def test_only_a_playbook_whose_roles_look_at_no_other_stack_is_cut_into_slices() -> None:
    crossing = {
        path.relative_to(ROOT / "roles").parts[0]
        for path in (ROOT / "roles").glob("*/*/*.yml")
        if re.search(r"\bhostvars\b|groups\[", path.read_text())
    }
    assert crossing, "the search finds nothing any more"
    for template in TEMPLATES:
        if template.get("slices"):
            assert not roles_of(template["playbook"]) & crossing


# --- surveys ---


@pytest.mark.parametrize(("template", "item"), QUESTIONS)
def test_a_question_asks_for_a_variable_of_its_playbook(template: Record, item: Record) -> None:
    name = item["variable"]
    roles = roles_of(template["playbook"])
    known = {variable for role in roles for variable in SPECS[role]}
    assert name in known or re.search(rf"\b{name}\b", text_of(template["playbook"])), f"{name} is not read"


@pytest.mark.parametrize(("template", "item"), QUESTIONS)
def test_a_question_fits_the_argument_spec(template: Record, item: Record) -> None:
    spec = VARIABLES.get(item["variable"])
    if spec is None:
        assert item["type"] == "text"
        return
    assert item["type"] in FITTING[spec.get("type", "str")]
    if spec.get("type") == "bool":
        assert sorted(item["choices"]) == ["false", "true"]
    elif "choices" in spec:
        assert item["choices"] == spec["choices"]
    default = spec.get("default")
    said = str(default).lower() if isinstance(default, bool) else default
    assert item["default"] == said, "without an answer, the job does not do what the role would"


@pytest.mark.parametrize(("template", "item"), QUESTIONS)
def test_a_question_is_in_the_form_that_awx_accepts(template: Record, item: Record) -> None:
    assert {"variable", "question_name", "type", "required"} <= set(item) <= KEYS
    assert isinstance(item["required"], bool)
    assert item["type"] in DEFAULTS
    assert ("choices" in item) is (item["type"] == "multiplechoice")
    if "default" in item:
        assert isinstance(item["default"], DEFAULTS[item["type"]])
        assert item["default"] in item.get("choices", [item["default"]])
    assert item["required"] is ("default" not in item)


def test_no_question_asks_for_what_an_inventory_says() -> None:
    written = set()
    for path in (ROOT / "inventories").glob("*/*_vars/**/*.yml"):
        written |= set(yaml.safe_load(path.read_text()) or {})
    assert not written & {item["variable"] for template in TEMPLATES for item in template.get("survey", [])}


# --- workflows ---


@pytest.mark.parametrize("workflow", DATA["awx_workflows"], ids=lambda workflow: workflow["name"])
def test_a_workflow_is_one_chain_of_job_templates_and_approvals(workflow: Record) -> None:
    nodes = workflow["nodes"]
    names = [node["name"] for node in nodes]
    # In the order in which they run; awx.yml creates them from the last one on.
    assert [node.get("next", []) for node in nodes] == [[name] for name in names[1:]] + [[]]
    templates = {template["name"]: template for template in TEMPLATES}
    for node in nodes:
        assert ("job_template" in node) is not ("approval" in node)
        assert set(node) <= {"name", "next", "job_template", "approval", "timeout", "job_type", "tags"}
        if "job_template" in node:
            template = templates[node["job_template"]]
            # A node may only give what its job template asks for; and nobody is there to answer.
            assert not (node.get("job_type") and template.get("check"))
            assert not any(item["required"] for item in template.get("survey", []))
            tags = set(str(node.get("tags", "")).split(",")) - {""}
            assert tags <= set(re.findall(r"tags: \[(\w+)\]", text_of(template["playbook"])))


def test_nothing_is_deployed_before_its_plan_is_approved() -> None:
    [deploy] = [one for one in DATA["awx_workflows"] if any("approval" in node for node in one["nodes"])]
    assert [(node.get("job_template"), node.get("job_type")) for node in deploy["nodes"]] == [
        ("Deploy", "check"),
        (None, None),
        ("Deploy", None),
        ("Verify", None),
    ]


# --- schedules ---


def problems_of_rule(rule: str) -> list[str]:
    """What AWX's API refuses of a recurrence rule, as far as it matters here."""
    starts = re.findall(r"DTSTART(?:;TZID=[\w/]+)?:\d{8}T\d{6}(Z?)", rule)
    rules = re.findall(r"RRULE:(\S+)", rule)
    found = [] if len(starts) == 1 else ["not one DTSTART"]
    found += ["DTSTART without a time zone"] if starts == [""] and "TZID" not in rule else []
    found += [] if rules else ["no RRULE"]
    found += [f"no INTERVAL: {one}" for one in rules if "INTERVAL=" not in one]
    found += [f"too often: {one}" for one in rules if re.search("FREQ=(SECONDLY|MINUTELY)", one)]
    return found


def test_the_check_of_rules_finds_what_is_wrong() -> None:
    assert problems_of_rule("DTSTART:20240101T030000 RRULE:FREQ=DAILY;INTERVAL=1") == ["DTSTART without a time zone"]
    assert problems_of_rule("RRULE:FREQ=SECONDLY") == [
        "not one DTSTART",
        "no INTERVAL: FREQ=SECONDLY",
        "too often: FREQ=SECONDLY",
    ]


@pytest.mark.parametrize("schedule", DATA["awx_schedules"], ids=lambda schedule: schedule["name"])
def test_a_schedule_runs_something_that_needs_no_answer(schedule: Record) -> None:
    assert problems_of_rule(schedule["rrule"]) == []
    assert ("workflow" in schedule) is not ("job_template" in schedule)
    names = {one["name"] for one in DATA["awx_workflows"]} | {
        one["name"] for one in TEMPLATES if not any(item["required"] for item in one.get("survey", []))
    }
    assert schedule.get("workflow", schedule.get("job_template")) in names


def test_what_a_schedule_reads_of_a_stack_is_a_variable_of_a_role() -> None:
    for schedule in DATA["awx_schedules"]:
        assert schedule.get("only_if_set", "registry_source") in VARIABLES
        if "each_stack" in schedule:
            spec = VARIABLES[schedule["each_stack"]["rrule_from"]]
            assert (schedule["each_stack"]["tier"] in SPECS, spec["default"]) == (True, schedule["rrule"])


# --- credential types ---


def render(template: str, **values: t.Any) -> str:
    """An injector's template as AWX renders it."""
    return ImmutableSandboxedEnvironment().from_string(template).render(**values)


@pytest.mark.parametrize("external_id", ["", "x-1"])
def test_boto3_takes_the_role_on_that_a_credential_names(
    external_id: str, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import botocore.session

    [kind] = DATA["awx_credential_types"]
    values = {"access_key": "AKIAEXAMPLE", "secret_key": "s3cret", "role_arn": "arn:aws:iam::123456789012:role/awx"}
    config = tmp_path / "config"
    config.write_text(render(kind["injectors"]["file"]["template"], **values, external_id=external_id))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name, template in kind["injectors"]["env"].items():
        monkeypatch.setenv(name, render(template, tower={"filename": str(config)}))
    profiles = botocore.session.Session().full_config["profiles"]
    assert profiles["palier-keys"] == {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "s3cret"}
    chosen = profiles[botocore.session.Session().get_config_variable("profile")]
    assert chosen.get("external_id", "") == external_id
    assert {key: chosen[key] for key in ("source_profile", "role_arn", "duration_seconds")} == {
        "source_profile": "palier-keys",
        "role_arn": values["role_arn"],
        "duration_seconds": "3600",
    }


def test_the_injectors_use_the_inputs_and_every_key_is_a_secret() -> None:
    for kind in DATA["awx_credential_types"]:
        fields = {field["id"]: field for field in kind["inputs"]["fields"]}
        assert set(kind["inputs"]["required"]) <= set(fields)
        values = dict.fromkeys(fields, "x") | {"tower": {"filename": "x"}}
        strict = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        for template in [*kind["injectors"]["file"].values(), *kind["injectors"]["env"].values()]:
            assert strict.from_string(template).render(**values)
        assert fields["secret_key"]["secret"] is True
        # AWX refuses these: they would change how Ansible itself runs.
        assert not any(name.startswith("ANSIBLE_") for name in kind["injectors"]["env"])


def test_no_secret_stands_in_the_file() -> None:
    text = (ROOT / "playbooks" / "vars" / "awx.yml").read_text()
    assert not re.search(r"AKIA[0-9A-Z]{16}|password:|token:", text)
    assert (DATA["awx_credential"], DATA["awx_project"]["credential"]) == ("", "")

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks the whole description of a stack before the first change (see the module of the same name)."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.palier.aws.plugins.plugin_utils import argument_specs, description, opened, region_wants, sites

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19 trusts every string

    def trust_as_template(value: str) -> str:
        return value


Values = dict[str, t.Any]
Specs = dict[str, Values]

#: Variables with a role's prefix that the collection sets itself.
PUBLISHED = ("_facts", "_state", "_leftovers")
COMPUTED = {"stack_prefix", "stack_resource_tags", "stack_iam_path", "stack_parameter_path", "stack_task_environment"}


#: Roles that every stack has, whatever its tiers.
OF_EVERY_STACK = ("stack", "report")


#: What the rules look at in the other stacks of the inventory.
OF_PEERS = (
    "stack_name",
    "stack_tiers",
    "network_cidr",
    "peering_connections",
    "dns_zone",
    "dns_records",
)


class ActionModule(ActionBase):
    """Runs on the controller: it reads variables only."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: Values | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        result["changed"] = False
        specs = argument_specs.role_options()
        values, errors = self._values(specs, task_vars or {})
        stack = self._stack(specs, values, task_vars or {})
        found = [*errors, *description.problems(stack, malformed=bool(errors))]
        if found:
            result["failed"] = True
            result["problems"] = found
            result["msg"] = _message(stack.host, found)
            return result
        result["region_check"] = region_wants.region_wants(values)
        result["opened"] = opened.opened(values)
        return result

    def _values(self, specs: Specs, task_vars: Values) -> tuple[dict[str, t.Any], list[str]]:
        """Every variable of the stack and of its tiers, templated, validated, with defaults."""
        defaults = {
            name: _trusted(option["default"])
            for options in specs.values()
            for name, option in options.items()
            if "default" in option
        }
        templar = self._templar.copy_with_new_env(available_variables={**defaults, **task_vars})
        values: Values = {}
        errors: list[str] = []
        consequences: list[str] = []
        for role in dict.fromkeys([*OF_EVERY_STACK, *self._tiers(templar, task_vars)]):
            options = specs.get(role, {})
            given, failed = _templated(templar, options, {**defaults, **task_vars})
            mine, said = argument_specs.validate({name: options[name] for name in options if name not in failed}, given)
            values.update({**given, **mine})
            errors.extend([*(sentence for name, sentence in failed.items() if name in task_vars), *said])
            consequences.extend(sentence for name, sentence in failed.items() if name not in task_vars)
        # A default that cannot be computed follows from something that is missing, which is said already.
        return values, errors or consequences

    @staticmethod
    def _tiers(templar: t.Any, task_vars: Values) -> list[str]:
        try:
            tiers = templar.template(task_vars.get("stack_tiers", []))
        except AnsibleError:
            return []
        if isinstance(tiers, str):
            tiers = tiers.split(",")  # the argument spec says that it should be a list
        return [str(tier) for tier in tiers] if isinstance(tiers, (list, tuple)) else []

    def _stack(self, specs: Specs, values: Values, task_vars: Values) -> description.Stack:
        host = task_vars.get("inventory_hostname", "")
        hostvars = task_vars.get("hostvars", {})
        return description.Stack(
            host=host,
            values=values,
            names=_set_names(specs, task_vars),
            known={role: set(options) for role, options in specs.items()},
            peers={
                other: {name: _of_peer(hostvars[other], name) for name in OF_PEERS}
                for other in hostvars
                if other != host and _of_peer(hostvars[other], "stack_name")
            },
            missing_directories=_missing_directories(values, task_vars),
        )


def _templated(templar: t.Any, options: Values, variables: Values) -> tuple[Values, dict[str, str]]:
    """The values of a role's variables, and a sentence for each one that cannot be computed."""
    values, failed = {}, {}
    for name in options:
        if name not in variables:
            continue
        try:
            values[name] = templar.template(variables[name])
        except AnsibleError as error:
            failed[name] = f"{name}: cannot be computed: {error}; write what is missing, or {name} itself"
    return values, failed


def _of_peer(variables: t.Mapping[str, t.Any], name: str) -> t.Any:
    """Another stack's variable; C(None) where it cannot be computed, which is said when that stack is checked."""
    try:
        return _computed(variables.get(name))
    except AnsibleError:
        return None


def _computed(value: t.Any) -> t.Any:
    """The value with every template in it computed: Ansible computes what is in a list or dict when it is looked at."""
    if isinstance(value, dict):
        return {key: _computed(item) for key, item in value.items()}
    return [_computed(item) for item in value] if isinstance(value, list) else value


def _trusted(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: _trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    return value


def _set_names(specs: Specs, task_vars: Values) -> set[str]:
    prefixes = tuple(f"{role}_" for role in specs)
    return {
        name
        for name in task_vars
        if name.startswith(prefixes) and not name.endswith(PUBLISHED) and name not in COMPUTED
    }


def _missing_directories(values: Values, task_vars: Values) -> dict[str, str]:
    missing = {}
    for index, site in enumerate(values.get("s3_site_sites") or []):
        source = site.get("source") if isinstance(site, dict) else None
        if source is None:
            continue  # said by the argument spec
        # An empty source would publish the inventory itself.
        if not source or not Path(sites.site_source(str(source), task_vars.get("inventory_dir"))).is_dir():
            missing[f"s3_site_sites[{index}].source"] = str(source)
    return missing


def _message(host: str, found: list[str]) -> str:
    noun = "problem" if len(found) == 1 else "problems"
    return f"The description of {host} has {len(found)} {noun}; nothing was changed.\n" + "\n".join(
        f"- {sentence}" for sentence in found
    )

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The roles' argument specs, which are the schema of a stack's description."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

Options = dict[str, t.Any]

ROLES = Path(__file__).resolve().parents[2] / "roles"


@functools.cache
def role_options() -> dict[str, Options]:
    """The options of every role's main entry point, by role."""
    found = {}
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        spec = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        found[path.parents[1].name] = spec.get("main", {}).get("options") or {}
    return found


def validate(options: Options, values: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[str]]:
    """Validate values against a role's options.

    :param options: the options, as in C(meta/argument_specs.yml).
    :param values: the values that are set.
    :returns: the values with every default filled in (those of nested options too) and types converted, and the errors.
    """
    result = ArgumentSpecValidator(_module_spec(options)).validate(values)
    return dict(result.validated_parameters), list(result.error_messages)


def _module_spec(options: Options) -> Options:
    kept = ("type", "elements", "required", "default", "choices", "no_log")
    spec = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in kept if key in option}
        spec[name].setdefault("no_log", False)
        if "options" in option:
            spec[name]["options"] = _module_spec(option["options"])
    return spec


def with_defaults(items: list[dict[str, t.Any]], role: str, variable: str) -> list[dict[str, t.Any]]:
    """A list of dicts with the defaults of its argument spec filled in, as the validation saw it.

    :param items: the list as the inventory has it.
    :param role: role whose argument spec has the variable.
    :param variable: name of the list variable.
    :raises ValueError: the first error, where the list does not keep the spec.
    """
    values, errors = validate({variable: role_options()[role][variable]}, {variable: items})
    if errors:
        raise ValueError(errors[0])
    return values[variable]

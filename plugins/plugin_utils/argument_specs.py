# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The roles' argument specs, which are the schema of a stack's description."""

from __future__ import annotations

import functools
import re
import typing as t
from pathlib import Path

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.validation import check_type_bool, check_type_float, check_type_int
from ansible_collections.palier.aws.plugins.plugin_utils import description

Options = dict[str, t.Any]

#: The one written in C where it is there: every task's process may read the specs.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ROLES = Path(__file__).resolve().parents[2] / "roles"


@functools.cache
def role_options() -> dict[str, Options]:
    """The options of every role's main entry point, by role."""
    found = {}
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        spec = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)["argument_specs"]
        found[path.parents[1].name] = spec.get("main", {}).get("options") or {}
    return found


def validate(options: Options, values: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[str]]:
    """Validate values against a role's options.

    :param options: the options, as in C(meta/argument_specs.yml).
    :param values: the values that are set.
    :returns: the values with every default filled in (those of nested options too) and types converted, and the errors,
        each a sentence that names the variable with its place in lists and dicts.
    """
    values = plain(values)
    errors = list(problems(options, values))
    try:
        result = ArgumentSpecValidator(_module_spec(options)).validate(values)
    except TypeError:
        if not errors:
            raise
        return values, errors  # Ansible stumbles over a number where a dict belongs
    # Ansible's own messages name neither the place nor the nearest right name. They stand in for what ours overlook.
    return dict(result.validated_parameters), errors or list(result.error_messages)


def plain(value: t.Any) -> t.Any:
    """A value in which lists and dicts are Python's own.

    Ansible's hold what they were templated with, and the validator copies all of that with them: 50 times the work.

    :param value: any.
    """
    if isinstance(value, t.Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


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


# -- sentences ---------------------------------------------------------------------------------------------------------


def problems(options: Options, values: t.Mapping[str, t.Any], where: str = "") -> t.Iterator[str]:
    """What is wrong with some values, one sentence each.

    Only a value that is a number, a truth value or a choice is repeated: any other may be a secret in the wrong place.

    :param options: the options that the values are of.
    :param values: the values that are set.
    :param where: what stands before the name of each, such as C(ec2_app_instances[0].).
    """
    for name in sorted(set(map(str, values)) - set(options)):
        if description.SECRET_NAME.search(name):
            yield description.plain_secret(f"{where}{name}")
        else:
            yield f"{where}{name}: there is no such setting.{description.nearest(name, options)}"
    for name, option in options.items():
        if name in values:
            yield from _value_problems(f"{where}{name}", option, values[name])
        elif option.get("required"):
            yield f"{where}{name}: is missing; write it: {_meaning(option)}"


def _value_problems(where: str, option: Options, value: t.Any) -> t.Iterator[str]:
    if value is None:
        if "default" in option:
            yield f"{where}: is empty; write a value, or remove the line for the default, {option['default']!r}"
        elif option.get("required"):
            yield f"{where}: is empty; write it: {_meaning(option)}"
        return
    sentence = _type_problem(option.get("type", "str"), value)
    if sentence:
        yield f"{where}: {sentence}"
    elif "choices" in option and value not in option["choices"]:
        choices = [str(choice) for choice in option["choices"]]
        yield f"{where}: '{value}' is not one of {', '.join(choices)}.{description.nearest(str(value), choices)}"
    elif option.get("type") == "list":
        element = {
            "type": option.get("elements", "raw"),
            **({"options": option["options"]} if "options" in option else {}),
        }
        for index, item in enumerate(value):
            yield from _value_problems(f"{where}[{index}]", {**element, "required": True}, item)
    elif option.get("type") == "dict" and "options" in option:
        yield from problems(option["options"], value, f"{where}.")


def _type_problem(kind: str, value: t.Any) -> str:
    """Why a value is not of a type, or nothing."""
    if kind in _COLLECTIONS:
        wanted, instead = _COLLECTIONS[kind]
        return "" if isinstance(value, wanted) else f"a {_noun(value)} stands where a {kind} belongs; write {instead}"
    if kind == "str" and isinstance(value, (bool, int, float)):
        # YAML reads 8.10 as 8.1, and no as false.
        return f"{value} is a {_noun(value)}; write it in quotes, such as '{value}'"
    if kind == "str" and not isinstance(value, str):
        return f"a {_noun(value)} stands where a string belongs; write one value"
    if kind in _SCALARS:
        check, instead = _SCALARS[kind]
        try:
            check(value)
        except (TypeError, ValueError):
            return f"'{value}' is not {instead}"
    return ""


_COLLECTIONS: dict[str, tuple[t.Any, str]] = {
    "list": ((list, tuple), "each item on a line of its own, after a hyphen"),
    "dict": (dict, "its settings below it, indented, each as 'name: value'"),
}
_SCALARS: dict[str, tuple[t.Callable[[t.Any], t.Any], str]] = {
    "int": (check_type_int, "a whole number; write such as 20"),
    "float": (check_type_float, "a number; write such as 0.5"),
    "bool": (check_type_bool, "a truth value; write true or false"),
}
_NOUNS: tuple[tuple[t.Any, str], ...] = (
    (bool, "truth value"),
    ((int, float), "number"),
    (str, "string"),
    ((list, tuple), "list"),
    (dict, "dict"),
)


def _noun(value: t.Any) -> str:
    return next((noun for kind, noun in _NOUNS if isinstance(value, kind)), "value")


def _meaning(option: Options) -> str:
    """The first sentence of an option's description, without markup."""
    text = option.get("description") or "a value"
    first = text if isinstance(text, str) else text[0]
    return re.sub(r"\b[A-Z]\(([^()]*)\)", r"\1", first).strip().rstrip(".")

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lint: a role's ``defaults/main.yml`` and ``meta/argument_specs.yml`` name the same variables with the same defaults.

- A variable with a ``default`` in the specs stands in the defaults with that value; templates are compared as text.
- A variable without one, required or not, stands commented out in the defaults: ``# rds_engine:``.
- Internal variables (``__rds_x``) have no default; they live in ``vars/main.yml``.
- A variable of another role (``stack_name`` in ``rds``) is described as that role describes it.
"""

from __future__ import annotations

import re
import sys
import typing as t

import yaml

from tools.collection import Role, load_roles

#: A variable that stands commented out: ``# rds_engine:``, and nothing but a value or a comment after it.
COMMENTED = re.compile(r"^# ?([A-Za-z_]\w*):(?:\s|$)", re.MULTILINE)
#: What two roles that both describe a variable must agree on.
SHARED = ("type", "elements", "required", "default", "choices")


def spec_options(role: Role) -> dict[str, dict[str, t.Any]]:
    """Variables of every entry point of a role; the first entry point that names one describes it."""
    options: dict[str, dict[str, t.Any]] = {}
    for entry_point in role.entry_points.values():
        for name, option in (entry_point.get("options") or {}).items():
            options.setdefault(name, option or {})
    return options


def owner(variable: str, roles: t.Iterable[str]) -> str | None:
    """The role that a variable belongs to by its prefix; the longest name wins (``ec2_app`` before ``ec2``)."""
    fitting = [name for name in roles if variable == name or variable.startswith(f"{name}_")]
    return max(fitting, key=len, default=None)


def same(left: t.Any, right: t.Any) -> bool:
    """Whether two defaults are equal, types included (``1`` is not ``true``)."""
    return type(left) is type(right) and bool(left == right)


def check_entry_points(role: Role) -> t.Iterator[str]:
    """Problems between a role's own entry points: one variable, two descriptions of what it takes."""
    options = spec_options(role)
    for entry_name, entry_point in role.entry_points.items():
        for name, option in (entry_point.get("options") or {}).items():
            for key in set(SHARED) - {"required"}:
                if not same((option or {}).get(key), options[name].get(key)):
                    yield f"{name}: entry point {entry_name} says another {key} than the first one that names it"


def check_variable(
    name: str, option: dict[str, t.Any], values: dict[str, t.Any], commented: t.Collection[str]
) -> str | None:
    """What is wrong with one variable's default, or ``None``.

    :param name: the variable.
    :param option: its specification.
    :param values: what ``defaults/main.yml`` sets.
    :param commented: the names that stand commented out there.
    """
    if "default" in option:
        if option.get("required"):
            return f"{name}: is required and has a default"
        if name not in values:
            return f"{name}: stands in meta/argument_specs.yml with a default, not in defaults/main.yml"
        if not same(values[name], option["default"]):
            return f"{name}: defaults/main.yml says {values[name]!r}, meta/argument_specs.yml {option['default']!r}"
        return None
    if name not in values:
        return None if name in commented else f"{name}: has no default, so defaults/main.yml says '# {name}:'"
    if option.get("required"):
        return f"{name}: is required, so it stands commented out in defaults/main.yml"
    if values[name] is not None:
        return f"{name}: defaults/main.yml says {values[name]!r}, meta/argument_specs.yml has no default"
    return None


def check_defaults(role: Role, own: dict[str, dict[str, t.Any]]) -> t.Iterator[str]:
    """Problems between a role's defaults and the specs of its own variables."""
    values = yaml.safe_load(role.defaults) or {}
    # "# Note: …" is prose; only the role's own names are variables.
    commented = {name for name in COMMENTED.findall(role.defaults) if name.startswith(f"{role.name}_")}
    for name in values:
        if name.startswith("__"):
            yield f"{name}: internal variables have no default, move it to vars/main.yml"
        elif name not in own:
            yield f"{name}: stands in defaults/main.yml, not in meta/argument_specs.yml"
    for name in commented - set(own):
        yield f"{name}: stands commented out in defaults/main.yml, not in meta/argument_specs.yml"
    for name, option in own.items():
        problem = check_variable(name, option, values, commented)
        if problem:
            yield problem


def check_foreign(role: Role, roles: dict[str, Role]) -> t.Iterator[str]:
    """Problems with the variables that a role's specs borrow from another role."""
    for name, option in spec_options(role).items():
        home = owner(name, roles)
        if home == role.name:
            continue
        if home is None:
            yield f"{name}: belongs to no role; its name begins with '{role.name}_'"
            continue
        original = spec_options(roles[home]).get(name)
        if original is None:
            yield f"{name}: role {home} does not describe it"
            continue
        for key in SHARED:
            if not same(option.get(key), original.get(key)):
                yield f"{name}: says {key} {option.get(key)!r}, its own role {home} says {original.get(key)!r}"


def check_role(role: Role, roles: dict[str, Role]) -> list[str]:
    """Everything that is wrong with one role's defaults and specs.

    :param role: the role.
    :param roles: every role of the collection, itself included.
    :returns: one line a problem, each naming the variable.
    """
    if "main" not in role.entry_points:
        return ["meta/argument_specs.yml has no entry point main"]
    own = {name: option for name, option in spec_options(role).items() if owner(name, roles) == role.name}
    return [*check_entry_points(role), *check_defaults(role, own), *check_foreign(role, roles)]


def main() -> int:
    """Print every problem of every role.

    :returns: 1 if there is one, else 0.
    """
    roles = load_roles()
    problems = [f"roles/{name}: {problem}" for name, role in roles.items() for problem in check_role(role, roles)]
    print("\n".join(problems) or f"{len(roles)} roles: defaults and argument specs agree")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())

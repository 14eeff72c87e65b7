# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Role READMEs and the roles' index page, written from the roles' argument specs."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from tools.collection import COLLECTION, ROOT, Role, load_roles, load_yaml
from tools.markup import code, to_markdown

#: First line of every generated page.
GENERATED = "<!-- Written by `make docs`{source}. Change that and run it again. -->"


def rows(options: dict[str, dict[str, t.Any]], prefix: str = "") -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Every option, nested ones included, as a reader would address it: ``ec2_app_instances[].name``."""
    for name, option in options.items():
        yield f"{prefix}{name}", option
        brackets = "[]" if option.get("type") == "list" else ""
        yield from rows(option.get("options") or {}, f"{prefix}{name}{brackets}.")


def type_name(option: dict[str, t.Any]) -> str:
    """``str``, or ``list of dict``."""
    kind = option.get("type", "str")
    return f"{kind} of {option['elements']}" if option.get("elements") else str(kind)


def literal(value: t.Any) -> str:
    """A value as it would be written in a YAML inventory, on one line."""
    if isinstance(value, str):
        return value or '""'
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n...\n").strip()


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def default_cell(option: dict[str, t.Any]) -> str:
    """A default, ``required``, or nothing."""
    if option.get("required"):
        return "**required**"
    return code(literal(option["default"])) if option.get("default") is not None else ""


def description_cell(option: dict[str, t.Any]) -> str:
    """The description with the choices and the version that brought the option."""
    text = to_markdown(option.get("description"), separator=" ")
    if option.get("choices"):
        text += " One of " + ", ".join(code(literal(choice)) for choice in option["choices"]) + "."
    if option.get("version_added"):
        text += f" Since {option['version_added']}."
    return text.strip()


def table(options: dict[str, dict[str, t.Any]]) -> list[str]:
    """The options as a table's lines."""
    lines = ["| Variable | Type | Default | What it says |", "|---|---|---|---|"]
    for name, option in rows(options):
        cells = [code(name), type_name(option), default_cell(option), description_cell(option)]
        lines.append("| " + " | ".join(cell(text) for text in cells) + " |")
    return lines


def entry_section(name: str, entry: dict[str, t.Any], documented: t.Collection[str]) -> list[str]:
    """One entry point's section.

    :param name: the entry point's name.
    :param entry: its specification.
    :param documented: variables that an earlier section has described; they are only named again.
    """
    options = entry.get("options") or {}
    fresh = {key: option or {} for key, option in options.items() if key not in documented}
    again = ", ".join(code(key) for key in options if key in documented)
    lines = [f"## {code(name)}: {to_markdown(entry.get('short_description')) or 'no description'}", ""]
    lines += [to_markdown(entry.get("description")), ""] if entry.get("description") else []
    lines += [*table(fresh), ""] if fresh else []
    lines += [f"Also takes {again}, described above.", ""] if again and documented else []
    return lines


def scenario_example(role: Role, root: Path) -> str:
    """The role's own variables as its molecule scenario sets them, or an empty string."""
    values: dict[str, t.Any] = {}
    for path in sorted((root / "molecule" / role.name).glob("inventory/host_vars/**/*.yml")):
        values.update(load_yaml(path) or {})
    own = {name: value for name, value in values.items() if name.startswith(f"{role.name}_")}
    return yaml.safe_dump(own, sort_keys=False, width=110).strip() if own else ""


def example_section(role: Role, root: Path) -> list[str]:
    """How the role is used: the specs' own example, else what its molecule scenario runs."""
    example = str(role.entry_points.get("main", {}).get("examples") or "").strip()
    play = f"- hosts: stacks\n  gather_facts: false\n  roles:\n    - {COLLECTION}.{role.name}"
    lines = ["## Example", ""]
    if example:
        return [*lines, "```yaml", example, "```", ""]
    variables = scenario_example(role, root)
    if variables:
        lines += ["In the stack's `host_vars`:", "", "```yaml", variables, "```", "", "and the play:", ""]
    return [*lines, "```yaml", play, "```", ""]


def readme(role: Role, root: Path = ROOT) -> str:
    """The text of a role's README.

    :param role: the role.
    :param root: the repository, for the molecule scenario that the example comes from.
    """
    lines = [GENERATED.format(source=" from meta/argument_specs.yml"), "", f"# {COLLECTION}.{role.name}", ""]
    lines += [f"{to_markdown(role.description)}.", ""] if role.description else []
    documented: set[str] = set()
    for name, entry in role.entry_points.items():
        lines += entry_section(name, entry, documented)
        documented |= set(entry.get("options") or {})
    return "\n".join([*lines, *example_section(role, root)]).rstrip() + "\n"


def index(roles: dict[str, Role]) -> str:
    """The text of docs/roles.md."""
    lines = [GENERATED.format(source=" from the roles' meta"), "", "# Roles", ""]
    lines += ["| Role | What it does | Entry points |", "|---|---|---|"]
    for name, role in roles.items():
        entries = ", ".join(code(entry) for entry in role.entry_points)
        lines.append(f"| [{name}](../roles/{name}/README.md) | {cell(to_markdown(role.description))} | {entries} |")
    return "\n".join(lines) + "\n"


def pages(root: Path = ROOT) -> dict[Path, str]:
    """Every page that this module writes, by path."""
    roles = load_roles(root)
    written = {root / "roles" / name / "README.md": readme(role, root) for name, role in roles.items()}
    return {**written, root / "docs" / "roles.md": index(roles)}

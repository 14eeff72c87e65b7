# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tools know of the collection: where its files stand, how they are read, what programs run in."""

from __future__ import annotations

import ast
import os
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml

#: The repository's root.
ROOT = Path(__file__).resolve().parent.parent
#: Where this environment's programs stand.
BIN = Path(sys.executable).parent
#: How lines begin by which a run that waits shows that it lives: the heartbeat callback's, and each retry.
ALIVE = ("still waiting:", "FAILED - RETRYING:")
#: The collection's full name.
COLLECTION = "palier.aws"


@dataclass(frozen=True)
class Role:
    """One role's interface, as its files say it.

    :param name: the role's short name.
    :param description: one sentence from ``meta/main.yml``.
    :param entry_points: ``meta/argument_specs.yml``'s entry points by name, ``main`` first.
    :param defaults: text of ``defaults/main.yml``, empty where the role has none.
    """

    name: str
    description: str = ""
    entry_points: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    defaults: str = ""


def environment(**more: str) -> dict[str, str]:
    """The environment in which the tools run programs: this environment's own first, no colours, one Ansible home.

    :param more: further variables.
    """
    return {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "ANSIBLE_HOME": str(ROOT / ".ansible"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "NO_COLOR": "1",
        **more,
    }


def load_yaml(path: Path) -> t.Any:
    """A YAML file's content, or ``None`` if the file is not there."""
    return yaml.safe_load(path.read_text()) if path.is_file() else None


def load_role(path: Path) -> Role:
    """Read one role.

    :param path: the role's directory.
    """
    specs = (load_yaml(path / "meta" / "argument_specs.yml") or {}).get("argument_specs") or {}
    meta = (load_yaml(path / "meta" / "main.yml") or {}).get("galaxy_info") or {}
    defaults = path / "defaults" / "main.yml"
    return Role(
        name=path.name,
        description=str(meta.get("description", "")).strip(),
        entry_points={name: specs[name] or {} for name in sorted(specs, key=lambda name: (name != "main", name))},
        defaults=defaults.read_text() if defaults.is_file() else "",
    )


def load_roles(root: Path = ROOT) -> dict[str, Role]:
    """Every role of the collection by name, in alphabetical order."""
    return {path.name: load_role(path) for path in sorted((root / "roles").glob("*")) if (path / "meta").is_dir()}


def module_documentation(path: Path) -> dict[str, t.Any]:
    """A plugin's DOCUMENTATION, read without importing the plugin.

    :param path: the plugin's file.
    :returns: the parsed document, empty where there is none.
    """
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        if any(isinstance(target, ast.Name) and target.id == "DOCUMENTATION" for target in node.targets):
            return yaml.safe_load(str(node.value.value)) or {}
    return {}


def load_modules(root: Path = ROOT) -> dict[str, dict[str, t.Any]]:
    """DOCUMENTATION of every module by name, in alphabetical order."""
    paths = sorted((root / "plugins" / "modules").glob("*.py"))
    return {path.stem: module_documentation(path) for path in paths if not path.stem.startswith("_")}

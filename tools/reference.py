# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reference pages: docs/modules.md from the modules' DOCUMENTATION, docs/playbooks.md from the playbooks' comments."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tools.collection import COLLECTION, ROOT, load_modules
from tools.markup import code, to_markdown
from tools.role_docs import GENERATED, cell, table


def module_section(name: str, document: dict[str, t.Any]) -> list[str]:
    """One module's section: what it does and its own options (the ones of amazon.aws's fragments are named only)."""
    lines = [f"## {code(f'{COLLECTION}.{name}')}", "", to_markdown(document.get("description")), ""]
    options = document.get("options") or {}
    lines += [*table(options), ""] if options else []
    if any(fragment.startswith("amazon.aws.") for fragment in document.get("extends_documentation_fragment") or []):
        lines += ["Takes amazon.aws's connection options as well (`region`, `profile`, `endpoint_url`, …).", ""]
    return lines


def modules_page(modules: dict[str, dict[str, t.Any]]) -> str:
    """The text of docs/modules.md.

    :param modules: DOCUMENTATION by module name.
    """
    lines = [GENERATED.format(source=" from the modules' DOCUMENTATION"), "", "# Modules", ""]
    lines += [f"`ansible-doc {COLLECTION}.<name>` shows examples and return values as well.", ""]
    lines += ["| Module | What it does |", "|---|---|"]
    for name, document in modules.items():
        summary = cell(to_markdown(document.get("short_description")))
        lines.append(f"| [{name}](#{COLLECTION.replace('.', '')}{name}) | {summary} |")
    for name, document in modules.items():
        lines += ["", *module_section(name, document)]
    return "\n".join(lines).rstrip() + "\n"


def leading_comment(text: str) -> str:
    """A playbook's leading comment without its hashes; a line ``#`` parts paragraphs."""
    lines = []
    for line in text.splitlines():
        if line.startswith("#"):
            lines.append(line.removeprefix("#").removeprefix(" "))
        elif line.strip() != "---":
            break
    return "\n".join(lines).strip()


def playbooks_page(playbooks: dict[str, str]) -> str:
    """The text of docs/playbooks.md.

    :param playbooks: each playbook's text by its name.
    """
    lines = [GENERATED.format(source=" from the playbooks' leading comments"), "", "# Playbooks", ""]
    lines += [f"Each is run as `ansible-playbook -i inventories/<system> {COLLECTION}.<name>`.", ""]
    for name, text in playbooks.items():
        lines += [f"## {name}", "", leading_comment(text), ""]
    return "\n".join(lines).rstrip() + "\n"


def pages(root: Path = ROOT) -> dict[Path, str]:
    """Every page that this module writes, by path."""
    playbooks = {path.stem: path.read_text() for path in sorted((root / "playbooks").glob("*.yml"))}
    return {
        root / "docs" / "modules.md": modules_page(load_modules(root)),
        root / "docs" / "playbooks.md": playbooks_page(playbooks),
    }

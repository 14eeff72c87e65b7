# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Generated pages: what a reader finds in them, and that a stale one is noticed."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from tools import generate, markup, reference, role_docs, runtime
from tools.collection import Role, load_modules, load_role, module_documentation

OPTIONS = {
    "ec2_app_instances": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "description": ["The instances.", "See O(ec2_app_key)."],
        "options": {
            "name": {"type": "str", "required": True, "description": "Its name."},
            "root": {"type": "dict", "description": "Its disk.", "options": {"size": {"type": "int", "default": 8}}},
        },
    },
    "ec2_app_key": {"type": "str", "description": "A|B", "choices": ["a", "b"], "version_added": "0.2.0"},
}


class TestMarkup:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Use C(a b)", "Use `a b`"),
            ("O(x=1) and O(y)", "`x=1` and `y`"),
            ("V(true), E(HOME), RV(plan)", "`true`, `HOME`, `plan`"),
            ("M(amazon.aws.ec2_instance), P(palier.aws.x#filter)", "`amazon.aws.ec2_instance`, `palier.aws.x`"),
            ("L(the page,https://example.com/a_b)", "[the page](https://example.com/a_b)"),
            ("U(https://example.com)", "<https://example.com>"),
            ("B(bold) I(leaning)", "**bold** *leaning*"),
            ("<stack_name>-<thing>", "\\<stack_name\\>-\\<thing\\>"),
            ("a\n  b", "a b"),
            ("C(a`b)", "``a`b``"),
            (None, ""),
        ],
    )
    def test_renders(self, text: str | None, expected: str) -> None:
        assert markup.to_markdown(text) == expected

    def test_paragraphs(self) -> None:
        assert markup.to_markdown(["one", "two"]) == "one\n\ntwo"
        assert markup.to_markdown(["one", "two"], separator=" ") == "one two"

    def test_broken_markup_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="cannot read the markup"):
            markup.to_markdown("M(not a module)")


class TestTable:
    def test_rows(self) -> None:
        lines = role_docs.table(OPTIONS)
        assert lines[2:] == [
            "| `ec2_app_instances` | list of dict | `[]` | The instances. See `ec2_app_key`. |",
            "| `ec2_app_instances[].name` | str | **required** | Its name. |",
            "| `ec2_app_instances[].root` | dict |  | Its disk. |",
            "| `ec2_app_instances[].root.size` | int | `8` |  |",
            "| `ec2_app_key` | str |  | A\\|B One of `a`, `b`. Since 0.2.0. |",
        ]

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("", '""'),
            ("x", "x"),
            (True, "true"),
            ([80, 443], "[80, 443]"),
            ({}, "{}"),
            (0, "0"),
            ("{{ a }}", "{{ a }}"),
        ],
    )
    def test_literal(self, value: t.Any, expected: str) -> None:
        assert role_docs.literal(value) == expected


class TestReadme:
    def test_sections(self, tmp_path: Path) -> None:
        entries = {
            "main": {"short_description": "Run it", "description": "All of it.", "options": OPTIONS},
            "absent": {"short_description": "Remove it", "options": {"ec2_app_key": {}}},
        }
        text = role_docs.readme(Role("ec2_app", "Applications", entries), tmp_path)
        headings = [line for line in text.splitlines() if line.startswith("#")]
        assert headings == ["# palier.aws.ec2_app", "## `main`: Run it", "## `absent`: Remove it", "## Example"]
        assert "Also takes `ec2_app_key`, described above." in text
        assert text.count("| `ec2_app_key` |") == 1
        assert text.endswith("```\n")

    def test_example_from_the_scenario(self, tmp_path: Path) -> None:
        variables = tmp_path / "molecule" / "rds" / "inventory" / "host_vars" / "shop_prod.yml"
        variables.parent.mkdir(parents=True)
        variables.write_text("stack_name: shop\nrds_engine: postgres\n")
        text = role_docs.readme(Role("rds", "A database", {"main": {}}), tmp_path)
        assert "```yaml\nrds_engine: postgres\n```" in text
        assert "stack_name: shop" not in text

    def test_example_of_the_specs_wins(self, tmp_path: Path) -> None:
        text = role_docs.readme(Role("rds", "", {"main": {"examples": "- hosts: all\n"}}), tmp_path)
        assert "```yaml\n- hosts: all\n```" in text


class TestCollection:
    def test_load_role(self, tmp_path: Path) -> None:
        meta = tmp_path / "rds" / "meta"
        meta.mkdir(parents=True)
        specs = {"argument_specs": {"absent": {}, "facts": None, "main": {"options": {}}}}
        (meta / "argument_specs.yml").write_text(yaml.safe_dump(specs))
        (meta / "main.yml").write_text("galaxy_info: {description: A database}\n")
        role = load_role(tmp_path / "rds")
        assert (role.name, role.description, list(role.entry_points)) == (
            "rds",
            "A database",
            ["main", "absent", "facts"],
        )

    def test_documentation_is_read_without_import(self, tmp_path: Path) -> None:
        path = tmp_path / "module.py"
        path.write_text('raise SystemExit\nDOCUMENTATION = r"""\nmodule: x\n"""\n')
        assert module_documentation(path) == {"module": "x"}
        path.write_text("pass\n")
        assert module_documentation(path) == {}


class TestReference:
    def test_modules_page(self) -> None:
        document = {
            "short_description": "Do it",
            "description": ["Does it."],
            "options": {"name": {"required": True, "description": "Its name."}},
            "extends_documentation_fragment": ["amazon.aws.common.modules"],
        }
        text = reference.modules_page({"thing": document})
        assert "| [thing](#palierawsthing) | Do it |" in text
        assert "| `name` | str | **required** | Its name. |" in text
        assert "amazon.aws's connection options" in text

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("---\n# Deploys.\n#\n# Twice.\n- hosts: all\n# not this\n", "Deploys.\n\nTwice."),
            ("# Above.\n---\n- hosts: all\n", "Above."),
            ("- hosts: all\n", ""),
        ],
    )
    def test_leading_comment(self, text: str, expected: str) -> None:
        assert reference.leading_comment(text) == expected


class TestRuntime:
    def test_lists_the_modules_that_talk_to_aws(self) -> None:
        talks = {"extends_documentation_fragment": ["amazon.aws.common.modules", "amazon.aws.region.modules"]}
        text = runtime.runtime({"ours": talks, "local": {}})
        group = yaml.safe_load(text)["action_groups"]["aws"]
        assert group == [{"metadata": {"extend_group": ["amazon.aws.aws", "community.aws.aws"]}}, "ours"]

    def test_of_this_collection(self) -> None:
        modules = load_modules()
        missing = [name for name, document in modules.items() if not document]
        assert missing == []


class TestGenerate:
    @pytest.fixture
    def page(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = tmp_path / "docs" / "page.md"
        monkeypatch.setattr(generate, "ROOT", tmp_path)
        monkeypatch.setattr(generate, "wanted", lambda: {path: "new\n"})
        return path

    def test_check_writes_nothing(self, page: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert generate.main(["--check"]) == 1
        assert not page.exists()
        assert "docs/page.md: stale" in capsys.readouterr().out

    def test_writes_then_passes(self, page: Path) -> None:
        assert generate.main([]) == 0
        assert page.read_text() == "new\n"
        assert generate.main(["--check"]) == 0
        page.write_text("old\n")
        assert generate.main(["--check"]) == 1

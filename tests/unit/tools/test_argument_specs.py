# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lint of defaults against argument specs: each rule fails on the smallest role that breaks it."""

from __future__ import annotations

import typing as t

import pytest

from tools import argument_specs as subject
from tools.collection import Role


def role(defaults: str, options: dict[str, t.Any], name: str = "rds", **entry_points: t.Any) -> Role:
    """A role with one entry point, or more."""
    return Role(name, entry_points={"main": {"options": options}, **entry_points}, defaults=defaults)


STACK = role("# stack_name:\n", {"stack_name": {"type": "str", "required": True}}, name="stack")


def problems(rds: Role, *others: Role) -> list[str]:
    """What the lint says of a role among others."""
    return subject.check_role(rds, {one.name: one for one in (rds, STACK, *others)})


class TestAgreement:
    @pytest.mark.parametrize(
        ("defaults", "option"),
        [
            ("rds_x: 1\n", {"default": 1}),
            ("rds_x: '{{ stack_name }}-x'\n", {"default": "{{ stack_name }}-x"}),
            ("rds_x: {}\n", {"default": {}}),
            ("# rds_x:\n", {"required": True}),
            ("#rds_x: an example value\n", {}),
            ("rds_x:\n", {}),
        ],
    )
    def test_passes(self, defaults: str, option: dict[str, t.Any]) -> None:
        assert problems(role(defaults, {"rds_x": option})) == []

    @pytest.mark.parametrize(
        ("defaults", "option", "says"),
        [
            ("rds_x: 2\n", {"default": 1}, "defaults/main.yml says 2"),
            ("rds_x: true\n", {"default": 1}, "defaults/main.yml says True"),
            ("rds_x: '{{ a }}'\n", {"default": "{{  a  }}"}, "defaults/main.yml says"),
            ("", {"default": 1}, "not in defaults/main.yml"),
            ("", {"required": True}, "defaults/main.yml says '# rds_x:'"),
            ("", {}, "defaults/main.yml says '# rds_x:'"),
            ("rds_x: 1\n", {}, "has no default"),
            ("rds_x: 1\n", {"required": True}, "stands commented out"),
            ("rds_x: 1\n", {"required": True, "default": 1}, "is required and has a default"),
        ],
    )
    def test_fails(self, defaults: str, option: dict[str, t.Any], says: str) -> None:
        (problem,) = problems(role(defaults, {"rds_x": option}))
        assert problem.startswith("rds_x: ")
        assert says in problem


class TestNames:
    def test_default_without_spec(self) -> None:
        assert problems(role("rds_y: 1\n", {})) == [
            "rds_y: stands in defaults/main.yml, not in meta/argument_specs.yml"
        ]

    def test_commented_without_spec(self) -> None:
        assert problems(role("# rds_y:\n", {})) == [
            "rds_y: stands commented out in defaults/main.yml, not in meta/argument_specs.yml"
        ]

    def test_a_comment_that_is_prose(self) -> None:
        assert problems(role("# Note: this is prose, and so is\n# the_next: one\n", {})) == []

    def test_internal_variable(self) -> None:
        (problem,) = problems(role("__rds_y: 1\n", {}))
        assert "vars/main.yml" in problem

    def test_no_main_entry_point(self) -> None:
        assert problems(Role("rds", entry_points={"facts": {}})) == ["meta/argument_specs.yml has no entry point main"]


class TestEntryPoints:
    def test_options_of_another_entry_point_count(self) -> None:
        assert problems(role("rds_x: 1\n", {}, absent={"options": {"rds_x": {"default": 1}}})) == []

    def test_two_entry_points_that_disagree(self) -> None:
        rds = role("rds_x: 1\n", {"rds_x": {"default": 1}}, absent={"options": {"rds_x": {"default": 2}}})
        assert problems(rds) == ["rds_x: entry point absent says another default than the first one that names it"]

    def test_required_by_one_entry_point_only(self) -> None:
        rds = role("# rds_x:\n", {"rds_x": {"required": True}}, facts={"options": {"rds_x": {}}})
        assert problems(rds) == []

    def test_an_entry_point_without_options(self) -> None:
        assert problems(role("", {}, facts={})) == []


class TestForeign:
    def test_borrowed_as_its_owner_says(self) -> None:
        assert problems(role("", {"stack_name": {"type": "str", "required": True}})) == []

    def test_borrowed_and_changed(self) -> None:
        assert problems(role("", {"stack_name": {"type": "str"}})) == [
            "stack_name: says required None, its own role stack says True"
        ]

    def test_unknown_to_its_owner(self) -> None:
        assert problems(role("", {"stack_nmae": {"type": "str"}})) == ["stack_nmae: role stack does not describe it"]

    def test_no_roles_prefix(self) -> None:
        assert problems(role("", {"engine": {"type": "str"}})) == [
            "engine: belongs to no role; its name begins with 'rds_'"
        ]


@pytest.mark.parametrize(
    ("variable", "expected"),
    [("ec2_app_instances", "ec2_app"), ("ec2_key", "ec2"), ("ec2", "ec2"), ("ec2x_key", None), ("other", None)],
)
def test_the_longest_prefix_owns_a_variable(variable: str, expected: str | None) -> None:
    assert subject.owner(variable, ["ec2", "ec2_app"]) == expected


class TestMain:
    @pytest.mark.parametrize(("defaults", "code"), [("# rds_x:\n", 0), ("rds_x: 1\n", 1)])
    def test_exit_code(
        self, defaults: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rds = role(defaults, {"rds_x": {"required": True}})
        monkeypatch.setattr(subject, "load_roles", lambda: {"rds": rds})
        assert subject.main() == code
        assert ("roles/rds: rds_x" in capsys.readouterr().out) is bool(code)

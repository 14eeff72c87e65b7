# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The argument specs as the schema: what they fill in, what they convert, what is said of a wrong value."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.palier.aws.plugins.plugin_utils import argument_specs as subject

ROLES = subject.role_options()
SECRET = "correct-horse-battery"


def templated(value: t.Any) -> bool:
    return "{{" in str(value)


def options_below(options: dict[str, t.Any], path: str = "") -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    for name, option in options.items():
        yield f"{path}{name}", option
        yield from options_below(option.get("options", {}), f"{path}{name}.")


EVERY = [(role, path, option) for role, options in ROLES.items() for path, option in options_below(options)]


class TestRoles:
    def test_the_tiers_are_there(self) -> None:
        assert {"stack", "network", "rds", "ec2_app", "s3_site", "peering"} <= set(ROLES)

    @pytest.mark.parametrize("role", ROLES)
    def test_every_variable_begins_with_its_role(self, role: str) -> None:
        assert [name for name in ROLES[role] if not name.startswith(f"{role}_")] == []

    @pytest.mark.parametrize("role", ROLES)
    def test_the_defaults_keep_the_spec(self, role: str) -> None:
        options = ROLES[role]
        defaults = {
            name: option["default"]
            for name, option in options.items()
            if "default" in option and not templated(option["default"])
        }
        plain = {name: option for name, option in options.items() if name in defaults}
        values, errors = subject.validate(plain, defaults)
        assert errors == []
        assert set(values) == set(defaults)
        assert {name: type(value) for name, value in values.items()} == {
            name: type(value) for name, value in defaults.items()
        }

    @pytest.mark.parametrize("role", ROLES)
    def test_the_defaults_are_those_of_the_role(self, role: str) -> None:
        defaults = yaml.safe_load((subject.ROLES / role / "defaults" / "main.yml").read_text(encoding="utf-8")) or {}
        assert {name: option["default"] for name, option in ROLES[role].items() if "default" in option} == defaults

    @pytest.mark.parametrize(("role", "path", "option"), EVERY, ids=[f"{role}-{path}" for role, path, _option in EVERY])
    def test_every_option_is_typed_and_described(self, role: str, path: str, option: dict[str, t.Any]) -> None:
        assert option.get("type") in {"str", "int", "bool", "list", "dict", "raw", "float"}
        assert option["description"]
        assert ("elements" in option) is (option["type"] == "list")
        assert not (option.get("required") and "default" in option)


#: An option of every kind.
SPEC: dict[str, t.Any] = {
    "engine": {"type": "str", "required": True, "choices": ["mysql", "postgres"], "description": "Engine. More."},
    "title": {"type": "str", "default": "none"},
    "note": {"type": "str"},
    "size": {"type": "int", "default": 20},
    "rate": {"type": "float", "default": 0.5},
    "open": {"type": "bool", "default": False},
    "ports": {"type": "list", "elements": "int", "default": []},
    "tags": {"type": "dict", "default": {}},
    "anything": {"type": "raw", "default": 2},
    "machines": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True, "description": ["Name of V(x) or O(y).", "More."]},
            "zone": {"type": "str", "default": "a"},
            "application": {
                "type": "dict",
                "options": {"version": {"type": "str", "default": "main"}, "port": {"type": "int", "default": 80}},
            },
        },
    },
}


def check(**values: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    return subject.validate(SPEC, {"engine": "mysql", **values})


class TestValues:
    def test_defaults_are_filled_in_below_as_well(self) -> None:
        values, errors = check(machines=[{"name": "web", "application": {}}, {"name": "lab"}])
        assert errors == []
        assert (values["title"], values["size"], values["ports"], values["tags"]) == ("none", 20, [], {})
        assert values["machines"] == [
            {"name": "web", "zone": "a", "application": {"version": "main", "port": 80}},
            {"name": "lab", "zone": "a", "application": None},
        ]

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"size": "30"}, {"size": 30}),
            ({"open": "yes"}, {"open": True}),
            ({"open": "false"}, {"open": False}),
            ({"ports": ["80", 443]}, {"ports": [80, 443]}),
            ({"anything": ["a"]}, {"anything": ["a"]}),
            ({"note": None}, {"note": None}),
            ({"machines": [{"name": "a", "application": None}]}, {}),
        ],
    )
    def test_converted(self, given: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
        values, errors = check(**given)
        assert errors == []
        assert {name: values[name] for name in expected} == expected

    def test_what_was_given_is_left_as_it_is(self) -> None:
        machines = [{"name": "web"}]
        check(machines=machines)
        assert machines == [{"name": "web"}]


PLAIN = "a secret in plain text does not belong in the inventory. "
BELOW = "write its settings below it, indented, each as 'name: value'"
ITEMS = "write each item on a line of its own, after a hyphen"


class TestSentences:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"engine": "mysqll"}, "engine: 'mysqll' is not one of mysql, postgres. Did you mean mysql?"),
            ({"engine": "x"}, "engine: 'x' is not one of mysql, postgres."),
            ({"engine": None}, "engine: is empty; write it: Engine. More"),
            ({"title": None}, "title: is empty; write a value, or remove the line for the default, 'none'"),
            ({"ports": None}, "ports: is empty; write a value, or remove the line for the default, []"),
            ({"size": "big"}, "size: 'big' is not a whole number; write such as 20"),
            ({"size": [1]}, "size: '[1]' is not a whole number; write such as 20"),
            ({"rate": "fast"}, "rate: 'fast' is not a number; write such as 0.5"),
            ({"open": "perhaps"}, "open: 'perhaps' is not a truth value; write true or false"),
            ({"title": 8.1}, "title: 8.1 is a number; write it in quotes, such as '8.1'"),
            ({"title": False}, "title: False is a truth value; write it in quotes, such as 'False'"),
            ({"title": ["a"]}, "title: a list stands where a string belongs; write one value"),
            ({"ports": "80,443"}, f"ports: a string stands where a list belongs; {ITEMS}"),
            ({"ports": {"a": 1}}, f"ports: a dict stands where a list belongs; {ITEMS}"),
            ({"ports": [80, "http"]}, "ports[1]: 'http' is not a whole number; write such as 20"),
            ({"ports": [None]}, "ports[0]: is empty; write it: a value"),
            ({"tags": "a=b"}, f"tags: a string stands where a dict belongs; {BELOW}"),
            ({"machines": "web"}, f"machines: a string stands where a list belongs; {ITEMS}"),
            ({"machines": ["web"]}, f"machines[0]: a string stands where a dict belongs; {BELOW}"),
            ({"machines": [{"name": "a"}, {}]}, "machines[1].name: is missing; write it: Name of x or y"),
            (
                {"machines": [{"name": "a", "zoen": "b"}]},
                "machines[0].zoen: there is no such setting. Did you mean zone?",
            ),
            (
                {"machines": [{"name": "a", "application": {"port": "http"}}]},
                "machines[0].application.port: 'http' is not a whole number; write such as 20",
            ),
            (
                {"machines": [{"name": "a", "application": "shop"}]},
                f"machines[0].application: a string stands where a dict belongs; {BELOW}",
            ),
            (
                {"machines": [{"name": "a", "application": 80}]},
                f"machines[0].application: a number stands where a dict belongs; {BELOW}",
            ),
        ],
    )
    def test_table(self, given: dict[str, t.Any], expected: str) -> None:
        assert check(**given)[1] == [expected]

    def test_missing(self) -> None:
        assert subject.validate(SPEC, {})[1] == ["engine: is missing; write it: Engine. More"]

    def test_all_at_once(self) -> None:
        _values, errors = check(engine="x", size="x", machines=[{"nmae": "a", "zone": 1}])
        assert [error.partition(":")[0] for error in errors] == [
            "engine",
            "size",
            "machines[0].nmae",
            "machines[0].name",
            "machines[0].zone",
        ]

    @pytest.mark.parametrize(
        "given",
        [
            {"tags": SECRET},
            {"title": [SECRET]},
            {"ports": {"password": SECRET}},
            {"machines": [SECRET]},
            {"machines": [{"name": "a", "password": SECRET}]},
            {"machines": [{"name": "a", "application": {"api_token": SECRET}}]},
            {"machines": [{"name": "a", "application": SECRET}]},
        ],
    )
    def test_a_secret_in_the_wrong_place_is_not_repeated(self, given: dict[str, t.Any]) -> None:
        _values, errors = check(**given)
        assert errors
        assert not any(SECRET in error for error in errors)

    def test_a_setting_that_is_a_secret(self) -> None:
        (error,) = check(machines=[{"name": "a", "application": {"db_password": SECRET}}])[1]
        assert error.startswith(f"machines[0].application.db_password: {PLAIN}")

    def test_what_ours_overlook_ansibles_own_say(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(subject, "problems", lambda *_arguments: iter(()))
        (error,) = check(engine="x")[1]
        assert error == "value of engine must be one of: mysql, postgres, got: x"

    @pytest.mark.parametrize(("role", "path", "option"), EVERY, ids=[f"{role}-{path}" for role, path, _option in EVERY])
    def test_ansible_finds_nothing_that_ours_overlook(self, role: str, path: str, option: dict[str, t.Any]) -> None:
        """For every option of every role and values of each kind: refused by Ansible means refused by us."""
        values: list[t.Any] = [None, "x", "", 1.5, [1], ["x"], {"x": 1}, [{}], [[]], object()]
        for value in values:
            options = {"it": {**option, "required": False}}
            if option.get("type") == "str" and not isinstance(value, str):
                continue  # Ansible makes a string of everything
            errors = list(subject.problems(options, {"it": value}))
            # Without sentences of ours, Ansible's messages would be here.
            assert subject.validate(options, {"it": value})[1] == errors, value


class TestWithDefaults:
    def test_an_item(self) -> None:
        (found,) = subject.with_defaults([{"cidr": "10.0.0.0/24"}], "network", "network_subnets")
        assert found == {"cidr": "10.0.0.0/24", "type": "private", "zone": "", "name": ""}

    def test_defaults_that_are_lists_are_not_shared(self) -> None:
        first, second = subject.with_defaults([{"name": "a"}, {"name": "b"}], "ec2_app", "ec2_app_instances")
        first["ports"].append(80)
        assert second["ports"] == []

    @pytest.mark.parametrize(
        ("items", "sentence"),
        [
            ([{"nmae": "a"}], "ec2_app_instances[0].nmae: there is no such setting. Did you mean name?"),
            (None, "ec2_app_instances: is empty; write a value, or remove the line for the default, []"),
        ],
    )
    def test_refused(self, items: t.Any, sentence: str) -> None:
        with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole text is compared
            subject.with_defaults(items, "ec2_app", "ec2_app_instances")
        assert str(error.value) == sentence

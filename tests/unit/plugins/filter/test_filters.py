# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter plugins: all are documented, and what cannot be computed is said by Ansible as the sentence itself."""

from __future__ import annotations

import inspect
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.palier.aws.plugins.filter import filters

PLUGINS = Path(__file__).resolve().parents[4] / "plugins" / "filter"


FILTERS = filters.FilterModule().filters()


def documentation(name: str) -> dict[str, t.Any]:
    return yaml.safe_load((PLUGINS / f"{name}.yml").read_text(encoding="utf-8"))


def test_one_file_has_them_all() -> None:
    """Ansible looks through every file of filters each time that a worker meets one, a millisecond with fifteen."""
    assert [path.name for path in PLUGINS.glob("*.py")] == ["filters.py"]


def test_every_filter_has_a_page_and_every_page_a_filter() -> None:
    assert {path.stem for path in PLUGINS.glob("*.yml")} == set(FILTERS)


@pytest.mark.parametrize("name", FILTERS)
def test_the_page_says_what_the_filter_takes(name: str) -> None:
    page = documentation(name)
    document = page["DOCUMENTATION"]
    options = document["options"]
    assert document["name"] == name
    assert f"palier.aws.{name}" in page["EXAMPLES"]
    assert page["RETURN"]["_value"]["type"]
    parameters = list(inspect.signature(FILTERS[name]).parameters.values())
    assert list(options) == ["_input", *(parameter.name for parameter in parameters[1:])]
    assert document.get("positional", "") == ", ".join(parameter.name for parameter in parameters[1:])
    for parameter in parameters[1:]:
        option = options[parameter.name]
        assert option.get("required", False) is (parameter.default is parameter.empty), parameter.name
        if "default" in option:
            default = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
            assert option["default"] == default


def test_a_network_that_does_not_fit() -> None:
    with pytest.raises(AnsibleFilterError) as error:
        FILTERS["subnet_layout"]("10.0.0.5/16", zones=["eu-west-3a", "eu-west-3b"])
    assert str(error.value) == "network_cidr: '10.0.0.5/16' is not a network address; write '10.0.0.0/16'"


def test_a_list_that_does_not_keep_its_spec() -> None:
    with pytest.raises(AnsibleFilterError) as error:
        FILTERS["with_defaults"]([{"nam": "web"}], "ec2_app", "ec2_app_instances")
    assert str(error.value) == "ec2_app_instances[0].nam: there is no such setting. Did you mean name?"


def test_what_fits() -> None:
    layout = FILTERS["subnet_layout"]("10.0.0.0/16", zones=["eu-west-3a", "eu-west-3b"], stack_prefix="shop-prod")
    assert [subnet["name"] for subnet in layout] == [
        "shop-prod-public-a",
        "shop-prod-public-b",
        "shop-prod-private-a",
        "shop-prod-private-b",
    ]
    (subnet,) = FILTERS["with_defaults"]([{"cidr": "10.0.0.0/24"}], "network", "network_subnets")
    assert subnet["type"] == "private"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Errors of AWS calls and the end of a module."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.aws import error_handler, run_module
from botocore.exceptions import ClientError

Errors = error_handler("NoSuchThing", "404")


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said AWS"}}, "GetThing")


@Errors.list_error_handler("get the thing", {})
def get_thing(code: str) -> dict[str, str]:
    if code:
        raise refused(code)
    return {"name": "thing"}


@Errors.deletion_error_handler("delete the thing")
def delete_thing(code: str) -> bool:
    if code:
        raise refused(code)
    return True


@pytest.mark.parametrize("code", ["NoSuchThing", "404"])
def test_what_is_not_there(code: str) -> None:
    assert get_thing(code) == {}
    assert not delete_thing(code)


def test_what_is_there() -> None:
    assert get_thing("") == {"name": "thing"}
    assert delete_thing("") is True


@pytest.mark.parametrize(("function", "what"), [(get_thing, "get the thing"), (delete_thing, "delete the thing")])
def test_another_error_says_what_was_tried(function: t.Callable[[str], t.Any], what: str) -> None:
    with pytest.raises(AnsibleAWSError, match=f"Failed to {what}") as error:
        function("AccessDenied")
    assert isinstance(error.value.exception, ClientError)


def test_two_handlers_do_not_share_their_codes() -> None:
    error_handler("AccessDenied")
    with pytest.raises(AnsibleAWSError):
        get_thing("AccessDenied")


class Module:
    """Stands for AnsibleAWSModule: remembers how it was ended."""

    def __init__(self) -> None:
        self.ends: list[t.Any] = []

    def exit_json(self, **result: t.Any) -> None:
        self.ends.append(result)

    def fail_json_aws_error(self, error: AnsibleAWSError) -> None:
        self.ends.append(error)


def test_a_module_ends_once_with_its_result() -> None:
    module = Module()
    run_module(module, lambda given: {"changed": False, "same": given is module})
    assert module.ends == [{"changed": False, "same": True}]


def test_a_module_ends_once_with_its_error() -> None:
    module, error = Module(), AnsibleAWSError(message="no")

    def run(_module: t.Any) -> dict[str, t.Any]:
        raise error

    run_module(module, run)
    assert module.ends == [error]


def test_a_fault_of_ours_is_not_taken_for_an_error_of_aws() -> None:
    def run(_module: t.Any) -> dict[str, t.Any]:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        run_module(Module(), run)

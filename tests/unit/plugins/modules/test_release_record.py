# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import typing as t

import boto3
import pytest
from ansible_collections.palier.aws.plugins.modules import release_record, release_record_info
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

NAME = "/shop/prod/releases/service/app"
START: dict[str, t.Any] = {
    "name": NAME,
    "result": "started",
    "component": "app",
    "kind": "service",
    "version": "v2",
    "reference": "app:v2",
    "running": {"version": "v1", "reference": "app:v1", "revision": "app:1"},
    "tags": {"Stack": "shop"},
}


@pytest.fixture(autouse=True)
def aws() -> t.Iterator[None]:
    with mock_aws():
        yield


def read(**options: str) -> dict[str, t.Any]:
    return run_module(release_record_info, {"path": "/shop/prod/releases/service/", **options})


def test_a_release_from_start_to_end() -> None:
    begun = run_module(release_record, START)
    assert (begun["changed"], begun["record"]["result"], begun["record"]["unfinished"]) == (True, "started", True)
    assert begun["record"]["by"].startswith("arn:aws:sts::")
    assert begun["plan"] == [{"action": "record", "resource": "release of app", "reason": "v2 started"}]
    done = run_module(release_record, {"name": NAME, "result": "succeeded", "revision": "app:2"})
    assert done["record"]["kept"]["revision"] == "app:2"
    found = read(history_of="app")
    assert found["records"]["app"]["back"]["reference"] == "app:v1"
    assert [one["result"] for one in found["history"]] == ["succeeded", "started"]
    assert found["names"] == [NAME]
    ssm = boto3.client("ssm", "eu-west-3")
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"]
    assert tags == [{"Key": "Stack", "Value": "shop"}]
    assert "unfinished" not in json.loads(ssm.get_parameter(Name=NAME)["Parameter"]["Value"])


def test_check_mode_writes_nothing() -> None:
    with recorded_calls() as calls:
        begun = run_module(release_record, START, check=True)
        named = {"component": "app", "version": "v2"}
        ended = run_module(release_record, {"name": NAME, "result": "succeeded", **named}, check=True)
    assert writes(calls) == []
    assert begun["changed"]
    assert ended["plan"] == [{"action": "record", "resource": "release of app", "reason": "v2 succeeded"}]
    assert read()["records"] == {}


def test_an_end_without_a_start_is_refused() -> None:
    failed = run_module(release_record, {"name": NAME, "result": "succeeded"})
    assert failed["failed"]
    assert "no release was started" in failed["msg"]


def test_a_record_goes_once() -> None:
    run_module(release_record, START)
    gone = {"name": NAME, "state": "absent"}
    assert run_module(release_record, gone, check=True)["changed"]
    assert run_module(release_record, gone)["changed"]
    assert not run_module(release_record, gone)["changed"]
    assert read(history_of="app") == {"changed": False, "records": {}, "names": [], "history": [], **_invocation()}


def _invocation() -> dict[str, t.Any]:
    return {"invocation": read()["invocation"] | {"module_args": read(history_of="app")["invocation"]["module_args"]}}


def test_a_broken_record_counts_as_none() -> None:
    boto3.client("ssm", "eu-west-3").put_parameter(Name=NAME, Value="broken", Type="String")
    assert (read()["records"], read()["names"]) == ({}, [NAME])
    assert run_module(release_record, START)["record"]["version"] == "v2"

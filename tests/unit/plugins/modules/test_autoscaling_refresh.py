# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A refresh is started, waited for behind another one, or left alone."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.modules import autoscaling_refresh

from tests.unit.module_runner import run_module

WANTED = {"name": "web", "launch_template_id": "lt-1", "launch_template_version": "2"}
Document = dict[str, t.Any]


class Cloud:
    """Stands in for the API: one group, its refreshes, and what was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.group: Document | None = {
            "AutoScalingGroupName": "web",
            "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "1"},
            "Instances": [],
        }
        self.refreshes: list[Document] = []
        self.asked: list[tuple[str, Document]] = []
        answers = {
            "describe_group": lambda _client, _name: self.group,
            "describe_refreshes": lambda _client, _name: self.refreshes,
            "start_refresh": lambda _client, **request: self.asked.append(("start", request)) or "r-1",
            "cancel_refresh": lambda _client, name: self.asked.append(("cancel", {"name": name})),
        }
        for name, answer in answers.items():
            monkeypatch.setattr(autoscaling_refresh.api, name, answer)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(monkeypatch)


def run(check: bool = False, **changes: t.Any) -> Document:
    return run_module(autoscaling_refresh, {**WANTED, **changes}, check=check)


def going(status: str, version: str) -> Document:
    return {"Status": status, "DesiredConfiguration": {"LaunchTemplate": {"Version": version}}}


def test_it_starts_with_a_desired_configuration(cloud: Cloud) -> None:
    result = run(instance_warmup=60)
    assert (result["changed"], result["refresh_id"], result["waiting"]) == (True, "r-1", False)
    ((verb, request),) = cloud.asked
    assert verb == "start"
    # Without it AWS does not go back.
    assert request["DesiredConfiguration"] == {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "2"}}
    assert request["Preferences"]["AutoRollback"] is True


def test_a_plan_asks_for_nothing(cloud: Cloud) -> None:
    result = run(check=True)
    assert (result["changed"], result["waiting"], cloud.asked) == (True, False, [])


def test_a_plan_of_a_group_that_is_not_there(cloud: Cloud) -> None:
    cloud.group = None
    assert run(check=True)["changed"] is False
    assert run()["msg"] == "name: there is no auto scaling group web; create it first"


def test_one_to_another_version_is_cancelled_first(cloud: Cloud) -> None:
    cloud.refreshes = [going("InProgress", "3")]
    result = run()
    assert (result["changed"], result["waiting"], cloud.asked) == (True, True, [("cancel", {"name": "web"})])
    cloud.refreshes = [going("Cancelling", "3")]
    assert (run()["changed"], run()["waiting"]) == (False, True)
    cloud.refreshes = [going("Cancelled", "3")]
    assert run()["refresh_id"] == "r-1"


def test_one_under_way_is_left_alone(cloud: Cloud) -> None:
    cloud.refreshes = [going("InProgress", "2")]
    result = run()
    assert (result["changed"], result["waiting"], cloud.asked) == (False, False, [])

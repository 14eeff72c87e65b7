# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module cloudfront_response_headers_policy as a whole, against the emulator."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.modules import cloudfront_response_headers_policy

from tests.emulator import Emulator
from tests.emulator.fixtures import emulator, emulator_process
from tests.unit.module_runner import recorded_calls, run_module, writes

__all__ = ["emulator", "emulator_process"]

OPTIONS: dict[str, t.Any] = {"name": "shop"}
CHANGE: dict[str, t.Any] = {"content_security_policy": "default-src 'self'"}


@pytest.fixture
def cloud(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> t.Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    return emulator.client("cloudfront")


def run(check: bool = False, **changes: t.Any) -> dict[str, t.Any]:
    result = run_module(cloudfront_response_headers_policy, {**OPTIONS, **changes}, check)
    assert not result.get("failed"), result["msg"]
    return result


def actions(result: dict[str, t.Any]) -> list[str]:
    return [step["action"] for step in result["plan"]]


def test_created_once_and_changed_in_place(cloud: t.Any) -> None:
    first = run()
    assert actions(first) == ["create"]
    assert all(first["response_headers_policy"].values())
    assert actions(run()) == ["keep"]
    second = run(**CHANGE)
    assert actions(second) == ["modify"]
    assert second["response_headers_policy"] == first["response_headers_policy"]
    assert actions(run(**CHANGE)) == ["keep"]


def test_check_mode_writes_nothing_and_says_the_same(cloud: t.Any) -> None:
    for changes in ({}, CHANGE, {"state": "absent"}):
        with recorded_calls() as calls:
            planned = run(check=True, **changes)
        done = run(**changes)
        assert writes(calls) == []
        assert planned["changed"]
        assert [planned[key] for key in ("changed", "plan", "diff")] == [
            done[key] for key in ("changed", "plan", "diff")
        ]


def test_absent_twice(cloud: t.Any) -> None:
    run()
    assert actions(run(state="absent")) == ["delete"]
    assert actions(run(state="absent")) == ["skip"]


def stored(cloud: t.Any) -> dict[str, t.Any]:
    (found,) = cloud.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"]["Items"]
    return found["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]


def test_headers_that_keep_a_browser_safe(cloud: t.Any) -> None:
    run(content_security_policy="default-src 'self'", frame_options="SAMEORIGIN")
    assert stored(cloud)["SecurityHeadersConfig"] == {
        "ContentTypeOptions": {"Override": True},
        "StrictTransportSecurity": {
            "Override": True,
            "AccessControlMaxAgeSec": 31536000,
            "IncludeSubdomains": False,
            "Preload": False,
        },
        "FrameOptions": {"Override": True, "FrameOption": "SAMEORIGIN"},
        "ReferrerPolicy": {"Override": True, "ReferrerPolicy": "strict-origin-when-cross-origin"},
        "ContentSecurityPolicy": {"Override": True, "ContentSecurityPolicy": "default-src 'self'"},
    }


def test_headers_that_are_not_wanted(cloud: t.Any) -> None:
    run()
    run(hsts_max_age=0, frame_options="none", referrer_policy="none")
    assert list(stored(cloud)["SecurityHeadersConfig"]) == ["ContentTypeOptions"]

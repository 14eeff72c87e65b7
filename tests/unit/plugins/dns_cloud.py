# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""moto's Route 53 and certificates in the test's own process, mended as the emulator's are."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from moto import mock_aws

from tests.emulator import patches

REGION = "eu-west-3"
_applied: list[str] = []


def mend() -> None:
    """Apply the patches of both services, once in a process."""
    if not _applied:
        found = [one for one in patches.all_patches() if one.name.startswith(("acm.", "route53."))]
        for one in found:
            one.apply()
            _applied.append(one.name)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """An empty account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    mend()
    with mock_aws():
        yield


@pytest.fixture
def route53(cloud: None) -> t.Any:
    return boto3.client("route53", region_name=REGION)


@pytest.fixture
def acm(cloud: None) -> t.Any:
    return boto3.client("acm", region_name=REGION)

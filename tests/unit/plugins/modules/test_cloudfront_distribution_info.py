# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module cloudfront_distribution_info without a distribution; with one, see test_cloudfront_distribution.py."""

from __future__ import annotations

from ansible_collections.palier.aws.plugins.modules import cloudfront_distribution_info
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes


def test_an_empty_account() -> None:
    with mock_aws(), recorded_calls() as calls:
        result = run_module(cloudfront_distribution_info, {"names": ["shop"]}, check=True)
    assert (result["changed"], result["distributions"]) == (False, {})
    assert writes(calls) == []

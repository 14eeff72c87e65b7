# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the module makes of its options; what it does with two registries is tested in tests/integration/ecr."""

from __future__ import annotations

import re

import pytest
from ansible_collections.palier.aws.plugins.module_utils.ecr import Pair
from ansible_collections.palier.aws.plugins.module_utils.ecr_sync import SyncError
from ansible_collections.palier.aws.plugins.modules import ecr_image_sync

from tests.unit.module_runner import CREDENTIALS, run_module


def test_repositories_are_names_or_pairs():
    found = ecr_image_sync.pairs(["shop/web", {"source": "shop/api", "destination": "standby/api"}, {"source": "x"}])
    assert found == [Pair("shop/web", "shop/web"), Pair("shop/api", "standby/api"), Pair("x", "x")]


@pytest.mark.parametrize(
    ("repositories", "words"),
    [
        (["Shop"], "not a repository name"),
        (["shop/web:v1"], "not a repository name"),
        (["1.dkr.ecr.eu-west-3.amazonaws.com/shop?x"], "not a repository name"),
        (["a/../b"], "not a repository name"),
        ([{"from": "a"}], "neither a name nor a dict"),
        ([7], "neither a name nor a dict"),
        (["a", "a"], "a is a destination twice"),
    ],
)
def test_other_repositories_are_refused(repositories, words):
    with pytest.raises(SyncError, match=words):
        ecr_image_sync.pairs(repositories)


def test_a_region_is_needed_before_anything_is_asked(monkeypatch):
    monkeypatch.setitem(CREDENTIALS, "region", None)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    result = run_module(ecr_image_sync, {"destination": {"region": "eu-central-1"}, "repositories": ["a/b"]})
    assert result["failed"]
    assert re.search(r"source.region is not set", result["msg"])

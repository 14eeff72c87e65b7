# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names in every spelling come down to one."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.module_utils import dns_names


@pytest.mark.parametrize(
    ("name", "plain"),
    [("WWW.Shop.example.", "www.shop.example"), ("\\052.shop.example.", "*.shop.example"), ("", "")],
)
def test_plain(name: str, plain: str) -> None:
    assert dns_names.plain(name) == plain


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("www", "www.shop.example"),
        ("@", "shop.example"),
        ("", "shop.example"),
        ("shop.example", "shop.example"),
        ("WWW.shop.example.", "www.shop.example"),
        ("*", "*.shop.example"),
        ("workshop.example", "workshop.example.shop.example"),
    ],
)
def test_full(name: str, full: str) -> None:
    assert dns_names.full(name, "shop.example.") == full


def test_within() -> None:
    assert dns_names.within("a.b.shop.example.", "Shop.example")
    assert not dns_names.within("workshop.example", "shop.example")

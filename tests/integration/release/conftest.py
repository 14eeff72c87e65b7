# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tests of releases share."""

from __future__ import annotations

import typing as t

import pytest

from tests.integration.release.site import Site


@pytest.fixture(scope="module")
def deployer() -> dict[str, str]:
    """The emulator's own user, who may do everything: docs/iam has no policy for these stacks."""
    return {}


@pytest.fixture(scope="module")
def site() -> t.Iterator[Site]:
    """A server that stands for the application."""
    made = Site()
    yield made
    made.close()

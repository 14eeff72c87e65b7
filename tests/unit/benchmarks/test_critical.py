# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import itertools
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.deployment.critical import NEEDS, critical_path, one_after_the_other
from tests.emulator.provisioning import SECONDS


def test_the_longest_chain() -> None:
    needs = {"database": (), "gateway": (), "task": ("database", "gateway"), "service": ("task",)}
    seconds = {"database": 600.0, "gateway": 120.0, "task": 20.0, "service": 90.0}
    assert critical_path(needs, seconds) == (710.0, ["database", "task", "service"])
    assert one_after_the_other(needs, seconds) == 830.0


def test_nothing_takes_no_time() -> None:
    assert critical_path({}, {}) == (0.0, [])


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="one needs two needs one"):
        critical_path({"one": ("two",), "two": ("one",)}, {"one": 1, "two": 1})


@pytest.mark.parametrize("system", NEEDS)
def test_every_part_of_a_system_has_its_time(system: str) -> None:
    length, parts = critical_path(NEEDS[system], SECONDS)
    assert length == sum(SECONDS[part] for part in parts)


@st.composite
def graphs(draw: t.Any) -> tuple[dict[str, tuple[str, ...]], dict[str, float]]:
    """Parts that need only earlier ones."""
    names = [f"part{number}" for number in range(draw(st.integers(1, 6)))]
    needs = {name: tuple(draw(st.sets(st.sampled_from(names[:at])))) if at else () for at, name in enumerate(names)}
    return needs, {name: float(draw(st.integers(1, 100))) for name in names}


@given(graphs())
def test_no_chain_is_longer(graph: tuple[dict[str, tuple[str, ...]], dict[str, float]]) -> None:
    needs, seconds = graph
    chains = [
        chain
        for size in range(1, len(needs) + 1)
        for chain in itertools.permutations(needs, size)
        if all(one in needs[other] for one, other in itertools.pairwise(chain))
    ]
    length, parts = critical_path(needs, seconds)
    assert tuple(parts) in chains
    assert length == max(sum(seconds[part] for part in chain) for chain in chains)

"""Rows of few names come and go on both sides; then every topic is read again from the beginning:
nothing is linked, made or changed that was not before.
"""

from __future__ import annotations

import os

import pytest

from tests.support.namesakes import KINDS, Namesakes

# EXCHANGE_RUNS=1000 EXCHANGE_SEED=1000 pytest tests/properties/test_exchange_replay.py: the long
# form.
RUNS = int(os.environ.get("EXCHANGE_RUNS", "10"))
FIRST_SEED = int(os.environ.get("EXCHANGE_SEED", "1"))
STEPS = 14
TO_AJERA = ("firm", "contact", "project")  # what is exchanged below 8.09


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + RUNS))
@pytest.mark.parametrize(
    ("kind", "two_way"),
    [*((kind, True) for kind in KINDS), *((kind, False) for kind in TO_AJERA)],
)
def test_a_replay_of_everything_changes_no_link_and_no_row(
    kind: str, two_way: bool, seed: int
) -> None:
    """In any interleaving of the partitions."""
    print(f"seed {seed}")
    world = Namesakes(seed, kind, two_way=two_way)
    world.run(STEPS)
    before = world.state()
    world.replay()
    assert world.state() == before
    world.capture_again()
    assert world.state() == before

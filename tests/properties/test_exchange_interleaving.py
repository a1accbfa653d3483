"""Any interleaving of people and two processes of the exchange, statement by statement:
it ends in agreement, and stays quiet.

In memory; the contract suite holds these databases to PostgreSQL (tests/contracts/test_pairs.py).
"""

from __future__ import annotations

import os

import pytest

from pipeline.domain.dps import CLENDOR
from pipeline.domain.exchange_tables import AX_VEC
from tests.support.two_systems import AJERA, DPS, TwoSystems
from tests.support.typed import faults

# EXCHANGE_RUNS=1000 EXCHANGE_SEED=1000 pytest tests/properties/test_exchange_interleaving.py:
# the long form.
RUNS = int(os.environ.get("EXCHANGE_RUNS", "20"))
FIRST_SEED = int(os.environ.get("EXCHANGE_SEED", "1"))
STEPS = 12


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + RUNS))
def test_two_processes_that_begin_one_pair_from_both_sides_do_not_wait_for_each_other(
    seed: int,
) -> None:
    """Each has its own side's row, and would wait for the other's: no database sees that circle."""
    print(f"seed {seed}")
    world = TwoSystems(seed)
    world.turns.deaths = 0
    world.new_firm(AJERA, "Hill")
    world.new_firm(DPS, "Hill")
    world.meet()
    world.settle()
    assert faults(world) == []
    assert len(world.keys(AX_VEC)) == len(world.keys(CLENDOR)) == 1


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + RUNS))
def test_whatever_is_typed_while_it_is_exchanged_stands_on_both_sides_or_is_parked(
    seed: int,
) -> None:
    """The newest edit of each line is not lost, each row is made once;
    reading everything again writes nothing.
    """
    print(f"seed {seed}")
    world = TwoSystems(seed)
    world.run(STEPS)
    assert faults(world) == []
    written = world.writes()
    world.read_again()
    assert world.writes() == written
    assert faults(world) == []

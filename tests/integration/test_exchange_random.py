"""Random interleavings over two real databases: what people typed last stands or is parked,
and a quiet world stays quiet.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from pipeline.conflicts.rules import Side
from tests.support.outbox import World
from tests.support.turmoil import Turmoil

# EXCHANGE_RUNS=500 EXCHANGE_SEED=1000 pytest tests/integration/test_exchange_random.py:
# the long form.
RUNS = int(os.environ.get("EXCHANGE_RUNS", "40"))
FIRST_SEED = int(os.environ.get("EXCHANGE_SEED", "1"))
STEPS = 45


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + RUNS))
def test_a_turmoil_ends_in_agreement_with_what_people_typed_last(made: World, seed: int) -> None:
    """Converged or parked, each row made once, no edit lost; then nothing is written,
    not even when all is read again.
    """
    print(f"seed {seed}")
    made.look_for(
        timedelta(hours=seed % 2)
    )  # by log positions alone, or as in the first hour of a pair
    turmoil = Turmoil(made, seed, deaths=5 * (seed // 2 % 2))
    turmoil.run(STEPS)
    assert turmoil.faults() == []
    before = [len(made.writes(side)) for side in Side]
    made.settle()
    made.wait()
    made.rewind()
    made.settle()
    made.wait()
    assert [len(made.writes(side)) for side in Side] == before
    assert turmoil.faults() == []

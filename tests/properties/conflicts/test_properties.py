"""The properties of the two-way sync in a simulated world around the product's own functions; the long form is prove.py."""

from __future__ import annotations

import pytest

from tests.properties.conflicts.oracle import run
from tests.properties.conflicts.without import REMOVALS, without

RUNS = 3_000
SEED = "short"


def test_no_property_breaks_whatever_happens_to_the_pipeline() -> None:
    """Convergence, no lost edit, no ping-pong, idempotence, representation, parking, log and linking, in each of many worlds."""
    print(f"seed {SEED}, {RUNS} runs")
    found = {f"{SEED}-{number}": faults for number in range(RUNS) if (faults := run(f"{SEED}-{number}")[1])}
    assert found == {}


@pytest.mark.parametrize("guard", REMOVALS)
def test_a_property_breaks_without_each_guard(guard: str) -> None:
    """Take one guard out, and some world shows a loss, a repeat or a row too many."""
    print(f"seed {SEED}")
    with without(guard):
        faults = next((f for number in range(REMOVALS[guard].runs) if (f := run(f"{SEED}-{number}")[1])), [])
    assert faults != []

"""The properties of the two-way sync in a simulated world around the product's own functions;
the long form is prove.py.
"""

from __future__ import annotations

import pytest

from tests.properties.conflicts.oracle import run
from tests.properties.conflicts.without import REMOVALS, without

RUNS = 3_000
TEXTS = 2_000
CLOCKS = 1_000
SEED = "short"
# The world in which a property broke when this was written, where that took hundreds: it is tried
# first, then all the others.
TRIED_FIRST = {"epoch of a write": 754, "fence": 182, "coincident": 1_966, "covered edit": 1_041}


def test_no_property_breaks_whatever_happens_to_the_pipeline() -> None:
    """Convergence, no lost edit, no ping-pong, idempotence, representation, parking,
    log and linking, in each of many worlds.
    """
    print(f"seed {SEED}, {RUNS} runs")
    found = {
        f"{SEED}-{number}": faults
        for number in range(RUNS)
        if (faults := run(f"{SEED}-{number}")[1])
    }
    assert found == {}


def test_no_text_is_lost_under_manual_whatever_people_type_and_whichever_log_is_read_first() -> (
    None
):
    """Few texts, typed again and again on both sides: the same by coincidence,
    and back to what it was.
    """
    print(f"seed {SEED}, {TEXTS} runs")
    found = {
        f"{SEED}-{number}": f
        for number in range(TEXTS)
        if (f := run(f"{SEED}-{number}", only="z")[1])
    }
    assert found == {}


def test_no_edit_is_lost_though_clocks_are_set_back() -> None:
    """An edit right after a row was looked at, which bears an earlier time than that,
    is carried over or parked.
    """
    print(f"seed {SEED}, {CLOCKS} runs")
    found = {
        f"{SEED}-{n}": f for n in range(CLOCKS) if (f := run(f"{SEED}-{n}", sets_clocks=True)[1])
    }
    assert found == {}


@pytest.mark.parametrize("guard", REMOVALS)
def test_a_property_breaks_without_each_guard(guard: str) -> None:
    """Take one guard out, and some world shows a loss, a repeat or a row too many."""
    print(f"seed {SEED}")
    removal, first = REMOVALS[guard], TRIED_FIRST.get(guard, 0)
    numbers = [*range(first, removal.runs), *range(first)]
    with without(guard):
        faults = next(
            (f for n in numbers if (f := run(f"{SEED}-{n}", removal.only)[1])),
            [],
        )
    assert faults != []

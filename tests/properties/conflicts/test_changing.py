"""Lines are added, changed and removed at any point of a history: the properties hold, and break
without each guard; the long form is prove.py.
"""

from __future__ import annotations

import pytest

from tests.properties.conflicts.changed import run
from tests.properties.conflicts.without import LINE_REMOVALS, without

RUNS = 3_000
SEED = "short"


def test_no_property_breaks_whatever_becomes_of_the_lines() -> None:
    """Both sides agree or the line is parked, no edit is lost, nothing is blanked, nothing is
    written that did not differ, in each of many worlds.
    """
    print(f"seed {SEED}, {RUNS} runs")
    found, looks = dict[str, list[str]](), 0
    for number in range(RUNS):
        world, faults = run(f"{SEED}-{number}")
        looks += world.consumer.looks
        found |= {f"{SEED}-{number}": faults} if faults else {}
    assert found == {}
    assert looks > RUNS / 3


@pytest.mark.parametrize("guard", LINE_REMOVALS)
def test_a_property_breaks_without_each_guard_of_lines(guard: str) -> None:
    """Take one guard out, and some world shows a loss, a blank or a difference that nobody sees."""
    print(f"seed {SEED}")
    with without(guard):
        faults = next(
            (f for n in range(LINE_REMOVALS[guard].runs) if (f := run(f"{SEED}-{n}")[1])), []
        )
    assert faults != []

"""The short form of `make faults`: each fault is brought about under load, and nothing is lost, repeated or moved backwards."""

from __future__ import annotations

import pytest

from deploy.faults.__main__ import chosen
from deploy.local.stack import Stack, running_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
PARTS = ("postgres", "kafka", "registry")
SEED = 20_261_125
SCENARIOS = (
    *("killed", "members classic", "members consumer", "two groups", "database", "ended", "registry", "schema"),
    *("malformed", "circuit", "narrow", "ground", "anew", "memory", "transaction"),
)


def verdict_of(stack: Stack, scenario: str) -> list[str]:
    """What is not as it should be, as sentences."""
    found = [verdict for _, verdicts in chosen(stack, SEED, scenario, long=False) for verdict in verdicts]
    assert found, f"there is no scenario {scenario}"
    return [str(verdict) for verdict in found if not verdict.is_clean]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_fault_loses_nothing_repeats_nothing_and_moves_nothing_backwards(stack: Stack, scenario: str) -> None:
    """The judge is a model of the final rows, and every write as PIM's own log shows it."""
    print(f"seed {SEED}")
    assert verdict_of(stack, scenario) == []


def test_a_broker_that_is_killed_and_comes_back_loses_nothing() -> None:
    """On a stack of its own: the others need theirs."""
    with running_stack(print, parts=PARTS) as own:
        assert verdict_of(own, "broker") == []

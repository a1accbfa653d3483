"""The short form of `make faults`: each fault is brought about under load, and nothing is lost,
repeated or moved backwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from deploy.local.stack import Stack, running_stack
from tests.faults.__main__ import SCENARIOS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
PARTS = ("postgres", "kafka", "registry")
SEED = 20_261_125
LONG_ONLY = {"killed"}  # the same points, in one firm and in random order, are "killed in turn"
BROKER = ("broker", "drained without broker")
# Each has a firm, topics and consumers of its own, and waits more than it computes.
SIDE_BY_SIDE = 2


def faults_of(stack: Stack, scenario: str) -> list[str]:
    """What is not as it should be, as sentences."""
    print(f"seed {SEED}")
    found = list(SCENARIOS[scenario](stack, SEED, False))
    assert found, f"{scenario} tried nothing"
    return [str(verdict) for verdict in found if not verdict.is_clean]


@pytest.fixture(scope="module")
def found(
    stack: Stack, request: pytest.FixtureRequest
) -> Iterator[Mapping[str, Future[list[str]]]]:
    """What is not as it should be, of each scenario that was chosen, when it has ended."""
    chosen = [
        str(item.callspec.params["scenario"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and "found" in item.fixturenames
    ]
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        yield {scenario: pool.submit(faults_of, stack, scenario) for scenario in chosen}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(
    "scenario",
    [name for name in SCENARIOS if name not in LONG_ONLY.union(BROKER)],
)
def test_a_fault_loses_nothing_repeats_nothing_and_moves_nothing_backwards(
    found: Mapping[str, Future[list[str]]], scenario: str
) -> None:
    """The judge is a model of the final rows, and every write as PIM's own log shows it."""
    assert found[scenario].result() == []


def test_a_broker_that_is_killed_and_comes_back_loses_nothing() -> None:
    """On a stack of its own: the others need theirs."""
    with running_stack(print, parts=PARTS) as own:
        assert [fault for scenario in BROKER for fault in faults_of(own, scenario)] == []

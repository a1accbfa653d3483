"""That fault tests went the way that is made for many rows is seen by the database, and a verdict
in which they never did is a fault.
"""

from __future__ import annotations

import uuid

import pytest

from deploy.local.stack import Stack
from deploy.sample import databases
from tests.faults import audit
from tests.faults.verdict import Verdict
from tests.faults.ways import Ways, taken, untaken, watch
from tests.support.engine import Consumer, fresh_target
from tests.support.events import event

CLIENTS = [event("AxVec", key, at=key, vecIsClient=True) for key in range(1, 6)]
PROJECTS = [event("AxProject", key, at=key, prjStatus=1, prjDescription="P") for key in range(1, 6)]
SINGLY = 100


def went(postgres: Stack, least_at_once: int) -> Ways:
    """Five clients and five projects as a batch, written at once from so many on."""
    url = postgres.create_database(f"ways-{uuid.uuid4().hex[:8]}")
    engine, target = fresh_target(url)
    with databases.connect(url) as pim:
        audit.begin(pim)
        watch(pim, audit.TABLES)
        Consumer(target, CLIENTS + PROJECTS, least_at_once=least_at_once).take(CLIENTS + PROJECTS)
        found = taken(pim)
        assert not taken(pim)  # each is told once
    engine.dispose()
    return found


@pytest.mark.parametrize(("least", "are_at_once"), [(5, True), (SINGLY, False)])
def test_rows_are_told_by_the_way_that_they_went(
    postgres: Stack, least: int, are_at_once: bool
) -> None:
    """Ten rows of the mirror, as many of PIM, and their marks; one row of marks stands for many."""
    ways = went(postgres, least)
    assert ways["mirror rows", are_at_once] >= len(CLIENTS)
    assert ways["target rows", are_at_once] >= len(CLIENTS)
    assert ways["marks", are_at_once] >= 1
    assert bool(untaken(ways)) is not are_at_once


def test_a_verdict_in_which_nothing_went_at_once_is_a_fault() -> None:
    """Nothing was proved of the way that was never taken."""
    verdict = Verdict("killed", tried=1)
    verdict.went(Ways({("mirror rows", True): 5, ("target rows", True): 5, ("marks", True): 1}))
    assert verdict.is_clean
    verdict.went(Ways({("mirror rows", True): 5, ("target rows", False): 5, ("marks", True): 1}))
    assert not verdict.is_clean
    assert verdict.remarks == ["no target rows at once"]

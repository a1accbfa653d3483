"""The marks of a large batch as one row: whoever dies, they are recomputed in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.stage import StageSettings, stage
from pipeline.engine.projection.staged import StagedBatch
from pipeline.model.event import Event
from pipeline.model.ledger import Mark
from tests.support.engine import Consumer, ready
from tests.support.events import NOON, SITE, event
from tests.twins.target import MemoryTarget

NUMBER = 7
T = TypeVar("T")
PROJECTS = [event("AxProject", key, at=key, prjStatus=1, prjDescription="P") for key in (1, 2, 3)]


class Killed(Exception):
    """The process ended."""


def staged(target: MemoryTarget, events: Sequence[Event]) -> StagedBatch:
    """The first transaction alone, as if the process ended after it."""
    settings = StageSettings(AJERA_TO_PIM, SITE, timedelta(minutes=5), least_together=2)
    with target.transaction() as transaction:
        return stage(transaction, settings, events, NUMBER, NOON)


def names(target: MemoryTarget) -> list[object]:
    return [row["Name"] for row in target.rows("Project")]


def left(target: MemoryTarget) -> tuple[list[Mark], set[tuple[str, str]]]:
    with target.transaction() as transaction:
        return (
            transaction.marks_of(("AxProject", str(key)) for key in (1, 2, 3)),
            transaction.take_together(),
        )


def test_many_marks_are_one_row_and_gone_when_all_is_recomputed() -> None:
    """A few are rows of their own, as ever."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    batch = staged(target, PROJECTS)
    assert batch.together == NUMBER
    assert len(target.together.rows) == 1
    assert left(target)[0] == []
    whole = ready(MemoryTarget(AJERA_TO_PIM))
    Consumer(whole, PROJECTS, least_at_once=2).take(PROJECTS)
    assert names(whole) == ["P", "P", "P"]
    assert left(whole) == ([], set())
    few = ready(MemoryTarget(AJERA_TO_PIM))
    assert staged(few, PROJECTS[:1]).together == 0
    assert left(few) == ([Mark("AxProject", "1", NUMBER)], set())


def test_a_stale_event_finishes_what_a_large_batch_left() -> None:
    """Who died between the two transactions reads the batch again."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    staged(target, PROJECTS)
    Consumer(target, PROJECTS).take(PROJECTS[:1])
    assert names(target) == ["P", "P", "P"]
    assert left(target) == ([], set())


def test_an_idle_process_finishes_what_a_large_batch_left() -> None:
    """Whoever left it."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    staged(target, PROJECTS)
    Consumer(target, []).drain()
    assert names(target) == ["P", "P", "P"]
    assert left(target) == ([], set())


def test_who_took_what_was_left_and_dies_leaves_marks() -> None:
    """They are set in the transaction that took them."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    staged(target, PROJECTS)
    calls: list[object] = []

    def dying(call: Callable[[], T]) -> T:
        calls.append(call)
        if len(calls) > 1:
            raise Killed
        return call()

    with pytest.raises(Killed):
        Consumer(target, []).processor.drain(dying, waiting_retry_seconds=0.0)
    marks, together = left(target)
    assert [(mark.kind, mark.key) for mark in marks] == [("AxProject", key) for key in "123"]
    assert together == set()


def test_a_row_that_waits_for_a_parent_keeps_a_mark_of_its_own() -> None:
    """Who brings the parent looks for it."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    contacts = [event("AxContact", key, at=key, cntClient=9) for key in (1, 2, 3)]
    assert staged(target, contacts).together == 0
    with target.transaction() as transaction:
        assert len(transaction.marks_of(("AxContact", str(key)) for key in (1, 2, 3))) == 3

"""Any order of arrival between topics, any cut into batches, any split over processes,
anything twice: the same PIM.

Real transactions of PostgreSQL, and the whole engine;
two processes are two threads with connections of their own.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from deploy.local.stack import Stack
from pipeline.database.target import DatabaseTarget
from pipeline.database.transaction import DatabaseTransaction
from pipeline.errors import RowRejected, TargetBusy
from pipeline.model.event import Event
from pipeline.model.position import TopicOffset
from tests.support.engine import Consumer, emptied, fresh_target, patiently, pim_rows
from tests.support.events import NOON, event
from tests.support.histories import (
    PREFIXES,
    arrivals,
    batches,
    history,
    process_of,
    uncertain,
)

pytestmark = pytest.mark.postgres
RUNS = int(os.environ.get("AJERA_CDC_PROPERTY_RUNS", "25"))
SEED = int(os.environ.get("AJERA_CDC_SEED", "20261125"))


@pytest.fixture(scope="module")
def pim(postgres: Stack) -> Iterator[tuple[Engine, DatabaseTarget]]:
    engine, target = fresh_target(postgres.create_database("any_order"))
    yield engine, target
    engine.dispose()


def in_commit_order(
    pim: tuple[Engine, DatabaseTarget],
    events: list[Event],
    unknown: set[str],
) -> dict[str, list[tuple[object, ...]]]:
    emptied(pim[0])
    consumer = Consumer(pim[1], events)
    for one in events:
        consumer.take([one])
    consumer.drain()
    return settled_rows(pim[0], unknown)


@pytest.mark.timeout(600)
def test_any_order_any_cut_and_any_split_give_the_same_pim(
    pim: tuple[Engine, DatabaseTarget],
) -> None:
    """Compared with every event alone, in the order in which the source committed."""
    print(f"seed {SEED}, {RUNS} runs")
    for run in range(RUNS):
        rng = random.Random(f"{SEED} {run}")
        events = history(rng, rng.choice((10, 40, 120)))
        unknown = uncertain(events)
        expected = in_commit_order(pim, events, unknown)
        emptied(pim[0])
        processes = rng.choice((1, 2, 2))
        mine = [
            [one for one in events if process_of(one, processes) == number]
            for number in range(processes)
        ]
        faults: list[BaseException] = []

        def work(
            number: int,
            mine: list[list[Event]] = mine,
            run: int = run,
            faults: list[BaseException] = faults,
        ) -> None:
            own = random.Random(f"{SEED} {run} {number}")
            consumer = Consumer(pim[1], mine[number], postpones=own.random() < 0.5)
            try:
                for batch in batches(own, arrivals(own, mine[number])):
                    consumer.take(batch)
                    if own.random() < 0.2:
                        consumer.processor.finish(patiently)
                consumer.processor.finish(patiently)
            except BaseException as error:
                faults.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(processes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults, (run, faults)
        Consumer(pim[1], []).drain()
        assert settled_rows(pim[0], unknown) == expected, f"run {run}"


def settled_rows(engine: Engine, unknown: set[str]) -> dict[str, list[tuple[object, ...]]]:
    """PIM, and what waits. A row that waits for another holds, in that one column,
    what it held when it began to.

    `unknown`: projects of which nobody can know what they showed when they were retired; codes hang
    on one another, and are left out where there are any.
    """
    with engine.connect() as connection:
        waiting = {tuple(row) for row in connection.execute(text("SELECT kind, key FROM sync.due"))}
    keys = {prefix + key for kind, key in waiting for prefix in PREFIXES[kind]} | unknown
    held: dict[str, list[tuple[object, ...]]] = {
        table: [row for row in rows if row[0] not in keys]
        for table, rows in pim_rows(engine).items()
    }
    if unknown:
        held["Project"] = [(row[0], *row[2:]) for row in held["Project"]]
    return held | {
        "waiting": sorted(one for one in waiting if one[0] != "AxProject" or one[1] not in unknown)
    }


def test_a_replay_never_moves_a_row_backwards(
    pim: tuple[Engine, DatabaseTarget],
) -> None:
    """Asserted after each batch: an end-state comparison alone passes without the guard."""
    engine, target = pim
    emptied(engine)
    events = [
        event(
            "AxVec",
            1,
            at=number,
            vecIsClient=True,
            vecDescription=f"{number:04}",
        )
        for number in range(1, 41)
    ]
    consumer = Consumer(target, events)
    rng, newest = random.Random(SEED), ""
    for batch in batches(
        rng,
        events + [one for at in (5, 20, 33) for one in events[at:]] + events,
    ):
        consumer.take(batch)
        ((name,),) = [(row[1],) for row in pim_rows(engine, "Organization")["Organization"]]
        assert name >= newest
        newest = max(newest, str(batch[-1].row["vecDescription"]))
    assert newest == "0040"


def test_every_event_ends_in_exactly_one_outcome(
    pim: tuple[Engine, DatabaseTarget],
) -> None:
    """Written, skipped, parked and dead-lettered add up to the events read,
    in the process and in the database.
    """
    engine, target = pim
    for run in range(5):
        emptied(engine)
        rng = random.Random(f"outcomes {SEED} {run}")
        events = history(rng, 80)
        consumer = Consumer(target, events)
        arrived = arrivals(rng, events)
        for batch in batches(rng, arrived):
            consumer.take(batch)
        assert consumer.telemetry.read == len(arrived) == sum(consumer.telemetry.ended.values())
        with engine.connect() as connection:
            query = (
                "SELECT sum(events_read), sum(written + skipped + parked + dead_lettered)"
                " FROM sync.progress"
            )
            assert connection.execute(text(query)).one() == (
                len(arrived),
                len(arrived),
            )


def test_a_refused_write_commits_nothing(
    pim: tuple[Engine, DatabaseTarget],
) -> None:
    """The transaction that fails leaves neither row nor ledger nor offset."""
    engine, target = pim
    emptied(engine)
    good = event("AxVec", 1, at=1, vecIsClient=True, vecDescription="good")
    Consumer(target, [good]).take([good])
    before = pim_rows(engine), everything(engine)
    with pytest.raises(RowRejected):
        mark_and_create(target, name=None)
    with pytest.raises(TargetBusy):
        mark_and_create(
            target,
            name="x",
            fault=TargetBusy("the server went away before the commit"),
        )
    assert (pim_rows(engine), everything(engine)) == before


def mark_and_create(
    target: DatabaseTarget, name: str | None, fault: Exception | None = None
) -> None:
    with target.transaction() as transaction:
        transaction.mark_table("AxVec", 5, NOON)
        transaction.create_missing("Organization", [{"Organization ID": "cl-9", "Name": name}])
        if fault is not None:
            raise fault


def everything(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        tables = ('sync."mirror_AxVec"', "sync.due", "sync.progress")
        return [
            tuple(row)
            for table in tables
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]


def test_who_dies_between_its_two_transactions_leaves_marks_that_others_finish(
    pim: tuple[Engine, DatabaseTarget],
) -> None:
    """By the row's own event when it comes again, which is stale, and by whoever is idle."""
    from pipeline.domain.routes import AJERA_TO_PIM
    from pipeline.engine.projection.stage import StageSettings, stage
    from pipeline.mapping.site import Site

    engine, target = pim
    noting = StageSettings(AJERA_TO_PIM, Site(), timedelta(minutes=5))
    for finish in ("stale event", "drain"):
        emptied(engine)
        one = event("AxVec", 1, at=1, vecIsClient=True, vecDescription="noted")
        with target.transaction() as transaction:
            stage(transaction, noting, [one], 7, NOON)
        assert pim_rows(engine)["Organization"] == []
        consumer = Consumer(target, [one])
        if finish == "drain":
            consumer.drain()
        else:
            consumer.take([one])
        assert [row[0] for row in pim_rows(engine)["Organization"]] == ["cl-1"], finish


def test_two_processes_that_note_a_project_and_its_client_at_the_same_instant_both_see_both(
    pim: tuple[Engine, DatabaseTarget],
) -> None:
    """A barrier before the commit of each note: whoever commits last recomputes last."""
    engine, target = pim
    for run in range(15):
        emptied(engine)
        group = event("AxInvoiceGroup", 1, at=1, igProject=1, igClient=1)
        project = event("AxProject", 1, at=2, prjStatus=1, prjDescription="p")
        old, new = (
            event("AxVec", 1, at=at, vecIsClient=True, vecDescription=f"n{at}") for at in (3, 4)
        )
        Consumer(target, [group, project, old]).take([group, project, old])
        changed = replace(
            project,
            position=event("AxProject", 1, at=5).position,
            place=TopicOffset(1, 0, 5),
        )
        changed = replace(changed, row={**project.row, "prjDescription": f"run {run}"})
        barrier = threading.Barrier(2, timeout=20)
        met = Meeting(target, barrier)
        threads = [
            threading.Thread(target=Consumer(met, [one]).take, args=([one],))
            for one in (changed, new)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ((_, _, name, _, _, client, *_),) = pim_rows(engine)["Project"]
        assert (name, client) == (f"run {run}", "n4")


class Meeting:
    """A target in which both notes stand before their commit at the same instant."""

    def __init__(self, inner: DatabaseTarget, barrier: threading.Barrier) -> None:
        self._inner = inner
        self._barrier = barrier
        self._met = threading.local()

    @property
    def counts_utf16(self) -> bool:
        return self._inner.counts_utf16

    @contextmanager
    def transaction(self) -> Iterator[DatabaseTransaction]:
        with self._inner.transaction() as transaction:
            yield transaction
            if not getattr(self._met, "done", False):
                self._met.done = True
                self._barrier.wait()

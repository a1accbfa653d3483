"""Batches on the twin: outcomes, dead letters, narrowing, what waits, what halts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.consumer.circuit import Limits
from pipeline.errors import (
    CircuitOpen,
    ConcurrentWrite,
    ContractBroken,
    DeadLetterFailed,
    MessageMalformed,
    RowRejected,
    SchemaLost,
    SchemaUnknown,
    SourceRewound,
)
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Event, Heartbeat, Tombstone, Undecodable
from pipeline.model.ledger import Progress
from pipeline.model.outcome import RowCounts
from pipeline.model.position import TopicPartition
from tests.support.engine import TOPICS, Consumer, ready
from tests.support.events import NOON, event
from tests.twins.target import MemoryTarget, MemoryTransaction

VEC = TopicPartition(TOPICS["AxVec"], 0)


def loaded() -> MemoryTarget:
    """A twin in which every source table was read to its end."""
    return ready(MemoryTarget(AJERA_TO_PIM))


def client(number: int, at: int, name: str = "x") -> Event:
    return event("AxVec", number, at=at, vecIsClient=True, vecDescription=name)


def names(target: MemoryTarget) -> list[object]:
    return [row["Name"] for row in target.rows("Organization")]


@pytest.mark.parametrize("code", ["x" * 451, "🏗" * 300, "A" * 49 + " " * 500 + "B"])
def test_no_length_of_a_project_id_loses_its_project(code: str) -> None:
    """The mirror keeps what a code can hold of it, and PIM's column gets that."""
    target = MemoryTarget(AJERA_TO_PIM, counts_utf16=True)
    consumer = Consumer(ready(target), [])
    consumer.feed(
        [
            event(
                "AxProject",
                1,
                at=1,
                prjStatus=1,
                prjID=code,
                prjDescription="old",
            )
        ]
    )
    consumer.feed(
        [
            event(
                "AxProject",
                1,
                at=2,
                prjStatus=1,
                prjID=code,
                prjDescription="new",
            )
        ],
        start=1,
    )
    assert consumer.letters.sent == []
    ((name, held),) = [(row["Name"], str(row["Project Code"])) for row in target.rows("Project")]
    assert name == "new"
    assert code.startswith(held)


def test_no_length_of_a_role_keeps_its_project_waiting() -> None:
    """It is cut in the units that the database counts."""
    target = MemoryTarget(AJERA_TO_PIM, counts_utf16=True)
    consumer = Consumer(ready(target), [])
    consumer.feed([event("AxVec", 5, at=1, vecIsEmployee=True)])
    consumer.feed([event("AxProject", 1, at=2, prjStatus=1)])
    consumer.feed(
        [
            event(
                "AxResource",
                1,
                at=3,
                resProject=1,
                resEmployee=5,
                resRole="🏗" * 99,
            )
        ]
    )
    assert [row["Role Type"] for row in target.rows("Project_Contact")] == ["🏗" * 50]


def test_each_kind_of_message_ends_in_its_own_outcome() -> None:
    """Written, superseded, stale, unchanged, filtered, tombstone, heartbeat, dead letter."""
    target = loaded()
    phase = event("AxProject", 9, at=1, prjProject=1)
    consumer = Consumer(target, [])
    consumer.feed([client(1, 1, "a"), client(1, 2, "b")])
    consumer.feed([client(1, 2, "b")], start=10)
    consumer.feed([client(1, 3, "b"), phase], start=20)
    consumer.feed(
        [
            Tombstone(),
            Heartbeat(1),
            Undecodable(MessageMalformed("spoiled")),
        ]
    )
    assert consumer.telemetry.ended == {
        ("written", ""): 1,
        ("skipped", "superseded"): 1,
        ("skipped", "stale"): 1,
        ("skipped", "unchanged"): 1,
        ("skipped", "filtered"): 1,
        ("skipped", "tombstone"): 1,
        ("skipped", "heartbeat"): 1,
        ("dead_lettered", "decode.malformed"): 1,
    }
    assert [type(error) for _, error in consumer.letters.sent] == [MessageMalformed]


def test_a_message_that_breaks_the_contract_halts_its_partition_before_it() -> None:
    """What stands before it is applied and committed, what stands behind it is not touched."""
    target = loaded()
    consumer = Consumer(target, [])
    handled = consumer.feed([client(1, 1), Undecodable(ContractBroken("column")), client(2, 3)])
    assert isinstance(handled.halted[VEC].error, ContractBroken)
    assert handled.next_offsets == {VEC: 1}
    assert len(target.rows("Organization")) == 1


def test_a_dead_letter_that_cannot_be_written_halts_its_partition() -> None:
    """Before its offset: it is read again after a restart."""
    consumer = Consumer(loaded(), [])
    consumer.letters.failing = True
    handled = consumer.feed([client(1, 1), Undecodable(MessageMalformed("spoiled"))])
    assert isinstance(handled.halted[VEC].error, DeadLetterFailed)
    assert handled.next_offsets == {VEC: 1}


def test_a_dead_letter_that_cannot_be_written_is_tried_for_ever_and_opens_no_circuit() -> None:
    """One message is bad, however often it is tried."""
    consumer = Consumer(loaded(), [], limits=Limits(in_a_row=1))
    consumer.letters.failing = True
    for _ in range(3):
        handled = consumer.feed([Undecodable(MessageMalformed("spoiled"))])
        assert isinstance(handled.halted[VEC].error, DeadLetterFailed)
    consumer.letters.failing = False
    assert consumer.feed([Undecodable(MessageMalformed("spoiled"))]).next_offsets == {VEC: 1}


def test_a_circuit_that_opens_stops_before_the_message_that_would_be_too_many() -> None:
    """And the next process finds it open."""
    target = loaded()
    spoiled = [Undecodable(MessageMalformed("spoiled")) for _ in range(5)]
    consumer = Consumer(target, [], limits=Limits(in_a_row=3))
    handled = consumer.feed(spoiled)
    assert isinstance(handled.halted[VEC].error, CircuitOpen)
    assert handled.next_offsets == {VEC: 3}
    again = Consumer(target, [], limits=Limits(in_a_row=3))
    with target.transaction() as transaction:
        again.processor.on_assigned(transaction.progress([VEC]))
    assert isinstance(again.feed(spoiled).halted[VEC].error, CircuitOpen)
    assert again.letters.sent == []


def test_a_schema_id_unknown_for_too_long_halts_and_is_never_set_aside() -> None:
    """Before that it is waited for."""
    consumer = Consumer(loaded(), [], limits=Limits(unknown_schema_seconds=-1.0))
    handled = consumer.feed([Undecodable(SchemaUnknown("no id 7"))])
    assert isinstance(handled.halted[VEC].error, SchemaLost)
    assert consumer.letters.sent == []


def test_a_source_that_was_rewound_halts_and_writes_nothing_of_its_partition_from_there() -> None:
    """The events of the partition that stood before are applied."""
    target = loaded()
    Consumer(target, []).feed([client(1, 50, "newest")])
    late = replace(client(1, 3, "old log"), committed_at=NOON + timedelta(hours=2))
    consumer = Consumer(target, [])
    handled = consumer.feed([client(2, 60, "before"), late, client(3, 61, "behind")], start=60)
    assert isinstance(handled.halted[VEC].error, SourceRewound)
    assert handled.next_offsets == {VEC: 61}
    assert names(target) == ["newest", "before"]


def test_a_rewound_change_that_a_newer_snapshot_has_replaced_is_skipped_by_itself() -> None:
    """It stays in the topic for ever; what the snapshot read stands behind it."""
    target = loaded()
    Consumer(target, []).feed([client(1, 50, "newest")])
    with target.transaction() as transaction:
        assert transaction.incarnation(VEC.topic, "id", 1) == 1
        transaction.set_load_ends(VEC.topic, "AxVec", 2, {0: 99})
    late = replace(client(1, 3, "old log"), committed_at=NOON + timedelta(hours=2))
    consumer = Consumer(target, [])
    handled = consumer.feed([late, client(3, 61, "behind")], start=60)
    assert handled.halted == {}
    assert consumer.telemetry.ended == {("skipped", "reloaded"): 1, ("written", ""): 1}
    assert names(target) == ["newest", "behind"]


def test_rows_that_the_target_rejects_wait_alone_and_the_rest_of_the_batch_is_written() -> None:
    """Narrowed to the rows to blame; they go on when the reason is gone."""
    target = Rejecting({"cl-3", "cl-8"})
    ready(target)
    consumer = Consumer(target, [])
    consumer.feed([client(number, number) for number in range(1, 11)])
    assert len(target.rows("Organization")) == 8
    assert consumer.telemetry.ended == {
        ("written", ""): 8,
        ("parked", "waiting"): 2,
    }
    with target.transaction() as transaction:
        assert transaction.waiting_count() == 2
    target.rejected.clear()
    consumer.drain()
    assert len(target.rows("Organization")) == 10


def test_a_batch_whose_last_row_is_refused_stores_its_offset_after_that_was_parked() -> None:
    """By itself: the recompute that was to store it was rolled back. What waits is counted as such,
    and the one row of all marks is gone.
    """
    target = Rejecting({"2"})
    ready(target)
    projects = [event("AxProject", number, at=number, prjStatus=1) for number in (1, 2)]
    Consumer(target, [], least_at_once=2).feed(projects)
    assert len(target.rows("Project")) == 1
    place = TopicPartition(TOPICS["AxProject"], 0)
    with target.transaction() as transaction:
        assert transaction.progress([place])[place] == Progress(1, 2, 2, 1, 0, 1, 0, 0)
    assert target.together.rows == {}


def test_a_value_that_only_one_row_of_a_batch_can_have_does_not_hold_the_others_up() -> None:
    """A unique index that nobody told us of looks like a lost race, and is lost every time."""
    target = Rejecting(set(), only_one={"cl-3", "cl-8"})
    ready(target)
    consumer = Consumer(target, [])
    consumer.feed([client(number, number) for number in range(1, 11)])
    assert len(target.rows("Organization")) == 9
    assert consumer.telemetry.ended == {("written", ""): 9, ("parked", "waiting"): 1}


def test_a_shared_row_with_a_rejected_dependent_still_reaches_all_others() -> None:
    """The mark of a client names every project that shows it; one of them waits."""
    target = Rejecting(set())
    ready(target)
    consumer = Consumer(target, [])
    projects = [event("AxProject", number, at=number, prjStatus=1) for number in range(1, 6)]
    groups = [
        event(
            "AxInvoiceGroup",
            number,
            at=9 + number,
            igProject=number,
            igClient=1,
        )
        for number in range(1, 6)
    ]
    consumer.feed([client(1, 20, "old")])
    consumer.feed(projects)
    consumer.feed(groups)
    target.rejected.add("4")
    consumer.feed([client(1, 30, "new")], start=5)
    assert [row["Client"] for row in target.rows("Project")] == [
        "new",
        "new",
        "new",
        "old",
        "new",
    ]


def test_a_pim_that_is_filled_is_not_blanked_while_the_mirror_fills() -> None:
    """Clients were not read to their end: a project's client is unknown, and stays as it is."""
    target = MemoryTarget(AJERA_TO_PIM)
    with target.transaction() as transaction:
        held = {
            "Project Code": "1",
            "Name": "n",
            "Status": "Active",
            "Client": "from before",
        }
        transaction.create_missing("Project_Status", [{"Name": "Active", "Completed": False}])
        transaction.upsert("Project", [TargetRow("Project", ("1",), held)])
    Consumer(target, []).feed([event("AxProject", 1, at=1, prjStatus=1, prjDescription="new")])
    (row,) = target.rows("Project")
    assert (row["Name"], row["Client"]) == ("new", "from before")


class Rejecting(MemoryTarget):
    """A twin with constraints that nobody told us of: rows with these keys are refused, and two
    with the others.
    """

    def __init__(self, rejected: set[str], only_one: AbstractSet[str] = frozenset()) -> None:
        super().__init__(AJERA_TO_PIM)
        self.rejected = rejected
        self.only_one = only_one

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        with super().transaction() as transaction:
            yield Refusing(self, transaction)  # type: ignore[misc]


class Refusing:
    """A transaction that refuses some rows."""

    def __init__(self, target: Rejecting, inner: MemoryTransaction) -> None:
        self._target = target
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def upsert(self, table: str, rows: Sequence[TargetRow]) -> RowCounts:
        keys = {str(row.key[0]) for row in rows}
        if keys & self._target.rejected:
            raise RowRejected("a constraint of theirs")
        there = {str(row["Organization ID"]) for row in self._target.rows("Organization")}
        if len((keys | there) & self._target.only_one) > 1:
            raise ConcurrentWrite("a unique index of theirs")
        return self._inner.upsert(table, rows)

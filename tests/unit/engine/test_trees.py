"""Values over a tree, by keys and with rows that links give: what marks which roots, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import pytest

from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.engine.projection.following import follow
from pipeline.engine.projection.loading import Loading
from pipeline.engine.projection.stage import MarkKinds, StageSettings, stage
from pipeline.mapping.aggregate import GroupLookUp
from pipeline.mapping.path import Path
from pipeline.mapping.site import Site
from pipeline.mapping.table import TableMapping
from pipeline.mapping.watches import asked_kind, tree_kind, watches
from pipeline.model.event import Event, Value
from tests.support.engine import Consumer, Ticking, loading_of, patiently, ready, topic_of
from tests.support.events import NOON
from tests.support.linked import project_key
from tests.support.tree import (
    CREW,
    EMPLOYEE,
    FINAL,
    HIDDEN,
    MAPPING,
    PART,
    PARTS,
    PROJECT,
    TO_WORK,
    TREE,
    TREE_LINES,
    changed,
    mirrored,
)
from tests.twins.clock import Ticks
from tests.twins.systems import both_systems
from tests.twins.target import MemoryTarget
from tests.twins.turns import FreeTurns, Schedule, Turns

KINDS = MarkKinds(TREE.kinds(), watches(TREE.mappings))
CLIMB = tree_kind(PARTS)
SCHEDULES = 60
BILLS = asked_kind("Part", TO_WORK, Path("Work", "workBill", "Bill"))


@dataclass
class Firm:
    """Projects 1 and 2 are linked, and so is person 7."""

    clock: Ticking = field(default_factory=Ticking)
    is_loaded: bool = True
    turns: Turns = field(default_factory=FreeTurns)

    def __post_init__(self) -> None:
        self.pairs = both_systems(Ticks(NOON), turns=self.turns)
        self.target = MemoryTarget(TREE, turns=self.turns, beside=self.pairs)
        if self.is_loaded:
            ready(self.target)
        with self.target.transaction() as transaction:
            follow(transaction, TREE, NOON)
        self.link(PROJECT, "1", project_key("P-1"))
        self.link(PROJECT, "2", project_key("P-2"))
        self.link(EMPLOYEE, "7", "E-7")

    def link(self, entity: str, key: str, other: str, state: State = State.LINKED) -> None:
        halves = LinkSide("of Ajera", key), LinkSide("of DPS", other)
        one = Link(f"{entity} {key}", entity, *halves, state=state)
        with self.pairs.transaction() as transaction:
            transaction.links([one.id])
            transaction.store([(one, None)])

    def take(self, *batches: Sequence[Event]) -> None:
        events = [one for batch in batches for one in batch]
        consumer = Consumer(self.target, events, clock=self.clock, route=TREE)
        for batch in batches:
            consumer.take(batch)
        assert consumer.letters.sent == []
        consumer.drain()

    def spent(self, column: str) -> dict[Value, Value]:
        return {row["Code"]: row[column] for row in self.target.rows("Spent")}

    def crew(self) -> list[tuple[Value, ...]]:
        return [tuple(row.values()) for row in self.target.rows("Crew")]


def part(key: int, at: int, of: int | None = None, status: int = 1) -> Event:
    return changed("Part", key, at=at, partOf=of, partStatus=status, partName=f"part {key}")


def work(key: int, at: int, part: int, amount: int, **columns: Value) -> Event:
    row: dict[str, Value] = {"workPart": part, "workAmount": Decimal(amount), **columns}
    return changed("Work", key, "u", at=at, without=(), **row)


# 1 is over 3, which is over 4; 2 is over 5.
LOG = (
    *(part(key, key, of) for key, of in ((1, None), (2, 0), (3, 1), (4, 3), (5, 2))),
    changed("Task", 1, at=6, taskKind=1),
    changed("Role", 5, at=7, roleName="Drafter"),
    changed("Bill", 8, at=8, billStatus=1),
    work(1, 9, 1, 1, workTask=1, workPerson=7, workRole=5, workHours=1),
    work(2, 10, 4, 2, workTask=1, workPerson=7, workRole=5, workHours=2, workDay=date(2026, 1, 2)),
    work(3, 11, 5, 4, workBill=8),
)

CREWED: list[tuple[Value, ...]] = [("P-1", "E-7", "Drafter", 3, date(2026, 1, 2))]


def marked(before: Event, after: Event) -> set[tuple[str, str]]:
    table = TREE.source(before.table)
    return set(KINDS.marks(table, mirrored(before), mirrored(before, after)))


def test_a_row_of_the_tree_marks_the_rows_that_it_was_and_is_below() -> None:
    """And itself; the rows above it, where a condition on it reads what changed."""
    before = part(4, 1, 3)
    own = ("Part", "4")
    assert marked(before, part(4, 2, 5)) == {own, (CLIMB, "3"), (CLIMB, "5")}
    assert marked(before, part(4, 2, 0)) == {own, (CLIMB, "3")}
    assert marked(before, part(4, 2, 3, HIDDEN)) == {own, (CLIMB, "4")}
    assert marked(before, changed("Part", 4, "d", at=2)) == {own, (CLIMB, "3"), (CLIMB, "4")}
    named = replace(before, row={**before.row, "partName": "x"}, position=part(4, 2).position)
    assert marked(before, named) == {own}


def test_a_row_below_marks_the_row_of_the_tree_that_it_hangs_on() -> None:
    """Whatever it is that reads it: one mark for each, before and after."""
    before = work(1, 1, 3, 5, workBill=8)
    assert marked(before, work(1, 2, 4, 5, workBill=8)) == {(CLIMB, "3"), (CLIMB, "4")}
    assert marked(before, work(1, 2, 3, 5, workBill=9)) == {(CLIMB, "3")}
    assert marked(before, work(1, 2, 3, 5, workBill=8, workNotes="x")) == set()
    bill = changed("Bill", 8, at=1, billStatus=1)
    assert marked(bill, changed("Bill", 8, at=2, billStatus=FINAL)) == {(BILLS, "8")}


def test_totals_follow_every_change_below() -> None:
    """Rewritten, moved, deleted; a part that moves takes along what hangs on it."""
    firm = Firm()
    firm.take(LOG)
    assert firm.spent("Open") == {"P-1": Decimal(3), "P-2": Decimal(4)}
    assert firm.spent("Labor") == {"P-1": Decimal(3), "P-2": Decimal(0)}
    firm.take([work(1, 20, 1, 9)], [work(3, 21, 4, 4)])
    assert firm.spent("Open") == {"P-1": Decimal(15), "P-2": Decimal(0)}
    firm.take([part(4, 22, 5)])
    assert firm.spent("Open") == {"P-1": Decimal(9), "P-2": Decimal(6)}
    firm.take([changed("Work", 2, "d", at=23)], [part(5, 24, 2, HIDDEN)])
    assert firm.spent("Open") == {"P-1": Decimal(9), "P-2": Decimal(4)}
    firm.take([part(4, 25, 2, HIDDEN)], [changed("Part", 5, "d", at=26)])
    assert firm.spent("Open") == {"P-1": Decimal(9), "P-2": Decimal(0)}
    assert firm.spent("Rows") == {"P-1": 1, "P-2": 1}


def test_totals_follow_the_rows_that_their_rows_refer_to() -> None:
    """A bill made final and opened again, a task of another kind, a role renamed."""
    firm = Firm()
    firm.take(LOG, [changed("Bill", 8, at=20, billStatus=FINAL)])
    assert (firm.spent("Billed")["P-2"], firm.spent("Open")["P-2"]) == (Decimal(4), Decimal(0))
    firm.take([changed("Bill", 8, at=21, billStatus=1)])
    assert (firm.spent("Billed")["P-2"], firm.spent("Open")["P-2"]) == (Decimal(0), Decimal(4))
    assert firm.crew() == CREWED
    firm.take([changed("Role", 5, at=22, roleName="Lead")])
    assert firm.crew() == [("P-1", "E-7", "Lead", 3, date(2026, 1, 2))]
    firm.take([changed("Task", 1, at=23, taskKind=2)])
    assert (firm.spent("Labor")["P-1"], firm.crew()) == (Decimal(0), [])


def test_a_group_whose_row_is_not_there_waits_for_it() -> None:
    """Its root does, and is recomputed when it comes."""
    firm = Firm()
    firm.take([one for one in LOG if one.table != "Role"])
    assert firm.crew() == []
    firm.take([changed("Role", 5, at=20, roleName="Lead")])
    assert firm.crew() == [("P-1", "E-7", "Lead", 3, date(2026, 1, 2))]


def test_a_person_who_is_linked_later_has_a_row_from_then_on() -> None:
    """Until the link ends; nothing changes in Ajera meanwhile."""
    firm = Firm()
    firm.take(LOG, [work(2, 20, 4, 2, workTask=1, workPerson=8, workRole=5, workHours=2)])
    assert firm.crew() == [("P-1", "E-7", "Drafter", 1, None)]
    firm.link(EMPLOYEE, "8", "E-8")
    firm.take()
    assert [row[1] for row in firm.crew()] == ["E-7", "E-8"]
    firm.link(EMPLOYEE, "7", "E-7", State.ENDED)
    firm.take()
    assert [row[1] for row in firm.crew()] == ["E-8"]


def test_who_begins_to_follow_further_links_computes_every_root_anew() -> None:
    """Nobody kept what changed until then: another release followed the projects' alone."""
    (mapping,) = TREE.mappings
    older = replace(TREE, mappings=(replace(mapping, grouped=(replace(CREW, linked=()),)),))
    firm = Firm()
    with firm.target.transaction() as transaction:
        follow(transaction, older, NOON)
    firm.take(LOG)
    firm.link(EMPLOYEE, "7", "E-9")
    firm.take()
    assert [row[1] for row in firm.crew()] == ["E-7"]
    with firm.target.transaction() as transaction:
        follow(transaction, TREE, NOON)
    firm.take()
    assert [row[1] for row in firm.crew()] == ["E-9"]


def with_crew(**fields: Any) -> TableMapping:
    return replace(MAPPING, grouped=(replace(CREW, **fields),))


def with_way(*along: Path) -> TableMapping:
    return replace(MAPPING, lines=(replace(TREE_LINES[0], along=along),), grouped=())


EM_LINK = CREW.linked[0]
BY_BILL = GroupLookUp(Path("Work", "workBill", "Bill"), ("billStatus",))
BY_NUMBER = GroupLookUp(Path("Bill", "workRole", "Role"), ("roleName",))
TO_PARTS = Path("Part", "partOf", "Part")
REFUSED = (
    ("by workHours, which is not indexed", with_way(PARTS, Path("Work", "workHours", "Part"))),
    ("a tree of Part leads to rows of another table", with_way(PARTS)),
    ("a tree of Part leads to rows of another table", with_way(PARTS, TO_PARTS)),
    ("a tree of Part leads to rows of another table", with_way(TO_PARTS, PARTS)),
    ("a tree of Work leads to", with_way(replace(TO_WORK[1], levels=2), TO_WORK[1])),
    ("crew is not grouped by workBill", with_crew(looks_up=(BY_BILL,))),
    ("crew is not grouped by workTask", with_crew(linked=(replace(EM_LINK, column="workTask"),))),
    ("looks up what rows of another table name", with_crew(looks_up=(BY_NUMBER,))),
    ("crew has two links", with_crew(linked=(EM_LINK, EM_LINK))),
    ("crew is grouped by a long text", with_crew(by=("workNotes",), looks_up=(), linked=())),
    (
        "crew has a link of a column that holds no keys",
        with_crew(by=("workRole", "workDay"), linked=(replace(EM_LINK, column="workDay"),)),
    ),
    ("@e+ is too long", with_crew(linked=(replace(EM_LINK, entity=80 * "e"),))),
)


@pytest.mark.parametrize(("problem", "mapping"), REFUSED)
def test_a_way_that_cannot_be_followed_is_refused(problem: str, mapping: TableMapping) -> None:
    """When the route is made, with what is wrong: not at the first event."""
    with pytest.raises(ValueError, match=problem):
        replace(TREE, mappings=(mapping,))


def test_a_tree_has_no_rows_that_keep_old_references() -> None:
    """A row that lost its flag would stay where it was."""
    sources = (replace(PART, member="is_top"), *TREE.sources[1:])
    with pytest.raises(ValueError, match="which would keep old references"):
        replace(TREE, sources=sources)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("Work", (None, None, [])),
        ("Part", (None, None, [])),
        ("Task", (Decimal(3), None, [])),
        ("Bill", (None, Decimal(3), CREWED)),
        ("Role", (Decimal(3), Decimal(3), [])),
    ],
)
def test_nothing_is_written_before_what_it_needs_is_loaded(
    table: str, expected: tuple[Value, Value, list[tuple[Value, ...]]]
) -> None:
    """Not even where all has come; what needs other tables is."""
    firm = Firm(is_loaded=False)
    loaded_but(firm.target, table)
    firm.take(LOG)
    assert (firm.spent("Open")["P-1"], firm.spent("Labor")["P-1"], firm.crew()) == expected


def test_groups_are_written_when_the_last_table_that_they_need_is_loaded() -> None:
    """Here that of the rows that they look up, which nothing else needs."""
    firm = Firm(is_loaded=False)
    loaded_but(firm.target, "Role")
    firm.take(LOG)
    loading_of(firm.target, 1, firm.clock, TREE).advance(patiently)
    firm.take()
    assert firm.crew() == CREWED


def loaded_but(target: MemoryTarget, table: str) -> None:
    """All but one table, whose end was read, and is to be told."""
    with target.transaction() as transaction:
        for source in TREE.sources:
            transaction.set_load_ends(topic_of(source.name), source.name, 1, {0: 0})
            if source.name != table:
                transaction.set_loaded(source.name, 1)


def test_events_mark_nothing_for_values_that_need_a_table_that_is_not_loaded() -> None:
    """Neither its own events nor those of others that are read together with it; roots mark
    themselves. So a first load of millions of rows sets no marks.
    """
    settings = StageSettings(TREE, Site(), timedelta(0))
    for table, expected in (("Work", {"Part"}), ("Part", {"Part"}), ("", {"Part", CLIMB, BILLS})):
        firm = Firm(is_loaded=False)
        loaded_but(firm.target, table)
        with firm.target.transaction() as transaction:
            batch = stage(transaction, settings, [*LOG, changed("Bill", 9, at=30)], 1, NOON)
        assert expected <= {mark.kind for mark in batch.marks}, table
        assert table == "" or {mark.kind for mark in batch.marks} == expected


def finish(loading: Loading, firm: Firm) -> None:
    """Load what was read to its end, and compute what was marked for it."""
    loading.advance(patiently)
    Consumer(firm.target, (), clock=firm.clock, route=TREE).drain()


def test_what_was_staged_while_a_table_became_loaded_is_written() -> None:
    """One process finishes the load of a table while another, in every order of statements that is
    drawn, stages a row of it.
    """
    for seed in range(SCHEDULES):
        firm = Firm(is_loaded=False, turns=(schedule := Schedule(Random(seed), 12)))
        loaded_but(firm.target, "Work")
        firm.take([one for one in LOG if one.table != "Work"])
        row = work(1, 20, 4, 7)
        consumer = Consumer(firm.target, [row], clock=firm.clock, route=TREE)
        loading = loading_of(firm.target, 1, firm.clock, TREE)
        schedule.run([partial(consumer.take, [row]), partial(finish, loading, firm)])
        consumer.drain()
        assert firm.spent("Open") == {"P-1": Decimal(7), "P-2": Decimal(0)}, f"schedule {seed}"


def test_many_rows_of_a_batch_compute_each_project_once() -> None:
    """A day's entries, on whatever part, come to one value of each project they are on."""
    firm = Firm()
    firm.take(LOG)
    before = len(firm.target.log)
    firm.take([work(key, 20 + key, 1 + key % 5, key) for key in range(20, 80)])
    written = [one for one in firm.target.log[before:] if one.table == "Spent"]
    assert sorted(str(one.after["Code"]) for one in written if one.after) == ["P-1", "P-2"]


def test_what_is_read_is_in_the_words_of_the_reference() -> None:
    """With the tree."""
    assert TREE_LINES[0].words == (
        "count of rows of Work, by partOf of Part down to 3 levels and workPart of Work"
    )

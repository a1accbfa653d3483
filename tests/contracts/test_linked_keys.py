"""The contract of keys that links give: an exchange and a projection that keep their own tables in
one database. The twins in memory and PostgreSQL always, SQL Server where
PIPELINE_TEST_SQLSERVER_URL names one.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.link import WITH_PARENT, Link, LinkSide, State
from pipeline.conflicts.rules import Rule, Side
from pipeline.database.pairs import DatabasePairs
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.rows import Names
from pipeline.database.target import DatabaseTarget
from pipeline.engine.consumer.ports import Target
from pipeline.engine.projection import guard
from pipeline.errors import TargetRefused
from pipeline.mapping.observed import PutBackValue
from pipeline.mapping.site import Site
from pipeline.model.ledger import Mark
from tests.contracts.test_pairs import AnyPairs
from tests.contracts.test_twin import beside
from tests.support.events import NOON
from tests.support.linked import AX_PROJECT, LINKED
from tests.twins.clock import Ticks
from tests.twins.pairs import MemoryPairs
from tests.twins.systems import both_systems
from tests.twins.target import MemoryTarget

SQL_SERVER = "PIPELINE_TEST_SQLSERVER_URL"
PROJECT, CONTACT = "project", "contact"


@dataclass(frozen=True)
class Both:
    """An exchange, and a projection that may follow its links."""

    pairs: AnyPairs
    target: Target

    def follow(self, *entities: str) -> frozenset[str]:
        with self.target.transaction() as transaction:
            return transaction.follow_links(entities)

    def take(self, limit: int = 100) -> list[tuple[str, str]]:
        with self.target.transaction() as transaction:
            return transaction.take_link_changes(limit)

    def given(self, *keys: str, is_locked: bool = True) -> dict[str, str]:
        with self.target.transaction() as transaction:
            return transaction.linked_keys(PROJECT, keys, is_locked=is_locked)

    def store(self, *links: Link) -> None:
        """As the exchange does: read, then stored."""
        with self.pairs.transaction() as transaction:
            transaction.links([link.id for link in links])
            transaction.store([(link, None) for link in links])


@pytest.fixture(
    params=(
        "memory",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mssql", marks=pytest.mark.sqlserver),
    )
)
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    """Nothing is linked, and nobody follows anything."""
    if request.param == "memory":
        pairs = both_systems(Ticks(datetime.now(UTC)))
        yield Both(pairs, MemoryTarget(LINKED, beside=pairs))
        return
    suffix = uuid.uuid4().hex[:8]
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create_database(f"linked_{suffix}")
    elif SQL_SERVER in os.environ:
        url = os.environ[SQL_SERVER]
    else:
        pytest.skip(f"{SQL_SERVER} is not set: nothing was run on SQL Server")
    engine = create_engine(url, lock_timeout_seconds=10)
    theirs, own = f"sync_{suffix}", f"own_{suffix}"
    upgrade(engine, theirs, part="dps")
    upgrade(engine, own, mirrored=LINKED.sources)
    names = Names(Site(), Side.DPS, None)
    yield Both(
        DatabasePairs(engine, engine, names, replace(names, side=Side.AJERA), theirs),
        DatabaseTarget(engine, LINKED, Site(), own, None, theirs),
    )
    engine.dispose()


def pair(number: int, key: str | None = None, *, entity: str = PROJECT) -> Link:
    """A linked pair: of project 7 and P-7, unless another key is given."""
    halves = LinkSide("AxProject", str(number)), LinkSide("PR", key or f"P-{number}")
    return Link(uuid.uuid4().hex, entity, *halves, state=State.LINKED)


def waiting(call: Callable[[], object], both: Both) -> Callable[[], object]:
    """Begin a call beside this transaction, and go on once it waits for a lock. SQL Server is not
    asked whether it does.
    """
    pairs = both.pairs
    finish, deadline = beside(call), time.monotonic() + 20
    if isinstance(pairs, DatabasePairs) and pairs.dps_engine.dialect.name != "postgresql":
        return finish
    while not (pairs.waiting if isinstance(pairs, MemoryPairs) else _waits(pairs.dps_engine)):
        assert time.monotonic() < deadline, "nobody waits for a lock"
    return finish


def _waits(engine: sa.Engine) -> bool:
    """Does anybody wait for a lock in this database."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with engine.connect() as connection:
        found = connection.scalar(sa.text(f"{waits} AND datname = current_database()"))
    return bool(found)


def test_a_link_gives_its_key_while_its_pair_is_exchanged(both: Both) -> None:
    """Not before it has both rows, not while it is suspended or a row of it is not to be exchanged,
    and not after it has ended.
    """
    linked = pair(7)
    both.store(linked, pair(8), pair(9, entity=CONTACT))
    assert both.given("7", "8", "9", "10") == {"7": "P-7", "8": "P-8"}
    for one in (
        replace(linked, state=State.CREATING, dps=replace(linked.dps, key=None)),
        replace(linked, out=frozenset({Side.DPS})),
        replace(linked, out=frozenset({WITH_PARENT})),
        replace(linked, off=frozenset({Side.AJERA})),
        replace(linked, state=State.ENDED),
    ):
        both.store(one)
        assert both.given("7", "8") == {"8": "P-8"}
        both.store(linked)
        assert both.given("7") == {"7": "P-7"}


def test_a_row_whose_link_has_ended_has_the_key_of_its_next_one(both: Both) -> None:
    """Of links that were, nothing is left."""
    first = pair(7)
    both.store(first)
    both.store(replace(first, state=State.ENDED))
    both.store(pair(7, "P-8"))
    assert both.given("7") == {"7": "P-8"}
    assert both.given() == {}


def test_the_rows_of_a_table_whose_link_gives_a_key_are_marked_alone(both: Both) -> None:
    """A firm's phases and most of its projects have none."""
    both.store(pair(7), pair(8), replace(pair(9), state=State.ENDED), pair(10, entity=CONTACT))
    source = AX_PROJECT
    rows = [guard.empty(source, str(key)) for key in (6, 7, 9, 10)]
    with both.target.transaction() as transaction:
        transaction.write_rows(rows)
        assert transaction.mark_table(source.name, 5, NOON, linked=PROJECT) == 1
        assert transaction.marks_of((source.name, row.key) for row in rows) == [
            Mark(source.name, "7", 5)
        ]


def test_who_follows_links_is_told_once_which_rows_have_another_key(both: Both) -> None:
    """From the commit on: what changed before is for it to read. A link that is stored and gives
    the same key as before is no change.
    """
    linked = pair(7)
    both.store(pair(5))
    assert both.follow(PROJECT) == {PROJECT}
    assert both.follow(PROJECT) == frozenset()
    assert both.take() == []
    both.store(linked, pair(8))
    assert both.take(1) == [(PROJECT, "7")]
    assert both.take() == [(PROJECT, "8")]
    both.store(replace(linked, number=3))
    assert both.take() == []
    both.store(replace(linked, out=frozenset({Side.DPS})))
    assert both.take() == [(PROJECT, "7")]
    both.store(replace(linked, state=State.ENDED))
    assert both.take() == []  # it gave none before, and gives none now


def test_a_row_that_another_takes_the_place_of_is_told_too(both: Both) -> None:
    """The link keeps its id, and has another key on either side."""
    linked = pair(7)
    both.follow(PROJECT)
    both.store(linked)
    both.take()
    both.store(replace(linked, ajera=replace(linked.ajera, key="17")))
    assert both.take() == [(PROJECT, "17"), (PROJECT, "7")]
    both.store(pair(5), replace(linked, dps=replace(linked.dps, key="P-17")))
    assert both.take() == [(PROJECT, "17"), (PROJECT, "5"), (PROJECT, "7")]


def test_a_link_that_was_stored_without_being_read_is_told(both: Both) -> None:
    """What it gave before is not known."""
    linked = pair(7)
    both.store(linked)
    both.follow(PROJECT)
    with both.pairs.transaction() as transaction:
        transaction.store([(replace(linked, state=State.ENDED), None)])
    assert both.take() == [(PROJECT, "7")]


def test_what_a_person_typed_over_a_column_of_the_source_is_in_the_conflict_log(both: Both) -> None:
    """With the pair of its row, both values and who owns it; what has no pair is in no log."""
    linked = pair(7)
    both.store(linked, replace(pair(7, "P-9"), state=State.ENDED))
    typed = PutBackValue(("AxProject", "7"), "PR.Fee", Decimal(1), Decimal("2.5"))
    day = PutBackValue(("AxProject", "7"), "PR.StartDate", date(2026, 1, 2), None)
    with both.target.transaction() as transaction:
        others = replace(typed, root=("AxProject", "8"))
        transaction.log_put_back(PROJECT, [typed, day, others], NOON)
    with both.pairs.transaction() as transaction:
        logged = [one for _, one in transaction.logged(limit=9)]
    assert [(one.link, one.entity, one.column) for one in reversed(logged)] == [
        (linked.id, PROJECT, "PR.Fee"),
        (linked.id, PROJECT, "PR.StartDate"),
    ]
    day_entry, fee = logged
    assert (fee.kind, fee.rule, fee.winner) == (Kind.OWNED_PUT_BACK, Rule.AJERA, Side.AJERA)
    assert (fee.ajera, fee.dps, fee.at) == (Decimal("2.5"), Decimal(1), NOON)
    assert (day_entry.ajera, day_entry.dps) == (None, date(2026, 1, 2))


def test_nothing_is_kept_that_nobody_follows(both: Both) -> None:
    """Neither of other entities, nor after it is not followed any more."""
    both.store(pair(1))
    both.follow(PROJECT)
    both.store(pair(2, entity=CONTACT))
    assert both.take() == []
    both.store(pair(3))
    assert both.follow(CONTACT) == {CONTACT}
    both.store(pair(4))
    assert both.take() == []
    assert both.follow(PROJECT) == {PROJECT}
    assert both.take() == []


def test_what_was_taken_is_kept_where_the_transaction_fails(both: Both) -> None:
    """The marks are set in the same transaction."""
    both.follow(PROJECT)
    both.store(pair(7))

    def taken() -> None:
        with both.target.transaction() as transaction:
            transaction.take_link_changes(100)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        taken()
    assert both.take() == [(PROJECT, "7")]


def test_a_link_that_gave_a_key_does_not_change_until_the_transaction_ends(both: Both) -> None:
    """Whoever ends it waits for what is written under it."""
    linked = pair(7)
    both.store(linked)
    with both.target.transaction() as transaction:
        assert transaction.linked_keys(PROJECT, ["7"]) == {"7": "P-7"}
        ended = waiting(lambda: both.store(replace(linked, state=State.ENDED)), both)
        assert transaction.linked_keys(PROJECT, ["7"]) == {"7": "P-7"}
    ended()
    assert both.given("7") == {}


def test_who_asks_for_a_key_waits_for_whoever_changes_the_link(both: Both) -> None:
    """It gets what the link gives then."""
    linked = pair(7)
    both.store(linked)
    with both.pairs.transaction() as transaction:
        transaction.links([linked.id])
        asked = waiting(lambda: both.given("7"), both)
        transaction.store([(replace(linked, state=State.ENDED), None)])
    assert asked() == {}


def test_a_key_that_need_not_stay_is_read_as_it_is_committed(both: Both) -> None:
    """Nobody waits for whoever changes the link, nor does that one wait for us."""
    linked = pair(7)
    both.store(linked)
    with both.pairs.transaction() as transaction:
        transaction.links([linked.id])
        assert both.given("7", "8", is_locked=False) == {"7": "P-7"}
        transaction.store([(replace(linked, state=State.ENDED), None)])
    assert both.given("7", is_locked=False) == {}
    both.store(linked)
    with both.target.transaction() as reading:
        assert reading.linked_keys(PROJECT, ["7"], is_locked=False) == {"7": "P-7"}
        both.store(replace(linked, state=State.ENDED))
        assert reading.linked_keys(PROJECT, ["7"], is_locked=False) == {}


def test_a_change_that_is_kept_again_is_taken_after_its_transaction(both: Both) -> None:
    """A row that was linked anew has a link that nobody could lock before: who took the older
    change at once would not see it.
    """
    first = pair(7)
    both.follow(PROJECT)
    both.store(first)

    def take_and_ask() -> tuple[list[tuple[str, str]], dict[str, str]]:
        return both.take(), both.given("7")

    both.store(replace(first, state=State.ENDED))
    with both.pairs.transaction() as transaction:
        transaction.store([(pair(7, "P-8"), None)])
        taken = waiting(take_and_ask, both)
    assert taken() == ([(PROJECT, "7")], {"7": "P-8"})


def test_who_begins_to_follow_waits_for_links_that_are_being_stored(both: Both) -> None:
    """Their transactions did not find it: what they store it must be able to read."""
    with both.pairs.transaction() as transaction:
        transaction.store([(pair(7), None)])
        followed = waiting(lambda: (both.follow(PROJECT), both.given("7")), both)
    assert followed() == ({PROJECT}, {"7": "P-7"})


def test_who_stores_a_link_while_somebody_begins_to_follow_waits_and_finds_him(both: Both) -> None:
    """The change is kept."""
    with both.target.transaction() as transaction:
        transaction.follow_links([PROJECT])
        stored = waiting(lambda: both.store(pair(7)), both)
    stored()
    assert both.take() == [(PROJECT, "7")]


def test_where_no_exchange_keeps_its_tables_no_link_gives_a_key() -> None:
    """It is refused, and not taken for a row without a link."""
    with (
        pytest.raises(TargetRefused),
        MemoryTarget(LINKED).transaction() as transaction,
    ):
        transaction.linked_keys(PROJECT, ["7"])

"""The state that the last release left behind is carried over by the real migrations, and goes on.

`projection_0001.sql` is a PIM database as release 0.1 kept it, written by `write.py` in that tree.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from deploy.local.stack import Stack
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import latest, require_latest, upgrade
from pipeline.database.state.unknown import unknown_columns
from pipeline.database.systems.live import target_metadata
from pipeline.database.target import DatabaseTarget
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.filling import fill_sticky
from pipeline.engine.projection.remapping import remap
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceColumn
from pipeline.mapping.table import Column
from pipeline.model.event import Event, Value
from tests.support.engine import Consumer, fresh_target, pim_rows
from tests.support.events import NOON, position
from tests.support.releases import with_columns
from tests.upgrades.write import SEED, working_days

pytestmark = pytest.mark.postgres
STATE = Path(__file__).with_name("projection_0001.sql")
COUNTRY = SourceColumn("vecAdded", ColumnType.TEXT)
LATER = 0x100000  # past every position of the last release
TARGETS = [table.name for table in AJERA_TO_PIM.targets]
Versions = dict[str, dict[object, str]]


def _from_country(route: Route) -> Route:
    """The next release's: an organization's Address is a column that was not mirrored before."""
    line = Column("vecAdded", "Address")
    mappings = tuple(
        replace(one, lines=tuple(line if line.target == old.target else old for old in one.lines))
        if one.target == "Organization"
        else one
        for one in route.mappings
    )
    return replace(with_columns(route, "AxVec", COUNTRY), mappings=mappings)


ROUTES = {"as it is": AJERA_TO_PIM, "with a column more": _from_country(AJERA_TO_PIM)}


@dataclass
class Installation:
    """A PIM database of the last release, and the program that keeps it from now on."""

    engine: sa.Engine
    route: Route

    @property
    def target(self) -> DatabaseTarget:
        return DatabaseTarget(self.engine, self.route, Site())

    def upgraded(self) -> None:
        """`schema upgrade`, and what a consumer does before it reads."""
        upgrade(self.engine, mirrored=self.route.sources)
        require_latest(self.engine, mirrored=self.route.sources)
        fill_sticky(self.target, self.route, Site(), NOON)
        with self.target.transaction() as transaction:
            remap(transaction, self.route, Site(), "0.2.0", NOON)
        Consumer(self.target, [], route=self.route).drain()

    def take(self, events: list[Event]) -> None:
        consumer = Consumer(self.target, events, route=self.route)
        consumer.take(events)
        consumer.drain()
        assert consumer.letters.sent == []

    def versions(self) -> Versions:
        """Every row of PIM with the transaction that wrote it last."""
        found: Versions = {}
        with self.engine.connect() as connection:
            for table in TARGETS:
                rows = connection.execute(sa.text(f'SELECT t, xmin FROM "{table}" t')).all()
                found[table] = {row: str(written) for row, written in rows}
        return found


@pytest.fixture(params=ROUTES)
def installation(request: pytest.FixtureRequest, postgres: Stack) -> Iterator[Installation]:
    """What the last release left behind, in a database of its own."""
    name = f"upgrade_{request.node.callspec.id.replace(' ', '_')}_{id(request.node)}"
    engine = create_engine(postgres.create_database(name))
    with engine.begin() as connection:
        connection.exec_driver_sql(STATE.read_text(encoding="utf-8"))
        newer_columns_of_pim(connection, ROUTES[request.param])
    yield Installation(engine, ROUTES[request.param])
    engine.dispose()


def newer_columns_of_pim(connection: sa.Connection, route: Route) -> None:
    """PIM's own columns that a map fills today and did not then: its vendor has added them."""
    for table in target_metadata(route, Site(), None).sorted_tables:
        there = {one["name"] for one in sa.inspect(connection).get_columns(table.name)}
        for column in (one for one in table.columns if one.name not in there):
            definition = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(sa.text(f'ALTER TABLE "{table.name}" ADD {definition}'))


def again(events: list[Event], **columns: Value) -> list[Event]:
    """The newest event of each company once more, later, with further values."""
    newest = {one.key: one for one in events if one.table == "AxVec" and one.row}
    return [
        replace(
            one,
            row={**one.row, **columns},
            position=position(LATER + number),
            place=one.place._replace(offset=LATER + number),
        )
        for number, one in enumerate(newest.values(), 1)
    ]


def addresses(installation: Installation) -> Mapping[str, object]:
    rows = pim_rows(installation.engine, "Organization")["Organization"]
    return {row[0]: row[2] for row in rows if row[0] != "Internal"}


def test_an_upgrade_and_what_was_read_before_write_nothing_into_pim(
    installation: Installation,
) -> None:
    """Not even the same values: each row is of the transaction
    that wrote it under the last release.
    """
    before = installation.versions()
    assert sum(map(len, before.values())) > 200
    installation.upgraded()
    assert installation.versions() == before
    events = working_days(random.Random(SEED))
    installation.take(events[-100:])
    assert installation.versions() == before


def test_what_the_last_release_left_is_what_this_one_makes_of_the_same_history(
    installation: Installation, postgres: Stack
) -> None:
    """Nothing is lost on the way, and nothing waits that does not wait in a fresh installation."""
    if installation.route is not AJERA_TO_PIM:
        pytest.skip("a fresh installation of that release has the column")
    installation.upgraded()
    events = working_days(random.Random(SEED))
    engine, target = fresh_target(postgres.create_database(f"fresh_{id(installation)}"))
    consumer = Consumer(target, events)
    for one in range(0, len(events), 50):
        consumer.take(events[one : one + 50])
    consumer.drain()
    assert pim_rows(installation.engine) == pim_rows(engine)
    engine.dispose()


def mirrors_of(engine: sa.Engine) -> dict[str, str]:
    """How the database describes the mirrors' indexes, and what room their pages leave."""
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'mirror%'"
    room = "SELECT relname, CAST(reloptions AS text) FROM pg_class WHERE relname LIKE 'mirror%'"
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f"{indexes} UNION ALL {room} AND relkind = 'r'")).all()
    return {str(name): str(definition) for name, definition in rows}


def test_mirrors_that_were_there_have_the_indexes_and_the_room_of_new_ones(
    installation: Installation, postgres: Stack
) -> None:
    """What a fresh one of the same route has; before, they had others."""
    fresh = create_engine(postgres.create_database(f"mirrors_{id(installation)}"))
    upgrade(fresh, mirrored=installation.route.sources)
    assert mirrors_of(installation.engine) != mirrors_of(fresh)
    installation.upgraded()
    assert mirrors_of(installation.engine) == mirrors_of(fresh)
    fresh.dispose()


def test_a_column_that_the_upgrade_added_is_written_with_the_next_event_of_each_row(
    installation: Installation,
) -> None:
    """Until then every address stays; `status` says in how many rows it is unknown."""
    installation.upgraded()
    before = addresses(installation)
    assert "Boise" in before.values()
    if installation.route is AJERA_TO_PIM:
        return  # what it has more than the last release, if anything, follows from its own maps
    found = {one.column: one for one in unknown_columns(installation.engine, "sync")}
    unknown = found["vecAdded"]
    assert (unknown.table, unknown.known_epoch) == ("AxVec", 2)
    assert unknown.rows > 20
    events = again(working_days(random.Random(SEED)), vecAdded="NO")
    link_side = events[: len(events) // 2]
    installation.take(link_side)
    keys = {one.key for one in link_side}
    after = addresses(installation)
    assert {key: value for key, value in after.items() if key.partition("-")[2] not in keys} == {
        key: value for key, value in before.items() if key.partition("-")[2] not in keys
    }
    assert {value for key, value in after.items() if key.partition("-")[2] in keys} == {"NO"}


def test_the_state_is_of_an_earlier_version_than_this_program_needs(
    installation: Installation,
) -> None:
    """Or the upgrade would prove nothing."""
    with installation.engine.connect() as connection:
        version = connection.execute(sa.text("SELECT version_num FROM sync.schema_version"))
        assert version.scalar_one() != latest()

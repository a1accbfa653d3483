"""Both exchanged databases in PostgreSQL without Kafka: triggers keep each side's log,
and a test delivers it as it likes.

Positions are real: the log position at each change, as `pg_current_wal_insert_lsn()` tells it, so
that what the engine reads inside its own transactions compares with them.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import tomli_w
from psycopg import sql

from deploy.local.stack import Stack
from deploy.sample import databases, dps
from deploy.sample.naming import Naming
from pipeline.conflicts import codec, line_values
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import Rule, Side
from pipeline.database.pairs import DatabasePairs
from pipeline.database.sql.engine import create_engine
from pipeline.database.state import migrate
from pipeline.database.state.schema_links import AJERA_SCHEMA
from pipeline.database.systems.key_sources import generated_keys
from pipeline.database.systems.rows import Names
from pipeline.domain.ajera import AX_PROJECT_CONTACT
from pipeline.domain.choice import EVERYBODY, Choices
from pipeline.domain.exchange import entities
from pipeline.domain.exchange_tables import (
    AJERA_TABLES,
    CODE_LISTS,
    CREATED_IN_AJERA,
    DPS_TABLES,
    FILLS,
    SIDES,
)
from pipeline.domain.status import StatusCoding
from pipeline.engine.consumer.batch import BatchResult
from pipeline.engine.consumer.circuit import Limits
from pipeline.engine.exchange.ajera_writer import AjeraWriter
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.processor import Exchange
from pipeline.engine.exchange.reconciler import Reconciler
from pipeline.engine.exchange.unit_of_work import ExchangeConfig
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Decoded, Event, Message, Operation
from pipeline.model.position import TopicOffset, postgres_position
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.clients import SystemClock
from tests.support.commands import answer
from tests.support.decoding import many
from tests.support.writers import InterruptibleWriter
from tests.twins.messages import MemoryDeadLetters

T = TypeVar("T")
OURS = "ajera-cdc"
COMMIT = """
CREATE OR REPLACE FUNCTION outbox.commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE outbox.change SET at = clock_timestamp() WHERE number = NEW.number;
    RETURN NULL;
END $$;
"""
LOG = """
CREATE SCHEMA outbox;
CREATE TABLE outbox.change (
    number bigserial PRIMARY KEY, who text, source text, operation text, row jsonb, was jsonb,
        lsn bigint, at timestamptz
);
CREATE FUNCTION outbox.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO outbox.change (who, source, operation, row, was, lsn, at) VALUES (
        current_setting('application_name'), TG_TABLE_NAME,
        CASE TG_OP WHEN 'INSERT' THEN 'c' WHEN 'UPDATE' THEN 'u' ELSE 'd' END,
        to_jsonb(COALESCE(NEW, OLD)), to_jsonb(OLD), (pg_current_wal_insert_lsn() - '0/0')::bigint,
        clock_timestamp());
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER commit AFTER INSERT ON outbox.change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION outbox.commit();
"""
TABLES: Mapping[Side, tuple[SourceTable, ...]] = {
    Side.AJERA: AJERA_TABLES,
    Side.DPS: DPS_TABLES,
}
KEYS = {table.name: table.key[0] for table in (*AJERA_TABLES, *DPS_TABLES, AX_PROJECT_CONTACT)}
PARTITION = 0
NO_PROFILE = Site()
NOTHING: Mapping[str, object] = {}
DPS_ROUTE = {
    "employee_number": "E{key}",
    "status_coding": "one_is_active",
    "employees": "all",
    "consultants": "all",
}
OTHERS_COMMITTED = (
    1_000_000  # other transactions that committed between a change and its own commit
)


class Crash(Exception):
    """The process dies here."""


@dataclass
class FallingPairs:
    """Both databases, where the process may die before or after each commit,
    and meets others while it holds no lock.
    """

    real: Pairs
    may_die: Callable[[], bool] = lambda: False
    meet: Callable[[], None] = lambda: None
    begun: int = 0  # transactions that have not ended

    def transaction(self) -> AbstractContextManager[Any]:
        return self._one(self.real.transaction())

    def ajera(self) -> AbstractContextManager[Any]:
        return self._one(self.real.ajera())

    @contextmanager
    def _one(self, real: AbstractContextManager[Any]) -> Iterator[Any]:
        self.begun += 1
        try:
            with real as transaction:
                yield transaction
                self._die()
        finally:
            self.begun -= 1
        self._die()
        if self.begun == 0:
            self.meet()

    def _die(self) -> None:
        if self.may_die():
            raise Crash


class Prepared:
    """A decoder that finds the event of a message by its place."""

    def __init__(self) -> None:
        self.events: dict[tuple[str, int], Decoded] = {}

    def decode(self, message: Message, incarnation: int) -> Decoded:
        del incarnation
        return self.events[message.topic, message.offset]

    def decode_many(
        self, messages: Sequence[Message], start: int, incarnation: int
    ) -> Sequence[Event]:
        return many(self.decode, messages, start, incarnation)


@dataclass
class World:
    """Two systems with people, and our engine between them.
    `next` is the committed offset of each table's topic.
    """

    ajera: psycopg.Connection
    dps: psycopg.Connection
    pairs: FallingPairs
    setup: ExchangeConfig
    urls: Mapping[Side, str]
    next: Counter[str] = field(default_factory=Counter)
    events: dict[Side, list[Event]] = field(default_factory=lambda: {side: [] for side in Side})
    epochs: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 1))
    read: Counter[Side] = field(
        default_factory=Counter
    )  # how many changes of each log are events by now
    ends: Counter[str] = field(default_factory=Counter)  # the next offset of each table's topic

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process."""
        self.decoder = Prepared()
        self.telemetry = PrometheusTelemetry(Health())
        self.writer = InterruptibleWriter(AjeraWriter(self.pairs, self.telemetry))
        self.reconciler = Reconciler(
            setup=self.setup,
            pairs=self.pairs,
            writer=self.writer,
            telemetry=self.telemetry,
            clock=SystemClock(),
        )
        self.exchange = Exchange(
            setup=self.setup,
            pairs=self.pairs,
            reconciler=self.reconciler,
            sides={},
            decoder=self.decoder,
            dead_letters=MemoryDeadLetters(),
            telemetry=self.telemetry,
            clock=SystemClock(),
            limits=Limits(),
        )

    def restart_with(self, **limits: int | None) -> None:
        """A new process with other limits of contacts."""
        self.setup = replace(self.setup, limits={**self.setup.limits, **limits})
        self.restart()

    def look_for(self, window: timedelta) -> None:
        """A new process that checks images against the row for so long after it looked at it:
        an hour, unless told otherwise.
        """
        entities = (
            replace(one, rules=replace(one.rules, look_window=window))
            for one in self.setup.entities
        )
        self.setup = replace(self.setup, entities=tuple(entities))
        self.restart()

    def rewind(self) -> None:
        """A new process that reads everything again."""
        self.next.clear()
        self.restart()

    def clear(self) -> None:
        """As if nothing had ever been there: the next story begins."""
        for side in Side:
            for table in (
                *reversed(TABLES[side]),
                *((AX_PROJECT_CONTACT,) if side is Side.AJERA else ()),
            ):
                self.do(side, f'DELETE FROM "{table.name}"')
            self.do(side, "TRUNCATE outbox.change RESTART IDENTITY")
        self.do(Side.AJERA, 'DELETE FROM "AxTransaction"')
        self.do(Side.AJERA, "DELETE FROM ajera_cdc.intention")
        for ours in ("link", "conflict", "parked", "unlinked", "progress", "capture"):
            self.do(Side.DPS, f"DELETE FROM sync.{ours}")
        self.events = {side: [] for side in Side}
        self.epochs = dict.fromkeys(Side, 1)
        self.read.clear()
        self.ends.clear()
        self.rewind()

    def connection(self, side: Side) -> psycopg.Connection:
        return self.ajera if side is Side.AJERA else self.dps

    # -- people ------------------------------------------------------------------------------------

    def do(self, side: Side, statement: str, *values: object) -> Any:
        """One statement, committed; the one value that it answers."""
        cursor = self.connection(side).execute(sql.SQL(statement), values)
        row = cursor.fetchone() if cursor.description is not None else None
        return None if row is None else row[0]

    def insert(self, side: Side, table: str, **row: object) -> None:
        names = sql.SQL(", ").join(sql.Identifier(name) for name in row)
        values = sql.SQL(", ").join(sql.Placeholder() for _ in row)
        self.connection(side).execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, values),
            list(row.values()),
        )

    def edit(self, side: Side, table: str, key: object = None, **columns: object) -> None:
        """Set columns of the row of that key; of every row without one."""
        sets = sql.SQL(", ").join(
            sql.SQL("{} = %s").format(sql.Identifier(name)) for name in columns
        )
        self.connection(side).execute(
            sql.SQL("UPDATE {} SET {} WHERE {} = COALESCE(%s, {})").format(
                sql.Identifier(table),
                sets,
                *[sql.Identifier(KEYS[table])] * 2,
            ),
            [*columns.values(), key],
        )

    def delete(self, side: Side, table: str, key: object) -> None:
        self.do(side, f'DELETE FROM "{table}" WHERE "{KEYS[table]}" = %s', key)

    def client(self, key: int, name: str | None, **others: object) -> None:
        kinds = {
            "vecIsClient": True,
            "vecIsVendor": False,
            "vecIsEmployee": False,
            "vecSyncToCRM": True,
        }
        self.insert(
            Side.AJERA,
            "AxVec",
            **{"vecKey": key, "vecDescription": name, **kinds, **others},
        )

    def firm(self, key: str, name: str | None, **others: object) -> None:
        kinds = {
            "ClientInd": "Y",
            "VendorInd": "N",
            "AjeraSync": "Y",
            "Status": "A",
        }
        self.insert(
            Side.DPS,
            "Clendor",
            **{"ClientID": key, "Name": name, **kinds, **others},
        )

    def contact(
        self,
        side: Side,
        key: int | str,
        last_name: str | None,
        **others: object,
    ) -> None:
        if side is Side.AJERA:
            row = {
                "cntKey": key,
                "cntLastName": last_name,
                "cntSyncToCRM": True,
                "cntStatus": 1,
            }
            self.insert(side, "AxContact", **{**row, **others})
        else:
            row = {
                "ContactID": key,
                "LastName": last_name,
                "AjeraSync": "Y",
                "Status": "A",
            }
            self.insert(side, "Contacts", **{**row, **others})

    def project(self, side: Side, key: int | str, name: str | None, **others: object) -> None:
        if side is Side.AJERA:
            flags = {
                "prjStatus": 1,
                "prjSyncToCRM": True,
                "prjCreateInCRM": True,
            }
            self.insert(
                side,
                "AxProject",
                **{
                    "prjKey": key,
                    "prjDescription": name,
                    **flags,
                    **others,
                },
            )
        else:
            self.insert(
                side,
                "PR",
                **{
                    "WBS1": key,
                    "Name": name,
                    "Status": "A",
                    "AjeraSync": "Y",
                    **others,
                },
            )

    def command(
        self,
        *words: str,
        expect: int = 0,
        profile: str | None = None,
        **dps: object,
    ) -> dict[str, Any]:
        """Run `ajera-cdc … --json` on both databases; the data of its answer, empty after an error.

        `profile`: the site profile's text. `dps`: settings.
        """
        folder = Path(tempfile.mkdtemp())
        try:
            config = self.settings_file(folder, profile=profile, dps=dps)
            data: dict[str, Any] = answer(config, *words, expect=expect).get("data", {})
        finally:
            shutil.rmtree(folder)
        return data

    def settings_file(
        self,
        folder: Path,
        *,
        profile: str | None = None,
        version: str = "9.08",
        dps: Mapping[str, object] = NOTHING,
    ) -> Path:
        """Settings for commands on both databases: a file in the folder. `dps`: of the route."""
        ajera, in_dps = (self.urls[side] for side in Side)
        (folder / "site.toml").write_text(profile or "")
        route = {name: value for name, value in {**DPS_ROUTE, **dps}.items() if value is not None}
        settings = {
            "profile": "site.toml",
            "sources": {
                "ajera": {"database": ajera, "version": version},
                "dps": {"database": in_dps},
            },
            "routes": {"dps": route},
        }
        config = folder / "ajera-cdc.toml"
        config.write_text(tomli_w.dumps(settings))
        return config

    # -- the logs ----------------------------------------------------------------------------------

    def read_logs(self) -> None:
        """Everything that was committed since, as events."""
        for side in Side:
            captured = [table.name for table in TABLES[side]]
            for source, operation, row, lsn, at in self.connection(side).execute(
                "SELECT source, operation, row, lsn, at FROM outbox.change WHERE source = ANY(%s)"
                " ORDER BY number OFFSET %s",
                (captured, self.read[side]),
            ):
                position = postgres_position(
                    self.epochs[side],
                    f'["{lsn + OTHERS_COMMITTED}","{lsn}"]',
                )
                self._publish(side, source, Operation(operation), row, position, at)
                self.read[side] += 1

    def set_clock_back(self, side: Side, by: timedelta) -> None:
        """From now on the changes of that database are committed that much earlier,
        as its log tells the time.
        """
        self.do(
            side,
            COMMIT.replace(
                "clock_timestamp()",
                f"clock_timestamp() - interval '{by.total_seconds()} s'",
            ),
        )

    def capture_again(self, side: Side) -> None:
        """The connector is removed and applied: a new epoch begins with a snapshot of every row."""
        self.read_logs()
        self.epochs[side] += 1
        for table in TABLES[side]:
            rows = self.connection(side).execute(
                sql.SQL("SELECT to_jsonb(t), clock_timestamp() FROM {} t").format(
                    sql.Identifier(table.name)
                )
            )
            for row, at in rows.fetchall():
                self._publish(side, table.name, Operation.READ, row, "", at)

    def forget(self, side: Side) -> None:
        """What was committed since is captured by nobody."""
        count = "SELECT count(*) FROM outbox.change WHERE source = ANY(%s)"
        self.read[side] = self.do(side, count, [table.name for table in TABLES[side]])

    def _publish(
        self,
        side: Side,
        source: str,
        operation: Operation,
        row: Any,
        position: str,
        at: datetime,
    ) -> None:
        table = next(table for table in TABLES[side] if table.name == source)
        values = {column.name: row[column.name] for column in table.columns}
        key = table.key_text([values[column.name] for column in table.key_columns])
        place = TopicOffset(1, PARTITION, self.ends[source])
        row = {} if operation is Operation.DELETE else values
        self.ends[source] += 1
        event = Event(
            source,
            key,
            operation,
            row,
            position,
            place,
            at.astimezone(UTC),
            self.epochs[side],
        )
        self.events[side].append(event)

    def deliver(self, side: Side, count: int | None = None, *tables: str) -> int:
        """The next events of a side, or of some of its tables, in one batch;
        offsets are committed after, unless it crashes.
        """
        self.read_logs()
        new = (event for event in self.events[side] if event.place.offset >= self.next[event.table])
        events = [event for event in new if not tables or event.table in tables][: count or None]
        if events:
            handled = self.process(events)
            assert not handled.halted
            for event in events:
                self.next[event.table] = event.place.offset + 1
        return len(events)

    def process(self, events: list[Event]) -> BatchResult:
        messages = [
            Message(event.table, PARTITION, event.place.offset, event.key.encode(), b"")
            for event in events
        ]
        self.decoder.events.update({(event.table, event.place.offset): event for event in events})
        return self.exchange.process(
            messages,
            dict.fromkeys((event.table for event in events), 1),
            at_once,
        )

    def settle(self) -> None:
        """Deliver and drain until nothing happens any more."""
        for _ in range(100):
            moved = sum(self.deliver(side) for side in Side)
            moved += self.exchange.drain(at_once, waiting_retry_seconds=1e6)
            if not moved:
                return
        raise AssertionError("the world does not become quiet: writes lead to writes")

    def wait(self) -> None:
        """The time after which parked work is tried again goes by."""
        self.exchange.drain(at_once, waiting_retry_seconds=-1)
        self.settle()

    # -- what can be seen --------------------------------------------------------------------------

    def writes(self, side: Side) -> list[tuple[str, str, Any, Any]]:
        """Every write of ours, as the database logged it: table, operation, before, after."""
        return list(
            self.connection(side).execute(
                (
                    "SELECT source, operation, was, row FROM outbox.change WHERE who = %s"
                    " ORDER BY number"
                ),
                (OURS,),
            )
        )

    def rows(self, side: Side, table: str, *columns: str) -> list[Any]:
        """These columns of all rows, in their order; of one column its values."""
        listed = ", ".join(f'"{column}"' for column in columns)
        found = self.connection(side).execute(
            sql.SQL(f'SELECT {listed} FROM "{table}" ORDER BY "{KEYS[table]}"')
        )
        return [row[0] if len(row) == 1 else row for row in found]

    def projects(self, *columns: str) -> list[Any]:
        """The same of Ajera's projects, without their phases."""
        found = self.rows(Side.AJERA, "AxProject", "prjProject", *columns)
        return [row[1] if len(row) == 2 else row[1:] for row in found if row[0] is None]

    def links(self) -> list[Link]:
        return [
            codec.load(document)
            for (document,) in self.dps.execute("SELECT document FROM sync.link ORDER BY id")
        ]

    def parked(self) -> dict[str, str]:
        """Code by what waits."""
        return dict(
            self.dps.execute(
                "SELECT entity || '/' || side || '/' || key, code FROM sync.parked"
            ).fetchall()
        )

    def conflicts(self) -> list[tuple[str, str | None, str | None]]:
        """Kind, line and winner, in the order in which they were logged."""
        return list(
            self.dps.execute("SELECT kind, line, winner FROM sync.conflict ORDER BY number")
        )

    def logged(self, line: str) -> list[tuple[object, object]]:
        """Both values of each conflict about a line."""
        found = self.dps.execute(
            "SELECT ajera, dps FROM sync.conflict WHERE line = %s ORDER BY number",
            (line,),
        )
        return [
            (line_values.load_value(ajera), line_values.load_value(dps)) for ajera, dps in found
        ]


def at_once(call: Callable[[], T]) -> T:
    return call()


@contextmanager
def world(
    stack: Stack,
    *,
    two_way: bool = True,
    rules: Mapping[str, Rule] | None = None,
    tolerance: timedelta = timedelta(0),
    limits: Mapping[str, int | None] | None = None,
    numbers: Mapping[str, str] | None = None,
    status: StatusCoding = StatusCoding.ONE_IS_ACTIVE,
    choices: Choices = EVERYBODY,
    site: Site = NO_PROFILE,
    in_ajera: Sequence[str] = (),
) -> Iterator[World]:
    """Two empty systems with our schemas, dropped with the stack. `in_ajera`:
    how that database differs.
    """
    name = f"w{uuid.uuid4().hex[:8]}"
    urls = {
        Side.AJERA: stack.create_database(f"{name}_ajera"),
        Side.DPS: stack.create_database(f"{name}_dps"),
    }
    databases.create_ajera(urls[Side.AJERA], Naming())
    dps.create_dps(urls[Side.DPS], Naming())
    engines = {side: create_engine(url) for side, url in urls.items()}
    migrate.upgrade(engines[Side.DPS], part="dps")
    migrate.upgrade(engines[Side.AJERA], AJERA_SCHEMA, part="ajera")
    with databases.connect(urls[Side.AJERA]) as connection:
        for change in in_ajera:
            connection.execute(sql.SQL(change))
    pairs = DatabasePairs(
        engines[Side.DPS],
        engines[Side.AJERA],
        Names(site, Side.DPS, None),
        Names(
            site,
            Side.AJERA,
            None,
            FILLS,
            generated_keys(engines[Side.AJERA], None, site, CREATED_IN_AJERA),
        ),
    )
    setup = ExchangeConfig(
        entities=entities(
            two_way=two_way,
            rules=dict(rules or {}),
            clock_tolerance=tolerance,
            status=status,
            choices=choices,
        ),
        tables=SIDES,
        lists=CODE_LISTS,
        numbers={"project": "", "employee": "E{key}", **(numbers or {})},
        limits={"contact": 5, "project_contact": 5, **(limits or {})},
        policy=FirstLinkPolicy(),
    )
    with (
        databases.connect(urls[Side.AJERA]) as ajera,
        databases.connect(urls[Side.DPS]) as in_dps,
    ):
        for side, connection in ((Side.AJERA, ajera), (Side.DPS, in_dps)):
            connection.execute(sql.SQL(LOG + COMMIT + TRIGGER))
            for table in (
                *TABLES[side],
                *((AX_PROJECT_CONTACT,) if side is Side.AJERA else ()),
            ):
                connection.execute(
                    sql.SQL(
                        "CREATE TRIGGER log AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW"
                        " EXECUTE FUNCTION outbox.note()"
                    ).format(sql.Identifier(table.name))
                )
        try:
            yield World(ajera, in_dps, FallingPairs(pairs), setup, urls)
        finally:
            for engine in engines.values():
                engine.dispose()

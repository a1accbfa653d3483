"""Reading rows of one table from the source again, beside the stream: a backfill, by Debezium's
incremental snapshot.

It is asked for by a row of the signal table in the source, which the connector reads from the log.
What it reads are rows like those of a snapshot: the guard takes them by their place, so a change
that is newer stays, and a row that was deleted meanwhile stays deleted.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from pipeline.config.settings import Settings
from pipeline.connect.backfill import (
    Backfill,
    Notice,
    Requested,
    follow,
    notice_of,
    signal_data,
)
from pipeline.connect.client import ConnectClient
from pipeline.connect.status import ConnectorStatus
from pipeline.database.sql.engine import dialect_of
from pipeline.database.systems.signals import (
    EXECUTE,
    LONGEST_DATA,
    RESUME,
    STOP,
    Signal,
    SignalTable,
)
from pipeline.database.systems.source_rows import Chosen, by_filter, by_keys, count
from pipeline.decoding.avro import Schemas
from pipeline.decoding.wire import split
from pipeline.domain.routes import captured
from pipeline.errors import BackfillRefused, PipelineError, UsageError
from pipeline.kafka.whole_topic import WholeTopic
from pipeline.mapping.source import SourceTable
from pipeline.operations.audit import who
from pipeline.operations.signals import CHUNK_ROWS, SETTING, SIGNAL_TABLE, signal_table
from pipeline.wiring.clients import connect_client, kafka_settings, registry_client
from pipeline.wiring.source import Source, source_of

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A backfill that would be asked for: `signal` is the row's data."""

    table: str
    what: str
    rows: int
    signal: str


@dataclass(frozen=True, slots=True)
class BackfillStatus:
    """The backfills of a source that its signal table remembers, in their order, and its connector
    in one line.
    """

    source: str
    connector: str
    backfills: tuple[Backfill, ...]

    @property
    def running(self) -> tuple[Backfill, ...]:
        return tuple(one for one in self.backfills if not one.state.is_over)


def request(
    settings: Settings,
    system: str,
    table: str,
    keys: Collection[str] | None = None,
    *,
    where: str = "",
) -> Requested:
    """Ask for a backfill of a table of a source, or of the rows with these keys (as the ledger
    writes them), or of those that an SQL condition chooses. Returns at once; `status` shows how far
    it is. With more keys than a signal holds the whole table is read.

    Raises BackfillRefused, UsageError, and what an unavailable service raises.
    """
    source = source_of(settings, system)
    with closing(connect_client(settings)) as connect:
        _refuse_unready(source, connect)
    running = status(settings, system).running
    if running:
        raise BackfillRefused(
            f"A backfill of {running[0].requested.table} is {running[0].state}; it ends by itself,"
            f" or with `ajera-cdc backfill stop {system}`."
        )
    asked, data = _made(settings, source, _table(settings, system, table), keys, where)
    with signal_table(source) as signals:
        signals.send(Signal(asked.id, EXECUTE, data))
    return asked


def rehearse(
    settings: Settings,
    system: str,
    table: str,
    keys: Collection[str] | None = None,
    *,
    where: str = "",
) -> Rehearsed:
    """Changes nothing: counts the rows in the source. Raises as `request`."""
    source = source_of(settings, system)
    with closing(connect_client(settings)) as connect:
        _refuse_unready(source, connect)
    asked, data = _made(settings, source, _table(settings, system, table), keys, where)
    return Rehearsed(asked.table, asked.what, asked.rows, data)


def stop(settings: Settings, system: str) -> BackfillStatus:
    """Ask the connector to end every backfill of a source; what was read stays applied.
    Returns what was running. Raises BackfillRefused.
    """
    before = status(settings, system)
    if not before.running:
        raise BackfillRefused("No backfill is running.")
    with signal_table(source_of(settings, system)) as signals:
        for kind in (STOP, RESUME):  # one that is paused stops only when it goes on
            signals.send(Signal(_new_id(), kind, orjson.dumps({"type": "incremental"}).decode()))
    return before


def status(settings: Settings, system: str) -> BackfillStatus:
    """Raises BackfillRefused where there is no signal table, and what an unavailable service
    raises.
    """
    with watched(settings, system) as look:
        return look()


@contextmanager
def watched(settings: Settings, system: str) -> Iterator[Callable[[], BackfillStatus]]:
    """A function that gives the status of now, again and again. Raises as `status`."""
    source = source_of(settings, system)
    _refuse_without_table(source)
    with ExitStack() as resources:
        connect = resources.enter_context(closing(connect_client(settings)))
        registry = resources.enter_context(closing(registry_client(settings)))
        signals = resources.enter_context(signal_table(source))
        kafka = settings.kafka
        topic = WholeTopic(
            kafka.bootstrap_servers, kafka_settings(settings), source.notification_topic
        )
        resources.enter_context(closing(topic))
        schemas, notices = Schemas(registry.writer_schema), list[Notice]()

        def look() -> BackfillStatus:
            for message in topic.more():
                notice = None if message.value is None else _notice(schemas, message.value)
                if notice is not None:
                    notices.append(notice)
            return BackfillStatus(
                system,
                connect.status(source.connector).sentence,
                tuple(follow(_requested(source, signals), notices)),
            )

        yield look


# -- parts -----------------------------------------------------------------------------------------


def _table(settings: Settings, system: str, name: str) -> SourceTable:
    """The table by the name that the mappings or the site give it. Raises UsageError."""
    readers = [one for one in settings.routes.configured if system in one.reads]
    tables = captured(system, readers)
    for table in tables:
        if name in (table.name, settings.site.source_table(table.name)):
            return table
    names = ", ".join(settings.site.source_table(table.name) for table in tables)
    raise UsageError(f"{name} is no captured table of {system}: {names}.")


def _made(
    settings: Settings,
    source: Source,
    table: SourceTable,
    keys: Collection[str] | None,
    where: str,
) -> tuple[Requested, str]:
    """The request, and its data for Debezium. Raises UsageError, TargetRefused, TargetBusy."""
    if keys is not None and (where or not keys):
        raise UsageError("Give keys or a condition, not both, and at least one key.")
    engine = source.engine()
    try:
        chosen = Chosen("every row", "")
        if keys is not None:
            chosen = by_keys(dialect_of(engine), settings.site, table, keys)
            if len(chosen.condition) > LONGEST_DATA / 2:
                chosen = Chosen(f"every row, since {len(keys):,} keys are too many", "")
        elif where:
            chosen = by_filter(where)
        name = settings.site.source_table(table.name)
        rows = count(engine, source.db_schema, name, chosen)
    finally:
        engine.dispose()
    collection = source.collection(name)
    asked = Requested(
        id=_new_id(),
        table=name,
        collection=collection,
        what=_what(chosen, rows),
        rows=rows,
        chunk_rows=CHUNK_ROWS,
        at=datetime.now(UTC),
        who=who(),
    )
    data = orjson.dumps(signal_data(source.system, asked, chosen.condition)).decode()
    if len(data) > LONGEST_DATA:
        raise UsageError(f"The condition is longer than {LONGEST_DATA / 2:,.0f} characters.")
    return asked, data


def _what(chosen: Chosen, rows: int) -> str:
    """A row that is not in the source is not read: if it is in a target, its delete was missed."""
    lacking = (chosen.keys or rows) - rows
    return f"{chosen.what}, {lacking:,} of them not in the source" if lacking > 0 else chosen.what


def _requested(source: Source, signals: SignalTable) -> list[Requested]:
    """What was asked for by us, in its order; somebody else's signals are not shown."""
    found = []
    for signal in signals.sent(EXECUTE):
        data = orjson.loads(signal.data)
        ours = data.get("request")
        if isinstance(ours, dict) and ours.pop("source", None) == source.system:
            at = datetime.fromisoformat(ours.pop("at"))
            found.append(Requested(id=signal.id, at=at, **ours))
    return sorted(found, key=lambda one: (one.at, one.id))


def _notice(schemas: Schemas, value: bytes) -> Notice | None:
    schema_id, body = split(value)
    schema = schemas.find(schema_id)
    if isinstance(schema, PipelineError):
        raise schema
    return notice_of(schema.read(body))


def _refuse_unready(source: Source, connect: ConnectClient) -> None:
    _refuse_without_table(source)
    config = connect.config(source.connector) or {}
    schema, table = SIGNAL_TABLE.names(source)
    refuse_unready(
        connect.status(source.connector),
        source.system,
        is_in_snapshot=connect.is_in_snapshot(source.connector),
        knows_signals=config.get(SETTING) == source.collection(table, schema),
    )


def refuse_unready(
    found: ConnectorStatus, system: str, *, is_in_snapshot: bool, knows_signals: bool
) -> None:
    """Raises BackfillRefused where a connector would not do what it is asked for.

    During its first snapshot it would read the signal as one of the rows, and do nothing.
    """
    if not found.is_running:
        raise BackfillRefused(f"{found.sentence}: {found.failure or 'it does not run'}.")
    if is_in_snapshot:
        raise BackfillRefused(f"{found.name} still reads its first snapshot.")
    if not knows_signals:
        raise BackfillRefused(
            f"{found.name} does not know the signal table:"
            f" `ajera-cdc connectors apply --source {system}`."
        )


def _refuse_without_table(source: Source) -> None:
    key = f"sources.{source.system}.signal_table"
    if not source.settings.signal_table:
        raise BackfillRefused(f"{key} is empty: set it, then `ajera-cdc connectors apply`.")
    with signal_table(source) as signals:
        if not signals.is_ready():
            raise BackfillRefused(
                f"{key}: {source.settings.signal_table} is not there;"
                f" `ajera-cdc connectors apply --source {source.system}` creates it, or says how."
            )


def _new_id() -> str:
    """Sorts by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"

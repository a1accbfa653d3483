"""The consumers of a route as they report themselves: `sync.consumer`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Engine

from pipeline.database.sql.dialect import Field, Fields, Merge, given
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import ConnectedSession, instant_of, iso, number_of, translated
from pipeline.mapping.source import ColumnType

SEEN_WITHIN_SECONDS = 10.0  # five times the pause between two reports
FORGOTTEN_AFTER = timedelta(days=1)
_ID = (Field("id", ColumnType.SHORT_TEXT),)
_OF: Fields = (
    Field("host", ColumnType.TEXT),
    Field("pid", ColumnType.INTEGER),
    Field("version", ColumnType.TEXT),
    Field("started_at", ColumnType.INSTANT),
    Field("seen_at", ColumnType.INSTANT),
    Field("state", ColumnType.TEXT),
    Field("reasons", ColumnType.TEXT),
    Field("address", ColumnType.TEXT),
)


@dataclass(frozen=True, slots=True)
class ConsumerStatus:
    """A consumer of a route. `id`: its client id in Kafka, too, with host and process.

    `state`: ok, degraded (it waits for a service) or halted (a person is needed), with `reasons` in
    words, by code or place. `address`: where its metrics and health are. Instants are aware UTC.
    """

    id: str
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    state: str
    reasons: Mapping[str, str]
    address: str

    def is_seen(self, now: datetime) -> bool:
        """Did it report lately. If not, it crashed, or its state's database is unavailable."""
        return (now - self.seen_at).total_seconds() <= SEEN_WITHIN_SECONDS


def store_consumer(engine: Engine, schema: str, consumer: ConsumerStatus) -> None:
    """Report a consumer, and forget those that did not report for FORGOTTEN_AFTER.
    Raises TargetBusy, TargetRefused.
    """
    dialect = dialect_of(engine)
    table, quote = dialect.qualify(schema, "consumer"), dialect.quote
    merge = Merge(table, _ID, _OF, tuple(given(field.name) for field in _OF))
    row = (
        *(consumer.id, consumer.host, consumer.pid, consumer.version),
        *(consumer.started_at, consumer.seen_at, consumer.state),
        *(orjson.dumps(dict(consumer.reasons)).decode(), consumer.address),
    )
    with translated(engine, "consumer"), engine.begin() as connection:
        session = ConnectedSession(connection, dialect)
        session.run("consumer", dialect.merge(merge), [row])
        session.tell(
            "consumer",
            f"DELETE FROM {table} WHERE {quote('seen_at')} < {dialect.instant(':before')}",
            before=iso(consumer.seen_at - FORGOTTEN_AFTER),
        )


def remove_consumer(engine: Engine, schema: str, consumer_id: str) -> None:
    """At an orderly end. Raises TargetBusy, TargetRefused."""
    dialect = dialect_of(engine)
    with translated(engine, "consumer"), engine.begin() as connection:
        session = ConnectedSession(connection, dialect)
        table = dialect.qualify(schema, "consumer")
        session.run("consumer", dialect.delete(table, _ID), [(consumer_id,)])


def consumers_of(engine: Engine, schema: str) -> list[ConsumerStatus]:
    """Every consumer of a route that was not forgotten, by id. Raises TargetBusy, TargetRefused."""
    dialect = dialect_of(engine)
    quote = dialect.quote
    names = ", ".join(quote(field.name) for field in (*_ID, *_OF))
    sql = f"SELECT {names} FROM {dialect.qualify(schema, 'consumer')} ORDER BY {quote('id')}"
    with translated(engine, "consumer"), engine.begin() as connection:
        answers = ConnectedSession(connection, dialect).ask("consumer", sql)
    return [
        ConsumerStatus(
            id=str(one),
            host=str(host),
            pid=number_of(pid),
            version=str(version),
            started_at=instant_of(started),
            seen_at=instant_of(seen),
            state=str(state),
            reasons=orjson.loads(str(reasons)),
            address=str(address),
        )
        for one, host, pid, version, started, seen, state, reasons, address in answers
    ]

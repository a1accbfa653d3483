"""Reading `sync` for people: what is loaded, how far partitions were handled,
and what waits for what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Select, Table, case, func, select

from pipeline.database.sql.session import translated
from pipeline.database.state.schema import sync_metadata
from pipeline.database.state.schema_links import dps_metadata
from pipeline.errors import hint_of
from pipeline.model.load import LOADED


@dataclass(frozen=True, slots=True)
class TableStatus:
    """A source table: "waiting" before its snapshot's end is known, "reading" up to it,
    "loaded" after. Of one that is not loaded: messages that were read, and that are in Kafka now;
    None is unknown.
    """

    name: str
    state: str
    epoch: int
    read: int | None = None
    there: int | None = None


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """A partition: its next offset, and how its events ended, since the beginning."""

    topic: str
    partition: int
    next_offset: int
    events_read: int
    written: int
    skipped: int
    parked: int
    dead_lettered: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ParkedRows:
    """Rows that wait for the same kind of thing; `keys` are some of them,
    `hint` says what a person can do.
    """

    kind: str
    code: str
    hint: str
    count: int
    oldest: datetime
    reasons: tuple[str, ...]
    keys: tuple[str, ...]


def tables(engine: Engine, schema: str, names: Sequence[str]) -> tuple[TableStatus, ...]:
    """Every source table, known or not yet."""
    table = sync_metadata(schema).tables[f"{schema}.source_table"]
    found = {str(row["name"]): row for row in _rows(engine, select(table))}
    standing = []
    for name in names:
        row = found.get(name)
        epoch = 0 if row is None else int(row["epoch"])
        reading = row is not None and int(row["reading_epoch"]) > epoch
        standing.append(
            TableStatus(
                name,
                LOADED if epoch else "reading" if reading else "waiting",
                epoch,
            )
        )
    return tuple(standing)


def partitions(engine: Engine, schema: str) -> tuple[PartitionStatus, ...]:
    table = sync_metadata(schema).tables[f"{schema}.progress"]
    names = list(PartitionStatus.__dataclass_fields__)
    query = select(*(table.c[name] for name in names)).order_by(table.c.topic, table.c.partition)
    return tuple(
        PartitionStatus(**{**row, "updated_at": _utc(row["updated_at"])})
        for row in _rows(engine, query)
    )


def parked_rows(engine: Engine, schema: str, keys: int) -> tuple[tuple[ParkedRows, ...], int]:
    """What waits, grouped by kind and code, and how many marks are due and wait for nothing."""
    table = sync_metadata(schema).tables[f"{schema}.due"]
    waits = table.c.tried_at.is_not(None)
    groups = (
        select(
            table.c.kind,
            table.c.code,
            func.count().label("count"),
            func.min(table.c.set_at).label("oldest"),
        )
        .where(waits)
        .group_by(table.c.kind, table.c.code)
        .order_by(table.c.kind, table.c.code)
    )
    found = tuple(_of_group(engine, table, row, keys) for row in _rows(engine, groups))
    (due,) = _rows(
        engine,
        select(func.count().label("count")).select_from(table).where(~waits),
    )
    together = sync_metadata(schema).tables[f"{schema}.due_together"]
    (batches,) = _rows(engine, select(func.sum(together.c.count).label("count")))
    return found, int(due["count"]) + int(batches["count"] or 0)


def _of_group(engine: Engine, due: Table, group: Mapping[str, Any], keys: int) -> ParkedRows:
    """The count of one kind and code, and the first few of its keys."""
    is_of_group = (
        due.c.tried_at.is_not(None) & (due.c.kind == group["kind"]) & (due.c.code == group["code"])
    )
    some = _rows(
        engine,
        select(due.c.key, due.c.reason)
        .where(is_of_group)
        .order_by(due.c.set_at, due.c.key)
        .limit(keys),
    )
    return ParkedRows(
        kind=str(group["kind"]),
        code=str(group["code"]),
        hint=hint_of(str(group["code"])),
        count=int(group["count"]),
        oldest=_utc(group["oldest"]),
        reasons=tuple(dict.fromkeys(str(one["reason"]) for one in some)),
        keys=tuple(str(one["key"]) for one in some),
    )


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """The pairs of one entity by their state, and how many have lines that a person must decide."""

    entity: str
    creating: int
    linked: int
    ended: int
    to_decide: int


@dataclass(frozen=True, slots=True)
class ParkedWorkStatus:
    """Parked work of the exchange that waits for the same kind of thing;
    `keys` are some of the rows.
    """

    entity: str
    code: str
    hint: str
    count: int
    oldest: datetime
    keys: tuple[str, ...]


def links(engine: Engine, schema: str) -> tuple[LinkStatus, ...]:
    """The pairs of the exchange, entity by entity."""
    table = dps_metadata(schema).tables[f"{schema}.link"]
    to_decide = func.sum(case((table.c.parked_lines != "", 1), else_=0)).label("to_decide")
    query = (
        select(
            table.c.entity,
            table.c.state,
            func.count().label("count"),
            to_decide,
        )
        .group_by(table.c.entity, table.c.state)
        .order_by(table.c.entity)
    )
    found: dict[str, dict[str, int]] = {}
    for row in _rows(engine, query):
        of = found.setdefault(
            str(row["entity"]),
            {"creating": 0, "linked": 0, "ended": 0, "to_decide": 0},
        )
        of[str(row["state"])] = int(row["count"])
        of["to_decide"] += int(row["to_decide"])
    return tuple(LinkStatus(entity, **counts) for entity, counts in found.items())


def parked_work(engine: Engine, schema: str, keys: int) -> tuple[ParkedWorkStatus, ...]:
    """What waits in the exchange, grouped by entity and code."""
    table = dps_metadata(schema).tables[f"{schema}.parked"]
    groups = (
        select(
            *(table.c.entity, table.c.code),
            *(
                func.count().label("count"),
                func.min(table.c.since).label("oldest"),
                func.min(table.c.hint).label("hint"),
            ),
        )
        .group_by(table.c.entity, table.c.code)
        .order_by(table.c.entity, table.c.code)
    )
    found = []
    for row in _rows(engine, groups):
        of_group = (table.c.entity == row["entity"]) & (table.c.code == row["code"])
        some = _rows(
            engine,
            select(table.c.side, table.c.key)
            .where(of_group)
            .order_by(table.c.since, table.c.id)
            .limit(keys),
        )
        found.append(
            ParkedWorkStatus(
                entity=str(row["entity"]),
                code=str(row["code"]),
                hint=str(row["hint"]),
                count=int(row["count"]),
                oldest=_utc(row["oldest"]),
                keys=tuple(f"{one['side']} {one['key']}" for one in some),
            )
        )
    return tuple(found)


def _rows(engine: Engine, query: Select) -> list[dict]:  # type: ignore[type-arg]
    with (
        translated(engine, "the sync schema"),
        engine.connect() as connection,
    ):
        return [dict(row) for row in connection.execute(query).mappings()]


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)

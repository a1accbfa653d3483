"""What a target's connector makes of what was committed there, in PostgreSQL without Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from pipeline.mapping.source import SourceColumn, SourceTable
from pipeline.model.event import Event, Operation, Value
from pipeline.model.position import TopicOffset
from tests.support.events import NOON, position

EPOCH = 2


def _as_it_is(_: SourceColumn, value: Any) -> Value:
    found: Value = value
    return found


def read_back(
    engine: sa.Engine,
    tables: Iterable[SourceTable],
    decoded: Callable[[SourceColumn, Any], Value] = _as_it_is,
) -> list[Event]:
    """Every change of these tables in the log that `outbox` keeps, as events. `decoded`: a value of
    a column, of what PostgreSQL has as JSON.
    """
    by_name = {table.name: table for table in tables}
    with engine.connect() as connection:
        found = connection.execute(
            sa.text(
                "SELECT number, source, operation, row FROM outbox.change"
                " WHERE source = ANY(:tables) ORDER BY number"
            ),
            {"tables": [*by_name]},
        ).all()
    return [
        Event(
            table=source,
            key=by_name[source].key_text([row[name] for name in by_name[source].key]),
            operation=Operation(operation),
            row={}
            if operation == "d"
            else {one.name: decoded(one, row[one.name]) for one in by_name[source].columns},
            position=position(number, EPOCH),
            place=TopicOffset(1, 0, number),
            committed_at=NOON,
            epoch=EPOCH,
        )
        for number, source, operation, row in found
    ]

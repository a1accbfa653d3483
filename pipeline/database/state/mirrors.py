"""Mirrors follow from the route: what they lack is added when the schema is upgraded.

No row is touched, and a table is locked for no longer than it takes to change its definition; a new
index alone takes as long as reading the table once, while writes to it wait. A column that is added
is unknown in every row that is there, and a table that is added is not loaded, until a snapshot of
a later epoch was read (`added.py`). What a route does not mirror any more stays, for a rollback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.schema import CreateColumn

from pipeline.database.state.added import ADDED_COLUMN, WHOLE_TABLE
from pipeline.database.state.schema import (
    LEDGER,
    mirror_name,
    sync_metadata,
)
from pipeline.mapping.mirror import MirroredTable


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a mirror in the database lacks: itself, or columns and indexes."""

    source: str
    mirror: Table
    is_whole: bool
    columns: tuple[Column[object], ...] = ()
    indexes: tuple[Index, ...] = ()

    @property
    def names(self) -> list[str]:
        """As people read it."""
        if self.is_whole:
            return [self.mirror.name]
        parts = [
            *(one.name for one in self.columns),
            *(str(one.name) for one in self.indexes),
        ]
        return [f"{self.mirror.name}.{part}" for part in parts]


def lacking(
    connection: Connection, schema: str, mirrored: Sequence[MirroredTable]
) -> Iterator[Lacking]:
    """The mirrors that are not as these tables need them."""
    metadata = sync_metadata(schema, mirrored)
    inspector = inspect(connection)
    there = {*inspector.get_table_names(schema)}
    for source in mirrored:
        table = metadata.tables[f"{schema}.{mirror_name(source.name)}"]
        if table.name not in there:
            yield Lacking(source.name, table, is_whole=True)
            continue
        names = {one["name"] for one in inspector.get_columns(table.name, schema)}
        indexed = {one["name"] for one in inspector.get_indexes(table.name, schema)}
        columns = tuple(one for one in table.columns if one.name not in names)
        indexes = tuple(one for one in table.indexes if one.name not in indexed)
        if columns or indexes:
            yield Lacking(
                source.name,
                table,
                is_whole=False,
                columns=columns,
                indexes=indexes,
            )


def add_lacking(
    connection: Connection,
    schema: str,
    mirrored: Sequence[MirroredTable],
    report: Callable[[str], None],
) -> None:
    """Make the mirrors as these tables need them."""
    added = sync_metadata(schema, mirrored).tables[f"{schema}.{ADDED_COLUMN}"]
    for one in lacking(connection, schema, mirrored):
        if one.is_whole:
            one.mirror.create(connection)
            _note(connection, added, one, WHOLE_TABLE, "epoch", "source_table")
        own = {column.name for column in LEDGER}
        for column in one.columns:
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            name = connection.dialect.identifier_preparer.format_table(one.mirror)
            connection.execute(text(f"ALTER TABLE {name} ADD {definition}"))
            if column.name not in own:
                _note(connection, added, one, column.name, one.mirror.name)
        for index in one.indexes:
            index.create(connection)
        for part in one.names:
            report(f"{schema}: {part}")


def _note(
    connection: Connection,
    added: Table,
    of: Lacking,
    name: str,
    *after: str,
) -> None:
    """Known once the table was loaded in an epoch after every
    one that these tables of ours hold.
    """
    tables = [of.mirror.metadata.tables[f"{of.mirror.schema}.{one}"] for one in after]
    epochs = [connection.scalar(select(func.max(table.c.epoch))) or 0 for table in tables]
    if name == WHOLE_TABLE and not any(epochs):
        return  # nothing was captured yet
    version = connection.scalar(select(func.max(added.c.version))) or 0
    connection.execute(
        insert(added).values(
            source_table=of.source,
            name=name,
            version=version + 1,
            known_epoch=max(epochs) + 1,
        )
    )

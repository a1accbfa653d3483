"""The tables of the `sync` schema.
What is remembered lives here and changes in the same transaction as the target rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Unicode,
    UnicodeText,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from pipeline.database.sql.dialect import Field, Fields
from pipeline.database.state.schema_audit import audit_table
from pipeline.database.state.schema_halts import halt_tables
from pipeline.database.state.schema_types import ascii_text, code_text, instant
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.source import DECIMAL_PLACES, ColumnType

DEFAULT_SCHEMA = "sync"


def column_type(kind: ColumnType) -> TypeEngine[Any]:
    """The type of a mirrored column."""
    match kind:
        case ColumnType.INTEGER:
            return BigInteger()
        case ColumnType.FLAG:
            return Boolean()
        case ColumnType.SHORT_TEXT:
            return code_text(450)
        case ColumnType.INSTANT:
            return instant()
        case ColumnType.DATE:
            return Date()
        case ColumnType.DECIMAL:
            return Numeric(38, DECIMAL_PLACES)
        case ColumnType.TEXT:
            return UnicodeText()


def mirror_name(table: str) -> str:
    return f"mirror_{table}"


# What a ledger row holds beside the mirrored columns, in the order in which it is read and written.
LEDGER_KEY = Field("key", ColumnType.SHORT_TEXT)
LEDGER_REVISION = Field("revision", ColumnType.INTEGER)
LEDGER: Fields = (
    Field("position", ColumnType.SHORT_TEXT),
    Field("incarnation", ColumnType.INTEGER),
    Field("partition", ColumnType.INTEGER),
    Field("offset", ColumnType.INTEGER),
    Field("deleted", ColumnType.FLAG),
    Field("unknown", ColumnType.TEXT),
    Field("epoch", ColumnType.INTEGER),
    Field("committed_at", ColumnType.INSTANT),
    Field("retired_at", ColumnType.SHORT_TEXT),
    Field("changed_at", ColumnType.SHORT_TEXT),
    Field("columns_version", ColumnType.INTEGER),
    Field("columns_revision", ColumnType.INTEGER),
)


def sync_metadata(schema: str = DEFAULT_SCHEMA, mirrored: Sequence[MirroredTable] = ()) -> MetaData:
    """Every table of the `sync` schema of a projection that mirrors these tables."""
    metadata = mirror_metadata(schema, mirrored)
    _due(metadata)
    _due_together(metadata)
    _source_table(metadata)
    topic_tables(metadata)
    _owned_row(metadata)
    _written(metadata)
    _added_column(metadata)
    return metadata


def mirror_metadata(schema: str, mirrored: Sequence[MirroredTable]) -> MetaData:
    """The mirrors alone."""
    metadata = MetaData(schema=schema)
    for source in mirrored:
        _mirror(metadata, source)
    return metadata


def topic_tables(metadata: MetaData) -> None:
    """What every route stores of topics and connectors."""
    _progress(metadata)
    _incarnation(metadata)
    _small_tables(metadata)
    audit_table(metadata)
    halt_tables(metadata)


def _mirror(metadata: MetaData, source: MirroredTable) -> None:
    """Ledger and mirror of one source table: how far each row was applied, what it last held."""
    name = mirror_name(source.name)
    table = Table(
        name,
        metadata,
        *ledger_columns(source),
        *(Column(column.name, column_type(column.kind)) for column in source.mirrored()),
        postgresql_with={"fillfactor": 50},  # a row's next version beside it needs no index entry
    )
    for column in map(table.c.__getitem__, source.indexed):  # nobody looks for what is null
        Index(f"ix_{name}_{column.name}", column, postgresql_where=column.is_not(None))


def ledger_columns(source: MirroredTable) -> list[Column[Any]]:
    """What every mirror has beside the columns that it mirrors. The widest numbers come first: each
    begins at a multiple of its width, and nothing is left empty before it.
    """
    return [
        Column("offset", BigInteger, nullable=False),
        Column("revision", BigInteger, nullable=False),
        Column("columns_revision", BigInteger),
        Column("committed_at", instant()),
        Column("incarnation", Integer, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("columns_version", Integer),
        Column("deleted", Boolean, nullable=False),
        Column("key", _key_type(source), primary_key=True),
        Column("position", ascii_text(64), nullable=False),
        Column("unknown", UnicodeText, nullable=False),
        Column("retired_at", ascii_text(64), nullable=False),
        Column("changed_at", ascii_text(64), nullable=False),
    ]


def _key_type(source: MirroredTable) -> TypeEngine[Any]:
    """A number needs less room than text, or several columns."""
    kinds = [column.kind for column in source.table.key_columns]
    return ascii_text(64) if kinds == [ColumnType.INTEGER] else code_text(450)


def _due(metadata: MetaData) -> None:
    """Marks: what must be recomputed, and why it waits if it does."""
    Table(
        "due",
        metadata,
        Column("kind", ascii_text(100), nullable=False),
        Column("key", code_text(450), nullable=False),
        Column("number", BigInteger, nullable=False),
        Column("set_at", instant(), nullable=False),
        Column("reason", Unicode(400)),
        Column("code", ascii_text(100)),
        Column("tried_at", instant()),
        # Not clustered: kind and key together may pass the 900
        # bytes that SQL Server allows a clustered key.
        PrimaryKeyConstraint("kind", "key", mssql_clustered=False),
        Index("ix_due_set_at", "set_at"),
    )


def _due_together(metadata: MetaData) -> None:
    """The marks that a large batch sets, as one row until it is recomputed: a list of keys by kind,
    as JSON, and how many.
    """
    Table(
        "due_together",
        metadata,
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("set_at", instant(), nullable=False),
        Column("count", Integer, nullable=False),
        Column("marks", UnicodeText, nullable=False),
    )


def _progress(metadata: MetaData) -> None:
    """Next offset and counts of each partition, and up to where a snapshot is read."""
    Table(
        "progress",
        metadata,
        Column("topic", ascii_text(249), primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("incarnation", Integer, nullable=False),
        Column("next_offset", BigInteger, nullable=False),
        *(
            Column(name, BigInteger, nullable=False)
            for name in (
                "events_read",
                "written",
                "skipped",
                "parked",
                "dead_lettered",
            )
        ),
        Column("dead_in_a_row", Integer, nullable=False),
        Column("updated_at", instant(), nullable=False),
        Column("load_until", BigInteger),
    )


def _incarnation(metadata: MetaData) -> None:
    """Topics as they were first seen, numbered by us."""
    Table(
        "incarnation",
        metadata,
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("topic", ascii_text(249), nullable=False),
        Column("topic_id", ascii_text(64), nullable=False),
        Column("partitions", Integer, nullable=False),
        Column("first_seen", instant(), nullable=False),
        UniqueConstraint("topic", "topic_id", "partitions", name="uq_incarnation_topic"),
    )


def _source_table(metadata: MetaData) -> None:
    """The epochs in which source tables were and are being loaded."""
    Table(
        "source_table",
        metadata,
        Column("name", ascii_text(100), primary_key=True),
        Column("topic", ascii_text(249), nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("reading_epoch", Integer, nullable=False),
        Column("reading_incarnation", Integer, nullable=False),
        Column("loaded_at", instant()),
    )


def _small_tables(metadata: MetaData) -> None:
    """The epoch of each connector, and settings that outlive the process."""
    Table(
        "epoch",
        metadata,
        Column("connector", ascii_text(249), primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("created_at", instant(), nullable=False),
    )
    Table(
        "setting",
        metadata,
        Column("name", ascii_text(100), primary_key=True),
        Column("value", UnicodeText, nullable=False),
    )


def _added_column(metadata: MetaData) -> None:
    """Columns that were added to mirrors: rows written before do not have them."""
    Table(
        "added_column",
        metadata,
        Column("source_table", ascii_text(100), primary_key=True),
        Column("name", ascii_text(128), primary_key=True),
        Column("version", Integer, nullable=False),
        Column("known_epoch", Integer, nullable=False),
    )


def _owned_row(metadata: MetaData) -> None:
    """Child rows that we created in the target: the only ones that we ever delete; and those that
    we took over. `row_hash` is in place of the row's key, `row_id` what tells it in the target
    where that is not its key.
    """
    Table(
        "owned_row",
        metadata,
        Column("target_table", ascii_text(100), nullable=False),
        Column("parent_key", code_text(450), nullable=False),
        Column("row_hash", ascii_text(64), nullable=False),
        Column("row_key", UnicodeText, nullable=False),
        Column("row_id", code_text(100)),
        Column("adopted", Boolean),
        PrimaryKeyConstraint("target_table", "parent_key", "row_hash", mssql_clustered=False),
        Index("ix_owned_row_row_id", "target_table", "row_id"),
    )


def _written(metadata: MetaData) -> None:
    """What rows of the target held after we wrote them last, where people's changes are put back;
    and for which root they were written.
    """
    Table(
        "written",
        metadata,
        Column("target_table", ascii_text(100), nullable=False),
        Column("row_key", code_text(450), nullable=False),
        Column("root_table", ascii_text(100), nullable=False),
        Column("root_key", code_text(450), nullable=False),
        Column("document", UnicodeText, nullable=False),
        PrimaryKeyConstraint("target_table", "row_key", mssql_clustered=False),
        Index("ix_written_root", "root_table", "root_key"),
    )

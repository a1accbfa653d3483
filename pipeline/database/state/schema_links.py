"""The tables of the exchange with DPS: links, conflict log and parked work in its `sync` schema;
intentions in Ajera's.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Unicode,
    UnicodeText,
)

from pipeline.database.state.schema import DEFAULT_SCHEMA, topic_tables
from pipeline.database.state.schema_types import ascii_text, code_text, instant

AJERA_SCHEMA = "ajera_cdc"
KEY_LENGTH = 200
READER_LENGTH = 128


def dps_metadata(schema: str = DEFAULT_SCHEMA) -> MetaData:
    """Every table of the `sync` schema in the DPS database."""
    metadata = MetaData(schema=schema)
    topic_tables(metadata)
    _link(metadata)
    _conflict(metadata)
    _parked(metadata)
    _unlinked(metadata)
    _followed(metadata)
    Table(
        "capture",
        metadata,
        Column("side", ascii_text(10), primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("swept_epoch", Integer, nullable=False),
    )
    return metadata


def ajera_metadata(schema: str = AJERA_SCHEMA) -> MetaData:
    """The one table that we own in the Ajera database: intentions carried out, or given up."""
    metadata = MetaData(schema=schema)
    Table(
        "intention",
        metadata,
        Column("number", ascii_text(60), primary_key=True),
        Column("table", ascii_text(100)),
        Column("key", code_text(KEY_LENGTH)),
        Column("held", UnicodeText),
        Column("after", ascii_text(64)),
        Column("at", instant(), nullable=False),
        Column("epoch", Integer, nullable=False),
        Index("ix_intention_key", "table", "key"),
    )
    return metadata


def _link(metadata: MetaData) -> None:
    """`document` is the link (conflicts/codec.py);
    the columns beside it are what it is found by.
    """
    live = "state <> 'ended'"
    table = Table(
        "link",
        metadata,
        Column("id", ascii_text(40), primary_key=True),
        Column("entity", ascii_text(40), nullable=False),
        Column("ajera_table", ascii_text(100), nullable=False),
        Column("ajera_key", code_text(KEY_LENGTH)),
        Column("dps_table", ascii_text(100), nullable=False),
        Column("dps_key", code_text(KEY_LENGTH)),
        Column("state", ascii_text(10), nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("counts_for", code_text(KEY_LENGTH)),
        Column("parked_lines", Unicode(400), nullable=False),
        Column("ajera_epoch", Integer, nullable=False),
        Column("dps_epoch", Integer, nullable=False),
        Column("updated_at", instant(), nullable=False),
        Column("document", UnicodeText, nullable=False),
        Column("lines", ascii_text(8), nullable=False, server_default=""),
        postgresql_with={
            "fillfactor": 50
        },  # every event rewrites its link: room beside it spares the indexes
    )
    for side in ("ajera", "dps"):
        key = table.c[f"{side}_key"]
        condition = sa.text(f"{live} AND {side}_key IS NOT NULL")
        Index(
            f"uq_link_{side}",
            table.c.entity,
            key,
            unique=True,
            postgresql_where=condition,
            mssql_where=condition,
        )
        Index(f"ix_link_{side}", table.c[f"{side}_table"], key)


def _conflict(metadata: MetaData) -> None:
    """The conflict log, with both values as each side stores them, as JSON."""
    Table(
        "conflict",
        metadata,
        Column("number", BigInteger, Identity(), primary_key=True),
        Column("link", ascii_text(40), nullable=False),
        Column("entity", ascii_text(40), nullable=False),
        Column("line", ascii_text(60)),
        Column("kind", ascii_text(40), nullable=False),
        Column("rule", ascii_text(20)),
        Column("winner", ascii_text(10)),
        Column("at", instant(), nullable=False),
        Column("ajera", UnicodeText),
        Column("dps", UnicodeText),
        Column("ajera_at", instant()),
        Column("dps_at", instant()),
        Index("ix_conflict_link", "link"),
    )


def _parked(metadata: MetaData) -> None:
    """What waits: a link's line, or a row that has no link yet."""
    Table(
        "parked",
        metadata,
        Column("id", code_text(300), primary_key=True),
        Column("entity", ascii_text(40), nullable=False),
        Column("side", ascii_text(10), nullable=False),
        Column("key", code_text(KEY_LENGTH), nullable=False),
        Column("link", ascii_text(40)),
        Column("code", ascii_text(60), nullable=False),
        Column("hint", Unicode(400), nullable=False),
        Column("waits_for", code_text(300)),
        Column("is_woken", Boolean, nullable=False),
        Column("since", instant(), nullable=False),
        Column("tried_at", instant(), nullable=False),
        Index("ix_parked_waits_for", "waits_for"),
        Index("ix_parked_tried_at", "tried_at"),
    )


def _unlinked(metadata: MetaData) -> None:
    """How far the log of each row without a link was read."""
    Table(
        "unlinked",
        metadata,
        Column("id", code_text(300), primary_key=True),
        Column("position", ascii_text(64), nullable=False),
        Column("incarnation", Integer, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("epoch", Integer, nullable=False),
    )


def _followed(metadata: MetaData) -> None:
    """Who follows which links, a reader being called like its own schema; and what it was not told
    yet: at most one row for each reader and row of its side.
    """
    Table(
        "link_reader",
        metadata,
        Column("reader", code_text(READER_LENGTH), primary_key=True),
        Column("entity", ascii_text(40), primary_key=True),
        Column("side", ascii_text(10), nullable=False),
        Index("ix_link_reader_entity", "entity"),
    )
    Table(
        "link_change",
        metadata,
        Column("reader", code_text(READER_LENGTH), primary_key=True),
        Column("entity", ascii_text(40), primary_key=True),
        Column("key", code_text(KEY_LENGTH), primary_key=True),
        Column("changed_at", instant(), nullable=False),
    )

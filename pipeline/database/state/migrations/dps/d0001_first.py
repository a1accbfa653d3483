"""The `sync` schema of the DPS database as first released: links, conflict log, parked work,
captures, topics.
"""

import sqlalchemy as sa
from alembic import context, op
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
    UniqueConstraint,
)
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.types import TypeEngine

revision = "d0001"
down_revision = None
branch_labels = None
depends_on = None

KEY_LENGTH = 200


def code_text(length: int) -> TypeEngine[str]:
    return postgresql.VARCHAR(length, collation="C").with_variant(
        mssql.NVARCHAR(length, collation="Latin1_General_BIN2"), "mssql"
    )


def ascii_text(length: int) -> TypeEngine[str]:
    return postgresql.VARCHAR(length, collation="C").with_variant(
        mssql.VARCHAR(length, collation="Latin1_General_BIN2"), "mssql"
    )


def instant() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    metadata = MetaData(schema=context.config.attributes["run"].schema)
    _progress(metadata)
    _incarnation(metadata)
    _small_tables(metadata)
    _link(metadata)
    _conflict(metadata)
    _parked(metadata)
    Table(
        "capture",
        metadata,
        Column("side", ascii_text(10), primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("swept_epoch", Integer, nullable=False),
    )
    metadata.create_all(op.get_bind())


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

"""The `sync` schema of a projection as first released: marks, progress, incarnations, owned rows,
epochs. Mirrors follow from the route, and stand in no version.
"""

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def ascii_text(length: int) -> TypeEngine[str]:
    return postgresql.VARCHAR(length, collation="C").with_variant(
        mssql.VARCHAR(length, collation="Latin1_General_BIN2"), "mssql"
    )


def code_text(length: int) -> TypeEngine[str]:
    return postgresql.VARCHAR(length, collation="C").with_variant(
        mssql.NVARCHAR(length, collation="Latin1_General_BIN2"), "mssql"
    )


def instant() -> TypeEngine[Any]:
    return sa.DateTime(timezone=True)


def upgrade() -> None:
    schema = context.config.attributes["run"].schema
    create_due(schema)
    create_progress(schema)
    create_small_tables(schema)


def create_due(schema: str) -> None:
    op.create_table(
        "due",
        sa.Column("kind", ascii_text(100), nullable=False),
        sa.Column("key", code_text(450), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("set_at", instant(), nullable=False),
        sa.Column("reason", sa.Unicode(400)),
        sa.Column("code", ascii_text(100)),
        sa.Column("tried_at", instant()),
        sa.PrimaryKeyConstraint("kind", "key", mssql_clustered=False),
        schema=schema,
    )
    op.create_index("ix_due_set_at", "due", ["set_at"], schema=schema)


def create_progress(schema: str) -> None:
    op.create_table(
        "progress",
        sa.Column("topic", ascii_text(249), primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("incarnation", sa.Integer, nullable=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.Column("events_read", sa.BigInteger, nullable=False),
        sa.Column("written", sa.BigInteger, nullable=False),
        sa.Column("skipped", sa.BigInteger, nullable=False),
        sa.Column("parked", sa.BigInteger, nullable=False),
        sa.Column("dead_lettered", sa.BigInteger, nullable=False),
        sa.Column("dead_in_a_row", sa.Integer, nullable=False),
        sa.Column("updated_at", instant(), nullable=False),
        sa.Column("load_until", sa.BigInteger),
        schema=schema,
    )
    op.create_table(
        "incarnation",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("topic", ascii_text(249), nullable=False),
        sa.Column("topic_id", ascii_text(64), nullable=False),
        sa.Column("partitions", sa.Integer, nullable=False),
        sa.Column("first_seen", instant(), nullable=False),
        sa.UniqueConstraint("topic", "topic_id", "partitions", name="uq_incarnation_topic"),
        schema=schema,
    )


def create_small_tables(schema: str) -> None:
    op.create_table(
        "source_table",
        sa.Column("name", ascii_text(100), primary_key=True),
        sa.Column("topic", ascii_text(249), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("reading_epoch", sa.Integer, nullable=False),
        sa.Column("reading_incarnation", sa.Integer, nullable=False),
        sa.Column("loaded_at", instant()),
        schema=schema,
    )
    op.create_table(
        "epoch",
        sa.Column("connector", ascii_text(249), primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        schema=schema,
    )
    op.create_table(
        "setting",
        sa.Column("name", ascii_text(100), primary_key=True),
        sa.Column("value", sa.UnicodeText, nullable=False),
        schema=schema,
    )
    op.create_table(
        "owned_row",
        sa.Column("target_table", ascii_text(100), nullable=False),
        sa.Column("parent_key", code_text(450), nullable=False),
        sa.Column("row_hash", ascii_text(64), nullable=False),
        sa.Column("row_key", sa.UnicodeText, nullable=False),
        sa.PrimaryKeyConstraint("target_table", "parent_key", "row_hash", mssql_clustered=False),
        schema=schema,
    )

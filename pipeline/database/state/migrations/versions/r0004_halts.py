"""What is halted, what may be skipped of it, and who reads the route's topics."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mssql, postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def ascii_text(length: int) -> sa.types.TypeEngine[str]:
    return postgresql.VARCHAR(length, collation="C").with_variant(
        mssql.VARCHAR(length, collation="Latin1_General_BIN2"), "mssql"
    )


def code_text(length: int) -> sa.types.TypeEngine[str]:
    return postgresql.VARCHAR(length, collation="C").with_variant(
        mssql.NVARCHAR(length, collation="Latin1_General_BIN2"), "mssql"
    )


def upgrade() -> None:
    """Add the tables."""
    schema = context.config.attributes["run"].schema
    add_halts(schema)
    add_skips(schema)
    add_consumers(schema)


def add_halts(schema: str) -> None:
    """What is halted."""
    op.create_table(
        "halted",
        sa.Column("place", code_text(400), primary_key=True),
        sa.Column("topic", ascii_text(249)),
        sa.Column("partition", sa.Integer),
        sa.Column("incarnation", sa.Integer),
        sa.Column("offset", sa.BigInteger),
        sa.Column("code", ascii_text(100), nullable=False),
        sa.Column("sentence", sa.Unicode(1000), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consumer", code_text(300), nullable=False),
        schema=schema,
    )


def add_skips(schema: str) -> None:
    """What may be skipped, and what was."""
    op.create_table(
        "skip",
        sa.Column("topic", ascii_text(249), primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first_offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("incarnation", sa.Integer, nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False),
        sa.Column("said_by", sa.Unicode(300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        schema=schema,
    )
    op.create_table(
        "skipped_message",
        sa.Column("topic", ascii_text(249), primary_key=True),
        sa.Column("incarnation", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.UnicodeText, nullable=False),
        sa.Column("code", ascii_text(100), nullable=False),
        sa.Column("reason", ascii_text(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        schema=schema,
    )


def add_consumers(schema: str) -> None:
    """Who reads the route's topics."""
    op.create_table(
        "consumer",
        sa.Column("id", code_text(300), primary_key=True),
        sa.Column("host", sa.Unicode(300), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("version", ascii_text(40), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", ascii_text(20), nullable=False),
        sa.Column("reasons", sa.UnicodeText, nullable=False),
        sa.Column("address", sa.Unicode(300), nullable=False),
        schema=schema,
    )

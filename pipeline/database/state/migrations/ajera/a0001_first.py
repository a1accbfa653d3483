"""Our schema in the Ajera database as first released: intentions."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    UnicodeText,
)
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.types import TypeEngine

revision = "a0001"
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
    metadata.create_all(op.get_bind())

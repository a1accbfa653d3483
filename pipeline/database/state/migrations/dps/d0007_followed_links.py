"""Who follows links, and the changes that they were not told yet."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.types import TypeEngine

revision = "d0007"
down_revision = "d0006"
branch_labels = None
depends_on = None


def text_of(length: int, on_sql_server: type[sa.String]) -> TypeEngine[str]:
    collated = on_sql_server(length, collation="Latin1_General_BIN2")
    return postgresql.VARCHAR(length, collation="C").with_variant(collated, "mssql")


def upgrade() -> None:
    """Create both tables."""
    schema = context.config.attributes["run"].schema
    op.create_table(
        "link_reader",
        sa.Column("reader", text_of(128, mssql.NVARCHAR), primary_key=True),
        sa.Column("entity", text_of(40, mssql.VARCHAR), primary_key=True),
        sa.Column("side", text_of(10, mssql.VARCHAR), nullable=False),
        schema=schema,
    )
    op.create_index("ix_link_reader_entity", "link_reader", ["entity"], schema=schema)
    op.create_table(
        "link_change",
        sa.Column("reader", text_of(128, mssql.NVARCHAR), primary_key=True),
        sa.Column("entity", text_of(40, mssql.VARCHAR), primary_key=True),
        sa.Column("key", text_of(200, mssql.NVARCHAR), primary_key=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        schema=schema,
    )

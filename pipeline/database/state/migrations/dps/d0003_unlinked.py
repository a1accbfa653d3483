"""How far the log of rows without a link was read: a row that was left alone is not linked
because its events are read again.
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy import BigInteger, Column, Integer
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.types import TypeEngine

revision = "d0003"
down_revision = "d0002"
branch_labels = None
depends_on = None


def text_of(length: int, on_sql_server: type[sa.String]) -> TypeEngine[str]:
    collated = on_sql_server(length, collation="Latin1_General_BIN2")
    return postgresql.VARCHAR(length, collation="C").with_variant(collated, "mssql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "unlinked",
        Column("id", text_of(300, mssql.NVARCHAR), primary_key=True),
        Column("position", text_of(64, mssql.VARCHAR), nullable=False),
        Column("incarnation", Integer, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("epoch", Integer, nullable=False),
        schema=context.config.attributes["run"].schema,
    )

"""Child rows that are told by an id: which it is, and whether it was taken over."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mssql, postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def code_text(length: int) -> sa.types.TypeEngine[str]:
    return postgresql.VARCHAR(length, collation="C").with_variant(
        mssql.NVARCHAR(length, collation="Latin1_General_BIN2"), "mssql"
    )


def upgrade() -> None:
    """Add the columns."""
    schema = context.config.attributes["run"].schema
    op.add_column("owned_row", sa.Column("row_id", code_text(100)), schema=schema)
    op.add_column("owned_row", sa.Column("adopted", sa.Boolean), schema=schema)
    op.create_index("ix_owned_row_row_id", "owned_row", ["target_table", "row_id"], schema=schema)

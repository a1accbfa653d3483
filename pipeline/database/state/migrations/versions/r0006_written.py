"""What rows of the target held after we wrote them last, and for which root."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mssql, postgresql

revision = "0006"
down_revision = "0005"
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
    """Create the table."""
    schema = context.config.attributes["run"].schema
    op.create_table(
        "written",
        sa.Column("target_table", ascii_text(100), nullable=False),
        sa.Column("row_key", code_text(450), nullable=False),
        sa.Column("root_table", ascii_text(100), nullable=False),
        sa.Column("root_key", code_text(450), nullable=False),
        sa.Column("document", sa.UnicodeText, nullable=False),
        sa.PrimaryKeyConstraint("target_table", "row_key", mssql_clustered=False),
        schema=schema,
    )
    op.create_index("ix_written_root", "written", ["root_table", "root_key"], schema=schema)

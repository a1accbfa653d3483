"""Which columns were added to mirrors that held rows."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mssql, postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def ascii_text(length: int) -> sa.types.TypeEngine[str]:
    return postgresql.VARCHAR(length, collation="C").with_variant(
        mssql.VARCHAR(length, collation="Latin1_General_BIN2"), "mssql"
    )


def upgrade() -> None:
    op.create_table(
        "added_column",
        sa.Column("source_table", ascii_text(100), primary_key=True),
        sa.Column("name", ascii_text(128), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("known_epoch", sa.Integer, nullable=False),
        schema=context.config.attributes["run"].schema,
    )

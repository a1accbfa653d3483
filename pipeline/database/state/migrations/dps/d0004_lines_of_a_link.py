"""Each link says which lines it was last looked at with, so that those are found for which a line
is new. Links of earlier versions say nothing: they are looked through once.
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mssql, postgresql

revision = "d0004"
down_revision = "d0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    text = postgresql.VARCHAR(8, collation="C").with_variant(
        mssql.VARCHAR(8, collation="Latin1_General_BIN2"), "mssql"
    )
    op.add_column(
        "link",
        sa.Column("lines", text, nullable=False, server_default=""),
        schema=context.config.attributes["run"].schema,
    )

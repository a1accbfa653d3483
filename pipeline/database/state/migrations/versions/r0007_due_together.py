"""The marks that a large batch sets, as one row until it is recomputed."""

import sqlalchemy as sa
from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    schema = context.config.attributes["run"].schema
    op.create_table(
        "due_together",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("marks", sa.UnicodeText, nullable=False),
        schema=schema,
    )

"""What commands changed: who typed what, when, and how it ended."""

import sqlalchemy as sa
from alembic import context, op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LENGTHS = {"who": 400, "command": 100, "arguments": 4000, "outcome": 100, "database_user": 400}


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Unicode(length), nullable=False) for name, length in LENGTHS.items()),
        schema=context.config.attributes["run"].schema,
    )

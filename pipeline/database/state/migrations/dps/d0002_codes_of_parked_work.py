"""Codes of parked work carry their area, as those of errors do: `exchange.type_missing`."""

import sqlalchemy as sa
from alembic import context, op

revision = "d0002"
down_revision = "d0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename the codes of what waits; those of errors have their area already."""
    schema = context.config.attributes["run"].schema
    parked = sa.table("parked", sa.column("code", sa.String), schema=schema)
    op.execute(
        parked.update()
        .where(parked.c.code.not_like("%.%"))
        .values(code=sa.literal("exchange.") + parked.c.code)
    )

"""Rows of mirrors are changed within their page, and their indexes hold no nulls."""

import sqlalchemy as sa
from alembic import context, op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """PostgreSQL alone: pages that are there keep what they hold, each index is made again."""
    if op.get_context().dialect.name != "postgresql":
        return
    schema = context.config.attributes["run"].schema
    connection = op.get_bind()
    quote = connection.dialect.identifier_preparer.quote
    inspector = sa.inspect(connection)
    for table in inspector.get_table_names(schema):
        if not table.startswith("mirror_"):
            continue
        op.execute(f"ALTER TABLE {quote(schema)}.{quote(table)} SET (fillfactor = 50)")
        for index in inspector.get_indexes(table, schema):
            name, column = str(index["name"]), str(index["column_names"][0])
            op.drop_index(name, table, schema=schema)
            is_known = sa.column(column).is_not(None)
            op.create_index(name, table, [column], schema=schema, postgresql_where=is_known)

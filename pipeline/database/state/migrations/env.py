"""Alembic's entry: runs within the connection that `pipeline.database.state.migrate` hands over."""

from alembic import context

from pipeline.database.state.migrate import Run

run: Run = context.config.attributes["run"]
context.configure(
    connection=run.connection,
    version_table=run.version_table,
    version_table_schema=run.schema,
    on_version_apply=lambda ctx, step, heads, run_args: run.told(ctx, step),
)
with context.begin_transaction():
    context.run_migrations()

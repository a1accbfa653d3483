"""Statements on mirrors, each written once: in a small batch that costs as much as to run it."""

from __future__ import annotations

from functools import lru_cache

from pipeline.database.sql.dialect import Dialect, Field, Fields, Lock, Update, given
from pipeline.database.state.schema import LEDGER, LEDGER_KEY, LEDGER_REVISION


@lru_cache(maxsize=512)
def reading(
    dialect: Dialect, table: str, column: Field, columns: tuple[str, ...], lock: Lock
) -> str:
    return dialect.select(table, (column,), columns, lock)


@lru_cache(maxsize=128)
def inserting(dialect: Dialect, table: str, values: Fields) -> str:
    return dialect.insert_missing(table, (LEDGER_KEY,), (LEDGER_REVISION, *LEDGER, *values))


@lru_cache(maxsize=128)
def changing(dialect: Dialect, table: str, values: Fields) -> str:
    revision = LEDGER_REVISION.name
    return dialect.update(
        Update(
            table=table,
            match=(LEDGER_KEY, LEDGER_REVISION),
            fields=LEDGER + values,
            assignments=(
                (revision, lambda images: f"{images.old(revision)} + 1"),
                *(given(field.name) for field in LEDGER + values),
            ),
        )
    )

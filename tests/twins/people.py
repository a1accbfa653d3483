"""What people do in one of the two systems: each call is a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import TargetRefused
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Value
from tests.twins.database import MemoryDatabase

PEOPLE = "people"


@dataclass(frozen=True)
class People:
    """Who works in a system."""

    database: MemoryDatabase

    def insert(self, table: SourceTable, **row: Value) -> None:
        """Raises TargetRefused where the key is there already."""
        with self.database.transaction(PEOPLE) as transaction:
            transaction.session.statement("insert")
            if not transaction.insert(table.name, row):
                raise TargetRefused(f"the key is taken at {table.name}")

    def edit(self, table: SourceTable, key: str, **columns: Value) -> bool:
        """Set columns of a row; False where it is not there."""
        with self.database.transaction(PEOPLE) as transaction:
            transaction.session.statement("edit")
            return transaction.change(table.name, _key(table, key), columns)

    def delete(self, table: SourceTable, key: str) -> bool:
        """False where it is not there."""
        with self.database.transaction(PEOPLE) as transaction:
            transaction.session.statement("delete")
            return transaction.delete(table.name, _key(table, key))


def _key(table: SourceTable, text: str) -> tuple[str | int, ...]:
    return tuple(
        value if isinstance(value, int) else str(value) for value in table.key_values(text)
    )

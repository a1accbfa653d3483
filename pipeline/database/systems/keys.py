"""Keys of rows that we create where the database gives none: from the profile's key table,
else the highest plus one.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.database.sql.dialect import Field, Fields, Lock, Update, given
from pipeline.database.sql.session import Session, number_of
from pipeline.errors import KeyTableInvalid
from pipeline.mapping.site import Holds, KeyTable, Site
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Value


@dataclass(frozen=True, slots=True)
class NewKeys:
    """Takes keys within a transaction. `site` says what the tables are called,
    and may name a key table.
    """

    session: Session
    site: Site
    schema: str | None

    def take(self, table: str, key: str) -> int:
        """The key of a row about to be created; nobody else gets it. Raises KeyTableInvalid."""
        counter = self.site.keys
        if counter is not None:
            # The highest is read before the counter's row is locked: that it rises in between does
            # no harm, and nobody who inserts a row and waits for the counter is waited for.
            highest = self.highest(table, key)
            new = self.next_counted(counter, table, Lock.UPDATE)
            if new is not None:
                self._refuse_used(table, new, highest)
                self._set(
                    counter,
                    table,
                    new + 1 if counter.holds is Holds.NEXT else new,
                )
                return new
        self.session.tell(
            table,
            self.session.dialect.lock_table(self._full_name(self.site.source_table(table))),
        )
        return self.highest(table, key) + 1

    def highest(self, table: str, key: str) -> int:
        """The highest key of a table, 0 of an empty one."""
        column = self.session.dialect.quote(self.site.source_column(table, key))
        full_name = self._full_name(self.site.source_table(table))
        ((highest,),) = self.session.ask(
            table,
            f"SELECT COALESCE(MAX({column}), 0) AS highest FROM {full_name}",
        )
        return number_of(highest)

    def next_counted(self, counter: KeyTable, table: str, lock: Lock = Lock.NONE) -> int | None:
        """The key that the key table gives next, None where it has no row for the table.
        Raises KeyTableInvalid.
        """
        match, columns = _name(counter), [counter.key_column]
        sql = self.session.dialect.select(self._full_name(counter.table), match, columns, lock)
        rows = self.session.run(counter.table, sql, [(self.site.name_in_key_table(table),)])
        if len(rows) > 1:
            raise KeyTableInvalid(f"{counter.table} has {len(rows)} rows for {table}")
        return _number(counter, table, rows[0][0]) + (counter.holds is Holds.LAST) if rows else None

    def _refuse_used(self, table: str, new: int, highest: int) -> None:
        if new <= highest:
            raise KeyTableInvalid(
                f"the key table gives a key that is not beyond the highest one of {table}"
            )

    def _set(self, counter: KeyTable, table: str, value: int) -> None:
        held = Field(counter.key_column, ColumnType.INTEGER)
        update = Update(
            self._full_name(counter.table),
            _name(counter),
            (held,),
            (given(held.name),),
        )
        sql = self.session.dialect.update(update)
        self.session.run(
            counter.table,
            sql,
            [(self.site.name_in_key_table(table), value)],
        )

    def _full_name(self, here: str) -> str:
        return self.session.dialect.qualify(self.schema, here)


def _name(counter: KeyTable) -> Fields:
    return (Field(counter.table_column, ColumnType.SHORT_TEXT),)


def _number(counter: KeyTable, table: str, held: Value) -> int:
    try:
        return number_of(held)
    except ValueError:
        raise KeyTableInvalid(f"{counter.table} holds no whole number for {table}") from None

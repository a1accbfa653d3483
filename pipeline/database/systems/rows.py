"""The rows of one of the two exchanged systems: read, compared under lock,
changed and created (port `Rows`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.conflicts.rules import Side
from pipeline.database.sql.dialect import Field, Fields, Lock, Update, given
from pipeline.database.sql.session import Session, all_stored, number_of, stored
from pipeline.database.systems.keys import NewKeys
from pipeline.errors import TargetMismatch
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable
from pipeline.model.event import Row, Value
from pipeline.pairing.entity import CodeList, Lists, NewRow, TemplateRows


@dataclass(frozen=True, slots=True)
class Names:
    """What this site calls the tables of one side. `generated`:
    tables whose key the database gives.
    """

    site: Site
    side: Side
    schema: str | None
    fills: tuple[TemplateRows, ...] = ()
    generated: frozenset[str] = frozenset()

    def table(self, name: str) -> str:
        return self.site.source_table(name)

    def fields(self, table: SourceTable, names: Iterable[str]) -> Fields:
        kinds = {column.name: column.kind for column in table.columns}
        return tuple(
            Field(
                self.site.source_column(table.name, name),
                kinds.get(name, ColumnType.TEXT),
            )
            for name in names
        )


class DatabaseRows:
    """Rows in a transaction."""

    def __init__(self, session: Session, names: Names) -> None:
        self._session = session
        self._names = names

    def clock(self) -> datetime:
        ((now,),) = self._session.ask("the clock", f"SELECT {self._session.dialect.clock} AS now")
        if not isinstance(now, datetime):
            raise TargetMismatch("the database does not tell its time")
        return now.astimezone(UTC)

    def log_position(self) -> str | None:
        ((number,),) = self._session.ask("the log", self._session.dialect.log_position)
        return None if number is None else self._session.dialect.change_part(number_of(number))

    # -- reading -----------------------------------------------------------------------------------

    def read(
        self, table: SourceTable, keys: Sequence[str], *, lock: bool = False
    ) -> dict[str, Row]:
        match = self._key_of(table)
        sql = self._session.dialect.select(
            self._full_name(table.name),
            match,
            self._columns(table),
            Lock.UPDATE if lock else Lock.NONE,
        )
        rows = [table.key_values(key) for key in sorted(set(keys))]
        return self._by_key(table, self._session.run(table.name, sql, rows))

    def named(
        self,
        table: SourceTable,
        columns: Sequence[str],
        texts: Sequence[str],
        length: int | None = None,
    ) -> dict[str, Row]:
        searched = [field.name for field in self._names.fields(table, columns)]
        sql = self._session.dialect.named(
            self._full_name(table.name),
            searched,
            self._columns(table),
            length,
        )
        return self._by_key(
            table,
            self._session.run(table.name, sql, [(text,) for text in sorted(set(texts))]),
        )

    def having(
        self,
        table: SourceTable,
        columns: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> dict[str, Row]:
        match = self._names.fields(table, columns)
        sql = self._session.dialect.scan(self._full_name(table.name), match, self._columns(table))
        return self._by_key(
            table,
            self._session.run(table.name, sql, list(dict.fromkeys(values))),
        )

    def distinct(
        self,
        table: SourceTable,
        columns: Sequence[str],
        by: str,
        values: Sequence[Value],
    ) -> set[tuple[Value, ...]]:
        fields = self._names.fields(table, columns)
        sql = self._session.dialect.scan(
            self._full_name(table.name),
            self._names.fields(table, [by]),
            [one.name for one in fields],
            distinct=True,
        )
        answers = self._session.run(table.name, sql, [(value,) for value in dict.fromkeys(values)])
        return {tuple(stored(fields, answer).values()) for answer in answers}

    def keys(self, table: SourceTable) -> list[str]:
        columns = ", ".join(
            self._session.dialect.quote(field.name) for field in self._key_of(table)
        )
        answers = self._session.ask(
            table.name,
            f"SELECT {columns} FROM {self._full_name(table.name)}",
        )
        return [table.key_text(answer) for answer in answers]

    def lists(self, lists: Iterable[CodeList]) -> Lists:
        found: dict[str, dict[Side, dict[Value, str]]] = {}
        for one in lists:
            table = one.table(self._names.side)
            if table is None:
                continue
            dialect, site = self._session.dialect, self._names.site
            code, text = (
                dialect.quote(site.source_column(table.table, c))
                for c in (table.code, table.description)
            )
            sql = f"SELECT {code}, {text} FROM {self._full_name(table.table)}"
            if table.only_if is not None:
                sql += (
                    f" WHERE {dialect.quote(site.source_column(table.table, table.only_if))} ="
                    f" {dialect.true}"
                )
            answers = self._session.ask(table.table, sql)
            found[one.name] = {
                self._names.side: {code: str(text) for code, text in answers if text is not None}
            }
        return Lists(found)

    # -- writing -----------------------------------------------------------------------------------

    def update(self, table: SourceTable, changes: Mapping[str, Row]) -> None:
        """One statement for each set of columns."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for key, columns in changes.items():
            groups.setdefault(tuple(sorted(columns)), []).append(key)
        for names, keys in sorted(groups.items()):
            fields = self._names.fields(table, names)
            update = Update(
                self._full_name(table.name),
                self._key_of(table),
                fields,
                tuple(given(field.name) for field in fields),
            )
            rows = [
                (
                    *table.key_values(key),
                    *(changes[key][name] for name in names),
                )
                for key in sorted(keys)
            ]
            self._session.run(table.name, self._session.dialect.update(update), rows)

    def insert(self, table: SourceTable, rows: Sequence[NewRow]) -> list[str | None]:
        return [self._insert(table, row) for row in rows]

    def _insert(self, table: SourceTable, row: NewRow) -> str | None:
        columns = {name: value for name, value in row.columns.items() if not name.startswith("@")}
        if row.key is None:
            key: str | None = table.key_text(
                (self._insert_generated(table.name, table.key[0], columns),)
            )
        else:
            key = self._insert_keyed(table, row.key, columns)
        if key is not None:
            self._fill(key, table, row.columns)
        return key

    def _insert_keyed(self, table: SourceTable, key: tuple[Value, ...], columns: Row) -> str | None:
        names = [
            name for name in columns if name not in {column.name for column in table.key_columns}
        ]
        sql = self._session.dialect.insert_missing(
            self._full_name(table.name),
            self._key_of(table),
            self._names.fields(table, names),
        )
        answers = self._session.run(table.name, sql, [(*key, *(columns[name] for name in names))])
        return table.key_text(answers[0]) if answers else None

    def _insert_generated(self, table: str, key: str, columns: Row) -> int:
        """A row whose key the database gives, or else `NewKeys`."""
        site, dialect, full_name = (
            self._names.site,
            self._session.dialect,
            self._full_name(table),
        )
        here = {site.source_column(table, name): value for name, value in columns.items()}
        key_here = site.source_column(table, key)
        if table not in self._names.generated:
            new = NewKeys(self._session, site, self._names.schema).take(table, key)
            here = {**here, key_here: new}
            listed = ", ".join(dialect.quote(name) for name in here)
            values = ", ".join(f":v{number}" for number in range(len(here)))
            parameters = {f"v{number}": value for number, value in enumerate(here.values())}
            self._session.tell(
                table,
                f"INSERT INTO {full_name} ({listed}) VALUES ({values})",
                **parameters,
            )
            return new
        sql = dialect.insert_generated(full_name, key_here, list(here))
        ((made,),) = self._session.ask(
            table,
            sql,
            **{f"v{n}": value for n, value in enumerate(here.values())},
        )
        return number_of(made)

    def _fill(self, key: str, table: SourceTable, columns: Row) -> None:
        """The rows that a created row gets, such as the phases of its template;
        at least one of each kind.
        """
        owner = table.key_values(key)[0]
        for fill in self._names.fills:
            if fill.of != table.name:
                continue
            rows = self._copied(fill, columns.get(fill.by)) if fill.by else []
            for row in rows or [{into: columns.get(name) for name, into in fill.at_least}]:
                self._insert_generated(
                    fill.into,
                    fill.key,
                    {**fill.constants, **row, fill.owner: owner},
                )

    def _copied(self, fill: TemplateRows, value: Value) -> list[dict[str, Value]]:
        if value is None:
            return []
        dialect, site = self._session.dialect, self._names.site
        copied = ", ".join(
            dialect.quote(site.source_column(fill.source, source)) for source, _ in fill.copied
        )
        where = dialect.quote(site.source_column(fill.source, fill.where))
        answers = self._session.ask(
            fill.source,
            (
                f"SELECT {copied} FROM {self._full_name(fill.source)} WHERE {where} = :value"
                f" ORDER BY {copied}"
            ),
            value=value,
        )
        return [
            {into: one for (_, into), one in zip(fill.copied, answer, strict=True)}
            for answer in answers
        ]

    # -- names -------------------------------------------------------------------------------------

    def _full_name(self, table: str) -> str:
        return self._session.dialect.qualify(self._names.schema, self._names.table(table))

    def _key_of(self, table: SourceTable) -> Fields:
        return self._names.fields(table, (column.name for column in table.key_columns))

    def _columns(self, table: SourceTable) -> list[str]:
        return [
            field.name
            for field in self._names.fields(table, (column.name for column in table.columns))
        ]

    def _by_key(self, table: SourceTable, answers: Iterable[Sequence[Value]]) -> dict[str, Row]:
        fields = tuple(Field(column.name, column.kind) for column in table.columns)
        key = [column.name for column in table.key_columns]
        return {
            table.key_text([row[name] for name in key]): row for row in all_stored(fields, answers)
        }

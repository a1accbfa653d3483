"""Ledger and mirror: one row of `sync.mirror_<Table>` for each source row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from pipeline.database.sql.dialect import Cells, Field, Fields, Lock
from pipeline.database.sql.session import CONVERTED, Session, canonical, number_of
from pipeline.database.state.added import AddedColumns
from pipeline.database.state.ledger_reader import AT_POSITION, reader
from pipeline.database.state.ledger_statements import changing, inserting, reading
from pipeline.database.state.schema import (
    LEDGER,
    LEDGER_KEY,
    LEDGER_REVISION,
    mirror_name,
)
from pipeline.errors import ConcurrentWrite
from pipeline.mapping.mirror import MirroredTable
from pipeline.model.event import Value
from pipeline.model.ledger import LedgerRow
from pipeline.model.position import NOWHERE, TopicOffset

# how far the source was read when the row was written
_PLACE = tuple(
    field
    for field in LEDGER
    if field.name in ("incarnation", "partition", "offset", "epoch", "committed_at")
)
_PREFIX: Fields = (LEDGER_KEY, LEDGER_REVISION, *(one for one in LEDGER if one not in _PLACE))
_WIDTH = len(_PREFIX)
_NOTHING: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Mirror:
    """A mirror table as statements need it."""

    source: MirroredTable
    table: str
    values: Fields
    added: Mapping[str, int]  # columns that were added, by name; with the number of the addition
    names: tuple[str, ...]  # of values
    converted: Fields  # those that a database may give in another form than ours

    def columns(self, *, placed: bool) -> list[str]:
        """Those that a read gives."""
        return [field.name for field in _PREFIX + self.values + (_PLACE if placed else ())]

    def field(self, name: str) -> Field:
        return next(field for field in self.values if field.name == name)


def mirrors(
    session: Session,
    schema: str,
    sources: Sequence[MirroredTable],
    added: AddedColumns,
) -> dict[str, Mirror]:
    """The mirror tables of these sources, by source table."""
    found = {}
    for source in sources:
        values = tuple(Field(column.name, column.kind) for column in source.mirrored())
        found[source.name] = Mirror(
            source,
            session.dialect.qualify(schema, mirror_name(source.name)),
            values,
            _known(source, added),
            tuple(field.name for field in values),
            tuple(field for field in values if field.kind in CONVERTED),
        )
    return found


def _known(source: MirroredTable, added: AddedColumns) -> dict[str, int]:
    """Those that this program knows."""
    versions = added.versions(source.name)
    return {one.name: versions[one.name] for one in source.mirrored() if one.name in versions}


class Ledger:
    """Reads and writes ledger rows."""

    def __init__(self, session: Session, mirrors: Mapping[str, Mirror]) -> None:
        self._session = session
        self._mirrors = mirrors

    def lock_rows(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> dict[str, LedgerRow]:
        rows = self._read(table, LEDGER_KEY, sorted(keys), Lock.UPDATE, placed=placed)
        return {row.key: row for row in rows}

    def rows_by_key(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> list[LedgerRow]:
        return self._read(table, LEDGER_KEY, keys, Lock.NONE, placed=placed)

    def rows_where(self, table: str, column: str, values: Sequence[Value]) -> list[LedgerRow]:
        found = self._mirrors[table].field(column)
        return self._read(table, found, values, Lock.NONE, placed=False)

    def values_where(
        self, table: str, wanted: str, column: str, values: Sequence[Value]
    ) -> list[Value]:
        mirror = self._mirrors[table]
        match, names = (mirror.field(column),), [wanted or LEDGER_KEY.name]
        sql = self._session.dialect.select(mirror.table, match, names, Lock.NONE)
        return [value for (value,) in self._session.run(mirror_name(table), sql, _given(values))]

    def distinct_values(
        self, table: str, wanted: str, column: str, values: Sequence[Value]
    ) -> list[Value]:
        """The database leaves out what it has given already, so that a reference that many rows
        share comes once.
        """
        mirror, dialect = self._mirrors[table], self._session.dialect
        sql = dialect.distinct(
            mirror.table,
            mirror.field(column) if column else LEDGER_KEY,
            wanted or LEDGER_KEY.name,
            f"t.{dialect.quote('retired_at')} = ''",
        )
        rows = [(value,) for value in sorted(set(values) - {None}, key=str)]
        found = self._session.run(mirror_name(table), sql, rows)
        return [*dict.fromkeys(value for (value,) in found)]

    def _read(
        self, table: str, column: Field, values: Sequence[Value], lock: Lock, *, placed: bool
    ) -> list[LedgerRow]:
        mirror = self._mirrors[table]
        columns = tuple(mirror.columns(placed=placed))
        sql = reading(self._session.dialect, mirror.table, column, columns, lock)
        answers = self._session.run(mirror_name(table), sql, _given(values))
        if mirror.added:
            return [_ledger_row(mirror, answer) for answer in answers]
        read = reader(table, columns, mirror.values)
        return read(answers, partial(_ledger_row, mirror))

    def write_rows(self, rows: Sequence[LedgerRow]) -> None:
        """New rows are inserted, others changed where they
        still have the revision that was read.
        """
        if not rows:
            return
        mirror = self._mirrors[rows[0].table]
        ordered = sorted(rows, key=lambda row: row.key)
        written = self._insert(mirror, [row for row in ordered if row.revision == 0])
        written += self._change(mirror, [row for row in ordered if row.revision > 0])
        if written != len(rows):
            raise ConcurrentWrite(
                f"{len(rows) - written} rows of {mirror_name(mirror.source.name)} changed meanwhile"
            )

    def _insert(self, mirror: Mirror, rows: Sequence[LedgerRow]) -> int:
        sql = inserting(self._session.dialect, mirror.table, mirror.values)
        cells = [(row.key, 1, *_cells(mirror, row)) for row in rows]
        return len(self._session.run(mirror_name(mirror.source.name), sql, cells))

    def _change(self, mirror: Mirror, rows: Sequence[LedgerRow]) -> int:
        sql = changing(self._session.dialect, mirror.table, mirror.values)
        cells = [(row.key, row.revision, *_cells(mirror, row)) for row in rows]
        return sum(
            number_of(changed)
            for (changed,) in self._session.run(mirror_name(mirror.source.name), sql, cells)
        )

    def unseen(self, table: str, epoch: int, limit: int) -> list[LedgerRow]:
        """Found first, then locked by key: as every other lock of these rows is taken.
        One that was seen meanwhile is left out.
        """
        mirror, quote = self._mirrors[table], self._session.dialect.quote
        older = (
            f"t.{quote('epoch')} < :epoch AND t.{quote('deleted')} = {self._session.dialect.false}"
        )
        answers = self._session.ask(
            mirror_name(table),
            f"SELECT t.{quote('key')} FROM {mirror.table} AS t WHERE {older}"
            f" ORDER BY t.{quote('key')} OFFSET 0 ROWS FETCH NEXT {limit:d} ROWS ONLY",
            epoch=epoch,
        )
        rows = self.lock_rows(table, [str(key) for (key,) in answers])
        return [row for _, row in sorted(rows.items()) if row.epoch < epoch and not row.deleted]

    def next_keys(
        self,
        table: str,
        after: str,
        limit: int,
        *,
        only_if: str | None = None,
    ) -> list[str]:
        """Keys of a mirror in order, a page at a time; of the rows in which this flag is set."""
        mirror = self._mirrors[table]
        key = self._session.dialect.quote(LEDGER_KEY.name)
        flag = ""
        if only_if is not None:
            flag = f" AND t.{self._session.dialect.quote(only_if)} = {self._session.dialect.true}"
        answers = self._session.ask(
            mirror_name(table),
            f"SELECT t.{key} FROM {mirror.table} AS t WHERE t.{key} > :after{flag}"
            f" ORDER BY t.{key} OFFSET 0 ROWS FETCH NEXT {limit:d} ROWS ONLY",
            after=after,
        )
        return [str(found) for (found,) in answers]

    def pages(self, table: str, size: int, *, only_if: str | None = None) -> Iterator[list[str]]:
        """All these keys, so that no statement reads a whole table."""
        last = ""
        while keys := self.next_keys(table, last, size, only_if=only_if):
            last = keys[-1]
            yield keys


def _given(values: Iterable[Value]) -> list[Cells]:
    """Each as a row of its own, once, in this order. Nothing equals null."""
    once = dict.fromkeys(values)
    once.pop(None, None)
    return [*zip(once, strict=True)]


def _cells(mirror: Mirror, row: LedgerRow) -> Cells:
    place, version = row.place, max(mirror.added.values(), default=0)
    is_at_position = row.changed_at and row.changed_at == row.position
    return (
        row.position,
        place.incarnation,
        place.partition,
        place.offset,
        row.deleted,
        ",".join(sorted(row.unknown)),
        row.epoch,
        row.committed_at,
        row.retired_at,
        AT_POSITION if is_at_position else row.changed_at,
        version or None,
        row.revision + 1 if version else None,
        *map(row.values.__getitem__, mirror.names),
    )


def _ledger_row(mirror: Mirror, answer: Sequence[Any]) -> LedgerRow:
    key, revision, position, deleted, unknown, retired_at, changed_at, version, written_at = answer[
        :_WIDTH
    ]
    missing = _NOTHING
    if mirror.added:
        missing = _missing(mirror, version if written_at == revision else 0)
    end = _WIDTH + len(mirror.names)
    values = dict(zip(mirror.names, answer[_WIDTH:end], strict=True))
    for field in mirror.converted:
        values[field.name] = canonical(values[field.name], field.kind)
    applied_at, place, epoch, committed_at = _place(position, answer[end:])
    return LedgerRow(
        mirror.source.name,
        str(key),
        values if not missing else {**values, **dict.fromkeys(missing)},
        applied_at,
        place,
        bool(deleted),
        missing.union(str(unknown).split(",")) if unknown else missing,
        epoch,
        committed_at,
        int(revision),
        str(retired_at),
        str(position if changed_at == AT_POSITION else changed_at),
    )


def _place(position: Any, answer: Sequence[Any]) -> tuple[str, TopicOffset, int, datetime | None]:
    """How far the source was read, as `_PLACE` has it; nowhere where that was not asked for."""
    if not answer:
        return "", NOWHERE, 0, None
    incarnation, partition, offset, epoch, committed_at = answer
    return (
        str(position),
        TopicOffset(int(incarnation), int(partition), int(offset)),
        int(epoch),
        committed_at.astimezone(UTC) if isinstance(committed_at, datetime) else None,
    )


def _missing(mirror: Mirror, version: Value) -> frozenset[str]:
    """Columns that the row's last writer did not know."""
    known = 0 if version is None else number_of(version)
    return frozenset(name for name, added in mirror.added.items() if added > known)

"""Ledger and mirror of many plain events in one statement, which reads nothing before.

Its guard lets through less than `model/applied.py` does, and never more: what it leaves out is
judged there. A row that it does not change it locks all the same, in the order of keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter

import orjson

from pipeline.database.sql.dialect import (
    Cells,
    Expression,
    Field,
    Fields,
    Images,
    Merge,
    Put,
    given,
)
from pipeline.database.sql.session import Session
from pipeline.database.state.ledger import Mirror
from pipeline.database.state.ledger_reader import AT_POSITION
from pipeline.database.state.schema import LEDGER_KEY, mirror_name
from pipeline.mapping.mirror import Fold, StickyColumn
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Event
from pipeline.model.plain import PlainChange, PlainEvent
from pipeline.model.position import start_of

_PLACE: Fields = (
    Field("position", ColumnType.SHORT_TEXT),
    Field("incarnation", ColumnType.INTEGER),
    Field("partition", ColumnType.INTEGER),
    Field("offset", ColumnType.INTEGER),
    Field("epoch", ColumnType.INTEGER),
    Field("committed_at", ColumnType.INSTANT),
)
_CHANGED_AT = Field("changed_at", ColumnType.SHORT_TEXT)


class PlainRows:
    """Writes ledger rows of plain events."""

    def __init__(self, session: Session, mirrors: Mapping[str, Mirror]) -> None:
        self._session = session
        self._mirrors = mirrors

    @property
    def is_offered(self) -> bool:
        """Can this database do it."""
        return self._session.copying is not None

    def write(self, table: str, events: Sequence[PlainEvent]) -> dict[str, PlainChange]:
        """By key, of the rows that were written."""
        mirror, place = self._mirrors[table], mirror_name(table)
        fields = (LEDGER_KEY, *_PLACE, _CHANGED_AT, *mirror.values)
        values_of = itemgetter(*(column.name for column in mirror.source.columns))
        rows = [_cells(one.event, values_of(one.event.row), one.remembered) for one in events]
        copying, name = self._session.copied(place, fields, rows)
        put = self._put(mirror)
        found: dict[str, PlainChange] = {}
        for key, is_changed, is_shared, *remembered in self._session.ask(
            place, copying.put(name, put)
        ):
            change = PlainChange(bool(is_changed), bool(is_shared), tuple(remembered))
            keys = orjson.loads(str(key)) if put.are_few else (str(key),)
            found |= dict.fromkeys(keys, change)
        return found

    def _put(self, mirror: Mirror) -> Put:
        version = str(max(mirror.added.values())) if mirror.added else ""
        columns = (("columns_version", version), ("columns_revision", "1")) if version else ()
        after = self._after(mirror)
        shared = mirror.source.shared
        folded = ((one.name, after[one.name]) for one in mirror.source.remembered)
        merge = Merge(
            table=mirror.table,
            key=(LEDGER_KEY,),
            fields=(*_PLACE, _CHANGED_AT, *mirror.values),
            assignments=(
                *(given(field.name) for field in _PLACE),
                ("changed_at", self._changed_at(shared, after)),
                *(given(column.name) for column in mirror.source.columns),
                *folded,
                ("revision", _next_revision),
                *_columns_known(version),
            ),
            only_if=lambda images: _guard(images, version),
        )
        dialect = self._session.dialect
        return Put(
            merge,
            constants=(
                ("revision", "1"),
                ("deleted", dialect.false),
                ("unknown", "''"),
                ("retired_at", "''"),
                *columns,
            ),
            are_few=all(one.kind is ColumnType.FLAG for one in mirror.source.remembered),
            answers=(
                lambda images: self._differs(images, mirror.values),
                lambda images: self._differs(images, tuple(map(mirror.field, shared))),
                *(_new(one.name) for one in mirror.source.remembered),
            ),
        )

    def _differs(self, images: Images, fields: Fields) -> str:
        """Is the row new, or one of these columns another than before."""
        if not fields:
            return self._session.dialect.false
        is_new = f"{images.old('key')} IS NULL"
        return f"({is_new} OR {self._session.dialect.differs(images, fields)})"

    @staticmethod
    def _after(mirror: Mirror) -> dict[str, Expression]:
        """What a column holds after an event."""
        found: dict[str, Expression] = dict(given(field.name) for field in mirror.values)
        found |= {one.name: _fold(one) for one in mirror.source.remembered}
        return found

    def _changed_at(self, shared: Sequence[str], after: Mapping[str, Expression]) -> Expression:
        def changed_at(images: Images) -> str:
            kept = (
                f"CASE {images.old('changed_at')} WHEN '{AT_POSITION}'"
                f" THEN {images.old('position')} ELSE {images.old('changed_at')} END"
            )
            if not shared:
                return kept
            old = ", ".join(images.old(name) for name in shared)
            new = ", ".join(after[name](images) for name in shared)
            return (
                f"CASE WHEN ({old}) IS DISTINCT FROM ({new}) THEN {images.new('changed_at')}"
                f" ELSE {kept} END"
            )

        return changed_at


def _cells(event: Event, values: Cells, remembered: Cells) -> Cells:
    place = event.place
    is_read = event.is_snapshot
    return (
        event.key,
        event.position,
        place.incarnation,
        place.partition,
        place.offset,
        event.epoch,
        None if is_read else event.committed_at,
        start_of(event.epoch) if is_read else AT_POSITION,
        *values,
        *remembered,
    )


def _guard(images: Images, version: str) -> str:
    """A streamed event after everything that was applied to a row of which all is known. A read has
    no position: none is greater. `version`: where columns were added, that of the newest.
    """
    old, new = images.old, images.new
    written = f" AND {old('columns_version')} = {version}" if version else ""
    if version:
        written += f" AND {old('columns_revision')} = {old('revision')}"
    return (
        f"{new('position')} > {old('position')} AND {new('epoch')} >= {old('epoch')}"
        f" AND NOT ({new('incarnation')} = {old('incarnation')}"
        f" AND {new('partition')} = {old('partition')} AND {new('offset')} <= {old('offset')})"
        f" AND {old('unknown')} = '' AND {old('retired_at')} = '' AND NOT {old('deleted')}{written}"
    )


def _next_revision(images: Images) -> str:
    return f"{images.old('revision')} + 1"


def _columns_known(version: str) -> tuple[tuple[str, Expression], ...]:
    if not version:
        return ()
    return (("columns_version", lambda _: version), ("columns_revision", _next_revision))


def _new(column: str) -> Expression:
    return lambda images: images.new(column)


def _fold(column: StickyColumn) -> Expression:
    """As `engine/projection/guard.py` folds it. Of LEFT an image alone does not tell it."""
    name = column.name
    match column.fold:
        case Fold.EVER:
            return lambda images: f"(COALESCE({images.old(name)}, false) OR {images.new(name)})"
        case Fold.LAST:
            return lambda images: f"COALESCE({images.new(name)}, {images.old(name)})"
        case Fold.NEWEST:
            return lambda images: images.new(name)
        case Fold.LEFT:
            raise ValueError(f"{name} cannot be folded without its row")

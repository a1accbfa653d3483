"""Child rows of ours where rows are told by an id: those that we made, and those that we took
over, by `sync.owned_row`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import orjson

from pipeline.database.sql.dialect import Field, Lock, Merge, given
from pipeline.database.sql.session import Session
from pipeline.database.systems.owned_rows import (
    PARENT_KEY,
    ROW_HASH,
    ROW_KEY,
    TARGET_TABLE,
    hash_of,
    json_of,
)
from pipeline.database.systems.rows_by_id import RowsById
from pipeline.mapping.source import ColumnType
from pipeline.mapping.target import Adopted, TargetRow, TargetTable
from pipeline.model.event import Row
from pipeline.model.outcome import RowCounts

_ROW_ID = Field("row_id", ColumnType.SHORT_TEXT)
_ADOPTED = Field("adopted", ColumnType.FLAG)
Place = tuple[str, tuple[str, ...]]  # a parent's key, and the row's


@dataclass(frozen=True, slots=True)
class OwnedRow:
    """A row of ours: its id, and whether somebody else made it."""

    row_id: str
    is_adopted: bool


class AdoptedRows:
    """Replaced as a set for each parent."""

    def __init__(
        self, session: Session, schema: str, rows: RowsById, tables: Mapping[str, TargetTable]
    ) -> None:
        self._session = session
        self._rows = rows
        self._tables = tables
        self._owned = session.dialect.qualify(schema, "owned_row")

    def adopt_children(
        self, table: str, wanted: Mapping[str, Sequence[TargetRow]], left: Row
    ) -> Adopted:
        """What is not wanted any more goes first. A row that we wrote before is found by its id,
        whatever its key is by now. Removed rows count as changed.
        """
        asked = {(parent, row.key): row for parent, rows in wanted.items() for row in rows}
        before = self._owned_by(table, sorted(wanted))
        gone = {place: ours for place, ours in before.items() if place not in asked}
        self._leave(table, gone, left)
        made = {place: self._tables[table].made_id(place[1]) for place in asked}
        known = [before[place].row_id for place in asked if place in before]
        held = self._rows.lock(table, {*known, *made.values()})
        ours = self._found(table, asked, before, made, held)
        held |= self._rows.lock(table, {one.row_id for one in ours.values()} - held.keys())
        there = {place: one for place, one in ours.items() if one.row_id in held}
        new = [(made[place], asked[place]) for place in sorted(asked.keys() - there.keys())]
        self._rows.insert(table, new)
        kept = [(one.row_id, asked[place]) for place, one in sorted(there.items(), key=_place_of)]
        changed = self._rows.change(table, kept)
        now = {
            place: there.get(place) or OwnedRow(made[place], is_adopted=False) for place in asked
        }
        self._remember(table, {p: one for p, one in now.items() if before.get(p) != one})
        counts = RowCounts(
            created=len(new),
            changed=len(gone) + changed,
            unchanged=len(kept) - changed,
        )
        return Adopted(
            counts,
            {place: one.row_id for place, one in now.items()},
            held,
            frozenset(one.row_id for one in gone.values()),
            frozenset({*known} - held.keys()),
        )

    def _found(
        self,
        table: str,
        asked: Collection[Place],
        before: Mapping[Place, OwnedRow],
        made: Mapping[Place, str],
        held: Mapping[str, Row],
    ) -> dict[Place, OwnedRow]:
        """The rows that are there: the one that we wrote before, one with the id that we give, or
        else the lowest of those with the key that are nobody's.
        """
        found: dict[Place, OwnedRow] = {}
        for place in asked:
            ours = before.get(place)
            if ours is not None and ours.row_id in held:
                found[place] = ours
            elif made[place] in held:
                found[place] = OwnedRow(made[place], is_adopted=False)
        lacking = sorted(place for place in asked if place not in found)
        free = self._rows.of_keys(table, [key for _, key in lacking])
        taken = {one.row_id for one in found.values()}
        taken |= self._taken(table, [one for ids in free.values() for one in ids])
        for place in lacking:
            one = next((one for one in free.get(place[1], ()) if one not in taken), None)
            if one is not None:
                found[place] = OwnedRow(one, is_adopted=True)
                taken.add(one)
        return found

    def _taken(self, table: str, ids: Sequence[str]) -> set[str]:
        """Those of these rows that are ours, whatever their key is by now."""
        sql = self._session.dialect.select(
            self._owned, (TARGET_TABLE, _ROW_ID), [_ROW_ID.name], Lock.NONE
        )
        answers = self._session.run("owned_row", sql, [(table, one) for one in sorted(ids)])
        return {str(one) for (one,) in answers}

    def _leave(self, table: str, gone: Mapping[Place, OwnedRow], left: Row) -> None:
        self._rows.delete(table, [one.row_id for one in gone.values() if not one.is_adopted])
        self._rows.fill(table, [one.row_id for one in gone.values() if one.is_adopted], left)
        sql = self._session.dialect.delete(self._owned, (TARGET_TABLE, PARENT_KEY, ROW_HASH))
        rows = [(table, parent, hash_of(key)) for parent, key in gone]
        self._session.run("owned_row", sql, sorted(rows))

    def _remember(self, table: str, new: Mapping[Place, OwnedRow]) -> None:
        columns = (ROW_KEY, _ROW_ID, _ADOPTED)
        merge = Merge(
            table=self._owned,
            key=(TARGET_TABLE, PARENT_KEY, ROW_HASH),
            fields=columns,
            assignments=(given(_ROW_ID.name), given(_ADOPTED.name)),
        )
        cells = [
            (table, parent, hash_of(key), json_of(key), one.row_id, one.is_adopted)
            for (parent, key), one in new.items()
        ]
        self._session.run("owned_row", self._session.dialect.merge(merge), sorted(cells))

    def _owned_by(self, table: str, parents: Sequence[str]) -> dict[Place, OwnedRow]:
        columns = [PARENT_KEY.name, ROW_KEY.name, _ROW_ID.name, _ADOPTED.name]
        sql = self._session.dialect.select(
            self._owned, (TARGET_TABLE, PARENT_KEY), columns, Lock.UPDATE
        )
        answers = self._session.run("owned_row", sql, [(table, parent) for parent in parents])
        return {
            (str(parent), tuple(orjson.loads(str(key)))): OwnedRow(str(one), bool(adopted))
            for parent, key, one, adopted in answers
        }


def _place_of(item: tuple[Place, OwnedRow]) -> Place:
    return item[0]

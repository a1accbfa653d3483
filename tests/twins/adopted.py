"""Child rows that are told by an id, in memory: those that we made, and those that we took over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import ConcurrentWrite
from pipeline.mapping.target import Adopted, TargetRow
from pipeline.model.event import Row
from pipeline.model.outcome import RowCounts
from tests.twins.locks import Strength
from tests.twins.tables import Session, Table, View
from tests.twins.target_tables import TargetTables

Place = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class OwnedRow:
    """A row of ours, and whether somebody else made it."""

    row_id: str
    is_adopted: bool


class AdoptedRows:
    """Replaced as a set for each parent; remembered by table, parent and key."""

    def __init__(self, session: Session, adopted: Table[OwnedRow], targets: TargetTables) -> None:
        self._session = session
        self._view = View(session, adopted)
        self._targets = targets

    def adopt_children(
        self, table: str, wanted: Mapping[str, Sequence[TargetRow]], left: Row
    ) -> Adopted:
        self._session.statement("adopt_children")
        asked = {(parent, row.key): row for parent, rows in wanted.items() for row in rows}
        before = self._owned_by(table, wanted)
        gone = {place: ours for place, ours in before.items() if place not in asked}
        self._leave(table, gone, left)
        described = self._targets.described(table)
        made = {place: described.made_id(place[1]) for place in asked}
        known = [before[place].row_id for place in asked if place in before]
        held = self._targets.lock_ids(table, [*known, *made.values()])
        ours = self._found(table, asked, before, made, held)
        held |= self._targets.lock_ids(table, {one.row_id for one in ours.values()} - held.keys())
        there = {place: one for place, one in ours.items() if one.row_id in held}
        changed = 0
        for place in sorted(asked.keys() - there.keys()):
            if not self._targets.insert_id(table, made[place], asked[place]):
                raise ConcurrentWrite(f"a row of {table} was made meanwhile")
        for place, one in sorted(there.items(), key=lambda item: item[1].row_id):
            changed += self._targets.change_id(table, one.row_id, asked[place])
        now = {
            place: there.get(place) or OwnedRow(made[place], is_adopted=False) for place in asked
        }
        for (parent, key), one in sorted(now.items(), key=lambda item: item[0]):
            if before.get((parent, key)) != one:
                self._view.claim((table, parent, *key))
                self._view.put((table, parent, *key), one)
        return Adopted(
            RowCounts(len(asked) - len(there), len(gone) + changed, len(there) - changed),
            {place: one.row_id for place, one in now.items()},
            held,
            frozenset(one.row_id for one in gone.values()),
            frozenset({*known} - held.keys()),
        )

    def _owned_by(self, table: str, parents: Collection[str]) -> dict[Place, OwnedRow]:
        places = [
            place for place, _ in self._view.items() if place[0] == table and place[1] in parents
        ]
        held = {place: self._view.lock(place, Strength.UPDATE) for place in sorted(places)}
        return {
            (str(place[1]), tuple(str(part) for part in place[2:])): ours
            for place, ours in held.items()
            if ours is not None
        }

    def _leave(self, table: str, gone: Mapping[Place, OwnedRow], left: Row) -> None:
        for (parent, key), ours in sorted(gone.items(), key=lambda item: item[1].row_id):
            if ours.is_adopted:
                self._targets.fill_id(table, ours.row_id, left)
            else:
                self._targets.delete_id(table, ours.row_id)
            self._view.delete((table, parent, *key))

    def _found(
        self,
        table: str,
        asked: Iterable[Place],
        before: Mapping[Place, OwnedRow],
        made: Mapping[Place, str],
        held: Mapping[str, Row],
    ) -> dict[Place, OwnedRow]:
        found: dict[Place, OwnedRow] = {}
        for place in asked:
            ours = before.get(place)
            if ours is not None and ours.row_id in held:
                found[place] = ours
            elif made[place] in held:
                found[place] = OwnedRow(made[place], is_adopted=False)
        taken = {one.row_id for one in found.values()}
        taken |= {ours.row_id for place, ours in self._view.items() if place[0] == table}
        for place in sorted({*asked} - found.keys()):
            free = [one for one in self._targets.ids_of(table, place[1]) if one not in taken]
            if free:
                found[place] = OwnedRow(min(free), is_adopted=True)
                taken.add(min(free))
        return found

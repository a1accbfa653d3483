"""Child rows that we made, in memory: the only ones that we change and delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.mapping.target import TargetRow
from pipeline.model.outcome import RowCounts
from tests.twins.locks import Strength
from tests.twins.tables import Session, Table, View
from tests.twins.target_tables import Owned, TargetTables


class OwnedRows:
    """Child rows that we made, replaced as a set for each parent."""

    def __init__(self, session: Session, owned: Table[Owned], targets: TargetTables) -> None:
        self._session = session
        self._view = View(session, owned)
        self._targets = targets

    def replace_children(self, table: str, wanted: Mapping[str, Sequence[TargetRow]]) -> RowCounts:
        """Rows that others made stay theirs. Removed rows count as changed."""
        if not wanted:
            return RowCounts()
        self._session.statement("replace_children")
        asked = {(parent, row.key): row for parent, rows in wanted.items() for row in rows}
        places = [
            place for place, _ in self._view.items() if place[0] == table and place[1] in wanted
        ]
        held = {place: self._view.lock(place, Strength.UPDATE) for place in places}
        ours = {(str(place[1]), key) for place, key in held.items() if key is not None}
        gone = ours - asked.keys()
        self._targets.delete(table, [key for _, key in gone])
        for parent, key in sorted(gone):
            self._view.delete((table, parent, *key))
        created = self._targets.insert_children(table, [*asked.values()])
        new = {(parent, key) for parent, key in asked if key in created}
        there = [row for place, row in asked.items() if place in ours - new]
        changed = self._targets.change_children(table, there)
        for parent, key in sorted(new - ours):
            self._view.claim((table, parent, *key))
            self._view.put((table, parent, *key), key)
        return RowCounts(
            created=len(new),
            changed=len(gone) + changed,
            unchanged=len(asked) - len(new) - changed,
        )

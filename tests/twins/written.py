"""What rows of the target hold, and what we wrote there last, in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pipeline.mapping.observed import Root, Written
from pipeline.model.event import Row
from tests.twins.tables import Session, Table, View
from tests.twins.target_tables import TargetTables


class WrittenRows:
    """Of each row of the target what it held after we wrote it last."""

    def __init__(self, session: Session, written: Table[Written], targets: TargetTables) -> None:
        self._session = session
        self._view = View(session, written)
        self._targets = targets

    def held(self, table: str, keys: Collection[str]) -> dict[str, Row]:
        self._session.statement("held")
        return self._targets.lock_told(table, keys)

    def of(self, table: str, keys: Collection[str]) -> dict[str, Written]:
        self._session.statement("written")
        found = {key: self._view.get((table, key)) for key in sorted({*keys})}
        return {key: one for key, one in found.items() if one is not None}

    def for_roots(self, roots: Collection[Root]) -> dict[tuple[str, str], Root]:
        self._session.statement("written_for_roots")
        return {
            (str(table), str(key)): one.root
            for (table, key), one in self._view.items()
            if one.root in roots
        }

    def remember(self, table: str, rows: Mapping[str, Written]) -> None:
        self._session.statement("remember")
        for key, one in sorted(rows.items(), key=lambda item: item[0]):
            self._view.claim((table, key))
            self._view.put((table, key), one)

    def forget(self, table: str, keys: Collection[str]) -> None:
        self._session.statement("forget")
        for key in sorted(keys):
            if self._view.claim((table, key)) is not None:
                self._view.delete((table, key))

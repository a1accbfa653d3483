"""Rows without a link in memory, as `pipeline.database.state.unlinked` keeps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from pipeline.conflicts.link import Seen
from tests.twins.statements import statement
from tests.twins.tables import Session, Table, View


class Unlinked:
    """Reads and writes them; the time of an event is not kept."""

    def __init__(self, session: Session, table: Table[Seen]) -> None:
        self.session = session
        self._view = View(session, table)

    @statement
    def read(self, ids: Collection[str]) -> dict[str, Seen]:
        found = {one: self._view.get((one,)) for one in sorted(set(ids))}
        return {one: seen for one, seen in found.items() if seen is not None}

    @statement
    def store(self, seen: Mapping[str, Seen]) -> None:
        for one, of in sorted(seen.items()):
            self._view.claim((one,))
            self._view.put((one,), replace(of, committed_at=None, read_at=None))

"""Following links in memory: the exchange's half, as `pipeline.database.state.changed_links` keeps
it, and a reader's, as `linked_keys` does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.conflicts import codec
from pipeline.conflicts.conflict import about_owned
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import Side
from pipeline.database.state.changed_links import changed_keys
from pipeline.mapping.observed import PutBackValue
from tests.twins.links import WHOLE, LinkRow, Links
from tests.twins.locks import Strength
from tests.twins.statements import statement
from tests.twins.tables import Session, Table, View


@dataclass
class FollowedTables:
    """What is committed: readers with their side, by name and entity; changes by reader, entity and
    key, each with a number that is another one whenever it is written.
    """

    readers: Table[Side] = field(default_factory=lambda: Table("link_reader"))
    changes: Table[object] = field(default_factory=lambda: Table("link_change"))


class ChangedLinks:
    """Keeps for readers which links of one transaction give other keys than before."""

    def __init__(self, session: Session, tables: FollowedTables) -> None:
        self.session = session
        self._readers = View(session, tables.readers)
        self._changes = View(session, tables.changes)
        self._given: dict[str, Mapping[Side, str] | None] = {}

    def read(self, links: Iterable[Link]) -> None:
        for link in links:
            self._given.setdefault(link.id, link.exchanged)

    def stored(self, links: Iterable[Link]) -> None:
        changed = changed_keys(self._given, links)
        if changed:
            rows = [
                (reader, entity, key)
                for (reader, of), side in self._following()
                for entity, its_side, key in sorted(changed)
                if (entity, its_side) == (of, side)
            ]
            if rows:
                self._keep(rows)

    @statement
    def _following(self) -> list[tuple[tuple[str, str], Side]]:
        return [((str(key[0]), str(key[1])), side) for key, side in self._readers.items()]

    @statement
    def _keep(self, rows: Iterable[tuple[str, str, str]]) -> None:
        for row in sorted(rows):
            self._changes.claim(row)
            self._changes.put(row, object())


class LinkedKeys:
    """Reads links for one reader, which has the rows of one side."""

    def __init__(
        self,
        session: Session,
        links: Table[LinkRow],
        tables: FollowedTables,
        reader: str,
        side: Side,
        log: Links,
    ) -> None:
        self.session = session
        self._log = log
        self._name = reader
        self._side = side
        self._links = View(session, links)
        self._readers = View(session, tables.readers)
        self._changes = View(session, tables.changes)

    def follow(self, entities: Collection[str]) -> frozenset[str]:
        if self._followed() == frozenset(entities):
            return frozenset()
        self._lock_links()
        followed = self._followed()
        self._change_readers({*entities} - followed, followed - {*entities})
        return frozenset(entities) - followed

    def take(self, limit: int) -> list[tuple[str, str]]:
        found = self._kept(limit)
        if found:
            self._remove(found)
        return found

    def given(self, entity: str, keys: Sequence[str], *, is_locked: bool = True) -> dict[str, str]:
        if not keys:
            return {}
        found = self._found(entity, keys)
        return self._exchanged(self._locked(found) if is_locked else self._read(found))

    def log_put_back(self, entity: str, edits: Sequence[PutBackValue], now: datetime) -> None:
        links = self._ids(entity, {edit.root[1] for edit in edits})
        self._log.log(
            [
                about_owned(links[key], entity, edit.column, edit.given, edit.typed, now)
                for edit in edits
                if (key := edit.root[1]) in links
            ]
        )

    @statement
    def _ids(self, entity: str, keys: Collection[str]) -> dict[str, str]:
        return {
            str(row.link.side(self._side).key): row.link.id
            for _, row in self._links.items()
            if row.link.entity == entity
            and row.link.state is not State.ENDED
            and row.link.side(self._side).key in keys
        }

    @statement
    def _followed(self) -> frozenset[str]:
        return frozenset(str(key[1]) for key, _ in self._readers.items() if key[0] == self._name)

    @statement
    def _lock_links(self) -> None:
        self.session.lock("link", WHOLE, Strength.UPDATE)

    @statement
    def _change_readers(self, new: Collection[str], over: Collection[str]) -> None:
        for entity in sorted(new):
            self._readers.claim((self._name, entity))
            self._readers.put((self._name, entity), self._side)
        for entity in sorted(over):
            self._readers.lock((self._name, entity), Strength.UPDATE)
            self._readers.delete((self._name, entity))
        for key, _ in [*self._changes.items()]:
            if key[0] == self._name and key[1] in over:
                self._changes.lock(key, Strength.UPDATE)
                self._changes.delete(key)

    @statement
    def _kept(self, limit: int) -> list[tuple[str, str]]:
        keys = [key for key, _ in self._changes.items() if key[0] == self._name]
        return sorted((str(entity), str(key)) for _, entity, key in keys)[:limit]

    @statement
    def _remove(self, found: Iterable[tuple[str, str]]) -> None:
        for entity, key in found:
            if self._changes.lock((self._name, entity, key), Strength.UPDATE) is not None:
                self._changes.delete((self._name, entity, key))

    @statement
    def _found(self, entity: str, keys: Sequence[str]) -> list[str]:
        return [
            row.link.id
            for _, row in self._links.items()
            if row.link.entity == entity
            and row.link.state is not State.ENDED
            and row.link.side(self._side).key in keys
        ]

    @statement
    def _locked(self, ids: Sequence[str]) -> list[LinkRow | None]:
        return [self._links.lock((one,), Strength.UPDATE) for one in sorted(ids)]

    @statement
    def _read(self, ids: Sequence[str]) -> list[LinkRow | None]:
        return [self._links.get((one,)) for one in sorted(ids)]

    def _exchanged(self, rows: Sequence[LinkRow | None]) -> dict[str, str]:
        found = (codec.load(row.document).exchanged for row in rows if row is not None)
        return {of[self._side]: of[self._side.other] for of in found if of is not None}

"""Links and the conflict log in memory, as `pipeline.database.state.links` keeps them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from pipeline.conflicts import codec, line_values
from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.known import known_as
from pipeline.conflicts.line_values import Document
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import Side
from pipeline.errors import ConcurrentWrite, RowRejected, TargetRefused
from tests.twins.clock import Ticks
from tests.twins.locks import Strength
from tests.twins.statements import statement
from tests.twins.tables import Session, Table, View

KEY_LENGTH = 200
WHOLE = ()  # the table, as a lock


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link as stored: its document, and what it is found by."""

    document: str
    link: Link
    counts_for: str | None
    updated_at: datetime

    def unique(self, side: Side) -> tuple[str, str] | None:
        """What no other link has that has not ended: entity and key of a side."""
        key = self.link.side(side).key
        return None if key is None or self.link.state is State.ENDED else (self.link.entity, key)


class ConflictTable(Table[Conflict]):
    """The conflict log; its numbers are given once, whatever comes of the transaction."""

    def __init__(self) -> None:
        super().__init__("conflict")
        self.numbers = count(1)


class Links:
    """Reads and writes links, and the conflict log."""

    def __init__(
        self,
        session: Session,
        links: Table[LinkRow],
        conflicts: ConflictTable,
        clock: Ticks,
    ) -> None:
        self.session = session
        self._clock = clock
        self._conflicts = conflicts
        self._view = View(session, links)
        self._log = View(session, conflicts)

    # -- links -------------------------------------------------------------------------------------

    @statement
    def ids_of(self, side: Side, table: str, keys: Sequence[str]) -> dict[str, list[str]]:
        rows = [row for row in self._rows() if row.link.side(side).table == table]
        found: dict[str, list[str]] = {}
        for row in sorted(rows, key=lambda row: row.updated_at, reverse=True):
            key = row.link.side(side).key
            if key is not None and key in keys:
                found.setdefault(key, []).append(row.link.id)
        return found

    @statement
    def documents(self, ids: Collection[str]) -> dict[str, str]:
        there = [one for one in sorted(set(ids)) if self._view.get((one,)) is not None]
        locked = {one: self._view.lock((one,), Strength.UPDATE) for one in there}
        return {one: row.document for one, row in locked.items() if row is not None}

    @statement
    def rewrite(self, documents: Sequence[tuple[Document, str]]) -> None:
        now = self._clock.now()
        self.session.lock("link", WHOLE, Strength.WRITE)
        for document, _ in sorted(documents, key=lambda pair: str(pair[0]["id"])):
            text = line_values.text_of(document)
            row = self._view.claim((str(document["id"]),))
            if row is not None:
                made = LinkRow(text, codec.load(text), row.counts_for, now)
                self._view.put((made.link.id,), made)

    @statement
    def counterparts(self, entity: str, side: Side, keys: Sequence[str]) -> dict[str, str]:
        found = {
            own: link.side(side.other).key
            for own, link in self._halves(entity, side, keys, State.LINKED)
        }
        return {own: other for own, other in found.items() if other is not None}

    @statement
    def linked_ids(self, entity: str, side: Side, keys: Sequence[str]) -> dict[str, str]:
        return {own: link.id for own, link in self._halves(entity, side, keys, State.LINKED)}

    @statement
    def linked_among(self, entity: str, side: Side, keys: Sequence[str]) -> set[str]:
        return {own for own, _ in self._halves(entity, side, keys, State.LINKED, State.CREATING)}

    @statement
    def store(self, links: Sequence[tuple[Link, str | None]]) -> None:
        if len({link.id for link, _ in links}) < len(links):
            raise TargetRefused("link is given one row twice")
        now = self._clock.now()
        self.session.lock("link", WHOLE, Strength.WRITE)
        for link, counts_for in sorted(links, key=lambda pair: pair[0].id):
            for text in (link.ajera.key, link.dps.key, counts_for):
                if len(text or "") > KEY_LENGTH:
                    raise RowRejected("a text is too long at link")
            row = LinkRow(codec.dump(link), link, counts_for, now)
            self._refuse_second(row, self._view.claim((link.id,)))
            self._view.put((link.id,), row)

    @statement
    def counted(self, entity: str, owners: Collection[str]) -> dict[str, int]:
        of_entity = [
            row
            for row in self._rows()
            if row.link.entity == entity and row.link.state is not State.ENDED
        ]
        return {owner: sum(row.counts_for == owner for row in of_entity) for owner in owners}

    @statement
    def page_of_links(
        self,
        entity: str,
        side: Side,
        below_epoch: int,
        after: str,
        limit: int,
    ) -> list[str]:
        linked = [
            row.link
            for row in self._rows()
            if row.link.entity == entity and row.link.state is State.LINKED
        ]
        older = sorted(link.id for link in linked if link.side(side).seen.epoch < below_epoch)
        return [one for one in older if one > after][:limit]

    @statement
    def outdated_links(self, lines: Mapping[str, str], after: str, limit: int) -> dict[str, str]:
        linked = sorted(
            (row.link.id, row.link)
            for row in self._rows()
            if row.link.state is State.LINKED and row.link.id > after
        )
        found = [
            (one, link.entity)
            for one, link in linked
            if known_as(link) != lines.get(link.entity, known_as(link))
        ]
        return dict(found[:limit])

    @statement
    def with_parked_lines(self, limit: int) -> list[str]:
        rows = sorted(
            (row for row in self._rows() if row.link.parked),
            key=lambda row: row.updated_at,
        )
        return [row.link.id for row in rows][:limit]

    def _rows(self) -> list[LinkRow]:
        return [row for _, row in self._view.items()]

    def _halves(
        self, entity: str, side: Side, keys: Sequence[str], *states: State
    ) -> Iterator[tuple[str, Link]]:
        for row in self._rows():
            key = row.link.side(side).key
            if (
                row.link.entity == entity
                and row.link.state in states
                and key is not None
                and key in keys
            ):
                yield key, row.link

    def _refuse_second(self, row: LinkRow, before: LinkRow | None) -> None:
        """Whoever takes or leaves a row keeps others waiting for it.
        Raises ConcurrentWrite where it has another link.
        """
        for side in Side:
            old, new = (
                None if before is None else before.unique(side),
                row.unique(side),
            )
            for place in sorted({one for one in (old, new) if one is not None and old != new}):
                self.session.lock(f"link.{side}", place, Strength.UPDATE)
            others = [other for other in self._rows() if other.link.id != row.link.id]
            if (
                new is not None
                and new != old
                and any(other.unique(side) == new for other in others)
            ):
                raise ConcurrentWrite(f"a row has a link already at link, column {side}_key")

    # -- the conflict log --------------------------------------------------------------------------

    @statement
    def log(self, conflicts: Sequence[Conflict]) -> None:
        for one in conflicts:
            (
                line_values.dump_value(one.ajera),
                line_values.dump_value(one.dps),
            )  # raises for what is no value
            self._log.put((next(self._conflicts.numbers),), one)

    @statement
    def logged(
        self,
        *,
        limit: int,
        link: str | None = None,
        number: int | None = None,
    ) -> list[tuple[int, Conflict]]:
        entries = sorted((int(key[0]), one) for key, one in self._log.items())
        found = [
            entry
            for entry in entries
            if link in (None, entry[1].link) and number in (None, entry[0])
        ]
        return found[::-1][:limit]

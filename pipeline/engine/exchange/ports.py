"""What the exchange needs from the two databases that it keeps in step.
Adapters do not inherit from these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.decision import Recorded
from pipeline.conflicts.line_values import Document
from pipeline.conflicts.link import Link, Seen
from pipeline.conflicts.rules import Side
from pipeline.engine.consumer.ports import Offsets
from pipeline.pairing.entity import ParkedWork
from pipeline.pairing.rows import Rows

Keys = Sequence[str]


class LinkTransaction(Offsets, Protocol):
    """One transaction in the DPS database: links, conflict log, parked work, offsets,
    and DPS's own rows.
    """

    @property
    def rows(self) -> Rows: ...

    def ids_of(self, side: Side, table: str, keys: Keys) -> dict[str, list[str]]:
        """The links of rows, by key, the newest first; not locked."""

    def links(self, ids: Collection[str]) -> dict[str, Link]:
        """Links by id, locked until the end of the transaction in the order of their ids."""

    def documents(self, ids: Collection[str]) -> dict[str, str]:
        """The same links as their texts (conflicts/codec.py)."""

    def opened(self, texts: Iterable[str]) -> dict[str, Link]:
        """The links of such texts, by id, to be changed."""

    def rewrite(self, documents: Sequence[tuple[Document, str]]) -> None:
        """Store documents of links that this transaction locked, each with `known_as` of its link.
        State, keys, what it counts towards and parked lines are as they were. Raises
        ConcurrentWrite.
        """

    def counterparts(self, entity: str, side: Side, keys: Keys) -> dict[str, str]:
        """Of rows of `side` that are linked: the key on the other side. Not locked."""

    def linked_ids(self, entity: str, side: Side, keys: Keys) -> dict[str, str]:
        """Of rows of `side` that are linked: the id of the link. Not locked."""

    def linked_among(self, entity: str, side: Side, keys: Keys) -> set[str]:
        """Those rows of `side` that have a link of this entity which has not ended."""

    def store(self, links: Sequence[tuple[Link, str | None]]) -> None:
        """Store links, each with what it counts towards (see `Entity.limited_by`); and keep for
        those who follow them which ones give other keys than when this transaction read them.
        Raises ConcurrentWrite.
        """

    def counted(self, entity: str, owners: Collection[str]) -> dict[str, int]:
        """How many links that have not ended count towards each."""

    def page_of_links(
        self,
        entity: str,
        side: Side,
        below_epoch: int,
        after: str,
        limit: int,
    ) -> list[str]:
        """Ids of the next links whose row of that side was not seen in this epoch."""

    def outdated_links(self, lines: Mapping[str, str], after: str, limit: int) -> dict[str, str]:
        """Ids and entities of the next linked pairs that do not know all lines of their entity.

        `lines`: by entity the fingerprint of all its lines. Not locked.
        """

    def log(self, conflicts: Sequence[Conflict]) -> None: ...

    def park(self, parked: Sequence[ParkedWork], now: datetime) -> None: ...

    def unpark(self, ids: Collection[str]) -> None: ...

    def wake(self, waited_for: Collection[str]) -> None:
        """What waits for one of these is due at once."""

    def due(self, limit: int, tried_before: datetime) -> list[ParkedWork]:
        """Parked work that was woken, or last tried before a time, the oldest first. Not locked:
        others may be given the same.
        """

    def unlinked(self, ids: Collection[str]) -> dict[str, Seen]:
        """Of rows without a link how far their log was read, by `row_id`. Not locked."""

    def store_unlinked(self, seen: Mapping[str, Seen]) -> None: ...

    def hold_linking(self) -> None:
        """Until the end of the transaction nobody else links or creates rows."""

    def epochs(self) -> dict[Side, tuple[int, int]]:
        """Per side the newest epoch that was seen,
        and the newest whose missing rows were looked for.
        """

    def remember(self, name: str, value: str) -> None:
        """Store a named setting that outlives the process."""

    def set_epoch(self, side: Side, seen: int, swept: int) -> None: ...


class AjeraTransaction(Protocol):
    """One transaction in the Ajera database: intentions, and Ajera's own rows."""

    @property
    def rows(self) -> Rows: ...

    def take(self, intentions: Collection[str]) -> set[str]:
        """Insert these numbers, as given up until `record` says otherwise;
        those that nobody had.
        """

    def recorded(self, intentions: Collection[str]) -> dict[str, Recorded]: ...

    def record(self, outcomes: Mapping[str, tuple[str, Recorded]]) -> None:
        """Say of numbers just taken what was carried out: table, and what is held."""

    def creators(self, table: str, keys: Keys) -> dict[str, str]:
        """Of these rows those that we created: key -> intention."""


class Pairs(Protocol):
    """The two databases."""

    def transaction(self) -> AbstractContextManager[LinkTransaction]:
        """In the DPS database. Commits at the end, rolls back on an error."""

    def ajera(self) -> AbstractContextManager[AjeraTransaction]:
        """In the Ajera database."""

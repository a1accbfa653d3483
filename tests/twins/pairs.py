"""The two exchanged databases in memory (port `Pairs`): links and DPS's rows in one,
intentions and Ajera's rows in the other.
"""

from __future__ import annotations

from collections.abc import (
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.conflicts import codec
from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.decision import Recorded
from pipeline.conflicts.line_values import Document
from pipeline.conflicts.link import Link, Seen
from pipeline.conflicts.rules import Side
from pipeline.mapping.site import Site
from pipeline.model.ledger import Incarnation, Progress
from pipeline.model.position import TopicPartition
from pipeline.pairing.entity import ParkedWork, TemplateRows
from pipeline.pairing.rows import Rows
from tests.twins.database import MemoryDatabase, Open
from tests.twins.halts import Halts, HaltTables
from tests.twins.intentions import Intention, Intentions
from tests.twins.linked import ChangedLinks, FollowedTables
from tests.twins.links import ConflictTable, LinkRow, Links
from tests.twins.parked import Captures, Epochs, Parked, ParkedRow, Settings
from tests.twins.progress import PositionTables, ProgressStore
from tests.twins.rows import MemoryRows
from tests.twins.statements import spoiling
from tests.twins.tables import Table
from tests.twins.unlinked import Unlinked


@dataclass
class OurTables:
    """What is committed of our own tables."""

    links: Table[LinkRow] = field(default_factory=lambda: Table("link"))
    conflicts: ConflictTable = field(default_factory=ConflictTable)
    parked: Table[ParkedRow] = field(default_factory=lambda: Table("parked"))
    unlinked: Table[Seen] = field(default_factory=lambda: Table("unlinked"))
    captures: Table[Epochs] = field(default_factory=lambda: Table("capture"))
    settings: Table[str] = field(default_factory=lambda: Table("setting"))
    positions: PositionTables = field(default_factory=PositionTables)
    halts: HaltTables = field(default_factory=HaltTables)
    followed: FollowedTables = field(default_factory=FollowedTables)
    intentions: Table[Intention] = field(default_factory=lambda: Table("intention"))


@dataclass
class MemoryPairs:
    """Both databases. A circle of waiters that goes through both is found by neither,
    as in databases: it times out.
    """

    dps_database: MemoryDatabase
    ajera_database: MemoryDatabase
    fills: tuple[TemplateRows, ...] = ()
    ours: OurTables = field(default_factory=OurTables)
    site: Site = field(default_factory=Site)  # of which only the key table counts

    @contextmanager
    def transaction(self) -> Iterator[MemoryLinkTransaction]:
        with self.dps_database.transaction() as transaction:
            yield MemoryLinkTransaction(transaction, self.ours)

    @contextmanager
    def ajera(self) -> Iterator[MemoryAjeraTransaction]:
        with self.ajera_database.transaction() as transaction:
            yield MemoryAjeraTransaction(transaction, self.ours, self.fills, self.site)

    @property
    def waiting(self) -> int:
        """How many transactions wait for a lock now."""
        return self.dps_database.locks.waiting + self.ajera_database.locks.waiting

    def links(self) -> list[Link]:
        """The committed links, by id."""
        return [row.link for _, row in sorted(self.ours.links.rows.items())]

    def conflicts(self) -> list[Conflict]:
        """The committed conflict log."""
        return [one for _, one in sorted(self.ours.conflicts.rows.items())]


class MemoryAjeraTransaction:
    """One transaction in the Ajera database."""

    def __init__(
        self,
        transaction: Open,
        ours: OurTables,
        fills: Sequence[TemplateRows],
        site: Site,
    ) -> None:
        self.rows: Rows = MemoryRows(transaction, Side.AJERA, fills, site)
        self._intentions = Intentions(
            transaction.session, ours.intentions, transaction.database.clock
        )

    def take(self, intentions: Collection[str]) -> set[str]:
        return self._intentions.take(intentions)

    def recorded(self, intentions: Collection[str]) -> dict[str, Recorded]:
        return self._intentions.recorded(intentions)

    def record(self, outcomes: Mapping[str, tuple[str, Recorded]]) -> None:
        self._intentions.record(outcomes)

    def creators(self, table: str, keys: Sequence[str]) -> dict[str, str]:
        return self._intentions.creators(table, keys)


class MemoryLinkTransaction:
    """One transaction in the DPS database."""

    def __init__(self, transaction: Open, ours: OurTables) -> None:
        self.rows: Rows = MemoryRows(transaction, Side.DPS)
        self._session = session = transaction.session
        self._links = Links(session, ours.links, ours.conflicts, transaction.database.clock)
        self._changed = ChangedLinks(session, ours.followed)
        self._parked = Parked(session, ours.parked)
        self._unlinked = Unlinked(session, ours.unlinked)
        self._captures = Captures(session, ours.captures)
        self._settings = Settings(session, ours.settings)
        self._positions = ProgressStore(session, ours.positions, ())
        self.halts = Halts(session, ours.halts)

    def ids_of(self, side: Side, table: str, keys: Sequence[str]) -> dict[str, list[str]]:
        return self._links.ids_of(side, table, keys)

    def links(self, ids: Collection[str]) -> dict[str, Link]:
        return self.opened(self._links.documents(ids).values())

    def documents(self, ids: Collection[str]) -> dict[str, str]:
        return self._links.documents(ids)

    def opened(self, texts: Iterable[str]) -> dict[str, Link]:
        found = {link.id: link for link in map(codec.load, texts)}
        self._changed.read(found.values())
        return found

    def rewrite(self, documents: Sequence[tuple[Document, str]]) -> None:
        self._links.rewrite(documents)

    def counterparts(self, entity: str, side: Side, keys: Sequence[str]) -> dict[str, str]:
        return self._links.counterparts(entity, side, keys)

    def linked_ids(self, entity: str, side: Side, keys: Sequence[str]) -> dict[str, str]:
        return self._links.linked_ids(entity, side, keys)

    def linked_among(self, entity: str, side: Side, keys: Sequence[str]) -> set[str]:
        return self._links.linked_among(entity, side, keys)

    def store(self, links: Sequence[tuple[Link, str | None]]) -> None:
        self._links.store(links)
        self._changed.stored([link for link, _ in links])

    def counted(self, entity: str, owners: Collection[str]) -> dict[str, int]:
        return self._links.counted(entity, owners)

    def page_of_links(
        self,
        entity: str,
        side: Side,
        below_epoch: int,
        after: str,
        limit: int,
    ) -> list[str]:
        return self._links.page_of_links(entity, side, below_epoch, after, limit)

    def outdated_links(self, lines: Mapping[str, str], after: str, limit: int) -> dict[str, str]:
        return self._links.outdated_links(lines, after, limit)

    def with_parked_lines(self, limit: int) -> list[str]:
        return self._links.with_parked_lines(limit)

    def log(self, conflicts: Sequence[Conflict]) -> None:
        self._links.log(conflicts)

    def logged(
        self,
        *,
        limit: int,
        link: str | None = None,
        number: int | None = None,
    ) -> list[tuple[int, Conflict]]:
        return self._links.logged(limit=limit, link=link, number=number)

    def park(self, parked: Sequence[ParkedWork], now: datetime) -> None:
        self._parked.park(parked, now)

    def unpark(self, ids: Collection[str]) -> None:
        self._parked.unpark(ids)

    def wake(self, waited_for: Collection[str]) -> None:
        self._parked.wake(waited_for)

    def due(self, limit: int, tried_before: datetime) -> list[ParkedWork]:
        return self._parked.due(limit, tried_before)

    def waiting_count(self) -> int:
        return self._parked.count()

    def unlinked(self, ids: Collection[str]) -> dict[str, Seen]:
        return self._unlinked.read(ids)

    def store_unlinked(self, seen: Mapping[str, Seen]) -> None:
        self._unlinked.store(seen)

    def hold_linking(self) -> None:
        self._settings.hold_linking()

    def remember(self, name: str, value: str) -> None:
        self._settings.remember(name, value)

    def epochs(self) -> dict[Side, Epochs]:
        return self._captures.epochs()

    def set_epoch(self, side: Side, seen: int, swept: int) -> None:
        self._captures.set_epoch(side, seen, swept)

    def progress(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Progress]:
        with spoiling(self._session):
            return self._positions.progress(partitions)

    def advance(
        self, progress: Mapping[TopicPartition, Progress], now: datetime
    ) -> dict[TopicPartition, int]:
        with spoiling(self._session):
            return self._positions.advance(progress, now)

    def incarnations(self, topic: str) -> dict[int, Incarnation]:
        with spoiling(self._session):
            return self._positions.incarnations(topic)

    def incarnation(self, topic: str, topic_id: str, partitions: int) -> int:
        with spoiling(self._session):
            return self._positions.incarnation(topic, topic_id, partitions)

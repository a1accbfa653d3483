"""From one release to the next: routes that mirror more columns, and a PIM that both keep,
in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.filling import fill_sticky
from pipeline.engine.projection.remapping import remap
from pipeline.mapping.mirror import MirroredTable, StickyColumn
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceColumn
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Event
from tests.support.engine import TOPICS, Consumer, Ticking, loading_of, patiently
from tests.support.events import NOON
from tests.support.histories import PREFIXES
from tests.twins.target import MemoryTarget

SITE = Site()
TABLES = ("Organization", "Contact", "Project", "Project_Contact")
Cells = dict[tuple[str, str, str], object]  # table, key, column -> value


def with_columns(
    route: Route,
    table: str,
    *columns: SourceColumn | StickyColumn,
    shared: tuple[str, ...] = (),
    indexed: tuple[str, ...] = (),
) -> Route:
    """The route with further columns in the mirror of one table."""

    def more(source: MirroredTable) -> MirroredTable:
        own = tuple(one for one in columns if isinstance(one, SourceColumn))
        sticky = tuple(one for one in columns if isinstance(one, StickyColumn))
        return replace(
            source,
            table=replace(source.table, columns=source.table.columns + own),
            remembered=source.remembered + sticky,
            shared=source.shared + shared,
            indexed=source.indexed + indexed,
        )

    sources = tuple(more(one) if one.name == table else one for one in route.sources)
    return replace(route, sources=sources)


class Firm:
    """A PIM that is kept up to date by one release, and then by another."""

    def __init__(self, route: Route) -> None:
        self.clock = Ticking()
        self.target = MemoryTarget(route)
        with self.target.transaction() as transaction:
            for source in route.sources:
                transaction.set_load_ends(TOPICS[source.name], source.name, 1, {0: 0})
                transaction.set_loaded(source.name, 1)
        self.start("1.0.0")

    def start(self, release: str) -> None:
        """What a consumer does before it reads."""
        fill_sticky(self.target, self.target.route, SITE, NOON)
        with self.target.transaction() as transaction:
            remap(transaction, self.target.route, SITE, release, NOON)
        self.take([])

    def upgraded(self, route: Route) -> None:
        self.target = self.target.carried_over(route)
        self.start("1.1.0")

    def take(self, events: Sequence[Event]) -> None:
        """A batch, and everything that is due."""
        names = {source.name for source in self.target.route.sources}
        known = [one for one in events if one.table in names]
        consumer = Consumer(self.target, known, clock=self.clock, route=self.target.route)
        if known:
            consumer.take(known)
        consumer.drain()
        assert consumer.letters.sent == []
        assert consumer.processor.refused() == {}

    def loaded(self, epoch: int, *tables: str) -> None:
        """These tables, or all, are the last to be read to the end of this epoch's snapshot."""
        with self.target.transaction() as transaction:
            for name in (source.name for source in self.target.route.sources):
                transaction.set_load_ends(TOPICS[name], name, epoch, {0: 0})
                if tables and name not in tables:
                    transaction.set_loaded(name, epoch)
        loading_of(self.target, epoch, self.clock).advance(patiently)
        self.take([])

    def recompute(self, table: str) -> None:
        """As after a map that changed."""
        with self.target.transaction() as transaction:
            transaction.mark_table(table, 1, NOON)
        self.take([])

    def unknown(self, table: str, key: str) -> frozenset[str]:
        """The columns of a mirrored row that are unknown."""
        with self.target.transaction() as transaction:
            (row,) = transaction.rows_by_key(table, [key])
        return row.unknown

    def codes(self) -> dict[str, object]:
        """By Project ID."""
        return {str(row["Project ID"]): row["Project Code"] for row in self.target.rows("Project")}

    def type_as(self, table: str, key: str, column: str, value: str) -> None:
        """A person fills in one column of one row."""
        with self.target.transaction() as transaction:
            transaction.upsert(table, [TargetRow(table, (key,), {column: value})])

    def type(self, columns: Iterable[tuple[str, str]]) -> None:
        """People fill these columns in, in every row that is there."""
        for table, column in columns:
            key = next(one.key[0] for one in AJERA_TO_PIM.targets if one.name == table)
            rows = [
                TargetRow(table, (str(row[key]),), {column: "typed"})
                for row in self.target.rows(table)
                if row[key] != SITE.assumptions.internal_organization
            ]
            with self.target.transaction() as transaction:
                transaction.upsert(table, rows)

    def cells(self) -> Cells:
        """What PIM holds, without what hangs on the time of creation; a child row is a cell."""
        found: Cells = {}
        for table in TABLES:
            keys = next(one.key for one in AJERA_TO_PIM.targets if one.name == table)
            for row in self.target.rows(table):
                key = " ".join(str(row[name]) for name in keys)
                found |= {(table, key, name): value for name, value in row.items()}
        return {place: value for place, value in found.items() if place[2] != "Created Date"}

    def waiting(self) -> set[str]:
        """Keys of target rows that wait for something."""
        return {
            f"{prefix}{key}" for kind, key in self.target.due.rows for prefix in PREFIXES[str(kind)]
        }

"""One transaction in the target's database, over `sync` and the target's own tables (port
`Transaction`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from pipeline.conflicts.rules import Side
from pipeline.database.sql.session import Session
from pipeline.database.state.added import AddedColumns
from pipeline.database.state.aggregation import Aggregation
from pipeline.database.state.halts import Halts
from pipeline.database.state.ledger import Ledger, mirrors
from pipeline.database.state.linked_keys import LinkedKeys
from pipeline.database.state.loads import Loads, LoadState
from pipeline.database.state.marks import Marks
from pipeline.database.state.plain_rows import PlainRows
from pipeline.database.state.progress import ProgressStore
from pipeline.database.state.settings import SettingsStore
from pipeline.database.systems.adopted_rows import AdoptedRows
from pipeline.database.systems.owned_rows import OwnedRows
from pipeline.database.systems.rows_by_id import RowsById
from pipeline.database.systems.target_names import names_of
from pipeline.database.systems.target_tables import TargetTables
from pipeline.database.systems.written_rows import WrittenRows
from pipeline.database.table_names import TableNames
from pipeline.errors import TargetRefused
from pipeline.mapping.aggregate import Aggregate, AggregateGroups
from pipeline.mapping.observed import PutBackValue
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.table import Groups
from pipeline.mapping.target import Adopted, TargetRow
from pipeline.model.event import Row, Value
from pipeline.model.ledger import (
    Incarnation,
    LedgerRow,
    Mark,
    Progress,
    Waiting,
)
from pipeline.model.outcome import RowCounts
from pipeline.model.plain import PlainChange, PlainEvent
from pipeline.model.position import TopicPartition

MARKS_A_PAGE = 5_000


class DatabaseTransaction:
    """One transaction, made of parts: ledger, marks, positions, target tables."""

    def __init__(
        self,
        session: Session,
        route: Route,
        site: Site,
        sync_schema: str,
        target_schema: str | None,
        added: AddedColumns,
        links_schema: str | None = None,
        known: TableNames | None = None,
    ) -> None:
        """`known`: what the transaction before knew of the tables."""
        self.known = known or TableNames(
            mirrors(session, sync_schema, route.sources, added),
            names_of(session, target_schema, site, route.targets),
        )
        mirrored, names = self.known.mirrors, self.known.names
        self._ledger = Ledger(session, mirrored)
        self._plain = PlainRows(session, mirrored)
        self._aggregation = Aggregation(session, mirrored)
        self._marks = Marks(session, sync_schema)
        self._positions = ProgressStore(session, sync_schema)
        self.halts = Halts(session, sync_schema)
        self._loads = Loads(session, sync_schema, route.sources, added)
        self._settings = SettingsStore(session, sync_schema)
        self._targets = TargetTables(session, names)
        self._owned = OwnedRows(session, sync_schema, self._targets)
        by_id, tables = RowsById(session, names), {table.name: table for table in route.targets}
        self._adopted = AdoptedRows(session, sync_schema, by_id, tables)
        self.written = WrittenRows(session, sync_schema, by_id)
        self._linked = (
            None
            if links_schema is None
            else LinkedKeys(session, links_schema, sync_schema, Side(route.source_system))
        )

    def lock_rows(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> dict[str, LedgerRow]:
        return self._ledger.lock_rows(table, keys, placed=placed)

    def write_rows(self, rows: Sequence[LedgerRow]) -> None:
        self._ledger.write_rows(rows)

    @property
    def takes_plain(self) -> bool:
        return self._plain.is_offered

    def write_plain(self, table: str, events: Sequence[PlainEvent]) -> dict[str, PlainChange]:
        return self._plain.write(table, events)

    def rows_by_key(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> list[LedgerRow]:
        return self._ledger.rows_by_key(table, keys, placed=placed)

    def rows_where(self, table: str, column: str, values: Sequence[Value]) -> list[LedgerRow]:
        return self._ledger.rows_where(table, column, values)

    def values_where(
        self, table: str, wanted: str, column: str, values: Sequence[Value]
    ) -> list[Value]:
        return self._ledger.values_where(table, wanted, column, values)

    def distinct_values(
        self, table: str, wanted: str, column: str, values: Sequence[Value]
    ) -> list[Value]:
        return self._ledger.distinct_values(table, wanted, column, values)

    def aggregated(
        self, lines: Sequence[Aggregate], keys: Sequence[str]
    ) -> dict[str, dict[str, Value]]:
        return self._aggregation.aggregated(lines, keys)

    def grouped(
        self, groups: Sequence[AggregateGroups], keys: Sequence[str]
    ) -> dict[str, dict[str, Groups]]:
        return self._aggregation.grouped(groups, keys)

    def mark(self, marks: Sequence[Mark], now: datetime) -> None:
        self._marks.mark(marks, now)

    def mark_together(self, marks: Sequence[Mark], now: datetime) -> None:
        self._marks.mark_together(marks, now)

    def clear_together(self, number: int) -> None:
        self._marks.clear_together(number)

    def take_together(self, set_before: datetime | None = None) -> set[tuple[str, str]]:
        return self._marks.take_together(set_before)

    def mark_table(
        self,
        table: str,
        number: int,
        now: datetime,
        *,
        only_if: str | None = None,
        linked: str | None = None,
    ) -> int:
        links = None if linked is None else partial(self.linked_keys, linked, is_locked=False)
        pages = self._ledger.pages(table, MARKS_A_PAGE, only_if=only_if)
        return self._marks.mark_pages(table, pages, number, now, links)

    def marks_of(self, marks: Iterable[tuple[str, str]]) -> list[Mark]:
        return self._marks.marks_of(marks)

    def has_marks(self, kind: str) -> bool:
        return self._marks.has_marks(kind)

    def due(
        self,
        limit: int,
        *,
        set_before: datetime,
        waiting_before: datetime,
        with_refused: bool = True,
    ) -> list[Mark]:
        return self._marks.due(
            limit,
            set_before=set_before,
            waiting_before=waiting_before,
            with_refused=with_refused,
        )

    def clear(self, marks: Sequence[Mark]) -> None:
        self._marks.clear(marks)

    def wait(self, waiting: Sequence[Waiting], now: datetime) -> None:
        self._marks.wait(waiting, now)

    def existing(self, table: str, keys: Sequence[str]) -> set[str]:
        return self._targets.existing(table, keys)

    def create_missing(self, table: str, rows: Sequence[Row]) -> int:
        return self._targets.create_missing(table, rows)

    def holders(self, table: str, column: str, values: Sequence[str]) -> dict[str, str]:
        return self._targets.holders(table, column, values)

    def upsert_plain(
        self, table: str, columns: Sequence[str], prefilled: int, rows: Sequence[Sequence[Value]]
    ) -> RowCounts:
        return self._targets.upsert_plain(table, columns, prefilled, rows)

    def upsert(self, table: str, rows: Sequence[TargetRow]) -> RowCounts:
        return self._targets.upsert(table, rows)

    def replace_children(self, table: str, wanted: Mapping[str, Sequence[TargetRow]]) -> RowCounts:
        return self._owned.replace_children(table, wanted)

    def adopt_children(
        self, table: str, wanted: Mapping[str, Sequence[TargetRow]], left: Row
    ) -> Adopted:
        return self._adopted.adopt_children(table, wanted, left)

    def loaded(self) -> frozenset[str]:
        return self._loads.loaded()

    def unknown_columns(self) -> frozenset[tuple[str, str]]:
        return self._loads.unknown_columns()

    def lock_page(self, table: str, after: str, limit: int) -> list[LedgerRow]:
        keys = self._ledger.next_keys(table, after, limit)
        return sorted(
            self._ledger.lock_rows(table, keys).values(),
            key=lambda row: row.key,
        )

    def loading(self, epoch: int) -> dict[str, LoadState]:
        return self._loads.loading(epoch)

    def reloaded(self, table: str, incarnation: int) -> int:
        return self._loads.reloaded(table, incarnation)

    def set_load_ends(self, topic: str, table: str, epoch: int, ends: Mapping[int, int]) -> None:
        self._loads.set_load_ends(topic, table, epoch, ends)

    def read_to_end(self) -> dict[str, int]:
        return self._loads.read_to_end()

    def unseen(self, table: str, epoch: int, limit: int) -> list[LedgerRow]:
        return self._ledger.unseen(table, epoch, limit)

    def set_loaded(self, table: str, epoch: int) -> bool:
        return self._loads.set_loaded(table, epoch)

    def setting(self, name: str) -> str | None:
        return self._settings.read(name)

    def set_setting(self, name: str, value: str) -> None:
        self._settings.write(name, value)

    def waiting_count(self) -> int:
        return self._marks.waiting_count()

    def progress(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Progress]:
        return self._positions.progress(partitions)

    def advance(
        self, progress: Mapping[TopicPartition, Progress], now: datetime
    ) -> dict[TopicPartition, int]:
        return self._positions.advance(progress, now)

    def incarnations(self, topic: str) -> dict[int, Incarnation]:
        return self._positions.incarnations(topic)

    def incarnation(self, topic: str, topic_id: str, partitions: int) -> int:
        return self._positions.incarnation(topic, topic_id, partitions)

    def follow_links(self, entities: Collection[str]) -> frozenset[str]:
        return self._links().follow(entities)

    def take_link_changes(self, limit: int) -> list[tuple[str, str]]:
        return self._links().take(limit)

    def linked_keys(
        self, entity: str, keys: Sequence[str], *, is_locked: bool = True
    ) -> dict[str, str]:
        return self._links().given(entity, keys, is_locked=is_locked)

    def log_put_back(self, entity: str, edits: Sequence[PutBackValue], now: datetime) -> None:
        self._links().log_put_back(entity, edits, now)

    def _links(self) -> LinkedKeys:
        if self._linked is None:
            raise TargetRefused("link: no exchange keeps its tables here")
        return self._linked

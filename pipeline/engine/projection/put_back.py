"""What people changed in columns that a route owns: counted as it is overwritten, and told from
what we wrote ourselves.

What a row held after we wrote it last is remembered in the same transaction. Where it holds
something else when it is locked to be written again, a person wrote that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection.recomputed import Key, RecomputeResult
from pipeline.engine.projection.resolve import Roots
from pipeline.mapping.apply import Built
from pipeline.mapping.observed import PutBackValue, Written, as_text
from pipeline.mapping.route import Route
from pipeline.mapping.table import LinkedKey
from pipeline.mapping.target import Adopted, TargetRow, TargetTable
from pipeline.model.event import Row
from pipeline.model.ledger import LedgerRow
from pipeline.model.outcome import RowCounts


@dataclass(frozen=True, slots=True)
class _Given:
    """What a row is given: for which root, and by column the values."""

    root: Key
    values: Row


@dataclass(frozen=True)
class PutBack:
    """Within one transaction. Nothing is remembered of tables that the route does not observe."""

    route: Route

    def upsert(
        self,
        transaction: Transaction,
        table: TargetTable,
        rows: Sequence[tuple[LedgerRow, TargetRow]],
        done: RecomputeResult,
    ) -> RowCounts:
        """Write target rows, and remember what they hold then."""
        targets = [row for _, row in rows]
        if not self._observes(table):
            return transaction.upsert(table.name, targets)
        given = {row.key[0]: _Given((root.table, root.key), row.values) for root, row in rows}
        last = transaction.written.of(table.name, given.keys())
        held = transaction.written.held(table.name, given.keys())
        _count_edits(table, given, last, held, done)
        counts = transaction.upsert(table.name, targets)
        self._remember(
            transaction, table, given, last, _after(transaction, table, given, counts, held), done
        )
        return counts

    def adopted(
        self,
        transaction: Transaction,
        table: TargetTable,
        wanted: Mapping[str, Sequence[TargetRow]],
        adopted: Adopted,
        root_of: Mapping[str, LedgerRow],
        done: RecomputeResult,
    ) -> None:
        """The same of child rows that were written. One that a person deleted was made again."""
        if not self._observes(table):
            return
        given = {
            adopted.ids[parent, row.key]: _Given(
                (root_of[parent].table, root_of[parent].key), table.told(row)
            )
            for parent, rows in wanted.items()
            for row in rows
        }
        last = transaction.written.of(table.name, given.keys() | adopted.lost)
        for row_id in sorted(adopted.lost & last.keys()):
            done.put_back.append((table.name, (table.row_id,)))
            column = f"{table.name}.{table.row_id}"
            done.edits.append(PutBackValue(last[row_id].root, column, None, row_id))
        transaction.written.forget(table.name, adopted.left | adopted.lost)
        last = {one: written for one, written in last.items() if one not in adopted.lost}
        _count_edits(table, given, last, adopted.held, done)
        held = {one: adopted.held[one] for one in given.keys() & adopted.held.keys()}
        after = _after(transaction, table, given, adopted.counts, held)
        self._remember(transaction, table, given, last, after, done)

    def gone(self, transaction: Transaction, table: TargetTable, keys: set[str]) -> None:
        """Rows that others deleted: one that they make again is a new one."""
        if keys and self._observes(table):
            transaction.written.forget(table.name, keys)

    def log(self, transaction: Transaction, done: RecomputeResult, now: datetime) -> None:
        """Where links give the rows' keys, what people typed is entered in the exchange's log."""
        entities = {
            mapping.source: mapping.key.entity
            for mapping in self.route.mappings
            if isinstance(mapping.key, LinkedKey)
        }
        by_entity: dict[str, list[PutBackValue]] = {}
        for edit in done.edits:
            if edit.root[0] in entities:
                by_entity.setdefault(entities[edit.root[0]], []).append(edit)
        for entity, edits in sorted(by_entity.items()):
            transaction.log_put_back(entity, edits, now)

    def settle(
        self,
        transaction: Transaction,
        roots: Roots,
        built: Sequence[Built],
        done: RecomputeResult,
    ) -> None:
        """Forget what was written for roots that have no target row now, or another one: what
        people do there is theirs.
        """
        if not self.route.observed:
            return
        now: dict[Key, set[Key]] = {}
        for one in built:
            key = (one.mapping.target, one.row.key[0])
            now.setdefault((one.root.table, one.root.key), set()).add(key)
        tops = {mapping.target for mapping in self.route.mappings}
        found = transaction.written.for_roots(
            [(table, key) for table, keys in roots.items() for key in keys]
        )
        left = {
            root
            for row, root in found.items()
            if root in done.idle or (root in now and row[0] in tops and row not in now[root])
        }
        over: dict[str, list[str]] = {}
        for row, root in found.items():
            if root in left and row not in done.remembered:
                over.setdefault(row[0], []).append(row[1])
        for table, keys in sorted(over.items()):
            transaction.written.forget(table, keys)

    def _observes(self, table: TargetTable) -> bool:
        return any(one.target == table.name for one in self.route.observed)

    def _remember(
        self,
        transaction: Transaction,
        table: TargetTable,
        given: Mapping[str, _Given],
        last: Mapping[str, Written],
        held: Mapping[str, Row],
        done: RecomputeResult,
    ) -> None:
        now: dict[str, Written] = {}
        for key, row in held.items():
            texts = {
                name: as_text(table.column(name).kind, row[name]) for name in given[key].values
            }
            before = last[key].texts.items() if key in last else ()
            kept = {name: text for name, text in before if name in table.by_name()}
            now[key] = Written(given[key].root, {**kept, **texts})
            done.remembered.add((table.name, key))
        transaction.written.remember(
            table.name, {key: one for key, one in now.items() if last.get(key) != one}
        )


def _count_edits(
    table: TargetTable,
    given: Mapping[str, _Given],
    last: Mapping[str, Written],
    held: Mapping[str, Row],
    done: RecomputeResult,
) -> None:
    """A difference from what we wrote last, where we are about to overwrite it. Whoever typed what
    the source says by now is not put back.
    """
    for key in sorted(given.keys() & last.keys() & held.keys()):
        edited = last[key].differing(table, held[key])
        columns = tuple(
            name
            for name in sorted(edited & given[key].values.keys())
            if as_text(table.column(name).kind, held[key][name])
            != as_text(table.column(name).kind, given[key].values[name])
        )
        if columns:
            done.put_back.append((table.name, columns))
        done.edits += (
            PutBackValue(
                given[key].root,
                f"{table.name}.{name}",
                held[key][name],
                given[key].values[name],
            )
            for name in columns
        )


def _after(
    transaction: Transaction,
    table: TargetTable,
    given: Mapping[str, _Given],
    counts: RowCounts,
    held: Mapping[str, Row],
) -> Mapping[str, Row]:
    """What the rows hold now; where nothing was written, what they held."""
    if counts.created or counts.changed:
        return transaction.written.held(table.name, given.keys())
    return held

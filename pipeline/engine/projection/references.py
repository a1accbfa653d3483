"""Rows that target rows refer to: some are made where the target lacks them,
others are waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection.recomputed import (
    NeedMoreLocks,
    RecomputeResult,
)
from pipeline.engine.projection.refusals import reading, writing
from pipeline.engine.projection.resolve import Roots
from pipeline.errors import ParkReason
from pipeline.mapping.apply import Built
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.table import AwaitParent, ChildRows, CreateParent, Derived
from pipeline.mapping.target import TargetRow, TargetTable
from pipeline.model.event import Row
from pipeline.model.ledger import LedgerRow
from pipeline.model.outcome import RowCounts


@dataclass(frozen=True)
class References:
    """References of rows that are about to be written, within one transaction."""

    route: Route
    site: Site
    targets: Mapping[str, TargetTable]

    def create(
        self,
        transaction: Transaction,
        built: Sequence[Built],
        done: RecomputeResult,
    ) -> None:
        """Make what rows name and the target lacks, in the order of ranks."""
        wanted: dict[str, dict[str, Row]] = {}
        for one in built:
            for parent in one.mapping.parents:
                value = one.row.values.get(parent.column)
                if isinstance(parent, CreateParent) and isinstance(value, str):
                    rows = wanted.setdefault(parent.table, {})
                    if value not in rows:
                        rows[value] = parent.values(value, self.site)
        for mapping in self.route.mappings:
            for child in mapping.children:
                keys = {
                    row.key
                    for one in built
                    if one.mapping is mapping
                    for row in one.children.get(child.target, ())
                }
                for table, name, row in self._made_for(
                    child, self._usable(transaction, child, keys)
                ):
                    wanted.setdefault(table, {})[name] = row
        for target in sorted(self.targets.values(), key=lambda table: table.rank):
            made = wanted.get(target.name)
            if made:
                with writing(target.name):
                    created = transaction.create_missing(
                        target.name, [made[key] for key in sorted(made)]
                    )
                done.count(
                    target.name,
                    RowCounts(created=created, unchanged=len(made) - created),
                )

    def _made_for(
        self, child: ChildRows, keys: set[tuple[str, ...]]
    ) -> Iterator[tuple[str, str, Row]]:
        """Table, key and values of the rows that are made for these child rows."""
        for parent in child.parents:
            if isinstance(parent, CreateParent):
                place = self.targets[child.target].key.index(parent.column)
                for name in {key[place] for key in keys}:
                    yield parent.table, name, parent.values(name, self.site)

    def awaited(
        self,
        transaction: Transaction,
        parent: AwaitParent,
        rows: Sequence[tuple[LedgerRow, TargetRow]],
        roots: Roots,
        done: RecomputeResult,
    ) -> list[tuple[LedgerRow, TargetRow]]:
        """The rows without references to a parent that is not there.

        Such a row waits for it; or, where that entity is switched off, refers to none,
        whatever it referred to before.
        """
        keys = {value for _, row in rows if isinstance(value := row.values.get(parent.column), str)}
        missing = self._missing(transaction, parent, keys, roots)
        kept: list[tuple[LedgerRow, TargetRow]] = []
        for root, row in rows:
            value = row.values.get(parent.column)
            if value not in missing:
                kept.append((root, row))
                continue
            values = {
                column: held for column, held in row.values.items() if column != parent.column
            }
            if self._is_mapped(parent, str(value)):
                done.wait(
                    (root.table, root.key),
                    ParkReason.ROW_MISSING,
                    f"waits for {parent.table} {value}",
                )
            else:
                values[parent.column] = None
            kept.append((root, TargetRow(row.table, row.key, values, row.prefill)))
        return kept

    def of_children(
        self,
        transaction: Transaction,
        child: ChildRows,
        wanted: Mapping[str, list[TargetRow]],
        root_of: Mapping[str, LedgerRow],
        roots: Roots,
        done: RecomputeResult,
    ) -> dict[str, list[TargetRow]]:
        """The child rows, by their parent's key, without those that refer to what is not there;
        their roots wait for it.
        """
        kept = dict(wanted)
        for parent in child.parents:
            if not isinstance(parent, AwaitParent):
                continue
            place = self.targets[child.target].key.index(parent.column)
            named = {row.key[place] for rows in kept.values() for row in rows}
            missing = self._missing(transaction, parent, named, roots)
            if not missing:
                continue
            for key, rows in kept.items():
                awaited = [
                    row.key[place]
                    for row in rows
                    if row.key[place] in missing and self._is_mapped(parent, row.key[place])
                ]
                if awaited:
                    root = root_of[key]
                    done.wait(
                        (root.table, root.key),
                        ParkReason.ROW_MISSING,
                        f"waits for {parent.table} {awaited[0]}",
                    )
                kept[key] = [row for row in rows if row.key[place] not in missing]
        return kept

    def _usable(
        self,
        transaction: Transaction,
        child: ChildRows,
        keys: set[tuple[str, ...]],
    ) -> set[tuple[str, ...]]:
        """Those child rows that can be written, now or once what they wait for has come:
        no parent is made for others.
        """
        for parent in child.parents:
            if isinstance(parent, AwaitParent):
                place = self.targets[child.target].key.index(parent.column)
                off = {key[place] for key in keys if not self._is_mapped(parent, key[place])}
                lacking = off - _existing(transaction, parent.table, off)
                keys = {key for key in keys if key[place] not in lacking}
        return keys

    def _missing(
        self,
        transaction: Transaction,
        parent: AwaitParent,
        keys: set[str],
        roots: Roots,
    ) -> set[str]:
        """Those keys that the parent table lacks.
        Raises Widen if a mirrored row would give one that we have not locked.
        """
        missing = keys - _existing(transaction, parent.table, keys)
        sources = {key: parent.source_key(key) for key in missing}
        outside = {
            key
            for reference, key in sources.items()
            if key not in roots.get(parent.source, ()) and self._is_mapped(parent, reference)
        }
        if outside:
            mirrored = {
                (parent.source, row.key)
                for row in transaction.rows_by_key(parent.source, sorted(outside))
            }
            if mirrored:
                raise NeedMoreLocks(mirrored)
        return missing

    def _is_mapped(self, parent: AwaitParent, reference: str) -> bool:
        """Does a mapping that is switched on give this row of the parent table:
        cl-101 comes from clients alone.
        """
        table = self.route.source(parent.source).table
        try:
            values = table.key_values(parent.source_key(reference))
        except ValueError:  # no key of this table
            return False
        row = dict(zip(table.key, values, strict=True))
        return any(
            isinstance(m.key, Derived) and m.key.expression.of(row, self.site) == reference
            for m in self.route.mappings
            if m.source == parent.source and m.target == parent.table
        )


def _existing(transaction: Transaction, table: str, keys: set[str]) -> set[str]:
    if not keys:
        return set()
    with reading(table):
        return transaction.existing(table, sorted(keys))

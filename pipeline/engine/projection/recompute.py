"""Recomputing target rows from the mirror:
the second of the two transactions (docs/explanation/order.md).

From the marks find the roots; lock them in the global order; then, in new statements, read what
they need; map; write what differs; clear the marks as they were read.
Whoever commits its stage last recomputes last, and sees everything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection.children import Children
from pipeline.engine.projection.put_back import PutBack
from pipeline.engine.projection.recomputed import Key, RecomputeResult, TooManyRoots
from pipeline.engine.projection.references import References
from pipeline.engine.projection.refusals import Refused, reading, writing
from pipeline.engine.projection.resolve import Roots, fetch, resolve
from pipeline.engine.projection.roots import is_root
from pipeline.engine.projection.unique import Unique
from pipeline.errors import ParkReason, ValueRefused
from pipeline.mapping.apply import Built, applies, build
from pipeline.mapping.fit import fit
from pipeline.mapping.lines import built_at_once, lines_of
from pipeline.mapping.neighbours import Graph
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.table import AwaitParent, TableMapping
from pipeline.mapping.target import TargetRow, TargetTable
from pipeline.model.ledger import LedgerRow, Mark


@dataclass(frozen=True)
class Recompute:
    """Recomputes what marks name, within one transaction. `targets` carry the live database's
    lengths; `most_roots`: to how many roots marks of other rows may lead, which is what decides how
    much memory a transaction takes.
    """

    route: Route
    site: Site
    targets: Mapping[str, TargetTable]
    counts_utf16: bool
    most_roots: int = 2_500

    @cached_property
    def _references(self) -> References:
        return References(self.route, self.site, self.targets)

    @cached_property
    def _children(self) -> Children:
        return Children(
            self.site, self.targets, self._references, self._put_back, self.counts_utf16
        )

    @cached_property
    def _put_back(self) -> PutBack:
        return PutBack(self.route)

    def run(
        self,
        transaction: Transaction,
        marks: Sequence[Mark],
        extra: set[Key],
        now: datetime,
        refused: Refused | None = None,
        together: Collection[int] = (),
    ) -> RecomputeResult:
        """`refused`: tables that are left alone; rows that need one wait for it. `together`: the
        numbers of marks that are one row each, which are not cleared here. Before anything was
        written raises NeedMoreLocks, TooManyRoots; then TableRefused, and ports' errors.
        """
        loaded = transaction.loaded()
        unknown_columns = transaction.unknown_columns()
        roots = self._resolved(transaction, marks)
        for table, key in extra:
            roots.setdefault(table, set()).add(key)
        read = _read(transaction, marks, roots, together)
        locked = self._lock(transaction, roots)
        graph = fetch(transaction, self.route, self.site, locked, loaded, unknown_columns)
        done = RecomputeResult()
        every = self._build(locked, graph, loaded, done)
        built = (refused or Refused()).without_blocked(every, done)
        for table, keys in roots.items():
            self._await_roots(
                transaction,
                table,
                keys - locked.get(table, {}).keys(),
                done,
            )
        self._write(transaction, built, roots, done)
        self._put_back.settle(transaction, roots, every, done)
        self._put_back.log(transaction, done, now)
        transaction.clear([mark for mark in read if (mark.kind, mark.key) not in done.waiting])
        transaction.wait(list(done.waiting.values()), now)
        return done

    def _resolved(self, transaction: Transaction, marks: Sequence[Mark]) -> Roots:
        """Raises TooManyRoots."""
        roots = resolve(transaction, self.route, self.site, marks)
        is_much = sum(map(len, roots.values())) > self.most_roots
        if is_much and not all(is_root(self.route, mark) for mark in marks):
            raise TooManyRoots
        return roots

    def _lock(self, transaction: Transaction, roots: Roots) -> dict[str, dict[str, LedgerRow]]:
        return {
            source.name: transaction.lock_rows(source.name, sorted(keys), placed=False)
            for source in self.route.sources
            if (keys := roots.get(source.name))
        }

    def _await_roots(
        self,
        transaction: Transaction,
        table: str,
        missing: set[str],
        done: RecomputeResult,
    ) -> None:
        """A root that has not arrived is waited for as long as rows refer to it."""
        as_reference = self.route.source(table).as_reference
        referred: set[str] = set()
        for path in {
            path
            for m in self.route.mappings
            if m.source == table
            for path in m.paths
            if path.to == table
        }:
            rows = transaction.rows_where(
                path.table,
                path.column,
                [as_reference(key) for key in sorted(missing)],
            )
            referred |= {str(row.values[path.column]) for row in rows if not row.deleted}
        for key in missing & referred:
            done.wait((table, key), ParkReason.ROW_MISSING, f"waits for {table} {key} itself")
        done.idle.update((table, key) for key in missing - referred)

    def _build(
        self,
        locked: Mapping[str, Mapping[str, LedgerRow]],
        graph: Graph,
        loaded: frozenset[str],
        done: RecomputeResult,
    ) -> list[Built]:
        built: list[Built] = []
        for table, rows in locked.items():
            every = [
                (m, lines_of(m, self.targets[m.target], loaded, utf16=self.counts_utf16))
                for m in self.route.mappings
                if m.source == table
            ]
            for root in rows.values():
                ours = [(m, lines) for m, lines in every if applies(m, root, graph)]
                if not ours:
                    done.idle.add((table, root.key))
                for mapping, lines in ours:
                    try:
                        one = built_at_once(mapping, root, graph, loaded, lines)
                        one = one or build(mapping, root, graph, loaded)
                    except ValueRefused as error:
                        done.wait((table, root.key), error.code, str(error))
                        continue
                    for missing in one.missing:
                        done.wait(
                            (table, root.key),
                            ParkReason.ROW_MISSING,
                            f"waits for {missing.table} {missing.key}",
                        )
                    built.append(self._children.fitted(one, done))
        return built

    def _write(
        self,
        transaction: Transaction,
        built: Sequence[Built],
        roots: Roots,
        done: RecomputeResult,
    ) -> None:
        """Parents first, then rows in the order of ranks, then child rows."""
        self._references.create(transaction, built, done)
        by_mapping: dict[str, list[Built]] = {}
        for one in built:
            by_mapping.setdefault(one.mapping.name, []).append(one)
        for mapping in self.route.mappings:
            ours = by_mapping.get(mapping.name)
            if not ours:
                continue
            table = self.targets[mapping.target]
            rows = self._fitted(table, ours, done)
            rows = self._writable(transaction, mapping, rows, roots, done)
            with writing(table.name):
                counts = self._put_back.upsert(transaction, table, rows, done)
            done.count(table.name, counts)
            written = {row.key[0] for _, row in rows}
            for child in mapping.children:
                self._children.write(
                    transaction,
                    child,
                    [one for one in ours if one.row.key[0] in written],
                    roots,
                    done,
                )

    def _fitted(
        self,
        table: TargetTable,
        built: Sequence[Built],
        done: RecomputeResult,
    ) -> list[tuple[LedgerRow, TargetRow]]:
        """The rows as the target can hold them; one that a column's policy refuses waits."""
        rows: list[tuple[LedgerRow, TargetRow]] = []
        for one in built:
            if one.fits:
                rows.append((one.root, one.row))
                continue
            try:
                fitted = fit(table, one.row, self.site, utf16=self.counts_utf16)
            except ValueRefused as error:
                done.wait((one.root.table, one.root.key), error.code, str(error))
                continue
            done.fitted.update((table.name, column, str(how)) for column, how in fitted.done)
            rows.append((one.root, fitted.row))
        return rows

    def _writable(
        self,
        transaction: Transaction,
        mapping: TableMapping,
        rows: list[tuple[LedgerRow, TargetRow]],
        roots: Roots,
        done: RecomputeResult,
    ) -> list[tuple[LedgerRow, TargetRow]]:
        """The rows whose references are there and whose unique values are free."""
        table = self.targets[mapping.target]
        if table.is_others:
            with reading(table.name):
                there = transaction.existing(table.name, sorted(row.key[0] for _, row in rows))
            self._put_back.gone(transaction, table, {row.key[0] for _, row in rows} - there)
            rows = [(root, row) for root, row in rows if row.key[0] in there]
        for parent in mapping.parents:
            if isinstance(parent, AwaitParent):
                rows = self._references.awaited(transaction, parent, rows, roots, done)
        for column in table.unique:
            unique = Unique(mapping, self.route.source(mapping.source), table, column, self.site)
            ours = roots.get(mapping.source, set())
            rows = unique.without_taken(transaction, rows, ours, done)
        return _creatable(transaction, table, rows, done)


def _read(
    transaction: Transaction, marks: Sequence[Mark], roots: Roots, together: Collection[int]
) -> set[Mark]:
    """The marks that are done with: those given that are rows of their own, and those of the roots.
    Of a large batch the roots have rarely marks of their own, which one look tells.
    """
    read = {mark for mark in marks if mark.number not in together}
    for table, keys in roots.items():
        if keys and not (together and not transaction.has_marks(table)):
            read.update(transaction.marks_of((table, key) for key in keys))
    return read


def _creatable(
    transaction: Transaction,
    table: TargetTable,
    rows: Sequence[tuple[LedgerRow, TargetRow]],
    done: RecomputeResult,
) -> list[tuple[LedgerRow, TargetRow]]:
    """Without rows that the target lacks and that cannot be created yet:
    a required value is unknown.
    """
    if table.is_others:
        return list(rows)
    required = table.required
    partial = {
        row.key[0]
        for _, row in rows
        if not (required <= row.values.keys() or required <= row.values.keys() | row.prefill.keys())
    }
    if not partial:
        return list(rows)
    with reading(table.name):
        lacking = partial - transaction.existing(table.name, sorted(partial))
    for root, row in rows:
        if row.key[0] in lacking:
            reason = f"waits for what {table.name} requires"
            done.wait((root.table, root.key), ParkReason.VALUE_UNKNOWN, reason)
    return [(root, row) for root, row in rows if row.key[0] not in lacking]

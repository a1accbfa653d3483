"""Target rows that depend on one source row alone: written with it, in the first transaction, and
leave no mark (docs/explanation/order.md).

The source row is locked, or new and not committed, so nobody else writes its target row meanwhile.
What is not plain is left to the marks: an unknown column, a value that must be made to fit or is
refused, a parent that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection.recomputed import Key, RecomputeResult
from pipeline.engine.projection.references import References
from pipeline.engine.projection.refusals import reading, writing
from pipeline.mapping.apply import Built
from pipeline.mapping.mirror import shared_kind
from pipeline.mapping.plain import Cells, PlainMapping, plain
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.table import AwaitParent, CreateParent
from pipeline.mapping.target import TargetTable
from pipeline.model.ledger import LedgerRow

LEAST_AT_ONCE = 100  # rows that are worth a staging table
Given = tuple[LedgerRow, Cells]


@dataclass
class DirectResult:
    """What was written, and the roots that are left to the marks."""

    done: RecomputeResult = field(default_factory=RecomputeResult)
    left: set[Key] = field(default_factory=set)


@dataclass(frozen=True)
class Direct:
    """Writes directly, into tables as they live. `targets` by name."""

    route: Route
    site: Site
    targets: Mapping[str, TargetTable]
    counts_utf16: bool
    least_at_once: int = LEAST_AT_ONCE

    @cached_property
    def _plain(self) -> Mapping[str, Sequence[PlainMapping]]:
        """By source table the mappings, where all of them are plain. What is written to a target
        table that is read back is remembered, which is not done here.
        """
        observed = {one.target for one in self.route.observed}
        found: dict[str, list[PlainMapping]] = {}
        for source in self.route.sources:
            ours = [one for one in self.route.mappings if one.source == source.name]
            ready = [
                plain(one, self.targets[one.target], self.site, utf16=self.counts_utf16)
                for one in ours
                if one.target not in observed
            ]
            kept = [one for one in ready if one is not None]
            if kept and len(kept) == len(ours) and not source.member:
                found[source.name] = kept
        return found

    @cached_property
    def shared_kinds(self) -> frozenset[str]:
        """The kinds of marks that lead from rows of these tables to rows that refer to them."""
        return frozenset(map(shared_kind, self._plain))

    @cached_property
    def _in_order(self) -> Sequence[PlainMapping]:
        """In the order of the targets' ranks."""
        ready = {id(one.mapping): one for found in self._plain.values() for one in found}
        return [ready[id(one)] for one in self.route.mappings if id(one) in ready]

    def takes(self, table: str) -> bool:
        """Are target rows of this source table written directly."""
        return table in self._plain

    def write(self, transaction: Transaction, roots: Iterable[LedgerRow]) -> DirectResult:
        """Write the target rows of these roots, whose mirror rows were written in this transaction.
        Raises TableRefused, and ports' errors.
        """
        result = DirectResult()
        found: dict[str, list[Given]] = {}
        for root in roots:
            self._add(root, found, result)
        self._create_parents(transaction, found, result)
        for one in self._in_order:
            given: Sequence[Given] = found.get(one.mapping.name, ())
            for parent in one.mapping.parents:
                if isinstance(parent, AwaitParent):
                    given = _with_parent(transaction, parent, one, given, result)
            if given:
                self._upsert(transaction, one, [cells for _, cells in given], result)
        return result

    def _add(self, root: LedgerRow, found: dict[str, list[Given]], result: DirectResult) -> None:
        """What this root gives, by mapping."""
        if root.unknown:
            result.left.add((root.table, root.key))
            return
        built: list[tuple[str, Cells]] = []
        for one in self._plain[root.table]:
            flag = one.mapping.only_if
            if flag is None or root.values[flag]:
                cells = one.cells(root.values)
                if cells is None:
                    result.left.add((root.table, root.key))
                    return
                built.append((one.mapping.name, cells))
        for name, cells in built:
            found.setdefault(name, []).append((root, cells))
        if not built:
            result.done.idle.add((root.table, root.key))

    def _create_parents(
        self, transaction: Transaction, found: Mapping[str, list[Given]], result: DirectResult
    ) -> None:
        """Of rows that name the same ones, one is asked."""
        built: list[Built] = []
        for one in self._in_order:
            places = [
                one.place(parent.column)
                for parent in one.mapping.parents
                if isinstance(parent, CreateParent)
            ]
            naming: dict[object, Given] = {}
            if places:
                named = itemgetter(*places)
                for given in found.get(one.mapping.name, ()):
                    naming.setdefault(named(given[1]), given)
            for root, cells in naming.values():
                built.append(Built(one.mapping, root, one.row_of(cells), {}, ()))
        References(self.route, self.site, self.targets).create(transaction, built, result.done)

    def _upsert(
        self,
        transaction: Transaction,
        one: PlainMapping,
        rows: Sequence[Cells],
        result: DirectResult,
    ) -> None:
        table = one.mapping.target
        with writing(table):
            if transaction.takes_plain and len(rows) >= self.least_at_once and one.can_change:
                counts = transaction.upsert_plain(table, one.columns, one.prefilled, rows)
            else:
                counts = transaction.upsert(table, [one.row_of(cells) for cells in rows])
        result.done.count(table, counts)


def _with_parent(
    transaction: Transaction,
    parent: AwaitParent,
    one: PlainMapping,
    given: Sequence[Given],
    result: DirectResult,
) -> Sequence[Given]:
    """Those whose parent is there, or that name none; the others are left to the marks."""
    place = one.place(parent.column)
    named = {value for _, cells in given if isinstance(value := cells[place], str)}
    if not named:
        return given
    with reading(parent.table):
        missing = named - transaction.existing(parent.table, sorted(named))
    left = [root for root, cells in given if cells[place] in missing]
    result.left.update((root.table, root.key) for root in left)
    return [(root, cells) for root, cells in given if cells[place] not in missing]

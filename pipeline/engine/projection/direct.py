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

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection.recomputed import Key, RecomputeResult
from pipeline.engine.projection.references import References
from pipeline.engine.projection.refusals import reading, writing
from pipeline.mapping.apply import Built
from pipeline.mapping.plain import PlainMapping, plain
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.table import AwaitParent
from pipeline.mapping.target import TargetTable
from pipeline.model.ledger import LedgerRow


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

    def takes(self, table: str) -> bool:
        """Are target rows of this source table written directly."""
        return table in self._plain

    def write(self, transaction: Transaction, roots: Iterable[LedgerRow]) -> DirectResult:
        """Write the target rows of these roots, whose mirror rows were written in this transaction.
        Raises TableRefused, and ports' errors.
        """
        result = DirectResult()
        built = [one for root in roots for one in self._built(root, result)]
        References(self.route, self.site, self.targets).create(transaction, built, result.done)
        for mapping in self.route.mappings:
            ours = [one for one in built if one.mapping is mapping]
            for parent in mapping.parents:
                if isinstance(parent, AwaitParent):
                    ours = _with_parent(transaction, parent, ours, result)
            if ours:
                table = mapping.target
                with writing(table):
                    counts = transaction.upsert(table, [one.row for one in ours])
                result.done.count(table, counts)
        return result

    def _built(self, root: LedgerRow, result: DirectResult) -> list[Built]:
        key = (root.table, root.key)
        if root.unknown:
            result.left.add(key)
            return []
        built: list[Built] = []
        for one in self._plain[root.table]:
            flag = one.mapping.only_if
            if flag is None or root.values[flag]:
                row = one.row(root.values)
                if row is None:
                    result.left.add(key)
                    return []
                built.append(Built(one.mapping, root, row, {}, ()))
        if not built:
            result.done.idle.add(key)
        return built


def _with_parent(
    transaction: Transaction, parent: AwaitParent, built: Sequence[Built], result: DirectResult
) -> list[Built]:
    """Those whose parent is there, or that name none; the others are left to the marks."""
    named = {value for one in built if isinstance(value := one.row.values[parent.column], str)}
    if not named:
        return list(built)
    with reading(parent.table):
        missing = named - transaction.existing(parent.table, sorted(named))
    left = [one for one in built if one.row.values[parent.column] in missing]
    result.left.update((one.root.table, one.root.key) for one in left)
    return [one for one in built if one.row.values[parent.column] not in missing]

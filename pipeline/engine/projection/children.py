"""Child rows of target rows: made to fit, and replaced as a set for each parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection.put_back import PutBack
from pipeline.engine.projection.recomputed import RecomputeResult
from pipeline.engine.projection.references import References
from pipeline.engine.projection.refusals import writing
from pipeline.engine.projection.resolve import Roots
from pipeline.errors import ValueRefused
from pipeline.mapping.apply import Built
from pipeline.mapping.fit import fit, fit_key
from pipeline.mapping.site import Site
from pipeline.mapping.table import ChildRows
from pipeline.mapping.target import TargetRow, TargetTable
from pipeline.model.ledger import LedgerRow
from pipeline.model.outcome import RowCounts


@dataclass(frozen=True)
class Children:
    """Child rows that are about to be written, within one transaction."""

    site: Site
    targets: Mapping[str, TargetTable]
    references: References
    put_back: PutBack
    counts_utf16: bool

    def fitted(self, one: Built, done: RecomputeResult) -> Built:
        """Child rows as the target can hold them; where a column's policy refuses one,
        its root waits, and they all stay as they are.
        """
        if not any(one.children.values()):
            return one
        fitted: dict[str, list[TargetRow]] = {}
        for name, rows in one.children.items():
            table, by_key = self.targets[name], dict[tuple[str, ...], TargetRow]()
            try:
                for row in rows:
                    found = fit(table, row, self.site, utf16=self.counts_utf16)
                    done.fitted.update((name, column, str(how)) for column, how in found.done)
                    key = fit_key(table, row.key, utf16=self.counts_utf16)
                    by_key.setdefault(key, replace(found.row, key=key))
            except ValueRefused as error:
                done.wait((one.root.table, one.root.key), error.code, str(error))
                continue
            fitted[name] = [by_key[key] for key in sorted(by_key)]
        return replace(one, children=fitted)

    def write(
        self,
        transaction: Transaction,
        child: ChildRows,
        built: Sequence[Built],
        roots: Roots,
        done: RecomputeResult,
    ) -> None:
        """Those of target rows that are there."""
        wanted = {
            one.row.key[0]: list(one.children[child.target])
            for one in built
            if child.target in one.children
        }
        if wanted:
            root_of = {one.row.key[0]: one.root for one in built}
            kept = self.references.of_children(transaction, child, wanted, root_of, roots, done)
            with writing(child.target):
                counts = self._replace(transaction, child, kept, root_of, done)
            done.count(child.target, counts)

    def _replace(
        self,
        transaction: Transaction,
        child: ChildRows,
        wanted: Mapping[str, Sequence[TargetRow]],
        root_of: Mapping[str, LedgerRow],
        done: RecomputeResult,
    ) -> RowCounts:
        if not child.adopts:
            return transaction.replace_children(child.target, wanted)
        table = self.targets[child.target]
        not_ours = {*table.key, *child.without(self.site)}
        columns = [table.column(name) for name, _ in child.values if name not in not_ours]
        left = {column.name: None for column in columns if column.nullable}
        adopted = transaction.adopt_children(table.name, wanted, left)
        self.put_back.adopted(transaction, table, wanted, adopted, root_of, done)
        return adopted.counts

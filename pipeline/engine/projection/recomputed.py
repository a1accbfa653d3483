"""What one recompute did, and what it may ask for before it has written anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.mapping.observed import PutBackValue
from pipeline.model.ledger import Mark, Progress, Waiting
from pipeline.model.outcome import RowCounts
from pipeline.model.position import TopicPartition

Key = tuple[str, str]


class NeedMoreLocks(Exception):
    """More roots must be locked before anything can be written: begin again with them."""

    def __init__(self, roots: set[Key]) -> None:
        super().__init__("more roots are needed")
        self.roots = roots


class TooManyRoots(Exception):
    """Marks of single rows lead to more roots than one transaction should hold: an activity that is
    typed again leads to every project. They are to be marked one by one first.
    """


@dataclass
class RecomputeResult:
    """What one recompute did: target rows by table, what waits, roots without a target row,
    values made to fit.
    """

    rows: dict[str, RowCounts] = field(default_factory=dict)
    waiting: dict[Key, Waiting] = field(default_factory=dict)
    idle: set[Key] = field(default_factory=set)
    fitted: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # table, column, how
    # of each row that a person changed in columns that we own, its table, and these
    put_back: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    edits: list[PutBackValue] = field(default_factory=list)  # each value of these
    remembered: set[Key] = field(default_factory=set)  # target rows whose contents are known
    stored: Mapping[TopicPartition, Progress] = field(default_factory=dict)  # offsets, with it

    def count(self, table: str, counts: RowCounts) -> None:
        self.rows[table] = self.rows.get(table, RowCounts()) + counts

    @property
    def written(self) -> frozenset[str]:
        """Target tables that took rows, be they as they were."""
        return frozenset(table for table, counts in self.rows.items() if counts != RowCounts())

    def wait(self, root: Key, code: str, reason: str) -> None:
        self.waiting.setdefault(root, Waiting(Mark(*root), code, reason))

"""Unique columns: who can have its value now, who gets another one, and who waits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection.recomputed import NeedMoreLocks, RecomputeResult
from pipeline.engine.projection.refusals import reading, writing
from pipeline.errors import ParkReason
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.site import Site
from pipeline.mapping.table import Related, TableMapping
from pipeline.mapping.target import TargetRow, TargetTable
from pipeline.model.ledger import LedgerRow

Rows = Sequence[tuple[LedgerRow, TargetRow]]


@dataclass
class _Claims:
    """Who wants which value, and who holds it in the target now; values as they compare."""

    wanted: dict[str, str]  # key -> value
    held: dict[str, str] = field(default_factory=dict)  # value, folded -> key
    meet: bool = False  # may anybody want what another one holds, or wants

    def _folded(self, key: str) -> str:
        return self.wanted[key].casefold()

    def holder(self, key: str) -> str | None:
        """Who else holds what this row wants."""
        found = self.held.get(self._folded(key)) if key in self.wanted else None
        return None if found == key else found

    def moves_away(self, holder: str, key: str) -> bool:
        return holder in self.wanted and self._folded(holder) != self._folded(key)

    def see(self, held: dict[str, str]) -> None:
        """What the target holds of the values wanted."""
        self.held = held
        folded = {value.casefold(): key for key, value in self.wanted.items()}
        self.meet = len(folded) < len(self.wanted) or not held.items() <= folded.items()

    def stuck(self, keys: Sequence[str]) -> set[str]:
        """Those that cannot have their value: its holder stays, or is stuck itself,
        or an earlier one takes it.
        """
        stuck: set[str] = set()
        while True:
            taken: dict[str, str] = {}
            found = set()
            for key in keys:
                holder = self.holder(key)
                if holder is not None and (holder in stuck or not self.moves_away(holder, key)):
                    found.add(key)
                if (
                    key in self.wanted
                    and key not in found
                    and taken.setdefault(self._folded(key), key) != key
                ):
                    found.add(key)
            if found <= stuck:
                return stuck
            stuck |= found


@dataclass(frozen=True)
class Unique:
    """A unique column of one mapping's target."""

    mapping: TableMapping
    source: MirroredTable
    table: TargetTable
    column: str
    site: Site

    def without_taken(
        self,
        transaction: Transaction,
        rows: Rows,
        locked: Collection[str],
        done: RecomputeResult,
    ) -> list[tuple[LedgerRow, TargetRow]]:
        """Rows that can have their value of the column now.

        A value held by a row of ours that is not locked widens the recompute; one that a retired
        row of ours keeps gives way to another value; one held by a row that is being recomputed too
        is released first; one held by somebody else's row makes ours wait.
        """
        claims = self._claims(transaction, rows, locked)
        if not claims.meet and all(
            row.values.get(self.column) == claims.wanted.get(row.key[0]) for _, row in rows
        ):
            return [*rows]  # as of nearly all batches
        ordered = self._ordered(rows)
        stuck = claims.stuck([row.key[0] for _, row in ordered])
        kept: list[tuple[LedgerRow, TargetRow]] = []
        released: list[TargetRow] = []
        for root, row in ordered:
            key = row.key[0]
            if key in stuck:
                reason = f"{self.table.name}.{self.column} is held by another row"
                done.wait((root.table, root.key), ParkReason.VALUE_TAKEN, reason)
                continue
            value, holder = claims.wanted.get(key), claims.holder(key)
            if value is not None and row.values.get(self.column) != value:
                row = replace(row, values={**row.values, self.column: value})  # noqa: PLW2901
            kept.append((root, row))
            if holder is not None:
                released.append(TargetRow(self.table.name, (holder,), {self.column: f"~{holder}"}))
        if released:
            with writing(self.table.name):
                transaction.upsert(self.table.name, released)
        return kept

    def _claims(self, transaction: Transaction, rows: Rows, locked: Collection[str]) -> _Claims:
        claims = _Claims(self._wanted(transaction, rows))
        while True:
            claims.see(self._held(transaction, set(claims.wanted.values())))
            strangers = {key for key in claims.held.values() if key not in locked}
            ours = (
                transaction.rows_by_key(self.mapping.source, sorted(strangers)) if strangers else []
            )
            if ours:
                raise NeedMoreLocks({(self.mapping.source, row.key) for row in ours})
            others = self._instead(rows, claims) if claims.meet else {}
            if not others:
                return claims
            claims.wanted.update(others)

    def _ordered(self, rows: Rows) -> Rows:
        """Who comes first: retired rows, then by key."""
        return sorted(
            rows,
            key=lambda pair: (
                not pair[0].retired_at,
                self.source.table.key_values(pair[0].key),
            ),
        )

    def _wanted(self, transaction: Transaction, rows: Rows) -> dict[str, str]:
        """By key. A row that may keep its value wants none,
        if what it holds is one of those it could have been given.
        """
        kept = {
            row.key[0]: (root, str(row.prefill[self.column]))
            for root, row in rows
            if self.column in row.prefill
        }
        possible = {key: self._possible(root, value) for key, (root, value) in kept.items()}
        held = self._held(
            transaction,
            {value for values in possible.values() for value in values},
        )
        wanted: dict[str, str] = {}
        for _, row in rows:
            key, value = row.key[0], row.values.get(self.column)
            if value is not None:
                wanted[key] = str(value)
            elif key in kept and not any(held.get(one.casefold()) == key for one in possible[key]):
                wanted[key] = kept[key][1]
        return wanted

    def _held(self, transaction: Transaction, values: Collection[str]) -> dict[str, str]:
        if not values:
            return {}
        with reading(self.table.name):
            found = transaction.holders(self.table.name, self.column, sorted(values))
        return {value.casefold(): key for value, key in found.items()}

    def _possible(self, root: LedgerRow, value: str) -> list[str]:
        """The value, and those that may stand instead of it."""
        found, line = [value], self._line
        while (
            line.instead is not None
            and (other := line.instead(root, self.site, found[-1], self._length)) is not None
        ):
            found.append(other)
        return found

    @property
    def _length(self) -> int | None:
        return self.table.column(self.column).length

    @property
    def _line(self) -> Related:
        """The line that fills the column."""
        return next(
            one
            for one in self.mapping.lines
            if isinstance(one, Related) and one.target == self.column
        )

    def _instead(self, rows: Rows, claims: _Claims) -> dict[str, str]:
        """Other values for rows whose value a retired row keeps,
        or another one of ours wants to keep or gets.
        """
        instead = self._line.instead
        if instead is None:
            return {}
        rows = self._ordered(rows)
        retired = {row.key[0] for root, row in rows if root.retired_at}
        first: dict[str, str] = {}
        others: dict[str, str] = {}
        for root, row in rows:
            key, holder = row.key[0], claims.holder(row.key[0])
            is_ours = holder in retired or holder in claims.wanted
            keeps = is_ours and not claims.moves_away(str(holder), key)
            value = claims.wanted.get(key)
            if value is not None and (keeps or first.setdefault(value.casefold(), key) != key):
                other = instead(root, self.site, value, self._length)
                if other is not None:
                    others[key] = other
        return others

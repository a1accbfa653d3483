"""Rows whose creation is tried once more, after a crash or a refusal: what they are made from,
and whether they still may be.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.conflicts.decision import Decision, LockedRow, Reason, Write
from pipeline.conflicts.ending import end
from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.apply_writes import new_row
from pipeline.engine.exchange.parents import parent_of
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    PlannedWrite,
    UnitOfWork,
)
from pipeline.errors import ParkReason
from pipeline.model.event import Row, Value
from pipeline.model.outcome import Outcome
from pipeline.pairing.entity import Entity, NewRowContext


class CreateRetry:
    """Works with the rows that the round has looked at: by side, table and key."""

    def __init__(
        self,
        setup: ExchangeConfig,
        unit: UnitOfWork,
        translations: Translations,
        looked: Mapping[tuple[Side, str, str], LockedRow],
    ) -> None:
        self._setup = setup
        self._unit = unit
        self._translations = translations
        self._looked = looked

    def planned(self, write: Write, entity: Entity, link: Link) -> PlannedWrite:
        """A write; with the row to be created, if it is one that creates."""
        planned = PlannedWrite(write, entity)
        if write.key is not None:
            return planned
        row, parent = self._made_from(entity, link, write.side)
        if row is None or parent is None:
            return planned  # gone: its own event ends the link
        key = link.side(write.side.other).key or ""
        made = entity.side(write.side).new_key(NewRowContext(row, key, parent, self._setup.numbers))
        return (
            planned if isinstance(made, ParkReason) else new_row(planned, write.side, made, parent)
        )

    def without_orphan(self, entity: Entity, before: Link, decision: Decision) -> Decision:
        """A row that was to belong to one of a pair that has ended meanwhile is never created:
        its own pair ends too.
        """
        for write in decision.writes:
            if write.key is not None:
                continue
            row, parent = self._made_from(entity, before, write.side)
            if row is not None and parent is None:
                rules, now = (
                    self._translations.rules(entity),
                    self._unit.now,
                )
                ended, conflicts = end(before, write.side, now, rules, now)
                return Decision(ended, (), Outcome.SKIPPED, Reason.ENDED, conflicts)
        return decision

    def _made_from(
        self, entity: Entity, link: Link, side: Side
    ) -> tuple[Row | None, tuple[Value, ...] | None]:
        """The row that one of `side` is created from, and the key of what it is to belong to there;
        None for what is gone.
        """
        source = link.side(side.other)
        looked = self._looked.get((side.other, source.table, source.key or ""))
        if looked is None or looked.row is None:
            return None, None
        return looked.row, parent_of(self._setup, self._unit, entity, side, looked.row)
